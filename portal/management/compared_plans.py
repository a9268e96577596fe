"""Our SIPs beside FP's, which lists them by account only: each run asks for the accounts whose turn it is.

The accounts that were compared longest ago, or never, come first; `AT_ONCE` bounds a run, and the report says how many
are left. Switches, which FP lists by account too, are read on the way. Instalments are orders: those are compared all,
every day.

An account about which FP gives no usable answer is a difference of its own, and holds nobody up: from then on its turn
comes after the others'. While FP cannot be reached at all, the rest waits for another run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import structlog
from django.db.models import Exists, F, OuterRef, QuerySet

from investors.models import InvestmentAccount
from orders import lifecycle, plan_gateway
from orders.models import MfOrder, Plan
from orders.operations import plan_news, switches
from orders.plan_gateway import PlanSnapshot
from orders.queries import plans as queries
from portal import cases
from portal.fintech_primitives import client as fp
from portal.gateway import errors
from portal.lifecycle import Verdict
from portal.management.reconciliation import CASE, SETTLES_WITHIN, Difference, Report
from portal.models import Heartbeat

log = structlog.get_logger(__name__)

# Two calls each, within the time that a task has (`CELERY_TASK_TIME_LIMIT`) even where each takes half a second.
AT_ONCE = 500
# So many accounts without a usable answer in one run are FP's trouble, and not theirs.
FAILURES = 20
UNREAD = "sip_list_unread"


def compare(report: Report, heart: Heartbeat, at: datetime) -> Iterator[Difference]:
    """The accounts whose turn it is, each with all of its SIPs on both sides."""
    unread = 0
    for account in _turn():
        try:
            yield from _account(report, account, at)
        except errors.NOT_TAKEN as error:
            log.warning("sips_not_compared", error=str(error), done=len(report.accounts))
            break
        except errors.GatewayError as error:
            log.warning("sip_list_unread", account=account.pk, error=str(error))
            yield Difference(UNREAD, account, f"FP does not say which SIPs and switches it has: {error}")
            unread += 1
            if unread == FAILURES:
                break
        else:
            report.accounts.append(account.pk)
    done = len(report.accounts)
    report.compared["accounts whose SIPs were compared"] += done
    report.compared["accounts whose SIPs wait for another run"] += max(_accounts().count() - done, 0)


def keep_turns(report: Report, at: datetime) -> None:
    """Whose turn has passed. After the cases only: a turn that is kept earlier would lose its differences."""
    InvestmentAccount.objects.filter(pk__in=report.accounts).update(sips_compared_at=at)


def _turn() -> list[InvestmentAccount]:
    """Whom FP did not answer about lately stands in nobody's way: after the others, and some only."""
    silent = cases.subjects_of(f"{CASE}_{UNREAD}")
    accounts = _accounts().select_related("investor")
    return [*accounts.exclude(pk__in=silent)[:AT_ONCE], *accounts.filter(pk__in=silent)[:FAILURES]]


def _accounts() -> QuerySet[InvestmentAccount]:
    """Those for which a SIP or an order may have been sent, compared longest ago first."""
    plan = Plan.objects.filter(investment_account=OuterRef("pk")).exclude(attempt_no=0, provider_ref=None)
    order = MfOrder.objects.filter(investment_account=OuterRef("pk"), provider_ref__isnull=False)
    turn = F("sips_compared_at").asc(nulls_first=True)
    return InvestmentAccount.objects.filter(Exists(plan) | Exists(order)).order_by(turn, "pk")


def _account(report: Report, account: InvestmentAccount, at: datetime) -> Iterator[Difference]:
    """Everything is read before anything is compared. Raises the gateway errors of a read."""
    ours = list(Plan.objects.filter(investment_account=account).select_related("scheme", "mandate"))
    theirs = [plan_gateway.snapshot(each) for each in fp.client().list_sips(account.provider_ref)]
    if not report.dry:
        report.caught_up += switches.read(account=account, at=at)
    report.compared["SIPs here"] += sum(bool(each.provider_ref) for each in ours)
    report.compared["SIPs at FP"] += len(theirs)
    report.looked_at |= {(each._meta.label_lower, str(each.pk)) for each in (account, *ours)}
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
