"""Where a basket's logo is: an address of ours that names the picture, so that it may be kept for ever."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from orders.models import Basket, BasketLogo


def path(basket: Basket) -> str:
    """The path of the logo; empty where there is none. Asks for nothing when the logo was read with the basket."""
    return path_of(basket.logo) if basket.logo else ""


def path_of(logo: BasketLogo) -> str:
    """The path of a picture."""
    return reverse("orders:basket_logo", args=[logo.digest])


def address(basket: Basket) -> str:
    """The whole address, for a broker that shows it beside the order; https only, as brokers want it."""
    found = path(basket)
    return f"{settings.PUBLIC_URL}{found}" if found and settings.HTTPS else ""
