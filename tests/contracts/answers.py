"""The sample answers of all four providers, and how each client is made to hear one: bytes in, message or error out.

The whole way of an answer is the real one (what its status says, the table of refusals, strict JSON, the typed
message); only network, journal and pace are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa import requests
from brokers.fivepaisa.auth import Session
from brokers.odin import client as odin
from brokers.odin import messages as odin_messages
from brokers.smallcase import client as smallcase
from brokers.smallcase import messages as smallcase_messages
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages as m
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response
from tests.contracts import endpoints
from tests.sandbox.api import BOND, LIQUID, investor

SAMPLES = Path(__file__).parent.parent / "samples"
FILES = {"fp": "fp.json", "smallcase": "smallcase.json", "odin": "odin.json", "5paisa": "fivepaisa.json"}
ABOUT = About()


@dataclass(frozen=True)
class Sample:
    """One printed answer, and the method of the client whose answer it is."""

    provider: str
    id: str
    method: str
    status: int
    body: bytes
    # What a body of JSON says; None for a body that is none.
    parsed: Any

    @property
    def content_type(self) -> str:
        return "application/json" if self.parsed is not None else "text/html"


# --- what the investor of the samples wants -----------------------------------------------------------------------

SESSION = Session("50000001", "token")
ITC = requests.Scrip(exchange=requests.Exchange.NSE, code=1660)
ONE = smallcase_messages.NewTransaction(
    securities=(smallcase_messages.Security(ticker="TCS", quantity=5, side=smallcase_messages.Side.BUY),)
)
LINE = odin_messages.Line(
    segment=odin_messages.Segment.NSE_CASH, token=12716, side=odin_messages.Side.BUY, quantity=500
)
BASKET = odin_messages.Basket(reco_id="01F5h9", client_code="connector", lines=(LINE,))
ORDER = requests.NewOrder(scrip=ITC, side=requests.Side.BUY, quantity=1, remote_order_id="CustomOrder123")
CHANGE = requests.Change(exch_order_id="1100000018012644", price=Decimal(0))
MARGIN = requests.MarginLine(scrip=ITC, side=requests.Side.BUY, quantity=1)
TRX = "TRX_8fe1f2d6f23c4d0f8a4b6d0ce3a51b77"

NEW_INVESTOR = m.NewInvestor.model_validate(investor())
PURCHASE = m.NewPurchase(isin=BOND, amount=Decimal(5_000), source_ref_id="ref")
SELL = m.NewSell(folio_number="1", isin=BOND, source_ref_id="ref", redeem_all=True)
SIP = m.NewSip(
    isin=BOND, amount=Decimal(5_000), start_day="2", installments=20, source_ref_id="ref", mandate_id="1"
)  # fmt: skip
AT_ONCE = {
    "folio_number": "1", "isin": LIQUID, "amount": Decimal(500), "redemption_bank_account_number": "1",
    "redemption_bank_account_ifsc_code": "ICIC0000611",
}  # fmt: skip
INSTANT = m.NewInstantRedemption(source_ref_id="ref", **AT_ONCE)
MANDATE = {"bank_account_id": "1", "mandate_limit": Decimal(100_000)}
UPLOAD = m.Upload(filename="a.csv", content_type="text/csv", content=b"a")
NEW_KYC = next(
    m.NewKycRequest.model_validate(sample["repaired"] | {"spouse_name": None})
    for sample in json.loads((SAMPLES / "fp.json").read_text())["samples"]
    if sample["id"] == "kyc-request-create"
)
Call = Callable[[Any], Any]

# How each method is called so that the samples are answers to it. Iterators are read to their end.
CALLS: dict[tuple[str, str], Call] = {
    ("fp", "login"): lambda c: c.login(),
    ("fp", "list_investors"): lambda c: first(c.list_investors()),
    ("fp", "search_investors"): lambda c: first(c._pages(m.InvestorPage, "/api/onb/investors/search", m.Paging())),
    ("fp", "fetch_investor"): lambda c: c.fetch_investor("1"),
    ("fp", "create_investor"): lambda c: c.create_investor(NEW_INVESTOR, ABOUT),
    ("fp", "update_investor"): lambda c: c.update_investor("1", NEW_INVESTOR, ABOUT),
    ("fp", "create_investment_account"): lambda c: c.create_investment_account("1", ABOUT),
    ("fp", "list_investment_accounts"): lambda c: c.list_investment_accounts("1"),
    ("fp", "fetch_holdings"): lambda c: c.fetch_holdings("1"),
    ("fp", "list_account_orders"): lambda c: first(c.list_account_orders("1")),
    ("fp", "create_purchase"): lambda c: c.create_purchase("1", bank_account_id="1", orders=[PURCHASE], about=ABOUT),
    ("fp", "create_nach_purchase"): lambda c: c.create_nach_purchase(
        "1", mandate_id="1", orders=[PURCHASE], about=ABOUT
    ),
    ("fp", "create_sell"): lambda c: c.create_sell("1", orders=[SELL], about=ABOUT),
    ("fp", "create_instant_redemption"): lambda c: c.create_instant_redemption("1", INSTANT, ABOUT),
    ("fp", "create_sips"): lambda c: c.create_sips("1", sips=[SIP], about=ABOUT),
    ("fp", "fetch_redemption_summary"): lambda c: c.fetch_redemption_summary("1", folio_number="1", isin=LIQUID),
    ("fp", "list_sips"): lambda c: first(c.list_sips("1")),
    ("fp", "fetch_sip"): lambda c: c.fetch_sip("1", "1"),
    ("fp", "list_sip_instalments"): lambda c: c.list_sip_instalments("1", "1"),
    ("fp", "update_sip_mandate"): lambda c: c.update_sip_mandate("1", "1", mandate_id="1", about=ABOUT),
    ("fp", "deactivate_sip"): lambda c: c.deactivate_sip("1", "1", ABOUT),
    ("fp", "cancel_next_instalment"): lambda c: c.cancel_next_instalment("1", "1", ABOUT),
    ("fp", "list_orders"): lambda c: first(c.list_orders()),
    ("fp", "fetch_instant_summary"): lambda c: c.fetch_instant_summary(folio_number="1", isin=LIQUID),
    ("fp", "place_instant_order"): lambda c: c.place_instant_order(m.InstantOrder(**AT_ONCE), ABOUT),
    ("fp", "list_transactions"): lambda c: c.list_transactions(m.TransactionQuery(folios=["1"])),
    ("fp", "create_file_operation"): lambda c: c.create_file_operation(m.NewFileOperation(file="1"), ABOUT),
    ("fp", "fetch_file_operation"): lambda c: c.fetch_file_operation("1"),
    ("fp", "fetch_order"): lambda c: c.fetch_order("1", "1"),
    ("fp", "list_purchases"): lambda c: first(c.list_purchases("1")),
    ("fp", "list_sells"): lambda c: first(c.list_sells("1")),
    ("fp", "list_switches"): lambda c: first(c.list_switches("1")),
    ("fp", "fetch_holding_report"): lambda c: c.fetch_holding_report("1"),
    ("fp", "simulate_order"): lambda c: c.simulate_order("1", m.OrderStatus.SUBMITTED, ABOUT),
    ("fp", "simulate_next_instalment"): lambda c: c.simulate_next_instalment("1", ABOUT),
    ("fp", "simulate_payment"): lambda c: c.simulate_payment("1", m.PaymentStatus.SUBMITTED, ABOUT),
    ("fp", "simulate_mandate"): lambda c: c.simulate_mandate("1", m.MandateStatus.SUBMITTED, ABOUT),
    ("fp", "list_pincodes"): lambda c: first(c.list_pincodes()),
    ("fp", "fetch_pincode"): lambda c: c.fetch_pincode("560102"),
    ("fp", "list_states"): lambda c: c.list_states(),
    ("fp", "list_countries"): lambda c: c.list_countries(),
    ("fp", "list_ifsc_codes"): lambda c: first(c.list_ifsc_codes()),
    ("fp", "fetch_ifsc"): lambda c: c.fetch_ifsc("ICIC0000611"),
    ("fp", "fetch_scheme"): lambda c: c.fetch_scheme(BOND),
    ("fp", "list_schemes"): lambda c: first(c.list_schemes()),
    ("fp", "list_amcs"): lambda c: c.list_amcs(),
    ("fp", "fetch_metadata"): lambda c: c.fetch_metadata(),
    ("fp", "create_nach_mandate"): lambda c: c.create_nach_mandate(m.NewNachMandate(**MANDATE), ABOUT),
    ("fp", "fetch_mandate"): lambda c: c.fetch_mandate("1"),
    ("fp", "list_mandates"): lambda c: first(c.list_mandates()),
    ("fp", "create_e_mandate"): lambda c: c.create_e_mandate(m.NewEMandate(**MANDATE), ABOUT),
    ("fp", "authorise_e_mandate"): lambda c: c.authorise_e_mandate("1", about=ABOUT),
    ("fp", "create_payment"): lambda c: c.create_payment(order_ids=["1"], about=ABOUT),
    ("fp", "create_bse_payment"): lambda c: c.create_bse_payment(
        order_ids=["1"], postback_url="https://portal.example/back", about=ABOUT
    ),
    ("fp", "fetch_payment"): lambda c: c.fetch_payment("1"),
    ("fp", "list_payments"): lambda c: first(c._pages(m.PaymentPage, "/api/pg/payments", m.PaymentQuery())),
    ("fp", "check_kyc"): lambda c: c.check_kyc("BNBPP9384M"),
    ("fp", "fetch_kyc_check"): lambda c: c.fetch_kyc_check("1"),
    ("fp", "refetch_kyc_check"): lambda c: c.refetch_kyc_check("1"),
    ("fp", "create_kyc_request"): lambda c: c.create_kyc_request(NEW_KYC, ABOUT),
    ("fp", "fetch_kyc_request"): lambda c: c.fetch_kyc_request("1"),
    ("fp", "list_kyc_requests"): lambda c: c.list_kyc_requests(),
    ("fp", "update_kyc_request"): lambda c: c.update_kyc_request("1", m.KycRequestChange(photo="1"), ABOUT),
    ("fp", "simulate_kyc_request"): lambda c: c.simulate_kyc_request("1", m.KycStatus.REJECTED, ABOUT),
    ("fp", "create_file"): lambda c: c.create_file(UPLOAD, ABOUT),
    ("fp", "fetch_file"): lambda c: c.fetch_file("1"),
    ("fp", "list_files"): lambda c: c.list_files(),
    ("smallcase", "create_transaction"): lambda c: c.create_transaction(ONE, about=ABOUT),
    ("smallcase", "fetch_transaction"): lambda c: c.fetch_transaction(TRX),
    ("smallcase", "fetch_orders"): lambda c: c.fetch_orders(TRX),
    ("smallcase", "fetch_holdings"): lambda c: c.fetch_holdings("5f0c"),
    ("odin", "create_button_request"): lambda c: c.create_button_request("XYZ", BASKET, ABOUT),
    ("odin", "list_brokers"): lambda c: c.list_brokers(),
    ("odin", "sync_events"): lambda c: list(c.sync_events()),
    ("5paisa", "create_access_token"): lambda c: c.create_access_token("eyJ"),
    ("5paisa", "create_order"): lambda c: c.create_order(SESSION, ORDER, ABOUT),
    ("5paisa", "update_order"): lambda c: c.update_order(SESSION, CHANGE, ABOUT),
    ("5paisa", "cancel_order"): lambda c: c.cancel_order(SESSION, "1100000018012644", ABOUT),
    ("5paisa", "fetch_multi_order_margin"): lambda c: c.fetch_multi_order_margin(SESSION, [MARGIN]),
    ("5paisa", "fetch_order_statuses"): lambda c: c.fetch_order_statuses(SESSION, [(requests.Exchange.NSE, "1")]),
    ("5paisa", "fetch_order_book"): lambda c: c.fetch_order_book(SESSION),
    ("5paisa", "fetch_trade_book"): lambda c: c.fetch_trade_book(SESSION),
    ("5paisa", "fetch_positions"): lambda c: c.fetch_positions(SESSION),
    ("5paisa", "fetch_holdings"): lambda c: c.fetch_holdings(SESSION),
    ("5paisa", "fetch_margin"): lambda c: c.fetch_margin(SESSION),
    ("5paisa", "fetch_snapshots"): lambda c: c.fetch_snapshots(SESSION, [ITC]),
    ("5paisa", "fetch_feed"): lambda c: c.fetch_feed(SESSION, [ITC], datetime(2026, 11, 20, tzinfo=UTC)),
    ("5paisa", "fetch_depth"): lambda c: c.fetch_depth(SESSION, [ITC]),
    ("5paisa", "list_scrips"): lambda c: list(c.list_scrips(requests.Segment.NSE_EQ)),
}


def first(found: Iterator[Any]) -> Any:
    """The first thing of a list that goes on page after page; every page would be the same one here."""
    return next(iter(found), None)


# --- hearing ------------------------------------------------------------------------------------------------------


class Ear:
    """In the place of the transport: every call is answered with what was told."""

    def __init__(self) -> None:
        self.answer = Response(200, {}, b"")

    def send(self, request: Request) -> Response:
        """The answer, whatever was asked."""
        return self.answer


def listening(provider: str) -> Any:
    """A client from settings whose answers are told: see `hears`. ODIN's pages lie where its document prints them."""
    makers: dict[str, Callable[[], Any]] = {
        "fp": fp.build, "smallcase": smallcase.build, "odin": odin.build, "5paisa": fivepaisa.build,
    }  # fmt: skip
    client = makers[provider]()
    if provider == "odin":
        client._choices = replace(client._choices, web_url="http://odinconnectoruat.63moons.com")
    client.transport = Ear()

    def call(request: Request, about: About = ABOUT) -> Any:
        response = client.transport.send(request)
        if error := client.classify(request, response):
            raise error
        return client.parse(request, response)

    def stream(request: Request, about: About = ABOUT) -> Iterator[bytes]:
        response = client.transport.send(request)
        if error := client.classify(request, response):
            raise error
        yield response.body

    client.read = client.write = call
    # FP's login, which is neither: it is what other calls need first.
    client._once = lambda request, about, **_: call(request, about)
    client.stream = stream
    return client


def hears(client: Any, call: Call, status: int, body: bytes, content_type: str = "application/json") -> Any:
    """What the call makes of the answer. Raises the six errors."""
    client.transport.answer = Response(status, {"Content-Type": content_type}, body)
    return call(client)


def samples(provider: str) -> Iterator[Sample]:
    """Every printed answer to a method of the client."""
    rows = [row for row in endpoints.ALL if row.provider == provider]
    for each in json.loads((SAMPLES / FILES[provider]).read_text())["samples"]:
        names = [row.client for row in rows if row.name == each["endpoint"]]
        exact = [row.client for row in rows if (row.name, row.section) == (each["endpoint"], each["section"])]
        method = (exact or names)[0]
        if (provider, method) not in CALLS:
            continue
        said = each["response"]
        text = said.get("text") or said.get("html")
        parsed = None if text else said.get("body")
        body = text.encode() if text else json.dumps(parsed).encode()
        if parsed is not None or text:
            yield Sample(provider, each["id"], method, said["status"], body, parsed)
