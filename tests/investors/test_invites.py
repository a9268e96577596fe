"""Invitations: a signed link that works once, what it fills in and who confirms it, and what it tells a stranger."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from investors import steps
from investors.models import FieldSource, Invite
from investors.operations import invites, onboarding
from portal import clock, jobs, roles
from portal.models import AuditEntry, User
from tests import factories

pytestmark = pytest.mark.django_db
FILLED = {
    "pan": {"pan": "ASHPR3751C"},
    "personal": {"name": "Asha Rao", "date_of_birth": "1990-05-17", "occupation": "DOCTOR"},
}
PERSONAL = {
    "name": "Asha Rao", "date_of_birth": date(1990, 5, 17), "gender": "FEMALE", "marital_status": "SINGLE",
    "occupation": "SERVICE", "mobile": "9845012345",
}  # fmt: skip
EMAIL = "asha.new@portal.example"


@pytest.fixture
def maker() -> User:
    user = factories.UserFactory(first_name="Meera", last_name="Iyer")
    roles.grant(user, roles.MAKER)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def invite(maker: User) -> Invite:
    return send(maker)


def send(actor: User | str, **given: object) -> Invite:
    asked = {
        "email": EMAIL, "name": "Asha Rao", "filled": FILLED, "partner": None, "euin": "E123456",
        "basis": "Asked for it on the phone", "actor": actor, "at": clock.now(), **given,
    }  # fmt: skip
    return invites.invite(**asked)  # type: ignore[arg-type]


def link() -> str:
    """The newest link that was sent."""
    found = re.search(r"https?://\S+?(/invitation/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def asha_new() -> User:
    return factories.UserFactory(email=EMAIL)


PAGE = "/invitation/"


def accept(client: Client, address: str | None = None):
    client.get(address or link())
    return client.post(PAGE, {"agreed": "yes"})


def test_who_was_invited_and_never_came_is_forgotten_after_ninety_days(invite):
    other = factories.InviteFactory(email="later@portal.example", name="Later")
    assert invites.forget_unused(at=invite.expires_at + timedelta(days=89)) == 0
    Invite.objects.filter(pk=other.pk).update(expires_at=invite.expires_at + timedelta(days=30))
    assert invites.forget_unused(at=invite.expires_at + timedelta(days=90)) == 1
    invite.refresh_from_db()
    assert (invite.name, invite.filled, invite.basis) == ("", "", "")
    assert invite.email != EMAIL
    assert invite.revoked_at
    assert invites.forget_unused(at=invite.expires_at + timedelta(days=91)) == 0
    other.refresh_from_db()
    assert other.name == "Later"


# --- the link ----------------------------------------------------------------------------------------------------


def test_the_person_sees_who_invites_and_for_what_before_anything(invite, client):
    answer = client.get(link(), follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain == [(PAGE, 302)], "the secret leaves the address at once"
    for expected in ("Meera Iyer", "E123456", "PAN and KYC, About you", "sees your name"):
        assert expected in text, expected
    for secret in ("ASHPR3751C", "1990", EMAIL):
        assert secret not in text, f"{secret} is nobody's business before they have proved who they are"


def test_accepting_begins_the_application_and_uses_the_link_up(invite, asha_new):
    partner = factories.PartnerFactory()
    Invite.objects.filter(pk=invite.pk).update(partner=partner)
    answer = accept(signed_in(asha_new))
    assert answer["Location"] == reverse("investors:onboarding")
    invite.refresh_from_db()
    assert (invite.investor.user, invite.investor.partner) == (asha_new, partner)
    assert invite.investor.euin == "E123456"
    assert "E123456" in invite.agreed
    assert invite.agreed_ip
    assert AuditEntry.objects.filter(action="invite.accepted", actor=f"user:{asha_new.pk}").count() == 1
    with pytest.raises(invites.NotUsable):
        invites.accept(secret_hash=invite.secret_hash, user=asha_new, agreed="yes", ip=None, at=clock.now())


def test_a_second_invitation_takes_nobody_from_whoever_invited_first(invite, asha_new):
    first = factories.PartnerFactory()
    begun = factories.InvestorFactory(user=asha_new, partner=first, euin="E654321")
    Invite.objects.filter(pk=invite.pk).update(partner=factories.PartnerFactory())
    accept(signed_in(asha_new))
    begun.refresh_from_db()
    assert (begun.partner, begun.euin) == (first, "E654321")


def test_the_yes_must_be_ticked(invite, asha_new):
    client = signed_in(asha_new)
    client.get(link())
    answer = client.post(PAGE, {})
    assert answer.status_code == 422
    assert "Tick this to accept" in answer.content.decode()
    assert Invite.objects.get(pk=invite.pk).used_at is None


@pytest.mark.parametrize("user", ["somebody", "unverified", "staff"])
def test_only_whoever_was_written_to_can_take_it(invite, user):
    person = factories.UserFactory(
        email="else@portal.example" if user == "somebody" else EMAIL, verified=user != "unverified"
    )
    if user == "staff":
        roles.grant(person, roles.VIEWER)
    accept(signed_in(User.objects.get(pk=person.pk)))
    assert Invite.objects.get(pk=invite.pk).used_at is None


def test_a_link_that_cannot_be_used_says_the_same_whatever_the_cause(maker, asha_new):
    """Used, withdrawn, run out, sent again, signed by somebody else, never made: one page, one status."""
    pages = {}

    def read(name: str, address: str) -> None:
        answer = Client().get(address, follow=True)
        main = re.search(r"<main.*</main>", answer.content.decode(), re.S)
        pages[name] = (answer.status_code, main and main[0])

    first = send(maker)
    old = link()
    invites.resend(invite_id=first.pk, actor=maker, reason="Did not come", at=clock.now())
    read("sent again", old)
    accept(signed_in(asha_new))
    read("used", link())
    second = send(maker, email="other@portal.example")
    invites.revoke(invite_id=second.pk, actor=maker, reason="Wrong person", at=clock.now())
    read("withdrawn", link())
    send(maker, email="late@portal.example")
    Invite.objects.filter(email="late@portal.example").update(
        created_at=clock.now() - timedelta(days=8), expires_at=clock.now() - timedelta(days=1)
    )
    read("run out", link())
    read("forged", PAGE + "abc:def/")
    assert len(set(pages.values())) == 1, {name: status for name, (status, _) in pages.items()}


def test_inviting_a_client_sends_the_same_message_and_changes_nothing_of_theirs(maker, asha):
    """Neither whoever invites nor whoever reads the message learns that there is an account already."""
    send(maker, email="stranger@portal.example")
    known = send(maker, email=asha.user.email, partner=factories.PartnerFactory())
    one, other = (
        re.sub(r"/invitation/\S+|portal.example|, Partner \d+ Wealth", "", str(m.body)) for m in mail.outbox[-2:]
    )
    assert one == other
    before = (asha.name, asha.partner_id, asha.occupation)
    accept(signed_in(asha.user))
    asha.refresh_from_db()
    assert (asha.name, asha.partner_id, asha.occupation) == before
    known.refresh_from_db()
    assert known.used_at
    assert known.filled == "", "what was known about a client already is thrown away"


def test_one_open_invitation_for_an_address_and_partner(invite, maker):
    with pytest.raises(invites.AlreadyInvited):
        send(maker)
    send(maker, partner=factories.PartnerFactory())
    with pytest.raises(IntegrityError, match="one_open_invite_per_address_and_partner"), transaction.atomic():
        factories.InviteFactory(email=EMAIL)


def test_it_is_sent_again_at_most_five_times(invite, maker):
    for _ in range(4):
        invites.resend(invite_id=invite.pk, actor=maker, reason="Did not come", at=clock.now())
    with pytest.raises(invites.TooManyMessages):
        invites.resend(invite_id=invite.pk, actor=maker, reason="Did not come", at=clock.now())


def test_withdrawing_and_beginning_another_is_no_way_around_the_five_messages(invite, maker, at):
    for _ in range(4):
        invites.revoke(invite_id=Invite.objects.latest("pk").pk, actor=maker, reason="Again", at=clock.now())
        send(maker)
    invites.revoke(invite_id=Invite.objects.latest("pk").pk, actor=maker, reason="Again", at=clock.now())
    with pytest.raises(invites.TooManyMessages):
        send(maker)
    assert len(mail.outbox) == 5
    send(maker, partner=factories.PartnerFactory())
    at(clock.now() + timedelta(days=8))
    send(maker)


def test_neither_the_secret_nor_what_was_filled_in_stands_in_the_database(invite):
    secret = link().removeprefix(PAGE).partition(":")[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT v::text FROM investors_invite v")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT session_data FROM portal_session UNION ALL SELECT data::text FROM portal_auditentry")
        rows += str(cursor.fetchall())
    for word in (secret, "ASHPR3751C", "1990-05-17"):
        assert word not in rows


# --- whose each value is -----------------------------------------------------------------------------------------


def sources(investor) -> dict[str, tuple[str, bool]]:
    return {
        row.field: (row.source, row.confirmed_at is not None) for row in FieldSource.objects.filter(investor=investor)
    }


def test_what_was_filled_in_stands_in_the_form_with_its_source_and_counts_for_nothing(invite, asha_new):
    client = signed_in(asha_new)
    accept(client)
    investor = asha_new.investors.get()
    assert (investor.name, investor.pan) == ("", "")
    assert sources(investor)["personal.name"] == ("STAFF", False)
    text = client.get(reverse("investors:step", args=["pan"])).content.decode()
    assert 'value="ASHPR3751C"' in text
    assert "Filled in by Meera Iyer. Please check it." in text


def test_saving_the_step_confirms_what_stayed_and_owns_what_was_changed(invite, asha_new):
    accept(signed_in(asha_new))
    investor = asha_new.investors.get()
    onboarding.save_step(investor=investor, slug=steps.PERSONAL, values=PERSONAL, actor=asha_new, at=clock.now())
    now = sources(investor)
    assert now["personal.name"] == ("STAFF", True)
    assert now["personal.date_of_birth"] == ("STAFF", True)
    assert now["personal.occupation"] == ("INVESTOR", False), "it was changed, so it is the investor's own"
    assert now["personal.gender"] == ("INVESTOR", False), "nobody else had filled it in"
    assert now["pan.pan"] == ("STAFF", False), "that page was not saved yet"


def test_a_confirmed_value_that_is_changed_later_becomes_the_investors_own(invite, asha_new):
    accept(signed_in(asha_new))
    for name in ("Asha Rao", "Asha R Rao"):
        onboarding.save_step(
            investor=asha_new.investors.get(), slug=steps.PERSONAL, values={**PERSONAL, "name": name}, actor=asha_new,
            at=clock.now(),
        )  # fmt: skip
    assert sources(asha_new.investors.get())["personal.name"] == ("INVESTOR", False)


def test_the_database_knows_that_only_what_others_entered_is_confirmed():
    with pytest.raises(IntegrityError, match="only_what_others_entered_is_confirmed"), transaction.atomic():
        factories.FieldSourceFactory(source="INVESTOR", confirmed_at=clock.now())


# --- in the admin ------------------------------------------------------------------------------------------------


def test_staff_invite_with_what_they_know_and_withdraw_again(maker):
    client = signed_in(maker)
    add = reverse("admin:investors_invite_add")
    form = {"email": EMAIL, "name": "Asha Rao", "euin": "e123456", "basis": "Asked on the phone", "pan": "ashpr3751c"}
    answer = client.post(add, form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = Invite.objects.get(email=EMAIL)
    assert (row.euin, row.invited_by) == ("E123456", maker)
    assert '"pan": "ASHPR3751C"' in row.filled
    assert "ASHPR3751C" not in client.get(reverse("admin:investors_invite_change", args=[row.pk])).content.decode()
    again = client.post(add, form)
    assert invites.AlreadyInvited.message in again.content.decode()
    client.post(reverse("admin:investors_invite_act", args=[row.pk, "revoke"]), {"reason": "Wrong address"})
    row.refresh_from_db()
    assert row.revoked_at


@pytest.mark.parametrize(
    ("field", "value"), [("email", "nobody"), ("euin", "123"), ("basis", ""), ("pan", "AAACR5055K"), ("pincode", "1")]
)
def test_each_mistake_of_staff_stands_at_its_field(maker, field, value):
    form = {"email": EMAIL, "name": "Asha Rao", "euin": "", "basis": "Asked on the phone", field: value}
    answer = signed_in(maker).post(reverse("admin:investors_invite_add"), form)
    assert field in answer.context["adminform"].form.errors
    assert not Invite.objects.exists()


def test_who_only_reads_invites_nobody():
    user = factories.UserFactory()
    roles.grant(user, roles.VIEWER)
    assert signed_in(User.objects.get(pk=user.pk)).get(reverse("admin:investors_invite_add")).status_code == 403


def test_a_message_whose_worker_was_never_told_is_sent_by_the_sweep_once():
    """A partner's machine hands the sending to a worker; the row brings it back when that was lost."""
    row, now = send("partner:1", partner=factories.PartnerFactory()), clock.now()
    assert row.sent == Invite.Sent.NO
    assert invites.unsent(at=now) == [], "the worker may still be about to"
    later = now + invites.GRACE
    assert [jobs.recover(later)["invitations"] for _ in range(2)] == [1, 0]
    row.refresh_from_db()
    assert (row.sent, row.times_sent, len(mail.outbox)) == (Invite.Sent.YES, 1, 1)


@pytest.mark.parametrize("change", ["revoked_at", "expires_at"])
def test_no_message_is_sent_for_a_link_that_is_worth_nothing(change):
    row, now = send("partner:1", partner=factories.PartnerFactory()), clock.now()
    Invite.objects.filter(pk=row.pk).update(**{change: now})
    assert invites.unsent(at=now + invites.LIFE) == []
    invites.send(invite_id=row.pk, at=now)
    assert not mail.outbox


def test_two_workers_do_not_send_at_once(monkeypatch):
    row = send("partner:1", partner=factories.PartnerFactory())
    monkeypatch.setattr(jobs, "alone", lambda name: nullcontext(False))
    invites.send(invite_id=row.pk, at=clock.now())
    assert not mail.outbox


def test_a_message_that_waits_is_handed_out_once_in_two_minutes():
    row = send("partner:1", partner=factories.PartnerFactory())
    later = clock.now() + invites.GRACE
    assert [invites.unsent(at=later) for _ in range(2)] == [[row.pk], []]
    assert invites.unsent(at=later + invites.GRACE) == [row.pk]
