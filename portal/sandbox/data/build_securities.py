"""Builds `securities.csv.gz` from the public files named in README.md (run by hand).

    python portal/sandbox/data/build_securities.py <folder of shared data>

One row per equity listed on NSE: its 5paisa scrip code on NSE (which is NSE's own token) and on BSE, and the close from
which the sandbox's prices walk. Codes are real where the scrip-master sample has them; any other NSE code is made up
from 300001 on, and is stable because it is written down here. 12345 is the document's own placeholder for a scrip.
"""

import csv
import gzip
import hashlib
import io
import sys
from pathlib import Path

COLUMNS = ["symbol", "isin", "name", "series", "code", "bse_code", "base"]
MADE_UP_FROM = 300_001
PLACEHOLDER = 12345
# closes of late May 2025, rounded and typed by hand; any other base is made up from the ISIN
BASES = {
    "ADANIENT": "2580", "ADANIPORTS": "1420", "APOLLOHOSP": "6950", "ASIANPAINT": "2310", "AXISBANK": "1205",
    "BAJAJ-AUTO": "8780", "BAJAJFINSV": "2020", "BAJFINANCE": "920", "BEL": "385", "BHARTIARTL": "1850",
    "BPCL": "315", "BRITANNIA": "5500", "CIPLA": "1480", "COALINDIA": "400", "DIVISLAB": "6500",
    "DRREDDY": "1240", "EICHERMOT": "5450", "GRASIM": "2650", "HCLTECH": "1660", "HDFCBANK": "1930",
    "HDFCLIFE": "775", "HEROMOTOCO": "4330", "HINDALCO": "655", "HINDUNILVR": "2390", "ICICIBANK": "1455",
    "IDEA": "7.10", "INDUSINDBK": "800", "INFY": "1580", "ITC": "440", "JSWSTEEL": "1010",
    "KOTAKBANK": "2100", "LT": "3650", "M&M": "3080", "MARUTI": "12400", "NESTLEIND": "2430",
    "NTPC": "345", "ONGC": "246", "PNB": "103", "POWERGRID": "297", "RELIANCE": "1435",
    "SBILIFE": "1800", "SBIN": "795", "SUNPHARMA": "1690", "TATACONSUM": "1140", "TATASTEEL": "163",
    "TCS": "3535", "TECHM": "1600", "TITAN": "3590", "TRENT": "5450", "ULTRACEMCO": "11750",
    "VEDL": "443", "WIPRO": "250", "YESBANK": "21",
}  # fmt: skip


def made_up_base(isin: str) -> str:
    """Between 20 and 2,560 rupees, evenly over the doublings between them."""
    draw = int.from_bytes(hashlib.sha256(isin.encode()).digest()[:4], "big") / 2**32
    return f"{20 * 2 ** (7 * draw):.0f}"


def build(shared: Path) -> list[list[str]]:
    with open(shared / "fivepaisa/scrip_master_sample.csv", encoding="utf-8") as file:
        sample = list(csv.DictReader(file))
    nse = {row["Name"]: row for row in sample if row["Exch"] == "N"}
    bse = {row["Name"]: row["ScripCode"] for row in sample if row["Exch"] == "B"}
    with gzip.open(shared / "nse/EQUITY_L_2024-03-07.csv.gz", "rt", encoding="utf-8") as file:
        listed = {row["SYMBOL"].strip(): {k.strip(): v.strip() for k, v in row.items()} for row in csv.DictReader(file)}
    rows, free = [], [PLACEHOLDER, *range(MADE_UP_FROM, MADE_UP_FROM + len(listed))]
    for symbol in sorted(listed | nse):
        own, known = listed.get(symbol, {}), nse.get(symbol)
        isin = known["ISIN"] if known else own["ISIN NUMBER"]
        name = own.get("NAME OF COMPANY") or nse[symbol]["FullName"].title()
        code = known["ScripCode"] if known else str(free.pop(0))
        base = BASES[symbol] if known else made_up_base(isin)
        rows.append([symbol, isin, name, own.get("SERIES", "EQ"), code, bse.get(symbol, ""), base])
    return rows


def main() -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *build(Path(sys.argv[1]))])
    target = Path(__file__).with_name("securities.csv.gz")
    target.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    print(target.name, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
