"""Named reads about schemes: what may be bought, for how much, by when, and what a scheme's page shows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db.models import Value

from investors.models import Investor
from orders import redemption_rules, rules
from orders.models import DatedRule, Holding, Holiday, Nav, Scheme
from orders.queries.search import search
from orders.rulebook import Book, Rule
from portal import money

__all__ = ["book", "bounds_for", "held_by", "holidays", "is_held", "navs_of", "one", "search", "why_not_for_sale"]

# The tables change a few times a year; other processes may read up to this many seconds behind.
MARKET_LIVES_S = 30.0
_market: tuple[float, frozenset[date], Book] | None = None


def holidays() -> frozenset[date]:
    """Weekdays on which the market is closed. Kept in the process for half a minute."""
    return _read_market()[1]


def book() -> Book:
    """The dated rules, with those that have passed and those to come. Kept and read together with the holidays."""
    return _read_market()[2]


def forget_market() -> None:
    """Read the tables anew at the next question: for whoever has just changed one."""
    global _market
    _market = None


def _read_market() -> tuple[float, frozenset[date], Book]:
    """Both tables in one statement: a page that needs the one nearly always needs the other."""
    global _market
    now = time.monotonic()
    if _market is None or now - _market[0] > MARKET_LIVES_S:
        none = Value("")
        closed = Holiday.objects.order_by().values_list(Value("holiday"), none, "on", none, none, none)
        columns = DatedRule.objects.order_by().values_list("name", "of", "valid_from", "value", "source", "words")
        rows = [Rule(*row) for row in columns.union(closed, all=True)]
        days = frozenset(row.valid_from for row in rows if row.name == "holiday")
        _market = (now, days, Book(tuple(row for row in rows if row.name != "holiday")))
    return _market


def bounds_for(scheme: Scheme, is_first: bool) -> rules.AmountBounds:
    """What FP takes for a first purchase of a scheme in a folio, or for a further one."""
    if is_first:
        return rules.AmountBounds(scheme.min_first, scheme.max_first, scheme.step_first)
    return rules.AmountBounds(scheme.min_more, scheme.max_more, scheme.step_more)


def bounds_of_redemption(scheme: Scheme) -> redemption_rules.Bounds:
    """What FP takes for one sale of a scheme's units."""
    amount = rules.AmountBounds(scheme.min_redeem, scheme.max_redeem, scheme.step_redeem)
    return redemption_rules.Bounds(amount, scheme.min_redeem_units, scheme.max_redeem_units)


def why_not_for_sale(scheme: Scheme, on: date) -> str:
    """Why nobody can buy this scheme here that day, in words for the investor; an empty text when it is for sale."""
    if reason := rules.why_no_new_business(arn_until=settings.ARN_VALID_UNTIL, on=on):
        return reason
    if not scheme.is_active:
        return "This scheme is no longer offered. Units that you hold stay yours."
    if scheme.plan == Scheme.Plan.DIRECT:
        return (
            "This is a direct plan: it is bought from the fund house itself, without a distributor. "
            "We sell regular plans only."
        )
    if scheme.is_close_ended:
        return "This is a close-ended scheme: it takes no money after its launch."
    if not scheme.purchase_allowed:
        return "The fund house takes no purchases into this scheme at the moment."
    return ""


# --- A scheme's page ------------------------------------------------------------------------------------------------


def one(isin: str) -> Scheme | None:
    """A scheme with its fund house, whether or not it is for sale."""
    return Scheme.objects.select_related("fund_house").filter(isin=isin.upper()).first()


def navs_of(scheme: Scheme, since: date | None = None) -> list[tuple[date, Decimal]]:
    """Day and NAV, oldest first: everything that we hold."""
    if scheme.amfi_code is None:
        return []
    rows = Nav.objects.filter(amfi_code=scheme.amfi_code).order_by("on")
    return list((rows.filter(on__gte=since) if since else rows).values_list("on", "nav"))


@dataclass(frozen=True)
class Held:
    """What an investor holds of a scheme, over all folios. `value` is None while there is no NAV."""

    units: Decimal
    invested: Decimal
    value: Decimal | None
    folios: list[str]


def is_held(investor: Investor, scheme: Scheme) -> bool:
    """Does `investor` have units of `scheme` now? A purchase then is a further one."""
    return Holding.objects.filter(investor=investor, scheme=scheme, units__gt=0).exists()


def held_by(investor: Investor, scheme: Scheme) -> Held | None:
    """What `investor` holds of `scheme` now; None for nothing."""
    rows = list(
        Holding.objects.filter(investor=investor, scheme=scheme, units__gt=0)
        .order_by("folio__number")
        .values_list("units", "invested", "folio__number")
    )
    if not rows:
        return None
    units = sum((row[0] for row in rows), Decimal(0))
    value = money.to_paise(units * scheme.nav) if scheme.nav is not None else None
    return Held(units, sum((row[1] for row in rows), Decimal(0)), value, [row[2] for row in rows])
