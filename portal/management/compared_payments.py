"""Our payments beside FP's, which lists them by order only: every order that can have one is asked for, in pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from orders import lifecycle as order_lifecycle
from orders.models import MfOrder
from payments import gateway, lifecycle
from payments import operations as payments
from payments.models import Payment, PaymentLine
from portal.fintech_primitives import client as fp
from portal.lifecycle import Verdict
from portal.management.reconciliation import PAGE, SETTLES_WITHIN, Difference, Report
from portal.models import Heartbeat

# A purchase in these states has been paid for.
PAID = (order_lifecycle.PAID, order_lifecycle.ALLOTTED)


def compare(report: Report, heart: Heartbeat, at: datetime) -> Iterator[Difference]:
    """Page by page of our purchases."""
    last = 0
    orders = MfOrder.objects.filter(provider_ref__isnull=False, kind=MfOrder.Kind.PURCHASE).order_by("pk")
    while batch := list(orders.filter(pk__gt=last)[:PAGE]):
        last = batch[-1].pk
        yield from _batch(report, batch, at)


def _batch(report: Report, batch: list[MfOrder], at: datetime) -> Iterator[Difference]:
    lines = PaymentLine.objects.filter(order__in=batch, payment__provider_ref__isnull=False).select_related("payment")
    ours = {str(line.payment.provider_ref): line.payment for line in lines}
    by_ref = {str(order.provider_ref): order for order in batch}
    listed = {each.id: each for each in fp.client().list_payments(list(by_ref))}
    report.compared["payments at FP"] += len(listed)
    report.compared["payments here"] += len(ours)
    collected: set[str] = set()
    for ref, theirs in listed.items():
        order = next((by_ref[each] for each in theirs.amc_order_ids if each in by_ref), None)
        snapshot = gateway.snapshot(theirs)
        if snapshot.state in lifecycle.COLLECTED:
            collected |= set(theirs.amc_order_ids)
        if ref in ours:
            yield from _payment(report, ours[ref], snapshot, at)
        elif order and not order.plan_id and not _is_starting(order):
            # An instalment's debit is FP's own: no payment of ours stands beside it.
            words = f"FP has payment {ref}, which we do not know"
            rupees = theirs.amount or order.amount or Decimal(0)
            yield Difference("payment_only_at_fp", order, words, rupees)
    for ref in ours.keys() - listed.keys():
        yield Difference("payment_not_at_fp", ours[ref], f"FP does not list its payment {ref}", ours[ref].amount)
    yield from _paid_by_nobody(batch, collected, at)


def _is_starting(order: MfOrder) -> bool:
    """Our own attempt may have made it: the sweep will recognise it."""
    return Payment.objects.filter(lines__order=order, state=lifecycle.STARTING).exists()


def _payment(report: Report, row: Payment, theirs: gateway.PaymentSnapshot, at: datetime) -> Iterator[Difference]:
    if theirs.amount is not None and theirs.amount != row.amount:
        words = f"FP has {theirs.amount} where we hold {row.amount}"
        yield Difference("payment_amount_differs", row, words, max(theirs.amount, row.amount))
        return
    mine = {ref for ref in row.lines.values_list("order__provider_ref", flat=True) if ref}
    if theirs.order_refs and set(theirs.order_refs) != mine:
        words = f"FP names orders {sorted(theirs.order_refs)} where we hold {sorted(mine)}"
        yield Difference("payment_orders_differ", row, words, row.amount)
        return
    if theirs.state is None or theirs.state == row.state:
        return
    verdict = lifecycle.PAYMENT.judge(row.state, lifecycle.news_of(row.state, theirs.state))
    if not report.dry:
        verdict = payments.absorb(payment_id=row.pk, snapshot=theirs, at=at) or verdict
    report.caught_up += verdict == Verdict.APPLY
    ours_collected, theirs_collected = row.state in lifecycle.COLLECTED, theirs.state in lifecycle.COLLECTED
    if verdict == Verdict.CONFLICT and ours_collected != theirs_collected:
        words = f"FP says {theirs.their_word}, we hold {row.state}"
        yield Difference("payment_state_differs", row, words, row.amount)


def _paid_by_nobody(batch: list[MfOrder], collected: set[str], at: datetime) -> Iterator[Difference]:
    """An order is paid for here, and neither FP nor a payment of ours has collected anything for it."""
    mine = PaymentLine.objects.filter(order__in=batch, payment__state__in=lifecycle.COLLECTED)
    paid = set(mine.values_list("order_id", flat=True))
    for order in batch:
        unpaid = order.pk not in paid and str(order.provider_ref) not in collected
        if unpaid and order.state in PAID and at - order.state_since > SETTLES_WITHIN:
            yield Difference("order_paid_by_nobody", order, f"{order.state}, and no payment collected it", order.cost)
