"""A partner asks for a bank account, a mandate, a basket order, a KYC or a payment; the investor does it, or nobody."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from investors import lifecycle
from investors.models import BankAccount, ChangeRequest, Investor, KycRequest, Mandate
from investors.operations import bank_accounts, consents, kyc, kyc_requests
from orders.models import Approval, ApprovalLine, BasketOrder
from portal import clock
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db
ACCOUNT = {"ifsc": "ICIC0000611", "number": "50100099991121", "kind": "SAVINGS", "holder_name": "Asha Rao"}


@pytest.fixture
def any_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes have tests of their own."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: otp == "123456")


def first_line(north: Any, approval: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = north.get(f"approvals/{approval['id']}").json()["lines"][0]
    return line


# --- a bank account -----------------------------------------------------------------------------------------------


def test_an_account_is_added_by_the_investors_code_and_by_nothing_else(sandbox, north, asha, client_for, any_code):
    answer = north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, "reason": "As we said"})
    assert answer.status_code == 201, answer.content
    asked, browser = answer.json(), client_for(asha)
    page = f"/approvals/{asked['id']}/"
    assert asked["lines"][0] | {"kind": "BANK_ACCOUNT", "last_four": "1121", "state": "WAITING"} == asked["lines"][0]
    assert ACCOUNT["number"] not in answer.content.decode()
    assert ACCOUNT["number"] in browser.get(page).content.decode(), "the investor compares every digit"
    led = browser.post(page, {"confirm": "0"})
    consent = ApprovalLine.objects.get().consent
    assert consent is not None
    assert led.url == f"/banks/confirm/{consent.code}/"
    assert first_line(north, asked)["state"] == "WAITING", "asked is not approved"
    browser.post(led.url, {"otp": "123456"})
    assert ChangeRequest.objects.get(investor=asha).state != lifecycle.ASKED
    assert first_line(north, asked)["state"] == "APPROVED"
    assert ACCOUNT["number"] not in browser.get(page).content.decode(), "once decided it is not shown any more"


def test_the_number_stands_nowhere_in_clear(north, asha):
    north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, "reason": "As we said"})
    with connection.cursor() as cursor:
        for table in ("orders_approvalline", "portal_idempotentcall", "portal_auditentry", "portal_notice"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert ACCOUNT["number"] not in str(cursor.fetchall()), table


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ifsc", "ICIC1"),
        ("ifsc", "SYNB0000047"),
        ("number", "12"),
        ("kind", "NRE"),
        ("holder_name", "Somebody Else"),
        ("kind", "PIGGY"),
    ],
)
def test_an_account_that_cannot_be_hers_is_refused_at_its_field(north, asha, field, value):
    answer = north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, field: value, "reason": "x"})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field]), answer.content
    assert not Approval.objects.exists()


def test_an_account_that_is_there_already_is_refused(north, asha):
    mine = BankAccount.objects.get(investor=asha)
    same = ACCOUNT | {"ifsc": mine.ifsc, "number": mine.number}
    assert list(north.post(f"investors/{asha.code}/bank-accounts", {**same, "reason": "x"}).json()["fields"]) == [
        "number"
    ]


# --- a mandate ----------------------------------------------------------------------------------------------------


def test_a_mandate_is_given_by_the_investors_code(north, asha, client_for, any_code):
    account = BankAccount.objects.get(investor=asha)
    body = {"bank_account": account.code, "limit": "25000.00", "reason": "For the SIP"}
    asked = north.post(f"investors/{asha.code}/mandates", body).json()
    browser = client_for(asha)
    led = browser.post(f"/approvals/{asked['id']}/", {"confirm": "0"})
    assert led.url.startswith("/mandates/confirm/")
    assert not Mandate.objects.exists()
    browser.post(led.url, {"otp": "123456"})
    mandate = Mandate.objects.get(investor=asha)
    line = first_line(north, asked)
    assert (line["state"], line["mandate"], line["bank_account"]) == ("APPROVED", mandate.code, account.code)
    assert mandate.limit == Decimal(25_000)


@pytest.mark.parametrize(("limit", "field"), [("0.00", "limit"), ("100.50", "limit"), ("99999999.00", "limit")])
def test_a_limit_that_banks_do_not_take_is_refused(north, asha, limit, field):
    body = {"bank_account": BankAccount.objects.get(investor=asha).code, "limit": limit, "reason": "x"}
    assert list(north.post(f"investors/{asha.code}/mandates", body).json()["fields"]) == [field]


def test_another_investors_account_takes_no_mandate(north, asha, chitra):
    body = {"bank_account": BankAccount.objects.get(investor=chitra).code, "limit": "100.00", "reason": "x"}
    assert list(north.post(f"investors/{asha.code}/mandates", body).json()["fields"]) == ["bank_account"]


def test_an_investor_is_led_to_authorise_a_mandate_and_told_once_a_day(north, asha):
    account = BankAccount.objects.get(investor=asha)
    mandate = factories.MandateFactory(bank_account=account, state="AWAITING_INVESTOR")
    first = north.post(f"mandates/{mandate.code}/authorise-link").json()
    assert first["url"].endswith(f"/mandates/{mandate.code}/")
    assert (first["told"], first["object"], first["investor"]) == (True, mandate.code, asha.code)
    assert north.post(f"mandates/{mandate.code}/authorise-link").json()["told"] is False
    assert Notice.objects.filter(user=asha.user, event="mandate.authorise_asked").count() == 1


def test_a_mandate_that_waits_for_nothing_has_no_such_page(north, asha):
    mandate = factories.MandateFactory(bank_account=BankAccount.objects.get(investor=asha))
    answer = north.post(f"mandates/{mandate.code}/authorise-link")
    assert (answer.status_code, answer.json()["code"]) == (422, "mandate_not_possible")
    assert not Notice.objects.exists()


# --- a basket -----------------------------------------------------------------------------------------------------


def test_a_basket_is_opened_by_the_investor_at_a_broker_of_their_choice(north, asha, basket, client_for):
    body = {"basket": "three", "amount": "50000.00", "reason": "Your plan"}
    asked = north.post(f"investors/{asha.code}/basket-orders", body).json()
    browser = client_for(asha)
    page = browser.post(f"/approvals/{asked['id']}/", {"invest": "0"}).url
    ref = ApprovalLine.objects.get().form_ref
    form = browser.get(page).content.decode()
    assert ref in form
    assert "50000" in form.replace(",", "")
    assert first_line(north, asked)["state"] == "WAITING"
    browser.post("/baskets/three/invest/", {"amount": "50000", "broker": "smallcase", "form_ref": ref})
    order = BasketOrder.objects.get(investor=asha)
    line = first_line(north, asked)
    assert (line["state"], line["basket_order"], line["basket"]) == ("APPROVED", order.code, "three")
    assert f"/approvals/{asked['id']}/" not in browser.get("/").content.decode(), "nothing waits any more"


def test_nobody_else_opens_a_basket_under_the_form_of_a_request(north, asha, chitra, basket, client_for):
    north.post(f"investors/{asha.code}/basket-orders", {"basket": "three", "amount": "50000.00", "reason": "x"})
    ref = ApprovalLine.objects.get().form_ref
    page = client_for(chitra).get(f"/baskets/three/invest/?asked={ref}").content.decode()
    assert ref not in page


@pytest.mark.parametrize(
    ("change", "field"),
    [({"amount": "1.00"}, "amount"), ({"amount": "50000.50"}, "amount"), ({"basket": "no"}, "basket")],
)
def test_a_basket_order_that_cannot_be_made_is_refused_at_its_field(north, asha, basket, change, field):
    body = {"basket": "three", "amount": "50000.00", "reason": "x"} | change
    assert list(north.post(f"investors/{asha.code}/basket-orders", body).json()["fields"]) == [field]


def test_a_refusal_of_the_whole_keeps_its_own_code(north, asha, basket):
    factories.BasketOrderFactory(investor=asha, basket=basket, version=basket.versions.get(), intent="BUY")
    answer = north.post(
        f"investors/{asha.code}/basket-orders", {"basket": "three", "amount": "50000.00", "reason": "x"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "already_under_way")


# --- KYC ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def newcomer(north: Any) -> Investor:
    """Somebody of North's whom the registries do not know."""
    investor: Investor = factories.InvestorFactory(partner=north.partner)
    investor.put_kyc_pan("ASHPX3751C", index="")
    investor.save()
    factories.KycCheckFactory(investor=investor, is_compliant=False, reason="unavailable", pan_index="")
    return investor


@pytest.fixture
def client(north: Any) -> Investor:
    """Somebody of North's whose KYC was checked yesterday."""
    made: Investor = factories.ReadyInvestorFactory(partner=north.partner, given_pan="NRTPR3751C", kyc=None)
    factories.KycCheckFactory(investor=made, checked_at=clock.now() - timedelta(days=1))
    return made


def test_the_registries_are_asked_by_a_worker_at_a_partners_wish(sandbox, north, client):
    answer = north.post(f"investors/{client.code}/kyc-checks")
    assert answer.status_code == 202, answer.content
    assert client.kycchecks.count() == 1, "the call itself asks nobody"
    assert kyc.recheck_old(at=clock.now()) == 1
    assert client.kycchecks.count() == 2
    assert kyc.recheck_old(at=clock.now()) == 0, "the wish is fulfilled"
    again = north.post(f"investors/{client.code}/kyc-checks")
    assert (again.status_code, again.json()["code"]) == (422, "kyc_checked_lately")


@pytest.mark.parametrize("mode", ["status:400", "html_200"])
def test_a_wish_that_the_registry_refuses_is_not_asked_for_ever(sandbox, north, client, mode):
    assert north.post(f"investors/{client.code}/kyc-checks").status_code == 202
    sandbox.fault(mode, path="*/kyc/check")
    kyc.recheck_old(at=clock.now())
    client.refresh_from_db()
    assert client.kyc_wanted_at is None


def test_nobody_is_asked_about_an_investor_without_a_pan(north):
    bare = factories.InvestorFactory(partner=north.partner)
    assert north.post(f"investors/{bare.code}/kyc-checks").json()["code"] == "no_pan"


def test_a_fresh_kyc_is_begun_once_and_the_investor_is_told(north, newcomer, monkeypatch):
    monkeypatch.setattr(kyc_requests, "may_begin", lambda investor: True)
    first, again = (north.post(f"investors/{newcomer.code}/kyc-requests") for _ in range(2))
    assert first.status_code == 200, first.content
    assert first.json() == again.json()
    assert first.json()["url"].endswith("/kyc/")
    assert KycRequest.objects.filter(investor=newcomer).count() == 1
    assert Notice.objects.filter(user=newcomer.user, event="kyc_request.asked").count() == 1


def test_a_fresh_kyc_that_nobody_needs_is_not_begun(north, asha):
    answer = north.post(f"investors/{asha.code}/kyc-requests")
    assert (answer.status_code, answer.json()["code"]) == (422, "kyc_not_needed")
    assert not KycRequest.objects.exists()


# --- payments -----------------------------------------------------------------------------------------------------


def test_an_investor_is_led_to_pay_an_order_and_told_once_a_day(north, asha):
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    first = north.post(f"orders/{order.code}/payment-link").json()
    assert (first["told"], first["object"]) == (True, order.code)
    assert first["url"].endswith(f"/orders/{order.code}/")
    assert north.post(f"orders/{order.code}/payment-link").json()["told"] is False
    assert Notice.objects.filter(user=asha.user, event="order.payment_asked").count() == 1


def test_an_order_that_waits_for_no_payment_has_no_such_page(north, asha):
    order = factories.OrderFactory(investor=asha, state="PLACED")
    assert north.post(f"orders/{order.code}/payment-link").json()["code"] == "not_payable"


# --- whoever asks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["bank-accounts", "mandates", "basket-orders", "kyc-checks", "kyc-requests"])
def test_nothing_is_asked_of_another_partners_investor(north, south, chitra, what):
    bodies = {
        "bank-accounts": {**ACCOUNT, "reason": "x"},
        "mandates": {"bank_account": "BNK-1", "limit": "100.00", "reason": "x"},
        "basket-orders": {"basket": "three", "amount": "50000.00", "reason": "x"},
    }
    answer = north.post(f"investors/{chitra.code}/{what}", bodies.get(what))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Approval.objects.exists()


def test_an_investor_is_asked_so_often_a_day_and_no_more(north, asha, settings, at):
    settings.APPROVALS_A_DAY = 2
    plan = factories.PlanFactory(investor=asha)
    body = {"investor": asha.code, "reason": "why", "lines": [{"kind": "SIP_CANCEL", "sip": plan.code}]}
    assert [north.post("approvals", body).status_code for _ in range(3)] == [201, 201, 422]
    refused = north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, "reason": "x"})
    assert refused.json()["code"] == "too_many_approvals"
    assert "ask again after" in refused.json()["detail"]
    assert Approval.objects.count() == 2
    assert Notice.objects.filter(event="approval.asked").count() == 2


def test_what_was_asked_about_an_account_never_changes(north, asha):
    from django.db import IntegrityError, transaction

    north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, "reason": "x"})
    for change in ({"account": "{}"}, {"last_four": "9999"}, {"kind": "MANDATE"}):
        with pytest.raises(IntegrityError, match="what a partner asked for"), transaction.atomic():
            ApprovalLine.objects.update(**change)


def test_a_code_that_was_asked_for_an_account_of_the_line_is_the_investors(sandbox, north, asha, any_code):
    """The consent names what the partner typed; a partner's connection never reads it."""
    north.post(f"investors/{asha.code}/bank-accounts", {**ACCOUNT, "reason": "x"})
    line = ApprovalLine.objects.get()
    both = {**ACCOUNT, "form_ref": line.form_ref, "ip": None, "at": clock.now()}
    consent = bank_accounts.ask_to_add(investor=asha, **both)
    assert consent.shown["Held by"] == "Asha Rao"
