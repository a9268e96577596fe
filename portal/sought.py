"""Search terms out of addresses: what people look for is a name, a PAN, a mobile number.

Proxies, histories and logs keep addresses. So a search box posts, and its list opens under a sealed term that only
whoever typed it can use, for as long as a session lasts.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings

from portal import encryption, redaction

# The sealed term in an address, and for how many seconds it opens.
FIND = "find"
FIND_LIVES_S = settings.SESSION_COOKIE_AGE


def seal(term: str, user: Any) -> str:
    """The term as it may stand in an address."""
    return encryption.encrypt(json.dumps([user.pk, term]))


def unsealed(token: str, user: Any) -> str | None:
    """The term; None for somebody else's, for one that is too old, and for what was not made here."""
    try:
        whose, term = json.loads(encryption.decrypt(token, lives_s=FIND_LIVES_S))
    except (ValueError, TypeError, encryption.InvalidToken):
        return None
    return str(term) if whose == user.pk else None


def masked(term: str) -> str:
    """The term as every page may show it: of a PAN, a number or an address its ends only."""
    if redaction.text(term) == term:
        return term
    return redaction.mask_email(term) if "@" in term else redaction.mask(term)
