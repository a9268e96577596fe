"""A fresh KYC, in-process: from a PAN that no registry knows to one that may invest, also by a detour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from investors import queries
from investors.models import Document, Investor, KycRequest
from investors.operations import kyc, kyc_requests, onboarding
from portal import clock
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import kyc_requests as said
from portal.gateway.journal import About
from portal.models import Case, GatewayCall
from tests import factories
from tests.control import SandboxControl
from tests.factories import files
from tests.investors.applying import fresh, step_url
from tests.investors.fresh_kyc import (
    ABOUT,
    ADDRESS,
    PAN,
    SENT,
    Kind,
    at_fp,
    confirm,
    fill_in,
    newest,
    send,
    sweep,
    upload,
    url,
)  # fmt: skip

pytestmark = pytest.mark.django_db
HOME = "/kyc/"


@pytest.fixture
def applicant(db: None, sandbox: SandboxControl) -> Investor:
    """Somebody whose PAN no registry knows."""
    sandbox.call("POST", "/pace", {"mode": "market"})
    investor = onboarding.begin(user=factories.UserFactory(email="asha@portal.example"), at=clock.now())
    kyc.check(investor=investor, pan=PAN, actor=investor.user, at=clock.now())
    return fresh(investor)


@pytest.fixture
def browser(applicant: Investor, client_for: Callable[..., Client]) -> Client:
    return client_for(applicant)


def decide(row: KycRequest, status: str) -> None:
    assert row.provider_ref
    client().simulate_kyc_request(row.provider_ref, said.KycStatus(status), About())


def errors(browser: Client, slug: str) -> dict[str, list[str]]:
    return dict(browser.get(url(slug)).context["form"].errors)


def test_from_an_unknown_pan_to_one_that_may_invest(browser: Client, applicant: Investor) -> None:
    assert reverse("investors:kyc") in browser.get(step_url("pan")).content.decode()
    assert b"Have these at hand" in browser.get(HOME).content
    fill_in(browser)
    row = sweep(newest(applicant))
    assert (row.state, [each.id for each in at_fp()]) == ("PENDING", [row.provider_ref])
    assert row.expires_at
    assert "identity_proof" in row.fields_needed
    assert "17 May 1990" in browser.get(url("review")).content.decode()
    confirm(browser)
    row = sweep(row)
    assert (row.state, row.fields_needed) == ("SUBMITTED", [])
    assert b"checking your papers" in browser.get(HOME).content
    decide(row, "successful")
    row = sweep(row)
    assert (row.state, row.due_at) == ("SUCCESSFUL", None)
    assert queries.checklist(fresh(applicant))[0].is_done
    assert b"Your KYC is done" in browser.get(HOME).content
    assert mail.outbox[-1].subject == "Your KYC is done"
    assert PAN not in mail.outbox[-1].body
    assert len(at_fp()) == 1


def test_fp_holds_what_was_typed_and_sent(browser: Client, applicant: Investor) -> None:
    fill_in(browser)
    confirm(browser)
    sweep(newest(applicant))
    there = at_fp()[0]
    assert (there.name, there.father_name, there.aadhaar_number) == ("Asha Rao", "Mahesh Rao", "1210")
    assert (there.mobile.isd, there.mobile.number) == ("+91", "9876543210")
    assert there.correspondence_address.city
    assert there.correspondence_address.proof_number == "J1234567"
    assert there.permanent_address.line_1 == "12 Residency Road"
    kept = {each.kind: each.provider_ref for each in Document.objects.filter(investor=applicant)}
    assert there.correspondence_address.proof_back == kept[Kind.ADDRESS_BACK]
    assert there.ipv_video == kept[Kind.IPV_VIDEO]
    assert {each.id for each in client().list_files()} == set(kept.values())


PERMANENT = {
    "permanent_is_same": "no",
    "p_line1": "5 Temple Street",
    "p_pincode": "400001",
    "p_proof_type": "voter_id",
    "p_proof_number": "ABC1234567",
}


def test_a_permanent_address_of_its_own_has_a_paper_of_its_own(browser: Client, applicant: Investor) -> None:
    browser.post(HOME)
    send(browser, "about")
    assert send(browser, "address", **PERMANENT)["Location"] == url("address-proof")
    for slug in SENT:
        send(browser, slug)
    assert "5 Temple Street" not in browser.get(url("review")).content.decode(), "a paper is missing: no review yet"
    both = {kind: upload(kind) for kind in (Kind.PERMANENT_FRONT, Kind.PERMANENT_BACK)}
    assert browser.post(url("permanent-proof"), both)["Location"] == url("review")
    review = browser.get(url("review")).content.decode()
    assert "5 Temple Street" in review
    assert "my permanent address is the other one" in review
    confirm(browser)
    row = sweep(newest(applicant))
    there = at_fp()[0]
    assert there.permanent_address_is_same_as_correspondence is False
    assert (there.permanent_address.line_1, there.permanent_address.proof_number) == ("5 Temple Street", "ABC1234567")
    assert "my permanent address is the other one" in browser.get(reverse("investors:privacy")).content.decode()
    kept = {each.kind: each.provider_ref for each in Document.objects.filter(investor=applicant)}
    assert there.permanent_address.proof == kept[Kind.PERMANENT_FRONT] != there.correspondence_address.proof
    decide(row, "rejected")
    sweep(row)
    browser.post(HOME)
    assert "cannot be read" in errors(browser, "permanent-proof")[Kind.PERMANENT_FRONT][0]
    assert Kind.ADDRESS_FRONT not in errors(browser, "address-proof")


def test_a_permanent_address_that_is_the_same_again_asks_for_no_second_paper(browser: Client) -> None:
    browser.post(HOME)
    send(browser, "about")
    send(browser, "address", **PERMANENT)
    assert browser.get(url("address")).context["form"]["p_line1"].value() == "5 Temple Street"
    assert len(browser.get(HOME).context["items"]) == 8
    send(browser, "address")
    assert len(browser.get(HOME).context["items"]) == 7


def test_a_rejection_is_shown_in_words_and_sent_again_as_a_new_request(browser: Client, applicant: Investor) -> None:
    fill_in(browser)
    confirm(browser)
    first = sweep(newest(applicant))
    decide(first, "rejected")
    first = sweep(first)
    assert (first.state, first.due_at) == ("REJECTED", None)
    page = browser.get(HOME).content.decode()
    assert "The front of your proof of address cannot be read" in page
    assert "Their code: document_unclear" in page
    assert mail.outbox[-1].subject == "Your KYC: something must be corrected"
    browser.post(HOME)
    second = newest(applicant)
    assert (second.previous, second.state) == (first, "DRAFT")
    assert kyc_requests.missing(kyc_requests.sheet_of(second)) == ["address-proof", "pan-card", "signature"]
    assert "cannot be read" in errors(browser, "address-proof")[Kind.ADDRESS_FRONT][0]
    # What is wrong cannot be waved through, what is right may stay.
    assert browser.post(url("pan-card"), {}).status_code == 303
    assert errors(browser, "pan-card") == {Kind.IDENTITY_PROOF: ["Choose a file, or take a picture now."]}
    assert browser.post(url("address-proof"), {Kind.ADDRESS_FRONT: upload(Kind.ADDRESS_FRONT)}).status_code == 302
    send(browser, "pan-card")
    send(browser, "signature")
    send(browser, "about")
    before, now = (kyc_requests.sheet_of(row).documents[Kind.IDENTITY_PROOF] for row in (first, second))
    assert (before.replaced_at is not None, now.replaced_at) == (True, None)
    assert kyc_requests.missing(kyc_requests.sheet_of(newest(applicant))) == []
    confirm(browser)
    second = sweep(second)
    assert (second.state, len(at_fp())) == ("SUBMITTED", 2)
    decide(second, "successful")
    assert sweep(second).state == "SUCCESSFUL"
    assert queries.checklist(fresh(applicant))[0].is_done


def test_it_can_be_left_and_gone_on_with(browser: Client, applicant: Investor) -> None:
    browser.post(HOME)
    answer = send(browser, "about", later="1")
    assert answer["Location"] == HOME
    page = browser.get(HOME).content.decode()
    assert "1 of 7 steps done" in page
    assert "Continue: Address" in page
    assert browser.get(url("about")).context["form"]["father_name"].value() == "Mahesh Rao"
    assert browser.get(url("review")).status_code == 302


def test_what_fp_does_not_ask_for_is_not_asked_of_the_investor(browser: Client, applicant: Investor) -> None:
    browser.post(HOME)
    send(browser, "about")
    row = sweep(newest(applicant))
    row.fields_needed = ["correspondence_address", "photo"]
    row.save()
    titles = [item["title"] for item in browser.get(HOME).context["items"]]
    assert titles == ["About you", "Address", "Proof of address", "Photo"]


def test_fp_asking_for_something_that_no_page_has_is_a_case(browser: Client, applicant: Investor) -> None:
    browser.post(HOME)
    send(browser, "about")
    row = sweep(newest(applicant))
    news = kyc_requests.Snapshot(row.provider_ref or "", "PENDING", None, ("horoscope",))
    kyc_requests.absorb(request_id=row.pk, snapshot=news, at=clock.now(), source="test")
    assert Case.objects.get(kind=kyc_requests.FIELDS_CASE).detail == "horoscope"


@pytest.mark.parametrize(
    ("slug", "changes", "field"),
    [
        ("about", {"father_name": "", "spouse_name": ""}, "father_name"),
        ("about", {"aadhaar_number": "123412341234"}, "aadhaar_number"),
        ("about", {"date_of_birth": "17/05/2019"}, "date_of_birth"),
        ("address", {"proof_expiry_date": "19/10/2020"}, "proof_expiry_date"),
        ("address", {"proof_issue_date": ""}, "proof_issue_date"),
        ("address", {"proof_number": "?"}, "proof_number"),
        ("address", {"pincode": "999999"}, "pincode"),
        ("address", {"permanent_is_same": ""}, "permanent_is_same"),
        ("address", {**PERMANENT, "p_line1": ""}, "p_line1"),
        ("address", {**PERMANENT, "p_pincode": "999999"}, "p_pincode"),
        ("address", {**PERMANENT, "p_proof_type": "passport"}, "p_proof_issue_date"),
    ],
)
def test_what_fp_would_refuse_is_refused_at_its_field_and_nothing_typed_is_lost(
    browser: Client, slug: str, changes: dict[str, str], field: str
) -> None:
    browser.post(HOME)
    assert send(browser, slug, **changes).status_code == 303
    page = browser.get(url(slug)).context["form"]
    assert field in page.errors
    typed = {**(ABOUT if slug == "about" else ADDRESS), **changes}
    assert {name: page[name].value() for name in typed} == typed


HOSTILE = {
    "a script in a picture": ("card.jpg", files.picture() + b"<script>alert(1)</script>"),
    "81 megapixels": ("card.png", files.png_bomb()),
    "a PDF with JavaScript": ("card.pdf", files.pdf_with_packed_script()),
    "another name": ("card.png", files.picture()),
    "SVG": ("card.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>" + files.SCRIPT + b"</svg>"),
    "nothing": ("card.jpg", b""),
    "13 MB": ("card.jpg", files.picture() + bytes(13 * 1024 * 1024)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_words_and_nothing_is_stored(
    browser: Client, applicant: Investor, what: str, tmp_path: Any, settings: Any
) -> None:
    name, content = HOSTILE[what]
    browser.post(HOME)
    file = upload(Kind.IDENTITY_PROOF, name=name)
    file.file.seek(0)
    file.file.truncate()
    file.file.write(content)
    file.file.seek(0)
    answer = browser.post(url("pan-card"), {Kind.IDENTITY_PROOF: file})
    assert answer.status_code == 303
    said = errors(browser, "pan-card")[Kind.IDENTITY_PROOF]
    assert "Please" in said[0] or "at most" in said[0]
    assert len(said) == 1
    assert not Document.objects.exists()


def test_a_video_is_no_photo_and_a_photo_no_video(browser: Client) -> None:
    browser.post(HOME)
    assert browser.post(url("photo"), {Kind.PHOTO: upload(Kind.IPV_VIDEO)}).status_code == 303
    assert "JPG or PNG" in errors(browser, "photo")[Kind.PHOTO][0]
    assert browser.post(url("video"), {Kind.IPV_VIDEO: upload(Kind.PHOTO)}).status_code == 303


def test_what_was_sent_cannot_be_changed(browser: Client, applicant: Investor) -> None:
    fill_in(browser)
    confirm(browser)
    assert send(browser, "about", name="Somebody Else")["Location"] == HOME
    with pytest.raises(kyc_requests.NotEditable):
        kyc_requests.save_step(
            request=newest(applicant),
            slug="about",
            values={"name": "X"},
            files={},
            actor=applicant.user,
            at=clock.now(),
        )
    assert "Somebody" not in newest(applicant).answers


def test_a_watched_page_that_is_given_back_loads_again_whole(browser: Client, applicant: Investor) -> None:
    fill_in(browser)
    confirm(browser)
    watching = {"HTTP_HX_REQUEST": "true"}
    fragment = browser.get(HOME, **watching)
    assert b"data-refreshes" in fragment.content
    assert b"<html" not in fragment.content
    KycRequest.objects.update(submitted_at=None)
    assert browser.get(HOME, **watching).status_code == 302


def test_the_pan_stays_while_its_kyc_is_under_way(browser: Client, applicant: Investor) -> None:
    browser.post(HOME)
    send(browser, "about")
    with pytest.raises(kyc.PanHeld):
        kyc.check(investor=applicant, pan="BSHPR3751C", actor=applicant.user, at=clock.now())
    assert fresh(applicant).pan == PAN


def test_nobody_begins_who_needs_none(client_for: Callable[..., Client], asha: Investor) -> None:
    answer = client_for(asha).post(HOME)
    assert answer.status_code == 302
    assert not KycRequest.objects.exists()
    with pytest.raises(kyc_requests.NotNeeded):
        kyc_requests.begin(investor=asha, actor=asha.user, at=clock.now())


def test_nothing_personal_lies_in_clear(browser: Client, applicant: Investor) -> None:
    fill_in(browser)
    confirm(browser)
    sweep(newest(applicant))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT answers FROM investors_kycrequest UNION ALL SELECT answers FROM investors_kycrequestevent"
        )
        stored = " ".join(row[0] for row in cursor.fetchall())
    calls = " ".join(f"{call.path} {call.request_body} {call.response_body}" for call in GatewayCall.objects.all())
    for secret in (PAN, "Mahesh", "J1234567", "9876543210", "Residency", "1990-05-17", "asha@portal.example"):
        assert secret not in stored
        assert secret not in calls, secret
