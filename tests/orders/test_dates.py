"""Dates that investors are promised, case by case: `tests/samples/dates.csv`, whose rules stand in `dates.md` (P13)."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import pytest

from orders import redemption_rules, rules
from portal.clock import IST
from tests.orders.rulebooks import BOOK

SAMPLES = Path(__file__).parents[1] / "samples"
HOLIDAYS = frozenset(
    date.fromisoformat(row["date"])
    for row in csv.DictReader((Path(__file__).parents[2] / "orders" / "data" / "holidays.csv").open(encoding="utf-8"))
)
CASES = list(csv.DictReader((SAMPLES / "dates.csv").open(encoding="utf-8")))
# Which rules there are, as `dates.md` explains them.
EXPLAINED = {line.split("|")[1].strip() for line in (SAMPLES / "dates.md").read_text().splitlines() if "|" in line}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text[4:]).replace(tzinfo=IST)


def day(text: str) -> date | None:
    return date.fromisoformat(text[4:]) if text else None


def yes(text: str) -> bool:
    return text == "yes"


def name(case: dict[str, str]) -> str:
    return " ".join(case[key] for key in ("rule", "category", "gateway", "rail", "asked at", "money at")).replace(
        "  ", " "
    )


PAID_AT_ONCE = [case for case in CASES if case["kind"] == "purchase" and not case["money at"]]
PAID_LATER = [case for case in CASES if case["money at"]]
SALES = [case for case in CASES if case["kind"] == "redemption"]


def test_the_table_has_400_cases_and_each_follows_a_rule_that_is_explained():
    assert len({tuple(case.values()) for case in CASES}) == len(CASES) >= 400
    assert len(PAID_AT_ONCE) + len(PAID_LATER) + len(SALES) == len(CASES)
    used = {case["rule"] for case in CASES}
    assert used == EXPLAINED - {"rule", "---"}


def test_each_weekday_of_the_table_stands_at_its_date():
    days = [
        text for case in CASES for key, text in case.items() if text[3:4] == " " and key not in ("category", "rule")
    ]
    assert len(days) > 1_000
    assert [text for text in days if text[:3] != f"{date.fromisoformat(text[4:14]):%a}"] == []


@pytest.mark.parametrize("case", PAID_AT_ONCE, ids=name)
def test_a_purchase_that_is_paid_at_once(case):
    found = rules.predict_nav_day(
        at=moment(case["asked at"]),
        category=case["category"],
        method=case["rail"],
        holidays=HOLIDAYS,
        book=BOOK,
    )
    assert (found.nav_on, found.allotment_by) == (day(case["NAV of"]), day(case["units by"]))
    assert found.is_certain == yes(case["holidays known"])
    assert len(found.rule) <= 300


@pytest.mark.parametrize("case", PAID_LATER, ids=name)
def test_a_purchase_whose_money_comes_at_another_time(case):
    found = rules.nav_day(
        ordered_at=moment(case["asked at"]),
        money_at=moment(case["money at"]),
        category=case["category"],
        holidays=HOLIDAYS,
        book=BOOK,
    )
    assert found == day(case["NAV of"])


@pytest.mark.parametrize("case", SALES, ids=name)
def test_a_sale(case):
    at = moment(case["asked at"])
    found = redemption_rules.predict(
        at=at,
        is_liquid=rules.gets_the_day_before(case["category"], book=BOOK, on=at.date()),
        payout=redemption_rules.payout_of(
            category=case["category"], asset_class=case["asset class"], book=BOOK, on=at.date()
        ),
        holidays=HOLIDAYS,
        cutoff=redemption_rules.cutoff_of(case["category"], book=BOOK, on=at.date()),
    )
    assert (found.nav_on, found.pay_by) == (day(case["NAV of"]), day(case["money by"]))
    assert found.is_certain == yes(case["holidays known"])
    assert len(found.rule) <= 300


@pytest.mark.parametrize("case", [case for case in SALES if case["rule"] in ("R1", "R2", "R3")][::7], ids=name)
def test_indian_time_decides_wherever_the_moment_comes_from(case):
    at = moment(case["asked at"]).astimezone(None)
    found = redemption_rules.predict(
        at=at,
        is_liquid=rules.gets_the_day_before(case["category"], book=BOOK, on=at.date()),
        payout=redemption_rules.Payout(1, "-"),
        holidays=HOLIDAYS,
        cutoff=redemption_rules.cutoff_of(case["category"], book=BOOK, on=at.date()),
    )
    assert found.nav_on == day(case["NAV of"])
