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
    """The investor has been written to about the allotment. Returns whether a message was sent now."""
    return _tell(order_id, lifecycle.ALLOTTED, "Units allotted", "email/orders_allotted.txt", at)


def tell_redeemed(*, order_id: int, at: datetime) -> bool:
    """The investor has been written to about units sold, and by when the money comes to which account."""
    return _tell(order_id, lifecycle.REDEEMED, "Units sold", "email/orders_redeemed.txt", at)


def _tell(order_id: int, state: str, subject: str, template: str, at: datetime) -> bool:
    """At least once: the message goes out before the fact is recorded, so a crash between the two sends it again, and a
    mail server that is down leaves the order due.
    """
    with_all = MfOrder.objects.select_related("scheme", "folio", "bank_account", "investor__user")
    order = with_all.filter(pk=order_id).first()
    if order is None or order.state != state or order.due_at is None:
        return False
    body = render_to_string(template, _facts(order))
    send_mail(f"{subject}: {order.scheme.name}"[:150], body, settings.DEFAULT_FROM_EMAIL, [order.investor.user.email])
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
        "amount": money.rupees(order.amount or money.ZERO),
        "units": money.number(order.allotted_units or money.ZERO, 3),
        "nav": money.number(order.allotted_nav or money.ZERO, 4),
        "on": order.allotted_on,
        "folio": order.folio.number if order.folio else "",
        "code": order.code,
        "link": settings.PUBLIC_URL + reverse("orders:detail", args=[order.code]),
        "rupees": money.rupees(order.allotted_amount or money.ZERO),
        "bank": str(order.bank_account),
        "payout_by": order.payout_by,
        "mode": order.redeemed_as,
        "became_normal": order.redemption_mode == "INSTANT" and order.redeemed_as == "NORMAL",
    }
