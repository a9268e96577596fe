"""Partner endpoints about investors, and where their applications stand."""

from __future__ import annotations

from django.db.models import QuerySet

from investors import applications
from investors.api.banks import BANK, MANDATE
from investors.api.kyc import KYC
from investors.api.owners import investors, mine
from investors.models import BankAccount, Investor, KycCheck, Mandate, Transfer
from portal import redaction
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import get, reads
from portal.api.shapes import Expand, Filter, Shape, col, made

INVESTOR = Shape(
    "Investor",
    "Somebody whom you brought. PAN and mobile are masked; nobody gets them in full through the API.",
    {
        "id": col("id", "code", "Opaque id.", example="INV-7K3F9QW2M4TX"),
        "name": col("text", "name", "As on the PAN card; empty until it is known.", example="Asha Rao"),
        "kind": col("text", "kind", "Who invests.", choices=Investor.Kind.values),
        "state": col("text", "state", "How far the registration is.", choices=Investor.State.values),
        "pan": made("text", "Masked.", ["pan"], lambda row: redaction.mask_pan(row["pan"]) if row["pan"] else None,
                    null=True, example="ASXXXXXX1C"),
        "mobile": made("text", "Masked.", ["mobile"],
                       lambda row: redaction.mask(row["mobile"]) if row["mobile"] else None, null=True,
                       example="XXXXXX3210"),
        "mobile_is_of": made("text", "Whose mobile it is, as the investor says.", ["mobile_is_of"],
                             lambda row: row["mobile_is_of"] or None, null=True, choices=Investor.Whose.values),
        "created_at": col("moment", "created_at", "When the application was begun."),
        "state_since": col("moment", "state_since", "Since when it stands there."),
    },
)  # fmt: skip
APPLICATION = Shape(
    "Application",
    "Where an investor's application stands, and whose turn it is.",
    {
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "stage": col("text", "stage", "The stage.", choices=("IN_PROGRESS", "YOU_ACT", "WE_CHECK", "READY")),
        "why": col("text", "why", "The exact place; see the catalogue.", choices=applications.WORDS),
        "title": made("text", "In words.", ["why"], lambda row: applications.WORDS[row["why"]].title),
        "acts_next": made("text", "Whose turn it is.", ["why"], lambda row: applications.WORDS[row["why"]].who),
        "since": col("moment", "since", "Since when."),
        "until": col("moment", "until", "When time runs out, if it does.", null=True),
    },
)
_PARTS = {
    "kyc": Expand(KYC, lambda call: mine(KycCheck, call).order_by("-pk"), "pk", "investor_id", is_many=True),
    "bank_accounts": Expand(BANK, lambda call: mine(BankAccount, call).order_by("pk"), "pk", "investor_id", True),
    "mandates": Expand(MANDATE, lambda call: mine(Mandate, call).order_by("pk"), "pk", "investor_id", True),
}


reads("investors", investors, answer=INVESTOR, scope="investors:read", expands=_PARTS, filters={
    "state": Filter("state", "Only in this state.", choices=tuple(Investor.State.values)),
    "created_from": Filter("created_at__gte", "Begun at or after this moment.", "moment"),
    "created_to": Filter("created_at__lt", "Begun before this moment.", "moment"),
}, one="Read an investor.", many="List the investors whom you brought.")  # fmt: skip


@get("investors/<id>/status", answer=APPLICATION, scope="investors:read", by="investor__code")
def get_investor_status(call: Call) -> QuerySet[applications.Application]:
    """Read where an investor's application stands."""
    return applications.Application.objects.filter(investor__partner=call.partner)


catalogue.add("application_places", lambda: {why: words.title for why, words in applications.WORDS.items()})
catalogue.add("investor_states", lambda: dict(Investor.State.choices))
catalogue.add("transfer_states", lambda: dict(Transfer.State.choices))
