"""The end of a request that nobody decided: told to the partner, once.

end      its time is over
end_all  before that, because the firm no longer serves the investor or was stopped (`portal/api/leaving.py`)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from investors.operations import consents
from orders.models import Approval, ApprovalLine
from orders.queries import approvals as queries
from portal import audit, identifiers
from portal.api import leaving
from portal.api.leaving import Leaving, Why
from portal.models import AuditEntry

MOST = 500


def find_due(at: datetime) -> list[int]:
    """Ids of requests whose time is over and at which nobody has looked since."""
    rows = Approval.objects.filter(due_at__lte=at).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:MOST])


def end(*, approval_id: int, at: datetime) -> None:
    """The partner is told if a line was left undecided. A second call, or a worker beside this one, changes nothing."""
    with transaction.atomic():
        found = Approval.objects.select_for_update(of=("self",)).get(pk=approval_id)
        if found.due_at is None or found.due_at > at:
            return
        Approval.objects.filter(pk=found.pk).update(due_at=None)
        if queries.state_of(found, queries.lines_of([found], at), at) == queries.EXPIRED:
            with connection.cursor() as cursor:
                words = "SELECT orders_tell_of_approval(%s, NULL, 'expired', %s)"
                cursor.execute(words, [found.pk, found.expires_at])


@leaving.register
def end_all(over: Leaving) -> None:
    """Nothing that stands undecided can be taken up any more; a trigger tells the partner. What was approved stays."""
    found = list(_open_ones(over).select_for_update().order_by("pk"))
    undecided = [each.line for each in queries.lines_of(found, over.at) if each.is_open]
    _let_go(undecided, over)
    ending = {line.approval_id for line in undecided}
    Approval.objects.filter(pk__in=ending).update(ended_at=over.at, ended_why=over.why, due_at=None)
    for each in found:
        if each.pk in ending:
            audit.record(each, "approval.ended", actor=over.actor, at=over.at, why=over.why)


def _open_ones(over: Leaving) -> QuerySet[Approval]:
    rows = Approval.objects.filter(
        partner=over.partner_id, withdrawn_at=None, ended_at=None, expires_at__gt=over.at
    )  # fmt: skip
    if over.investor_id is not None:
        rows = rows.filter(investor=over.investor_id)
    if over.why == Why.CLOSED:
        rows = rows.filter(pk__in=_asked_by_machine(over, list(rows.values_list("pk", flat=True))))
    return rows


def _asked_by_machine(over: Leaving, keys: Sequence[int]) -> list[int]:
    """Which of these the firm's API asked for, and not its people in the console: the log says who did."""
    said = AuditEntry.objects.filter(subject_kind=audit.kind_of(Approval()), subject_id__in=[str(key) for key in keys])
    asked = said.filter(action="approval.asked", actor=over.machine)
    return [int(key) for key in asked.values_list("subject_id", flat=True)]


def _let_go(lines: Sequence[ApprovalLine], over: Leaving) -> None:
    """Codes on their way are worth nothing. What stands in a cart, or in the form of a basket that is open in a
    browser, is the investor's own from now on, and no answer to the firm."""
    consents.close(keys=[line.consent_id for line in lines if line.consent_id], actor=over.actor, at=over.at)
    ApprovalLine.objects.filter(pk__in=[line.pk for line in lines]).update(cart_line=None)
    for line in lines:
        if line.kind == ApprovalLine.Kind.BASKET:
            ApprovalLine.objects.filter(pk=line.pk).update(form_ref=identifiers.new_client_ref())
