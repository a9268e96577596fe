"""Asking an investor's brokers what they hold, account by account; a broker that cannot be asked keeps its last report.

ODIN has no call for holdings (providers.md section 2). 5paisa is asked while the investor is logged in there; smallcase
tells what it saw when the investor last let it look, and of which day that was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import NamedTuple

import structlog

from brokers import queries
from brokers.fivepaisa.auth import Session
from brokers.fivepaisa.client import client as fivepaisa
from brokers.models import Broker, BrokerAccount
from brokers.operations import accounts
from brokers.smallcase.client import client as smallcase
from investors.models import Investor
from orders.operations import stock_holdings
from orders.operations.stock_holdings import Reported
from portal.clock import IST
from portal.gateway import errors

log = structlog.get_logger(__name__)


class Report(NamedTuple):
    """What an account holds, and of when that is."""

    lines: list[Reported]
    reported_at: datetime


def _of_smallcase(account: BrokerAccount, at: datetime) -> Report | None:
    found = smallcase().fetch_holdings(account.account_ref)
    lines = [Reported(each.isin, each.ticker, each.quantity, each.average_price) for each in found.securities]
    return Report(lines, _seen_at(found.snapshot_date, at))


def _seen_at(day: datetime | None, at: datetime) -> datetime:
    """smallcase names the day on which it looked, at most: that is its end, and never later than now."""
    if day is None:
        return at
    on = (day.astimezone(IST) if day.tzinfo else day).date()
    return min(datetime.combine(on, time(23, 59), tzinfo=IST), at)


def _of_fivepaisa(account: BrokerAccount, at: datetime) -> Report | None:
    session = account.session_at(at)
    if not session:
        return None
    found = fivepaisa().fetch_holdings(Session(account.account_ref, session))
    return Report([Reported(each.isin, each.symbol, each.quantity, each.avg_rate) for each in found], at)


REPORTS: dict[str, Callable[[BrokerAccount, datetime], Report | None]] = {
    Broker.SMALLCASE: _of_smallcase,
    Broker.FIVEPAISA: _of_fivepaisa,
}


def refresh(*, investor_id: int, at: datetime) -> None:
    """Each account that can be asked is, and its report is taken in whole."""
    investor = Investor.objects.get(pk=investor_id)
    for account in queries.accounts_of(investor):
        if account.broker in REPORTS:
            _refresh(investor, account, at)


def _refresh(investor: Investor, account: BrokerAccount, at: datetime) -> None:
    try:
        said = REPORTS[account.broker](account, at)
    except errors.NotAuthorised:
        accounts.end_session(account=account, at=at)
        return
    except errors.GatewayError as error:
        log.warning("holdings_not_refreshed", account=account.code, error=str(error))
        return
    if said is None:
        return
    left_out = stock_holdings.take_in(
        investor=investor,
        broker=account.broker,
        account_ref=account.account_ref,
        lines=said.lines,
        reported_at=said.reported_at,
    )
    if left_out:
        log.warning("holdings_not_listed", account=account.code, count=left_out)
