"""The rows of the holdings table. A portfolio may have hundreds, so a row is one format string and not a template:
through the template engine sixty rows took longer than everything else on the page together (docs/benchmarks.md).

Names come from outside and are escaped; all other words and figures are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from html import escape

from django.utils.safestring import SafeString, mark_safe

from orders import calendar
from orders.queries.portfolio import Position
from orders.views import figures
from portal import money

ROW = """<tr>
<th scope="row"><a class="plain" href="{url}">{name}</a><span class="sub">{about}</span>{badges}</th>
<td class="right" data-label="Units">{units}</td>
<td class="right" data-label="Invested">{invested}</td>
<td class="right" data-label="Value">{value}</td>
<td class="right" data-label="Day change">{day}</td>
<td class="right" data-label="Gain">{gain}</td>
</tr>
"""
TWO_LINES = '<span>{}<span class="sub">{}</span></span>'
SIGNED = '<span><span class="{0.kind}">{0.text}</span><span class="sub">{1}</span></span>'
NOT_KNOWN = {
    "value": TWO_LINES.format("Not known yet", "no NAV published"),
    "day": figures.NOTHING,
    "gain": figures.NOTHING,
}
NO_BREAK = "\u00a0"
PROVISIONAL = ' <span class="state state-waiting">Provisional</span>'
STALE = ' <span class="state state-neutral">NAV of {nav_on}</span>'


def rows(positions: Iterable[Position], place: str) -> SafeString:
    """The table's body; `place` is the address of a holding with `ISIN` where the ISIN belongs."""
    html = "".join(_row(each, place.replace("ISIN", each.isin)) for each in positions)
    return mark_safe(html)  # noqa: S308 - every name in it has been escaped below


def _row(each: Position, url: str) -> str:
    return ROW.format(
        url=escape(url),
        name=escape(each.name),
        about=escape(f"{each.category or each.asset_class} · {figures.folios(each.folios)}"),
        badges=_badges(each),
        units=money.number(each.units, 3),
        invested=money.rupees(each.invested),
        **_worth(each),
    )


def _badges(each: Position) -> str:
    provisional = PROVISIONAL if each.is_provisional else ""
    return provisional + (STALE.format(nav_on=calendar.short(each.nav_on)) if each.is_stale and each.nav_on else "")


def _worth(each: Position) -> dict[str, str]:
    if each.value is None or each.nav is None or each.nav_on is None:
        return NOT_KNOWN
    return {
        "value": TWO_LINES.format(money.rupees(each.value), _nav(each.nav, each.nav_on)),
        "day": _signed(each.day_change, each.day_change_percent),
        "gain": _signed(each.gain, each.gain_percent),
    }


def _nav(nav: Decimal, on: date) -> str:
    """The NAV and its date; a narrow cell breaks between them and not within the date."""
    return f"₹{money.number(nav, 4)}, {calendar.short(on).replace(' ', NO_BREAK)}"


def _signed(amount: Decimal | None, percent: Decimal | None) -> str:
    if amount is None:
        return figures.NOTHING
    return SIGNED.format(figures.signed_rupees(amount), figures.signed_percent(percent).text)
