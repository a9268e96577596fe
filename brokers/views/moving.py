"""Rebalance, leave and repair: orders made of what an investor holds, through the account in which they hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from brokers import queries as accounts
from brokers import registry
from brokers.forms import JourneyForm
from brokers.models import BrokerAccount
from brokers.views import choosing
from investors.access import InvestorRequest, investor_page, ready_investor_page
from investors.models import Investor
from orders import basket_rules, stock_words
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets, missing
from orders.operations.baskets import Line
from orders.queries import baskets as queries
from orders.queries.baskets import Shown
from portal import clock, typed
from portal.errors import Failure


@dataclass(frozen=True)
class Offer:
    """An order that may be made: its choice in the form, through which account, its lines, or why it cannot be made."""

    choice: str
    through: tuple[str, str]
    words: str
    lines: list[Line]
    why_not: str = ""


TITLES: dict[str, tuple[str, str]] = {
    BasketOrder.Intent.REBALANCE: (
        "Rebalance",
        "One order of sells and buys brings your shares to the newest version. No new money is needed beyond what the "
        "sells bring; prices move, so the last rupees may differ.",
    ),
    BasketOrder.Intent.EXIT: ("Sell everything", "Every share that you bought with this basket here is sold."),
    BasketOrder.Intent.REPAIR: ("Order what is missing", "Only what was not executed is ordered again."),
}
NOTHING: dict[str, str] = {
    BasketOrder.Intent.REBALANCE: "What you hold already fits.",
    BasketOrder.Intent.EXIT: "You hold no shares that you bought with this basket here.",
    BasketOrder.Intent.REPAIR: "Nothing is missing that can be ordered again as it was.",
}
NO_PRICE = "A share has no price at the moment. Try again later."
NOT_LINKED = "This account is no longer linked here. Link it again, then come back."
SWITCHED_OFF = "This way is closed at the moment. What you hold stays yours; your broker sells it as well."


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def rebalance(request: InvestorRequest, slug: str) -> HttpResponse:
    """What brings the shares that an account holds to the newest version, as one order of buys and sells."""
    shown = choosing.published(slug)
    parts = queries.held_by_account(investor=request.investor, basket=shown.basket)
    held = queries.together(parts.values())
    prices = queries.prices_with(shown, held)
    if shown.minimum is None or not set(held) <= set(prices):
        return _page(request, shown, [], BasketOrder.Intent.REBALANCE, why_none=NO_PRICE)
    offers = _by_account(
        request.investor,
        parts,
        lambda shares: baskets.lines_of_moves(basket_rules.rebalanced(shares, shown.parts, prices)),
    )
    return _page(request, shown, offers, BasketOrder.Intent.REBALANCE)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def leave(request: InvestorRequest, slug: str) -> HttpResponse:
    """Sell every share that the investor bought with this basket through us, account by account."""
    shown = queries.one(slug, also_archived=True)
    if shown is None:
        raise Http404
    parts = queries.held_by_account(investor=request.investor, basket=shown.basket)
    offers = _by_account(request.investor, parts, _sales)
    return _page(request, shown, offers, BasketOrder.Intent.EXIT)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def repair(request: InvestorRequest, code: str) -> HttpResponse:
    """Order again what of a finished journey was not executed: sells in its account, buys by any way."""
    order = queries.order_of(investor=request.investor, code=code)
    if order is None:
        raise Http404
    lines = baskets.lines_to_repair(order)
    if any(line.side == StockOrder.Side.SELL for line in lines):
        place: dict[queries.Account, dict[int, int]] = {(order.broker, order.broker_account_ref): {}}
        offers = _by_account(request.investor, place, lambda _: lines)
    else:
        offers = [
            Offer(choice, choosing.chosen(request.investor, choice), words, lines)
            for choice, words in choosing.brokers(request.investor)
        ]
    return _page(request, None, offers, BasketOrder.Intent.REPAIR, order)


@require_POST
@never_cache
@investor_page
def leave_it(request: InvestorRequest, code: str) -> HttpResponse:
    """What was not executed stays so: the order is no longer offered for repair."""
    if queries.order_of(investor=request.investor, code=code) is None:
        raise Http404
    try:
        missing.leave(investor=request.investor, code=code, why=request.POST.get("why", ""), at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
    else:
        messages.success(request, "Left as it is. We do not remind you of it.")
    return redirect("brokers:order", code=code)


# --- Offers -----------------------------------------------------------------------------------------------------------


def _sales(shares: dict[int, int]) -> list[Line]:
    return [Line(pk, StockOrder.Side.SELL, quantity) for pk, quantity in shares.items()]


def _by_account(
    investor: Investor,
    parts: dict[queries.Account, dict[int, int]],
    lines: Callable[[dict[int, int]], list[Line]],
) -> list[Offer]:
    """An offer for each account that holds something and has something to order."""
    linked = {(each.broker, each.account_ref): each for each in accounts.accounts_of(investor)}
    ordered = {place: found for place, shares in parts.items() if (found := lines(shares))}
    routes = [broker for broker, _ in ordered]
    return [
        _offer(place, linked.get(place), found, alone=routes.count(place[0]) == 1) for place, found in ordered.items()
    ]


def _offer(place: queries.Account, account: BrokerAccount | None, lines: list[Line], *, alone: bool) -> Offer:
    broker, ref = place
    route = registry.capability(broker)
    named = _account_words(account, ref, alone=alone)
    words = f"{route.name}{f', {named}' if named else ''}: {route.how}"
    why_not = SWITCHED_OFF if broker not in settings.BROKERS else ""
    if account is None and route.needs_link:
        why_not = why_not or NOT_LINKED
    # Where an account is made known by the journey itself, one that was unlinked is named at the broker again.
    choice = account.code if account and not alone else broker
    return Offer(choice, (broker, ref if account else ""), words, lines, why_not)


def _account_words(account: BrokerAccount | None, ref: str, *, alone: bool) -> str:
    """What people call the account; nothing where it has no name and there is no other at its route."""
    if account is None:
        return f"…{ref[-4:]}" if ref else ""
    return account.label or ("" if alone else account.code)


# --- The page ---------------------------------------------------------------------------------------------------------


def _page(
    request: InvestorRequest,
    shown: Shown | None,
    offers: list[Offer],
    intent: str,
    repairs: BasketOrder | None = None,
    why_none: str = "",
) -> HttpResponse:
    """The lines of a journey, to look at before a broker is chosen for them."""
    possible = {each.choice: each for each in offers if not each.why_not}
    choices = [(each.choice, each.words) for each in possible.values()]
    if request.method == "POST":
        sent = JourneyForm(request.POST, brokers=choices)
        return choosing.answer(request, sent, lambda: _opened(request, sent, possible, intent, shown, repairs))
    back = typed.kept(request, once=True)
    first = choosing.first(request.investor, {"broker": choices[0][0] if choices else None})
    form = JourneyForm(back.data if back else None, brokers=choices, initial=first)
    if back:
        back.show_in(form)
    title, text = TITLES[intent]
    context = {
        "title": title,
        "text": text,
        "form": form,
        "parts": _parts(offers),
        "may_order": bool(choices),
        "why_none": why_none or NOTHING[intent],
        "back_url": _back_url(shown, repairs),
        **choosing.offered(request.investor),
    }
    return render(request, "brokers/moves.html", context)


def _opened(
    request: InvestorRequest,
    form: JourneyForm,
    offers: dict[str, Offer],
    intent: str,
    shown: Shown | None,
    repairs: BasketOrder | None,
) -> BasketOrder:
    offer = offers[form.cleaned_data["broker"]]
    return choosing.opened(request, form, intent, offer.lines, shown, repairs, through=offer.through)


def _back_url(shown: Shown | None, repairs: BasketOrder | None) -> str:
    if shown:
        return reverse("orders:basket", args=[shown.basket.slug])
    return reverse("brokers:order", args=[repairs.code if repairs else ""])


def _parts(offers: list[Offer]) -> list[dict[str, Any]]:
    """A table an account; one table where every way orders the same."""
    if offers and all(each.lines == offers[0].lines and not each.why_not for each in offers):
        return [{"title": "What would be ordered", "rows": _rows(offers[0].lines), "why_not": ""}]
    return [
        {
            "title": f"In your account at {stock_words.BROKERS[each.through[0]]}"
            if len(offers) == 1
            else each.words.partition(": ")[0],
            "rows": _rows(each.lines),
            "why_not": each.why_not,
        }
        for each in offers
    ]


def _rows(lines: list[Line]) -> list[dict[str, Any]]:
    shares = queries.securities_by_id(line.security_id for line in lines)
    return [
        {
            "side": "Sell" if line.side == StockOrder.Side.SELL else "Buy",
            "name": shares[line.security_id].name,
            "quantity": line.quantity,
            "price": shares[line.security_id].last_price,
        }
        for line in lines
    ]
