"""Every unclear answer to a purchase: never two orders, never a false "failed", and the sweep settles it by itself."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta

import pytest

from orders.operations import news, sending
from portal import clock
from portal.fintech_primitives import client as fp
from portal.gateway.breaker import Breaker
from portal.gateway.errors import GatewayError
from portal.models import Case, GatewayCall
from tests.orders.conftest import ours_at_fp

pytestmark = pytest.mark.django_db

PURCHASE = "*/orders/purchase/netbanking"
LISTS = "*/orders"
# Modes after which nobody can know whether the order was taken.
UNCLEAR = (
    "reset",
    "close_half_way",
    "html_200",
    "empty_200",
    "truncated",
    "wrong_types",
    "status:500",
    "status:502",
    "status:504",
    "timed_out_400",
    "redirect",
)
CHECKING = "We are checking, do not buy again"


def submit(order) -> None:
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()


@pytest.mark.parametrize("mode", UNCLEAR)
def test_an_order_that_was_taken_behind_an_unclear_answer_is_found_and_never_sent_again(
    mode, asha, place, sandbox, recover
):
    order = place(asha)
    sandbox.fault(mode, path=PURCHASE, when="after")
    submit(order)
    assert (order.state, order.attempt) == ("SUBMITTING", "UNKNOWN")
    recover(clock.now() + timedelta(seconds=3))
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("AWAITING_PAYMENT", "")
    taken = ours_at_fp(sandbox, order)
    assert [each["received"] for each in taken] == [1]


@pytest.mark.parametrize("mode", UNCLEAR)
def test_an_order_that_was_not_taken_stays_unknown_until_a_person_lets_it_go_again(
    mode, asha, place, sandbox, recover, dev
):
    order = place(asha)
    sandbox.fault(mode, path=PURCHASE, when="before")
    submit(order)
    assert order.is_unknown
    at = clock.now()
    for seconds in (3, 6, 11, 21, 31, 46):
        recover(at + timedelta(seconds=seconds))
    order.refresh_from_db()
    assert order.is_unknown, "nothing but a person may send it again"
    assert not ours_at_fp(sandbox, order)
    assert sending.may_submit_again(order)

    sending.submit_again(order_id=order.pk, actor=dev, reason="FP confirmed on the phone: not taken", at=at)
    recover(at + timedelta(seconds=50))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert len(ours_at_fp(sandbox, order)) == 1


def test_a_time_out_after_the_order_was_taken_is_unknown_and_then_found(asha, place, sandbox, recover, settings):
    order = place(asha)
    sandbox.fault("hang", path=PURCHASE, when="after", delay_s=8)
    submit(order)
    assert order.is_unknown
    recover(clock.now() + timedelta(seconds=3))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert len(ours_at_fp(sandbox, order)) == 1


def test_an_order_that_fp_shows_only_later_is_not_sent_again_meanwhile(asha, place, sandbox, recover):
    order = place(asha)
    sandbox.fault("invisible:4", path=PURCHASE, when="after")
    sandbox.fault("reset", path=PURCHASE, when="after")
    submit(order)
    assert order.is_unknown
    at = clock.now()
    for seconds in (3, 6):
        recover(at + timedelta(seconds=seconds))
    order.refresh_from_db()
    assert order.is_unknown
    time.sleep(4.2)
    recover(at + timedelta(seconds=31))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]


def test_fp_out_of_reach_means_that_nothing_was_sent_and_it_goes_out_later(asha, place, sandbox, recover, monkeypatch):
    order = place(asha)
    monkeypatch.setattr(fp.client().transport, "base_url", "http://127.0.0.1:9/fp")
    submit(order)
    assert (order.state, order.attempt) == ("SUBMITTING", "")
    monkeypatch.undo()
    recover(clock.now() + timedelta(seconds=11))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]


@pytest.mark.parametrize("when", ["before", "after"])
def test_asked_to_slow_down_it_looks_first_and_then_sends_at_most_once(when, asha, place, sandbox, recover):
    order = place(asha)
    sandbox.fault("status:429", path=PURCHASE, when=when)
    submit(order)
    assert (order.state, order.attempt) == ("SUBMITTING", "")
    recover(clock.now() + timedelta(seconds=11))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]


def test_a_401_renews_the_token_once_and_goes_on(asha, place, sandbox):
    order = place(asha)
    sandbox.fault("status:401", path=PURCHASE, when="before")
    submit(order)
    assert order.state == "AWAITING_PAYMENT"
    assert len(ours_at_fp(sandbox, order)) == 1


def test_an_unknown_that_lasts_fifteen_minutes_becomes_one_case_and_is_closed_when_found(asha, place, sandbox, recover):
    order = place(asha)
    sandbox.fault("reset", path=PURCHASE, when="after")
    submit(order)
    at = clock.now()
    sandbox.fault("status:500", method="GET", path=LISTS, times=1000)
    for minutes in (1, 5, 16, 30):
        for _ in range(2):
            with contextlib.suppress(GatewayError):
                sending.advance(order_id=order.pk, at=at + timedelta(minutes=minutes))
    order.refresh_from_db()
    assert order.is_unknown
    assert Case.objects.get(kind=news.UNKNOWN_CASE, state="OPEN").times_reported >= 2
    sandbox.no_faults()
    fp.client().breaker = Breaker("fp")  # its ten seconds are over
    recover(at + timedelta(minutes=45))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert Case.objects.get(kind=news.UNKNOWN_CASE).state == "CLOSED"


def test_fifteen_minutes_of_empty_look_ups_open_one_case(asha, place, sandbox, recover):
    order = place(asha)
    sandbox.fault("reset", path=PURCHASE, when="before")
    submit(order)
    at = clock.now()
    for minutes in (1, 5, 16, 30):
        recover(at + timedelta(minutes=minutes))
    case = Case.objects.get(kind=news.UNKNOWN_CASE)
    assert case.subject_id == str(order.pk)
    assert case.times_reported == 2


def test_a_reference_that_fp_calls_taken_is_looked_up_and_not_called_refused(asha, place, sandbox, recover):
    order = place(asha)
    submit(order)
    assert order.state == "AWAITING_PAYMENT"
    # As if our record had been lost: the same reference goes out once more.
    type(order).objects.filter(pk=order.pk).update(state="SUBMITTING", provider_ref=None, attempt_no=0)
    order.refresh_from_db()
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state != "REJECTED"
    recover(clock.now() + timedelta(seconds=3))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert len(ours_at_fp(sandbox, order)) == 1


def test_a_worker_that_died_before_sending_is_followed_by_a_send(asha, place, sandbox, recover):
    order = place(asha)
    claimed = sending._claim(order_id=order.pk, at=clock.now())
    assert claimed is not None
    recover(clock.now() + timedelta(seconds=46))
    recover(clock.now() + timedelta(seconds=60))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]


def test_a_worker_that_died_after_sending_is_followed_by_a_look_up(asha, place, sandbox, recover):
    from orders import gateway

    order = place(asha)
    claimed = sending._claim(order_id=order.pk, at=clock.now())
    gateway.send(claimed)
    recover(clock.now() + timedelta(seconds=46))
    recover(clock.now() + timedelta(seconds=60))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]
    assert GatewayCall.objects.filter(path__endswith=PURCHASE[1:]).count() == 1


def test_a_slow_answer_after_somebody_else_took_over_changes_nothing_twice(asha, place, sandbox):
    order = place(asha)
    first = sending._claim(order_id=order.pk, at=clock.now())
    type(order).objects.filter(pk=order.pk).update(attempt="")
    second = sending._claim(order_id=order.pk, at=clock.now())
    assert second.attempt_no == first.attempt_no + 1
    from portal.gateway.errors import OutcomeUnknown

    sending._record_trouble(
        order_id=order.pk, fence=first.attempt_no, error=OutcomeUnknown("fp", "POST", "/"), at=clock.now()
    )
    order.refresh_from_db()
    assert order.attempt == "OPEN", "only the holder of the newest fencing number may record"


def test_the_investor_reads_that_we_are_checking_on_the_page_and_in_the_list(asha, place, sandbox, client_for):
    order = place(asha)
    sandbox.fault("reset", path=PURCHASE, when="after")
    submit(order)
    browser = client_for(asha)
    page = browser.get(f"/orders/{order.code}/").content.decode()
    assert CHECKING in page
    assert "Pay ₹" not in page
    assert "We are checking" in browser.get("/orders/").content.decode()


@pytest.mark.parametrize("mode", ["reset", "status:500", "html_200"])
def test_trouble_while_signing_in_means_that_the_order_was_not_sent(mode, asha, place, sandbox, recover):
    order = place(asha)
    fp.client().renew()
    sandbox.fault(mode, path="*/tenant/login", when="before")
    submit(order)
    assert (order.state, order.attempt) == ("SUBMITTING", "")
    assert GatewayCall.objects.get(our_ref=order.client_ref).outcome == "UNREACHABLE"
    recover(clock.now() + timedelta(seconds=11))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]
