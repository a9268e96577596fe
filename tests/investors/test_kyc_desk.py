"""The desk's own yes to a fresh KYC, and sending one again: two persons, and FP hears of it only then."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from investors import applications, lifecycle
from investors.models import KycRequest
from investors.operations import kyc_desk, kyc_requests
from portal import clock, roles
from portal.models import User
from tests import factories
from tests.investors.fresh_kyc import PAN, fill_in, newest, sweep
from tests.investors.fresh_kyc import confirm as send_it

pytestmark = pytest.mark.django_db
REASON = "Compared letter by letter"


def person(role: str) -> User:
    user = factories.UserFactory()
    roles.grant(user, role)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def applicant(db: None):
    """The registries do not know the PAN."""
    investor = factories.InvestorFactory(given_pan=PAN, name="Asha Rao")
    factories.KycCheckFactory(investor=investor, is_compliant=False, reason="unavailable")
    return investor


@pytest.fixture
def browser(applicant) -> Client:
    client = Client()
    client.force_login(applicant.user)
    return client


def confirm(browser: Client) -> None:
    fill_in(browser)
    settle()
    send_it(browser)


def settle() -> None:
    """What the sweep would do within a minute."""
    for row in KycRequest.objects.all():
        sweep(row)


request_of = newest


def approve(row: KycRequest, actor: User) -> KycRequest:
    return kyc_desk.approve(request_id=row.pk, actor=actor, reason=REASON, at=clock.now())


def test_with_the_desk_nothing_confirmed_leaves_before_its_yes(sandbox, settings, applicant, browser):
    settings.KYC_DESK_APPROVES = True
    confirm(browser)
    settle()
    row = request_of(applicant)
    assert (row.state, row.approved_at) == (lifecycle.PENDING, None)
    assert not applicant.documents.exclude(provider_ref=None).exists(), "no paper has left"
    assert applications.of(applicant).why == "kyc_desk"
    said = browser.get(reverse("investors:kyc")).content.decode()
    assert "Somebody of ours compares your papers" in said
    assert "takes a minute" not in said
    approve(row, person(roles.CHECKER))
    settle()
    row.refresh_from_db()
    assert row.state == lifecycle.SUBMITTED
    assert applications.of(applicant).why == "kyc_sent"


def test_a_paper_that_the_desk_asks_for_again_gives_the_request_back(sandbox, settings, applicant, browser):
    settings.KYC_DESK_APPROVES = True
    confirm(browser)
    settle()
    row = request_of(applicant)
    kyc_requests.ask_again(
        request=row, kind="PHOTO", code="document_unclear", actor=person(roles.MAKER), reason=REASON, at=clock.now()
    )
    row.refresh_from_db()
    assert row.submitted_at is None
    assert applications.of(applicant).why == "kyc_papers"
    with pytest.raises(kyc_desk.NotWaiting):
        approve(row, person(roles.CHECKER))


def test_without_the_desk_it_goes_at_once(sandbox, applicant, browser):
    confirm(browser)
    settle()
    row = request_of(applicant)
    assert row.state == lifecycle.SUBMITTED
    assert row.approved_at
    assert row.approved_by is None


def test_whoever_had_a_hand_in_it_does_not_approve(applicant):
    row = factories.KycRequestFactory(investor=applicant, state="PENDING", submitted_at=clock.now(), approved_at=None)
    sender, inviter, other = (person(roles.CHECKER) for _ in range(3))
    factories.DocumentFactory(investor=applicant, sent_by=sender)
    factories.InviteFactory(investor=applicant, invited_by=inviter)
    for one in (sender, inviter, applicant.user):
        with pytest.raises(kyc_desk.SecondPerson):
            approve(row, one)
    assert approve(row, other).approved_by == other


def test_a_yes_is_about_the_papers_that_were_looked_at(applicant):
    row = factories.KycRequestFactory(investor=applicant, state="PENDING", submitted_at=clock.now(), approved_at=None)
    photo = factories.DocumentFactory(investor=applicant, kind="PHOTO")
    before = kyc_desk.rests_on(row)
    photo.replaced_at = clock.now()
    photo.save()
    factories.DocumentFactory(investor=applicant, kind="PHOTO")
    assert kyc_desk.rests_on(row) != before


@pytest.fixture
def rejected(applicant) -> KycRequest:
    return factories.KycRequestFactory(
        investor=applicant, state="REJECTED", submitted_at=clock.now(), decided_at=clock.now()
    )


def test_what_is_incomplete_is_not_sent_again(rejected):
    with pytest.raises(kyc_desk.NotWaiting, match="Something is missing"):
        kyc_desk.resubmit(request=rejected, actor=person(roles.MAKER), reason=REASON, at=clock.now())
    assert KycRequest.objects.count() == 1


def test_a_rejection_that_is_plainly_wrong_is_sent_again_by_two_persons(sandbox, applicant, browser):
    confirm(browser)
    settle()
    first = request_of(applicant)
    KycRequest.objects.filter(pk=first.pk).update(state="REJECTED", decided_at=clock.now(), due_at=None)
    first.refresh_from_db()
    maker, checker = person(roles.MAKER), person(roles.CHECKER)
    made = kyc_desk.resubmit(request=first, actor=maker, reason="The picture is sharp", at=clock.now())
    settle()
    made.refresh_from_db()
    assert (made.state, made.provider_ref, made.previous) == (lifecycle.DRAFT, None, first)
    with pytest.raises(kyc_desk.SecondPerson):
        approve(made, maker)
    approve(made, checker)
    settle()
    made.refresh_from_db()
    assert made.state == lifecycle.SUBMITTED
    assert made.provider_ref != first.provider_ref


def test_the_database_wants_two_persons_for_what_is_sent_again(rejected):
    maker = person(roles.MAKER)
    row = factories.KycRequestFactory(
        investor=factories.InvestorFactory(),
        state="PENDING",
        submitted_at=clock.now(),
        approved_at=None,
        resent_by=maker,
    )
    for wrong in ({"approved_at": clock.now()}, {"approved_at": clock.now(), "approved_by": maker}):
        with pytest.raises(IntegrityError), transaction.atomic():
            KycRequest.objects.filter(pk=row.pk).update(**wrong)


def test_the_desk_finds_what_waits_for_it(applicant):
    waiting = factories.KycRequestFactory(
        investor=applicant, state="PENDING", submitted_at=clock.now(), approved_at=None
    )
    factories.KycRequestFactory(investor=factories.InvestorFactory(), state="PENDING")
    client = Client()
    client.force_login(person(roles.CHECKER))
    page = client.get(reverse("admin:investors_kycrequest_changelist"), {"desk": "1"})
    assert list(page.context["cl"].result_list) == [waiting]
    detail = client.get(reverse("admin:investors_kycrequest_change", args=[waiting.pk])).content.decode()
    assert "Approve and send" in detail
    assert "to be approved" in detail
