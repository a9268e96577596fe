"""Files and lists of others (screens.md O-8): every run is on record, twice is harmless, and missing days are seen."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders import amfi, calendar, nse, sources, tasks
from orders.models import FileRun, Nav, NavRun, Security
from orders.operations import file_runs, nav_fetch, securities
from orders.queries import schemes
from portal import clock, jobs, roles
from portal.gateway.errors import Unreachable
from portal.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
PAGE, ASK = "/admin/orders/filerun/sources/", "/admin/orders/filerun/sources/ask/"
HEAD = "SYMBOL,NAME OF COMPANY, SERIES, ISIN NUMBER"
LINES = ("COMES,Comes Limited,EQ,INE000C01016", "odd,,EQ,INE000C01016", "COMES,Twice Limited,EQ,INE000D01014")


@pytest.fixture
def listed(monkeypatch):
    """What NSE's list says from now on."""

    def says(*lines: str) -> None:
        raw = "\n".join([HEAD, *lines]).encode()
        monkeypatch.setattr(nse.Nse, "fetch_list", lambda self: raw)

    return says


@pytest.fixture(autouse=True)
def noon(at):
    """A Wednesday that neither ends nor reaches an evening's deadline while a test runs."""
    at("2026-11-18T12:00")


@pytest.fixture
def nudged(monkeypatch):
    """The tasks that workers were asked for, with what they were told."""
    found: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(jobs, "nudge", lambda task, **told: found.append((task, told)))
    return found


def a_nav_run(on, **values) -> NavRun:
    at = clock.now()
    usual = {"source": "daily /NAVAll.txt", "fingerprint": "f", "started_at": at, "finished_at": at, "newest_on": on}
    return NavRun.objects.create(**(usual | values))


def test_a_run_says_what_it_read_changed_and_could_not_use_and_why(listed):
    listed(*LINES)
    securities.sync(at=clock.now())
    run = FileRun.objects.get()
    assert (run.pipeline, run.lines, run.changed, run.unreadable, run.refusal) == ("shares", 3, 1, 2, "")
    assert [(each["line"], each["why"]) for each in run.bad_lines] == [
        (3, "the symbol 'odd' is not one"),
        (4, "COMES stands in an earlier line"),
    ]


def test_the_same_file_again_changes_nothing_and_is_the_same_run(listed):
    listed(*LINES)
    at = clock.now()
    first = securities.sync(at=at)
    assert (first.changed, securities.sync(at=at + timedelta(seconds=1)).changed) == (1, 0)
    run = FileRun.objects.get()
    assert (run.times, run.changed, run.lines) == (2, 1, 3)
    assert Security.objects.count() == 1
    securities.sync(at=at + timedelta(days=1))
    assert FileRun.objects.count() == 2, "another day is another run"


def test_a_refused_list_is_a_run_of_which_nothing_was_used(listed):
    factories.SecurityFactory.create_batch(5)
    listed(LINES[0])
    for _ in range(2):
        with pytest.raises(securities.ListRefused):
            securities.sync(at=clock.now())
    run = FileRun.objects.get()
    assert (run.times, run.changed, run.lines) == (2, 0, 1)
    assert "we know 5" in run.refusal


def test_a_provider_that_is_away_is_on_record_and_nothing_new_is_not(monkeypatch):
    def away(self: object) -> bytes:
        raise Unreachable("nse", "GET", nse.LIST_PATH)

    monkeypatch.setattr(nse.Nse, "fetch_list", away)
    with pytest.raises(Unreachable):
        securities.sync(at=clock.now())
    assert "Unreachable" in FileRun.objects.get().refusal
    with file_runs.kept(FileRun.Pipeline.CLOSES, at=clock.now()):
        pass
    assert FileRun.objects.count() == 1


def test_closes_are_of_their_day_and_bonds_are_left_out(monkeypatch):
    share = factories.SecurityFactory(symbol="ITC", last_price=None, priced_at=None)
    raw = b"SYMBOL, SERIES, DATE1, CLOSE_PRICE\nITC, EQ, x, 440.05\nNHAI, N2, x, 1100\nTCS, EQ, x, -\n"
    monkeypatch.setattr(nse.Nse, "fetch_day", lambda self, day: raw)
    day = securities.refresh_prices(at=clock.now())
    run = FileRun.objects.get()
    assert (run.about_on, run.lines, run.changed, run.ignored, run.unreadable) == (day, 3, 1, 1, 1)
    share.refresh_from_db()
    assert str(share.last_price) == "440.05"


def test_no_line_is_left_out_twice():
    with pytest.raises(IntegrityError, match="a_line_is_left_out_once"), transaction.atomic():
        FileRun.objects.create(
            pipeline="shares", read_on="2026-11-20", first_at=clock.now(), last_at=clock.now(), lines=2, ignored=2,
            unreadable=1,
        )  # fmt: skip


# --- Days -------------------------------------------------------------------------------------------------------


def test_days_without_navs_are_those_since_the_first_file():
    days = sources.business_days(clock.now())
    assert sources.nav_days(days) == []
    a_nav_run(days[3])
    for code in range(1, 11):
        Nav.objects.create(amfi_code=code, on=days[3], nav=10)
        if code < 9:
            Nav.objects.create(amfi_code=code, on=days[1], nav=10)
    found = sources.nav_days(days)
    assert [day.on for day in found] == days[:4]
    assert [(day.held, day.is_missing, day.is_whole) for day in found] == [
        (0, True, False), (8, False, False), (0, True, False), (10, False, True),
    ]  # fmt: skip


def test_no_holiday_and_no_evening_that_has_not_come_is_missing():
    holidays = schemes.holidays()
    noon = datetime(2026, 11, 20, 12, tzinfo=clock.IST)
    assert sources.business_days(noon)[0] == calendar.previous_business_day(noon.date(), holidays)
    late = noon.replace(hour=nav_fetch.PUBLISHED_FROM.hour)
    assert sources.business_days(late)[0] == late.date()
    assert not holidays & set(sources.business_days(late))


# --- The page ---------------------------------------------------------------------------------------------------


def test_before_anything_was_read_the_page_says_so(as_role):
    text = as_role(roles.VIEWER).get(PAGE).content.decode()
    assert text.count("never read") == len(sources.here())
    assert "No file of a day was taken in yet." in text


def test_the_page_shows_what_is_well_late_refused_and_missing(as_role, listed, nudged):
    at = clock.now()
    days = sources.business_days(at)
    a_nav_run(days[1], lines=12, accepted=10, unreadable=1, changed=10)
    a_nav_run(None, source="daily /NAVAll.txt", fingerprint="g", started_at=at + timedelta(minutes=1), finished_at=None,
              bad_lines=[{"line": 0, "text": "", "why": "It ends in the middle of a line."}])  # fmt: skip
    Nav.objects.create(amfi_code=1, on=days[1], nav=10)
    listed(*LINES)
    securities.sync(at=at)
    securities.sync(at=at - timedelta(days=4))
    FileRun.objects.filter(read_on=at.astimezone(clock.IST).date()).delete()
    client = as_role(roles.MAKER)
    text = client.get(PAGE).content.decode()
    assert "It ends in the middle of a line." in text
    assert ">late</" in text
    assert ">missing</" in text
    assert f'value="{days[0]}"' in text
    answer = client.post(ASK, {"day": str(days[0])}, follow=True)
    assert "Asked for the NAVs of" in answer.content.decode()
    assert nudged == [("orders.fetch_nav_day", {"on": str(days[0])})]
    assert AuditEntry.objects.get(action="file.asked_again").data == {"nav_day": str(days[0])}


@pytest.mark.parametrize("source", sources.SOURCES, ids=lambda each: each.key)
def test_each_source_is_read_again_by_a_task_that_exists(as_role, nudged, source):
    from celery import current_app

    assert source.task in current_app.tasks
    assert as_role(roles.MAKER).post(ASK, {"source": source.key}).status_code == 302
    assert nudged == [(source.task, {"asked": True})]


def test_a_worker_reads_what_was_asked_for_although_nothing_is_due(monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(amfi.Amfi, "fetch_history", lambda self, first, last, codes: asked.append((first, last)) or b"")
    monkeypatch.setattr(amfi.Amfi, "fetch_day", lambda self, known: asked.append("day"))
    monkeypatch.setattr(nav_fetch, "is_due", lambda *, at: False)
    tasks.fetch_nav_day(on="2026-11-20")
    tasks.ingest_navs()
    tasks.ingest_navs(asked=True)
    assert asked == [(date(2026, 11, 20), date(2026, 11, 20)), "day"]
    assert not NavRun.objects.exists()


def test_only_makers_ask_and_only_for_what_there_is(as_role, client, nudged):
    assert client.get(PAGE).status_code == 302
    assert as_role(roles.INVESTOR).get(PAGE).status_code == 302
    for role in (roles.VIEWER, roles.CHECKER, roles.ADMIN):
        assert "Read now" not in as_role(role).get(PAGE).content.decode()
        assert as_role(role).post(ASK, {"source": "navs"}).status_code == 403
    maker = as_role(roles.MAKER)
    far = sources.business_days(clock.now())[-1] - timedelta(days=60)
    for asked in ({}, {"source": "other"}, {"day": "x"}, {"day": str(far)}):
        assert maker.post(ASK, asked).status_code == 404
    assert maker.get(ASK).status_code == 405
    assert nudged == []


def test_the_page_costs_the_same_however_much_was_read(as_role, listed):
    client = as_role(roles.MAKER)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    statements()
    few = statements()
    listed(*LINES)
    for back in range(20):
        securities.sync(at=clock.now() - timedelta(days=back))
        a_nav_run(sources.business_days(clock.now())[-1], fingerprint=str(back))
    assert statements() <= few
    assert few <= 25


def test_a_run_shows_its_bad_lines_with_the_reason(as_role, listed):
    listed(*LINES, f"<b>,{'x' * 300},EQ,INE000C01016")
    securities.sync(at=clock.now())
    page = as_role(roles.VIEWER).get(reverse("admin:orders_filerun_change", args=[FileRun.objects.get().pk]))
    text = page.content.decode()
    assert "COMES stands in an earlier line" in text
    assert "the symbol &#x27;&lt;b&gt;&#x27; is not one" in text
    navs = a_nav_run(None, finished_at=None, bad_lines=[{"line": 7, "text": "1;x", "why": "nav 'x' is not one"}])
    text = as_role(roles.VIEWER).get(reverse("admin:orders_navrun_change", args=[navs.pk])).content.decode()
    assert "nav &#x27;x&#x27; is not one" in text
    assert "nothing was used" in text
