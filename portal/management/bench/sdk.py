"""5paisa's own SDK, pointed at the sandbox. It is a developer's dependency: where it is missing, nothing is here."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import logging
from functools import partial
from types import SimpleNamespace
from typing import Any

from portal.management.bench.played import Played

REAL_BASE = "https://Openapi.5paisa.com/VendorsAPI/Service1.svc/"
CREDENTIALS = {
    "APP_NAME": "sandbox", "APP_SOURCE": "1", "USER_ID": "sandbox-user", "PASSWORD": "unused",
    "USER_KEY": "sandbox-app-key", "ENCRYPTION_KEY": "sandbox-encry-key",
}  # fmt: skip
# A machine that stands still for five seconds is slow, not an error.
PATIENCE_S = 60
CHEAP = 14366  # IDEA
_numbers = itertools.count(1)


class Sdk:
    """The calls of the SDK that stand beside ours. Each raises RuntimeError when the SDK was refused."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def margin(self) -> Any:
        """What may be spent."""
        return _heard(self._client.margin())

    def holdings(self) -> Any:
        """The shares in the demat account."""
        return _heard(self._client.holdings())

    def status(self) -> Any:
        """The state of one order."""
        return _heard(self._client.fetch_order_status([{"Exch": "N", "RemoteOrderID": "b00000001"}]))

    def place(self) -> Any:
        """One share at the market."""
        scrip = {"Exchange": "N", "ExchangeType": "C", "ScripCode": CHEAP}
        wish = {"OrderType": "B", **scrip, "Qty": 1, "Price": 0, "IsIntraday": False}
        return _heard(self._client.place_order(**wish, RemoteOrderID=f"sdk{next(_numbers)}"))


def is_there() -> bool:
    """Is the SDK installed?"""
    return importlib.util.find_spec("py5paisa") is not None


def signed_in(played: Played) -> Sdk | None:
    """The SDK with a session at the sandbox; None where it is not installed."""
    if not is_there():
        return None
    module: Any = importlib.import_module("py5paisa.py5paisa")
    # It holds its addresses as constants, and tells every call twice, which would only slow it down here.
    for name, value in list(vars(module).items()):
        if isinstance(value, str) and value.startswith(REAL_BASE):
            setattr(module, name, value.replace(REAL_BASE, f"{played.url}/5paisa/VendorsAPI/Service1.svc/"))
    patient = {name: partial(getattr(module.httpx, name), timeout=PATIENCE_S) for name in ("Client", "post")}
    module.httpx = SimpleNamespace(**patient)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    importlib.import_module("loguru").logger.remove()
    client = module.FivePaisaClient(cred=CREDENTIALS)
    token = played.control("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    _heard(client.get_oauth_session(token))
    return Sdk(client)


def _heard(answer: Any) -> Any:
    if answer is None:
        raise RuntimeError("py5paisa was refused; its own words stand above")
    return answer
