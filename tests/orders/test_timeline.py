"""The timeline of an order: who has the money after each hop, what comes next and by when, what came true."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from orders import plan_rules, timeline
from portal.audit import Told
from portal.clock import IST
from tests.orders.rulebooks import BOOK

# 2026: Friday 20 Nov; Tuesday 24 Nov is a holiday.
HOLIDAYS = frozenset({date(2026, 11, 24), date(2027, 1, 26)})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=IST)


def order(state: str = "AWAITING_PAYMENT", **changes: object) -> SimpleNamespace:
    facts = {
        "kind": "PURCHASE", "gateway": "RTA", "state": state, "state_since": at("20T10:05"), "is_unknown": False,
        "placed_at": at("20T10:00"), "payment_method": "UPI", "predicted_nav_on": date(2026, 11, 20),
        "scheme": SimpleNamespace(category="Flexi Cap Fund", asset_class="EQUITY"), "payout_by": None,
        "allotted_on": None, "allotted_units": None, "allotted_nav": None, "folio": None, "provider_ref": "77",
        "instalment_on": None,
    }  # fmt: skip
    return SimpleNamespace(**facts | changes)


def told(*actions: str, **data: str) -> list[Told]:
    return [Told(action, at("20T10:05"), data) for action in actions]


def tell(its: SimpleNamespace, entries: list[Told], now: str = "20T10:06") -> timeline.Timeline:
    return timeline.of(its, entries, now_text="now", at=at(now), holidays=HOLIDAYS, book=BOOK)


PAID = ("order.created", "order.awaiting_payment", "order.paid")


@pytest.mark.parametrize(
    ("state", "actions", "money"),
    [
        ("CREATED", ("order.created",), "in your bank account"),
        ("AWAITING_PAYMENT", PAID[:2], "in your bank account"),
        ("AWAITING_PAYMENT", (*PAID[:2], "payment.handed_over"), timeline._NOBODY_KNOWS),
        ("PAID", PAID, "debited from your bank; with the payment's clearing, not with us"),
        ("PAID", (*PAID, "payment.transferred"), "between the clearing and the fund house"),
        ("PLACED", (*PAID, "payment.transferred", "payment.settled", "order.placed"), "with the fund house"),
        ("ALLOTTED", (*PAID, "order.placed", "order.allotted"), "in units of the fund"),
        ("REJECTED", (*PAID, "order.rejected"), "on its way back to your bank account"),
        ("REJECTED", ("order.created", "order.rejected"), "in your bank account"),
        ("EXPIRED", (*PAID[:2], "payment.handed_over", "order.expired"), ""),
    ],
)
def test_says_after_each_hop_who_has_the_money(state, actions, money):
    assert tell(order(state), told(*actions)).money == money


@pytest.mark.parametrize(
    ("action", "code", "was_out", "money"),
    [
        ("payment.failed", "user_cancelled", "yes", "in your bank account"),
        ("payment.failed", "tpv_failed", "yes", "on its way back to your bank account"),
        ("payment.failed", "bank_downtime", "yes", timeline._AFTER_FAILURE),
        ("payment.expired", "page_expired", "", "in your bank account"),
    ],
)
def test_after_a_failed_payment_the_money_is_where_the_failure_says(action, code, was_out, money):
    failed = Told(action, at("20T10:05"), {"code": code, "was_out": was_out})
    story = tell(order(), [*told(*PAID[:2], "payment.handed_over"), failed])
    assert story.money == money
    assert story.steps[3].money == money


def test_an_unpaid_order_says_until_when_it_can_be_paid_for_which_nav():
    steps = [each for each in tell(order(), told(*PAID[:2])).steps if each.expected]
    assert [(each.title, each.expected) for each in steps] == [
        ("Payment", "before 14:30 on 20 Nov 2026 for the NAV of 20 Nov 2026"),
        ("Through the clearing", "by 20 Nov 2026"),
        ("Order and money with the fund house", "by 20 Nov 2026"),
        ("Units allotted", "by 23 Nov 2026, at the NAV of 20 Nov 2026"),
        ("Confirmed by the registrar", "by 25 Nov 2026"),
    ]
    assert [each.status for each in steps] == ["current", "todo", "todo", "todo", "todo"]


def test_an_order_that_is_paid_late_moves_what_is_expected_and_says_which_hop_it_was():
    entries = told(*PAID, debited_at=at("20T15:10").isoformat())
    (units,) = [each for each in tell(order("PAID"), entries).steps if each.title == "Units allotted"]
    assert units.expected == "by 25 Nov 2026, at the NAV of 23 Nov 2026"
    late = order("ALLOTTED", allotted_on=date(2026, 11, 23))
    assert "20 Nov 2026, 15:10 IST: too late" in timeline.why_later(late, entries, HOLIDAYS, BOOK)


def test_a_late_allotment_after_a_payment_in_time_is_not_blamed_on_the_payment():
    entries = told(*PAID, debited_at=at("20T10:10").isoformat())
    late = order("ALLOTTED", allotted_on=date(2026, 11, 23))
    assert "The payment was in time" in timeline.why_later(late, entries, HOLIDAYS, BOOK)
    assert timeline.why_later(order("ALLOTTED", allotted_on=date(2026, 11, 20)), entries, HOLIDAYS, BOOK) == ""


def test_shows_when_the_bank_says_that_it_happened_not_when_we_heard_of_it():
    (paid,) = [
        step
        for step in tell(
            order("PAID"), told("order.paid", debited_at=at("20T10:03").isoformat(), payment="PAY-1")
        ).steps
        if step.status == "done"
    ]
    assert (paid.at, paid.text) == ("20 Nov 2026, 10:03 IST", "payment PAY-1")


def test_compares_what_was_promised_with_what_came_true():
    its = order("ALLOTTED", allotted_on=date(2026, 11, 20), state_since=at("25T10:00"))
    nav, units = timeline.compare(its, HOLIDAYS, BOOK)
    assert (nav.promised, nav.became, nav.is_kept) == (date(2026, 11, 20), date(2026, 11, 20), True)
    assert (units.promised, units.became, units.is_kept) == (date(2026, 11, 23), date(2026, 11, 25), False)


def test_after_units_only_the_registrar_is_left_and_its_word_ends_the_story():
    assert timeline.to_come(order("ALLOTTED"), {"order.allotted"}) == ["Confirmed by the registrar"]
    assert timeline.to_come(order("ALLOTTED"), {"order.confirmed"}) == []
    assert timeline.to_come(order("REJECTED"), {"order.created"}) == ()


def test_units_and_nav_are_written_as_everywhere():
    got = {"allotted_units": Decimal("12345.6"), "allotted_nav": Decimal("2193.2612")}
    its = order("ALLOTTED", folio=SimpleNamespace(number="196217"), **got)
    texts = [step.text for step in tell(its, told(*PAID, "order.allotted")).steps]
    assert "12,345.600 units at ₹2,193.2612 in folio 196217" in texts


def test_bse_registers_before_the_payment():
    its = order("PLACED", gateway="BSE")
    assert timeline.to_come(its, {"order.placed"})[0] == "Payment"


def test_a_sale_says_when_the_money_comes():
    its = order("REDEEMED", kind="REDEMPTION", payout_by=date(2026, 11, 25), allotted_units=Decimal(5))
    steps = tell(its, told("order.created", "order.placed", "order.redeemed")).steps
    assert [(each.title, each.expected) for each in steps if each.status == "todo"] == [
        ("Money in your bank account", "by 25 Nov 2026"),
        ("Confirmed by the registrar", "by 25 Nov 2026"),
    ]


def test_a_mandate_that_is_debited_still_travels_a_day():
    entries = told("order.paid", debited_at=at("20T12:00").isoformat())
    its = order("PAID", payment_method="NACH", placed_at=at("19T10:00"))
    found = timeline.expected(its, paid_at=timeline.paid_at(entries), at=at("20T12:01"), holidays=HOLIDAYS, book=BOOK)
    assert found.nav_on == date(2026, 11, 23)


def test_a_day_that_has_passed_is_said_to_have_passed():
    entries = told(*PAID, debited_at=at("20T10:00").isoformat())
    (units,) = [each for each in tell(order("PAID"), entries, "26T10:00").steps if each.title == "Units allotted"]
    assert units.expected == "by 23 Nov 2026, at the NAV of 20 Nov 2026. That day has passed: it is late"
    sold = order("REDEEMED", kind="REDEMPTION", payout_by=date(2026, 11, 25), allotted_units=Decimal(5))
    steps = tell(sold, told("order.created", "order.placed", "order.redeemed"), "26T10:00").steps
    assert [each.expected for each in steps if each.title == "Money in your bank account"] == [
        "by 25 Nov 2026. If it is not there, write to us"
    ]


def test_an_instalment_expects_the_nav_that_was_promised_for_its_date():
    on = date(2026, 11, 20)
    its = order("AWAITING_PAYMENT", payment_method="NACH", placed_at=at("20T16:30"), instalment_on=on)
    found = timeline.expected(its, paid_at=None, at=at("20T17:00"), holidays=HOLIDAYS, book=BOOK)
    promised, _ = plan_rules.nav_of(on=on, category="", holidays=HOLIDAYS, book=BOOK)
    assert (found.nav_on, found.pay_before) == (promised, None)
