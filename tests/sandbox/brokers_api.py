"""A partner of smallcase and a publisher of ODIN, as callers of the sandbox; signatures are written out here again."""

from __future__ import annotations

import base64
import copy
import hmac
import http.server
import json
import re
import threading
import urllib.parse
from typing import Any

from tests.sandbox.api import Answer, Caller, hidden_fields, wait_for

TCS_AND_ITC = [{"ticker": "TCS", "quantity": 5, "type": "BUY"}, {"ticker": "ITC", "quantity": 2, "type": "SELL"}]
# The document's own line (`orgQTY`, `ordGTD1`).
LINE: dict[str, Any] = {
    "ordPrice": 0, "ordGTD1": 1, "prodType": "DELIVERY", "orderSide": "BUY", "sLTriggerPrice": 0, "buyOrSell": "1",
    "sLOrderPrice": 0, "orgQTY": 500, "mktSegId": 1, "days": "0", "scripTkn": 12716, "trigPrice": 0, "validity": 1,
    "ordType": "RL-MKT", "discQty": 50,
}  # fmt: skip
ITC, TCS = 1660, 11536
CALLBACK = "http://127.0.0.1:9/callback/"
FAULTS = (
    "reset", "close_half_way", "hang", "html_200", "empty_200", "truncated", "wrong_types", "status:400", "status:401",
    "status:429", "status:500", "status:503", "timed_out_400", "redirect", "slow", "invisible:30",
)  # fmt: skip


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwt(claims: dict[str, Any], secret: str = "sandbox-secret", alg: str = "HS256") -> str:
    text = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": alg, "typ": "JWT"}, claims))
    return f"{text}.{_b64(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


class Gateway:
    """A partner's server, for a guest unless `user` says whose token it sends."""

    def __init__(self, caller: Caller, user: str = "") -> None:
        self.caller = caller
        self.token = jwt({"smallcaseAuthId": user} if user else {"guest": True})

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"x-gateway-secret": "sandbox-api-secret", "x-gateway-authtoken": self.token} | headers
        data = None if body is None else json.dumps(body).encode()
        return self.caller.raw(method, f"/smallcase{path}", data, sent | {"Content-Type": "application/json"})

    def create(self, securities: Any = None, **more: Any) -> Answer:
        config = {"type": "SECURITIES", "securities": TCS_AND_ITC if securities is None else securities}
        return self.call(
            "POST", "/gateway/gatewaydemo/transaction", {"intent": "TRANSACTION", "orderConfig": config} | more
        )

    def new(self, securities: Any = None, **more: Any) -> str:
        answer = self.create(securities, **more)
        assert answer.status == 200, answer.body
        return str(answer.json["data"]["transactionId"])

    def finish(self, key: str, outcome: str, **more: Any) -> dict[str, Any]:
        wish = {"transactionId": key, "outcome": outcome, **more}
        return dict(self.caller.control("POST", "/smallcase/complete", wish))

    def read(self, what: str, key: str) -> Answer:
        return self.call("GET", f"/v1/gatewaydemo/engine/{what}?transactionId={key}")

    def details(self, key: str) -> dict[str, Any]:
        return dict(self.read("transactiondetails", key).json["data"])

    def batch(self, key: str) -> Any:
        return self.read("orders/sst", key).json["data"]

    def holdings(self) -> Answer:
        return self.call("GET", "/v1/gatewaydemo/engine/user/holdings?version=v2")


class Dialog:
    """The pages inside the SDK's dialog, by their forms alone."""

    def __init__(self, partner: Gateway, key: str, *, amo: bool = True, brokers: str = "", **more: str) -> None:
        self.caller = partner.caller
        fields = {
            "gateway": "gatewaydemo", "token": partner.token, "transactionId": key, "amo": str(amo).lower(),
            "brokers": brokers, "origin": "http://shop.test",
        }  # fmt: skip
        self.page = self.caller.form("/smallcase/sdk/start", **(fields | more))

    def press(self, step: str, **fields: str) -> Answer:
        """Sends the form of this page that leads to `step`."""
        form = next(part for part in self.page.text.split("<form")[1:] if f'action="/smallcase/sdk/{step}"' in part)
        answer = self.caller.form(f"/smallcase/sdk/{step}", **hidden_fields(form), **fields)
        if answer.status == 303:
            answer = self.caller.raw("GET", answer.headers["Location"])
        self.page = answer
        return answer

    def outcome(self) -> tuple[str, dict[str, Any]]:
        """`resolve` or `reject`, and what is handed to the site."""
        found = re.search(r'data-kind="(\w+)" data-value="([^"]*)"', self.page.text)
        assert found, self.page.text
        return found[1], json.loads(found[2].replace("&quot;", '"'))

    def through(self, user: str = "AB1234") -> Dialog:
        """To the confirmation, with a broker chosen and logged in."""
        self.press("broker", broker="kite")
        self.press("login", user=user)
        return self


class Publisher:
    """A publisher's server at ODIN."""

    def __init__(self, caller: Caller, session: str = "XYZ", client: str = "connector") -> None:
        self.caller, self.session, self.client = caller, session, client

    def button(self, reco: str = "01F5h9", *lines: dict[str, Any], **more: Any) -> Answer:
        """`lines` are changes to the document's line."""
        basket = [LINE | line for line in lines] or [copy.deepcopy(LINE)]
        body = {"sessionId": self.session, "sRecoId": reco, "sClientCode": self.client, "basketData": basket} | more
        headers = {"Content-Type": "application/json"}
        path = "/odin/productmgmtservice/apiButtonRequest"
        return self.caller.raw("POST", path, json.dumps(body).encode(), headers)

    def url(self, reco: str, *lines: dict[str, Any]) -> str:
        answer = self.button(reco, *lines)
        assert answer.status == 200, answer.body
        parts = urllib.parse.urlsplit(answer.json["data"])
        return f"{parts.path}?{parts.query}"

    def finish(self, reco: str, outcome: str) -> dict[str, Any]:
        return dict(self.caller.control("POST", "/odin/complete", {"sRecoId": reco, "outcome": outcome}))

    def executed(self, outcome: str, *lines: dict[str, Any], reco: str = "R00001") -> dict[str, Any]:
        self.url(reco, *lines)
        return self.finish(reco, outcome)

    def orders(self, reco: str = "R00001") -> list[dict[str, Any]]:
        return list(self.caller.control("GET", f"/ledger/odin?ref={reco}")["orders"][0]["orders"])

    def sync(self, after: int = 0, token: str = "sandbox-omex-token") -> Answer:
        body = {"jMessageType": "SYNC_ORDER_REQ", "jToken": token, "jEntrySequenceNumber": after}
        headers = {"Content-Type": "application/json"}
        return self.caller.raw("POST", "/odin/omexorderandtraderesponse/sync", json.dumps(body).encode(), headers)

    def page(self, path: str, **fields: str) -> Answer:
        """A page, or the form on it that leads to `path`, after `load`ing it."""
        return self.caller.form(path, **fields) if fields else self.caller.raw("GET", path)


def press(caller: Caller, page: Answer, step: str, **fields: str) -> Answer:
    """Sends the form of the page that leads to `step`."""
    form = next(part for part in page.text.split("<form")[1:] if f'action="/odin/landing/{step}"' in part)
    return caller.form(f"/odin/landing/{step}", **hidden_fields(form), **fields)


def carried(answer: Answer) -> dict[str, str]:
    """What a redirect to the publisher carries."""
    assert answer.status == 303, answer.text
    url = urllib.parse.urlsplit(answer.headers["Location"])
    assert answer.headers["Location"].startswith(CALLBACK)
    return dict(urllib.parse.parse_qsl(url.query))


class Ear(http.server.BaseHTTPRequestHandler):
    server: Portal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(body)))
        status, said = self.server.answers.get(self.path, (self.server.status, self.server.answer))
        answer = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""


class Portal(http.server.ThreadingHTTPServer):
    """Stands where the portal stands: hears what the providers send, and answers as it is told.

    `answers` holds the status and the answer (bytes as they are) of single paths.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Ear)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.status, self.answer = 200, {"success": True}
        self.answers: dict[str, tuple[int, Any]] = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def bodies(self, count: int) -> list[dict[str, Any]]:
        """The first `count` bodies, as soon as they are here."""
        wait_for(lambda: len(self.heard) >= count)
        return [body for _, body in self.heard[:count]]
