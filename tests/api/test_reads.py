"""What reads answer: shapes, pages, filters, expansion, versions, and nothing of anybody else."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import MfOrder
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(asha: Any, chitra: Any) -> list[MfOrder]:
    """Five of Asha's, one of Chitra's."""
    found = [factories.OrderFactory(investor=asha) for _ in range(5)]
    factories.OrderFactory(investor=chitra)
    return found


def test_a_list_goes_page_by_page_and_shows_each_once(north, orders):
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = north.get(f"orders?limit=2&cursor={cursor}" if cursor else "orders?limit=2").json()
        seen += [row["id"] for row in page["data"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert seen == [order.code for order in reversed(orders)]
    assert pages == 3


@pytest.mark.parametrize("cursor", ["x", "gAAAA", "%00"])
def test_a_cursor_that_is_not_ours_is_said_to_be_so(north, cursor):
    answer = north.get(f"orders?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor")


def test_a_cursor_of_one_list_is_none_of_another(north, orders):
    cursor = north.get("orders?limit=2").json()["next_cursor"]
    assert north.get(f"payments?cursor={cursor}").json()["code"] == "cursor"


def test_an_order_says_money_as_text_and_moments_with_their_offset(north, orders):
    row = north.get(f"orders/{orders[0].code}").json()
    assert row["amount"] == f"{orders[0].amount:.2f}"
    assert row["placed_at"].endswith("+05:30")
    assert row["investor"].startswith("INV-")
    assert row["is_unknown"] is False


def test_lists_are_narrowed_by_state_and_investor(north, orders, asha, chitra):
    MfOrder.objects.filter(pk=orders[0].pk).update(state="CANCELLED")
    assert [row["id"] for row in north.get("orders?state=CANCELLED").json()["data"]] == [orders[0].code]
    assert len(north.get(f"orders?investor={asha.code}").json()["data"]) == 5
    assert north.get(f"orders?investor={chitra.code}").json()["data"] == []
    wrong = north.get("orders?state=NO&placed_from=yesterday&colour=red")
    assert wrong.status_code == 422
    assert set(wrong.json()["fields"]) == {"colour"}
    assert set(north.get("orders?state=NO&placed_from=yesterday").json()["fields"]) == {"state", "placed_from"}


def test_what_is_asked_for_is_put_inside_in_one_statement(north, orders, asha):
    plain = north.get("orders").json()["data"][0]
    assert plain["investor"] == asha.code
    rich = north.get("orders?expand=investor,scheme").json()["data"][0]
    assert rich["investor"]["id"] == asha.code
    assert rich["scheme"]["id"] == plain["scheme"]
    assert north.get("orders?expand=everything").status_code == 422


def test_an_object_that_has_not_changed_is_not_sent_again(north, orders):
    path = f"orders/{orders[0].code}"
    tag = north.get(path)["ETag"]
    again = north.get(path, If_None_Match=tag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    MfOrder.objects.filter(pk=orders[0].pk).update(state="CANCELLED")
    assert north.get(path, If_None_Match=tag).status_code == 200


def test_pan_mobile_and_account_numbers_are_masked(north, asha):
    text = north.get(f"investors/{asha.code}?expand=bank_accounts,kyc,mandates").content.decode()
    assert asha.pan not in text
    assert asha.mobile not in text
    assert asha.bankaccounts.get().number not in text
    assert asha.bankaccounts.get().last_four in text


def test_the_status_of_an_application_says_whose_turn_it_is(north, asha):
    assert north.get(f"investors/{asha.code}/status").json()["stage"] == "READY"


def test_the_catalogue_has_every_state_that_is_ever_answered(north):
    tables = north.get("catalogue").json()
    assert set(MfOrder.State.values) <= set(tables["order_states"]) | set(tables["sale_states"])
    assert tables["errors"]["throttled"]["status"] == 429
    assert tables["scopes"]


@pytest.mark.parametrize(
    "path",
    ["investors", "invites", "kyc-checks", "kyc-requests", "bank-accounts", "mandates", "files", "schemes", "orders",
     "sips", "holdings", "transactions", "approvals", "baskets", "basket-orders", "payments",
     "earnings", "earnings/holdings", "earnings/lines", "payouts"],
)  # fmt: skip
def test_every_list_answers(north, orders, path):
    answer = north.get(path)
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"data", "next_cursor"}


@pytest.mark.parametrize(("expand", "further"), [("", 0), ("&expand=investor,scheme", 2)])
def test_a_list_takes_three_statements_and_one_for_each_kind_of_part(north, asha, expand, further):
    for _ in range(3):
        factories.OrderFactory(investor=asha)
    with CaptureQueriesContext(connection) as asked:
        assert len(north.get(f"orders?limit=100{expand}").json()["data"]) == 3
    # The last one puts back what this process may see; a web process has nothing to put back.
    assert len(asked) == 3 + further + 1


def test_the_same_question_is_answered_anew_and_for_each_partner(north, south, asha, chitra):
    mine = [factories.OrderFactory(investor=asha).code]
    others = factories.OrderFactory(investor=chitra).code
    for _ in range(2):
        assert [row["id"] for row in north.get("orders?limit=7").json()["data"]] == mine
        assert [row["id"] for row in south.get("orders?limit=7").json()["data"]] == [others]
        mine.insert(0, factories.OrderFactory(investor=asha).code)
    asha.partner = None
    asha.save()
    assert north.get("orders?limit=7").json()["data"] == []


@pytest.mark.parametrize("utc", ["2026-11-20T18:29:59.999999", "2026-11-20T18:30:00", "1999-12-31T18:30:00.5"])
def test_a_moment_is_in_indian_time_to_the_second(north, asha, utc):
    at = datetime.fromisoformat(f"{utc}+00:00")
    factories.OrderFactory(investor=asha, placed_at=at)
    [found] = north.get("orders").json()["data"]
    assert found["placed_at"] == at.astimezone(clock.IST).isoformat(timespec="seconds")


def test_navs_of_a_scheme_go_day_by_day(north):
    scheme, other = factories.SchemeFactory(amfi_code=910_001), factories.SchemeFactory(amfi_code=910_002)
    days = [date(2026, 11, day) for day in (16, 17, 18, 19)]
    for day in days:
        factories.NavFactory(scheme=scheme, on=day, nav=Decimal(day.day))
    factories.NavFactory(scheme=other, on=days[0])
    first = north.get(f"schemes/{scheme.isin}/navs?limit=3").json()
    assert [row["on"] for row in first["data"]] == ["2026-11-19", "2026-11-18", "2026-11-17"]
    assert first["data"][0]["nav"] == "19.0000"
    rest = north.get(f"schemes/{scheme.isin}/navs?limit=3&cursor={first['next_cursor']}").json()
    assert ([row["on"] for row in rest["data"]], rest["next_cursor"]) == (["2026-11-16"], None)
    some = north.get(f"schemes/{scheme.isin}/navs?from=2026-11-17&to=2026-11-18")
    assert [row["on"] for row in some.json()["data"]] == ["2026-11-18", "2026-11-17"]
    known = north.get(f"schemes/{scheme.isin}/navs?from=2026-11-17&to=2026-11-18", If_None_Match=some["ETag"])
    assert known.status_code == 304
    assert north.get("schemes/INF000000000/navs").status_code == 404
    assert north.get(f"schemes/{scheme.isin}/navs?cursor=x").json()["code"] == "cursor"
