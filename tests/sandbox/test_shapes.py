"""Every documented key is there, with its documented type: the shapes are copied from the given document's samples."""

from __future__ import annotations

from typing import Any

from portal.sandbox import limits
from tests.sandbox.api import BOND, LIQUID, Caller, Shop

N = (int, float)
TEXT, FLAG, NONE = str, bool, type(None)
MAYBE_TEXT, MAYBE_N = (str, NONE), (int, float, NONE)
BRANCH = dict.fromkeys(("ifsc_code", "branch_name", "bank_name", "branch_address", "city", "district", "state"), TEXT)
PAGE = {
    "last": FLAG,
    "total_pages": int,
    "total_elements": int,
    "size": int,
    "number": int,
    "first": FLAG,
}
COUNTED = PAGE | {"number_of_elements": int}
SCHEME = {
    "isin": TEXT, "active": FLAG, "name": TEXT, "investment_option": TEXT, "min_initial_investment": MAYBE_N,
    "min_additional_investment": MAYBE_N, "initial_investment_multiples": MAYBE_N, "max_initial_investment": MAYBE_N,
    "max_additional_investment": MAYBE_N, "additional_investment_multiples": MAYBE_N, "min_withdrawal_amount": N,
    "min_withdrawal_units": N, "max_withdrawal_amount": MAYBE_N, "max_withdrawal_units": MAYBE_N,
    "withdrawal_multiples": N,
    "sip_allowed": FLAG, "min_sip_amount": MAYBE_N, "max_sip_amount": MAYBE_N, "min_sip_installments": MAYBE_N,
    "sip_multiples": MAYBE_N, "sip_frequency_data": (dict, NONE), "switch_in_allowed": FLAG,
    "switch_in_min_amt": MAYBE_N,
    "switch_multiples": MAYBE_N, "fund_category": TEXT, "plan_type": TEXT, "amfi_code": MAYBE_TEXT,
    "sub_category": MAYBE_TEXT,
    "scheme_code": TEXT, "close_ended": FLAG, "lock_in": FLAG, "lock_in_period": MAYBE_N, "long_term_period": MAYBE_N,
    "purchase_allowed": FLAG, "redemption_allowed": FLAG, "insta_redemption_allowed": FLAG, "amc_id": int,
    "rta_id": int,
    "merged": FLAG, "merged_to_isin": MAYBE_TEXT, "name_changes": (dict, NONE),
}  # fmt: skip
BRIEF = {"id": int, "name": TEXT, "isin": TEXT, "scheme_code": TEXT}
ORDER = {
    "id": int, "type": TEXT, "status": TEXT, "amount": MAYBE_N, "reverse_amount": MAYBE_N, "reverse_units": MAYBE_N,
    "price": MAYBE_N, "trade_date": MAYBE_TEXT, "investment_date": TEXT, "folio_number": MAYBE_TEXT,
    "bank_account_id": (int, NONE), "source_ref_id": MAYBE_TEXT, "sip_id": (int, NONE), "confirmed_at": MAYBE_TEXT,
    "submitted_at": MAYBE_TEXT, "succeeded_at": MAYBE_TEXT, "reversed_at": MAYBE_TEXT, "failed_at": MAYBE_TEXT,
    "created_at": TEXT,
    "redemption_mode": MAYBE_TEXT, "redemption_bank_account_number": MAYBE_TEXT,
    "redemption_bank_account_ifsc_code": MAYBE_TEXT, "fund_scheme": BRIEF,
}  # fmt: skip
VALUE = {"as_on": TEXT, "amount": N, "redeemable_amount": N}
HELD = {
    "isin": TEXT, "name": TEXT, "type": TEXT, "holdings": {"as_on": TEXT, "units": N, "redeemable_units": N},
    "market_value": VALUE,
    "invested_value": {"as_on": TEXT, "amount": N}, "payout": {"as_on": TEXT, "amount": N},
    "nav": {"as_on": TEXT, "value": N},
}  # fmt: skip
PAYMENT = {
    "id": int, "payment_type": TEXT, "status": TEXT, "amount": N, "debit_date": TEXT, "amc_order_ids": [int],
    "failed_reason": MAYBE_TEXT, "method": MAYBE_TEXT, "created_at": TEXT, "submitted_at": MAYBE_TEXT,
    "debit_confirmed_at": MAYBE_TEXT, "failed_at": MAYBE_TEXT, "transfer_initiated_at": MAYBE_TEXT,
    "settled_at": MAYBE_TEXT,
    "rejected_at": MAYBE_TEXT,
}  # fmt: skip
MANDATE = {
    "id": int, "bank_account_id": int, "mandate_ref": MAYBE_TEXT, "valid_from": MAYBE_TEXT, "mandate_limit": int,
    "mandate_type": TEXT,
    "mandate_status": TEXT, "umrn": MAYBE_TEXT, "created_at": TEXT, "received_at": MAYBE_TEXT,
    "submitted_at": MAYBE_TEXT,
    "approved_at": MAYBE_TEXT, "rejected_at": MAYBE_TEXT, "rejected_reason": MAYBE_TEXT, "provider_id": int,
}  # fmt: skip
SOURCE = {"days_held": int, "units": N, "purchased_on": TEXT, "purchased_at": N, "gain": N}
TRANSACTION = {
    "object": TEXT, "folio_number": TEXT, "isin": TEXT, "type": TEXT, "amount": N, "units": N, "traded_on": TEXT,
    "traded_at": N,
    "order": MAYBE_TEXT, "corporate_action": MAYBE_TEXT, "related_transaction_id": MAYBE_TEXT,
    "rta_order_reference": TEXT,
    "rta_product_code": TEXT, "rta_investment_option": TEXT, "rta_scheme_name": TEXT, "sources": [SOURCE],
}  # fmt: skip
KYC = {
    "id": TEXT, "source_ref_id": NONE, "pan": TEXT, "entity_details": dict, "status": FLAG,
    "constraints": [{"type": TEXT, "amount": {"value": N, "currency": TEXT}}],
    "sources": [{"name": TEXT, "response_verbatim": TEXT, "fetched_at": TEXT}], "created_at": TEXT, "updated_at": TEXT,
}  # fmt: skip


def meets(value: Any, shape: Any, where: str = "") -> None:
    """Raises AssertionError where `value` lacks a key of `shape` or has another type."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        for key, inner in shape.items():
            assert key in value, f"{where}.{key} is missing"
            meets(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for n, item in enumerate(value):
            meets(item, shape[0], f"{where}[{n}]")
    else:
        allowed = shape if isinstance(shape, tuple) else (shape,)
        assert type(value) in allowed, f"{where} is {value!r}"


def test_master_data(caller: Caller):
    get = lambda path: caller.fp("GET", path).json  # noqa: E731
    link = [{"href": TEXT, "rel": TEXT, "method": TEXT}]
    pin = {"code": TEXT, "city": TEXT, "district": TEXT, "state_name": TEXT, "country_ansi_code": TEXT, "_links": link}
    meets(get("/api/onb/pincodes/560102"), pin)
    meets(get("/api/onb/pincodes"), PAGE | {"pincodes": [pin]})
    meets(get("/api/onb/ifsc_codes"), PAGE | {"ifsc_codes": [BRANCH | {"micr_code": TEXT, "contact": MAYBE_TEXT}]})
    meets(get("/api/onb/states"), {"states": [{"name": TEXT, "state_code": TEXT, "country_ansi_code": TEXT}]})
    meets(get("/api/onb/countries"), {"countries": [{"name": TEXT, "ansi_code": TEXT}]})
    amc = {"id": int, "name": TEXT, "active": FLAG, "amc_code": MAYBE_TEXT}
    meets(get("/api/oms/amcs"), {"_links": {"self": {"href": TEXT}}, "amcs": [amc]})
    meets(get(f"/api/oms/fund_schemes/{BOND}"), SCHEME | {"_links": {"self": {"href": TEXT}}})
    for page in (0, 60, 120, 174):
        meets(get(f"/api/oms/fund_schemes?size=100&page={page}"), COUNTED | {"fund_schemes": [SCHEME]})
    meets(caller.fp("POST", "/api/kyc/check", {"pan": "BNBPP9384M"}).json, KYC)


def test_orders_payments_holdings_and_transactions(shop: Shop):
    get = lambda path: shop.caller.fp("GET", path).json  # noqa: E731
    folio = shop.read(shop.paid(20_000))["folio_number"]
    line = {"isin": BOND, "folio_number": folio, "type": "units", "units": 10}
    shop.caller.fp("POST", f"{shop.base}/orders/sell", {"orders": [line]})
    shop.settle()
    shop.pay(shop.buy())
    links = {"_links": {"self": {"href": TEXT}}}
    states = "state=pending,successful"
    for path in (
        f"/api/oms/orders?{states}",
        f"{shop.base}/orders?{states}",
        f"{shop.base}/orders/sell",
        f"{shop.base}/orders/switch",
    ):
        meets(get(path), COUNTED | links | {"amc_orders": [ORDER]})
    meets(get(f"{shop.base}/holdings"), {"id": int, "folios": [{"folio_number": TEXT, "schemes": [HELD]}]})
    meets(get("/api/pg/payments"), COUNTED | {"payments": [PAYMENT]})
    meets(get(f"/transactions?folios={folio}"), {"object": TEXT, "data": [TRANSACTION]})
    assert get(f"/transactions?folios={folio}")["data"][0]["sources"]
    wish = {"mandate_type": "NACH", "bank_account_id": shop.bank, "mandate_limit": 50_000, "valid_from": "2040-12-01"}
    shop.caller.fp("POST", "/api/pg/mandates", wish)
    meets(get("/api/pg/mandates"), COUNTED | {"mandates": [MANDATE]})
    summary = {
        "max_amount": N,
        "min_amount": N,
        "allowed": FLAG,
        "remarks": MAYBE_TEXT,
        "redemption_bank_accounts": list,
    }
    liquid = shop.read(shop.paid(9000, LIQUID))["folio_number"]
    path = f"{shop.base}/preredemption_summary?folio_number={liquid}&isin={LIQUID}"
    meets(get(path), {"folio_number": TEXT, "isin": TEXT, "instant_redemption": summary})


def test_calls_above_the_limit_are_429_until_the_next_second(caller: Caller, monkeypatch):
    second = [1_800_000_000.0]
    monkeypatch.setattr(limits, "real_now", lambda: second[0])
    caller.fp("GET", "/api/onb/states")
    caller.control("POST", "/limits", {"calls_per_second": 5})
    answers = [caller.fp("GET", "/api/onb/states") for _ in range(30)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 25
    assert {answer.headers["Retry-After"] for answer in answers[5:]} == {"1"}
    second[0] += 1
    assert caller.fp("GET", "/api/onb/states").status == 200
    caller.control("POST", "/limits", {"calls_per_second": 0})
    assert caller.fp("GET", "/api/onb/states").status == 200


def test_ids_larger_than_any_and_bottomless_json_do_no_harm(shop: Shop):
    assert shop.caller.fp("GET", f"{shop.base}/orders/99999999999999999999999").status == 404
    deep = b"[" * 100_000
    answer = shop.caller.raw("POST", "/fp/api/kyc/check", deep, {"Authorization": f"Bearer {shop.caller.token}"})
    assert answer.status == 400
