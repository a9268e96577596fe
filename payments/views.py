"""Paying: out to FP's page and back. What the browser brings back is stored and never believed."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from investors.access import InvestorRequest, investor_page
from orders.models import MfOrder
from payments import operations
from payments.models import Payment
from portal import audit, clock, inbox, jobs
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
    """Send the investor to the page on which this order is paid."""
    order = get_object_or_404(MfOrder, code=code, investor=request.investor)
    try:
        address = operations.hand_over(order=order, at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect("orders:detail", code=code)
    except GatewayError:
        messages.warning(
            request, "We could not ask about your earlier payment. Please wait a minute; do not pay again yet."
        )
        return redirect("orders:detail", code=code)
    if address is None:
        messages.info(request, "We are preparing your payment page. It takes a few seconds.")
        return redirect("orders:detail", code=code)
    response = redirect(address)
    # The address is good for one payment: it must not travel onward as a referrer.
    response["Referrer-Policy"] = "no-referrer"
    return response


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
        with transaction.atomic():
            event, made = inbox.store(
                provider="fp",
                kind="payment_return",
                body={**said, "payment": payment.code},
                subject=(audit.kind_of(payment), str(payment.pk)),
                at=at,
            )
            if made:
                jobs.nudge("portal.work_event", event_id=event.pk)
        order_code = payment.lines.values_list("order__code", flat=True)[0]
    response = redirect("orders:detail", code=order_code)
    response.status_code = 303
    return response
