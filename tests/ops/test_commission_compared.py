"""Expected and received (screens.md O-14): numbers checked by hand, every cell opens to folios, a folio to its days."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders import commission_tasks
from orders.admin import commission_compared as pages
from orders.models import CommissionMonth, Scheme
from orders.operations import commission_months
from orders.queries import commission_compared as compared
from portal import clock, roles
from portal.admin import export
from portal.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/admin/orders/commissionrate/compared/"
FOLIOS, DAYS, AGAIN = f"{URL}folios/", f"{URL}days/", f"{URL}again/"
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
BOTH = (SEPTEMBER, OCTOBER)


@pytest.fixture
def book(db, at):
    """Two houses, three schemes, three folios; the investor of two came by a partner. It is the 22nd of November.

    October     Axis Liquid    ₹100 expected, ₹80 came, and ₹15 as an incentive       ours
                Axis Gilt      ₹50 expected of which ten days have no rate, ₹50.20    the partner's
                Kotak Equity   ₹30 expected, nothing came                             the partner's
    September   Axis Liquid    ₹90 expected and came                                  ours
    """
    at("2026-11-22T10:00")
    axis, kotak = factories.FundHouseFactory(name="Axis"), factories.FundHouseFactory(name="Kotak")
    liquid = factories.SchemeFactory(name="Axis Liquid", fund_house=axis, category="Liquid Fund")
    gilt = factories.SchemeFactory(name="Axis Gilt", fund_house=axis, category="Gilt Fund")
    equity = factories.SchemeFactory(name="Kotak Equity", fund_house=kotak, category="")
    partner = factories.PartnerFactory(name="Sharma Wealth")
    own, brought = factories.ReadyInvestorFactory(), factories.ReadyInvestorFactory(partner=partner)
    first = factories.FolioFactory(investor=own, fund_house=axis)
    second = factories.FolioFactory(investor=brought, fund_house=axis)
    third = factories.FolioFactory(investor=brought, fund_house=kotak)

    def expected(folio, scheme, rupees, month=OCTOBER, **more):
        factories.CommissionMonthFactory(folio=folio, scheme=scheme, month=month, expected=Decimal(rupees), **more)

    def came(folio, scheme, rupees, month=OCTOBER, **more):
        factories.CommissionLineFactory(folio=folio, scheme=scheme, month=month, amount=Decimal(rupees), **more)

    expected(first, liquid, "100")
    came(first, liquid, "60")
    came(first, liquid, "20")
    came(first, liquid, "15", kind="INCENTIVE")
    came(first, liquid, "999", why_not="Its statement was withdrawn.")
    expected(second, gilt, "50", unrated=10)
    came(second, gilt, "50.20")
    expected(third, equity, "30")
    expected(first, liquid, "90", month=SEPTEMBER)
    came(first, liquid, "90", month=SEPTEMBER)
    return SimpleNamespace(
        axis=axis, kotak=kotak, liquid=liquid, partner=partner, first=first, second=second, came=came
    )


def figures(rows, n=-1):
    return {row.words: (row.cells[n].expected, row.cells[n].trail, row.cells[n].others) for row in rows}


def test_what_came_stands_beside_what_was_expected_and_most_is_missing_first(book):
    rows = compared.table(by="scheme", months=[OCTOBER], narrowed={})
    assert figures(rows) == {
        "Kotak Equity": (30, 0, 0),
        "Axis Liquid": (100, 80, 15),
        "Axis Gilt": (50, Decimal("50.20"), 0),
    }
    assert [row.words for row in rows] == ["Kotak Equity", "Axis Liquid", "Axis Gilt"]
    assert [row.cells[0].difference for row in rows] == [-30, -20, Decimal("0.20")]
    assert [(row.cells[0].holdings, row.cells[0].lines, row.cells[0].unrated) for row in rows] == [
        (1, 0, 0),
        (1, 3, 0),
        (1, 1, 1),
    ]


def test_months_stand_beside_each_other(book):
    rows = compared.table(by="house", months=BOTH, narrowed={})
    assert figures(rows, 0) == {"Kotak": (0, 0, 0), "Axis": (90, 90, 0)}
    assert figures(rows) == {"Kotak": (30, 0, 0), "Axis": (150, Decimal("130.20"), 15)}


@pytest.mark.parametrize("by", compared.GROUPINGS)
def test_however_it_is_divided_the_whole_is_the_same(book, by):
    cells = compared.total(compared.table(by=by, months=BOTH, narrowed={}), 2).cells
    assert [(cell.expected, cell.trail, cell.others, cell.holdings, cell.lines) for cell in cells] == [
        (90, 90, 0, 1, 1),
        (180, Decimal("130.20"), 15, 3, 4),
    ]


def test_each_grouping_has_its_words(book):
    assert figures(compared.table(by="partner", months=[OCTOBER], narrowed={})) == {
        "No partner": (100, 80, 15),
        "Sharma Wealth": (80, Decimal("50.20"), 0),
    }
    assert figures(compared.table(by="kind", months=[OCTOBER], narrowed={})) == {
        "trail": (180, Decimal("130.20"), 0),
        "additional incentive": (0, 0, 15),
    }
    assert set(figures(compared.table(by="category", months=[OCTOBER], narrowed={}))) == {
        "Liquid Fund",
        "Gilt Fund",
        "No category",
    }


@pytest.mark.parametrize("by", compared.GROUPINGS)
def test_the_folios_behind_a_cell_add_up_to_it(book, by):
    for row in compared.table(by=by, months=BOTH, narrowed={}):
        for month, cell in zip(BOTH, row.cells, strict=True):
            behind = compared.folios(month=month, narrowed={by: row.key}, size=100)
            for name in ("expected", "trail", "others", "lines", "difference"):
                assert sum(getattr(each, name) for each in behind) == getattr(cell, name)


def test_walking_the_folios_shows_each_once(book):
    for rupees in ("5", "5", "7"):
        book.came(factories.FolioFactory(fund_house=book.axis), book.liquid, rupees)
    whole = compared.folios(month=OCTOBER, narrowed={}, size=100)
    assert [each.difference for each in whole] == [-30, -20, Decimal("0.20"), 5, 5, 7]
    found, after = [], None
    while page := compared.folios(month=OCTOBER, narrowed={}, size=1, after=after):
        found += page
        after = page[-1].place
    assert found == whole


def test_a_line_of_another_partner_than_the_months_stands_by_itself(book):
    book.came(book.second, Scheme.objects.get(name="Axis Gilt"), "9", partner=factories.PartnerFactory(name="Other"))
    rows = figures(compared.table(by="partner", months=[OCTOBER], narrowed={}))
    assert rows["Other"] == (0, 9, 0)
    assert rows["Sharma Wealth"] == (80, Decimal("50.20"), 0)


# --- The pages ----------------------------------------------------------------------------------------------------


def test_every_cell_of_the_page_leads_to_folios_and_a_folio_to_its_days(as_role, book):
    client = as_role(roles.VIEWER)
    text = client.get(f"{URL}?by=house&month=2026-10").content.decode()
    for shown in ("₹180.00", "₹130.20", "₹19.80 missing", "₹30.00 not received", "1 with days without a rate"):
        assert shown in text
    cell = f"{FOLIOS}?by=house&amp;month=2026-10&amp;house={book.axis.pk}&amp;at=2026-10"
    assert cell in text
    behind = client.get(cell.replace("&amp;", "&")).content.decode()
    for shown in ("₹130.20 received of ₹150.00 expected", "₹20.00 missing", "+₹0.20", "10 days without a rate"):
        assert shown in behind
    assert "₹30.00" not in behind, "another house's"
    days = f"{DAYS}?month=2026-10&amp;folio={book.first.pk}&amp;scheme={book.liquid.pk}"
    assert days in behind
    assert client.get(days.replace("&amp;", "&")).status_code == 200


def test_without_a_month_it_is_the_last_whole_one(as_role, book):
    assert "By fund house, October 2026" in as_role(roles.VIEWER).get(URL).content.decode()


def test_several_months_stand_side_by_side(as_role, book):
    text = as_role(roles.VIEWER).get(f"{URL}?by=scheme&month=2026-10&month=2026-09").content.decode()
    assert text.index(">September 2026<") < text.index(">October 2026<")
    assert "₹80.00 of ₹100.00" in text
    assert "as expected" in text


@pytest.mark.parametrize(
    ("expected", "trail", "month", "words"),
    [
        ("100", "100", OCTOBER, "as expected"),
        ("100", "99", OCTOBER, "−₹1.00"),
        ("100", "98.99", OCTOBER, "₹1.01 missing"),
        ("100", "101.01", OCTOBER, "₹1.01 over"),
        ("0", "5", OCTOBER, "₹5.00 over"),
        ("100", "0", OCTOBER, "₹100.00 not received"),
        ("100", "0", date(2026, 11, 1), "the month goes on"),
    ],
)
def test_a_difference_is_said_in_words(expected, trail, month, words):
    cell = compared.Cell(Decimal(expected), Decimal(trail), Decimal(0), 1, 1, 0, 0)
    assert words in pages.judged(cell, month, date(2026, 11, 22))


def test_a_house_opens_into_its_schemes(as_role, book):
    page = as_role(roles.VIEWER).get(f"{URL}?by=scheme&house={book.kotak.pk}").content.decode()
    assert "Kotak Equity" in page
    assert "Axis" not in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("month=2999-01", "has not come yet"),
        ("month=10/2026", "is no month"),
        ("month=2026-13", "is no month"),
        ("&".join(f"month=2025-0{n}" for n in range(1, 8)), "At most 6 months"),
        (
            "by=moon&house=x&scheme=99999999999999999999&partner=-1&category=Moon&kind=GOLD&after=NaN_1_2_3",
            "By fund house",
        ),
        ("after=1_2", "By fund house"),
        ("after=1_2_3_99999999999999999999", "By fund house"),
    ],
)
def test_what_an_address_cannot_mean_is_said_or_left_out(as_role, book, query, words):
    client = as_role(roles.VIEWER)
    assert words in client.get(f"{URL}?{query}").content.decode()
    assert client.get(f"{FOLIOS}?{query}").status_code == 200


def test_it_is_taken_as_a_file_without_live_cells_and_the_log_has_who_took_it(as_role, book):
    book.axis.name = "=HYPERLINK(1)"
    book.axis.save()
    client = as_role(roles.VIEWER)
    answer = client.get(f"{URL}?by=house&month=2026-10&as=csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Fund house", "2026-10 expected", "2026-10 received as trail", "2026-10 difference"]
    assert [row[:5] for row in rows[1:]] == [
        ["Kotak", "30.00", "0", "-30.00", "0"],
        ["'=HYPERLINK(1)", "150.00", "130.20", "-19.80", "15.00"],
        ["Together", "180.00", "130.20", "-49.80", "15.00"],
    ]
    taken = AuditEntry.objects.get(action="list.exported")
    assert (taken.actor, taken.data["what"], taken.data["rows"]) == (f"user:{client.user.pk}", "orders.commission", 2)
    assert client.get(f"{FOLIOS}?as=xlsx")["Content-Type"] == export.XLSX


def test_more_than_a_hundred_folios_are_no_file(as_role, book, monkeypatch):
    monkeypatch.setattr(export, "MOST", 2)
    answer = as_role(roles.VIEWER).get(f"{FOLIOS}?as=csv", follow=True)
    assert "need a second person" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="list.exported").exists()


@pytest.mark.parametrize("url", [URL, FOLIOS, DAYS])
def test_the_pages_are_for_staff_with_the_right(as_role, client, url):
    assert client.get(url).status_code == 302
    assert as_role(roles.INVESTOR).get(url).status_code == 302
    stripped = as_role(roles.VIEWER)
    group = stripped.user.groups.get()
    group.permissions.remove(group.permissions.get(codename="view_commissionmonth"))
    assert stripped.get(url).status_code == 403
    assert as_role(roles.VIEWER).post(url).status_code == 405


@pytest.mark.parametrize("url", [URL, FOLIOS])
def test_a_page_costs_the_same_for_many_folios_as_for_few(as_role, book, url):
    client = as_role(roles.VIEWER)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(8):
        book.came(factories.FolioFactory(), factories.SchemeFactory(), "3")
        factories.CommissionMonthFactory()
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few) <= 12


def test_a_month_is_computed_again_by_a_worker_for_whoever_may_ask(as_role, book, monkeypatch):
    nudged = []
    monkeypatch.setattr(pages.jobs, "nudge", lambda task, **values: nudged.append((task, values)))
    assert "Compute again" not in as_role(roles.VIEWER).get(URL).content.decode()
    assert as_role(roles.VIEWER).post(AGAIN, {"month": "2026-10"}).status_code == 403
    maker = as_role(roles.MAKER)
    assert "Compute October 2026 again" in maker.get(URL).content.decode()
    told = maker.post(AGAIN, {"month": "2026-10"}, follow=True).content.decode()
    assert "a worker computes October 2026" in told
    assert nudged == [(commission_tasks.EXPECT_MONTH, {"month": "2026-10-01"})]
    assert AuditEntry.objects.get(action="commission.asked_again").data["month"] == "2026-10"
    for wrong in ({"month": "2999-01"}, {"month": "x"}, {}):
        assert maker.post(AGAIN, wrong).status_code == 404


def test_the_page_says_when_a_month_was_computed(as_role, book):
    client = as_role(roles.VIEWER)
    assert "not yet" in client.get(URL).content.decode()
    commission_months.compute(OCTOBER, at=datetime(2026, 11, 20, 6, tzinfo=clock.IST))
    assert "20 Nov 2026, 06:00" in client.get(URL).content.decode()


def test_the_menu_says_where_one_is(as_role, book):
    page = as_role(roles.VIEWER).get(reverse(pages.PAGE))
    groups = page.context["sidebar_navigation"]
    shown = [item["title"] for group in groups for item in group["items"] if item["active"]]
    assert shown == ["Expected and received"]


# --- The days -----------------------------------------------------------------------------------------------------


@pytest.fixture
def held(book):
    """1,000 units at ₹36.50 and one per cent from the eleventh on; computed."""
    bare = {"nav": None, "nav_on": None, "previous_nav": None, "previous_nav_on": None}
    scheme = factories.SchemeFactory(name="Kotak Liquid", fund_house=book.kotak, **bare)
    factories.NavFactory(scheme=scheme, on=SEPTEMBER, nav=Decimal("36.5"))
    factories.CommissionRateFactory(scheme=scheme, valid_from=date(2026, 10, 11), source="Letter of 9 October 2026")
    folio = factories.FolioFactory(investor=book.second.investor, fund_house=book.kotak)
    factories.TransactionFactory(
        investor=folio.investor, folio=folio, scheme=scheme, traded_on=SEPTEMBER, units=Decimal(1000)
    )
    commission_months.compute(OCTOBER, at=clock.now())
    book.came(folio, scheme, "20.50", statement__name="camsbrok-oct.csv")
    return SimpleNamespace(folio=folio, scheme=scheme, url=f"{DAYS}?month=2026-10&folio={folio.pk}&scheme={scheme.pk}")


def test_a_folio_opens_to_its_days_and_to_what_came(as_role, held):
    client = as_role(roles.VIEWER)
    text = client.get(held.url).content.decode()
    for shown in (
        "Kotak Liquid: ₹21.00 expected",
        "Sharma Wealth served the investor on the last day",
        "Of 31 days, 10 without a rate: these bring nothing",
        "no rate",
        "₹36.5000",
        "of 1 Sep 2026",
        "1 %",
        "Letter of 9 October 2026",
        "₹1.0000",
        "camsbrok-oct.csv",
        "₹20.50",
    ):
        assert shown in text
    assert "By what is known now" not in text
    visit = AuditEntry.objects.filter(actor=f"user:{client.user.pk}").latest("pk")
    assert visit.subject_kind == "investors.investor"


def test_what_changed_since_it_was_computed_is_said(as_role, held):
    CommissionMonth.objects.filter(folio=held.folio).update(expected=Decimal("22"))
    assert "By what is known now it is ₹21.00" in as_role(roles.VIEWER).get(held.url).content.decode()


def test_what_came_for_a_folio_that_held_nothing_is_shown_too(as_role, book):
    folio = factories.FolioFactory(fund_house=book.axis)
    book.came(folio, book.liquid, "5")
    text = as_role(roles.VIEWER).get(f"{DAYS}?month=2026-10&folio={folio.pk}&scheme={book.liquid.pk}").content.decode()
    assert "Nothing is expected" in text
    assert "₹5.00" in text


def test_the_days_are_taken_as_a_file(as_role, held):
    answer = as_role(roles.VIEWER).get(f"{held.url}&as=csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1] == ["2026-10-01", "1000.000", "36.5000", "2026-09-01", "", "", ""]
    assert rows[11] == [
        "2026-10-11",
        "1000.000",
        "36.5000",
        "2026-09-01",
        "1.0000",
        "Letter of 9 October 2026",
        "1.000000",
    ]
    assert AuditEntry.objects.get(action="list.exported").data["what"] == "orders.commission.days"


@pytest.mark.parametrize("query", ["", "month=2026-10", "month=2026-10&folio=1&scheme=x", "month=x&folio=1&scheme=1"])
def test_a_page_of_no_folio_is_not_found(as_role, book, query):
    assert as_role(roles.VIEWER).get(f"{DAYS}?{query}").status_code == 404
