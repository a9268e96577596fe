"""What an investor asks about a running SIP: skip the next date, debit another mandate, end it. Wishes, kept as rows.

Ending and skipping stop money and need no code; another mandate lets another account be debited, so it needs one, for
one SIP or for several at once. What happens to a wish afterwards: `plan_change_sending`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction

from investors.models import Consent, Investor, Mandate
from investors.operations import consents
from orders import lifecycle, plan_rules
from orders.models import Plan, PlanChange
from orders.operations import plan_news
from orders.operations.purchases import ConsentMissing
from orders.queries import plans as queries
from portal import audit, clock, jobs, money
from portal.errors import Failure, InvalidInput

RELINK = "relink"
SKIP, MANDATE, CANCEL = PlanChange.Kind.SKIP, PlanChange.Kind.MANDATE, PlanChange.Kind.CANCEL


class NotPossible(Failure):
    """The SIP does not take this change, or is being changed already."""

    code = "sip_not_possible"
    message = "This is not possible for the SIP at the moment. Nothing was changed."


def open_changes(plan: Plan) -> dict[str, PlanChange]:
    """What is asked for and not done yet, by kind."""
    return {change.kind: change for change in plan.changes.filter(state__in=queries.OPEN_CHANGES)}


# --- Skipping -----------------------------------------------------------------------------------------------------


def to_skip(plan: Plan, at: datetime) -> tuple[date | None, str]:
    """The date that would be skipped, and why it cannot be; the text is empty when it can."""
    if plan.state != lifecycle.ACTIVE or CANCEL in (changes := open_changes(plan)):
        return None, "This SIP is not running."
    if SKIP in changes:
        return changes[SKIP].on, "An instalment is being skipped already."
    left_out = queries.skipped_dates([plan])[plan.pk]
    today = at.astimezone(clock.IST).date()
    on = queries.next_date(plan, today, left_out)
    row = plan_rules.in_a_row(queries.outcomes(plan), plan_rules.SKIPPED)
    most = queries.most_failures(today)
    return on, plan_rules.why_no_skip(gateway=plan.gateway, on=on, skips_in_a_row=row, at=at, most_failures=most)


def skip(*, plan: Plan, on: date, at: datetime, actor: str) -> PlanChange:
    """FP is being asked to leave out the next instalment, which is that of `on`. A second click finds the first.

    Raises NotPossible in words for the investor.
    """
    with transaction.atomic():
        plan = plan_news.locked(plan.pk)
        if made := plan.changes.filter(kind=SKIP, on=on).exclude(state=lifecycle.FAILED).first():
            return made
        next_on, why_not = to_skip(plan, at)
        if why_not or next_on != on:
            raise NotPossible(why_not or "The next instalment is another one by now. Nothing was changed.")
        return _create(plan, SKIP, at, actor, on=on)


# --- Ending -------------------------------------------------------------------------------------------------------


def may_cancel(plan: Plan) -> bool:
    """It runs or is about to, and nobody has asked for its end."""
    return plan.state in queries.OPEN and CANCEL not in open_changes(plan)


def cancel(*, plan: Plan, at: datetime, actor: str) -> PlanChange | None:
    """FP is being asked to end the plan; one that was never sent is over at once. A second click finds the first.

    Raises NotPossible for a plan that has ended.
    """
    with transaction.atomic():
        plan = plan_news.locked(plan.pk)
        if made := open_changes(plan).get(CANCEL):
            return made
        if plan.state not in queries.OPEN:
            raise NotPossible("This SIP has ended already.")
        change = _create(plan, CANCEL, at, actor)
        if not plan.attempt_no:
            plan_news.move_to(plan, lifecycle.CANCELLED, at=at, actor=actor)
        return change


# --- Another mandate ----------------------------------------------------------------------------------------------


def why_no_other_mandate(plan: Plan) -> str:
    """Why this plan cannot be debited by another mandate; empty when it can."""
    if plan.state != lifecycle.ACTIVE or CANCEL in (changes := open_changes(plan)):
        return "This SIP is not running."
    if MANDATE in changes:
        return "Its mandate is being changed already."
    return plan_rules.why_no_other_mandate(plan.gateway)


def check_mandate(plans: Sequence[Plan], mandate: Mandate | None, investor: Investor) -> Mandate:
    """The mandate, if every plan can be debited by it. Raises InvalidInput, NotPossible."""
    if mandate is None or not queries.usable_mandates(investor).filter(pk=mandate.pk).exists():
        raise InvalidInput("mandate", "Choose one of your own mandates.")
    for plan in plans:
        if why_not := why_no_other_mandate(plan):
            raise NotPossible(f"{plan.scheme.name}: {why_not}")
        if plan.amount > mandate.limit:
            raise InvalidInput(
                "mandate",
                f"This mandate allows {money.rupees(mandate.limit)} a debit, the SIP in {plan.scheme.name} is "
                f"{money.rupees(plan.amount)}.",
            )
    return mandate


def ask_to_relink(
    *, plans: Sequence[Plan], mandate: Mandate | None, investor: Investor, form_ref: str, ip: str | None, at: datetime
) -> Consent:
    """A consent to debit these SIPs by that mandate stands open, its code on the way.

    SIPs that are debited by it already are left out. Raises what `check_mandate` and `consents.ask` raise.
    """
    moving = [plan for plan in plans if mandate is None or plan.mandate_id != mandate.pk]
    if not moving:
        raise InvalidInput("plans", "Choose at least one SIP that is debited by another mandate.")
    mandate = check_mandate(moving, mandate, investor)
    shown = {
        **{f"SIP {plan.code}": f"{money.rupees(plan.amount)} a month in {plan.scheme.name}" for plan in moving},
        "By mandate": f"{mandate.code} on {mandate.bank_account}, {money.rupees(mandate.limit)} a debit",
        "act": RELINK,
        "mandate": mandate.code,
        "plans": ",".join(sorted(plan.code for plan in moving)),
    }
    return consents.ask(
        investor=investor, purpose=Consent.Purpose.SIP, form_ref=form_ref, shown=shown,
        amount=sum((plan.amount for plan in moving), money.ZERO), isin="", folio_number="", ip=ip, at=at,
    )  # fmt: skip


def confirm_relink(
    *, investor: Investor, code: str, otp: object, ip: str | None, at: datetime, actor: str
) -> list[PlanChange]:
    """The code has made the consent a change of each SIP: now, or by an earlier click.

    Raises consents.WrongCode, CodeExpired, TooManyTries, InvalidInput, NotPossible, ConsentMissing.
    """
    with transaction.atomic():
        consent = consents.lock(investor=investor, code=code, purpose=Consent.Purpose.SIP)
        if consent.shown.get("act") != RELINK:
            raise Consent.DoesNotExist
        if made := list(PlanChange.objects.filter(consent=consent)):
            return made
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            return _relink(consent, investor, at, actor)
    raise failure


def _relink(consent: Consent, investor: Investor, at: datetime, actor: str) -> list[PlanChange]:
    if consent.given_at is None:
        raise ConsentMissing
    codes = consent.shown["plans"].split(",")
    mine = Plan.objects.filter(investor=investor, code__in=codes).order_by("pk").values_list("pk", flat=True)
    plans = [plan_news.locked(pk) for pk in mine]
    wanted = Mandate.objects.filter(investor=investor, code=consent.shown["mandate"]).first()
    mandate = check_mandate(plans, wanted, investor)
    return [_create(plan, MANDATE, at, actor, mandate=mandate, consent=consent) for plan in plans]


def _create(plan: Plan, kind: str, at: datetime, actor: str, **what: object) -> PlanChange:
    """The row, its entry in the plan's story, and a nudge. The caller holds the lock on the plan."""
    try:
        change = PlanChange.objects.create(
            investor_id=plan.investor_id, plan=plan, kind=kind, state_since=at, asked_at=at, due_at=at, **what
        )
    except IntegrityError as error:
        raise NotPossible from error
    on = what.get("on")
    mandate = what.get("mandate")
    act = {"SKIP": "skip", "MANDATE": "other_mandate", "CANCEL": "cancel"}[kind]
    audit.record(
        plan, f"plan.{act}_asked", actor=actor, at=at, change=change.code, on=str(on or ""),
        mandate=mandate.code if isinstance(mandate, Mandate) else "",
    )  # fmt: skip
    jobs.nudge("orders.advance_plan_change", row_id=change.pk)
    return change
