"""Every method of the FP client against the sandbox over real HTTP.

Each test says which methods it covers; what it really sent must then fit each of their rows in `endpoints.FP`. The last
test sees that no method is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest

from portal import clock
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages
from portal.fintech_primitives.client import FintechPrimitives
from portal.fintech_primitives.messages import (
    MandateStatus,
    NewEMandate,
    NewInstantRedemption,
    NewInvestor,
    NewKycRequest,
    NewNachMandate,
    NewPurchase,
    NewSell,
    NewSip,
    OrderQuery,
    OrderStatus,
    OrderType,
    PaymentMethod,
    PaymentQuery,
    PaymentStatus,
    TransactionQuery,
    TransactionType,
    Upload,
)
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import GatewayCall
from tests.contracts.endpoints import FP
from tests.contracts.fp_stage import BY_ID
from tests.control import SandboxControl
from tests.sandbox.api import investor

pytestmark = pytest.mark.django_db
LIQUID, BOND = "INF204K01UN9", "INF204K01EF9"
ABOUT, HERE = About(), "https://portal.example/back"
refs = count(1)
COVERED: set[str] = set()


def covers(*methods: str) -> Callable[[Any], Any]:
    """The decorated test calls these methods of the client, and what they send fits their rows."""

    def mark(test: Any) -> Any:
        COVERED.update(methods)
        test.covers = methods
        return test

    return mark


@pytest.fixture
def client(request: pytest.FixtureRequest, sandbox: SandboxControl) -> Iterator[FintechPrimitives]:
    """A client whose requests are compared with the rows that the test covers."""
    made, sent = fp.build(), []
    send = made.transport.send
    made.transport.send = lambda asked: sent.append(f"{asked.method} {asked.path}") or send(asked)  # type: ignore[method-assign]
    yield made
    for row in FP:
        if row.client in getattr(request.function, "covers", ()):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(row.name))
            assert any(re.fullmatch(pattern, each) for each in sent), f"{row.client} did not send {row.name}"


class Investing:
    """An investor at FP with an account, and the steps of a purchase, all through the client."""

    def __init__(self, client: FintechPrimitives, sandbox: SandboxControl) -> None:
        self.client, self.sandbox = client, sandbox
        self.investor = client.create_investor(NewInvestor.model_validate(investor()), ABOUT)
        self.account = client.create_investment_account(self.investor.id, ABOUT).investment_account_id
        self.bank = self.investor.bank_accounts[0]

    def settle(self) -> None:
        """Let the world do its next steps at once."""
        for _ in range(3):
            self.sandbox.advance("PT5S")

    def buy(self, amount: int = 5_000, isin: str = BOND, **more: Any) -> str:
        line = NewPurchase(isin=isin, amount=Decimal(amount), source_ref_id=f"ref-{next(refs)}", **more)
        placed = self.client.create_purchase(self.account, bank_account_id=self.bank.id, orders=[line], about=ABOUT)
        assert [(each.isin, each.source_ref_id) for each in placed] == [(isin, line.source_ref_id)]
        return placed[0].id

    def pay(self, *order_ids: str) -> str:
        started = self.client.create_payment(
            order_ids=order_ids, method=PaymentMethod.UPI, postback_url=HERE, about=ABOUT
        )
        assert started.token_url.startswith("http")
        return started.id

    def bought(self, amount: int = 5_000, isin: str = BOND) -> messages.Order:
        order_id = self.buy(amount, isin)
        self.sandbox.pay(self.pay(order_id))
        self.settle()
        order = self.client.fetch_order(self.account, order_id)
        assert order.status == OrderStatus.SUCCESSFUL, order
        return order

    def mandate(self, *states: MandateStatus) -> str:
        wish = NewNachMandate(bank_account_id=self.bank.id, mandate_limit=Decimal(100_000))
        mandate_id = self.client.create_nach_mandate(wish, ABOUT)
        for state in states:
            self.client.simulate_mandate(mandate_id, state, ABOUT)
        return mandate_id

    def sip(self) -> str:
        line = NewSip(
            isin=BOND, amount=Decimal(5_000), start_day="2", installments=20, source_ref_id=f"sip-{next(refs)}",
            mandate_id=self.mandate(MandateStatus.SUBMITTED, MandateStatus.APPROVED),
        )  # fmt: skip
        return self.client.create_sips(self.account, sips=[line], about=ABOUT)[0].id


@pytest.fixture
def tony(client: FintechPrimitives, sandbox: SandboxControl) -> Investing:
    return Investing(client, sandbox)


# --- signing in, people -------------------------------------------------------------------------------------------


@covers("login")
def test_signs_in(client: FintechPrimitives):
    assert client.login().user.name == "sandbox"


@covers(
    "list_investors", "search_investors", "fetch_investor", "create_investor", "update_investor",
    "create_investment_account", "list_investment_accounts",
)  # fmt: skip
def test_people(tony: Investing, client: FintechPrimitives):
    theirs = client.fetch_investor(tony.investor.id)
    assert theirs == tony.investor
    assert theirs.kyc_identity_detail.gender == messages.Gender.FEMALE
    assert theirs.fatca_detail.gross_annual_income == Decimal(100_000)
    assert theirs.nomination.nominee1.allocation_percentage == 100
    assert theirs.correspondence_address.zipcode == "560102"
    assert [each.id for each in client.list_investors()] == [theirs.id]
    assert [each.id for each in client.search_investors("AFZPN3001P")] == [theirs.id]
    assert client.search_investors("", ids=[theirs.id], bank_account_ids=["999"]) == []
    body = investor() | {"display_name": "Tony S"}
    body["bank_accounts"][0]["id"] = tony.bank.id
    changed = client.update_investor(theirs.id, NewInvestor.model_validate(body), ABOUT)
    assert (changed.display_name, len(changed.bank_accounts)) == ("Tony S", 1)
    accounts = client.list_investment_accounts(theirs.id)
    assert [(each.investment_account_id, each.primary_investor_id) for each in accounts] == [(tony.account, theirs.id)]


# --- buying -------------------------------------------------------------------------------------------------------


@covers(
    "create_purchase", "create_payment", "fetch_order", "fetch_payment", "list_payments", "fetch_holdings",
    "fetch_holding_report", "list_transactions",
)  # fmt: skip
def test_a_purchase_from_order_to_units(tony: Investing, client: FintechPrimitives):
    order = tony.bought(20_000)
    assert (order.status, order.type, order.amount) == (OrderStatus.SUCCESSFUL, OrderType.PURCHASE, 20_000)
    assert order.reverse_units == order.reverse_units.quantize(Decimal("0.001")) > 0
    assert order.fund_scheme.isin == BOND
    (payment,) = client.list_payments([order.id])
    assert (payment.status, payment.method) == (PaymentStatus.APPROVED, PaymentMethod.UPI)
    assert client.fetch_payment(payment.id) == payment
    assert payment.created_at <= payment.debit_confirmed_at <= payment.settled_at
    (folio,) = client.fetch_holdings(tony.account).folios
    assert folio.folio_number == order.folio_number
    assert folio.schemes[0].holdings.units == order.reverse_units
    assert client.fetch_holdings(tony.account, as_on=clock.today() - timedelta(days=9)).folios == []
    assert client.fetch_holding_report(folios=[folio.folio_number]).folios == [folio]
    assert client.fetch_holding_report(tony.account).folios == [folio]
    (fact,) = client.list_transactions(TransactionQuery(folios=[folio.folio_number], since=order.trade_date))
    assert (fact.type, fact.units, fact.order) == (TransactionType.PURCHASE, order.reverse_units, order.id)


@covers("list_account_orders", "list_orders", "list_purchases", "list_sells", "list_switches")
def test_lists_name_the_states_or_pending_orders_seem_to_vanish(tony: Investing, client: FintechPrimitives):
    done, waiting = tony.bought().id, tony.buy(5_005)
    assert {each.id for each in client.list_account_orders(tony.account)} == {done, waiting}
    assert {each.id for each in client.list_orders()} == {done, waiting}
    assert [each.id for each in client.list_orders(fp.OPEN_STATES)] == [waiting]
    assert {each.id for each in client.list_purchases(tony.account)} == {done, waiting}
    assert list(client.list_sells(tony.account)) == list(client.list_switches(tony.account)) == []
    one_a_page = OrderQuery(state=[OrderStatus.PENDING, OrderStatus.SUCCESSFUL], direction="asc", size=1)
    assert [each.id for each in client.list_account_orders(tony.account, query=one_a_page)] == [done, waiting]
    second_page = one_a_page.model_copy(update={"page": 1})
    assert [each.id for each in client.list_account_orders(tony.account, query=second_page)] == [waiting]
    more = OrderQuery(state=[OrderStatus.PENDING], type=[OrderType.ADDITIONAL_PURCHASE])
    assert list(client.list_orders(query=more)) == []


def test_payments_are_found_by_what_they_are(tony: Investing, client: FintechPrimitives):
    payment_id = tony.pay(tony.buy())
    find = lambda **words: [each.id for each in client.list_payments(query=PaymentQuery(**words))]  # noqa: E731
    assert find() == find(payment_status=["PENDING"]) == find(since=clock.today(), until=clock.today()) == [payment_id]
    assert find(payment_type="NACH") == find(payment_status=["SUCCESS", "FAILED"]) == []


@covers("create_bse_payment")
def test_the_page_of_the_bse_gateway_is_opaque(client: FintechPrimitives, sandbox: SandboxControl, settings: Any):
    settings.FP_TENANT = settings.FP_API_KEY_ID = "sandbox-bse"
    settings.FP_SECRET = "sandbox-bse-secret"
    sent, bse = client.transport, fp.build()
    bse.transport.send = sent.send  # type: ignore[method-assign]
    tony = Investing(bse, sandbox)
    order_id = tony.buy()
    page = bse.create_bse_payment(order_ids=[order_id], postback_url=HERE, about=ABOUT)
    assert b"<form" in page.untrusted_html()
    assert "<" not in f"{page}"[1:]
    assert [each.status for each in bse.list_payments([order_id])] == [PaymentStatus.PENDING]
    call = GatewayCall.objects.get(path="/api/oms/bse_payments")
    assert (call.outcome, call.response_body) == ("OK", None)


# --- mandates -----------------------------------------------------------------------------------------------------


@covers(
    "create_nach_mandate", "fetch_mandate", "list_mandates", "simulate_mandate", "create_nach_purchase",
    "simulate_payment", "simulate_order",
)  # fmt: skip
def test_a_mandate_on_paper_and_its_debit(tony: Investing, client: FintechPrimitives):
    mandate_id = tony.mandate(MandateStatus.SUBMITTED, MandateStatus.APPROVED)
    mandate = client.fetch_mandate(mandate_id)
    assert (mandate.mandate_status, mandate.mandate_limit) == (MandateStatus.APPROVED, 100_000)
    assert list(client.list_mandates([tony.bank.id])) == [mandate]
    line = NewPurchase(isin=BOND, amount=Decimal(5_005), source_ref_id="nach-1")
    placed = client.create_nach_purchase(tony.account, mandate_id=mandate_id, orders=[line], about=ABOUT)
    (payment,) = client.list_payments([placed[0].id])
    assert payment.payment_type == messages.PaymentType.NACH
    client.simulate_payment(payment.id, PaymentStatus.SUBMITTED, ABOUT)
    client.simulate_payment(payment.id, PaymentStatus.APPROVED, ABOUT)
    assert client.fetch_order(tony.account, placed[0].id).status == OrderStatus.PAYMENT_CONFIRMED
    said = client.simulate_order(placed[0].id, OrderStatus.SUBMITTED, ABOUT)
    assert said.message == "order updated successfully"


@covers("create_e_mandate", "authorise_e_mandate")
def test_an_e_mandate_is_authorised_at_the_bank(tony: Investing, client: FintechPrimitives, sandbox: SandboxControl):
    wish = NewEMandate(bank_account_id=tony.bank.id, mandate_limit=Decimal(50_000))
    mandate_id = client.create_e_mandate(wish, ABOUT)
    started = client.authorise_e_mandate(mandate_id, postback_url=HERE, about=ABOUT)
    sandbox.pay(started.id)
    tony.settle()
    assert client.fetch_mandate(mandate_id).mandate_status == MandateStatus.APPROVED


# --- plans --------------------------------------------------------------------------------------------------------


@covers(
    "create_sips", "list_sips", "fetch_sip", "list_sip_instalments", "update_sip_mandate", "deactivate_sip",
    "cancel_next_instalment", "simulate_next_instalment",
)  # fmt: skip
def test_a_plan_from_its_first_instalment_to_its_end(tony: Investing, client: FintechPrimitives):
    sip_id = tony.sip()
    sip = client.fetch_sip(tony.account, sip_id)
    assert (sip.active, sip.amount, sip.installments, sip.frequency) == (True, 5_000, 20, "MONTHLY")
    assert list(client.list_sips(tony.account)) == [sip]
    client.simulate_next_instalment(sip_id, ABOUT)
    skipped = client.cancel_next_instalment(tony.account, sip_id, ABOUT)
    assert (skipped.status, skipped.fund_scheme.isin) == (OrderStatus.CANCELLED, None)
    made = client.list_sip_instalments(tony.account, sip_id)
    assert [(each.status, each.sip_id) for each in made] == [
        (OrderStatus.PENDING, sip_id),
        (OrderStatus.CANCELLED, sip_id),
    ]
    other = tony.mandate()
    client.update_sip_mandate(tony.account, sip_id, mandate_id=other, about=ABOUT)
    assert client.fetch_sip(tony.account, sip_id).mandate_id == other
    assert client.deactivate_sip(tony.account, sip_id, ABOUT).active is False


# --- redeeming ----------------------------------------------------------------------------------------------------


@covers("create_sell", "list_sells")
def test_selling_rupees_units_and_all(tony: Investing, client: FintechPrimitives):
    folio = tony.bought(20_000).folio_number
    wishes = ({"type": "amount", "amount": 1_000}, {"type": "units", "units": "15.125"}, {"redeem_all": True})
    lines = [NewSell(folio_number=folio, isin=BOND, source_ref_id=f"sell-{next(refs)}", **wish) for wish in wishes]
    placed = client.create_sell(tony.account, orders=lines, about=ABOUT)
    tony.settle()
    sold = {each.id: each for each in client.list_sells(tony.account)}
    assert [sold[each.id].type for each in placed] == ["REDEMPTION", "REDEMPTION", "REDEEM_ALL"]
    assert {each.status for each in sold.values()} == {OrderStatus.SUCCESSFUL}
    assert sold[placed[1].id].reverse_units == Decimal("15.125")
    assert client.fetch_holdings(tony.account).folios == []


@covers(
    "fetch_redemption_summary", "create_instant_redemption", "fetch_instant_summary", "place_instant_order",
)  # fmt: skip
def test_redeeming_at_once(tony: Investing, client: FintechPrimitives):
    folio = tony.bought(20_000, LIQUID).folio_number
    summary = client.fetch_redemption_summary(tony.account, folio_number=folio, isin=LIQUID).instant_redemption
    # Units are rounded, so that the folio may be worth a little more than was paid.
    worth = client.fetch_holdings(tony.account).folios[0].schemes[0].market_value.redeemable_amount
    assert summary.allowed
    assert summary.max_amount == (worth * Decimal("0.9")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    bank = summary.redemption_bank_accounts[0]
    where = {
        "folio_number": folio, "isin": LIQUID, "redemption_bank_account_number": bank.account_number,
        "redemption_bank_account_ifsc_code": bank.ifsc_code,
    }  # fmt: skip
    wish = NewInstantRedemption(amount=Decimal(500), source_ref_id="instant-1", **where)
    (placed,) = client.create_instant_redemption(tony.account, wish, ABOUT)
    tony.settle()
    order = client.fetch_order(tony.account, placed.id)
    assert (order.status, order.redemption_mode) == (OrderStatus.SUCCESSFUL, "INSTANT")
    alone = client.fetch_instant_summary(folio_number=folio, isin=LIQUID).instant_redemption
    assert alone.multiples == 1
    done = client.place_instant_order(messages.InstantOrder(amount=Decimal(300), **where), ABOUT)
    assert done.redemption_mode == "INSTANT"
    assert done.order_reference


# --- files --------------------------------------------------------------------------------------------------------


@covers("create_file", "fetch_file", "list_files", "create_file_operation", "fetch_file_operation")
def test_a_file_goes_up_and_is_worked_on(tony: Investing, client: FintechPrimitives, sandbox: SandboxControl):
    tony.bought()
    feed = sandbox.call("GET", "/fp/feed?rta=KFINTECH").encode()
    upload = Upload(filename="asha rao.csv", content_type="text/csv", content=feed, purpose="feed")
    file = client.create_file(upload, ABOUT)
    assert (file.byte_size, file.content_type, file.purpose) == (len(feed), "text/csv", "feed")
    assert client.fetch_file(file.id) == file
    assert [each.id for each in client.list_files()] == [file.id]
    work = client.create_file_operation(messages.NewFileOperation(file=file.id), ABOUT)
    assert (work.status, work.processed) == ("pending", None)
    tony.settle()
    work = client.fetch_file_operation(work.id)
    assert (work.status, work.processed, work.failed) == ("processed", 1, 0)


def test_the_journal_keeps_neither_the_name_nor_the_content_of_a_file(client: FintechPrimitives):
    client.create_file(Upload(filename="asha rao.png", content_type="image/png", content=b"secret pixels"), ABOUT)
    call = GatewayCall.objects.get(path="/files")
    assert call.request_body == {"files": {"file": "image/png, 13 bytes"}, "fields": {}}
    kept = f"{call.request_body} {call.response_body}"
    assert "asha" not in kept
    assert "secret" not in kept


# --- KYC ----------------------------------------------------------------------------------------------------------


@covers("check_kyc", "fetch_kyc_check", "refetch_kyc_check")
def test_kyc_checks(client: FintechPrimitives):
    check = client.check_kyc("BNBPP9384M")
    assert (check.status, check.investment_limit) == (True, Decimal(50_000))
    assert client.fetch_kyc_check(check.id) == check
    assert client.refetch_kyc_check(check.id).pan == check.pan
    unknown = client.check_kyc("AAAPB3753C")
    assert (unknown.status, unknown.reason, unknown.action) == (False, "unavailable", "create")


@covers(
    "create_kyc_request", "fetch_kyc_request", "list_kyc_requests", "update_kyc_request", "simulate_kyc_request",
)  # fmt: skip
def test_kyc_requests(client: FintechPrimitives):
    asked = NewKycRequest.model_validate(BY_ID["kyc-request-create"]["repaired"] | {"spouse_name": None, "photo": None})
    made = client.create_kyc_request(asked, ABOUT)
    assert (made.status, made.requirements.fields_needed) == ("pending", ["ipv_video", "photo"])
    change = messages.KycRequestChange
    client.update_kyc_request(made.id, change(photo="946848da-50bb-4957-a940-c164c0c71172"), ABOUT)
    anew = change(name="Rani R Gupta", email="rani@example.com", mobile={"isd": "+91", "number": "9008580644"})
    made = client.update_kyc_request(made.id, anew, ABOUT)
    assert (made.name, made.email, made.mobile.number) == ("Rani R Gupta", "rani@example.com", "9008580644")
    last = change(ipv_video="76e18d5f-e84a-478d-a836-4971f38d3814")
    made = client.update_kyc_request(made.id, last, ABOUT, method="POST")
    assert made.requirements.fields_needed == []
    made = client.simulate_kyc_request(made.id, messages.KycStatus.REJECTED, ABOUT)
    assert made.verification.details["pan"] == messages.VerificationCode.DATA_MISMATCH
    assert client.fetch_kyc_request(made.id) == made
    assert client.list_kyc_requests() == [made]


# --- master data --------------------------------------------------------------------------------------------------


@covers(
    "list_pincodes", "fetch_pincode", "list_states", "list_countries", "list_ifsc_codes", "fetch_ifsc", "fetch_scheme",
    "list_schemes", "list_amcs", "fetch_metadata",
)  # fmt: skip
def test_master_data(client: FintechPrimitives):
    page = next(client.list_pincodes())
    assert (len(page.pincodes), page.is_last) == (100, False)
    assert client.fetch_pincode("560102").state_name.upper() == "KARNATAKA"
    assert {each.name for each in client.list_states()} >= {"Karnataka", "Kerala"}
    assert ("India", "IN") in {(each.name, each.ansi_code) for each in client.list_countries()}
    assert next(client.list_ifsc_codes()).total_elements > 100_000
    assert client.fetch_ifsc("ICIC0000611").bank_name.upper() == "ICICI BANK"
    scheme = client.fetch_scheme(BOND)
    assert (scheme.plan_type, scheme.investment_option) == ("REGULAR", "GROWTH")
    assert 2 in scheme.sip_frequency_data.days
    (page,) = client.list_schemes(active=True, isins=[BOND, LIQUID])
    assert {each.isin for each in page.fund_schemes} == {BOND, LIQUID}
    assert any(each.active for each in client.list_amcs())
    words = client.fetch_metadata()
    assert set(words.occupations) == set(messages.Occupation) - {messages.Occupation.UNKNOWN}


# --- refusals, and that nothing is left out -----------------------------------------------------------------------


def test_a_refusal_names_the_fields(tony: Investing, client: FintechPrimitives):
    lines = [NewPurchase(isin=BOND, amount=Decimal(amount), source_ref_id=f"few-{amount}") for amount in (1, 5_000)]
    with pytest.raises(errors.Refused) as refusal:
        client.create_purchase(tony.account, bank_account_id=tony.bank.id, orders=lines, about=ABOUT)
    assert [each.field for each in refusal.value.fields] == ["orders[0].amount"]
    assert list(client.list_account_orders(tony.account)) == []


def test_an_id_from_outside_stays_in_its_place_in_the_path(client: FintechPrimitives):
    """`../onb/states` is an id that nobody has, not another address."""
    with pytest.raises(errors.Refused) as refusal:
        client.fetch_payment("../../onb/states")
    assert refusal.value.status == 404


def test_every_method_is_covered():
    assert {row.client for row in FP} == COVERED
