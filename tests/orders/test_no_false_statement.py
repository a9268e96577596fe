"""P16: at each stage at which FP may have fallen silent, no page and no answer says more than FP has confirmed.

An order is frozen at every state, with and without an unknown outcome, and everything that shows orders is read: the
order, the list, the first page, the portfolio, the fund, the cart's outcome, and what a partner's machine is told.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from orders import lifecycle
from portal import audit, clock
from tests import factories
from tests.api.conftest import caller_of

pytestmark = pytest.mark.django_db
CHECKING = "We are checking"
# (state, unknown) -> what may be said to have happened, as the order's page puts it.
BEFORE_UNITS = [
    ("CREATED", False),
    ("SUBMITTING", False),
    ("SUBMITTING", True),
    ("AWAITING_PAYMENT", False),
    ("PAID", False),
    ("PLACED", False),
    ("REJECTED", False),
    ("EXPIRED", False),
    ("CANCELLED", False),
]
PAID_FOR = {"PAID", "PLACED", "ALLOTTED", "REVERSED"}
FOLIO = "73190123/45"
# Said only of what has happened; a step that is still to come is marked as such before its words.
DONE = {
    "allotted": r"Done: </span>Units allotted|Units</dt>|What you got",
    "confirmed by the registrar": r"Done: </span>Confirmed by the registrar",
    "paid": r"Done: </span>Your bank confirmed the payment|Paid from</dt>",
}


def frozen(investor: Any, state: str, is_unknown: bool) -> Any:
    at = clock.now() - timedelta(hours=1)
    order = factories.OrderFactory(
        investor=investor, state=state, placed_at=at, attempt="UNKNOWN" if is_unknown else "",
        attempt_no=1, unknown_since=at if is_unknown else None,
    )  # fmt: skip
    audit.record(order, "order.created", actor=None, at=at)
    way = lifecycle.table_of(order.kind, order.gateway).path("CREATED", state) or ()
    for step in way:
        audit.record(order, f"order.{step.lower()}", actor=None, at=at)
    return order


def pages(browser: Any, order: Any) -> dict[str, str]:
    addresses = (
        f"/orders/{order.code}/", "/orders/", "/", "/portfolio/", f"/portfolio/{order.scheme.isin}/",
        f"/funds/{order.scheme.isin}/", "/notices/", "/cases/",
    )  # fmt: skip
    return {each: browser.get(each).content.decode() for each in addresses}


@pytest.mark.parametrize(("state", "is_unknown"), BEFORE_UNITS)
def test_no_page_says_more_than_has_been_confirmed(state, is_unknown, asha, client_for):
    order = frozen(asha, state, is_unknown)
    for address, page in pages(client_for(asha), order).items():
        assert not re.search(DONE["allotted"], page), address
        assert not re.search(DONE["confirmed by the registrar"], page), address
        assert FOLIO not in page, address
        if state not in PAID_FOR:
            assert not re.search(DONE["paid"], page), address
    assert client_for(asha).get(f"/portfolio/{order.scheme.isin}/").status_code == 404


@pytest.mark.parametrize("address", ["/orders/{}/", "/orders/", "/"])
def test_an_unknown_outcome_is_said_to_be_one_wherever_the_order_stands(address, asha, client_for):
    order = frozen(asha, "SUBMITTING", True)
    page = client_for(asha).get(address.format(order.code)).content.decode()
    assert CHECKING in page
    assert "do not" in page or address == "/orders/"


def test_what_has_been_confirmed_is_said(asha, client_for):
    """The other way round, so that the patterns above are known to find what they look for."""
    order = frozen(asha, "ALLOTTED", False)
    page = client_for(asha).get(f"/orders/{order.code}/").content.decode()
    for what in ("allotted", "paid"):
        assert re.search(DONE[what], page), what
    assert not re.search(DONE["confirmed by the registrar"], page)


@pytest.mark.parametrize(("state", "is_unknown"), BEFORE_UNITS)
def test_a_partner_is_told_no_units_before_there_are_any(state, is_unknown, asha):
    partner = factories.PartnerFactory()
    type(asha).objects.filter(pk=asha.pk).update(partner=partner)
    order = frozen(asha, state, is_unknown)
    told = caller_of(partner).get(f"orders/{order.code}").json()
    assert [told[name] for name in ("allotted_units", "allotted_nav", "allotted_amount", "allotted_on")] == [None] * 4
    assert told["folio"] is None
    assert told["is_unknown"] is is_unknown
    assert told["status"] != "Units allotted"
