"""The partner's earnings as pages: what they say, what they open to, and what is no longer the firm's to see."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal import clock
from portal.api import partners
from portal.console.views import earnings as views
from portal.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


class Firm:
    """A partner with a person and an investor who holds a fund."""

    def __init__(self, investor: Any) -> None:
        self.partner = factories.PartnerFactory()
        self.person = factories.UserFactory()
        partners.add_member(partner=self.partner, user=self.person, actor="test", at=clock.now())
        type(investor).objects.filter(pk=investor.pk).update(partner=self.partner, name="Asha Quillfeather")
        self.investor = investor
        self.scheme = factories.SchemeFactory(
            name="Unmistakable Flexi Cap Fund", fund_house__name="Hill Mutual Fund",
            nav_on=date(2026, 9, 2), previous_nav_on=date(2026, 9, 1),
        )  # fmt: skip
        self.folio = factories.FolioFactory(investor=investor, fund_house=self.scheme.fund_house)
        self.earned = {"scheme": self.scheme, "folio": self.folio, "partner": self.partner}

    def month(self, **more: Any) -> Any:
        return factories.CommissionMonthFactory(**self.earned, **more)

    def line(self, amount: str, **more: Any) -> Any:
        return factories.CommissionLineFactory(amount=Decimal(amount), **self.earned, **more)


@pytest.fixture
def firm(asha: Any) -> Firm:
    return Firm(asha)


@pytest.fixture
def browser(firm: Firm, client_for: Any) -> Client:
    found: Client = client_for(firm.person)
    return found


def page(browser: Client, name: str, *args: Any, query: str = "") -> str:
    """The text of a page, without tags."""
    answer = browser.get(reverse(f"console:{name}", args=args) + query)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_where_nothing_was_entered_it_is_said(browser):
    assert "No commission has been entered for your investors yet." in page(browser, "earnings")
    assert "No payout yet" in page(browser, "payouts")


def test_months_show_what_was_expected_received_and_handed_on(firm, browser):
    factories.CommissionShareFactory(partner=firm.partner)
    firm.month(expected=Decimal("101.92"))
    factories.payout_of(firm.partner, [firm.line("80.00")])
    firm.line("10.00", kind="INCENTIVE")
    shown = page(browser, "earnings")
    assert "Oct 2026 ₹101.92 ₹90.00 ₹63.00 ₹56.00 ₹7.00" in shown
    assert "Earnings" in shown
    opened = page(browser, "earnings_month", "2026-10")
    assert "₹21.92 less trail was received than was expected." in opened
    assert "Hill Mutual Fund ₹101.92 ₹80.00 −₹21.92 ₹90.00 ₹63.00" in opened
    assert "Additional incentive 1 ₹10.00 ₹7.00" in opened


@pytest.mark.parametrize(
    ("expected", "received", "said"),
    [
        ("80.00", None, "Nothing has been received for this month yet."),
        (None, "80.00", "Our records expected no trail for this month"),
        ("80.00", "80.00", "is what was expected, to the paisa"),
        ("80.00", "80.01", "₹0.01 more trail was received than was expected."),
        ("80.00", "79.00", "₹1.00 less trail was received than was expected."),
    ],
)
def test_a_difference_is_said_plainly(firm, browser, expected, received, said):
    if expected:
        firm.month(expected=Decimal(expected))
    if received:
        firm.line(received)
    assert said in page(browser, "earnings_month", "2026-10")


def test_a_line_says_when_no_share_is_agreed(firm, browser):
    firm.line("80.00")
    assert "1 line without a share" in page(browser, "earnings")
    assert "no share is agreed yet" in page(browser, "earnings_month", "2026-10")


def test_a_month_opens_to_a_holding_and_to_its_days(firm, browser):
    for on, nav in ((date(2026, 9, 30), "50.0000"), (date(2026, 10, 30), "60.0000")):
        factories.NavFactory(scheme=firm.scheme, on=on, nav=Decimal(nav))
    factories.TransactionFactory(
        investor=firm.investor, folio=firm.folio, scheme=firm.scheme, units=Decimal("1000.000"),
        nav=Decimal("50.0000"), traded_on=date(2026, 10, 29),
    )  # fmt: skip
    factories.CommissionRateFactory(scheme=firm.scheme)
    # 1,000 units: one day at 50 and two at 60, at 1 % a year: 170,000 / 36,500 = 4.657...
    its = firm.month(days=3, expected=Decimal("4.66"), average_value=Decimal("56666.67"))
    assert "Unmistakable Flexi Cap Fund 3 days" in page(browser, "earnings_holdings", "2026-10")
    shown = page(browser, "earnings_holding", "2026-10", its.pk)
    assert "29 Oct 2026 1,000.000 ₹50.0000 of 30 Sep 2026 1% Rate card of January 2026 ₹1.3699" in shown
    assert "31 Oct 2026 1,000.000 ₹60.0000 of 30 Oct 2026" in shown
    assert "by today's records" not in shown
    type(its).objects.filter(pk=its.pk).update(expected=Decimal("4.65"))
    assert "These days add up to ₹4.66 by today's records." in page(browser, "earnings_holding", "2026-10", its.pk)


@pytest.mark.parametrize("has_wall", [True, False])
def test_who_has_left_the_firm_is_not_named_and_what_was_earned_stays(firm, browser, monkeypatch, has_wall):
    if not has_wall:
        monkeypatch.setattr(partners, "scope_of", lambda *_: "all")
    its = firm.month()
    firm.line("80.00")
    type(firm.investor).objects.filter(pk=firm.investor.pk).update(partner=factories.PartnerFactory())
    for name, args in (("month", ()), ("holdings", ()), ("holding", (its.pk,))):
        shown = page(browser, f"earnings_{name}", "2026-10", *args)
        assert "An investor who is no longer yours" in shown, name
        assert "Quillfeather" not in shown, name
        assert "Unmistakable Flexi Cap Fund" in shown, name
    # What stood in the registrar's file stays: it was the firm's month.
    assert firm.folio.number in page(browser, "earnings_month", "2026-10")
    assert firm.folio.number not in page(browser, "earnings_holdings", "2026-10")
    assert "Day by day" not in page(browser, "earnings_holding", "2026-10", its.pk)
    taken = browser.get(reverse("console:earnings_file", args=["2026-10"])).content.decode()
    assert firm.investor.code not in taken


def test_lines_are_narrowed_to_a_fund_house_and_a_kind(firm, browser):
    firm.line("80.00")
    firm.line("10.00", kind="INCENTIVE")
    other = factories.CommissionLineFactory(partner=firm.partner, amount=Decimal("7.77"))
    house = page(browser, "earnings_month", "2026-10", query=f"?house={other.fund_house_id}")
    assert (house.count("None yet"), house.count(other.folio_number)) == (1, 1)
    assert page(browser, "earnings_month", "2026-10", query="?kind=INCENTIVE").count("None yet") == 1
    assert page(browser, "earnings_month", "2026-10", query="?kind=NONSENSE&house=x").count("None yet") == 3
    assert "No line fits." in page(browser, "earnings_month", "2026-10", query="?house=1&kind=OTHER")


def test_holdings_are_narrowed_to_those_that_differ(firm, browser):
    firm.month(expected=Decimal("80.00"))
    firm.line("79.00")
    quiet = factories.CommissionMonthFactory(partner=firm.partner, scheme__name="Quiet Liquid Fund")
    other = page(browser, "earnings_holdings", "2026-10", query="?show=other")
    none = page(browser, "earnings_holdings", "2026-10", query="?show=none")
    assert ("Unmistakable" in other, quiet.scheme.name in other) == (True, False)
    assert ("Unmistakable" in none, quiet.scheme.name in none) == (False, True)
    assert "No holding fits" in page(browser, "earnings_holdings", "2026-10", query="?show=other&before=1")


def test_a_payout_says_what_was_withheld_and_how_it_was_paid(firm, browser):
    payout = factories.payout_of(firm.partner, [firm.line("80.00")])
    shown = page(browser, "payout", payout.code)
    assert "Your share ₹56.00" in shown
    assert "₹51.00" in shown
    assert payout.utr in shown
    assert f"{payout.code} up to Oct 2026 ₹56.00 ₹5.00 ₹51.00" in page(browser, "payouts")


def test_a_payout_that_waits_for_a_second_person_is_not_there(firm, browser):
    payout = factories.payout_of(firm.partner, [firm.line("80.00")], state="ASKED")
    assert browser.get(reverse("console:payout", args=[payout.code])).status_code == 404
    assert payout.code not in page(browser, "payouts") + page(browser, "earnings_month", "2026-10")


def test_a_month_is_a_file_without_live_cells(firm, browser):
    type(firm.scheme).objects.filter(pk=firm.scheme.pk).update(name="=HYPERLINK(1)")
    payout = factories.payout_of(firm.partner, [firm.line("-0.10", kind="CLAWBACK"), firm.line("80.00")])
    answer = browser.get(reverse("console:earnings_file", args=["2026-10"]))
    assert 'filename="earnings-2026-10.csv"' in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["Received"], row["Your share"]) for row in rows] == [("80.00", "56.00"), ("-0.10", "-0.07")]
    assert {row["Scheme"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {(row["Investor"], row["UTR"]) for row in rows} == {(firm.investor.code, payout.utr)}
    taken = AuditEntry.objects.get(action="list.exported")
    assert (taken.data["what"], taken.data["rows"], taken.data["filters"]) == ("earnings", 2, {"month": "2026-10"})


def test_a_month_with_more_lines_than_a_file_holds_is_left_to_the_api(firm, browser, monkeypatch):
    monkeypatch.setattr(views, "MOST_LINES", 1)
    firm.line("1.00")
    firm.line("2.00")
    answer = browser.get(reverse("console:earnings_file", args=["2026-10"]), follow=True)
    assert "The API reads any number of them." in answer.content.decode()
    assert not AuditEntry.objects.filter(action="list.exported").exists()


@pytest.mark.parametrize("month", ["2026-09", "2026-13", "2026-1", "0000-01", "october", "2026-10-01", "9999-12"])
def test_a_month_without_anything_is_not_there(firm, browser, month):
    firm.line("1.00")
    for name in ("month", "file", "holdings"):
        assert browser.get(reverse(f"console:earnings_{name}", args=[month])).status_code == 404
    for number in (1, 10**30):
        assert browser.get(reverse("console:earnings_holding", args=[month, number])).status_code == 404


def test_lists_go_page_by_page(firm, browser, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    for n in range(1, 6):
        firm.line(f"{n}.00", month=date(2020 + n, 11, 1))
        firm.line(f"{n}.50")
    shown, address = [], reverse("console:earnings")
    while address:
        text = browser.get(address).content.decode()
        shown += re.findall(r"/partner/earnings/(\d{4}-\d\d)/", text)
        address = _next(text, reverse("console:earnings"))
    assert shown == ["2026-10", "2025-11", "2024-11", "2023-11", "2022-11", "2021-11"]
    amounts, address = [], reverse("console:earnings_month", args=["2026-10"])
    while address:
        text = browser.get(address).content.decode()
        amounts += re.findall(r'data-label="Received">₹(\d\.50)<', text)
        address = _next(text, reverse("console:earnings_month", args=["2026-10"]))
    assert amounts == ["5.50", "4.50", "3.50", "2.50", "1.50"]


def _next(text: str, here: str) -> str:
    found = re.search(r'href="([^"]*)" rel="next"', text)
    return here + html.unescape(found[1]) if found else ""


BUDGET = {"earnings": 15, "earnings_month": 13, "earnings_holdings": 11, "earnings_holding": 17, "earnings_file": 12,
          "payouts": 10, "payout": 11}  # fmt: skip


@pytest.mark.parametrize("name", BUDGET)
def test_pages_ask_as_often_for_many_rows_as_for_few(firm, browser, django_assert_max_num_queries, name):
    its = firm.month()
    lines = [factories.CommissionLineFactory(partner=firm.partner) for _ in range(5)]
    payout = factories.payout_of(firm.partner, [*lines, firm.line("1.00"), firm.line("2.00")])
    for _ in range(5):
        factories.CommissionMonthFactory(partner=firm.partner)
    args = {"payout": [payout.code], "earnings_holding": ["2026-10", its.pk], "earnings": [], "payouts": []}
    with django_assert_max_num_queries(BUDGET[name]):
        page(browser, name, *args.get(name, ["2026-10"]))
