"""A partner asks, the investor decides line by line, by the operations that every investor uses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orders.models import Approval, ApprovalLine, CartLine, PlanChange
from orders.queries import approvals as queries
from portal import clock
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme() -> Any:
    return factories.SchemeFactory(purchase_allowed=True, redemption_allowed=True)


def purchase(asha: Any, *schemes: Any, **more: Any) -> dict[str, Any]:
    lines = [{"kind": "PURCHASE", "scheme": each.isin, "amount": "5000.00"} for each in schemes]
    return {"investor": asha.code, "reason": "Your goal", "lines": lines} | more


def test_a_purchase_is_asked_for_and_the_investor_is_told(north, asha, scheme):
    answer = north.post("approvals", purchase(asha, scheme, reference="crm-1"))
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert (found["state"], found["lines"][0]["state"], found["times_told"]) == ("OPEN", "WAITING", 1)
    assert found["url"].endswith(f"/approvals/{found['id']}/")
    assert Notice.objects.get(user=asha.user).title == "North Wealth asks for your approval"
    assert north.get("approvals").json()["data"] == [found]
    assert not CartLine.objects.exists(), "nothing happens before the investor decides"


def test_asking_takes_twenty_one_statements(north, asha, scheme):
    north.post("approvals", purchase(asha, scheme))
    with CaptureQueriesContext(connection) as asked:
        assert north.post("approvals", purchase(asha, scheme)).status_code == 201
    # Three more than in life: the transaction is a savepoint here, and this process puts back what it may see.
    assert len(asked) == 21 + 3


def test_each_line_is_checked_before_anybody_is_asked(north, asha, scheme):
    closed = factories.SchemeFactory(purchase_allowed=False)
    answer = north.post("approvals", purchase(asha, scheme, closed))
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["lines.1"]
    lines = [{"kind": "SIP", "scheme": scheme.isin}, {"kind": "SIP_CANCEL", "sip": "SIP-1", "amount": "1.00"}]
    wrong = north.post("approvals", purchase(asha) | {"lines": lines}).json()["fields"]
    assert {"lines.0.amount", "lines.0.mandate", "lines.1.amount"} <= set(wrong)
    assert not Approval.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.parametrize("amount", [5000, 5000.0, "5e3", "-1", "1.005", "", None, "٥", "0.00"])
def test_an_amount_is_a_string_of_rupees(north, asha, scheme, amount):
    body = purchase(asha, scheme)
    body["lines"][0]["amount"] = amount
    answer = north.post("approvals", body)
    assert answer.status_code == 422
    assert "lines.0.amount" in answer.json()["fields"]


def test_nobody_asks_another_partners_investor(north, chitra, scheme):
    answer = north.post("approvals", purchase(chitra, scheme))
    assert answer.json()["fields"] == {"investor": ["There is no such investor of yours."]}


def test_the_investor_takes_what_is_ticked_into_the_cart_and_declines_the_rest(north, asha, scheme, client_for):
    other = factories.SchemeFactory(purchase_allowed=True)
    code = north.post("approvals", purchase(asha, scheme, other)).json()["id"]
    browser, page = client_for(asha), f"/approvals/{code}/"
    shown = browser.get(page)
    assert scheme.name in shown.content.decode()
    assert "Your goal" in shown.content.decode()
    assert browser.post(page, {"buy": "yes", "line": "0"}).url == "/cart/"
    assert CartLine.objects.get(cart__investor=asha).scheme == scheme
    browser.post(page, {"decline": "1"})
    found = north.get(f"approvals/{code}").json()
    assert [line["state"] for line in found["lines"]] == ["WAITING", "DECLINED"]
    assert found["seen_at"]
    # The order of that cart line is the line's outcome.
    line = CartLine.objects.get(cart__investor=asha)
    consent = factories.ConsentFactory(investor=asha, purpose="CART", amount=Decimal("5000.00"))
    cart = factories.CartFactory(investor=asha, consent=consent, confirmed_at=clock.now())
    CartLine.objects.filter(pk=line.pk).update(cart=cart)
    order = factories.OrderFactory(
        investor=asha, scheme=scheme, amount=line.amount, consent=None, cart=cart, cart_line=line
    )
    found = north.get(f"approvals/{code}").json()
    assert (found["state"], found["lines"][0]["state"], found["lines"][0]["order"]) == (
        "DECIDED",
        "APPROVED",
        order.code,
    )


def test_a_request_says_who_asked_after_the_investor_went_to_another_partner(north, asha, scheme, client_for):
    code = north.post("approvals", purchase(asha, scheme)).json()["id"]
    type(asha).objects.filter(pk=asha.pk).update(partner=factories.PartnerFactory(name="South Advisors"))
    browser = client_for(asha)
    for page in ("/approvals/", f"/approvals/{code}/"):
        shown = browser.get(page)
        assert shown.status_code == 200
        assert "North Wealth" in shown.content.decode()
    assert north.get(f"approvals/{code}").status_code == 404


def test_two_lines_that_one_order_would_answer_are_refused(north, asha, scheme):
    answer = north.post("approvals", purchase(asha, scheme, scheme))
    assert list(answer.json()["fields"]) == ["lines.1.scheme"]


def test_a_fund_of_two_requests_is_in_the_cart_for_the_later_one_only(north, asha, scheme, client_for):
    codes = [north.post("approvals", purchase(asha, scheme)).json()["id"] for _ in range(2)]
    for code in codes:
        client_for(asha).post(f"/approvals/{code}/", {"buy": "yes", "line": "0"})
    line = CartLine.objects.get()
    assert ApprovalLine.objects.get(cart_line=line).approval.code == codes[1]


def test_the_first_page_leads_to_what_waits_until_it_is_decided(north, asha, scheme, client_for):
    plan = factories.PlanFactory(investor=asha)
    lines = [*purchase(asha, scheme)["lines"], {"kind": "SIP_CANCEL", "sip": plan.code}]
    code = north.post("approvals", purchase(asha) | {"lines": lines}).json()["id"]
    page, browser = f"/approvals/{code}/", client_for(asha)

    def is_waiting() -> bool:
        return f'href="{page}"' in browser.get("/").content.decode()

    assert is_waiting()
    browser.post(page, {"stop": "1"})
    assert is_waiting(), "one line is open"
    browser.post(page, {"decline": "0"})
    assert not is_waiting()
    north.post("approvals", purchase(asha, scheme, expires_in_hours=1))
    assert queries.waiting(asha, clock.now()).count() == 1
    assert queries.waiting(asha, clock.now() + timedelta(hours=1)).count() == 0


def test_what_is_declined_leaves_the_cart(north, asha, scheme, client_for):
    code = north.post("approvals", purchase(asha, scheme)).json()["id"]
    for form in ({"buy": "yes", "line": "0"}, {"decline": "0"}):
        client_for(asha).post(f"/approvals/{code}/", form)
    assert not CartLine.objects.exists()
    assert north.get(f"approvals/{code}").json()["lines"][0]["state"] == "DECLINED"


def test_after_five_wrong_codes_a_sale_can_be_begun_again(north, asha, client_for):
    holding = factories.HoldingFactory(investor=asha)
    type(holding.scheme).objects.update(redemption_allowed=True, nav=Decimal("50"), nav_on=clock.today())
    line = {"kind": "REDEMPTION", "scheme": holding.scheme.isin, "folio": holding.folio.number, "all": True}
    page = f"/approvals/{north.post('approvals', purchase(asha) | {'lines': [line]}).json()['id']}/"
    browser = client_for(asha)
    browser.post(page, {"confirm": "0"})
    first = ApprovalLine.objects.get().consent
    assert first is not None
    browser.post(page, {"confirm": "0"})
    assert ApprovalLine.objects.get().consent == first, "while it is open, one consent"
    type(first).objects.filter(pk=first.pk).update(tries=first.MAX_TRIES)
    again = browser.post(page, {"confirm": "0"})
    second = ApprovalLine.objects.get().consent
    assert second is not None
    assert second != first
    assert again.url == f"/orders/confirm-sale/{second.code}/"


def test_a_sale_leads_to_the_investors_own_confirmation(north, asha, client_for):
    holding = factories.HoldingFactory(investor=asha)
    scheme = holding.scheme
    type(scheme).objects.filter(pk=scheme.pk).update(redemption_allowed=True, nav=Decimal("50"), nav_on=clock.today())
    line = {"kind": "REDEMPTION", "scheme": scheme.isin, "folio": holding.folio.number, "all": True}
    answer = north.post("approvals", purchase(asha) | {"lines": [line]})
    assert answer.status_code == 201, answer.content
    page = f"/approvals/{answer.json()['id']}/"
    led = client_for(asha).post(page, {"confirm": "0"})
    consent = ApprovalLine.objects.get().consent
    assert consent is not None
    assert led.url == f"/orders/confirm-sale/{consent.code}/"
    assert north.get(page[1:-1]).json()["lines"][0]["state"] == "WAITING", "asked is not approved"


def test_the_end_of_a_sip_takes_no_code(north, asha, client_for):
    plan = factories.PlanFactory(investor=asha)
    body = purchase(asha) | {"lines": [{"kind": "SIP_CANCEL", "sip": plan.code}]}
    code = north.post("approvals", body).json()["id"]
    client_for(asha).post(f"/approvals/{code}/", {"stop": "0"})
    assert PlanChange.objects.get().plan == plan
    assert north.get(f"approvals/{code}").json()["lines"][0]["state"] == "APPROVED"


def test_what_has_expired_or_was_withdrawn_cannot_be_approved(north, asha, scheme, client_for, at):
    first = north.post("approvals", purchase(asha, scheme)).json()["id"]
    assert north.post(f"approvals/{first}/withdraw").json()["state"] == "WITHDRAWN"
    assert north.post(f"approvals/{first}/withdraw").json()["code"] == "approval_over"
    second = north.post("approvals", purchase(asha, scheme, expires_in_hours=1)).json()["id"]
    at(clock.now() + timedelta(hours=1, seconds=1))
    north.token = _fresh(north)
    for code in (first, second):
        client_for(asha).post(f"/approvals/{code}/", {"buy": "yes", "line": "0"})
    assert not CartLine.objects.exists()
    assert north.get(f"approvals/{second}").json()["state"] == "EXPIRED"
    assert north.post(f"approvals/{second}/remind").json()["code"] == "approval_over"


def _fresh(north: Any) -> str:
    from tests.api.test_door import ask_token

    return str(ask_token(north.key, north.secret).json()["access_token"])


def test_an_investor_is_reminded_three_times_and_no_more(north, asha, scheme):
    code = north.post("approvals", purchase(asha, scheme)).json()["id"]
    told = [north.post(f"approvals/{code}/remind").status_code for _ in range(4)]
    assert told == [200, 200, 200, 422]
    assert Notice.objects.filter(event="approval.asked").count() == 4


def test_what_was_asked_never_changes(north, asha, scheme):
    north.post("approvals", purchase(asha, scheme))
    changes = (
        (ApprovalLine, {"amount": Decimal(1)}),
        (Approval, {"reason": "Something else"}),
        (Approval, {"asked_by": "Somebody else"}),
    )
    for model, change in changes:
        with pytest.raises(IntegrityError, match="what a partner asked for"), transaction.atomic():
            model.objects.update(**change)


@pytest.mark.parametrize(
    "form",
    [{}, {"look": "yes", "line": "0"}, {"buy": "yes"}, {"buy": "yes", "line": "9"}, {"confirm": "x"}, {"stop": "0"}],
)
def test_a_form_that_makes_no_sense_does_nothing(north, asha, scheme, client_for, form):
    code = north.post("approvals", purchase(asha, scheme)).json()["id"]
    assert client_for(asha).post(f"/approvals/{code}/", form).status_code == 302
    assert not CartLine.objects.exists()


def test_a_partner_whose_arn_has_ended_asks_for_no_purchase_and_may_ask_for_a_sale(north, asha, scheme):
    before = north.post("approvals", purchase(asha, scheme)).json()["id"]
    partner = asha.partner
    partner.arn, partner.arn_until = "ARN-12345", clock.today() - timedelta(days=1)
    partner.save()
    refused = north.post("approvals", purchase(asha, scheme))
    assert (refused.status_code, refused.json()["code"]) == (422, "arn_ended")
    assert Approval.objects.get().code == before
    assert north.post(f"approvals/{before}/remind").json()["code"] == "arn_ended"
    lines = [{"kind": "SIP_CANCEL", "sip": factories.PlanFactory(investor=asha).code}]
    assert north.post("approvals", purchase(asha) | {"lines": lines}).status_code == 201
