"""News about a SIP: what FP says becomes true here, and the duties that follow.

FP says of a plan only whether it is active. What the end of an active plan means follows from what we know: all
instalments made is COMPLETED; otherwise somebody has ended it: the investor, by a change of ours, or the fund house.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction

from orders import calendar, lifecycle, plan_rules
from orders.models import MfOrder, Plan, PlanChange
from orders.operations import plan_notices
from orders.plan_gateway import PlanSnapshot
from orders.queries import plans as queries
from portal import audit, cases, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.clock import IST
from portal.lifecycle import Verdict
from portal.models import User

UNKNOWN_CASE = "plan_outcome_unknown"
CONFLICT_CASE = "plan_news_conflict"
NOT_ENDED_CASE = "plan_not_ended"
MANDATE_CASE = "plan_mandate_unclear"
STRIKES = "consecutive_failed_installment_limit_exceeded"
# Seconds until somebody looks at a plan again, by state. Its instalments come with the list of open orders; a plan is
# asked about by itself once a week, when an instalment has failed or is missing, and when its owner looks at it.
PACE_S = {lifecycle.CREATED: 30.0, lifecycle.SUBMITTING: 45.0, lifecycle.ACTIVE: 7 * 86_400.0}


def absorb(*, plan_id: int, snapshot: PlanSnapshot, at: datetime, source: str) -> Verdict:
    """Judge what FP says about a plan and make it true here. A contradiction becomes a case and moves nothing.

    Take in the plan's instalments first: whether an ended plan is completed depends on them.
    """
    with transaction.atomic(durable=True):
        plan = locked(plan_id)
        if wrong := _contradiction(plan, snapshot):
            conflict(plan, wrong, at=at)
            return Verdict.CONFLICT
        _recognise(plan, snapshot, at=at)
        _date(plan, snapshot, at=at)
        state = lifecycle.ACTIVE if snapshot.is_active else _end_of(plan)
        verdict = lifecycle.PLAN.judge(plan.state, state)
        if verdict == Verdict.APPLY:
            move_to(plan, state, at=at, source=source)
        elif plan.state in lifecycle.PLAN.final and snapshot.is_active:
            conflict(plan, f"we hold {plan.state}, FP says that it is active", at=at)
    return verdict


def _contradiction(plan: Plan, said: PlanSnapshot) -> str:
    """What in the snapshot cannot be about this plan; empty when nothing."""
    known = {ref for ref in (plan.mandate.provider_ref, *queries.mandates_on_their_way(plan)) if ref}
    checks = (
        (plan.provider_ref and plan.provider_ref != said.provider_ref, "another number"),
        (said.amount is not None and said.amount != plan.amount, f"another amount: {said.amount}"),
        (said.isin and said.isin != plan.scheme.isin, f"another scheme: {said.isin}"),
        (said.client_ref and said.client_ref != plan.client_ref, "another reference of ours"),
        (said.instalments and said.instalments != plan.instalments, f"other instalments: {said.instalments}"),
        (said.mandate_ref and said.mandate_ref not in known, f"another mandate: {said.mandate_ref}"),
    )
    return next((words for wrong, words in checks if wrong), "")


def _recognise(plan: Plan, said: PlanSnapshot, *, at: datetime) -> None:
    """FP has the plan: its number is on the row and no outcome is unknown any more."""
    if plan.provider_ref == said.provider_ref and plan.attempt == Plan.Outcome.NONE:
        return
    was_unknown = plan.is_unknown
    plan.provider_ref = said.provider_ref
    plan.close_attempt()
    plan.save(update_fields=["provider_ref", *ATTEMPT_FIELDS])
    audit.record(plan, "plan.known_to_provider", actor=None, at=at, provider_ref=said.provider_ref)
    if was_unknown:
        cases.close_cases(subject=plan, kinds=(UNKNOWN_CASE,), resolution="Found at FP by our reference.", at=at)


def _date(plan: Plan, said: PlanSnapshot, *, at: datetime) -> None:
    """FP's first date counts: it may have taken the plan on another day than the one on which it was confirmed."""
    if said.start_date is None:
        return
    first_on = plan_rules.after(said.start_date - calendar.ONE_DAY, plan.start_day)
    if first_on != plan.first_on:
        audit.record(plan, "plan.dated", actor=None, at=at, was=plan.first_on.isoformat(), now=first_on.isoformat())
        plan.first_on = first_on
        plan.last_on = plan_rules.last(first_on, plan.instalments, plan.start_day)
        plan.save(update_fields=["first_on", "last_on"])


def _end_of(plan: Plan) -> str:
    made = MfOrder.objects.filter(plan=plan).count()
    return lifecycle.COMPLETED if made >= plan.instalments else lifecycle.CANCELLED


def count_failures(*, plan_id: int, at: datetime) -> int:
    """`bounces_in_a_row` is what the plan's orders say; the investor is warned of each new failure. Returns it."""
    with transaction.atomic(durable=True):
        plan = locked(plan_id)
        row = plan_rules.in_a_row(queries.outcomes(plan), plan_rules.FAILED)
        was = plan.bounces_in_a_row
        if row != was:
            plan.bounces_in_a_row = row
            plan.save(update_fields=["bounces_in_a_row"])
            audit.record(plan, "plan.failures_in_a_row", actor=None, at=at, was=was, now=row)
        if row:
            # Once for each date, also when a debit between two failures came and went unseen.
            plan_notices.tell_of_failure(plan, queries.last_failed(plan), at=at)
    return row


def conflict(plan: Plan, what: str, *, at: datetime) -> None:
    """A person must look: FP says something about this plan that cannot be. Nothing was changed."""
    cases.open_case(
        kind=CONFLICT_CASE,
        subject=plan,
        title=f"SIP {plan.code}: FP says something that cannot be",
        detail=f"{what}. Nothing was changed.",
        at=at,
    )


def fail(plan: Plan, *, code: str, text: str, at: datetime) -> None:
    """The locked plan is FAILED and keeps the provider's code and words."""
    plan.failure_code, plan.failure_text = code[:60], text[:500]
    plan.save(update_fields=["failure_code", "failure_text"])
    move_to(plan, lifecycle.FAILED, at=at, code=code)


def locked(plan_id: int) -> Plan:
    """The row, locked and fresh. The objects beside it are read, not locked."""
    rows = Plan.objects.select_for_update(of=("self",))
    return rows.select_related("scheme", "investment_account", "mandate", "consent", "folio").get(pk=plan_id)


def move_to(plan: Plan, state: str, *, at: datetime, actor: User | str | None = None, **data: object) -> None:
    """The locked plan is in `state`, with an audit entry that names skipped steps, and the next look is set."""
    was, way = plan.state, lifecycle.PLAN.path(plan.state, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    plan.state, plan.state_since = state, at
    pace = PACE_S.get(state)
    plan.due_at = at + timedelta(seconds=pace) if pace else None
    if state == lifecycle.CANCELLED and _struck_out(plan, at):
        plan.failure_code = STRIKES
    plan.save(update_fields=["state", "state_since", "due_at", "failure_code"])
    audit.record(plan, f"plan.{state.lower()}", actor=actor, at=at, was=was, skipped=list(way[:-1]), data=data)
    _DUTIES.get(state, _nothing)(plan, at)


def _struck_out(plan: Plan, at: datetime) -> bool:
    most = queries.most_failures(at.astimezone(IST).date())
    return plan.bounces_in_a_row >= most and not plan.changes.filter(kind=PlanChange.Kind.CANCEL).exists()


def _nothing(plan: Plan, at: datetime) -> None:
    return


def _began(plan: Plan, at: datetime) -> None:
    jobs.nudge("orders.expect_plan", plan_id=plan.pk)
    plan_notices.tell(plan, plan_notices.BEGAN, at=at)


def _ended(plan: Plan, at: datetime) -> None:
    """What was asked for about it and not done yet has ended with it."""
    for change in plan.changes.select_for_update().filter(state__in=(lifecycle.CREATED, lifecycle.SUBMITTING)):
        done = change.kind == PlanChange.Kind.CANCEL
        close_change(change, lifecycle.DONE if done else lifecycle.FAILED, at=at, why="" if done else "The SIP ended.")
    cases.close_cases(subject=plan, kinds=(NOT_ENDED_CASE,), resolution="The SIP has ended.", at=at)
    ended = plan_notices.NOT_BEGUN if plan.state == lifecycle.FAILED else plan_notices.ENDED
    plan_notices.tell(plan, ended, at=at)


_DUTIES = {
    lifecycle.ACTIVE: _began,
    lifecycle.COMPLETED: _ended,
    lifecycle.CANCELLED: _ended,
    lifecycle.FAILED: _ended,
}


def close_change(change: PlanChange, state: str, *, at: datetime, why: str = "") -> None:
    """The locked change is done, or not done and why; the plan's story says so."""
    if not lifecycle.PLAN_CHANGE.path(change.state, state):
        raise ValueError(f"no way from {change.state} to {state}")
    change.close_attempt()
    change.state, change.state_since, change.why_not, change.due_at = state, at, why[:300], None
    change.save(update_fields=["state", "state_since", "why_not", *ATTEMPT_FIELDS])
    if change.kind == PlanChange.Kind.MANDATE:
        over = "It is known by which mandate FP debits the SIP."
        cases.close_cases(subject=change.plan, kinds=(MANDATE_CASE,), resolution=over, at=at)
    act = {"SKIP": "skip", "MANDATE": "other_mandate", "CANCEL": "cancel"}[change.kind]
    on = change.on.isoformat() if isinstance(change.on, date) else ""
    audit.record(change.plan, f"plan.{act}_{state.lower()}", actor=None, at=at, change=change.code, on=on, why=why)
