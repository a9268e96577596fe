"""Shares as NSE lists them, their codes at brokers, and prices: fetched whole, then written in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import structlog
from django.db import transaction

from orders import calendar, nse
from orders.feeds import nse as feed
from orders.market import CLOSES_AT
from orders.models import FileRun, Security, SecurityCode
from orders.operations import file_runs
from orders.queries import schemes as scheme_queries
from portal.clock import IST
from portal.errors import Failure

log = structlog.get_logger(__name__)
# A list that has shrunk to less than this part of what we had active is no list to believe.
LEAST_OF_KNOWN = 0.5
# NSE publishes the file of a day in the early evening; after a long weekend the newest is five days old.
LOOK_BACK_DAYS = 6


class ListRefused(Failure):
    """The list is visibly not whole, or two of our shares claim one line; nothing was changed."""

    code = "list_refused"


@dataclass(frozen=True)
class Synced:
    """What a sync did, and what it could not match."""

    listed: int
    changed: int
    ended: int
    unreadable: int


class Coded(NamedTuple):
    """How a broker calls a share, and by which of our names we know it."""

    segment: str
    code: str
    isin: str
    symbol: str


@dataclass(frozen=True)
class Matched:
    """Codes taken in; codes of shares that we do not know; our listed shares without one; and contradictions."""

    known: int
    foreign: int
    without_code: tuple[str, ...]
    # A symbol of ours that stands there with another ISIN: one of the two lists is old.
    other_isin: tuple[str, ...]
    # Codes that are new or another one than before, and such as are gone.
    changed: int = 0

    @property
    def missing(self) -> int:
        """Our listed shares for which the broker has no code."""
        return len(self.without_code)


def sync(*, at: datetime) -> Synced:
    """Our securities are NSE's list: new ones appear, renamed ones are renamed, those that are gone become inactive.

    A share is known by its ISIN, or, when that is new (a split makes a new one), by its symbol. Raises GatewayError,
    feed.NotThatFile and ListRefused; then nothing was changed.
    """
    with file_runs.kept(FileRun.Pipeline.SHARES, at=at) as run:
        raw = nse.client().fetch_list()
        run.fingerprint = hashlib.sha256(raw).hexdigest()
        read = feed.read_list(raw)
        _note(run, read, len(read.lines))
        with transaction.atomic():
            known = list(Security.objects.select_for_update())
            active = sum(each.is_active for each in known)
            if len(read.lines) < LEAST_OF_KNOWN * active:
                raise ListRefused(f"NSE lists {len(read.lines)} shares, we know {active}. Nothing was changed.")
            changed, ended = _write(read.lines.values(), known, at)
        run.changed = changed + ended
    return Synced(len(read.lines), changed, ended, read.unreadable)


def _note(run: FileRun, read: feed.Read, good: int, ignored: int = 0) -> None:
    run.lines, run.ignored, run.unreadable = good + ignored + read.unreadable, ignored, read.unreadable
    run.bad_lines = file_runs.bad_lines(read.bad)


def _write(lines: Iterable[feed.Listed], known: list[Security], at: datetime) -> tuple[int, int]:
    by_isin, by_symbol = {each.isin: each for each in known}, {each.symbol: each for each in known}
    new, changed, seen = [], [], set()
    for line in lines:
        ours = by_isin.get(line.isin) or by_symbol.get(line.symbol)
        if ours is None:
            new.append(Security(**line._asdict(), refreshed_at=at))
            continue
        seen.add(ours.pk)
        holder = by_symbol.get(line.symbol)
        if holder is not None and holder.pk != ours.pk:
            # One row has the ISIN, another the symbol: which of them people hold is for a person to find out.
            log.warning("two_shares_claim_one_line", symbol=line.symbol, isin=line.isin)
            continue
        if (ours.symbol, ours.isin, ours.name, ours.series, ours.is_active) != (*_in_order(line), True):
            ours.symbol, ours.isin, ours.name, ours.series = _in_order(line)
            ours.is_active, ours.refreshed_at = True, at
            changed.append(ours)
    Security.objects.bulk_create(new, batch_size=1000)
    Security.objects.bulk_update(changed, ["symbol", "isin", "name", "series", "is_active", "refreshed_at"], 1000)
    gone = [each.pk for each in known if each.is_active and each.pk not in seen]
    Security.objects.filter(pk__in=gone).update(is_active=False, refreshed_at=at)
    return len(new) + len(changed), len(gone)


def _in_order(line: feed.Listed) -> tuple[str, str, str, str]:
    return line.symbol, line.isin, line.name, line.series


def refresh_prices(*, at: datetime) -> date | None:
    """The newest closes that NSE has published are on the shares. Returns their day; None when we had them already.

    Raises GatewayError, feed.NotThatFile. A price that a broker told us later than the close stays.
    """
    for day in _days_before(at):
        moment = datetime.combine(day, CLOSES_AT, tzinfo=IST)
        # Shares that people look at may have a newer price from a broker; the day's closes are there once one share
        # has exactly the close.
        if Security.objects.filter(priced_at=moment).exists():
            return None
        with file_runs.kept(FileRun.Pipeline.CLOSES, at=at) as run:
            if raw := nse.client().fetch_day(day):
                run.fingerprint, run.about_on = hashlib.sha256(raw).hexdigest(), day
                read = feed.read_day(raw)
                _note(run, read, len(read.closes), read.ignored)
                run.changed = _write_closes(read, moment)
                return day
    return None


def _days_before(at: datetime) -> list[date]:
    """The last business days, newest first."""
    holidays, day = scheme_queries.holidays(), at.astimezone(IST).date()
    days = [day - calendar.ONE_DAY * back for back in range(LOOK_BACK_DAYS)]
    return [each for each in days if calendar.is_business_day(each, holidays)]


def _write_closes(read: feed.ReadDay, moment: datetime) -> int:
    """Returns how many shares have another price, or the same of a later day."""
    shares = [each for each in Security.objects.filter(is_active=True) if each.symbol in read.closes]
    stale = [each for each in shares if each.priced_at is None or each.priced_at < moment]
    for share in stale:
        share.last_price, share.priced_at = read.closes[share.symbol], moment
    return Security.objects.bulk_update(stale, ["last_price", "priced_at"], batch_size=1000)


def note_prices(prices: dict[int, tuple[Decimal, datetime]]) -> None:
    """Last prices (rupees, when) that a broker told, by security id; an older one than ours is left."""
    shares = Security.objects.select_for_update().filter(pk__in=prices).order_by("pk").only("pk", "priced_at")
    older = [share for share in shares if share.priced_at is None or share.priced_at < prices[share.pk][1]]
    for share in older:
        share.last_price, share.priced_at = prices[share.pk]
    Security.objects.bulk_update(older, ["last_price", "priced_at"])


def take_codes(*, broker: str, segments: Iterable[str], codes: Iterable[Coded], at: datetime) -> Matched:
    """The broker's codes of `segments` are exactly these: new ones appear, changed ones change, dead ones go.

    Raises ListRefused for a list that has shrunk by half; then nothing was changed.
    """
    with transaction.atomic():
        shares = list(Security.objects.filter(is_active=True).only("pk", "isin", "symbol"))
        by_isin, by_symbol = {each.isin: each.pk for each in shares}, {each.symbol: each.pk for each in shares}
        found: dict[tuple[str, int], str] = {}
        foreign, other_isin = 0, []
        for coded in codes:
            pk = by_isin.get(coded.isin) if coded.isin else by_symbol.get(coded.symbol)
            if pk is None:
                foreign += 1
                if coded.symbol in by_symbol:
                    other_isin.append(f"{coded.symbol}: {coded.isin} there")
            else:
                found.setdefault((coded.segment, pk), coded.code)
        held = SecurityCode.objects.filter(broker=broker, segment__in=list(segments))
        if len(found) < LEAST_OF_KNOWN * held.count():
            raise ListRefused(f"{broker} lists {len(found)} shares that we know, far fewer than before.")
        before = {(segment, pk): code for segment, pk, code in held.values_list("segment", "security_id", "code")}
        held.delete()
        rows = [SecurityCode(security_id=pk, broker=broker, segment=seg, code=code, refreshed_at=at)
                for (seg, pk), code in found.items()]  # fmt: skip
        SecurityCode.objects.bulk_create(rows, batch_size=1000)
    coded_shares = {pk for _, pk in found}
    without = tuple(sorted(share.symbol for share in shares if share.pk not in coded_shares))
    changed = len({key for key, _ in before.items() ^ found.items()})
    return Matched(len(found), foreign, without, tuple(other_isin), changed)
