"""Where an application stands: one answer for the investor's page, the queue and the panel, with its clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from investors import applications, lifecycle
from investors.models import PAN_INDEX, Application, Investor
from portal import clock, roles, scope
from portal.encryption import blind_index
from tests import factories

pytestmark = pytest.mark.django_db


def no_from_the_registries(investor: Investor, reason: str = "unavailable") -> Investor:
    factories.KycCheckFactory(investor=investor, is_compliant=False, reason=reason)
    return investor


def draft(**given: object) -> Investor:
    return factories.InvestorFactory(given_pan="BHRPM3753D", **given)


def with_kyc(state: str, **given: object) -> Investor:
    investor = no_from_the_registries(draft())
    factories.KycRequestFactory(investor=investor, state=state, **given)
    return investor


NOW = clock.now
CASES = {
    "filling_in": lambda: factories.InvestorFactory(),
    "kyc_refused": lambda: no_from_the_registries(draft()),
    "registry_works": lambda: no_from_the_registries(draft(), reason="underprocess"),
    "kyc_papers": lambda: with_kyc("PENDING"),
    "kyc_desk": lambda: with_kyc("PENDING", submitted_at=NOW(), approved_at=None),
    "kyc_sent": lambda: with_kyc("SUBMITTED", submitted_at=NOW()),
    "kyc_stopped": lambda: with_kyc("PENDING", refusal=[{"field": "umbrella", "message": "no", "step": ""}]),
    "kyc_rejected": lambda: with_kyc("REJECTED", submitted_at=NOW(), decided_at=NOW()),
    "kyc_expired": lambda: with_kyc("EXPIRED"),
    "registries_follow": lambda: with_kyc("SUCCESSFUL", submitted_at=NOW(), decided_at=NOW()),
    "registering": lambda: draft(state=lifecycle.REGISTERING, due_at=NOW()),
    "registration_stopped": lambda: draft(state=lifecycle.REGISTERING, refusal=[{"field": "", "message": "no"}]),
    "registration_refused": lambda: draft(
        state=lifecycle.REGISTERING, refusal=[{"field": "contact_detail.mobile", "message": "no"}]
    ),
    "ready": lambda: factories.ReadyInvestorFactory(),
}


@pytest.mark.parametrize("why", CASES)
def test_each_situation_has_one_answer(why):
    investor = CASES[why]()
    found = applications.of(investor)
    assert found is not None
    assert found.why == why
    assert found.is_open == (why != "ready")


def test_every_answer_of_the_view_has_words():
    assert set(CASES) | {"invited"} == set(applications.WORDS)


def test_papers_that_were_confirmed_and_not_yet_taken_are_being_checked():
    assert applications.of(with_kyc("PENDING", submitted_at=NOW())).why == "kyc_sent"


def test_an_answer_about_an_earlier_pan_says_nothing_about_this_one():
    investor = no_from_the_registries(draft())
    investor.set_pan("CHTPN3751E")
    investor.save()
    assert applications.of(investor).why == "filling_in"


def test_a_pan_that_a_client_has_reads_like_any_other():
    """A stranger who types it learns what the registries say, and nothing else."""
    client = draft()
    stranger = factories.InvestorFactory()
    stranger.pan, stranger.pan_index = client.pan, None
    stranger.save()
    factories.KycCheckFactory(investor=stranger, pan_index=client.pan_index, is_compliant=False, reason="unavailable")
    assert applications.of(stranger).why == applications.of(no_from_the_registries(client)).why == "kyc_refused"


def test_for_a_child_the_answer_about_the_guardian_counts():
    child = factories.InvestorFactory(kind="MINOR")
    child.put_kyc_pan("VEEPR1234C", index=blind_index("VEEPR1234C", PAN_INDEX))
    child.save()
    about = {"investor": child, "pan_index": child.guardian_pan_index}
    factories.KycCheckFactory(**about, is_compliant=False, reason="unavailable")
    assert applications.of(child).why == "kyc_refused"
    factories.KycCheckFactory(**about, is_compliant=True)
    assert applications.of(child).why == "filling_in"


def test_an_open_invitation_stands_in_the_queue_until_it_is_used_or_withdrawn():
    invite = factories.InviteFactory()
    found = Application.objects.get(invite=invite)
    assert (found.stage, found.until) == ("INVITED", invite.expires_at)
    invite.revoked_at = NOW()
    invite.save()
    assert not Application.objects.filter(invite=invite).exists()


def test_the_clock_says_since_when_and_until_when():
    at = NOW()
    investor = with_kyc("PENDING", created_at=at - timedelta(days=3), expires_at=at + timedelta(days=4))
    found = applications.of(investor)
    assert applications.clock_of(found, at) == f"for 3 days, until {at + timedelta(days=4):%-d %b %Y}"
    assert not applications.is_late(found, at)
    assert applications.is_late(found, at + timedelta(days=4, hours=1)), "its time has run out"


def test_what_stands_longer_than_usual_is_late_in_the_queue_and_on_the_row_alike():
    at = NOW()
    for age in (timedelta(days=4), timedelta(days=6)):
        investor = no_from_the_registries(draft_at(age))
        factories.KycRequestFactory(investor=investor, state="SUBMITTED", created_at=at - age, submitted_at=at - age)
    rows = Application.objects.filter(why="kyc_sent")
    assert [applications.is_late(row, at) for row in rows.order_by("-since")] == [False, True]
    assert rows.filter(applications.late(at)).count() == 1


def draft_at(age: timedelta) -> Investor:
    return factories.InvestorFactory(given_pan=f"BHRPM{4000 + age.days}D"[:10])


def test_the_first_page_of_the_investor_says_it():
    investor = with_kyc("SUBMITTED", submitted_at=NOW())
    client = Client()
    client.force_login(investor.user)
    text = client.get(reverse("home")).content.decode()
    assert "Your KYC is being checked" in text
    assert "We are checking since today" in text


def test_nobody_sees_where_somebody_else_stands():
    mine, other = CASES["kyc_refused"](), factories.InvestorFactory()
    factories.InviteFactory()
    with scope.scope(f"user:{mine.user_id}"):
        assert [row.investor_id for row in Application.objects.all()] == [mine.pk]
    with scope.scope(scope.NONE):
        assert not Application.objects.exists()
    assert other.pk


# --- the queue ---------------------------------------------------------------------------------------------------


@pytest.fixture
def viewer() -> Client:
    user = factories.UserFactory()
    roles.grant(user, roles.VIEWER)
    client = Client()
    client.force_login(user)
    return client


def queue(client: Client, **query: str) -> list[Application]:
    return list(client.get(reverse("admin:investors_application_changelist"), query).context["cl"].result_list)


def test_the_queue_is_by_stage_and_age_and_without_those_who_are_ready(viewer):
    at = NOW()
    old, new = CASES["kyc_rejected"](), draft_at(timedelta(days=1))
    old.kycrequests.update(state_since=at - timedelta(days=9))
    factories.InviteFactory()
    factories.ReadyInvestorFactory()
    assert [row.why for row in queue(viewer)] == ["kyc_rejected", "filling_in", "invited"]
    assert [row.investor for row in queue(viewer, stage__exact="YOU_ACT")] == [old]
    assert [row.investor for row in queue(viewer, late="1")] == [old]
    assert new.pk
    panel = {each.title: each for each in viewer.get(reverse("admin:index")).context["panels"]}["Applications"]
    assert [row[1:3] for row in panel.rows] == [["1", "0"], ["1", "0"], ["1", "1"]]


def test_while_anything_is_the_investors_to_correct_it_is_their_turn():
    theirs, ours = {"field": "name", "message": "no"}, {"field": "umbrella", "message": "no", "step": ""}
    found = applications.of(with_kyc("PENDING", refusal=[theirs, ours]))
    assert found is not None
    assert found.why == "kyc_papers"
