"""Buying a fund, and what became of it: amount, confirmation by one-time code, order page, order list."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors import queries as people
from investors.access import InvestorRequest, investor_page, ready_investor_page
from investors.models import Consent
from investors.operations import consents
from orders import lifecycle, rules, words
from orders.forms import ConfirmForm, PurchaseForm
from orders.models import MfOrder, Scheme
from orders.operations import purchases
from orders.queries import orders as order_queries
from orders.queries import schemes as scheme_queries
from portal import clock, identifiers, jobs, money, redaction
from portal.errors import Failure, InvalidInput

# While an investor watches an open order, FP is asked about it at most this often.
ASK_EVERY_S = 4
QUICK_AMOUNTS = (1_000, 5_000, 10_000, 25_000)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def buy(request: InvestorRequest, isin: str) -> HttpResponse:
    """How much to invest in a scheme. A valid answer leads to the confirmation page; nothing is ordered here."""
    scheme = get_object_or_404(Scheme.objects.select_related("fund_house"), isin=isin)
    accounts = people.bank_accounts_of(request.investor).filter(provider_ref__isnull=False)
    form = PurchaseForm(request.POST or None, accounts=accounts, initial=_first_answers(request))
    why_not = scheme_queries.why_not_for_sale(scheme)
    if request.method == "POST" and not why_not and form.is_valid():
        try:
            return redirect("orders:confirm", code=_ask(request, scheme, form).code)
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except Failure as error:
            form.add_error(None, error.message)
    context = {
        "scheme": scheme,
        "form": form,
        "why_not": why_not,
        "chips": _chips(scheme),
        "bounds": scheme_queries.bounds_for(scheme, is_first=True),
        "prediction": None if why_not else _prediction(scheme),
    }
    return render(request, "orders/buy.html", context, status=422 if form.errors else 200)


def _first_answers(request: InvestorRequest) -> dict[str, object]:
    primary = people.primary_bank_account(request.investor)
    return {
        "form_ref": identifiers.new_client_ref(),
        "bank_account": primary.code if primary else None,
        "amount": request.GET.get("amount", ""),
    }


def _chips(scheme: Scheme) -> list[int]:
    smallest = scheme_queries.bounds_for(scheme, is_first=True).minimum or money.ZERO
    return [amount for amount in QUICK_AMOUNTS if amount >= smallest]


def _prediction(scheme: Scheme) -> object:
    return rules.predict_nav_day(
        at=clock.now(),
        is_liquid=scheme_queries.is_liquid(scheme),
        method="UPI",
        holidays=scheme_queries.holidays(),
    )


def _ask(request: InvestorRequest, scheme: Scheme, form: PurchaseForm) -> Consent:
    """The consent that asks for the investor's yes to exactly this purchase."""
    at, answers = clock.now(), form.cleaned_data
    wish = purchases.prepare(
        investor=request.investor,
        scheme=scheme,
        amount=answers["amount"],
        bank_account=answers["bank_account"],
        payment_method=answers["payment_method"],
        at=at,
    )
    return consents.ask(
        investor=request.investor,
        purpose=Consent.Purpose.PURCHASE,
        form_ref=answers["form_ref"],
        shown=purchases.shown(wish),
        amount=wish.amount,
        isin=scheme.isin,
        folio_number=wish.folio.number if wish.folio else "",
        ip=client_ip(request),
        at=at,
    )


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """Everything that will be ordered, once more, and the one-time code that makes it an order."""
    consent = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.PURCHASE)
    if placed := order_queries.of_investor(request.investor).filter(consent=consent).first():
        return redirect("orders:detail", code=placed.code)
    if request.POST.get("resend"):
        return _resend(request, consent)
    scheme = get_object_or_404(Scheme, isin=consent.isin)
    twin = purchases.look_alike(
        investor=request.investor, scheme=scheme, amount=consent.amount or money.ZERO, at=clock.now()
    )
    form = ConfirmForm(request.POST or None, looks_alike=twin is not None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("orders:detail", code=_place(request, consent, scheme, form).code)
        except Failure as error:
            form.add_error(
                "otp" if isinstance(error, (consents.WrongCode, consents.CodeExpired, consents.TooManyTries)) else None,
                error.message,
            )
    context = {
        "consent": consent,
        "scheme": scheme,
        "form": form,
        "lines": consent.lines,
        "contact": redaction.mask_email(consent.contact),
        "twin": twin,
        "twin_text": f"{money.rupees(twin.amount)} on {order_queries.moment(twin.placed_at)}." if twin else "",
        "twin_url": reverse("orders:detail", args=[twin.code]) if twin else "",
    }
    return render(request, "orders/confirm.html", context, status=422 if form.errors else 200)


def _resend(request: InvestorRequest, consent: Consent) -> HttpResponse:
    try:
        consents.resend(consent=consent, at=clock.now())
        messages.info(request, "We sent a new code. The earlier one no longer works.")
    except Failure as error:
        messages.warning(request, error.message)
    return redirect("orders:confirm", code=consent.code)


def _place(request: InvestorRequest, consent: Consent, scheme: Scheme, form: ConfirmForm) -> MfOrder:
    at = clock.now()
    given = consents.give(
        investor=request.investor, code=consent.code, otp=form.cleaned_data["otp"].strip(), ip=client_ip(request), at=at
    )
    account, method = purchases.chosen(given)
    wish = purchases.prepare(
        investor=request.investor,
        scheme=scheme,
        amount=given.amount or money.ZERO,
        bank_account=account,
        payment_method=method,
        at=at,
    )
    return purchases.place(consent=given, wish=wish, user_ip=client_ip(request), at=at, actor=request.investor.user)


@require_safe
@never_cache
@investor_page
def detail(request: InvestorRequest, code: str) -> HttpResponse:
    """One order: what it is, where it stands, what happened, what to do. The status refreshes itself while open."""
    order = get_object_or_404(
        order_queries.of_investor(request.investor).select_related("scheme__fund_house", "folio", "bank_account"),
        code=code,
    )
    recorded = order_queries.entries(order)
    is_open = order.state in lifecycle.OPEN
    paying = order.state == lifecycle.AWAITING_PAYMENT
    if is_open and order.provider_ref and cache.add(f"asked-{order.pk}", 1, ASK_EVERY_S):
        # Somebody is watching: ask FP a little sooner than the sweep would.
        if paying:
            jobs.nudge("payments.refresh_of_order", order_id=order.pk)
        else:
            jobs.nudge("orders.advance", row_id=order.pk)
    out = paying and order_queries.payment_is_out(recorded)
    context = {
        "order": order,
        "words": words.BANK_IS_CHECKED if out else words.of(order),
        "steps": order_queries.timeline(order, recorded),
        "is_open": is_open,
        "can_pay": paying,
        "is_out": out,
        "payment_failure": order_queries.last_payment_failure(recorded) if paying else "",
        "failure": words.reason(order.failure_code, order.failure_text),
    }
    template = "orders/_order_status.html" if request.headers.get("HX-Request") else "orders/detail.html"
    return render(request, template, context)


@require_safe
@investor_page
def order_list(request: InvestorRequest) -> HttpResponse:
    """The investor's orders, newest first, by page and filter."""
    only = request.GET.get("show", "")
    before = request.GET.get("before", "")
    page = order_queries.page(request.investor, only=only, before=int(before) if before.isdigit() else None)
    following = {"show": only, "before": page.next_cursor}
    context = {
        "rows": page.rows,
        "only": only,
        "filters": order_queries.FILTER_LABELS,
        "next_url": f"?{urlencode({key: value for key, value in following.items() if value})}"
        if page.next_cursor
        else "",
        "first_url": "?" + urlencode({"show": only}) if before else "",
    }
    return render(request, "orders/list.html", context)


def client_ip(request: InvestorRequest) -> str | None:
    """The investor's address as the server sees it, behind as many trusted proxies as settings name."""
    return get_adapter().get_client_ip(request) or None
