import datetime as dt
from decimal import Decimal

import pytest

from portal.sandbox import nav
from portal.sandbox.schemes import fund_schemes
from tests.sandbox.api import BOND, LIQUID, Caller, Shop, hidden_fields, wait_for

ORDER_KEYS = {
    "id", "type", "status", "amount", "reverse_amount", "reverse_units", "price", "trade_date", "investment_date",
    "folio_number", "bank_account_id", "source_ref_id", "sip_id", "confirmed_at", "submitted_at", "succeeded_at",
    "reversed_at", "failed_at", "created_at", "redemption_mode", "redemption_bank_account_number",
    "redemption_bank_account_ifsc_code", "fund_scheme",
}  # fmt: skip
PAYMENT_KEYS = {
    "id", "payment_type", "status", "amount", "debit_date", "amc_order_ids", "failed_reason", "method", "created_at",
    "submitted_at", "debit_confirmed_at", "failed_at", "transfer_initiated_at", "settled_at", "rejected_at",
}  # fmt: skip


def open_bank(shop: Shop, payment: dict) -> str:
    page = shop.caller.raw("GET", payment["token_url"].removeprefix(shop.caller.url))
    assert page.status == 200
    return page.text


def test_from_click_to_units_in_real_time(shop: Shop):
    key = shop.buy(5000)
    payment = shop.pay(key, payment_postback_url="http://127.0.0.1:9/back?n=1")
    page = open_bank(shop, payment)
    assert "Fake bank of the sandbox" in page
    assert "<script>" not in page
    answer = shop.caller.form("/fp/bank/pay", **hidden_fields(page), outcome="success").text
    assert 'action="http://127.0.0.1:9/back?n=1"' in answer
    assert hidden_fields(answer) == {"paymentId": str(payment["id"]), "status": "success", "failureReason": ""}
    assert "Continue to the shop" in answer
    order = wait_for(lambda: (o := shop.read(key))["status"] == "SUCCESSFUL" and o)
    assert set(order) == ORDER_KEYS
    net = Decimal("4999.75")
    assert Decimal(str(order["reverse_amount"])) == net
    assert Decimal(str(order["reverse_units"])) == (net / Decimal(str(order["price"]))).quantize(Decimal("0.001"))
    assert order["folio_number"]
    assert order["created_at"] <= order["confirmed_at"] <= order["submitted_at"] <= order["succeeded_at"]
    assert order["created_at"].endswith("+05:30")
    paid = shop.payment(payment["id"])
    assert set(paid) == PAYMENT_KEYS
    assert (paid["status"], paid["amount"], paid["amc_order_ids"]) == ("APPROVED", 5000, [key])
    held = shop.holdings()[0]
    assert held["folio_number"] == order["folio_number"]
    scheme = held["schemes"][0]
    assert scheme["holdings"]["units"] == scheme["holdings"]["redeemable_units"] == order["reverse_units"]
    assert scheme["invested_value"]["amount"] == 5000
    report = shop.caller.fp("GET", f"/api/oms/reports/holdings?investment_account_id={shop.account}").json
    assert report["folios"] == [held]


def test_an_amount_ending_in_one_fails_after_submission(shop: Shop):
    key = shop.paid(5001)
    order = shop.read(key)
    assert order["status"] == "FAILED"
    assert order["submitted_at"]
    assert order["failed_at"]
    assert shop.holdings() == []


def test_other_amounts_wait_for_a_hand(shop: Shop):
    key = shop.paid(5005)
    assert shop.read(key)["status"] == "PENDING"
    for state in ("PAYMENT_CONFIRMED", "SUBMITTED", "SUCCESSFUL", "REVERSED"):
        answer = shop.caller.fp("POST", f"/api/oms/simulate/orders/{key}", {"status": state})
        assert answer.json == {"message": "order updated successfully"}
        assert shop.read(key)["status"] == state
    assert shop.caller.fp("POST", f"/api/oms/simulate/orders/{key}", {"status": "SUBMITTED"}).status == 400
    assert "status" in shop.caller.fp("POST", f"/api/oms/simulate/orders/{key}", {"status": "CANCELLED"}).fields()
    assert shop.holdings() == []


def test_a_token_opens_the_bank_once_and_for_fifteen_minutes(shop: Shop):
    payment = shop.pay(shop.buy())
    path = payment["token_url"].removeprefix(shop.caller.url)
    assert shop.caller.raw("HEAD", path).status == 400
    open_bank(shop, payment)
    assert "Invalid token" in shop.caller.raw("GET", path).text
    late = shop.pay(shop.buy())
    shop.caller.control("POST", "/clock", {"advance": "PT16M"})
    assert "Invalid token" in shop.caller.raw("GET", late["token_url"].removeprefix(shop.caller.url)).text


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("failure", "investor_bank_declined"), ("tpv_failed", "tpv_failed"), ("insufficient_funds", "insufficient_funds")],
)
def test_refusals_at_the_bank_go_back_to_the_shop_and_the_order_may_be_paid_again(shop: Shop, outcome, reason):
    key = shop.buy(5000)
    payment = shop.pay(
        key, method="UPI" if outcome == "tpv_failed" else "NETBANKING", payment_postback_url="http://shop.test/"
    )
    answer = shop.caller.form("/fp/bank/pay", **hidden_fields(open_bank(shop, payment)), outcome=outcome).text
    assert hidden_fields(answer) == {"paymentId": str(payment["id"]), "status": "failure", "failureReason": reason}
    paid = shop.payment(payment["id"])
    assert (paid["status"], paid["failed_reason"]) == ("FAILED", reason)
    assert shop.read(key)["status"] == "PENDING"
    second = shop.pay(key)
    shop.caller.control("POST", f"/fp/payments/{second['id']}", {"outcome": "success"})
    shop.settle()
    assert shop.read(key)["status"] == "SUCCESSFUL"


def test_closing_the_bank_sends_nothing_and_the_payment_expires(shop: Shop):
    key = shop.buy()
    payment = shop.pay(key, payment_postback_url="http://shop.test/back")
    page = shop.caller.form("/fp/bank/pay", **hidden_fields(open_bank(shop, payment)), outcome="abandon").text
    assert "without paying" in page
    assert "<form" not in page
    assert shop.payment(payment["id"])["status"] == "PENDING"
    shop.caller.control("POST", "/clock", {"advance": "PT31M"})
    shop.caller.token = ""
    assert shop.payment(payment["id"])["failed_reason"] == "fp_payment_expired"


def test_a_late_success_revives_a_failed_payment(shop: Shop):
    key = shop.buy()
    payment = shop.pay(key)["id"]
    shop.caller.control("POST", f"/fp/payments/{payment}", {"outcome": "late_success"})
    assert shop.payment(payment)["status"] == "FAILED"
    shop.settle(4)
    found = shop.payment(payment)
    assert found["late_auth"] is True
    assert found["status"] == "APPROVED"
    assert shop.read(key)["status"] == "SUCCESSFUL"


def test_a_forged_seal_does_nothing(shop: Shop):
    payment = shop.pay(shop.buy())
    fields = hidden_fields(open_bank(shop, payment))
    assert (
        "Invalid token"
        in shop.caller.form("/fp/bank/pay", payment=fields["payment"], seal="0" * 64, outcome="success").text
    )
    assert shop.payment(payment["id"])["status"] == "PENDING"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"isin": "INF10123VF4"}, "isin"),
        ({"isin": None}, "isin"),
        ({"isin": "INF109K01VF4"}, "isin"),
        ({"amount": 999}, "amount"),
        ({"amount": 99_999_999_999}, "amount"),
        ({"amount": "lots"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": 5000.5}, "amount"),
        ({"folio_number": "123/45"}, "folio_number"),
        ({"source_ref_id": 7}, "source_ref_id"),
    ],
)
def test_each_order_rule_has_its_field_error(shop: Shop, line, field):
    answer = shop.order(**{"amount": 5000, "isin": BOND} | line)
    assert f"orders[0].{field}" in answer.fields()
    assert shop.caller.control("GET", "/ledger/fp")["total"] == 0


def test_the_bank_account_must_be_the_investors_own(caller: Caller, shop: Shop):
    other = Shop(caller)
    other.bank, mine = shop.bank, other.bank
    assert "bank_account_id" in other.order().fields()
    other.bank = mine
    assert other.order().status == 200


def test_a_reference_is_taken_once_and_the_ledger_counts_how_often_it_came(shop: Shop):
    assert shop.order(source_ref_id="abc").status == 200
    again = shop.order(source_ref_id="abc")
    assert again.fields() == {"orders[0].source_ref_id": "should be unique"}
    assert "source_ref_id: should be unique" in again.json["error"]["message"]
    entry = shop.caller.control("GET", "/ledger/fp?ref=abc")["orders"]
    assert [e["received"] for e in entry] == [2]
    lines = [{"isin": BOND, "amount": 5000, "source_ref_id": "twice"}] * 2
    body = {"bank_account_id": shop.bank, "orders": lines}
    path = f"{shop.base}/orders/purchase/netbanking"
    assert set(shop.caller.fp("POST", path, body).fields()) == {"orders[1].source_ref_id"}


def test_consent_and_unknown_keys_are_kept(shop: Shop):
    consent = {"email": "a@example.com", "isd_code": "91", "mobile": "9008580644"}
    shop.buy(consent=consent, euin="E123456")
    entry = shop.caller.control("GET", "/ledger/fp")["orders"][0]
    assert entry["consent"] == consent
    assert entry["extra"]["euin"] == "E123456"


def test_the_same_fund_house_means_the_same_folio_and_additional_bounds(shop: Shop):
    first = shop.read(shop.paid(5000))["folio_number"]
    second = shop.read(shop.paid(6000, LIQUID, folio_number=first))
    assert (second["folio_number"], second["type"]) == (first, "ADDITIONAL_PURCHASE")
    foreign = next(
        s.isin for s in fund_schemes().values() if s.purchase_allowed and s.amc_id != fund_schemes()[BOND].amc_id
    )
    assert "orders[0].folio_number" in shop.order(50000, foreign, folio_number=first).fields()
    assert len(shop.holdings()[0]["schemes"]) == 2


def test_lists_default_to_successful_and_filter_and_page(shop: Shop):
    done, waiting = shop.paid(5000), shop.buy(7000)
    ids = lambda query: [o["id"] for o in shop.caller.fp("GET", f"/api/oms/orders{query}").json["amc_orders"]]  # noqa: E731
    assert ids("") == [done]
    assert ids("?state=pending") == [waiting]
    assert ids("?state=pending,successful,failed") == [waiting, done]
    assert ids("?state=pending,successful&direction=asc") == [done, waiting]
    assert ids("?state=pending,successful&size=1&page=1") == [done]
    assert ids("?state=pending&type=redemption") == []
    assert "state" in shop.caller.fp("GET", "/api/oms/orders?state=lost").fields()
    page = shop.caller.fp("GET", f"{shop.base}/orders?state=pending,successful&size=1").json
    assert (page["total_elements"], page["total_pages"], page["last"], page["number_of_elements"]) == (2, 2, False, 1)
    assert [o["id"] for o in shop.caller.fp("GET", f"{shop.base}/orders/purchase").json["amc_orders"]] == [
        waiting,
        done,
    ]
    assert shop.caller.fp("GET", f"{shop.base}/orders/sell").json["amc_orders"] == []
    assert shop.caller.fp("GET", f"{shop.base}/orders/999").status == 404


def test_payments_are_listed_and_an_order_that_is_through_cannot_be_paid(shop: Shop):
    key = shop.paid(5000)
    assert "amc_order_ids" in shop.caller.fp("POST", "/api/pg/payments/netbanking", {"amc_order_ids": [key]}).fields()
    assert (
        "method"
        in shop.caller.fp("POST", "/api/pg/payments/netbanking", {"amc_order_ids": [key], "method": "CASH"}).fields()
    )
    pending = shop.pay(shop.buy())["id"]
    ids = lambda query: [p["id"] for p in shop.caller.fp("GET", f"/api/pg/payments{query}").json["payments"]]  # noqa: E731
    assert ids("") == [pending, pending - 1]
    assert ids("?payment_status=pending") == [pending]
    assert ids(f"?amc_order_ids={key}") == [pending - 1]
    assert ids("?payment_type=nach") == []
    assert "to" in shop.caller.fp("GET", "/api/pg/payments?to=2026-01-01").fields()


def test_kyc_and_its_limit_decide_at_the_fund_house(caller: Caller):
    unknown = Shop(caller, **{"kyc_identity_detail.pan_number": "AAAPB3753C"})
    key = unknown.paid(5000)
    assert unknown.read(key)["status"] == "FAILED"
    limited = Shop(caller, **{"kyc_identity_detail.pan_number": "BNBPP9384M"})
    assert limited.read(limited.paid(50_000))["status"] == "SUCCESSFUL"
    late = limited.paid(5_000)
    entry = caller.control("GET", f"/ledger/fp?id={late}")["orders"][0]
    assert (entry["status"], entry["failure_code"]) == ("FAILED", "ekyc_investment_amount_limit_exceeded")


def test_market_pace_keeps_cut_offs_and_t_plus_one(shop: Shop):
    control = shop.caller.control
    control("POST", "/pace", {"mode": "market"})
    control("POST", "/clock", {"at": "2026-11-20T15:30:00+05:30"})
    shop.caller.token = ""
    key = shop.buy(5000)
    payment = shop.pay(key)["id"]
    control("POST", f"/fp/payments/{payment}", {"outcome": "success"})
    seen = []
    for moment in ("2026-11-23T14:00", "2026-11-23T15:30", "2026-11-23T18:30", "2026-11-25T09:00", "2026-11-25T10:30"):
        control("POST", "/clock", {"at": f"{moment}:00+05:30"})
        shop.caller.token = ""
        seen.append(shop.read(key)["status"])
    assert seen == ["PENDING", "PAYMENT_CONFIRMED", "SUBMITTED", "SUBMITTED", "SUCCESSFUL"]
    assert shop.read(key)["trade_date"] == "2026-11-23"


@pytest.mark.parametrize(
    ("paid", "traded_on"),
    [
        ("2026-11-20T12:59", "2026-11-19"),
        ("2026-11-20T13:00", "2026-11-22"),  # counts on Monday: the NAV of Sunday
        ("2026-11-22T10:00", "2026-11-22"),
        ("2026-11-23T13:30", "2026-11-24"),  # Tuesday is a holiday: counts on Wednesday
    ],
)
def test_a_liquid_fund_is_bought_at_the_nav_of_the_calendar_day_before(shop: Shop, paid: str, traded_on: str):
    control = shop.caller.control
    control("POST", "/pace", {"mode": "market"})
    control("POST", "/clock", {"at": f"{paid}:00+05:30"})
    shop.caller.token = ""
    key = shop.buy(5000, isin=LIQUID)
    control("POST", f"/fp/payments/{shop.pay(key)['id']}", {"outcome": "success"})
    control("POST", "/clock", {"advance": "P8D"})
    shop.caller.token = ""
    order = shop.read(key)
    assert (order["status"], order["trade_date"]) == ("SUCCESSFUL", traded_on)
    listing = fund_schemes()[LIQUID].listing
    assert Decimal(str(order["price"])) == Decimal(nav.nav(listing, dt.date.fromisoformat(traded_on)))


def test_bse_submits_first_and_answers_payments_with_html(caller: Caller):
    shop = Shop(Caller(caller.url, "sandbox-bse"))
    key = shop.buy(5000)
    shop.settle(1)
    assert shop.read(key)["status"] == "SUBMITTED"
    assert "postback_url" in shop.caller.fp("POST", "/api/oms/bse_payments", {"order_ids": [key]}).fields()
    page = shop.caller.fp(
        "POST", "/api/oms/bse_payments", {"order_ids": [key], "payment_postback_url": "http://shop.test/r?x=1"}
    )
    assert page.headers["Content-Type"].startswith("text/html")
    token = page.text.split('name="qs" value="')[1].split('"')[0]
    bank = shop.caller.form("/fp/bank/pay/open", qs=token).text
    back = shop.caller.form("/fp/bank/pay", **hidden_fields(bank), outcome="success").text
    assert '<form method="get" action="http://shop.test/r"' in back
    assert hidden_fields(back)["x"] == "1"
    shop.settle()
    order = shop.read(key)
    assert order["status"] == "SUCCESSFUL"
    assert order["confirmed_at"]


def test_unpaid_orders_expire_after_eight_business_days(shop: Shop):
    key = shop.buy()
    shop.caller.control("POST", "/clock", {"advance": "P20D"})
    assert shop.caller.control("GET", f"/ledger/fp?id={key}")["orders"][0]["failure_code"] == "order_expiry"
