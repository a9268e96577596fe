"""Before the first order in a new fund house the registries are asked again; what they say now decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from investors.models import Consent
from orders import plan_rules
from orders.operations import new_houses
from portal import clock
from portal.models import Case
from tests import factories
from tests.orders import sips
from tests.orders.test_order_pages import answers, form_of, refused_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def later(at):
    """Three days after Asha's last check."""
    return at(clock.now() + timedelta(days=3))


def look(investor, scheme, when) -> None:
    new_houses.ask_registries(investor=investor, isins=[scheme.isin], at=when)


def test_a_first_order_in_a_fund_house_asks_the_registries_again(asha, scheme, sandbox, later, client_for):
    browser, url, before = client_for(asha), f"/funds/{scheme.isin}/buy/", asha.kycchecks.count()
    browser.post(url, {**form_of(browser.get(url)), **answers(asha)})
    assert asha.kycchecks.count() == before + 1
    assert Consent.objects.filter(investor=asha).exists()


def test_a_first_sip_in_a_fund_house_asks_them_too(asha, scheme, sandbox, later, client_for):
    fund, mandate = sips.with_terms(scheme), sips.mandate_at_fp(asha, sandbox)
    browser, url, before = client_for(asha), f"/funds/{fund.isin}/sip/", asha.kycchecks.count()
    said = {"amount": "5,000", "start_day": _far_day(fund), "instalments": "12", "mandate": mandate.code}
    browser.post(url, {**form_of(browser.get(url)), **said})
    assert asha.kycchecks.count() == before + 1
    assert Consent.objects.filter(investor=asha, purpose="SIP").exists()


def _far_day(fund) -> int:
    """A day of the month for SIPs that is not tomorrow: of a debit one must be told 24 hours before."""
    days = [int(day) for day in fund.sip_days.split(",")]
    return next(day for day in days if plan_rules.after(clock.today(), day) > clock.today() + timedelta(days=2))


def test_an_answer_of_today_is_not_asked_for_twice(asha, scheme, sandbox, later):
    for _ in range(3):
        look(asha, scheme, later)
    assert asha.kycchecks.count() == 2


def test_where_a_folio_is_nobody_is_asked(asha, scheme, later):
    """No sandbox in this test: a call would fail."""
    factories.FolioFactory(investor=asha, fund_house=scheme.fund_house)
    look(asha, scheme, later)
    assert asha.kycchecks.count() == 1


def test_silent_registries_stop_a_first_order_and_nothing_is_asked_of_the_investor(
    asha, scheme, sandbox, later, client_for
):
    sandbox.fault("status:500", path="/api/kyc/check")
    browser, url = client_for(asha), f"/funds/{scheme.isin}/buy/"
    page = refused_by(browser, url, {**form_of(browser.get(url)), **answers(asha)})
    assert "They do not answer just now. Nothing was ordered" in page.content.decode()
    assert not Consent.objects.filter(investor=asha).exists()


def test_kyc_that_has_turned_stops_the_order_and_tells_operations(scheme, sandbox, at, client_for):
    turned = factories.ReadyInvestorFactory(given_pan="BHRPM3753D")
    factories.KycCheckFactory(investor=turned, is_compliant=True)
    at(clock.now() + timedelta(days=3))
    browser, url = client_for(turned), f"/funds/{scheme.isin}/buy/"
    page = refused_by(browser, url, {**form_of(browser.get(url)), **answers(turned)})
    assert "Your KYC status does not allow a purchase" in page.content.decode()
    assert Case.objects.filter(kind="kyc_no_longer_compliant", subject_id=str(turned.pk)).exists()
