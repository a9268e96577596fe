"""NSE's public files: the list of equities and the prices of a day, as bytes. Reading them is `orders/feeds/nse.py`."""

from __future__ import annotations

from datetime import date

from django.conf import settings

from portal.gateway import errors
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

LIST_PATH = "/content/equities/EQUITY_L.csv"
DAY_PATH = "/products/content/sec_bhavdata_full_{day:%d%m%Y}.csv"
NOT_THERE = 404
# Files of a few hundred kilobytes: the journal notes that they were fetched, not what was in them.
ABOUT = About(keep_body=False)


class Nse(ProviderClient):
    """Reads NSE's files; there is nothing to sign."""

    provider = "nse"

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """200 is an answer, and so is "there is no file of that day"; everything else is trouble at their end."""
        where, status = (self.provider, request.method, request.path), response.status
        if status in (200, NOT_THERE):
            return None
        if status == 429:
            return errors.Throttled(*where, status=status)
        return errors.OutcomeUnknown(*where, status=status)

    def parse(self, request: Request, response: Response) -> Response:
        """Nothing to read here: the bytes matter."""
        return response

    def fetch_list(self) -> bytes:
        """Every equity that is listed. Raises Garbled when there is no list."""
        answer: Response = self.read(Request("GET", LIST_PATH), ABOUT)
        if answer.status == NOT_THERE:
            raise errors.Garbled(self.provider, "GET", LIST_PATH, said="no list", status=answer.status)
        return answer.body

    def fetch_day(self, day: date) -> bytes | None:
        """The prices of a day; None when it is not published yet, or was no trading day."""
        answer: Response = self.read(Request("GET", DAY_PATH.format(day=day)), ABOUT)
        return None if answer.status == NOT_THERE else answer.body


client = lazily(lambda: Nse(Transport("nse", settings.NSE_BASE_URL), calls_per_second=settings.NSE_CALLS_PER_SECOND))
