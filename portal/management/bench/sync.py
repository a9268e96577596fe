"""Keeping step with FP: one pass over 100,000 open orders, of which one in a thousand has moved.

The limit is reading the same pages, from bytes to typed messages, and throwing them away: what no comparison can be
faster than. FP itself is left out: its pages lie in memory, so that the figure is ours.
"""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from orders import gateway
from orders.gateway import OrderSnapshot
from orders.models import MfOrder, Scheme
from orders.operations import syncing
from portal import clock
from portal.fintech_primitives.messages.orders import OrderPage
from portal.management.bench import Row, cast, filling, row

SIZES = (10_000, 30_000, 100_000)
MOVED_EVERY = 1_000
TARGET = 2.0
EXPONENT = 1.1


def run() -> list[Row]:
    """A row a size, and how the time grows."""
    cast.schemes()
    like = cast.order(cast.investor(5_000), Scheme.objects.all()[7], Decimal(5_000))
    rows, times = [], []
    for size in SIZES:
        filling.orders(like, size, state="AWAITING_PAYMENT")
        pages = list(_pages(like, size))
        limit = _timed(lambda pages=pages: sum(1 for _ in _read(pages)))
        with patch.object(gateway, "list_open", lambda _, pages=pages: _read(pages)):
            tracemalloc.start()
            ours = _timed(lambda: syncing.run(at=clock.now() + timedelta(seconds=5)))
            peak = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
        moved = MfOrder.objects.filter(pk__gt=filling.FIRST, state="PAID").count()
        if moved != size // MOVED_EVERY:
            raise RuntimeError(f"{size // MOVED_EVERY} orders had moved, {moved} were found")
        note = f"{moved} moved, {peak:.0f} MB at most, {size / ours:,.0f} orders/s"
        rows.append(
            row(work=f"sync {size:,} open orders", unit="s", limit=[limit], ours=[ours], target=None, note=note)
        )
        times.append(ours)
        filling.forget()
    return [*rows, _growth(times)]


def _growth(times: list[float]) -> Row:
    exponent = math.log(times[-1] / times[0]) / math.log(SIZES[-1] / SIZES[0])
    return {
        "work": "sync: time grows with size to the power of",
        "limit": "1.00",
        "ours": f"{exponent:.2f}",
        "ratio": f"{exponent:.2f}",
        "target": f"<= {EXPONENT}",
        "verdict": "reached" if exponent <= EXPONENT else "MISSED",
        "note": "",
    }


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


def _pages(like: MfOrder, size: int) -> Iterator[bytes]:
    """FP's answers, a hundred orders each."""
    for start in range(0, size, 100):
        orders = [_order(like, number) for number in range(start + 1, min(start + 100, size) + 1)]
        yield json.dumps({"amc_orders": orders, "last": start + 100 >= size}).encode()


def _order(like: MfOrder, number: int) -> dict[str, object]:
    key = filling.FIRST + number
    return {
        "id": str(key),
        "status": "PAYMENT_CONFIRMED" if number % MOVED_EVERY == 0 else "PENDING",
        "type": "PURCHASE",
        "amount": 5000,
        "investment_date": clock.today().isoformat(),
        "folio_number": None,
        "source_ref_id": f"R{key}",
        "fund_scheme": {"isin": like.scheme.isin, "name": like.scheme.name},
    }


def _read(pages: list[bytes]) -> Iterator[OrderSnapshot]:
    for page in pages:
        for each in OrderPage.model_validate(json.loads(page, parse_float=Decimal)).amc_orders:
            yield gateway.snapshot(each, "RTA")
