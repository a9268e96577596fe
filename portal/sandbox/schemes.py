"""Every scheme of AMFI's day as Fintech Primitives would list it: one fund scheme for each ISIN.

Names, ISINs, codes, categories and NAVs are real (see data/README.md). What the public files do not say (SIP days,
withdrawal minimums ...) is chosen by a fixed rule from the ISIN or the fund house, so that every world agrees.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from .clock import DATA

LIVE_SINCE = dt.date(2025, 5, 14)
NOT_FOR_SALE = re.compile(r"segregated|unclaimed|escrow|wound|winding|side pocket|matured", re.I)
IDCW = re.compile(r"idcw|dividend|income distribution|\bdiv\b|payout|reinvest", re.I)
EVERY_DAY = ",".join(str(n) for n in range(1, 29))
SIP_DAYS = ("1,5,10,15,20,25", EVERY_DAY, "1,5,7,10,15,20,25,28", EVERY_DAY)
MAX_AMOUNT = 99_999_999
INSTANT_ISINS = {"INF109K01VF4", "INF204K01UN9", "INF209K01RU9", "INF760K01DF2"}
RTA_IDS = {"CAMS": 1, "KARVY": 2, "FRANKLIN": 1}
CATEGORIES = (
    ("Equity Scheme", "EQUITY"), ("Debt Scheme", "DEBT"), ("Hybrid Scheme", "HYBRID"),
    ("Solution Oriented", "SOLUTION_ORIENTED"),
    ("Other Scheme", "OTHER"), ("ELSS", "EQUITY"), ("Growth", "EQUITY"), ("Balanced", "HYBRID"),
)  # fmt: skip


def stable(*parts: object) -> int:
    """A number that depends on nothing but its arguments."""
    return zlib.crc32("|".join(map(str, parts)).encode())


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """One line of the AMFI file with what other sources know of the scheme.

    `live`: it still had a NAV when the file was written.
    """

    position: int
    code: str
    isin: str
    isin_reinvest: str
    name: str
    nav: str
    nav_date: str
    section: str
    amc: str
    anchors: tuple[tuple[dt.date, str], ...]
    family: str
    min_amount: str
    launched: dt.date | None
    rta: str
    rta_code: str
    rta_code_reinvest: str
    nav_day: dt.date
    live: bool

    @property
    def every_day(self) -> bool:
        """Liquid and overnight funds earn interest on days off, and publish a NAV for each calendar day."""
        return self.section.endswith(("- Liquid Fund)", "- Overnight Fund)"))


MONTHS = {
    m: n for n, m in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}


def amfi_date(text: str) -> dt.date:
    """`26-May-2025` as a date; raises ValueError or KeyError."""
    day, month, year = text.split("-")
    return dt.date(int(year), MONTHS[month.title()], int(day))


def to_amfi_date(day: dt.date) -> str:
    return f"{day.day:02d}-{list(MONTHS)[day.month - 1]}-{day.year}"


def _listing(position: int, row: dict[str, str]) -> Listing:
    days = ((dt.date(2018, 1, 31), row["nav_2018_01_31"]), (dt.date(2025, 1, 29), row["nav_2025_01_29"]))
    anchors = tuple((day, nav) for day, nav in days if re.fullmatch(r"\d*\.?\d*[1-9]\d*\.?\d*", nav))
    day, value = amfi_date(row["nav_date"]), row["nav"]
    live = day >= LIVE_SINCE and bool(re.fullmatch(r"\d+(\.\d+)?", value)) and float(value) > 0
    return Listing(
        position, row["code"], row["isin"], row["isin_reinvest"], row["name"], row["nav"], row["nav_date"],
        row["section"],
        row["amc"], anchors, row["family"], row["min_amount"], amfi_date(row["launch"]) if row["launch"] else None,
        row["rta"], row["rta_code"], row["rta_code_reinvest"], day, live,
    )  # fmt: skip


@cache
def listings() -> tuple[Listing, ...]:
    with gzip.open(DATA / "schemes.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return tuple(_listing(n, row) for n, row in enumerate(csv.DictReader(file)))


@cache
def amcs() -> dict[str, int]:
    """Fund house name -> id, in alphabetical order from 1."""
    return {name: n for n, name in enumerate(sorted({row.amc for row in listings()}), 1)}


class FundScheme:
    """One ISIN. `document()` is the provider's answer; attributes are what the order rules need."""

    __slots__ = ("__dict__", "amc_id", "id", "isin", "listing", "option")

    def __init__(self, number: int, isin: str, listing: Listing) -> None:
        self.id, self.isin, self.listing = number, isin, listing
        self.amc_id = amcs()[listing.amc]
        self.option = self._option()

    def _option(self) -> str:
        if self.isin == self.listing.isin_reinvest:
            return "DIV_REINVESTMENT"
        return "DIV_PAYOUT" if IDCW.search(self.listing.name) else "GROWTH"

    def __getattr__(self, name: str) -> Any:
        """Fields of the document, worked out once when first asked for."""
        if name not in FIELDS:
            raise AttributeError(name)
        self.__dict__.update(self._facts())
        return self.__dict__[name]

    @property
    def sub_category(self) -> str:
        inside = self.listing.section.partition("(")[2].rpartition(")")[0]
        return inside.partition(" - ")[2].strip() or inside

    @property
    def fund_category(self) -> str:
        section = self.listing.section
        return next((word for mark, word in CATEGORIES if mark in section), "DEBT")

    @property
    def plan_type(self) -> str:
        return "DIRECT" if re.search(r"\bdirect\b", self.listing.name, re.I) else "REGULAR"

    @property
    def liquid(self) -> bool:
        """Liquid and overnight funds: earlier cut-off and the NAV of the calendar day before."""
        return self.listing.every_day

    def _facts(self) -> dict[str, Any]:
        close_ended = not self.listing.section.startswith("Open Ended")
        buy = self._purchase_allowed(close_ended)
        return {
            "isin": self.isin,
            "active": self.listing.live,
            "name": self.listing.name,
            "investment_option": self.option,
            **self._purchase_facts(buy),
            **self._withdrawal_facts(),
            **self._sip_facts(buy),
            "switch_in_allowed": buy,
            "switch_in_min_amt": 500 if buy else None,
            "switch_multiples": 1 if buy else None,
            "fund_category": self.fund_category,
            "plan_type": self.plan_type,
            "amfi_code": self.listing.code,
            "sub_category": self.sub_category,
            "scheme_code": self._scheme_code(),
            "close_ended": close_ended,
            **self._lock_in_facts(),
            "long_term_period": None,
            "purchase_allowed": buy,
            "redemption_allowed": self.listing.live and not close_ended and "ETF" not in self.sub_category,
            "insta_redemption_allowed": self._instant(buy),
            "amc_id": self.amc_id,
            "rta_id": RTA_IDS.get(self.listing.rta, 1 + self.amc_id % 2),
            "merged": False,
            "merged_to_isin": None,
            "name_changes": None,
        }

    def _purchase_allowed(self, close_ended: bool) -> bool:
        name, kind = self.listing.name, self.sub_category
        if not self.listing.live or close_ended or "ETF" in kind or NOT_FOR_SALE.search(name):
            return False
        return not ("Overseas" in kind and stable("suspended", self.listing.family) % 4 == 0)

    def _purchase_facts(self, buy: bool) -> dict[str, Any]:
        least = min(int(self.listing.min_amount or 500), 100_000)
        most = 199_999 if stable("cap", self.isin) % 60 == 0 and least < 199_999 else MAX_AMOUNT
        step = 10 if self.amc_id % 16 == 5 and least % 10 == 0 else 1
        facts = {
            "min_initial_investment": least, "min_additional_investment": min(least, 100 if least <= 500 else 1000),
            "initial_investment_multiples": step, "max_initial_investment": most, "max_additional_investment": most,
            "additional_investment_multiples": step,
        }  # fmt: skip
        return facts if buy else dict.fromkeys(facts)

    def _withdrawal_facts(self) -> dict[str, Any]:
        return {
            "min_withdrawal_amount": (1, 100, 500)[self.amc_id % 3],
            "min_withdrawal_units": Decimal("0.001"),
            "max_withdrawal_amount": None,
            "max_withdrawal_units": None,
            "withdrawal_multiples": 1,
        }

    def _sip_facts(self, buy: bool) -> dict[str, Any]:
        allowed = buy and self.sub_category != "Overnight Fund" and stable("sip", self.listing.family) % 25 != 0
        least = 500 if self.sub_category == "ELSS" else (100, 500, 1000)[stable("sip", self.amc_id) % 3]
        facts: dict[str, Any] = {
            "min_sip_amount": least, "max_sip_amount": MAX_AMOUNT, "min_sip_installments": (6, 12)[self.amc_id % 2],
            "sip_multiples": 100 if self.sub_category == "ELSS" else 1,
            "sip_frequency_data": {"MONTHLY": SIP_DAYS[self.amc_id % len(SIP_DAYS)]},
        }  # fmt: skip
        return {"sip_allowed": allowed, **(facts if allowed else dict.fromkeys(facts))}

    def _lock_in_facts(self) -> dict[str, Any]:
        """Years: three for tax savers, five for retirement and children's funds."""
        years = 3 if self.sub_category == "ELSS" else 5 if self.fund_category == "SOLUTION_ORIENTED" else None
        return {"lock_in": years is not None, "lock_in_period": years}

    def _instant(self, buy: bool) -> bool:
        return self.isin in INSTANT_ISINS or (buy and self.liquid and self.option == "GROWTH")

    def _scheme_code(self) -> str:
        reinvest = self.option == "DIV_REINVESTMENT"
        code = self.listing.rta_code_reinvest if reinvest else self.listing.rta_code
        return code or f"{self.listing.code[-5:]}{self.option[:1] if not reinvest else 'R'}"

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}

    def brief(self) -> dict[str, Any]:
        """The `fund_scheme` inside an order."""
        return {"id": self.id, "name": self.name, "isin": self.isin, "scheme_code": self.scheme_code}


FIELDS = (
    "isin", "active", "name", "investment_option", "min_initial_investment", "min_additional_investment",
    "initial_investment_multiples", "max_initial_investment", "max_additional_investment",
    "additional_investment_multiples",
    "min_withdrawal_amount", "min_withdrawal_units", "max_withdrawal_amount", "max_withdrawal_units",
    "withdrawal_multiples",
    "sip_allowed", "min_sip_amount", "max_sip_amount", "min_sip_installments", "sip_multiples", "sip_frequency_data",
    "switch_in_allowed", "switch_in_min_amt", "switch_multiples", "fund_category", "plan_type", "amfi_code",
    "sub_category",
    "scheme_code", "close_ended", "lock_in", "lock_in_period", "long_term_period", "purchase_allowed",
    "redemption_allowed",
    "insta_redemption_allowed", "amc_id", "rta_id", "merged", "merged_to_isin", "name_changes",
)  # fmt: skip


def _schemes() -> Iterator[tuple[str, Listing]]:
    for listing in listings():
        for isin in (listing.isin, listing.isin_reinvest):
            if isin.startswith("INF") and len(isin) == 12:
                yield isin, listing


@cache
def fund_schemes() -> dict[str, FundScheme]:
    """ISIN -> scheme, in the order of the AMFI file; the first line wins where an ISIN comes twice."""
    found: dict[str, FundScheme] = {}
    for isin, listing in _schemes():
        if isin not in found:
            found[isin] = FundScheme(len(found) + 1, isin, listing)
    return found


@cache
def by_scheme_code() -> dict[str, FundScheme]:
    """Registrar's scheme code -> scheme, for reading feeds."""
    return {scheme.scheme_code: scheme for scheme in reversed(list(fund_schemes().values()))}
