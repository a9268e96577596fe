"""What investors are told about their fresh KYC: that there is news, and where; no personal data."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from investors.models import KycRequest
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register

GROUP = "KYC"
_AGAIN = "Your KYC: please send one of your papers again"
_LOOK = (
    "What it is, and what to do about it, stands on the page. Nothing you entered is lost, and no money is involved."
)


def _event(state: str, label: str, title: str, text: str = _LOOK) -> Event:
    return Event(f"kyc_request.{state}", GROUP, label, title, text, (EMAIL,), (EMAIL,))


ASKED = "kyc_request.asked"
GIVEN_BACK = "given_back"
register(
    Event(
        ASKED,
        GROUP,
        "A partner asks you to do your KYC",
        "{partner} asks you to do your KYC",
        "The KYC registries want a fresh one before you can invest. You do it here, from your phone, in about ten "
        "minutes. No money is involved.",
        (EMAIL,),
        (EMAIL,),
    ),
    _event(
        "successful",
        "Your KYC is done",
        "Your KYC is done",
        "The registries know you now. You can go on getting ready to invest.",
    ),
    _event("rejected", "Something must be corrected", "Your KYC: something must be corrected"),
    _event(GIVEN_BACK, "Something was not taken as it is", "Your KYC: something must be corrected"),
    _event("expired", "Time ran out", "Your KYC: time ran out before everything was sent"),
    # The desk has asked for a better picture of something that was sent, or not sent yet.
    _event("pending", "A paper is asked for again after sending", _AGAIN),
    _event("draft", "A paper is asked for again before sending", _AGAIN),
)


def tell(request: KycRequest, *, at: datetime, about: str = "") -> None:
    """The investor is told about the state of the request, once for each `about`."""
    _tell(request, request.state.lower(), at, about)


def tell_given_back(request: KycRequest, *, at: datetime) -> None:
    """What was confirmed did not go through as it is, and the investor has something to correct."""
    _tell(request, GIVEN_BACK, at, f"attempt {request.attempt_no}")


def _tell(request: KycRequest, what: str, at: datetime, about: str) -> None:
    writing.tell(
        user_id=request.investor.user_id,
        event=f"kyc_request.{what}",
        subject=request,
        url=reverse("investors:kyc"),
        at=at,
        about=about,
    )
