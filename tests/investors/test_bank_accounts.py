"""Several bank accounts: whose, which kinds, what a change must go through, and that FP hears of each once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from investors import bank_rules
from investors.changes import RULES, TEN_DAYS
from investors.models import BankAccount, ChangeRequest, Investor
from investors.operations import bank_accounts, change_sending, changes, consents
from portal import clock, identifiers
from portal.errors import InvalidInput
from tests import factories
from tests.sleeping import GUARDS, put_to_sleep, while_asleep

pytestmark = pytest.mark.django_db
UPDATE = "*/investors/*"
NEW = {"ifsc": "ICIC0000611", "number": "50100099991121", "kind": "SAVINGS", "holder_name": "Asha Rao"}


@pytest.fixture(autouse=True)
def any_code(monkeypatch):
    """Codes have tests of their own."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: otp == "123456")


def ask(asha, **changed):
    ref = identifiers.new_client_ref()
    return bank_accounts.ask_to_add(investor=asha, **{**NEW, **changed}, form_ref=ref, ip=None, at=clock.now())


def confirmed(investor, consent, otp: str = "123456") -> ChangeRequest:
    return changes.confirm(investor=investor, code=consent.code, otp=otp, ip=None, at=clock.now())


def approved(change, dev) -> ChangeRequest:
    changes.approve(change_id=change.pk, actor=dev, reason="seen and compared", at=clock.now())
    change.refresh_from_db()
    return change


def advance(change, *, after_s: float = 0) -> ChangeRequest:
    change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(seconds=after_s))
    change.refresh_from_db()
    return change


def accounts_at_fp(asha) -> list:
    from portal.fintech_primitives import client as fp

    return fp.client().fetch_investor(asha.provider_ref).bank_accounts


# --- rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("holder", ["Asha Rao", "ASHA R. RAO", "Mrs Asha Rao", "A Rao", "Rao Asha", "Asha Devi Rao"])
def test_the_investors_own_name_in_a_banks_spelling_is_their_own(holder):
    bank_rules.check_own_name(Investor(name="Asha Rao"), holder)


@pytest.mark.parametrize("holder", ["Mahesh Rao", "Asha Nair", "A R", "Rao Traders", "Chitra Nair", ""])
def test_somebody_elses_name_is_not(holder):
    with pytest.raises(ValueError, match="your own"):
        bank_rules.check_own_name(Investor(name="Asha Rao"), holder)


@pytest.mark.parametrize(
    ("person", "kind", "may"),
    [
        ("RESIDENT", "SAVINGS", True),
        ("RESIDENT", "NRE", False),
        ("RESIDENT", "NRO", False),
        ("NRI", "NRE", True),
        ("NRI", "NRO", True),
        ("NRI", "SAVINGS", False),
    ],
)
def test_nre_and_nro_accounts_are_for_non_residents_and_for_them_alone(person, kind, may):
    investor = Investor(kind=person)
    assert (kind in dict(bank_rules.kinds_for(investor))) == may
    if not may:
        with pytest.raises(ValueError, match="NR"):
            bank_rules.check_kind(investor, kind)


def test_every_kind_of_change_stands_in_the_table_and_banks_and_mobiles_need_two_people():
    assert set(RULES) == set(ChangeRequest.What.values)
    assert {what for what, rule in RULES.items() if rule.second_person} == {"BANK_ACCOUNT", "PRIMARY_BANK", "MOBILE"}
    assert RULES["EMAIL"].cooling == RULES["MOBILE"].cooling == TEN_DAYS


@pytest.mark.parametrize(("field", "value"), [("holder_name", "Mahesh Rao"), ("kind", "NRE"), ("ifsc", "ICIC0999999")])
def test_what_is_wrong_is_said_at_its_field_and_no_code_is_sent(asha, sandbox, field, value):
    with pytest.raises(InvalidInput) as refusal:
        ask(asha, **{field: value})
    assert refusal.value.field == field
    assert not ChangeRequest.objects.exists()


def test_an_account_is_not_added_twice(asha, sandbox):
    mine = asha.bankaccounts.get()
    with pytest.raises(InvalidInput, match="already"):
        ask(asha, ifsc=mine.ifsc, number=mine.number)


# --- adding -----------------------------------------------------------------------------------------------------


def test_a_new_account_needs_a_code_and_a_second_person_and_receives_no_payout_for_ten_days(asha, dev, sandbox):
    change = confirmed(asha, ask(asha))
    assert change.state == "CHECKING"
    assert advance(change).state == "CHECKING"
    assert len(accounts_at_fp(asha)) == 1
    assert advance(approved(change, dev)).state == "DONE"
    added = asha.bankaccounts.get(is_primary=False)
    assert (added.last_four, added.provider_ref) == ("1121", accounts_at_fp(asha)[1].id)
    assert added.payout_from - change.done_at == TEN_DAYS
    assert [each.primary_account for each in accounts_at_fp(asha)] == [True, False]


def test_nobody_approves_what_they_asked_for(asha, sandbox):
    change = confirmed(asha, ask(asha))
    with pytest.raises(changes.OwnChange):
        changes.approve(change_id=change.pk, actor=asha.user, reason="it is me", at=clock.now())


def test_the_investor_reads_why_it_was_refused(asha, dev, sandbox):
    change = confirmed(asha, ask(asha))
    changes.refuse(change_id=change.pk, actor=dev, reason="the cheque shows another name", at=clock.now())
    with pytest.raises(changes.TooLate):
        approved(change, dev)
    change.refresh_from_db()
    assert (change.state, change.reason) == ("REFUSED", "the cheque shows another name")
    assert advance(change).state == "REFUSED"


def test_the_investor_hears_of_it_by_email_when_it_begins_and_when_it_is_done(
    asha, dev, sandbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        change = confirmed(asha, ask(asha))
    with django_capture_on_commit_callbacks(execute=True):
        advance(approved(change, dev))
    told = [each for each in mail.outbox if "a new bank account" in each.subject]
    assert [each.to for each in told] == [[asha.user.email]] * 2
    assert not any(NEW["number"] in each.body for each in mail.outbox)


def test_a_wrong_code_sets_nothing_going(asha, sandbox):
    consent = ask(asha)
    with pytest.raises(consents.WrongCode):
        confirmed(asha, consent, otp="654321")
    assert ChangeRequest.objects.get().state == "ASKED"


def test_the_code_is_bound_to_the_whole_number(asha, sandbox):
    ref = identifiers.new_client_ref()
    both = {"investor": asha, "form_ref": ref, "ip": None, "at": clock.now()}
    first = bank_accounts.ask_to_add(**{**NEW, **both}).digest
    assert bank_accounts.ask_to_add(**{**NEW, "number": "60100099991121", **both}).digest != first


def test_the_number_stands_nowhere_in_clear(asha, sandbox):
    from django.db import connection

    ask(asha)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM investors_changerequest t UNION SELECT c::text FROM investors_consent c")
        assert NEW["number"] not in str(cursor.fetchall())


# --- lost answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reset", "html_200", "truncated", "status:500"])
def test_an_account_whose_answer_was_lost_is_found_and_added_once(mode, asha, dev, sandbox):
    change = approved(confirmed(asha, ask(asha)), dev)
    sandbox.fault(mode, path=UPDATE, when="after")
    assert advance(change).is_unknown
    assert advance(change, after_s=3).state == "DONE"
    assert len(accounts_at_fp(asha)) == 2


def test_without_the_look_there_would_be_three(asha, dev, sandbox, monkeypatch):
    change = approved(confirmed(asha, ask(asha)), dev)
    sandbox.fault("reset", path=UPDATE, when="after")
    monkeypatch.setattr(change_sending, "_is_there", lambda row, theirs: False)
    for seconds in (0, 3, 30, 60, 90, 400, 420):
        advance(change, after_s=seconds)
    assert len(accounts_at_fp(asha)) == 3


def test_what_never_arrived_is_sent_again_after_five_minutes_of_looking(asha, dev, sandbox):
    change = approved(confirmed(asha, ask(asha)), dev)
    sandbox.fault("reset", path=UPDATE, when="before")
    assert advance(change).is_unknown
    for seconds in (3, 30, 60, 90, 400):
        advance(change, after_s=seconds)
    assert advance(change, after_s=420).state == "DONE"
    assert len(accounts_at_fp(asha)) == 2


# --- the main account -------------------------------------------------------------------------------------------


@pytest.fixture
def second(asha, dev, sandbox) -> BankAccount:
    """A further account that FP has."""
    advance(approved(confirmed(asha, ask(asha)), dev))
    return asha.bankaccounts.get(is_primary=False)


def to_primary(account) -> ChangeRequest:
    ref = identifiers.new_client_ref()
    consent = bank_accounts.ask_to_make_primary(account=account, form_ref=ref, ip=None, at=clock.now())
    return confirmed(account.investor, consent)


def test_another_main_account_cools_off_ten_days_and_is_then_looked_at(asha, dev, second):
    change = to_primary(second)
    assert (change.state, change.effective_at - clock.now() > timedelta(days=9)) == ("COOLING", True)
    assert advance(change, after_s=9 * 86_400).state == "COOLING"
    assert advance(change, after_s=10 * 86_400 + 60).state == "CHECKING"
    assert advance(approved(change, dev), after_s=10 * 86_400 + 120).state == "DONE"
    second.refresh_from_db()
    assert second.is_primary
    assert asha.bankaccounts.filter(is_primary=True).count() == 1
    assert [each.primary_account for each in accounts_at_fp(asha)] == [False, True]


def test_a_change_can_be_withdrawn_while_it_cools_and_another_one_waits_for_it(second):
    change = to_primary(second)
    with pytest.raises(changes.OneAtATime):
        to_primary(second)
    changes.withdraw(change=change, at=clock.now())
    assert advance(change, after_s=11 * 86_400).state == "WITHDRAWN"
    assert to_primary(second).state == "COOLING"


# --- closing ----------------------------------------------------------------------------------------------------


def test_an_account_is_closed_by_code_unless_it_is_needed(asha):
    main = asha.bankaccounts.get()
    other = factories.BankAccountFactory(investor=asha, is_primary=False)
    assert "main account" in bank_accounts.why_not_close(main)
    mandate = factories.MandateFactory(bank_account=other)
    assert "mandate" in bank_accounts.why_not_close(other).lower()
    mandate.state = "CANCELLED"
    mandate.save()
    ask = {"account": other, "form_ref": identifiers.new_client_ref(), "ip": None, "at": clock.now()}
    consent = bank_accounts.ask_to_close(**ask)
    closed = bank_accounts.confirm_close(investor=asha, code=consent.code, otp="123456", ip=None, at=clock.now())
    assert closed.closed_at


def test_an_account_that_was_closed_meanwhile_does_not_become_the_main_one(asha, second):
    ref, at = identifiers.new_client_ref(), clock.now()
    wish = bank_accounts.ask_to_make_primary(account=second, form_ref=ref, ip=None, at=at)
    closing = bank_accounts.ask_to_close(account=second, form_ref=identifiers.new_client_ref(), ip=None, at=at)
    bank_accounts.confirm_close(investor=asha, code=closing.code, otp="123456", ip=None, at=at)
    with pytest.raises(changes.TooLate):
        confirmed(asha, wish)
    assert ChangeRequest.objects.get(what="PRIMARY_BANK").state == "WITHDRAWN"


def test_nobody_compares_the_cheque_of_their_own_account(asha):
    account = asha.bankaccounts.get()
    account.cancelled_cheque = factories.DocumentFactory(investor=asha, kind="CANCELLED_CHEQUE")
    account.save()
    with pytest.raises(changes.OwnChange):
        bank_accounts.cheque_fits(account_id=account.pk, actor=asha.user, reason="it is mine", at=clock.now())
    account.refresh_from_db()
    assert not account.verified


# --- at the desk ------------------------------------------------------------------------------------------------


def test_a_yes_is_about_the_paper_that_was_looked_at(asha, dev, sandbox, client_for):
    change, desk = confirmed(asha, ask(asha)), client_for(dev)
    page = reverse("admin:investors_changerequest_change", args=[change.pk])

    def looked_at() -> str:
        found = re.search(r'/act/approve/\?seen=([0-9a-f]{16})"', desk.get(page).content.decode())
        assert found
        return found[1]

    before = looked_at()
    change.paper = factories.DocumentFactory(investor=asha, kind="CANCELLED_CHEQUE")
    change.save()
    act, why = reverse("admin:investors_changerequest_act", args=[change.pk, "approve"]), "seen and compared"
    for answer in (
        desk.get(f"{act}?seen={before}", follow=True),
        desk.post(act, {"reason": why, "seen": before}, follow=True),
        # Whoever does not say what they have looked at has looked at nothing.
        desk.post(act, {"reason": why}, follow=True),
    ):
        assert "has changed since you looked" in answer.content.decode()
    change.refresh_from_db()
    assert change.state == "CHECKING"
    desk.post(act, {"reason": why, "seen": looked_at()})
    change.refresh_from_db()
    assert change.state == "SENDING"


# --- pages ------------------------------------------------------------------------------------------------------


def test_the_pages_from_the_form_to_the_list(asha, client_for, sandbox):
    browser = client_for(asha)
    answers = {**NEW, "number_again": NEW["number"], "form_ref": identifiers.new_client_ref()}
    asked = browser.post(reverse("investors:bank_add"), answers, follow=True)
    assert "Type the code" in asked.content.decode()
    assert NEW["number"] not in asked.content.decode()
    page = browser.post(asked.redirect_chain[-1][0], {"otp": "123456"}, follow=True).content.decode()
    assert "being checked by us" in page
    change = ChangeRequest.objects.get()
    page = browser.post(reverse("investors:bank_withdraw", args=[change.code]), follow=True).content.decode()
    assert "withdrawn" in page


# --- a worker that slept past its lease -------------------------------------------------------------------------


@GUARDS
def test_an_account_is_added_once_by_two_workers(fence, asha, dev, sandbox, monkeypatch):
    change = approved(confirmed(asha, ask(asha)), dev)
    sweep = while_asleep(lambda at: change_sending.advance(change_id=change.pk, at=at))
    awake = put_to_sleep(monkeypatch, "update_investor", sweep, fence=fence)
    assert advance(change).state == "DONE"
    assert awake == [1, 2], "somebody else took over meanwhile"
    assert len(accounts_at_fp(asha)) == (2 if fence else 3)
