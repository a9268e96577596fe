"""How each broker calls a share: taken from 5paisa's scrip master once a day, and what does not match reported.

ODIN calls a share of NSE by the exchange's own token, and so does 5paisa (providers.md 2.5 and 4.6), so one file says
both. ODIN's own file has no description in the documents, and is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from brokers.fivepaisa.client import client
from brokers.fivepaisa.requests import Exchange, ExchangeType, Segment
from brokers.models import Broker
from orders.models import FileRun, Security
from orders.operations import file_runs, securities
from orders.operations.securities import Coded, Matched
from portal import cases
from portal.models import Provider

# Broker and its name of NSE's cash segment -> our rows. ODIN's `mktSegId` 1 (providers.md 2.5).
SEGMENTS = ((Broker.FIVEPAISA, "N"), (Broker.ODIN, "1"))
MISMATCH_CASE = "scrip_codes_mismatch"
NAMED = 20


def refresh(*, at: datetime) -> Matched:
    """The codes of the shares are those of today's master. Raises gateway errors and securities.ListRefused."""
    with file_runs.kept(FileRun.Pipeline.CODES, at=at) as run:
        rows = list(_shares())
        run.fingerprint, run.lines = file_runs.fingerprint(rows), len(rows)
        for broker, segment in SEGMENTS:
            coded = [Coded(segment, code, isin, symbol) for code, isin, symbol in rows]
            matched = securities.take_codes(broker=broker, segments=[segment], codes=coded, at=at)
        run.changed, run.ignored = matched.changed, matched.foreign
        run.bad_lines = file_runs.bad_lines((0, words, "does not match NSE's list") for words in _wrong(matched))
    _report(matched, at)
    return matched


def _shares() -> Iterator[tuple[str, str, str]]:
    """Code, ISIN and symbol of the shares of NSE: in cash the series tells what is one (providers.md 4.6)."""
    series = set(Security.objects.filter(is_active=True).values_list("series", flat=True).distinct())
    for row in client().list_scrips(Segment.NSE_EQ):
        if (row.exch, row.exch_type) == (Exchange.NSE, ExchangeType.CASH) and row.series in series:
            yield str(row.scrip_code), row.isin, row.symbol_root or row.name


def _wrong(matched: Matched) -> tuple[str, ...]:
    """Listed shares without a code, and symbols with another ISIN."""
    return (*(f"{symbol}: no code" for symbol in matched.without_code), *matched.other_isin)


def _report(matched: Matched, at: datetime) -> None:
    """Listed shares without a code, and symbols with another ISIN, are a case until a day comes without any."""
    subject, _ = Provider.objects.get_or_create(name="5paisa")
    wrong = _wrong(matched)
    if not wrong:
        cases.close_cases(subject=subject, kinds=(MISMATCH_CASE,), resolution="Every share has its code again.", at=at)
        return
    more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    cases.open_case(
        kind=MISMATCH_CASE,
        subject=subject,
        title=f"{len(wrong)} shares do not match 5paisa's scrip master",
        detail=f"{'; '.join(wrong[:NAMED])}{more}. They have no live price and cannot be ordered by code.",
        at=at,
    )
