"""Our words <-> FP's messages about orders. Only an explicit success or failure of FP's is final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from orders import lifecycle
from orders.models import MfOrder
from portal import money
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import Consent, NewPurchase, Order, OrderStatus
from portal.gateway import errors, journal

# What FP's words mean for a purchase, by order gateway; a word that is missing says nothing.
STATES: dict[str, dict[str, str]] = {
    "RTA": {
        OrderStatus.PENDING: lifecycle.AWAITING_PAYMENT,
        OrderStatus.PAYMENT_CONFIRMED: lifecycle.PAID,
        OrderStatus.SUBMITTED: lifecycle.PLACED,
        OrderStatus.SUCCESSFUL: lifecycle.ALLOTTED,
        OrderStatus.FAILED: lifecycle.REJECTED,
        OrderStatus.CANCELLED: lifecycle.CANCELLED,
        OrderStatus.REVERSED: lifecycle.REVERSED,
    },
    "BSE": {
        OrderStatus.SUBMITTED: lifecycle.PLACED,
        OrderStatus.PAYMENT_CONFIRMED: lifecycle.PAID,
        OrderStatus.SUCCESSFUL: lifecycle.ALLOTTED,
        OrderStatus.FAILED: lifecycle.REJECTED,
        OrderStatus.CANCELLED: lifecycle.CANCELLED,
        OrderStatus.REVERSED: lifecycle.REVERSED,
    },
}
PURCHASE_PATH = "/orders/purchase/"


@dataclass(frozen=True)
class Allotment:
    """Units (3 decimals) at a NAV (4 decimals) of a day, in a folio."""

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

    @property
    def allotment(self) -> Allotment | None:
        """What was allotted, when everything that an allotment must say has been said; else None."""
        if self.units and self.nav and self.traded_on and self.folio_number:
            return Allotment(self.units, self.nav, self.traded_on, self.folio_number)
        return None


def snapshot(order: Order, gateway: str) -> OrderSnapshot:
    """FP's order in our words."""
    return OrderSnapshot(
        provider_ref=order.id,
        client_ref=order.source_ref_id,
        state=STATES[gateway].get(order.status),
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
    )


def send_purchase(order: MfOrder) -> str:
    """POST the order; returns FP's id. Raises the six gateway errors."""
    about = journal.about(order, our_ref=order.client_ref, attempt_no=order.attempt_no)
    placed = fp.client().create_purchase(
        order.investment_account.provider_ref,
        bank_account_id=order.bank_account.provider_ref or "",
        orders=[_line(order)],
        about=about,
    )
    mine = [each for each in placed if each.isin == order.scheme.isin]
    if len(mine) != 1:
        raise errors.Garbled("fp", "POST", PURCHASE_PATH, said="the answer does not name exactly our order")
    return mine[0].id


def _line(order: MfOrder) -> NewPurchase:
    return NewPurchase(
        isin=order.scheme.isin,
        amount=order.amount,
        source_ref_id=order.client_ref,
        server_ip=settings.SERVER_IP,
        user_ip=str(order.user_ip) if order.user_ip else None,
        folio_number=order.folio.number if order.folio else None,
        consent=Consent(email=order.authority.contact) if order.authority else None,
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


def list_open(gateway: str) -> list[OrderSnapshot]:
    """Every order of the tenant that FP still works on, a hundred a page."""
    return [snapshot(each, gateway) for each in fp.client().list_orders(fp.OPEN_STATES)]
