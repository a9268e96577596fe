"""What investors are told about their registration: that something of theirs was not taken, and where."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from investors.models import Investor
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register

REFUSED = "registration.refused"
register(
    Event(
        REFUSED,
        "KYC",
        "Something must be corrected before you are registered",
        "Your registration: something must be corrected",
        "What it is stands on the page, at its field. Nothing you entered is lost, and no money is involved.",
        (EMAIL,),
        (EMAIL,),
    )
)


def tell_refused(investor: Investor, *, at: datetime) -> None:
    """There is something that the investor can correct; once for each time that it was sent."""
    writing.tell(
        user_id=investor.user_id,
        event=REFUSED,
        subject=investor,
        url=reverse("investors:onboarding"),
        at=at,
        about=f"attempt {investor.attempt_no}",
    )
