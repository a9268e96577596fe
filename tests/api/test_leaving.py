"""What a firm still asks of an investor ends when it no longer serves them, or is stopped."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors.models import Consent, Invite, Transfer
from investors.operations import consents, erasure, invites, merges, transfers
from orders.models import Approval, ApprovalLine, CartLine
from orders.operations import approvals, carts
from orders.queries import approvals as queries
from portal import clock, roles
from portal.api import leaving, partners
from portal.models import AuditEntry, Case, Partner
from portal.notices.models import Notice
from portal.scope import ALL, scope, set_scope
from tests import factories
from tests.api.test_approval_events import line_of, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheme() -> Any:
    return factories.SchemeFactory(purchase_allowed=True)


@pytest.fixture
def asked(north: Any, asha: Any, scheme: Any) -> Approval:
    lines = [{"kind": "PURCHASE", "scheme": scheme.isin, "amount": "5000.00"}]
    code = north.post("approvals", {"investor": asha.code, "reason": "Your goal", "lines": lines}).json()["id"]
    return Approval.objects.get(code=code)


@pytest.fixture
def to_south(asha: Any, north: Any) -> Transfer:
    """The transfer of Asha to another firm, its time over and her yes on record."""
    south = factories.PartnerFactory(name="South Advisors")
    began = clock.now() - timedelta(days=15)
    return factories.TransferFactory(
        investor=asha, from_partner=north.partner, from_name=north.partner.name, to_partner=south, to_name=south.name,
        asked_at=began, state_since=began, objections_until=clock.now(), due_at=clock.now(), agreed_at=began,
    )  # fmt: skip


def gone(row: Transfer) -> None:
    transfers.advance(transfer_id=row.pk, at=clock.now())
    row.refresh_from_db()
    assert row.state == "DONE"


def by_transfer(asha: Any, north: Any, row: Transfer) -> None:
    gone(row)


def by_erasure(asha: Any, north: Any, row: Transfer) -> None:
    with transaction.atomic():
        erasure.erase(asha, clock.now())


def by_switching_off(asha: Any, north: Any, row: Transfer) -> None:
    Partner.objects.filter(pk=north.partner.pk).update(is_active=False)
    leaving.firm_stopped(partner=north.partner, actor="tests", at=clock.now())


def by_closing_the_api(asha: Any, north: Any, row: Transfer) -> None:
    partners.close_api(partner=north.partner, reason="A key leaked", actor="tests", at=clock.now())


@pytest.mark.parametrize(
    ("leave", "why"),
    [(by_transfer, "LEFT"), (by_erasure, "LEFT"), (by_switching_off, "STOPPED"), (by_closing_the_api, "CLOSED")],
)
def test_what_is_undecided_ends_and_the_firm_is_told_once(asha, north, asked, to_south, leave, why):
    Approval.objects.filter(pk=asked.pk).update(reminded_at=clock.now())
    leave(asha, north, to_south)
    asked.refresh_from_db()
    assert (asked.ended_why, asked.due_at, bool(asked.ended_at)) == (why, None, True)
    assert told(north) == [("asked", None), ("ended", None)]
    at = clock.now()
    assert [each.state for each in queries.lines_of([asked], at)] == [queries.ENDED]
    assert queries.state_of(asked, queries.lines_of([asked], at), at) == queries.ENDED
    assert not queries.waiting(asha, at).exists()
    leaving.firm_stopped(partner=north.partner, actor="tests", at=at)
    assert told(north) == [("asked", None), ("ended", None)]
    assert AuditEntry.objects.filter(action="approval.ended").count() == 1


def test_a_merge_ends_what_was_asked_of_the_one_that_goes(asha, north):
    twice = factories.InvestorFactory(partner=north.partner)
    line = line_of(north, twice)
    asking, deciding = factories.UserFactory(), factories.UserFactory()
    plan = merges.ask(kept=asha, gone=twice, actor=asking, reason="The same person", at=clock.now())
    merges.approve(merge_id=plan.pk, actor=deciding, reason="Looked at both", at=clock.now())
    line.approval.refresh_from_db()
    assert (line.approval.ended_why, line.approval.investor) == ("LEFT", twice), "it stays on record where it was asked"


def test_what_was_decided_withdrawn_or_run_out_stays_what_it_is(asha, north, to_south):
    declined, withdrawn = line_of(north, asha), line_of(north, asha)
    ApprovalLine.objects.filter(pk=declined.pk).update(declined_at=clock.now())
    Approval.objects.filter(pk=withdrawn.approval_id).update(withdrawn_at=clock.now())
    late = factories.ApprovalFactory(investor=asha, created_at=clock.now() - timedelta(days=9))
    factories.ApprovalLineFactory(investor=asha, approval=late)
    gone(to_south)
    assert not Approval.objects.exclude(ended_at=None).exists()
    states = {each.state for each in queries.lines_of(list(Approval.objects.all()), clock.now())}
    assert states == {queries.DECLINED, queries.WITHDRAWN, queries.EXPIRED}


def test_the_page_says_why_it_ended_and_offers_nothing(asha, asked, to_south, client_for):
    gone(to_south)
    browser, page = client_for(asha), reverse("orders:approval", args=[asked.code])
    shown = browser.get(page).content.decode()
    assert "North Wealth no longer looks after you" in shown
    assert "Can be approved until" not in shown
    assert 'name="buy"' not in shown
    said = browser.post(page, {"buy": "yes", "line": "0"}, follow=True).content.decode()
    assert "Nothing was done." in said
    assert not CartLine.objects.exists()
    assert "Ended" in browser.get(reverse("orders:approvals")).content.decode()


def test_what_stands_in_the_cart_is_the_investors_own_and_no_answer_to_the_firm(asha, asked, to_south, client_for):
    browser, page = client_for(asha), reverse("orders:approval", args=[asked.code])
    browser.post(page, {"buy": "yes", "line": "0"})
    gone(to_south)
    assert CartLine.objects.count() == 1
    line = ApprovalLine.objects.get()
    assert line.cart_line is None
    assert "is yours alone" in browser.get(page).content.decode()


def test_the_form_of_a_basket_that_is_open_answers_the_firm_no_more(asha, north, to_south):
    line = line_of(north, asha, kind="BASKET", basket=factories.BasketVersionFactory(number=1).basket)
    gone(to_south)
    factories.BasketOrderFactory(investor=asha, form_ref=line.form_ref)
    assert [each.state for each in queries.lines_of([line.approval], clock.now())] == [queries.ENDED]


def test_a_code_on_its_way_is_worth_nothing_afterwards(asha, north, to_south, monkeypatch):
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    line = line_of(north, asha, kind="BANK_ACCOUNT", last_four="1121")
    consent = factories.ConsentFactory(investor=asha, purpose="CHANGE", given_at=None)
    given = factories.ConsentFactory(investor=asha, purpose="CHANGE")
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    gone(to_south)
    for answer in (
        lambda: consents.resend(consent=consent, at=clock.now()),
        lambda: consents.give(investor=asha, code=consent.code, otp="123456", ip=None, at=clock.now()),
    ):
        with pytest.raises(consents.Closed):
            answer()
    with pytest.raises(IntegrityError, match="a_closed_consent_is_never_given"), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(given_at=consent.asked_at)
    consents.close(keys=[given.pk], actor=None, at=clock.now())
    given.refresh_from_db()
    assert given.closed_at is None, "what was confirmed stays confirmed"


def test_closing_the_api_leaves_what_people_asked_in_the_console(asha, north, asked, scheme):
    person = factories.MemberFactory(partner=north.partner).user
    by_hand = approvals.ask(
        partner=north.partner, investor=asha, reason="By hand", reference="", life=approvals.LIFE, actor=person,
        asks=[approvals.Ask(kind="PURCHASE", isin=scheme.isin, amount=Decimal(5000))],
        at=clock.now(),
    ).approval  # fmt: skip
    link = factories.InviteFactory(partner=north.partner, invited_by=person)
    sent = factories.InviteFactory(partner=north.partner, invited_by=None)
    by_closing_the_api(asha, north, None)
    assert set(Approval.objects.filter(ended_at=None)) == {by_hand}
    assert set(Invite.objects.filter(revoked_at=None)) == {link}
    sent.refresh_from_db()
    assert (
        AuditEntry.objects.get(action="invite.revoked", subject_id=str(sent.pk)).reason == "The firm's API was closed."
    )


def test_switching_a_firm_off_in_the_admin_ends_everything_it_asks(asha, chitra, north, asked, client_for):
    staff = factories.UserFactory()
    roles.grant(staff, roles.ADMIN)
    link = factories.InviteFactory(partner=north.partner)
    coming = factories.TransferFactory(investor=chitra, to_partner=north.partner, to_name="North Wealth")
    going = factories.TransferFactory(investor=asha, from_partner=north.partner)
    page = reverse("admin:portal_partner_change", args=[north.partner.pk])
    form = {
        "code": "NORTH", "name": "North Wealth", "arn": "", "arn_until": "", "euin": "", "networks": "", "origins": "",
        "calls_per_minute": "300", "calls_per_day": "1000",
    }  # fmt: skip
    people = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    said = client_for(staff).post(page, form | people, follow=True).content.decode()
    assert "What North Wealth still asked of investors has ended" in said
    for row in (asked, link, coming, going):
        row.refresh_from_db()
    assert (asked.ended_why, coming.state, going.state) == ("STOPPED", "STOPPED", "WAITING")
    assert "no longer works with us" in coming.answer
    assert Notice.objects.get(user=chitra.user, event="transfer.stopped")
    assert not Notice.objects.filter(user=asha.user, event="transfer.stopped").exists()
    assert invites.kept(link.secret_hash, at=clock.now()) is None
    assert invites.is_open(link) is False


def test_nobody_comes_by_a_firm_that_is_stopped_even_by_a_link_made_in_that_moment(north):
    link = factories.InviteFactory(partner=north.partner)
    assert invites.kept(link.secret_hash, at=clock.now())
    Partner.objects.filter(pk=north.partner.pk).update(is_active=False)
    assert invites.kept(link.secret_hash, at=clock.now()) is None


def test_whoever_leaves_takes_no_link_of_that_firm_up_again(asha, north, to_south):
    mine = factories.InviteFactory(partner=north.partner, email=asha.user.email.lower())
    theirs = factories.InviteFactory(partner=north.partner)
    gone(to_south)
    assert set(Invite.objects.filter(revoked_at=None)) == {theirs}
    mine.refresh_from_db()
    assert mine.revoked_at


def test_an_erased_investor_goes_nowhere_and_the_firms_hear_of_it(asha, north):
    member = factories.MemberFactory(partner=north.partner)
    row = factories.TransferFactory(investor=asha, from_partner=north.partner)
    transfers.object_to(transfer_id=row.pk, partner=north.partner, why="Fees", actor=member.user, at=clock.now())
    by_erasure(asha, north, row)
    assert Case.objects.get(kind=transfers.OBJECTED_CASE).state == "CLOSED"
    assert Notice.objects.filter(user=member.user, title__endswith="stopped").count() == 1
    assert not Notice.objects.filter(user=asha.user, event="transfer.stopped").exists()


# --- the database, and the race ---------------------------------------------------------------------------------


def test_the_database_lets_no_firm_ask_whom_it_does_not_serve(asha, chitra, north, asked, to_south):
    with pytest.raises(IntegrityError, match="no longer serves"), transaction.atomic():
        factories.ApprovalFactory(investor=chitra, partner=north.partner)
    type(asha).objects.filter(pk=asha.pk).update(partner=to_south.to_partner)
    consent = factories.ConsentFactory(investor=asha, given_at=None)
    with pytest.raises(IntegrityError, match="no longer serves"), transaction.atomic():
        ApprovalLine.objects.update(consent=consent)
    at = clock.now()
    for act in (
        lambda: approvals.to_cart(approval=asked, numbers=[0], at=at),
        lambda: approvals.decline(approval=asked, numbers=[0], at=at),
    ):
        with pytest.raises(approvals.NoLongerServed):
            act()
    assert not CartLine.objects.exists()


def test_a_call_that_is_under_way_while_the_api_closes_asks_nothing(asha, north):
    by_closing_the_api(asha, north, None)
    machine = f"partner:{north.partner.pk}"
    with pytest.raises(IntegrityError, match="no longer serves"), scope(machine), transaction.atomic():
        factories.ApprovalFactory(investor=asha, partner=north.partner)
    assert factories.ApprovalFactory(investor=asha, partner=north.partner), "the console goes on"


def test_what_has_ended_never_opens_again(asked, to_south):
    gone(to_south)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Approval.objects.update(ended_at=None, ended_why="")


@pytest.fixture
def pressed(asha: Any, north: Any, to_south: Transfer, monkeypatch: Any) -> ApprovalLine:
    """A mandate that is asked for; while its code is being sent the transfer is carried out."""

    def while_it_goes(investor: Any, line: Any, form_ref: str, ip: Any, at: Any) -> Consent:
        gone(to_south)
        return factories.ConsentFactory(investor=investor, purpose="MANDATE", form_ref=form_ref, given_at=None)

    monkeypatch.setitem(approvals._CONSENTS, "MANDATE", while_it_goes)
    return line_of(north, asha, kind="MANDATE", bank_account=asha.bankaccounts.get())


def press(line: ApprovalLine) -> None:
    approvals.confirm(approval=line.approval, number=0, ip=None, at=clock.now())


def switch(what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE orders_approvalline {what} TRIGGER what_a_firm_asked_is_taken_up_while_it_serves")


@pytest.mark.django_db(transaction=True)
def test_with_the_guards_off_a_code_confirms_what_a_firm_asked_that_has_left(pressed, monkeypatch):
    def unguarded(approval: Any, line: ApprovalLine, consent: Consent, at: Any) -> None:
        ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)

    monkeypatch.setattr(approvals, "_bind", unguarded)
    switch("DISABLE")
    try:
        press(pressed)
    finally:
        switch("ENABLE")
    pressed.refresh_from_db()
    assert pressed.approval.ended_at
    assert pressed.consent.closed_at is None, "its code would make the mandate"


def test_pressed_while_the_transfer_completes_the_code_is_worth_nothing(pressed):
    with pytest.raises(approvals.NoLongerServed):
        press(pressed)
    pressed.refresh_from_db()
    assert pressed.consent is None
    assert Consent.objects.get(purpose="MANDATE").closed_at


class Race:
    """The transfer is carried out while the investor's press is between its last look and what it writes."""

    def __init__(self, asked: Approval, row: Transfer, monkeypatch: Any) -> None:
        self.asked, self.row, self.raised = asked, row, []
        self.read, self.done = threading.Event(), threading.Event()
        add = carts.add

        def slowly(**what: Any) -> CartLine:
            self.read.set()
            self.done.wait(1.5)
            return add(**what)

        monkeypatch.setattr(carts, "add", slowly)

    def run(self) -> None:
        presses = threading.Thread(target=self._press)
        presses.start()
        assert self.read.wait(20)
        with scope(ALL):
            gone(self.row)
        self.done.set()
        presses.join(30)

    def _press(self) -> None:
        try:
            set_scope(f"user:{self.asked.investor.user_id}")
            approvals.to_cart(approval=self.asked, numbers=[0], at=clock.now())
        except Exception as error:  # noqa: BLE001 - whatever it was is the result
            self.raised.append(type(error).__name__)
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_pressed_while_the_transfer_completes_the_one_waits_for_the_other(asked, to_south, monkeypatch):
    race = Race(asked, to_south, monkeypatch)
    race.run()
    asked.refresh_from_db()
    assert race.raised == [], "it was pressed first"
    assert asked.ended_why == "LEFT"
    assert ApprovalLine.objects.get().cart_line is None, "what came of it is the investor's own"
    assert CartLine.objects.count() == 1
