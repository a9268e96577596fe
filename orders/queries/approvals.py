"""Where an approval and its lines stand: read from what they led to, never stored a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from investors.models import Consent, Investor, Mandate
from orders import lifecycle
from orders.models import Approval, ApprovalLine, Basket, BasketOrder, MfOrder, Plan, PlanChange
from portal.scope import ALL, scope

Kind = ApprovalLine.Kind
WAITING, APPROVED, DECLINED, EXPIRED, WITHDRAWN = "WAITING", "APPROVED", "DECLINED", "EXPIRED", "WITHDRAWN"
OPEN, DECIDED = "OPEN", "DECIDED"
# Over before its time, because the firm no longer serves the investor or was stopped.
ENDED = "ENDED"
LINE_STATES = (WAITING, APPROVED, DECLINED, EXPIRED, WITHDRAWN, ENDED)
STATES = (OPEN, DECIDED, EXPIRED, WITHDRAWN, ENDED)
UNDECIDED = (WAITING,)


@dataclass(frozen=True)
class Line:
    """A line, where it stands, and what it led to."""

    line: ApprovalLine
    state: str
    order: MfOrder | None = None
    plan: Plan | None = None
    change: PlanChange | None = None
    mandate: Mandate | None = None
    basket_order: BasketOrder | None = None

    @property
    def is_open(self) -> bool:
        """Can the investor still decide?"""
        return self.state in UNDECIDED


@dataclass(frozen=True)
class Asked:
    """A request as it was put down a moment ago, with its lines: nothing has come of them."""

    approval: Approval
    rows: Sequence[ApprovalLine]

    @property
    def lines(self) -> list[Line]:
        """Each of them waits."""
        return [Line(row, WAITING) for row in self.rows]


def is_open(approval: Approval, at: datetime) -> bool:
    """Neither withdrawn, ended, nor over."""
    return taken_back(approval) is None and at < approval.expires_at


def taken_back(approval: Approval) -> datetime | None:
    """When it was withdrawn, or ended before its time."""
    return approval.withdrawn_at or approval.ended_at


def state_of(approval: Approval, lines: Iterable[Line], at: datetime) -> str:
    """One of `STATES`."""
    if not any(each.is_open or each.state in (EXPIRED, WITHDRAWN, ENDED) for each in lines):
        return DECIDED
    if taken_back(approval):
        return WITHDRAWN if approval.withdrawn_at else ENDED
    return OPEN if at < approval.expires_at else EXPIRED


def of_investor(investor: Investor) -> QuerySet[Approval]:
    """What partners have asked this investor, newest first. An investor sees no partner's row but the own one's."""
    return Approval.objects.filter(investor=investor).order_by("-pk")


def waiting(investor: Investor, at: datetime) -> QuerySet[Approval]:
    """Those in which a line can still be decided, in one statement: what `_stand` says of a line, as a filter."""
    lines = ApprovalLine.objects.filter(approval=OuterRef("pk"), declined_at=None, change=None).exclude(
        Q(consent__given_at__isnull=False)
        | Q(cart_line__cart__confirmed_at__isnull=False)
        | Q(kind=Kind.SIP_CANCEL, plan__state=lifecycle.CANCELLED)
        | Exists(BasketOrder.objects.filter(form_ref=OuterRef("form_ref"), investor=OuterRef("investor")))
    )
    return of_investor(investor).filter(Exists(lines), withdrawn_at=None, ended_at=None, expires_at__gt=at)


def to_invest(investor: Investor, basket: Basket, form_ref: str, at: datetime) -> ApprovalLine | None:
    """The line of this form that asks for this basket, while it can be decided."""
    rows = ApprovalLine.objects.filter(investor=investor, basket=basket, form_ref=form_ref, declined_at=None)
    row = rows.select_related("approval").first()
    return row if row and is_open(row.approval, at) else None


def lines_of(approvals: Sequence[Approval], at: datetime) -> list[Line]:
    """The lines of these approvals in a few statements, whatever their number; what no line has is not asked for."""
    rows = list(
        ApprovalLine.objects.filter(approval__in=approvals)
        .select_related("approval")
        .prefetch_related("scheme", "plan__scheme", "mandate", "change", "bank_account", "basket")
        .order_by("-approval_id", "number")
    )
    found, given = {name: read(rows) for name, read in _LED_TO.items()}, _given(rows)
    return [
        _stand(row, {name: by[row.pk] for name, by in found.items() if row.pk in by}, row.consent_id in given, at)
        for row in rows
    ]


def _by_consent(rows: Sequence[ApprovalLine], kinds: Sequence[str], model: Any) -> dict[int, Any]:
    by_consent = {row.consent_id: row.pk for row in rows if row.consent_id and row.kind in kinds}
    found = model.objects.filter(consent__in=by_consent) if by_consent else ()
    return {by_consent[each.consent_id]: each for each in found}


def _orders(rows: Sequence[ApprovalLine]) -> dict[int, Any]:
    by_line = {row.cart_line_id: row.pk for row in rows if row.cart_line_id}
    bought = MfOrder.objects.filter(cart_line__in=by_line) if by_line else ()
    return {by_line[each.cart_line_id or 0]: each for each in bought} | _by_consent(rows, (Kind.REDEMPTION,), MfOrder)


def _basket_orders(rows: Sequence[ApprovalLine]) -> dict[int, Any]:
    by_form = {(row.form_ref, row.investor_id): row.pk for row in rows if row.kind == Kind.BASKET}
    found = BasketOrder.objects.filter(form_ref__in=[form_ref for form_ref, _ in by_form]) if by_form else ()
    asked = ((by_form.get((each.form_ref, each.investor_id)), each) for each in found)
    return {line: order for line, order in asked if line}


# What a line can lead to -> the rows of it, by line.
_LED_TO: dict[str, Callable[[Sequence[ApprovalLine]], dict[int, Any]]] = {
    "order": _orders,
    "plan": lambda rows: _by_consent(rows, (Kind.SIP,), Plan),
    "mandate": lambda rows: _by_consent(rows, (Kind.MANDATE,), Mandate),
    "basket_order": _basket_orders,
}


def _given(rows: Sequence[ApprovalLine]) -> set[int]:
    """Consents that were given to new bank accounts: the account itself comes later, when FP has it.

    A partner's connection reads no consents, and learns here only that the code was entered.
    """
    asked = {row.consent_id for row in rows if row.consent_id and row.kind == Kind.BANK_ACCOUNT}
    if not asked:
        return set()
    with scope(ALL):
        return set(Consent.objects.filter(pk__in=asked, given_at__isnull=False).values_list("pk", flat=True))


def _stand(row: ApprovalLine, led_to: Mapping[str, Any], is_given: bool, at: datetime) -> Line:
    if led_to or row.change or is_given or _is_ended(row):
        return Line(row, APPROVED, change=row.change, **led_to)
    if row.declined_at:
        return Line(row, DECLINED)
    if taken_back(row.approval):
        return Line(row, WITHDRAWN if row.approval.withdrawn_at else ENDED)
    return Line(row, WAITING if at < row.approval.expires_at else EXPIRED)


def _is_ended(row: ApprovalLine) -> bool:
    """A SIP that the provider never heard of ends at once, without a change. Later than the request it is no answer."""
    if row.kind != Kind.SIP_CANCEL or row.plan is None or row.plan.state != lifecycle.CANCELLED:
        return False
    over = taken_back(row.approval)
    return over is None or row.plan.state_since < over
