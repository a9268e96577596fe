"""One-time codes: what they are bound to, and every way round them that we could think of."""

from __future__ import annotations

import re
import smtplib
import threading
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import TestCase

from investors.models import Consent, Investor
from investors.operations import consents
from portal import audit, clock
from portal.models import User
from tests.database import raised_at_once

SHOWN = {"Scheme": "HDFC Flexi Cap Fund – Growth", "Amount": "₹5,000.00"}
TERMS: dict[str, Any] = {
    "purpose": "PURCHASE",
    "shown": SHOWN,
    "amount": Decimal("5000"),
    "isin": "INF179K01608",
    "folio_number": "",
    "ip": "127.0.0.1",
}


def person(email: str = "asha@example.org") -> Investor:
    return Investor.objects.create(user=User.objects.create_user(email), name="Asha Rao")


def asked(investor: Investor, form_ref: str = "form-1", **changes: Any) -> Consent:
    terms = {**TERMS, "at": clock.now(), **changes}
    with after_commit():
        return consents.ask(investor=investor, form_ref=form_ref, **terms)


def resent(consent: Consent, **changes: Any) -> Consent:
    with after_commit():
        return consents.resend(consent=consent, **{"at": clock.now(), **changes})


def after_commit() -> Any:
    """What waits for a commit happens at the end of the block, also in a test that never commits."""
    if connection.in_atomic_block:
        return TestCase.captureOnCommitCallbacks(execute=True)
    return nullcontext()


def newest_code() -> str:
    found = re.search(r"^ {4}(\d{6})$", mail.outbox[-1].body, re.MULTILINE)
    assert found
    return found.group(1)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.fixture
def asha(db: None) -> Investor:
    return person()


@pytest.fixture
def committed_asha(transactional_db: None) -> Investor:
    return person()


def give(investor: Investor, consent: Consent, otp: object, **changes: Any) -> Consent:
    terms = {"ip": "127.0.0.1", "at": clock.now(), **changes}
    return consents.give(investor=investor, code=consent.code, otp=otp, **terms)


def test_the_right_code_gives_the_consent_and_leaves_evidence(asha: Investor) -> None:
    consent = asked(asha)
    given = give(asha, consent, newest_code())
    assert given.given_at is not None
    assert given.tries == 1
    actions = [entry.action for entry in audit.entries_of(given)]
    assert actions == ["consent.asked", "consent.code_issued", "consent.given"]


def test_the_message_says_what_the_code_is_for(asha: Investor) -> None:
    consent = asked(asha, shown={"Scheme": "L&T <Mid> Cap", "Amount": "₹5,000.00"})
    message = mail.outbox[-1]
    assert message.to == ["asha@example.org"]
    assert message.subject == "Your code to buy units for ₹5,000.00"
    assert "Scheme: L&T <Mid> Cap" in message.body
    assert newest_code() not in message.subject
    consent.refresh_from_db()
    assert consent.sent_at is not None


def test_the_row_does_not_hold_the_code_nor_anything_made_from_it_without_the_key(
    asha: Investor, settings: Any
) -> None:
    consent = asked(asha)
    otp = newest_code()
    assert otp not in str(Consent.objects.filter(pk=consent.pk).values().get())
    settings.SECRET_KEY = "another-key-than-the-servers"
    with pytest.raises(consents.WrongCode):
        give(asha, consent, otp)


def test_the_same_form_asks_once(asha: Investor) -> None:
    first, second = asked(asha), asked(asha)
    assert first.pk == second.pk
    assert len(mail.outbox) == 1


def test_an_expired_form_asks_again_with_a_new_code(asha: Investor) -> None:
    first = asked(asha)
    old = newest_code()
    later = first.asked_at + consents.LIFE
    again = asked(asha, at=later)
    assert (again.pk, len(mail.outbox)) == (first.pk, 2)
    if old != newest_code():
        with pytest.raises(consents.WrongCode):
            give(asha, again, old, at=later)
    assert give(asha, again, newest_code(), at=later).given_at == later


def test_giving_twice_returns_the_given_consent(asha: Investor) -> None:
    consent = asked(asha)
    first = give(asha, consent, newest_code())
    second = give(asha, consent, newest_code(), at=clock.now() + timedelta(days=1))
    assert (second.pk, second.given_at, second.tries) == (first.pk, first.given_at, 1)


NO_CODES = [
    None,
    True,
    123456,
    0.5,
    [],
    ["123456"],
    {"otp": "123456"},
    "",
    "12345",
    "1234567",
    "１２３４５６",
    "' OR 1=1",
]


@pytest.mark.parametrize("otp", NO_CODES, ids=repr)
def test_what_is_no_code_gives_nothing_and_costs_no_try(asha: Investor, otp: object) -> None:
    consent = asked(asha)
    with pytest.raises(consents.WrongCode):
        give(asha, consent, otp)
    consent.refresh_from_db()
    assert (consent.given_at, consent.tries) == (None, 0)


def test_a_code_with_spaces_is_read_as_people_type_it(asha: Investor) -> None:
    consent = asked(asha)
    otp = newest_code()
    assert give(asha, consent, f" {otp[:3]} {otp[3:]} ").given_at is not None


def test_the_life_of_a_code_is_ten_minutes(asha: Investor) -> None:
    consent = asked(asha)
    with pytest.raises(consents.CodeExpired):
        give(asha, consent, newest_code(), at=consent.expires_at)
    assert give(asha, consent, newest_code(), at=consent.expires_at - timedelta(seconds=1)).given_at


def test_the_sixth_try_is_refused_even_with_the_right_code(asha: Investor) -> None:
    consent = asked(asha)
    otp = newest_code()
    for left in (4, 3, 2):
        with pytest.raises(consents.WrongCode, match=f"{left} tries left"):
            give(asha, consent, wrong(otp))
    with pytest.raises(consents.WrongCode, match="one try left"):
        give(asha, consent, wrong(otp))
    with pytest.raises(consents.TooManyTries):
        give(asha, consent, wrong(otp))
    with pytest.raises(consents.TooManyTries):
        give(asha, consent, otp)
    consent.refresh_from_db()
    assert (consent.given_at, consent.tries) == (None, 5)


def test_a_resend_gives_a_new_code_but_no_new_tries(asha: Investor) -> None:
    consent = asked(asha)
    for _ in range(4):
        with pytest.raises(consents.WrongCode):
            give(asha, consent, wrong(newest_code()))
    resent(consent)
    with pytest.raises(consents.TooManyTries):
        give(asha, consent, wrong(newest_code()))
    with pytest.raises(consents.TooManyTries):
        resent(consent)
    with pytest.raises(consents.TooManyTries):
        asked(asha)


def test_the_sixth_resend_within_an_hour_is_refused(asha: Investor) -> None:
    consent = asked(asha)
    for _ in range(5):
        resent(consent)
    with pytest.raises(consents.TooManyMessages):
        resent(consent)
    assert len(mail.outbox) == 6
    resent(consent, at=clock.now() + timedelta(hours=1, seconds=1))
    assert len(mail.outbox) == 7


def test_an_investor_cannot_pump_messages_with_many_forms(asha: Investor) -> None:
    for number in range(consents.CONSENTS_PER_INVESTOR):
        asked(asha, f"form-{number}")
    with pytest.raises(consents.TooManyMessages):
        asked(asha, "one-more")
    assert not Consent.objects.filter(form_ref="one-more").exists()


def test_another_investors_consent_does_not_exist(asha: Investor) -> None:
    consent = asked(asha)
    stranger = person("chitra@example.org")
    with pytest.raises(Consent.DoesNotExist):
        give(stranger, consent, newest_code())
    consent.refresh_from_db()
    assert (consent.given_at, consent.tries) == (None, 0)


def test_another_investors_code_does_not_match(asha: Investor) -> None:
    consent = asked(asha)
    mine = newest_code()
    stranger = person("chitra@example.org")
    theirs = asked(stranger)
    if mine != newest_code():
        with pytest.raises(consents.WrongCode):
            give(stranger, theirs, mine)
    # The hash of one row is worth nothing on another.
    Consent.objects.filter(pk=theirs.pk).update(otp_hash=consent.otp_hash)
    with pytest.raises(consents.WrongCode):
        give(stranger, theirs, mine)


SWAPS = [
    {"amount": Decimal("50000")},
    {"isin": "INF204K01EF9"},
    {"folio_number": "12345/67"},
    {"shown": {**SHOWN, "Amount": "₹1.00"}},
]


@pytest.mark.parametrize("swap", SWAPS, ids=str)
def test_a_swap_in_the_row_makes_the_code_worthless(asha: Investor, swap: dict[str, Any]) -> None:
    consent = asked(asha)
    Consent.objects.filter(pk=consent.pk).update(**swap)
    with pytest.raises(consents.WrongCode):
        give(asha, consent, newest_code())
    forged = consents.Terms.of(Consent.objects.get(pk=consent.pk)).digest
    Consent.objects.filter(pk=consent.pk).update(digest=forged)
    with pytest.raises(consents.WrongCode):
        give(asha, consent, newest_code())


@pytest.mark.parametrize("swap", SWAPS, ids=str)
def test_a_changed_form_voids_the_old_code_and_sends_a_new_one(asha: Investor, swap: dict[str, Any]) -> None:
    asked(asha)
    old = newest_code()
    changed = asked(asha, **swap)
    assert len(mail.outbox) == 2
    if old != newest_code():
        with pytest.raises(consents.WrongCode):
            give(asha, changed, old)
    assert give(asha, changed, newest_code()).digest == consents.Terms.of(changed).digest


def test_what_was_confirmed_is_never_exchanged(asha: Investor) -> None:
    consent = asked(asha)
    give(asha, consent, newest_code())
    assert asked(asha).pk == consent.pk
    with pytest.raises(consents.AlreadyGiven):
        asked(asha, amount=Decimal("6000"))
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_down_leaves_a_consent_that_can_be_sent_again(
    asha: Investor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as edge:
        edge.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        consent = asked(asha)
    consent.refresh_from_db()
    assert consent.sent_at is None
    again = resent(consent)
    assert again.sent_at is not None
    assert give(asha, again, newest_code()).given_at is not None


def test_asking_and_giving_refuse_to_run_inside_another_transaction(asha: Investor) -> None:
    consent = asked(asha)
    with pytest.raises(RuntimeError), transaction.atomic():
        give(asha, consent, wrong(newest_code()))
    with pytest.raises(RuntimeError), transaction.atomic():
        asked(asha, "form-2")


def test_a_double_click_asks_once(committed_asha: Investor) -> None:
    raised_at_once(lambda: asked(committed_asha), 4)
    assert Consent.objects.filter(investor=committed_asha).count() == 1
    assert len(mail.outbox) == 1


# --- the race for tries -----------------------------------------------------------------------------------


def guess_without_the_lock(consent: Consent, otp: str, read: threading.Barrier) -> None:
    """The same try as in `give`, without the row lock: everybody reads before anybody writes."""
    with transaction.atomic():
        row = Consent.objects.get(pk=consent.pk)
        read.wait(10)
        failure = consents._try(row, otp, None, clock.now())
    if failure:
        raise failure


def test_without_the_lock_parallel_guesses_would_get_free_tries(committed_asha: Investor) -> None:
    consent = asked(committed_asha)
    otp, read = wrong(newest_code()), threading.Barrier(8)
    raised = raised_at_once(lambda: guess_without_the_lock(consent, otp, read), 8)
    consent.refresh_from_db()
    assert raised == ["WrongCode"] * 8
    assert consent.tries == 1, "eight guesses were counted as one: this is the race that the lock prevents"


def test_parallel_guesses_get_five_tries_together(committed_asha: Investor) -> None:
    consent = asked(committed_asha)
    otp = wrong(newest_code())
    raised = raised_at_once(lambda: give(committed_asha, consent, otp), 8)
    consent.refresh_from_db()
    assert raised == ["TooManyTries"] * 4 + ["WrongCode"] * 4
    assert consent.tries == 5
    assert audit.entries_of(consent).filter(action="consent.wrong_code").count() == 5
