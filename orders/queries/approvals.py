"""Where an approval and its lines stand: read from what they led to, never stored a second time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from investors.models import Investor
from orders import lifecycle
from orders.models import Approval, ApprovalLine, MfOrder, Plan, PlanChange

WAITING, APPROVED, DECLINED, EXPIRED, WITHDRAWN = "WAITING", "APPROVED", "DECLINED", "EXPIRED", "WITHDRAWN"
OPEN, DECIDED = "OPEN", "DECIDED"
LINE_STATES = (WAITING, APPROVED, DECLINED, EXPIRED, WITHDRAWN)
STATES = (OPEN, DECIDED, EXPIRED, WITHDRAWN)
UNDECIDED = (WAITING,)


@dataclass(frozen=True)
class Line:
    """A line, where it stands, and what it led to."""

    line: ApprovalLine
    state: str
    order: MfOrder | None = None
    plan: Plan | None = None
    change: PlanChange | None = None

    @property
    def is_open(self) -> bool:
        """Can the investor still decide?"""
        return self.state in UNDECIDED


def is_open(approval: Approval, at: datetime) -> bool:
    """Neither withdrawn nor over."""
    return approval.withdrawn_at is None and at < approval.expires_at


def state_of(approval: Approval, lines: Iterable[Line], at: datetime) -> str:
    """One of `STATES`."""
    if not any(each.is_open or each.state in (EXPIRED, WITHDRAWN) for each in lines):
        return DECIDED
    if approval.withdrawn_at:
        return WITHDRAWN
    return OPEN if at < approval.expires_at else EXPIRED


def of_investor(investor: Investor) -> QuerySet[Approval]:
    """What partners have asked this investor, newest first. An investor sees no partner's row but the own one's."""
    return Approval.objects.filter(investor=investor).order_by("-pk")


def waiting(investor: Investor, at: datetime) -> QuerySet[Approval]:
    """Those in which a line can still be decided, in one statement: what `_stand` says of a line, as a filter."""
    lines = ApprovalLine.objects.filter(approval=OuterRef("pk"), declined_at=None, change=None).exclude(
        Q(consent__given_at__isnull=False)
        | Q(cart_line__cart__confirmed_at__isnull=False)
        | Q(kind=ApprovalLine.Kind.SIP_CANCEL, plan__state=lifecycle.CANCELLED)
    )
    return of_investor(investor).filter(Exists(lines), withdrawn_at=None, expires_at__gt=at)


def lines_of(approvals: Sequence[Approval], at: datetime) -> list[Line]:
    """The lines of these approvals in five statements, whatever their number."""
    rows = list(
        ApprovalLine.objects.filter(approval__in=approvals)
        .select_related("approval", "scheme", "plan__scheme", "mandate", "change")
        .order_by("-approval_id", "number")
    )
    consents = {row.consent_id for row in rows if row.consent_id}
    carts = {row.cart_line_id for row in rows if row.cart_line_id}
    by_consent = {order.consent_id: order for order in MfOrder.objects.filter(consent__in=consents)}
    by_line = {order.cart_line_id: order for order in MfOrder.objects.filter(cart_line__in=carts)}
    sips = {plan.consent_id: plan for plan in Plan.objects.filter(consent__in=consents)}
    return [
        _stand(
            row,
            by_consent.get(row.consent_id or 0) or by_line.get(row.cart_line_id or 0),
            sips.get(row.consent_id or 0),
            at,
        )
        for row in rows
    ]


def _stand(row: ApprovalLine, order: MfOrder | None, plan: Plan | None, at: datetime) -> Line:
    if order or plan or row.change or _is_ended(row):
        return Line(row, APPROVED, order, plan, row.change)
    if row.declined_at:
        return Line(row, DECLINED)
    if row.approval.withdrawn_at:
        return Line(row, WITHDRAWN)
    return Line(row, WAITING if at < row.approval.expires_at else EXPIRED)


def _is_ended(row: ApprovalLine) -> bool:
    """A SIP that the provider never heard of ends at once, without a change."""
    return row.kind == ApprovalLine.Kind.SIP_CANCEL and row.plan is not None and row.plan.state == lifecycle.CANCELLED
