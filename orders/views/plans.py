"""SIPs: list, start one, confirm by one-time code, and one SIP with its instalments. Changes of it: `plan_changes`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from investors.models import Consent
from orders import calendar, lifecycle, plan_rules, plan_words
from orders.models import Plan, Scheme
from orders.operations import new_houses, plan_changes, plans
from orders.plan_forms import ConfirmSipForm, StartForm
from orders.queries import investor_cases
from orders.queries import plans as queries
from orders.views import cases, confirming
from portal import audit, clock, hints, identifiers, jobs, money, typed
from portal.errors import Failure, InvalidInput

# While an investor watches a SIP on which something moves, FP is asked about it at most this often.
ASK_EVERY_S = 6
QUICK_AMOUNTS = (500, 1_000, 5_000, 10_000)
USUAL_INSTALMENTS = 60


@require_safe
@never_cache
@investor_page
def sip_list(request: InvestorRequest) -> HttpResponse:
    """All SIPs with their next date and what may go wrong within thirty days."""
    today, found = clock.today(), queries.of_investor(request.investor)
    running = [plan for plan in found if plan.state in queries.OPEN]
    risky = queries.forecast(request.investor, running, today)
    first = {each.plan.pk: each for each in reversed(risky)}
    skipped = queries.skipped_dates(running)
    rows = [
        {
            "plan": plan,
            "words": plan_words.of(plan),
            "day": plan_rules.ordinal(plan.start_day),
            "next": queries.next_date(plan, today, skipped[plan.pk]),
            "health": _health(first.get(plan.pk)),
        }
        for plan in found
    ]
    context = {"rows": rows, "forecast": [_forecast_row(each) for each in risky], "days": plan_rules.FORECAST.days}
    return render(request, "orders/sips/list.html", context)


def _health(found: queries.Forecast | None) -> dict[str, str] | None:
    if found is None or found.level in (plan_rules.OK, plan_rules.NOTE):
        return None
    kind, badge = plan_words.HEALTH[found.level]
    return {"kind": kind, "badge": badge, "text": found.risks[0].text}


def _forecast_row(found: queries.Forecast) -> dict[str, Any]:
    kind, badge = plan_words.HEALTH[found.level]
    return {
        "on": calendar.in_words(found.on),
        "plan": found.plan,
        "kind": kind,
        "badge": badge,
        "texts": [risk.text for risk in found.risks],
    }


# --- Starting one -------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def start(request: InvestorRequest, isin: str) -> HttpResponse:
    """How much, when, how often, by which mandate. A valid answer leads to the confirmation; nothing starts here."""
    scheme = get_object_or_404(Scheme.objects.select_related("fund_house"), isin=isin)
    why_not, terms = plans.why_not(scheme, clock.today()), plans.terms_of(scheme)
    mandates = queries.usable_mandates(request.investor)
    if request.method == "POST" and not why_not:
        return _asked(request, scheme, StartForm(request.POST, days=terms.days, mandates=mandates))
    back = typed.kept(request, once=True)
    first = {"form_ref": identifiers.new_client_ref(), "instalments": USUAL_INSTALMENTS, "mandate": mandates.first()}
    form = StartForm(back.data if back else None, days=terms.days, mandates=mandates, initial=_initial(first, terms))
    if back:
        back.show_in(form)
    context = {
        "scheme": scheme,
        "form": form,
        "why_not": why_not,
        "mandates": mandates,
        "bounds": terms.amount.in_words,
        "least": terms.least_instalments,
        "chips": [amount for amount in QUICK_AMOUNTS if amount >= (terms.amount.minimum or money.ZERO)],
        "next_dates": _next_dates(terms.days),
    }
    return render(request, "orders/sips/start.html", context)


def _initial(first: dict[str, Any], terms: plan_rules.Terms) -> dict[str, Any]:
    now = clock.now()
    days = (day for day in terms.days if plan_rules.may_be_told_in_time(plan_rules.after(clock.today(), day), now))
    return {**first, "mandate": first["mandate"].code if first["mandate"] else None, "start_day": next(days, None)}


def _next_dates(days: tuple[int, ...]) -> list[dict[str, Any]]:
    """The first instalment of each day on offer, the soonest first; of those that are too near, that they are."""
    now, today = clock.now(), clock.today()
    found = sorted((plan_rules.after(today, day), day) for day in days)
    return [
        {"day": plan_rules.ordinal(day), "on": calendar.short(on), "in_time": plan_rules.may_be_told_in_time(on, now)}
        for on, day in found[:6]
    ]


def _asked(request: InvestorRequest, scheme: Scheme, form: StartForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    answers, at = form.cleaned_data, clock.now()
    try:
        new_houses.ask_registries(investor=request.investor, isins=[scheme.isin], at=at)
        wish = plans.prepare(
            investor=request.investor, isin=scheme.isin, amount=answers["amount"], start_day=answers["start_day"],
            instalments=answers["instalments"], mandate=answers["mandate"], at=at,
        )  # fmt: skip
        consent = plans.ask(
            wish=wish, investor=request.investor, form_ref=answers["form_ref"], ip=client_ip(request), at=at
        )
        return redirect("orders:confirm_sip", code=consent.code)
    except Failure as error:
        named = error.field if isinstance(error, InvalidInput) and error.field in form.fields else ""
        return typed.again(request, errors={named: error.message})


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """The SIP once more, or the SIPs that get another mandate, and the one-time code that makes it so."""
    consent = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.SIP)
    starts = consent.shown.get("act") == plans.START
    if "otp" in request.POST:
        return _start(request, code) if starts else _relink(request, code)
    if consent.given_at:
        made = Plan.objects.filter(consent=consent).first()
        return redirect("orders:sip", code=made.code) if made else redirect("orders:sip_mandates")
    facts = {"starts": starts, **(_twin(request, consent) if starts else {})}
    return confirming.page(request, consent, ConfirmSipForm, "orders/sips/confirm.html", facts)


def _twin(request: InvestorRequest, consent: Consent) -> dict[str, object]:
    """A SIP of the same amount on the same day, in the same fund."""
    day = int(consent.shown["start_day"])
    twin = queries.look_alike(request.investor, consent.isin, consent.amount or money.ZERO, day)
    return {
        "twin": twin,
        "twin_title": "You have such a SIP already",
        "twin_text": f"{money.rupees(twin.amount)} a month, begun {calendar.short(twin.first_on)}." if twin else "",
        "twin_url": reverse("orders:sip", args=[twin.code]) if twin else "",
    }


def _start(request: InvestorRequest, code: str) -> HttpResponse:
    investor, ip, at = request.investor, client_ip(request), clock.now()

    def act(otp: str, again: bool) -> str:
        plan = plans.confirm(investor=investor, code=code, otp=otp, start_again=again, ip=ip, at=at)
        return reverse("orders:sip", args=[plan.code])

    def ask_again(consent: Consent) -> Consent:
        wish = plans.wish_of(consent=consent, investor=investor, at=at)
        return plans.ask(wish=wish, investor=investor, form_ref=consent.form_ref, ip=ip, at=at)

    return confirming.taken(request, code, ConfirmSipForm(request.POST), act=act, ask_again=ask_again)


def _relink(request: InvestorRequest, code: str) -> HttpResponse:
    actor, ip, at = f"user:{request.user.pk}", client_ip(request), clock.now()

    def act(otp: str, again: bool) -> str:
        plan_changes.confirm_relink(investor=request.investor, code=code, otp=otp, ip=ip, at=at, actor=actor)
        messages.info(request, "The fund house is being told. Each SIP shows when it is done.")
        return reverse("orders:sip_mandates")

    return confirming.taken(request, code, ConfirmSipForm(request.POST), act=act)


# --- One SIP ------------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@investor_page
def detail(request: InvestorRequest, code: str) -> HttpResponse:
    """One SIP: where it stands, its instalments, what may go wrong, what can be changed. Refreshes itself."""
    plan = queries.one(request.investor, code)
    if plan is None:
        raise Http404
    now = clock.now()
    found = queries.instalments(plan, now.astimezone(clock.IST).date())
    changes = list(plan.changes.select_related("mandate"))
    is_ending = any(each.kind == plan_changes.CANCEL and each.state in queries.OPEN_CHANGES for each in changes)
    is_moving = _is_moving(plan, found, [each.state for each in changes], now)
    if is_moving and hints.first(f"asked-sip-{plan.pk}", ASK_EVERY_S):
        # Somebody is watching: ask FP a little sooner than the sweep would.
        jobs.nudge("orders.advance_plan", row_id=plan.pk)
    most_failures = queries.most_failures(now.astimezone(clock.IST).date())
    risky = queries.forecast(request.investor, [plan], now.astimezone(clock.IST).date())
    context = {
        "plan": plan,
        "words": plan_words.of(plan, is_ending=is_ending),
        "reason": plan_words.reason(plan),
        "strikes": _strikes(plan, most_failures),
        "most_failures": most_failures,
        "schedule": plan_rules.schedule_in_words(
            day=plan.start_day, first_on=plan.first_on, last_on=plan.last_on, instalments=plan.instalments
        ),
        "lines": _lines(plan, found),
        "changes": [plan_words.of_change(each) for each in changes[:5]],
        "forecast": [_forecast_row(each) for each in risky],
        "is_moving": is_moving,
        **_what_can_be_done(plan, now),
    }
    if not request.headers.get("HX-Request"):
        context["cases"] = cases.cards(investor_cases.of_plan(plan))
    template = "orders/sips/_status.html" if request.headers.get("HX-Request") else "orders/sips/detail.html"
    response = render(request, template, context)
    if request.headers.get("HX-Request") and not is_moving:
        response["HX-Refresh"] = "true"
    return response


def _is_moving(plan: Plan, found: list[queries.Due], changes: list[str], now: datetime) -> bool:
    """Is there news to wait for: the SIP being sent, a change of it, or an instalment on its way?"""
    today = now.astimezone(clock.IST).date()
    on_its_way = any(due.order.state in lifecycle.OPEN for due in found if due.order)
    missing = plan.state == lifecycle.ACTIVE and any(not (d.order or d.skip) and d.on <= today for d in found)
    is_new = plan.state in (lifecycle.CREATED, lifecycle.SUBMITTING)
    return is_new or on_its_way or missing or any(state in queries.OPEN_CHANGES for state in changes)


def _lines(plan: Plan, found: list[queries.Due]) -> list[plan_words.Line]:
    """Every instalment with its dates, the newest first."""
    happened: dict[str, dict[str, datetime]] = defaultdict(dict)
    orders = [str(due.order.pk) for due in found if due.order]
    for subject, action, at in audit.moments_of("orders.mforder", orders, tuple(plan_words.HAPPENED)):
        happened[subject].setdefault(plan_words.HAPPENED[action], at)
    today = clock.today()
    return [
        plan_words.line(due, plan, happened[str(due.order.pk)] if due.order else {}, today) for due in reversed(found)
    ]


def _strikes(plan: Plan, most: int) -> str:
    return plan_rules.strikes_in_words(plan.bounces_in_a_row, most) if plan.state in queries.OPEN else ""


def _what_can_be_done(plan: Plan, now: datetime) -> dict[str, Any]:
    skip_on, why_no_skip = plan_changes.to_skip(plan, now)
    running = plan.state in queries.OPEN
    return {
        "skip_on": skip_on,
        "why_no_skip": why_no_skip if running else "",
        "may_skip": not why_no_skip,
        "why_no_other_mandate": plan_changes.why_no_other_mandate(plan) if running else "",
        "may_relink": not plan_changes.why_no_other_mandate(plan),
        "may_cancel": plan_changes.may_cancel(plan),
    }
