"""Assets under management (screens.md O-13): numbers checked by hand, every cell opens to what it is made of."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.admin import assets as pages
from orders.queries import assets
from portal import clock, roles
from portal.admin import export
from portal.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
URL, FOLIOS = "/admin/orders/holding/assets/", "/admin/orders/holding/assets/folios/"
MARCH, JUNE, OCTOBER = date(2026, 3, 31), date(2026, 6, 30), date(2026, 10, 30)


@pytest.fixture
def book(db):
    """Two houses, three schemes, two investors; the second came by a partner. NAVs of three days.

    Axis equity   ₹10 in March, ₹12.3456 in June, ₹11 in October     Axis debt   ₹100 from June on
    Kotak         no NAV before October, then ₹20
    """
    axis, kotak = factories.FundHouseFactory(name="Axis"), factories.FundHouseFactory(name="Kotak")
    bare = {"nav": None, "nav_on": None, "previous_nav": None, "previous_nav_on": None}
    equity = factories.SchemeFactory(name="Axis Equity", fund_house=axis, **bare)
    debt = factories.SchemeFactory(name="Axis Debt", fund_house=axis, asset_class="DEBT", **bare)
    other = factories.SchemeFactory(name="Kotak Equity", fund_house=kotak, **bare)
    for scheme, on, nav in (
        (equity, date(2026, 3, 30), "10"),
        (equity, JUNE, "12.3456"),
        (equity, OCTOBER, "11"),
        (debt, JUNE, "100"),
        (other, OCTOBER, "20"),
    ):
        factories.NavFactory(scheme=scheme, on=on, nav=Decimal(nav))
    partner = factories.PartnerFactory(name="Sharma Wealth")
    own, brought = factories.ReadyInvestorFactory(), factories.ReadyInvestorFactory(partner=partner)
    first, second = (factories.FolioFactory(investor=each, fund_house=axis) for each in (own, brought))

    def moved(folio, scheme, on, units, kind="PURCHASE"):
        amount = Decimal(units)
        factories.TransactionFactory(
            investor=folio.investor,
            folio=folio,
            scheme=scheme,
            traded_on=on,
            units=Decimal(units),
            amount=amount,
            kind=kind,
        )

    moved(first, equity, date(2026, 2, 2), "100.001")
    moved(first, equity, date(2026, 7, 1), "-40", "REDEMPTION")
    moved(second, equity, JUNE, "7.003")
    moved(second, debt, date(2026, 7, 1), "3.5")
    moved(factories.FolioFactory(investor=brought, fund_house=kotak), other, date(2026, 6, 1), "2")
    return SimpleNamespace(
        axis=axis, kotak=kotak, equity=equity, debt=debt, partner=partner, own=own, first=first, second=second
    )


def values(rows):
    return {row.words: [cell.value for cell in row.cells] for row in rows}


DAYS = (MARCH, JUNE, OCTOBER)


def test_the_assets_of_a_day_are_its_units_at_its_nav(book):
    found = assets.table(by="scheme", days=DAYS, narrowed={})
    assert values(found) == {
        # 100.001 x 10; 100.001 x 12.3456 + 7.003 x 12.3456, each rounded; (60.001 + 7.003) x 11
        "Axis Equity": [
            Decimal("1000.01"),
            Decimal("1234.57") + Decimal("86.46"),
            Decimal("660.01") + Decimal("77.03"),
        ],
        "Axis Debt": [0, 0, Decimal("350.00")],
        "Kotak Equity": [0, 0, Decimal("40.00")],
    }
    assert [row.words for row in found] == ["Axis Equity", "Axis Debt", "Kotak Equity"], "the largest first"
    equity = found[0].cells[0]
    assert (equity.nav_from, equity.nav_to) == (date(2026, 3, 30), date(2026, 3, 30)), "the newest NAV before the day"


def test_what_has_no_nav_on_a_day_is_in_no_sum_and_counted(book):
    rows = {row.words: row for row in assets.table(by="house", days=DAYS, narrowed={})}
    assert [(cell.holdings, cell.unvalued, cell.value) for cell in rows["Kotak"].cells] == [
        (0, 0, 0),
        (1, 1, 0),
        (1, 0, Decimal("40.00")),
    ]


@pytest.mark.parametrize("by", assets.GROUPINGS)
def test_however_it_is_divided_the_whole_is_the_same(book, by):
    together = assets.total(assets.table(by=by, days=DAYS, narrowed={}), 3)
    assert [cell.value for cell in together.cells] == [Decimal("1000.01"), Decimal("1321.03"), Decimal("1127.04")]
    assert [cell.holdings for cell in together.cells] == [1, 3, 4]


def test_investors_who_came_by_themselves_stand_beside_the_partners(book):
    assert values(assets.table(by="partner", days=(OCTOBER,), narrowed={})) == {
        "No partner": [Decimal("660.01")],
        "Sharma Wealth": [Decimal("467.03")],
    }


@pytest.mark.parametrize("by", assets.GROUPINGS)
def test_the_folios_behind_a_cell_add_up_to_it(book, by):
    for row in assets.table(by=by, days=DAYS, narrowed={}):
        for day, cell in zip(DAYS, row.cells, strict=True):
            behind = assets.folios(on=day, narrowed={by: row.key}, size=100)
            assert sum(held.value or 0 for held in behind) == cell.value
            assert len(behind) == cell.holdings


def test_the_newest_nav_of_a_scheme_without_an_amfi_code_is_its_own():
    yesterday = clock.today() - timedelta(days=1)
    scheme = factories.SchemeFactory(amfi_code=None, nav=Decimal("10"), nav_on=yesterday)
    factories.TransactionFactory(scheme=scheme, units=Decimal("3.000"), traded_on=yesterday - timedelta(days=9))
    assert values(assets.table(by="scheme", days=(clock.today(),), narrowed={})) == {scheme.name: [Decimal("30.00")]}


def test_walking_the_folios_shows_each_once(book):
    whole = assets.folios(on=OCTOBER, narrowed={}, size=100)
    assert [held.value for held in whole] == sorted((held.value for held in whole), reverse=True)
    found, after = [], None
    while page := assets.folios(on=OCTOBER, narrowed={}, size=1, after=after):
        found += page
        after = page[-1].place
    assert found == whole


# --- The pages ----------------------------------------------------------------------------------------------------


def days(*each):
    return "&".join(f"on={day}" for day in each)


def test_every_cell_of_the_page_leads_to_folios_that_add_up_to_it(as_role, book):
    client = as_role(roles.VIEWER)
    page = client.get(f"{URL}?by=house&{days(*DAYS)}")
    text = page.content.decode()
    assert "₹1,127.04" in text
    beside = "on=2026-03-31&amp;on=2026-06-30&amp;on=2026-10-30"
    cell = f"{FOLIOS}?by=house&amp;{beside}&amp;house={book.axis.pk}&amp;at=2026-10-30"
    assert cell in text
    behind = client.get(cell.replace("&amp;", "&")).content.decode()
    for shown in ("₹1,087.04 on 30 Oct 2026, in 3 holdings", "₹660.01", "₹350.00", "₹77.03", book.first.number):
        assert shown in behind
    assert "₹40.00" not in behind, "another house's"


def test_a_house_opens_into_its_schemes(as_role, book):
    page = as_role(roles.VIEWER).get(f"{URL}?by=scheme&house={book.kotak.pk}&{days(OCTOBER)}").content.decode()
    assert "Kotak Equity" in page
    assert "Axis" not in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("on=2999-01-01", "has not come yet"),
        ("on=31.3.2026", "is no date"),
        ("&".join(f"on=2026-01-0{n}" for n in range(1, 8)), "At most 6 days"),
        ("by=moon&house=x&scheme=99999999999999999999&partner=-1&class=GOLD&after=NaN_1_2", "By fund house"),
    ],
)
def test_what_an_address_cannot_mean_is_said_or_left_out(as_role, book, query, words):
    client = as_role(roles.VIEWER)
    assert words in client.get(f"{URL}?{query}").content.decode()
    assert client.get(f"{FOLIOS}?{query}").status_code == 200


def test_the_usual_days_are_ends_of_month_quarter_and_year():
    assert pages.usual_days(date(2026, 11, 22)) == (
        date(2026, 3, 31),
        date(2026, 9, 30),
        date(2026, 10, 31),
        date(2026, 11, 22),
    )
    assert pages.usual_days(date(2026, 2, 1))[0] == date(2025, 3, 31)


def test_it_is_taken_as_a_file_without_live_cells_and_the_log_has_who_took_it(as_role, book):
    book.axis.name = "=HYPERLINK(1)"
    book.axis.save()
    client = as_role(roles.VIEWER)
    answer = client.get(f"{URL}?by=house&{days(OCTOBER)}&as=csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [
        ["Fund house", "2026-10-30 rupees", "2026-10-30 holdings", "2026-10-30 without a NAV"],
        ["'=HYPERLINK(1)", "1087.04", "3", "0"],
        ["Kotak", "40.00", "1", "0"],
        ["Together", "1127.04", "4", "0"],
    ]
    taken = AuditEntry.objects.get(action="list.exported")
    assert (taken.actor, taken.data["what"], taken.data["rows"]) == (f"user:{client.user.pk}", "orders.assets", 2)
    assert client.get(f"{FOLIOS}?{days(OCTOBER)}&as=xlsx")["Content-Type"] == export.XLSX


def test_more_than_a_hundred_folios_are_no_file(as_role, book, monkeypatch):
    monkeypatch.setattr(export, "MOST", 3)
    answer = as_role(roles.VIEWER).get(f"{FOLIOS}?{days(OCTOBER)}&as=csv", follow=True)
    assert "need a second person" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="list.exported").exists()


@pytest.mark.parametrize("url", [URL, FOLIOS])
def test_both_pages_are_for_staff_with_the_right(as_role, staff, client, url):
    assert client.get(url).status_code == 302
    assert as_role(roles.INVESTOR).get(url).status_code == 302
    stripped = as_role(roles.VIEWER)
    group = stripped.user.groups.get()
    group.permissions.remove(group.permissions.get(codename="view_holding"))
    assert stripped.get(url).status_code == 403
    assert as_role(roles.VIEWER).post(url).status_code == 405


@pytest.mark.parametrize("url", [URL, FOLIOS])
def test_a_page_costs_the_same_for_many_folios_as_for_few(as_role, book, url):
    client = as_role(roles.VIEWER)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(8):
        factories.TransactionFactory(traded_on=OCTOBER)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few) <= 10


def test_the_menu_says_where_one_is(as_role, book):
    page = as_role(roles.VIEWER).get(reverse("admin:orders_holding_assets"))
    groups = page.context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == ["Assets (AUM)"]
