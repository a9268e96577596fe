"""Speaking to FP about a SIP: submit, settle, refresh.

    submit    claim, commit, call, record: FP hears of the plan under our reference, once
    settle    the outcome of an attempt is unknown: look it up by our reference, never send blindly
    refresh   ask FP what it says now, the plan and its instalments

No transaction is open during a call. What FP says goes through `plan_news.absorb` and `instalments.take_in`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from orders import lifecycle, plan_gateway, plan_rules
from orders.models import Plan, PlanChange
from orders.operations import instalments, plan_news
from orders.operations.sending import CREDENTIALS_CASE, RESEND_AFTER_S
from orders.plan_gateway import PlanSnapshot
from orders.queries.plans import OPEN_CHANGES
from portal import audit, cases, clock, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.gateway import errors, journal
from portal.models import User

# An empty look-up is believed only after several of them over five minutes: lists may lag.
SURE_AFTER = timedelta(minutes=5)
SURE_LOOKS = 4
# The first date, as confirmed, has come too near or has passed while the plan waited.
TOO_LATE = "first_date_passed"


def submit(*, plan_id: int, at: datetime) -> None:
    """FP has heard of the plan under our reference, or the row says what must happen next. Safe to call at any time.

    Raises gates.GateClosed while the kill switch is on, or the account waits to be compared; the plan waits.
    """
    plan = _claim(plan_id, at)
    if plan is None:
        return
    try:
        # Before anything is sent a second time, FP is asked whether it has the first.
        found = plan_gateway.find(plan) if plan.attempt_no > 1 else None
        if found is None and _is_called_off(plan):
            _call_off(plan, at)
            return
        taken = found or PlanSnapshot(plan_gateway.send(plan), is_active=True)
    except errors.GatewayError as error:
        _record_trouble(plan, error, at)
        return
    plan_news.absorb(plan_id=plan_id, snapshot=taken, at=at, source="look-up" if found else "answer to our SIP")
    # Its first date is FP's to say.
    jobs.nudge("orders.advance_plan", row_id=plan_id)


def _claim(plan_id: int, at: datetime) -> Plan | None:
    with transaction.atomic(durable=True):
        plan = plan_news.locked(plan_id)
        gates.check(accounts=[plan.investment_account_id])
        waiting = plan.state == lifecycle.SUBMITTING and plan.attempt == Plan.Outcome.NONE
        if not (plan.state == lifecycle.CREATED or waiting) or plan.provider_ref:
            return None
        if not plan.attempt_no and _is_called_off(plan):
            # Called off while it waited: it never comes to FP.
            plan_news.move_to(plan, lifecycle.CANCELLED, at=at)
            return None
        if _is_too_late(plan, at):
            plan_news.fail(plan, code=TOO_LATE, text="", at=at)
            return None
        if plan.state == lifecycle.CREATED:
            plan_news.move_to(plan, lifecycle.SUBMITTING, at=at)
        plan.open_attempt(at)
        plan.save(update_fields=[*ATTEMPT_FIELDS])
    return plan


def _is_called_off(plan: Plan) -> bool:
    return plan.changes.filter(kind=PlanChange.Kind.CANCEL, state__in=OPEN_CHANGES).exists()


def _call_off(taken: Plan, at: datetime) -> None:
    """It was sent once, FP was asked and has it not: it ends here."""
    with transaction.atomic(durable=True):
        plan = plan_news.locked(taken.pk)
        if plan.holds(taken.attempt_no) and plan.attempt == Plan.Outcome.OPEN:
            plan.close_attempt()
            plan.save(update_fields=[*ATTEMPT_FIELDS])
            plan_news.move_to(plan, lifecycle.CANCELLED, at=at)


def _is_too_late(plan: Plan, at: datetime) -> bool:
    """Sent now, its first debit would be on another date than the confirmed one, or without notice. Only what was
    never sent may be given up."""
    first_on = plan_rules.after(at.astimezone(clock.IST).date(), plan.start_day)
    moved = first_on != plan.first_on or not plan_rules.may_be_told_in_time(first_on, at)
    return moved and not plan.attempt_no


def _record_trouble(taken: Plan, error: errors.GatewayError, at: datetime) -> None:
    """What an attempt that brought no number means for the row."""
    with transaction.atomic(durable=True):
        plan = plan_news.locked(taken.pk)
        if not plan.holds(taken.attempt_no) or plan.attempt != Plan.Outcome.OPEN:
            return
        was_read = taken.attempt_no > 1 and error.method == "GET"
        if isinstance(error, errors.Refused) and not error.complains_about("source_ref_id") and not was_read:
            plan.close_attempt()
            plan.save(update_fields=[*ATTEMPT_FIELDS])
            plan_news.fail(plan, code=error.code or "refused", text=error.said, at=at)
        elif was_read or isinstance(error, (*errors.NOT_TAKEN, errors.NotAuthorised)):
            _release(plan, error, at)
        else:
            plan.mark_unknown(at)
            plan.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(plan, "plan.outcome_unknown", actor=None, at=at, why=type(error).__name__)
            jobs.nudge("orders.advance_plan", row_id=plan.pk, delay_s=2)


def _release(plan: Plan, error: errors.GatewayError, at: datetime) -> None:
    """Nothing was sent: the next attempt may send, after a look."""
    plan.close_attempt()
    plan.due_at = at + timedelta(seconds=RESEND_AFTER_S)
    plan.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(plan, "plan.not_sent", actor=None, at=at, why=type(error).__name__)
    if isinstance(error, errors.NotAuthorised):
        title = "FP does not accept our credentials"
        cases.open_case(kind=CREDENTIALS_CASE, subject=plan, title=title, detail=f"{error}. The SIP waits.", at=at)


def settle(*, plan_id: int, at: datetime) -> None:
    """An unknown outcome is looked up by our reference; after 15 minutes it becomes a case.

    Raises the gateway error of a look-up that failed, after the row has been set up for the next one.
    """
    plan = _take_over(plan_id, at)
    if plan is None:
        return
    try:
        found = plan_gateway.find(plan)
    except errors.GatewayError as error:
        _still_unknown(plan, at, why=f"the last look-up failed: {type(error).__name__}")
        raise
    if found:
        plan_news.absorb(plan_id=plan_id, snapshot=found, at=at, source="look-up by our reference")
    else:
        _still_unknown(plan, at, why="FP does not list it")


def _take_over(plan_id: int, at: datetime) -> Plan | None:
    """The row when its outcome is unknown; a lease that ran out makes it so, if a call was begun."""
    with transaction.atomic(durable=True):
        plan = plan_news.locked(plan_id)
        if plan.lease_ran_out(at):
            if journal.was_begun(plan, plan.attempt_no, plan_gateway.PATH):
                plan.mark_unknown(at)
            else:
                plan.close_attempt()
                plan.due_at = at
                jobs.nudge("orders.advance_plan", row_id=plan.pk)
            plan.save(update_fields=[*ATTEMPT_FIELDS])
        return plan if plan.is_unknown else None


def _still_unknown(taken: Plan, at: datetime, *, why: str) -> None:
    with transaction.atomic(durable=True):
        plan = plan_news.locked(taken.pk)
        if not plan.is_unknown or not plan.holds(taken.attempt_no):
            return
        since, failed = plan.unknown_since or at, why.startswith("the last")
        if not failed and at - since >= SURE_AFTER and plan.looks >= SURE_LOOKS:
            # FP refuses a second plan under the same reference, so sending again is safe (its own rule).
            plan.close_attempt()
            plan.due_at = at
            audit.record(plan, "plan.not_taken", actor=None, at=at, why="look-ups found nothing")
            jobs.nudge("orders.advance_plan", row_id=plan.pk)
        else:
            plan.look_again(at)
        plan.save(update_fields=[*ATTEMPT_FIELDS])
        if plan.out_of_patience(at):
            title = f"Nobody knows whether FP has SIP {plan.code}"
            cases.open_case(kind=plan_news.UNKNOWN_CASE, subject=plan, title=title, detail=why, at=at)


def refresh(*, plan_id: int, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """What FP says about the plan and its instalments has been absorbed. Raises the gateway errors of a read."""
    plan = Plan.objects.select_related("investment_account").get(pk=plan_id)
    if actor:
        audit.record(plan, "plan.refresh_asked", actor=actor, at=at, reason=reason)
    if plan.provider_ref:
        instalments.take_in(plan_gateway.instalments(plan), at=at, source="instalments of the SIP")
        plan_news.count_failures(plan_id=plan_id, at=at)
        plan_news.absorb(plan_id=plan_id, snapshot=plan_gateway.fetch(plan), at=at, source="refresh")
    elif plan.is_unknown:
        settle(plan_id=plan_id, at=at)


def advance(*, plan_id: int, at: datetime) -> None:
    """Do what the row says remains to be done."""
    plan = Plan.objects.only("state", "provider_ref", *ATTEMPT_FIELDS).get(pk=plan_id)
    if plan.state == lifecycle.CREATED or (plan.state == lifecycle.SUBMITTING and not plan.attempt):
        submit(plan_id=plan_id, at=at)
    elif plan.state == lifecycle.SUBMITTING:
        settle(plan_id=plan_id, at=at)
    elif plan.provider_ref:
        refresh(plan_id=plan_id, at=at)
