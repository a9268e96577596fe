"""The ODIN client: one method per endpoint, typed answers, the six errors of `portal.gateway.errors`.

The investor's session is an argument of each call that needs it and is never kept here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from pydantic import ValidationError

from brokers.odin import messages, refusals
from portal.gateway import errors, wire
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

PERSISTENCE_LOGIN = 2
LANDING = "/landing/redirect"
BUTTON = "/productmgmtservice/apiButtonRequest"
BROKERS = "/vasprodmgmt/odinConnectorBrokerList"
SYNC = "/omexorderandtraderesponse/sync"
# A sync that never ends must not keep us for ever.
MAX_SYNCS = 1_000


@dataclass(frozen=True)
class Credentials:
    """What ODIN gave us as a publisher."""

    app_token: str
    omex_token: str


@dataclass(frozen=True)
class Choices:
    """Where the browser goes, and the two names on which example and table disagree (providers.md 2.5)."""

    web_url: str
    quantity_key: str
    gtd_key: str


class Odin(ProviderClient):
    """A publisher at ODIN Connector. Thread-safe."""

    provider = "odin"

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

    def list_brokers(self) -> list[messages.Broker]:
        """GET the brokers through whom people can trade."""
        request = Request("GET", BROKERS)
        return list(wire.read_as(messages.Brokers, self.provider, request, self.read(request)).data)

    def login_url(self, partner_id: str, two_way_token: str) -> str:
        """Where the browser goes for a persistence login. ODIN will ask us whether `two_way_token` is ours."""
        if not partner_id or not two_way_token:
            raise ValueError("a persistence login names a broker and a two-way token")
        params = {
            "sAppToken": self._credentials.app_token,
            "sTwoWayToken": two_way_token,
            "nRequestType": PERSISTENCE_LOGIN,
            "sPartnerId": partner_id,
        }
        return f"{self._choices.web_url.rstrip('/')}{LANDING}?{urlencode(params)}"

    # --- a basket -----------------------------------------------------------------------------------------------------

    def create_button_request(self, session: str, basket: messages.Basket, about: About) -> messages.BasketPage:
        """POST a basket; answers with the page on which the investor confirms it.

        Raises NotAuthorised when the session has ended, and Garbled for an address that is not ODIN's.
        """
        if not session:
            raise ValueError("a basket needs the session of a persistence login")
        keys = {"quantity_key": self._choices.quantity_key, "gtd_key": self._choices.gtd_key}
        body = {
            "sessionId": session,
            "sRecoId": basket.reco_id,
            "sClientCode": basket.client_code,
            "basketData": [line.wire(**keys) for line in basket.lines],
        }
        request = Request("POST", BUTTON, json=body)
        page = wire.read_as(messages.BasketPage, self.provider, request, self.write(request, about))
        if not _same_origin(page.data, self._choices.web_url):
            raise errors.Garbled(self.provider, "POST", BUTTON, said="an address that is not ODIN's")
        return page

    # --- OMEX ---------------------------------------------------------------------------------------------------------

    def sync_events(self, after: int = 0) -> Iterator[messages.Event]:
        """Every order and trade message after the sequence number `after`, oldest first; 0 means from the first."""
        for _ in range(MAX_SYNCS):
            page, events = self._sync(after)
            yield from events
            if not page.messages or page.last_synced_packet <= after:
                return
            after = page.last_synced_packet

    def _sync(self, after: int) -> tuple[messages.Synced, list[messages.Event]]:
        body = {
            "jMessageType": "SYNC_ORDER_REQ",
            "jToken": self._credentials.omex_token,
            "jEntrySequenceNumber": after,
        }
        request = Request("POST", SYNC, json=body)
        page = wire.read_as(messages.Synced, self.provider, request, _content(self.read(request)))
        try:
            events = [messages.read_event(each) for each in page.messages]
        except ValidationError as error:
            raise errors.Garbled(self.provider, "POST", SYNC, said="an unreadable OMEX message") from error
        return page, [each for each in events if type(each) is not messages.Event]


def _content(parsed: Any) -> Any:
    """The sync's object, bare or inside the envelope."""
    inner = wire.fold(parsed).get("data")
    return inner if isinstance(inner, dict) else parsed


def _same_origin(address: str, web_url: str) -> bool:
    """Is the address on ODIN's own web host, and as safe? (An example in the document is plain http.)"""
    try:
        given, ours = urlsplit(address), urlsplit(web_url)
        return (given.scheme, given.hostname, given.port) == (ours.scheme, ours.hostname, ours.port)
    except ValueError:
        return False


def build() -> Odin:
    """A client from settings."""
    credentials = Credentials(settings.ODIN_APP_TOKEN, settings.ODIN_OMEX_TOKEN)
    choices = Choices(settings.ODIN_WEB_URL, settings.ODIN_QUANTITY_KEY, settings.ODIN_GTD_KEY)
    transport = Transport("odin", settings.ODIN_BASE_URL)
    return Odin(transport, credentials, choices, calls_per_second=settings.ODIN_CALLS_PER_SECOND)


client = lazily(build)
