"""Keys of partners' machines: made once, shown once, rotated with an overlap, revoked at once.

A key is a client of allauth's identity provider: its secret is kept as a password is, its tokens as SHA-256.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.utils import timezone

from portal import audit
from portal.api.models import ApiKey
from portal.api.scopes import SCOPES
from portal.errors import Failure, InvalidInput
from portal.models import Partner, User
from portal.scope import ALL, scope

OVERLAP = timedelta(days=7)
MOST_OVERLAP = timedelta(days=30)
MOST_KEYS = 10


class TooManyKeys(Failure):
    """A partner has as many keys as anybody needs."""

    code = "too_many_keys"
    message = f"There are {MOST_KEYS} keys already. Revoke one that is not used."


class KeyIsOver(Failure):
    """The key was revoked, or is being replaced already."""

    code = "key_is_over"
    message = "This key was revoked or is being replaced already."


def make(
    *, partner: Partner, label: str, scopes: Iterable[str], actor: User, at: datetime, follows: ApiKey | None = None
) -> tuple[ApiKey, str]:
    """A key and its secret, which nobody can read again. Raises TooManyKeys, InvalidInput("scopes")."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise InvalidInput("scopes", "Choose at least one of the scopes that are offered.")
    secret = secrets.token_urlsafe(40)
    # Clients of the identity provider are written by us only, whoever asks (migration 0013).
    with scope(ALL), transaction.atomic():
        # Without its key, to which events that are being numbered refer under the lock of the audit chain.
        Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        if sum(is_live(key, at) for key in ApiKey.objects.filter(partner=partner)) >= MOST_KEYS:
            raise TooManyKeys
        client = Client(
            name=f"{partner.code}: {label}"[:100],
            type=Client.Type.CONFIDENTIAL,
            scopes="\n".join(wanted),
            default_scopes="\n".join(wanted),
            grant_types=Client.GrantType.CLIENT_CREDENTIALS,
            response_types="",
            created_at=at,
        )
        client.set_secret(secret)
        client.save()
        key = ApiKey.objects.create(
            client=client, partner=partner, label=label[:60], created_by=actor, created_at=at, follows=follows
        )
    _record(key, "api_key.made", actor, at, scopes=wanted)
    return key, secret


def rotate(*, key: ApiKey, actor: User, at: datetime, overlap: timedelta = OVERLAP) -> tuple[ApiKey, str]:
    """A second key with the same scopes, and its secret; the first works for the overlap. Raises KeyIsOver."""
    if not is_live(key, at) or key.retires_at:
        raise KeyIsOver
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, retires_at=None, revoked_at=None).update(
            retires_at=at + min(overlap, MOST_OVERLAP)
        )
        if not changed:
            raise KeyIsOver
        made = make(
            partner=key.partner, label=key.label, scopes=key.client.get_scopes(), actor=actor, at=at, follows=key
        )
        _record(key, "api_key.rotated", actor, at, follower=made[0].client_id)
    return made


def revoke(*, key: ApiKey, actor: User, reason: str, at: datetime) -> None:
    """Neither the key nor any of its tokens works from now on; a second call changes nothing."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
            _record(key, "api_key.revoked", actor, at, reason)
    with scope(ALL):
        Token.objects.filter(client=key.client_id).delete()


def is_live(key: ApiKey, at: datetime) -> bool:
    """Neither revoked nor retired."""
    return key.revoked_at is None and (key.retires_at is None or at < key.retires_at)


def _record(key: ApiKey, action: str, actor: User, at: datetime, reason: str = "", **data: Any) -> None:
    audit.record(key.partner, action, actor=actor, at=at, reason=reason, key=key.client_id, label=key.label, **data)


def forget_tokens() -> None:
    """Tokens that have expired are not kept."""
    Token.objects.filter(expires_at__lt=timezone.now()).delete()
