"""Partner endpoints about payments: reading them, and the page on which an investor pays an order."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from investors.api import OWNER
from investors.api.banks import LINK
from orders import links
from orders.models import MfOrder
from payments.models import Payment, PaymentLine
from payments.operations import NotPayable, asking
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import post, reads
from portal.api.errors import Trouble
from portal.api.shapes import Expand, Filter, Shape, col, made


def _mine(model: Any, call: Call) -> QuerySet[Any]:
    """The owner filter of this app's endpoints."""
    found: QuerySet[Any] = model.objects.filter(investor__partner=call.partner)
    return found


LINE = Shape(
    "PaymentLine",
    "How much of a payment is for which order.",
    {
        "order": col("id", "order__code", "The order."),
        "amount": col("money", "amount", "Rupees."),
        "is_live": col("yes", "is_live", "Does this payment still count for the order?"),
    },
)
PAYMENT = Shape(
    "Payment",
    "One attempt to collect money for orders. Success is only what the bank has confirmed.",
    {
        "id": col("id", "code", "Opaque id.", example="PAY-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "method": col("text", "method", "By which way.", choices=MfOrder.PaymentMethod.values),
        "state": col("text", "state", "Where it stands; see the catalogue.", choices=Payment.State.values),
        "is_unknown": made("yes", "Sent, and the answer is not known yet.", ["attempt"],
                           lambda row: row["attempt"] == Payment.Outcome.UNKNOWN, example=False),
        "amount": col("money", "amount", "Rupees."),
        "failure_code": col("text", "failure_code", "Why it failed; see the catalogue.", example=""),
        "debited_at": col("moment", "debited_at", "When the bank debited it.", null=True),
        "settled_at": col("moment", "settled_at", "When the fund house had it.", null=True),
        "created_at": col("moment", "created_at", "When it was begun."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
_LINES = {"lines": Expand(LINE, lambda call: _mine(PaymentLine, call).order_by("pk"), "pk", "payment_id", True)}


reads("payments", lambda call: _mine(Payment, call), answer=PAYMENT, scope="payments:read",
      is_steady=True, expands=_LINES, filters={
    "investor": OWNER,
    "order": Filter("lines__order__code", "Only for this order."),
    "state": Filter("state", "Only in this state.", choices=tuple(Payment.State.values)),
}, one="Read a payment.", many="List payments, newest first.")  # fmt: skip


@post("orders/<id>/payment-link", answer=LINK, scope="payments:write", failures=(NotPayable,))
def link_to_pay(call: Call) -> dict[str, Any]:
    """Get the page from which an investor pays an order that waits for it, and tell them once a day."""
    order = _mine(MfOrder, call).filter(code=call.id).select_related("investor", "scheme", "cart").first()
    if order is None:
        raise Trouble("not_found")
    told = asking.ask_to_pay(order=order, partner=call.partner, actor=call.actor, at=call.at)
    url = settings.PUBLIC_URL + links.page_of(order)
    return {"investor": order.investor.code, "object": order.code, "url": url, "told": told}


catalogue.add("payment_states", lambda: dict(Payment.State.choices))
