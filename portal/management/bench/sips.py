"""A SIP day: expecting the instalments of a date in chunks, beside one set-based statement that does them all at once.

Ours reads the kill switch before each chunk, commits each chunk, and can be killed between any two. The book of plans
is made by PostgreSQL; its triggers, which would ask each plan for its consent, are off while it is made.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from datetime import date

from django.db import connection, transaction

from investors.models import Mandate
from orders.models import Scheme
from orders.operations import instalments
from portal import clock
from portal.management.bench import Row, cast, row

# Of 400,000 plans, so many are due on each of three days of a month; the others are spread over the other days.
DUE = {3: 25_000, 4: 50_000, 5: 100_000}
SMALL_BOOK, BOOK = 100_000, 400_000
ROUNDS = 5
# A month far ahead: nobody else's.
YEAR, MONTH = 2035, 1

_BOOK = """
    INSERT INTO orders_plan (code, client_ref, provider, provider_ref, gateway, state, state_since, scheme_id,
        investment_account_id, mandate_id, consent_id, investor_id, amount, start_day, instalments, euin, placed_at,
        first_on, last_on, bounces_in_a_row, failure_code, failure_text, attempt, attempt_no, looks)
    SELECT 'BENCH-' || n, 'bench-' || n, 'fp', 'bench-' || n, 'RTA', 'ACTIVE', now(), %(scheme)s, %(account)s,
        %(mandate)s, n, %(investor)s, 5000, {day}, 1200, '', now(), '2026-01-01', '2099-12-31', 0, '', '', '', 0, 0
      FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""
# The first quarter of the book holds all plans of the 3rd, the rest those of the 4th and the 5th, evenly among others.
_FIRST = "CASE n %% 4 WHEN 0 THEN 3 ELSE 6 + n %% 22 END"
_REST = "CASE n %% 6 WHEN 0 THEN 4 WHEN 1 THEN 5 WHEN 4 THEN 5 ELSE 6 + n %% 22 END"
# Consents are not asked about on a SIP day, so the book has none: the key to them is off while this database lives.
_BARE = """
    ALTER TABLE orders_plan DISABLE TRIGGER USER;
    DO $$ DECLARE key text; BEGIN
        FOR key IN SELECT conname FROM pg_constraint WHERE conrelid = 'orders_plan'::regclass
                      AND confrelid = 'investors_consent'::regclass
        LOOP EXECUTE 'ALTER TABLE orders_plan DROP CONSTRAINT ' || quote_ident(key); END LOOP;
    END $$;
"""
_LIMIT = """
    INSERT INTO orders_instalment (plan_id, investor_id, "on", amount, expected_at)
    SELECT id, investor_id, %(on)s, amount, %(at)s FROM orders_plan
     WHERE state = 'ACTIVE' AND start_day = %(day)s AND first_on <= %(on)s AND last_on >= %(on)s
    ON CONFLICT (plan_id, "on") DO NOTHING
"""


def run() -> list[Row]:
    """100,000 of 400,000; the growth from 25,000; and the same 25,000 in a book a quarter as large."""
    who = _whose()
    _add(who, _FIRST, 1, SMALL_BOOK)
    _, in_small = _pairs(3)
    _add(who, _REST, SMALL_BOOK + 1, BOOK)
    measured = {day: _pairs(day) for day in DUE}
    limits, ours = measured[5]
    middle = {day: statistics.median(mine) for day, (_, mine) in measured.items()}
    exponent = math.log(middle[5] / middle[3]) / math.log(DUE[5] / DUE[3])
    note = f"{DUE[5] / middle[5]:,.0f} instalments a second; grows with the exponent {exponent:.2f} (at most 1.1)"
    work = f"SIP day, {DUE[5]:,} instalments of {BOOK:,} plans"
    return [
        row(work=work, unit="ms", limit=_ms(limits), ours=_ms(ours), target=1.4, at_most=True, note=note),
        row(
            work=f"SIP day, {DUE[3]:,} instalments, four times the book",
            unit="ms",
            limit=_ms(in_small),
            ours=_ms(measured[3][1]),
            target=1.4,
            at_most=True,
            note=f"beside the same instalments in a book of {SMALL_BOOK:,}",
        ),
    ]


def _whose() -> dict[str, int]:
    cast.schemes()
    investor, now = cast.investor(700_001), clock.now()
    mandate = Mandate.objects.create(
        investor=investor, bank_account=investor.bankaccounts.get(), kind=Mandate.Kind.E_MANDATE, limit=25_000,
        form_ref="bench-sips", valid_from=now.date(), created_at=now, state_since=now, provider_ref="bench-mandate",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BARE)
    scheme = Scheme.objects.values_list("pk", flat=True)[0]
    account = investor.investmentaccounts.get().pk
    return {"investor": investor.pk, "scheme": scheme, "account": account, "mandate": mandate.pk}


def _add(who: dict[str, int], day: str, first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BOOK.format(day=day), {**who, "from": first, "to": last})
        cursor.execute("VACUUM ANALYZE orders_plan")


def _pairs(day: int) -> tuple[list[float], list[float]]:
    """Both sides in turn, each into an empty table, in seconds."""
    limits, ours, on = [], [], date(YEAR, MONTH, day)
    for _ in range(ROUNDS):
        limits.append(_seconds(lambda: _at_once(on)))
        ours.append(_seconds(lambda: instalments.expect(on=on, at=clock.now())))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_instalment")
            if cursor.fetchone()[0] != DUE[day]:
                raise RuntimeError("a SIP day that does not expect every instalment measures nothing")
    return limits, ours


def _at_once(on: date) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LIMIT, {"on": on, "at": clock.now(), "day": on.day})


def _ms(seconds: list[float]) -> list[float]:
    return [1e3 * each for each in seconds]


def _seconds(work: Callable[[], object]) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_instalment")
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
