"""Registering at FP: one investor and one account, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from investors import gateway, queries
from investors.models import BankAccount, Document, InvestmentAccount, Investor
from investors.operations import documents, onboarding, registration
from portal import audit, clock
from portal.fintech_primitives.client import client
from portal.gateway.breaker import Breaker
from portal.models import Case, GatewayCall
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import fresh
from tests.investors.fresh_kyc import clean
from tests.sleeping import GUARDS, put_to_sleep, while_asleep

pytestmark = pytest.mark.django_db

INVESTORS = "*/onb/investors"
ACCOUNTS = "*/investment_accounts"


@pytest.fixture
def confirmed(db: None, sandbox: SandboxControl) -> Investor:
    """Somebody whose application is complete and confirmed; nothing has been sent."""
    investor = factories.InvestorFactory(
        given_pan="ASHPR3751C",
        name="Asha Rao",
        mobile="9876543210",
        date_of_birth="1990-05-17",
        gender="FEMALE",
        marital_status="SINGLE",
        occupation="DOCTOR",
        source_of_wealth="SALARY",
        gross_annual_income=1_200_000,
        tax_resident_only_in_india=True,
        is_politically_exposed=False,
        is_related_to_politically_exposed=False,
        nomination_opted_out=False,
    )
    factories.KycCheckFactory(investor=investor)
    factories.AddressFactory(investor=investor)
    factories.NomineeFactory(investor=investor)
    factories.BankAccountFactory(investor=investor, provider_ref=None)
    return confirm(investor)


def confirm(investor: Investor) -> Investor:
    return onboarding.confirm(
        investor=investor, agreed=set(), texts=(), ip="127.0.0.1", actor=investor.user, at=clock.now()
    )


def advance(investor: Investor, at: datetime | None = None) -> Investor:
    registration.advance(investor_id=investor.pk, at=at or clock.now())
    return fresh(investor)


def settle(investor: Investor, *, minutes: int = 20, start: datetime | None = None) -> Investor:
    """Do what the sweep would do while time passes, until the row rests."""
    at = start or clock.now()
    end = at + timedelta(minutes=minutes)
    row = fresh(investor)
    while row.due_at and at < end:
        at = max(at, row.due_at)
        row = advance(row, at)
    return row


def at_fp(pan: str = "ASHPR3751C") -> list[str]:
    client().breaker = Breaker("fp")
    return [each.id for each in client().search_investors(pan)]


def creates() -> int:
    return GatewayCall.objects.filter(method="POST", path=gateway.INVESTOR_PATH).count()


def test_registers_investor_and_account_and_keeps_fps_ids(confirmed: Investor) -> None:
    halfway = advance(confirmed)
    assert (halfway.state, halfway.provider_ref) == ("REGISTERING", at_fp()[0])
    ready = advance(halfway)
    assert (ready.state, ready.due_at, ready.attempt) == ("READY", None, "")
    account = InvestmentAccount.objects.get(investor=ready)
    assert gateway.find_account(ready) == account.provider_ref
    bank = BankAccount.objects.get(investor=ready)
    assert bank.provider_ref == client().fetch_investor(ready.provider_ref).bank_accounts[0].id
    assert "registration.ready" in [entry.action for entry in audit.entries_of(ready)]


def test_sends_the_documented_body(confirmed: Investor) -> None:
    body = gateway.application(queries.profile(confirmed))
    assert body["nomination"]["nominee1"]["allocation_percentage"] == 100
    assert body["kyc_identity_detail"]["date_of_birth"] == "1990-05-17"
    assert body["correspondence_address"] == {"line1": "12 Residency Road", "pincode": "560025"}
    assert body["bank_accounts"][0]["type"] == "SAVINGS"
    assert "guardian_name" not in body["nomination"]["nominee1"]


def test_the_journal_shows_the_conversation_without_personal_data(confirmed: Investor) -> None:
    advance(confirmed)
    call = GatewayCall.objects.get(method="POST", path=gateway.INVESTOR_PATH)
    text = str(call.request_body) + str(call.response_body) + call.path
    assert "ASHPR3751C" not in text
    assert confirmed.bankaccounts.get().number not in text
    assert "9876543210" not in text


def test_working_a_row_that_rests_does_nothing(confirmed: Investor) -> None:
    ready = settle(confirmed)
    before = GatewayCall.objects.count()
    assert advance(ready).state == "READY"
    draft = factories.InvestorFactory()
    assert advance(draft).state == "DRAFT"
    assert GatewayCall.objects.count() == before


AFTER_EFFECT = ["status:500", "html_200", "truncated", "empty_200", "wrong_types", "close_half_way", "reset", "hang"]


@pytest.mark.parametrize("path", [INVESTORS, ACCOUNTS])
@pytest.mark.parametrize("mode", AFTER_EFFECT)
def test_an_answer_that_is_lost_makes_no_second_one(
    confirmed: Investor, sandbox: SandboxControl, mode: str, path: str, settings: Any
) -> None:
    sandbox.fault(mode, path=path, when="after", delay_s=3.5 if mode == "hang" else 0)
    row = advance(confirmed)
    row = advance(row) if path == ACCOUNTS else row
    assert row.is_unknown
    row = settle(row)
    assert row.state == "READY"
    assert len(at_fp()) == 1
    assert len(client().list_investment_accounts(row.provider_ref)) == 1
    assert row.bankaccounts.get().provider_ref


def test_a_list_that_lags_makes_no_second_investor(confirmed: Investor, sandbox: SandboxControl) -> None:
    sandbox.fault("status:500", path=INVESTORS, when="after")
    sandbox.fault("invisible:120", path=INVESTORS, when="after")
    row = advance(confirmed)
    at = clock.now()
    looked = 0
    while fresh(row).due_at and (fresh(row).due_at - at) < timedelta(seconds=100):
        row = advance(row, fresh(row).due_at)
        looked += 1
    assert looked >= 3
    assert creates() == 1
    sandbox.advance("PT3M")
    assert settle(row).state == "READY"
    assert len(at_fp()) == 1


def test_what_was_never_taken_is_sent_again_only_after_five_minutes(
    confirmed: Investor, sandbox: SandboxControl
) -> None:
    sandbox.fault("status:500", path=INVESTORS, when="before")
    row = advance(confirmed)
    start = row.unknown_since
    assert start is not None
    while creates() == 1:
        at = fresh(row).due_at
        assert at is not None
        row = advance(row, at)
    assert at - start >= registration.SURE_AFTER
    assert settle(row).state == "READY"
    assert len(at_fp()) == 1


@pytest.mark.parametrize("mode", ["status:429"])
def test_a_throttled_application_waits_and_goes_again(confirmed: Investor, sandbox: SandboxControl, mode: str) -> None:
    sandbox.fault(mode, path=INVESTORS, when="before")
    row = advance(confirmed)
    assert (row.attempt, row.due_at > clock.now()) == ("", True)
    assert settle(row).state == "READY"
    assert len(at_fp()) == 1


def test_fp_unreachable_loses_nothing(confirmed: Investor, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as world:
        world.setattr(client().transport, "base_url", "http://127.0.0.1:9/fp")
        row = advance(confirmed)
    assert (row.state, row.attempt, row.provider_ref) == ("REGISTERING", "", None)
    client().breaker = Breaker("fp")
    assert settle(row).state == "READY"


def test_a_worker_that_dies_before_sending_is_followed_by_one_that_sends(confirmed: Investor) -> None:
    taken = registration._take(confirmed.pk, clock.now())
    assert taken is not None
    assert advance(confirmed).attempt == "OPEN", "the lease is honoured"
    row = advance(confirmed, clock.now() + timedelta(minutes=1))
    assert row.provider_ref == at_fp()[0]


def test_a_worker_that_dies_after_sending_is_followed_by_a_look(confirmed: Investor) -> None:
    taken = registration._take(confirmed.pk, clock.now())
    assert taken is not None
    gateway.create_investor(queries.profile(taken))
    later = clock.now() + timedelta(minutes=1)
    row = advance(confirmed, later)
    assert (row.attempt, row.provider_ref, len(at_fp())) == ("", at_fp()[0], 1)
    assert creates() == 1


def test_a_worker_that_was_overtaken_records_nothing(confirmed: Investor) -> None:
    slow = registration._take(confirmed.pk, clock.now())
    assert slow is not None
    settle(confirmed)
    row = fresh(confirmed)
    assert row.state == "READY"
    registration._record(slow, "999", clock.now(), how="late")
    assert InvestmentAccount.objects.get(investor=row).provider_ref != "999"


# --- refusals -------------------------------------------------------------------------------------------------


def test_field_errors_are_kept_and_shown_and_can_be_corrected(confirmed: Investor) -> None:
    BankAccount.objects.filter(investor=confirmed).update(ifsc="ZZZZ0000000")
    Investor.objects.filter(pk=confirmed.pk).update(country_of_birth="BR")
    row = advance(confirmed)
    assert (row.state, row.attempt, row.due_at) == ("REGISTERING", "", None)
    wrong = {item.slug: (item.status, item.is_open) for item in queries.checklist(row)}
    assert wrong["bank"] == wrong["fatca"] == ("failed", True)
    assert wrong["personal"] == ("done", False)
    assert not queries.may_change(row, "pan")
    assert not Case.objects.exists()
    # Nothing is sent again by itself.
    assert advance(row).refusal == row.refusal
    assert creates() == 1
    for slug, values in {
        "bank": {"ifsc": "HDFC0000001", "number": "", "kind": "SAVINGS", "holder_name": "Asha Rao"},
        "fatca": {
            "country_of_birth": "IN",
            "source_of_wealth": "SALARY",
            "gross_annual_income": 5,
            "tax_resident_only_in_india": True,
            "is_politically_exposed": False,
            "is_related_to_politically_exposed": False,
        },
    }.items():
        row = onboarding.save_step(investor=row, slug=slug, values=values, actor=row.user, at=clock.now())
    assert row.refusal == []
    assert advance(row).provider_ref is None, "corrected is not confirmed"
    confirm(row)
    assert settle(row).state == "READY"
    assert len(at_fp()) == 1


def test_a_refusal_that_fits_no_form_becomes_a_case(confirmed: Investor, sandbox: SandboxControl) -> None:
    sandbox.fault("status:409", path=ACCOUNTS, when="before")
    row = advance(advance(confirmed))
    if row.is_unknown:
        pytest.fail("a documented refusal was read as unknown")
    assert row.refusal
    assert Case.objects.get(kind=registration.REFUSED_CASE).subject_id == str(row.pk)
    assert not onboarding.may_confirm(row)
    registration.register_again(investor_id=row.pk, actor=row.user, reason="FP put it right", at=clock.now())
    assert settle(row).state == "READY"
    assert Case.objects.get(kind=registration.REFUSED_CASE).state == "CLOSED"


def test_a_pan_that_fp_knows_under_other_details_opens_no_strangers_account(
    confirmed: Investor, sandbox: SandboxControl
) -> None:
    owner = factories.ReadyInvestorFactory(given_pan="BSHPR3751C", name="Owner")
    factories.people.register_at_fp(owner)
    # The same PAN, typed by somebody else whose portal account is new.
    confirmed.set_pan("BSHPR3751D")
    Investor.objects.filter(pk=owner.pk).update(pan_index=None, state="DRAFT")
    confirmed.set_pan("BSHPR3751C")
    confirmed.save()
    row = advance(confirmed)
    assert (row.provider_ref, row.due_at) == (None, None)
    assert Case.objects.get(kind=registration.OTHER_DETAILS_CASE)
    assert creates() == 1, "only the owner's own registration"


def test_an_unknown_that_cannot_be_looked_up_becomes_a_case(confirmed: Investor, sandbox: SandboxControl) -> None:
    sandbox.fault("status:500", path=INVESTORS, when="after")
    row = advance(confirmed)
    sandbox.fault("status:500", method="GET", path="*", times=1000)
    row = advance(row, row.unknown_since + timedelta(minutes=16))
    assert row.is_unknown
    assert Case.objects.filter(kind=registration.UNKNOWN_CASE, state="OPEN").exists()
    sandbox.no_faults()
    client().breaker = Breaker("fp")
    assert settle(row, minutes=40).state == "READY"
    assert not Case.objects.filter(state="OPEN").exists()


def test_the_sweep_finds_what_lost_its_nudge(confirmed: Investor, recover: Callable[..., Any]) -> None:
    recover()
    recover()
    assert fresh(confirmed).state == "READY"


# --- a worker that slept past its lease -----------------------------------------------------------------------


@pytest.fixture
def asleep(confirmed: Investor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """`asleep("create_investor", fence=True)`: somebody claims and sleeps, others register; then it wakes."""

    def run(method: str, *, fence: bool) -> list[int]:
        sweep = while_asleep(lambda at: settle(confirmed, start=at))
        awake = put_to_sleep(monkeypatch, method, sweep, fence=fence)
        advance(confirmed)
        return awake

    return run


@GUARDS
def test_an_investor_is_made_once(fence: bool, asleep: Any, confirmed: Investor) -> None:
    assert asleep("create_investor", fence=fence) == [1, 2], "somebody else took over meanwhile"
    assert len(at_fp()) == (1 if fence else 2)
    assert fresh(confirmed).state == "READY"


@GUARDS
def test_an_account_is_made_once(fence: bool, asleep: Any, confirmed: Investor) -> None:
    half = advance(confirmed)
    assert asleep("create_investment_account", fence=fence) == [2, 3], "somebody else took over meanwhile"
    asked = GatewayCall.objects.filter(method="POST", path=gateway.ACCOUNT_PATH)
    assert asked.count() == (1 if fence else 2)
    assert InvestmentAccount.objects.get(investor=half).provider_ref == gateway.find_account(fresh(half))


@GUARDS
def test_a_correction_is_sent_once(fence: bool, asleep: Any, confirmed: Investor) -> None:
    half = advance(confirmed)
    Investor.objects.filter(pk=half.pk).update(provider_is_behind=True, occupation="STUDENT")
    assert asleep("update_investor", fence=fence) == [2, 3], "somebody else took over meanwhile"
    asked = GatewayCall.objects.filter(method="POST", path=f"{gateway.INVESTOR_PATH}/{half.provider_ref}")
    assert asked.count() == (1 if fence else 2)
    assert (fresh(half).state, fresh(half).provider_is_behind) == ("READY", False)


@GUARDS
def test_a_signature_is_uploaded_once(fence: bool, asleep: Any, confirmed: Investor) -> None:
    kind = Document.Kind.SIGNATURE
    documents.keep(investor=confirmed, kind=kind, file=clean(kind), actor=confirmed.user, at=clock.now())
    assert asleep("create_file", fence=fence) == [1, 2], "somebody else took over meanwhile"
    assert len(client().list_files()) == (1 if fence else 2)
    assert fresh(confirmed).state == "READY"
