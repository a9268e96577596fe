"""Partners' shares of commission change by two persons, and never behind a payout.

A share holds from its day on until another begins. What a payout hands on was shared by the shares of its months, so no
share begins in these months any more, and none of them goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Max, Min, Model

from orders.commission_rules import last_day
from orders.models import CommissionShare, PayoutLine
from portal.desk import proposals
from portal.models import Partner

SHARE = "partner's share"


def too_early(partner_id: int, begins: date) -> str:
    """Why a share can neither begin nor go on a day: what was decided by the share before it stays explained.

    Of the months that it holds for, up to the next share, no payout has handed anything on.
    """
    lines = PayoutLine.objects.filter(payout__partner_id=partner_id, counts=True)
    lines = lines.filter(line__month__gte=begins.replace(day=1))
    shares = CommissionShare.objects.filter(partner_id=partner_id, valid_from__gt=begins)
    if following := shares.aggregate(first=Min("valid_from"))["first"]:
        lines = lines.filter(line__month__lt=following.replace(day=1))
    month = lines.aggregate(last=Max("line__month"))["last"]
    if month is None:
        return ""
    until = last_day(month)
    return f"Payouts hand on what came until {until:%-d %b %Y}, by the share of that time. Choose a day after that."


def _affects(values: Mapping[str, Any]) -> str:
    """Whose share it is, and what it follows."""
    partner = Partner.objects.filter(pk=values["partner"]).first()
    earlier = CommissionShare.objects.filter(partner=partner, valid_from__lt=values["valid_from"])
    before = earlier.order_by("-valid_from").first()
    return f"{partner}: {values['percent']} % follows {f'{before.percent} %' if before else 'no share'}."


def _why_not(row: Model | None, after: Mapping[str, Any] | None, at: datetime) -> str:
    partner_id: Any = row.partner_id if isinstance(row, CommissionShare) else (after or {}).get("partner")
    # No payout of the partner is put together meanwhile (`payouts.ask` takes the same lock).
    Partner.objects.select_for_update().only("pk").filter(pk=partner_id).first()
    if isinstance(row, CommissionShare):
        return too_early(row.partner_id, row.valid_from)
    return too_early(after["partner"], date.fromisoformat(after["valid_from"])) if after else ""


proposals.register(
    proposals.Kind(
        SHARE,
        "Partners' shares of commission",
        "orders.add_commissionshare",
        "portal.approve_proposal",
        always=True,
        affects=_affects,
        why_not=_why_not,
    )
)
