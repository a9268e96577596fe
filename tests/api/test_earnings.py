"""Earnings as machines read them: sums as text, pages by month, and what an investor who left takes along."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.api.conftest import caller_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def earned(north: Any, asha: Any) -> dict[str, Any]:
    """A fund of Asha's, of which her partner gets seventy per cent."""
    factories.CommissionShareFactory(partner=north.partner)
    scheme = factories.SchemeFactory()
    return {"scheme": scheme, "folio": factories.FolioFactory(investor=asha, fund_house=scheme.fund_house)}


def line(earned: dict[str, Any], amount: str, **more: Any) -> Any:
    return factories.CommissionLineFactory(**earned, amount=Decimal(amount), **more)


def test_months_say_money_as_text_and_go_page_by_page(north, earned):
    factories.CommissionMonthFactory(**earned, expected=Decimal("101.92"))
    factories.payout_of(north.partner, [line(earned, "80.00")])
    line(earned, "0.05", kind="OTHER")
    line(earned, "10.00", month=date(2026, 9, 1))
    first = north.get("earnings?limit=1").json()
    assert first["data"] == [
        {
            "month": "2026-10-01", "expected": "101.92", "holdings": 1, "received": "80.05", "trail": "80.00",
            "lines": 2, "payable": "56.04", "unshared": 0, "paid": "56.00", "to_come": "0.04",
        }
    ]  # fmt: skip
    then = north.get(f"earnings?limit=1&cursor={first['next_cursor']}").json()
    assert ([each["month"] for each in then["data"]], then["next_cursor"]) == (["2026-09-01"], None)
    assert [each["received"] for each in north.get("earnings?month=2026-09-01").json()["data"]] == ["10.00"]
    assert north.get("earnings?month=september").status_code == 422


def test_lines_say_share_part_and_payout(north, earned, asha):
    payout = factories.payout_of(north.partner, [line(earned, "80.00")])
    line(earned, "-0.05", kind="CLAWBACK")
    back, paid = north.get("earnings/lines").json()["data"]
    assert (back["amount"], back["share"], back["payable"], back["payout"]) == ("-0.05", "70.00", "-0.04", None)
    assert (paid["payable"], paid["payout"], paid["investor"]) == ("56.00", payout.code, asha.code)
    assert (paid["scheme"], paid["folio"]) == (earned["scheme"].isin, earned["folio"].number)
    for narrowed, amounts in {
        "kind=CLAWBACK": ["-0.05"], f"payout={payout.code}": ["80.00"], "month=2026-09-01": [],
        f"investor={asha.code}": ["-0.05", "80.00"], "payout=PYT-NONE": [],
    }.items():  # fmt: skip
        found = north.get(f"earnings/lines?{narrowed}").json()["data"]
        assert [each["amount"] for each in found] == amounts, narrowed


def test_a_holding_stands_beside_what_came_for_it(north, earned, asha):
    factories.CommissionMonthFactory(**earned, expected=Decimal("101.92"))
    [quiet] = north.get("earnings/holdings?month=2026-10-01").json()["data"]
    assert (quiet["expected"], quiet["received"], quiet["days"]) == ("101.92", None, 31)
    line(earned, "80.00")
    [found] = north.get(f"earnings/holdings?investor={asha.code}").json()["data"]
    assert (found["id"], found["received"], found["folio"]) == (quiet["id"], "80.00", earned["folio"].number)


def test_a_payout_says_what_was_withheld(north, earned):
    payout = factories.payout_of(north.partner, [line(earned, "80.00")], state="APPROVED")
    open_one = north.get(f"payouts/{payout.code}").json()
    assert (open_one["state"], open_one["tds"], open_one["paid"], open_one["utr"]) == ("APPROVED", None, None, None)
    paid = north.get(f"payouts/{factories.payout_of(north.partner, [line(earned, '10.00')]).code}").json()
    assert (paid["state"], paid["payable"], paid["tds"], paid["paid"]) == ("PAID", "7.00", "5.00", "2.00")
    assert [each["id"] for each in north.get("payouts?state=APPROVED").json()["data"]] == [payout.code]


def test_a_payout_that_waits_for_a_second_person_is_not_there(north, earned):
    payout = factories.payout_of(north.partner, [line(earned, "80.00")], state="ASKED")
    assert north.get(f"payouts/{payout.code}").status_code == 404
    assert north.get("payouts").json()["data"] == []
    assert north.get("payouts?state=ASKED").status_code == 422
    [found] = north.get("earnings/lines").json()["data"]
    assert found["payout"] is None


def test_who_has_left_the_firm_is_no_longer_named(north, earned, asha):
    factories.CommissionMonthFactory(**earned)
    line(earned, "80.00")
    type(asha).objects.filter(pk=asha.pk).update(partner=factories.PartnerFactory())
    [received] = north.get("earnings/lines?expand=investor,scheme").json()["data"]
    assert (received["investor"], received["folio"], received["amount"]) == (None, earned["folio"].number, "80.00")
    [expected] = north.get("earnings/holdings?expand=investor").json()["data"]
    assert (expected["investor"], expected["folio"]) == (None, None)
    assert north.get(f"earnings/lines?investor={asha.code}").json()["data"] == []
    assert north.get("earnings").json()["data"][0]["received"] == "80.00"


def test_what_is_asked_for_is_put_inside(north, earned, asha):
    line(earned, "80.00")
    [found] = north.get("earnings/lines?expand=investor,scheme").json()["data"]
    assert (found["investor"]["id"], found["scheme"]["id"]) == (asha.code, earned["scheme"].isin)


@pytest.mark.parametrize("path", ["earnings", "earnings/holdings", "earnings/lines", "payouts"])
def test_a_page_takes_as_many_statements_however_many_rows(north, earned, path):
    for n in range(1, 4):
        factories.CommissionMonthFactory(**earned, month=date(2026, n, 1))
        factories.payout_of(north.partner, [line(earned, "80.00", month=date(2026, n, 1))])
    with CaptureQueriesContext(connection) as asked:
        assert len(north.get(path).json()["data"]) == 3
    # Who calls, their allowance, the page, and putting back what this process may see.
    assert len(asked) == 4


def test_a_page_that_has_not_changed_is_not_sent_again(north, earned):
    line(earned, "80.00")
    tag = north.get("earnings")["ETag"]
    assert north.get("earnings", If_None_Match=tag).status_code == 304
    line(earned, "1.00")
    assert north.get("earnings", If_None_Match=tag).status_code == 200


def test_it_takes_a_scope_of_its_own(north, earned):
    bare = caller_of(north.partner, ["orders:read", "holdings:read"])
    for path in ("earnings", "earnings/holdings", "earnings/lines", "payouts"):
        assert (bare.get(path).status_code, bare.get(path).json()["code"]) == (403, "scope_missing")


def test_the_catalogue_has_kinds_and_states(north):
    tables = north.get("catalogue").json()
    assert tables["payout_states"] == {"APPROVED": "approved, to be paid", "PAID": "paid"}
    assert tables["commission_kinds"]["CLAWBACK"] == "clawback"
    assert "payout" in tables["event_kinds"]
