"""Changing a SIP: skip the next date, end it (told apart from its mandate), debit one or several by another mandate."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from investors.access import InvestorRequest, client_ip, ready_investor_page
from orders import calendar, plan_rules, plan_words
from orders.models import Plan
from orders.operations import plan_changes
from orders.plan_forms import RelinkForm
from orders.queries import plans as queries
from orders.queries import schemes as scheme_queries
from portal import clock, identifiers, typed
from portal.errors import Failure, InvalidInput


def _own(request: InvestorRequest, code: str) -> Plan:
    plan = queries.one(request.investor, code)
    if plan is None:
        raise Http404
    return plan


def _actor(request: InvestorRequest) -> str:
    return f"user:{request.user.pk}"


@require_POST
@never_cache
@ready_investor_page
def skip(request: InvestorRequest, code: str) -> HttpResponse:
    """Leave out the instalment of the date that was shown."""
    plan = _own(request, code)
    try:
        on = date.fromisoformat(request.POST.get("on", ""))
        plan_changes.skip(plan=plan, on=on, at=clock.now(), actor=_actor(request))
        messages.info(request, f"The fund house is told to skip {calendar.short(on)}. We show here when it has.")
    except ValueError:
        messages.warning(request, "Please choose the instalment to skip on this page.")
    except Failure as refusal:
        messages.warning(request, refusal.message)
    return redirect("orders:sip", code=code)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def cancel(request: InvestorRequest, code: str) -> HttpResponse:
    """What ending a SIP means, what becomes of its mandate, and the last debit that may still happen; then the end."""
    plan, now = _own(request, code), clock.now()
    if not plan_changes.may_cancel(plan):
        return redirect("orders:sip", code=code)
    if request.method == "POST":
        try:
            plan_changes.cancel(plan=plan, at=now, actor=_actor(request))
            messages.info(request, "The fund house is told to end this SIP. We show here when it has.")
        except Failure as refusal:
            messages.warning(request, refusal.message)
        return redirect("orders:sip", code=code)
    today, holidays, book = now.astimezone(clock.IST).date(), scheme_queries.holidays(), scheme_queries.book()
    on = queries.next_date(plan, today, queries.skipped_dates([plan])[plan.pk])
    others = Plan.objects.filter(investor=request.investor, mandate=plan.mandate, state__in=queries.OPEN)
    context = {
        "plan": plan,
        "next_on": on,
        "may_still_debit": plan_rules.may_still_debit(on=on, asked_at=now, holidays=holidays, book=book),
        "ended_by": plan_rules.ended_by(asked_at=now, holidays=holidays, book=book),
        "others": others.exclude(pk=plan.pk).count(),
    }
    return render(request, "orders/sips/cancel.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def mandates(request: InvestorRequest) -> HttpResponse:
    """Which SIP is debited by which mandate, what is left of each limit, and another mandate for some of them."""
    running = Plan.objects.filter(investor=request.investor, state="ACTIVE").select_related("scheme").order_by("-id")
    usable = queries.usable_mandates(request.investor)
    if request.method == "POST":
        return _relink(request, RelinkForm(request.POST, plans=running, mandates=usable))
    back = typed.kept(request, once=True)
    asked = {"plans": request.GET.getlist("sip"), "form_ref": identifiers.new_client_ref()}
    form = RelinkForm(back.data if back else None, plans=running, mandates=usable, initial=asked)
    if back:
        back.show_in(form)
    columns = queries.matrix(request.investor, clock.today())
    gateways = {plan.gateway for column in columns for plan in column.plans}
    context = {
        "columns": [_column(each) for each in columns],
        "form": form,
        "can_relink": form.is_bound or (len(usable) > 1 and bool(running)),
        "why_not": next((why for name in gateways if (why := plan_rules.why_no_other_mandate(name))), ""),
    }
    return render(request, "orders/sips/mandates.html", context)


def _column(column: queries.Column) -> dict[str, object]:
    kind, badge = plan_words.HEALTH[plan_rules.worst(column.problems)]
    return {
        "mandate": column.mandate,
        "plans": [{"plan": plan, "day": plan_rules.ordinal(plan.start_day)} for plan in column.plans],
        "heaviest_on": column.heaviest_on,
        "heaviest": column.heaviest,
        "headroom": column.headroom,
        "over": -column.headroom if column.headroom < 0 else None,
        "kind": kind,
        "badge": badge if column.problems else "",
        "problems": [risk.text for risk in column.problems],
    }


def _relink(request: InvestorRequest, form: RelinkForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    answers = form.cleaned_data
    try:
        consent = plan_changes.ask_to_relink(
            plans=list(answers["plans"]), mandate=answers["mandate"], investor=request.investor,
            form_ref=answers["form_ref"], ip=client_ip(request), at=clock.now(),
        )  # fmt: skip
        return redirect("orders:confirm_sip", code=consent.code)
    except Failure as error:
        named = error.field if isinstance(error, InvalidInput) and error.field in form.fields else ""
        return typed.again(request, errors={named: error.message})
