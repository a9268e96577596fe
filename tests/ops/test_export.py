"""Lists as files: no live cell, numbers stay numbers, a hundred rows at most, and the audit log has who took them."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal

import pytest

from investors.models import Investor
from portal import csv_files
from portal.admin import export
from portal.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/admin/orders/mforder/export/"


@pytest.mark.parametrize(
    "live", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "＋1", "－1", "＠x", "\0=1"]
)
def test_no_text_is_a_formula(live):
    assert csv_files.cell(live).startswith("'")


@pytest.mark.parametrize(
    ("value", "shown"), [(Decimal("-5.00"), "-5.00"), (7, "7"), (None, ""), (True, "yes"), ("HDFC", "HDFC")]
)
def test_numbers_stay_numbers_and_words_words(value, shown):
    assert csv_files.cell(value) == shown


def test_a_list_of_orders_with_its_filters_is_a_file(client_for, dev):
    scheme = factories.SchemeFactory(name="=HYPERLINK(1)")
    order = factories.OrderFactory(state="PAID", scheme=scheme)
    factories.OrderFactory(state="REJECTED")
    answer = client_for(dev).get(f"{URL}?state__exact=PAID")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer["Content-Type"].startswith("text/csv")
    assert [row[0] for row in rows] == ["Order", order.code]
    assert "'=HYPERLINK(1)" in rows[1]
    taken = AuditEntry.objects.get(action="list.exported")
    assert (taken.actor, taken.data) == (
        f"user:{dev.pk}",
        {
            "what": "orders.mforder",
            "rows": 1,
            "form": "csv",
            "filters": {"state__exact": ["PAID"]},
            "searched": False,
        },
    )


def test_a_list_that_was_searched_for_says_so_and_not_for_whom(client_for, dev):
    order = factories.OrderFactory(state="PAID")
    email, desk = order.investor.user.email, client_for(dev)
    found = desk.post("/admin/orders/mforder/find/", {"q": email})["Location"].partition("?")[2]
    assert order.code in desk.get(f"{URL}?{found}").content.decode()
    taken = AuditEntry.objects.get(action="list.exported").data
    assert (taken["searched"], taken["filters"]) == (True, {})
    assert email not in str(taken)


def test_more_than_a_hundred_rows_are_no_file(client_for, dev, monkeypatch):
    monkeypatch.setattr(export, "MOST", 1)
    factories.OrderFactory.create_batch(2, state="PAID", scheme=factories.SchemeFactory())
    answer = client_for(dev).get(URL, follow=True)
    assert "need a second person" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="list.exported").exists()


LISTS = {
    "orders/mforder": lambda: factories.OrderFactory().code,
    "payments/payment": lambda: factories.PaymentFactory().code,
    "orders/plan": lambda: factories.PlanFactory().code,
    "investors/mandate": lambda: factories.PlanFactory().mandate.code,
    "portal/case": lambda: factories.InvestorCaseFactory().code,
}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("which", LISTS)
def test_every_working_list_can_be_taken_and_says_so(which, kind, client_for, dev):
    code, browser = LISTS[which](), client_for(dev)
    assert "Take as a file" in browser.get(f"/admin/{which}/").content.decode()
    answer = browser.get(f"/admin/{which}/export/?as={kind}")
    assert answer.status_code == 200
    if kind == "csv":
        assert code in answer.content.decode("utf-8-sig")
    else:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            assert code in "".join(book.read(name).decode() for name in book.namelist())


@pytest.mark.parametrize("which", [each for each in LISTS if each != "portal/case"])
def test_the_working_lists_show_the_partner_and_can_be_narrowed_to_one(which, client_for, dev):
    north, code = factories.PartnerFactory(code="NORTH"), LISTS[which]()
    browser = client_for(dev)
    assert code in browser.get(f"/admin/{which}/?partner=none").content.decode()
    assert code not in browser.get(f"/admin/{which}/?partner=NORTH").content.decode()
    Investor.objects.update(partner=north)
    shown = browser.get(f"/admin/{which}/?partner=NORTH").content.decode()
    assert code in shown
    assert "NORTH" in shown
