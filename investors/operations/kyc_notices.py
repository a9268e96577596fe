"""What investors are told about their fresh KYC by e-mail: that there is news, and where; no personal data."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from investors import lifecycle
from investors.models import KycRequest

SUBJECTS = {
    lifecycle.SUCCESSFUL: "Your KYC is done",
    lifecycle.REJECTED: "Your KYC: something must be corrected",
    lifecycle.EXPIRED: "Your KYC: time ran out before everything was sent",
    # The desk has asked for a better picture of something that was not sent yet.
    lifecycle.PENDING: "Your KYC: please send one of your papers again",
    lifecycle.DRAFT: "Your KYC: please send one of your papers again",
}


def tell(request: KycRequest) -> None:
    """A message about the state of the request is on its way. Raises OSError when the mail server is down."""
    subject = SUBJECTS[request.state]
    facts = {
        "brand": settings.BRAND,
        "name": request.investor.name or "investor",
        "subject": subject,
        "done": request.state == lifecycle.SUCCESSFUL,
        "link": settings.PUBLIC_URL + reverse("investors:kyc"),
    }
    body = render_to_string("email/investors_kyc.txt", facts)
    send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [request.investor.user.email])
