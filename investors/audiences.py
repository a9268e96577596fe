"""Groups of investors that staff can write to."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from investors import lifecycle
from investors.models import Investor, KycCheck
from portal.desk.audiences import Audience, register
from portal.models import Partner


def _active(_: str) -> QuerySet[Any, Any]:
    return Investor.objects.filter(state=lifecycle.READY).values("user")


def _without_kyc(_: str) -> QuerySet[Any, Any]:
    """Whose newest answer of the registries is not a yes, and who was never asked about."""
    newest = KycCheck.objects.filter(investor=OuterRef("investor")).order_by("-checked_at").values("pk")[:1]
    good = KycCheck.objects.filter(investor=OuterRef("pk"), is_compliant=True, pk=Subquery(newest))
    return Investor.objects.filter(~Exists(good)).values("user")


def _of_partner(code: str) -> QuerySet[Any, Any]:
    return Investor.objects.filter(partner__code=code).values("user")


def _partner(code: str) -> str:
    return Partner.objects.filter(code=code).values_list("name", flat=True).first() or ""


register(
    Audience("active", "Investors who are ready to invest", _active),
    Audience("without_kyc", "Investors whose KYC is not complete", _without_kyc),
    Audience("of_partner", "Investors of a partner", _of_partner, "the partner's code", _partner),
)
