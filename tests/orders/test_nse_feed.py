"""NSE's files: read as they come, refused when they are another file, wrong lines left out and counted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.feeds import nse

LIST = (
    b"SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE\n"
    b"ITC,ITC Limited,EQ,23-AUG-1995,1,1,INE154A01025,1\n"
    b'M&M,"Mahindra & Mahindra, Limited",EQ,03-JAN-1996,5,1,INE101A01026,5\n'
)
DAY = b"SYMBOL, SERIES, DATE1, CLOSE_PRICE\nITC, EQ, 20-Nov-2026, 440.05\n"


def test_reads_the_list_with_blanks_quotes_and_ampersands():
    read = nse.read_list(LIST)
    assert read.lines["M&M"] == nse.Listed("M&M", "INE101A01026", "Mahindra & Mahindra, Limited", "EQ")
    assert (len(read.lines), read.unreadable) == (2, 0)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"TCS,TCS Limited,EQ,x,1,1,US0378331005,1\n", id="an ISIN of another country"),
        pytest.param(b"tcs,TCS Limited,EQ,x,1,1,INE467B01029,1\n", id="a symbol that is none"),
        pytest.param(b"TCS,,EQ,x,1,1,INE467B01029,1\n", id="no name"),
        pytest.param(b"ITC,Twice Limited,EQ,x,1,1,INE467B01029,1\n", id="a symbol twice"),
        pytest.param(b"TCS,half a line\n", id="cut off"),
    ],
)
def test_a_line_that_cannot_be_read_is_left_out_and_counted(line):
    read = nse.read_list(LIST + line)
    assert (set(read.lines), read.unreadable) == ({"ITC", "M&M"}, 1)
    assert read.lines["ITC"].name == "ITC Limited"


@pytest.mark.parametrize("raw", [b"", b"<html>Access denied</html>", b"SYMBOL,SERIES\nITC,EQ\n", b"\x1f\x8b\x00"])
def test_another_file_is_refused_whole(raw):
    with pytest.raises(nse.NotThatFile):
        nse.read_list(raw)


def test_reads_closing_prices_of_shares_and_leaves_bonds_out():
    more = b"NHAI, N2, 20-Nov-2026, 1100.00\nTCS, BE, 20-Nov-2026, 3535\n"
    assert nse.read_day(DAY + more).closes == {"ITC": Decimal("440.05"), "TCS": Decimal("3535.00")}


@pytest.mark.parametrize("price", ["-", "0", "-3", "NaN", "Infinity", "1e400", "99999999999"])
def test_a_price_that_is_none_is_counted(price):
    read = nse.read_day(DAY + f"TCS, EQ, 20-Nov-2026, {price}\n".encode())
    assert (set(read.closes), read.unreadable) == ({"ITC"}, 1)
