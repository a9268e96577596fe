"""Paying: out to FP's page and back. What the browser brings back is stored and never believed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors.access import InvestorRequest, investor_page
from orders import capabilities, links
from orders.models import MfOrder
from payments import bank_pages, lifecycle, operations
from payments.models import Payment
from portal import audit, clock, inbox
from portal.access import DOORBELL, access
from portal.errors import Failure
from portal.gateway.errors import GatewayError
from portal.scope import ALL, scope

# The fields of FP's form post (given document, "Net Banking"); nothing else of the browser's is kept.
RETURN_FIELDS = ("paymentId", "status", "failureReason")


@require_POST
@never_cache
@investor_page
def pay(request: InvestorRequest, code: str) -> HttpResponse:
    """Send the investor to the page on which this order, and what is paid with it, is paid."""
    order = get_object_or_404(MfOrder.objects.select_related("cart"), code=code, investor=request.investor)
    try:
        payment = operations.hand_over(order=order, at=clock.now(), method=_method(request, order))
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect(links.page_of(order))
    except GatewayError:
        messages.warning(
            request, "We could not ask about your earlier payment. Please wait a minute; do not pay again yet."
        )
        return redirect(links.page_of(order))
    if payment is None:
        messages.info(request, "We are preparing your payment page. It takes a few seconds.")
        return redirect(links.page_of(order))
    if payment.page_html:
        return redirect("payments:bank_page", code=payment.code)
    response = redirect(payment.token_url)
    # The address is good for one payment: it must not travel onward as a referrer.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _method(request: InvestorRequest, order: MfOrder) -> str:
    """The way of paying that was chosen on the page, if it is one that the order's gateway knows; else empty."""
    chosen = request.POST.get("method", "")
    return chosen if chosen in capabilities.of(order.gateway).pages else ""


# --- the BSE gateway's page ---------------------------------------------------------------------------------------


@require_safe
@never_cache
@investor_page
def bank_page(request: InvestorRequest, code: str) -> HttpResponse:
    """Our page around the frame in which the bank's form waits for one press of a button."""
    payment = _with_page(request, code)
    lines = list(payment.lines.select_related("order__scheme", "order__cart").order_by("order_id"))
    context = {"payment": payment, "lines": lines, "back_url": links.page_of(lines[0].order)}
    return render(request, "payments/bank_page.html", context)


@require_safe
@never_cache
@xframe_options_sameorigin
@investor_page
def bank_frame(request: InvestorRequest, code: str) -> HttpResponse:
    """The page that BSE answered, for our sandboxed frame only: no script runs in it, its form leads to the bank."""
    payment = _with_page(request, code)
    response = HttpResponse(bank_pages.framed(payment.page_html))
    response["Content-Security-Policy"] = bank_pages.POLICY.format(origins=" ".join(settings.PAYMENT_PAGE_ORIGINS))
    response["Referrer-Policy"] = "no-referrer"
    return response


def _with_page(request: InvestorRequest, code: str) -> Payment:
    """The investor's payment while its page lives and was handed out; 404 else."""
    payment = get_object_or_404(Payment, code=code, investor=request.investor, state=lifecycle.AWAITING_INVESTOR)
    lives = payment.token_expires_at is not None and clock.now() < payment.token_expires_at
    if not payment.page_html or payment.handed_over_at is None or not lives:
        raise Http404
    return payment


# --- and back -----------------------------------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "POST"])
@never_cache
@access(DOORBELL)
def payment_return(request: HttpRequest, nonce: str) -> HttpResponse:
    """The bank's page sent the browser back: store that it rang, nudge a fetch, and show the order."""
    at = clock.now()
    said = {name: str((request.POST or request.GET).get(name, ""))[:200] for name in RETURN_FIELDS}
    with scope(ALL):
        payment = Payment.objects.filter(nonce=nonce).first()
        if payment is None:
            raise Http404
        inbox.ring(
            provider="fp",
            kind="payment_return",
            body={**said, "payment": payment.code},
            subject=(audit.kind_of(payment), str(payment.pk)),
            at=at,
        )
        order = payment.lines.select_related("order__cart").order_by("order_id")[0].order
    response = redirect(links.page_of(order))
    response.status_code = 303
    return response
