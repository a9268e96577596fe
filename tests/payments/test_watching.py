"""Money that stands still becomes a case that the investor reads, and closes when the order moves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orders.models import MfOrder
from payments.models import PaymentLine
from payments.operations import watching
from portal.clock import IST
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=IST)


def order_with_money(state: str, since: datetime, payment: str = "DEBITED") -> MfOrder:
    """Its bank was debited at `since`, and the order has stood in `state` from then on."""
    order = factories.OrderFactory(state=state, placed_at=since)
    factories.PaymentFactory(order=order, state=payment, created_at=since, debited_at=since)
    return order


# Friday 20 Nov; Tuesday 24 Nov is a holiday.
@pytest.mark.parametrize(
    ("state", "not_yet", "late"),
    [
        ("AWAITING_PAYMENT", "20T10:29", "20T10:31"),
        ("REJECTED", "20T10:29", "20T10:31"),
        ("PAID", "20T23:59", "21T00:01"),
        ("PLACED", "25T23:59", "26T00:01"),  # units by Monday; Wednesday is the next business day
    ],
)
def test_each_state_has_its_patience(state, not_yet, late):
    order_with_money(state, at("20T10:00"))
    assert watching.watch(at(not_yet)) == 0
    assert watching.watch(at(late)) == 1
    assert watching.watch(at(late) + timedelta(minutes=1)) == 0
    assert Case.objects.get().kind == watching.CASE


def test_an_order_whose_money_never_left_the_bank_is_left_alone():
    order_with_money("AWAITING_PAYMENT", at("20T10:00"), payment="AWAITING_INVESTOR")
    assert watching.watch(at("27T10:00")) == 0


def test_the_investor_reads_the_case_on_the_order(client_for):
    order = order_with_money("AWAITING_PAYMENT", at("20T10:00"))
    watching.watch(at("20T11:00"))
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert "We noticed a delay and look into it" in page
    assert Case.objects.get().code in page


def test_the_case_closes_when_the_order_moves_but_not_when_it_ends():
    order = order_with_money("AWAITING_PAYMENT", at("20T10:00"))
    watching.watch(at("20T11:00"))
    MfOrder.objects.filter(pk=order.pk).update(state="PAID", state_since=at("20T11:05"))
    watching.watch(at("20T11:06"))
    assert Case.objects.get().state == "CLOSED"
    ended = order_with_money("REJECTED", at("20T10:00"))
    watching.watch(at("20T11:00"))
    watching.watch(at("20T12:00"))
    case = Case.objects.get(subject_id=ended.pk)
    assert case.state == "OPEN", "somebody must see the money come back"
    Case.objects.filter(pk=case.pk).update(state="CLOSED", closed_at=at("20T13:00"))
    assert watching.watch(at("20T14:00")) == 0, "and it is asked about once"


def test_an_order_that_was_paid_twice_is_told_of_once():
    order = order_with_money("AWAITING_PAYMENT", at("20T10:00"))
    PaymentLine.objects.update(is_live=False)
    factories.PaymentFactory(order=order, state="DEBITED", created_at=at("20T10:00"), debited_at=at("20T10:00"))
    assert watching.watch(at("20T11:00")) == 1
    assert Case.objects.get().times_reported == 1


def test_those_that_are_in_time_do_not_hide_those_that_are_late(monkeypatch):
    monkeypatch.setattr(watching, "AT_ONCE", 1)
    for _ in range(3):
        order_with_money("PAID", at("20T10:00"))
    late = order_with_money("AWAITING_PAYMENT", at("20T10:00"))
    assert watching.watch(at("20T11:00")) == 1
    assert Case.objects.get().subject_id == str(late.pk)
