"""Several purchases under one code and one payment; every line keeps its own fate."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.test import TestCase

from investors.operations import consents
from orders.models import Cart, CartLine, MfOrder
from orders.operations import carts, purchases, sending
from orders.operations.carts import CartIsFull, NothingToOrder
from orders.queries import cart_orders
from payments import operations as payments
from payments.models import Payment, PaymentLine
from portal import clock
from portal.errors import InvalidInput
from tests import factories
from tests.orders.carting import asked, confirm, fill, newest_code, sold_schemes, way
from tests.orders.conftest import ours_at_fp

pytestmark = pytest.mark.django_db


@pytest.fixture
def schemes(db):
    return sold_schemes()


@pytest.fixture
def ready(asha, schemes):
    """Asha with three funds in her cart."""
    fill(asha, schemes)
    return asha


def troubles(investor) -> list[str]:
    lines = list(carts.lines_of(Cart.objects.get(investor=investor, confirmed_at=None)))
    return [each.trouble for each in carts.look(investor=investor, lines=lines, way=way(investor), at=clock.now())]


# --- what stands in it --------------------------------------------------------------------------------------------


def test_a_fund_stands_once_in_a_folio_and_takes_the_newest_amount(asha, schemes):
    fill(asha, [schemes[0], schemes[0]], (5_000, 6_000))
    assert [line.amount for line in CartLine.objects.all()] == [Decimal(6_000)]


def test_refuses_an_amount_below_the_scheme_minimum_before_it_is_in_the_cart(asha, schemes):
    with pytest.raises(InvalidInput, match="₹500"):
        fill(asha, schemes, (499,))
    assert not CartLine.objects.exists()


def test_holds_ten_funds_and_no_eleventh(asha):
    fill(asha, [factories.SchemeFactory() for _ in range(10)], (5_000,) * 10)
    with pytest.raises(CartIsFull):
        fill(asha, [factories.SchemeFactory()])


def test_an_existing_folio_is_offered_and_a_new_one_may_be_chosen(asha, schemes):
    folio = factories.FolioFactory(investor=asha, fund_house=schemes[0].fund_house)
    fill(asha, schemes[:1])
    line = CartLine.objects.get()
    assert line.folio == folio
    carts.change(investor=asha, amounts={}, folios={line.pk: "new"})
    line.refresh_from_db()
    assert line.folio is None


def test_the_bounds_are_those_of_a_further_purchase_only_where_the_folio_holds_the_scheme(asha, schemes):
    schemes[0].min_first, schemes[0].min_more = Decimal(5_000), Decimal(500)
    schemes[0].save()
    held = factories.HoldingFactory(investor=asha, scheme=schemes[0])
    buy = {"investor": asha, "isin": schemes[0].isin, "amount": Decimal(500), "at": clock.now()}
    carts.add(**buy, folio=held.folio.number)
    with pytest.raises(InvalidInput, match="₹5,000"):
        carts.add(**buy, folio="new")


def test_somebody_elses_folio_takes_no_money(asha, chitra, schemes):
    hers = factories.FolioFactory(investor=chitra, fund_house=schemes[0].fund_house)
    with pytest.raises(InvalidInput, match="your own folios"):
        carts.add(investor=asha, isin=schemes[0].isin, amount=Decimal(5_000), folio=hers.number, at=clock.now())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"purchase_allowed": False}, "no purchases"),
        ({"min_first": Decimal(9_000)}, "₹9,000"),
        ({"is_active": False}, "no longer"),
    ],
    ids=["closed", "minimum-raised", "gone"],
)
def test_a_line_that_became_invalid_says_so_and_the_others_go_on(ready, schemes, change, words):
    for name, value in change.items():
        setattr(schemes[1], name, value)
    schemes[1].save()
    found = troubles(ready)
    assert words in found[1]
    assert (found[0], found[2]) == ("", "")
    cart = confirm(ready, *asked(ready))
    assert [order.scheme for order in cart.orders.order_by("pk")] == [schemes[0], schemes[2]]
    # What was not ordered waits in the open cart.
    assert [line.scheme for line in Cart.objects.get(confirmed_at=None).lines.all()] == [schemes[1]]


def test_a_kyc_on_hold_stands_at_every_line_and_nothing_is_asked(ready):
    factories.KycCheckFactory(investor=ready, is_compliant=False, checked_at=clock.now() + timedelta(seconds=1))
    assert all("KYC" in trouble for trouble in troubles(ready))
    with pytest.raises(NothingToOrder):
        asked(ready)
    assert not mail.outbox


def test_the_kyc_limit_of_a_fund_house_is_counted_over_the_lines(asha, schemes):
    other = factories.SchemeFactory(fund_house=schemes[0].fund_house)
    later = clock.now() + timedelta(seconds=1)
    factories.KycCheckFactory(investor=asha, investment_limit=Decimal(50_000), checked_at=later)
    fill(asha, [schemes[0], other, schemes[1]], (30_000, 30_000, 50_000))
    found = troubles(asha)
    assert "₹20,000.00 of it is left" in found[1]
    assert (found[0], found[2]) == ("", "")


# --- one code for all ---------------------------------------------------------------------------------------------


def test_one_code_makes_each_line_an_order(ready):
    cart = confirm(ready, *asked(ready))
    orders = list(cart.orders.order_by("pk"))
    assert [order.amount for order in orders] == [5_000, 5_010, 5_020]
    assert {order.authority for order in orders} == {cart.consent}
    assert all(order.is_execution_only and order.user_ip and order.server_ip for order in orders)
    assert cart.consent.amount == Decimal(15_030)
    assert not Cart.objects.get(confirmed_at=None).lines.exists()


def test_the_message_names_every_line(ready, schemes):
    asked(ready)
    assert all(scheme.name in mail.outbox[-1].body for scheme in schemes)


def test_the_same_code_twice_is_one_cart(ready):
    consent, otp = asked(ready)
    assert confirm(ready, consent, otp) == confirm(ready, consent, otp)
    assert MfOrder.objects.count() == 3


def test_a_wrong_code_orders_nothing_and_is_counted(ready):
    consent, otp = asked(ready)
    with pytest.raises(consents.WrongCode):
        confirm(ready, consent, f"{(int(otp) + 1) % 1_000_000:06d}")
    consent.refresh_from_db()
    assert (consent.tries, MfOrder.objects.count()) == (1, 0)


@pytest.mark.parametrize("what", ["amount", "gone", "closed"])
def test_a_cart_that_changed_after_the_code_orders_nothing(ready, schemes, what):
    consent, otp = asked(ready)
    line = CartLine.objects.order_by("pk")[1]
    if what == "amount":
        carts.change(investor=ready, amounts={line.pk: Decimal(9_999)}, folios={})
    elif what == "gone":
        carts.remove(investor=ready, line_id=line.pk)
    else:
        schemes[1].purchase_allowed = False
        schemes[1].save()
    with pytest.raises(purchases.TermsChanged):
        confirm(ready, consent, otp)
    assert not MfOrder.objects.exists()
    again = carts.ask_again(investor=ready, consent=consent, ip=None, at=clock.now())
    assert again.pk == consent.pk
    with pytest.raises(consents.WrongCode):
        confirm(ready, consent, otp)


def test_what_was_bought_a_moment_ago_takes_an_explicit_yes(ready, schemes):
    factories.OrderFactory(investor=ready, scheme=schemes[2], amount=Decimal(5_020))
    consent, otp = asked(ready)
    with pytest.raises(purchases.LooksLikeAnother):
        confirm(ready, consent, otp)
    assert confirm(ready, consent, otp, buy_again=True).orders.count() == 3


def test_by_upi_no_more_is_taken_than_upi_carries(asha, schemes):
    fill(asha, schemes, (300_000, 200_010))
    with pytest.raises(InvalidInput, match="net banking"):
        asked(asha)
    confirm(asha, *asked(asha, way(asha, "NETBANKING")))


def test_the_cart_survives_logging_out(ready, client_for):
    client = client_for(ready)
    assert client.get("/cart/").content.count(b"cart-line-head") == 3
    client.logout()
    assert client_for(ready).get("/cart/").content.count(b"cart-line-head") == 3


# --- one payment, and each line's own outcome -----------------------------------------------------------------------


def sent(cart: Cart) -> list[MfOrder]:
    for order in cart.orders.order_by("pk"):
        sending.submit(order_id=order.pk, at=clock.now())
    return list(cart.orders.order_by("pk"))


def open_payment(order: MfOrder, at=None) -> Payment:
    payment = payments.start(order_id=order.pk, at=at or clock.now())
    assert payment
    payments.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


def test_one_payment_collects_for_all_lines(ready, sandbox):
    factories.register_at_fp(ready)
    orders = sent(confirm(ready, *asked(ready)))
    payment = open_payment(orders[1])
    assert payment.amount == Decimal(15_030)
    assert payment.lines.count() == 3
    assert payments.start(order_id=orders[0].pk, at=clock.now()) is None
    sandbox.pay(payment.provider_ref)
    payments.refresh(payment_id=payment.pk, at=clock.now())
    assert {order.state for order in MfOrder.objects.all()} == {"PAID"}
    assert [len(ours_at_fp(sandbox, order)) for order in orders] == [1, 1, 1]


def test_a_line_that_fp_refuses_leaves_the_others_to_be_paid(asha, sandbox, schemes):
    schemes[1] = factories.SchemeFactory(name="Sold by nobody")
    fill(asha, schemes)
    cart = confirm(asha, *asked(asha))
    orders = sent(cart)
    assert [order.state for order in orders] == ["AWAITING_PAYMENT", "REJECTED", "AWAITING_PAYMENT"]
    payment = open_payment(orders[0])
    assert payment.amount == Decimal(10_020)
    found = cart_orders.read(cart=cart, at=clock.now())
    assert (found.total, found.not_collected, found.to_pay, found.paid) == (15_030, 5_010, 10_020, 0)
    assert found.payable_total == Decimal(10_020)


def test_a_line_whose_answer_is_out_is_waited_for_and_then_paid_by_itself(asha, sandbox, schemes):
    fill(asha, schemes)
    cart = confirm(asha, *asked(asha))
    orders = list(cart.orders.order_by("pk"))
    for order in orders[:2]:
        sending.submit(order_id=order.pk, at=clock.now())
    at = clock.now()
    assert payments.start(order_id=orders[0].pk, at=at) is None
    payment = open_payment(orders[0], at + timedelta(seconds=31))
    assert payment.amount == Decimal(10_010)
    sending.submit(order_id=orders[2].pk, at=clock.now())
    assert open_payment(orders[2]).amount == Decimal(5_020)
    found = cart_orders.read(cart=cart, at=clock.now())
    assert (found.payable_total, found.to_pay) == (payment.amount, 15_030), "the page names what the button collects"


def test_a_page_that_would_collect_for_an_order_that_has_ended_is_replaced(asha, sandbox, schemes):
    fill(asha, schemes)
    orders = sent(confirm(asha, *asked(asha)))
    payment = open_payment(orders[0])
    MfOrder.objects.filter(pk=orders[2].pk).update(state="REJECTED")
    assert payments.hand_over(order=orders[0], at=clock.now()) is None
    payment.refresh_from_db()
    assert (payment.state, payment.failure_code, payment.handed_over_at) == ("EXPIRED", "orders_changed", None)
    fresh = Payment.objects.get(lines__is_live=True, lines__order=orders[0])
    assert (fresh.amount, fresh.method) == (Decimal(10_010), payment.method)


def test_the_sums_of_a_cart_say_what_comes_back(asha, sandbox, schemes):
    fill(asha, schemes)
    cart = confirm(asha, *asked(asha))
    orders = sent(cart)
    payment = open_payment(orders[0])
    sandbox.pay(payment.provider_ref)
    payments.refresh(payment_id=payment.pk, at=clock.now())
    MfOrder.objects.filter(pk=orders[2].pk).update(state="REJECTED")
    found = cart_orders.read(cart=cart, at=clock.now())
    assert (found.paid, found.coming_back, found.to_pay) == (10_010, 5_020, 0)
    assert found.paid + found.coming_back + found.to_pay + found.not_collected == found.total


def test_a_failed_payment_is_followed_by_another_for_the_same_orders(asha, sandbox, schemes):
    fill(asha, schemes)
    orders = sent(confirm(asha, *asked(asha)))
    first = open_payment(orders[0])
    sandbox.pay(first.provider_ref, "insufficient_funds")
    payments.refresh(payment_id=first.pk, at=clock.now())
    second = payments.start(order_id=orders[2].pk, at=clock.now(), again=True, method="NETBANKING")
    assert second
    assert (second.amount, second.method) == (first.amount, "NETBANKING")
    assert PaymentLine.objects.filter(is_live=True).count() == 3


# --- pages --------------------------------------------------------------------------------------------------------


def test_the_pages_lead_from_the_fund_to_a_confirmed_cart(asha, schemes, client_for):
    client = client_for(asha)
    form = {"amount": "5,000", "payment_method": "UPI", "form_ref": "0" * 20, "cart": "yes"}
    form["bank_account"] = asha.bankaccounts.get().code
    for scheme in schemes:
        assert client.post(f"/funds/{scheme.isin}/buy/", form).headers["Location"] == "/cart/"
    page = client.get("/cart/")
    assert b"15,000.00" in page.content
    lines = list(CartLine.objects.order_by("pk"))
    review = {f"amount_{line.pk}": "6000" for line in lines} | form | {"review": "yes"}
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.post("/cart/", review)
    assert "/cart/confirm/" in answer.headers["Location"]
    page = client.get(answer.headers["Location"])
    assert b"18,000.00" in page.content
    done = client.post(answer.headers["Location"], {"otp": newest_code()})
    page = client.get(done.headers["Location"])
    assert all(scheme.name in page.content.decode() for scheme in schemes)
    assert MfOrder.objects.count() == 3


def test_an_amount_that_cannot_be_stands_at_its_line_and_is_not_lost(ready, client_for):
    client = client_for(ready)
    lines = list(CartLine.objects.order_by("pk"))
    form = {f"amount_{line.pk}": "5000" for line in lines} | {"payment_method": "UPI", "form_ref": "0" * 20}
    form |= {"bank_account": ready.bankaccounts.get().code, f"amount_{lines[1].pk}": "five", "save": "yes"}
    page = client.get(client.post("/cart/", form).headers["Location"])
    assert b'value="five"' in page.content
    assert b"Enter the amount in whole rupees" in page.content


def test_the_cart_is_read_in_few_statements_whatever_it_holds(ready, client_for, django_assert_max_num_queries):
    client = client_for(ready)
    client.get("/cart/")
    with django_assert_max_num_queries(14):
        client.get("/cart/")


def test_a_confirmed_cart_is_read_in_few_statements(ready, client_for, django_assert_max_num_queries):
    cart = confirm(ready, *asked(ready))
    client = client_for(ready)
    client.get(f"/cart/{cart.code}/")
    # Four of them are about the hint that keeps the page from asking FP too often.
    with django_assert_max_num_queries(11):
        client.get(f"/cart/{cart.code}/")


@pytest.mark.parametrize("pressed", ["review", "save"])
def test_a_cart_that_was_emptied_elsewhere_is_shown_empty(asha, client_for, pressed):
    form = {"amount_1": "5000", "payment_method": "UPI", "form_ref": "0" * 20, pressed: "yes"}
    page = client_for(asha).post("/cart/", form, follow=True)
    assert b"Your cart is empty" in page.content
