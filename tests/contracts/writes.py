"""Every writing call of every provider, ready to be made once more, and how the world shows what it did.

A maker prepares what its call needs and returns `(the call, a question to the world)`: the answer to the question grows
by one with each effect of the call. Logging in at FP and KYC checks make nothing that matters, and are not here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
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
from portal.gateway.breaker import Breaker
from portal.gateway.journal import About
from portal.sandbox.server import Running
from tests.contracts.answers import AT_ONCE, ITC, NEW_KYC, UPLOAD
from tests.control import SandboxControl
from tests.sandbox.api import BOND, LIQUID, investor

ABOUT, HERE = About(), "https://portal.example/back"
numbers = itertools.count(100_000)
Made = tuple[Callable[[], Any], Callable[[], int]]


class World:
    """The sandbox as the truth, its control room, and a client of each provider without fear of repeated trouble."""

    def __init__(self, running: Running, settings: Any) -> None:
        self.db, self.settings = running.sandbox.world, settings
        self.control = SandboxControl(running.url)
        self.control.reset()
        settings.FP_BASE_URL = f"{running.url}/fp"
        settings.SMALLCASE_BASE_URL = f"{running.url}/smallcase"
        settings.ODIN_BASE_URL = settings.ODIN_WEB_URL = f"{running.url}/odin"
        settings.FIVEPAISA_BASE_URL = f"{running.url}/5paisa"

    def count(self, table: str, where: str = "1 = 1", *values: Any) -> Callable[[], int]:
        """The question how many such rows there are."""
        return lambda: int(self.db.scalar(f"SELECT count(*) FROM {table} WHERE {where}", *values))

    @cached_property
    def fp(self) -> Any:
        return Fp(self)

    @cached_property
    def bse(self) -> Any:
        self.settings.FP_TENANT = self.settings.FP_API_KEY_ID = "sandbox-bse"
        self.settings.FP_SECRET = "sandbox-bse-secret"
        return Fp(self)

    @cached_property
    def smallcase(self) -> Any:
        return smallcase.build()

    @cached_property
    def odin(self) -> Any:
        return odin.build()

    @cached_property
    def fivepaisa(self) -> Any:
        return fivepaisa.build()

    @cached_property
    def session(self) -> Session:
        found = self.fivepaisa.create_access_token(self.request_token())
        return Session(found.client_code, found.access_token)

    def request_token(self) -> str:
        return str(self.control.call("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"])

    def forget_troubles(self) -> None:
        """No client holds a grudge."""
        for client in (self.fp.client, self.smallcase, self.odin, self.fivepaisa):
            client.breaker = Breaker(client.provider)
        if "bse" in self.__dict__:
            self.bse.client.breaker = Breaker("fp")


class Fp:
    """An investor at FP with an account, and what the writing calls need; made when first asked for."""

    def __init__(self, world: World) -> None:
        self.world, self.client = world, fp.build()

    @cached_property
    def investor(self) -> Any:
        return self.client.create_investor(new_investor(), ABOUT)

    @cached_property
    def account(self) -> str:
        return str(self.client.create_investment_account(self.investor.id, ABOUT).investment_account_id)

    @property
    def bank(self) -> str:
        return str(self.investor.bank_accounts[0].id)

    def buy(self, isin: str = BOND, amount: int = 5_005) -> str:
        (placed,) = self.client.create_purchase(
            self.account, bank_account_id=self.bank, orders=[purchase(isin, amount)], about=ABOUT
        )
        return str(placed.id)

    def folio_of(self, isin: str) -> str:
        """A folio with a lakh and more in it."""
        order_id = self.buy(isin, 500_000)
        started = self.client.create_payment(order_ids=[order_id], about=ABOUT)
        self.world.control.pay(started.id)
        for _ in range(3):
            self.world.control.call("POST", "/clock", {"advance": "PT5S"})
        return str(self.client.fetch_order(self.account, order_id).folio_number)

    @cached_property
    def folio(self) -> str:
        return self.folio_of(BOND)

    @cached_property
    def liquid_folio(self) -> str:
        return self.folio_of(LIQUID)

    def new_mandate(self, *states: m.MandateStatus) -> str:
        wish = m.NewNachMandate(bank_account_id=self.bank, mandate_limit=Decimal(100_000))
        mandate_id = str(self.client.create_nach_mandate(wish, ABOUT))
        for state in states:
            self.client.simulate_mandate(mandate_id, state, ABOUT)
        return mandate_id

    @cached_property
    def mandate(self) -> str:
        return self.new_mandate(m.MandateStatus.SUBMITTED, m.MandateStatus.APPROVED)

    @cached_property
    def other_mandate(self) -> str:
        return self.new_mandate(m.MandateStatus.SUBMITTED, m.MandateStatus.APPROVED)

    def sip(self) -> str:
        return str(self.client.create_sips(self.account, sips=[self.new_sip()], about=ABOUT)[0].id)

    def new_sip(self) -> m.NewSip:
        return m.NewSip(
            isin=BOND, amount=Decimal(5_000), start_day="2", installments=20, source_ref_id=ref(),
            mandate_id=self.mandate,
        )  # fmt: skip


def ref() -> str:
    return f"ref{next(numbers)}"


def purchase(isin: str = BOND, amount: int = 5_005) -> m.NewPurchase:
    return m.NewPurchase(isin=isin, amount=Decimal(amount), source_ref_id=ref())


def pan() -> str:
    number = next(numbers)
    return f"A{chr(65 + number // 10_000 % 26)}ZPN{number % 900 + 1000}{chr(65 + number // 900 % 26)}"


def new_investor(**changes: Any) -> m.NewInvestor:
    return m.NewInvestor.model_validate(investor(**{"kyc_identity_detail.pan_number": pan()}) | changes)


# --- FP ---------------------------------------------------------------------------------------------------------------


def _create_investor(world: World) -> Made:
    wish = new_investor()
    return lambda: world.fp.client.create_investor(wish, ABOUT), world.count("fp_investors")


def _update_investor(world: World) -> Made:
    one = world.fp.investor
    body = investor(**{"kyc_identity_detail.pan_number": one.kyc_identity_detail.pan_number})
    body |= {"display_name": ref()}
    body["bank_accounts"][0]["id"] = one.bank_accounts[0].id
    wish = m.NewInvestor.model_validate(body)
    effect = world.count("fp_investors", "name = ? OR doc LIKE ?", wish.display_name, f"%{wish.display_name}%")
    return lambda: world.fp.client.update_investor(one.id, wish, ABOUT), effect


def _create_investment_account(world: World) -> Made:
    one = world.fp.client.create_investor(new_investor(), ABOUT)
    return lambda: world.fp.client.create_investment_account(one.id, ABOUT), world.count("fp_accounts")


def _create_purchase(world: World) -> Made:
    me, line = world.fp, purchase()
    call = lambda: me.client.create_purchase(me.account, bank_account_id=me.bank, orders=[line], about=ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "source_ref_id = ?", line.source_ref_id)


def _create_nach_purchase(world: World) -> Made:
    me, line = world.fp, purchase()
    mandate = me.mandate
    call = lambda: me.client.create_nach_purchase(me.account, mandate_id=mandate, orders=[line], about=ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "source_ref_id = ?", line.source_ref_id)


def _create_sell(world: World) -> Made:
    me = world.fp
    line = m.NewSell(folio_number=me.folio, isin=BOND, source_ref_id=ref(), type="amount", amount=Decimal(1_000))
    call = lambda: me.client.create_sell(me.account, orders=[line], about=ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "source_ref_id = ?", line.source_ref_id)


def _create_instant_redemption(world: World) -> Made:
    me = world.fp
    where = AT_ONCE | {"folio_number": me.liquid_folio, "amount": Decimal(100)} | redeemed_to(me)
    wish = m.NewInstantRedemption(source_ref_id=ref(), **where)
    call = lambda: me.client.create_instant_redemption(me.account, wish, ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "source_ref_id = ?", wish.source_ref_id)


def redeemed_to(me: Fp) -> dict[str, str]:
    summary = me.client.fetch_redemption_summary(me.account, folio_number=me.liquid_folio, isin=LIQUID)
    bank = summary.instant_redemption.redemption_bank_accounts[0]
    return {
        "redemption_bank_account_number": bank.account_number,
        "redemption_bank_account_ifsc_code": bank.ifsc_code,
    }


def _place_instant_order(world: World) -> Made:
    me = world.fp
    order = m.InstantOrder(**AT_ONCE | {"folio_number": me.liquid_folio, "amount": Decimal(100)} | redeemed_to(me))
    return lambda: me.client.place_instant_order(order, ABOUT), world.count("fp_orders")


def _create_sips(world: World) -> Made:
    me = world.fp
    line = me.new_sip()
    call = lambda: me.client.create_sips(me.account, sips=[line], about=ABOUT)  # noqa: E731
    return call, world.count("fp_sips", "source_ref_id = ?", line.source_ref_id)


def _update_sip_mandate(world: World) -> Made:
    me, other = world.fp, world.fp.other_mandate
    sip = me.sip()
    call = lambda: me.client.update_sip_mandate(me.account, sip, mandate_id=other, about=ABOUT)  # noqa: E731
    return call, world.count("fp_sips", "id = ? AND mandate_id = ?", int(sip), int(other))


def _deactivate_sip(world: World) -> Made:
    me, sip = world.fp, world.fp.sip()
    call = lambda: me.client.deactivate_sip(me.account, sip, ABOUT)  # noqa: E731
    return call, world.count("fp_sips", "id = ? AND active = 0", int(sip))


def _cancel_next_instalment(world: World) -> Made:
    me, sip = world.fp, world.fp.sip()
    call = lambda: me.client.cancel_next_instalment(me.account, sip, ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "sip_id = ? AND status = 'CANCELLED'", int(sip))


def _create_mandate(kind: str) -> Callable[[World], Made]:
    def make(world: World) -> Made:
        wish = {"bank_account_id": world.fp.bank, "mandate_limit": Decimal(100_000)}
        new = m.NewNachMandate(**wish) if kind == "create_nach_mandate" else m.NewEMandate(**wish)
        return lambda: getattr(world.fp.client, kind)(new, ABOUT), world.count("fp_mandates")

    return make


def _authorise_e_mandate(world: World) -> Made:
    wish = m.NewEMandate(bank_account_id=world.fp.bank, mandate_limit=Decimal(50_000))
    made = world.fp.client.create_e_mandate(wish, ABOUT)
    call = lambda: world.fp.client.authorise_e_mandate(made, postback_url=HERE, about=ABOUT)  # noqa: E731
    return call, world.count("fp_payments", "mandate_id = ?", int(made))


def _create_payment(world: World) -> Made:
    order = world.fp.buy()
    call = lambda: world.fp.client.create_payment(order_ids=[order], postback_url=HERE, about=ABOUT)  # noqa: E731
    return call, world.count("fp_payment_orders", "order_id = ?", int(order))


def _create_bse_payment(world: World) -> Made:
    order = world.bse.buy()
    call = lambda: world.bse.client.create_bse_payment(order_ids=[order], postback_url=HERE, about=ABOUT)  # noqa: E731
    return call, world.count("fp_payment_orders", "order_id = ?", int(order))


def _create_kyc_request(world: World) -> Made:
    wish = NEW_KYC.model_copy(update={"pan": pan()})
    return lambda: world.fp.client.create_kyc_request(wish, ABOUT), world.count("fp_kyc_requests")


def _update_kyc_request(world: World) -> Made:
    made = world.fp.client.create_kyc_request(NEW_KYC.model_copy(update={"pan": pan()}), ABOUT)
    change = m.KycRequestChange(father_name=f"Father {ref()}")
    effect = world.count("fp_kyc_requests", "id = ? AND doc LIKE ?", made.id, f"%{change.father_name}%")
    return lambda: world.fp.client.update_kyc_request(made.id, change, ABOUT), effect


def _simulate_kyc_request(world: World) -> Made:
    made = world.fp.client.create_kyc_request(NEW_KYC.model_copy(update={"pan": pan()}), ABOUT)
    rest = m.KycRequestChange(ipv_video="76e18d5f-e84a-478d-a836-4971f38d3814")
    world.fp.client.update_kyc_request(made.id, rest, ABOUT)
    call = lambda: world.fp.client.simulate_kyc_request(made.id, m.KycStatus.REJECTED, ABOUT)  # noqa: E731
    return call, world.count("fp_kyc_requests", "id = ? AND status = 'rejected'", made.id)


def _create_file(world: World) -> Made:
    return lambda: world.fp.client.create_file(UPLOAD, ABOUT), world.count("fp_files")


def _create_file_operation(world: World) -> Made:
    feed = world.control.call("GET", "/fp/feed?rta=KFINTECH").encode()
    upload = m.Upload(filename="feed.csv", content_type="text/csv", content=feed, purpose="feed")
    work = m.NewFileOperation(file=world.fp.client.create_file(upload, ABOUT).id)
    return lambda: world.fp.client.create_file_operation(work, ABOUT), world.count("fp_file_operations")


def _simulate_order(world: World) -> Made:
    order = world.fp.buy()
    call = lambda: world.fp.client.simulate_order(order, m.OrderStatus.FAILED, ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "id = ? AND status = 'FAILED'", int(order))


def _simulate_payment(world: World) -> Made:
    order = world.fp.buy()
    key = world.fp.client.create_payment(order_ids=[order], about=ABOUT).id
    call = lambda: world.fp.client.simulate_payment(key, m.PaymentStatus.FAILED, ABOUT)  # noqa: E731
    return call, world.count("fp_payments", "id = ? AND status = 'FAILED'", int(key))


def _simulate_mandate(world: World) -> Made:
    key = world.fp.new_mandate()
    call = lambda: world.fp.client.simulate_mandate(key, m.MandateStatus.SUBMITTED, ABOUT)  # noqa: E731
    return call, world.count("fp_mandates", "id = ? AND mandate_status = 'SUBMITTED'", int(key))


def _simulate_next_instalment(world: World) -> Made:
    sip = world.fp.sip()
    call = lambda: world.fp.client.simulate_next_instalment(sip, ABOUT)  # noqa: E731
    return call, world.count("fp_orders", "sip_id = ?", int(sip))


# --- brokers ----------------------------------------------------------------------------------------------------------


def _create_transaction(world: World) -> Made:
    line = smallcase_messages.Security(ticker="ITC", quantity=1, side=smallcase_messages.Side.BUY)
    new = smallcase_messages.NewTransaction(securities=(line,), notes=ref())
    call = lambda: world.smallcase.create_transaction(new, about=ABOUT)  # noqa: E731
    return call, world.count("sc_transactions", "notes = ?", new.notes)


def _create_button_request(world: World) -> Made:
    buy = {"segment": odin_messages.Segment.NSE_CASH, "side": odin_messages.Side.BUY}
    line = odin_messages.Line(token=1660, quantity=1, **buy)
    basket = odin_messages.Basket(reco_id=str(next(numbers)), client_code="connector", lines=(line,))
    call = lambda: world.odin.create_button_request("XYZ", basket, ABOUT)  # noqa: E731
    return call, world.count("odin_baskets", "reco_id = ?", basket.reco_id)


def _create_access_token(world: World) -> Made:
    token = world.request_token()
    return lambda: world.fivepaisa.create_access_token(token), world.count("fivepaisa_used_tokens")


def new_order(price: Decimal = Decimal(0)) -> requests.NewOrder:
    return requests.NewOrder(
        scrip=ITC, side=requests.Side.BUY, quantity=1, price=price, remote_order_id=f"F{next(numbers)}"
    )  # fmt: skip


def _create_order(world: World) -> Made:
    order, session = new_order(), world.session
    call = lambda: world.fivepaisa.create_order(session, order, ABOUT)  # noqa: E731
    return call, world.count("fivepaisa_orders", "remote_id = ?", order.remote_order_id)


def waiting(world: World) -> tuple[str, str, Decimal]:
    """An order that waits: our reference, the exchange's id, its price."""
    (snapshot,) = world.fivepaisa.fetch_snapshots(world.session, [ITC])
    order = new_order(snapshot.lower_circuit_limit)
    world.fivepaisa.create_order(world.session, order, ABOUT)
    asked = [(requests.Exchange.NSE, order.remote_order_id)]
    (found,) = world.fivepaisa.fetch_order_statuses(world.session, asked)
    return order.remote_order_id, found.exch_order_id, order.price


def _update_order(world: World) -> Made:
    reference, exchange_id, price = waiting(world)
    change = requests.Change(exch_order_id=exchange_id, price=price, quantity=2)
    call = lambda: world.fivepaisa.update_order(world.session, change, ABOUT)  # noqa: E731
    return call, world.count("fivepaisa_orders", "remote_id = ? AND qty = 2", reference)


def _cancel_order(world: World) -> Made:
    reference, exchange_id, _ = waiting(world)
    call = lambda: world.fivepaisa.cancel_order(world.session, exchange_id, ABOUT)  # noqa: E731
    return call, world.count("fivepaisa_orders", "remote_id = ? AND status = 'Cancelled'", reference)


# (provider, the method of its client) -> (a part of the path, how it is prepared)
WRITES: dict[tuple[str, str], tuple[str, Callable[[World], Made]]] = {
    ("fp", "create_investor"): ("/api/onb/investors", _create_investor),
    ("fp", "update_investor"): ("*/api/onb/investors/*", _update_investor),
    ("fp", "create_investment_account"): ("/api/oms/investment_accounts", _create_investment_account),
    ("fp", "create_purchase"): ("/orders/purchase/netbanking", _create_purchase),
    ("fp", "create_nach_purchase"): ("/orders/purchase/nach", _create_nach_purchase),
    ("fp", "create_sell"): ("/orders/sell", _create_sell),
    ("fp", "create_instant_redemption"): ("/orders/sell/instant", _create_instant_redemption),
    ("fp", "place_instant_order"): ("/api/instant_redemption/order", _place_instant_order),
    ("fp", "create_sips"): ("/orders/sips", _create_sips),
    ("fp", "update_sip_mandate"): ("*/orders/sips/*", _update_sip_mandate),
    ("fp", "deactivate_sip"): ("*/orders/sips/*", _deactivate_sip),
    ("fp", "cancel_next_instalment"): ("*/orders/sips/*", _cancel_next_instalment),
    ("fp", "create_nach_mandate"): ("/api/pg/mandates", _create_mandate("create_nach_mandate")),
    ("fp", "create_e_mandate"): ("/api/pg/mandates", _create_mandate("create_e_mandate")),
    ("fp", "authorise_e_mandate"): ("/emandate/auth", _authorise_e_mandate),
    ("fp", "create_payment"): ("/payments/netbanking", _create_payment),
    ("fp", "create_bse_payment"): ("/bse_payments", _create_bse_payment),
    ("fp", "create_kyc_request"): ("/kyc_requests", _create_kyc_request),
    ("fp", "update_kyc_request"): ("*/kyc_requests/*", _update_kyc_request),
    ("fp", "simulate_kyc_request"): ("*/kyc_requests/*/simulate", _simulate_kyc_request),
    ("fp", "create_file"): ("/files", _create_file),
    ("fp", "create_file_operation"): ("/file_operations", _create_file_operation),
    ("fp", "simulate_order"): ("*/simulate/orders/*", _simulate_order),
    ("fp", "simulate_payment"): ("*/simulate/payments/*", _simulate_payment),
    ("fp", "simulate_mandate"): ("*/simulate/mandates/*", _simulate_mandate),
    ("fp", "simulate_next_instalment"): ("*/simulate/sips/*", _simulate_next_instalment),
    ("smallcase", "create_transaction"): ("/transaction", _create_transaction),
    ("odin", "create_button_request"): ("/apiButtonRequest", _create_button_request),
    ("5paisa", "create_access_token"): ("/GetAccessToken", _create_access_token),
    ("5paisa", "create_order"): ("/PlaceOrderRequest", _create_order),
    ("5paisa", "update_order"): ("/ModifyOrderRequest", _update_order),
    ("5paisa", "cancel_order"): ("/CancelOrderRequest", _cancel_order),
}
