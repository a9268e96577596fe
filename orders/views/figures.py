"""Figures of holdings as people read them: each is formatted here once, so that long tables need no filters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from orders import calendar, redemption_rules, returns
from orders.lots import OpenLot
from orders.queries.portfolio import Lot, OpenOrder, Position
from portal import money

NOTHING = "–"
# A hero figure is exact up to here; beyond it would not fit a phone and becomes compact with the exact one beside it.
EXACT_UP_TO = Decimal(1_00_00_00_000)
# Two NAVs further apart than this (a run of holidays is shorter) are no change of a day.
LONGEST_PAUSE = timedelta(days=7)


class Signed(NamedTuple):
    """A gain or loss: the class that colours it (with an arrow) and its text with a sign."""

    kind: str
    text: str


# The class that colours a figure, by how it reads.
KINDS = {1: "gain", 0: "flat", -1: "loss"}


def kind_of(amount: Decimal | None) -> str:
    """`gain`, `loss` or `flat`, as it reads after rounding."""
    if amount is None or not (rounded := money.to_paise(amount)):
        return "flat"
    return "gain" if rounded > 0 else "loss"


def signed_rupees(amount: Decimal | None) -> Signed:
    """`+₹120.00`."""
    if amount is None:
        return Signed("flat", NOTHING)
    text = money.rupees(amount)
    sign = money.sign_of(text)
    return Signed(KINDS[sign], f"+{text}" if sign > 0 else text)


def signed_short(amount: Decimal | None) -> Signed:
    """`+₹1.2 L`, for tiles."""
    if amount is None:
        return Signed("flat", NOTHING)
    plus = "+" if kind_of(amount) == "gain" else ""
    return Signed(kind_of(amount), f"{plus}{money.rupees_short(amount)}")


def signed_percent(value: Decimal | None) -> Signed:
    """`+12.40%`; a figure that says nothing because it is beyond reading is capped in words."""
    if value is None:
        return Signed("flat", NOTHING)
    if value > returns.READABLE_PERCENT:
        return Signed("gain", f"over +{money.number(returns.READABLE_PERCENT, 0)}%")
    text = money.number(value, 2)
    sign = money.sign_of(text)
    return Signed(KINDS[sign], f"+{text}%" if sign > 0 else f"{text}%")


def change_of_day(
    nav: Decimal | None, on: date | None, before: Decimal | None, before_on: date | None
) -> Decimal | None:
    """Percent from one NAV to the next; None when they lie too far apart to be called a change of the day."""
    if nav is None or on is None or before_on is None or not before or on - before_on > LONGEST_PAUSE:
        return None
    return (nav / before - 1) * 100


def hero_rupees(amount: Decimal) -> str:
    """The exact figure, or the compact one where the exact one is too long for a phone."""
    return money.rupees(amount) if abs(amount) < EXACT_UP_TO else money.rupees_short(amount)


def days_between(span: tuple[date, date] | None) -> str:
    """`20 Nov 2026`, or `18 Nov 2026 to 20 Nov 2026` when not all are of one day."""
    if span is None:
        return NOTHING
    first, last = span
    return calendar.short(last) if first == last else f"{calendar.short(first)} to {calendar.short(last)}"


def length(days: int) -> str:
    """`1 day`, `45 days`, `2 years 3 months`: how long something has been held."""
    if days < 365:
        return "1 day" if days == 1 else f"{days} days"
    years, months = divmod(days * 12 // 365, 12)
    parts = [(years, "year"), (months, "month")]
    return " ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count)


NO_RATE = {
    returns.NoRate.NOTHING: "There is nothing to work it out from yet.",
    returns.NoRate.SAME_DAY: "It needs at least one day between what went in and the NAV that values it.",
    returns.NoRate.ONE_SIDED: "It needs both money that went in and a value today.",
    returns.NoRate.UNSOLVED: "These cash flows have no single yearly rate.",
}


def rate(found: returns.Rate) -> dict[str, str]:
    """An XIRR with its caveat, or why there is none."""
    if found.percent is None:
        why = NO_RATE[found.why_not or returns.NoRate.NOTHING]
        return {"kind": "flat", "text": "Not yet", "note": why}
    shown = signed_percent(found.percent)
    note = f"a year, over {length(found.days)}"
    if found.is_young:
        note = f"a year, from only {length(found.days)}: it can swing widely until a year has passed"
    return {"kind": shown.kind, "text": shown.text, "note": note}


# --- Rows ---------------------------------------------------------------------------------------------------------


def position(each: Position) -> dict[str, Any]:
    """The figures of one holding, for its own page."""
    return {
        "about": f"{each.category or each.asset_class} · {folios(each.folios)}",
        "units": money.number(each.units, 3),
        "nav": f"₹{money.number(each.nav, 4)}" if each.nav is not None else "",
        "nav_on": calendar.short(each.nav_on) if each.nav_on else "",
        "invested": money.rupees(each.invested),
        "is_stale": each.is_stale,
        "is_provisional": each.is_provisional,
    }


def folios(numbers: Iterable[str]) -> str:
    """`Folio 12345/67`, or `2 folios`."""
    known = list(numbers)
    return f"Folio {known[0]}" if len(known) == 1 else f"{len(known)} folios"


WHAT = {"PURCHASE": "Bought", "REDEMPTION": "Sold", "SWITCH_IN": "Switched in", "SWITCH_OUT": "Switched out"}


def lot_row(
    lot: Lot, left: OpenLot | None, *, nav: Decimal | None, today: date, lock_in_years: int | None
) -> dict[str, Any]:
    """A row of a holding's history. Only what is `left` of a purchase has a value."""
    value = money.to_paise(left.units * nav) if left and nav is not None else None
    gain = None if value is None or left is None else value - left.cost
    shown = signed_rupees(gain)
    percent = None if gain is None or left is None else returns.percent_of(gain, left.cost)
    return {
        "on": calendar.short(lot.on),
        "what": WHAT.get(lot.kind) or ("Put back" if lot.units > 0 else "Taken back"),
        "left": f"{money.number(left.units, 3)} units left" if left and left.units != lot.units else "",
        "folio": lot.folio,
        "order_code": lot.order_code,
        "amount": money.rupees(lot.amount),
        "nav": f"₹{money.number(lot.nav, 4)}",
        "units": money.number(lot.units, 3),
        "value": NOTHING if value is None else money.rupees(value),
        "gain_kind": shown.kind,
        "gain": shown.text,
        "gain_percent": "" if percent is None else signed_percent(percent).text,
        "held": length((today - lot.on).days) if left and today > lot.on else "",
        "free_on": _free_on(lot.on, lock_in_years, today) if left else "",
        "is_provisional": lot.is_provisional and not lot.reversed_on and lot.kind != "REVERSAL",
        "reversed_on": calendar.short(lot.reversed_on) if lot.reversed_on else "",
    }


def _free_on(bought_on: date, years: int | None, today: date) -> str:
    """The day from which locked units may be sold; empty when they may already."""
    free = redemption_rules.free_on(bought_on, years)
    return calendar.short(free) if free > today else ""


def order_row(order: OpenOrder, address: str) -> dict[str, Any]:
    """A row of an open order."""
    return {
        "url": address,
        "code": order.code,
        "name": order.name,
        "amount": money.rupees(order.amount),
        "nav_on": calendar.short(order.predicted_nav_on),
    }
