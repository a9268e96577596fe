"""No order without the given consent of its investor: its own, its cart's or its plan's. The database says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from orders.models import MfOrder
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme() -> Any:
    return factories.SchemeFactory()


def _order(asha: Any, scheme: Any, **with_: Any) -> MfOrder:
    """A row as an operation writes it; the factory would make a consent of its own."""
    made = factories.OrderFactory.build(investor=asha, scheme=scheme, state="CREATED", consent=None)
    given = {
        "investor": asha, "scheme": scheme, "amount": Decimal("5000.00"), "placed_at": made.placed_at,
        "state_since": made.placed_at, "predicted_nav_on": date(2026, 11, 20), "prediction": "-",
        "investment_account": asha.investmentaccounts.get(), "bank_account": asha.bankaccounts.get(),
    }  # fmt: skip
    return MfOrder.objects.create(**given | with_)


def _refused(asha: Any, scheme: Any, **with_: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _order(asha, scheme, **with_)


def _with_line(cart: Any) -> dict[str, Any]:
    return {"cart": cart, "cart_line": cart.lines.get()}


def _confirmed_cart(asha: Any, scheme: Any, given: bool = True) -> Any:
    cart = factories.CartFactory(investor=asha)
    factories.CartLineFactory(cart=cart, scheme=scheme)
    when = {} if given else {"given_at": None}
    cart.consent = factories.ConsentFactory(investor=asha, purpose="CART", amount=Decimal("5000.00"), **when)
    cart.save()
    return cart


def test_an_order_without_any_authority_is_refused(asha, scheme):
    _refused(asha, scheme)


def test_an_order_with_two_authorities_is_refused(asha, scheme):
    own = factories.ConsentFactory(investor=asha, amount=Decimal("5000.00"), isin=scheme.isin)
    _refused(asha, scheme, consent=own, **_with_line(_confirmed_cart(asha, scheme)))


def test_a_line_of_a_confirmed_cart_becomes_an_order(asha, scheme):
    cart = _confirmed_cart(asha, scheme)
    assert _order(asha, scheme, **_with_line(cart)).authority == cart.consent
    _refused(asha, scheme, **_with_line(cart))


def test_an_order_of_a_cart_names_its_line(asha, scheme):
    cart, other = _confirmed_cart(asha, scheme), factories.CartLineFactory(scheme=scheme)
    _refused(asha, scheme, cart=cart)
    _refused(asha, scheme, cart=cart, cart_line=other)


def test_a_cart_whose_code_was_not_given_orders_nothing(asha, scheme):
    _refused(asha, scheme, **_with_line(_confirmed_cart(asha, scheme, given=False)))


@pytest.mark.parametrize("other", [{"amount": Decimal("5001.00")}, {"kind": "REDEMPTION"}])
def test_a_cart_orders_only_what_stands_in_it(asha, scheme, other):
    _refused(asha, scheme, **_with_line(_confirmed_cart(asha, scheme)), **other)


def test_a_cart_orders_only_its_schemes(asha, scheme):
    _refused(asha, factories.SchemeFactory(), **_with_line(_confirmed_cart(asha, scheme)))


def test_another_investors_cart_orders_nothing(asha, chitra, scheme):
    _refused(asha, scheme, **_with_line(_confirmed_cart(chitra, scheme)))


def test_a_confirmed_cart_stays_as_it_was_confirmed(asha, scheme):
    cart = _confirmed_cart(asha, scheme)
    line = cart.lines.get()
    line.amount = Decimal("6000.00")
    line.save()  # the guard is off while the cart is open: without it the next step would succeed
    line.amount = Decimal("5000.00")
    line.save()
    cart.confirmed_at = cart.created_at
    cart.save()
    line.amount = Decimal("7000.00")
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        line.delete()


def test_a_confirmed_cart_is_the_sum_that_was_consented_to(asha, scheme):
    cart = _confirmed_cart(asha, scheme)
    cart.confirmed_at = cart.created_at
    cart.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.CartLineFactory(cart=cart)
        connection.check_constraints()


def test_an_instalment_of_a_plan_becomes_an_order_once(asha, scheme):
    plan = factories.PlanFactory(investor=asha, scheme=scheme)
    with_ = {"plan": plan, "instalment_on": date(2026, 12, 5), "mandate": plan.mandate, "payment_method": "NACH"}
    assert _order(asha, scheme, **with_).authority == plan.consent
    _refused(asha, scheme, **with_)
    _refused(asha, scheme, **with_ | {"instalment_on": date(2027, 1, 5), "amount": Decimal("5001.00")})


def test_a_plan_needs_its_own_consent_and_a_mandate_of_its_investor(asha, chitra, scheme):
    to_buy = factories.ConsentFactory(investor=asha, amount=Decimal("5000.00"), isin=scheme.isin)
    hers = factories.MandateFactory(bank_account=chitra.bankaccounts.get())
    for wrong in ({"consent": to_buy}, {"mandate": hers}):
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.PlanFactory(investor=asha, scheme=scheme, **wrong)


@pytest.mark.parametrize(
    ("consented", "asked", "fits"),
    [
        ({"amount": Decimal("100.00")}, {"amount": Decimal("100.00")}, True),
        ({"amount": None, "units": Decimal("1.500")}, {"amount": None, "units": Decimal("1.500")}, True),
        ({"amount": None, "units": Decimal("1.500")}, {"amount": None, "units": Decimal("1.501")}, False),
        ({"amount": None}, {"amount": None, "is_all": True}, True),
        ({"amount": None}, {"amount": None}, False),
        ({"amount": None}, {"amount": None, "is_all": True, "units": Decimal(1)}, False),
        ({"amount": None}, {"amount": None, "is_all": True, "redemption_mode": ""}, False),
    ],
)
def test_a_redemption_asks_for_rupees_or_units_or_everything_as_consented(asha, scheme, consented, asked, fits):
    folio = factories.HoldingFactory(investor=asha, scheme=scheme, units=Decimal(10_000)).folio
    about = {"purpose": "REDEMPTION", "isin": scheme.isin, "folio_number": folio.number}
    yes = factories.ConsentFactory(investor=asha, **about, **consented)
    with_ = {"consent": yes, "kind": "REDEMPTION", "folio": folio, "redemption_mode": "NORMAL"} | asked
    if fits:
        assert _order(asha, scheme, **with_).authority == yes
    else:
        _refused(asha, scheme, **with_)


@pytest.mark.parametrize("missing", ["allotted_units", "allotted_nav", "allotted_on", "folio"])
def test_an_allotted_order_can_lack_nothing(asha, missing):
    order = factories.OrderFactory(investor=asha, state="ALLOTTED")
    setattr(order, missing, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        order.save()
