"""The first page of the console: the book, what is under way, what needs a call."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import words
from portal import arns, clock
from portal.console import queries
from portal.console.access import ConsoleRequest, console_page
from portal.webhooks import endpoints
from portal.webhooks.models import WebhookEndpoint


@require_safe
@never_cache
@console_page
def home(request: ConsoleRequest) -> HttpResponse:
    """Assets, SIP book, people, orders in flight."""
    partner = request.partner
    orders = [(words.to_others(words.STATES[each.state]), each) for each in queries.in_flight(partner)]
    waiting = queries.approvals_pending(partner, clock.now())
    context = {
        "book": queries.book_of(partner),
        "orders": orders,
        "orders_count": sum(each.orders for _, each in orders),
        "baskets": queries.baskets_in_flight(partner),
        "approvals": waiting,
        "waits": f"{waiting} approval{'' if waiting == 1 else 's'} waiting for investors",
        "arn_ended": arns.why_no_new_business(partner, clock.today()),
        "arn_ends": arns.what_will_stop(partner, clock.today()),
        "off": endpoints.of_partner(partner).filter(state=WebhookEndpoint.State.DISABLED).first(),
    }
    return render(request, "console/home.html", context)
