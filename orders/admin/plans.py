"""SIPs, their instalments and what was asked about them, as operations see them: the SIP book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from orders import lifecycle, plan_rules
from orders.admin import plan_risks
from orders.models import Instalment, Plan, PlanChange, Scheme
from orders.operations import plan_change_sending, plan_sending
from orders.queries import plans as queries
from portal import clock, money
from portal.admin import home, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.filters import PartnerFilter, StuckFilter, UnknownFilter
from portal.admin.finding import by_code, by_provider_ref, by_related, codes
from portal.admin.money import MoneyAdmin

codes.update({"SIP": Plan, "SCH": PlanChange})

TONES = {
    lifecycle.CREATED: "waiting",
    lifecycle.SUBMITTING: "waiting",
    lifecycle.ACTIVE: "done",
    lifecycle.COMPLETED: "neutral",
    lifecycle.CANCELLED: "neutral",
    lifecycle.FAILED: "failed",
}
PATIENCE = {lifecycle.CREATED: timedelta(minutes=5), lifecycle.SUBMITTING: timedelta(minutes=15)}
CHANGE_TONES = {
    lifecycle.CREATED: "waiting",
    lifecycle.SUBMITTING: "waiting",
    lifecycle.DONE: "done",
    lifecycle.FAILED: "failed",
}
# SEBI gives the fund house working days to end a SIP (`sip_end_days`, two of them in 2026); a weekend may lie between.
CHANGE_PATIENCE = {lifecycle.CREATED: timedelta(minutes=15), lifecycle.SUBMITTING: timedelta(days=4)}


def _refresh(plan: Plan, by: By) -> str:
    plan_sending.refresh(plan_id=plan.pk, at=by.at, actor=by.actor, reason=by.reason)
    return f"The provider was asked: {Plan.objects.get(pk=plan.pk).get_state_display()}."


def _go_on(change: PlanChange, by: By) -> str:
    plan_change_sending.advance(change_id=change.pk, at=by.at)
    return f"Done: {PlanChange.objects.get(pk=change.pk).get_state_display()}."


@admin.register(Plan)
class PlanAdmin(MoneyAdmin):
    """SIPs. What they buy and by which mandate is what investors confirmed; nobody types it."""

    tones = TONES
    patience = PATIENCE
    list_display = ("code", "what", "rupees", "partner", "next_debit", "state_and_age", "mandate_now", "at_provider")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
        plan_risks.RiskFilter,
        PartnerFilter,
        "bounces_in_a_row",
        ("first_on", RangeDateFilter),
    )
    list_select_related = ("investor__partner", "scheme", "mandate__bank_account")
    exported = (
        ("SIP", lambda plan: plan.code),
        ("Investor", lambda plan: plan.investor.code),
        ("Partner", lambda plan: plan.investor.partner_id and plan.investor.partner.code),
        ("Scheme", lambda plan: plan.scheme.name),
        ("ISIN", lambda plan: plan.scheme.isin),
        ("Rupees", lambda plan: plan.amount),
        ("Day", lambda plan: plan.start_day),
        ("First", lambda plan: plan.first_on),
        ("Last", lambda plan: plan.last_on),
        ("State", lambda plan: plan.state),
        ("Since", lambda plan: plan.state_since),
        ("Failures in a row", lambda plan: plan.bounces_in_a_row),
        ("Mandate", lambda plan: plan.mandate.code),
        ("At the provider", lambda plan: plan.provider_ref),
    )
    finders = (
        by_code("code", "client_ref"),
        by_provider_ref("fp"),
        by_related("scheme", lambda term: Scheme.objects.filter(isin=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, reference, ISIN, investor code, email, mobile or PAN"
    quick = (
        ("Running", "state__exact=ACTIVE"),
        ("Next debit may fail", "risk=1"),
        ("One failure", "state__exact=ACTIVE&bounces_in_a_row__exact=1"),
        ("Two failures", "state__exact=ACTIVE&bounces_in_a_row__exact=2"),
        ("We are checking", "unknown=1"),
        ("All", ""),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("code", "state_badge"),
                    ("investor", "age_now"),
                    ("scheme", "rupees"),
                    ("schedule", "next_on"),
                    ("mandate_now", "failures"),
                    "orders_made",
                )
            },
        ),
        ("At the provider", {"fields": (("provider", "gateway"), ("client_ref", "provider_ref"), ("attempts", "due"))}),
        ("Confirmed by the investor", {"fields": (("placed", "consent"), ("folio", "euin"))}),
        ("Refused or ended", {"fields": (("failure_code", "failure_text"),)}),
    )
    acts = (
        Act(
            name="refresh",
            label="Refresh from provider",
            permission="orders.act_plan",
            explain="Asks the provider what it says about this SIP and its instalments, and takes that in. Nothing is "
            "sent or debited.",
            run=_refresh,
            offered=lambda plan: bool(plan.provider_ref or plan.is_unknown),
            icon="sync",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        found = super().get_queryset(request).defer("investor__pan", "mandate__page_url")
        return queries.with_risks(found, clock.today())

    def related(self, obj: Model) -> Sequence[Model]:
        return list(obj.changes.all())  # type: ignore[attr-defined]

    @display(description="Investor, scheme")
    def what(self, plan: Plan) -> str:
        return show.two(show.cut(str(plan.investor)), show.cut(plan.scheme.name))

    @display(description="Next debit", ordering="start_day")
    def next_debit(self, plan: Plan) -> str:
        return plan_risks.next_debit(plan)

    @display(description="Failures in a row", ordering="bounces_in_a_row")
    def failures(self, plan: Plan) -> str:
        most = queries.most_failures(clock.today())
        return show.badge("needs", f"{plan.bounces_in_a_row} of {most}") if plan.bounces_in_a_row else show.NOTHING

    @display(description="Mandate")
    def mandate_now(self, plan: Plan) -> str:
        return show.two(show.change_link(plan.mandate), plan.mandate.get_state_display())

    @display(description="When")
    def schedule(self, plan: Plan) -> str:
        return plan_rules.schedule_in_words(
            day=plan.start_day, first_on=plan.first_on, last_on=plan.last_on, instalments=plan.instalments
        )

    @display(description="Next")
    def next_on(self, plan: Plan) -> str:
        on = queries.next_date(plan, clock.today(), queries.skipped_dates([plan])[plan.pk])
        return f"{on:%-d %b %Y}" if on else show.NOTHING

    @display(description="Orders of its instalments")
    def orders_made(self, plan: Plan) -> str:
        return show.links((order, order.get_state_display()) for order in plan.orders.order_by("-instalment_on")[:24])

    @display(description="Started")
    def placed(self, plan: Plan) -> str:
        return show.moment(plan.placed_at)


@admin.register(Instalment)
class InstalmentAdmin(OpsAdmin):
    """Dates of SIPs: expected, announced, and the provider's order for each."""

    list_display = ("on", "sip", "rupees", "told", "order_now")
    list_filter = (
        ("on", RangeDateFilter),
        ("told_at", admin.EmptyFieldListFilter),
        ("order", admin.EmptyFieldListFilter),
    )
    list_select_related = ("plan__scheme", "order")
    finders = (by_related("plan", lambda term: Plan.objects.filter(code=term.upper())), by_investor())
    search_help_text = "SIP code, investor code, email, mobile or PAN"
    shows_timeline = False
    fieldsets = ((None, {"fields": (("on", "sip"), ("rupees", "investor"), ("expected", "told"), "order_now")}),)
    quick = (
        ("Not announced", "told_at__isempty=1"),
        ("Without an order", "order__isempty=1"),
        ("All", ""),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instalment]:
        return super().get_queryset(request).defer("investor__pan")

    @display(description="SIP")
    def sip(self, row: Instalment) -> str:
        return show.two(show.change_link(row.plan), show.cut(row.plan.scheme.name))

    @display(description="Amount", ordering="amount")
    def rupees(self, row: Instalment) -> str:
        return show.rupees(row.amount)

    @display(description="Announced", ordering="told_at")
    def told(self, row: Instalment) -> str:
        return show.moment(row.told_at)

    @display(description="Expected")
    def expected(self, row: Instalment) -> str:
        return show.moment(row.expected_at)

    @display(description="Order")
    def order_now(self, row: Instalment) -> str:
        return show.two(show.change_link(row.order), row.order.get_state_display()) if row.order else show.NOTHING


@admin.register(PlanChange)
class PlanChangeAdmin(MoneyAdmin):
    """What investors asked about running SIPs, and what became of it."""

    tones = CHANGE_TONES
    patience = CHANGE_PATIENCE
    list_display = ("code", "sip", "kind", "meant", "state_and_age", "why_not", "due")
    list_filter = (("state", ChoicesCheckboxFilter), ("kind", ChoicesCheckboxFilter), StuckFilter, UnknownFilter)
    list_select_related = ("plan__scheme", "mandate")
    finders = (
        by_code("code"),
        by_related("plan", lambda term: Plan.objects.filter(code=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, SIP code, investor code, email, mobile or PAN"
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("sip", "investor"), ("kind", "meant"), ("asked", "why_not"))}),
        ("At the provider", {"fields": (("tries", "due"), "consent")}),
    )
    quick = (
        ("On their way", "&".join(f"state__exact={state}" for state in queries.OPEN_CHANGES)),
        ("Stuck", "stuck=1"),
        ("Not done", "state__exact=FAILED"),
        ("All", ""),
    )
    acts = (
        Act(
            name="go-on",
            label="Try again now",
            permission="orders.act_planchange",
            explain="Does at once what waits for its time: asks the provider for it, or looks whether it is done. A "
            "skip is looked up before it is sent.",
            run=_go_on,
            offered=lambda change: change.state not in lifecycle.PLAN_CHANGE.final,
            icon="play_arrow",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanChange]:
        return super().get_queryset(request).defer("investor__pan", "mandate__page_url")

    def related(self, obj: Any) -> Sequence[Model]:
        return [obj.plan]

    @display(description="SIP")
    def sip(self, change: PlanChange) -> str:
        return show.two(show.change_link(change.plan), show.cut(change.plan.scheme.name))

    @display(description="Date or mandate")
    def meant(self, change: PlanChange) -> str:
        return f"{change.on:%-d %b %Y}" if change.on else change.mandate.code if change.mandate else show.NOTHING

    @display(description="Asked")
    def asked(self, change: PlanChange) -> str:
        return show.moment(change.asked_at)

    @display(description="Tries")
    def tries(self, change: PlanChange) -> str:
        return show.attempt_words(change)


@home.part(order=24, permission="orders.view_plan")
def plans_part(at: datetime) -> home.Part:
    """The SIP book: what runs, what comes in a month, what is about to be ended by failures."""
    found = queries.book.read(at)
    if found is None:
        return home.Part(
            [home.Tile("Running SIPs", show.NOTHING, home.BEING_COUNTED, show.list_url(Plan, "state__exact=ACTIVE"))]
        )
    (count, inflow, failing), as_of = found.rows, home.counted_at(found, at)
    tiles = [
        home.Tile(
            "Running SIPs",
            f"{count:,}",
            f"{money.rupees_short(inflow)} a month.{as_of}" if as_of else f"{money.rupees_short(inflow)} a month",
            show.list_url(Plan, "state__exact=ACTIVE"),
            "done",
        ),
        home.Tile(
            "SIPs with failures",
            f"{failing:,}",
            "Three in a row end a SIP." if failing else "No instalment failed last.",
            show.list_url(Plan, "state__exact=ACTIVE&bounces_in_a_row__exact=2" if failing else "state__exact=ACTIVE"),
            "needs" if failing else "done",
        ),
    ]
    return home.Part(tiles, [])
