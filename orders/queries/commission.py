"""What a month of trail is made of: day by day, the units, the NAV, the rate, and what these bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from orders import commission_rules
from orders.models import CommissionMonth, CommissionRate, Nav, Scheme, Transaction
from portal import money
from portal.clock import IST


@dataclass(frozen=True)
class Day:
    """One day on which units were held. Without a NAV or a rate it brings nothing, and has no amount."""

    on: date
    units: Decimal
    nav: Decimal | None
    nav_on: date | None
    percent: Decimal | None
    # In rupees, unrounded.
    amount: Decimal | None
    # Where the rate stands: the fund house's letter, with its date.
    source: str = ""


def explained(month: CommissionMonth) -> list[Day]:
    """The days behind a month: together (`commission_rules.together`) they are what is expected, once it is up to date.

    They are read anew, as the connection may see them: to a partner whom the investor has left, there are none.
    """
    last = commission_rules.last_day(month.month, upto=month.computed_at.astimezone(IST).date())
    scheme = month.scheme
    moves, navs, rates = _moves(month, last), _navs(scheme, month.month, last), _rates(scheme, last)
    found = []
    for day in commission_rules.days_of(month.month, upto=last):
        units = sum((moved for on, moved in moves if on <= day), money.ZERO)
        if units > 0:
            found.append(_day(day, units, navs, rates))
    return found


def _day(day: date, units: Decimal, navs: list[tuple[date, Decimal]], rates: list[CommissionRate]) -> Day:
    nav_on, nav = max((each for each in navs if each[0] <= day), key=lambda each: each[0], default=(None, None))
    rate = commission_rules.rate_on(day, rates)
    percent, source = (rate.percent, rate.source) if rate else (None, "")
    known = nav is not None and percent is not None
    amount = commission_rules.trail(units=units, nav=nav, percent=percent) if known else None  # type: ignore[arg-type]
    return Day(day, units, nav, nav_on, percent, amount, source)


def _moves(month: CommissionMonth, last: date) -> list[tuple[date, Decimal]]:
    found = Transaction.objects.filter(folio_id=month.folio_id, scheme_id=month.scheme_id, traded_on__lte=last)
    return list(found.values_list("traded_on").annotate(moved=Sum("units")).order_by("traded_on"))


def _navs(scheme: Scheme, first: date, last: date) -> list[tuple[date, Decimal]]:
    """The NAVs that may hold on a day of the month: AMFI's first, then the newest two, which stand on the scheme."""
    codes = [scheme.amfi_code] if scheme.amfi_code else []
    published = Nav.objects.filter(amfi_code__in=codes, on__lte=last).order_by("-on")
    of_month = list(published.filter(on__gt=first).values_list("on", "nav"))
    before = list(published.filter(on__lte=first).values_list("on", "nav")[:1])
    own = [(scheme.nav_on, scheme.nav), (scheme.previous_nav_on, scheme.previous_nav)]
    return [*of_month, *before, *((on, nav) for on, nav in own if on is not None and nav is not None)]


def _rates(scheme: Scheme, last: date) -> list[CommissionRate]:
    theirs = Q(scheme_id=scheme.pk) | Q(scheme=None, category__in={"", scheme.category})
    return list(CommissionRate.objects.filter(theirs, fund_house_id=scheme.fund_house_id, valid_from__lte=last))
