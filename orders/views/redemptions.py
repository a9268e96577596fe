"""Selling units: how much, confirmation by one-time code. What becomes of the order is shown by `purchases.detail`."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from investors import merged_banks
from investors.access import InvestorRequest, client_ip, ready_investor_page
from investors.models import Consent
from orders import calendar, rules
from orders.models import MfOrder, Scheme
from orders.operations import redemptions
from orders.queries import orders as order_queries
from orders.queries import redemptions as queries
from orders.queries import schemes as scheme_queries
from orders.queries.redemptions import Sellable
from orders.redemption_rules import InstantTerms
from orders.sale_forms import ConfirmSaleForm, InstantForm, SellForm
from orders.views import confirming
from portal import clock, identifiers, money, typed
from portal.errors import Failure, InvalidInput
from portal.gateway.errors import GatewayError


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def sell(request: InvestorRequest, isin: str) -> HttpResponse:
    """How much to sell of a fund. A valid answer leads to the confirmation page; nothing is ordered here."""
    scheme, sources = _held(request, isin)
    why_not = redemptions.why_not(scheme)
    if request.method == "POST" and not why_not:
        return _asked(request, scheme, SellForm(request.POST, sources=sources))
    back = typed.kept(request, once=True)
    form = SellForm(back.data if back else None, sources=sources, initial={"form_ref": identifiers.new_client_ref()})
    if back:
        back.show_in(form)
    account = redemptions.payout_account(request.investor)
    context = {
        "scheme": scheme,
        "form": form,
        "why_not": why_not,
        "sources": [_stand(each, scheme) for each in sources],
        "can_sell": any(each.stand.free > 0 for each in sources),
        "bounds": _bounds_in_words(scheme),
        "prediction": redemptions.predict(scheme, clock.now()),
        "payout_account": account,
        "ifsc_ended": merged_banks.what_it_means(account.ifsc) if account else "",
    }
    return render(request, "orders/sell.html", context)


def _held(request: InvestorRequest, isin: str) -> tuple[Scheme, list[Sellable]]:
    """The fund and the investor's folios with it; 404 when they hold none of it."""
    scheme = get_object_or_404(Scheme.objects.select_related("fund_house"), isin=isin)
    sources = queries.sellable(investor=request.investor, scheme=scheme, today=clock.today())
    if not sources:
        raise Http404
    return scheme, sources


def _stand(source: Sellable, scheme: Scheme) -> dict[str, Any]:
    """What is free, promised and locked in a folio, as the page shows it."""
    there = source.stand
    at_once = scheme.instant_redemption_allowed and there.free > 0
    place = f"{reverse('orders:sell_instantly', args=[scheme.isin])}?{urlencode({'folio': source.folio_number})}"
    return {
        "folio": source.folio_number,
        "held": money.number(there.held, 3),
        "free": money.number(there.free, 3),
        "worth": f"about {money.rupees(there.free * scheme.nav)}" if scheme.nav is not None else "",
        "pending": money.number(there.pending, 3) if there.pending else "",
        "locks": [f"{money.number(units, 3)} until {calendar.short(until)}" for until, units in there.locks],
        "instant_url": place if at_once else "",
    }


def _bounds_in_words(scheme: Scheme) -> str:
    bounds = scheme_queries.bounds_of_redemption(scheme)
    least = f"At least {money.number(bounds.least_units, 3)} units" if bounds.least_units else ""
    return ". ".join(part for part in (bounds.amount.in_words, least) if part)


def _asked(request: InvestorRequest, scheme: Scheme, form: SellForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    try:
        wish = redemptions.prepare(
            investor=request.investor,
            isin=scheme.isin,
            folio_number=form.cleaned_data["folio"],
            asked=form.asked,
            at=clock.now(),
        )
        return redirect("orders:confirm_sale", code=_ask_for(request, wish, form.cleaned_data["form_ref"]).code)
    except Failure as error:
        return typed.again(request, errors=_where(error, form))


def _ask_for(request: InvestorRequest, wish: redemptions.Wish, form_ref: str) -> Consent:
    return redemptions.ask(
        wish=wish, investor=request.investor, form_ref=form_ref, ip=client_ip(request), at=clock.now()
    )


def _where(error: Failure, form: SellForm | InstantForm) -> dict[str, str]:
    """At its field, or above the form."""
    named = error.field if isinstance(error, InvalidInput) and error.field in form.fields else ""
    return {named: error.message}


# --- At once ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def sell_instantly(request: InvestorRequest, isin: str) -> HttpResponse:
    """How many rupees at once. The fund house is asked first what it pays, and into which accounts."""
    scheme, sources = _held(request, isin)
    folio = request.GET.get("folio", "")
    if not scheme.instant_redemption_allowed or folio not in {each.folio_number for each in sources}:
        raise Http404
    try:
        terms, accounts = redemptions.instant_terms(investor=request.investor, isin=isin, folio_number=folio)
    except GatewayError:
        messages.warning(request, "The fund house does not answer at the moment. You can sell the normal way.")
        return redirect("orders:sell", isin=isin)
    first = {"form_ref": identifiers.new_client_ref(), "bank_account": accounts[0].code if accounts else None}
    form = InstantForm(request.POST or None, accounts=accounts, initial=first)
    if form.is_valid():
        try:
            return redirect("orders:confirm_sale", code=_ask_instantly(request, scheme, folio, form, terms).code)
        except Failure as error:
            for name, text in _where(error, form).items():
                form.add_error(name or None, text)
    context = {
        "scheme": scheme,
        "folio": folio,
        "form": form,
        "terms": terms,
        "accounts": accounts,
        "limits": rules.AmountBounds(terms.least, terms.most, terms.step).in_words,
        "prediction": redemptions.predict(scheme, clock.now(), MfOrder.RedemptionMode.INSTANT),
    }
    return render(request, "orders/sell_instantly.html", context)


def _ask_instantly(
    request: InvestorRequest, scheme: Scheme, folio: str, form: InstantForm, terms: InstantTerms
) -> Consent:
    wish = redemptions.prepare(
        investor=request.investor,
        isin=scheme.isin,
        folio_number=folio,
        asked=form.asked,
        at=clock.now(),
        bank_account=form.cleaned_data["bank_account"],
        terms=terms,
    )
    return _ask_for(request, wish, form.cleaned_data["form_ref"])


# --- The one-time code --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """Everything that will be sold, once more, and the one-time code that makes it an order."""
    if "otp" in request.POST:
        return _place(request, code)
    consent = get_object_or_404(
        Consent.objects.select_related("order"), code=code, investor=request.investor, purpose="REDEMPTION"
    )
    if hasattr(consent, "order"):
        return redirect("orders:detail", code=consent.order.code)
    return confirming.page(request, consent, ConfirmSaleForm, "orders/confirm_sale.html", _twin(request, consent))


def _place(request: InvestorRequest, code: str) -> HttpResponse:
    investor, ip, at = request.investor, client_ip(request), clock.now()

    def act(otp: str, again: bool) -> str:
        order = redemptions.confirm(investor=investor, code=code, otp=otp, sell_again=again, ip=ip, at=at)
        return reverse("orders:detail", args=[order.code])

    def ask_again(consent: Consent) -> Consent:
        wish = redemptions.wish_of(consent=consent, investor=investor, at=at)
        return _ask_for(request, wish, consent.form_ref)

    return confirming.taken(request, code, ConfirmSaleForm(request.POST), act=act, ask_again=ask_again)


def _twin(request: InvestorRequest, consent: Consent) -> dict[str, object]:
    """The same, sold a moment ago."""
    asked = redemptions.asked_in(consent)
    twin = queries.look_alike(
        investor=request.investor, isin=consent.isin, folio_number=consent.folio_number, asked=asked, at=clock.now()
    )
    return {
        "twin": twin,
        "twin_title": "You sold the same a short while ago",
        "twin_text": f"{asked.in_words} on {order_queries.moment(twin.placed_at)}." if twin else "",
        "twin_url": reverse("orders:detail", args=[twin.code]) if twin else "",
    }
