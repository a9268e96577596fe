"""Whatever stands in a field of a body: an error of the caller's (400, 404), never one of the provider's (500)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.sandbox.api import BOND, Shop, investor

ODD: list[Any] = [
    [], {}, [1], {"a": 1}, True, None, -1, 1.5, 10**30, "", "x" * 5000, "9" * 5000, "\ud800", "\x00"
]  # fmt: skip
ADDRESS = {
    "line_1": "1082 Harlur Road", "city": "Bengaluru", "pincode": "560102", "country": "IN", "proof_type": "passport",
    "proof_number": "P1", "proof_issue_date": "2020-01-01", "proof_expiry_date": "2036-01-01", "proof": "f1",
    "proof_back": "f2",
}  # fmt: skip
KYC = {
    "pan": "ABCPE1234F", "name": "Tony S", "email": "a@b.in", "date_of_birth": "1990-01-01",
    "mobile": {"isd": "+91", "number": "9900000000"}, "aadhaar_number": "1234", "gender": "male",
    "marital_status": "married", "residential_status": "resident_individual", "occupation_type": "business",
    "country_of_birth": "IN", "father_name": "F", "identity_proof": "f3", "photo": "f4", "signature": "f5",
    "ipv_video": "f6", "permanent_address_is_same_as_correspondence": True, "correspondence_address": ADDRESS,
}  # fmt: skip


def places(value: Any, found: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a document, itself included."""
    yield found
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*found, key))


def spoilt(body: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """A copy of the document with `odd` at that place."""
    if not place:
        return odd
    copy = json.loads(json.dumps(body))
    part = copy
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = odd
    return copy


def bodies(shop: Shop) -> dict[str, Any]:
    """Address -> a body that is in order, for each kind of writing call."""
    folio = shop.read(shop.paid(5000))["folio_number"]
    line = {"isin": BOND, "folio_number": folio, "source_ref_id": "r", "user_ip": "1.2.3.4", "server_ip": "1.2.3.4"}
    sip = {**line, "amount": 1000, "frequency": "MONTHLY", "start_day": 5, "installments": 12}
    return {
        "/api/onb/investors": investor(),
        "/api/oms/investment_accounts": {"primary_investor_id": str(shop.investor["id"])},
        f"{shop.base}/orders/purchase/netbanking": {
            "bank_account_id": shop.bank, "orders": [{**line, "amount": 5000}]
        },
        f"{shop.base}/orders/sell": {"orders": [{**line, "type": "units", "units": 1}]},
        f"{shop.base}/orders/sips": {"mandate_id": 1, "sips": [sip]},
        "/api/pg/payments/netbanking": {"amc_order_ids": [1], "payment_postback_url": "https://portal.example/"},
        "/api/pg/mandates": {"bank_account_id": shop.bank, "mandate_type": "E_MANDATE", "mandate_limit": 10_000},
        "/kyc_requests": KYC,
        "/api/kyc/check": {"pan": "ABCPE1234F"},
        "/file_operations": {"type": "transaction_processing", "file": "f1"},
    }  # fmt: skip


def test_no_spoilt_body_is_an_error_of_the_provider(shop: Shop):
    wrong = [
        f"{path}: {place} = {str(odd)[:20]!r}"
        for path, body in bodies(shop).items()
        for place in places(body)
        for odd in ODD
        if shop.caller.fp("POST", path, spoilt(body, place, odd)).status >= 500
    ]
    assert not wrong, "\n".join(wrong)
