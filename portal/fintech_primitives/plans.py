"""SIPs: create, read, change the mandate, end, skip an instalment (document, "Orders")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portal.fintech_primitives.messages import base, orders, plans
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import Fenced

SIPS = "/api/oms/investment_accounts/{}/orders/sips"
SIP = SIPS + "/{}"


class Plans(Session):
    """Calls about SIPs. The changes are PATCH, as the document's headings say and its curl lines do not."""

    def create_sips(self, account_id: str, *, sips: Sequence[orders.NewSip], about: Fenced) -> list[orders.PlacedOrder]:
        """POST monthly plans. The ids in the answer are SIP ids."""
        ask = orders.NewSips(orders=list(sips))
        return self._post(orders.PlacedOrders, at(SIPS, account_id), ask, about).orders

    def list_sips(self, account_id: str) -> Iterator[plans.Sip]:
        """GET every plan of an account, ended ones too, all pages."""
        for page in self._pages(plans.SipPage, at(SIPS, account_id), base.Paging()):
            yield from page.sip_orders

    def fetch_sip(self, account_id: str, sip_id: str) -> plans.Sip:
        """GET one plan."""
        return self._get(plans.Sip, at(SIP, account_id, sip_id))

    def list_sip_instalments(self, account_id: str, sip_id: str) -> list[orders.Order]:
        """GET the orders that a plan has made so far."""
        return self._list(orders.Order, at(SIP + "/installments", account_id, sip_id))

    def update_sip_mandate(self, account_id: str, sip_id: str, *, mandate_id: str, about: Fenced) -> base.Done:
        """PATCH: debit the plan from another mandate. Not with BSE as order gateway."""
        ask = plans.ChangeMandate(data=plans.OtherMandate(mandate_id=mandate_id))
        return self._post(base.Done, at(SIP, account_id, sip_id), ask, about, method="PATCH")

    def deactivate_sip(self, account_id: str, sip_id: str, about: Fenced) -> plans.Sip:
        """PATCH: end the plan."""
        ask = plans.Operation(operation="deactivate")
        return self._post(plans.Sip, at(SIP, account_id, sip_id), ask, about, method="PATCH")

    def cancel_next_instalment(self, account_id: str, sip_id: str, about: Fenced) -> orders.Order:
        """PATCH: skip the next instalment; answers with its cancelled order. Twice skips two. Not with BSE."""
        ask = plans.Operation(operation="cancel_next_installment")
        return self._post(orders.Order, at(SIP, account_id, sip_id), ask, about, method="PATCH")
