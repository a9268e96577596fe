"""FP's "KYC Requests", rule by rule: refused on our page before it is sent, and FP's own refusal shown at the same
field when our rule is bypassed; also when it arrives later, in the background.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import BaseModel

from investors import applications, kyc_complaints, kyc_gateway, kyc_steps
from investors.forms import kyc_request
from investors.kyc_steps import ABOUT, ADDRESS, BY_SLUG, PERMANENT_PROOF, PROOF, Sheet
from investors.models import Document, KycRequest
from investors.operations import kyc, kyc_requests, kyc_sending, onboarding
from portal import clock
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import records
from portal.fintech_primitives.messages.kyc_requests import NewKycRequest
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import Case
from portal.notices.models import Notice
from tests import factories
from tests.control import SandboxControl
from tests.factories import files
from tests.investors import fresh_kyc
from tests.investors.applying import fresh
from tests.investors.fresh_kyc import PAN, SENT, Kind, at_fp, clean, send, sweep, upload, url
from tests.investors.test_fresh_kyc import PERMANENT
from tests.investors.test_kyc_requests import ABOUT as ANSWERS
from tests.investors.test_kyc_requests import ADDRESS as LIVES_AT
from tests.investors.test_kyc_requests import save
from tests.investors.test_refused_mandates import Raw

pytestmark = pytest.mark.django_db
HOME = "/kyc/"
ONE = "*/kyc_requests/*"
GONE = object()
# What FP's request has and no form of ours asks for, with the reason.
NOT_ASKED = {
    "email": "the verified address of the login",
    "residential_status": "only residents do their KYC here",
    "correspondence_address.country": "India",
    "permanent_address.country": "India",
}


# --- every field has a place ------------------------------------------------------------------------------------


def fields_of(message: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in message.model_fields.items():
        inner = _message_in(field.annotation)
        if inner:
            yield from fields_of(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def _message_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _message_in(each))), None)


FIELDS = sorted(fields_of(NewKycRequest))
BOTH = {"correspondence_address": {"line_1": "1"}, "permanent_address": {"line_1": "2"}}


def fields_on(slug: str) -> set[str]:
    form = kyc_request.ABOUT_FORMS.get(slug)
    return set(form().fields) if form else set(BY_SLUG[slug].files)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_fps_request_is_a_field_of_a_page_or_says_why_not(field: str) -> None:
    slug, ours = kyc_steps.place_of(field, BOTH)
    assert (ours in fields_on(slug)) != (field in NOT_ASKED)
    assert kyc_steps.is_at_no_field(field) == (field in NOT_ASKED and field != "email")


# --- every rule stands before FP's ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A rule of the document's tables: broken on our page, and broken in the body that FP is sent."""

    words: str
    slug: str
    typed: dict[str, Any]
    body: dict[str, Any]
    field: str


HOW = "correspondence_address"
ELSEWHERE = {"permanent_address_is_same_as_correspondence": False}
PASSPORT = {f"{HOW}.proof_type": "passport", f"{HOW}.proof_issue_date": "2019-10-20",
            f"{HOW}.proof_expiry_date": "2039-10-19"}  # fmt: skip


def mandatory(slug: str, fields: dict[str, str], more: dict[str, Any] | None = None) -> list[Rule]:
    """Without these neither of us takes it: FP's name -> ours."""
    typed = PERMANENT if more else {}
    return [Rule(f"{theirs} is mandatory", slug, {**typed, ours: ""}, {**(more or {}), theirs: GONE}, ours)
            for theirs, ours in fields.items()]  # fmt: skip


LIVES = {"line_1": "line1", "pincode": "pincode", "proof_type": "proof_type", "proof_number": "proof_number"}
TEMPLE_STREET = {
    "line_1": "5 Temple Street", "city": "Mumbai", "pincode": "400001", "country": "IN", "proof_type": "voter_id",
    "proof_number": "ABC1234567", "proof": "x", "proof_back": "x",
}  # fmt: skip
SECOND = {**ELSEWHERE, "permanent_address": TEMPLE_STREET}
RULES = [
    *mandatory(ABOUT, {"name": "name", "date_of_birth": "date_of_birth", "mobile": "mobile"}),
    *mandatory(ADDRESS, {f"{HOW}.{theirs}": ours for theirs, ours in LIVES.items()}),
    *mandatory(ADDRESS, {f"permanent_address.{theirs}": f"p_{ours}" for theirs, ours in LIVES.items()}, SECOND),
    Rule("a father or a spouse", ABOUT, {"father_name": "", "spouse_name": ""}, {"father_name": GONE}, "father_name"),
    Rule("a birthday is a date", ABOUT, {"date_of_birth": "31/02/1990"},
         {"date_of_birth": "1990-02-31"}, "date_of_birth"),
    Rule("a mobile in digits", ABOUT, {"mobile": "12345"}, {"mobile": {"isd": "+91", "number": "1234"}}, "mobile"),
    Rule("the last four of an Aadhaar", ABOUT, {"aadhaar_number": "12345"},
         {"aadhaar_number": "12345"}, "aadhaar_number"),
    Rule("a gender of the list", ABOUT, {"gender": "X"}, {"gender": "X"}, "gender"),
    Rule("a marital status of the list", ABOUT, {"marital_status": "X"}, {"marital_status": "X"}, "marital_status"),
    Rule("an occupation of the list", ABOUT, {"occupation_type": "X"}, {"occupation_type": "X"}, "occupation_type"),
    Rule("a country of birth of the list", ABOUT, {"country_of_birth": "XX"},
         {"country_of_birth": "XX"}, "country_of_birth"),
    Rule("a PIN code that there is", ADDRESS, {"pincode": "999999"}, {f"{HOW}.pincode": "999999"}, "pincode"),
    Rule("a city, which comes with the PIN code", ADDRESS, {"pincode": "999999"}, {f"{HOW}.city": GONE}, "pincode"),
    Rule("a proof of the list", ADDRESS, {"proof_type": "ration_card"},
         {f"{HOW}.proof_type": "ration_card"}, "proof_type"),
    Rule("a day of issue", ADDRESS, {"proof_issue_date": ""},
         {**PASSPORT, f"{HOW}.proof_issue_date": GONE}, "proof_issue_date"),
    Rule("a day of issue in the past", ADDRESS, {"proof_issue_date": "01/01/2039"},
         {**PASSPORT, f"{HOW}.proof_issue_date": "2039-01-01"}, "proof_issue_date"),
    Rule("a day of expiry", ADDRESS, {"proof_expiry_date": ""},
         {**PASSPORT, f"{HOW}.proof_expiry_date": GONE}, "proof_expiry_date"),
    Rule("a day of expiry in the future", ADDRESS, {"proof_expiry_date": "01/01/2020"},
         {**PASSPORT, f"{HOW}.proof_expiry_date": "2020-01-01"}, "proof_expiry_date"),
    Rule("a permanent address where it is another", ADDRESS, {"permanent_is_same": ""},
         ELSEWHERE, "permanent_is_same"),
    Rule("a PIN code of the permanent address that there is", ADDRESS, {**PERMANENT, "p_pincode": "999999"},
         {**SECOND, "permanent_address": {**TEMPLE_STREET, "pincode": "999999"}}, "p_pincode"),
]  # fmt: skip
NAMES = [rule.words for rule in RULES]


@pytest.fixture
def begun(db: None, sandbox: SandboxControl) -> KycRequest:
    """The essentials are there; nothing was sent."""
    sandbox.call("POST", "/pace", {"mode": "market"})
    investor = onboarding.begin(user=factories.UserFactory(), at=clock.now())
    kyc.check(investor=investor, pan=PAN, actor=investor.user, at=clock.now())
    row = kyc_requests.begin(investor=fresh(investor), actor=investor.user, at=clock.now())
    return save(row, ABOUT, ANSWERS)


@pytest.fixture
def confirmed(begun: KycRequest) -> KycRequest:
    """Everything is there and confirmed, and FP has the essentials."""
    row = sweep(begun)
    save(row, ADDRESS, LIVES_AT)
    for slug, kinds in SENT.items():
        save(row, slug, {}, {kind: clean(kind) for kind in kinds})
    return kyc_requests.confirm(request=row, actor=row.investor.user, at=clock.now(), declared="yes")


@pytest.fixture
def browser(begun: KycRequest, client_for: Callable[..., Client]) -> Client:
    return client_for(begun.investor)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_our_page_refuses_at_the_field_and_keeps_what_was_typed(browser: Client, rule: Rule) -> None:
    assert send(browser, rule.slug, **rule.typed).status_code == 303
    form = browser.get(url(rule.slug)).context["form"]
    assert rule.field in form.errors
    assert {name: form[name].value() for name in rule.typed} == rule.typed
    assert not at_fp()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_fps_own_refusal_lands_at_the_same_field(rule: Rule, sandbox: SandboxControl) -> None:
    body = deepcopy(GOOD)
    for path, value in rule.body.items():
        put(body, path, value)
    body = with_papers(body)
    found = [kyc_steps.place_of(each.field, body) for each in refused(body).fields]
    assert (rule.slug, rule.field) in found, found


GOOD: dict[str, Any] = {
    "name": "Asha Rao", "pan": PAN, "email": "asha@portal.example", "date_of_birth": "1990-05-17",
    "mobile": {"isd": "+91", "number": "9876543210"}, "father_name": "Mahesh Rao", "gender": "female",
    "marital_status": "unmarried", "occupation_type": "private_sector", "aadhaar_number": "1210",
    "country_of_birth": "IN", "residential_status": "resident_individual",
    "correspondence_address": {
        "line_1": "12 Residency Road", "city": "Bengaluru", "pincode": "560025", "country": "IN",
        "proof_type": "voter_id", "proof_number": "ABC1234567", "proof": "x", "proof_back": "x",
    },
    "permanent_address_is_same_as_correspondence": True,
}  # fmt: skip


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set, or take away, what stands under a dotted path."""
    section, _, name = path.rpartition(".")
    place = body[section] if section else body
    if value is GONE:
        place.pop(name, None)
    else:
        place[name] = deepcopy(value)


def with_papers(body: dict[str, Any]) -> dict[str, Any]:
    """A copy whose addresses name proofs that FP has."""
    made = deepcopy(body)
    for address in (made.get(each) for each in (HOW, "permanent_address")):
        for name in ("proof", "proof_back"):
            if address and name in address:
                address[name] = uploaded("image/png", 10)
    return made


def uploaded(media: str, size: int) -> str:
    """The id of a file of so many bytes at FP."""
    file = records.Upload(filename="f", content_type=media, content=bytes(size))
    return client().create_file(file, About()).id


def refused(body: dict[str, Any]) -> errors.Refused:
    raw: Any = Raw(body)
    with pytest.raises(errors.Refused) as error:
        client().create_kyc_request(raw, About())
    return error.value


# --- files ------------------------------------------------------------------------------------------------------


MB = 1024 * 1024
PAPERS = {
    "identity_proof": ("pan-card", Kind.IDENTITY_PROOF),
    "photo": ("photo", Kind.PHOTO),
    "signature": ("signature", Kind.SIGNATURE),
    f"{HOW}.proof": (PROOF, Kind.ADDRESS_FRONT),
    f"{HOW}.proof_back": (PROOF, Kind.ADDRESS_BACK),
    "permanent_address.proof": (PERMANENT_PROOF, Kind.PERMANENT_FRONT),
    "permanent_address.proof_back": (PERMANENT_PROOF, Kind.PERMANENT_BACK),
}
ALL_FILES = {**PAPERS, "ipv_video": ("video", Kind.IPV_VIDEO)}
GIF = b"GIF89a" + bytes(20)


@pytest.mark.parametrize("field", ALL_FILES)
@pytest.mark.parametrize("wrong", ["format", "size"])
def test_our_page_refuses_a_file_at_its_field(browser: Client, field: str, wrong: str) -> None:
    slug, kind = ALL_FILES[field]
    send(browser, ADDRESS, **PERMANENT)
    most = 12 if kind == Kind.IPV_VIDEO else 5
    good = files.video() if kind == Kind.IPV_VIDEO else files.picture()
    content = GIF if wrong == "format" else good + bytes(most * MB)
    assert browser.post(url(slug), {kind: upload(kind, content)}).status_code == 303
    said = browser.get(url(slug)).context["form"].errors[kind][0]
    assert f"at most {most} MB" in said if wrong == "size" else "Please" in said or "JPG" in said or "MP4" in said
    assert not Document.objects.exists()


@pytest.mark.parametrize("field", ALL_FILES)
@pytest.mark.parametrize("wrong", ["format", "size"])
def test_fps_own_refusal_of_a_file_lands_at_its_field(sandbox: SandboxControl, field: str, wrong: str) -> None:
    most, good = (12, "video/mp4") if field == "ipv_video" else (5, "image/png")
    media, size = ("text/plain", 10) if wrong == "format" else (good, most * MB + 1)
    body = with_papers({**GOOD, **SECOND} if field.startswith("permanent") else GOOD)
    put(body, field, uploaded(media, size))
    (said,) = refused(body).fields
    assert kyc_steps.place_of(said.field, body) == ALL_FILES[field]


def test_a_proof_needs_both_its_sides(sandbox: SandboxControl) -> None:
    for part in ("proof", "proof_back"):
        body = with_papers(GOOD)
        put(body, f"{HOW}.{part}", GONE)
        assert [kyc_steps.place_of(each.field, body) for each in refused(body).fields] == [ALL_FILES[f"{HOW}.{part}"]]


# --- the refusal arrives later, in the background ---------------------------------------------------------------

PLACED = sorted(field for field in FIELDS if field not in NOT_ASKED and not field.startswith("permanent_address."))


@pytest.mark.parametrize("field", PLACED)
def test_fps_words_stand_at_the_field_later_and_the_rest_is_kept(
    confirmed: KycRequest,
    sandbox: SandboxControl,
    client_for: Callable[..., Client],
    field: str,
) -> None:
    sandbox.fault(f"refuse:{field}", method="PATCH", path=ONE)
    row = sweep(confirmed)
    slug, ours = kyc_steps.place_of(field)
    assert (row.state, row.submitted_at, row.attempt, len(at_fp())) == ("PENDING", None, "", 1)
    assert kyc_requests.missing(kyc_requests.sheet_of(row)) == [slug]
    assert not Case.objects.exists()
    assert applications.of(row.investor).why == "kyc_papers"  # type: ignore[union-attr]
    told = Notice.objects.get(user=row.investor.user)
    assert (told.event, told.url) == ("kyc_request.given_back", reverse("investors:kyc"))
    browser = client_for(row.investor)
    home = browser.get(HOME)
    (item,) = [item for item in home.context["items"] if item["status"] == "failed"]
    assert (item["url"], "is not acceptable" in item["text"]) == (url(slug), True)
    page = browser.get(url(slug))
    form = page.context["form"]
    assert list(form.errors) == [ours]
    assert "is not acceptable" in form.errors[ours][0]
    if slug == ABOUT:
        assert (form["father_name"].value(), form["mobile"].value()) == ("Mahesh Rao", "9876543210")
    if slug == ADDRESS:
        assert (form["line1"].value(), form["proof_number"].value()) == ("12 Residency Road", "ABC1234567")


def test_a_file_that_fp_does_not_take_comes_back_with_its_reason_and_a_better_one_goes(
    confirmed: KycRequest,
    sandbox: SandboxControl,
    client_for: Callable[..., Client],
) -> None:
    sandbox.fault("refuse:file", path="*/files")
    row = sweep(confirmed)
    slug = kyc_requests.missing(kyc_requests.sheet_of(row))[0]
    (kind,) = kyc_complaints_at(row, slug)
    browser = client_for(row.investor)
    assert "is not acceptable" in browser.get(url(slug)).context["form"].errors[kind][0]
    assert browser.post(url(slug), {}).status_code == 303, "the same file is not sent again"
    assert browser.post(url(slug), {kind: upload(kind)}).status_code == 302
    fresh_kyc.confirm(browser)
    assert sweep(row).state == "SUBMITTED"


def kyc_complaints_at(row: KycRequest, slug: str) -> list[str]:
    return [each.field for each in kyc_complaints.by_step(kyc_requests.sheet_of(row))[slug]]


def test_the_essentials_are_refused_at_their_field_too(
    begun: KycRequest,
    sandbox: SandboxControl,
    client_for: Callable[..., Client],
) -> None:
    sandbox.fault("refuse:mobile.number", path="*/kyc_requests")
    row = sweep(begun)
    assert (row.state, row.due_at, row.provider_ref) == ("DRAFT", None, None)
    browser = client_for(row.investor)
    form = browser.get(url(ABOUT)).context["form"]
    assert list(form.errors) == ["mobile"]
    assert "Your mobile number was not accepted" in form.errors["mobile"][0]
    assert send(browser, ABOUT).status_code == 302
    assert sweep(row).state == "PENDING"


def test_the_address_of_the_login_is_said_to_be_changed_elsewhere(
    confirmed: KycRequest,
    sandbox: SandboxControl,
    client_for: Callable[..., Client],
) -> None:
    sandbox.fault("refuse:email", method="PATCH", path=ONE)
    row = sweep(confirmed)
    form = client_for(row.investor).get(url(ABOUT)).context["form"]
    assert list(form.errors) == ["__all__"]
    assert "the one that you sign in with" in form.non_field_errors()[0]
    assert not Case.objects.exists()


@pytest.mark.parametrize("field", ["umbrella", "residential_status", f"{HOW}.country"])
def test_what_no_form_asks_for_is_seen_by_ops_by_its_name_and_told_calmly(
    confirmed: KycRequest,
    sandbox: SandboxControl,
    client_for: Callable[..., Client],
    field: str,
) -> None:
    sandbox.fault(f"refuse:{field}", method="PATCH", path=ONE)
    row = sweep(confirmed)
    case = Case.objects.get(kind=kyc_sending.REFUSED_CASE)
    assert (case.subject_id, case.detail) == (str(row.pk), f"{field}: is not acceptable")
    browser = client_for(row.investor)
    slug = kyc_steps.place_of(field)[0]
    page = browser.get(url(slug) if slug else HOME).content.decode()
    assert "no step here asks for was not accepted" in page
    assert "Our team has been told" in page
    assert "umbrella" not in page
    # Whose turn it is: a step of theirs shows it as well, or our team alone can act.
    assert applications.of(row.investor).why == ("kyc_papers" if slug else "kyc_stopped")  # type: ignore[union-attr]
    assert Notice.objects.filter(event="kyc_request.given_back").exists() == bool(slug)


def test_several_at_once_stand_each_at_its_own(
    confirmed: KycRequest,
    client_for: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FP's own rules, with ours passed by."""
    good = kyc_gateway.whole

    def broken(sheet: Sheet) -> dict[str, Any]:
        body = good(sheet)
        body["aadhaar_number"], body[HOW]["pincode"] = "1", "999999"
        return body

    monkeypatch.setattr(kyc_gateway, "whole", broken)
    monkeypatch.setattr(NewKycRequest, "checked", classmethod(lambda cls, body: Raw(body)))
    row = sweep(confirmed)
    assert kyc_requests.missing(kyc_requests.sheet_of(row)) == [ABOUT, ADDRESS]
    browser = client_for(row.investor)
    for slug, field, words in ((ABOUT, "aadhaar_number", "last 4 digits"), (ADDRESS, "pincode", "known pincode")):
        assert words in browser.get(url(slug)).context["form"].errors[field][0]


def test_a_passport_that_runs_out_while_somebody_looks_comes_back_at_its_field_and_nothing_is_sent(
    confirmed: KycRequest, client_for: Callable[..., Client]
) -> None:
    answers = kyc_steps.answers_of(confirmed)
    answers[HOW] |= {"proof_type": "passport", "proof_issue_date": "2015-01-01", "proof_expiry_date": "2025-01-01"}
    confirmed.answers = json.dumps(answers)
    confirmed.save(update_fields=["answers"])
    row = sweep(confirmed)
    assert (row.state, row.attempt, row.submitted_at) == ("PENDING", "", None)
    form = client_for(row.investor).get(url(ADDRESS)).context["form"]
    assert list(form.errors) == ["proof_expiry_date"]
    assert "in the future" in form.errors["proof_expiry_date"][0]
    assert not at_fp()[0].correspondence_address
