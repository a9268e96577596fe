"""Business arithmetic of selling units: what is free, what may be asked for, which NAV, and when the money comes.

Pure: values in, values out. Units have three decimals, rupees two.

Which NAV (SEBI, Master Circular for Mutual Funds of 19 May 2023, chapter 8: only the time of the request counts):

    request                      all others                        liquid, overnight
    business day, before 15:00   NAV of that day                   NAV of the day before the next business day
    business day, from 15:00     NAV of the next business day      NAV of the next business day
    any other day                as on the next business day, before 15:00

For overnight funds 15:00 becomes 19:00 where the request is made online, as here (SEBI circular of 22 Apr 2025 on
paragraph 8.4.5.4 of the Master Circular of 27 Jun 2024, in force since 1 Jun 2025).

By when the money comes: business days after the day that counts (`payout_of`). Times and days are dated data
(`rulebook.py`) and handed in; those of this page held when it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_UP, Decimal
from typing import NamedTuple

from orders import calendar, rules
from orders.lots import OpenLot
from orders.rulebook import Book
from portal import money
from portal.clock import IST
from portal.errors import InvalidInput

# --- What is asked for ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Exactly one of: rupees, units, everything that is free."""

    amount: Decimal | None = None
    units: Decimal | None = None
    is_all: bool = False

    @property
    def in_words(self) -> str:
        """`₹5,000.00`, `12.345 units`, `All units`."""
        if self.amount is not None:
            return money.rupees(self.amount)
        return "All units" if self.units is None else f"{money.number(self.units, 3)} units"

    def in_units(self, nav: Decimal | None) -> Decimal | None:
        """How many units that takes at `nav`, rounded up to the thousandth; None for all, or while nobody can say."""
        if self.units is not None or self.amount is None:
            return self.units
        return (self.amount / nav).quantize(money.UNIT, ROUND_UP) if nav else None


# --- What is there ----------------------------------------------------------------------------------------------


class Lock(NamedTuple):
    """Units that cannot be sold before a day."""

    until: date
    units: Decimal


@dataclass(frozen=True)
class Stand:
    """A folio's units of one scheme on a day. `free` can be sold now; the others are locked, or promised already."""

    held: Decimal
    locks: tuple[Lock, ...]
    pending: Decimal

    @property
    def locked(self) -> Decimal:
        """Units under lock-in."""
        return sum((lock.units for lock in self.locks), Decimal(0))

    @property
    def free(self) -> Decimal:
        """Units that can be asked for now."""
        return max(self.held - self.locked - self.pending, Decimal(0))


def free_on(bought_on: date, years: int | None) -> date:
    """The day from which a lot may be sold. A lock that would end on 29 February ends on 1 March."""
    try:
        return bought_on.replace(year=bought_on.year + (years or 0))
    except ValueError:
        return date(bought_on.year + (years or 0), 3, 1)


def stand(
    *, lots: Iterable[OpenLot], pending: Iterable[Asked], nav: Decimal | None, years: int | None, today: date
) -> Stand:
    """Each lot has its own lock-in (ELSS: three years for every instalment, Income-tax Act, section 80C).

    An open sale of everything promises all; one for rupees what they take at `nav`, all of it while there is no NAV.
    """
    lots, pending = list(lots), list(pending)
    held = sum((lot.units for lot in lots), Decimal(0))
    locks: dict[date, Decimal] = {}
    for lot in lots:
        until = free_on(lot.bought_on, years)
        if until > today:
            locks[until] = locks.get(until, Decimal(0)) + lot.units
    promised = [each.in_units(nav) for each in pending]
    taken = sum((held if units is None else units for units in promised), Decimal(0))
    return Stand(held, tuple(Lock(*each) for each in sorted(locks.items())), min(taken, held))


# --- What may be asked for --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bounds:
    """What FP takes for one sale of a scheme. None: no such bound."""

    amount: rules.AmountBounds
    least_units: Decimal | None
    most_units: Decimal | None


def check(*, asked: Asked, bounds: Bounds, there: Stand, nav: Decimal | None) -> None:
    """Raise InvalidInput(field, words) unless so much can be sold now.

    The given document, "Create Sell Order": rupees are whole and at most the redeemable amount, units at most the
    redeemable units, both within the bounds of the scheme.
    """
    if there.free <= 0:
        raise InvalidInput("", _nothing_free(there))
    if asked.amount is not None:
        _check_amount(asked.amount, bounds.amount, there, nav)
    elif asked.units is not None:
        _check_units(asked.units, bounds, there)


def _nothing_free(there: Stand) -> str:
    if there.pending:
        return "All units that are free are in a sale that is on its way. Wait until it has ended."
    if there.locks:
        return f"All units are locked. The first are free on {calendar.short(there.locks[0].until)}."
    return "This folio holds no units of this fund."


def _check_amount(amount: Decimal, bounds: rules.AmountBounds, there: Stand, nav: Decimal | None) -> None:
    if amount <= 0 or amount != amount.to_integral_value():
        raise InvalidInput("amount", "Enter whole rupees, above zero.")
    if not nav:
        raise InvalidInput("amount", "The NAV of this fund is not known, so sell by units or all of it.")
    if bounds.minimum and amount < bounds.minimum:
        raise InvalidInput("amount", f"The least this fund pays out is {rules.rupees(bounds.minimum)}.")
    if bounds.maximum and amount > bounds.maximum:
        raise InvalidInput("amount", f"The most this fund pays out in one order is {rules.rupees(bounds.maximum)}.")
    if bounds.step and amount % bounds.step:
        raise InvalidInput("amount", f"This fund takes multiples of {rules.rupees(bounds.step)}.")
    worth = (there.free * nav).quantize(money.PAISE)
    if amount > worth:
        raise InvalidInput("amount", f"Your free units are worth {money.rupees(worth)} by the latest NAV.")


def _check_units(units: Decimal, bounds: Bounds, there: Stand) -> None:
    if units <= 0 or units != units.quantize(money.UNIT):
        raise InvalidInput("units", "Enter units above zero, with three decimals at most.")
    if units > there.free:
        raise InvalidInput("units", f"{money.number(there.free, 3)} units are free to sell.")
    # What is left of a folio may be sold whole, however little it is.
    if bounds.least_units and units < bounds.least_units and units != there.free:
        raise InvalidInput("units", f"The least you can sell is {money.number(bounds.least_units, 3)} units.")
    if bounds.most_units and units > bounds.most_units:
        raise InvalidInput("units", f"The most you can sell at once is {money.number(bounds.most_units, 3)} units.")


# --- Which NAV, and when the money comes ------------------------------------------------------------------------


class Payout(NamedTuple):
    """The money comes within so many business days, and who says so."""

    days: int
    source: str


def payout_of(*, category: str, asset_class: str, book: Book, on: date) -> Payout:
    """The rule for a sale of a day: by the scheme's category where that has one, else by its asset class, else SEBI's
    limit."""
    rule = book.rule("payout_days", category, asset_class, on=on)
    return Payout(int(rule.value), rule.words)


def cutoff_of(category: str, *, book: Book, on: date) -> time:
    """Before which time of a day a sale of a scheme of this category must be asked for to count that day."""
    return book.time_of("sale_cutoff", category, on=on)


def pay_by(*, counts_on: date, payout: Payout, holidays: frozenset[date]) -> date:
    """The last day on which the money is in time."""
    return calendar.after(counts_on, payout.days, holidays)


@dataclass(frozen=True)
class Prediction:
    """Which NAV a sale asked for now gets, by when it is paid, and why. `rule` fits 300 characters."""

    nav_on: date
    pay_by: date
    rule: str
    # False when the list of holidays does not cover a year that matters.
    is_certain: bool


def predict(*, at: datetime, is_liquid: bool, payout: Payout, holidays: frozenset[date], cutoff: time) -> Prediction:
    """What a sale that FP has at `at` gets; `cutoff` is the scheme's (`cutoff_of`)."""
    local = at.astimezone(IST)
    counts_on = rules.counting_day(moment=at, cutoff=cutoff, holidays=holidays)
    late = calendar.is_business_day(local.date(), holidays) and local.time() >= cutoff
    nav_on = counts_on
    if is_liquid and not late:
        nav_on = calendar.next_business_day(counts_on, holidays) - calendar.ONE_DAY
    by = pay_by(counts_on=counts_on, payout=payout, holidays=holidays)
    is_certain = all(calendar.knows(year, holidays) for year in {local.year, counts_on.year, by.year})
    return Prediction(nav_on, by, _rule(local, cutoff, counts_on, nav_on, by, payout, is_certain), is_certain)


def _rule(at: datetime, cutoff: time, counts_on: date, nav_on: date, by: date, payout: Payout, is_certain: bool) -> str:
    when = f"Asked for before {cutoff:%H:%M} on" if counts_on == at.date() else "Counts on"
    nav = "that day" if nav_on == counts_on else calendar.short(nav_on)
    days = {0: "the same day", 1: "within one business day"}.get(payout.days, f"within {payout.days} business days")
    source = f": {payout.source}" if payout.source else ""
    unsure = "" if is_certain else " The market holidays are not all entered yet, so the dates may move."
    return (
        f"{when} {calendar.in_words(counts_on)}: the NAV of {nav}. The money comes {days}, "
        f"by {calendar.short(by)}{source}.{unsure}"
    )


# --- Instant ----------------------------------------------------------------------------------------------------

# The given document, "Instant Redemption": `redemption_mode` of the answer says how the fund house has done it.
MAYBE_NORMAL = "The fund house may do it as a normal sale instead"


@dataclass(frozen=True)
class InstantTerms:
    """What the fund house says before an instant sale: rupees, and the accounts to which it pays."""

    is_allowed: bool
    least: Decimal | None
    most: Decimal | None
    step: Decimal | None
    remarks: str
    # (account number, IFSC)
    accounts: tuple[tuple[str, str], ...] = ()


def check_instant(*, asked: Asked, terms: InstantTerms) -> None:
    """Raise InvalidInput(field, words) unless the fund house pays so much at once."""
    if not terms.is_allowed:
        raise InvalidInput("mode", "The fund house does not pay out of this folio at once at the moment.")
    if asked.amount is None:
        raise InvalidInput("mode", "An instant sale is for rupees. Enter an amount.")
    if terms.least and asked.amount < terms.least:
        raise InvalidInput("amount", f"The least that is paid at once is {rules.rupees(terms.least)}.")
    if terms.most is not None and asked.amount > terms.most:
        raise InvalidInput("amount", f"The most that is paid at once is {rules.rupees(terms.most)} at the moment.")
    if terms.step and asked.amount % terms.step:
        raise InvalidInput("amount", f"The fund house pays out multiples of {rules.rupees(terms.step)} at once.")


def instantly(*, at: datetime, nav_on: date | None, normal: Prediction) -> Prediction:
    """The prediction of an instant sale: the latest NAV and money at once, or else as `normal`."""
    day = nav_on or normal.nav_on
    rule = (
        f"Paid at once at the latest NAV, usually within minutes. {MAYBE_NORMAL}: then the NAV is that of "
        f"{calendar.short(normal.nav_on)} and the money comes by {calendar.short(normal.pay_by)}."
    )
    return Prediction(day, normal.pay_by, rule, normal.is_certain)
