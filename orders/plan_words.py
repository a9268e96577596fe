"""What investors read about a SIP and each of its instalments: what happened, whether money moved, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from orders import calendar, lifecycle, plan_rules, words
from orders.models import MfOrder, Plan, PlanChange
from orders.queries.plans import Due
from orders.words import Words
from portal import money

CHECKING = Words(
    "checking",
    "We are checking",
    "We are checking, do not start it again",
    "Your SIP was sent, but the answer did not reach us. We ask until we know. Nothing is debited before then.",
)
ENDING = Words(
    "checking",
    "Being ended",
    "The fund house is told to end this SIP",
    "We show it as ended once the fund house has confirmed it.",
)
STATES: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "waiting", "Received", "Your SIP is on record", "It is about to be sent. No money has moved."
    ),
    lifecycle.SUBMITTING: Words(
        "waiting", "Being sent", "Your SIP is being sent", "This takes a few seconds. No money has moved."
    ),
    lifecycle.ACTIVE: Words(
        "done", "Running", "Your SIP is running", "We write to you before each debit, at least 24 hours ahead."
    ),
    lifecycle.COMPLETED: Words("neutral", "Completed", "All instalments have been made", "Nothing more is debited."),
    lifecycle.CANCELLED: Words(
        "neutral", "Ended", "This SIP has ended", "Nothing more is debited. The units that you hold stay yours."
    ),
    lifecycle.FAILED: Words("failed", "Not accepted", "The SIP was not accepted", "Nothing was or will be debited."),
}
STRUCK_OUT = Words(
    "failed",
    "Ended",
    "The fund house has ended this SIP",
    "Three instalments in a row could not be debited. The units that you hold stay yours; you can start a new SIP.",
)
TOO_LATE = Words(
    "failed",
    "Not started",
    "The SIP was not started",
    "It could not be sent before the first date that you confirmed. Nothing was debited. Please start it again.",
)


def of(plan: Plan, *, is_ending: bool = False) -> Words:
    """The words for a SIP as it stands."""
    if plan.is_unknown:
        return CHECKING
    if is_ending and plan.state not in lifecycle.PLAN.final:
        return ENDING
    if plan.state == lifecycle.CANCELLED and plan.failure_code.startswith("consecutive_failed"):
        return STRUCK_OUT
    if plan.state == lifecycle.FAILED and plan.failure_code == "first_date_passed":
        return TOO_LATE
    return STATES[plan.state]


def reason(plan: Plan) -> str:
    """Why it was not accepted, in our words; empty when we have none."""
    return words.reason(plan.failure_code, plan.failure_text) if plan.state == lifecycle.FAILED else ""


# What the level of a risk is called.
HEALTH: dict[str, tuple[str, str]] = {
    plan_rules.OK: ("done", "Looks good"),
    plan_rules.NOTE: ("done", "Looks good"),
    plan_rules.RISK: ("needs", "At risk"),
    plan_rules.FAILS: ("failed", "Will fail"),
}


# --- Instalments --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One instalment: what it is, where it stands (the words of a timeline), its dates, and why."""

    title: str
    status: str
    text: str
    dates: str
    order_code: str = ""


class _Stand(NamedTuple):
    status: str
    text: str


_BY_ORDER: dict[str, _Stand] = {
    lifecycle.AWAITING_PAYMENT: _Stand("current", "Your bank is asked for the money."),
    lifecycle.PAID: _Stand("current", "Debited. The money is on its way to the fund house."),
    lifecycle.PLACED: _Stand("current", "The fund house has the order; units follow."),
    lifecycle.REJECTED: _Stand("failed", "It failed; no units were bought."),
    lifecycle.EXPIRED: _Stand("failed", "It was not debited in time; no units were bought."),
    lifecycle.CANCELLED: _Stand("todo", "Skipped, as you asked. Nothing was debited."),
    lifecycle.REVERSED: _Stand("failed", "The fund house took it back; the money returns to your account."),
}
# What an entry of an order's story is called among the dates of an instalment.
HAPPENED = {
    "order.instalment": "requested",
    "order.paid": "debited",
    "order.placed": "with the fund house",
    "order.allotted": "units allotted",
    "order.rejected": "failed",
    "order.reversed": "reversed",
}


def line(due: Due, plan: Plan, happened: Mapping[str, datetime], today: date) -> Line:
    """An instalment for its owner. `happened` is when each step of its order was, by `HAPPENED`."""
    stand = _of_order(due.order) if due.order else _without_order(due, plan, today)
    told = {"we wrote to you": due.told_at} if due.told_at else {}
    steps = sorted((at, name) for name, at in {**told, **happened}.items())
    dates = " · ".join(f"{name} {at.astimezone(plan_rules.IST):%-d %b}" for at, name in steps)
    number = f"instalment {due.number} of {plan.instalments:,}"
    return Line(
        f"{calendar.short(due.on)}, {number}", stand.status, stand.text, dates, due.order.code if due.order else ""
    )


def _of_order(order: MfOrder) -> _Stand:
    if order.state == lifecycle.ALLOTTED and order.allotted_units and order.allotted_nav and order.allotted_on:
        nav = f"₹{money.number(order.allotted_nav, 4)} of {calendar.short(order.allotted_on)}"
        return _Stand("done", f"{money.number(order.allotted_units, 3)} units at a NAV of {nav}.")
    stand = _BY_ORDER.get(order.state, _Stand("current", "It is on its way."))
    why = words.reason(order.failure_code, order.failure_text)
    return _Stand(stand.status, f"{stand.text} {why}".strip())


def _without_order(due: Due, plan: Plan, today: date) -> _Stand:
    if due.skip:
        done = due.skip.state == lifecycle.DONE
        return _Stand(
            "todo", "Skipped, as you asked." if done else "You asked to skip it; the fund house is being told."
        )
    if plan.state in lifecycle.PLAN.final:
        return _Stand("todo", "Not asked for: the SIP had ended.")
    if due.on > today:
        return _Stand("todo", "Expected.")
    if due.on == today:
        return _Stand("current", "Today your bank is asked for it.")
    return _Stand("checking", "We are asking the fund house what became of it. Do not pay for it in another way.")


# --- What was asked for -------------------------------------------------------------------------------------------

_ASKED = {
    PlanChange.Kind.SKIP: "You asked to skip the instalment of {on}.",
    PlanChange.Kind.MANDATE: "You asked to be debited by mandate {mandate}.",
    PlanChange.Kind.CANCEL: "You asked to end this SIP.",
}
_STANDS = {
    lifecycle.CREATED: "The fund house is being told.",
    lifecycle.SUBMITTING: "The fund house is being told.",
    lifecycle.DONE: "Done.",
    lifecycle.FAILED: "Not done.",
}


def of_change(change: PlanChange) -> Words:
    """A wish about a SIP and what became of it."""
    asked = _ASKED[PlanChange.Kind(change.kind)].format(
        on=calendar.short(change.on) if change.on else "", mandate=change.mandate.code if change.mandate else ""
    )
    kind = {lifecycle.DONE: "done", lifecycle.FAILED: "failed"}.get(change.state, "checking")
    return Words(kind, "", asked, f"{_STANDS[change.state]} {change.why_not}".strip())
