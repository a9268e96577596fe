"""Money at once: what the fund house says before, what is sent, and how it was done."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.models import Scheme
from orders.operations import redemptions, sending
from orders.redemption_rules import Asked
from portal import clock
from portal.errors import InvalidInput
from tests.orders.conftest import scheme_at_fp
from tests.orders.test_redemptions import holding, sale_of, sell, until_through  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
# Nippon India Liquid Fund: one of the pairs that FP's shared sandbox pays at once (providers.md 3.13).
LIQUID = "INF204K01UN9"


def liquid_scheme() -> Scheme:
    """As the sandbox sells it, and pays it at once."""
    return scheme_at_fp(LIQUID, category="Liquid Fund", asset_class="DEBT")


@pytest.fixture
def scheme(db, sandbox) -> Scheme:
    return liquid_scheme()


@pytest.fixture
def offer(asha, holding):  # noqa: F811
    """What the fund house says, with the price that it knows."""
    Scheme.objects.filter(pk=holding.scheme_id).update(nav=holding.invested / holding.units)
    return redemptions.instant_terms(investor=asha, isin=LIQUID, folio_number=holding.folio.number)


def test_goes_to_the_listed_account_and_says_how_it_was_done(asha, holding, offer, sandbox):  # noqa: F811
    terms, accounts = offer
    assert terms.is_allowed
    assert terms.most <= holding.invested * Decimal("0.9") + 1
    assert accounts == list(asha.bankaccounts.all())
    asked = Asked(amount=Decimal("1000.00"))
    order = sell(asha, holding, asked, terms=terms, bank_account=accounts[0])
    assert (order.redemption_mode, order.consent.shown["How"]) == ("INSTANT", redemptions.HOW["INSTANT"])
    assert "may do it as a normal sale" in order.prediction
    sending.submit(order_id=order.pk, at=clock.now())
    until_through(order)
    assert (order.state, order.redeemed_as) == ("REDEEMED", "INSTANT")
    assert order.payout_by == order.placed_at.astimezone(clock.IST).date() >= order.allotted_on, "not before the sale"


def test_more_than_the_fund_house_pays_at_once_is_refused(asha, holding, offer):  # noqa: F811
    terms, accounts = offer
    too_much = Asked(amount=Decimal(int(terms.most) + 1))
    with pytest.raises(InvalidInput, match="most that is paid at once"):
        sale_of(asha, holding, too_much, terms=terms, bank_account=accounts[0])
