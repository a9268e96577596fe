"""Asking all of an investor's brokers what they hold; a broker that cannot be asked keeps its last report.

ODIN has no call for holdings (providers.md section 2). Where we place shares ourselves the account is asked while the
investor is logged in there; smallcase tells what it saw when the investor last let it look, and of which day that was.
"""

from __future__ import annotations

from datetime import datetime, time

import structlog

from brokers import queries, registry
from brokers.models import Broker, BrokerAccount
from brokers.operations import accounts, demat
from brokers.smallcase.client import client as smallcase
from investors.models import Investor
from orders.operations.stock_reports import Held
from portal.clock import IST
from portal.gateway import errors

log = structlog.get_logger(__name__)


def refresh(*, investor_id: int, at: datetime) -> None:
    """Each account that can be asked is, and its report is taken in whole; trouble with one stops no other."""
    for account in queries.accounts_of(Investor.objects.get(pk=investor_id)).select_related("investor"):
        try:
            _refresh(account, at)
        except errors.GatewayError as error:
            log.warning("holdings_not_refreshed", account=account.code, error=str(error))


def _refresh(account: BrokerAccount, at: datetime) -> None:
    if account.broker == Broker.SMALLCASE:
        _from_smallcase(account, at)
    elif registry.native(account.broker) and account.session_at(at):
        demat.refresh(account=account, at=at)


def _from_smallcase(account: BrokerAccount, at: datetime) -> None:
    found = smallcase().fetch_holdings(account.account_ref)
    held = [
        Held(each.isin, each.ticker, each.quantity, average_price=each.average_price or None)
        for each in found.securities
        if each.quantity
    ]
    accounts.holds(account=account, held=held, at=_seen_at(found.snapshot_date, at))


def _seen_at(day: datetime | None, at: datetime) -> datetime:
    """smallcase names the day on which it looked, at most: that is its end, and never later than now."""
    if day is None:
        return at
    on = (day.astimezone(IST) if day.tzinfo else day).date()
    return min(datetime.combine(on, time(23, 59), tzinfo=IST), at)
