"""SIPs and what is asked about them: read only; starting, skipping and ending is asked for through `approvals`."""

from __future__ import annotations

from investors.api import OWNER
from orders import plan_words
from orders.api.orders import EXPANDS, SCHEME_IS, mine
from orders.models import Plan, PlanChange
from portal.api import catalogue
from portal.api.endpoints import reads
from portal.api.shapes import Expand, Filter, Shape, col, made

CHANGE = Shape(
    "SipChange",
    "What was asked about a running SIP.",
    {
        "id": col("id", "code", "Opaque id.", example="CHG-7K3F9QW2M4TX"),
        "sip": col("id", "plan__code", "The SIP.", example="SIP-7K3F9QW2M4TX"),
        "kind": col("text", "kind", "What was asked.", choices=PlanChange.Kind.values),
        "state": col("text", "state", "Where it stands.", choices=PlanChange.State.values),
        "on": col("date", "on", "Which instalment is skipped.", null=True),
        "why_not": col("text", "why_not", "Why it was not done.", example=""),
        "asked_at": col("moment", "asked_at", "When it was asked."),
    },
)
SIP = Shape(
    "Sip",
    "A SIP: the fund house debits an instalment by mandate each month.",
    {
        "id": col("id", "code", "Opaque id.", example="SIP-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "mandate": col("id", "mandate__code", "By which mandate.", example="MND-7K3F9QW2M4TX"),
        "folio": col("text", "folio__number", "The folio, once there is one.", null=True, example="10000001/01"),
        "state": col("text", "state", "Where it stands.", choices=Plan.State.values),
        "is_unknown": made("yes", "Sent, and the answer is not known yet.", ["attempt"],
                           lambda row: row["attempt"] == Plan.Outcome.UNKNOWN, example=False),
        "amount": col("money", "amount", "Rupees a month."),
        "start_day": col("count", "start_day", "Day of the month.", example=5),
        "instalments": col("count", "instalments", "How many.", example=60),
        "first_on": col("date", "first_on", "The first instalment."),
        "last_on": col("date", "last_on", "The last instalment."),
        "bounces_in_a_row": col("count", "bounces_in_a_row", "Failed debits since the last good one.", example=0),
        "placed_at": col("moment", "placed_at", "When the investor confirmed it."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
_EXPANDS = {
    **EXPANDS,
    "changes": Expand(CHANGE, lambda call: mine(PlanChange, call).order_by("-pk"), "pk", "plan_id", is_many=True),
}


reads("sips", lambda call: mine(Plan, call), answer=SIP, scope="sips:read", is_steady=True, expands=_EXPANDS, filters={
    "investor": OWNER,
    "scheme": SCHEME_IS,
    "state": Filter("state", "Only in this state.", choices=tuple(Plan.State.values)),
}, one="Read a SIP.", many="List SIPs, newest first.")  # fmt: skip


catalogue.add("sip_states", lambda: {str(state): its.badge for state, its in plan_words.STATES.items()})
catalogue.add("sip_change_states", lambda: dict(PlanChange.State.choices))
