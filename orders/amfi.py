"""AMFI's site: the file of the day and the history, as bytes. Reading them is `orders/feeds/amfi.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from orders.feeds.amfi import print_date
from portal.gateway import errors
from portal.gateway.client import ProviderClient, lazily
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

DAY_PATH = "/spages/NAVAll.txt"
HISTORY_PATH = "/DownloadNAVHistoryReport_Po.aspx"
NOT_MODIFIED = 304
# Files of megabytes: the journal notes that they were fetched, `NavRun` what was in them.
ABOUT = About(keep_body=False)


@dataclass(frozen=True)
class Version:
    """What AMFI's server called the copy that we have. Both may be empty."""

    etag: str = ""
    last_modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for the file only if it is another one."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


class Amfi(ProviderClient):
    """Reads AMFI's files; there is nothing to sign."""

    provider = "amfi"

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """200 and 304 are answers; 429 asks to wait; 4xx is a "no"; everything else is trouble at their end."""
        where = (self.provider, request.method, request.path)
        status = response.status
        if status in (200, NOT_MODIFIED):
            return None
        if status == 429:
            return errors.Throttled(*where, status=status)
        if 400 <= status < 500:
            return errors.Refused(*where, said=response.body[:200].decode("utf-8", "replace"), status=status)
        return errors.OutcomeUnknown(*where, status=status)

    def parse(self, request: Request, response: Response) -> Any:
        """Nothing to read here: the bytes matter."""
        return response

    def fetch_day(self, known: Version) -> tuple[bytes, Version] | None:
        """The file of the day with its version; None when it is still the one that we know."""
        answer: Response = self.read(Request("GET", DAY_PATH, headers=known.conditions), ABOUT)
        if answer.status == NOT_MODIFIED:
            return None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.body, Version(headers.get("etag", ""), headers.get("last-modified", ""))

    def fetch_history(self, first: date, last: date, codes: Iterable[str] = ()) -> bytes:
        """NAVs from `first` to `last`. AMFI ignores `scheme`, which only narrows what our sandbox sends."""
        params = {"frmdt": print_date(first), "todt": print_date(last)}
        if names := ",".join(codes):
            params["scheme"] = names
        answer: Response = self.read(Request("GET", HISTORY_PATH, params=params), ABOUT)
        return answer.body


def _build(base_url: str) -> Amfi:
    return Amfi(Transport("amfi", base_url), calls_per_second=settings.AMFI_CALLS_PER_SECOND)


client = lazily(lambda: _build(settings.AMFI_BASE_URL))
history_client = lazily(lambda: _build(settings.AMFI_HISTORY_BASE_URL))
