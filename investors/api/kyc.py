"""Partner endpoints about KYC: what the registries said, asking them again, and a fresh KYC that the investor does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from investors import kyc_reasons
from investors.api.owners import OWNER, investor_of, mine
from investors.models import KycCheck, KycRequest
from investors.operations import kyc, kyc_requests, partner_asks
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import get, post
from portal.api.shapes import Shape, col, made

KYC = Shape(
    "KycCheck",
    "What the KYC registries said about an investor.",
    {
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "is_compliant": col("yes", "is_compliant", "May they buy?"),
        "reason": col("text", "reason", "Why not; see the catalogue.", example=""),
        "explanation": made("text", "The reason in the words of the catalogue.", ["reason", "is_compliant"],
                            lambda row: None if row["is_compliant"] else kyc_reasons.default(row["reason"]).title,
                            null=True),
        "investment_limit": col("money", "investment_limit", "Rupees a year and fund house.", null=True),
        "checked_at": col("moment", "checked_at", "When we asked."),
    },
)  # fmt: skip
KYC_REQUEST = Shape(
    "KycRequest",
    "A fresh KYC that the investor does here.",
    {
        "id": col("id", "code", "Opaque id.", example="KYC-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "state": col("text", "state", "Where it stands.", choices=KycRequest.State.values),
        "state_since": col("moment", "state_since", "Since when."),
        "submitted_at": col("moment", "submitted_at", "When it was handed in.", null=True),
        "decided_at": col("moment", "decided_at", "When the registry decided.", null=True),
        "expires_at": col("moment", "expires_at", "When it runs out.", null=True),
        "url": made("url", "Where the signed-in investor goes on with it.", ["code"],
                    lambda row: settings.PUBLIC_URL + reverse("investors:kyc")),
    },
)  # fmt: skip
KYC_WISH = Shape(
    "KycWish",
    "The registries are being asked about an investor's PAN. The answer stands in `kyc-checks` within minutes.",
    {
        "investor": col("id", "code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "wanted_at": col("moment", "kyc_wanted_at", "Since when it is wanted."),
    },
)


@get("kyc-checks", answer=KYC, scope="investors:read", filters={"investor": OWNER})
def list_kyc_checks(call: Call) -> QuerySet[KycCheck]:
    """List what the KYC registries said, newest first."""
    return mine(KycCheck, call)


@get("kyc-requests", answer=KYC_REQUEST, scope="investors:read", filters={"investor": OWNER})
def list_kyc_requests(call: Call) -> QuerySet[KycRequest]:
    """List fresh KYCs, newest first."""
    return mine(KycRequest, call)


@post("investors/<id>/kyc-checks", answer=KYC_WISH, scope="kyc:write", status=202,
      failures=(kyc.NoPan, kyc.CheckedLately))  # fmt: skip
def check_kyc(call: Call) -> dict[str, Any]:
    """Have the KYC registries asked about an investor's PAN: it is done by a worker, and the answer is a new check."""
    row = kyc.want(investor=investor_of(call), actor=call.actor, at=call.at)
    return KYC_WISH.write({"code": row.code, "kyc_wanted_at": row.kyc_wanted_at})


@post("investors/<id>/kyc-requests", answer=KYC_REQUEST, scope="kyc:write", failures=(kyc_requests.NotNeeded,))
def begin_kyc(call: Call) -> QuerySet[KycRequest]:
    """Begin a fresh KYC for an investor, or find the one that is open. The investor is told, and does it at `url`."""
    investor = investor_of(call)
    row = partner_asks.begin_kyc(investor=investor, partner=call.partner, actor=call.actor, at=call.at)
    return mine(KycRequest, call).filter(pk=row.pk)


catalogue.add("kyc_reasons", lambda: {code: reason.title for code, reason in kyc_reasons.REASONS.items()})
catalogue.add("kyc_request_states", lambda: dict(KycRequest.State.choices))
