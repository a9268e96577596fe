"""How the providers are, on the first page: by name, also the ones that nobody has called yet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from portal import clock, roles
from portal.admin.providers import CONFIGURED
from portal.gateway import breaker, errors
from portal.models import GatewayCall, Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_called_yet():
    """What other tests left, whose threads commit by connections of their own."""
    Provider.objects.all().delete()
    GatewayCall.objects.all().delete()


def called(provider: str, outcome: str, *, ago: timedelta = timedelta(minutes=1), times: int = 1) -> None:
    for _ in range(times):
        GatewayCall.objects.create(
            provider=provider, method="GET", path="/x", outcome=outcome, started_at=clock.now() - ago, took_ms=100
        )


@pytest.fixture
def first_page(as_role):
    """`first_page()`: what it says of each provider, and the tile."""

    def look():
        page = as_role(roles.VIEWER).get(reverse("admin:index"))
        panel = next(each for each in page.context["panels"] if each.title.startswith("Providers"))
        lines = [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in panel.rows]
        rows = {line[0]: dict(zip(panel.columns, line, strict=True)) for line in lines}
        return rows, next(tile for tile in page.context["tiles"] if tile.label == "Providers")

    return look


def test_every_configured_provider_has_its_line_also_when_it_is_silent(first_page):
    rows, tile = first_page()
    assert list(rows) == ["5paisa", "AMFI", "FP", "NSE", "ODIN", "smallcase"]
    assert {"5paisa", "amfi", "fp", "nse", "odin", "smallcase"} == set(CONFIGURED)
    assert {row["State"] for row in rows.values()} == {"silent"}
    assert {row["Last answer"] for row in rows.values()} == {"never"}
    assert (tile.value, tile.tone) == ("Well", "done")


def test_figures_come_from_the_journal_and_a_refusal_is_an_answer(first_page):
    called("fp", "OK", times=7)
    called("fp", "REFUSED", ago=timedelta(seconds=30))
    called("fp", "UNREACHABLE")
    called("fp", "OUTCOME_UNKNOWN")
    called("fp", "OK", ago=timedelta(minutes=20))
    rows, _ = first_page()
    assert rows["FP"] == {
        "Provider": "FP",
        "State": "answers",
        "Last answer": rows["FP"]["Last answer"],
        "Last call": rows["FP"]["Last call"],
        "Calls": "10",
        "Limit": "1000 a second",
        "Trouble": "2 (20%)",
        "No clear answer": "1",
        "Refusals": "1",
        "Median": "100 ms",
        "95th": "100 ms",
    }
    assert re.fullmatch(r"3\d s ago", rows["FP"]["Last answer"])


def test_a_provider_in_trouble_is_named_on_the_tile(first_page):
    called("smallcase", "OK", times=2)
    called("smallcase", "UNREACHABLE")
    called("odin", "OUTCOME_UNKNOWN", times=3)
    rows, tile = first_page()
    assert rows["smallcase"]["State"] == "in trouble"
    assert rows["ODIN"]["State"] == "no answer"
    assert (tile.value, tile.tone) == ("2 in trouble", "failed")
    assert tile.note == "ODIN: no answer, smallcase: in trouble"


def test_silence_tells_when_the_provider_last_answered(first_page):
    at = clock.now()
    Provider.objects.create(name="fp", answered_at=at - timedelta(hours=3), trouble_at=at - timedelta(hours=2))
    rows, _ = first_page()
    assert rows["FP"]["State"] == "silent"
    assert (rows["FP"]["Last answer"], rows["FP"]["Last call"]) == ("3 h 0 min ago", "2 h 0 min ago")


def test_a_line_that_is_taken_far_ahead_shows_that_callers_wait(first_page):
    Provider.objects.create(name="fp", free_at=datetime.now(UTC) + timedelta(seconds=30))
    rows, _ = first_page()
    assert re.fullmatch(r"1000 a second, (29|30) s taken", rows["FP"]["Limit"])
    assert rows["ODIN"]["Limit"] == "1000 a second"
    assert rows["AMFI"]["Limit"] == "50 a second"


def test_an_open_breaker_of_any_process_is_seen_and_passes(first_page, at):
    guard = breaker.Breaker("5paisa")
    for _ in range(breaker.OPENS_AFTER):
        guard.heard(errors.Unreachable("5paisa", "GET", "/"))
    rows, tile = first_page()
    assert rows["5paisa"]["State"] == "breaker open"
    assert tile.tone == "failed"
    at(clock.now() + timedelta(seconds=breaker.STAYS_OPEN_S + 1))
    assert first_page()[0]["5paisa"]["State"] == "silent"


def test_answers_are_noted_twice_a_minute_at_most(django_assert_num_queries):
    guard = breaker.Breaker("fp")
    guard.heard(None)
    assert Provider.objects.get(pk="fp").answered_at
    with django_assert_num_queries(0):
        for _ in range(50):
            guard.heard(None)
