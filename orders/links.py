"""Where an investor follows an order."""

from __future__ import annotations

from django.urls import reverse

from orders.models import MfOrder


def page_of(order: MfOrder) -> str:
    """The page of the order's cart, where everything in it is paid together, or its own."""
    if order.cart_id and order.cart:
        return reverse("orders:cart_done", args=[order.cart.code])
    return reverse("orders:detail", args=[order.code])
