"""Orders of mutual funds: read only, because an order is made by the investor's own yes (`approvals`)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from investors.api import INVESTOR, OWNER
from investors.models import Investor
from orders import payment_failures, words
from orders.api.schemes import SCHEME
from orders.models import MfOrder, Scheme
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import reads
from portal.api.shapes import Expand, Filter, Row, Shape, col, made


def mine(model: Any, call: Call) -> QuerySet[Any]:
    """The owner filter of this app's endpoints: rows of investors whom the partner brought."""
    found: QuerySet[Any] = model.objects.filter(investor__partner=call.partner)
    return found


def _in_words(row: Row) -> str:
    unknown = row["attempt"] == MfOrder.Outcome.UNKNOWN
    return words.for_state(row["kind"], row["state"], is_unknown=unknown, gateway=row["gateway"]).badge


def _reason(row: Row) -> str | None:
    return (
        words.reason(row["failure_code"], row["failure_text"]) if row["failure_code"] or row["failure_text"] else None
    )


ORDER = Shape(
    "Order",
    "A mutual-fund order. While `is_unknown` is true its answer was lost: we are checking, do not order again.",
    {
        "id": col("id", "code", "Opaque id."),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "kind": col("text", "kind", "What kind.", choices=MfOrder.Kind.values),
        "state": col("text", "state", "Where it stands; see the catalogue.", choices=MfOrder.State.values),
        "is_unknown": made("yes", "Sent, and the answer is not known yet.", ["attempt"],
                           lambda row: row["attempt"] == MfOrder.Outcome.UNKNOWN, example=False),
        "status": made("text", "Where it stands, in words.", ["kind", "state", "attempt", "gateway"], _in_words,
                       example="Units allotted"),
        "reason": made("text", "Why it failed, in words.", ["failure_code", "failure_text"], _reason, null=True),
        "amount": col("money", "amount", "Rupees asked for.", null=True),
        "units": col("units", "units", "Units asked for.", null=True),
        "is_all": col("yes", "is_all", "All units asked for?", example=False),
        "payment_method": made("text", "How a purchase is paid.", ["payment_method"],
                               lambda row: row["payment_method"] or None, null=True,
                               choices=MfOrder.PaymentMethod.values),
        "folio": col("text", "folio__number", "The folio, once there is one.", null=True, example="10000001/01"),
        "sip": col("id", "plan__code", "The SIP whose instalment it is.", null=True, example="SIP-7K3F9QW2M4TX"),
        "expected_nav_on": col("date", "predicted_nav_on", "Which day's NAV we told the investor to expect."),
        "allotted_units": col("units", "allotted_units", "Units allotted or redeemed.", null=True),
        "allotted_nav": col("nav", "allotted_nav", "At which NAV.", null=True),
        "allotted_amount": col("money", "allotted_amount", "Rupees after stamp duty and load.", null=True),
        "allotted_on": col("date", "allotted_on", "Of which day.", null=True),
        "payout_by": col("date", "payout_by", "By when the money of a sale must be there.", null=True),
        "placed_at": col("moment", "placed_at", "When the investor confirmed it."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
EXPANDS = {
    "investor": Expand(INVESTOR, lambda call: Investor.objects.filter(partner=call.partner), "investor_id", "pk"),
    "scheme": Expand(SCHEME, lambda call: Scheme.objects.all(), "scheme_id", "pk"),
}
SCHEME_IS = Filter("scheme__isin", "Only in this scheme.")


reads("orders", lambda call: mine(MfOrder, call), answer=ORDER, scope="orders:read",
      is_steady=True, expands=EXPANDS, filters={
    "investor": OWNER,
    "scheme": SCHEME_IS,
    "sip": Filter("plan__code", "Only instalments of this SIP."),
    "kind": Filter("kind", "Only of this kind.", choices=tuple(MfOrder.Kind.values)),
    "state": Filter("state", "Only in this state.", choices=tuple(MfOrder.State.values)),
    "placed_from": Filter("placed_at__gte", "Placed at or after this moment.", "moment"),
    "placed_to": Filter("placed_at__lt", "Placed before this moment.", "moment"),
}, one="Read an order.", many="List orders, newest first.")  # fmt: skip


catalogue.add("order_states", lambda: {str(state): its.badge for state, its in words.STATES.items()})
catalogue.add("sale_states", lambda: {str(state): its.badge for state, its in words.SALE_STATES.items()})
catalogue.add("order_reasons", lambda: {code: reason.text for code, reason in words.REASONS.items()})
catalogue.add("payment_reasons", lambda: {code: why.meaning for code, why in payment_failures.FAILURES.items()})
