"""A NAV file is taken in whole or not at all, and the same file again changes nothing."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError, connection

from orders.models import Nav, NavRun, Scheme
from orders.operations import nav_fetch, nav_store, navs
from portal import clock
from portal.models import Case, GatewayCall
from tests.factories import SchemeFactory
from tests.orders.test_navs_file import GOOD, HISTORY, day

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 21, 22, 0, tzinfo=clock.IST)


def take(raw: bytes, **options: object) -> NavRun:
    return navs.ingest(raw=raw, source="NAVAll.txt", at=AT, **options)  # type: ignore[arg-type]


def lines(on: str, nav: str = "50.5", count: int = 40) -> list[str]:
    return [f"{100_000 + n};INF1;-;Fund {n};{nav};{on}" for n in range(count)]


@pytest.fixture
def scheme() -> Scheme:
    return SchemeFactory(amfi_code=100_000, nav=None, nav_on=None, previous_nav=None, previous_nav_on=None)


def shown(scheme: Scheme) -> tuple[object, ...]:
    scheme.refresh_from_db()
    return scheme.nav, scheme.nav_on, scheme.previous_nav, scheme.previous_nav_on


def test_a_file_fills_the_navs_and_the_scheme(scheme: Scheme) -> None:
    run = take(day(*GOOD))
    assert (run.lines, run.accepted, run.changed, run.unreadable) == (40, 40, 40, 0)
    assert run.newest_on == date(2026, 11, 20)
    assert Nav.objects.count() == 40
    assert shown(scheme) == (Decimal("10.5"), date(2026, 11, 20), None, None)


def test_the_same_file_again_changes_nothing(scheme: Scheme) -> None:
    first = take(day(*GOOD))
    assert take(day(*GOOD)) == first
    assert NavRun.objects.count() == 1


def test_another_file_with_the_same_navs_writes_no_row(scheme: Scheme) -> None:
    take(day(*GOOD))
    again = take(day(*reversed(GOOD)))
    assert (again.accepted, again.changed) == (40, 0)


def test_a_correction_changes_what_it_corrects_and_nothing_else(scheme: Scheme) -> None:
    take(day(*GOOD))
    corrected = take(day(GOOD[0].replace("10.5", "10.75"), *GOOD[1:]))
    assert corrected.changed == 1
    assert shown(scheme) == (Decimal("10.75"), date(2026, 11, 20), None, None)


def test_the_next_day_makes_the_last_one_the_previous(scheme: Scheme) -> None:
    take(day(*lines("19-Nov-2026", "50.5")))
    take(day(*lines("20-Nov-2026", "51.5")))
    assert shown(scheme) == (Decimal("51.5"), date(2026, 11, 20), Decimal("50.5"), date(2026, 11, 19))


def test_an_older_day_never_overwrites_the_newest(scheme: Scheme) -> None:
    take(day(*lines("20-Nov-2026", "51.5")))
    take(day(*lines("17-Nov-2026", "47")))
    assert shown(scheme) == (Decimal("51.5"), date(2026, 11, 20), Decimal("47"), date(2026, 11, 17))
    take(day(*lines("19-Nov-2026", "49")))
    assert shown(scheme) == (Decimal("51.5"), date(2026, 11, 20), Decimal("49"), date(2026, 11, 19))


@pytest.mark.parametrize("many", [40, nav_store.CROWD])
def test_few_lines_of_a_day_and_a_crowd_of_them_end_alike(scheme: Scheme, many: int) -> None:
    """A crowded day goes another way to the same rows: copied in when nobody had it, and compared as a whole after."""
    old = "200000;INF1;-;Closed fund;7.5;02-Jul-2018"
    first = lines("19-Nov-2026", "49", many)
    next_day = lines("20-Nov-2026", "50", many)
    assert take(day(*first, old)).changed == many + 1
    assert take(day(*next_day, old)).changed == many
    assert take(day(*reversed(next_day), old)).changed == 0
    late, corrected = "300000;INF1;-;Late fund;8.5;20-Nov-2026", next_day[0].replace(";50;", ";51;")
    assert take(day(corrected, *next_day[1:], late, old)).changed == 2
    assert shown(scheme) == (Decimal(51), date(2026, 11, 20), Decimal(49), date(2026, 11, 19))
    assert Nav.objects.count() == 2 * many + 2
    assert Nav.objects.get(amfi_code=300_000).nav == Decimal("8.5")
    assert set(Nav.objects.filter(amfi_code=100_001).values_list("nav", flat=True)) == {Decimal(49), Decimal(50)}


def test_a_file_of_several_crowded_days_is_taken_in_at_once(scheme: Scheme) -> None:
    take(day(*lines("18-Nov-2026", "48", 500)))
    both = [*lines("18-Nov-2026", "48.5", 500), *lines("19-Nov-2026", "49", 500), *lines("20-Nov-2026", "50", 500)]
    as_history = [
        ";".join([code, name, isin, no, nav, "", "", on]) for code, isin, no, name, nav, on in map(split, both)
    ]
    assert take(day(*as_history, head=HISTORY)).changed == 1500
    assert shown(scheme) == (Decimal(50), date(2026, 11, 20), Decimal(49), date(2026, 11, 19))


def split(line: str) -> list[str]:
    return line.split(";")


def test_both_schemes_of_a_code_show_its_nav(scheme: Scheme) -> None:
    other = SchemeFactory(amfi_code=100_000, nav=None, nav_on=None)
    take(day(*GOOD))
    assert shown(other)[0] == shown(scheme)[0] == Decimal("10.5")


def test_bad_lines_are_reported_and_skipped() -> None:
    run = take(day(*GOOD, "100900;INF1;-;Fund;12,3;20-Nov-2026"))
    assert (run.accepted, run.unreadable) == (40, 1)
    assert run.bad_lines == [
        {
            "line": 47,
            "text": "100900;INF1;-;Fund;12,3;20-Nov-2026",
            "why": "net asset value '12,3' is not one",
        }
    ]


@pytest.mark.parametrize("raw", [b"", b"<html>\n", day(*GOOD)[:-9]])
def test_a_refused_file_changes_nothing_and_opens_one_case(raw: bytes) -> None:
    for _ in range(2):
        with pytest.raises(navs.NavFileRefused, match="Nothing was changed"):
            take(raw)
    assert not Nav.objects.exists()
    assert NavRun.objects.get().finished_at is None
    assert Case.objects.filter(kind=navs.REFUSED_CASE, state="OPEN").count() == 1


def test_a_good_file_closes_the_case_of_a_refused_one() -> None:
    with pytest.raises(navs.NavFileRefused):
        take(b"<html>\n")
    take(day(*GOOD))
    assert not Case.objects.filter(kind=navs.REFUSED_CASE, state="OPEN").exists()


def test_a_file_cut_off_at_the_end_of_a_line_is_refused_beside_the_last_one() -> None:
    take(day(*GOOD))
    with pytest.raises(navs.NavFileRefused, match="35 NAVs, the last one had 40"):
        take(day(*GOOD[:35]))
    assert take(day(*GOOD[:35]), accept_short=True).accepted == 35


def test_never_half_a_file(scheme: Scheme, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return 0

    monkeypatch.setattr(nav_store, "show_latest", fails)
    with pytest.raises(DatabaseError):
        take(day(*GOOD))
    assert not Nav.objects.exists()
    assert not NavRun.objects.exists()


def test_history_of_some_schemes_leaves_the_rest_of_the_file() -> None:
    raw = day("100001;Fund;INF1;-;12.3;;;19-Nov-2026", "100002;Fund;INF1;-;13.3;;;19-Nov-2026", head=HISTORY, end="\n")
    run = take(raw, only=frozenset({"100002"}))
    assert list(Nav.objects.values_list("amfi_code", flat=True)) == [100_002]
    assert run.accepted == 1
    assert take(raw, only=frozenset({"100001"})).changed == 1


def test_a_scheme_without_category_gets_amfis() -> None:
    blank = SchemeFactory(amfi_code=100_003, category="", asset_class="OTHER")
    kept = SchemeFactory(amfi_code=100_004, category="Focused Fund")
    take(day(*GOOD))
    blank.refresh_from_db()
    kept.refresh_from_db()
    assert (blank.category, blank.asset_class) == ("Flexi Cap Fund", "EQUITY")
    assert kept.category == "Focused Fund"


# --- Fetching -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T20:59:59", date(2026, 11, 19)),
        ("2026-11-20T21:00:00", date(2026, 11, 20)),
        ("2026-11-21T22:00:00", date(2026, 11, 20)),  # Saturday
        ("2026-11-25T08:00:00", date(2026, 11, 23)),  # Tuesday the 24th is a holiday
    ],
)
def test_which_day_amfi_should_have_published(moment: str, expected: date) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=clock.IST)
    assert nav_fetch.expected_on(at, frozenset({date(2026, 11, 24)})) == expected


def test_asks_until_the_day_is_complete_and_once_more_for_stragglers() -> None:
    cache.clear()
    night, morning = datetime(2026, 11, 20, 22, tzinfo=clock.IST), datetime(2026, 11, 21, 10, 5, tzinfo=clock.IST)
    SchemeFactory.create_batch(8, nav_on=date(2026, 11, 20))
    late = SchemeFactory.create_batch(2, nav_on=date(2026, 11, 19))
    SchemeFactory(nav_on=date(2025, 1, 1))  # long dead: nobody waits for it
    assert nav_fetch.is_due(at=night)
    Scheme.objects.filter(pk=late[0].pk).update(nav_on=date(2026, 11, 20))
    assert not nav_fetch.is_due(at=night)
    assert nav_fetch.is_due(at=morning)
    cache.set(nav_fetch._LOOKED, morning)
    assert not nav_fetch.is_due(at=morning)


def test_fetches_the_day_once_and_asks_only_for_another_file(
    sandbox: object, at: Callable[[str], datetime], capsys: pytest.CaptureFixture[str]
) -> None:
    cache.clear()
    now = at("2026-11-20T23:30")
    scheme = SchemeFactory(amfi_code=122_640, nav=None, nav_on=None, previous_nav=None, previous_nav_on=None)
    run = nav_fetch.fetch_day(at=now)
    assert run is not None
    assert run.accepted > 13_000
    assert run.newest_on == date(2026, 11, 20)
    scheme.refresh_from_db()
    assert (scheme.nav_on, scheme.previous_nav_on) == (date(2026, 11, 20), date(2026, 11, 19))
    assert nav_fetch.fetch_day(at=now) is None
    days = GatewayCall.objects.filter(provider="amfi", path=nav_fetch.amfi.DAY_PATH).order_by("id")
    assert [call.status for call in days] == [200, 304]
    assert days[0].response_body is None


def test_the_command_reports_a_file_with_its_bad_lines(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "NAVAll.txt"
    path.write_bytes(day(*GOOD, "100900;INF1;-;Fund;12,3;20-Nov-2026"))
    call_command("ingest_navs", str(path))
    said = capsys.readouterr()
    assert "41 lines, 40 NAVs, 40 new or corrected, 1 unreadable" in said.out
    assert "line 47: net asset value '12,3' is not one" in said.out
    assert "lines read: 40 of 40" in said.err


def test_the_command_fetches_history_for_a_chart(sandbox: object, at: Callable[[str], datetime]) -> None:
    at("2026-11-20T12:00")
    call_command("ingest_navs", "--history", "2026-06-01", "2026-10-30", "--schemes", "122640,118955")
    assert set(Nav.objects.values_list("amfi_code", flat=True)) == {122_640, 118_955}
    assert Nav.objects.filter(amfi_code=122_640).count() > 100
