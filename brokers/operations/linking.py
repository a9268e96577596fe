"""Logging in at a broker and coming back: one-time states, and the session that a good return brings.

    begin     a state is minted for one investor and one broker; the browser takes it along
    asked     the broker asks whether the state is ours (ODIN does, 5paisa does not)
    finish    the state is used up, once, and the account has its session for the day

What a broker sends back is not signed, so it counts only together with the state that this browser was given, within a
quarter of an hour. The password is typed at the broker; nothing of it ever comes here.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from brokers.adapter import LoggedIn
from brokers.models import BrokerAccount, LinkState
from brokers.operations import accounts
from investors.models import Investor
from orders.models import BasketOrder
from portal import audit, cases
from portal.errors import Failure
from portal.scope import ALL, scope

LIFE = timedelta(minutes=15)
CHANGED_CASE = "broker_login_of_another_account"


class LoginOver(Failure):
    """Raised for a return that belongs to no login that is open here: late, repeated, forged, or another browser's."""

    code = "login_over"
    message = "That login is over, or was not begun here. Nothing was changed. Please log in at your broker again."


class AnotherAccount(Failure):
    """Raised when the investor was to log in again and came back as somebody else at the broker."""

    code = "another_account"
    message = (
        "You logged in to another account than the one linked here. Nothing was changed. Log in with the linked "
        "account, or unlink it first."
    )


class LinkedElsewhere(Failure):
    """Raised for an account that is linked to another investor here."""

    code = "linked_elsewhere"
    message = (
        "This broker account is linked to another investor here, so it was not linked to you. If it is yours alone, "
        "please write to us."
    )


def begin(
    *,
    investor: Investor,
    broker: str,
    at: datetime,
    house: str = "",
    account: BrokerAccount | None = None,
    order: BasketOrder | None = None,
) -> str:
    """A fresh state for a login; the caller gives it to the browser's session and to the broker, and keeps it nowhere.

    `account` is the one that is to get a new session, `order` the journey that goes on after the login.
    """
    state = secrets.token_urlsafe(32)
    LinkState.objects.create(
        investor=investor,
        broker=broker,
        house=house or (account.house if account else ""),
        account=account,
        basket_order=order,
        state_hash=_digest(state),
        created_at=at,
        expires_at=at + LIFE,
    )
    return state


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _open(broker: str, state: str, at: datetime) -> LinkState | None:
    found = LinkState.objects.filter(broker=broker, state_hash=_digest(state), used_at__isnull=True, expires_at__gt=at)
    return found.first() if state else None


def asked(*, broker: str, state: str, at: datetime) -> bool:
    """Is this state one of ours that is still open? Notes that the broker asked. It says nothing more to anybody."""
    with scope(ALL), transaction.atomic():
        found = _open(broker, state, at)
        if found is not None and found.asked_at is None:
            LinkState.objects.filter(pk=found.pk).update(asked_at=at)
    return found is not None


def finish(
    *, investor: Investor, broker: str, state: str, said: LoggedIn, at: datetime, must_be_asked: bool = False
) -> LinkState:
    """The investor's account has the session that the login brought; the state is used up, whatever came of it.

    Returns the state with its account and the journey that goes on. Raises LoginOver, AnotherAccount, LinkedElsewhere;
    then no account was changed. `must_be_asked`: only a login of which the broker asked whether it is ours counts.
    """
    used = _use_up(investor, broker, state, at, must_be_asked=must_be_asked)
    known = used.account
    if known is not None and (known.unlinked_at is not None or known.account_ref != said.account_ref):
        _note_change(known, used.investor, at)
        raise AnotherAccount
    account = accounts.link(
        investor=investor,
        broker=broker,
        account_ref=said.account_ref,
        house=said.house or used.house,
        label=said.label,
        session=said.session,
        session_expires_at=said.session_expires_at,
        at=at,
    )
    if account is None:
        raise LinkedElsewhere
    used.account = account
    return used


def _use_up(investor: Investor, broker: str, state: str, at: datetime, *, must_be_asked: bool) -> LinkState:
    with transaction.atomic(durable=True):
        found = _open(broker, state, at)
        if found is None or found.investor_id != investor.pk or (must_be_asked and found.asked_at is None):
            raise LoginOver
        mine = LinkState.objects.filter(pk=found.pk, used_at__isnull=True)
        if not mine.update(used_at=at):
            raise LoginOver
    return LinkState.objects.select_related("account", "basket_order", "investor__user").get(pk=found.pk)


def cancel(*, investor: Investor, broker: str, state: str, at: datetime) -> LinkState | None:
    """The investor came back without a login: the state is used up. Returns it, with the journey that it was for."""
    try:
        return _use_up(investor, broker, state, at, must_be_asked=False)
    except LoginOver:
        return None


def _note_change(known: BrokerAccount, investor: Investor, at: datetime) -> None:
    """Another account came back where the linked one was expected: on record, for whoever looks for a swap."""
    with transaction.atomic():
        audit.record(known, "broker.another_account", actor=investor.user, at=at)
        cases.open_case(
            kind=CHANGED_CASE,
            subject=known,
            title=f"{known.code}: the investor came back as another account",
            detail="A new login was expected for the linked account and another one came back. Nothing was changed.",
            at=at,
        )


def forget_old(*, at: datetime) -> int:
    """Sessions whose day is over are wiped, and states that nobody can use any more go. Returns sessions wiped."""
    over = BrokerAccount.objects.filter(session__isnull=False, session_expires_at__lte=at)
    wiped = sum(accounts.end_session(account=account, at=at) for account in over)
    LinkState.objects.filter(expires_at__lt=at - timedelta(days=7)).delete()
    return wiped
