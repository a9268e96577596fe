"""The NAV day that the investor is promised, and the one that the other side allots at, from two books of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pytest

from investors.models import Investor
from orders.models import MfOrder, Nav, Scheme
from orders.operations import navs, sending
from payments import operations as payments
from portal import clock
from portal.fintech_primitives import client as fp
from tests import factories
from tests.control import SandboxControl

pytestmark = pytest.mark.django_db
FLEXI_CAP, LIQUID, OVERNIGHT = "INF179K01608", "INF179KB1HK0", "INF179KB1HS3"


@pytest.fixture
def scheme(request: pytest.FixtureRequest, db: None, sandbox: object) -> Scheme:
    """A real scheme of the sandbox with the category that FP states."""
    theirs = fp.client().fetch_scheme(request.param)
    return factories.SchemeFactory(
        isin=theirs.isin,
        name=theirs.name,
        category=theirs.sub_category,
        amfi_code=int(theirs.amfi_code or 0),
        min_first=theirs.min_initial_investment,
        min_more=theirs.min_additional_investment,
    )


@pytest.fixture
def market(sandbox: SandboxControl) -> Iterator[SandboxControl]:
    """The sandbox with the cut-offs and the T+1 of the market."""
    sandbox.call("POST", "/pace", {"mode": "market"})
    yield sandbox
    sandbox.call("POST", "/pace", {"mode": "fast"})


def pay(order: MfOrder, market: SandboxControl) -> None:
    """The investor pays at once."""
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    payment = payments.start(order_id=order.pk, at=clock.now())
    assert payment
    payments.open_page(payment_id=payment.pk, at=clock.now())
    payments.hand_over(order=order, at=clock.now())
    payment.refresh_from_db()
    market.pay(str(payment.provider_ref))


# 21 and 22 Nov 2026 are a weekend, Tuesday 24 Nov is a holiday.
@pytest.mark.parametrize(
    ("scheme", "bought", "nav_on"),
    [
        (LIQUID, "2026-11-20T12:30", date(2026, 11, 19)),
        (LIQUID, "2026-11-20T13:00", date(2026, 11, 22)),
        (LIQUID, "2026-11-21T18:00", date(2026, 11, 22)),
        (LIQUID, "2026-11-23T09:00", date(2026, 11, 22)),
        (LIQUID, "2026-11-23T14:00", date(2026, 11, 24)),
        (OVERNIGHT, "2026-11-24T10:00", date(2026, 11, 24)),
        (FLEXI_CAP, "2026-11-20T13:00", date(2026, 11, 20)),
        (FLEXI_CAP, "2026-11-20T14:30", date(2026, 11, 23)),
        (FLEXI_CAP, "2026-11-24T10:00", date(2026, 11, 25)),
    ],
    indirect=["scheme"],
)
def test_a_purchase_is_allotted_at_the_nav_that_was_predicted(
    asha: Investor,
    scheme: Scheme,
    place: Callable[..., MfOrder],
    market: SandboxControl,
    at: Callable[[str], datetime],
    bought: str,
    nav_on: date,
) -> None:
    at(bought)
    order = place(asha)
    pay(order, market)
    sending.refresh(order_id=order.pk, at=at("2026-12-02T12:00"))
    order.refresh_from_db()
    assert order.state == "ALLOTTED"
    assert order.predicted_nav_on == order.allotted_on == nav_on
    navs.fetch_history(first=nav_on, last=nav_on, codes=frozenset({str(scheme.amfi_code)}), at=clock.now())
    assert order.allotted_nav == Nav.objects.get(on=nav_on).nav
