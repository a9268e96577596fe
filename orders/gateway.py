"""Our words <-> FP's messages about orders. Only an explicit success or failure of FP's is final."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from investors.models import Consent as GivenConsent
from orders import lifecycle
from orders.models import MfOrder
from orders.redemption_rules import InstantTerms
from portal import money
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import (
    Consent,
    NewInstantRedemption,
    NewPurchase,
    NewSell,
    Order,
    OrderStatus,
    OrderType,
    PlacedOrder,
    SellBy,
)
from portal.gateway import errors, journal
from portal.gateway.journal import Fenced, fenced

# What FP's words mean, by kind of order and order gateway; a word that is missing says nothing.
_ENDED: dict[str, str] = {
    OrderStatus.FAILED: lifecycle.REJECTED,
    OrderStatus.CANCELLED: lifecycle.CANCELLED,
    OrderStatus.REVERSED: lifecycle.REVERSED,
}
_SOLD: dict[str, str] = {
    OrderStatus.PENDING: lifecycle.PLACED,
    OrderStatus.PAYMENT_CONFIRMED: lifecycle.PLACED,
    OrderStatus.SUBMITTED: lifecycle.PLACED,
    OrderStatus.SUCCESSFUL: lifecycle.REDEEMED,
    **_ENDED,
}
STATES: dict[tuple[str, str], dict[str, str]] = {
    (MfOrder.Kind.PURCHASE, "RTA"): {
        OrderStatus.PENDING: lifecycle.AWAITING_PAYMENT,
        OrderStatus.PAYMENT_CONFIRMED: lifecycle.PAID,
        OrderStatus.SUBMITTED: lifecycle.PLACED,
        OrderStatus.SUCCESSFUL: lifecycle.ALLOTTED,
        **_ENDED,
    },
    (MfOrder.Kind.PURCHASE, "BSE"): {
        OrderStatus.SUBMITTED: lifecycle.PLACED,
        OrderStatus.PAYMENT_CONFIRMED: lifecycle.PAID,
        OrderStatus.SUCCESSFUL: lifecycle.ALLOTTED,
        **_ENDED,
    },
    (MfOrder.Kind.REDEMPTION, "RTA"): _SOLD,
    (MfOrder.Kind.REDEMPTION, "BSE"): _SOLD,
    (MfOrder.Kind.SWITCH_OUT, "RTA"): _SOLD,
    (MfOrder.Kind.SWITCH_OUT, "BSE"): _SOLD,
}
KINDS: dict[str, str] = {
    OrderType.REDEMPTION: MfOrder.Kind.REDEMPTION,
    OrderType.REDEEM_ALL: MfOrder.Kind.REDEMPTION,
    OrderType.SWITCH: MfOrder.Kind.SWITCH_OUT,
}
# Under what the journal finds an order's POST, by kind.
PATHS: dict[str, str] = {MfOrder.Kind.PURCHASE: "/orders/purchase/", MfOrder.Kind.REDEMPTION: "/orders/sell"}


@dataclass(frozen=True)
class Allotment:
    """Units (3 decimals) at a NAV (4 decimals) of a day, in a folio: given, or taken by a redemption."""

    units: Decimal
    nav: Decimal
    traded_on: date
    folio_number: str


@dataclass(frozen=True)
class OrderSnapshot:
    """What the provider says about an order now, in our words. `state` is None for a word that we do not know."""

    provider_ref: str
    client_ref: str | None
    state: str | None
    their_word: str
    amount: Decimal | None = None
    isin: str | None = None
    units: Decimal | None = None
    nav: Decimal | None = None
    net_amount: Decimal | None = None
    traded_on: date | None = None
    folio_number: str | None = None
    failure_code: str = ""
    failure_text: str = ""
    # What kind of order FP speaks of, and how a redemption was done; empty when it does not say.
    kind: str = ""
    redeemed_as: str = ""
    # Of which SIP it is an instalment, and of which date; empty and None for other orders.
    plan_ref: str = ""
    invested_on: date | None = None

    @property
    def allotment(self) -> Allotment | None:
        """What was allotted, when everything that an allotment must say has been said; else None."""
        if self.units and self.nav and self.traded_on and self.folio_number:
            return Allotment(self.units, self.nav, self.traded_on, self.folio_number)
        return None


def snapshot(order: Order, gateway: str, *, plan_ref: str | None = None) -> OrderSnapshot:
    """FP's order in our words; of `plan_ref` where FP leaves the SIP out of its answer."""
    plan_ref = order.sip_id or plan_ref
    kind = KINDS.get(order.type, MfOrder.Kind.PURCHASE)
    mode = str(order.redemption_mode or "")
    return OrderSnapshot(
        provider_ref=order.id,
        # FP makes the orders of a SIP by itself, under references of its own.
        client_ref=None if plan_ref else order.source_ref_id,
        state=STATES[kind, gateway].get(order.status),
        their_word=str(order.status),
        amount=order.amount,
        isin=order.fund_scheme.isin if order.fund_scheme else None,
        units=money.to_units(order.reverse_units) if order.reverse_units is not None else None,
        nav=money.to_nav(order.price) if order.price is not None else None,
        net_amount=money.to_paise(order.reverse_amount) if order.reverse_amount is not None else None,
        traded_on=order.trade_date,
        folio_number=order.folio_number or None,
        failure_code=(order.failure_code or "")[:60],
        failure_text=(order.failed_reason or "")[:500],
        kind="" if order.type == OrderType.UNKNOWN else kind,
        redeemed_as=mode if mode in MfOrder.RedemptionMode.values else "",
        plan_ref=plan_ref or "",
        invested_on=order.investment_date,
    )


def read_by(told: OrderSnapshot, gateway: str) -> OrderSnapshot:
    """The same words of FP by the table of `gateway`: that of the order, whatever the setting has become since."""
    return replace(told, state=STATES[told.kind or MfOrder.Kind.PURCHASE, gateway].get(told.their_word))


def send(order: MfOrder) -> str:
    """POST the order, whatever its kind; returns FP's id. Raises the six gateway errors."""
    about = fenced(order, our_ref=order.client_ref, attempt_no=order.attempt_no)
    placed = _SENDERS[order.kind, order.redemption_mode](order, about)
    mine = [each for each in placed if each.isin == order.scheme.isin]
    if len(mine) != 1:
        raise errors.Garbled("fp", "POST", PATHS[order.kind], said="the answer does not name exactly our order")
    return mine[0].id


def _send_purchase(order: MfOrder, about: Fenced) -> list[PlacedOrder]:
    line = NewPurchase(
        isin=order.scheme.isin,
        amount=order.amount,
        folio_number=order.folio.number if order.folio else None,
        **_with_every_order(order),
    )
    account = order.investment_account.provider_ref
    if order.mandate is not None:
        mandate = order.mandate.provider_ref or ""
        return fp.client().create_nach_purchase(account, mandate_id=mandate, orders=[line], about=about)
    bank = order.bank_account.provider_ref or ""
    return fp.client().create_purchase(account, bank_account_id=bank, orders=[line], about=about)


def _send_sell(order: MfOrder, about: Fenced) -> list[PlacedOrder]:
    by = None if order.is_all else SellBy.AMOUNT if order.units is None else SellBy.UNITS
    line = NewSell(
        isin=order.scheme.isin,
        folio_number=_folio_of(order),
        type=by,
        amount=order.amount,
        units=order.units,
        redeem_all=order.is_all or None,
        **_with_every_order(order),
    )
    return fp.client().create_sell(order.investment_account.provider_ref, orders=[line], about=about)


def _send_instant(order: MfOrder, about: Fenced) -> list[PlacedOrder]:
    wish = NewInstantRedemption(
        isin=order.scheme.isin,
        folio_number=_folio_of(order),
        amount=order.amount,
        redemption_bank_account_number=order.bank_account.number,
        redemption_bank_account_ifsc_code=order.bank_account.ifsc,
        **_with_every_order(order),
    )
    return fp.client().create_instant_redemption(order.investment_account.provider_ref, wish, about)


_SENDERS: dict[tuple[str, str], Callable[[MfOrder, Fenced], list[PlacedOrder]]] = {
    (MfOrder.Kind.PURCHASE, ""): _send_purchase,
    (MfOrder.Kind.REDEMPTION, MfOrder.RedemptionMode.NORMAL): _send_sell,
    (MfOrder.Kind.REDEMPTION, MfOrder.RedemptionMode.INSTANT): _send_instant,
}


def _with_every_order(order: MfOrder) -> dict[str, Any]:
    return with_every_order(order.client_ref, order.user_ip, order.authority)


def with_every_order(client_ref: str, user_ip: str | None, authority: GivenConsent | None) -> dict[str, Any]:
    """Our reference, where the order or SIP came from, and with whom the yes was taken."""
    return {
        "source_ref_id": client_ref,
        "server_ip": settings.SERVER_IP,
        "user_ip": str(user_ip) if user_ip else None,
        "consent": Consent(email=authority.contact) if authority else None,
    }


def _folio_of(order: MfOrder) -> str:
    if order.folio is None:
        raise ValueError(f"{order.code} names no folio")
    return order.folio.number


def instant_terms(*, account_ref: str, folio_number: str, isin: str) -> InstantTerms:
    """What the fund house pays out of a folio at once. Raises the gateway errors of a read."""
    said = fp.client().fetch_redemption_summary(account_ref, folio_number=folio_number, isin=isin).instant_redemption
    accounts = tuple((bank.account_number, bank.ifsc_code) for bank in said.redemption_bank_accounts)
    return InstantTerms(
        said.allowed, said.min_amount, said.max_amount, said.multiples, (said.remarks or "")[:200], accounts
    )


def find(order: MfOrder) -> OrderSnapshot | None:
    """Look for our reference among all orders of the account, every state and page. None: FP does not list it."""
    about = journal.about(order, our_ref=order.client_ref, attempt_no=order.attempt_no)
    for each in fp.client().list_account_orders(order.investment_account.provider_ref, about):
        if each.source_ref_id == order.client_ref:
            return snapshot(each, order.gateway)
    return None


def fetch(order: MfOrder) -> OrderSnapshot:
    """What FP says about an order whose id we know."""
    about = journal.about(order, our_ref=order.client_ref)
    theirs = fp.client().fetch_order(order.investment_account.provider_ref, order.provider_ref or "", about)
    return snapshot(theirs, order.gateway)


def list_open(gateway: str) -> Iterator[OrderSnapshot]:
    """Every order of the tenant that FP still works on, newest first, a page of a hundred at a time."""
    return (snapshot(each, gateway) for each in fp.client().list_orders(fp.OPEN_STATES))


def switches(account_ref: str) -> Iterator[OrderSnapshot]:
    """The switches of an account, in every state."""
    return (snapshot(each, settings.FP_ORDER_GATEWAY) for each in fp.client().list_switches(account_ref))


def list_since(gateway: str, since: date) -> Iterator[OrderSnapshot]:
    """The tenant's orders of a date and later, ended ones too, the newest first; stops where older ones begin."""
    for each in fp.client().list_orders():
        if each.investment_date and each.investment_date < since:
            return
        yield snapshot(each, gateway)
