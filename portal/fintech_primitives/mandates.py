"""Mandates (document, "Mandates")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portal.fintech_primitives.messages import base, mandates, payments
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About, Fenced

MANDATES = "/api/pg/mandates"


class Mandates(Session):
    """Calls about mandates. None carries a reference of ours: list the bank account's mandates before sending again."""

    def create_nach_mandate(self, mandate: mandates.NewNachMandate, about: Fenced) -> str:
        """POST a mandate on paper; its id. Not with BSE as order gateway."""
        return self._post(base.Created, MANDATES, mandate, about).id

    def create_e_mandate(self, mandate: mandates.NewEMandate, about: Fenced) -> str:
        """POST a mandate to be authorised at the bank's page; its id."""
        return self._post(base.Created, MANDATES, mandate, about).id

    def fetch_mandate(self, mandate_id: str) -> mandates.Mandate:
        """GET one mandate."""
        return self._get(mandates.Mandate, at(MANDATES + "/{}", mandate_id))

    def list_mandates(self, bank_account_ids: Sequence[str] = ()) -> Iterator[mandates.Mandate]:
        """GET every mandate of these bank accounts, or of the tenant, all pages."""
        query = mandates.MandateQuery(bank_account_id=list(bank_account_ids))
        for page in self._pages(mandates.MandatePage, MANDATES, query):
            yield from page.mandates

    def cancel_mandate(self, mandate_id: str, about: About) -> mandates.Mandate:
        """POST: no debit is made under it any more; the mandate as it is now. FP's newer document has it
        (providers.md 3.9); the given one says nothing about cancelling."""
        return self._post(mandates.Mandate, at(MANDATES + "/{}/cancel", mandate_id), None, about)

    def authorise_e_mandate(
        self, mandate_id: str, *, postback_url: str | None = None, about: Fenced
    ) -> payments.StartedPayment:
        """POST: where the investor authorises the mandate, and the id of the payment that stands for it."""
        ask = mandates.Authorisation(mandate_id=mandate_id, payment_postback_url=postback_url)
        return self._post(payments.StartedPayment, "/api/pg/payments/emandate/auth", ask, about)
