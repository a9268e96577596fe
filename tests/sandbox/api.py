"""A caller of the sandbox over real sockets, with nothing of the project in it but the sandbox itself."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import hashlib
import hmac
import http.client
import itertools
import json
import re
import time
import urllib.parse
from typing import Any

LIQUID, BOND = "INF204K01UN9", "INF204K01EF9"
CALLS = itertools.count(1)
INVESTOR: dict[str, Any] = {
    "display_name": "tony",
    "perm_addr_is_corres_addr": True,
    "ip_address": "192.168.29.100",
    "bank_accounts": [
        {
            "account_holder_name": "tony",
            "number": "00000001234455",
            "primary_account": True,
            "type": "SAVINGS",
            "ifsc_code": "ICIC0000611",
            "cancelled_cheque": "3867a9c6-8a7c-4605-a31d-98367e8972b4",
        }
    ],
    "contact_detail": {"email": "mfp@example.com", "isd_code": "91", "mobile": "9008580644"},
    "fatca_detail": {
        "country_of_birth_ansi_code": "IN",
        "no_other_tax_residences": True,
        "source_of_wealth": "business",
        "gross_annual_income": 100000,
    },
    "nomination": {
        "skip_nomination": False,
        "nominee1": {
            "allocation_percentage": 100,
            "date_of_birth": "1990-10-10",
            "name": "nandam",
            "relationship": "spouse",
        },
    },
    "kyc_identity_detail": {
        "pan_number": "AFZPN3001P",
        "country_of_citizenship_ansi_code": "IN",
        "date_of_birth": "1980-10-10",
        "father_or_spouse_name": "tonys wife",
        "kyc_relation": "spouse",
        "gender": "female",
        "marital_status": "single",
        "name": "tony Soprano ms",
        "occupation": "BUSINESS",
        "residential_status": "resident_individual",
        "pep_exposed": False,
        "pep_related": False,
        "signature": "beed6916-cec6-4f4f-bcc8-ed4d93b55660",
    },
    "correspondence_address": {"line1": "1082 harlur road", "pincode": "560102"},
}


def investor(**changes: Any) -> dict[str, Any]:
    """The document's example with changes by dotted name: `investor(**{"contact_detail.email": "x@y.z"})`."""
    body = copy.deepcopy(INVESTOR)
    for name, value in changes.items():
        *path, last = name.split(".")
        target = body
        for step in path:
            target = target[int(step)] if step.isdigit() else target[step]
        target[last] = value
    return body


def hmac_token(secret: str, tenant: str, stamp: str, *, base64_first: bool = False) -> str:
    """The login signature, written out here again so that one misreading does not confirm itself."""
    payload = f"POST\n{hashlib.md5().hexdigest()}\napplication/json\n{stamp}\n/api/auth/tenant/login".encode()
    message = base64.b64encode(payload) if base64_first else payload
    key = secret.encode()
    for text in (message, stamp[:8].encode(), tenant.encode(), b"mfprocybrilla"):
        key = base64.b64encode(hmac.digest(key, text, "sha256"))
    return key.decode()


class Answer:
    def __init__(self, status: int, body: bytes, headers: Any) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def fields(self) -> dict[str, str]:
        """Field errors of the documented envelope."""
        assert self.status == 400, self.body
        assert self.json["error"]["status"] == 400
        return {error["field"]: error["message"] for error in self.json["error"]["errors"]}


class Caller:
    """Speaks to the sandbox on one keep-alive connection, logging in by itself."""

    def __init__(self, url: str, tenant: str = "sandbox") -> None:
        self.url, self.tenant, self.token = url, tenant, ""
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)

    def raw(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        try:
            self.connection.request(method, path, body, headers or {})
            response = self.connection.getresponse()
            return Answer(response.status, response.read(), response.headers)
        except BaseException:
            self.connection.close()
            raise

    def login(self, **how: Any) -> Answer:
        stamp = how.get("stamp") or dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        token = hmac_token(how.get("secret", f"{self.tenant}-secret"), self.tenant, stamp, **how.get("form", {}))
        headers = {"Authorization": f"{how.get('principal', self.tenant)}:{token}", "MFProDate": stamp}
        return self.raw("POST", "/fp/api/auth/tenant/login", b"", headers | {"Content-Type": "application/json"})

    def fp(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if not self.token:
            self.token = self.login().json["token"]
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        return self.raw(method, f"/fp{path}", data, sent)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = self.raw(method, f"/_control{path}", data, {"Content-Type": "application/json"})
        assert answer.status < 300, answer.body
        return answer.json

    def form(self, path: str, **fields: Any) -> Answer:
        body = urllib.parse.urlencode(fields).encode()
        return self.raw("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


class Shop:
    """An investor with an account, and the steps of a purchase."""

    def __init__(self, caller: Caller, **changes: Any) -> None:
        self.caller = caller
        answer = caller.fp("POST", "/api/onb/investors", investor(**changes))
        assert answer.status == 200, answer.body
        self.investor = answer.json
        self.bank = self.investor["bank_accounts"][0]["id"]
        wish = {"primary_investor_id": str(self.investor["id"])}
        self.account = caller.fp("POST", "/api/oms/investment_accounts", wish).json["investment_account_id"]
        self.base = f"/api/oms/investment_accounts/{self.account}"

    def order(self, amount: Any = 5000, isin: str = BOND, **more: Any) -> Answer:
        line = {"isin": isin, "amount": amount, "source_ref_id": f"ref-{next(CALLS)}", **more}
        body = {"bank_account_id": self.bank, "orders": [line]}
        return self.caller.fp("POST", f"{self.base}/orders/purchase/netbanking", body)

    def buy(self, amount: Any = 5000, isin: str = BOND, **more: Any) -> int:
        answer = self.order(amount, isin, **more)
        assert answer.status == 200, answer.body
        return int(answer.json["orders"][0]["id"])

    def pay(self, *orders: int, **more: Any) -> dict[str, Any]:
        answer = self.caller.fp("POST", "/api/pg/payments/netbanking", {"amc_order_ids": list(orders), **more})
        assert answer.status == 200, answer.body
        return dict(answer.json)

    def paid(self, amount: Any = 5000, isin: str = BOND, **more: Any) -> int:
        """Buys, pays, and waits until the order is through."""
        key = self.buy(amount, isin, **more)
        self.caller.control("POST", f"/fp/payments/{self.pay(key)['id']}", {"outcome": "success"})
        self.settle()
        return key

    def settle(self, steps: int = 3) -> None:
        """Lets the world do its next steps at once instead of waiting for them."""
        for _ in range(steps):
            self.caller.control("POST", "/clock", {"advance": "PT5S"})

    def read(self, order: int) -> dict[str, Any]:
        return dict(self.caller.fp("GET", f"{self.base}/orders/{order}").json)

    def payment(self, key: int) -> dict[str, Any]:
        return dict(self.caller.fp("GET", f"/api/pg/payments/{key}").json)

    def holdings(self) -> list[dict[str, Any]]:
        return list(self.caller.fp("GET", f"{self.base}/holdings").json["folios"])


def hidden_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def wait_for(check: Any, seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")
