"""When the time for a request is over: the partner is told of what nobody decided, once."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from orders.models import Approval
from orders.queries import approvals as queries

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
