"""The smallcase client: one method per endpoint, typed answers, the six errors of `portal.gateway.errors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from django.conf import settings

from brokers.smallcase import auth, messages, refusals
from portal import clock
from portal.gateway import errors, wire
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

M = TypeVar("M", bound=messages.Message)


@dataclass(frozen=True)
class Credentials:
    """What smallcase gave us. `secret` signs JWTs; `api_secret` is sent as a header and keys the webhook checksum."""

    gateway: str
    secret: str
    api_secret: str


@dataclass(frozen=True)
class Choices:
    """What the documents leave open (providers.md 1.3, 1.4)."""

    orders_path: str
    basket_name_key: str
    basket_logo_key: str


class Smallcase(ProviderClient):
    """Our gateway at smallcase. Thread-safe.

    `smallcase_auth_id` names the investor's broker account; without it a call speaks as a guest.
    """

    provider = "smallcase"

    def __init__(
        self, transport: Transport, credentials: Credentials, choices: Choices, *, calls_per_second: int
    ) -> None:
        super().__init__(transport, calls_per_second=calls_per_second)
        self._credentials = credentials
        self._choices = choices

    def headers(self) -> dict[str, str]:
        """Our secret; the token of the person stands in each request."""
        return {"x-gateway-secret": self._credentials.api_secret}

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """See `refusals`."""
        return refusals.classify(request, response)

    # --- tokens for the SDK -------------------------------------------------------------------------------------------

    def token(self, smallcase_auth_id: str, at: datetime) -> str:
        """The JWT with which the page initialises the SDK: connected when the account is known, else a guest's."""
        secret = self._credentials.secret
        if smallcase_auth_id:
            return auth.connected_token(secret, smallcase_auth_id, at)
        return auth.guest_token(secret, at)

    # --- endpoints ----------------------------------------------------------------------------------------------------

    def create_transaction(
        self, transaction: messages.NewTransaction, *, about: About, smallcase_auth_id: str = ""
    ) -> messages.CreatedTransaction:
        """POST a transaction for a stock or a basket; answers with the id for the SDK."""
        path = f"/gateway/{self._gateway}/transaction"
        body = {"intent": "TRANSACTION", "orderConfig": self._order_config(transaction)}
        if transaction.notes:
            body["notes"] = transaction.notes
        request = Request("POST", path, json=body, headers=self._as(smallcase_auth_id))
        return self._read_data(messages.CreatedTransaction, request, self.write(request, about))

    def fetch_transaction(
        self, transaction_id: str, *, smallcase_auth_id: str = "", about: About = About()
    ) -> messages.Transaction:
        """GET what became of a transaction, and the broker account with which it was made."""
        path = f"/v1/{self._gateway}/engine/transactiondetails"
        found = self._get(messages.Transaction, path, {"transactionId": transaction_id}, smallcase_auth_id, about)
        return self._about_it(found, found.transaction_id, transaction_id, path)

    def fetch_orders(
        self, transaction_id: str, *, smallcase_auth_id: str = "", about: About = About()
    ) -> messages.Orders:
        """GET the orders of a transaction; without batches while the person has confirmed nothing."""
        path = self._choices.orders_path.format(gateway=self._gateway)
        found = self._get(messages.Orders, path, {"transactionId": transaction_id}, smallcase_auth_id, about)
        return self._about_it(found, found.transaction_id or transaction_id, transaction_id, path)

    def fetch_holdings(
        self, smallcase_auth_id: str, *, mutual_funds: bool = False, about: About = About()
    ) -> messages.Holdings:
        """GET the shares in the person's demat account, as of the last time they let smallcase look."""
        params = {"version": "v2", **({"mfHoldings": "true"} if mutual_funds else {})}
        path = f"/v1/{self._gateway}/engine/user/holdings"
        return self._get(messages.Holdings, path, params, smallcase_auth_id, about)

    # --- plumbing -----------------------------------------------------------------------------------------------------

    @property
    def _gateway(self) -> str:
        return quote(self._credentials.gateway, safe="")

    def _as(self, smallcase_auth_id: str) -> dict[str, str]:
        return {"x-gateway-authtoken": self.token(smallcase_auth_id, clock.now())}

    def _order_config(self, transaction: messages.NewTransaction) -> dict[str, Any]:
        looks = {
            self._choices.basket_name_key: transaction.basket_name,
            self._choices.basket_logo_key: transaction.basket_logo,
        }
        lines = [each.wire() for each in transaction.securities]
        return {"type": "SECURITIES", "securities": lines, **{key: each for key, each in looks.items() if each}}

    def _get(self, kind: type[M], path: str, params: Mapping[str, str], smallcase_auth_id: str, about: About) -> M:
        request = Request("GET", path, params=params, headers=self._as(smallcase_auth_id))
        return self._read_data(kind, request, self.read(request, about))

    def _read_data(self, kind: type[M], request: Request, parsed: Any) -> M:
        return wire.read_as(kind, self.provider, request, parsed.get("data"))

    def _about_it(self, found: M, said: str, asked: str, path: str) -> M:
        """`found`, if it is about what we asked. Raises Garbled: another transaction's orders are nobody's news."""
        if said != asked:
            raise errors.Garbled(self.provider, "GET", path, said="an answer about another transaction")
        return found


def build() -> Smallcase:
    """A client from settings."""
    credentials = Credentials(
        settings.SMALLCASE_GATEWAY, settings.SMALLCASE_SECRETS[0], settings.SMALLCASE_API_SECRETS[0]
    )
    choices = Choices(
        settings.SMALLCASE_ORDERS_PATH, settings.SMALLCASE_BASKET_NAME_KEY, settings.SMALLCASE_BASKET_LOGO_KEY
    )
    transport = Transport("smallcase", settings.SMALLCASE_BASE_URL)
    return Smallcase(transport, credentials, choices, calls_per_second=settings.SMALLCASE_CALLS_PER_SECOND)


client = lazily(build)
