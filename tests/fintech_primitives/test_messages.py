"""Tolerant readers over every printed example, and strict writers: each row is a rule of the document."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.fintech_primitives import messages as m
from portal.gateway import errors
from portal.gateway.client import parse_json
from portal.gateway.transport import Request, Response
from portal.gateway.wire import read_as

SAMPLES = json.loads((Path(__file__).parent.parent / "samples" / "fp.json").read_text())["samples"]
BY_ID = {sample["id"]: sample for sample in SAMPLES}
ASKED = Request("GET", "/x")
# Which message reads an example; by endpoint, where several examples have one.
READERS: dict[str, type[m.Message]] = {
    "login": m.Login, "investors": m.InvestorPage, "investors-search": m.InvestorPage, "investor": m.Investor,
    "investor-create": m.Investor, "investor-update": m.Investor, "account-create": m.InvestmentAccount,
    "accounts": m.InvestmentAccounts, "holdings": m.Holdings, "holding-report": m.Holdings,
    "account-orders": m.OrderPage, "orders": m.OrderPage, "account-orders-history": m.OrderPage,
    "purchases": m.OrderPage, "sells": m.OrderPage, "switches": m.OrderPage, "order": m.Order, "sip-skip": m.Order,
    "purchase-netbanking": m.PlacedOrders, "purchase-nach": m.PlacedOrders, "sell": m.PlacedOrders,
    "sell-instant": m.PlacedOrders, "sip-create": m.PlacedOrders, "redemption-summary": m.RedemptionSummary,
    "instant-summary": m.RedemptionSummary, "instant-order": m.InstantOrderDone, "sips": m.SipPage, "sip": m.Sip,
    "sip-deactivate": m.Sip, "sip-update": m.Done, "transactions": m.Transactions, "transaction-object": m.Transaction,
    "file-operation": m.FileOperation, "file-operation-create": m.FileOperation, "simulate-order": m.Done,
    "pincodes": m.PincodePage, "pincode": m.Pincode, "states": m.States, "countries": m.Countries,
    "ifsc-codes": m.IfscPage, "ifsc-code": m.Ifsc, "scheme": m.Scheme, "schemes": m.SchemePage, "amcs": m.Amcs,
    "metadata": m.Metadata, "mandate-nach": m.Created, "mandate-e": m.Created, "mandate": m.Mandate,
    "mandates": m.MandatePage, "mandate-authorise": m.StartedPayment, "payment-netbanking": m.StartedPayment,
    "payment": m.Payment, "payments": m.PaymentPage, "kyc-check": m.KycCheck, "kyc-check-fetch": m.KycCheck,
    "kyc-check-refetch": m.KycCheck, "kyc-request": m.KycRequest, "kyc-request-create": m.KycRequest,
    "kyc-request-update": m.KycRequest, "kyc-request-simulate": m.KycRequest, "kyc-requests": m.KycRequests,
    "file-create": m.File, "file": m.File, "files": m.Files,
}  # fmt: skip


def read(name: str, body: Any) -> m.Message:
    """As the client reads it: from bytes, with Decimal numbers. Raises Garbled."""
    parsed = parse_json("fp", ASKED, Response(200, {}, json.dumps(body).encode()))
    return read_as(READERS[name], "fp", ASKED, parsed)


def words_of(message: Any) -> Iterator[m.Word]:
    """Every enum word in a message."""
    if isinstance(message, m.Word):
        yield message
    elif isinstance(message, m.Message):
        for name in type(message).model_fields:
            yield from words_of(getattr(message, name))
    elif isinstance(message, list | dict):
        for each in message.values() if isinstance(message, dict) else message:
            yield from words_of(each)


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
def test_every_printed_answer_is_read_and_each_of_its_words_is_known(name: str):
    message = read(name, BY_ID[name]["response"]["body"])
    assert [word for word in words_of(message) if word.name == "UNKNOWN"] == []


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value in a body, the objects and lists as well."""
    if path:
        yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(each, (*path, key))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    body = copy.deepcopy(body)
    target = body
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return body


HOSTILE = (
    None, True, "", " ", "null", "yes", 7, -1, 1.5, 10**40, "1e999999", "NaN", "9" * 400, "\ud800", "\x00", [], {},
    [None], "2026-13-45", "2026-02-30T25:00:00Z", "0001-01-01T00:00:00+05:30",
)  # fmt: skip


def shortened(body: Any) -> Any:
    """The same with one item in each list: the others are read by the same reader."""
    if isinstance(body, dict):
        return {key: shortened(each) for key, each in body.items()}
    return [shortened(each) for each in body[:1]] if isinstance(body, list) else body


@pytest.mark.parametrize("name", {reader: name for name, reader in READERS.items()}.values())
def test_a_hostile_value_anywhere_is_read_or_garbled_and_nothing_else(name: str):
    """Whatever comes, no other error than Garbled leaves the reader."""
    body = shortened(BY_ID[name]["response"]["body"])
    for path in leaves(body):
        for value in HOSTILE:
            with suppress(errors.Garbled):
                read(name, changed(body, path, value))


@pytest.mark.parametrize(
    ("name", "field", "good"),
    [
        ("order", "status", {m.OrderStatus.SUCCESSFUL}),
        ("payment", "status", {m.PaymentStatus.SUCCESS, m.PaymentStatus.APPROVED}),
        ("mandate", "mandate_status", {m.MandateStatus.APPROVED}),
        ("kyc-check", "status", {True}),
        ("kyc-request", "status", {m.KycStatus.SUCCESSFUL}),
        ("file-operation", "status", {m.FileOperationStatus.PROCESSED}),
    ],
)
def test_nothing_but_the_word_is_success(name: str, field: str, good: set[Any]):
    for value in (*HOSTILE, "SUCCESS!", "UNSUCCESSFUL", "not approved", "succes", "on", 1):
        if value is True and name == "kyc-check":
            continue
        try:
            message = read(name, changed(BY_ID[name]["response"]["body"], (field,), value))
        except errors.Garbled:
            continue
        assert getattr(message, field) not in good, value


def test_numbers_may_come_as_text_and_noise_of_floating_point_is_dropped():
    body = BY_ID["order"]["response"]["body"] | {
        "amount": "500",
        "reverse_units": "9.6870000000000003",
        "price": " 1.5 ",
    }
    order = read("order", body)
    assert (order.amount, order.reverse_units, order.price) == (500, Decimal("9.687"), Decimal("1.5"))


@pytest.mark.parametrize("value", [True, "1e15", -(10**15), "Infinity", "NaN", "", []])
def test_what_is_no_amount_is_garbled(value: Any):
    with pytest.raises(errors.Garbled):
        read("order", BY_ID["order"]["response"]["body"] | {"amount": value})


def test_null_means_absent_also_for_lists():
    assert read("holdings", {"id": 12, "folios": None}).folios == []
    assert read("transaction-object", BY_ID["transaction-object"]["response"]["body"] | {"sources": None}).sources == []
    assert read("order", BY_ID["sells"]["response"]["body"]["amc_orders"][0]).redemption_bank_account_number is None


@pytest.mark.parametrize(
    ("said", "is_last"),
    [
        ({"last": True}, True),
        ({"last": False}, False),
        ({"last": "true"}, True),
        ({"number": 0, "total_pages": 1}, True),
        ({"number": 0, "total_pages": 2}, False),
        ({}, False),
    ],
)
def test_a_page_that_does_not_say_so_is_not_the_last(said: dict[str, Any], is_last: bool):
    """A list cut short would make orders vanish."""
    assert read("orders", {"amc_orders": []} | said).is_last is is_last


def test_printing_a_message_shows_nothing_personal():
    investor, wish = read("investor", BY_ID["investor"]["response"]["body"]), m.NewInvestor.model_validate(INVESTOR)
    for secret in ("AFZPN3001P", "00000001214415", "00000001234455", "9008580644", "mfp@cybrilla.com", "tony"):
        assert secret not in f"{investor!r} {wish!r} {wish}"


# --- writing ------------------------------------------------------------------------------------------------------

INVESTOR = BY_ID["investor-create"]["request"]["body"]
LINE = {"isin": "INF204KA1B64", "amount": 10_000, "source_ref_id": "0876789"}
SELL = {"isin": "INF204KA1B64", "folio_number": "45323/45", "source_ref_id": "1"}
SIP = LINE | {"start_day": "2", "installments": 20, "mandate_id": "23"}
NACH = BY_ID["mandate-nach"]["request"]["body"]
E_MANDATE = BY_ID["mandate-e"]["request"]["body"]
PAYMENT = {"amc_order_ids": ["1", "2"]}
KYC = BY_ID["kyc-request-create"]["repaired"] | {"spouse_name": None}
DAYS = {"folios": ["1"], "since": "2024-02-29"}
ADDRESS = KYC["correspondence_address"]


def with_(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy with values at dotted places (`__` for the dot); None takes the key out."""
    body = copy.deepcopy(body)
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        target: Any = body
        for step in path:
            target = target[int(step)] if step.isdigit() else target[step]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (m.NewInvestor, INVESTOR),
        (m.NewInvestor, with_(INVESTOR, nomination={"skip_nomination": True})),
        (m.NewKycCheck, {"pan": "ASHCR3751C"}),
        (m.NewPurchase, LINE),
        (m.NewSell, SELL | {"type": "amount", "amount": 1_000}),
        (m.NewSell, SELL | {"type": "units", "units": Decimal("15.125")}),
        (m.NewSell, SELL | {"redeem_all": True}),
        (m.NewSip, SIP),
        (m.NewNachMandate, NACH),
        (m.NewEMandate, E_MANDATE),
        (m.NewEMandate, E_MANDATE | {"provider_name": "BSE", "valid_to": "2040-01-01"}),
        (m.NewPayment, PAYMENT),
        (m.NewKycRequest, KYC),
        (m.TransactionQuery, DAYS | {"until": "2025-02-28"}),
        (m.PaymentQuery, {"since": "2026-01-01", "until": "2026-01-01"}),
        (m.ReportQuery, {"folios": ["1", "2"]}),
    ],
)
def test_what_the_document_allows_is_written(kind: type[m.Ask], body: dict[str, Any]):
    assert kind.model_validate(body).body()


@pytest.mark.parametrize(
    ("kind", "body", "complaint"),
    [
        (m.NewInvestor, with_(INVESTOR, bank_accounts=[]), "bank_accounts"),
        (m.NewInvestor, with_(INVESTOR, bank_accounts=INVESTOR["bank_accounts"] * 2), "only one can be primary"),
        (m.NewInvestor, with_(INVESTOR, bank_accounts__0__ifsc_code="122000004"), "ifsc_code"),
        (m.NewInvestor, with_(INVESTOR, bank_accounts__0__type="CREDIT"), "type"),
        (m.NewInvestor, with_(INVESTOR, perm_addr_is_corres_addr=False), "permanent_address"),
        (m.NewInvestor, with_(INVESTOR, contact_detail__email="nobody"), "email"),
        (m.NewInvestor, with_(INVESTOR, fatca_detail__gross_annual_income=0), "gross_annual_income"),
        (m.NewInvestor, with_(INVESTOR, fatca_detail__no_other_tax_residences=False), "first_trc_ansi_code"),
        (m.NewInvestor, with_(INVESTOR, fatca_detail__first_trc_ansi_code="US"), "first_trc_taxid_type"),
        (m.NewInvestor, with_(INVESTOR, nomination__nominee1=None), "nominee1"),
        (m.NewInvestor, with_(INVESTOR, nomination__nominee1__allocation_percentage=60), "nominee2"),
        (m.NewInvestor, with_(INVESTOR, nomination__nominee1__date_of_birth="2025-01-01"), "guardian_name"),
        (m.NewInvestor, with_(INVESTOR, kyc_identity_detail__pan_number="K1PPG1998U"), "pan_number"),
        (m.NewInvestor, with_(INVESTOR, kyc_identity_detail__pan_number=None), "pan_number"),
        (m.NewInvestor, with_(INVESTOR, kyc_identity_detail__gender="unknown"), "gender"),
        (m.NewInvestor, with_(INVESTOR, kyc_identity_detail__date_of_birth="2020-01-01"), "guardian_pan_number"),
        (
            m.NewInvestor,
            with_(INVESTOR, kyc_identity_detail__residential_status="non_resident_individual"),
            "overseas_address",
        ),
        (m.NewInvestor, with_(INVESTOR, correspondence_address__pincode=None), "zipcode"),
        (m.NewInvestor, with_(INVESTOR, correspondence_address__zipcode="10001"), "city"),
        (m.NewInvestor, INVESTOR | {"favourite_colour": "blue"}, "favourite_colour"),
        (m.NewPurchase, with_(LINE, source_ref_id=None), "source_ref_id"),
        (m.NewPurchase, LINE | {"amount": "10000.50"}, "whole rupees"),
        (m.NewPurchase, LINE | {"isin": "INF10123VF4"}, "isin"),
        (m.NewPurchases, {"bank_account_id": "1", "orders": [LINE, LINE]}, "the same twice"),
        (m.NewPurchases, {"bank_account_id": "1", "orders": []}, "orders"),
        (m.NewNachPurchases, {"mandate_id": "1", "orders": [LINE, LINE]}, "the same twice"),
        (m.NewSell, SELL, "exactly one"),
        (m.NewSell, SELL | {"type": "amount", "units": 5}, "exactly one"),
        (m.NewSell, SELL | {"type": "units", "units": 5, "redeem_all": True}, "exactly one"),
        (m.NewSell, SELL | {"redeem_all": False}, "redeem_all"),
        (m.NewSell, SELL | {"type": "units", "units": "0.0001"}, "units"),
        (m.NewSip, SIP | {"frequency": "WEEKLY"}, "frequency"),
        (m.NewSip, SIP | {"installments": 1_201}, "installments"),
        (m.NewSip, SIP | {"start_day": "32"}, "start_day"),
        (m.NewNachMandate, NACH | {"mandate_limit": 10_000_001}, "mandate_limit"),
        (m.NewNachMandate, NACH | {"mandate_type": "E_MANDATE"}, "mandate_type"),
        (m.NewEMandate, E_MANDATE | {"valid_to": "2040-01-01"}, "only with BSE"),
        (m.NewPayment, {"amc_order_ids": ["1", "1"]}, "same order twice"),
        (m.NewPayment, {"amc_order_ids": []}, "amc_order_ids"),
        (m.NewPayment, PAYMENT | {"method": "CASH"}, "method"),
        (m.NewPayment, PAYMENT | {"payment_postback_url": "javascript:alert(1)"}, "payment_postback_url"),
        (m.NewBsePayment, {"order_ids": ["1"]}, "postback_url"),
        (m.PaymentQuery, {"until": "2026-01-01"}, "only with from"),
        (m.PaymentQuery, {"size": 101}, "size"),
        (m.PaymentQuery, {"payment_status": ["TIMEDOUT"]}, "payment_status"),
        (m.OrderQuery, {"state": []}, "state"),
        (m.OrderQuery, {"state": ["successful"], "type": ["switch"]}, "type"),
        (m.OrderQuery, {"state": ["successful"], "sort": "amount"}, "sort"),
        (m.TransactionQuery, {"folios": []}, "folios"),
        (m.TransactionQuery, DAYS | {"until": "2025-03-01"}, "a year at most"),
        (m.TransactionQuery, DAYS | {"until": "2024-02-28"}, "a year at most"),
        (m.ReportQuery, {}, "either investment_account_id or folios"),
        (m.NewKycCheck, {"pan": "bnbpp9384m"}, "pan"),
        (m.NewKycRequest, with_(KYC, father_name=None), "father_name"),
        (m.NewKycRequest, KYC | {"pan": "K1PPG1998U"}, "pan"),
        (m.NewKycRequest, KYC | {"pan": "KQFCG1998U"}, "pan"),
        (m.NewKycRequest, KYC | {"aadhaar_number": "123412341210"}, "aadhaar_number"),
        (m.NewKycRequest, with_(KYC, correspondence_address__proof_expiry_date="2020-10-20"), "proof_expiry_date"),
        (m.NewKycRequest, with_(KYC, correspondence_address__proof_back=None), "proof_back"),
        (m.KycRequestChange, {"permanent_address_is_same_as_correspondence": False}, "permanent_address"),
        (m.KycRequestChange, {"pan": "K1PPG1998U"}, "pan"),
        (m.KycRequestChange, {"email": "nobody"}, "email"),
        (m.OrderWish, {"status": "CANCELLED"}, "status"),
        (m.MandateWish, {"status": "CANCELLED"}, "status"),
        (m.KycWish, {"status": "pending"}, "status"),
        (m.Upload, {"filename": "../x\r\n", "content_type": "text/csv", "content": b"1"}, "filename"),
        (m.Upload, {"filename": "x", "content_type": "text/csv", "content": b""}, "content"),
    ],
)
def test_what_the_document_forbids_is_never_sent(kind: type[m.Ask], body: dict[str, Any], complaint: str):
    with pytest.raises(ValueError, match=complaint) as refusal:
        kind.model_validate(body)
    assert "AFZPN3001P" not in str(refusal.value), "what was typed ends in no log"


def test_days_travel_as_the_document_writes_them():
    query = m.TransactionQuery(folios=["1", "2"], types=["PURCHASE"], since=date(2026, 4, 1), until="2027-03-31")
    assert query.params() == {"folios": "1,2", "types": "purchase", "from": "2026-04-01", "to": "2027-03-31"}


def test_the_bse_payment_says_the_address_under_both_documented_names():
    body = m.NewBsePayment(order_ids=["1"], postback_url="https://portal.example/back").body()
    assert body == {
        "order_ids": [1],
        "postback_url": "https://portal.example/back",
        "payment_postback_url": "https://portal.example/back",
    }
