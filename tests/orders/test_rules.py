"""Bounds of an amount and the day whose NAV applies, at every edge."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from orders import calendar, risk, rules
from orders.models import DatedRule, MfOrder
from orders.rulebook import Rule
from portal.clock import IST
from portal.errors import InvalidInput
from tests.orders.rulebooks import BOOK

# Two years are known: 2026 with Republic Day and Christmas, 2027 with Republic Day. 2028 is not.
HOLIDAYS = frozenset({date(2026, 1, 26), date(2026, 12, 25), date(2027, 1, 26)})
BOUNDS = rules.AmountBounds(minimum=Decimal(500), maximum=Decimal(199_990), step=Decimal(10))
FLEXI, LIQUID = "Flexi Cap Fund", "Liquid Fund"
FRIDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)


def at(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=IST)


@pytest.mark.parametrize("amount", ["500", "510", "199990"])
def test_takes_an_amount_within_the_bounds_of_the_scheme(amount: str) -> None:
    rules.check_amount(bounds=BOUNDS, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "Enter an amount above zero."),
        ("-500", "Enter an amount above zero."),
        ("500.50", "Enter whole rupees, without paise."),
        ("499", "The least you can put into this fund is ₹500."),
        ("200000", "The most this fund takes in one order is ₹1,99,990."),
        ("1004", "This fund takes multiples of ₹10: try ₹1,000 or ₹1,010."),
    ],
)
def test_refuses_an_amount_outside_the_bounds_in_words(amount: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        rules.check_amount(bounds=BOUNDS, amount=Decimal(amount))
    assert (refusal.value.field, refusal.value.message) == ("amount", words)


def test_a_scheme_without_bounds_takes_any_whole_rupees() -> None:
    free = rules.AmountBounds(minimum=None, maximum=None, step=None)
    rules.check_amount(bounds=free, amount=Decimal(1))
    assert free.in_words == ""
    assert BOUNDS.in_words == "From ₹500, up to ₹1,99,990, in steps of ₹10"


# order and payment at -> day that counts; the liquid NAV is of the calendar day before it
CASES = [
    ("one second before the cut-off", FRIDAY, "14:29:59", FRIDAY),
    ("at the cut-off", FRIDAY, "14:30:00", MONDAY),
    ("one second after the cut-off", FRIDAY, "14:30:01", MONDAY),
    ("just after midnight", FRIDAY, "00:00:00", FRIDAY),
    ("last second of the day", FRIDAY, "23:59:59", MONDAY),
    ("Saturday morning", date(2026, 11, 21), "10:00:00", MONDAY),
    ("Sunday night", date(2026, 11, 22), "23:59:59", MONDAY),
    ("on a holiday", date(2026, 1, 26), "10:00:00", date(2026, 1, 27)),
    ("before a holiday and a weekend", date(2026, 12, 24), "15:00:00", date(2026, 12, 28)),
    ("the year's last afternoon", date(2026, 12, 31), "14:30:00", date(2027, 1, 1)),
]


@pytest.mark.parametrize(("story", "day", "clock", "counts_on"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("method", ["UPI", "NETBANKING"])
def test_predicts_the_nav_day(story: str, day: date, clock: str, counts_on: date, method: str) -> None:
    found = rules.predict_nav_day(at=at(day, clock), category=FLEXI, method=method, holidays=HOLIDAYS, book=BOOK)
    assert found.nav_on == counts_on
    assert found.allotment_by == calendar.next_business_day(counts_on, HOLIDAYS)
    assert calendar.in_words(counts_on) in found.rule
    assert len(found.rule) <= 300


@pytest.mark.parametrize(
    ("day", "clock", "nav_on"),
    [
        (FRIDAY, "12:59:59", date(2026, 11, 19)),
        (FRIDAY, "13:00:00", date(2026, 11, 22)),  # counts on Monday: the NAV of Sunday
        (FRIDAY, "13:00:01", date(2026, 11, 22)),
        (TUESDAY, "09:00:00", MONDAY),
        (date(2026, 12, 31), "13:00:00", date(2026, 12, 31)),
    ],
)
def test_a_liquid_fund_gets_the_nav_of_the_calendar_day_before(day: date, clock: str, nav_on: date) -> None:
    found = rules.predict_nav_day(at=at(day, clock), category=LIQUID, method="UPI", holidays=HOLIDAYS, book=BOOK)
    assert found.nav_on == nav_on
    assert "NAV of the day before" in found.rule
    assert len(found.rule) <= 300


def test_the_cut_off_is_indian_time_wherever_the_moment_comes_from() -> None:
    utc = at(FRIDAY, "14:29:59").astimezone(None)
    found = rules.predict_nav_day(at=utc, category=FLEXI, method="UPI", holidays=HOLIDAYS, book=BOOK)
    assert found.nav_on == FRIDAY
    assert found.pay_before == at(FRIDAY, "14:30:00")


def test_says_that_the_holidays_of_a_year_are_missing() -> None:
    known = rules.predict_nav_day(at=at(FRIDAY, "10:00:00"), category=FLEXI, method="UPI", holidays=HOLIDAYS, book=BOOK)
    assert known.is_certain
    assert "not entered" not in known.rule
    last_day = at(date(2027, 12, 31), "10:00:00")  # allotted in 2028
    unknown = rules.predict_nav_day(at=last_day, category=LIQUID, method="UPI", holidays=HOLIDAYS, book=BOOK)
    assert not unknown.is_certain
    assert "The holidays of 2028 are not entered yet: the date may move." in unknown.rule


def test_the_longest_rule_of_all_has_room_where_it_is_kept() -> None:
    """Without holidays of its year, a liquid fund by mandate, late in the week, in words as long as they may be."""
    most = DatedRule._meta.get_field("words").max_length or 0
    book = BOOK.with_rule(Rule("payment_days", "NACH", date(2021, 2, 1), "2", words="w" * most))
    days = (date(2026, 12, 20) + timedelta(days=n) for n in range(12))
    found = [
        rules.predict_nav_day(at=at(day, "20:00:00"), category=LIQUID, method="NACH", holidays=frozenset(), book=book)
        for day in days
    ]
    longest = max(len(each.rule) for each in found)
    assert (longest > 290, longest <= MfOrder._meta.get_field("prediction").max_length) == (True, True), longest


def test_refuses_a_payment_method_without_a_known_cut_off() -> None:
    with pytest.raises(KeyError):
        rules.predict_nav_day(at=at(FRIDAY, "10:00:00"), category=FLEXI, method="CHEQUE", holidays=HOLIDAYS, book=BOOK)


@pytest.mark.parametrize(
    ("ordered", "paid", "general", "liquid"),
    [
        # before + before: the same business day
        ((FRIDAY, "13:29:59"), (FRIDAY, "13:29:59"), FRIDAY, date(2026, 11, 19)),
        # before + after: the next business day on which the money is in before the cut-off
        ((FRIDAY, "10:00:00"), (FRIDAY, "15:00:00"), MONDAY, date(2026, 11, 22)),
        ((FRIDAY, "10:00:00"), (MONDAY, "15:00:01"), TUESDAY, MONDAY),
        # after + before: the next business day
        ((FRIDAY, "15:00:00"), (FRIDAY, "10:00:00"), MONDAY, date(2026, 11, 22)),
        # after + after: the later of the two
        ((FRIDAY, "15:00:01"), (MONDAY, "16:00:00"), TUESDAY, MONDAY),
    ],
)
def test_four_cases_of_order_and_money(
    ordered: tuple[date, str], paid: tuple[date, str], general: date, liquid: date
) -> None:
    moments = {"ordered_at": at(*ordered), "money_at": at(*paid), "holidays": HOLIDAYS, "book": BOOK}
    assert rules.nav_day(**moments, category=FLEXI) == general
    assert rules.nav_day(**moments, category=LIQUID) == liquid


def test_between_the_two_cut_offs_only_other_funds_still_get_today() -> None:
    moment = at(FRIDAY, "13:30:00")
    moments = {"ordered_at": moment, "money_at": moment, "holidays": HOLIDAYS, "book": BOOK}
    assert rules.nav_day(**moments, category=FLEXI) == FRIDAY
    assert rules.nav_day(**moments, category=LIQUID) == MONDAY - timedelta(days=1)


def test_business_days_step_over_weekends_and_holidays() -> None:
    assert calendar.next_business_day(date(2026, 12, 24), HOLIDAYS) == date(2026, 12, 28)
    assert calendar.previous_business_day(date(2026, 12, 28), HOLIDAYS) == date(2026, 12, 24)
    assert not calendar.is_business_day(date(2026, 12, 26), HOLIDAYS)


def test_lock_in_in_words() -> None:
    assert rules.lock_in_words(None) == rules.lock_in_words(0) == ""
    assert "3 years" in rules.lock_in_words(3)
    assert "1 year from" in rules.lock_in_words(1)


def test_the_usual_risk_is_silent_where_a_category_says_nothing() -> None:
    assert risk.usual("Small Cap Fund") == "Very High"
    assert risk.usual("Overnight Fund") == "Low"
    assert risk.usual("Index Funds") is None


# --- the registration of the distributor ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "may"), [(date(2028, 3, 30), True), (date(2028, 3, 31), True), (date(2028, 4, 1), False)]
)
def test_nothing_new_is_sold_from_the_day_after_the_arn_ran_out(on: date, may: bool) -> None:
    words = rules.why_no_new_business(arn_until=date(2028, 3, 31), on=on)
    assert (words == "") == may
    assert may or "ended on 31 Mar 2028" in words


def test_an_arn_whose_end_is_not_known_is_not_watched() -> None:
    assert rules.why_no_new_business(arn_until=None, on=date(2099, 1, 1)) == ""
