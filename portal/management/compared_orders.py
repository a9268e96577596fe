"""Our orders beside FP's list of all of them, a page at a time: never all of either side in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from orders import gateway, lifecycle
from orders.gateway import OrderSnapshot
from orders.models import MfOrder, Plan
from orders.operations import instalments, news, switches
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import Order, OrderType
from portal.lifecycle import Verdict
from portal.management.reconciliation import PAGE, SETTLES_WITHIN, Difference, Report
from portal.models import Heartbeat


def compare(report: Report, heart: Heartbeat, at: datetime) -> Iterator[Difference]:
    """Every order of which a byte may have left, and every order of FP's."""
    _begin()
    listed = fp.client().list_orders(fp.ALL_STATES)
    # Switches are read account by account (`compared_plans.py`): FP's lists name no account.
    listed = (each for each in listed if each.type != OrderType.SWITCH)
    while page := list(islice(listed, PAGE)):
        report.compared["orders at FP"] += len(page)
        yield from _page(report, heart, page, at)
    yield from _missing(report, at)
    report.compared["orders here"] += _sent().count()


def _page(report: Report, heart: Heartbeat, page: list[Order], at: datetime) -> Iterator[Difference]:
    to_take_in = _take_in_instalments(report, page, at)
    refs, ids = [each.source_ref_id for each in page if each.source_ref_id], [each.id for each in page]
    rows = list(_sent().filter(Q(client_ref__in=refs) | Q(provider_ref__in=ids)).select_related("scheme"))
    ours = {row.client_ref: row for row in rows}
    by_provider_ref = {row.provider_ref: row for row in rows if row.provider_ref}
    seen: list[int] = []
    for theirs in page:
        row = ours.get(theirs.source_ref_id or "") or by_provider_ref.get(theirs.id)
        if row is None and theirs.id in to_take_in:
            continue
        if row is None:
            words = f"FP has order {theirs.id}, which was never sent from here"
            yield Difference("order_only_at_fp", heart, words, theirs.amount or Decimal(0))
            continue
        seen.append(row.pk)
        yield from _order(report, row, gateway.snapshot(theirs, row.gateway), at)
    _note(seen)


def _take_in_instalments(report: Report, page: list[Order], at: datetime) -> set[str]:
    """FP makes the orders of SIPs by itself: what is new to us is taken in. Returns what a dry run leaves alone."""
    known = set(
        MfOrder.objects.filter(provider_ref__in=[each.id for each in page]).values_list("provider_ref", flat=True)
    )
    fresh = [each for each in page if each.sip_id and each.id not in known]
    if not report.dry:
        ours = (gateway.snapshot(each, settings.FP_ORDER_GATEWAY) for each in fresh)
        report.caught_up += instalments.take_in(ours, at=at, source="reconciliation")
        return set()
    plans = set(
        Plan.objects.filter(provider_ref__in=[each.sip_id for each in fresh]).values_list("provider_ref", flat=True)
    )
    left = {each.id for each in fresh if each.sip_id in plans}
    report.caught_up += len(left)
    return left


def _sent() -> QuerySet[MfOrder]:
    """Of which a byte may have left."""
    return MfOrder.objects.exclude(attempt_no=0, provider_ref=None).exclude(kind=switches.KIND)


def _order(report: Report, row: MfOrder, theirs: OrderSnapshot, at: datetime) -> Iterator[Difference]:
    checks = (
        (
            "order_reference_differs",
            # The order of an instalment carries a reference of FP's own.
            row.plan_id is None and theirs.client_ref != row.client_ref,
            f"reference {theirs.client_ref!r}",
        ),
        (
            "order_reference_differs",
            row.provider_ref not in (None, theirs.provider_ref),
            f"id {theirs.provider_ref} where we hold {row.provider_ref}",
        ),
        (
            "order_amount_differs",
            None not in (theirs.amount, row.amount) and theirs.amount != row.amount,
            f"amount {theirs.amount} where we hold {row.amount}",
        ),
        (
            "order_scheme_differs",
            theirs.isin not in (None, row.scheme.isin),
            f"scheme {theirs.isin} where we hold {row.scheme.isin}",
        ),
        (
            "order_units_differ",
            _units_differ(row, theirs),
            f"{theirs.units} units where we hold {row.allotted_units}",
        ),
    )
    wrong = [(kind, text) for kind, is_wrong, text in checks if is_wrong]
    for kind, text in wrong:
        yield Difference(kind, row, f"FP has {text}", _worth(row))
    if not wrong:
        yield from _state(report, row, theirs, at)


def _state(report: Report, row: MfOrder, theirs: OrderSnapshot, at: datetime) -> Iterator[Difference]:
    if theirs.state is None or theirs.state == row.state:
        return
    verdict = lifecycle.table_of(row.kind, row.gateway).judge(row.state, theirs.state)
    if not report.dry:
        verdict = news.absorb(order_id=row.pk, snapshot=theirs, at=at, source="reconciliation") or verdict
    report.caught_up += verdict == Verdict.APPLY
    if verdict == Verdict.CONFLICT or (verdict == Verdict.STALE and at - row.state_since > SETTLES_WITHIN):
        words = f"FP says {theirs.their_word}, we hold {row.state}"
        yield Difference("order_state_differs", row, words, _worth(row))


def _units_differ(row: MfOrder, theirs: OrderSnapshot) -> bool:
    return row.state == lifecycle.THROUGH[row.kind] == theirs.state and theirs.units != row.allotted_units


def _worth(row: MfOrder) -> Decimal:
    return row.amount or row.allotted_amount or Decimal(0)


# --- what FP does not list ----------------------------------------------------------------------------------------


def _begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS orders_compared (id bigint PRIMARY KEY)")
        cursor.execute("TRUNCATE orders_compared")


def _note(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders_compared SELECT unnest(%s::bigint[]) ON CONFLICT DO NOTHING", [ids])


_MISSING = """
    SELECT o.id FROM orders_mforder o
     WHERE o.provider_ref IS NOT NULL AND o.state <> 'CREATED' AND o.state_since < %(settled)s
       AND o.kind <> 'SWITCH_OUT'
       AND NOT EXISTS (SELECT FROM orders_compared c WHERE c.id = o.id)
"""


def _missing(report: Report, at: datetime) -> Iterator[Difference]:
    """An attempt that is open or unknown is looked up by the sweep; a row that FP had confirmed must be listed."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, {"settled": at - SETTLES_WITHIN})
        lost = [row[0] for row in cursor.fetchall()]
    for row in MfOrder.objects.filter(pk__in=lost).iterator():
        yield Difference("order_not_at_fp", row, f"FP does not list its order {row.provider_ref}", _worth(row))
