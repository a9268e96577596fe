"""What every act on a payment needs: its row locked, its moves with their audit entries, its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders import calendar
from orders.models import MfOrder
from orders.operations import news as order_news
from payments import lifecycle
from payments.gateway import PaymentSnapshot
from payments.models import Payment
from portal import audit, cases, jobs
from portal.clock import IST

# What FP says of a payment cannot be.
CONFLICT_CASE = "payment_news_conflict"
# A payment that ended after the bank had confirmed the debit.
REVERSED_CASE = "payment_failed_after_debit"
# Seconds until somebody looks at a payment again, by state. Those that have ended are watched for a late success
# (`late.watch`), which sets a longer pace as they grow older.
PACE_S = {
    lifecycle.CREATED: 30.0,
    lifecycle.STARTING: 45.0,
    lifecycle.AWAITING_INVESTOR: 60.0,
    lifecycle.AWAITING_BANK: 300.0,
    lifecycle.DEBITED: 60.0,
    lifecycle.TRANSFERRED: 120.0,
    lifecycle.FAILED: 60.0,
    lifecycle.EXPIRED: 60.0,
}


def locked(payment_id: int) -> Payment:
    """The row, locked and fresh."""
    return Payment.objects.select_for_update().get(pk=payment_id)


def locked_orders(payment: Payment) -> list[MfOrder]:
    """The orders of the locked payment, locked: another payment for one of them is taken in before or after."""
    mine = MfOrder.objects.filter(payment_lines__payment=payment)
    return list(mine.select_for_update(of=("self",)).order_by("pk"))


def newest(order_id: int) -> Payment | None:
    """The latest payment of an order."""
    return Payment.objects.filter(lines__order_id=order_id).order_by("-id").first()


def order_refs(payment: Payment) -> list[str]:
    """FP's numbers of the orders that the payment is for."""
    return [ref for ref in payment.lines.values_list("order__provider_ref", flat=True) if ref]


def accounts(payment: Payment) -> list[int]:
    """The investment accounts whose orders the payment is for."""
    return list(payment.lines.values_list("order__investment_account_id", flat=True).distinct())


def move_to(payment: Payment, state: str, *, at: datetime, **data: object) -> None:
    """The locked payment is in `state`, with an audit entry that names skipped steps, and the next look is set."""
    was = payment.state
    way = lifecycle.PAYMENT.path(was, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    payment.state, payment.state_since = state, at
    pace = PACE_S.get(state)
    payment.due_at = at + timedelta(seconds=pace) if pace and payment.provider_ref else None
    if state in lifecycle.UNSENT:
        payment.due_at = at + timedelta(seconds=PACE_S[state])
    payment.save(update_fields=["state", "state_since", "due_at"])
    audit.record(payment, f"payment.{state.lower()}", actor=None, at=at, was=was, skipped=list(way[:-1]), data=data)


def fail(payment: Payment, state: str, *, code: str, text: str, at: datetime) -> None:
    """Nothing is being collected by this payment any more; its orders may be paid by another one."""
    payment.failure_code, payment.failure_text = code[:60], text[:500]
    payment.token_url = payment.page_html = ""
    payment.save(update_fields=["failure_code", "failure_text", "token_url", "page_html"])
    move_to(payment, state, at=at, code=code)
    payment.lines.update(is_live=False)
    was_out = "yes" if payment.was_out else ""
    tell_orders(payment, state.lower(), at=at, code=code[:60], text=text[:200], method=payment.method, was_out=was_out)


def tell_orders(payment: Payment, event: str, *, at: datetime, **data: str) -> None:
    """A step of the payment stands in the timeline of each of its orders, and each is looked at again."""
    for line in payment.lines.order_by("order_id"):
        order_news.note_payment(order_id=line.order_id, event=event, at=at, payment=payment.code, **data)
        jobs.nudge("orders.advance", row_id=line.order_id, delay_s=1)


def their_times(payment: Payment) -> dict[str, str]:
    """When the bank and FP say that it happened, for the timeline of the orders."""
    times = {name: getattr(payment, name) for name in ("debited_at", "transferred_at", "settled_at")}
    return {name: moment.isoformat() for name, moment in times.items() if moment}


def open_case(payment: Payment, kind: str, what: str, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    """Somebody must look at this payment."""
    cases.open_case(
        kind=kind,
        subject=payment,
        title=f"Payment {payment.code}: {what}"[:200],
        detail=f"FP said {on_record(at)}: payment {snapshot.provider_ref}, status {snapshot.their_word}.",
        at=at,
    )


def on_record(at: datetime) -> str:
    """`at 14:05 on 26 Nov 2026`: cases are read later than their words were true."""
    then = at.astimezone(IST)
    return f"at {then:%H:%M} on {calendar.short(then.date())}"
