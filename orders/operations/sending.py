"""Speaking to FP about an order: submit, settle, refresh. Lists: `syncing`.

    submit    claim, commit, call, record: FP hears of the order under our reference, once
    settle    the outcome of an attempt is unknown: look it up by our reference, never send blindly
    refresh   ask FP what it says now

No transaction is open during a call. What FP says goes through `news.absorb`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from orders import gateway, lifecycle
from orders.gateway import OrderSnapshot
from orders.models import MfOrder
from orders.operations import news, notices, switches
from portal import audit, cases, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.errors import Failure
from portal.gateway import errors, journal
from portal.models import User

CREDENTIALS_CASE = "provider_refuses_our_credentials"
RESEND_AFTER_S = 10


class NotSafeToSubmitAgain(Failure):
    """An operator may not send this order again now."""

    code = "not_safe"
    message = "This order may be at the provider already. It can be sent again only after look-ups found nothing."


def submit(*, order_id: int, at: datetime) -> None:
    """FP has heard of the order under our reference, or the row says what must happen next. Safe to call at any time.

    Raises gates.GateClosed while the kill switch is on, or the account waits to be compared; the order waits.
    """
    order = _claim(order_id=order_id, at=at)
    if order is None:
        return
    try:
        # Before anything is sent a second time, FP is asked whether it has the first.
        found = gateway.find(order) if order.attempt_no > 1 else None
    except errors.GatewayError as error:
        _not_sent(order_id=order_id, fence=order.attempt_no, why=f"look-up failed: {type(error).__name__}", at=at)
        return
    if found:
        news.absorb(order_id=order_id, snapshot=found, at=at, source="look-up before sending again")
        return
    try:
        provider_ref = gateway.send(order)
    except errors.GatewayError as error:
        _record_trouble(order_id=order_id, fence=order.attempt_no, error=error, at=at)
        return
    taken = OrderSnapshot(
        provider_ref,
        order.client_ref,
        _ONCE_TAKEN.get((order.kind, order.gateway)),
        "taken",
        order.amount,
        order.scheme.isin,
    )
    news.absorb(order_id=order_id, snapshot=taken, at=at, source="answer to our order")
    if taken.state is None:
        jobs.nudge("orders.advance", row_id=order_id, delay_s=1)


# Where an order is once FP has taken it: RTA waits for the money of a purchase; BSE works on it by itself and tells us
# later.
_ONCE_TAKEN: dict[tuple[str, str], str] = {
    (MfOrder.Kind.PURCHASE, "RTA"): lifecycle.AWAITING_PAYMENT,
    (MfOrder.Kind.REDEMPTION, "RTA"): lifecycle.PLACED,
    (MfOrder.Kind.REDEMPTION, "BSE"): lifecycle.PLACED,
}


def _claim(*, order_id: int, at: datetime) -> MfOrder | None:
    with transaction.atomic(durable=True):
        order = news.locked(order_id)
        gates.check(accounts=[order.investment_account_id])
        waiting = order.state == lifecycle.SUBMITTING and order.attempt == MfOrder.Outcome.NONE
        if order.state == lifecycle.CREATED:
            news.move_to(order, lifecycle.SUBMITTING, at=at, actor=None)
        elif not waiting or order.provider_ref:
            return None
        order.open_attempt(at)
        order.save(update_fields=[*ATTEMPT_FIELDS])
    return order


def _record_trouble(*, order_id: int, fence: int, error: errors.GatewayError, at: datetime) -> None:
    """What an attempt that brought no order number means for the row."""
    with transaction.atomic(durable=True):
        order = news.locked(order_id)
        if not order.holds(fence) or order.attempt != MfOrder.Outcome.OPEN:
            return
        if isinstance(error, errors.Refused) and not error.complains_about("source_ref_id"):
            order.close_attempt()
            order.save(update_fields=[*ATTEMPT_FIELDS])
            news.reject(order, code=error.code or "refused", text=error.said, at=at)
        elif isinstance(error, errors.NOT_TAKEN):
            _release(order, at=at, why=type(error).__name__)
        elif isinstance(error, errors.NotAuthorised):
            _release(order, at=at, why=type(error).__name__)
            cases.open_case(
                kind=CREDENTIALS_CASE,
                subject=order,
                title="FP does not accept our credentials",
                detail=f"{error}. The order was not taken and waits.",
                at=at,
            )
        else:
            # In doubt, or "source_ref_id is taken": FP may have it. Keep the state, look it up, never send blindly.
            order.mark_unknown(at)
            order.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(order, "order.outcome_unknown", actor=None, at=at, why=type(error).__name__)
            notices.tell(order, "order.outcome_unknown", at=at)
            jobs.nudge("orders.advance", row_id=order.pk, delay_s=2)


def _not_sent(*, order_id: int, fence: int, why: str, at: datetime) -> None:
    """The attempt ended before anything was sent."""
    with transaction.atomic(durable=True):
        order = news.locked(order_id)
        if order.holds(fence) and order.attempt == MfOrder.Outcome.OPEN:
            _release(order, at=at, why=why)


def _release(order: MfOrder, *, at: datetime, why: str) -> None:
    """Nothing was sent: the next attempt may send."""
    order.close_attempt()
    order.due_at = at + timedelta(seconds=RESEND_AFTER_S)
    order.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(order, "order.not_sent", actor=None, at=at, why=why)


def settle(*, order_id: int, at: datetime) -> None:
    """An unknown outcome is looked up by our reference; one that stays unknown for 15 minutes becomes a case.

    Raises the gateway error of a look-up that failed, after the row has been set up for the next one.
    """
    order = _take_over(order_id=order_id, at=at)
    if order is None:
        return
    try:
        found = gateway.find(order)
    except errors.GatewayError as error:
        _still_unknown(order_id=order_id, at=at, why=f"the last look-up failed: {type(error).__name__}")
        raise
    if found:
        news.absorb(order_id=order_id, snapshot=found, at=at, source="look-up by our reference")
    else:
        _still_unknown(order_id=order_id, at=at, why="look-ups by our reference found nothing so far")


def _still_unknown(*, order_id: int, at: datetime, why: str) -> None:
    with transaction.atomic(durable=True):
        order = news.locked(order_id)
        if not order.is_unknown:
            return
        order.look_again(at)
        order.save(update_fields=[*ATTEMPT_FIELDS])
        if order.out_of_patience(at):
            cases.open_case(
                kind=news.UNKNOWN_CASE,
                subject=order,
                title=f"Order {order.code}: nobody knows whether FP has it",
                detail=f"Unknown for 15 minutes; {why}. Compare with FP before sending it again.",
                at=at,
            )


def _take_over(*, order_id: int, at: datetime) -> MfOrder | None:
    """The row of an unknown attempt. Where the worker died, the journal tells: without a row no byte has left."""
    with transaction.atomic(durable=True):
        order = news.locked(order_id)
        if order.lease_ran_out(at):
            if not journal.was_begun(order, order.attempt_no, gateway.PATHS[order.kind]):
                _release(order, at=at, why="the worker stopped before sending")
                jobs.nudge("orders.advance", row_id=order.pk)
                return None
            order.mark_unknown(at)
            order.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(order, "order.outcome_unknown", actor=None, at=at, why="the worker stopped")
            notices.tell(order, "order.outcome_unknown", at=at)
        return order if order.is_unknown else None


def may_submit_again(order: MfOrder) -> bool:
    """Is it safe for an operator to send this order again? Only an unknown one that several look-ups did not find."""
    return order.state == lifecycle.SUBMITTING and order.is_unknown and order.looks >= 5 and not order.provider_ref


def submit_again(*, order_id: int, actor: User, reason: str, at: datetime) -> None:
    """An operator lets an unknown order be sent again, under the same reference: FP refuses it if it has the first.

    A last look-up runs before the send (see `submit`). Raises NotSafeToSubmitAgain.
    """
    with transaction.atomic():
        order = news.locked(order_id)
        if not may_submit_again(order):
            raise NotSafeToSubmitAgain
        order.close_attempt()
        order.due_at = at
        order.save(update_fields=[*ATTEMPT_FIELDS])
        audit.record(order, "order.submit_again", actor=actor, at=at, reason=reason)
        jobs.nudge("orders.advance", row_id=order.pk)


def refresh(*, order_id: int, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """What FP says about the order now has been absorbed. Raises the gateway errors of a read."""
    order = MfOrder.objects.select_related("investment_account").get(pk=order_id)
    if actor:
        audit.record(order, "order.refresh_asked", actor=actor, at=at, reason=reason)
    if order.kind == switches.KIND:
        switches.read(account=order.investment_account, at=at)
    elif order.provider_ref:
        news.absorb(order_id=order_id, snapshot=gateway.fetch(order), at=at, source="refresh")
    elif order.is_unknown:
        settle(order_id=order_id, at=at)


def advance(*, order_id: int, at: datetime) -> None:
    """Do what the row says remains to be done."""
    order = MfOrder.objects.only("state", "provider_ref", *ATTEMPT_FIELDS).get(pk=order_id)
    if order.state == lifecycle.SUBMITTING and order.provider_ref:
        # BSE has taken it and works on it by itself.
        refresh(order_id=order_id, at=at)
    elif order.state == lifecycle.CREATED or (order.state == lifecycle.SUBMITTING and not order.attempt):
        submit(order_id=order_id, at=at)
    elif order.state == lifecycle.SUBMITTING:
        settle(order_id=order_id, at=at)
    elif order.state in lifecycle.OPEN:
        refresh(order_id=order_id, at=at)
    else:
        MfOrder.objects.filter(pk=order_id).exclude(state__in=lifecycle.OPEN).update(due_at=None)
