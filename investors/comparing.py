"""Does FP hold an application as it would be sent? Pure; the look before a corrected one is sent a second time.

FP answers some things under other names than it takes them, keeps words in capitals, and says null for what is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.fintech_primitives import messages

# Taken and kept, and in no answer that we read.
NOT_ANSWERED = {"ip_address"}
# How we say it -> how FP answers it (document, "Create Investor": `pincode` comes back as `zipcode`).
ANSWERED_AS = {"pincode": "zipcode"}


def holds(theirs: messages.Investor, application: Mapping[str, Any]) -> bool:
    """Is everything of the application there as it stands in it?"""
    return all(_alike(_named(theirs, name), said) for name, said in application.items() if name not in NOT_ANSWERED)


def _named(known: Any, name: str) -> Any:
    if name == "ifsc_code":
        return known.branch.ifsc_code if known.branch else None
    return getattr(known, ANSWERED_AS.get(name, name), None)


def _alike(known: Any, said: Any) -> bool:
    if isinstance(said, Mapping):
        return known is not None and all(_alike(_named(known, name), each) for name, each in said.items())
    if isinstance(said, list):
        return all(any(_alike(one, each) for one in known or ()) for each in said)
    if isinstance(said, bool | int):
        return bool(known == said)
    return _plain(known) == _plain(said)


def _plain(text: object) -> str:
    return str(text or "").strip().removeprefix("+").casefold()
