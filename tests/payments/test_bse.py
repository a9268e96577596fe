"""The BSE gateway: the exchange takes the order first, and answers to a payment with a page of somebody else's."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import capabilities, lifecycle
from orders.models import MfOrder
from orders.operations import sending
from payments import bank_pages, operations
from payments.models import Payment
from payments.operations import attempts
from portal import clock
from portal.errors import InvalidInput
from portal.models import Case
from tests.orders.conftest import given, ours_at_fp, place, scheme  # noqa: F401 - fixtures
from tests.patience import FACTOR

PAY = "*/bse_payments"
PAGE = "<html><form name='Bankfrm' method='post' action='{}'><input type='hidden' name='qs' value='1'></form></html>"


@pytest.fixture
def order(bse: None, asha: Any, scheme: Any, request: Any) -> MfOrder:  # noqa: F811
    """An order that the exchange has and that waits for money."""
    from orders.operations import purchases
    from tests import factories

    at = clock.now()
    wish = purchases.prepare(
        investor=asha,
        isin=scheme.isin,
        amount=factories.ConsentFactory._meta.declarations["amount"],
        bank_account=asha.bankaccounts.get(),
        payment_method="NETBANKING",
        at=at,
    )
    consent = factories.ConsentFactory(
        investor=asha, amount=wish.amount, isin=scheme.isin, shown=purchases.shown(wish), asked_at=at
    )
    made = purchases.confirm(investor=asha, code=consent.code, otp="", buy_again=False, ip="127.0.0.1", at=at)
    return until(made, "AWAITING_PAYMENT")


def until(order: MfOrder, state: str, seconds: float = 60) -> MfOrder:
    """Let the worker's sweep do what the rows say until the order is in a state."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        order.refresh_from_db()
        if order.state == state:
            return order
        sending.advance(order_id=order.pk, at=clock.now())
        for payment in Payment.objects.filter(lines__order=order):
            operations.advance(payment_id=payment.pk, at=clock.now())
        time.sleep(0.2)
    raise AssertionError(f"still {order.state}")


def open_payment(order: MfOrder) -> Payment:
    payment = operations.start(order_id=order.pk, at=clock.now())
    assert payment
    for _ in range(2):
        operations.advance(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


@pytest.mark.django_db
class TestPurchase:
    """From the yes to units."""

    def test_the_exchange_has_the_order_before_the_money(self, order, sandbox):
        assert order.gateway == "BSE"
        theirs = ours_at_fp(sandbox, order)
        assert [each["status"] for each in theirs] == ["SUBMITTED"]

    def test_goes_from_the_banks_page_to_allotted_units(self, order, asha, sandbox, client_for):
        payment = open_payment(order)
        assert (payment.state, payment.token_url) == ("AWAITING_INVESTOR", "")
        assert "Bankfrm" in payment.page_html
        answer = client_for(asha).post(f"/orders/{order.code}/pay/")
        assert answer["Location"] == f"/payments/{payment.code}/page/"
        page = client_for(asha).get(answer["Location"])
        assert b'sandbox="allow-forms allow-top-navigation-by-user-activation"' in page.content
        assert b"Bankfrm" not in page.content
        sandbox.pay(payment.provider_ref)
        until(order, "ALLOTTED")
        assert order.allotted_units > 0

    def test_the_frame_runs_no_script_and_leads_to_the_bank_only(self, order, asha, sandbox, client_for):
        payment = open_payment(order)
        client = client_for(asha)
        frame = f"/payments/{payment.code}/page/frame/"
        # Nobody has pressed the button yet: the page is not handed out.
        assert client.get(frame).status_code == 404
        client.post(f"/orders/{order.code}/pay/")
        answer = client.get(frame)
        policy = answer["Content-Security-Policy"]
        assert "sandbox allow-forms" in policy
        assert "allow-scripts" not in policy
        assert f"form-action {sandbox.url}" in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.content.decode().count('formtarget="_top"') == 1

    def test_the_page_is_gone_once_the_payment_has_ended(self, order, asha, sandbox, client_for):
        payment = open_payment(order)
        client_for(asha).post(f"/orders/{order.code}/pay/")
        sandbox.pay(payment.provider_ref, "failure")
        operations.refresh(payment_id=payment.pk, at=clock.now())
        payment.refresh_from_db()
        assert (payment.state, payment.page_html) == ("FAILED", "")
        assert client_for(asha).get(f"/payments/{payment.code}/page/frame/").status_code == 404

    def test_a_page_whose_form_leads_elsewhere_is_never_kept(self, order, settings):
        settings.PAYMENT_PAGE_ORIGINS = ["https://bank.example"]
        payment = operations.start(order_id=order.pk, at=clock.now())
        operations.open_page(payment_id=payment.pk, at=clock.now())
        payment.refresh_from_db()
        assert payment.is_unknown
        assert not payment.page_html

    @pytest.mark.parametrize("mode", ["reset", "truncated", "status:500", "empty_200"])
    def test_a_page_that_was_lost_on_the_way_is_given_up_and_replaced(self, order, sandbox, mode):
        sandbox.fault(mode, path=PAY, when="after")
        first = open_payment(order)
        for _ in range(3):
            operations.advance(payment_id=first.pk, at=clock.now())
        first.refresh_from_db()
        assert (first.state, first.failure_code) == ("EXPIRED", "page_lost")
        again = operations.start(order_id=order.pk, at=clock.now(), again=True)
        for _ in range(2):
            operations.advance(payment_id=again.pk, at=clock.now())
        again.refresh_from_db()
        assert again.state == "AWAITING_INVESTOR"

    def test_a_payment_that_fp_does_not_list_ends_and_its_number_is_learnt_later(self, order, sandbox):
        hidden_for = 6 * FACTOR
        sandbox.fault(f"invisible:{hidden_for}", path=PAY)
        first = open_payment(order)
        assert (first.is_unknown, bool(first.page_html)) == (True, True)
        for _ in range(attempts.LOOKS_BEFORE_RELEASE):
            operations.settle(payment_id=first.pk, at=clock.now())
        first.refresh_from_db()
        assert first.is_unknown, "somebody looked at the page again and again, and no time has passed"
        never_listed(first)
        assert (first.state, first.failure_code, first.provider_ref) == ("FAILED", attempts.LOST, None)
        assert first.due_at, "it is looked for by its orders"
        second = operations.start(order_id=order.pk, at=clock.now(), again=True)
        for _ in range(2):
            operations.advance(payment_id=second.pk, at=clock.now())
        second.refresh_from_db()
        assert second.state == "AWAITING_INVESTOR", "and the investor has a page"
        time.sleep(hidden_for)
        operations.advance(payment_id=first.pk, at=clock.now())
        first.refresh_from_db()
        assert (first.state, first.provider_ref not in (None, second.provider_ref)) == ("FAILED", True)

    def test_page_upon_page_that_fp_does_not_list_becomes_a_case(self, order, sandbox):
        sandbox.fault("invisible:3600", path=PAY, times=attempts.MOST_LOST_PAGES)
        for _ in range(attempts.MOST_LOST_PAGES):
            assert not Case.objects.exists()
            payment = operations.start(order_id=order.pk, at=clock.now(), again=True)
            for _ in range(2):
                operations.advance(payment_id=payment.pk, at=clock.now())
            never_listed(payment)
        assert Case.objects.get().kind == attempts.LOST_PAGES_CASE


def never_listed(payment: Payment) -> None:
    """Each look that the row asks for, while FP lists nothing."""
    for _ in range(2 * attempts.LOOKS_BEFORE_RELEASE):
        payment.refresh_from_db()
        if payment.is_unknown:
            operations.settle(payment_id=payment.pk, at=payment.due_at)
    payment.refresh_from_db()


NOON = datetime(2026, 11, 20, 12, tzinfo=clock.IST)


@pytest.mark.parametrize(
    ("state", "made_after_s", "can_be"),
    [
        ("STARTING", -61, False),  # an earlier row's, listed late: its page is another
        ("STARTING", -59, True),
        ("STARTING", 5, True),
        ("FAILED", 5, True),
        ("FAILED", 8 * 60 - 61, True),
        ("FAILED", 8 * 60 - 59, False),  # a later row's
        ("FAILED", None, False),
        ("STARTING", None, True),
    ],
)
def test_a_page_and_a_number_belong_together_only_if_both_are_of_the_same_minutes(state, made_after_s, can_be):
    payment = Payment(gateway="BSE", state=state, created_at=NOON, state_since=NOON + timedelta(minutes=8))
    made_at = None if made_after_s is None else NOON + timedelta(seconds=made_after_s)
    assert attempts.gateway._can_be(payment, made_at) is can_be
    payment.gateway = "RTA"
    assert attempts.gateway._can_be(payment, made_at)


@pytest.mark.parametrize(
    ("html", "action"),
    [
        (PAGE.format("https://bank.example/pay?a=1&amp;b=2"), "https://bank.example/pay?a=1&b=2"),
        (PAGE.replace("post", "get").format("https://bank.example/"), ""),
        (PAGE.format("https://bank.example/") * 2, ""),
        ("<base href='https://evil.example/'>" + PAGE.format("/pay"), ""),
        (PAGE.format("https://bank.example/").replace("hidden'", "submit' formaction='https://evil.example/'"), ""),
        ("<meta http-equiv='Refresh' content='0;url=https://evil.example/'>" + PAGE.format("https://b.example/"), ""),
        ("<p>Maintenance</p>", ""),
    ],
    ids=["fits", "get", "two-forms", "base", "formaction", "refresh", "none"],
)
def test_reads_where_the_only_form_of_a_page_leads(html, action):
    assert bank_pages.form_action(html) == action


def test_both_gateways_end_where_units_are_and_differ_in_when_money_is_paid():
    for gateway, table in lifecycle.PURCHASE.items():
        way = table.path("CREATED", "ALLOTTED")
        pays_first = way.index("PAID") < way.index("PLACED")
        assert capabilities.of(gateway).pays_first == pays_first
        assert lifecycle.is_paid_after_placing("PURCHASE", gateway) != pays_first


@pytest.mark.django_db
def test_bse_takes_no_purchase_by_mandate(settings, asha):
    from decimal import Decimal

    from orders.operations import purchases
    from tests import factories

    settings.FP_ORDER_GATEWAY = "BSE"
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    way = purchases.Way(mandate.bank_account, "NACH", mandate)
    with pytest.raises(InvalidInput, match="cannot be paid in this way"):
        purchases.check_way(investor=asha, way=way, amounts=[Decimal(5_000)], at=clock.now())


def test_a_form_that_is_left_open_ends_with_the_page():
    page = PAGE.format("https://bank.example/pay").split("</form>")[0]
    assert bank_pages.form_action(page) == "https://bank.example/pay"
    assert bank_pages.framed(page) == bank_pages.WHOLE_WINDOW + page + bank_pages.BUTTON
