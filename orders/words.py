"""What investors read about an order: for each state what happened, whether money moved, and what to do.

The words separate *we sent*, *FP has it*, *the fund house has it*, and *units are allotted*. "Success" is never written
before there is evidence. Kinds are those of `templates/components/_state.html`.
"""

from __future__ import annotations

from dataclasses import dataclass

from orders import lifecycle
from orders.models import MfOrder


@dataclass(frozen=True)
class Words:
    """A badge (`kind`, `badge`) and the sentence under it."""

    kind: str
    badge: str
    title: str
    text: str


CHECKING = Words(
    "checking",
    "We are checking",
    "We are checking, do not buy again",
    "Your order was sent, but the answer did not reach us. We are asking until we know. "
    "No payment has been started for it. You need not do anything.",
)

STATES: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "waiting", "Received", "Your order is on record", "It is about to be sent. No money has moved."
    ),
    lifecycle.SUBMITTING: Words(
        "waiting", "Being sent", "Your order is being sent", "This takes a few seconds. No money has moved."
    ),
    lifecycle.AWAITING_PAYMENT: Words(
        "needs",
        "Pay now",
        "Your order waits for your payment",
        "Pay from your own bank account. The money goes straight to the fund house; it never passes through us.",
    ),
    lifecycle.PAID: Words(
        "waiting",
        "Paid",
        "Your bank has confirmed the payment",
        "The money is on its way to the fund house. Units follow once it has arrived.",
    ),
    lifecycle.PLACED: Words(
        "waiting",
        "With the fund house",
        "The fund house has your order",
        "Units are allotted at the NAV of the day on which the money has arrived.",
    ),
    lifecycle.ALLOTTED: Words("done", "Units allotted", "Units allotted", "The units are in your portfolio."),
    lifecycle.REJECTED: Words(
        "failed",
        "Rejected",
        "The order was not accepted",
        "No units were bought. If money left your bank, it comes back to the same account.",
    ),
    lifecycle.EXPIRED: Words(
        "failed", "Expired", "The order has expired", "It was not paid in time. No units were bought."
    ),
    lifecycle.CANCELLED: Words("neutral", "Cancelled", "The order was cancelled", "No units were bought."),
    lifecycle.REVERSED: Words(
        "failed",
        "Reversed",
        "The fund house took the order back",
        "The units were removed and the money comes back to the account it came from. We follow this as a case.",
    ),
}
# While an order waits for money, the state of the payment says more than the state of the order.
PAYING: dict[str, Words] = {
    "preparing": Words(
        "waiting",
        "Preparing payment",
        "Your payment page is being prepared",
        "This takes a few seconds. No money has moved.",
    ),
    "out": Words(
        "checking",
        "Checking payment",
        "We are asking the bank",
        "You have been on the payment page. We show the result as soon as it is confirmed. Do not pay again.",
    ),
}


def of(order: MfOrder) -> Words:
    """The words for an order as it stands."""
    return CHECKING if order.is_unknown else STATES[order.state]


# FP's reasons for a failed order or payment, as people can act on them (providers.md 3.7, 3.8).
# A reason that is not listed gets the general text of the state.
REASONS: dict[str, str] = {
    "tpv_failed": "The payment came from an account that is not registered as yours; the bank returns the money. "
    "Pay from your own registered account.",
    "insufficient_funds": "Your bank says that the balance was too low.",
    "user_cancelled": "You left the payment page before paying.",
    "investor_bank_declined": "Your bank declined the payment. It may help to try again, or to use another method.",
    "bank_downtime": "Your bank's payment service is down at the moment. Try again later.",
    "fp_payment_expired": "The payment page was not used in time.",
    "pg_payment_expired": "The payment page was not used in time.",
    "page_expired": "The payment page was not used in time.",
    "page_lost": "The payment page could not be opened. A new one is being prepared.",
    "order_expiry": "The order was not paid in time.",
    "payment_failure": "The payment did not go through.",
    "pan_kyc_incomplete": "The registry says that your KYC is not complete.",
    "folio_nominee_opt_in_missing": "The fund house has no nomination choice for this folio.",
    "amount_invalid": "The fund house does not take this amount in this scheme.",
    "scheme_invalid": "The fund house does not take orders in this scheme at the moment.",
}


def reason(code: str, text: str = "") -> str:
    """Our words for a provider's reason; empty when we have none, so that jargon never reaches a page."""
    for key in (code.lower(), *text.lower().replace("-", "_").split()):
        if key.strip(".,:;") in REASONS:
            return REASONS[key.strip(".,:;")]
    return ""
