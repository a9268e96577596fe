"""The rows of a list of orders: one format string each, as in `holdings_table`."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from orders import lifecycle, words
from orders.queries.orders import Line, moment
from portal.templatetags.portal_tags import state

ROW = """<li><a class="row" href="{url}">
<span><span class="row-title block">{scheme}</span><span class="row-sub">{placed}</span></span>
<span class="row-end"><span class="block num">{amount}</span>{badge}</span>
</a></li>
"""


# What kind of order, in the words of the pages.
KINDS = {"PURCHASE": "Purchase", "REDEMPTION": "Sale", "SWITCH_IN": "Switch", "SWITCH_OUT": "Switch"}


def rows(lines: Iterable[Line]) -> SafeString:
    """The items of `<ul class="rows">`; each leads to its order."""
    place = reverse("orders:detail", args=["CODE"])
    return mark_safe("".join(_row(each, place) for each in lines))  # noqa: S308 - the scheme's name is escaped below


def _row(each: Line, place: str) -> str:
    said = words.for_state(each.kind, each.state, is_unknown=each.is_unknown)
    if each.by_mandate and each.state == lifecycle.AWAITING_PAYMENT and not each.is_unknown:
        said = words.PAYING["bank"]
    return ROW.format(
        url=place.replace("CODE", each.code),
        scheme=escape(each.scheme),
        placed=f"{'SIP instalment' if each.is_instalment else KINDS[each.kind]} · {moment(each.placed_at)}",
        amount=each.asked.in_words,
        badge=state(said.kind, said.badge),
    )
