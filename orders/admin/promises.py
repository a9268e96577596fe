"""What we promised and what came true, and the next cut-off: for the first page of operations."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from orders import calendar, lifecycle, rules
from orders.models import MfOrder
from orders.queries import promises
from orders.queries import schemes as scheme_queries
from portal import money
from portal.admin import home, show
from portal.clock import IST

RAILS = dict(MfOrder.PaymentMethod.choices)
COLUMNS = ("Fund house", "Rail", "Came through", "NAV day as promised", "Days to units", "Longest")


@home.part(order=25, permission="orders.view_mforder")
def promises_part(at: datetime) -> home.Part:
    """The score of predictions by rail and fund house, the worst first."""
    found = promises.score.read(at)
    rows = [
        [house, RAILS.get(rail, "Sale"), str(count), f"{kept} ({kept / count:.0%})", f"{average:.1f}", str(longest)]
        for house, rail, count, kept, longest, average in (found.rows if found else ())
    ]
    note = f"The last 30 days. Days count from the NAV day that the investor was promised.{home.counted_at(found, at)}"
    empty = "Nothing came through lately." if found else home.BEING_COUNTED
    panel = home.Panel("Promises kept", COLUMNS, rows, empty, note=note)
    return home.Part([_clock(at)], [panel], charts=_charts(at))


# By the time at which they stand in the audit log: the log is walked from the day's first entry on.
_DAY = """
    SELECT action, extract(hour FROM at AT TIME ZONE 'Asia/Kolkata')::int, count(*) FROM portal_auditentry
     WHERE at >= %s AND action = ANY(%s) GROUP BY 1, 2
"""
CHARTS = {"order.created": "Orders confirmed", "payment.settled": "Payments settled", "case.opened": "Cases opened"}


def _charts(at: datetime) -> list[home.Chart]:
    """What came in by the hour."""
    local = at.astimezone(IST)
    with connection.cursor() as cursor:
        cursor.execute(_DAY, [local.replace(hour=0, minute=0, second=0, microsecond=0), list(CHARTS)])
        found = cursor.fetchall()
    return [
        home.Chart(title, {hour: count for said, hour, count in found if said == action})
        for action, title in CHARTS.items()
    ]


def _clock(at: datetime) -> home.Tile:
    """By when unpaid purchases must be paid for the next NAV day, and how much waits for it."""
    holidays = scheme_queries.holidays()
    general, liquid = (_next(at, category=category, holidays=holidays) for category in ("", "Liquid Fund"))
    waiting = MfOrder.objects.filter(state=lifecycle.AWAITING_PAYMENT, kind=MfOrder.Kind.PURCHASE)
    amounts = list(waiting.values_list("amount", flat=True)[:1_000])
    many = "1,000 or more" if len(amounts) == 1_000 else str(len(amounts))
    worth = money.rupees_short(sum((each or money.ZERO for each in amounts), money.ZERO))
    return home.Tile(
        "Cut-off",
        f"in {show.age(general - at)}",
        f"{_words(general)}; liquid {_words(liquid)} · {many} unpaid, {worth}",
        show.list_url(MfOrder, "state__exact=AWAITING_PAYMENT"),
        "needs" if general - at < timedelta(minutes=20) and amounts else "neutral",
    )


def _next(at: datetime, *, category: str, holidays: frozenset[date]) -> datetime:
    book = scheme_queries.book()
    found = rules.predict_nav_day(at=at, category=category, method="UPI", holidays=holidays, book=book)
    return found.pay_before


def _words(moment: datetime) -> str:
    local = moment.astimezone(IST)
    return f"{local:%H:%M} on {calendar.short(local.date())}"
