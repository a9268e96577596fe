"""What investors read about an order: for each state what happened, whether money moved, and what to do.

The words separate *we sent*, *FP has it*, *the fund house has it*, and *units are allotted*. "Success" is never written
before there is evidence. Kinds are those of `templates/components/_state.html`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from orders import lifecycle, payment_failures
from orders.models import MfOrder
from portal.clock import IST


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
        "No units were bought.",
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
# Where the stock exchange takes the order before the money.
_AT_GATEWAY: dict[tuple[str, str], Words] = {
    ("BSE", lifecycle.PLACED): Words(
        "waiting", "At the exchange", "The exchange has your order", "It is about to ask for the payment."
    ),
}
# The same for a sale: no money of the investor's moves until the fund house pays out.
_NOT_SOLD = "No units were sold; they are all still yours."
SALE_STATES: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "waiting", "Received", "Your sale is on record", "It is about to be sent. No units have been sold."
    ),
    lifecycle.SUBMITTING: Words(
        "waiting", "Being sent", "Your sale is being sent", "This takes a few seconds. No units have been sold."
    ),
    lifecycle.PLACED: Words(
        "waiting",
        "Sale registered",
        "Your sale is registered",
        "It is on its way through the fund house. The units are kept for it until it is done; nothing is left to do.",
    ),
    lifecycle.REDEEMED: Words(
        "done", "Units sold", "Units sold", "The fund house pays the money into your bank account."
    ),
    lifecycle.REJECTED: Words("failed", "Rejected", "The sale was not accepted", _NOT_SOLD),
    lifecycle.CANCELLED: Words("neutral", "Cancelled", "The sale was cancelled", _NOT_SOLD),
    lifecycle.REVERSED: Words(
        "failed",
        "Reversed",
        "The fund house took the sale back",
        "The units are in your folio again. If money has come for them, do not spend it: we follow this as a case.",
    ),
}
_NOT_SWITCHED = "No units have moved; they are all still yours."
# Switches are made elsewhere; what we say of them is what the order system's list says.
SWITCH_STATES: dict[str, Words] = {
    lifecycle.PLACED: Words(
        "waiting",
        "Switch under way",
        "A switch is under way",
        "It was made outside this portal, and the fund house works on it. We read how it goes.",
    ),
    lifecycle.REDEEMED: Words(
        "done",
        "Switched",
        "The switch is done",
        "Both funds show it in your portfolio once the registrar's own record has reached us.",
    ),
    lifecycle.REJECTED: Words("failed", "Rejected", "The switch was not accepted", _NOT_SWITCHED),
    lifecycle.CANCELLED: Words("neutral", "Cancelled", "The switch was cancelled", _NOT_SWITCHED),
    lifecycle.REVERSED: Words(
        "failed", "Reversed", "The fund house took the switch back", "The units are where they were before it."
    ),
}
CHECKING_SALE = Words(
    "checking",
    "We are checking",
    "We are checking, do not sell again",
    "Your sale was sent, but the answer did not reach us. We are asking until we know. "
    "The units are kept for it meanwhile. You need not do anything.",
)
# While an order waits for money, the state of the payment says more than the state of the order.
PAYING: dict[str, Words] = {
    "preparing": Words(
        "waiting",
        "Preparing payment",
        "Your payment page is being prepared",
        "This takes a few seconds. No money has moved.",
    ),
    "bank": Words(
        "waiting",
        "Debit arranged",
        "Your bank is asked for the debit",
        "The money is debited under your mandate on the next business day, or the one after. There is nothing to do; "
        "keep the amount in the account.",
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
    return for_state(order.kind, order.state, is_unknown=order.is_unknown, gateway=order.gateway)


def for_state(kind: str, state: str, *, is_unknown: bool, gateway: str = "RTA") -> Words:
    """The words for a kind of order in a state."""
    if kind.startswith("SWITCH"):
        return SWITCH_STATES[state]
    if kind == MfOrder.Kind.PURCHASE:
        return CHECKING if is_unknown else _AT_GATEWAY.get((gateway, state), STATES[state])
    return CHECKING_SALE if is_unknown else SALE_STATES[state]


def to_others(found: Words) -> Words:
    """The same for somebody who looks on: “Pay now” is said to whoever can pay."""
    is_call = found == STATES[lifecycle.AWAITING_PAYMENT]
    return replace(found, kind="waiting", badge="Waits for payment") if is_call else found


# What an investor can do after an order has ended without units: the words of the link, and where it leads.
NEXT: dict[str, tuple[str, str]] = {
    "again": ("Order again", "orders:buy"),
    "amount": ("Choose another amount", "orders:buy"),
    "fund": ("Find another fund", "orders:explore"),
    "kyc": ("See your KYC", "investors:profile"),
    "write": ("Write to us", "about"),
    "sell": ("See what you hold", "orders:holding"),
}


class Reason(NamedTuple):
    """Why something failed, as people can act on it, and the key of what to do next (`NEXT`)."""

    text: str
    then: str = "again"


_WRITE = "Only we can put this right, so please write to us."
_BANK_ACCOUNT = f"The bank account of this order could not be verified. {_WRITE}"
_NOMINEE = f"The fund house did not accept the nominee's details. {_WRITE}"
_CONTACT = f"The fund house has another email address or mobile number for this folio. {_WRITE}"
_NO_NOMINATION = f"The fund house has no nomination choice for this folio. {_WRITE}"
_KYC_DIFFERS = "What stands here differs from your KYC record."
_BROKEN = Reason("A system between us and the fund house failed. Nothing is wrong with what you entered.")

# FP's codes for failed orders (providers.md 3.7); those of payments stand in `payment_failures`. A code that is listed
# in neither gets the words of the state, so that jargon never reaches a page.
REASONS: dict[str, Reason] = {
    # who invests
    "pan_invalid": Reason(f"The tax department's register does not confirm your PAN. {_WRITE}", "write"),
    "pan_name_mismatch": Reason(f"Your name here differs from the name of your PAN. {_WRITE}", "write"),
    "pan_aadhaar_not_mapped": Reason(
        "Your PAN is not linked with your Aadhaar. Link them on the Income Tax e-filing site; it takes a few days.",
        "kyc",
    ),
    "aadhaar_contact_mismatch": Reason(f"Your email or mobile differs from that of your Aadhaar. {_WRITE}", "write"),
    "bank_invalid": Reason(_BANK_ACCOUNT, "write"),
    "bank_ifsc_invalid": Reason(
        f"The IFSC of your bank account is no longer valid; it may have changed in a merger. {_WRITE}", "write"
    ),
    "tax_status_bank_mismatch": Reason(_BANK_ACCOUNT, "write"),
    "contact_verification_failed": Reason(f"Your email or mobile number could not be verified. {_WRITE}", "write"),
    "nominee_age_invalid": Reason(_NOMINEE, "write"),
    "nominee_name_invalid": Reason(_NOMINEE, "write"),
    "fatca_missing": Reason(f"The fund house has no tax declaration of yours. {_WRITE}", "write"),
    "multiple_tax_statuses": Reason(f"The fund house knows you under two tax statuses. {_WRITE}", "write"),
    # KYC
    "pan_kyc_incomplete": Reason("The registry says that your KYC is not complete.", "kyc"),
    "kyc_aadhaar_invalid": Reason(_KYC_DIFFERS, "kyc"),
    "kyc_dob_mismatch": Reason(f"{_KYC_DIFFERS} The date of birth is not the same.", "kyc"),
    "kyc_name_mismatch": Reason(f"{_KYC_DIFFERS} The name is not the same.", "kyc"),
    "ekyc_investment_amount_limit_exceeded": Reason(
        "It would have passed the limit that your kind of KYC sets for one fund house in a financial year.", "amount"
    ),
    # the scheme
    "amount_invalid": Reason("The fund house does not take this amount in this scheme.", "amount"),
    "scheme_invalid": Reason("The fund house does not take orders in this scheme at the moment.", "fund"),
    "amc_inactive": Reason("The fund house does not take orders at the moment.", "fund"),
    "minor_only_investment_allowed": Reason("This scheme is for children only.", "fund"),
    "country_not_allowed": Reason("The fund house takes no orders from your country.", "fund"),
    # the folio
    "folio_nominee_opt_in_missing": Reason(_NO_NOMINATION, "write"),
    "nomination_declaration_missing": Reason(_NO_NOMINATION, "write"),
    "demat_folio_order_not_allowed": Reason("This folio is kept in a demat account, where we cannot order.", "write"),
    "folio_balance_insufficient": Reason("The folio did not hold enough units on the day of the sale.", "sell"),
    "folio_balance_under_lock": Reason("Some of the units are still locked.", "sell"),
    "folio_closed": Reason(f"The fund house has closed this folio. {_WRITE}", "write"),
    "folio_contact_already_in_use": Reason(_CONTACT, "write"),
    **dict.fromkeys(
        ("consent_missing", "consent_contact_mismatch", "consent_email_mismatch", "consent_mobile_mismatch"),
        Reason(_CONTACT, "write"),
    ),
    # between us and the fund house
    "license_code_invalid": Reason(f"The fund house did not accept our own registration. {_WRITE}", "write"),
    "order_gateway_failure": _BROKEN,
    "technical_failure_at_gateway": _BROKEN,
    "cancelled_by_investor": Reason("You cancelled it."),
    # paying
    "order_expiry": Reason("The order was not paid in time."),
    "payment_not_received": Reason("The money did not reach the fund house."),
}


def reason(code: str, text: str = "") -> str:
    """Our words for a provider's reason; empty when we have none, so that jargon never reaches a page."""
    found = _find(code, text)
    if found:
        return found.text
    paying = payment_failures.code_in(f"{code} {text}")
    return payment_failures.FAILURES[paying].meaning if paying else ""


def _find(code: str, text: str) -> Reason | None:
    words = (code.lower(), *text.lower().replace("-", "_").split())
    return next((REASONS[word.strip(".,:;")] for word in words if word.strip(".,:;") in REASONS), None)


def money_back(order: MfOrder, *, was_paid: bool, today: date, holidays: frozenset[date]) -> str:
    """When the money of an order that ended without units comes back; empty for other orders.

    How long to wait is our own promise, not a rule's: after it we follow the money together with the investor.
    """
    if order.state not in _AFTER or order.kind != MfOrder.Kind.PURCHASE:
        return ""
    ended_on = order.state_since.astimezone(IST).date()
    # The fund house sends it back by a bank transfer, whatever way it came.
    clock = payment_failures.clock(method="NETBANKING", failed_on=ended_on, today=today, holidays=holidays)
    begins = "Your money comes back" if was_paid else "If money has left your bank, it comes back"
    return (
        f"{begins} to the same account: expected {clock.in_words}. If it does not, write to us with the number of "
        "this order."
    )


# What is left to do where no reason was given; the fund house taking an order back is followed by us as a case.
_AFTER = {lifecycle.REJECTED: "again", lifecycle.EXPIRED: "again", lifecycle.CANCELLED: "again"}


def next_step(order: MfOrder) -> tuple[str, str] | None:
    """(words, URL name) of what an investor can do about an order that ended without units; None when nothing is."""
    if order.state not in _AFTER:
        return None
    found = _find(order.failure_code, order.failure_text)
    then = found.then if found else _AFTER[order.state]
    if order.kind != MfOrder.Kind.PURCHASE and NEXT[then][1] != "about":
        then = "sell"
    return NEXT[then]
