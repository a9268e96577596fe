"""Telling an investor about a SIP: it runs, a debit is near, one has failed, it has ended. Each thing once."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from investors.models import Investor
from orders import calendar, plan_rules, plan_words, words
from orders.models import Instalment, MfOrder, Plan
from orders.queries import plans as queries
from orders.queries import schemes as scheme_queries
from portal import money
from portal.clock import IST
from portal.notices import writing
from portal.notices.catalogue import EMAIL, SMS, Event, register

GROUP = "SIPs"
BEGAN, NOT_BEGUN, ENDED = "plan.began", "plan.not_begun", "plan.ended"
DEBIT_NEAR, DEBIT_FAILED = "plan.debit_near", "plan.debit_failed"
register(
    Event(
        BEGAN,
        GROUP,
        "A SIP is set up",
        "Your SIP is set up: {scheme}",
        "{amount} each time. {schedule}. We write to you before each debit, at least 24 hours ahead.",
        must=(EMAIL,),
    ),
    Event(
        NOT_BEGUN,
        GROUP,
        "A SIP was not started",
        "Your SIP was not started: {scheme}",
        "{text}",
        must=(EMAIL,),
    ),
    # RBI e-mandate framework: the notice of at least 24 hours names the payee, the amount, the date, the mandate, and
    # the way out.
    Event(
        DEBIT_NEAR,
        GROUP,
        "A SIP will be debited soon",
        "{on}: {amount} for your SIP in {scheme}",
        "Your bank account is debited on {on}, or on the bank's next working day. Have the money in the account on the "
        "day before: many banks look at the opening balance. {skip}You can end the SIP at any time; the fund house "
        "takes up to {working_days} working days, so an instalment within them may still be debited.",
        must=(EMAIL,),
    ),
    Event(
        DEBIT_FAILED,
        GROUP,
        "A SIP instalment was not debited",
        "A SIP instalment was not debited: {scheme}",
        "The instalment of {on} was not debited. {why} Keep enough money in the account from the day before "
        "the next date on, and see that the mandate covers it. You can also skip one instalment, or end the SIP; its "
        "mandate is a second thing, which you end by itself.",
        channels=(SMS,),
        must=(EMAIL,),
    ),
    Event(ENDED, GROUP, "A SIP has ended", "Your SIP has ended: {scheme}", "{text}", must=(EMAIL,)),
)


def tell(plan: Plan, event: str, *, at: datetime) -> None:
    """The investor knows of `event`, with the SIP as it stands now."""
    said = plan_words.of(plan)
    _tell(
        plan,
        event,
        at=at,
        schedule=_schedule(plan),
        text=" ".join(part for part in (f"{said.title}.", said.text, plan_words.reason(plan)) if part),
    )


def tell_of_failure(plan: Plan, failed: MfOrder, *, at: datetime) -> None:
    """The investor knows that an instalment failed, why, and what another failure would do: once for each date."""
    on = failed.instalment_on or at.date()
    strikes = plan_rules.strikes_in_words(plan.bounces_in_a_row, queries.most_failures(at.astimezone(IST).date()))
    why = [each for each in (words.reason(failed.failure_code, failed.failure_text), strikes) if each]
    _tell(
        plan,
        DEBIT_FAILED,
        at=at,
        about=on.isoformat(),
        on=calendar.short(on),
        why=" ".join(why),
        strikes=strikes,
    )


def tell_of_debit(instalment: Instalment, *, at: datetime) -> None:
    """The investor knows that a debit is near, and until when they can leave it out."""
    plan, today, book = instalment.plan, at.astimezone(IST).date(), scheme_queries.book()
    skipped = plan_rules.in_a_row(queries.outcomes(plan), plan_rules.SKIPPED)
    most = plan_rules.most_failures(book=book, on=today)
    may_skip = not plan_rules.why_no_skip(
        gateway=plan.gateway, on=instalment.on, skips_in_a_row=skipped, at=at, most_failures=most
    )
    until = calendar.short(plan_rules.skip_until(instalment.on))
    _tell(
        plan,
        DEBIT_NEAR,
        at=at,
        about=instalment.on.isoformat(),
        on=calendar.short(instalment.on),
        skip=f"You can skip this instalment until the end of {until}. " if may_skip else "",
        working_days=book.number_of("sip_end_days", on=today),
    )


def _tell(plan: Plan, event: str, *, at: datetime, about: str = "", **said: object) -> None:
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=plan.investor_id),
        event=event,
        subject=plan,
        url=reverse("orders:sip", args=[plan.code]),
        at=at,
        about=about,
        facts=_facts(plan),
        scheme=plan.scheme.name,
        amount=money.rupees(plan.amount),
        **said,
    )


def _facts(plan: Plan) -> list[tuple[str, str]]:
    return [
        ("Scheme", plan.scheme.name),
        ("Amount", money.rupees(plan.amount)),
        ("When", _schedule(plan)),
        ("Account", str(plan.mandate.bank_account)),
        ("Mandate", plan.mandate.code),
        ("UMRN", plan.mandate.umrn),
        ("SIP", plan.code),
    ]


def _schedule(plan: Plan) -> str:
    return plan_rules.schedule_in_words(
        day=plan.start_day, first_on=plan.first_on, last_on=plan.last_on, instalments=plan.instalments
    )
