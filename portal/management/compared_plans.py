"""Our SIPs beside FP's, which lists them by account only: each run asks for the accounts whose turn it is (`turns.py`).

Switches, which FP lists by account too, are read on the way. Instalments are orders: those are compared all, every day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet

from investors.models import InvestmentAccount
from orders import lifecycle, plan_gateway
from orders.models import MfOrder, Plan
from orders.operations import plan_news, switches
from orders.plan_gateway import PlanSnapshot
from orders.queries import plans as queries
from portal.fintech_primitives import client as fp
from portal.lifecycle import Verdict
from portal.management.reconciliation import SETTLES_WITHIN, Difference, Report
from portal.management.turns import SIPS


def compare(report: Report, at: datetime) -> list[Difference]:
    """The accounts whose turn it is, each with all of its SIPs on both sides."""
    return SIPS.compare(report, _accounts(), lambda own, account: _account(own, account, at), at)


def _accounts() -> QuerySet[InvestmentAccount]:
    """Those for which a SIP or an order may have been sent."""
    plan = Plan.objects.filter(investment_account=OuterRef("pk")).exclude(attempt_no=0, provider_ref=None)
    order = MfOrder.objects.filter(investment_account=OuterRef("pk"), provider_ref__isnull=False)
    return InvestmentAccount.objects.filter(Exists(plan) | Exists(order))


def _account(report: Report, account: InvestmentAccount, at: datetime) -> Iterator[Difference]:
    """Everything is read before anything is compared. Raises the gateway errors of a read."""
    ours = list(Plan.objects.filter(investment_account=account).select_related("scheme", "mandate"))
    theirs = [plan_gateway.snapshot(each) for each in fp.client().list_sips(account.provider_ref)]
    if not report.dry:
        report.caught_up += switches.read(account=account, at=at)
    report.compared["SIPs here"] += sum(bool(each.provider_ref) for each in ours)
    report.compared["SIPs at FP"] += len(theirs)
    report.looked_at |= {(SIPS.family, each._meta.label_lower, str(each.pk)) for each in ours}
    by_ref = {each.client_ref: each for each in ours} | {each.provider_ref: each for each in ours if each.provider_ref}
    listed = set()
    for said in theirs:
        plan = by_ref.get(said.provider_ref) or by_ref.get(said.client_ref or "")
        if plan is None:
            words = f"FP has SIP {said.provider_ref}, which was never sent from here"
            yield Difference("sip_only_at_fp", account, words, said.amount or Decimal(0))
            continue
        listed.add(plan.pk)
        yield from _plan(report, plan, said, at)
    for plan in ours:
        if plan.provider_ref and plan.pk not in listed and at - plan.state_since > SETTLES_WITHIN:
            yield Difference("sip_not_at_fp", plan, f"FP does not list its SIP {plan.provider_ref}", plan.amount)


def _plan(report: Report, plan: Plan, said: PlanSnapshot, at: datetime) -> Iterator[Difference]:
    mandates = {plan.mandate.provider_ref, *queries.mandates_on_their_way(plan)}
    checks = (
        (
            "sip_reference_differs",
            said.client_ref not in (None, plan.client_ref) or plan.provider_ref not in (None, said.provider_ref),
            f"reference {said.client_ref!r} and number {said.provider_ref} where we hold {plan.provider_ref}",
        ),
        (
            "sip_amount_differs",
            said.amount != plan.amount or said.instalments not in (None, plan.instalments),
            f"{said.instalments} of {said.amount} where we hold {plan.instalments} of {plan.amount}",
        ),
        (
            "sip_scheme_differs",
            said.isin not in (None, plan.scheme.isin),
            f"scheme {said.isin} where we hold {plan.scheme.isin}",
        ),
        (
            "sip_mandate_differs",
            said.is_active and said.mandate_ref not in (None, *mandates),
            f"mandate {said.mandate_ref} where we hold {plan.mandate.provider_ref}",
        ),
    )
    wrong = [(kind, text) for kind, is_wrong, text in checks if is_wrong]
    for kind, text in wrong:
        yield Difference(kind, plan, f"FP has {text}", plan.amount)
    if not wrong:
        yield from _state(report, plan, said, at)


def _state(report: Report, plan: Plan, said: PlanSnapshot, at: datetime) -> Iterator[Difference]:
    """What has ended at FP ends here too; what runs on there after its end here is for a person."""
    if said.is_active and plan.state in lifecycle.PLAN.final:
        if at - plan.state_since > SETTLES_WITHIN:
            yield Difference("sip_state_differs", plan, f"FP runs it, we hold {plan.state}", plan.amount)
    elif said.is_active != (plan.state == lifecycle.ACTIVE) and plan.state not in lifecycle.PLAN.final:
        verdict: Verdict | None = Verdict.APPLY
        if not report.dry:
            verdict = plan_news.absorb(plan_id=plan.pk, snapshot=said, at=at, source="reconciliation")
        report.caught_up += verdict == Verdict.APPLY
