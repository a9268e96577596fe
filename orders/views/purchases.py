"""Buying a fund, and what became of it: amount, confirmation by one-time code, order page, order list."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors import queries as people
from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from investors.models import Consent
from investors.operations import consents
from orders import lifecycle, rules, timeline, words
from orders.forms import ConfirmForm, PurchaseForm
from orders.models import MfOrder, Scheme
from orders.operations import carts, new_houses, purchases
from orders.queries import investor_cases, ways
from orders.queries import orders as order_queries
from orders.queries import purchases as purchase_queries
from orders.queries import schemes as scheme_queries
from orders.views import cases, confirming, order_rows
from orders.views.ways import way_of
from portal import audit, clock, hints, identifiers, jobs, money, typed
from portal.errors import Failure, InvalidInput

# While an investor watches an open order, FP is asked about it at most this often.
ASK_EVERY_S = 4
QUICK_AMOUNTS = (1_000, 5_000, 10_000, 25_000)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def buy(request: InvestorRequest, isin: str) -> HttpResponse:
    """How much to invest in a scheme. A valid answer leads to the confirmation page; nothing is ordered here."""
    scheme = get_object_or_404(Scheme.objects.select_related("fund_house"), isin=isin)
    accounts = people.bank_accounts_of(request.investor).filter(provider_ref__isnull=False)
    why_not = scheme_queries.why_not_for_sale(scheme, clock.today())
    if request.method == "POST" and not why_not:
        return _asked(request, scheme, _form(request, scheme, accounts, request.POST))
    back = typed.kept(request, once=True)
    form = _form(request, scheme, accounts, back.data if back else None)
    if back:
        back.show_in(form)
    is_first = not scheme_queries.is_held(request.investor, scheme)
    bounds = scheme_queries.bounds_for(scheme, is_first=is_first)
    context = {
        "scheme": scheme,
        "form": form,
        "why_not": why_not,
        "chips": [amount for amount in QUICK_AMOUNTS if amount >= (bounds.minimum or money.ZERO)],
        "bounds": bounds.in_words,
        "is_first": is_first,
        "prediction": None if why_not else _prediction(scheme),
    }
    return render(request, "orders/buy.html", context)


def _form(request: InvestorRequest, scheme: Scheme, accounts: object, data: object) -> PurchaseForm:
    advised = ways.advice(investor=request.investor, schemes=[scheme], amount=None, at=clock.now())
    return PurchaseForm(
        data,
        accounts=accounts,
        ways=ways.choices(advised),
        folios=purchase_queries.folios_for(investor=request.investor, scheme=scheme),
        initial=_first_answers(request),
    )


def _asked(request: InvestorRequest, scheme: Scheme, form: PurchaseForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            if "cart" in request.POST:
                return _put_in_cart(request, scheme, form)
            return redirect("orders:confirm", code=_ask(request, scheme, form).code)
        except InvalidInput as error:
            errors = {error.field if error.field in form.fields else "": error.message}
        except Failure as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


def _put_in_cart(request: InvestorRequest, scheme: Scheme, form: PurchaseForm) -> HttpResponse:
    answers = form.cleaned_data
    carts.add(
        investor=request.investor,
        isin=scheme.isin,
        amount=answers["amount"],
        folio=answers.get("folio", ""),
        at=clock.now(),
    )
    messages.success(request, f"{scheme.name} is in your cart.")
    return redirect("orders:cart")


def _first_answers(request: InvestorRequest) -> dict[str, object]:
    primary = people.primary_bank_account(request.investor)
    return {
        "form_ref": identifiers.new_client_ref(),
        "bank_account": primary.code if primary else None,
        "amount": request.GET.get("amount", ""),
    }


def _prediction(scheme: Scheme) -> object:
    return rules.predict_nav_day(
        at=clock.now(),
        category=scheme.category,
        method="UPI",
        holidays=scheme_queries.holidays(),
        book=scheme_queries.book(),
    )


def _ask(request: InvestorRequest, scheme: Scheme, form: PurchaseForm) -> Consent:
    """The consent that asks for the investor's yes to exactly this purchase."""
    at, answers, way = clock.now(), form.cleaned_data, way_of(request, form)
    new_houses.ask_registries(investor=request.investor, isins=[scheme.isin], at=at)
    wish = purchases.prepare(
        investor=request.investor,
        isin=scheme.isin,
        amount=answers["amount"],
        bank_account=way.bank_account,
        payment_method=way.method,
        mandate=way.mandate,
        folio=answers.get("folio", ""),
        at=at,
    )
    return _ask_for(request, wish, answers["form_ref"], at)


def _ask_for(request: InvestorRequest, wish: purchases.Wish, form_ref: str, at: datetime) -> Consent:
    return consents.ask(
        investor=request.investor,
        purpose=Consent.Purpose.PURCHASE,
        form_ref=form_ref,
        shown=purchases.to_confirm(wish, request.investor),
        amount=wish.amount,
        isin=wish.scheme.isin,
        folio_number=wish.facts.folio_number,
        ip=client_ip(request),
        at=at,
    )


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """Everything that will be ordered, once more, and the one-time code that makes it an order."""
    if "otp" in request.POST:
        return _place(request, code)
    consent = get_object_or_404(
        Consent.objects.select_related("order"), code=code, investor=request.investor, purpose="PURCHASE"
    )
    if hasattr(consent, "order"):
        return redirect("orders:detail", code=consent.order.code)
    return confirming.page(request, consent, ConfirmForm, "orders/confirm.html", _twin(request, consent))


def _place(request: InvestorRequest, code: str) -> HttpResponse:
    investor, ip, at = request.investor, client_ip(request), clock.now()

    def act(otp: str, again: bool) -> str:
        order = purchases.confirm(investor=investor, code=code, otp=otp, buy_again=again, ip=ip, at=at)
        return reverse("orders:detail", args=[order.code])

    def ask_again(consent: Consent) -> Consent:
        wish = purchases.wish_of(consent=consent, investor=investor, at=at)
        return _ask_for(request, wish, consent.form_ref, at)

    return confirming.taken(request, code, ConfirmForm(request.POST), act=act, ask_again=ask_again)


def _twin(request: InvestorRequest, consent: Consent) -> dict[str, object]:
    """The same, bought a moment ago."""
    twin = purchase_queries.look_alike(
        investor=request.investor, isin=consent.isin, amount=consent.amount or money.ZERO, at=clock.now()
    )
    return {
        "twin": twin,
        "twin_text": f"{money.rupees(twin.cost)} on {order_queries.moment(twin.placed_at)}." if twin else "",
        "twin_url": reverse("orders:detail", args=[twin.code]) if twin else "",
    }


@require_safe
@never_cache
@investor_page
def detail(request: InvestorRequest, code: str) -> HttpResponse:
    """One order: what it is, where it stands, what happened, what to do. The status refreshes itself while open."""
    order = order_queries.one(request.investor.pk, code)
    if order is None:
        raise Http404
    recorded = audit.story_of(order)
    is_open = order.state in lifecycle.OPEN
    paying = order_queries.paying(recorded) if order.state == lifecycle.AWAITING_PAYMENT else None
    if is_open and order.provider_ref and hints.first(f"asked-{order.pk}", ASK_EVERY_S):
        # Somebody is watching: ask FP a little sooner than the sweep would.
        if paying and order.plan_id is None:
            jobs.nudge("payments.refresh_of_order", order_id=order.pk)
        else:
            jobs.nudge("orders.advance", row_id=order.pk)
    was_paid = order_queries.was_paid(recorded)
    said = words.PAYING.get(paying or "", words.of(order))
    holidays, book = scheme_queries.holidays(), scheme_queries.book()
    told = timeline.of(order, recorded, now_text=said.title, at=clock.now(), holidays=holidays, book=book)
    context = {
        "order": order,
        "asked": order.asked.in_words,
        "is_sale": order.kind != MfOrder.Kind.PURCHASE,
        "is_switch": order.kind.startswith("SWITCH"),
        "words": said,
        "steps": told.steps,
        "money_now": told.money,
        "compared": timeline.compare(order, holidays, book),
        "why_later": timeline.why_later(order, recorded, holidays, book),
        "is_open": is_open,
        "paying": paying,
        "payment_failure": _payment_failure(recorded) if paying else None,
        "cases": [cases.card(each, holidays) for each in investor_cases.of_order(order, recorded)],
        "other_ways": ways.at_pages(order.gateway, order.cost, clock.today())
        if paying and order.plan_id is None
        else (),
        "failure": words.reason(order.failure_code, order.failure_text),
        "next_step": _next_step(order),
        "was_paid": was_paid,
        "money_back": words.money_back(order, was_paid=was_paid, today=clock.today(), holidays=holidays),
    }
    if not request.headers.get("HX-Request"):
        return render(request, "orders/detail.html", context)
    response = render(request, "orders/_order_status.html", context)
    if not is_open:
        # The end of the story changes the rest of the page too (folio, NAV day): load it whole, once.
        response["HX-Refresh"] = "true"
    return response


def _payment_failure(recorded: list[audit.Told]) -> order_queries.PaymentFailure | None:
    return order_queries.last_payment_failure(recorded, today=clock.today(), holidays=scheme_queries.holidays())


def _next_step(order: MfOrder) -> dict[str, str] | None:
    """The link under an order that ended without units."""
    found = words.next_step(order)
    if found is None:
        return None
    label, name = found
    if name == "orders:holding":
        return {"label": label, "url": reverse(name, args=[order.scheme.isin])}
    if name != "orders:buy":
        return {"label": label, "url": reverse(name)}
    amount = urlencode({"amount": f"{order.amount:.0f}"})
    return {"label": label, "url": f"{reverse(name, args=[order.scheme.isin])}?{amount}"}


@require_safe
@investor_page
def order_list(request: InvestorRequest) -> HttpResponse:
    """The investor's orders, newest first, by page and filter."""
    only = request.GET.get("show", "")
    before = request.GET.get("before", "")
    page = order_queries.page(request.investor.pk, only=only, before=identifiers.row_key(before))
    following = {"show": only, "before": page.next_cursor}
    context = {
        "rows": order_rows.rows(page.lines),
        "only": only,
        "filters": order_queries.FILTER_LABELS,
        "next_url": f"?{urlencode({key: value for key, value in following.items() if value})}"
        if page.next_cursor
        else "",
        "first_url": "?" + urlencode({"show": only}) if before else "",
    }
    return render(request, "orders/list.html", context)
