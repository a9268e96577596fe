"""Mandates: given once, by the investor's own code; nothing believed from a browser; every lost answer is found."""

from __future__ import annotations

import re
import urllib.request
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse

from investors import mandate_gateway, mandate_rules, mandate_words
from investors.mandate_gateway import MandateSnapshot
from investors.models import Consent, Mandate
from investors.operations import consents, mandate_sending, mandates
from portal import clock, identifiers, inbox
from portal.errors import InvalidInput
from portal.models import Case, GatewayCall, InboundEvent
from tests import factories
from tests.sleeping import GUARDS, put_to_sleep, while_asleep

pytestmark = pytest.mark.django_db
CREATE, AUTHORISE = "*/mandates", "*/emandate/auth"
LIMIT = Decimal("25000.00")


def consent_to(investor, kind=Mandate.Kind.E_MANDATE, limit=LIMIT, previous=None) -> Consent:
    """The investor has typed the right code for this mandate."""
    bank = investor.bankaccounts.get(is_primary=True)
    wish = mandates.prepare(
        investor=investor, bank_account=bank, kind=kind, limit=limit, previous=previous, at=clock.now()
    )
    asked = {"purpose": "MANDATE", "amount": limit, "isin": "", "shown": mandates.shown(wish), "given_at": None}
    return factories.ConsentFactory(investor=investor, asked_at=clock.now(), **asked)


def give(investor, monkeypatch=None, **wish) -> Mandate:
    """A mandate on record; nothing is sent yet."""
    consent = consent_to(investor, **wish)
    consent.given_at = consent.asked_at
    consent.save()
    with transaction.atomic():
        return mandates._create(consent, investor, clock.now())


def advance(mandate, *, after_s: float = 0) -> Mandate:
    mandate_sending.advance(mandate_id=mandate.pk, at=clock.now() + timedelta(seconds=after_s))
    mandate.refresh_from_db()
    return mandate


@pytest.fixture
def waiting(asha, sandbox) -> Mandate:
    """An e-mandate that FP has, with the bank's page ready."""
    mandate = advance(advance(give(asha)))
    assert (mandate.state, bool(mandate.page_url)) == ("AWAITING_INVESTOR", True)
    return mandate


def at_fp(sandbox) -> list[dict]:
    from portal.fintech_primitives import client as fp

    return list(fp.client().list_mandates())


def authorise_at_the_bank(sandbox, address: str, outcome: str = "success") -> None:
    """What the person does on the bank's page: it is opened, which uses the address up, and a button is pressed."""
    with urllib.request.urlopen(address) as answer:
        payment = re.search(r'name="payment" value="(\d+)"', answer.read().decode())
    sandbox.pay(payment[1], outcome)


# --- rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["0", "10000001", "500.50"])
def test_a_limit_outside_fps_bounds_or_with_paise_is_refused_at_its_field(asha, limit):
    with pytest.raises(InvalidInput) as refusal:
        consent_to(asha, limit=Decimal(limit))
    assert refusal.value.field == "limit"


def test_there_is_no_paper_mandate_with_bse(asha, settings):
    assert not mandate_rules.why_not("RTA", "NACH")
    settings.FP_ORDER_GATEWAY = "BSE"
    with pytest.raises(InvalidInput) as refusal:
        consent_to(asha, kind=Mandate.Kind.NACH)
    assert (refusal.value.field, "exchange" in refusal.value.message) == ("kind", True)
    assert consent_to(asha, kind=Mandate.Kind.E_MANDATE)


def test_another_persons_account_a_closed_one_and_an_unregistered_one_take_no_mandate(asha, chitra):
    for bank in (
        chitra.bankaccounts.get(),
        factories.BankAccountFactory(investor=asha, is_primary=False, closed_at=clock.now()),
        factories.BankAccountFactory(investor=asha, is_primary=False, provider_ref=None),
    ):
        with pytest.raises(InvalidInput):
            mandates.prepare(investor=asha, bank_account=bank, kind="E_MANDATE", limit=LIMIT, at=clock.now())


# --- the whole way ----------------------------------------------------------------------------------------------


def test_from_the_code_to_the_banks_approval(waiting, sandbox):
    address = mandates.hand_over(mandate=waiting, at=clock.now())
    assert address.startswith(sandbox.url)
    authorise_at_the_bank(sandbox, address)
    assert advance(waiting).state == "SUBMITTED"
    sandbox.advance("PT10S")
    assert advance(waiting).state == "APPROVED"
    assert waiting.umrn
    assert waiting.bank_account.verified == "MANDATE"


def test_a_rejection_keeps_the_banks_reason_and_the_retry_points_back(waiting, asha, sandbox):
    sandbox.call("POST", f"/fp/mandates/{waiting.provider_ref}", {"status": "REJECTED"})
    assert advance(waiting, after_s=400).state == "REJECTED"
    assert "rejected by the bank" in mandate_words.reason(waiting)
    again = give(asha, previous=waiting)
    assert again.previous == waiting
    assert not mandates.may_retry(waiting)
    with pytest.raises(mandates.NotPossible):
        consent_to(asha, previous=waiting)


def test_the_page_is_handed_out_once_and_then_made_anew(waiting):
    assert mandates.hand_over(mandate=waiting, at=clock.now())
    assert mandates.hand_over(mandate=waiting, at=clock.now()) is None
    advance(waiting)
    assert mandates.hand_over(mandate=waiting, at=clock.now())
    assert Mandate.objects.count() == 1


def test_a_page_older_than_fifteen_minutes_is_not_handed_out(waiting):
    assert mandates.hand_over(mandate=waiting, at=clock.now() + timedelta(minutes=16)) is None


def test_a_page_at_a_foreign_address_is_never_kept(asha, settings, sandbox):
    mandate = advance(give(asha))
    settings.PAYMENT_PAGE_ORIGINS = ["https://somewhere.example"]
    assert not advance(mandate).page_url


# --- double click, wrong code, replay ---------------------------------------------------------------------------


def test_a_double_click_is_one_mandate(asha, sandbox, monkeypatch):
    consent = consent_to(asha)
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    confirm = {"investor": asha, "code": consent.code, "otp": "123456", "ip": None}
    first = mandates.confirm(**confirm, at=clock.now())
    assert mandates.confirm(**confirm, at=clock.now()) == first
    assert Mandate.objects.count() == 1


def test_a_wrong_code_makes_nothing_and_stays_counted(asha):
    consent = consent_to(asha)
    with pytest.raises(consents.WrongCode):
        mandates.confirm(investor=asha, code=consent.code, otp="000000", ip=None, at=clock.now())
    consent.refresh_from_db()
    assert (consent.tries, Mandate.objects.count()) == (1, 0)


def test_a_consent_to_something_else_makes_no_mandate(asha):
    other = factories.ConsentFactory(investor=asha, given_at=None)
    with pytest.raises(Consent.DoesNotExist):
        mandates.confirm(investor=asha, code=other.code, otp="123456", ip=None, at=clock.now())


@pytest.mark.parametrize("said", [{"status": "success"}, {"status": "failure", "paymentId": "1"}, {}])
def test_a_forged_return_changes_nothing(waiting, client, said):
    address = reverse("investors:mandate_return", args=[waiting.form_ref])
    for _ in range(2):  # and a replay no more
        assert client.post(address, said).status_code == 303
    event = InboundEvent.objects.get()
    assert inbox.work_one(event_id=event.pk, at=clock.now())
    waiting.refresh_from_db()
    assert waiting.state == "AWAITING_INVESTOR"
    assert not Case.objects.exists()


def test_a_return_to_a_mandate_that_does_not_exist_is_not_stored(client):
    assert client.post(reverse("investors:mandate_return", args=["0" * 20])).status_code == 404
    assert not InboundEvent.objects.exists()


# --- lost answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reset", "html_200", "truncated", "status:500", "wrong_types"])
def test_a_mandate_whose_answer_was_lost_is_found_and_never_sent_twice(mode, asha, sandbox):
    mandate = give(asha)
    sandbox.fault(mode, path=CREATE, when="after")
    assert advance(mandate).is_unknown
    assert advance(mandate, after_s=3).provider_ref
    assert (mandate.state, len(at_fp(sandbox))) == ("AWAITING_INVESTOR", 1)


def test_without_the_look_up_there_would_be_two(asha, sandbox, monkeypatch):
    mandate = give(asha)
    sandbox.fault("reset", path=CREATE, when="after")
    advance(mandate)
    monkeypatch.setattr(mandate_gateway, "find", lambda mandate, known: None)
    for seconds in (3, 30, 60, 90, 400, 420):
        advance(mandate, after_s=seconds)
    assert len(at_fp(sandbox)) == 2


def test_a_mandate_that_never_arrived_is_sent_again_after_five_minutes_of_looking(asha, sandbox):
    mandate = give(asha)
    sandbox.fault("reset", path=CREATE, when="before")
    assert advance(mandate).is_unknown
    for seconds in (3, 30, 60, 90):
        assert advance(mandate, after_s=seconds).is_unknown
    assert not at_fp(sandbox)
    for seconds in (400, 420):
        advance(mandate, after_s=seconds)
    assert (mandate.state, len(at_fp(sandbox))) == ("AWAITING_INVESTOR", 1)


def test_a_mandate_that_is_sent_on_a_later_day_begins_on_that_day(asha, sandbox, at):
    """FP takes no beginning in the past."""
    mandate = give(asha)
    at(clock.now() + timedelta(days=1))
    assert advance(mandate).provider_ref, mandate.reason
    (theirs,) = at_fp(sandbox)
    assert (theirs.valid_from, mandate.valid_from) == (clock.today(), clock.today() - timedelta(days=1))


def test_the_same_mandate_of_another_row_is_not_taken_for_ours(waiting, asha, sandbox):
    twin = give(asha)
    sandbox.fault("reset", path=CREATE, when="before")
    assert advance(twin).is_unknown
    assert advance(twin, after_s=3).is_unknown
    assert twin.provider_ref is None


def test_a_worker_that_died_before_the_call_lets_the_next_one_send(asha, sandbox):
    mandate = give(asha)
    assert mandate_sending._claim(mandate.pk, clock.now(), has_ref=False)
    advance(mandate, after_s=50)
    assert (mandate.attempt, len(at_fp(sandbox))) == ("", 0)
    assert advance(mandate, after_s=60).provider_ref


def test_two_workers_at_once_send_once(asha, sandbox):
    """The claim commits before the call: whoever comes second finds an open attempt."""
    mandate = give(asha)
    assert mandate_sending._claim(mandate.pk, clock.now(), has_ref=False)
    assert mandate_sending._claim(mandate.pk, clock.now(), has_ref=False) is None


def test_a_lost_bank_page_is_simply_replaced(asha, sandbox):
    mandate = advance(give(asha))
    sandbox.fault("reset", path=AUTHORISE, when="after")
    assert not advance(mandate).page_url
    assert advance(mandate, after_s=15).page_url
    assert mandate.state == "AWAITING_INVESTOR"


def test_a_refused_mandate_says_why_and_can_be_tried_again(asha, sandbox):
    asha.bankaccounts.update(provider_ref="999999")
    mandate = advance(give(asha))
    assert mandate.state == "REJECTED"
    assert mandate.reason
    assert mandates.may_retry(mandate)


# --- news that cannot be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lie", [{"limit": Decimal("1")}, {"bank_ref": "9"}, {"provider_ref": "9"}], ids=str)
def test_news_of_another_mandate_moves_nothing(waiting, lie):
    facts = {"provider_ref": waiting.provider_ref, "state": "APPROVED", "their_word": "APPROVED"}
    mandate_sending.absorb(mandate_id=waiting.pk, snapshot=MandateSnapshot(**{**facts, **lie}), at=clock.now())
    waiting.refresh_from_db()
    assert waiting.state == "AWAITING_INVESTOR"
    assert Case.objects.get().kind == mandate_sending.CONFLICT_CASE


def test_old_news_and_unknown_words_change_nothing(waiting):
    for state in ("APPROVED", "AWAITING_INVESTOR", None):
        said = MandateSnapshot(waiting.provider_ref, state, str(state))
        mandate_sending.absorb(mandate_id=waiting.pk, snapshot=said, at=clock.now())
    waiting.refresh_from_db()
    assert waiting.state == "APPROVED"
    assert not Case.objects.exists()


# --- cancelling -------------------------------------------------------------------------------------------------


def ask_to_cancel(mandate, monkeypatch) -> Mandate:
    ref = identifiers.new_client_ref()
    consent = mandates.ask_to_cancel(mandate=mandate, form_ref=ref, ip=None, at=clock.now())
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    made = mandates.confirm(investor=mandate.investor, code=consent.code, otp="123456", ip=None, at=clock.now())
    assert made == mandate
    mandate.refresh_from_db()
    return mandate


def test_an_approved_mandate_is_cancelled_by_code_and_only_then_shown_as_cancelled(waiting, sandbox, monkeypatch):
    for to in ("SUBMITTED", "APPROVED"):
        sandbox.call("POST", f"/fp/mandates/{waiting.provider_ref}", {"status": to})
    advance(waiting, after_s=400)
    ask_to_cancel(waiting, monkeypatch)
    assert (waiting.state, mandate_words.of(waiting).badge) == ("APPROVED", "Being cancelled")
    assert advance(waiting).state == "CANCELLED"


def test_a_cancel_whose_answer_was_lost_is_asked_about(waiting, sandbox, monkeypatch):
    ask_to_cancel(waiting, monkeypatch)
    sandbox.fault("reset", path="*/cancel", when="after")
    assert advance(waiting).state == "CANCELLED"


def test_a_cancel_that_never_arrived_is_asked_again(waiting, sandbox, monkeypatch):
    ask_to_cancel(waiting, monkeypatch)
    sandbox.fault("status:500", path="*/cancel", when="before")
    assert advance(waiting).state == "AWAITING_INVESTOR"
    assert advance(waiting).state == "CANCELLED"


def test_what_fp_never_heard_of_is_cancelled_here_at_once(asha, sandbox, monkeypatch):
    assert ask_to_cancel(give(asha), monkeypatch).state == "CANCELLED"
    assert not at_fp(sandbox)


def test_a_mandate_being_cancelled_opens_no_page(waiting, monkeypatch):
    ask_to_cancel(waiting, monkeypatch)
    with pytest.raises(mandates.NotPossible):
        mandates.hand_over(mandate=waiting, at=clock.now())


def test_operations_cancel_with_two_people(waiting, dev):
    with pytest.raises(mandates.NotPossible):
        mandates.cancel_by_two(mandate_id=waiting.pk, asked_by=dev, actor=dev, reason="asked by phone", at=clock.now())
    other = factories.UserFactory(is_staff=True)
    mandates.cancel_by_two(mandate_id=waiting.pk, asked_by=other, actor=dev, reason="asked by phone", at=clock.now())
    assert advance(waiting).state == "CANCELLED"


# --- a worker that slept past its lease -------------------------------------------------------------------------


@GUARDS
def test_a_page_of_the_bank_is_asked_for_once(fence, asha, sandbox, monkeypatch):
    mandate = advance(give(asha))
    sweep = while_asleep(lambda at: mandate_sending.advance(mandate_id=mandate.pk, at=at))
    awake = put_to_sleep(monkeypatch, "authorise_e_mandate", sweep, fence=fence)
    assert advance(mandate).page_url
    assert awake == [2, 3], "somebody else took over meanwhile"
    asked = GatewayCall.objects.filter(method="POST", path=mandate_gateway.AUTHORISE_PATH)
    assert asked.count() == (1 if fence else 2)
