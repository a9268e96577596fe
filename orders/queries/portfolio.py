"""What an investor holds, what it is worth by which NAV, and what is still on its way.

Three statements, whatever the number of holdings: the holdings beside their schemes, the cash flows by day, the open
orders. A holding whose scheme has no NAV yet has no value, and is left out of every total; pages say so. An order is
never counted as value: its money is "in flight" until units are allotted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import F, FilteredRelation, Q, QuerySet, Sum

from orders import lifecycle, returns
from orders.models import Holding, MfOrder, Scheme, Transaction
from orders.queries import schemes as scheme_queries
from portal import money

_ASSET_CLASS = dict(Scheme.AssetClass.choices)


@dataclass(frozen=True, slots=True)
class Position:
    """What an investor holds of one scheme, in all folios together. Rupees, units and NAV are exact."""

    scheme_id: int
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


@dataclass(frozen=True, slots=True)
class Flow:
    """Rupees that went into (positive) or came out of (negative) a scheme on a day."""

    scheme_id: int
    on: date
    amount: Decimal
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that has not ended: what it waits for."""

    code: str
    isin: str
    name: str
    amount: Decimal
    state: str
    placed_at: datetime
    predicted_nav_on: date
    # Sent, and nobody has told us what became of it (the order, or the start of its payment).
    is_unknown: bool
    # The money has left the bank: in flight, neither in the account nor in units.
    is_paid: bool
    # The investor was sent to the bank's page of the live payment: it may already be paid.
    was_at_bank: bool

    @property
    def needs_payment(self) -> bool:
        """The investor has to pay."""
        return self.state == lifecycle.AWAITING_PAYMENT and not self.is_paid and not self.is_unknown


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


def portfolio_of(*, investor_id: int, at: datetime) -> Portfolio:
    """The whole portfolio at a moment, in three statements."""
    book, flows = held(investor_id=investor_id, at=at)
    return Portfolio(book, totals(book, flows), open_orders(investor_id=investor_id))


# --- Positions and flows ----------------------------------------------------------------------------------------

_COLUMNS = (
    "scheme_id",
    "scheme__isin",
    "scheme__name",
    "scheme__fund_house__name",
    "scheme__category",
    "scheme__asset_class",
    "folio__number",
    "units",
    "invested",
    "first_bought_on",
    "scheme__nav",
    "scheme__nav_on",
    "scheme__previous_nav",
    "scheme__previous_nav_on",
)


def held(*, investor_id: int, at: datetime, isin: str | None = None) -> tuple[list[Position], list[Flow]]:
    """Positions with units (or the one of `isin`, even without), and the cash flows behind them. Two statements."""
    holdings = Holding.objects.filter(investor_id=investor_id)
    facts = Transaction.objects.filter(investor_id=investor_id)
    if isin is None:
        holdings = holdings.filter(units__gt=0)
    else:
        holdings, facts = holdings.filter(scheme__isin=isin), facts.filter(scheme__isin=isin)
    flows = _flows(facts)
    unconfirmed = {flow.scheme_id for flow in flows if flow.is_provisional}
    due = returns.newest_nav_due(at, scheme_queries.holidays())
    rows: dict[int, list[tuple[Any, ...]]] = {}
    for row in holdings.order_by("scheme__name", "id").values_list(*_COLUMNS):
        rows.setdefault(row[0], []).append(row)
    return [_position(parts, due, pk in unconfirmed) for pk, parts in rows.items()], flows


def _flows(facts: QuerySet[Transaction]) -> list[Flow]:
    summed = (
        facts.order_by()
        .values("scheme_id", "traded_on")
        .annotate(rupees=Sum("amount"), unconfirmed=BoolOr("is_provisional"))
    )
    return [Flow(*row) for row in summed.values_list("scheme_id", "traded_on", "rupees", "unconfirmed")]


def _position(parts: list[tuple[Any, ...]], due: date, is_provisional: bool) -> Position:
    """One position from the holdings of one scheme: one row a folio."""
    pk, isin, name, house, category, asset_class, *_ = parts[0]
    nav, nav_on, previous, previous_on = parts[0][10:]
    units = sum((row[7] for row in parts), money.ZERO)
    invested = sum((row[8] for row in parts), money.ZERO)
    value = None if nav is None else money.to_paise(units * nav)
    before = None if previous is None else money.to_paise(units * previous)
    return Position(
        scheme_id=pk,
        isin=isin,
        name=name,
        fund_house=house,
        category=category,
        asset_class=_ASSET_CLASS[asset_class],
        folios=tuple(row[6] for row in parts),
        units=units,
        invested=invested,
        first_bought_on=min(row[9] for row in parts),
        nav=nav,
        nav_on=nav_on,
        previous_nav=previous,
        previous_nav_on=previous_on,
        value=value,
        gain=None if value is None else value - invested,
        day_change=None if value is None or before is None else value - before,
        is_stale=nav_on is not None and nav_on < due,
        is_provisional=is_provisional,
    )


def totals(positions: Iterable[Position], flows: Iterable[Flow]) -> Totals:
    """Add up the positions whose value is known, and solve the XIRR of their flows."""
    positions = list(positions)
    valued = [position for position in positions if position.value is not None]
    fresh = [each for each in valued if each.day_change is not None and not each.is_stale]
    value, invested = _sum(each.value for each in valued), _sum(each.invested for each in valued)
    change = _sum(each.day_change for each in fresh) if fresh else None
    return Totals(
        value=value,
        invested=invested,
        gain=value - invested,
        gain_percent=returns.percent_of(value - invested, invested),
        day_change=change,
        day_change_percent=None
        if change is None
        else returns.percent_of(change, _sum(each.value_before for each in fresh)),
        rate=rate_of(positions, flows),
        nav_days=_span(each.nav_on for each in valued),
        day_from=_span(each.previous_nav_on for each in fresh),
        day_to=_span(each.nav_on for each in fresh),
    )


def rate_of(positions: Iterable[Position], flows: Iterable[Flow]) -> returns.Rate:
    """XIRR of every rupee that went in or came out; each value counts on the date of its own NAV.

    Schemes that are no longer held count too. The flows of a position without a value do not: their other side is
    missing. A purchase may be newer than the NAV that values it (the NAV of its day comes in the evening); then the
    value counts on the day of the purchase.
    """
    positions = list(positions)
    unvalued = {each.scheme_id for each in positions if each.value is None}
    last: dict[int, date] = {}
    rupees: list[tuple[date, Decimal]] = []
    for flow in flows:
        if flow.scheme_id not in unvalued:
            last[flow.scheme_id] = max(last.get(flow.scheme_id, flow.on), flow.on)
            rupees.append((flow.on, -flow.amount))
    for each in positions:
        if each.nav_on and each.value:
            rupees.append((max(each.nav_on, last.get(each.scheme_id, each.nav_on)), each.value))
    return returns.xirr(rupees)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), money.ZERO)


def _span(days: Iterable[date | None]) -> tuple[date, date] | None:
    known = [day for day in days if day is not None]
    return (min(known), max(known)) if known else None


# --- Orders that have not ended -----------------------------------------------------------------------------------


def open_orders(*, investor_id: int, isin: str | None = None) -> list[OpenOrder]:
    """The investor's open orders, the newest first, with what the live payment of each says. One statement."""
    orders = MfOrder.objects.filter(investor_id=investor_id, state__in=lifecycle.OPEN)
    if isin is not None:
        orders = orders.filter(scheme__isin=isin)
    rows = (
        orders.annotate(live=FilteredRelation("payment_lines", condition=Q(payment_lines__is_live=True)))
        .order_by("-id")
        .values(
            "code",
            "amount",
            "state",
            "attempt",
            "gateway",
            "placed_at",
            "predicted_nav_on",
            isin=F("scheme__isin"),
            name=F("scheme__name"),
            debited_at=F("live__payment__debited_at"),
            handed_over_at=F("live__payment__handed_over_at"),
            paying=F("live__payment__attempt"),
        )
    )
    return [_open_order(row) for row in rows]


def _open_order(row: Mapping[str, Any]) -> OpenOrder:
    unknown = MfOrder.Outcome.UNKNOWN
    return OpenOrder(
        code=row["code"],
        isin=row["isin"],
        name=row["name"],
        amount=row["amount"],
        state=row["state"],
        placed_at=row["placed_at"],
        predicted_nav_on=row["predicted_nav_on"],
        is_unknown=unknown in (row["attempt"], row["paying"]),
        is_paid=row["debited_at"] is not None or money_has_left(row["gateway"], row["state"]),
        was_at_bank=row["handed_over_at"] is not None,
    )


def money_has_left(gateway: str, state: str) -> bool:
    """Whether an order in `state` has been paid. BSE places an order before its payment, so the table is asked."""
    way = lifecycle.PURCHASE[gateway].path(lifecycle.CREATED, state)
    return lifecycle.PAID in way


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

    @property
    def is_held(self) -> bool:
        """A purchase whose units are still there."""
        return self.kind == Transaction.Kind.PURCHASE and self.reversed_on is None


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
