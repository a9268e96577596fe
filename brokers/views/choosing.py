"""Choosing a broker for a basket, and investing in one. Nothing is ordered here, only put on record."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from brokers import queries as accounts
from brokers import registry
from brokers.forms import AmountForm, JourneyForm
from investors.access import InvestorRequest, client_ip, ready_investor_page
from investors.models import Investor
from orders import basket_rules, market
from orders.models import ApprovalLine, BasketOrder
from orders.operations import baskets
from orders.operations.baskets import Line
from orders.queries import approvals
from orders.queries import baskets as queries
from orders.queries import schemes as scheme_queries
from orders.queries.baskets import Shown
from portal import clock, identifiers, typed
from portal.errors import Failure, InvalidInput


def brokers(investor: Investor) -> list[tuple[str, str]]:
    """The choices of a form: code, and name with how the journey goes; each account of a route that has several."""
    linked = list(accounts.accounts_of(investor))
    found: list[tuple[str, str]] = []
    for each in registry.capabilities():
        several = [account for account in linked if account.broker == each.code] if each.needs_link else []
        names = {account.code: f"{each.name}, {account.label or account.code}" for account in several}
        found += [(code, f"{name}: {each.how}") for code, name in names.items() if len(several) > 1]
        if len(several) < 2:
            found.append((each.code, f"{each.name}: {each.how}"))
    return found


def chosen(investor: Investor, choice: str) -> tuple[str, str]:
    """The route and, where the choice names one of the investor's accounts, that account."""
    account = accounts.accounts_of(investor).filter(code=choice).first()
    return (account.broker, account.account_ref) if account else (choice, "")


def published(slug: str) -> Shown:
    shown = queries.one(slug)
    if shown is None:
        raise Http404
    return shown


def first(investor: Investor, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """What stands in a form before anything is typed."""
    ways = brokers(investor)
    return {"form_ref": identifiers.new_client_ref(), "broker": ways[0][0] if ways else None, **(extra or {})}


def offered(investor: Investor) -> dict[str, Any]:
    """What stands beside the choice: each way with the investor's own accounts there, and the market's state."""
    at = clock.now()
    routes = registry.capabilities()
    offered_here = [route.code for route in routes]
    mine = accounts.accounts_of(investor).filter(broker__in=offered_here)
    return {
        "routes": routes,
        "linked": [
            {"account": each, "until": each.session_expires_at if each.session_at(at) else None} for each in mine
        ],
        "market": market.hours(at, scheme_queries.holidays()),
    }


def answer(request: InvestorRequest, form: JourneyForm, act: Callable[[], BasketOrder]) -> HttpResponse:
    """The journey of a good form, or the form again with what is wrong at its place."""
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            return redirect("brokers:order", code=act().code)
        except InvalidInput as error:
            errors = {error.field: error.message}
        except Failure as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


# --- Invest -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def invest(request: InvestorRequest, slug: str) -> HttpResponse:
    """How much to invest in a basket, and through which broker."""
    shown = published(slug)
    if request.method == "POST":
        form = AmountForm(request.POST, brokers=brokers(request.investor))
        return answer(request, form, lambda: _invested(request, shown, form))
    back = typed.kept(request, once=True)
    asked = approvals.to_invest(request.investor, shown.basket, request.GET.get("asked", "")[:40], clock.now())
    initial = first(request.investor, _proposed(asked, shown))
    form = AmountForm(back.data if back else None, brokers=brokers(request.investor), initial=initial)
    if back:
        back.show_in(form)
    context = {
        "shown": shown,
        "form": form,
        **offered(request.investor),
        "open_order": queries.open_order(investor=request.investor, basket=shown.basket),
        "preview": _preview(shown, form),
    }
    return render(request, "brokers/invest.html", context)


def _proposed(asked: ApprovalLine | None, shown: Shown) -> dict[str, Any]:
    """What a partner asks for, under the form that answers its request; else the least that buys the basket."""
    if asked and asked.amount:
        return {"amount": f"{asked.amount:.0f}", "form_ref": asked.form_ref}
    return {"amount": f"{shown.minimum:.0f}" if shown.minimum else ""}


def _preview(shown: Shown, form: AmountForm) -> dict[str, Any] | None:
    """What the amount in the form buys at last prices; what stands there before anything is typed."""
    amount = form.cleaned_data.get("amount") if form.is_bound and form.is_valid() else form.initial.get("amount")
    if not amount or shown.minimum is None or Decimal(amount) < shown.minimum:
        return None
    bought = basket_rules.shares_for(Decimal(amount), shown.parts)
    rows = [{"name": shown.securities[pk].name, "quantity": quantity} for pk, quantity in bought.quantities.items()]
    return {"amount": Decimal(amount), "rows": rows, "cost": bought.cost, "left_over": bought.left_over}


def _invested(request: InvestorRequest, shown: Shown, form: AmountForm) -> BasketOrder:
    lines, _ = baskets.lines_to_buy(shown=shown, amount=form.cleaned_data["amount"])
    return opened(request, form, BasketOrder.Intent.BUY, lines, shown)


def opened(
    request: InvestorRequest,
    form: JourneyForm,
    intent: str,
    lines: list[Line],
    shown: Shown | None,
    repairs: BasketOrder | None = None,
    through: tuple[str, str] | None = None,
) -> BasketOrder:
    """The journey that a good form asks for, on record: `through` a route and account, else as its choice says."""
    broker, account_ref = through or chosen(request.investor, form.cleaned_data["broker"])
    return baskets.open_journey(
        investor=request.investor,
        broker=broker,
        account_ref=account_ref,
        intent=intent,
        lines=lines,
        form_ref=form.cleaned_data["form_ref"],
        version=shown.version if shown else repairs.version if repairs else None,
        repairs=repairs,
        user_ip=client_ip(request),
        at=clock.now(),
    )
