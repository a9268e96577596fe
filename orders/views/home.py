"""The first page: for a visitor what this is, for an investor what needs them, then what they own."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from investors import applications, case_queries
from investors import queries as people
from investors.access import investor_of
from investors.models import Investor
from orders import calendar, plan_rules, words
from orders.queries import approvals as approval_queries
from orders.queries import investor_cases
from orders.queries import orders as order_queries
from orders.queries import plans as plan_queries
from orders.queries import portfolio as queries
from orders.queries.portfolio import OpenOrder
from orders.views import order_rows
from orders.views.portfolio import flight, summary
from portal import clock, money, whereabouts
from portal.access import access
from portal.api import partners

RECENT = 5


class Attention(NamedTuple):
    """One thing that waits for the investor, or that we are finding out for them."""

    kind: str
    title: str
    text: str
    url: str


@require_safe
@access("anyone; who is signed in sees own rows only")
def home(request: HttpRequest) -> HttpResponse:
    """Landing page for visitors; for everybody else what needs them first."""
    if not request.user.is_authenticated:
        return render(request, "landing.html")
    investor = investor_of(request)
    if investor is None and partners.partner_of(request.user):
        return redirect("console:home")
    whereabouts.enters(request, console=False)
    context = _nobody(request) if investor is None else _investor(investor, at=clock.now())
    return render(request, "home.html", context)


def _nobody(request: HttpRequest) -> dict[str, Any]:
    """Signed in without being an investor yet: staff need nothing, everybody else can start."""
    start = Attention(
        "needs",
        "Get ready to invest",
        "Start with your PAN. It takes about ten minutes, and every step is kept.",
        reverse("investors:onboarding"),
    )
    is_staff = getattr(request.user, "is_staff", False)
    return {"attention": [] if is_staff else [start], "can_start": not is_staff}


def _investor(investor: Investor, *, at: datetime) -> dict[str, Any]:
    book = queries.portfolio_of(investor_id=investor.pk, at=at)
    steps = [] if investor.state == Investor.State.READY else people.checklist(investor)
    return {
        "investor": investor,
        "steps": steps,
        "steps_done": sum(step.is_done for step in steps if not step.is_optional),
        "steps_count": sum(not step.is_optional for step in steps),
        "attention": [
            *_getting_ready(investor, steps, at=at),
            *_orders_that_need(book.open_orders),
            *_sips_that_need(investor, at=at),
            *_asked_of(investor, at=at),
            *_cases(investor),
        ],
        "summary": summary(book.totals, at=at) if book.totals.nav_days else None,
        "unvalued": book.unvalued,
        "flight": flight(book),
        "orders": order_rows.rows(order_queries.page(investor.pk, size=RECENT).lines),
        "is_ready": investor.state == Investor.State.READY,
    }


def _getting_ready(investor: Investor, steps: list[people.CheckItem], *, at: datetime) -> list[Attention]:
    """Where the application stands before the first order: who acts, and since when."""
    where = applications.of(investor) if steps else None
    if where is None:
        return []
    words = applications.words_of(where)
    missing = [step.title for step in steps if step.is_missing]
    text = words.text
    if where.why == "filling_in":
        text = f"Still missing: {', '.join(missing)}." if missing else "Nothing is missing: look it over and confirm."
    stage = where.get_stage_display().capitalize()
    clock_words = applications.clock_of(where, at)
    page = "investors:kyc" if where.why in applications.AT_KYC else "investors:onboarding"
    return [Attention(applications.KINDS[where.stage], words.title, f"{stage} {clock_words}. {text}", reverse(page))]


def _orders_that_need(open_orders: list[OpenOrder]) -> list[Attention]:
    """Orders to be paid, and orders of which nobody has told us what became of them."""
    return [found for order in open_orders if (found := _attention(order))]


_HOW_BAD = {plan_rules.RISK: "may fail", plan_rules.FAILS: "will fail"}


def _sips_that_need(investor: Investor, *, at: datetime) -> list[Attention]:
    """SIPs whose next debit is near and may fail, and why."""
    return [
        Attention(
            "needs",
            f"The SIP debit of {calendar.short(each.on)} {_HOW_BAD[each.level]}",
            f"{money.rupees(each.plan.amount)} in {each.plan.scheme.name}. {each.risks[0].text}",
            reverse("orders:sip", args=[each.plan.code]),
        )
        for each in plan_queries.needing(investor, at.astimezone(clock.IST).date())
    ]


def _asked_of(investor: Investor, *, at: datetime) -> list[Attention]:
    """What a partner waits to hear about. Only who came through one is looked up."""
    return [
        Attention(
            "needs",
            f"{each.asked_by} asks for your approval",
            f"“{each.reason}” Until {calendar.short(each.expires_at.astimezone(clock.IST).date())}.",
            reverse("orders:approval", args=[each.code]),
        )
        for each in (approval_queries.waiting(investor, at)[:RECENT] if investor.partner_id else ())
    ]


def _cases(investor: Investor) -> list[Attention]:
    """What went wrong with their money, as far as they were told of it, and that we follow it."""
    return [
        Attention(
            "checking",
            each.words.title,
            f"{each.row.what}. {each.words.doing} Case {each.code}.",
            reverse("orders:case", args=[each.code]),
        )
        for each in investor_cases.without_repeats(case_queries.open_of(investor))
    ]


def _attention(order: OpenOrder) -> Attention | None:
    url, what = reverse("orders:detail", args=[order.code]), f"{order.asked.in_words} in {order.name}"
    if order.is_unknown:
        return Attention(
            "checking",
            words.for_state(order.kind, order.state, is_unknown=True).title,
            f"{what}. We are asking until we know.",
            url,
        )
    if order.needs_payment and order.was_at_bank:
        said = words.PAYING["out"]
        return Attention(said.kind, said.title, f"{what}. If you have paid, there is nothing to do.", url)
    if order.needs_payment:
        return Attention("needs", "Pay for your order", f"{what}. No money has moved yet.", url)
    return None
