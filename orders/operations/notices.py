"""What investors are told about their orders by e-mail. No advice words; each message links to the order's page."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from orders import lifecycle
from orders.models import MfOrder
from portal import audit, money

TOLD = "order.investor_told"


def tell_allotted(*, order_id: int, at: datetime) -> bool:
    """The investor has been written to about the allotment. Returns whether a message was sent now.

    At least once: the message goes out before the fact is recorded, so a crash between the two sends it again, and a
    mail server that is down leaves the order due.
    """
    order = MfOrder.objects.select_related("scheme", "folio", "investor__user").filter(pk=order_id).first()
    if order is None or order.state != lifecycle.ALLOTTED or order.due_at is None:
        return False
    body = render_to_string("email/orders_allotted.txt", _facts(order))
    send_mail(
        f"Units allotted: {order.scheme.name}"[:150], body, settings.DEFAULT_FROM_EMAIL, [order.investor.user.email]
    )
    with transaction.atomic():
        row = MfOrder.objects.select_for_update().get(pk=order_id)
        row.due_at = None
        row.save(update_fields=["due_at"])
        audit.record(row, TOLD, actor=None, at=at)
    return True


def _facts(order: MfOrder) -> dict[str, object]:
    return {
        "brand": settings.BRAND,
        "name": order.investor.name,
        "scheme": order.scheme.name,
        "amount": money.rupees(order.cost),
        "units": money.number(order.allotted_units or money.ZERO, 3),
        "nav": money.number(order.allotted_nav or money.ZERO, 4),
        "on": order.allotted_on,
        "folio": order.folio.number if order.folio else "",
        "code": order.code,
        "link": settings.PUBLIC_URL + reverse("orders:detail", args=[order.code]),
    }
