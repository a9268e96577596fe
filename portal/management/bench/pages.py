"""Pages of a signed-in investor, each beside a bare Django view: requests a second over sixteen connections."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.urls import reverse

from orders.models import Scheme
from portal.management.bench import Row, cast, load, row
from portal.management.bench.servers import Ports, both

ROUNDS = 5
SECONDS = 1.0
QUERIES = ("parijat flexi", "small cap", "kadamba liquid fund", "blucehip", "INB000000777", "gilt deodar", "elss")


class Page(NamedTuple):
    """A page to measure: the words of the row, its requests (repeated in turn), the status expected, the target."""

    work: str
    requests: tuple[bytes, ...]
    status: int
    target: float | None


def run() -> list[Row]:
    """One row a page."""
    cast.schemes()
    who = cast.investor(1)
    cast.holdings(who)
    orders = [cast.order(who, scheme, Decimal(1000 + place)) for place, scheme in enumerate(Scheme.objects.all()[:25])]
    cookie = "; ".join(f"{name}={value}" for name, value in cast.cookies(who).items())
    with both() as ports:
        return [_measure(ports, page) for page in _pages(ports, cookie, [order.code for order in orders])]


def _pages(ports: Ports, cookie: str, codes: list[str]) -> list[Page]:
    portfolio = reverse("orders:portfolio")
    _, head, _ = load.Connection(ports.ours).ask(load.get(portfolio, Cookie=cookie))
    pages = [Page("portfolio, 60 holdings", (load.get(portfolio, Cookie=cookie),), 200, 0.05)]
    if etag := _header(head, b"etag"):
        unchanged = load.get(portfolio, Cookie=cookie, If_None_Match=etag)
        pages.append(Page("portfolio, unchanged", (unchanged,), 304, 0.10))
    search = reverse("orders:explore")
    asked = tuple(
        load.get(f"{search}?q={words.replace(' ', '+')}", Cookie=cookie, HX_Request="true", HX_Target="results")
        for words in QUERIES
    )
    details = tuple(load.get(reverse("orders:detail", args=[code]), Cookie=cookie) for code in codes)
    nothing = reverse("healthz")
    return [
        Page("(an empty view in our stack, nobody signed in)", (load.get(nothing),), 200, None),
        Page("(an empty view in our stack, signed in)", (load.get(nothing, Cookie=cookie),), 200, None),
        *pages,
        Page("fund search over 14,000 schemes, fragment", asked, 200, 0.10),
        Page("order page", details, 200, 0.06),
        Page("order list", (load.get(reverse("orders:list"), Cookie=cookie),), 200, 0.06),
    ]


def _measure(ports: Ports, page: Page) -> Row:
    bare, limit, ours = load.get("/"), [], []
    for place in range(ROUNDS + 1):
        theirs = load.run(ports.bare, itertools.repeat(bare), seconds=SECONDS)
        mine = load.run(ports.ours, itertools.cycle(page.requests), seconds=SECONDS)
        if set(mine.statuses) != {page.status}:
            raise RuntimeError(f"{page.work}: {page.status} was expected, the answers were {dict(mine.statuses)}")
        if place:  # the first round warms caches and connections up
            limit.append(theirs.per_second)
            ours.append(mine.per_second)
    note = f"{statements(ports, page.requests)} statements"
    return row(work=page.work, unit="pages/s", limit=limit, ours=ours, target=page.target, note=note)


def statements(ports: Ports, requests: Iterable[bytes]) -> int:
    """The most SQL statements that one of the requests takes."""
    most = 0
    for request in requests:
        line, rest = request.split(b"\r\n", 1)
        _, head, _ = load.Connection(ports.ours).ask(line + b"\r\nX-Count-Statements: 1\r\n" + rest)
        most = max(most, int(_header(head, b"x-statements")))
    return most


def _header(head: bytes, name: bytes) -> str:
    """A header of an answer, empty when it is not there."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip().decode()
    return ""
