"""Reads about SIPs: an investor's plans, one with its instalments, what may go wrong, mandates and their headroom.

The owner filter of the SIP pages stands here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from investors import lifecycle as people_lifecycle
from investors import merged_banks
from investors import queries as people
from investors.models import Investor, KycCheck, Mandate
from orders import lifecycle, plan_rules
from orders.models import Instalment, MfOrder, Plan, PlanChange
from orders.plan_rules import Authority, Debit, Risk
from orders.queries import schemes as scheme_queries
from portal import counted, money

OPEN = (lifecycle.CREATED, lifecycle.SUBMITTING, lifecycle.ACTIVE)
# Dates of a plan that its page shows; older ones stand among the orders.
SHOWN = 36
# A debit this near that may fail is told on the first page.
NEAR = timedelta(days=7)
OPEN_CHANGES = (lifecycle.CREATED, lifecycle.SUBMITTING)
# What became of an instalment's order, for the count of failures in a row; other states are on their way.
OUTCOMES = {
    lifecycle.ALLOTTED: plan_rules.SUCCEEDED,
    lifecycle.REVERSED: plan_rules.SUCCEEDED,
    lifecycle.REJECTED: plan_rules.FAILED,
    lifecycle.EXPIRED: plan_rules.FAILED,
    lifecycle.CANCELLED: plan_rules.SKIPPED,
}


def usable_mandates(investor: Investor) -> QuerySet[Mandate]:
    """Mandates from which a SIP can be debited, or will be once the bank has approved them; approved ones first.

    FP takes a SIP on a mandate that is not approved yet; on the day, an instalment then fails (providers.md 3.9).
    """
    mandates = Mandate.objects.filter(
        investor=investor, provider_ref__isnull=False, cancel_asked_at=None, bank_account__closed_at=None
    ).exclude(state__in=people_lifecycle.MANDATE.final - {people_lifecycle.APPROVED})
    approved_first = sorted(people_lifecycle.MANDATE.states, key=lambda state: state != people_lifecycle.APPROVED)
    return mandates.filter(state__in=approved_first).select_related("bank_account").order_by("state", "-id")


def look_alike(investor: Investor, isin: str, amount: Decimal, day: int) -> Plan | None:
    """A SIP of the same scheme, amount and day that is not over."""
    mine = Plan.objects.filter(investor=investor, state__in=OPEN, scheme__isin=isin)
    return mine.filter(amount=amount, start_day=day).first()


def outcomes(plan: Plan) -> list[str]:
    """What became of the instalments that have ended, oldest first."""
    states = MfOrder.objects.filter(plan=plan).order_by("instalment_on").values_list("state", flat=True)
    return [OUTCOMES[state] for state in states if state in OUTCOMES]


def last_failed(plan: Plan) -> MfOrder:
    """The order of the newest date of a plan whose instalment has failed. Raises IndexError while none has."""
    failed = [state for state, outcome in OUTCOMES.items() if outcome == plan_rules.FAILED]
    return MfOrder.objects.filter(plan=plan, state__in=failed).order_by("-instalment_on")[0]


def mandates_on_their_way(plan: Plan) -> list[str | None]:
    """FP's numbers of mandates that this plan is being changed to."""
    changes = plan.changes.filter(kind=PlanChange.Kind.MANDATE).exclude(state=lifecycle.FAILED)
    return list(changes.values_list("mandate__provider_ref", flat=True))


def of_investor(investor: Investor) -> list[Plan]:
    """All SIPs, running ones first, then the newest. One statement."""
    plans = Plan.objects.filter(investor=investor).select_related("scheme", "mandate__bank_account")
    return sorted(plans.order_by("-id"), key=lambda plan: plan.state not in OPEN)


def one(investor: Investor, code: str) -> Plan | None:
    """An investor's SIP with what its page shows beside it."""
    plans = Plan.objects.filter(investor=investor, code=code)
    return plans.select_related("scheme__fund_house", "mandate__bank_account", "folio").first()


# --- One plan's instalments ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """One date of a plan: when it was expected and announced, and FP's order for it. `number` counts from 1."""

    on: date
    number: int
    told_at: datetime | None = None
    order: MfOrder | None = None
    skip: PlanChange | None = None


def instalments(plan: Plan, today: date) -> list[Due]:
    """The newest dates of a plan, oldest first, with the next ones to come. Three statements."""
    told = dict(Instalment.objects.filter(plan=plan).order_by("-on").values_list("on", "told_at")[:SHOWN])
    made = MfOrder.objects.filter(plan=plan).order_by("-instalment_on")[:SHOWN]
    orders = {order.instalment_on: order for order in made if order.instalment_on}
    asked = plan.changes.filter(kind=PlanChange.Kind.SKIP).exclude(state=lifecycle.FAILED)
    skips = {skip.on: skip for skip in asked if skip.on}
    # Today's belongs to them too, also before anybody has written it down.
    found = sorted({*told, *orders, *skips, *_dates_from(plan, today)[:3]})[-SHOWN:]
    return [
        Due(on, plan_rules.number_of(plan.first_on, on), told.get(on), orders.get(on), skips.get(on)) for on in found
    ]


def to_come(plan: Plan, today: date) -> list[date]:
    """The dates after today on which a plan that goes on will be debited, some of them asked to be skipped."""
    return _dates_from(plan, date.fromordinal(today.toordinal() + 1))


def _dates_from(plan: Plan, since: date) -> list[date]:
    if plan.state not in OPEN:
        return []
    until = max(plan_rules.step(since, 3, 31), plan.first_on)
    return plan_rules.dates(first_on=plan.first_on, last_on=plan.last_on, day=plan.start_day, since=since, until=until)


def next_date(plan: Plan, today: date, skipped: Iterable[date | None] = ()) -> date | None:
    """The next date that is not skipped; None when none is left."""
    left_out = set(skipped)
    return next((on for on in to_come(plan, today) if on not in left_out), None)


def skipped_dates(plans: Iterable[Plan]) -> dict[int, set[date | None]]:
    """Dates that are or will be skipped, by plan. One statement."""
    found: dict[int, set[date | None]] = defaultdict(set)
    skips = PlanChange.objects.filter(plan__in=[plan.pk for plan in plans], kind=PlanChange.Kind.SKIP)
    for plan_id, on in skips.exclude(state=lifecycle.FAILED).values_list("plan_id", "on"):
        found[plan_id].add(on)
    return found


# --- What may go wrong, and mandates ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """A debit to come, and what speaks against it."""

    plan: Plan
    on: date
    risks: list[Risk]

    @property
    def level(self) -> str:
        """The worst of the risks."""
        return plan_rules.worst(self.risks)


def forecast(investor: Investor, plans: list[Plan], today: date) -> list[Forecast]:
    """Every debit of the next 30 days with what may go wrong, by date. Two statements."""
    kyc = people.latest_kyc(investor)
    skipped = skipped_dates(plans)
    until = today + plan_rules.FORECAST
    debits = sorted(
        (on, plan.pk, plan)
        for plan in plans
        for on in to_come(plan, today)
        if on <= until and on not in skipped[plan.pk]
    )
    totals: dict[tuple[date, int], Decimal] = defaultdict(Decimal)
    for on, _, plan in debits:
        totals[on, plan.mandate_id] += plan.amount
    holidays, book = scheme_queries.holidays(), scheme_queries.book()
    is_good = kyc is None or kyc.is_compliant
    return [
        Forecast(plan, on, plan_rules.risks(_debit(plan, on, totals[on, plan.mandate_id], is_good), holidays, book))
        for on, _, plan in debits
    ]


def needing(investor: Investor, today: date) -> list[Forecast]:
    """The next debit of each running SIP, if it is near and may fail. One statement for whoever has none."""
    plans = Plan.objects.filter(investor=investor, state=lifecycle.ACTIVE)
    hidden = ("mandate__page_url", "mandate__bank_account__number")
    running = list(plans.select_related("scheme", "mandate__bank_account").defer(*hidden))
    if not running:
        return []
    near = [each for each in forecast(investor, running, today) if each.on - today <= NEAR]
    bad = [each for each in near if each.level in (plan_rules.RISK, plan_rules.FAILS)]
    first = {each.plan.pk: each for each in reversed(bad)}
    return sorted(first.values(), key=lambda each: each.on)


def with_risks(plans: QuerySet[Plan], today: date) -> QuerySet[Plan]:
    """Each plan with what its debits depend on beside its mandate: what else is debited by it on that day of the month,
    and whether the newest answer of the registries allows purchases."""
    running = Plan.objects.filter(state=lifecycle.ACTIVE, last_on__gte=today).order_by()
    same_day = running.filter(mandate=OuterRef("mandate"), start_day=OuterRef("start_day")).values("mandate")
    newest = KycCheck.objects.filter(investor=OuterRef("investor")).order_by("-checked_at", "-id")
    return plans.annotate(
        same_day=Coalesce(Subquery(same_day.annotate(sum=Sum("amount")).values("sum")), F("amount")),
        kyc_is_good=Coalesce(Subquery(newest.values("is_compliant")[:1]), Value(True)),
    )


def may_fail(today: date) -> Q:
    """Running plans of `with_risks` that `plan_rules.risks` says more about than that banks are closed that day."""
    mandate_is_over = ~Q(mandate__state=people_lifecycle.APPROVED) | Q(mandate__cancel_asked_at__isnull=False)
    ends = Q(mandate__valid_to__lte=today + plan_rules.FORECAST)
    too_small = Q(amount__gt=F("mandate__limit")) | Q(same_day__gt=F("mandate__limit"))
    ended = reduce(or_, (Q(mandate__bank_account__ifsc__startswith=bank) for bank in merged_banks.old()))
    against = mandate_is_over | ends | ended | too_small | Q(bounces_in_a_row__gt=0) | Q(kyc_is_good=False)
    return Q(state=lifecycle.ACTIVE, last_on__gt=today) & against


def risks_of(plan: Plan, on: date, holidays: frozenset[date]) -> list[Risk]:
    """What speaks against the debit of a plan of `with_risks` on that date, the worst first."""
    found: Any = plan
    return plan_rules.risks(_debit(plan, on, found.same_day, found.kyc_is_good), holidays, scheme_queries.book())


def most_failures(on: date) -> int:
    """How many failures in a row end a plan on that day."""
    return plan_rules.most_failures(book=scheme_queries.book(), on=on)


def _debit(plan: Plan, on: date, same_day: Decimal, kyc_is_compliant: bool) -> Debit:
    mandate = authority(plan.mandate)
    return Debit(on, plan.amount, mandate, same_day, plan.bounces_in_a_row, kyc_is_compliant)


def authority(mandate: Mandate) -> Authority:
    """A mandate, as far as a debit depends on it; one that is being cancelled counts as cancelled."""
    going = mandate.cancel_asked_at is not None
    merged = merged_banks.of(mandate.bank_account.ifsc)
    return Authority(
        mandate.code,
        "CANCELLED" if going else mandate.state,
        mandate.limit,
        mandate.valid_to,
        merged.debits if merged else "",
    )


@dataclass(frozen=True)
class Column:
    """A mandate of the matrix: what is debited by it on its heaviest date, and what is left of its limit."""

    mandate: Mandate
    plans: list[Plan]
    heaviest_on: date | None
    heaviest: Decimal
    problems: list[Risk] = field(default_factory=list)

    @property
    def headroom(self) -> Decimal:
        """Rupees left below the limit on the heaviest date; negative when the SIPs of that date exceed it."""
        return self.mandate.limit - self.heaviest


def matrix(investor: Investor, today: date) -> list[Column]:
    """Mandates that can be used, or that SIPs depend on, with their SIPs. Four statements."""
    plans = [plan for plan in of_investor(investor) if plan.state in OPEN]
    risky = forecast(investor, plans, today)
    mandates = {mandate.pk: mandate for mandate in usable_mandates(investor)}
    mandates |= {plan.mandate_id: plan.mandate for plan in plans if plan.mandate_id not in mandates}
    return [_column(mandate, plans, risky, today) for mandate in mandates.values()]


def _column(mandate: Mandate, plans: list[Plan], risky: list[Forecast], today: date) -> Column:
    its = [plan for plan in plans if plan.mandate_id == mandate.pk]
    by_date: dict[date, Decimal] = defaultdict(Decimal)
    for each in risky:
        if each.plan.mandate_id == mandate.pk:
            by_date[each.on] += each.plan.amount
    heaviest_on = max(by_date, key=lambda on: by_date[on]) if by_date else None
    heaviest = by_date[heaviest_on] if heaviest_on else money.ZERO
    # The mandate's own problems, as of one debit on its heaviest date, or a month from now.
    on = heaviest_on or today + plan_rules.FORECAST
    biggest = max((plan.amount for plan in its), default=money.ZERO)
    debit = Debit(on, biggest, authority(mandate), heaviest)
    found = plan_rules.risks(debit, scheme_queries.holidays(), scheme_queries.book())
    return Column(mandate, its, heaviest_on, heaviest, [risk for risk in found if risk.level != plan_rules.NOTE])


def _count_book(at: datetime) -> list[Any]:
    running = Plan.objects.filter(state=lifecycle.ACTIVE).order_by()
    found = running.aggregate(
        count=Count("pk"),
        inflow=Sum("amount", default=money.ZERO),
        failing=Count("pk", filter=Q(bounces_in_a_row__gt=0)),
    )
    return [found["count"], found["inflow"], found["failing"]]


# Running SIPs, rupees of all their instalments, and how many of them failed last.
book = counted.Figure("orders.count_plans", "orders_plan", _count_book)
