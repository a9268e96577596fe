"""Open cases as their investor may see them: of the kinds they were told about, without a word of staff's.

Cases are for operations only, so they are read beyond the investor's own scope: by kind and by the investor's own
orders, and nothing of them but the code, the kind and the day. Who was never told of one costs no such read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from investors.models import Investor
from orders import payment_failures
from orders.case_words import KINDS, TOLD, CaseWords
from orders.models import MfOrder
from portal.audit import Told
from portal.clock import IST
from portal.models import Case, Notice
from portal.scope import ALL, scope

ORDER, PAYMENT = MfOrder._meta.label_lower, "payments.payment"
MOST = 100


@dataclass(frozen=True)
class OpenCase:
    """A case about one order."""

    order: MfOrder
    code: str
    words: CaseWords
    opened_at: datetime

    def clock(self, *, today: date, holidays: frozenset[date]) -> payment_failures.Clock:
        """By when it should be settled: no rule sets a date, so it is what we promise for money that must come back."""
        opened_on = self.opened_at.astimezone(IST).date()
        return payment_failures.clock(method="NETBANKING", failed_on=opened_on, today=today, holidays=holidays)


def of(investor: Investor) -> list[OpenCase]:
    """The open cases of an investor, oldest first: one statement while there was never one."""
    told = Notice.objects.filter(user_id=investor.user_id, event__in=TOLD, subject_kind=ORDER).order_by("-pk")
    ids = {int(key) for key in told.values_list("subject_id", flat=True)[:MOST]}
    return _about(MfOrder.objects.filter(investor=investor, pk__in=ids).select_related("scheme")) if ids else []


def of_order(order: MfOrder, recorded: Iterable[Told]) -> list[OpenCase]:
    """The open cases about an order, whose story was read before: no statement while it tells of none."""
    return _about([order]) if any(entry.action in TOLD for entry in recorded) else []


def _about(orders: Iterable[MfOrder]) -> list[OpenCase]:
    mine = {order.pk: order for order in orders}
    about: dict[tuple[str, str], set[int]] = {(ORDER, str(pk)): {pk} for pk in mine}
    lines = MfOrder.objects.filter(pk__in=mine, payment_lines__isnull=False)
    for pk, payment_id in lines.values_list("pk", "payment_lines__payment_id"):
        about.setdefault((PAYMENT, str(payment_id)), set()).add(pk)
    found = [
        OpenCase(mine[pk], code, KINDS[kind], opened_at)
        for code, kind, opened_at, subject in _open(about)
        for pk in sorted(about[subject])
    ]
    return sorted(found, key=lambda each: each.opened_at)


def _open(about: Iterable[tuple[str, str]]) -> list[tuple[str, str, datetime, tuple[str, str]]]:
    ids: dict[str, list[str]] = {ORDER: [], PAYMENT: []}
    for kind, key in about:
        ids[kind].append(key)
    subjects = Q(subject_kind=ORDER, subject_id__in=ids[ORDER]) | Q(subject_kind=PAYMENT, subject_id__in=ids[PAYMENT])
    with scope(ALL):
        rows = Case.objects.filter(subjects, kind__in=KINDS, state=Case.State.OPEN)
        fields = rows.values_list("code", "kind", "opened_at", "subject_kind", "subject_id")
        return [(code, kind, opened_at, (what, key)) for code, kind, opened_at, what, key in fields]
