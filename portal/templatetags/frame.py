"""The frame around every page: its fixed parts, the colours that the visitor chose, and where one is.

Nine tenths of a frame are the same for everybody, so those parts are rendered once per process and set of words.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString, mark_safe

from portal import whereabouts

register = template.Library()

Words = tuple[tuple[str, object], ...]


@register.simple_tag
def fixed(name: str, **words: object) -> SafeString:
    """The template `name` with `words` and the brand: rendered once, then remembered.

    The template sees nothing else, no request and no user, so what is remembered cannot be about anybody. Words must
    come from a short list of ours, never from an address, a cookie or a person.
    """
    render = _fixed.__wrapped__ if settings.DEBUG else _fixed
    return render(name, tuple(words.items()), tuple(settings.BRAND.items()))


@lru_cache(maxsize=256)
def _fixed(name: str, words: Words, brand: Words) -> SafeString:
    return mark_safe(get_template(name).render({**dict(words), "brand": dict(brand)}))  # noqa: S308 - a template escapes


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """`dark` or `light` as the visitor's cookie says; empty when it says neither."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in ("dark", "light") else ""


# --- Navigation -----------------------------------------------------------------------------------------------

# label, icon, URL name: side navigation and, on phones, the bottom bar.
NAVIGATION = (
    ("Home", "house", "home"),
    ("Explore", "compass", "orders:explore"),
    ("Portfolio", "chart-pie", "orders:portfolio"),
    ("Orders", "receipt-text", "orders:list"),
    ("Baskets", "shopping-basket", "orders:baskets"),
    ("Profile", "circle-user", "investors:profile"),
)

# The same for people who work at a partner.
CONSOLE = (
    ("Home", "house", "console:home"),
    ("Investors", "users", "console:investors"),
    ("Approvals", "badge-check", "console:approvals"),
    ("Earnings", "indian-rupee", "console:earnings"),
    ("Keys", "key-round", "console:keys"),
    ("Webhooks", "webhook", "console:webhooks"),
    ("Events", "list-ordered", "console:events"),
)

# The names of its pages begin with it; alone it says that a page belongs to the console and to no entry.
CONSOLE_OF = "console:"

# Pages that lie elsewhere and belong to an entry of the navigation all the same.
ALSO = {
    "orders:baskets": ("orders:shares", "orders:watchlist"),
    "orders:list": ("orders:sips", "orders:cart", "orders:approvals"),
    "investors:profile": (
        "investors:banks",
        "investors:mandates",
        "investors:kyc",
        "investors:privacy",
        "investors:people",
    ),
    "console:earnings": ("console:payouts",),
    "console:investors": ("console:invite", "console:transfers", "console:firms"),
}


@register.simple_tag(takes_context=True)
def section(context: template.Context) -> str:
    """The entry of the main navigation in which the page lies, by its URL name: the longest address that fits.

    A page that lies in neither navigation (notices, the account) keeps the one that the reader comes from.
    """
    path = context["request"].path if "request" in context else ""
    inside = [
        (len(url), name)
        for _, _, name in (*NAVIGATION, *CONSOLE)
        for page in (name, *ALSO.get(name, ()))
        if (url := _address(page)) and (path == url or (url != "/" and path.startswith(url)))
    ]
    return max(inside, default=(0, ""))[1] or (CONSOLE_OF if whereabouts.is_in_console(context.get("request")) else "")


@register.filter
def is_console(current: str) -> bool:
    """Does this section lie in the console of partners?"""
    return current.startswith(CONSOLE_OF)


@register.simple_tag
def navigation(current: str = "") -> list[dict[str, Any]]:
    """The entries of the main navigation; `current` is the one of `section`."""
    return [
        {"label": label, "icon": symbol, "url": url, "current": name == current}
        for label, symbol, name in (CONSOLE if is_console(current) else NAVIGATION)
        if (url := _address(name)) is not None
    ]


@cache
def _address(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
