"""The 5paisa client: one method per endpoint, typed answers, the six errors of `portal.gateway.errors`.

The investor's session is an argument of each call and is never kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings

from brokers.fivepaisa import auth, messages, moments, refusals, requests, scrips
from brokers.fivepaisa.auth import Session
from portal.gateway import errors, wire
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

M = TypeVar("M", bound=wire.Message)
T = TypeVar("T")

SERVICE = "/VendorsAPI/Service1.svc"
# Orders per status call and scrips per market call (document 004).
BATCH = 50
LONGEST_LOOK_BACK_S = 600


@dataclass(frozen=True)
class Credentials:
    """What 5paisa gave us as a partner."""

    app_key: str
    encryption_key: str
    user_id: str


@dataclass(frozen=True)
class Choices:
    """Where the browser logs in, the version of each call, and the disputed key of a cancellation."""

    login_url: str
    versions: Mapping[str, str]
    cancel_key: str


class FivePaisa(ProviderClient):
    """A partner at 5paisa. Thread-safe."""

    provider = refusals.PROVIDER

    def __init__(
        self, transport: Transport, credentials: Credentials, choices: Choices, *, calls_per_second: int
    ) -> None:
        super().__init__(transport, calls_per_second=calls_per_second)
        self._credentials = credentials
        self._choices = choices

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """See `refusals`."""
        return refusals.classify(request, response)

    # --- logging in ---------------------------------------------------------------------------------------------------

    def login_url(self, response_url: str, state: str) -> str:
        """Where the browser goes to log in; it comes back to `response_url` with a request token and `state`."""
        return auth.login_url(self._choices.login_url, self._credentials.app_key, response_url, state)

    def create_access_token(self, request_token: str, about: About = About()) -> messages.LoggedIn:
        """POST the request token, once, for a session. Raises NotAuthorised: the investor logs in again."""
        body = {
            "RequestToken": request_token,
            "EncryKey": self._credentials.encryption_key,
            "UserId": self._credentials.user_id,
        }
        # `Key` in this call only, `key` everywhere else (providers.md 7 #20).
        request = self._request("GetAccessToken", body, head={"Key": self._credentials.app_key})
        return self._read_body(messages.LoggedIn, request, self.write(request, about))

    # --- orders -------------------------------------------------------------------------------------------------------

    def create_order(self, session: Session, order: requests.NewOrder, about: About) -> messages.Acknowledged:
        """POST an order. Raises Refused when risk management says no, Garbled for an answer about another order."""
        request = self._request("PlaceOrderRequest", order.wire(), session)
        placed = self._read_body(messages.Acknowledged, request, self.write(request, about))
        if placed.broker_order_id == "0" or placed.remote_order_id not in ("", order.remote_order_id):
            raise self._garbled(request, "an acknowledgement of no order of ours")
        return placed

    def update_order(self, session: Session, change: requests.Change, about: About) -> messages.Acknowledged:
        """POST a change of an order that is still open."""
        return self._change(session, "ModifyOrderRequest", change.wire(), change.exch_order_id, about)

    def cancel_order(
        self, session: Session, exch_order_id: str, about: About, *, device_id: str = "", algo_id: int = 0
    ) -> messages.Acknowledged:
        """POST the cancellation of an order that is still open, by the exchange's id."""
        if exch_order_id in ("", "0"):
            raise ValueError("the exchange has given this order no id yet")
        body = {self._choices.cancel_key: exch_order_id, "DeviceId": device_id, "AlgoId": algo_id}
        return self._change(session, "CancelOrderRequest", body, exch_order_id, about)

    def fetch_order_statuses(
        self, session: Session, orders: Sequence[tuple[requests.Exchange, str]], about: About = About()
    ) -> list[messages.StatusOfOrder]:
        """POST for the state of orders by (exchange, our remote order id), fifty a call. Unknown orders are absent."""
        found: list[messages.StatusOfOrder] = []
        for some in _batches(orders):
            asked = [{"Exch": exchange.value, "RemoteOrderID": reference} for exchange, reference in some]
            answer = self._ask(messages.OrderStatuses, session, "OrderStatus", {"OrdStatusReqList": asked}, about)
            found += answer.orders
        return found

    def fetch_order_book(
        self, session: Session, *, updated_in_last_s: int = 0, about: About = About()
    ) -> list[messages.BookedOrder]:
        """POST for today's orders, or those changed in the last `updated_in_last_s` seconds (at most 600)."""
        if not 0 <= updated_in_last_s <= LONGEST_LOOK_BACK_S:
            raise ValueError("5paisa looks back 600 seconds at most")
        body = {"updatedInLastSeconds": updated_in_last_s}
        return list(self._ask(messages.OrderBook, session, "OrderBook", body, about).orders)

    def fetch_trade_book(self, session: Session, about: About = About()) -> list[messages.Trade]:
        """POST for today's executions."""
        return list(self._ask(messages.TradeBook, session, "TradeBook", {}, about).trades)

    # --- what is held and what it may cost ----------------------------------------------------------------------------

    def fetch_positions(self, session: Session, about: About = About()) -> list[messages.Position]:
        """POST for today's net positions."""
        return list(self._ask(messages.Positions, session, "NetPositionNetWise", {}, about).positions)

    def fetch_holdings(self, session: Session, about: About = About()) -> list[messages.Holding]:
        """POST for the shares in the demat account."""
        return list(self._ask(messages.Holdings, session, "Holding", {}, about).data)

    def fetch_margin(self, session: Session, about: About = About()) -> messages.Margin:
        """POST for what may be spent."""
        return self._ask(messages.Margin, session, "Margin", {}, about)

    def fetch_multi_order_margin(
        self,
        session: Session,
        lines: Sequence[requests.MarginLine],
        *,
        cover_positions: bool = False,
        about: About = About(),
    ) -> messages.MultiOrderMargin:
        """POST for what several orders together would need."""
        body = {"CoverPositions": "Y" if cover_positions else "N", "Orders": [line.wire() for line in lines]}
        return self._ask(messages.MultiOrderMargin, session, "MultiOrderMargin", body, about)

    # --- market data --------------------------------------------------------------------------------------------------

    def fetch_snapshots(self, session: Session, wanted: Sequence[requests.Scrip]) -> list[messages.Snapshot]:
        """POST for day and year of scrips, fifty a call."""
        found: list[messages.Snapshot] = []
        for some in _batches(wanted):
            body = {"Data": [scrip.long() for scrip in some]}
            found += self._ask(messages.Snapshots, session, "MarketSnapshot", body, _BULK).data
        return found

    def fetch_feed(self, session: Session, wanted: Sequence[requests.Scrip], since: datetime) -> list[messages.Tick]:
        """POST for last prices, fifty a call; scrips that did not move after `since` may be absent."""
        found: list[messages.Tick] = []
        for some in _batches(wanted):
            body = {
                "MarketFeedData": [scrip.short() for scrip in some],
                "ClientLoginType": 0,
                "LastRequestTime": moments.write(since),
                "RefreshRate": "H",
            }
            found += self._ask(messages.Ticks, session, "MarketFeed", body, _BULK).data
        return found

    def fetch_depth(self, session: Session, wanted: Sequence[requests.Scrip]) -> list[messages.Depth]:
        """POST for the five best prices on either side, fifty scrips a call."""
        found: list[messages.Depth] = []
        for some in _batches(wanted):
            body = {"MarketDepthData": [scrip.long() for scrip in some]}
            found += self._ask(messages.Depths, session, "MarketDepth", body, _BULK).data
        return found

    def list_scrips(self, segment: requests.Segment) -> Iterator[scrips.ScripRow]:
        """GET the scrip master of a segment, row by row as it arrives. See `scrips.read` for what it raises."""
        request = Request("GET", f"{SERVICE}/ScripMaster/segment/{segment.value}")
        return scrips.read(request, self.stream(request, _BULK))

    # --- plumbing -----------------------------------------------------------------------------------------------------

    def _request(
        self,
        call: str,
        body: Mapping[str, Any],
        session: Session | None = None,
        head: Mapping[str, str] | None = None,
    ) -> Request:
        version = self._choices.versions.get(call, "")
        path = f"{SERVICE}/{version}/{call}" if version else f"{SERVICE}/{call}"
        headers = {"Authorization": f"Bearer {session.access_token}"} if session else {}
        whole = {"head": head or {"key": self._credentials.app_key}, "body": body}
        return Request("POST", path, json=whole, headers=headers)

    def _ask(self, kind: type[M], session: Session, call: str, body: Mapping[str, Any], about: About) -> M:
        request = self._request(call, {"ClientCode": session.client_code, **body}, session)
        return self._read_body(kind, request, self.read(request, about))

    def _change(
        self, session: Session, call: str, body: Mapping[str, Any], exch_order_id: str, about: About
    ) -> messages.Acknowledged:
        request = self._request(call, body, session)
        changed = self._read_body(messages.Acknowledged, request, self.write(request, about))
        # A sample shows a cancellation that names no exchange order, so only another one is refused.
        if changed.exch_order_id not in ("", exch_order_id):
            raise self._garbled(request, "an acknowledgement of another order")
        return changed

    def _read_body(self, kind: type[M], request: Request, parsed: Any) -> M:
        return wire.read_as(kind, self.provider, request, wire.fold(parsed).get("body"))

    def _garbled(self, request: Request, said: str) -> errors.Garbled:
        return errors.Garbled(self.provider, request.method, request.path, said=said)


# Prices by the hundred and masters by the megabyte: the journal keeps that they were asked for.
_BULK = About(keep_body=False)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def build() -> FivePaisa:
    """A client from settings."""
    credentials = Credentials(settings.FIVEPAISA_APP_KEY, settings.FIVEPAISA_ENCRYPTION_KEY, settings.FIVEPAISA_USER_ID)
    choices = Choices(settings.FIVEPAISA_LOGIN_URL, settings.FIVEPAISA_VERSIONS, settings.FIVEPAISA_CANCEL_KEY)
    transport = Transport("5paisa", settings.FIVEPAISA_BASE_URL)
    return FivePaisa(transport, credentials, choices, calls_per_second=settings.FIVEPAISA_CALLS_PER_SECOND)


client = lazily(build)
