"""Cases about payments that their investors see. Imported by `payments/tasks.py`."""

from __future__ import annotations

from django.urls import reverse

from investors import case_words
from investors.case_words import About, CaseWords
from orders.case_words import of_order
from orders.models import MfOrder
from payments.models import Payment
from portal import money

case_words.show(
    {
        "payment_failed_after_debit": CaseWords(
            "A payment failed after your bank was debited",
            "Your bank was debited, and the payment was reported as failed afterwards.",
            "We follow the money until it is back in the account it came from.",
        ),
        "refund_overdue": CaseWords(
            "A payment failed: is the money back?",
            "A payment did not go through. If your bank was debited for it, the money should be back by now; the story "
            "of the order says by which rule.",
            "When this case was opened we asked the payment service again: it had collected nothing. Look at your bank "
            "statement; if the money is missing, write to us here with the bank's reference, and a person follows it "
            "until it is back.",
            asks_you=True,
        ),
    }
)


def of_payment(payment: Payment) -> About | None:
    """Its order's page; for one that pays for several, the page of the cart."""
    orders = list(
        MfOrder.objects.filter(payment_lines__payment=payment).select_related("scheme", "cart").order_by("pk")
    )
    if not orders:
        return None
    first = orders[0]
    if len(orders) == 1 or first.cart is None:
        return of_order(first)
    what = f"{len(orders)} orders paid together, {money.rupees(payment.amount)}"
    return About(first.investor_id, what, reverse("orders:cart_done", args=[first.cart.code]))


case_words.about(Payment, of_payment)
