"""One share through one's own broker: how many, bought or sold, and by which way. Nothing is ordered here."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from brokers.forms import NumberForm
from brokers.views import choosing
from investors.access import InvestorRequest, ready_investor_page
from orders import stock_words
from orders.models import BasketOrder, Security, StockOrder
from orders.operations import quotes
from orders.operations.baskets import Line
from orders.queries import baskets
from orders.queries import quotes as queries
from orders.views import prices
from portal import clock, typed

TITLES = {StockOrder.Side.BUY: "Buy", StockOrder.Side.SELL: "Sell"}


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def buy(request: InvestorRequest, isin: str) -> HttpResponse:
    """Buy one share."""
    return _page(request, isin, StockOrder.Side.BUY)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def sell(request: InvestorRequest, isin: str) -> HttpResponse:
    """Sell one share. What can be sold the broker knows: shares may have come from elsewhere."""
    return _page(request, isin, StockOrder.Side.SELL)


def _page(request: InvestorRequest, isin: str, side: StockOrder.Side) -> HttpResponse:
    share = queries.share(isin)
    if share is None or not share.is_active:
        raise Http404
    if request.method == "POST":
        sent = NumberForm(request.POST, brokers=choosing.brokers(request.investor))
        return choosing.answer(request, sent, lambda: _opened(request, sent, share, side))
    at, back = clock.now(), typed.kept(request, once=True)
    quotes.want(security_ids=[share.pk], at=at, investor_id=request.investor.pk)
    form = NumberForm(
        back.data if back else None,
        brokers=choosing.brokers(request.investor),
        initial=choosing.first(request.investor),
    )
    if back:
        back.show_in(form)
    context = {
        "share": share,
        "side": side,
        "act": TITLES[side],
        "price": prices.of(share),
        "form": form,
        **choosing.offered(request.investor),
        "open_order": baskets.open_order_of_share(investor=request.investor, security=share),
        "held": [
            {"row": each, "broker": stock_words.BROKERS.get(each.broker, each.broker)}
            for each in baskets.reported(investor=request.investor, security=share)
        ],
    }
    return render(request, "brokers/single.html", context)


def _opened(request: InvestorRequest, form: NumberForm, share: Security, side: StockOrder.Side) -> BasketOrder:
    lines = [Line(share.pk, side, form.cleaned_data["quantity"])]
    return choosing.opened(request, form, BasketOrder.Intent.SINGLE, lines, None)
