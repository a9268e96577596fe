"""Business arithmetic of buying: bounds of an amount, the day whose NAV applies, lock-in. Pure: values in, values out.

Times and days are dated data (`rulebook.py`) and handed in; those of this page held when it was written.

Which NAV applies (SEBI circulars of 17 Sep 2020 and 31 Dec 2020, in force since 1 Feb 2021, for any amount): the day
on which the order is time-stamped *and* the money is available to the scheme, both before the cut-off.

    order     money      the day that counts
    before    before     the same business day
    before    after      the next business day on which the money is in before the cut-off
    after     before     the next business day
    after     after      the later of the two

    cut-off              SEBI       FP (its NAV page; earlier, so that money can arrive)
    liquid, overnight    13:30      13:00      NAV of the calendar day before the day that counts
    all others           15:00      14:30      NAV of the day that counts

How long money takes after a payment in time, by rail (FP's NAV page; both order gateways):

    UPI, net banking through a direct bank     the same business day
    net banking through a nodal account        the next business day
    mandate (NACH)                             debited on the next business day, with the scheme on the second
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from orders import calendar
from orders.rulebook import Book
from portal import money
from portal.clock import IST
from portal.errors import InvalidInput


def why_no_new_business(*, arn_until: date | None, on: date) -> str:
    """Why no purchase and no SIP is begun on that day: a distributor whose ARN has run out brings no new business, and
    what runs and what is held goes on (AMFI, guidelines for intermediaries; screens.md F78). Empty when nothing is in
    the way; `arn_until` is the last good day."""
    if arn_until is None or on <= arn_until:
        return ""
    return (
        f"Our registration with AMFI ended on {calendar.short(arn_until)} and is being renewed, so nothing new can be "
        "bought here today. What you hold stays yours: you can sell, and running SIPs go on."
    )


# How FP writes "no upper limit" in rupees (its document's own examples).
NO_LIMIT = Decimal(99_999_999)

# --- Amounts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AmountBounds:
    """What FP takes for one purchase of a scheme, in rupees. None: FP sets no such bound."""

    minimum: Decimal | None
    maximum: Decimal | None
    step: Decimal | None

    @property
    def in_words(self) -> str:
        """`From ₹500, up to ₹1,99,999, in steps of ₹100`; an empty text when there is no bound at all."""
        parts = [
            f"from {rupees(self.minimum)}" if self.minimum else "",
            f"up to {rupees(self.maximum)}" if self.maximum and self.maximum < NO_LIMIT else "",
            f"in steps of {rupees(self.step)}" if self.step and self.step > 1 else "",
        ]
        text = ", ".join(part for part in parts if part)
        return f"{text[0].upper()}{text[1:]}" if text else ""


def check_amount(*, bounds: AmountBounds, amount: Decimal) -> None:
    """Raise InvalidInput("amount", words) unless FP would take `amount` rupees.

    FP's document, "Create Lumpsum Order": an integer between minimum and maximum and a multiple of the step. The step
    counts from zero, not from the minimum.
    """
    if amount <= 0:
        raise InvalidInput("amount", "Enter an amount above zero.")
    if amount != amount.to_integral_value():
        raise InvalidInput("amount", "Enter whole rupees, without paise.")
    if bounds.minimum and amount < bounds.minimum:
        raise InvalidInput("amount", f"The least you can put into this fund is {rupees(bounds.minimum)}.")
    if bounds.maximum and amount > bounds.maximum:
        raise InvalidInput("amount", f"The most this fund takes in one order is {rupees(bounds.maximum)}.")
    if bounds.step and amount % bounds.step:
        raise InvalidInput("amount", _off_step(amount, bounds.step))


def _off_step(amount: Decimal, step: Decimal) -> str:
    below = amount - amount % step
    near = f"{rupees(below)} or {rupees(below + step)}" if below else rupees(step)
    return f"This fund takes multiples of {rupees(step)}: try {near}."


def rupees(amount: Decimal) -> str:
    """A limit as people write it: `₹5,000`, paise only where there are any."""
    return money.rupees(amount).removesuffix(".00")


# --- The day whose NAV applies --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """Which NAV a purchase gets if it is paid at once, and why. `rule` fits 300 characters."""

    nav_on: date
    allotment_by: date
    rule: str
    # By when the money must be on its way for this prediction to hold.
    pay_before: datetime
    # False when the list of holidays does not cover a year that matters.
    is_certain: bool


def counting_day(*, moment: datetime, cutoff: time, holidays: frozenset[date]) -> date:
    """The business day on which something that happens at `moment` counts: today only before the cut-off."""
    local = moment.astimezone(IST)
    today = local.date()
    if calendar.is_business_day(today, holidays) and local.time() < cutoff:
        return today
    return calendar.next_business_day(today, holidays)


def nav_day(*, ordered_at: datetime, money_at: datetime, category: str, holidays: frozenset[date], book: Book) -> date:
    """The date of the NAV by SEBI's rule, from when the order was stamped and when the money was with the scheme."""
    days = []
    for moment in (ordered_at, money_at):
        cutoff = book.time_of("purchase_cutoff", category, on=moment.astimezone(IST).date())
        days.append(counting_day(moment=moment, cutoff=cutoff, holidays=holidays))
    is_liquid = gets_the_day_before(category, book=book, on=ordered_at.astimezone(IST).date())
    return _nav_of(max(days), is_liquid=is_liquid)


def predict_nav_day(*, at: datetime, category: str, method: str, holidays: frozenset[date], book: Book) -> Prediction:
    """What a purchase of a scheme of this category ordered and paid at `at` gets, by the rules of that day. Raises
    KeyError for a way of paying that no rule knows.

    Units are with the investor one business day after the day that counts: NAVs come out at about 21:00 to 23:00.
    """
    local = at.astimezone(IST)
    today = local.date()
    is_liquid = gets_the_day_before(category, book=book, on=today)
    cutoff = _cutoff(category, method, is_liquid=is_liquid, book=book, on=today)
    paid_on = counting_day(moment=at, cutoff=cutoff, holidays=holidays)
    # Whoever is late today pays under the rules of the next business day.
    due = _cutoff(category, method, is_liquid=is_liquid, book=book, on=paid_on)
    rail = book.rule("payment_days", method, on=paid_on)
    counts_on = calendar.after(paid_on, int(rail.value), holidays)
    allotment_by = calendar.after(counts_on, 1 + nav_lag(category, book=book, on=today), holidays)
    unknown = [
        year for year in sorted({local.year, counts_on.year, allotment_by.year}) if not calendar.knows(year, holidays)
    ]
    nav_on = _nav_of(counts_on, is_liquid=is_liquid)
    return Prediction(
        nav_on=nav_on,
        allotment_by=allotment_by,
        rule=_rule(local, cutoff, due, paid_on, counts_on, nav_on, rail.words, unknown),
        pay_before=datetime.combine(paid_on, due, tzinfo=IST),
        is_certain=not unknown,
    )


def _cutoff(category: str, method: str, *, is_liquid: bool, book: Book, on: date) -> time:
    """The platform's, which is earlier so that money can arrive; never later than SEBI's."""
    platform = book.time_of("payment_cutoff_liquid" if is_liquid else "payment_cutoff", method, on=on)
    return min(platform, book.time_of("purchase_cutoff", category, on=on))


def _nav_of(counts_on: date, *, is_liquid: bool) -> date:
    # Liquid and overnight funds earn interest on days off too, so theirs is the calendar day before, Sundays included.
    return counts_on - calendar.ONE_DAY if is_liquid else counts_on


def _rule(
    at: datetime,
    cutoff: time,
    due: time,
    paid_on: date,
    counts_on: date,
    nav_on: date,
    words: str,
    unknown: list[int],
) -> str:
    """The rule in plain words, with dates. `words` are those of the way of paying."""
    if paid_on != counts_on:
        when = "today" if paid_on == at.date() else f"on {calendar.short(paid_on)}"
        first = f"Paid before {due:%H:%M} {when}; {words}: it counts on {calendar.in_words(counts_on)}"
    elif counts_on == at.date():
        first = f"Paid before {due:%H:%M} today, this order counts on {calendar.in_words(counts_on)}"
    elif at.time() >= cutoff and counts_on == at.date() + calendar.ONE_DAY:
        first = f"After {cutoff:%H:%M}, an order counts on the next business day, {calendar.in_words(counts_on)}"
    else:
        first = f"Paid now, this order counts on the next business day, {calendar.in_words(counts_on)}"
    second = (
        "and gets that day's NAV."
        if nav_on == counts_on
        else f"and gets the NAV of the day before, {calendar.short(nav_on)}, as liquid and overnight funds do."
    )
    third = "".join(f" The holidays of {year} are not entered yet: the date may move." for year in unknown[-1:])
    return f"{first}, {second}{third}".replace(", and", " and")


# --- Lock-in --------------------------------------------------------------------------------------------------


def lock_in_words(years: int | None) -> str:
    """What a lock-in means for somebody who buys now; an empty text when there is none."""
    if not years:
        return ""
    length = "1 year" if years == 1 else f"{years} years"
    return f"Units cannot be sold for {length} from the day they are allotted. Each purchase has its own {length}."


def nav_lag(category: str, *, book: Book, on: date) -> int:
    """Business days by which the NAV of a scheme of this category comes after the others'."""
    return book.number_of("nav_lag", category, on=on)


def gets_the_day_before(category: str, *, book: Book, on: date) -> bool:
    """Whether a purchase gets the NAV of the calendar day before, as in liquid and overnight funds."""
    return book.is_so("previous_day_nav", category, on=on)
