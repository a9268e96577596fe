"""AMFI's two layouts, read by their header; every odd line named, every foreign file refused in words."""

from datetime import date

import pytest

from orders.feeds import amfi

TODAY = date(2026, 11, 21)
DAILY = "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date"
HISTORY = (
    "Scheme Code;Scheme Name;ISIN Div Payout/ISIN Growth;ISIN Div Reinvestment;"
    "Net Asset Value;Repurchase Price;Sale Price;Date"
)
GOOD = [f"{100_000 + n};INF00000000{n % 10};-;Fund {n};{10 + n}.5;20-Nov-2026" for n in range(40)]


def day(*lines: str, head: str = DAILY, end: str = "\r\n") -> bytes:
    """A file with a section and a fund house above the lines."""
    section = ["", "Open Ended Schemes(Equity Scheme - Flexi Cap Fund)", " ", "Some Mutual Fund", ""]
    return end.join([head, *section, *lines, ""]).encode()


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_reads_the_daily_layout(end: str) -> None:
    found = amfi.read(day(*GOOD, end=end), today=TODAY)
    assert found.is_daily
    assert (len(found.lines), found.bad, found.newest_on) == (40, [], date(2026, 11, 20))
    assert next(iter(found.typed())) == amfi.NavLine("100000", "10.5", "20-Nov-2026")


def test_reads_the_history_layout_by_its_header() -> None:
    lines = ["100001;Fund;INF1;-;12.3456;;;19-Nov-2026", "100001;Fund;INF1;-;12.4;12.1;12.5;20-Nov-2026"]
    found = amfi.read(day(*lines, head=HISTORY), today=TODAY)
    assert not found.is_daily
    assert found.lines == [("100001", "12.3456", "19-Nov-2026"), ("100001", "12.4", "20-Nov-2026")]


def test_a_daily_file_with_more_columns_is_read_by_their_names() -> None:
    wide = DAILY.replace(";Date", ";Repurchase Price;Plan;Date")
    found = amfi.read(day("100001;INF1;-;Fund;12.3;;;20-Nov-2026", head=wide), today=TODAY)
    assert found.lines == [("100001", "12.3", "20-Nov-2026")]


def test_a_scheme_without_nav_is_counted_and_is_no_error() -> None:
    found = amfi.read(day(*GOOD, "100900;-;-;Closed Fund;N.A.;20-Nov-2026"), today=TODAY)
    assert (len(found.lines), found.without_nav, found.bad) == (40, 1, [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("100900;INF1;-;Fund;12.3", "5 columns instead of 6"),
        ("1009x0;INF1;-;Fund;12.3;20-Nov-2026", "scheme code '1009x0' is not one"),
        ("100900;INF1;-;Fund;-12.3;20-Nov-2026", "net asset value '-12.3' is not one"),
        ("100900;INF1;-;Fund;1,200.5;20-Nov-2026", "net asset value '1,200.5' is not one"),
        ("100900;INF1;-;Fund;NaN;20-Nov-2026", "net asset value 'NaN' is not one"),
        ("100900;INF1;-;Fund;12.3;2026-11-20", "date '2026-11-20' is not one"),
        ("100900;INF1;-;Fund;12.3;31-Nov-2026", "date '31-Nov-2026' is not one"),
        ("100900;INF1;-;Fund;12.3;22-Nov-2026", "the date 22-Nov-2026 lies ahead"),
        ("100000;INF1;-;Fund;99.9;20-Nov-2026", "a second NAV for code 100000 on 20-Nov-2026: 10.5 stands"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(line: str, why: str) -> None:
    found = amfi.read(day(*GOOD, line), today=TODAY)
    assert len(found.lines) == 40
    assert [(bad.number, bad.why) for bad in found.bad] == [(47, why)]


def test_the_same_line_twice_counts_once() -> None:
    found = amfi.read(day(*GOOD, GOOD[0]), today=TODAY)
    assert (len(found.lines), found.bad) == (40, [])


def test_blanks_around_values_do_no_harm() -> None:
    found = amfi.read(day(*GOOD, "100900 ; INF1;-;Fund; 12.3 ;20-Nov-2026 "), today=TODAY)
    assert found.lines[-1] == ("100900", "12.3", "20-Nov-2026")
    assert found.bad == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b" \r\n \r\n", "empty"),
        (b"<!DOCTYPE html><html>Service unavailable</html>\n", "web page"),
        (b"\xef\xbb\xbf<html></html>\n", "web page"),
        (day(*GOOD)[:-9], "cut off"),
        (day(*GOOD, head=DAILY.replace("Net Asset Value", "NAV")), "net asset value"),
        (day(*GOOD, head=DAILY + ";Date"), "'date'"),
        (day(*GOOD, head="Date;Scheme Code;Net Asset Value"), "unknown order"),
        (day(), "no NAV"),
        (day(*(line.replace("20-Nov", "20/Nov") for line in GOOD)), "no NAV"),
        (day(*GOOD, *(["1;2"] * 5)), "5 of 45 lines cannot be read"),
    ],
)
def test_a_foreign_or_broken_file_is_refused_as_a_whole(raw: bytes, words: str) -> None:
    with pytest.raises(amfi.NotANavFile, match=words):
        amfi.read(raw, today=TODAY)


def test_the_category_comes_from_the_section_above() -> None:
    assert dict(amfi.categories(day(*GOOD)))["100007"] == "Equity Scheme - Flexi Cap Fund"
    assert amfi.split_category("Equity Scheme - Flexi Cap Fund") == ("Equity", "Flexi Cap Fund")
    assert amfi.split_category("Solution Oriented Scheme - Children\u2019s Fund")[1] == "Children's Fund"
    assert amfi.split_category("Other Scheme - Other  ETFs") == ("Other", "Other ETFs")
    assert amfi.split_category("Income") == ("", "Income")


def test_dates_are_written_as_amfi_reads_them() -> None:
    assert amfi.print_date(date(2026, 1, 5)) == "05-Jan-2026"
    assert amfi.parse_date("05-Jan-2026") == date(2026, 1, 5)
    assert amfi.parse_date("30-Feb-2026") is None
