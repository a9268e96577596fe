"""Statements of commission as files: what a table may look like, and the spoilt ones that people and others send."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from orders.feeds import commission
from orders.feeds.commission import Line, NotAStatement
from tests.factories import files

HEAD = "Fund house,Folio,ISIN,Month,Kind,Amount,GST,TDS,Reference"
GOOD = 'House Mutual Fund,12345/01,INF000000A01,2026-10,trail,"1,23,456.78",10,5.50,R-1'


def lines(text: str | bytes) -> list[Line]:
    raw = text if isinstance(text, bytes) else text.encode()
    return list(commission.read(raw).lines())


def one(cells: str, head: str = HEAD) -> Line:
    (found,) = lines(f"{head}\n{cells}\n")
    return found


def with_cell(name: str, value: str) -> Line:
    values = dict(
        zip(HEAD.split(","), ["House", "12345/01", "INF000000A01", "2026-10", "trail", "5", "", "", ""], strict=True)
    )
    values[name] = '"' + value.replace('"', '""') + '"'
    return one(",".join(values.values()))


def test_a_line_is_read_as_it_stands():
    assert one(GOOD) == Line(
        2, GOOD, "House Mutual Fund", "12345/01", "INF000000A01", date(2026, 10, 1), "TRAIL", Decimal("123456.78"),
        Decimal("10.00"), Decimal("5.50"), "R-1", "",
    )  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_encodings_and_ends_of_lines_are_found_out(delimiter, encoding, end):
    rows = [["AMC", "Folio No.", "ISIN", "Month", "Brokerage Amount"], ["Société", "1", "INF1", "Oct-2026", "₹ 1.50"]]
    rows[1][4] = "1.50" if encoding == "cp1252" else rows[1][4]
    raw = (end.join(delimiter.join(row) for row in rows) + end).encode(encoding)
    (line,) = lines(raw)
    assert (line.house, line.folio, line.scheme, line.amount, line.why_not) == (
        "Société",
        "1",
        "INF1",
        Decimal("1.50"),
        "",
    )


def test_columns_stand_in_any_order_and_what_is_not_known_is_said():
    statement = commission.read(b"Remarks,AMOUNT,scheme code,brokerage month,Folio Number\nx,7,120503,10/2026,55\n")
    assert statement.unused == ["Remarks"]
    (line,) = statement.lines()
    assert (line.scheme, line.folio, line.month, line.kind) == ("120503", "55", date(2026, 10, 1), "TRAIL")


def test_our_template_is_a_statement():
    (line,) = lines("\n".join(",".join(f'"{cell}"' for cell in row) for row in commission.template()))
    assert line.why_not == ""
    assert line.amount == Decimal("1234.50")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0.00"), ("5", "5.00"), ("5.", "5.00"), (".5", "0.50"), ("100.5000", "100.50"),
        ("₹1,23,456.78", "123456.78"),
        ("1,234,567.89", "1234567.89"), ("12,34,567", "1234567.00"), ("Rs. 50", "50.00"), ("INR 50", "50.00"),
        ("-5.10", "-5.10"), ("−5.10", "-5.10"), ("(1,234.50)", "-1234.50"), ("-₹5", "-5.00"), ("₹ -5", "-5.00"),
        ("+5", "5.00"), ("-0", "0.00"), ("999999999.99", "999999999.99"),
    ],
)  # fmt: skip
def test_amounts_are_read_to_the_paisa(text, amount):
    line = with_cell("Amount", text)
    assert (str(line.amount), line.why_not) == (amount, "")


@pytest.mark.parametrize(
    "text",
    [
        "", "nil", "1,23", "12,3456", "1,2,3", "1.234,56", "5,00", "1E5", "1e-2", "NaN", "Infinity", "--5", "(-5)",
        "5-",
        "(5", "5.001", "=1+1", "+1+1", "0x10", "٣", "१२", "1_000", "1 000 x", "1000000000", "9" * 400, "5.5.5", "5 Cr",
        "₹", "-", "()", ".",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_none_and_says_so(text):
    line = with_cell("Amount", text)
    assert line.amount is None
    assert "amount" in line.why_not


@pytest.mark.parametrize(
    "text",
    ["2026-10", "2026/10", "10/2026", "10-2026", "202610", "Oct-2026", "oct 2026", "October 2026", "Oct-26",
     "OCTOBER-26", "2026-10-31", "31-10-2026", "31/10/2026", "31-Oct-2026", "2026-10-01 00:00:00"],
)  # fmt: skip
def test_a_month_is_known_by_its_usual_spellings(text):
    assert with_cell("Month", text).month == date(2026, 10, 1)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "13/2026", "2026-13", "2026-02-30", "10/31/2026", "Okt-2026", "Ma-2026", "1980-01", "46000", "=A1"],
)  # fmt: skip
def test_what_is_no_month_spoils_its_line(text):
    line = with_cell("Month", text)
    assert (line.month, line.amount) == (None, None)
    assert line.why_not


def test_days_are_read_day_first():
    assert with_cell("Month", "05/10/2026").month == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Folio", "", "It names no folio."),
        ("Folio", "1" * 41, "Its folio is longer than 40 characters."),
        ("Folio", "1.23457E+11", "A spreadsheet has shortened the folio number, and its digits are lost."),
        ("ISIN", "", "It names no scheme."),
        ("ISIN", "X" * 61, "Its scheme is longer than 60 characters."),
        ("Reference", "X" * 61, "Its reference is longer than 60 characters."),
        ("Kind", "", "It says no kind of commission."),
        ("Kind", "kindness", "“kindness” is no kind of commission."),
        ("Kind", "clawback", "A clawback takes back: its amount is below zero."),
        ("Kind", "upfront", "Nothing is paid upfront for months after October 2018."),
        ("GST", "x", "Its GST “x” is no amount in rupees."),
        ("TDS", "0.001", "Its TDS “0.001” has more than two decimals."),
        ("Amount", "1000000000", "Its amount “1000000000” is more than a line can be."),
    ],
)
def test_a_line_that_cannot_be_used_is_kept_and_says_why(name, value, why):
    line = with_cell(name, value)
    assert (line.why_not, line.amount) == (why, None)
    assert value[:100] in line.text.replace('""', '"')


def test_several_things_may_be_wrong_at_once():
    assert one("x,,,,,,,,").why_not.startswith("It names no month. It says no kind of commission. It has no amount.")


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://x","y")', "@SUM(1)", "<script>alert(1)</script>", "'; DROP TABLE x;"]
)
def test_a_formula_is_text(cell):
    line = with_cell("Folio", cell)
    assert line.folio == "".join(cell.split())
    assert line.why_not == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('House,"1,INF1,2026-10,trail,5,,,', "A quotation mark in it is not closed, or stands inside a cell."),
        ('House,"1"2,INF1,2026-10,trail,5,,,', "A quotation mark in it is not closed, or stands inside a cell."),
        ("House,1,INF1", "It has 3 cells, and the file 9 columns."),
        ("House,1,INF1,2026-10,trail,5,,,,9", "It has 10 cells, and the file 9 columns."),
        ("x" * 10_000, "It is longer than 4,000 characters."),
        ("House,1\x07,INF1,2026-10,trail,5,,,", "It holds characters that no table has."),
    ],
    ids=["open quote", "quote inside", "too few", "too many", "10,000 characters", "bell"],
)
def test_a_spoilt_line_spoils_no_other(text, why):
    first, spoilt, last = lines(f"{HEAD}\n{GOOD}\n{text}\n{GOOD}\n")
    assert (first.why_not, spoilt.why_not, last.why_not) == ("", why, "")
    assert (first.number, spoilt.number, last.number) == (2, 3, 4)
    assert spoilt.amount is None
    assert 0 < len(spoilt.text) <= 1_000


def test_commas_beyond_the_last_column_and_blank_lines_do_not_matter():
    assert [line.why_not for line in lines(f"\n\n{HEAD}\n\n{GOOD},,,\n,,,,,,,,\n  \n")] == [""]


def test_old_programs_end_a_file_with_a_sign_of_their_own():
    assert len(lines(f"{HEAD}\n{GOOD}\r\n\x1a")) == 1


SPOILT = {
    "nothing": (b"", "empty"),
    "blanks": (b"\n \n\t\n", "empty"),
    "only a byte-order mark": ("\ufeff".encode(), "empty"),
    "only names": (HEAD.encode(), "no line"),
    "no names": (GOOD.encode(), "names no column for"),
    "without folios": (b"ISIN,Month,Amount\na,b,c", "Folio"),
    "without schemes": (b"Folio,Month,Amount\na,b,c", "ISIN, AMFI code or Scheme"),
    "two amounts": (b"Folio,ISIN,Month,Amount,Brokerage\n1,2,3,4,5", "Two columns could be the Amount"),
    "a workbook": (b"PK\x03\x04" + bytes(50), "XLSX"),
    "a packed bomb": (files.zip_bomb(), "ZIP"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(50), "XLS"),
    "a PDF": (files.pdf(), "PDF"),
    "gzip": (b"\x1f\x8b" + bytes(20), "packed"),
    "a picture": (files.picture(), "text"),
    "UTF-16": (f"{HEAD}\n{GOOD}".encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (f"{HEAD}\n{GOOD}".encode("utf-16-le"), "bytes that no text has"),
    "a zero byte": (f"{HEAD}\n{GOOD}".encode() + b"\0", "bytes that no text has"),
    "neither encoding": (f"{HEAD}\n".encode() + b"\x81\x8d\x8f,1", "neither in UTF-8 nor in Windows-1252"),
    "too large": (f"{HEAD}\n".encode() + b"x" * commission.MOST_BYTES, "larger than 10 MB"),
    "a million lines": (f"{HEAD}\n".encode() + b"1\n" * 1_000_000, "more than 25,000 lines"),
    "a line too many": (f"{HEAD}\n".encode() + b"1\n" * (commission.MOST_LINES + 1), "more than 25,000 lines"),
    "a long first line": (b"x" * 100_000, "first line is too long"),
    "ten thousand columns": ((HEAD + ",z" * 500 + "\n1").encode(), "more than 100 columns"),
}


@pytest.mark.parametrize(("raw", "words"), SPOILT.values(), ids=SPOILT)
def test_a_file_that_is_no_table_of_commission_is_refused_whole_with_words(raw, words):
    with pytest.raises(NotAStatement) as refused:
        commission.read(raw)
    assert words in refused.value.message


def test_as_many_lines_as_allowed_are_read():
    statement = commission.read(f"{HEAD}\n".encode() + b"1\r\n" * commission.MOST_LINES)
    assert len(statement.texts) == commission.MOST_LINES
