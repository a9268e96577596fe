"""What becomes of a request is told to the partner: asked, seen, each line approved or declined, its end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Approval, ApprovalLine
from orders.operations import approval_ends
from orders.queries import approvals as queries
from portal import clock
from portal.webhooks import feed
from tests import factories
from tests.webhooks.test_events import commit

pytestmark = pytest.mark.django_db


def told(north: Any) -> list[tuple[str, int | None]]:
    """Types of the partner's events about requests, with the number of the line."""
    commit()
    events = feed.of_partner(north.partner.pk).filter(kind="approval").order_by("seq")
    return [(event.type.removeprefix("approval."), event.data["line"]) for event in events]


def line_of(north: Any, asha: Any, **more: Any) -> ApprovalLine:
    approval = factories.ApprovalFactory(investor=asha, partner=north.partner)
    return factories.ApprovalLineFactory(investor=asha, approval=approval, **more)


def test_a_request_is_told_from_the_question_to_each_answer(north, asha, client_for):
    schemes = [factories.SchemeFactory(purchase_allowed=True) for _ in range(2)]
    lines = [{"kind": "PURCHASE", "scheme": each.isin, "amount": "5000.00"} for each in schemes]
    asked = north.post("approvals", {"investor": asha.code, "reason": "A goal", "lines": lines}).json()
    browser, page = client_for(asha), f"/approvals/{asked['id']}/"
    for _ in range(2):
        browser.get(page)
    browser.post(page, {"decline": "1"})
    browser.post(page, {"buy": "yes", "line": "0"})
    assert told(north) == [("asked", None), ("seen", None), ("declined", 1)], "what is in the cart is not approved"
    event = north.get("events?kind=approval").json()["data"][-1]
    assert event["data"] == {
        "object": "approval", "id": asked["id"], "investor": asha.code, "state": "DECLINED", "line": 1,
        "previous_state": None, "reason": None,
    }  # fmt: skip
    previous = ""
    for each in north.get("events").json()["data"]:
        previous = feed.chained(previous, each)
        assert each["hash"] == previous


def _purchase(asha: Any, line: ApprovalLine) -> None:
    consent = factories.ConsentFactory(investor=asha, purpose="CART", amount=Decimal("5000.00"))
    cart = factories.CartFactory(investor=asha, consent=consent, confirmed_at=clock.now())
    in_cart = factories.CartLineFactory(cart=cart, scheme=line.scheme)
    ApprovalLine.objects.filter(pk=line.pk).update(cart_line=in_cart)
    factories.OrderFactory(investor=asha, scheme=line.scheme, consent=None, cart=cart, cart_line=in_cart)


def _sale(asha: Any, line: ApprovalLine) -> None:
    holding, units = factories.HoldingFactory(investor=asha, scheme=line.scheme), Decimal("10.000")
    consent = factories.ConsentFactory(
        investor=asha, purpose="REDEMPTION", isin=line.scheme.isin, folio_number=holding.folio.number, amount=None,
        units=units,
    )  # fmt: skip
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    factories.OrderFactory(
        investor=asha, scheme=line.scheme, kind="REDEMPTION", folio=holding.folio, consent=consent, payment_method="",
        amount=None, units=units, redemption_mode="NORMAL",
    )  # fmt: skip


def _sip(asha: Any, line: ApprovalLine) -> None:
    consent = factories.ConsentFactory(investor=asha, purpose="SIP", isin=line.scheme.isin)
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    factories.PlanFactory(investor=asha, scheme=line.scheme, consent=consent)


def _mandate(asha: Any, line: ApprovalLine) -> None:
    consent = factories.ConsentFactory(investor=asha, purpose="MANDATE")
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    factories.MandateFactory(bank_account=line.bank_account, consent=consent, state="CREATED", provider_ref=None)


def _bank_account(asha: Any, line: ApprovalLine) -> None:
    consent = factories.ConsentFactory(investor=asha, purpose="CHANGE", given_at=None)
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    type(consent).objects.filter(pk=consent.pk).update(given_at=clock.now())


def _basket(asha: Any, line: ApprovalLine) -> None:
    factories.BasketOrderFactory(investor=asha, form_ref=line.form_ref)


def _change(asha: Any, line: ApprovalLine) -> None:
    ApprovalLine.objects.filter(pk=line.pk).update(change=factories.PlanChangeFactory(plan=line.plan))


def _ended(asha: Any, line: ApprovalLine) -> None:
    type(line.plan).objects.filter(pk=line.plan.pk).update(state="CANCELLED", state_since=clock.now())


# How a line is approved -> what it asks for, and what the investor's yes leaves behind.
WAYS: dict[str, tuple[dict[str, Any], Any]] = {
    "PURCHASE": ({}, _purchase),
    "REDEMPTION": ({"kind": "REDEMPTION", "folio_number": "10000001/01"}, _sale),
    "SIP": ({"kind": "SIP", "start_day": 5, "instalments": 12}, _sip),
    "MANDATE": ({"kind": "MANDATE"}, _mandate),
    "BANK_ACCOUNT": ({"kind": "BANK_ACCOUNT", "last_four": "1121"}, _bank_account),
    "BASKET": ({"kind": "BASKET"}, _basket),
    "SIP_SKIP": ({"kind": "SIP_SKIP"}, _change),
    "SIP_CANCEL": ({"kind": "SIP_CANCEL"}, _ended),
}


def test_a_basket_of_somebody_else_answers_no_line_whatever_its_form_is_called(north, asha, chitra):
    basket = factories.BasketVersionFactory(number=1).basket
    line = line_of(north, asha, kind="BASKET", basket=basket)
    factories.BasketOrderFactory(investor=chitra, form_ref=line.form_ref)
    assert told(north) == [("asked", None)]
    at = clock.now()
    assert [each.state for each in queries.lines_of([line.approval], at)] == [queries.WAITING]
    assert queries.waiting(asha, at).get() == line.approval


@pytest.mark.parametrize("way", WAYS)
def test_a_line_is_told_as_approved_once_by_whatever_it_leads_to(north, asha, way):
    more, yes = WAYS[way]
    account = asha.bankaccounts.get()
    if way == "SIP":
        more = more | {"mandate": factories.MandateFactory(bank_account=account)}
    elif way == "MANDATE":
        more = more | {"bank_account": account}
    elif way == "BASKET":
        more = more | {"basket": factories.BasketVersionFactory(number=1).basket}
    elif way.startswith("SIP_"):
        plan = factories.PlanFactory(investor=asha)
        more = more | {"plan": plan, "on": plan.first_on}
    line = line_of(north, asha, **more)
    # Others, which this yes is no answer to.
    line_of(north, asha)
    assert told(north) == [("asked", None)] * 2
    yes(asha, line)
    assert told(north)[2:] == [("approved", 0)]
    line.approval.save()
    assert len(told(north)) == 3


def test_the_end_of_the_time_is_told_once_and_only_of_what_nobody_decided(north, asha):
    line, over = line_of(north, asha), line_of(north, asha)
    ApprovalLine.objects.filter(pk=over.pk).update(declined_at=clock.now())
    later = line.approval.expires_at + timedelta(minutes=1)
    assert approval_ends.find_due(clock.now()) == []
    assert set(approval_ends.find_due(later)) == {line.approval_id, over.approval_id}
    for approval_id in (line.approval_id, over.approval_id, line.approval_id):
        approval_ends.end(approval_id=approval_id, at=later)
    assert told(north) == [("asked", None), ("asked", None), ("declined", 0), ("expired", None)]
    assert feed.of_partner(north.partner.pk).get(type="approval.expired").at == line.approval.expires_at
    assert approval_ends.find_due(later) == []


def test_what_was_withdrawn_is_told_and_never_expires(north, asha):
    line = line_of(north, asha)
    north.post(f"approvals/{line.approval.code}/withdraw")
    approval_ends.end(approval_id=line.approval_id, at=line.approval.expires_at)
    assert told(north) == [("asked", None), ("withdrawn", None)]


def test_a_partner_whom_the_investor_has_left_is_told_nothing_more(north, asha):
    line = line_of(north, asha)
    type(asha).objects.filter(pk=asha.pk).update(partner=factories.PartnerFactory())
    Approval.objects.update(seen_at=clock.now())
    ApprovalLine.objects.filter(pk=line.pk).update(declined_at=clock.now())
    assert told(north) == [("asked", None)]
