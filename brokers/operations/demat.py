"""Reading what an account holds at its broker, and what its positions of the day are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from brokers import registry
from brokers.models import BrokerAccount
from brokers.native import Position
from brokers.operations import accounts
from orders.operations import stock_reports
from portal.gateway import errors


@dataclass(frozen=True)
class Read:
    """What was read: what is held, and what was traded today."""

    held: list[stock_reports.Held]
    positions: list[Position]


def refresh(*, account: BrokerAccount, at: datetime) -> Read:
    """What the account holds is as its broker says now.

    Raises the gateway errors of a read; a session that the broker refuses is ended before.
    """
    adapter = registry.NATIVE[account.broker]
    try:
        positions = list(adapter.positions(account))
        held = list(adapter.holdings(account, positions))
    except errors.NotAuthorised:
        accounts.end_session(account=account, at=at)
        raise
    accounts.holds(account=account, held=held, at=at)
    return Read(held, positions)
