"""Business arithmetic of SIPs: dates, bounds, what the order gateway can do, failures in a row, and what may go wrong.

Pure: values in, values out.

    first date      the chosen day of the month, the first time it comes after FP has taken the plan (what FP does; its
                    document names no rule). A month without that day: its last day.
    notice          at least 24 hours before a debit (RBI e-mandate framework). So a plan does not begin tomorrow.
    failures        three in a row end a daily to monthly plan, two a quarterly or rarer one (SEBI, since 1 Apr 2024).
                    FP lets one date fewer in a row be skipped (providers.md 3.10).
    ending          the fund house has two working days to end a plan (SEBI, since 1 Dec 2024): a debit that falls
                    within them may still happen.

How many failures and working days it is are dated data (`rulebook.py`) and handed in.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from orders import calendar, capabilities, rules
from orders.rulebook import Book
from portal.clock import IST
from portal.errors import InvalidInput

MONTHLY = "MONTHLY"
# Given document, "Create SIP Order".
MOST_INSTALMENTS = 1200
NOTICE = timedelta(hours=24)
# Instalments are expected, and investors told, this many days ahead: a mail server may be down for nearly two of them.
EXPECT_AHEAD = 3
FORECAST = timedelta(days=30)


# --- Dates --------------------------------------------------------------------------------------------------------


def in_month(year: int, month: int, day: int) -> date:
    """That day of the month, or its last one."""
    return date(year, month, min(day, months.monthrange(year, month)[1]))


def after(moment: date, day: int) -> date:
    """The first `day` of a month after the date `moment`."""
    this = in_month(moment.year, moment.month, day)
    return this if this > moment else step(moment.replace(day=1), 1, day)


def step(start: date, number: int, day: int) -> date:
    """`day` of the month that is `number` months after that of `start`."""
    month = start.month - 1 + number
    return in_month(start.year + month // 12, month % 12 + 1, day)


def last(first_on: date, instalments: int, day: int) -> date:
    """The date of the last instalment."""
    return step(first_on, instalments - 1, day)


def number_of(first_on: date, on: date) -> int:
    """Which instalment a date is: 1 for the first."""
    return (on.year - first_on.year) * 12 + on.month - first_on.month + 1


def dates(*, first_on: date, last_on: date, day: int, since: date, until: date) -> list[date]:
    """The instalments of a plan from `since` to `until`, both included."""
    found = []
    on = max(first_on, after(since - calendar.ONE_DAY, day))
    while on <= min(last_on, until):
        found.append(on)
        on = after(on, day)
    return found


def days_due(on: date) -> tuple[int, ...]:
    """The chosen days whose instalment falls on a date: on the last of a month also those that it does not have."""
    is_last = on.day == months.monthrange(on.year, on.month)[1]
    return tuple(range(on.day, 32)) if is_last else (on.day,)


def may_be_told_in_time(on: date, at: datetime) -> bool:
    """Is there time for the notice? The bank may be asked from the first minute of the date on."""
    return at + NOTICE <= datetime.combine(on, time(), tzinfo=IST)


def skip_until(on: date) -> date:
    """The last day on which the instalment of `on` can be skipped: the day after it is the day of the notice."""
    return on - NOTICE - calendar.ONE_DAY


# --- A new plan ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """What FP takes for a SIP in a scheme; None and empty: it states nothing."""

    amount: rules.AmountBounds
    least_instalments: int | None
    days: tuple[int, ...]


def days_in(text: str) -> tuple[int, ...]:
    """`1,5,15` as numbers."""
    return tuple(int(part) for part in text.split(",") if part)


def check(*, terms: Terms, amount: Decimal, day: int, instalments: int, limit: Decimal, at: datetime) -> date:
    """The date of the first instalment. Raises InvalidInput at the field that FP would not take.

    `limit` is the mandate's: FP refuses a SIP above it (providers.md 3.9).
    """
    rules.check_amount(bounds=terms.amount, amount=amount)
    if amount > limit:
        raise InvalidInput(
            "mandate", f"This mandate allows {rules.rupees(limit)} a debit. Choose another one, or a smaller amount."
        )
    if day not in terms.days:
        raise InvalidInput("start_day", "Choose one of the days that the fund house offers.")
    least = terms.least_instalments or 1
    if not least <= instalments <= MOST_INSTALMENTS:
        raise InvalidInput("instalments", f"Enter a number from {least} to {MOST_INSTALMENTS:,}.")
    first_on = after(at.astimezone(IST).date(), day)
    if not may_be_told_in_time(first_on, at):
        raise InvalidInput(
            "start_day",
            f"The first debit would be on {calendar.short(first_on)}, sooner than the 24 hours before which you must "
            "be told of a debit. Choose another day, or begin after that date.",
        )
    return first_on


def schedule_in_words(*, day: int, first_on: date, last_on: date, instalments: int) -> str:
    """`On the 5th of every month, 12 times: from 5 Dec 2026 to 5 Nov 2027`."""
    times = "once" if instalments == 1 else f"{instalments:,} times"
    months_without = ", or the month's last day" if day > 28 else ""
    return (
        f"On the {ordinal(day)} of every month{months_without}, {times}: "
        f"from {calendar.short(first_on)} to {calendar.short(last_on)}"
    )


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `11th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number // 10 % 10 != 1 else "th"
    return f"{number}{ending}"


# --- What the order gateway can do --------------------------------------------------------------------------------


_EXCHANGE = "The exchange through which your orders go does not offer it."


def why_no_other_mandate(gateway: str) -> str:
    """Why no plan of this order gateway can be debited by another mandate; empty when it can."""
    if capabilities.of(gateway).changes_mandate:
        return ""
    return f"The mandate of a SIP cannot be changed. {_EXCHANGE} You can end this SIP and start another one."


def why_no_skip(*, gateway: str, on: date | None, skips_in_a_row: int, at: datetime, most_failures: int) -> str:
    """Why the instalment of `on` cannot be left out; empty when it can."""
    if not capabilities.of(gateway).skips_instalments:
        return f"A single instalment cannot be skipped. {_EXCHANGE}"
    if on is None:
        return "No instalment is to come."
    if skips_in_a_row >= most_failures - 1:
        return f"{skips_in_a_row} instalments in a row have been skipped. The next one must be debited."
    if not may_be_told_in_time(on, at):
        return f"The instalment of {calendar.short(on)} is less than a day away: the bank is asked already."
    return ""


def may_still_debit(*, on: date | None, asked_at: datetime, holidays: frozenset[date], book: Book) -> bool:
    """May the instalment of `on` still be debited when the plan is ended at `asked_at`?"""
    return on is not None and on <= ended_by(asked_at=asked_at, holidays=holidays, book=book)


def ended_by(*, asked_at: datetime, holidays: frozenset[date], book: Book) -> date:
    """By when the fund house must have ended a plan, by the rule of the day on which it was asked to."""
    day = asked_at.astimezone(IST).date()
    return calendar.after(day, book.number_of("sip_end_days", on=day), holidays)


# --- Failures in a row --------------------------------------------------------------------------------------------

SUCCEEDED, FAILED, SKIPPED = "succeeded", "failed", "skipped"


def in_a_row(outcomes: Sequence[str], what: str) -> int:
    """How many of the newest outcomes, oldest first, are `what`. A skipped date neither counts nor ends a row."""
    row = 0
    for outcome in reversed(outcomes):
        if outcome == what:
            row += 1
        elif outcome != SKIPPED:
            break
    return row


def most_failures(*, book: Book, on: date, frequency: str = MONTHLY) -> int:
    """How many failures in a row end a plan."""
    return book.number_of("sip_failures", frequency, on=on)


def strikes_in_words(row: int, most: int) -> str:
    """The warning after failures in a row, of which so many end a plan; empty while there is none."""
    if not row:
        return ""
    if row >= most:
        return f"{row} instalments in a row failed, so the fund house ends this SIP."
    failed = "The last instalment failed" if row == 1 else f"{row} instalments in a row failed"
    left = "one more failure ends" if most - row == 1 else f"{most - row} more in a row end"
    return f"{failed}: {left} this SIP."


# --- What may go wrong --------------------------------------------------------------------------------------------

OK, NOTE, RISK, FAILS = "ok", "note", "risk", "fails"
_ORDER = (OK, NOTE, RISK, FAILS)


@dataclass(frozen=True)
class Authority:
    """The mandate of a plan, as far as a debit depends on it. `state` is one of `investors.lifecycle`."""

    code: str
    state: str
    limit: Decimal
    valid_to: date | None = None
    # What became of the account's bank, where its IFSC has ended; empty while it is good.
    ifsc_ended: str = ""


@dataclass(frozen=True)
class Risk:
    """One thing about a debit: how bad it is, and why, for the investor."""

    level: str
    text: str


@dataclass(frozen=True)
class Debit:
    """An instalment to come: rupees, its mandate, and what else is debited by that mandate on the same date."""

    on: date
    amount: Decimal
    authority: Authority
    same_day: Decimal
    failures: int = 0
    kyc_is_compliant: bool = True


def risks(debit: Debit, holidays: frozenset[date], book: Book) -> list[Risk]:
    """What speaks against a debit, the worst first; empty when nothing does."""
    found = [*_of_mandate(debit), *_of_limit(debit), *_of_the_rest(debit, holidays, book)]
    return sorted(found, key=lambda risk: -_ORDER.index(risk.level))


def _of_mandate(debit: Debit) -> Iterable[Risk]:
    mandate, on = debit.authority, calendar.short(debit.on)
    if mandate.state in ("REJECTED", "CANCELLED"):
        yield Risk(FAILS, f"Its mandate is {mandate.state.lower()}: nothing can be debited. Choose another one.")
    elif mandate.state != "APPROVED":
        yield Risk(FAILS, f"Its mandate is not approved yet. If it is not by {on}, the debit fails.")
    if mandate.valid_to and mandate.valid_to < debit.on:
        yield Risk(FAILS, f"Its mandate ends on {calendar.short(mandate.valid_to)}, before the debit.")
    elif mandate.valid_to and mandate.valid_to - debit.on <= FORECAST:
        yield Risk(NOTE, f"Its mandate ends soon, on {calendar.short(mandate.valid_to)}.")
    if mandate.ifsc_ended:
        yield Risk(RISK, mandate.ifsc_ended)


def _of_limit(debit: Debit) -> Iterable[Risk]:
    limit = debit.authority.limit
    if debit.amount > limit:
        yield Risk(FAILS, f"The mandate allows {rules.rupees(limit)} a debit, this is {rules.rupees(debit.amount)}.")
    elif debit.same_day > limit:
        yield Risk(
            RISK,
            f"SIPs of this date total {rules.rupees(debit.same_day)}, the mandate's limit is {rules.rupees(limit)}. "
            "Banks that count the limit per day refuse what is above it.",
        )


def _of_the_rest(debit: Debit, holidays: frozenset[date], book: Book) -> Iterable[Risk]:
    if not debit.kyc_is_compliant:
        yield Risk(FAILS, "Your KYC does not allow purchases at the moment.")
    if debit.failures:
        yield Risk(RISK, strikes_in_words(debit.failures, most_failures(book=book, on=debit.on)))
    if not calendar.is_business_day(debit.on, holidays):
        day = calendar.next_business_day(debit.on, holidays)
        yield Risk(NOTE, f"Banks are closed on that date: debited on {calendar.in_words(day)}.")
    if not calendar.knows(debit.on.year, holidays):
        yield Risk(NOTE, f"The holidays of {debit.on.year} are not entered yet.")


def worst(found: Iterable[Risk]) -> str:
    """The worst level among risks."""
    return max((risk.level for risk in found), key=_ORDER.index, default=OK)


# --- Which NAV ----------------------------------------------------------------------------------------------------


def asked_at(on: date) -> datetime:
    """When the bank is asked for the instalment of a date: in its morning."""
    return datetime.combine(on, time(9), tzinfo=IST)


def nav_of(*, on: date, category: str, holidays: frozenset[date], book: Book) -> tuple[date, str]:
    """The NAV day that an instalment may expect, and the rule in words: that of a debit by mandate."""
    found = rules.predict_nav_day(at=asked_at(on), category=category, method="NACH", holidays=holidays, book=book)
    words = book.rule("payment_days", "NACH", on=on).words
    what = f"The instalment of {calendar.short(on)}"
    nav = f"the NAV of {calendar.short(found.nav_on)}."
    return found.nav_on, f"{what}: {words}. It gets {nav}" if words else f"{what} gets {nav}"
