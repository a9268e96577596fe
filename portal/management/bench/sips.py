"""A SIP day: expecting the instalments of a date in chunks, beside one set-based statement that does them all at once.

Ours reads the kill switch before each chunk, commits each chunk, and can be killed between any two. The book of plans
is made by PostgreSQL; its triggers, which would ask each plan for its consent, are off while it is made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import date

from django.db import connection, transaction

from investors.models import Mandate
from orders.models import Scheme
from orders.operations import instalments
from portal import clock
from portal.management.bench import Row, cast, row

BOOK, DUE = 400_000, 100_000
SIZES = (25_000, 50_000, DUE)
ROUNDS = 5
# Its date is measured; the rest of the book is spread over the other days. The 5th of a month far ahead: nobody else's.
DAY, ON = 5, date(2035, 1, 5)

_BOOK = """
    INSERT INTO orders_plan (code, client_ref, provider, provider_ref, gateway, state, state_since, scheme_id,
        investment_account_id, mandate_id, consent_id, investor_id, amount, start_day, instalments, euin, placed_at,
        first_on, last_on, bounces_in_a_row, failure_code, failure_text, attempt, attempt_no, looks)
    SELECT 'BENCH-' || n, 'bench-' || n, 'fp', 'bench-' || n, 'RTA', 'ACTIVE', now(), %(scheme)s, %(account)s,
        %(mandate)s, n, %(investor)s, 5000, CASE WHEN n %% %(each)s = 0 THEN 5 ELSE 6 + n %% 22 END, 1200, '', now(),
        '2026-01-01', '2099-12-31', 0, '', '', '', 0, 0
      FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""
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
    """100,000 of 400,000; the growth from 25,000; and the same instalments in a book a quarter as large."""
    who, found = _whose(), []
    times: dict[int, float] = {}
    for size in SIZES:
        _book(who, size, 4 * size)
        limits, ours = _pairs(size)
        times[size] = sorted(ours)[ROUNDS // 2]
        if size == DUE:
            found.append(_row(f"SIP day, {size:,} instalments of {4 * size:,} plans", limits, ours))
    exponent = math.log(times[SIZES[-1]] / times[SIZES[0]]) / math.log(SIZES[-1] / SIZES[0])
    found[0]["note"] += f"; grows with the exponent {exponent:.2f} (at most 1.1)"
    _book(who, 25_000, 50_000)
    small = [_seconds(lambda: instalments.expect(on=ON, at=clock.now())) for _ in _rounds()]
    _book(who, 25_000, 200_000)
    large = [_seconds(lambda: instalments.expect(on=ON, at=clock.now())) for _ in _rounds()]
    found.append(
        row(
            work="SIP day, 25,000 instalments, four times the book", unit="ms", limit=[1e3 * s for s in small],
            ours=[1e3 * s for s in large], target=1.4, at_most=True, note="beside a quarter of the book",
        )
    )  # fmt: skip
    return found


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


def _book(who: dict[str, int], due: int, plans: int) -> None:
    """So many plans, of which `due` are debited on the date, spread evenly among the others."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_plan, orders_instalment RESTART IDENTITY CASCADE")
        cursor.execute(_BOOK, {**who, "each": max(plans // due, 1), "from": 1, "to": plans})
        cursor.execute("VACUUM ANALYZE orders_plan")


def _rounds() -> range:
    return range(ROUNDS)


def _pairs(size: int) -> tuple[list[float], list[float]]:
    """Both sides in turn, each into an empty table."""
    limits, ours = [], []
    for _ in _rounds():
        limits.append(_seconds(_at_once))
        ours.append(_seconds(lambda: instalments.expect(on=ON, at=clock.now())))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_instalment")
            if cursor.fetchone()[0] != size:
                raise RuntimeError("a SIP day that does not expect every instalment measures nothing")
    return limits, ours


def _at_once() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LIMIT, {"on": ON, "at": clock.now(), "day": DAY})


def _seconds(work: Callable[[], object]) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_instalment")
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row(work: str, limits: list[float], ours: list[float]) -> Row:
    rate = DUE / sorted(ours)[ROUNDS // 2]
    return row(
        work=work, unit="ms", limit=[1e3 * s for s in limits], ours=[1e3 * s for s in ours], target=1.4, at_most=True,
        note=f"{rate:,.0f} instalments a second",
    )  # fmt: skip
