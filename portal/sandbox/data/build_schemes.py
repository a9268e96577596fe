"""Builds `schemes.csv.gz` from the public files named in README.md (run by hand, once per new AMFI day).

    python portal/sandbox/data/build_schemes.py <folder of shared data>

One row per line of AMFI's NAVAll file, in the file's own order, so that the sandbox can write the file again
byte for byte; beside it what other sources know of the scheme: older NAVs, launch date, minimum amount, registrar.
"""

import csv
import gzip
import io
import re
import sys
from pathlib import Path

COLUMNS = [
    "code", "isin", "isin_reinvest", "name", "nav", "nav_date", "section", "amc",
    "nav_2025_01_29", "nav_2018_01_31", "family", "min_amount", "launch", "rta", "rta_code", "rta_code_reinvest",
]  # fmt: skip
PLAN_WORDS = re.compile(
    r"\b(direct|regular|retail|institutional|plan|option|growth|idcw|dividend|payout|reinvestment|bonus|daily|weekly"
    r"|fortnightly|monthly|quarterly|half yearly|annual|income distribution cum capital withdrawal)\b"
)


def nav_lines(path: Path) -> list[tuple[str, str, list[str]]]:
    """(section, fund house, fields) of each data line of an AMFI file."""
    section, amc, found = "", "", []
    for line in gzip.decompress(path.read_bytes()).decode().split("\r\n"):
        fields = line.split(";")
        if len(fields) > 5 and fields[0] != "Scheme Code":
            found.append((section, amc, fields))
        elif len(fields) == 1 and "Schemes(" in line:
            section = line
        elif len(fields) == 1 and line.strip():
            amc = line
    return found


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(gzip.open(path, "rt", encoding="utf-8")))


def minimum(text: str) -> str:
    """The first sane rupee amount in AMFI's free text, or nothing."""
    hit = re.search(r"\d[\d,]*", text)
    amount = int(hit.group().replace(",", "")) if hit else 0
    return str(amount) if 1 <= amount <= 1_000_000 else ""


def family(scheme: str, name: str) -> str:
    """One key for all plans and options of a scheme, so that their NAVs move together."""
    words = PLAN_WORDS.sub(" ", (scheme or name).lower())
    return re.sub(r"[^a-z0-9]+", " ", words).strip()


def build(shared: Path) -> list[list[str]]:
    masters = {row["isin"]: row for row in table(shared / "scheme/scheme_master.csv.gz")}
    facts = {row["Code"]: row for row in table(shared / "amfi/SchemeData_2024-11-21.csv.gz")}
    january = {f[0]: f for _, _, f in nav_lines(shared / "amfi/NAVAll_2025-01-29.txt.gz")}
    old = {f[0]: f for _, _, f in nav_lines(shared / "amfi/NAVHistory_2018-01-31.txt.gz")}
    rows = []
    for section, amc, (code, isin, second, name, nav, date) in nav_lines(shared / "amfi/NAVAll_2025-05-26.txt.gz"):
        fact, blank = facts.get(code, {}), {"rta": "", "rta_code": ""}
        first_master, second_master = masters.get(isin, blank), masters.get(second, blank)
        jan = january.get(code, [""] * 6)
        rows.append([
            code, isin, second, name, nav, date, section, amc,
            jan[4] if jan[5] == "29-Jan-2025" else "", old[code][4] if code in old else "",
            family(fact.get("Scheme Name", ""), name), minimum(fact.get("Scheme Minimum Amount", "")),
            fact.get("Launch Date", ""), first_master["rta"] or second_master["rta"],
            first_master["rta_code"], second_master["rta_code"],
        ])  # fmt: skip
    return rows


def main() -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *build(Path(sys.argv[1]))])
    target = Path(__file__).with_name("schemes.csv.gz")
    target.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    print(target.name, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
