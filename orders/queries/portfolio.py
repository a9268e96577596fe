"""What an investor holds, what it is worth by which NAV, and what is still on its way.

One statement reads everything, whatever the number of holdings: PostgreSQL writes it as one JSON text. The text is at
the same time the version of the page: while it does not change, nothing that the page shows has changed.

A holding whose scheme has no NAV yet has no value, and is left out of every total; pages say so. An order is never
counted as value: its money is "in flight" until units are allotted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q

from orders import lifecycle, returns
from orders.models import MfOrder, Scheme, Transaction
from orders.queries import schemes as scheme_queries
from orders.redemption_rules import Asked
from portal import money

_ASSET_CLASS = dict(Scheme.AssetClass.choices)


@dataclass(frozen=True, slots=True)
class Position:
    """What an investor holds of one scheme, in all folios together. Rupees, units and NAV are exact."""

    isin: str
    name: str
    fund_house: str
    category: str
    asset_class: str
    folios: tuple[str, ...]
    units: Decimal
    # What the units still held have cost.
    invested: Decimal
    first_bought_on: date
    last_traded_on: date
    nav: Decimal | None
    nav_on: date | None
    previous_nav: Decimal | None
    previous_nav_on: date | None
    # None while the NAV is not known.
    value: Decimal | None
    gain: Decimal | None
    day_change: Decimal | None
    # The NAV is older than the newest one that must be out; its day change is not today's news.
    is_stale: bool
    # At least one purchase is not yet confirmed by the registrar.
    is_provisional: bool

    @property
    def gain_percent(self) -> Decimal | None:
        """Gain in percent of what it has cost, whatever time it took."""
        return None if self.gain is None else returns.percent_of(self.gain, self.invested)

    @property
    def value_before(self) -> Decimal | None:
        """The value at the NAV before the latest."""
        return None if self.value is None or self.day_change is None else self.value - self.day_change

    @property
    def day_change_percent(self) -> Decimal | None:
        """Day change in percent of the value before it."""
        before = self.value_before
        return None if before is None or self.day_change is None else returns.percent_of(self.day_change, before)


# Rupees that went in (positive) or came out (negative) on a day, over all schemes that have a NAV.
Flow = tuple[date, Decimal]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that has not ended: what it waits for."""

    code: str
    isin: str
    name: str
    kind: str
    asked: Asked
    state: str
    placed_at: datetime
    predicted_nav_on: date
    # Sent, and nobody has told us what became of it (the order, or the start of its payment).
    is_unknown: bool
    # The money has left the bank: in flight, neither in the account nor in units.
    is_paid: bool
    # The investor was sent to the bank's page of the live payment: it may already be paid.
    was_at_bank: bool
    # The bank is asked by mandate: there is nothing to pay.
    by_mandate: bool

    @property
    def amount(self) -> Decimal:
        """Rupees of a purchase; nothing where units were asked for."""
        return self.asked.amount or money.ZERO

    @property
    def needs_payment(self) -> bool:
        """The investor has to pay."""
        waits = self.state == lifecycle.AWAITING_PAYMENT and not self.is_paid
        return waits and not self.is_unknown and not self.by_mandate


@dataclass(frozen=True)
class Totals:
    """Sums over the positions whose value is known. `day_*` covers those whose NAV is fresh."""

    value: Decimal
    invested: Decimal
    gain: Decimal
    gain_percent: Decimal | None
    # None when no fresh NAV has one before it.
    day_change: Decimal | None
    day_change_percent: Decimal | None
    rate: returns.Rate
    # The oldest and the newest NAV date behind `value`, and behind `day_change`.
    nav_days: tuple[date, date] | None
    day_from: tuple[date, date] | None
    day_to: tuple[date, date] | None


@dataclass(frozen=True)
class Portfolio:
    """Everything the portfolio page shows."""

    positions: list[Position]
    totals: Totals
    open_orders: list[OpenOrder]

    @property
    def unvalued(self) -> list[Position]:
        """Positions without a NAV: in no total."""
        return [position for position in self.positions if position.value is None]

    @property
    def in_flight(self) -> list[OpenOrder]:
        """Orders whose money is on its way."""
        return [order for order in self.open_orders if order.is_paid]


# --- The one read -------------------------------------------------------------------------------------------------

_READ = """
    WITH facts AS MATERIALIZED (
        SELECT folio_id, scheme_id, traded_on, amount, is_provisional
          FROM orders_transaction WHERE investor_id = %(investor)s)
    SELECT json_build_object(
        'held', (SELECT json_agg(row_to_json(r) ORDER BY r.name, r.isin) FROM (
            SELECT s.isin, s.name, a.name AS fund_house, s.category, s.asset_class, s.nav, s.nav_on, s.previous_nav,
                   s.previous_nav_on, sum(h.units) AS units, sum(h.invested) AS invested,
                   json_agg(f.number ORDER BY h.id) AS folios, min(h.first_bought_on) AS first_bought_on,
                   max(t.last_on) AS last_traded_on, bool_or(t.unconfirmed) AS is_provisional
              FROM orders_holding h
              JOIN orders_folio f ON f.id = h.folio_id
              JOIN orders_scheme s ON s.id = h.scheme_id
              JOIN orders_fundhouse a ON a.id = s.fund_house_id
              JOIN (SELECT folio_id, scheme_id, max(traded_on) AS last_on, bool_or(is_provisional) AS unconfirmed
                      FROM facts GROUP BY folio_id, scheme_id) t
                ON t.folio_id = h.folio_id AND t.scheme_id = h.scheme_id
             WHERE h.investor_id = %(investor)s AND {held}
             GROUP BY s.id, a.id) r),
        'flows', (SELECT json_agg(json_build_array(r.traded_on, r.rupees) ORDER BY r.traded_on) FROM (
            SELECT t.traded_on, sum(t.amount) AS rupees
              FROM facts t JOIN orders_scheme s ON s.id = t.scheme_id
             WHERE s.nav IS NOT NULL AND {scheme}
             GROUP BY t.traded_on) r),
        'orders', (SELECT json_agg(row_to_json(r)) FROM (
            SELECT o.code, s.isin, s.name, o.kind, o.amount, o.units, o.is_all, o.state, o.attempt, o.gateway,
                   o.payment_method, o.placed_at, o.predicted_nav_on, y.attempt AS paying, y.debited_at,
                   y.handed_over_at
              FROM orders_mforder o JOIN orders_scheme s ON s.id = o.scheme_id
              LEFT JOIN payments_paymentline l ON l.order_id = o.id AND l.is_live
              LEFT JOIN payments_payment y ON y.id = l.payment_id
             WHERE o.investor_id = %(investor)s AND o.state = ANY(%(open)s) AND {scheme}
             ORDER BY o.id DESC) r)
    )::text
"""
# Two statements, and not one that asks whether a scheme was named: PostgreSQL could keep no plan for that one, and
# planning takes three times as long as answering.
_ALL = _READ.format(held="h.units > 0", scheme="true")
_ONE = _READ.format(held="s.isin = %(isin)s", scheme="s.isin = %(isin)s")


def read(*, investor_id: int, isin: str | None = None) -> str:
    """Everything as one text, for `portfolio_from`; all schemes with units, or the one of `isin` even without."""
    with connection.cursor() as cursor:
        values = {"investor": investor_id, "isin": isin, "open": list(lifecycle.OPEN)}
        cursor.execute(_ALL if isin is None else _ONE, values)
        text: str = cursor.fetchone()[0]
    return text


def portfolio_of(*, investor_id: int, at: datetime, isin: str | None = None) -> Portfolio:
    """The portfolio at a moment, or the part of it that is one scheme."""
    return portfolio_from(read(investor_id=investor_id, isin=isin), at=at)


def portfolio_from(text: str, *, at: datetime) -> Portfolio:
    """What a text of `read` says at a moment."""
    found = json.loads(text, parse_float=Decimal)
    due = returns.newest_nav_due(at, scheme_queries.holidays())
    positions = [_position(each, due) for each in found["held"] or ()]
    flows = [(date.fromisoformat(on), rupees) for on, rupees in found["flows"] or ()]
    return Portfolio(positions, totals(positions, flows), [_open_order(each) for each in found["orders"] or ()])


def _position(row: dict[str, Any], due: date) -> Position:
    nav, previous, units = row["nav"], row["previous_nav"], row["units"]
    nav_on = _day(row["nav_on"])
    value = None if nav is None else money.to_paise(units * nav)
    before = None if previous is None else money.to_paise(units * previous)
    return Position(
        isin=row["isin"],
        name=row["name"],
        fund_house=row["fund_house"],
        category=row["category"],
        asset_class=_ASSET_CLASS[row["asset_class"]],
        folios=tuple(row["folios"]),
        units=units,
        invested=row["invested"],
        first_bought_on=date.fromisoformat(row["first_bought_on"]),
        last_traded_on=date.fromisoformat(row["last_traded_on"]),
        nav=nav,
        nav_on=nav_on,
        previous_nav=previous,
        previous_nav_on=_day(row["previous_nav_on"]),
        value=value,
        gain=None if value is None else value - row["invested"],
        day_change=None if value is None or before is None else value - before,
        is_stale=nav_on is not None and nav_on < due,
        is_provisional=row["is_provisional"],
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _open_order(row: dict[str, Any]) -> OpenOrder:
    unknown = MfOrder.Outcome.UNKNOWN
    return OpenOrder(
        code=row["code"],
        isin=row["isin"],
        name=row["name"],
        kind=row["kind"],
        asked=Asked(row["amount"], row["units"], row["is_all"]),
        state=row["state"],
        placed_at=datetime.fromisoformat(row["placed_at"]),
        predicted_nav_on=date.fromisoformat(row["predicted_nav_on"]),
        is_unknown=unknown in (row["attempt"], row["paying"]),
        is_paid=row["kind"] == MfOrder.Kind.PURCHASE
        and (row["debited_at"] is not None or money_has_left(row["gateway"], row["state"])),
        was_at_bank=row["handed_over_at"] is not None,
        by_mandate=row["payment_method"] == MfOrder.PaymentMethod.NACH,
    )


def money_has_left(gateway: str, state: str) -> bool:
    """Whether an order in `state` has been paid. BSE places an order before its payment, so the table is asked."""
    way = lifecycle.PURCHASE[gateway].path(lifecycle.CREATED, state)
    return lifecycle.PAID in way


# --- Sums ---------------------------------------------------------------------------------------------------------


def totals(positions: list[Position], flows: Iterable[Flow]) -> Totals:
    """Add up the positions whose value is known, and solve the XIRR of their flows."""
    valued = [position for position in positions if position.value is not None]
    fresh = [each for each in valued if each.day_change is not None and not each.is_stale]
    value, invested = _sum(each.value for each in valued), _sum(each.invested for each in valued)
    change = _sum(each.day_change for each in fresh) if fresh else None
    before = _sum(each.value_before for each in fresh)
    return Totals(
        value=value,
        invested=invested,
        gain=value - invested,
        gain_percent=returns.percent_of(value - invested, invested),
        day_change=change,
        day_change_percent=None if change is None else returns.percent_of(change, before),
        rate=rate_of(valued, flows),
        nav_days=_span(each.nav_on for each in valued),
        day_from=_span(each.previous_nav_on for each in fresh),
        day_to=_span(each.nav_on for each in fresh),
    )


def rate_of(valued: Iterable[Position], flows: Iterable[Flow]) -> returns.Rate:
    """XIRR of every rupee that went in or came out; each value counts on the date of its own NAV.

    Schemes that are no longer held count too. Schemes without a NAV do not: the other side of their flows is missing.
    A purchase may be newer than the NAV that values it (the NAV of its day comes in the evening); then the value counts
    on the day of the purchase.
    """
    rupees = [(on, -amount) for on, amount in flows]
    rupees += [(max(each.nav_on, each.last_traded_on), each.value) for each in valued if each.nav_on and each.value]
    return returns.xirr(rupees)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), money.ZERO)


def _span(days: Iterable[date | None]) -> tuple[date, date] | None:
    known = [day for day in days if day is not None]
    return (min(known), max(known)) if known else None


# --- One holding -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lot:
    """One entry of a holding's history."""

    pk: int
    on: date
    kind: str
    units: Decimal
    amount: Decimal
    nav: Decimal
    folio: str
    order_code: str | None
    is_provisional: bool
    # A purchase that was taken back: it holds nothing any more.
    reversed_on: date | None


def lots(*, investor_id: int, isin: str, before: tuple[date, int] | None, limit: int) -> list[Lot]:
    """Up to `limit` entries of a holding's history, newest first, older than the cursor (day, id). One statement."""
    facts = Transaction.objects.filter(investor_id=investor_id, scheme__isin=isin)
    if before:
        day, pk = before
        facts = facts.filter(Q(traded_on__lt=day) | Q(traded_on=day, pk__lt=pk))
    rows = facts.order_by("-traded_on", "-pk").values_list(
        "pk",
        "traded_on",
        "kind",
        "units",
        "amount",
        "nav",
        "folio__number",
        "order__code",
        "is_provisional",
        "reversed_by__traded_on",
    )
    return [Lot(*row) for row in rows[:limit]]
