"""Asking the KYC registries: what is kept, what is claimed, and what happens when nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from investors import queries
from investors.models import Investor, KycCheck
from investors.operations import kyc, onboarding, registration
from portal import clock
from portal.errors import InvalidInput
from portal.models import Case, GatewayCall
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def applicant(db: None) -> Investor:
    return onboarding.begin(user=factories.UserFactory(), at=clock.now())


def check(investor: Investor, pan: str, **changes: Any) -> KycCheck:
    return kyc.check(**{"investor": investor, "pan": pan, "actor": investor.user, "at": clock.now(), **changes})


def test_keeps_answer_date_and_raw_words_encrypted(applicant: Investor, sandbox: SandboxControl) -> None:
    answer = check(applicant, "ASHPR3751C")
    assert (answer.is_compliant, answer.investment_limit) == (True, None)
    assert answer.verbatim == "kra-cams: Y|ASHPR3751C|KS100"
    with connection.cursor() as cursor:
        cursor.execute("SELECT verbatim FROM investors_kyccheck")
        assert "ASHPR3751C" not in cursor.fetchone()[0]
        cursor.execute("SELECT pan FROM investors_investor")
        assert "ASHPR3751C" not in cursor.fetchone()[0]
    assert queries.profile(fresh(applicant)).kyc_of_this_pan == answer


def test_keeps_the_limit_that_comes_with_a_status(applicant: Investor, sandbox: SandboxControl) -> None:
    assert check(applicant, "ASHPR3759C").investment_limit == Decimal(50_000)


@pytest.mark.parametrize(("pan", "reason"), [("ASHPR3753C", "unavailable"), ("ASHPA3751C", "incomplete")])
def test_keeps_a_no_with_its_reason(applicant: Investor, sandbox: SandboxControl, pan: str, reason: str) -> None:
    answer = check(applicant, pan)
    assert (answer.is_compliant, answer.reason) == (False, reason)


FAULTS = ["status:500", "html_200", "truncated", "wrong_types", "close_half_way", "status:429", "reset"]


@pytest.mark.parametrize("mode", FAULTS)
def test_keeps_the_pan_when_the_registry_does_not_answer(
    applicant: Investor, sandbox: SandboxControl, mode: str
) -> None:
    sandbox.fault(mode, path="*/kyc/check", times=10)
    with pytest.raises(kyc.RegistrySilent):
        check(applicant, "ASHPR3751C")
    kept = fresh(applicant)
    assert (kept.pan, kept.pan_index) == ("ASHPR3751C", None)
    assert not KycCheck.objects.exists()
    sandbox.no_faults()
    assert check(kept, kept.pan).is_compliant


def test_a_pan_of_another_investor_is_answered_as_any_other_and_not_claimed(
    applicant: Investor, sandbox: SandboxControl
) -> None:
    owner = factories.ReadyInvestorFactory(given_pan="ASHPR3751C", name="Asha Rao")
    assert check(applicant, "ASHPR3751C").is_compliant
    assert fresh(applicant).pan_index is None
    assert queries.checklist(fresh(applicant))[0].is_done
    assert fresh(owner).pan_index
    assert not Case.objects.exists(), "a case would be more work than for a PAN that nobody has"


def test_its_registration_stops_before_anything_is_sent_and_people_are_told(
    applicant: Investor, sandbox: SandboxControl
) -> None:
    owner = factories.ReadyInvestorFactory(given_pan="ASHPR3751C", name="Asha Rao")
    check(applicant, "ASHPR3751C")
    Investor.objects.filter(pk=applicant.pk).update(state="REGISTERING", due_at=clock.now())
    before = GatewayCall.objects.count()
    registration.advance(investor_id=applicant.pk, at=clock.now())
    stopped = fresh(applicant)
    assert (stopped.state, stopped.due_at, stopped.pan_index) == ("REGISTERING", None, None)
    assert GatewayCall.objects.count() == before
    case = Case.objects.get(kind=registration.PAN_TAKEN_CASE)
    assert "ASHPR3751C" not in case.title + case.detail
    assert fresh(owner).state == "READY"
    # The other one turned out to be a mistake; the registration goes on and claims the PAN.
    Investor.objects.filter(pk=owner.pk).update(pan_index=None, state="DRAFT")
    registration.register_again(investor_id=applicant.pk, actor=owner.user, reason="sorted out", at=clock.now())
    row = fresh(applicant)
    assert kyc.claim(row)
    assert row.pan_index


def test_only_ten_checks_a_day(applicant: Investor, sandbox: SandboxControl) -> None:
    for _ in range(10):
        check(applicant, "ASHPR3753C")
    with pytest.raises(kyc.TooManyChecks):
        check(applicant, "ASHPR3751C")
    assert KycCheck.objects.count() == 10
    assert check(applicant, "ASHPR3751C", at=clock.now() + timedelta(days=1, seconds=1)).is_compliant


def test_another_pan_asks_for_the_person_again_and_keeps_the_rest(applicant: Investor, sandbox: SandboxControl) -> None:
    check(applicant, "ASHPR3751C")
    Investor.objects.filter(pk=applicant.pk).update(name="Asha Rao", date_of_birth="1990-05-17", occupation="DOCTOR")
    check(applicant, "BSHPR3751C")
    kept = fresh(applicant)
    assert (kept.name, kept.date_of_birth, kept.occupation) == ("", None, "DOCTOR")
    assert queries.checklist(kept)[0].is_done
    assert not queries.checklist(kept)[1].is_done


def test_the_same_pan_again_resets_nothing(applicant: Investor, sandbox: SandboxControl) -> None:
    check(applicant, "ASHPR3751C")
    Investor.objects.filter(pk=applicant.pk).update(name="Asha Rao")
    check(applicant, "ASHPR3751C")
    assert fresh(applicant).name == "Asha Rao"


def test_the_answer_about_an_earlier_pan_counts_for_nothing(applicant: Investor, sandbox: SandboxControl) -> None:
    check(applicant, "ASHPR3751C")
    sandbox.fault("status:500", path="*/kyc/check", times=10)
    with pytest.raises(kyc.RegistrySilent):
        check(applicant, "BSHPR3751C")
    assert queries.latest_kyc(applicant) is not None
    assert queries.profile(fresh(applicant)).kyc_of_this_pan is None
    assert not queries.checklist(fresh(applicant))[0].is_done


def test_a_registered_investor_cannot_change_the_pan(asha: Investor) -> None:
    with pytest.raises(onboarding.NotEditable):
        check(asha, "BSHPR3751C")
    assert fresh(asha).pan == "ASHPR3751C"


def test_a_pan_that_fp_calls_malformed_is_an_error_at_the_field(applicant: Investor, sandbox: SandboxControl) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check(applicant, "ASHCR3751C")
    assert refusal.value.field == "pan"


# --- asking again ---------------------------------------------------------------------------------------------


@pytest.fixture
def checked_long_ago(db: None) -> Callable[..., Investor]:
    def make(pan: str, days: int) -> Investor:
        investor = factories.ReadyInvestorFactory(given_pan=pan, kyc=None)
        factories.KycCheckFactory(investor=investor, is_compliant=True, checked_at=clock.now() - timedelta(days=days))
        return investor

    return make


def test_asks_again_after_thirty_days_only(sandbox: SandboxControl, checked_long_ago: Any) -> None:
    due, fine = checked_long_ago("ASHPR3751C", 31), checked_long_ago("BSHPR3751C", 29)
    assert kyc.recheck_old(at=clock.now()) == 1
    assert due.kycchecks.count() == 2
    assert fine.kycchecks.count() == 1
    assert kyc.recheck_old(at=clock.now()) == 0


def test_a_kyc_that_has_turned_becomes_a_case(sandbox: SandboxControl, checked_long_ago: Any) -> None:
    investor = checked_long_ago("ASHPR3753C", 31)
    kyc.recheck_old(at=clock.now())
    assert queries.latest_kyc(investor).is_compliant is False
    assert Case.objects.get(kind=kyc.KYC_TURNED_CASE).subject_id == str(investor.pk)
    assert fresh(investor).state == "READY"


@pytest.mark.parametrize("mode", ["status:400", "html_200", "wrong_types"])
def test_whom_fp_refuses_to_check_becomes_a_case_and_stands_in_nobodys_way(
    sandbox: SandboxControl, checked_long_ago: Any, mode: str
) -> None:
    refused, behind = checked_long_ago("ASHPR3751C", 40), checked_long_ago("BSHPR3751C", 31)
    sandbox.fault(mode, path="*/kyc/check", times=1)
    assert kyc.recheck_old(at=clock.now(), limit=1) == 0
    case = Case.objects.get(kind=kyc.NOT_ASKED_CASE)
    assert case.subject_id == str(refused.pk)
    assert kyc.recheck_old(at=clock.now(), limit=1) == 1
    assert behind.kycchecks.count() == 2
    kyc.recheck(investor=refused, at=clock.now())
    case.refresh_from_db()
    assert case.state == "CLOSED"


def test_one_without_an_answer_stands_in_nobodys_way(sandbox: SandboxControl, checked_long_ago: Any) -> None:
    silent, wanted = checked_long_ago("ASHPR3751C", 40), checked_long_ago("BSHPR3751C", 31)
    for each, hours in ((silent, 2), (wanted, 1)):
        kyc.want(investor=each, actor="partner", at=clock.now() - timedelta(hours=hours))
    sandbox.fault("status:500", path="*/kyc/check", times=3)
    at = clock.now()
    assert kyc.recheck_old(at=at) == 1
    assert wanted.kycchecks.count() == 2
    assert fresh(silent).kyc_wanted_at == at, "the wish stands, behind the others"
    assert not Case.objects.exists()


def test_stops_when_answer_after_answer_cannot_be_read(
    sandbox: SandboxControl, checked_long_ago: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kyc, "UNREADABLE", 1)
    checked_long_ago("ASHPR3751C", 40)
    behind = checked_long_ago("BSHPR3751C", 31)
    sandbox.fault("html_200", path="*/kyc/check")
    assert kyc.recheck_old(at=clock.now()) == 0
    assert behind.kycchecks.count() == 1


def test_stops_asking_when_fp_lets_nobody_in(sandbox: SandboxControl, checked_long_ago: Any) -> None:
    first, second = checked_long_ago("ASHPR3751C", 40), checked_long_ago("BSHPR3751C", 31)
    sandbox.fault("status:403", path="*/kyc/check")
    assert kyc.recheck_old(at=clock.now()) == 0
    assert second.kycchecks.count() == 1
    assert kyc.recheck_old(at=clock.now(), limit=1) == 1
    assert first.kycchecks.count() == 2
