"""Placing an order: the form post with the one-time code, every check, one commit of the order, the redirect."""

from __future__ import annotations

import itertools
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from orders.models import MfOrder, Scheme
from portal.management.bench import Row, cast, load, row
from portal.management.bench.pages import statements
from portal.management.bench.servers import both

ROUNDS = 5
INVESTORS = 40
PER_ROUND = 160
COUNTED = 32
TARGET = 0.03
STATEMENTS = 12


def run() -> list[Row]:
    """One row for the pace, one for the statements."""
    cast.schemes()
    scheme = Scheme.objects.order_by("pk")[100]
    people = [cast.investor(1000 + number) for number in range(INVESTORS)]
    cookies = [cast.cookies(who) for who in people]
    needed = (ROUNDS + 1) * PER_ROUND + COUNTED
    posts = []
    for number in range(needed):
        place = number % INVESTORS
        # Different amounts: the same one twice in a day asks the investor whether it is meant.
        shown = cast.consent(people[place], scheme, Decimal(1000 + number), given=False)
        posts.append(_post(shown.code, cookies[place]))
    limit: list[float] = []
    ours: list[float] = []
    with both() as ports:
        # The least: the first orders of a process also ask for types and holidays, which it keeps.
        count = min(statements(ports, [post]) for post in posts[:COUNTED])
        for turn in range(ROUNDS + 1):
            theirs = load.run(ports.bare, itertools.repeat(load.get("/")), seconds=1.0)
            mine = load.run(ports.ours, posts[COUNTED + turn * PER_ROUND :][:PER_ROUND], seconds=60.0)
            if set(mine.statuses) != {302}:
                raise RuntimeError(f"orders were not placed: {dict(mine.statuses)}")
            if turn:
                limit.append(theirs.per_second)
                ours.append(mine.per_second)
    made = MfOrder.objects.filter(scheme=scheme, investor__in=people).count()
    if made != needed:
        raise RuntimeError(f"{needed} orders were placed, {made} are there")
    return [
        row(work="place an order", unit="orders/s", limit=limit, ours=ours, target=TARGET, note=f"{made} orders"),
        _statements_row(count),
    ]


def _post(code: str, cookies: dict[str, str]) -> bytes:
    body = urlencode({"csrfmiddlewaretoken": cookies["csrftoken"], "otp": cast.OTP}).encode()
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return load.post(reverse("orders:confirm", args=[code]), body, Cookie=cookie)


def _statements_row(count: int) -> Row:
    return {
        "work": "place an order: SQL statements",
        "limit": f"{STATEMENTS} statements",
        "ours": f"{count} statements",
        "ratio": f"{count / STATEMENTS:.3f}",
        "target": "<= 1.00",
        "verdict": "reached" if count <= STATEMENTS else "MISSED",
        "note": "",
    }
