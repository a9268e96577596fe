"""The FP client: one method per endpoint, typed answers, the six errors of `portal.gateway.errors`."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from pydantic import ValidationError

from portal.fintech_primitives import auth, messages, refusals
from portal.gateway import errors
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

M = TypeVar("M", bound=messages.Message)

# Every state FP knows; a list without them shows successful orders only (given document, "Get Orders").
ALL_STATES = ("pending", "payment_confirmed", "submitted", "successful", "failed", "cancelled", "reversed")
OPEN_STATES = ("pending", "payment_confirmed", "submitted")
PAGE_SIZE = 100
# No list of ours is longer; a provider that never says `last` must not keep us for ever.
MAX_PAGES = 1_000
# FP's token lives 1800 s; we renew at four fifths of what the token itself says.
RENEW_AT = 0.8
DEFAULT_LIFE_S = 1_800.0


class FintechPrimitives(ProviderClient):
    """A tenant at FP. Thread-safe; one login at a time."""

    provider = "fp"

    def __init__(self, transport: Transport, credentials: auth.Credentials, *, calls_per_second: int) -> None:
        super().__init__(transport, calls_per_second=calls_per_second)
        self._credentials = credentials
        self._login_lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    # --- signing in ---------------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """The bearer token, renewed early; one login at a time, the others wait for it."""
        return {"Authorization": f"Bearer {self._valid_token()}", "x-tenant-id": self._credentials.tenant}

    def renew(self) -> bool:
        """Forget the token that FP refused; the next call logs in."""
        with self._login_lock:
            self._renew_at = 0.0
        return True

    def _valid_token(self) -> str:
        with self._login_lock:
            if time.monotonic() >= self._renew_at:
                self._token = self._login()
                self._renew_at = time.monotonic() + RENEW_AT * _life_s(self._token)
            return self._token

    def _login(self) -> str:
        request = Request("POST", auth.LOGIN_PATH, headers=auth.login_headers(self._credentials, _real_now()))
        response = self.transport.send(request)
        error = self.classify(request, response)
        if error:
            raise error
        return self._read_as(messages.Login, request, self.parse(request, response)).token

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """See `refusals`."""
        return refusals.classify(request, response)

    # --- investors ------------------------------------------------------------------------------------------------

    def create_investor(self, body: Mapping[str, Any], about: About) -> messages.Investor:
        """POST investors. `body` is the documented object."""
        return self._post(messages.Investor, "/api/onb/investors", body, about)

    def fetch_investor(self, investor_id: str) -> messages.Investor:
        """GET one investor."""
        return self._get(messages.Investor, f"/api/onb/investors/{investor_id}")

    def search_investors(self, query: str) -> list[messages.Investor]:
        """Every investor whose name, e-mail or PAN matches `query`."""
        pages = self._pages(messages.InvestorPage, "/api/onb/investors/search", {"query": query})
        return [investor for page in pages for investor in page.investors]

    def create_investment_account(self, investor_id: str, about: About) -> messages.InvestmentAccount:
        """POST an investment account for an investor."""
        body = {"primary_investor_id": investor_id}
        return self._post(messages.InvestmentAccount, "/api/oms/investment_accounts", body, about)

    def list_investment_accounts(self, investor_id: str) -> list[messages.InvestmentAccount]:
        """GET the accounts of an investor; empty when there is none."""
        params = {"investor_id": investor_id}
        return self._get(messages.InvestmentAccounts, "/api/oms/investment_accounts", params).data

    def fetch_holdings(self, account_id: str) -> messages.Holdings:
        """GET all folios with current units of an account."""
        return self._get(messages.Holdings, f"/api/oms/investment_accounts/{account_id}/holdings")

    def check_kyc(self, pan: str, about: About = About()) -> messages.KycCheck:
        """POST a KYC check. It changes nothing at FP that matters, so it is retried like a read."""
        request = Request("POST", "/api/kyc/check", json={"pan": pan})
        return self._read_as(messages.KycCheck, request, self.read(request, about))

    # --- orders ---------------------------------------------------------------------------------------------------

    def create_purchase(
        self, account_id: str, *, bank_account_id: str, orders: list[Mapping[str, Any]], about: About
    ) -> list[messages.PlacedOrder]:
        """POST lumpsum orders paid by net banking or UPI. Every order must carry `source_ref_id`."""
        if not all(order.get("source_ref_id") for order in orders):
            raise ValueError("an order without source_ref_id could be placed twice")
        path = f"/api/oms/investment_accounts/{account_id}/orders/purchase/netbanking"
        body = {"bank_account_id": _wire_id(bank_account_id), "orders": orders}
        return self._post(messages.PlacedOrders, path, body, about).orders

    def fetch_order(self, account_id: str, order_id: str, about: About = About()) -> messages.Order:
        """GET one order."""
        return self._get(messages.Order, f"/api/oms/investment_accounts/{account_id}/orders/{order_id}", about=about)

    def list_account_orders(self, account_id: str, about: About = About()) -> Iterator[messages.Order]:
        """Every order of an account in every state, all pages."""
        path = f"/api/oms/investment_accounts/{account_id}/orders"
        for page in self._pages(messages.OrderPage, path, {"state": ",".join(ALL_STATES)}, about):
            yield from page.amc_orders

    def list_orders(self, states: tuple[str, ...]) -> Iterator[messages.Order]:
        """Every order of the tenant in the given states, newest first, all pages."""
        params = {"state": ",".join(states), "sort": "investment_date", "direction": "desc"}
        for page in self._pages(messages.OrderPage, "/api/oms/orders", params):
            yield from page.amc_orders

    # --- payments ---------------------------------------------------------------------------------------------------

    def create_payment(
        self, *, order_ids: list[str], method: messages.PaymentMethod, postback_url: str, about: About
    ) -> messages.StartedPayment:
        """POST one payment for several orders; answers with the address where the investor pays."""
        body = {
            "amc_order_ids": [_wire_id(order_id) for order_id in order_ids],
            "method": method.value,
            "payment_postback_url": postback_url,
        }
        return self._post(messages.StartedPayment, "/api/pg/payments/netbanking", body, about)

    def fetch_payment(self, payment_id: str, about: About = About()) -> messages.Payment:
        """GET one payment."""
        return self._get(messages.Payment, f"/api/pg/payments/{payment_id}", about=about)

    def list_payments(self, order_ids: list[str], about: About = About()) -> list[messages.Payment]:
        """Every payment for any of these orders."""
        params = {"amc_order_ids": ",".join(order_ids)}
        pages = self._pages(messages.PaymentPage, "/api/pg/payments", params, about)
        return [payment for page in pages for payment in page.payments]

    # --- master data --------------------------------------------------------------------------------------------------

    def fetch_pincode(self, code: str) -> messages.Pincode:
        """GET a PIN code. Raises Refused (404) for one that does not exist."""
        return self._get(messages.Pincode, f"/api/onb/pincodes/{code}")

    def fetch_ifsc(self, code: str) -> messages.Ifsc:
        """GET a bank branch. Raises Refused (404) for one that does not exist."""
        return self._get(messages.Ifsc, f"/api/onb/ifsc_codes/{code}")

    def list_amcs(self) -> list[messages.Amc]:
        """GET every fund house."""
        return self._get(messages.Amcs, "/api/oms/amcs").amcs

    def fetch_scheme(self, isin: str) -> messages.Scheme:
        """GET one scheme."""
        return self._get(messages.Scheme, f"/api/oms/fund_schemes/{isin}")

    def list_schemes(self) -> Iterator[messages.SchemePage]:
        """Every scheme, page by page, with the total in each page."""
        yield from self._pages(messages.SchemePage, "/api/oms/fund_schemes", {}, About(keep_body=False))

    # --- plumbing -----------------------------------------------------------------------------------------------------

    def _get(self, kind: type[M], path: str, params: Mapping[str, str] | None = None, about: About = About()) -> M:
        request = Request("GET", path, params=params)
        return self._read_as(kind, request, self.read(request, about))

    def _post(self, kind: type[M], path: str, body: Mapping[str, Any], about: About) -> M:
        request = Request("POST", path, json=json.loads(json.dumps(body, default=_wire_number)))
        return self._read_as(kind, request, self.write(request, about))

    def _pages(self, kind: type[M], path: str, params: Mapping[str, str], about: About = About()) -> Iterator[M]:
        for number in range(MAX_PAGES):
            page = self._get(kind, path, {**params, "page": str(number), "size": str(PAGE_SIZE)}, about)
            yield page
            if getattr(page, "last", True):
                return

    def _read_as(self, kind: type[M], request: Request, parsed: Any) -> M:
        """The typed message. Raises Garbled when FP's JSON is not what its document says."""
        try:
            return kind.model_validate(parsed)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:5])
            raise errors.Garbled("fp", request.method, request.path, said=f"unreadable: {places}") from error


def _wire_id(identifier: str) -> int | str:
    """FP's own examples send ids as numbers; an id that is no number travels as text."""
    return int(identifier) if identifier.isdigit() else identifier


def _wire_number(value: Any) -> Any:
    """Whole rupees as JSON integers: FP's orders know no paise, and a float near money is a bug."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    raise TypeError(f"{type(value).__name__} has no place in a message")


def _life_s(token: str) -> float:
    """Seconds between `iat` and `exp` of a JWT; the documented 1800 when it cannot be read."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return max(1.0, float(claims["exp"]) - float(claims["iat"]))
    except (IndexError, ValueError, KeyError, TypeError):
        return DEFAULT_LIFE_S


def _real_now() -> datetime:
    """Real time, not the sandbox's: FP checks MFProDate against its own wall clock."""
    return datetime.now(UTC)


def build() -> FintechPrimitives:
    """A client from settings."""
    credentials = auth.Credentials(
        tenant=settings.FP_TENANT,
        api_key_id=settings.FP_API_KEY_ID,
        secret=settings.FP_SECRET,
        base64_payload_first=settings.FP_BASE64_PAYLOAD_FIRST,
        principal=settings.FP_AUTHORIZATION_PRINCIPAL,
    )
    transport = Transport("fp", settings.FP_BASE_URL)
    return FintechPrimitives(transport, credentials, calls_per_second=settings.FP_CALLS_PER_SECOND)


client = lazily(build)
