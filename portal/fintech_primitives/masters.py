"""Master data (document, "MasterData" and "Helper API")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portal.fintech_primitives.messages import base, masters
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About

# The journal keeps that a list was fetched, not its megabytes.
UNKEPT = About(keep_body=False)


class Masters(Session):
    """Calls about what is the same for everybody."""

    def list_pincodes(self) -> Iterator[masters.PincodePage]:
        """GET every PIN code, page by page."""
        return self._pages(masters.PincodePage, "/api/onb/pincodes", base.Paging(), UNKEPT)

    def fetch_pincode(self, code: str) -> masters.Pincode:
        """GET a PIN code. Raises Refused (404) for one that does not exist."""
        return self._get(masters.Pincode, at("/api/onb/pincodes/{}", code))

    def list_states(self) -> list[masters.State]:
        """GET every state of India."""
        return self._get(masters.States, "/api/onb/states").states

    def list_countries(self) -> list[masters.Country]:
        """GET every country."""
        return self._get(masters.Countries, "/api/onb/countries").countries

    def list_ifsc_codes(self) -> Iterator[masters.IfscPage]:
        """GET every bank branch, page by page: there are more than a hundred thousand."""
        return self._pages(masters.IfscPage, "/api/onb/ifsc_codes", base.Paging(), UNKEPT)

    def fetch_ifsc(self, code: str) -> masters.Ifsc:
        """GET a bank branch. Raises Refused (404) for one that does not exist."""
        return self._get(masters.Ifsc, at("/api/onb/ifsc_codes/{}", code))

    def fetch_scheme(self, isin: str) -> masters.Scheme:
        """GET one scheme."""
        return self._get(masters.Scheme, at("/api/oms/fund_schemes/{}", isin))

    def list_schemes(self, *, active: bool | None = None, isins: Sequence[str] = ()) -> Iterator[masters.SchemePage]:
        """GET every scheme, or the running ones, or some by ISIN, page by page with the total in each page."""
        query = masters.SchemeQuery(active=active, isin=list(isins))
        return self._pages(masters.SchemePage, "/api/oms/fund_schemes", query, UNKEPT)

    def list_amcs(self) -> list[masters.Amc]:
        """GET every fund house."""
        return self._get(masters.Amcs, "/api/oms/amcs").amcs

    def fetch_metadata(self) -> masters.Metadata:
        """GET the words that an application may use."""
        return self._get(masters.Metadata, "/api/onb/metadata")
