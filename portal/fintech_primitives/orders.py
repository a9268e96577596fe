"""Lumpsum purchases, redemptions and all reads of orders (document, "Orders" and "Order History").

Every list names its states: FP's default is successful orders only, and a pending one would seem to vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portal.fintech_primitives.messages import base, instant
from portal.fintech_primitives.messages import orders as said
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About, Fenced

ACCOUNT = "/api/oms/investment_accounts/{}"
ORDERS = ACCOUNT + "/orders"
# Every state FP knows; a list without them shows successful orders only (given document, "Get Orders").
ALL_STATES = ("pending", "payment_confirmed", "submitted", "successful", "failed", "cancelled", "reversed")
OPEN_STATES = ("pending", "payment_confirmed", "submitted")


class Orders(Session):
    """Calls about orders."""

    def create_purchase(
        self, account_id: str, *, bank_account_id: str, orders: Sequence[said.NewPurchase], about: Fenced
    ) -> list[said.PlacedOrder]:
        """POST lumpsum orders paid by net banking or UPI. Every order must carry `source_ref_id`."""
        ask = said.NewPurchases(bank_account_id=bank_account_id, orders=list(orders))
        return self._place(at(ORDERS + "/purchase/netbanking", account_id), ask, about)

    def create_nach_purchase(
        self, account_id: str, *, mandate_id: str, orders: Sequence[said.NewPurchase], about: Fenced
    ) -> list[said.PlacedOrder]:
        """POST lumpsum orders debited by an approved mandate. Not with BSE as order gateway."""
        ask = said.NewNachPurchases(mandate_id=mandate_id, orders=list(orders))
        return self._place(at(ORDERS + "/purchase/nach", account_id), ask, about)

    def create_sell(self, account_id: str, *, orders: Sequence[said.NewSell], about: Fenced) -> list[said.PlacedOrder]:
        """POST redemptions by amount, by units, or of all."""
        return self._place(at(ORDERS + "/sell", account_id), said.NewSells(orders=list(orders)), about)

    def _place(self, path: str, ask: base.Ask, about: About) -> list[said.PlacedOrder]:
        return self._post(said.PlacedOrders, path, ask, about).orders

    # --- instant redemption -------------------------------------------------------------------------------------

    def create_instant_redemption(
        self, account_id: str, wish: instant.NewInstantRedemption, about: Fenced
    ) -> list[said.PlacedOrder]:
        """POST an instant redemption as an order that can be tracked."""
        return self._place(at(ORDERS + "/sell/instant", account_id), wish, about)

    def fetch_redemption_summary(self, account_id: str, *, folio_number: str, isin: str) -> instant.RedemptionSummary:
        """GET what of a folio can be redeemed at once, and to which bank accounts."""
        query = instant.SummaryQuery(folio_number=folio_number, isin=isin)
        return self._get(instant.RedemptionSummary, at(ACCOUNT + "/preredemption_summary", account_id), query.params())

    def fetch_instant_summary(self, *, folio_number: str, isin: str) -> instant.RedemptionSummary:
        """GET the same at the stand-alone service, for tenants without the order management."""
        query = instant.SummaryQuery(folio_number=folio_number, isin=isin)
        return self._get(instant.RedemptionSummary, "/api/instant_redemption/pre_redemption_summary", query.params())

    def place_instant_order(self, order: instant.InstantOrder, about: About) -> instant.InstantOrderDone:
        """POST an instant redemption at the stand-alone service. It is in no list afterwards: prefer the OMS."""
        return self._post(instant.InstantOrderDone, "/api/instant_redemption/order", order, about)

    # --- reads --------------------------------------------------------------------------------------------------

    def fetch_order(self, account_id: str, order_id: str, about: About = About()) -> said.Order:
        """GET one order."""
        return self._get(said.Order, at(ORDERS + "/{}", account_id, order_id), about=about)

    def list_account_orders(
        self, account_id: str, about: About = About(), query: said.OrderQuery | None = None
    ) -> Iterator[said.Order]:
        """GET every order of an account in every state, all pages; or what `query` says."""
        return self._listed(at(ORDERS, account_id), query or every_order(), about)

    def list_orders(
        self, states: Sequence[str] = ALL_STATES, query: said.OrderQuery | None = None
    ) -> Iterator[said.Order]:
        """GET every order of the tenant in the given states, newest first, all pages; or what `query` says."""
        return self._listed("/api/oms/orders", query or every_order(states), About())

    def list_purchases(self, account_id: str, query: said.OrderQuery | None = None) -> Iterator[said.Order]:
        """GET the purchases of an account, in every state unless `query` says otherwise."""
        return self._listed(at(ORDERS + "/purchase", account_id), query or every_order(), About())

    def list_sells(self, account_id: str, query: said.OrderQuery | None = None) -> Iterator[said.Order]:
        """GET the redemptions of an account, in every state unless `query` says otherwise."""
        return self._listed(at(ORDERS + "/sell", account_id), query or every_order(), About())

    def list_switches(self, account_id: str, query: said.OrderQuery | None = None) -> Iterator[said.Order]:
        """GET the switches of an account, in every state unless `query` says otherwise."""
        return self._listed(at(ORDERS + "/switch", account_id), query or every_order(), About())

    def _listed(self, path: str, query: said.OrderQuery, about: About) -> Iterator[said.Order]:
        for page in self._pages(said.OrderPage, path, query, about):
            yield from page.amc_orders


def every_order(states: Sequence[str] = ALL_STATES) -> said.OrderQuery:
    """Newest first, a hundred a page."""
    return said.OrderQuery(state=[said.OrderStatus(state) for state in states])
