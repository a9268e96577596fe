"""The rows of the list of funds: one format string each, as in `holdings_table`, because every letter typed asks for
twenty-five of them. Names come from outside and are escaped; all other words and figures are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from orders import calendar, risk, rules
from orders.models import Scheme
from orders.queries import search
from orders.views import figures
from portal import money

ROW = """<tr>
<th scope="row"><a class="plain" href="{url}">{name}</a><span class="sub">{house} · {about} · {risk}</span>{tag}</th>
<td class="right" data-label="NAV"><span>{nav}<span class="sub">{nav_on}</span></span></td>
<td class="right" data-label="Change"><span class="{change.kind}">{change.text}</span></td>
<td class="right" data-label="First purchase from">{minimum}</td>
</tr>
"""
TAG = ' <span class="tag">{}</span>'
OPTION_WORDS = dict(Scheme.Option.choices)


def rows(funds: Iterable[search.Found]) -> SafeString:
    """The table's body; each name leads to its fund."""
    place = reverse("orders:scheme", args=["ISIN"])
    return mark_safe("".join(_row(each, place) for each in funds))  # noqa: S308 - every name in it is escaped below


def _row(found: search.Found, place: str) -> str:
    level = risk.usual(found.category)
    change = figures.change_of_day(found.nav, found.nav_on, found.previous_nav, found.previous_nav_on)
    return ROW.format(
        url=escape(place.replace("ISIN", found.isin)),
        name=escape(found.name),
        house=escape(found.fund_house.removesuffix(" Mutual Fund")),
        about=escape(_about(found)),
        risk=f"usually {level.lower()} risk" if level else "risk: see the fund house",
        tag="" if found.tier < 2 else TAG.format(_why_not(found)),
        nav=f"₹{money.number(found.nav, 4)}" if found.nav is not None else figures.NOTHING,
        nav_on=calendar.short(found.nav_on) if found.nav_on else "no NAV yet",
        change=figures.signed_percent(change),
        minimum=rules.rupees(found.min_first) if found.min_first else figures.NOTHING,
    )


def _about(found: search.Found) -> str:
    parts = (found.category or search.ASSET_CLASSES[found.asset_class], OPTION_WORDS[found.option])
    return " · ".join(part for part in parts if part)


def _why_not(found: search.Found) -> str:
    return "Direct plan" if found.plan == Scheme.Plan.DIRECT else "Not sold here"
