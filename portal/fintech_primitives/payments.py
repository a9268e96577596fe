"""Payments (document, "Payments")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from portal.fintech_primitives.messages import payments
from portal.fintech_primitives.session import Session, at
from portal.gateway import errors
from portal.gateway.journal import About, Fenced
from portal.gateway.transport import Request, Response

PAYMENTS = "/api/pg/payments"
BSE_PATH = "/api/oms/bse_payments"


class Payments(Session):
    """Calls about payments."""

    def create_payment(
        self,
        *,
        order_ids: Sequence[str],
        method: payments.PaymentMethod | None = None,
        postback_url: str | None = None,
        about: Fenced,
    ) -> payments.StartedPayment:
        """POST one payment for several orders; answers with the address where the investor pays."""
        ask = payments.NewPayment(amc_order_ids=list(order_ids), method=method, payment_postback_url=postback_url)
        return self._post(payments.StartedPayment, f"{PAYMENTS}/netbanking", ask, about)

    def create_bse_payment(self, *, order_ids: Sequence[str], postback_url: str, about: Fenced) -> payments.BankPage:
        """POST one payment at the BSE gateway, which answers with a page. Its number is found by listing the orders'.

        The page is not kept in the journal: it carries the bank's session.
        """
        ask = payments.NewBsePayment(order_ids=list(order_ids), postback_url=postback_url)
        page: payments.BankPage = self.write(
            Request("POST", BSE_PATH, json=ask.body(), headers={"Accept": "text/html"}), replace(about, keep_body=False)
        )
        return page

    def parse(self, request: Request, response: Response) -> Any:
        """JSON, but a page from BSE. Raises Garbled for anything else."""
        if request.path != BSE_PATH:
            return super().parse(request, response)
        kind = str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
        if kind != "text/html" or b"</form" not in response.body.lower():
            raise errors.Garbled("fp", request.method, request.path, said="no page of a bank", status=response.status)
        return payments.BankPage(response.body)

    def fetch_payment(self, payment_id: str, about: About = About()) -> payments.Payment:
        """GET one payment."""
        return self._get(payments.Payment, at(PAYMENTS + "/{}", payment_id), about=about)

    def list_payments(
        self, order_ids: Sequence[str] = (), about: About = About(), query: payments.PaymentQuery | None = None
    ) -> list[payments.Payment]:
        """GET every payment for any of these orders, all pages; or what `query` says."""
        asked = query or payments.PaymentQuery(amc_order_ids=list(order_ids))
        pages = self._pages(payments.PaymentPage, PAYMENTS, asked, about)
        return [payment for page in pages for payment in page.payments]
