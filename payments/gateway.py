"""Our words <-> FP's messages about payments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from orders import payment_failures
from orders.models import MfOrder
from payments import bank_pages, lifecycle
from payments.models import Payment
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages
from portal.fintech_primitives.messages import PaymentStatus
from portal.gateway import errors, journal
from portal.gateway.journal import Fenced, fenced

# FP's words: SUCCESS is debited, INITIATED on its way to the fund house, APPROVED has arrived (providers.md 3.8).
STATES = {
    PaymentStatus.PENDING: lifecycle.AWAITING_INVESTOR,
    PaymentStatus.SUBMITTED: lifecycle.AWAITING_INVESTOR,
    PaymentStatus.SUCCESS: lifecycle.DEBITED,
    PaymentStatus.INITIATED: lifecycle.TRANSFERRED,
    PaymentStatus.APPROVED: lifecycle.SETTLED,
    PaymentStatus.FAILED: lifecycle.FAILED,
    PaymentStatus.REJECTED: lifecycle.FAILED,
    PaymentStatus.TIMEDOUT: lifecycle.EXPIRED,
}
# A debit by mandate waits for the bank, not for the investor.
_BY_MANDATE = STATES | {
    PaymentStatus.PENDING: lifecycle.AWAITING_BANK,
    PaymentStatus.SUBMITTED: lifecycle.AWAITING_BANK,
}
# Between FP's clock and ours, at most. A row that is given up has been looked for far longer.
CLOCKS_DIFFER = timedelta(minutes=1)
# Under what the journal finds a payment's POST, by order gateway.
PATHS = {"RTA": "/payments/netbanking", "BSE": "/bse_payments"}


@dataclass(frozen=True)
class PaymentSnapshot:
    """What FP says about a payment now, in our words. `state` is None for a word that we do not know."""

    provider_ref: str
    state: str | None
    their_word: str
    amount: Decimal | None = None
    order_refs: frozenset[str] = field(default_factory=frozenset)
    failure_code: str = ""
    failure_text: str = ""
    debit_on: date | None = None
    debited_at: datetime | None = None
    transferred_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Started:
    """What FP answered to a new payment: a number and an address, or, at BSE, a page and no number yet."""

    provider_ref: str | None
    token_url: str = ""
    page_html: str = ""


def snapshot(payment: messages.Payment) -> PaymentSnapshot:
    """FP's payment in our words."""
    words = _BY_MANDATE if payment.payment_type == messages.PaymentType.NACH else STATES
    reason = (payment.failed_reason or "")[:500]
    return PaymentSnapshot(
        provider_ref=payment.id,
        state=words.get(payment.status),
        their_word=str(payment.status),
        amount=payment.amount,
        order_refs=frozenset(payment.amc_order_ids),
        failure_code=payment_failures.code_in(reason) or str(payment.status).lower(),
        failure_text=reason,
        debit_on=payment.debit_date,
        debited_at=payment.debit_confirmed_at,
        transferred_at=payment.transfer_initiated_at,
        settled_at=payment.settled_at,
    )


def create(payment: Payment, order_refs: list[str]) -> Started:
    """POST the payment at its gateway. Raises the six gateway errors."""
    return _CREATORS[payment.gateway](payment, order_refs)


def _create_at_rta(payment: Payment, order_refs: list[str]) -> Started:
    started = fp.client().create_payment(
        order_ids=order_refs,
        method=messages.PaymentMethod(payment.method),
        postback_url=_return_address(payment),
        about=_fenced(payment),
    )
    if not is_payment_page(started.token_url):
        raise errors.Garbled("fp", "POST", PATHS["RTA"], said="the payment page lies at an address we do not know")
    return Started(started.id, token_url=started.token_url)


def _create_at_bse(payment: Payment, order_refs: list[str]) -> Started:
    """BSE answers with a page and without a number. A page whose form leads elsewhere is as good as none."""
    page = fp.client().create_bse_payment(
        order_ids=order_refs, postback_url=_return_address(payment), about=_fenced(payment)
    )
    html = page.untrusted_html().decode("utf-8", "replace")
    if not is_payment_page(bank_pages.form_action(html)):
        raise errors.Garbled("fp", "POST", PATHS["BSE"], said="the page's form leads to an address we do not know")
    return Started(None, page_html=html)


_CREATORS = {"RTA": _create_at_rta, "BSE": _create_at_bse}


def path_of(payment: Payment) -> str:
    """Under what the journal finds the payment's POST."""
    return PATHS[payment.gateway]


def _return_address(payment: Payment) -> str:
    return settings.PUBLIC_URL + reverse("payments:return", args=[payment.nonce])


def _fenced(payment: Payment) -> Fenced:
    return fenced(payment, our_ref=payment.code, attempt_no=payment.attempt_no)


def _about(payment: Payment) -> journal.About:
    return journal.about(payment, our_ref=payment.code, attempt_no=payment.attempt_no)


def is_payment_page(url: str) -> bool:
    """Does the address lie where investors may be sent to pay (PAYMENT_PAGE_ORIGINS)?"""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" in settings.PAYMENT_PAGE_ORIGINS


def find(payment: Payment, order_refs: list[str], known: set[str]) -> PaymentSnapshot | None:
    """The newest payment FP has for these orders that no row of ours knows, and that this row can have made. None: FP
    lists none.
    """
    theirs = fp.client().list_payments(order_refs, _about(payment))
    listed = [each for each in theirs if each.id not in known and _can_be(payment, each.created_at)]
    by_mandate = payment.method == MfOrder.PaymentMethod.NACH
    mine = [
        each
        for each in listed
        if set(each.amc_order_ids) == set(order_refs) and (each.payment_type == messages.PaymentType.NACH) == by_mandate
    ]
    return snapshot(max(mine, key=lambda each: int(each.id) if each.id.isdigit() else 0)) if mine else None


def _can_be(payment: Payment, made_at: datetime | None) -> bool:
    """Was FP's payment made while this row was on its way, and not before it or after its end? Where FP answers with a
    number nobody need ask: a page and its number belong together.
    """
    if payment.gateway != "BSE":
        return True
    has_ended = payment.state in lifecycle.ENDED
    if made_at is None:
        return not has_ended
    return payment.created_at - CLOCKS_DIFFER <= made_at and (
        not has_ended or made_at <= payment.state_since - CLOCKS_DIFFER
    )


def fetch(payment: Payment) -> PaymentSnapshot:
    """What FP says about a payment whose number we know."""
    about = journal.about(payment, our_ref=payment.code)
    return snapshot(fp.client().fetch_payment(payment.provider_ref or "", about))
