"""Speaking to FP about a change of a SIP.

Ending and another mandate may be asked for twice, so they are asked until FP says that it is so; whoever slept until
the change was over asks no more. A skip may not: two skips leave out two dates, and FP takes no reference for one. So
before a skip is sent, FP's instalments are read: a cancelled one of that date is the skip, done; another one of it
means that it is too late; only when there is none, and the date before it has passed, is the next one the one that is
meant.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from orders import calendar, lifecycle, plan_gateway, plan_rules
from orders.models import PlanChange
from orders.operations import instalments, plan_news, plan_sending
from orders.operations.plan_sending import SURE_AFTER, SURE_LOOKS
from orders.queries import schemes as scheme_queries
from portal import audit, cases, clock, gates, jobs
from portal.attempts import ATTEMPT_FIELDS, PATIENCE
from portal.gateway import errors, journal
from portal.gateway.journal import Fenced, fenced

# Seconds until somebody looks at a change again.
PACE_S = {lifecycle.CREATED: 30.0, lifecycle.SUBMITTING: 45.0}
AGAIN_S = 60


def advance(*, change_id: int, at: datetime) -> None:
    """Do what the row says remains to be done. Raises gates.GateClosed for a change that lets money move."""
    change = PlanChange.objects.select_related("plan").get(pk=change_id)
    if change.state in lifecycle.PLAN_CHANGE.final:
        return
    if change.plan.provider_ref is None:
        # The plan's own sending says whether FP has it; one that was called off while it waited is not sent.
        plan_sending.advance(plan_id=change.plan_id, at=at)
        return
    _BY_KIND[change.kind](change_id, at)


# --- Ending, and another mandate: asked until it is so --------------------------------------------------------------


def _cancel(change_id: int, at: datetime) -> None:
    change = _sending(change_id, at)
    if change is None:
        return
    plan = change.plan
    _ask(change, at, lambda: plan_gateway.end(plan, _fenced(change)))
    # Ends the change with the plan, if FP says so.
    plan_sending.refresh(plan_id=plan.pk, at=at)
    _follow_the_end(change_id, at)


def _follow_the_end(change_id: int, at: datetime) -> None:
    change = PlanChange.objects.select_related("plan").get(pk=change_id)
    by = plan_rules.ended_by(asked_at=change.asked_at, holidays=scheme_queries.holidays(), book=scheme_queries.book())
    if change.state not in lifecycle.PLAN_CHANGE.final and at.astimezone(clock.IST).date() > by:
        title = f"SIP {change.plan.code} has not ended by {calendar.short(by)}, the last day that SEBI allows"
        detail = "SEBI's limit has passed. We go on asking; ask the provider by other means too."
        cases.open_case(kind=plan_news.NOT_ENDED_CASE, subject=change.plan, title=title, detail=detail, at=at)


def _debit_by(change_id: int, at: datetime) -> None:
    gates.check(accounts=[PlanChange.objects.select_related("plan").get(pk=change_id).plan.investment_account_id])
    change = _sending(change_id, at)
    if change is None or change.mandate is None:
        return
    plan, ref = change.plan, change.mandate.provider_ref or ""
    refused = _ask(change, at, lambda: plan_gateway.debit_by(plan, ref, _fenced(change)))
    try:
        debited_by = plan_gateway.fetch(plan).mandate_ref
    except errors.GatewayError:
        _follow_the_mandate(change_id, at)
        raise
    if debited_by == ref:
        _relinked(change_id, at)
    elif refused:
        _close(change_id, lifecycle.FAILED, at, why=refused)
    else:
        _follow_the_mandate(change_id, at)


def _follow_the_mandate(change_id: int, at: datetime) -> None:
    """FP neither refuses the other mandate nor says that it debits it: a person must know in time."""
    change = PlanChange.objects.select_related("plan").get(pk=change_id)
    if at - change.asked_at >= PATIENCE:
        title = f"SIP {change.plan.code}: nobody knows by which mandate it is debited"
        detail = "The change was asked for more than 15 minutes ago. We go on asking; compare with FP."
        cases.open_case(kind=plan_news.MANDATE_CASE, subject=change.plan, title=title, detail=detail, at=at)


def _relinked(change_id: int, at: datetime) -> None:
    with transaction.atomic(durable=True):
        change = PlanChange.objects.get(pk=change_id)
        plan = plan_news.locked(change.plan_id)
        change = _locked(change_id)
        if change.state in lifecycle.PLAN_CHANGE.final or change.mandate is None:
            return
        plan.mandate = change.mandate
        plan.save(update_fields=["mandate"])
        plan_news.close_change(change, lifecycle.DONE, at=at)


def _sending(change_id: int, at: datetime) -> PlanChange | None:
    """The change as it is being sent, to be looked at again in a while; None when it is over."""
    with transaction.atomic(durable=True):
        change = _locked(change_id)
        if change.state in lifecycle.PLAN_CHANGE.final:
            return None
        change.state = lifecycle.SUBMITTING
        # Whoever asks takes over: twice is once. What must not come is the wish of one who slept until another mandate
        # was asked for and taken.
        change.open_attempt(at)
        change.due_at = at + timedelta(seconds=AGAIN_S)
        change.save(update_fields=["state", *ATTEMPT_FIELDS])
    return change


def _ask(change: PlanChange, at: datetime, call: Callable[[], None]) -> str:
    """One try. Returns FP's words when it refuses; what became of it otherwise shows what FP says afterwards."""
    try:
        call()
    except errors.Refused as error:
        return error.said or "refused"
    except errors.GatewayError as error:
        audit.record(change.plan, "plan.change_unclear", actor=None, at=at, why=type(error).__name__)
    finally:
        _give_back(change)
    return ""


def _give_back(asked: PlanChange) -> None:
    """The call is over; whoever asks next has an attempt of their own."""
    with transaction.atomic(durable=True):
        change = _locked(asked.pk)
        if change.holds(asked.attempt_no):
            change.close_attempt()
            change.save(update_fields=[*ATTEMPT_FIELDS])


# --- Skipping: looked before it is sent, sent once ------------------------------------------------------------------


def _skip(change_id: int, at: datetime) -> None:
    change = _claim_skip(change_id, at)
    if change is None:
        return
    try:
        verdict = _look(change, at)
    except errors.GatewayError:
        _release(change, at)
        raise
    if verdict is not None:
        state, why = verdict
        _close(change_id, state, at, why=why)
        return
    if change.is_unknown:
        _still_unknown(change, at)
        return
    _send_skip(change, at)


def _claim_skip(change_id: int, at: datetime) -> PlanChange | None:
    """The change with an attempt of its own, or with an unknown outcome to be looked up."""
    with transaction.atomic(durable=True):
        change = _locked(change_id)
        if change.lease_ran_out(at):
            _take_over(change, at)
        if change.state in lifecycle.PLAN_CHANGE.final or change.attempt == PlanChange.Outcome.OPEN:
            return None
        if not change.is_unknown:
            change.state = lifecycle.SUBMITTING
            change.open_attempt(at)
            change.save(update_fields=["state", *ATTEMPT_FIELDS])
    return change


def _take_over(change: PlanChange, at: datetime) -> None:
    """Its worker died. Only a call that was begun may have done something."""
    if journal.was_begun(change, change.attempt_no, plan_gateway.PATH):
        change.mark_unknown(at)
    else:
        change.close_attempt()
    change.save(update_fields=[*ATTEMPT_FIELDS])


def _look(change: PlanChange, at: datetime) -> tuple[str, str] | None:
    """What FP's instalments say about the date: done, too late, or (None) nothing yet."""
    theirs = plan_gateway.instalments(change.plan)
    instalments.take_in(theirs, at=at, source="instalments of the SIP")
    found = [each for each in theirs if each.invested_on == change.on]
    if any(each.state == lifecycle.CANCELLED for each in found):
        return lifecycle.DONE, ""
    if found:
        return lifecycle.FAILED, "The bank had been asked for this instalment already."
    if change.is_unknown:
        return None
    if change.on is None or not plan_rules.may_be_told_in_time(change.on, at):
        return lifecycle.FAILED, "The instalment had come too near before the fund house could be told."
    newest = max((each.invested_on for each in theirs if each.invested_on), default=None)
    next_on = plan_rules.after(newest, change.plan.start_day) if newest else change.plan.first_on
    if next_on != change.on:
        return lifecycle.FAILED, "Another instalment comes before it."
    return None


def _send_skip(change: PlanChange, at: datetime) -> None:
    try:
        order = plan_gateway.skip_next(change.plan, _fenced(change))
    except errors.Refused as error:
        _close(change.pk, lifecycle.FAILED, at, why=error.said or "The fund house refused it.")
        return
    except (*errors.NOT_TAKEN, errors.NotAuthorised):
        _release(change, at)
        return
    except errors.GatewayError:
        with transaction.atomic(durable=True):
            row = _locked(change.pk)
            if row.holds(change.attempt_no) and row.attempt == PlanChange.Outcome.OPEN:
                row.mark_unknown(at)
                row.save(update_fields=[*ATTEMPT_FIELDS])
                audit.record(row.plan, "plan.skip_unclear", actor=None, at=at, change=row.code)
                jobs.nudge("orders.advance_plan_change", row_id=row.pk, delay_s=2)
        return
    if order.invested_on not in (None, change.on):
        with transaction.atomic():
            plan_news.conflict(change.plan, f"FP skipped {order.invested_on} instead of {change.on}", at=at)
    instalments.take_in([order], at=at, source="answer to a skip")
    done = order.invested_on in (None, change.on)
    _close(change.pk, lifecycle.DONE if done else lifecycle.FAILED, at, why="" if done else "Another date was skipped.")


def _still_unknown(taken: PlanChange, at: datetime) -> None:
    """FP shows no skip yet. After several looks over five minutes it is believed that there is none."""
    with transaction.atomic(durable=True):
        change = _locked(taken.pk)
        if not change.is_unknown or not change.holds(taken.attempt_no):
            return
        if at - (change.unknown_since or at) >= SURE_AFTER and change.looks >= SURE_LOOKS:
            change.close_attempt()
            change.due_at = at
            jobs.nudge("orders.advance_plan_change", row_id=change.pk)
        else:
            change.look_again(at)
        change.save(update_fields=[*ATTEMPT_FIELDS])


def _release(taken: PlanChange, at: datetime) -> None:
    """Nothing was sent: the next attempt may send, after a look."""
    with transaction.atomic(durable=True):
        change = _locked(taken.pk)
        if not change.holds(taken.attempt_no) or change.is_unknown:
            if change.is_unknown:
                change.look_again(at)
                change.save(update_fields=[*ATTEMPT_FIELDS])
            return
        change.close_attempt()
        change.due_at = at + timedelta(seconds=AGAIN_S)
        change.save(update_fields=[*ATTEMPT_FIELDS])


def _close(change_id: int, state: str, at: datetime, *, why: str = "") -> None:
    with transaction.atomic(durable=True):
        change = _locked(change_id)
        if change.state not in lifecycle.PLAN_CHANGE.final:
            plan_news.close_change(change, state, at=at, why=why)


def _fenced(change: PlanChange) -> Fenced:
    return fenced(change, our_ref=change.code, attempt_no=change.attempt_no)


def _locked(change_id: int) -> PlanChange:
    rows = PlanChange.objects.select_for_update(of=("self",))
    with_all = ("plan__scheme", "plan__investment_account", "plan__mandate", "mandate")
    return rows.select_related(*with_all).get(pk=change_id)


_BY_KIND: dict[str, Callable[[int, datetime], None]] = {
    PlanChange.Kind.CANCEL: _cancel,
    PlanChange.Kind.MANDATE: _debit_by,
    PlanChange.Kind.SKIP: _skip,
}
