"""Our mandates <-> FP's messages about mandates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from investors import lifecycle
from investors.mandate_rules import GATEWAYS
from investors.models import Mandate
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages
from portal.fintech_primitives.messages.mandates import Mandate as TheirMandate
from portal.fintech_primitives.messages.mandates import MandateStatus, NewEMandate, NewNachMandate
from portal.gateway import errors, journal
from portal.gateway.journal import Fenced, fenced

CREATE_PATH = "/api/pg/mandates"
AUTHORISE_PATH = "/api/pg/payments/emandate/auth"
# FP's clock and ours may differ by so much.
CLOCKS_DIFFER = timedelta(minutes=2)

# FP's words. CREATED waits for the investor; RECEIVED means that the exchange or the registrar has the paper or the
# request, which for an e-mandate may come before it is authorised.
STATES = {
    MandateStatus.CREATED: lifecycle.AWAITING_INVESTOR,
    MandateStatus.SUBMITTED: lifecycle.SUBMITTED,
    MandateStatus.APPROVED: lifecycle.APPROVED,
    MandateStatus.REJECTED: lifecycle.REJECTED,
    MandateStatus.CANCELLED: lifecycle.CANCELLED,
}


@dataclass(frozen=True)
class MandateSnapshot:
    """What FP says about a mandate now, in our words. `state` is None for a word that we do not know."""

    provider_ref: str
    state: str | None
    their_word: str
    bank_ref: str | None = None
    limit: Decimal | None = None
    reason: str = ""
    mandate_ref: str = ""
    umrn: str = ""
    received_at: datetime | None = None
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    rejected_at: datetime | None = None


def snapshot(theirs: TheirMandate, kind: str) -> MandateSnapshot:
    """FP's mandate in our words."""
    state = STATES.get(theirs.mandate_status)
    if theirs.mandate_status == MandateStatus.RECEIVED:
        state = lifecycle.SUBMITTED if kind == Mandate.Kind.NACH else lifecycle.AWAITING_INVESTOR
    return MandateSnapshot(
        provider_ref=theirs.id,
        state=state,
        their_word=str(theirs.mandate_status),
        bank_ref=theirs.bank_account_id,
        limit=theirs.mandate_limit,
        reason=(theirs.rejected_reason or "")[:300],
        mandate_ref=(theirs.mandate_ref or "")[:60],
        umrn=(theirs.umrn or "")[:40],
        received_at=theirs.received_at,
        submitted_at=theirs.submitted_at,
        approved_at=theirs.approved_at,
        rejected_at=theirs.rejected_at,
    )


def create(mandate: Mandate, *, on: date) -> str:
    """POST the mandate; FP's number. Raises the six gateway errors.

    It begins on the day that the investor confirmed, or on that of the sending (`on`), if that came later: FP takes no
    beginning in the past.
    """
    bank_ref, limit = mandate.bank_account.provider_ref or "", int(mandate.limit)
    begins = max(mandate.valid_from, on)
    about = _fenced(mandate)
    if mandate.kind == Mandate.Kind.NACH:
        paper = {"bank_account_id": bank_ref, "mandate_limit": limit, "valid_from": begins}
        return fp.client().create_nach_mandate(NewNachMandate.checked(paper), about)
    values = {
        "bank_account_id": bank_ref,
        "mandate_limit": limit,
        "valid_from": begins,
        "valid_to": mandate.valid_to,
        "provider_name": GATEWAYS[settings.FP_ORDER_GATEWAY].carrier,
    }
    return fp.client().create_e_mandate(NewEMandate.checked(values), about)


def find(mandate: Mandate, known: set[str]) -> MandateSnapshot | None:
    """The mandate that an attempt of ours may have made: same account, kind and limit, not older than ours, and of no
    other row. None: FP lists none. FP keeps no reference of ours (document, "Create a mandate")."""
    since = mandate.created_at - CLOCKS_DIFFER
    listed = fp.client().list_mandates([mandate.bank_account.provider_ref or ""])
    mine = [
        each
        for each in listed
        if each.id not in known
        and each.bank_account_id == mandate.bank_account.provider_ref
        and str(each.mandate_type) == mandate.kind
        and each.mandate_limit == mandate.limit
        and (each.created_at is None or each.created_at >= since)
    ]
    return snapshot(min(mine, key=_number), mandate.kind) if mine else None


def _number(theirs: TheirMandate) -> int:
    return int(theirs.id) if theirs.id.isdigit() else 0


def authorise(mandate: Mandate) -> str:
    """POST: the address of the bank's page, for one visit within 15 minutes. Raises the six gateway errors."""
    back = settings.PUBLIC_URL + reverse("investors:mandate_return", args=[mandate.form_ref])
    returns = GATEWAYS[settings.FP_ORDER_GATEWAY].returns
    started = fp.client().authorise_e_mandate(
        mandate.provider_ref or "", postback_url=back if returns else None, about=_fenced(mandate)
    )
    if not _is_bank_page(started):
        raise errors.Garbled("fp", "POST", AUTHORISE_PATH, said="the bank's page lies at an address we do not know")
    return started.token_url


def _is_bank_page(started: messages.StartedPayment) -> bool:
    """Investors are sent nowhere else (PAYMENT_PAGE_ORIGINS)."""
    parts = urlsplit(started.token_url)
    return f"{parts.scheme}://{parts.netloc}" in settings.PAYMENT_PAGE_ORIGINS


def fetch(mandate: Mandate) -> MandateSnapshot:
    """What FP says about a mandate whose number we know."""
    return snapshot(fp.client().fetch_mandate(mandate.provider_ref or ""), mandate.kind)


def cancel(mandate: Mandate) -> None:
    """POST the wish to cancel. Asking twice cancels once, so that an unknown outcome is simply asked about."""
    about = journal.about(mandate, our_ref=mandate.code, attempt_no=mandate.attempt_no)
    fp.client().cancel_mandate(mandate.provider_ref or "", about)


def _fenced(mandate: Mandate) -> Fenced:
    return fenced(mandate, our_ref=mandate.code, attempt_no=mandate.attempt_no)
