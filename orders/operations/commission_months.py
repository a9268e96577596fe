"""What each month of trail should bring: computed for the whole book, by a worker, as often as something changes it.

    due        the months whose figures are behind what is known by now
    compute    one month: every scheme in every folio, a statement for some thousand folios at a time

No commission is paid from direct plans (SEBI circular CIR/IMD/DF/21/2012 of 13 September 2012), so none is expected.
Nothing is kept between two runs but a note of when the last whole one began. A run that was killed leaves months that
are due, and the next one does all of it again: what has not changed is not written, what is no longer held goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Max, Min

from orders import commission_rules
from orders.models import CommissionRate, Folio, NavRun, Transaction
from orders.queries.commission_people import partner_on
from orders.queries.nav_days import nav_on
from portal import jobs
from portal.clock import IST
from portal.desk.models import Proposal
from portal.models import Heartbeat

log = structlog.get_logger(__name__)

# The act of the proposals by which rates change (`orders/admin/commission.py`).
RATE = "commission rate"
FOLIOS = 10_000
# Further back nothing is computed by itself: three financial years.
MONTHS_BACK = 36
# What was written just before a run began may not have been there for it yet.
SETTLES_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Done:
    """What a run did: rows that are new or say something else than before, and rows that went."""

    written: int
    removed: int


# --- One month ----------------------------------------------------------------------------------------------------

# Units that stay the same for days count as one span, and what a rupee of NAV brings is added up by scheme, day after
# day: a span brings its units times the difference between its last day and the day before it.
_COMPUTE = f"""
    WITH moved AS MATERIALIZED (
        SELECT t.folio_id, t.scheme_id, greatest(t.traded_on, %(first)s::date) AS "on", sum(t.units) AS units
          FROM orders_transaction t
         WHERE t.folio_id > %(after)s AND t.folio_id <= %(upto)s AND t.traded_on <= %(last)s
           AND t.scheme_id NOT IN (SELECT s.id FROM orders_scheme s WHERE s.plan = 'DIRECT')
         GROUP BY 1, 2, 3
    ), spans AS MATERIALIZED (
        SELECT folio_id, scheme_id, "on" AS first, sum(units) OVER own AS units,
               lead("on", 1, %(last)s::date + 1) OVER own - 1 AS last
          FROM moved WINDOW own AS (PARTITION BY folio_id, scheme_id ORDER BY "on")
    ), held AS MATERIALIZED (
        SELECT * FROM spans WHERE units > 0
    ), days AS MATERIALIZED (
        SELECT s.id AS scheme_id, day."on"::date AS "on", price.nav, rate.percent
          FROM orders_scheme s
         CROSS JOIN generate_series(%(first)s::timestamp, %(last)s::timestamp, '1 day') AS day("on")
          LEFT JOIN LATERAL {nav_on('day."on"')} price ON TRUE
          LEFT JOIN LATERAL (
              SELECT r.percent FROM orders_commissionrate r
               WHERE r.fund_house_id = s.fund_house_id AND r.valid_from <= day."on"
                 AND (r.scheme_id = s.id OR r.scheme_id IS NULL AND r.category IN ('', s.category))
               ORDER BY r.scheme_id IS NULL, r.category = '', r.valid_from DESC LIMIT 1) rate ON TRUE
         WHERE s.id IN (SELECT scheme_id FROM held)
    ), summed AS MATERIALIZED (
        SELECT scheme_id, "on", count(nav) OVER own AS priced, count(percent) OVER own AS rated,
               coalesce(sum(nav) OVER own, 0) AS nav, coalesce(sum(nav * percent) OVER own, 0) AS trail
          FROM days WINDOW own AS (PARTITION BY scheme_id ORDER BY "on")
    ), months AS MATERIALIZED (
        SELECT h.folio_id, h.scheme_id, sum(h.last - h.first + 1) AS days,
               sum(upto.priced - coalesce(before.priced, 0)) AS priced,
               sum(upto.rated - coalesce(before.rated, 0)) AS rated,
               sum(h.units * (upto.nav - coalesce(before.nav, 0))) AS value,
               sum(h.units * (upto.trail - coalesce(before.trail, 0))) AS trail
          FROM held h
          JOIN summed upto ON upto.scheme_id = h.scheme_id AND upto."on" = h.last
          LEFT JOIN summed before ON before.scheme_id = h.scheme_id AND before."on" = h.first - 1
         GROUP BY 1, 2
    ), made AS MATERIALIZED (
        SELECT m.folio_id, m.scheme_id, {partner_on("f.investor_id", "%(end)s")} AS partner_id,
               m.days, m.days - m.priced AS unpriced, m.days - m.rated AS unrated,
               coalesce(round(m.value / nullif(m.priced, 0), 2), 0) AS average_value,
               -- Over 36,500 and rounded half up to the paisa, in whole numbers, as a quotient may have no end.
               div(2 * m.trail + 365, 730) * 0.01 AS expected
          FROM months m JOIN orders_folio f ON f.id = m.folio_id
         WHERE f.id > %(after)s AND f.id <= %(upto)s
    ), known AS MATERIALIZED (
        SELECT * FROM orders_commissionmonth c
         WHERE c.month = %(first)s AND c.folio_id > %(after)s AND c.folio_id <= %(upto)s
    ), gone AS (
        DELETE FROM orders_commissionmonth c
         WHERE c.month = %(first)s AND c.folio_id > %(after)s AND c.folio_id <= %(upto)s
           AND NOT EXISTS (SELECT FROM made WHERE made.folio_id = c.folio_id AND made.scheme_id = c.scheme_id)
        RETURNING 1
    ), written AS (
        INSERT INTO orders_commissionmonth AS c (month, folio_id, scheme_id, partner_id, days, unpriced, unrated,
                                                 average_value, expected, computed_at)
        SELECT %(first)s, made.folio_id, made.scheme_id, made.partner_id, made.days, made.unpriced, made.unrated,
               made.average_value, made.expected, %(at)s
          FROM made LEFT JOIN known k ON k.folio_id = made.folio_id AND k.scheme_id = made.scheme_id
         WHERE (k.partner_id, k.days, k.unpriced, k.unrated, k.average_value, k.expected) IS DISTINCT FROM
               (made.partner_id, made.days, made.unpriced, made.unrated, made.average_value, made.expected)
        ON CONFLICT (month, folio_id, scheme_id) DO UPDATE
           SET partner_id = excluded.partner_id, days = excluded.days, unpriced = excluded.unpriced,
               unrated = excluded.unrated, average_value = excluded.average_value, expected = excluded.expected,
               computed_at = excluded.computed_at
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM gone)
"""  # noqa: S608 - our own names


def compute(month: date, *, at: datetime) -> Done:
    """What the month that begins on `month` should bring is what is known by now, up to and with the day of `at`."""
    today = at.astimezone(IST).date()
    if month > today:
        raise ValueError("a month is expected once it has begun")
    each = [_folios(month, after, upto, today, at) for after, upto in _chunks()]
    Heartbeat.objects.update_or_create(name=_mark(month), defaults={"at": at})
    done = Done(sum(one.written for one in each), sum(one.removed for one in each))
    log.info("commission_expected", month=f"{month:%Y-%m}", written=done.written, removed=done.removed)
    return done


def _chunks() -> Iterator[tuple[int, int]]:
    """Bounds of the ids of some thousand folios after the other."""
    after = 0
    while True:
        ids = Folio.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:FOLIOS]
        upto = max(ids, default=None)
        if upto is None:
            return
        yield after, upto
        after = upto


@transaction.atomic
def _folios(month: date, after: int, upto: int, today: date, at: datetime) -> Done:
    """Some folios, in one statement that begins when no other worker is at this month: the last to write knew most."""
    values: dict[str, Any] = {
        "first": month,
        "last": commission_rules.last_day(month, upto=today),
        "end": commission_rules.last_day(month),
        "after": after,
        "upto": upto,
        "at": at,
    }
    _alone_at(month)
    with connection.cursor() as cursor:
        # Behind row-level policies the planner expects one investor, and would walk through all folios for each.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_COMPUTE, values)
        return Done(*cursor.fetchone())


def _alone_at(month: date) -> None:
    """Until the transaction ends no other worker writes this month, as it compares with what is about to change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(727, %s)", [jobs.lock_key(_mark(month))])


# --- Which months -------------------------------------------------------------------------------------------------


def _mark(month: date) -> str:
    return f"commission {month:%Y-%m}"


def computed(months: list[date]) -> dict[date, datetime]:
    """When the last whole run over each of the months began; a month without any is left out."""
    names = {_mark(month): month for month in months}
    found = Heartbeat.objects.filter(name__in=names).values_list("name", "at")
    return {names[name]: at for name, at in found}


def due(*, at: datetime) -> list[date]:
    """The months whose figures are behind what is known by now, the newest first.

    This month and the one before are so every day and after every file of NAVs; one further back, when a rate that
    holds for it was added or removed, or units moved in it of which we heard later.
    """
    months = _months(at.astimezone(IST).date())
    known = computed(months)
    changes = [*_by_time(months, at), *_by_rates(known), *_by_late_units(months, known, at)]
    rated_from = CommissionRate.objects.aggregate(first=Min("valid_from"))["first"]
    return [month for month in months if _is_behind(month, months, known, changes, rated_from)]


# From which day on something is different, and when that was known.
_Change = tuple[date, datetime]


def _is_behind(
    month: date, months: list[date], known: dict[date, datetime], changes: list[_Change], rated_from: date | None
) -> bool:
    last = commission_rules.last_day(month)
    if month not in known:
        return month in months[:2] or (rated_from is not None and rated_from <= last)
    return any(since <= last and heard > known[month] for since, heard in changes)


def _months(today: date) -> list[date]:
    """This month, and those before it back to where nothing is computed by itself."""
    return [back(today, months) for months in range(MONTHS_BACK + 1)]


def back(day: date, months: int) -> date:
    """The first of the month that lies so many months before that of `day`."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _by_time(months: list[date], at: datetime) -> list[_Change]:
    """A new day, and a new file of NAVs: they change this month and the one before."""
    midnight = datetime.combine(at.astimezone(IST).date(), time(), IST)
    news = NavRun.objects.filter(changed__gt=0).aggregate(at=Max("finished_at"))["at"]
    return [(months[1], heard) for heard in (midnight, news) if heard]


def _by_rates(known: dict[date, datetime]) -> list[_Change]:
    since = min(known.values(), default=None)
    if since is None:
        return []
    applied: Any = Proposal.objects.filter(
        act=RATE, state=Proposal.State.APPLIED, decided_at__gt=since - SETTLES_WITHIN
    ).values_list("after", "before", "decided_at")
    return [(date.fromisoformat((now or old)["valid_from"]), at + SETTLES_WITHIN) for now, old, at in applied]


def _by_late_units(months: list[date], known: dict[date, datetime], at: datetime) -> list[_Change]:
    """Units that moved before the last month, and became known later: looked for once a day, as no index has them."""
    midnight = datetime.combine(at.astimezone(IST).date(), time(), IST)
    past = [heard for month, heard in known.items() if month < months[1]]
    if not past or known.get(months[0], midnight) > midnight:
        return []
    late = Transaction.objects.filter(recorded_at__gt=min(past) - SETTLES_WITHIN, traded_on__lt=months[1])
    found = late.values_list("traded_on").annotate(heard=Max("recorded_at")).order_by()
    return [(day, heard + SETTLES_WITHIN) for day, heard in found]
