"""How the providers are: from the last quarter of an hour of the journal, and from what all processes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.html import format_html

from portal.admin import home, show
from portal.field_words import words_of
from portal.models import GatewayCall, Provider

WINDOW = timedelta(minutes=15)
# More trouble than this in the window, and a person should look.
TOO_MUCH_TROUBLE = 0.2
# `amfi history` is another host of the provider `amfi`.
CONFIGURED = tuple(sorted({name.split()[0] for name in settings.PROVIDER_BASE_URLS}))
COLUMNS = (
    *("Provider", "State", "Last answer", "Last call", "Calls", "Limit", "Trouble"),
    *("No clear answer", "Refusals", "Median", "95th"),
)

_CALLS = """
    SELECT provider, count(*),
           count(*) FILTER (WHERE outcome IN ('UNREACHABLE', 'THROTTLED', 'NOT_AUTHORISED')),
           count(*) FILTER (WHERE outcome IN ('OUTCOME_UNKNOWN', 'GARBLED')),
           count(*) FILTER (WHERE outcome = 'REFUSED'),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY took_ms),
           max(started_at),
           max(started_at) FILTER (WHERE outcome IN ('OK', 'REFUSED'))
      FROM portal_gatewaycall WHERE started_at >= %s GROUP BY provider
"""


@dataclass(frozen=True)
class Calls:
    """The calls of the window to one provider. A refusal is an answer, and no trouble."""

    calls: int = 0
    errors: int = 0
    unclear: int = 0
    refused: int = 0
    median_ms: float | None = None
    slow_ms: float | None = None
    last_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def trouble(self) -> float:
        """The part of the calls that brought no answer."""
        return (self.errors + self.unclear) / self.calls if self.calls else 0.0


@home.part(order=80, permission="portal.view_gatewaycall")
def providers_part(at: datetime) -> home.Part:
    """A line for every provider that is configured or was heard of, and a tile that names those in trouble."""
    calls = _calls(at - WINDOW)
    known = {row.name: row for row in Provider.objects.all()}
    names = sorted({*CONFIGURED, *known, *calls})
    both = {name: (known.get(name) or Provider(name=name), calls.get(name) or Calls()) for name in names}
    states = {name: _state(*both[name], at) for name in names}
    rows = [_row(*both[name], states[name], at) for name in names]
    url = show.list_url(GatewayCall)
    panel = home.Panel("Providers, last 15 minutes", COLUMNS, rows, "No provider is configured.", url)
    return home.Part([_tile(states)], [panel])


def figures(at: datetime) -> dict[str, dict[str, Any]]:
    """The figures of the window by provider, for a file."""
    return {name: asdict(calls) for name, calls in _calls(at - WINDOW).items()}


def _calls(since: datetime) -> dict[str, Calls]:
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, [since])
        return {str(name): Calls(*figures) for name, *figures in cursor.fetchall()}


def _state(known: Provider, calls: Calls, at: datetime) -> tuple[str, str]:
    """Tone and words. A breaker rests ten seconds at a time, so what it met shows in the trouble of the window too."""
    if known.open_until and known.open_until > at:
        return "failed", "breaker open"
    if calls.calls and calls.trouble == 1:
        return "failed", "no answer"
    if calls.trouble > TOO_MUCH_TROUBLE:
        return "needs", "in trouble"
    return ("done", "answers") if calls.calls else ("neutral", "silent")


def _row(known: Provider, calls: Calls, state: tuple[str, str], at: datetime) -> list[str]:
    answered = _latest(calls.answered_at, known.answered_at)
    called = _latest(calls.last_at, answered, known.trouble_at)
    url = show.list_url(GatewayCall, f"provider={known.name}")
    return [
        format_html('<a class="ops-link" href="{}">{}</a>', url, words_of(known.name)),
        show.badge(*state),
        _ago(answered, at),
        _ago(called, at),
        str(calls.calls),
        _limit(known),
        f"{calls.errors + calls.unclear} ({calls.trouble:.0%})" if calls.calls else show.NOTHING,
        str(calls.unclear),
        str(calls.refused),
        _ms(calls.median_ms),
        _ms(calls.slow_ms),
    ]


def _limit(known: Provider) -> str:
    """The pace in force, and how far ahead the line of calls is taken when callers wait for it.

    The line keeps the database's time, which is real also where the sandbox's clock is ahead.
    """
    pace = settings.PROVIDER_CALLS_PER_SECOND.get(known.name)
    ahead = (known.free_at - datetime.now(UTC)).total_seconds() if not known._state.adding else 0
    waits = f", {ahead:.0f} s taken" if ahead >= 1 else ""
    return f"{pace} a second{waits}" if pace else show.NOTHING


def _latest(*moments: datetime | None) -> datetime | None:
    return max((each for each in moments if each), default=None)


def _ago(moment: datetime | None, at: datetime) -> str:
    return f"{show.age(at - moment)} ago" if moment else "never"


def _ms(value: float | None) -> str:
    return show.NOTHING if value is None else f"{value:.0f} ms"


def _tile(states: Mapping[str, tuple[str, str]]) -> home.Tile:
    bad = {name: words for name, (tone, words) in states.items() if tone in ("failed", "needs")}
    url = show.list_url(GatewayCall, "outcome__exact=UNREACHABLE&outcome__exact=OUTCOME_UNKNOWN&outcome__exact=GARBLED")
    if not bad:
        return home.Tile("Providers", "Well", "Whoever was asked has answered.", url, "done")
    note = ", ".join(f"{words_of(name)}: {words}" for name, words in bad.items())
    tone = "failed" if any(states[name][0] == "failed" for name in bad) else "needs"
    return home.Tile("Providers", f"{len(bad)} in trouble", note, url, tone)
