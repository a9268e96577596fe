"""At the doors (signing up and in, a new password) a stranger and a client cause the same work (reliability.md P31).

Allauth answers both in the same words, but does less for an address that nobody has: fewer statements, no password to
hash, no second mail. Whoever measures would learn who is a client. `treat_alike` evens that out; it is held by
`tests/portal/test_uniform_answers.py`, and measured by `./run bench strangers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account import auth_backends, forms
from allauth.account.internal import userkit
from allauth.account.internal.flows import (
    code_verification,
    email_verification_by_code,
    login_by_code,
    password_reset_by_code,
)
from allauth.account.models import EmailAddress, Login
from django.db import transaction
from django.db.models import Q

from portal.models import User

# No row has this key: asking for it is the work of asking for somebody.
NOBODY = 0


def treat_alike() -> None:
    """Called once, when apps are ready."""
    for module in (userkit, auth_backends, forms):
        module.filter_users_by_email = users_by_email
    begin = code_verification.AbstractCodeVerificationProcess.initial_state
    for kind in (
        email_verification_by_code.EmailVerificationProcess,
        password_reset_by_code.PasswordResetVerificationProcess,
    ):
        kind.initial_state = staticmethod(lambda *args, **given: Begun(begin(*args, **given)))
        kind.user = property(_user_of)
    deserialize = Login.deserialize.__func__
    Login.deserialize = classmethod(_asking_for_somebody(deserialize))
    for process in (
        login_by_code.LoginCodeVerificationProcess,
        email_verification_by_code.EmailVerificationProcess,
    ):
        process.send = _to_everybody(process.send)


def users_by_email(
    email: str, *, is_active: bool | None = None, prefer_verified: bool = False, for_login: bool = False
) -> list[User]:
    """Whoever has this address, those who have confirmed it before others: one statement, also for nobody."""
    confirmed = EmailAddress.objects.filter(email=email.lower())
    mine = User.objects.filter(email=email.lower()).values("pk").order_by()
    people = User.objects.filter(pk__in=confirmed.values("user_id").union(mine))
    if is_active is not None:
        people = people.filter(Q(is_active=is_active))
    found = list(people)
    if prefer_verified and len(found) > 1:
        first = set(confirmed.filter(verified=True).values_list("user_id", flat=True))
        found = [each for each in found if each.pk in first] or found
    return found


class Begun(dict[str, Any]):
    """What is known about a code in the request that made it. The next request reads a plain dictionary."""


def _user_of(process: Any) -> User | None:
    """Whom a code was sent to, asked once by each later request; the same question is asked when there is nobody."""
    if process._user is None and not isinstance(process.state, Begun) and not getattr(process, "_asked", False):
        process._asked = True
        process._user = User.objects.filter(pk=int(process.state.get("user_id") or NOBODY)).first()
    found: User | None = process._user
    return found


def _asking_for_somebody(deserialize: Callable[..., Login]) -> Callable[..., Login]:
    def asking(cls: type[Login], data: dict[str, Any]) -> Login:
        if data.get("user_pk") is None:
            User.objects.filter(pk=NOBODY).first()
        return deserialize(cls, data)

    return asking


def _to_everybody(send: Callable[..., None]) -> Callable[..., None]:
    """A code that is asked for again is a mail again, also where it says that there is no account."""

    def to_everybody(process: Any, skip_enumeration_mails: bool = False) -> None:
        send(process, skip_enumeration_mails=False)

    return to_everybody


def make_account(save: Callable[[], User], *, really: bool) -> User:
    """The work of making an account; unless `really`, nothing of it stays. Inside a transaction of the caller."""
    with transaction.atomic():
        user = save()
        if not really:
            transaction.set_rollback(True)
    return user


def follow_up() -> None:
    """What is asked about a new account on the way to its first page, asked about nobody."""
    for _ in range(3):
        EmailAddress.objects.filter(user_id=NOBODY).first()
    User.objects.filter(pk=NOBODY).first()
