import datetime as dt
import gzip
from decimal import Decimal

import pytest

from portal.sandbox import amfi, nav, schemes
from tests.sandbox.api import BOND, LIQUID, Caller


@pytest.mark.parametrize(
    ("pan", "status", "reason"),
    [
        ("AAAPB3751C", True, None),
        ("AAAPB3753C", False, "unavailable"),
        ("AAAPA3751C", False, "incomplete"),
        ("AAAPI3751C", False, "unknown"),
        ("AAAPB1234C", True, None),
    ],
)
def test_kyc_follows_from_the_pan(caller: Caller, pan, status, reason):
    check = caller.fp("POST", "/api/kyc/check", {"pan": pan}).json
    assert (check["status"], check["reason"], check["constraints"]) == (status, reason, [])
    assert caller.fp("GET", f"/api/kyc/{check['id']}").json == check
    assert caller.fp("PUT", f"/api/kyc/{check['id']}/refetch").json["created_at"] == check["created_at"]


def test_kyc_limit_of_fifty_thousand_and_malformed_pans(caller: Caller):
    for pan in ("BNBPP9384M", "AAAPB1239C"):
        limit = caller.fp("POST", "/api/kyc/check", {"pan": pan}).json["constraints"]
        assert limit == [{"type": "investment_limit", "amount": {"value": 50000, "currency": "inr"}}]
    for pan in ("K1PPG1998U", "AAACB3751C", None, 5):
        assert "pan" in caller.fp("POST", "/api/kyc/check", {"pan": pan}).fields()


def test_places(caller: Caller):
    pin = caller.fp("GET", "/api/onb/pincodes/560102").json
    assert (pin["district"], pin["state_name"], pin["country_ansi_code"]) == ("Bengaluru Urban", "Karnataka", "IN")
    assert caller.fp("GET", "/api/onb/pincodes/000000").status == 404
    assert caller.fp("GET", "/api/onb/pincodes?size=3").json["total_elements"] > 19_000
    assert len(caller.fp("GET", "/api/onb/states").json["states"]) == 36
    assert {"name": "India", "ansi_code": "IN"} in caller.fp("GET", "/api/onb/countries").json["countries"]
    one, many = (caller.fp("GET", f"/api/onb/{word}/HDFC0000001").json for word in ("ifsc_code", "ifsc_codes"))
    assert one == many
    assert one["bank_name"] == "HDFC BANK"
    assert caller.fp("GET", "/api/onb/ifsc_codes/HDFC0ZZZZZZ").status == 404
    assert caller.fp("GET", "/api/onb/ifsc_codes?page=8000&size=20").json["ifsc_codes"][19]
    assert "bank_account_types" in caller.fp("GET", "/api/onb/metadata").json


def test_fund_schemes_are_amfis(caller: Caller):
    page = caller.fp("GET", "/api/oms/fund_schemes?size=100&active=true").json
    assert page["total_elements"] > 10_000
    assert all(scheme["active"] for scheme in page["fund_schemes"])
    assert "size" in caller.fp("GET", "/api/oms/fund_schemes?size=101").fields()
    two = caller.fp("GET", f"/api/oms/fund_schemes?isin={BOND},{LIQUID}").json["fund_schemes"]
    assert {scheme["isin"] for scheme in two} == {BOND, LIQUID}
    one = caller.fp("GET", f"/api/oms/fund_schemes/{BOND}").json
    assert (one["fund_category"], one["plan_type"], one["amfi_code"]) == ("DEBT", "REGULAR", "100856")
    assert one["sip_frequency_data"]["MONTHLY"].startswith("1,")
    assert caller.fp("GET", "/api/oms/fund_schemes/INF000000000").status == 404
    houses = {amc["id"]: amc["name"] for amc in caller.fp("GET", "/api/oms/amcs").json["amcs"]}
    assert houses[one["amc_id"]] == "Nippon India Mutual Fund"


def test_second_isins_reinvest_tax_savers_lock_and_closed_ends_are_not_sold():
    known = schemes.fund_schemes()
    reinvest = known["INF209KA13Z9"]
    assert (reinvest.option, known["INF209KA12Z1"].option) == ("DIV_REINVESTMENT", "DIV_PAYOUT")
    savers = [s for s in known.values() if s.sub_category == "ELSS" and s.purchase_allowed]
    assert savers
    assert all(s.lock_in and s.lock_in_period == 3 for s in savers)
    assert not any(s.purchase_allowed for s in known.values() if s.close_ended or not s.active)


def test_navs_walk_on_from_the_real_day_and_meet_the_real_days_before():
    equity = next(
        s for s in schemes.fund_schemes().values() if s.sub_category == "Flexi Cap Fund" and s.listing.anchors
    )
    assert nav.nav(equity.listing, nav.BASE_DAY) == equity.listing.nav
    for day, value in equity.listing.anchors:
        assert abs(Decimal(nav.nav(equity.listing, day)) - Decimal(value)) <= Decimal("0.001")
    liquid = schemes.fund_schemes()[LIQUID].listing
    days = [dt.date(2026, 11, 2) + dt.timedelta(days=n) for n in range(5)]
    values = [Decimal(nav.nav(liquid, day)) for day in days]
    assert values == sorted(values)
    assert len(set(values)) == 5
    assert nav.nav(equity.listing, dt.date(2026, 11, 8)) == nav.nav(equity.listing, dt.date(2026, 11, 6))


def test_liquid_funds_have_a_nav_for_each_calendar_day(caller: Caller):
    liquid = schemes.fund_schemes()[LIQUID].listing
    navs = [Decimal(nav.nav(liquid, dt.date(2026, 11, day))) for day in range(20, 26)]  # over a weekend and a holiday
    assert navs == sorted(set(navs))
    caller.control("POST", "/clock", {"at": "2026-11-22T23:30:00+05:30"})
    lines = caller.raw("GET", "/amfi/spages/NAVAll.txt").text.split("\r\n")
    assert f";{navs[2]};22-Nov-2026" in next(line for line in lines if line.startswith(f"{liquid.code};"))
    on_sunday = {line.split(";")[0] for line in lines if line.endswith(";22-Nov-2026")}
    assert on_sunday == {row.code for row in schemes.listings() if row.live and row.every_day}
    path = f"/amfi/DownloadNAVHistoryReport_Po.aspx?frmdt=20-Nov-2026&todt=24-Nov-2026&scheme={liquid.code},122639"
    rows = [line.split(";") for line in caller.raw("GET", path).text.split("\r\n") if line.count(";") == 7]
    assert [row[7][:2] for row in rows if row[0] == liquid.code] == ["20", "21", "22"]
    assert [row[7][:2] for row in rows if row[0] == "122639"] == ["20"]


def test_the_amfi_file_of_the_base_day_is_reproduced_and_later_ones_keep_its_shape(caller: Caller):
    base = amfi.nav_all(nav.BASE_DAY)
    assert len(base) == 1_638_353
    caller.control("POST", "/clock", {"at": "2026-11-20T22:59:00+05:30"})
    before = caller.raw("GET", "/amfi/spages/NAVAll.txt").body
    caller.control("POST", "/clock", {"at": "2026-11-20T23:01:00+05:30"})
    after = caller.raw("GET", "/amfi/spages/NAVAll.txt").body
    assert b";19-Nov-2026\r\n" in before
    assert b"20-Nov-2026" not in before
    assert b";20-Nov-2026\r\n" in after
    assert after.count(b"\r\n") == base.count(b"\r\n")
    assert after.startswith(
        b"Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date\r\n \r\n"
    )
    assert gzip.compress(after) != gzip.compress(before)


def test_amfi_history_has_eight_columns_and_agrees_with_the_day(caller: Caller):
    caller.control("POST", "/clock", {"at": "2026-11-21T12:00:00+05:30"})
    path = "/amfi/DownloadNAVHistoryReport_Po.aspx?frmdt=01-Jan-2026&todt=20-Nov-2026&scheme=100856"
    lines = caller.raw("GET", path).text.split("\r\n")
    rows = [line.split(";") for line in lines if line.startswith("100856;")]
    assert all(len(row) == 8 for row in rows)
    assert 215 < len(rows) < 230
    assert rows[-1][7] == "20-Nov-2026"
    daily = caller.raw("GET", "/amfi/spages/NAVAll.txt").text
    assert f";{rows[-1][4]};20-Nov-2026" in next(line for line in daily.split("\r\n") if line.startswith("100856;"))
    assert caller.raw("GET", "/amfi/DownloadNAVHistoryReport_Po.aspx?frmdt=yesterday").status == 400
    assert caller.raw("GET", "/amfi/DownloadNAVHistoryReport_Po.aspx?frmdt=01-Jan-2020").status == 400
