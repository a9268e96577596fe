"""What somebody types and sends for a fresh KYC, and the sweep that carries it to FP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from investors.models import Document, Investor, KycRequest
from investors.operations import kyc_requests, kyc_sending
from portal import clock
from portal.files import quarantine
from portal.fintech_primitives.client import client
from portal.gateway.breaker import Breaker
from portal.notices import writing
from tests.factories import files

PAN = "ASHPR3753C"
Kind = Document.Kind
ABOUT = {
    "name": "Asha Rao",
    "date_of_birth": "17/05/1990",
    "father_name": "Mahesh Rao",
    "spouse_name": "",
    "mother_name": "Lata Rao",
    "gender": "female",
    "marital_status": "unmarried",
    "occupation_type": "private_sector",
    "aadhaar_number": "1210",
    "country_of_birth": "IN",
    "mobile": "98765 43210",
}
ADDRESS = {
    "line1": "12 Residency Road",
    "line2": "",
    "line3": "",
    "pincode": "560025",
    "proof_type": "passport",
    "proof_number": "J1234567",
    "proof_issue_date": "20/10/2019",
    "proof_expiry_date": "19/10/2029",
    "permanent_is_same": "yes",
}
TYPED = {"about": ABOUT, "address": ADDRESS}
SENT = {
    "address-proof": (Kind.ADDRESS_FRONT, Kind.ADDRESS_BACK),
    "pan-card": (Kind.IDENTITY_PROOF,),
    "photo": (Kind.PHOTO,),
    "signature": (Kind.SIGNATURE,),
    "video": (Kind.IPV_VIDEO,),
}


def url(slug: str) -> str:
    return reverse("investors:kyc_step", args=[slug])


def upload(kind: str, content: bytes | None = None, name: str = "") -> SimpleUploadedFile:
    """A good file for this kind, or what is given."""
    video = kind == Kind.IPV_VIDEO
    good = files.video() if video else files.picture()
    return SimpleUploadedFile(name or ("me.mp4" if video else "card.jpg"), content or good)


def send(browser: Client, slug: str, **changes: Any) -> Any:
    """One step as a person does it."""
    form = {**TYPED.get(slug, {}), **{kind: upload(kind) for kind in SENT.get(slug, ())}, **changes}
    return browser.post(url(slug), form)


def fill_in(browser: Client) -> None:
    """Every step, each of which must bring the next."""
    assert browser.post(reverse("investors:kyc")).status_code == 302
    for slug in (*TYPED, *SENT):
        answer = send(browser, slug)
        assert answer.status_code == 302, (slug, browser.get(url(slug)).context["form"].errors)
    assert answer["Location"] == url("review")


def confirm(browser: Client) -> None:
    assert browser.post(url("review"), {"declared": "on"}).status_code == 302


def newest(investor: Investor) -> KycRequest:
    found = kyc_requests.newest(investor)
    assert found is not None
    return found


def sweep(row: KycRequest, *, minutes: float = 1) -> KycRequest:
    """Do what the sweep would do while time passes, until the row rests or waits for longer."""
    at, end = clock.now(), clock.now() + timedelta(minutes=minutes)
    row = KycRequest.objects.get(pk=row.pk)
    while row.due_at and row.due_at <= end:
        at = max(at, row.due_at)
        kyc_sending.advance(request_id=row.pk, at=at)
        row = KycRequest.objects.get(pk=row.pk)
        if row.state == "SUBMITTED":
            break
    for delivery_id in writing.find_due(at):
        writing.deliver(delivery_id=delivery_id, at=at)
    return row


def at_fp(pan: str = PAN) -> list[Any]:
    """The requests that FP has for this PAN."""
    client().breaker = Breaker("fp")
    return [each for each in client().list_kyc_requests() if each.pan == pan]


def clean(kind: str, content: bytes | None = None) -> quarantine.CleanFile:
    accepts = quarantine.VIDEO if kind == Kind.IPV_VIDEO else quarantine.PAPERS
    file = upload(kind, content)
    return quarantine.clean(field=kind, name=file.name or "", data=file.read(), accepts=accepts)
