"""AMFI's two files, in its own layout: the NAVs of a day and the history of schemes.

`GET /amfi/spages/NAVAll.txt` and `GET /amfi/DownloadNAVHistoryReport_Po.aspx?frmdt=&todt=&mf=&scheme=`, where `mf` is
our fund house id and `scheme` (a comma-separated list of AMFI codes) is this sandbox's addition.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import lru_cache

from .clock import is_business_day, ist, last_published_day
from .nav import BASE_DAY, day_shown, nav
from .schemes import Listing, amcs, amfi_date, listings, to_amfi_date
from .web import Problem, Request, Response, Router
from .world import World

DAILY_HEAD = "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date"
HISTORY_HEAD = (
    "Scheme Code;Scheme Name;ISIN Div Payout/ISIN Growth;ISIN Div Reinvestment;"
    "Net Asset Value;Repurchase Price;Sale Price;Date"
)
LONGEST_DAYS = 92
TEXT = "text/plain; charset=utf-8"


def _with_sections(rows: Iterable[tuple[Listing, str]], head: str, blank: str) -> bytes:
    """Lines under AMFI's section and fund-house lines; a house is named only where it changes."""
    lines, section, amc = [head], "", ""
    for listing, line in rows:
        if listing.section != section:
            lines += [blank, listing.section]
            section = listing.section
        if listing.amc != amc:
            lines += [blank, listing.amc, blank]
            amc = listing.amc
        lines.append(line)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _day_rows(day: dt.date) -> Iterator[tuple[Listing, str]]:
    for row in listings():
        value, date = row.nav, row.nav_date
        if row.live and day != BASE_DAY:
            shown = day_shown(row, day)
            value, date = nav(row, shown) or "", to_amfi_date(shown)
        if value:
            yield row, f"{row.code};{row.isin};{row.isin_reinvest};{row.name};{value};{date}"


@lru_cache(maxsize=8)
def nav_all(day: dt.date) -> bytes:
    """The whole file of a calendar day. On days off only liquid and overnight funds have moved."""
    return _with_sections(_day_rows(day), DAILY_HEAD, " ")


def _history_rows(chosen: list[Listing], first: dt.date, last: dt.date) -> Iterator[tuple[Listing, str]]:
    every_day = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    business_days = [day for day in every_day if is_business_day(day)]
    for row in chosen:
        for day in every_day if row.every_day else business_days:
            value = nav(row, day) if row.live or day == row.nav_day else None
            if value:
                yield row, f"{row.code};{row.name};{row.isin};{row.isin_reinvest};{value};;;{to_amfi_date(day)}"


def _dates(request: Request, world: World) -> tuple[dt.date, dt.date]:
    newest = last_published_day(world.now())
    try:
        first = amfi_date(request.query["frmdt"])
        last = amfi_date(request.query["todt"]) if request.query.get("todt") else newest
    except (KeyError, ValueError):
        raise Problem(400, "frmdt and todt are dates such as 01-Jan-2025") from None
    if last < first:
        raise Problem(400, "todt is before frmdt")
    return first, min(last, newest)


def history(world: World, request: Request) -> Response:
    first, last = _dates(request, world)
    codes = {code.strip() for code in request.query.get("scheme", "").split(",") if code.strip()}
    house = request.query.get("mf", "")
    if not codes and (last - first).days > LONGEST_DAYS:
        raise Problem(400, f"at most {LONGEST_DAYS} days at a time unless schemes are named")
    chosen = [row for row in listings() if not codes or row.code in codes]
    if house:
        chosen = [row for row in chosen if str(amcs()[row.amc]) == house]
    return Response(200, _with_sections(_history_rows(chosen, first, last), HISTORY_HEAD, ""), TEXT)


def daily(world: World, request: Request) -> Response:
    day = last_published_day(world.now())
    modified = ist(dt.datetime.combine(day, dt.time(17, 30), dt.UTC).timestamp()).astimezone(dt.UTC)
    stamp = modified.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if request.headers.get("if-modified-since") == stamp:
        return Response(304, b"", TEXT, {"Last-Modified": stamp})
    return Response(200, nav_all(day), TEXT, {"Last-Modified": stamp})


def router() -> Router:
    routes = Router()
    routes.add("GET", "/spages/NAVAll.txt", daily)
    routes.add("GET", "/DownloadNAVHistoryReport_Po.aspx", history)
    return routes


def render(problem: Problem) -> Response:
    return Response(problem.status, problem.message.encode(), TEXT)
