import datetime as dt
from decimal import Decimal

import pytest

from portal.sandbox.clock import IST
from portal.sandbox.schemes import fund_schemes
from tests.sandbox.api import BOND, LIQUID, Caller, Shop, hidden_fields


def units_of(shop: Shop, isin: str = BOND) -> Decimal:
    found = [s for folio in shop.holdings() for s in folio["schemes"] if s["isin"] == isin]
    return Decimal(str(found[0]["holdings"]["units"])) if found else Decimal(0)


def sell(shop: Shop, **line):
    return shop.caller.fp("POST", f"{shop.base}/orders/sell", {"orders": [{"isin": BOND, **line}]})


def fetch(shop: Shop, folio: str, **query) -> list[dict]:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return shop.caller.fp("GET", f"/transactions?folios={folio}{more}").json["data"]


# -- redemptions ----------------------------------------------------------------------------------------------------


def test_units_and_amounts_are_sold_first_in_first_out(shop: Shop):
    shop.caller.control("POST", "/clock", {"at": "2026-08-03T11:00:00+05:30"})
    shop.caller.token = ""
    folio = shop.read(shop.paid(5000))["folio_number"]
    shop.caller.control("POST", "/clock", {"at": "2026-10-05T11:00:00+05:30"})
    shop.caller.token = ""
    shop.paid(10_000, folio_number=folio)
    held = units_of(shop)
    answer = sell(shop, folio_number=folio, type="units", units=100)
    key = answer.json["orders"][0]["id"]
    assert answer.json["orders"] == [{"id": key, "isin": BOND, "folio_number": folio, "source_ref_id": None}]
    shop.settle()
    order = shop.read(key)
    assert (order["status"], order["type"], order["redemption_mode"]) == ("SUCCESSFUL", "REDEMPTION", "NORMAL")
    assert (order["reverse_units"], order["redemption_bank_account_ifsc_code"]) == (100, "ICIC0000611")
    assert units_of(shop) == held - 100
    redemption, second, first = fetch(shop, folio)
    assert (redemption["type"], first["type"]) == ("redemption", "purchase")
    sources = redemption["sources"]
    assert [s["purchased_on"] for s in sources] == [first["traded_on"], second["traded_on"]]
    assert sources[0]["units"] == first["units"]
    assert Decimal(str(sources[0]["units"])) + Decimal(str(sources[1]["units"])) == 100
    held_for = dt.date.fromisoformat(redemption["traded_on"]) - dt.date.fromisoformat(first["traded_on"])
    assert sources[0]["days_held"] == held_for.days
    gain = (Decimal(str(redemption["traded_at"])) - Decimal(str(first["traded_at"]))) * Decimal(str(first["units"]))
    assert abs(Decimal(str(sources[0]["gain"])) - gain) <= Decimal("0.005")


def test_redeem_all_empties_the_folio_and_leaves_nothing_redeemable_meanwhile(shop: Shop):
    folio = shop.read(shop.paid(5000))["folio_number"]
    key = sell(shop, folio_number=folio, redeem_all=True).json["orders"][0]["id"]
    assert shop.holdings()[0]["schemes"][0]["holdings"]["redeemable_units"] == 0
    assert "orders[0].redeem_all" in sell(shop, folio_number=folio, redeem_all=True).fields()
    shop.settle()
    assert shop.read(key)["type"] == "REDEEM_ALL"
    assert shop.holdings() == []


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"type": "amount", "amount": 6000}, "amount"),
        ({"type": "amount"}, "amount"),
        ({"type": "units", "units": 500}, "units"),
        ({"type": "units", "units": 1.0001}, "units"),
        ({"type": "units", "units": 1, "redeem_all": True}, "redeem_all"),
        ({}, "type"),
        ({"type": "units", "units": 1, "folio_number": "nobody"}, "folio_number"),
    ],
)
def test_each_sell_rule_has_its_field_error(shop: Shop, line, field):
    folio = shop.read(shop.paid(5000))["folio_number"]
    assert f"orders[0].{field}" in sell(shop, **{"folio_number": folio} | line).fields()


def test_reversal_takes_the_units_back(shop: Shop):
    key = shop.paid(5000)
    shop.caller.fp("POST", f"/api/oms/simulate/orders/{key}", {"status": "REVERSED"})
    order = shop.read(key)
    assert (order["status"], shop.holdings()) == ("REVERSED", [])
    back, first = fetch(shop, order["folio_number"])
    assert back["related_transaction_id"] == first["id"]
    assert back["units"] == -first["units"]


def test_a_tax_saver_is_locked_for_three_years(shop: Shop):
    saver = next(
        s for s in fund_schemes().values() if s.sub_category == "ELSS" and s.purchase_allowed and s.option == "GROWTH"
    )
    folio = shop.read(shop.paid(5000, saver.isin))["folio_number"]
    held = shop.holdings()[0]["schemes"][0]["holdings"]
    assert held["units"] > 0
    assert held["redeemable_units"] == 0
    shop.caller.control("POST", "/clock", {"advance": "P1100D"})
    shop.caller.token = ""
    held = shop.holdings()[0]["schemes"][0]["holdings"]
    assert held["redeemable_units"] == held["units"]
    assert sell(shop, folio_number=folio, isin=saver.isin, redeem_all=True).status == 200


def test_instant_redemption_within_its_summary(shop: Shop):
    folio = shop.read(shop.paid(10_000, LIQUID))["folio_number"]
    path = f"{shop.base}/preredemption_summary?folio_number={folio}&isin={LIQUID}"
    found = shop.caller.fp("GET", path).json["instant_redemption"]
    assert found["allowed"] is True
    assert 8_900 < found["max_amount"] < 9_100
    bank = found["redemption_bank_accounts"][0]
    wish = {
        "folio_number": folio, "isin": LIQUID, "amount": 500, "redemption_bank_account_number": bank["account_number"],
        "redemption_bank_account_ifsc_code": bank["ifsc_code"], "source_ref_id": "quick",
    }  # fmt: skip
    instant = f"{shop.base}/orders/sell/instant"
    for amount in (9_500, 0, 100.5, None):
        assert set(shop.caller.fp("POST", instant, wish | {"amount": amount}).fields()) == {"amount"}
    assert (
        "redemption_bank_account_number"
        in shop.caller.fp("POST", instant, wish | {"redemption_bank_account_number": "1"}).fields()
    )
    answer = shop.caller.fp("POST", instant, wish).json["orders"][0]
    assert (answer["isin"], answer["isin_no"], answer["source_ref_id"]) == (LIQUID, LIQUID, "quick")
    shop.settle()
    assert shop.read(answer["id"])["redemption_mode"] == "INSTANT"
    direct = shop.caller.fp("POST", "/api/instant_redemption/order", wish)
    assert direct.json["redemption_mode"] == "INSTANT"
    assert len(shop.caller.fp("GET", f"{shop.base}/orders/sell").json["amc_orders"]) == 1
    query = f"/api/instant_redemption/pre_redemption_summary?folio_number={folio}&isin={LIQUID}"
    assert shop.caller.fp("GET", query).json["instant_redemption"]["multiples"] == 1
    direct = "/api/instant_redemption/order"
    assert set(shop.caller.fp("POST", direct, wish | {"amount": 100.5}).fields()) == {"amount"}
    assert set(shop.caller.fp("POST", direct, wish | {"folio_number": "1"}).fields()) == {"folio_number"}
    must = {"folio_number", "isin", "amount", "redemption_bank_account_number", "redemption_bank_account_ifsc_code"}
    assert set(shop.caller.fp("POST", direct, {}).fields()) == must
    bond = shop.read(shop.paid(5000))["folio_number"]
    summary = shop.caller.fp("GET", f"{shop.base}/preredemption_summary?folio_number={bond}&isin={BOND}").json
    assert (summary["instant_redemption"]["allowed"], summary["instant_redemption"]["max_amount"]) == (False, 0)


# -- mandates -------------------------------------------------------------------------------------------------------


def mandate(shop: Shop, **more) -> int:
    body = {"mandate_type": "E_MANDATE", "bank_account_id": shop.bank, "mandate_limit": 100_000, **more}
    answer = shop.caller.fp("POST", "/api/pg/mandates", body)
    assert answer.status == 201, answer.body
    return answer.json["id"]


def approved(shop: Shop) -> int:
    key = mandate(shop)
    answer = shop.caller.fp("POST", f"/api/pg/simulate/mandates/{key}", {"status": "APPROVED"})
    assert answer.json == {"message": "mandate updated to status APPROVED"}
    return key


def test_an_e_mandate_is_authorised_at_the_bank(shop: Shop):
    key = mandate(shop)
    wish = {"mandate_id": key, "payment_postback_url": "http://shop.test/m"}
    started = shop.caller.fp("POST", "/api/pg/payments/emandate/auth", wish).json
    page = shop.caller.raw("GET", started["token_url"].removeprefix(shop.caller.url)).text
    assert "Authorise an e-mandate" in page
    back = shop.caller.form("/fp/bank/pay", **hidden_fields(page), outcome="success").text
    assert hidden_fields(back)["status"] == "success"
    read = lambda: shop.caller.fp("GET", f"/api/pg/mandates/{key}").json  # noqa: E731
    assert read()["mandate_status"] == "SUBMITTED"
    shop.settle(1)
    assert read()["mandate_status"] == "APPROVED"
    assert (len(read()["umrn"]), read()["umrn"][:4]) == (20, "ICIC")
    listed = shop.caller.fp("GET", f"/api/pg/mandates?bank_account_id={shop.bank}").json
    assert [m["id"] for m in listed["mandates"]] == [key]
    assert shop.payment(started["id"])["payment_type"] == "AUTH_TRANSACTION"
    assert "mandate_id" in shop.caller.fp("POST", "/api/pg/payments/emandate/auth", wish).fields()


def test_with_bse_a_mandate_may_end_after_it_begins_and_none_is_on_paper(shop: Shop):
    bse = Shop(Caller(shop.caller.url, "sandbox-bse"))
    usual = {"mandate_type": "E_MANDATE", "bank_account_id": bse.bank, "mandate_limit": 5, "valid_from": "2030-01-01"}
    for change, field in (
        ({"valid_to": "2029-12-31"}, "valid_to"),
        ({"valid_to": "2030-01-01"}, "valid_to"),
        ({"mandate_type": "NACH"}, "mandate_type"),
    ):
        assert set(bse.caller.fp("POST", "/api/pg/mandates", usual | change).fields()) == {field}
    made = bse.caller.fp("POST", "/api/pg/mandates", usual | {"valid_to": "2040-01-01"})
    assert made.status == 201
    wish = {"mandate_id": made.json["id"], "payment_postback_url": "https://example.com/"}
    refused = bse.caller.fp("POST", "/api/pg/payments/emandate/auth", wish).fields()
    assert refused == {"payment_postback_url": "is not supported with BSE as gateway provider"}
    assert bse.caller.fp("POST", "/api/pg/payments/emandate/auth", {"mandate_id": made.json["id"]}).status == 200


def test_account_digits_decide_and_rules_hold(caller: Caller):
    shop = Shop(caller, **{"bank_accounts.0.number": "00000012342311"})
    key = mandate(shop)
    started = caller.fp("POST", "/api/pg/payments/emandate/auth", {"mandate_id": key}).json
    page = caller.raw("GET", started["token_url"].removeprefix(caller.url)).text
    caller.form("/fp/bank/pay", **hidden_fields(page), outcome="success")
    shop.settle(1)
    assert caller.fp("GET", f"/api/pg/mandates/{key}").json["mandate_status"] == "REJECTED"
    for change, field in (
        ({"mandate_limit": 0}, "mandate_limit"),
        ({"bank_account_id": 99}, "bank_account_id"),
        ({"mandate_limit": 10_000_001}, "mandate_limit"),
        ({"mandate_type": "X"}, "mandate_type"),
        ({"valid_from": "01-12-2026"}, "valid_from"),
        ({"mandate_type": "E_MANDATE", "valid_to": "2040-01-01"}, "valid_to"),
    ):
        body = {"mandate_type": "NACH", "bank_account_id": shop.bank, "mandate_limit": 5} | change
        assert field in caller.fp("POST", "/api/pg/mandates", body).fields()
    paper = mandate(shop, mandate_type="NACH", valid_from="2040-01-01")
    assert caller.fp("GET", f"/api/pg/mandates/{paper}").json["mandate_status"] == "CREATED"
    caller.control("POST", "/clock", {"advance": "P30D"})
    caller.token = ""
    assert caller.fp("GET", f"/api/pg/mandates/{paper}").json["mandate_status"] == "APPROVED"
    assert caller.fp("POST", f"/api/pg/simulate/mandates/{paper}", {"status": "CREATED"}).status == 400
    assert caller.fp("POST", f"/api/pg/mandates/{paper}/cancel").json["mandate_status"] == "CANCELLED"


def test_a_mandate_begins_today_at_the_earliest(shop: Shop):
    tomorrow = dt.datetime.now(IST).date() + dt.timedelta(days=1)
    shop.caller.control("POST", "/clock", {"at": f"{tomorrow}T12:00:00+05:30"})
    shop.caller.token = ""
    body = {"mandate_type": "NACH", "bank_account_id": shop.bank, "mandate_limit": 5}
    past = body | {"valid_from": f"{tomorrow - dt.timedelta(days=1)}"}
    assert shop.caller.fp("POST", "/api/pg/mandates", past).fields() == {"valid_from": "should not be in the past"}
    assert shop.caller.fp("POST", "/api/pg/mandates", body | {"valid_from": f"{tomorrow}"}).status == 201


def test_a_nach_purchase_needs_an_approved_mandate_and_is_debited_by_itself(shop: Shop):
    path, waiting = f"{shop.base}/orders/purchase/nach", mandate(shop)
    line = {"isin": BOND, "amount": 5000, "source_ref_id": "n1"}
    assert "mandate_id" in shop.caller.fp("POST", path, {"mandate_id": waiting, "orders": [line]}).fields()
    mine = approved(shop)
    above = [line, line | {"amount": 100_010, "source_ref_id": "n2"}]
    refused = shop.caller.fp("POST", path, {"mandate_id": mine, "orders": above}).fields()
    assert refused == {"orders[1].amount": "is above the mandate's limit"}
    key = shop.caller.fp("POST", path, {"mandate_id": mine, "orders": [line]}).json["orders"][0]["id"]
    payment = shop.caller.fp("GET", f"/api/pg/payments?amc_order_ids={key}").json["payments"][0]
    assert (payment["payment_type"], payment["amount"]) == ("NACH", 5000)
    assert "amc_order_ids" in shop.caller.fp("POST", "/api/pg/payments/netbanking", {"amc_order_ids": [key]}).fields()
    shop.settle(6)
    assert shop.payment(payment["id"])["submitted_at"]
    assert shop.read(key)["status"] == "SUCCESSFUL"


def test_nach_payments_need_the_mandate_when_they_are_simulated(shop: Shop):
    key = approved(shop)
    line = {"isin": BOND, "amount": 5005, "source_ref_id": "n2"}
    order = shop.caller.fp("POST", f"{shop.base}/orders/purchase/nach", {"mandate_id": key, "orders": [line]}).json[
        "orders"
    ][0]["id"]
    payment = shop.caller.fp("GET", f"/api/pg/payments?amc_order_ids={order}").json["payments"][0]["id"]
    shop.caller.fp("POST", f"/api/pg/mandates/{key}/cancel")
    simulate = lambda status: shop.caller.fp("POST", f"/api/pg/simulate/payments/{payment}", {"status": status})  # noqa: E731
    assert simulate("SUBMITTED").json == {"message": "payment updated to status SUBMITTED"}
    assert simulate("APPROVED").status == 400
    assert simulate("REJECTED").status == 200
    assert shop.read(order)["status"] == "FAILED"


# -- SIPs -----------------------------------------------------------------------------------------------------------


def plan(shop: Shop, **more):
    line = {
        "isin": BOND,
        "amount": 2000,
        "start_day": "5",
        "frequency": "MONTHLY",
        "installments": 12,
        "source_ref_id": "sip-1",
    }
    line |= more
    return shop.caller.fp("POST", f"{shop.base}/orders/sips", {"orders": [line]})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 1}, "amount"),
        ({"amount": 200_000}, "amount"),
        ({"start_day": "31"}, "start_day"),
        ({"frequency": "DAILY"}, "frequency"),
        ({"installments": 2}, "installments"),
        ({"installments": 1201}, "installments"),
        ({"isin": "INF109K01VF4"}, "isin"),
        ({"mandate_id": 999}, "mandate_id"),
    ],
)
def test_each_sip_rule_has_its_field_error(shop: Shop, change, field):
    assert f"orders[0].{field}" in plan(shop, **{"mandate_id": approved(shop)} | change).fields()


def test_a_sip_runs_month_after_month(shop: Shop):
    shop.caller.control("POST", "/clock", {"at": "2026-11-21T12:00:00+05:30"})
    shop.caller.token = ""
    answer = plan(shop, mandate_id=approved(shop), installments=12).json["orders"][0]
    sip = answer["id"]
    assert sip > 2**53
    single = shop.caller.fp("GET", f"{shop.base}/orders/sips/{sip}").json
    assert (single["start_date"], single["active"], single["mandate_id"]) == ("2026-12-05", True, "1")
    shop.caller.control("POST", "/clock", {"at": "2027-02-10T12:00:00+05:30"})
    shop.caller.token = ""
    shop.settle(8)
    orders = shop.caller.fp("GET", f"{shop.base}/orders/sips/{sip}/installments").json
    assert [o["investment_date"] for o in orders] == ["2026-12-05", "2027-01-05", "2027-02-05"]
    assert {o["status"] for o in orders} == {"SUCCESSFUL"}
    assert {o["sip_id"] for o in orders} == {sip}
    listed = shop.caller.fp("GET", f"{shop.base}/orders/sips").json
    assert [s["sip_id"] for s in listed["sip_orders"]] == [sip]
    assert "orders[0].source_ref_id" in plan(shop, mandate_id=1).fields()


def test_skip_change_the_mandate_stop_and_simulate(shop: Shop):
    shop.caller.control("POST", "/clock", {"at": "2026-11-21T12:00:00+05:30"})
    shop.caller.token = ""
    sip = plan(shop, mandate_id=approved(shop)).json["orders"][0]["id"]
    path, other = f"{shop.base}/orders/sips/{sip}", approved(shop)
    skipped = shop.caller.fp("PATCH", path, {"operation": "cancel_next_installment"}).json
    assert (skipped["status"], skipped["investment_date"]) == ("CANCELLED", "2026-12-05")
    assert {"nav", "stt"} <= set(skipped)
    change = {"operation": "update", "data": {"mandate_id": str(other)}}
    assert shop.caller.fp("POST", path, change).json == {"message": "successfully updated the sip"}
    assert shop.caller.fp("GET", path).json["mandate_id"] == str(other)
    small = mandate(shop, mandate_limit=1999)
    refused = shop.caller.fp("PATCH", path, {"operation": "update", "data": {"mandate_id": small}}).fields()
    assert refused == {"mandate_id": "has a limit below the SIP's amount"}
    beside = {"operation": "update", "mandate_id": str(approved(shop))}
    assert shop.caller.fp("PATCH", path, beside).status == 200, "as the document's table has it"
    said = shop.caller.fp("POST", f"/api/oms/simulate/sips/{sip}/generate_next_installment").json["message"]
    order = int(said.split()[4])
    assert shop.read(order)["investment_date"] == "2027-01-05"
    stopped = shop.caller.fp("PATCH", path, {"operation": "deactivate"}).json
    assert (stopped["active"], stopped["fund_type"]) == (False, "GROWTH")
    assert "operation" in shop.caller.fp("PATCH", path, {"operation": "deactivate"}).fields()
    shop.caller.control("POST", "/clock", {"at": "2027-06-10T12:00:00+05:30"})
    shop.caller.token = ""
    assert len(shop.caller.fp("GET", f"{path}/installments").json) == 2


def test_three_failures_in_a_row_end_a_sip(shop: Shop):
    shop.caller.control("POST", "/clock", {"at": "2026-11-21T12:00:00+05:30"})
    shop.caller.token = ""
    sip = plan(shop, mandate_id=mandate(shop)).json["orders"][0]["id"]
    shop.caller.control("POST", "/clock", {"at": "2027-06-10T12:00:00+05:30"})
    shop.caller.token = ""
    orders = shop.caller.fp("GET", f"{shop.base}/orders/sips/{sip}/installments").json
    assert [o["status"] for o in orders] == ["FAILED"] * 3
    assert shop.caller.fp("GET", f"{shop.base}/orders/sips/{sip}").json["active"] is False
