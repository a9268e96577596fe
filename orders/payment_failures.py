"""Why a payment failed, as data: what it means, whether money moved, by when it is back, and what to do.

The codes are FP's (providers.md 3.8) and a few of our own. Whether money can have left the bank is what a person wants
to know first (screens.md F33); where it can, a clock says by when it must be back.

    by UPI, by debit card   5 days after the failure       RBI circular of 20 Sep 2019, DPSS.CO.PD
                                                           No. 629/02.01.014/2019-20, annex 1 (turnaround times); after
                                                           them the bank owes 100 rupees a day
    by mandate              1 day after the failure        the same annex, NACH
    by net banking          7 business days                no circular: our own promise, after which we follow the money
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from orders import calendar


class Money(StrEnum):
    """Whether money can have left the bank."""

    STAYED = "stayed"
    MAYBE = "maybe"
    LEFT = "left"


@dataclass(frozen=True)
class Failure:
    """One line of the catalogue. `other_rail`: it helps to pay by another way."""

    meaning: str
    money: Money
    to_do: str
    other_rail: bool = False


_AGAIN = "You can try again."
_ELSE = "Try again, or pay by another way."
_OWN = "Pay from the account that is registered here in your name."
_WRITE = "Only we can put this right, so please write to us."
_UNUSED = Failure("The payment page was not used in time.", Money.MAYBE, _AGAIN)
_UNCLEAR = Failure("The payment did not go through.", Money.MAYBE, _ELSE, other_rail=True)

_THEIRS: dict[str, Failure] = {
    "tpv_failed": Failure(
        "The payment came from an account that is not registered as yours. Fund houses may take money from the "
        "investor's own account only (SEBI), so it is sent back.",
        Money.LEFT,
        _OWN,
    ),
    "insufficient_funds": Failure("Your bank says that the balance was too low.", Money.STAYED, _AGAIN),
    "user_cancelled": Failure("You left the payment page before paying.", Money.STAYED, _AGAIN),
    "investor_bank_declined": Failure("Your bank declined the payment.", Money.STAYED, _ELSE, other_rail=True),
    "bank_downtime": Failure(
        "Your bank's payment service is down at the moment.",
        Money.MAYBE,
        "Try again later, or pay by another way.",
        other_rail=True,
    ),
    "bank_not_enabled": Failure(
        "Your bank does not offer this way of paying.", Money.STAYED, "Pay by another way.", other_rail=True
    ),
    "invalid_bank_account": Failure("The bank account of this order could not be verified.", Money.STAYED, _WRITE),
    "invalid_upi_id": Failure(
        "Your bank does not know that UPI ID.", Money.STAYED, "Check how it is written, then try again."
    ),
    "invalid_credentials": Failure(
        "Your bank did not accept what was entered to approve the payment.", Money.STAYED, _AGAIN
    ),
    "upi_app_unavailable": Failure(
        "Your UPI app did not answer.", Money.MAYBE, "Try again, or use net banking.", other_rail=True
    ),
    "auth_in_progress": Failure(
        "An earlier approval was still open at your bank.", Money.MAYBE, "Wait a few minutes, then try again."
    ),
    "pg_timeout": Failure("The payment service did not answer in time.", Money.MAYBE, _ELSE, other_rail=True),
    "pg_server_error": Failure("The payment service failed.", Money.MAYBE, _ELSE, other_rail=True),
    "mandate_payment_failed": Failure(
        "Your bank did not debit the mandate.", Money.STAYED, "Order again and pay by UPI or net banking."
    ),
    "mandate_cancelled": Failure(
        "The mandate is no longer valid.", Money.STAYED, "Order again and pay by UPI or net banking."
    ),
    **dict.fromkeys(("payment_failed", "payment_failure"), _UNCLEAR),
    **dict.fromkeys(("fp_payment_expired", "pg_payment_expired", "page_expired"), _UNUSED),
}
# Our own reasons, which nobody else speaks of.
_OURS: dict[str, Failure] = {
    "page_lost": Failure(
        "The payment page could not be opened.",
        Money.STAYED,
        "A new one is being prepared; if none appears, try again.",
    ),
    "another_method": Failure("You chose to pay by another way.", Money.STAYED, "A new page is being prepared."),
    "paid_by_another": Failure("An earlier payment has arrived after all.", Money.STAYED, "There is nothing to do."),
    "orders_changed": Failure(
        "One of the orders it was for could no longer be paid.", Money.STAYED, "A new page is being prepared."
    ),
    "refused": Failure("The payment service did not take this payment.", Money.STAYED, _AGAIN),
}
FAILURES = _THEIRS | _OURS
# How FP says only that it failed, or timed out.
UNKNOWN = _UNCLEAR


def was_left(code: str) -> bool:
    """Was the page opened, perhaps, and left without a try to pay?"""
    return FAILURES.get(code) is _UNUSED


def code_in(text: str) -> str:
    """The first of FP's codes that stands in the provider's words; empty when none does."""
    words = (word.strip(".,:;") for word in text.lower().replace("-", "_").split())
    return next((word for word in words if word in _THEIRS), "")


def of(code: str, text: str = "", *, was_out: bool = True) -> Failure:
    """The line for a code. A page that the investor never opened can have moved no money, whatever the code."""
    found = FAILURES.get(code) or FAILURES.get(code_in(text)) or UNKNOWN
    if not was_out and found.money == Money.MAYBE:
        return Failure(found.meaning, Money.STAYED, found.to_do, found.other_rail)
    return found


# --- the clock ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """How many days a refund may take, and who says so."""

    days: int
    business: bool
    source: str


_RBI = "the Reserve Bank's limit for failed payments"
TERMS: dict[str, Term] = {
    "UPI": Term(5, False, _RBI),
    "CARD": Term(5, False, _RBI),
    "NACH": Term(1, False, _RBI),
    "NETBANKING": Term(7, True, "our own promise: no rule sets a date for net banking"),
}


@dataclass(frozen=True)
class Clock:
    """Where a refund stands today: `by`, and day `day` of `days`. `is_over`: the day has passed."""

    by: date
    day: int
    days: int
    source: str
    is_over: bool

    @property
    def in_words(self) -> str:
        """`by 28 Nov 2026; today is day 3 of 7`."""
        if self.is_over:
            return f"by {calendar.short(self.by)}, which has passed"
        return f"by {calendar.short(self.by)}; today is day {self.day} of {self.days}"


def clock(*, method: str, failed_on: date, today: date, holidays: frozenset[date]) -> Clock:
    """By when money that left the bank for a failed payment must be back. The day of the failure is day 0."""
    term = TERMS.get(method, TERMS["NETBANKING"])
    by = _after(failed_on, term, holidays)
    counted = sum(1 for n in range(1, (today - failed_on).days + 1) if _counts(failed_on, n, term, holidays))
    return Clock(by, min(counted, term.days), term.days, term.source, today > by)


def _after(start: date, term: Term, holidays: frozenset[date]) -> date:
    day = start
    for _ in range(term.days):
        day = calendar.next_business_day(day, holidays) if term.business else day + timedelta(days=1)
    return day


def _counts(start: date, n: int, term: Term, holidays: frozenset[date]) -> bool:
    return not term.business or calendar.is_business_day(start + timedelta(days=n), holidays)
