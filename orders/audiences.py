"""Groups of investors by what they hold and do, that staff can write to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from orders import lifecycle
from orders.models import Holding, Plan, Scheme
from portal.desk.audiences import Audience, register


def _with_sip(_: str) -> QuerySet[Any, Any]:
    return Plan.objects.filter(state=lifecycle.ACTIVE).values("investor__user")


def _holders(isin: str) -> QuerySet[Any, Any]:
    return Holding.objects.filter(scheme__isin=isin, units__gt=0).values("investor__user")


def _scheme(isin: str) -> str:
    return Scheme.objects.filter(isin=isin).values_list("name", flat=True).first() or ""


register(
    Audience("with_sip", "Investors with an active SIP", _with_sip),
    Audience("holders", "Holders of a scheme", _holders, "the scheme's ISIN", _scheme),
)
