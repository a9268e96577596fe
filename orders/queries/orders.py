"""Reads about orders: an investor's list, one order with its timeline. The owner filter of order pages stands here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from django.db import connection

from investors.models import BankAccount
from orders import lifecycle, payment_failures
from orders.models import Folio, FundHouse, MfOrder, Scheme
from orders.redemption_rules import Asked
from portal import clock
from portal.audit import Told
from portal.rows import Columns, first

PAGE_SIZE = 20
# Filters of the order list, by the word in the URL.
FILTERS: dict[str, tuple[str, ...]] = {
    "open": lifecycle.OPEN,
    "done": (lifecycle.ALLOTTED, lifecycle.REDEEMED, lifecycle.REVERSED),
    "not-done": (lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED),
}
FILTER_LABELS = (("", "All"), ("open", "In progress"), ("done", "Done"), ("not-done", "Not done"))


_ORDER = Columns(MfOrder, "o")
_SCHEME = Columns(Scheme, "s", "id", "isin", "name", "plan", "is_active", "fund_house", "category", "asset_class")
_HOUSE = Columns(FundHouse, "h", "id", "name")
_FOLIO = Columns(Folio, "f", "id", "number")
_ACCOUNT = Columns(BankAccount, "b", "id", "bank_name", "last_four")
_ONE = f"""
    SELECT {_ORDER.sql}, {_SCHEME.sql}, {_HOUSE.sql}, {_ACCOUNT.sql}, {_FOLIO.sql}
      FROM orders_mforder o
      JOIN orders_scheme s ON s.id = o.scheme_id
      JOIN orders_fundhouse h ON h.id = s.fund_house_id
      JOIN investors_bankaccount b ON b.id = o.bank_account_id
      LEFT JOIN orders_folio f ON f.id = o.folio_id
     WHERE o.investor_id = %s AND o.code = %s
"""  # noqa: S608 - our own column names


def one(investor_id: int, code: str) -> MfOrder | None:
    """An investor's order with what its page shows of scheme, fund house, bank account and folio."""
    row = first(_ONE, [investor_id, code])
    if row is None:
        return None
    order = _ORDER.take(row)
    order.scheme = _SCHEME.take(row)
    order.scheme.fund_house = _HOUSE.take(row)
    order.bank_account = _ACCOUNT.take(row)
    order.folio = _FOLIO.take(row) if order.folio_id else None
    return order


class Line(NamedTuple):
    """One order as a list needs it."""

    pk: int
    code: str
    scheme: str
    kind: str
    amount: Decimal | None
    units: Decimal | None
    is_all: bool
    placed_at: datetime
    state: str
    is_unknown: bool
    by_mandate: bool
    is_instalment: bool

    @property
    def asked(self) -> Asked:
        """What was asked for: rupees, units, or everything."""
        return Asked(self.amount, self.units, self.is_all)


@dataclass(frozen=True)
class Page:
    """Some orders, and the id below which the next page begins."""

    lines: list[Line]
    next_cursor: int | None


_PAGE = """
    SELECT o.id, o.code, s.name, o.kind, o.amount, o.units, o.is_all, o.placed_at, o.state, o.attempt = %(unknown)s,
           o.payment_method = 'NACH', o.plan_id IS NOT NULL
      FROM orders_mforder o JOIN orders_scheme s ON s.id = o.scheme_id
     WHERE o.investor_id = %(investor)s
       AND (%(states)s::text[] IS NULL OR o.state = ANY(%(states)s))
       AND (%(before)s::bigint IS NULL OR o.id < %(before)s)
     ORDER BY o.id DESC LIMIT %(limit)s
"""


def page(investor_id: int, *, only: str = "", before: int | None = None, size: int = PAGE_SIZE) -> Page:
    """A page of an investor's orders, newest first, in one statement and without a count."""
    states = list(FILTERS[only]) if only in FILTERS else None
    values = {"investor": investor_id, "states": states, "before": before, "limit": size + 1}
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, values | {"unknown": MfOrder.Outcome.UNKNOWN})
        found = [Line._make(row) for row in cursor.fetchall()]
    shown = found[:size]
    return Page(shown, shown[-1].pk if len(found) > size else None)


def moment(at: datetime) -> str:
    """`20 Nov 2026, 14:05 IST`."""
    return f"{at.astimezone(clock.IST):%-d %b %Y, %H:%M} IST"


def was_paid(recorded: list[Told]) -> bool:
    """Has the bank ever confirmed that money left it for this order?"""
    return any(entry.action == "order.paid" for entry in recorded)


class Paying(StrEnum):
    """How far paying has come for an order that waits for money, as its timeline tells."""

    PREPARING = "preparing"
    OPEN = "open"
    OUT = "out"
    BANK = "bank"
    FAILED = "failed"


# What the newest payment entry of an order means for the investor; without any, the page is being prepared.
_PAYING = {
    "payment.opened": Paying.OPEN,
    "payment.handed_over": Paying.OUT,
    "payment.debit_arranged": Paying.BANK,
    # FP debits the instalment of a SIP by itself.
    "order.instalment": Paying.BANK,
    "payment.failed": Paying.FAILED,
    "payment.expired": Paying.FAILED,
}


def paying(recorded: list[Told]) -> Paying:
    """Where the newest payment stands: being prepared, open to be paid, in the investor's hands, or failed."""
    # Other things stand under the same name, such as that the investor was written to: they say nothing about paying.
    steps = [entry.action for entry in recorded if entry.action in _PAYING or entry.action == "payment.started"]
    return _PAYING.get(steps[-1], Paying.PREPARING) if steps else Paying.PREPARING


@dataclass(frozen=True)
class PaymentFailure:
    """Why the newest ended payment failed, and by when its money is back if it can have left the bank."""

    why: payment_failures.Failure
    refund: payment_failures.Clock | None
    method: str


def last_payment_failure(recorded: list[Told], *, today: date, holidays: frozenset[date]) -> PaymentFailure | None:
    """From the catalogue; None when no payment has ended without money."""
    ended = [entry for entry in recorded if entry.action in ("payment.failed", "payment.expired")]
    if not ended:
        return None
    told = {key: str(value) for key, value in ended[-1].data.items()}
    why = payment_failures.of(told.get("code", ""), told.get("text", ""), was_out=bool(told.get("was_out")))
    method, failed_on = told.get("method", ""), ended[-1].at.astimezone(clock.IST).date()
    if why.money == payment_failures.Money.STAYED:
        return PaymentFailure(why, None, method)
    refund = payment_failures.clock(method=method, failed_on=failed_on, today=today, holidays=holidays)
    return PaymentFailure(why, refund, method)
