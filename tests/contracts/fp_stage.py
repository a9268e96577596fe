"""A living world for the examples of the FP document: what each needs before it can be replayed, and the live ids."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from portal.sandbox.world import World
from tests.sandbox.api import BOND, LIQUID, Answer, Caller, Shop

FILE = Path(__file__).parent.parent / "samples" / "fp.json"
SAMPLES: list[dict[str, Any]] = json.loads(FILE.read_text())["samples"]
BY_ID = {sample["id"]: sample for sample in SAMPLES}
Json = dict[str, Any]


class Stage:
    """A world in which the printed calls make sense; everything in it is made when it is first asked for."""

    def __init__(self, caller: Caller, world: World) -> None:
        self.caller, self.world = caller, world
        self.shop = Shop(self.caller)
        self.base = self.shop.base

    def post(self, path: str, body: Any) -> Any:
        answer = self.caller.fp("POST", path, body)
        assert answer.status in (200, 201), answer.body
        return answer.json

    @property
    def investor_id(self) -> int:
        return int(self.shop.investor["id"])

    @property
    def investment_account_id(self) -> int:
        return int(self.shop.account)

    @property
    def bank(self) -> int:
        return int(self.shop.bank)

    @cached_property
    def amc_order_id(self) -> int:
        """A purchase that is through."""
        return self.shop.paid(20_000)

    @cached_property
    def folio(self) -> str:
        return str(self.shop.read(self.amc_order_id)["folio_number"])

    @cached_property
    def liquid_folio(self) -> str:
        return str(self.shop.read(self.shop.paid(9_000, LIQUID))["folio_number"])

    @cached_property
    def redemption(self) -> int:
        """A redemption of all, whose units come of two purchases."""
        self.shop.paid(5_000, folio_number=self.folio)
        line = {"isin": BOND, "folio_number": self.folio, "redeem_all": True, "source_ref_id": "sold"}
        key = int(self.post(f"{self.base}/orders/sell", {"orders": [line]})["orders"][0]["id"])
        self.shop.settle()
        return key

    def mandate(self, *states: str, **more: Any) -> int:
        wish = {"mandate_type": "NACH", "bank_account_id": self.bank, "mandate_limit": 100_000, **more}
        key = int(self.post("/api/pg/mandates", wish)["id"])
        for state in states:
            self.caller.control("POST", f"/fp/mandates/{key}", {"status": state})
        return key

    @cached_property
    def mandate_id(self) -> int:
        return self.mandate("SUBMITTED", "APPROVED")

    @property
    def mandateId(self) -> int:
        """The document's other spelling."""
        return self.mandate_id

    @cached_property
    def sip_id(self) -> int:
        wish = copy.deepcopy(BY_ID["sip-create"]["request"]["body"])
        wish["orders"][0]["mandate_id"] = self.mandate_id
        return int(self.post(f"{self.base}/orders/sips", wish)["orders"][0]["id"])

    @cached_property
    def switch(self) -> int:
        """No documented call makes a switch, only a list shows them: this one is written into the world."""
        self.world.run("UPDATE fp_orders SET kind = 'switch', type = 'SWITCH' WHERE id = ?", self.amc_order_id)
        return self.amc_order_id

    @cached_property
    def payment_id(self) -> int:
        return int(self.shop.pay(self.shop.buy(5_005))["id"])

    @cached_property
    def file(self) -> str:
        return str(upload(self.caller, "feed.csv", "text/csv").json["id"])

    @cached_property
    def kyc_check(self) -> str:
        return str(self.post("/api/kyc/check", {"pan": "BNBPP9384M"})["id"])

    def kyc_request(self, **more: Any) -> str:
        return str(self.post("/kyc_requests", BY_ID["kyc-request-create"]["repaired"] | more)["id"])


def upload(caller: Caller, filename: str, content_type: str, content: bytes = b"\xff\xd8 as if") -> Answer:
    boundary = uuid.uuid4().hex
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    caller.token = caller.token or caller.login().json["token"]
    headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    return caller.raw("POST", "/fp/files", body, headers)


# --- what a sample needs before it can be replayed, and the live ids in its path -------------------------------------


def _paid_orders(stage: Stage) -> Json:
    return {"amc_order_id": stage.amc_order_id}


def _skipped(stage: Stage) -> Json:
    stage.post(f"/api/oms/simulate/sips/{stage.sip_id}/generate_next_installment", None)
    return {}


def _sold(stage: Stage) -> Json:
    return {"amc_order_id": stage.redemption}


def _confirmed(stage: Stage) -> Json:
    key = stage.shop.buy(5_005)
    stage.post(f"/api/oms/simulate/orders/{key}", {"status": "PAYMENT_CONFIRMED"})
    return {"amc_order_id": key}


def _one_sip(stage: Stage) -> Json:
    return {"sip_id": stage.sip_id}


def _fetched_file_operation(stage: Stage) -> Json:
    wish = {"type": "transaction_processing", "file": stage.file}
    key = stage.post("/file_operations", wish)["id"]
    stage.shop.settle(1)
    return {"id": key}


# A file that the document's examples name.
VIDEO = "76e18d5f-e84a-478d-a836-4971f38d3814"


def _rejected_request(stage: Stage) -> Json:
    key = stage.kyc_request(ipv_video=VIDEO)
    stage.post(f"/kyc_requests/{key}/simulate", {"status": "rejected"})
    return {"id": key}


def _requests(stage: Stage) -> Json:
    stage.kyc_request()
    return _rejected_request(stage)


def _two_payments(stage: Stage) -> Json:
    line = {"isin": BOND, "amount": 5_000, "source_ref_id": "nach"}
    stage.post(f"{stage.base}/orders/purchase/nach", {"mandate_id": stage.mandate_id, "orders": [line]})
    return {"payment_id": stage.payment_id}


PREPARE: dict[str, Callable[[Stage], Json]] = {
    "holdings": _paid_orders, "account-orders": _paid_orders, "account-orders-history": _paid_orders,
    "orders": _paid_orders, "purchases": _paid_orders, "holding-report": _paid_orders,
    "order": _sold, "sells": _sold, "transactions": _sold, "transaction-object": _sold,
    "switches": lambda stage: {"amc_order_id": stage.switch}, "sips": _one_sip,
    "sip-instalments": _skipped, "simulate-order": _confirmed,
    "simulate-mandate": lambda stage: {"mandate_id": stage.mandate()},
    "mandates": lambda stage: {"mandate_id": stage.mandate_id},
    "payments": _two_payments,
    "file-operation": _fetched_file_operation, "file-operation-object": _fetched_file_operation,
    "kyc-check-fetch": lambda stage: {"id": stage.kyc_check},
    "kyc-check-refetch": lambda stage: {"id": stage.kyc_check},
    "kyc-request": _rejected_request, "kyc-requests": _requests,
    "kyc-request-update": lambda stage: {"id": stage.kyc_request()},
    "kyc-request-patch": lambda stage: {"id": stage.kyc_request()},
    "kyc-request-simulate": lambda stage: {"id": stage.kyc_request(ipv_video=VIDEO)},
    "file": lambda stage: {"id": stage.file}, "files": lambda stage: {"id": stage.file},
    "pincode": lambda _: {"pincode": "560102"}, "ifsc-code": lambda _: {"ifsc_code": "ICIC0000611"},
    "scheme": lambda _: {"isin": "INF760K01DF2"},
}  # fmt: skip
QUERIES: dict[str, Callable[[Stage], Json]] = {
    "investors-search": lambda stage: {"query": "mfp@example.com", "bank_account_ids": f"{stage.bank},22"},
    "accounts": lambda stage: {"investor_id": stage.investor_id},
    "redemption-summary": lambda stage: {"folio_number": stage.liquid_folio, "isin": LIQUID},
    "instant-summary": lambda stage: {"folio_number": stage.liquid_folio, "isin": LIQUID},
    "transactions": lambda stage: {"folios": stage.folio}, "transaction-object": lambda stage: {"folios": stage.folio},
    "holding-report": lambda stage: {"investment_account_id": stage.investment_account_id},
    "mandates": lambda stage: {"bank_account_id": f"{stage.bank},12"},
}  # fmt: skip


def _instant(stage: Stage) -> Json:
    bank = {"redemption_bank_account_number": "00000001234455", "redemption_bank_account_ifsc_code": "ICIC0000611"}
    return {"folio_number": stage.liquid_folio, "isin": LIQUID, **bank}


# The live ids that a printed body names: dotted path -> value.
BODIES: dict[str, Callable[[Stage], Json]] = {
    "investor-update": lambda stage: {"bank_accounts.0.id": stage.bank},
    "account-create": lambda stage: {"primary_investor_id": str(stage.investor_id)},
    "purchase-netbanking": lambda stage: {"bank_account_id": stage.bank},
    "purchase-nach": lambda stage: {"mandate_id": stage.mandate_id},
    "sell": lambda stage: {f"orders.{n}.{k}": v for n in range(3) for k, v in _held(stage).items()},
    "sell-instant": _instant, "instant-order": _instant,
    "sip-create": lambda stage: {"orders.0.mandate_id": stage.mandate_id},
    "sip-update": lambda stage: {"data.mandate_id": str(stage.mandate("SUBMITTED"))},
    "sip-update-as-curl": lambda stage: {"data.mandate_id": str(stage.mandate("SUBMITTED"))},
    "file-operation-create": lambda stage: {"file": stage.file},
    "mandate-nach": lambda stage: {"bank_account_id": stage.bank},
    "mandate-e": lambda stage: {"bank_account_id": stage.bank},
    "mandate-authorise": lambda stage: {"mandate_id": stage.mandate(mandate_type="E_MANDATE")},
    "payment-netbanking": lambda stage: {"amc_order_ids": [stage.shop.buy(), stage.shop.buy()]},
    "payment-bse": lambda stage: {"order_ids": [stage.shop.buy(), stage.shop.buy()]},
}  # fmt: skip
# Printed paths without an id of somebody's world are asked as they are printed.
AS_PRINTED = {"pincode", "ifsc-code", "ifsc-code-as-curl", "investor-create-slash"}


def _held(stage: Stage) -> Json:
    return {"folio_number": stage.folio, "isin": BOND}
