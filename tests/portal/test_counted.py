"""A figure over a whole table never makes a page wait for the table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache

from investors import tasks as investor_tasks
from orders import tasks as order_tasks
from portal import clock, counted
from portal.admin.home import BEING_COUNTED
from tests import factories

pytestmark = pytest.mark.django_db
PARTS = {
    "Promises kept": order_tasks.count_promises,
    "Applications": investor_tasks.count_applications,
}


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The tasks that were asked for."""
    names: list[str] = []
    monkeypatch.setattr(counted.jobs, "nudge", names.append)
    cache.clear()
    yield names
    cache.clear()


@pytest.fixture
def large(monkeypatch):
    """Every table is too large to be counted while a page waits."""
    monkeypatch.setattr(counted, "SMALL_ROWS", -2)


@pytest.fixture
def figure() -> counted.Figure:
    return counted.Figure("tests.count", "orders_mforder", lambda at: [(at.isoformat(),)])


def test_of_a_small_table_the_figure_is_of_this_moment(figure, asked):
    at = clock.now()
    assert figure.read(at) == counted.Found([(at.isoformat(),)], at)
    assert asked == []


def test_of_a_large_table_it_is_the_last_one_and_a_worker_is_asked_once(figure, asked, large):
    at = clock.now()
    assert figure.read(at) is None
    assert figure.read(at) is None
    assert asked == ["tests.count"]
    figure.refresh(at)
    assert figure.read(at + timedelta(seconds=59)).at == at
    assert asked == ["tests.count"]


def test_it_is_counted_anew_after_a_minute_and_seldom_where_that_takes_long(figure, asked, large):
    at = clock.now()
    figure.refresh(at)
    assert figure.read(at + timedelta(seconds=61)).at == at
    assert asked == ["tests.count"]
    slow = counted.Found([], at, took_s=17)
    assert not slow.is_old(at + timedelta(seconds=17 * 20))
    assert slow.is_old(at + timedelta(seconds=17 * 20 + 1))
    assert slow.is_old(at - timedelta(days=1)), "a clock that was set back"


@pytest.mark.parametrize("title", PARTS)
def test_the_first_page_does_not_count_large_tables_and_says_of_when_its_figures_are(
    title, asked, large, client_for, dev, bharat
):
    factories.OrderFactory(state="ALLOTTED", placed_at=clock.now())
    browser = client_for(dev)

    def panel():
        return next(each for each in browser.get("/admin/").context["panels"] if each.title == title)

    assert (panel().rows, panel().empty) == ([], BEING_COUNTED)
    PARTS[title]()
    assert panel().rows != []
    assert "As of" in panel().note


def test_the_sip_book_of_many_is_the_last_count(asked, large, client_for, dev):
    factories.PlanFactory()
    browser = client_for(dev)

    def tile():
        return next(each for each in browser.get("/admin/").context["tiles"] if each.label == "Running SIPs")

    assert tile().note == BEING_COUNTED
    order_tasks.count_plans()
    assert tile().value == "1"
    assert "a month. As of" in tile().note
