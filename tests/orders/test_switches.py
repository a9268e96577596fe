"""Switches are read from FP's list, shown, and never made or booked by us."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from orders import gateway
from orders.models import MfOrder, Transaction
from orders.operations import sending, switches, syncing
from portal import clock
from portal.fintech_primitives.messages import Order
from portal.management import reconciliation
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db
# The document's own sample ("Fetch switch orders"), with a scheme and a folio of ours.
SAMPLE = {
    "id": 24085, "type": "SWITCH", "status": "SUCCESSFUL", "amount": None, "reverse_amount": 10_000,
    "reverse_units": 25,
    "price": 400, "trade_date": "2018-12-13", "investment_date": "2018-12-13", "source_ref_id": "1263127312110",
}  # fmt: skip


@pytest.fixture
def fp(monkeypatch, asha):
    """FP with a list of switches for Asha's account and nothing else."""
    scheme = factories.SchemeFactory()
    folio = factories.FolioFactory(investor=asha, fund_house=scheme.fund_house)
    sample = SAMPLE | {"fund_scheme": {"isin": scheme.isin, "name": "x"}, "folio_number": folio.number}

    class Fp:
        listed = [sample]

        def list_switches(self, account):
            return (Order.model_validate(each) for each in self.listed)

        def list_orders(self, states=()):
            return self.list_switches("")

        def list_sips(self, account):
            return iter(())

        def list_payments(self, refs):
            return []

        def list_mandates(self):
            return iter(())

        def fetch_holdings(self, account):
            return SimpleNamespace(folios=[])

    its = Fp()
    monkeypatch.setattr(gateway.fp, "client", lambda: its)
    return its


def read(asha) -> MfOrder:
    switches.read(account=asha.investmentaccounts.get(), at=clock.now())
    return MfOrder.objects.get(kind="SWITCH_OUT")


def test_the_documents_sample_is_a_switch_that_is_done(fp, asha):
    order = read(asha)
    assert (order.state, order.provider_ref, order.consent_id) == ("REDEEMED", "24085", None)
    assert (order.allotted_units, order.allotted_nav) == (Decimal("25.000"), Decimal("400.0000"))
    assert (order.units, order.amount) == (Decimal("25.000"), None)
    assert not Transaction.objects.exists(), "the registrar's own record books it, with both legs"


def test_a_second_reading_adds_nothing_and_news_moves_it(fp, asha):
    fp.listed = [fp.listed[0] | {"status": "SUBMITTED", "reverse_units": None, "amount": 10_000}]
    assert read(asha).state == "PLACED"
    assert read(asha).state == "PLACED"
    fp.listed = [fp.listed[0] | {"status": "SUCCESSFUL", "reverse_units": 25}]
    assert read(asha).state == "REDEEMED"
    fp.listed = [fp.listed[0] | {"status": "SUBMITTED"}]
    assert read(asha).state == "REDEEMED", "old news moves nothing back"
    assert MfOrder.objects.count() == 1


def test_success_without_units_is_no_evidence(fp, asha):
    fp.listed = [fp.listed[0] | {"reverse_units": None, "amount": 10_000}]
    assert read(asha).state == "PLACED"


def test_one_in_a_scheme_that_nobody_knows_waits(fp, asha):
    fp.listed = [fp.listed[0] | {"fund_scheme": {"isin": "INF000000000", "name": "x"}}]
    switches.read(account=asha.investmentaccounts.get(), at=clock.now())
    assert not MfOrder.objects.exists()


def test_it_stands_in_the_list_and_has_a_page_that_says_why_none_is_made_here(fp, asha, chitra, client_for):
    order = read(asha)
    hers = client_for(asha)
    assert "Switch ·" in hers.get("/orders/").content.decode()
    page = hers.get(f"/orders/{order.code}/").content.decode()
    assert "The switch is done" in page
    assert "has no way to make one" in page
    for word in ("Sale", "Paid into", "Units sold", "You get"):
        assert word not in page
    assert client_for(chitra).get(f"/orders/{order.code}/").status_code == 404


def test_the_investors_partner_reads_of_it_in_the_console(fp, asha, client_for):
    read(asha)
    member = factories.MemberFactory()
    type(asha).objects.filter(pk=asha.pk).update(partner=member.partner)
    page = client_for(member.user).get(f"/partner/investors/{asha.code}/")
    assert page.status_code == 200
    assert "Switched" in page.content.decode()


def test_no_list_and_no_refresh_takes_it_for_a_sale(fp, asha):
    fp.listed = [fp.listed[0] | {"status": "SUBMITTED", "reverse_units": None, "amount": 10_000}]
    order = read(asha)
    syncing.run(at=clock.now() + timedelta(minutes=1))
    sending.refresh(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state == "PLACED"
    assert not Case.objects.exists()


def test_the_daily_comparison_reads_them_and_calls_none_a_stranger(fp, asha):
    factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT", provider_ref="1")
    differences = {each.kind for each in reconciliation.run(clock.now()).differences}
    assert "order_only_at_fp" not in differences
    assert MfOrder.objects.filter(kind="SWITCH_OUT", state="REDEEMED").exists()
    assert {each.kind for each in reconciliation.run(clock.now()).differences} == differences
