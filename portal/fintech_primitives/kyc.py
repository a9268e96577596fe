"""KYC checks and KYC requests (document, "KYC Checks" and "KYC Requests")."""

from __future__ import annotations

from portal.fintech_primitives.messages import kyc, kyc_requests, simulation
from portal.fintech_primitives.session import Session, at
from portal.gateway.journal import About, Fenced
from portal.gateway.transport import Request

REQUESTS = "/kyc_requests"
REQUEST = REQUESTS + "/{}"


class Kyc(Session):
    """Calls about KYC. Checks change nothing at FP that matters, so they are retried like reads."""

    def check_kyc(self, pan: str, about: About = About()) -> kyc.KycCheck:
        """POST a KYC check: what the registries say of a PAN."""
        request = Request("POST", "/api/kyc/check", json=kyc.NewKycCheck(pan=pan).body())
        return self._read_as(kyc.KycCheck, request, self.read(request, about))

    def fetch_kyc_check(self, check_id: str) -> kyc.KycCheck:
        """GET what was found."""
        return self._get(kyc.KycCheck, at("/api/kyc/{}", check_id))

    def refetch_kyc_check(self, check_id: str, about: About = About()) -> kyc.KycCheck:
        """PUT: let FP ask the registries again."""
        request = Request("PUT", at("/api/kyc/{}/refetch", check_id))
        return self._read_as(kyc.KycCheck, request, self.read(request, about))

    def create_kyc_request(self, wish: kyc_requests.NewKycRequest, about: Fenced) -> kyc_requests.KycRequest:
        """POST a fresh KYC, whole or to be completed. It has no reference: look for the PAN before sending again."""
        return self._post(kyc_requests.KycRequest, REQUESTS, wish, about)

    def fetch_kyc_request(self, request_id: str) -> kyc_requests.KycRequest:
        """GET one request."""
        return self._get(kyc_requests.KycRequest, at(REQUEST, request_id))

    def list_kyc_requests(self) -> list[kyc_requests.KycRequest]:
        """GET all requests."""
        return self._get(kyc_requests.KycRequests, REQUESTS).data

    def update_kyc_request(
        self, request_id: str, change: kyc_requests.KycRequestChange, about: Fenced, method: str = "PATCH"
    ) -> kyc_requests.KycRequest:
        """PATCH what was missing; the document allows POST too, with the same meaning."""
        if method not in ("PATCH", "POST"):
            raise ValueError("method: PATCH or POST")
        return self._post(kyc_requests.KycRequest, at(REQUEST, request_id), change, about, method=method)

    def simulate_kyc_request(
        self, request_id: str, status: kyc_requests.KycStatus, about: About
    ) -> kyc_requests.KycRequest:
        """POST the end of a request. Only in FP's sandbox."""
        ask = simulation.KycWish(status=status)
        return self._post(kyc_requests.KycRequest, at(REQUEST + "/simulate", request_id), ask, about)
