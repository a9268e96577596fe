"""The pages of SIPs: start, confirmation, one SIP with its instalments, mandates, the end. What they say and refuse."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from investors import merged_banks
from orders import plan_rules
from orders.models import Plan, PlanChange
from orders.operations import plan_news
from portal import audit, clock
from tests import factories

pytestmark = pytest.mark.django_db
MORNING = "2026-11-21T12:00"


@pytest.fixture
def browser(asha, client_for, at):
    at(MORNING)
    return client_for(asha)


@pytest.fixture
def fund():
    return factories.SchemeFactory(
        sip_allowed=True, sip_days="1,5,22", min_sip=Decimal(500), step_sip=Decimal(100), min_sip_instalments=6
    )


@pytest.fixture
def mandate(asha):
    return factories.MandateFactory(bank_account=asha.bankaccounts.get())


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def answers(page, by, **changes: object) -> dict[str, object]:
    form_ref = re.search(r'name="form_ref" value="([0-9A-Z]{20})"', page.content.decode()).group(1)
    said = {"amount": "5,000", "start_day": "5", "instalments": "12", "mandate": by.code}
    return {"form_ref": form_ref, **said, **changes}


def code() -> str:
    return re.search(r"^\s+(\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE).group(1)


def to_confirm(browser, fund, by, on_commit, **changes: object) -> str:
    url = f"/funds/{fund.isin}/sip/"
    with on_commit():
        answer = browser.post(url, answers(browser.get(url), by, **changes))
    return answer["Location"]


def text_of(browser, url: str) -> str:
    page = browser.get(url)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


# --- Starting one -------------------------------------------------------------------------------------------------


def test_the_funds_page_leads_to_a_sip_where_the_fund_offers_one(browser, fund):
    link = f'href="/funds/{fund.isin}/sip/"'
    assert link in browser.get(f"/funds/{fund.isin}/").content.decode()
    fund.sip_allowed = False
    fund.save()
    assert link not in browser.get(f"/funds/{fund.isin}/").content.decode()
    assert "offers no SIP" in text_of(browser, f"/funds/{fund.isin}/sip/")


def test_without_a_mandate_it_says_what_comes_first(browser, fund):
    assert "First a mandate" in text_of(browser, f"/funds/{fund.isin}/sip/")


def test_says_when_each_day_would_begin_and_which_is_too_near(browser, fund, mandate):
    page = text_of(browser, f"/funds/{fund.isin}/sip/")
    assert "The 22nd 22 Nov 2026 too near to begin" in page
    assert "The 1st 1 Dec 2026" in page
    assert "From ₹500" in page


def test_is_confirmed_by_a_code_that_names_everything(asha, browser, fund, mandate, on_commit):
    place = to_confirm(browser, fund, mandate, on_commit)
    page = text_of(browser, place)
    shown = (fund.name, "₹5,000.00 a month", "12 times: from 5 Dec 2026 to 5 Nov 2027", mandate.code, "Nominee")
    assert [words for words in shown if words not in page] == []
    answer = browser.post(place, {"otp": code()})
    plan = Plan.objects.get(investor=asha)
    assert answer["Location"] == f"/sips/{plan.code}/"
    assert (plan.state, plan.amount, plan.start_day, plan.instalments) == ("CREATED", Decimal("5000.00"), 5, 12)
    assert (str(plan.first_on), str(plan.last_on), plan.mandate) == ("2026-12-05", "2027-11-05", mandate)
    assert browser.post(place, {"otp": "000000"})["Location"] == f"/sips/{plan.code}/"
    assert Plan.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"amount": "50"}, "The least you can put"),
        ({"amount": "5050"}, "multiples of ₹100"),
        ({"amount": ""}, "Enter how much you want to invest every month"),
        ({"start_day": "7"}, "Choose one of the days"),
        ({"start_day": "22"}, "sooner than the 24 hours"),
        ({"instalments": "5"}, "from 6 to 1,200"),
        ({"instalments": "many"}, "Enter the number of instalments"),
        ({"mandate": "MND-NOBODY"}, "Choose the mandate"),
        ({"amount": "30000"}, "This mandate allows ₹25,000 a debit"),
    ],
)
def test_refuses_at_its_field_and_loses_nothing(wrong, words, browser, fund, mandate, on_commit):
    url = f"/funds/{fund.isin}/sip/"
    place = to_confirm(browser, fund, mandate, on_commit, **wrong)
    page = browser.get(place).content.decode()
    assert words in page
    assert "field-error" in page
    kept = {"amount": "5,000"} | wrong
    assert f'value="{kept["amount"]}"' in page or not kept["amount"]
    assert place.startswith(url)
    assert not Plan.objects.exists()


def test_a_second_one_of_the_same_kind_needs_a_tick(asha, browser, fund, mandate, on_commit):
    factories.PlanFactory(investor=asha, scheme=fund, mandate=mandate)
    place = to_confirm(browser, fund, mandate, on_commit)
    assert "You have such a SIP already" in text_of(browser, place)
    answer = browser.post(place, {"otp": code()})
    assert "Tick this only" in browser.get(answer["Location"]).content.decode()
    browser.post(place, {"otp": code(), "buy_again": "on"})
    assert Plan.objects.filter(investor=asha).count() == 2


def test_new_dates_are_shown_and_get_a_new_code(browser, fund, mandate, on_commit, at):
    place = to_confirm(browser, fund, mandate, on_commit, start_day="1")
    old = code()
    at("2026-12-01T00:01")
    consent = browser.post(place, {"otp": old})
    assert consent["Location"].startswith(place)
    assert not Plan.objects.exists()


# --- One SIP, and the list ----------------------------------------------------------------------------------------


@pytest.fixture
def plan(asha, browser, fund, mandate):
    return factories.PlanFactory(investor=asha, scheme=fund, mandate=mandate)


def test_the_list_says_what_runs_and_what_may_fail(asha, browser, plan):
    page = text_of(browser, "/sips/")
    assert "next 5 Dec 2026" in page
    assert "Looks good" in page
    Plan.objects.update(bounces_in_a_row=2)
    page = text_of(browser, "/sips/")
    assert "At risk" in page
    assert "one more failure ends this SIP" in page


def test_an_empty_list_says_how_to_begin(browser):
    assert "No SIPs yet" in text_of(browser, "/sips/")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"state": "AWAITING_PAYMENT"}, "Your bank is asked for the money"),
        ({"state": "PAID"}, "Debited. The money is on its way"),
        ({"state": "PLACED"}, "The fund house has the order"),
        ({"state": "ALLOTTED"}, "units at a NAV of"),
        ({"state": "REJECTED", "failure_code": "mandate_cancelled"}, "It failed; no units were bought."),
        ({"state": "CANCELLED"}, "Skipped, as you asked"),
    ],
)
def test_tells_each_instalment_with_its_reason(order, words, asha, browser, plan):
    factories.InstalmentFactory(plan=plan, told_at=clock.now())
    made = factories.OrderFactory(
        investor=asha, scheme=plan.scheme, consent=None, plan=plan, instalment_on=plan.first_on, payment_method="NACH",
        mandate=plan.mandate, **order,
    )  # fmt: skip
    audit.record(made, "order.instalment", actor=None, at=clock.now())
    page = text_of(browser, f"/sips/{plan.code}/")
    assert "5 Dec 2026, instalment 1 of 12" in page
    assert "requested 21 Nov" in page
    assert words in page
    assert f"Order {made.code}" in page
    assert "we wrote to you 21 Nov" in page
    assert f"Instalment of SIP {plan.code}" in text_of(browser, f"/orders/{made.code}/")
    for place in (f"/orders/{made.code}/", "/orders/", "/"):
        shown = text_of(browser, place)
        assert "Pay now" not in shown
        assert "Pay for your order" not in shown
        assert "payment page" not in shown


def test_skips_the_date_that_was_shown_once(browser, plan):
    url = f"/sips/{plan.code}/"
    assert "Skip 5 Dec 2026" in text_of(browser, url)
    for _ in range(2):
        browser.post(f"{url}skip/", {"on": "2026-12-05"})
    change = PlanChange.objects.get()
    assert (change.kind, str(change.on)) == ("SKIP", "2026-12-05")
    page = text_of(browser, url)
    assert "You asked to skip the instalment of 5 Dec 2026. The fund house is being told." in page
    assert "An instalment is being skipped already" in page


@pytest.mark.parametrize("on", ["2027-01-05", "2026-11-05", "rubbish", ""])
def test_skips_no_other_date(on, browser, plan):
    browser.post(f"/sips/{plan.code}/skip/", {"on": on})
    assert not PlanChange.objects.exists()


def test_what_the_gateway_cannot_do_is_absent_with_the_reason(browser, plan):
    Plan.objects.update(gateway="BSE")
    page = text_of(browser, f"/sips/{plan.code}/")
    assert "A single instalment cannot be skipped" in page
    assert "The mandate of a SIP cannot be changed" in page
    assert "End this SIP" in page
    body = browser.get(f"/sips/{plan.code}/").content.decode()
    assert f"/sips/{plan.code}/skip/" not in body
    browser.post(f"/sips/{plan.code}/skip/", {"on": "2026-12-05"})
    assert not PlanChange.objects.exists()


def test_ending_it_is_told_apart_from_its_mandate(browser, plan):
    page = text_of(browser, f"/sips/{plan.code}/end/")
    assert "What ends: the SIP" in page
    assert "What stays: the mandate" in page
    assert plan.mandate.code in page
    assert "The next instalment, 5 Dec 2026, is not debited" in page
    browser.post(f"/sips/{plan.code}/end/")
    browser.post(f"/sips/{plan.code}/end/")
    assert PlanChange.objects.get().kind == "CANCEL"
    assert "The fund house is told to end this SIP" in text_of(browser, f"/sips/{plan.code}/")


def test_says_which_debit_may_still_happen(browser, plan, at):
    at("2026-12-04T12:00")
    assert "One debit may still happen: that of 5 Dec 2026" in text_of(browser, f"/sips/{plan.code}/end/")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"state": "CREATED"}, "Your SIP is on record"),
        ({"state": "SUBMITTING", "attempt": "UNKNOWN"}, "We are checking, do not start it again"),
        ({"state": "COMPLETED"}, "All instalments have been made"),
        ({"state": "CANCELLED"}, "This SIP has ended"),
        ({"state": "CANCELLED", "failure_code": plan_news.STRIKES}, "The fund house has ended this SIP"),
        ({"state": "FAILED", "failure_code": "pan_invalid"}, "does not confirm your PAN"),
        ({"state": "FAILED", "failure_code": "first_date_passed"}, "The SIP was not started"),
    ],
)
def test_says_where_a_sip_stands(made, words, asha, browser, fund, mandate):
    plan = factories.PlanFactory(investor=asha, scheme=fund, mandate=mandate, **made)
    assert words in text_of(browser, f"/sips/{plan.code}/")


# --- SIPs and mandates --------------------------------------------------------------------------------------------


def test_the_matrix_shows_headroom_and_what_is_wrong(asha, browser, plan):
    small = factories.MandateFactory(bank_account=plan.mandate.bank_account, limit=Decimal(31_000), state="SUBMITTED")
    factories.PlanFactory(investor=asha, scheme=plan.scheme, mandate=small, amount=Decimal("20000.00"))
    factories.PlanFactory(investor=asha, scheme=plan.scheme, mandate=small, amount=Decimal("15000.00"))
    page = text_of(browser, "/sips/mandates/")
    assert "Heaviest date, 5 Dec 2026 ₹5,000.00 Left below the limit ₹20,000.00" in page
    assert "Above the limit by ₹4,000.00" in page
    assert "not approved yet. If it is not by 5 Dec 2026" in page


def test_the_matrix_marks_a_mandate_on_an_ifsc_that_has_ended(asha, browser, plan):
    assert "old IFSC" not in text_of(browser, "/sips/mandates/")
    plan.mandate.bank_account.ifsc = f"{merged_banks.old()[0]}0000001"
    plan.mandate.bank_account.save()
    page = text_of(browser, "/sips/mandates/")
    assert "Debits on the old IFSC may be refused" in page
    assert "At risk" in page


def test_several_sips_get_another_mandate_by_one_code(asha, browser, plan, on_commit):
    second = factories.PlanFactory(investor=asha, scheme=plan.scheme, mandate=plan.mandate)
    other = factories.MandateFactory(bank_account=plan.mandate.bank_account, limit=Decimal(50_000))
    page = browser.get("/sips/mandates/")
    form_ref = re.search(r'name="form_ref" value="([0-9A-Z]{20})"', page.content.decode()).group(1)
    said = {"form_ref": form_ref, "plans": [plan.code, second.code], "mandate": other.code}
    with on_commit():
        place = browser.post("/sips/mandates/", said)["Location"]
    shown = text_of(browser, place)
    assert plan.code in shown
    assert second.code in shown
    assert not PlanChange.objects.exists()
    browser.post(place, {"otp": code()})
    assert {(change.plan_id, change.mandate_id) for change in PlanChange.objects.all()} == {
        (plan.pk, other.pk), (second.pk, other.pk),
    }  # fmt: skip
    plan.refresh_from_db()
    assert plan.mandate != other  # until FP says so


def test_somebody_elses_sip_or_mandate_is_not_there(chitra, browser, plan):
    theirs = factories.PlanFactory(investor=chitra)
    answer = browser.post(
        "/sips/mandates/", {"form_ref": "A" * 20, "plans": [theirs.code], "mandate": theirs.mandate.code}
    )
    assert "Choose at least one SIP" in browser.get(answer["Location"]).content.decode()
    for place in ("", "end/"):
        assert browser.get(f"/sips/{theirs.code}/{place}").status_code == 404


def test_the_first_page_tells_of_a_debit_that_is_near_and_may_fail(browser, plan, at):
    Plan.objects.update(bounces_in_a_row=2)
    assert "SIP debit" not in text_of(browser, "/")
    at("2026-11-30T12:00")
    page = text_of(browser, "/")
    assert "The SIP debit of 5 Dec 2026 may fail" in page
    assert "one more failure ends this SIP" in page


# --- What pages cost ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "most"), [("/sips/", 12), ("/sips/mandates/", 17), ("/sips/{code}/", 24)])
def test_a_page_costs_the_same_for_ten_sips_as_for_one(url, most, asha, browser, plan):
    address = url.format(code=plan.code)
    past = plan_rules.step(plan.first_on, -7, plan.start_day)
    factories.InstalmentFactory(plan=plan, on=past, expected_at=clock.now() - timedelta(days=40))
    browser.get(address)
    few = _queries(browser, address)
    for _ in range(9):
        factories.PlanFactory(investor=asha, scheme=plan.scheme, mandate=plan.mandate)
    for number in range(6):
        on = plan_rules.step(plan.first_on, -1 - number, plan.start_day)
        factories.InstalmentFactory(plan=plan, on=on, expected_at=clock.now() - timedelta(days=40))
    assert _queries(browser, address) == few
    assert few <= most


def _queries(browser, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)
