"""The order page and the order list while a million orders lie in the table, beside the same with ten thousand."""

from __future__ import annotations

import itertools
from decimal import Decimal

from django.urls import reverse

from orders.models import Scheme
from portal.management.bench import Row, cast, filling, load, row
from portal.management.bench.servers import both

FEW, MANY = 10_000, 1_000_000
ROUNDS, SECONDS = 5, 1.0
TARGET = 1.5


def run() -> list[Row]:
    """One row a page: time at a million over time at ten thousand."""
    cast.schemes()
    who = cast.investor(6_000)
    own = [cast.order(who, scheme, Decimal(2_000 + n)) for n, scheme in enumerate(Scheme.objects.all()[:25])]
    like = cast.order(cast.investor(6_001), Scheme.objects.all()[30], Decimal(5_000))
    cookie = "; ".join(f"{name}={value}" for name, value in cast.cookies(who).items())
    pages = {
        "order page": [load.get(reverse("orders:detail", args=[each.code]), Cookie=cookie) for each in own],
        "order list": [load.get(reverse("orders:list"), Cookie=cookie)],
    }
    took: dict[str, list[list[float]]] = {name: [] for name in pages}
    filled = 0
    for size in (FEW, MANY):
        filling.orders(like, size - filled, state="ALLOTTED", first=filling.FIRST + filled)
        filled = size
        with both() as ports:
            for name, requests in pages.items():
                took[name].append([_ms(ports.ours, requests) for _ in range(ROUNDS + 1)][1:])
    filling.forget()
    return [
        row(
            work=f"{name} with {MANY:,} orders, beside {FEW:,}",
            unit="us a page",
            limit=few,
            ours=many,
            target=TARGET,
            at_most=True,
        )
        for name, (few, many) in took.items()
    ]


def _ms(port: int, requests: list[bytes]) -> float:
    outcome = load.run(port, itertools.cycle(requests), seconds=SECONDS)
    if set(outcome.statuses) != {200}:
        raise RuntimeError(f"200 was expected, the answers were {dict(outcome.statuses)}")
    return 1e6 / outcome.per_second
