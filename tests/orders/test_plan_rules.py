"""The rules of SIPs, read as tables."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from orders import plan_rules
from orders.plan_rules import Authority, Debit, Terms
from orders.rules import AmountBounds
from portal.clock import IST
from portal.errors import InvalidInput
from tests.orders.rulebooks import BOOK

DIWALI = date(2026, 11, 10)
HOLIDAYS = frozenset({DIWALI})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


# --- Dates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "day", "first"),
    [
        ("2026-11-04", 5, "2026-11-05"),
        ("2026-11-05", 5, "2026-12-05"),  # its own day has begun
        ("2026-11-06", 5, "2026-12-05"),
        ("2026-12-31", 1, "2027-01-01"),
        ("2026-02-10", 31, "2026-02-28"),  # a month without that day: its last one
        ("2028-02-10", 30, "2028-02-29"),
        ("2026-01-31", 31, "2026-02-28"),
    ],
)
def test_begins_on_its_day_the_first_time_it_comes(today, day, first):
    assert plan_rules.after(date.fromisoformat(today), day) == date.fromisoformat(first)


@pytest.mark.parametrize(
    ("first", "times", "day", "last"),
    [
        ("2026-12-05", 1, 5, "2026-12-05"),
        ("2026-12-05", 12, 5, "2027-11-05"),
        ("2027-01-31", 2, 31, "2027-02-28"),
        ("2026-12-05", 1200, 5, "2126-11-05"),
    ],
)
def test_ends_with_its_last_instalment(first, times, day, last):
    start = date.fromisoformat(first)
    assert plan_rules.last(start, times, day) == date.fromisoformat(last)
    assert plan_rules.number_of(start, date.fromisoformat(last)) == times


@pytest.mark.parametrize(
    ("on", "days"),
    [("2026-11-05", [5]), ("2026-11-30", [30, 31]), ("2026-02-28", [28, 29, 30, 31]), ("2026-12-31", [31])],
)
def test_every_plan_has_one_date_a_month_whatever_its_length(on, days):
    assert list(plan_rules.days_due(date.fromisoformat(on))) == days


def test_each_day_falls_on_exactly_one_date_of_each_month():
    for year, month in ((2026, 2), (2026, 11), (2028, 2), (2026, 12)):
        length = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
        falls = [day for n in range(1, length + 1) for day in plan_rules.days_due(date(year, month, n))]
        assert sorted(falls) == list(range(1, 32))


@pytest.mark.parametrize(
    ("now", "on", "in_time"),
    [
        ("2026-11-03T23:59", "2026-11-05", True),
        ("2026-11-04T00:00", "2026-11-05", True),
        ("2026-11-04T00:01", "2026-11-05", False),
        ("2026-11-04T12:00", "2026-11-05", False),
    ],
)
def test_the_notice_is_at_least_24_hours_before_the_date(now, on, in_time):
    assert plan_rules.may_be_told_in_time(date.fromisoformat(on), at(now)) is in_time


# --- What FP takes ------------------------------------------------------------------------------------------------

TERMS = Terms(AmountBounds(Decimal(500), Decimal(100_000), Decimal(100)), 6, (1, 5, 10, 15))
GOOD = {"amount": Decimal(5_000), "day": 5, "instalments": 12, "limit": Decimal(25_000)}


def test_dates_the_first_instalment_of_what_fp_takes():
    assert plan_rules.check(terms=TERMS, **GOOD, at=at("2026-11-21T12:00")) == date(2026, 12, 5)


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"amount": Decimal(400)}, "amount", "The least"),
        ({"amount": Decimal(550)}, "amount", "multiples of ₹100"),
        ({"amount": Decimal(200_000), "limit": Decimal(500_000)}, "amount", "The most"),
        ({"limit": Decimal(4_999)}, "mandate", "This mandate allows ₹4,999 a debit"),
        ({"day": 7}, "start_day", "Choose one of the days"),
        ({"instalments": 5}, "instalments", "from 6 to 1,200"),
        ({"instalments": 1201}, "instalments", "from 6 to 1,200"),
    ],
)
def test_refuses_at_its_field_what_fp_would_not_take(wrong, field, words):
    with pytest.raises(InvalidInput) as refusal:
        plan_rules.check(terms=TERMS, **GOOD | wrong, at=at("2026-11-21T12:00"))
    assert refusal.value.field == field
    assert words in refusal.value.message


def test_a_sip_does_not_begin_sooner_than_its_notice():
    with pytest.raises(InvalidInput, match="24 hours"):
        plan_rules.check(terms=TERMS, **GOOD, at=at("2026-12-04T09:00"))
    assert plan_rules.check(terms=TERMS, **GOOD, at=at("2026-12-05T09:00")) == date(2027, 1, 5)


# --- Failures, skips, the end -------------------------------------------------------------------------------------

F, S, K = plan_rules.FAILED, plan_rules.SUCCEEDED, plan_rules.SKIPPED


@pytest.mark.parametrize(
    ("outcomes", "failures"),
    [
        ([], 0),
        ([S], 0),
        ([F], 1),
        ([S, F, F], 2),
        ([F, S, F], 1),
        ([F, F, S], 0),
        ([F, K, F], 2),  # a skipped date neither counts nor ends a row
        ([F, F, F], 3),
        ([K, K], 0),
    ],
)
def test_counts_failures_in_a_row(outcomes, failures):
    assert plan_rules.in_a_row(outcomes, F) == failures


@pytest.mark.parametrize(
    ("row", "frequency", "words"),
    [
        (0, "MONTHLY", ""),
        (1, "MONTHLY", "2 more in a row end this SIP"),
        (2, "MONTHLY", "one more failure ends this SIP"),
        (3, "MONTHLY", "the fund house ends this SIP"),
        (1, "DAILY", "2 more in a row end"),
        (1, "QUARTERLY", "one more failure ends this SIP"),
        (2, "QUARTERLY", "the fund house ends this SIP"),
        (2, "YEARLY", "the fund house ends this SIP"),
    ],
)
def test_warns_after_each_failure_by_sebis_table(row, frequency, words):
    most = plan_rules.most_failures(book=BOOK, on=date(2026, 11, 20), frequency=frequency)
    assert words in plan_rules.strikes_in_words(row, most)


@pytest.mark.parametrize(
    ("gateway", "on", "row", "now", "why_not"),
    [
        ("RTA", date(2026, 12, 5), 0, "2026-11-21T12:00", ""),
        ("RTA", date(2026, 12, 5), 1, "2026-11-21T12:00", ""),
        ("RTA", date(2026, 12, 5), 2, "2026-11-21T12:00", "2 instalments in a row have been skipped"),
        ("RTA", date(2026, 12, 5), 0, "2026-12-04T09:00", "less than a day away"),
        ("RTA", None, 0, "2026-11-21T12:00", "No instalment is to come"),
        ("BSE", date(2026, 12, 5), 0, "2026-11-21T12:00", "The exchange"),
    ],
)
def test_says_why_a_date_cannot_be_skipped(gateway, on, row, now, why_not):
    found = plan_rules.why_no_skip(gateway=gateway, on=on, skips_in_a_row=row, at=at(now), most_failures=3)
    assert why_not in found
    assert bool(found) is bool(why_not)


@pytest.mark.parametrize(
    ("asked", "may_still_debit"),
    [
        ("2026-11-30T12:00", False),  # Monday, T-5
        ("2026-12-02T12:00", False),  # T-3: two working days end on Friday
        ("2026-12-03T12:00", True),  # Thursday, T-2: they end on Monday
        ("2026-12-04T12:00", True),
        ("2026-12-05T12:00", True),  # T-0
    ],
)
def test_the_last_debit_may_still_happen_within_two_working_days(asked, may_still_debit):
    on = date(2026, 12, 5)
    assert plan_rules.may_still_debit(on=on, asked_at=at(asked), holidays=HOLIDAYS, book=BOOK) is may_still_debit


# --- What may go wrong --------------------------------------------------------------------------------------------


def _debit(**other: object) -> Debit:
    authority = {"code": "MND-1", "state": "APPROVED", "limit": Decimal(25_000), "valid_to": None, "ifsc_ended": ""}
    plain = {"on": date(2026, 12, 4), "amount": Decimal(5_000), "same_day": Decimal(5_000)}
    named = {key: other.pop(key) for key in list(other) if key in authority}
    return Debit(**plain | other, authority=Authority(**authority | named))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("debit", "level", "words"),
    [
        (_debit(), "ok", ""),
        (_debit(state="SUBMITTED"), "fails", "not approved yet. If it is not by 4 Dec 2026"),
        (_debit(state="CANCELLED"), "fails", "is cancelled"),
        (_debit(state="REJECTED"), "fails", "is rejected"),
        (_debit(limit=Decimal(4_000)), "fails", "allows ₹4,000 a debit, this is ₹5,000"),
        (_debit(same_day=Decimal(31_000)), "risk", "total ₹31,000, the mandate's limit is ₹25,000"),
        (_debit(valid_to=date(2026, 12, 3)), "fails", "ends on 3 Dec 2026, before the debit"),
        (_debit(valid_to=date(2026, 12, 20)), "note", "ends soon"),
        (_debit(ifsc_ended="Andhra Bank is part of Union Bank."), "risk", "Andhra Bank is part of Union Bank."),
        (_debit(on=DIWALI), "note", "Banks are closed on that date: debited on Wednesday 11 Nov 2026"),
        (_debit(on=date(2026, 12, 5)), "note", "debited on Monday 7 Dec 2026"),
        (_debit(failures=1), "risk", "2 more in a row end this SIP"),
        (_debit(kyc_is_compliant=False), "fails", "KYC"),
        (_debit(on=date(2027, 1, 5)), "note", "holidays of 2027 are not entered"),
    ],
)
def test_says_what_may_go_wrong_with_a_debit_and_why(debit, level, words):
    found = plan_rules.risks(debit, HOLIDAYS, BOOK)
    assert plan_rules.worst(found) == level
    assert words in (found[0].text if found else "")


def test_the_worst_comes_first():
    found = plan_rules.risks(_debit(failures=1, state="CANCELLED", on=DIWALI), HOLIDAYS, BOOK)
    assert [risk.level for risk in found] == ["fails", "risk", "note"]


# --- Which NAV ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "category", "nav_on"),
    [
        ("2026-11-16", "Flexi Cap Fund", "2026-11-18"),  # Monday: debited on Tuesday, with the fund house on Wednesday
        ("2026-11-19", "Flexi Cap Fund", "2026-11-23"),  # Thursday: Friday, Monday
        ("2026-12-05", "Flexi Cap Fund", "2026-12-09"),  # a Saturday: asked for on Monday
        ("2026-11-16", "Liquid Fund", "2026-11-17"),  # a liquid fund gets the NAV of the day before
    ],
)
def test_an_instalment_gets_the_nav_of_the_day_on_which_its_money_is_in(on, category, nav_on):
    found, words = plan_rules.nav_of(on=date.fromisoformat(on), category=category, holidays=HOLIDAYS, book=BOOK)
    assert found == date.fromisoformat(nav_on)
    assert plan_rules.calendar.short(found) in words


def test_an_instalment_can_be_skipped_until_the_end_of_the_day_before_the_day_before():
    on = date(2026, 12, 5)
    assert plan_rules.skip_until(on) == date(2026, 12, 3)
    last_moment = datetime(2026, 12, 3, 23, 59, 59, tzinfo=IST)
    assert plan_rules.may_be_told_in_time(on, last_moment)
    assert not plan_rules.may_be_told_in_time(on, last_moment + timedelta(seconds=2))
