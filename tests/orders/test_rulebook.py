"""Rules from a day on: what holds when, and what a proposed one would change."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from orders import plan_rules, rails, redemption_rules, rule_previews, rules, timeline
from orders.models import MfOrder, Scheme
from orders.rulebook import Rule
from portal.clock import IST
from tests.orders.rulebooks import BOOK

# Republic Day makes 2027 a year that is known.
HOLIDAYS = frozenset({date(2026, 12, 25), date(2027, 1, 26)})
FLEXI = "Flexi Cap Fund"
NEXT_MONTH = date(2026, 12, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def changed(name: str, value: str, of: str = "", since: date = NEXT_MONTH, words: str = "") -> Rule:
    return Rule(name, of, since, value, "Circular of today", words)


def buy(when: str, rule: Rule, category: str = FLEXI, method: str = "UPI") -> rules.Prediction:
    book = BOOK.with_rule(rule)
    return rules.predict_nav_day(at=at(when), category=category, method=method, holidays=HOLIDAYS, book=book)


@pytest.mark.parametrize(
    ("bought", "nav_on"),
    [
        ("2026-11-30T13:59", date(2026, 11, 30)),
        ("2026-11-30T14:29", date(2026, 11, 30)),  # the last day of the old rule: until 14:30
        ("2026-12-01T13:59", date(2026, 12, 1)),
        ("2026-12-01T14:00", date(2026, 12, 2)),  # the first day of the new one: until 14:00
    ],
)
@pytest.mark.parametrize("name", ["payment_cutoff", "purchase_cutoff"])
def test_a_cut_off_that_starts_next_month_applies_to_orders_of_next_month_only(name, bought, nav_on):
    assert buy(bought, changed(name, "14:00")).nav_on == nav_on


def test_whoever_is_late_on_the_last_day_of_a_rule_pays_under_the_next_one():
    late = buy("2026-11-30T16:00", changed("payment_cutoff", "14:00"))
    assert (late.nav_on, late.pay_before) == (date(2026, 12, 1), at("2026-12-01T14:00"))
    assert late.rule.startswith("After 14:30, an order counts on the next business day")


def test_whoever_is_late_on_the_last_day_of_a_rule_pays_with_money_as_fast_as_the_next_one_says():
    slower = changed("payment_days", "1", "UPI", words="UPI money arrives a business day later")
    late = buy("2026-11-30T16:00", slower)
    paid_in_time = buy("2026-12-01T14:29", slower)
    assert (late.pay_before, late.nav_on) == (at("2026-12-01T14:30"), paid_in_time.nav_on)
    assert late.nav_on == date(2026, 12, 2)


def test_a_later_cut_off_of_the_platform_is_never_later_than_sebi_s():
    assert buy("2026-12-01T15:00", changed("payment_cutoff", "16:00")).nav_on == date(2026, 12, 2)


def test_a_rule_of_one_category_leaves_the_others_alone():
    of_debt = changed("purchase_cutoff", "12:00", "Gilt Fund")
    assert buy("2026-12-01T12:30", of_debt, category="Gilt Fund").nav_on == date(2026, 12, 2)
    assert buy("2026-12-01T12:30", of_debt).nav_on == date(2026, 12, 1)


def test_the_words_of_a_way_of_paying_change_with_its_days():
    slower = changed("payment_days", "1", "UPI", words="UPI money arrives a business day later")
    assert buy("2026-11-30T10:00", slower).nav_on == date(2026, 11, 30)
    found = buy("2026-12-01T10:00", slower)
    assert found.nav_on == date(2026, 12, 2)
    assert "UPI money arrives a business day later" in found.rule
    mandate = changed("payment_days", "1", "NACH", words="the mandate's money arrives the day after")
    nav_on, said = plan_rules.nav_of(on=NEXT_MONTH, category=FLEXI, holidays=HOLIDAYS, book=BOOK.with_rule(mandate))
    assert (nav_on, "the mandate's money arrives the day after" in said) == (date(2026, 12, 2), True)


def test_a_higher_limit_holds_from_its_day():
    book = BOOK.with_rule(changed("payment_limit", "1000000", "UPI"))
    too_much = Decimal(600_000)
    assert "at most ₹5,00,000" in rails.why_too_much("UPI", too_much, book=book, on=date(2026, 11, 30))
    assert rails.why_too_much("UPI", too_much, book=book, on=NEXT_MONTH) == ""
    assert rails.why_too_much("CARD", too_much, book=book, on=NEXT_MONTH) == ""


def test_a_sale_is_paid_by_the_rule_of_the_day_on_which_it_was_asked_for():
    book = BOOK.with_rule(changed("payout_days", "1", words="what SEBI asks for since December"))

    def payout(on: date) -> redemption_rules.Payout:
        return redemption_rules.payout_of(category="Gilt Fund", asset_class="DEBT", book=book, on=on)

    assert payout(date(2026, 11, 30)) == (3, "the limit that SEBI sets")
    assert payout(NEXT_MONTH) == (1, "what SEBI asks for since December")


def test_money_that_comes_the_same_day_needs_no_words():
    on, book = NEXT_MONTH, BOOK.with_rule(changed("payout_days", "0")).with_rule(changed("payment_days", "0", "NACH"))
    sale = redemption_rules.predict(
        at=at("2026-12-01T10:00"),
        is_liquid=False,
        payout=redemption_rules.payout_of(category="Gilt Fund", asset_class="DEBT", book=book, on=on),
        holidays=HOLIDAYS,
        cutoff=redemption_rules.cutoff_of("Gilt Fund", book=book, on=on),
    )
    assert sale.rule.endswith("The money comes the same day, by 1 Dec 2026.")
    _, instalment = plan_rules.nav_of(on=on, category=FLEXI, holidays=HOLIDAYS, book=book)
    assert instalment == "The instalment of 1 Dec 2026 gets the NAV of 1 Dec 2026."


def test_overnight_funds_had_the_cut_off_of_all_others_before_they_got_their_own():
    cutoffs = [
        redemption_rules.cutoff_of("Overnight Fund", book=BOOK, on=date(2025, *day)) for day in ((5, 31), (6, 1))
    ]
    assert [f"{cutoff:%H:%M}" for cutoff in cutoffs] == ["15:00", "19:00"]


def test_an_order_of_the_past_stays_explained_by_the_rule_of_its_day():
    book = BOOK.with_rule(changed("nav_lag", "3", FLEXI))

    def units_by(placed: str, nav_on: date) -> date:
        order = MfOrder(kind="PURCHASE", scheme=Scheme(category=FLEXI), placed_at=at(placed), predicted_nav_on=nav_on)
        return timeline.predicted_units_by(order, HOLIDAYS, book)

    assert units_by("2026-11-30T10:00", date(2026, 11, 30)) == date(2026, 12, 1)
    assert units_by("2026-12-01T10:00", date(2026, 12, 1)) == date(2026, 12, 7)


def test_before_the_first_rule_of_all_the_oldest_holds_and_without_any_it_is_an_error():
    assert BOOK.number_of("payment_days", "NACH", on=date(1999, 1, 1)) == 2
    with pytest.raises(KeyError):
        BOOK.number_of("payment_days", "CHEQUE", on=NEXT_MONTH)


def test_a_sip_that_is_ended_after_the_change_has_the_days_of_the_new_rule():
    book = BOOK.with_rule(changed("sip_end_days", "4")).with_rule(changed("sip_failures", "4"))

    def ended_by(asked: str) -> date:
        return plan_rules.ended_by(asked_at=at(asked), holidays=HOLIDAYS, book=book)

    assert (ended_by("2026-11-30T12:00"), ended_by("2026-12-01T12:00")) == (date(2026, 12, 2), date(2026, 12, 7))
    most = [plan_rules.most_failures(book=book, on=on) for on in (date(2026, 11, 30), NEXT_MONTH)]
    assert most == [3, 4]


# --- what a proposed rule would change --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            changed("payment_cutoff", "14:15"),
            "Without it 14:30. With it the first to differ, at 14:15 on 1 Dec 2026: NAV of 2 Dec 2026, units by "
            "3 Dec 2026 instead of NAV of 1 Dec 2026, units by 2 Dec 2026.",
        ),
        (
            changed("payout_days", "1", FLEXI),
            "Without it 3 business days. With it the first to differ, at 00:00 on 1 Dec 2026: NAV of 1 Dec 2026, "
            "money by 2 Dec 2026 instead of NAV of 1 Dec 2026, money by 4 Dec 2026.",
        ),
        (changed("payment_limit", "1000000", "UPI"), "Without it ₹5,00,000."),
        (changed("payment_limit", "1000000", "CARD"), "Without it no such rule."),
        (changed("payment_cutoff", "16:00"), "Without it 14:30. With it the first to differ, at 14:30 on 1 Dec 2026"),
        (changed("purchase_cutoff", "14:45"), "Without it 15:00. No date that is promised changes by it."),
    ],
)
def test_a_preview_says_what_it_replaces_and_the_first_order_that_differs(rule, told):
    found = rule_previews.preview(rule, book=BOOK, holidays=HOLIDAYS)
    assert found.startswith(told)
    assert len(found) <= 230  # beside the count of open orders in the 300 characters of a proposal


def test_a_preview_names_the_rule_that_takes_its_place():
    book = BOOK.with_rule(changed("payment_cutoff", "13:00", since=date(2027, 3, 1)))
    told = rule_previews.preview(changed("payment_cutoff", "14:00"), book=book, holidays=HOLIDAYS)
    assert "From 1 Mar 2027 on 13:00 takes its place." in told
