"""NSE's two public files, in its own layout: the list of equities, and what each traded at on a day.

`GET /nse/content/equities/EQUITY_L.csv` and `GET /nse/products/content/sec_bhavdata_full_<ddmmyyyy>.csv`. The second is
there from 18:30 Indian time on of a day on which the exchange was open; before, and for days off, NSE answers 404.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from . import market, walk
from .clock import at_ist, business_day_on_or_before, business_index, ist
from .web import Problem, Request, Response, Router
from .world import World

LIST_HEAD = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"
DAY_HEAD = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, "
    "TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER"
)
PUBLISHED = (18, 30)
TEXT = "text/csv; charset=utf-8"


@lru_cache(maxsize=1)
def _list() -> bytes:
    lines = [LIST_HEAD]
    for one in market.securities():
        name = f'"{one.name}"' if "," in one.name else one.name
        lines.append(f"{one.symbol},{name},{one.series},01-JAN-2000,10,1,{one.isin},10")
    return ("\n".join(lines) + "\n").encode()


def equities(world: World, request: Request) -> Response:
    return Response(200, _list(), TEXT)


def _line(one: market.Security, day: dt.date) -> str:
    """Open, high and low are those of the two closes: the whole walk of every share would take seconds."""
    index = business_index(day)
    last, before = (walk.close(one.symbol, one.base, each) for each in (index, index - 1))
    steps = (before, before, max(last, before), min(last, before), last, last, (before + last) / 2)
    shown = ", ".join(f"{walk.ticks(price) * walk.TICK:.2f}" for price in steps)
    traded = int(market.DAY_VALUE / last * (0.5 + (one.code * index) % 97 / 97))
    turnover = traded * last / 100_000
    counts = f"{traded}, {turnover:.2f}, {traded // 40}, {traded // 2}, 50.00"
    return f"{one.symbol}, {one.series}, {day:%d-%b-%Y}, {shown}, {counts}"


@lru_cache(maxsize=4)
def _day(day: dt.date) -> bytes:
    return ("\n".join([DAY_HEAD, *(_line(one, day) for one in market.securities())]) + "\n").encode()


def day_file(world: World, request: Request, day: str) -> Response:
    try:
        wanted = dt.date(int(day[4:]), int(day[2:4]), int(day[:2]))
    except ValueError:
        raise Problem(404, "Not Found") from None
    published = at_ist(wanted, *PUBLISHED)
    if wanted > ist(world.now()).date() or business_day_on_or_before(wanted) != wanted or world.now() < published:
        raise Problem(404, "Not Found")
    return Response(200, _day(wanted), TEXT)


def router() -> Router:
    routes = Router()
    routes.add("GET", "/content/equities/EQUITY_L.csv", equities)
    routes.add("GET", "/products/content/sec_bhavdata_full_{day}.csv", day_file)
    return routes


def render(problem: Problem) -> Response:
    return Response(problem.status, problem.message.encode(), "text/plain; charset=utf-8")
