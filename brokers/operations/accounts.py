"""Linking a broker account to an investor, and letting it go. No password, PIN or TOTP is ever asked for or kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from brokers.models import BrokerAccount
from investors.models import Investor
from orders.operations import stock_reports
from portal import audit, cases
from portal.scope import ALL, scope

SHARED_CASE = "broker_account_of_another"


def link(
    *,
    investor: Investor,
    broker: str,
    account_ref: str,
    at: datetime,
    house: str = "",
    label: str = "",
    session: str | None = None,
    session_expires_at: datetime | None = None,
) -> BrokerAccount | None:
    """The investor's account at a broker, with its session for the day; None when it is linked to somebody else.

    An account that is another investor's is a case for a person, never a second link.
    """
    with scope(ALL), transaction.atomic():
        known = BrokerAccount.objects.select_for_update().filter(
            broker=broker, account_ref=account_ref, unlinked_at__isnull=True
        )
        account = known.first()
        if account is not None and account.investor_id != investor.pk:
            _open_case(investor, account, at)
            return None
        if account is None:
            account = BrokerAccount(investor=investor, broker=broker, account_ref=account_ref, linked_at=at)
        made = account.pk is None
        account.house, account.label = house or account.house, label or account.label
        if session:
            account.session, account.session_expires_at = session, session_expires_at
        account.save()
        if made or session:
            audit.record(account, "broker.linked" if made else "broker.session", actor=investor.user, at=at)
    return account


def _open_case(investor: Investor, account: BrokerAccount, at: datetime) -> None:
    cases.open_case(
        kind=SHARED_CASE,
        subject=investor,
        title="A broker account that is linked to another investor",
        detail=f"{account.code} belongs to another investor here; it was not linked a second time.",
        at=at,
    )


def unlink(*, account: BrokerAccount, at: datetime) -> None:
    """The account is no longer used: its session and what it held last are forgotten.

    Orders that were sent through it stay followed.
    """
    with transaction.atomic():
        locked = BrokerAccount.objects.select_for_update().get(pk=account.pk)
        if locked.unlinked_at is None:
            stock_reports.forget(investor=locked.investor, broker=locked.broker, account_ref=locked.account_ref)
            locked.unlinked_at, locked.session, locked.session_expires_at = at, None, None
            locked.save(update_fields=["unlinked_at", "session", "session_expires_at"])
            audit.record(locked, "broker.unlinked", actor=locked.investor.user, at=at)


def holds(*, account: BrokerAccount, held: Iterable[stock_reports.Held], at: datetime) -> None:
    """The account holds exactly these, as its broker said at `at`; of one that was unlinked nothing is kept."""
    with transaction.atomic():
        locked = BrokerAccount.objects.select_for_update(of=("self",)).select_related("investor").get(pk=account.pk)
        if locked.unlinked_at is None:
            investor, broker, ref = locked.investor, locked.broker, locked.account_ref
            stock_reports.take(investor=investor, broker=broker, account_ref=ref, held=held, at=at)


def end_session(*, account: BrokerAccount, at: datetime) -> bool:
    """The session is over and forgotten: the investor logs in again at the next order. False when there was none.

    A session that a login has brought since `account` was read is another one, and stays.
    """
    with transaction.atomic():
        now = BrokerAccount.objects.select_for_update().get(pk=account.pk)
        ended = now.session is not None and now.session == account.session
        if ended:
            BrokerAccount.objects.filter(pk=account.pk).update(session=None, session_expires_at=None)
            audit.record(account, "broker.session_ended", actor=None, at=at)
    return ended
