"""Three ledgers side by side: our orders, payments and holdings, and what FP has (reliability.md P15).

FP is asked for everything of the tenant, in every state, page by page. What only lags here is absorbed through the one
door for news. What cannot be both true becomes a case for a person; nothing is overwritten. A difference is reported
again until it is gone, and its case closes by itself when it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models

from investors.models import InvestmentAccount
from orders import gateway as order_gateway
from orders import lifecycle
from orders.gateway import OrderSnapshot
from orders.models import Holding, MfOrder
from orders.operations import news
from payments import gateway as payment_gateway
from payments import lifecycle as payment_lifecycle
from payments import operations as payment_operations
from payments.models import Payment
from portal import cases, money
from portal.fintech_primitives import client as fp
from portal.lifecycle import Verdict
from portal.models import Heartbeat

CASE = "reconciliation"
# Looked at every hour, so that the comparison comes at about the same time of each day.
ONCE_IN = timedelta(hours=23, minutes=30)
# What changed within this time may still be on its way between FP's lists.
SETTLES_WITHIN = timedelta(minutes=5)
PAGE = 100


@dataclass(frozen=True)
class Difference:
    """One thing on which the two sides do not agree. `subject` is the row of ours that a person should open."""

    kind: str
    subject: models.Model
    text: str


@dataclass
class Report:
    """What was compared, what was caught up with, and what differs."""

    compared: Counter[str] = field(default_factory=Counter)
    caught_up: int = 0
    differences: list[Difference] = field(default_factory=list)


def run(at: datetime) -> Report:
    """Compare everything, open and close cases. Raises the gateway errors of a read; then nothing was concluded."""
    report = Report()
    heart, _ = Heartbeat.objects.get_or_create(name=CASE, defaults={"at": at - ONCE_IN})
    report.differences += _orders(report, heart, at)
    report.differences += _payments(report, at)
    report.differences += _holdings(report, at)
    _write_cases(report, at)
    Heartbeat.objects.filter(pk=heart.pk).update(at=at)
    return report


def is_due(at: datetime) -> bool:
    """Has a day passed since everything was last compared to the end?"""
    return not Heartbeat.objects.filter(name=CASE, at__gt=at - ONCE_IN, at__lte=at).exists()


# --- orders -----------------------------------------------------------------------------------------------------


def _orders(report: Report, heart: Heartbeat, at: datetime) -> Iterator[Difference]:
    ours = {row.client_ref: row for row in _sent_orders()}
    by_provider_ref = {row.provider_ref: row for row in ours.values() if row.provider_ref}
    seen: set[str] = set()
    for theirs in fp.client().list_orders(fp.ALL_STATES):
        report.compared["orders at FP"] += 1
        row = ours.get(theirs.source_ref_id or "") or by_provider_ref.get(theirs.id)
        if row is None:
            yield Difference("order_only_at_fp", heart, f"FP has order {theirs.id}, which was never sent from here")
            continue
        seen.add(row.client_ref)
        yield from _order(report, row, order_gateway.snapshot(theirs, row.gateway), at)
    for ref in ours.keys() - seen:
        yield from _missing_at_fp(ours[ref], at)
    report.compared["orders here"] += len(ours)


def _sent_orders() -> Iterable[MfOrder]:
    """Every order of which a byte may have left."""
    return (
        MfOrder.objects.exclude(state=lifecycle.CREATED)
        .exclude(attempt_no=0, provider_ref=None)
        .select_related("scheme")
    )


def _order(report: Report, row: MfOrder, theirs: OrderSnapshot, at: datetime) -> Iterator[Difference]:
    wrong = [
        (theirs.client_ref != row.client_ref, f"reference {theirs.client_ref!r} where we sent {row.client_ref}"),
        (
            row.provider_ref not in (None, theirs.provider_ref),
            f"id {theirs.provider_ref} where we hold {row.provider_ref}",
        ),
        (
            None not in (theirs.amount, row.amount) and theirs.amount != row.amount,
            f"amount {theirs.amount} where we hold {row.amount}",
        ),
        (theirs.isin not in (None, row.scheme.isin), f"scheme {theirs.isin} where we hold {row.scheme.isin}"),
        (_units_differ(row, theirs), f"{theirs.units} units where we hold {row.allotted_units}"),
    ]
    words = [text for is_wrong, text in wrong if is_wrong]
    if words:
        yield Difference("order_differs", row, f"FP has {'; '.join(words)}")
        return
    if theirs.state is None or theirs.state == row.state:
        return
    verdict = news.absorb(order_id=row.pk, snapshot=theirs, at=at, source="reconciliation")
    report.caught_up += verdict == Verdict.APPLY
    if verdict == Verdict.CONFLICT or (verdict == Verdict.STALE and at - row.state_since > SETTLES_WITHIN):
        yield Difference("order_state_differs", row, f"FP says {theirs.their_word}, we hold {row.state}")


def _units_differ(row: MfOrder, theirs: OrderSnapshot) -> bool:
    return row.state == lifecycle.THROUGH[row.kind] == theirs.state and theirs.units != row.allotted_units


def _missing_at_fp(row: MfOrder, at: datetime) -> Iterator[Difference]:
    """An attempt that is open or unknown is looked up by the sweep; a row that FP had confirmed must be listed."""
    if row.provider_ref and at - row.state_since > SETTLES_WITHIN:
        yield Difference("order_not_at_fp", row, f"FP does not list its order {row.provider_ref}")


# --- payments ---------------------------------------------------------------------------------------------------


def _payments(report: Report, at: datetime) -> Iterator[Difference]:
    """FP lists payments by order only: every order of ours that can have one is asked for, a page of them at a time."""
    orders = MfOrder.objects.filter(provider_ref__isnull=False).order_by("pk")
    for batch in _batches(orders):
        ours = {
            each.provider_ref: each
            for each in Payment.objects.filter(lines__order__in=batch, provider_ref__isnull=False).distinct()
        }
        by_ref = {order.provider_ref: order for order in batch}
        listed = {each.id: each for each in fp.client().list_payments([str(ref) for ref in by_ref])}
        report.compared["payments at FP"] += len(listed)
        report.compared["payments here"] += len(ours)
        for ref, theirs in listed.items():
            order = next((by_ref[each] for each in theirs.amc_order_ids if each in by_ref), None)
            if ref in ours:
                yield from _payment(report, ours[ref], payment_gateway.snapshot(theirs), at)
            elif order and not _is_starting(order):
                yield Difference("payment_only_at_fp", order, f"FP has payment {ref}, which we do not know")
        for ref in ours.keys() - listed.keys():
            yield Difference("payment_not_at_fp", ours[ref], f"FP does not list its payment {ref}")


def _batches(orders: models.QuerySet[MfOrder]) -> Iterator[list[MfOrder]]:
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:PAGE]):
        last = batch[-1].pk
        yield batch


def _is_starting(order: MfOrder) -> bool:
    """Our own attempt may have made it: the sweep will recognise it."""
    return Payment.objects.filter(lines__order=order, state=payment_lifecycle.STARTING).exists()


def _payment(
    report: Report, row: Payment, theirs: payment_gateway.PaymentSnapshot, at: datetime
) -> Iterator[Difference]:
    if theirs.amount is not None and theirs.amount != row.amount:
        yield Difference("payment_differs", row, f"FP has {theirs.amount} where we hold {row.amount}")
        return
    if theirs.state is None or theirs.state == row.state:
        return
    verdict = payment_operations.absorb(payment_id=row.pk, snapshot=theirs, at=at)
    report.caught_up += verdict == Verdict.APPLY
    if verdict == Verdict.CONFLICT:
        yield Difference("payment_state_differs", row, f"FP says {theirs.their_word}, we hold {row.state}")


# --- holdings ---------------------------------------------------------------------------------------------------


def _holdings(report: Report, at: datetime) -> Iterator[Difference]:
    """Units by folio and scheme, for every account that holds something here or has an allotted order."""
    allotted = MfOrder.objects.filter(state=lifecycle.ALLOTTED).values("investment_account")
    for account in InvestmentAccount.objects.filter(pk__in=allotted).select_related("investor").iterator():
        ours = {
            (each.folio.number, each.scheme.isin): each.units
            for each in Holding.objects.filter(investor_id=account.investor_id).select_related("folio", "scheme")
            if each.units
        }
        theirs = {
            (folio.folio_number, scheme.isin): money.to_units(scheme.holdings.units)
            for folio in fp.client().fetch_holdings(account.provider_ref).folios
            for scheme in folio.schemes
            if scheme.holdings.units
        }
        report.compared["holdings here"] += len(ours)
        report.compared["holdings at FP"] += len(theirs)
        for key in sorted(ours.keys() | theirs.keys()):
            here, there = ours.get(key, Decimal(0)), theirs.get(key, Decimal(0))
            if here != there:
                text = f"folio {key[0]}, {key[1]}: {there} units at FP, {here} here"
                yield Difference("holding_differs", account.investor, text)


# --- cases ------------------------------------------------------------------------------------------------------


def _write_cases(report: Report, at: datetime) -> None:
    """A case per row that differs, and the cases of rows that no longer differ are closed."""
    texts: dict[tuple[str, str, str], list[str]] = {}
    subjects: dict[tuple[str, str, str], models.Model] = {}
    for each in report.differences:
        key = (f"{CASE}_{each.kind}", each.subject._meta.label_lower, str(each.subject.pk))
        texts.setdefault(key, []).append(each.text)
        subjects[key] = each.subject
    for key, lines in texts.items():
        detail = "\n".join(lines[:50]) + (f"\n... and {len(lines) - 50} more" if len(lines) > 50 else "")
        cases.open_case(kind=key[0], subject=subjects[key], title=lines[0][:200], detail=detail, at=at)
    _close_settled(set(texts), at)


def _close_settled(still: set[tuple[str, str, str]], at: datetime) -> None:
    for case in cases.Case.objects.filter(kind__startswith=f"{CASE}_", state="OPEN"):
        if (case.kind, case.subject_kind, case.subject_id) not in still:
            cases.close(case=case, resolution="Both sides agree again.", actor=None, at=at)
