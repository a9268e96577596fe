"""Sending a fresh KYC: one request at FP, every paper there, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from investors import kyc_gateway, lifecycle
from investors.models import Document, Investor, KycRequest
from investors.operations import documents, kyc, kyc_requests, kyc_sending, onboarding
from portal import clock
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import kyc_requests as said
from portal.gateway.journal import About
from portal.models import Case, GatewayCall
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import fresh
from tests.investors.fresh_kyc import PAN, SENT, Kind, at_fp, clean, newest, sweep
from tests.sleeping import GUARDS, put_to_sleep, while_asleep

pytestmark = pytest.mark.django_db

REQUESTS, ONE, FILES = "*/kyc_requests", "*/kyc_requests/*", "*/files"
ABOUT = {
    "name": "Asha Rao",
    "date_of_birth": "1990-05-17",
    "father_name": "Mahesh Rao",
    "gender": "female",
    "marital_status": "unmarried",
    "occupation_type": "private_sector",
    "aadhaar_number": "1210",
    "country_of_birth": "IN",
    "mobile": "9876543210",
}
ADDRESS = {
    "correspondence_address": {
        "line_1": "12 Residency Road",
        "city": "Bengaluru",
        "pincode": "560025",
        "country": "IN",
        "proof_type": "voter_id",
        "proof_number": "ABC1234567",
    }
}
AFTER_EFFECT = ["status:500", "html_200", "truncated", "empty_200", "wrong_types", "close_half_way", "reset", "hang"]


@pytest.fixture
def applicant(db: None, sandbox: SandboxControl) -> Investor:
    sandbox.call("POST", "/pace", {"mode": "market"})
    investor = onboarding.begin(user=factories.UserFactory(), at=clock.now())
    kyc.check(investor=investor, pan=PAN, actor=investor.user, at=clock.now())
    return fresh(investor)


@pytest.fixture
def begun(applicant: Investor) -> KycRequest:
    """The essentials are there; nothing was sent."""
    row = kyc_requests.begin(investor=applicant, actor=applicant.user, at=clock.now())
    return save(row, "about", ABOUT)


@pytest.fixture
def confirmed(begun: KycRequest) -> KycRequest:
    """Everything is there and confirmed, and FP has the essentials."""
    row = sweep(begun)
    save(row, "address", ADDRESS)
    for slug, kinds in SENT.items():
        save(row, slug, {}, {kind: clean(kind) for kind in kinds})
    return kyc_requests.confirm(request=row, actor=row.investor.user, at=clock.now(), declared="yes")


def save(row: KycRequest, slug: str, values: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> KycRequest:
    actor = row.investor.user
    return kyc_requests.save_step(request=row, slug=slug, values=values, files=files or {}, actor=actor, at=clock.now())


def decide(row: KycRequest, status: str) -> None:
    client().simulate_kyc_request(row.provider_ref or "", said.KycStatus(status), About())


def advance(row: KycRequest) -> KycRequest:
    kyc_sending.advance(request_id=row.pk, at=clock.now())
    return KycRequest.objects.get(pk=row.pk)


def test_the_essentials_go_first_and_bring_fps_clock_and_list(begun: KycRequest) -> None:
    row = sweep(begun)
    assert (row.state, row.attempt, [each.id for each in at_fp()]) == ("PENDING", "", [row.provider_ref])
    assert row.expires_at is not None
    assert set(row.fields_needed) == {"correspondence_address", "identity_proof", "ipv_video", "signature", "photo"}


def test_papers_and_the_rest_follow_one_call_an_attempt(confirmed: KycRequest) -> None:
    row = sweep(confirmed)
    assert row.state == "SUBMITTED"
    assert {each.provider_ref for each in Document.objects.all()} == {each.id for each in client().list_files()}
    assert row.attempt_no == 1 + 6 + 1  # the essentials, six papers, the rest


@pytest.mark.parametrize("mode", AFTER_EFFECT)
def test_a_lost_answer_makes_no_second_request(
    begun: KycRequest, sandbox: SandboxControl, mode: str, settings: Any
) -> None:
    sandbox.fault(mode, path=REQUESTS, when="after", delay_s=3.5 if mode == "hang" else 0)
    row = advance(begun)
    assert row.is_unknown
    row = sweep(row, minutes=20)
    assert (row.state, [each.id for each in at_fp()]) == ("PENDING", [row.provider_ref])


def test_without_the_look_before_sending_there_would_be_two(
    begun: KycRequest, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kyc_gateway, "find_open", lambda sheet: None)
    sandbox.fault("status:500", path=REQUESTS, when="after")
    sweep(advance(begun), minutes=20)
    assert len(at_fp()) == 2


def test_a_list_that_lags_makes_no_second_request(begun: KycRequest, sandbox: SandboxControl) -> None:
    sandbox.fault("status:500", path=REQUESTS, when="after")
    row = advance(begun)
    sandbox.fault("status:500", method="GET", path=REQUESTS, times=3)
    row = sweep(row, minutes=3)
    assert (row.state, len(at_fp())) == ("PENDING", 1)


def test_what_was_never_taken_is_sent_again_once_the_look_ups_are_sure(
    begun: KycRequest, sandbox: SandboxControl
) -> None:
    sandbox.fault("status:500", path=REQUESTS, when="before")
    row = advance(begun)
    assert sweep(row, minutes=4).is_unknown
    assert sweep(row, minutes=20).state == "PENDING"
    assert len(at_fp()) == 1


def test_two_workers_send_one_request(begun: KycRequest) -> None:
    taken = kyc_sending._take(begun.pk, clock.now())
    assert taken is not None
    advance(begun)  # the other worker finds the lease held
    assert at_fp() == []
    assert KycRequest.objects.get(pk=begun.pk).attempt_no == 1


@pytest.mark.parametrize("path", [FILES, ONE])
@pytest.mark.parametrize("mode", ["status:500", "truncated", "reset"])
def test_a_lost_answer_about_a_paper_or_the_rest_is_settled_by_itself(
    confirmed: KycRequest, sandbox: SandboxControl, mode: str, path: str
) -> None:
    sandbox.fault(mode, method="POST" if path == FILES else "PATCH", path=path, when="after", times=2)
    row = sweep(confirmed, minutes=20)
    assert (row.state, len(at_fp())) == ("SUBMITTED", 1)
    refs = {each.id for each in client().list_files()}
    assert {each.provider_ref for each in Document.objects.all()} <= refs


def test_fps_own_no_lands_at_the_right_step_and_the_request_can_be_sent_again(
    confirmed: KycRequest, sandbox: SandboxControl
) -> None:
    """The rule of the form is passed by here: FP itself must refuse, and its words must find the field."""
    confirmed.answers = confirmed.answers.replace("560025", "999999")
    confirmed.save(update_fields=["answers"])
    row = sweep(confirmed)
    assert (row.state, row.submitted_at) == ("PENDING", None)
    assert kyc_requests.missing(kyc_requests.sheet_of(row)) == ["address"]
    assert [each["field"] for each in row.refusal] == ["correspondence_address.pincode"]
    save(row, "address", ADDRESS)
    kyc_requests.confirm(request=row, actor=row.investor.user, at=clock.now(), declared="yes")
    assert sweep(row).state == "SUBMITTED"


def test_what_fp_still_misses_after_everything_comes_back_to_the_investor(confirmed: KycRequest) -> None:
    Document.objects.filter(kind=Kind.PHOTO).update(kind=Kind.MANDATE_FORM)
    row = sweep(confirmed)
    assert (row.state, row.submitted_at, row.fields_needed) == ("PENDING", None, ["photo"])
    assert kyc_requests.missing(kyc_requests.sheet_of(row)) == ["photo"]


def test_incomplete_papers_are_not_confirmed(begun: KycRequest) -> None:
    with pytest.raises(kyc_requests.Incomplete):
        kyc_requests.confirm(request=begun, actor=begun.investor.user, at=clock.now(), declared="yes")


def test_an_expired_request_begins_again_with_the_same_answers(begun: KycRequest, sandbox: SandboxControl) -> None:
    row = sweep(begun)
    sandbox.advance("P8D")
    row = sweep(row)
    assert (row.state, row.due_at) == ("EXPIRED", None)
    second = kyc_requests.begin(investor=row.investor, actor=row.investor.user, at=clock.now())
    assert second.previous == row
    assert kyc_requests.sheet_of(second).answers["father_name"] == "Mahesh Rao"
    save(second, "about", ABOUT)
    assert sweep(second).provider_ref != row.provider_ref


def test_beginning_twice_is_one_request(applicant: Investor) -> None:
    first, second = (kyc_requests.begin(investor=applicant, actor=applicant.user, at=clock.now()) for _ in range(2))
    assert first == second
    assert KycRequest.objects.count() == 1


def test_after_a_success_the_registries_are_asked_until_they_say_yes(
    confirmed: KycRequest, sandbox: SandboxControl
) -> None:
    row = sweep(confirmed)
    decide(row, "successful")
    sandbox.fault("status:500", path="*/kyc/check", times=4)
    row = KycRequest.objects.get(pk=row.pk)
    kyc_requests.refresh(request_id=row.pk, at=clock.now())
    with pytest.raises(Exception, match="OutcomeUnknown|Unreachable"):
        kyc_sending.advance(request_id=row.pk, at=clock.now())
    assert KycRequest.objects.get(pk=row.pk).due_at is not None
    sandbox.no_faults()
    at_fp()
    assert sweep(row).due_at is None
    assert fresh(row.investor).kycchecks.order_by("-id")[0].is_compliant


def test_registries_that_never_follow_become_a_case(confirmed: KycRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    row = sweep(confirmed)
    decide(row, "successful")
    no = factories.KycCheckFactory.build(is_compliant=False)
    monkeypatch.setattr(kyc_requests.kyc, "recheck", lambda **_: no)
    row = sweep(row)
    assert (row.state, row.due_at is not None) == ("SUCCESSFUL", True)
    kyc_requests.finish(request_id=row.pk, at=clock.now() + timedelta(days=3, minutes=1))
    assert Case.objects.filter(kind=kyc_requests.STILL_NOT_CASE).exists()


@pytest.mark.parametrize(("state", "news"), [("SUCCESSFUL", "rejected"), ("REJECTED", "successful")])
def test_what_cannot_both_be_true_is_a_case_and_changes_nothing(begun: KycRequest, state: str, news: str) -> None:
    row = sweep(begun)
    row.state = state
    row.save()
    snapshot = kyc_requests.Snapshot(row.provider_ref or "", kyc_gateway.STATES[said.KycStatus(news)])
    kyc_requests.absorb(request_id=row.pk, snapshot=snapshot, at=clock.now(), source="test")
    assert KycRequest.objects.get(pk=row.pk).state == state
    assert Case.objects.filter(kind=kyc_requests.CONFLICT_CASE).exists()


def test_what_was_decided_and_told_is_not_told_again(confirmed: KycRequest) -> None:
    row = sweep(confirmed)
    decide(row, "rejected")
    row = sweep(row)
    again = kyc_requests.Snapshot(row.provider_ref or "", lifecycle.REJECTED)
    kyc_requests.absorb(request_id=row.pk, snapshot=again, at=clock.now(), source="test")
    assert KycRequest.objects.get(pk=row.pk).due_at is None
    assert len(mail.outbox) == 1


def test_late_news_takes_nothing_back(confirmed: KycRequest) -> None:
    row = sweep(confirmed)
    late = kyc_requests.Snapshot(row.provider_ref or "", lifecycle.PENDING, None, ("photo",))
    kyc_requests.absorb(request_id=row.pk, snapshot=late, at=clock.now(), source="test")
    row = KycRequest.objects.get(pk=row.pk)
    assert (row.state, row.fields_needed) == ("SUBMITTED", [])


# --- the desk asks for a paper again ------------------------------------------------------------------------------


def test_the_desk_asks_for_a_paper_again_and_a_better_one_answers_it(begun: KycRequest) -> None:
    row = sweep(begun)
    save(row, "photo", {}, {Kind.PHOTO: clean(Kind.PHOTO)})
    ask = {"request": row, "kind": Kind.PHOTO, "actor": row.investor.user, "reason": "a hat", "at": clock.now()}
    with pytest.raises(documents.NoReason):
        kyc_requests.ask_again(**ask, code="ugly")
    kyc_requests.ask_again(**ask, code="cut_off")
    assert "photo" in kyc_requests.missing(kyc_requests.sheet_of(row))
    save(row, "photo", {}, {Kind.PHOTO: clean(Kind.PHOTO)})
    assert "photo" not in kyc_requests.missing(kyc_requests.sheet_of(newest(row.investor)))


def test_nothing_is_asked_again_once_it_was_confirmed(confirmed: KycRequest) -> None:
    with pytest.raises(kyc_requests.NotEditable):
        kyc_requests.ask_again(
            request=confirmed,
            kind=Kind.PHOTO,
            code="cut_off",
            actor=confirmed.investor.user,
            reason="x",
            at=clock.now(),
        )


# --- a worker that slept past its lease -------------------------------------------------------------------------


def asleep(monkeypatch: pytest.MonkeyPatch, method: str, row: KycRequest, *, fence: bool) -> list[int]:
    """Somebody claims and sleeps before this call, others take over; then it wakes. The attempts that called."""
    sweep_at = while_asleep(lambda at: kyc_sending.advance(request_id=row.pk, at=at))
    awake = put_to_sleep(monkeypatch, method, sweep_at, fence=fence)
    advance(row)
    return awake


@GUARDS
def test_a_request_is_made_once(fence: bool, begun: KycRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asleep(monkeypatch, "create_kyc_request", begun, fence=fence) == [1, 2], "somebody else took over meanwhile"
    assert len(at_fp()) == (1 if fence else 2)


@GUARDS
def test_a_paper_is_uploaded_once(fence: bool, confirmed: KycRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    awake = asleep(monkeypatch, "create_file", confirmed, fence=fence)
    assert awake == [2, 3, 4, 5], "somebody else took over meanwhile, and has sent three papers"
    assert len(client().list_files()) == (3 if fence else 4)


@GUARDS
def test_the_rest_is_sent_once(fence: bool, confirmed: KycRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        advance(confirmed)
    awake = asleep(monkeypatch, "update_kyc_request", confirmed, fence=fence)
    assert awake == [8, 9], "somebody else took over meanwhile"
    assert GatewayCall.objects.filter(method="PATCH").count() == (1 if fence else 2)
    assert KycRequest.objects.get().state == "SUBMITTED"
