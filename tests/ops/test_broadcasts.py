"""Messages to many (screens.md O-22): composed, seen and approved by a second person, told once to each, stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Holding
from portal import clock, gates, roles
from portal.desk import audiences, broadcasts, proposals
from portal.models import AuditEntry, Broadcast, Delivery, Notice, NoticeChoice, Proposal, User
from portal.notices import senders, writing
from tests import factories
from tests.ops.test_bulk import choose
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
ADD = "/admin/portal/broadcast/add/"
SAID = {
    "subject": "Our pages rest on Sunday",
    "text": "On Sunday from 2:00 to 4:00 nothing can be ordered here.\n\nSIPs and their debits go on as ever.",
    "kind": "SERVICE",
    "audience": "active",
    "audience_of": "",
    "send_at_0": "",
    "send_at_1": "",
}
WHY = {"reason": "The data centre moves"}
Write = Callable[..., Broadcast]


@pytest.fixture
def people(db: None) -> list[Any]:
    """Three who are ready to invest, and somebody who is not."""
    found = [factories.ReadyInvestorFactory() for _ in range(3)]
    factories.InvestorFactory()
    return found


@pytest.fixture
def maker(as_role: Any, people: Any) -> Client:
    return as_role(roles.MAKER)


@pytest.fixture
def checker(as_role: Any) -> Client:
    return as_role(roles.CHECKER)


def compose(client: Client, **more: str) -> Broadcast:
    answer = client.post(ADD, {**SAID, **more})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return Broadcast.objects.latest("id")


def act(client: Any, row: Broadcast, name: str) -> Any:
    """The act as its page offers it, with the mark of what was looked at."""
    page = client.get(act_url(row, name))
    seen = page.context["seen"] if page.status_code == 200 else ""
    return client.post(act_url(row, name), {**WHY, "seen": seen})


@pytest.fixture
def approved(maker: Client, checker: Client) -> Write:
    """`approved(kind="PROMOTIONAL")`: composed by one, approved by another."""

    def make(**more: str) -> Broadcast:
        row = compose(maker, **more)
        act(maker, row, "ask")
        act(checker, row, "approve")
        row.refresh_from_db()
        assert row.state == "SCHEDULED"
        return row

    return make


def send(row: Broadcast, at: Any = None) -> Broadcast:
    broadcasts.work(row.pk, at or clock.now())
    row.refresh_from_db()
    return row


def told(row: Broadcast) -> list[int]:
    return list(Notice.objects.filter(subject_id=str(row.pk)).order_by("user_id").values_list("user_id", flat=True))


def keys(people: list[Any]) -> list[int]:
    return sorted(each.user_id for each in people)


# --- Composing --------------------------------------------------------------------------------------------------


def test_a_draft_shows_what_arrives_whom_it_reaches_and_tells_nobody(maker, people):
    row = compose(maker)
    text = maker.get(reverse("admin:portal_broadcast_change", args=[row.pk])).content.decode()
    assert "3 when it was drafted" in text
    assert "decided when it is sent" in text
    assert people[0].user.email not in text
    assert "nobody yet" in text
    send(row)
    assert (row.state, told(row)) == ("DRAFT", [])


def test_the_preview_is_what_is_sent(maker, approved):
    row = approved()
    mail_page = maker.get(reverse("admin:portal_broadcast_preview", args=[row.pk, "mail"]))
    centre = maker.get(reverse("admin:portal_broadcast_preview", args=[row.pk, "centre"])).content.decode()
    send(row)
    notice = Notice.objects.filter(subject_id=str(row.pk)).first()
    writing.deliver(delivery_id=notice.deliveries.get().pk, at=clock.now())
    (sent,) = mail.outbox
    assert sent.subject == SAID["subject"]
    assert str(sent.alternatives[0][0]) == mail_page.content.decode()
    assert mail_page["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src 'none'" in mail_page["Content-Security-Policy"]
    assert "script-src" not in mail_page["Content-Security-Policy"]
    client = Client()
    client.force_login(notice.user)
    theirs = client.get("/notices/").content.decode()
    for paragraph in SAID["text"].split("\n\n"):
        assert paragraph in sent.body
        line = f'<span class="row-sub">{paragraph}</span>'
        assert line in centre
        assert line in theirs


def test_what_staff_write_is_no_markup(maker):
    row = compose(maker, text="Use <b>this</b> {title}\r\n  and\tthat  \r\n\r\n\r\nTwo")
    assert row.text == "Use <b>this</b> {title}\n\nand that\n\nTwo"
    for what in ("mail", "centre"):
        page = maker.get(reverse("admin:portal_broadcast_preview", args=[row.pk, what])).content.decode()
        assert "&lt;b&gt;this&lt;/b&gt; {title}" in page


def test_each_finding_is_named_with_its_place(maker):
    answer = maker.post(ADD, {**SAID, "subject": "Sure-shot gains", "text": "All is well.\n\nGuaranteed growth."})
    errors = answer.context["adminform"].form.errors
    assert "sure shot gains" in errors["subject"][0]
    assert errors["text"][0].startswith("Paragraph 2: “guaranteed” cannot be said to investors.")
    answer = maker.post(ADD, {**SAID, "text": "You cannot\n\nlose anything."})
    assert (
        answer.context["adminform"].form.errors["text"][0].startswith("From one paragraph to the next: “cannot lose”")
    )
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"audience": "everybody"}, "audience"),
        ({"audience": "holders"}, "audience_of"),
        ({"audience": "of_partner", "audience_of": "NOBODY"}, "audience_of"),
        ({"send_at_0": "2020-01-01", "send_at_1": "10:00"}, "send_at"),
        ({"text": "x" * 2_001}, "text"),
    ],
)
def test_nothing_odd_is_kept(maker, wrong, field):
    assert field in maker.post(ADD, {**SAID, **wrong}).context["adminform"].form.errors


def test_its_author_alone_changes_a_draft_and_nobody_what_waits(maker, as_role):
    row, page = compose(maker), "admin:portal_broadcast_change"
    other = as_role(roles.MAKER)
    assert other.post(reverse(page, args=[row.pk]), {**SAID, "subject": "Other"}).status_code == 403
    maker.post(reverse(page, args=[row.pk]), {**SAID, "subject": "Better"})
    row.refresh_from_db()
    assert row.subject == "Better"
    act(maker, row, "ask")
    assert maker.post(reverse(page, args=[row.pk]), {**SAID, "subject": "Worse"}).status_code == 403
    with pytest.raises(broadcasts.NotOpen):
        broadcasts.write(row=row, actor=row.made_by, at=clock.now())


# --- Groups -----------------------------------------------------------------------------------------------------


def test_each_group_finds_its_people_and_no_others(db):
    ready, other = factories.ReadyInvestorFactory(), factories.ReadyInvestorFactory()
    begun = factories.InvestorFactory(partner=factories.PartnerFactory(code="NORTH"))
    for investor, is_compliant in ((ready, False), (ready, True), (other, True), (other, False)):
        factories.KycCheckFactory(investor=investor, is_compliant=is_compliant, checked_at=clock.now())
    plan = factories.PlanFactory(investor=ready, state="ACTIVE")
    factories.PlanFactory(investor=other, state="CANCELLED")
    held = factories.HoldingFactory(investor=other)
    Holding.objects.filter(pk=factories.HoldingFactory(investor=ready, scheme=held.scheme).pk).update(units=0)
    assert plan.scheme != held.scheme

    def found(key: str, of: str = "") -> set[int]:
        return set(User.objects.filter(pk__in=audiences.audience(key).people(of)).values_list("pk", flat=True))

    assert found("active") == {ready.user_id, other.user_id}
    assert found("without_kyc") == {other.user_id, begun.user_id}
    assert found("with_sip") == {ready.user_id}
    assert found("holders", held.scheme.isin) == {other.user_id}
    assert found("of_partner", "NORTH") == {begun.user_id}
    assert found("of_partner", "") == set()
    assert {key for key, _ in audiences.choices()} == {"active", "without_kyc", "with_sip", "holders", "of_partner"}


def test_who_is_in_the_group_is_decided_when_it_is_sent(approved, people):
    row = approved()
    people.append(factories.ReadyInvestorFactory())
    User.objects.filter(pk=people[0].user_id).update(is_active=False)
    send(row)
    assert told(row) == keys(people[1:])
    assert (row.people, row.told) == (3, 3)


# --- The second person ------------------------------------------------------------------------------------------


def test_nobody_approves_their_own_whatever_their_rights(people, dev, client):
    client.force_login(dev)
    row = compose(client)
    act(client, row, "ask")
    for name in ("approve", "refuse"):
        assert client.post(act_url(row, name), WHY).status_code == 403
    with pytest.raises(proposals.SecondPerson):
        proposals.approve(proposal=Proposal.objects.get(), actor=dev, reason="Mine", at=clock.now())
    row.refresh_from_db()
    assert row.state == "DRAFT"


def test_the_database_lets_nothing_out_without_a_second_person(maker, approved):
    row = compose(maker)
    with pytest.raises(IntegrityError, match="approved by a second person"), transaction.atomic():
        Broadcast.objects.filter(pk=row.pk).update(state="SCHEDULED")
    with pytest.raises(IntegrityError, match="does not go from DRAFT to SENDING"), transaction.atomic():
        Broadcast.objects.filter(pk=row.pk).update(state="SENDING", started_at=clock.now())
    with pytest.raises(IntegrityError, match="begins as a draft"), transaction.atomic():
        Broadcast.objects.create(
            subject="x", text="x", kind="SERVICE", audience="active", state="SCHEDULED",
            made_by=row.made_by, made_at=row.made_at, counted_at=row.made_at,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="does not change once it was approved"), transaction.atomic():
        Broadcast.objects.filter(pk=approved().pk).update(text="Something else")


def test_the_second_person_decides_beside_the_preview_and_nowhere_else(maker, checker):
    row = compose(maker)
    act(maker, row, "ask")
    asked = Proposal.objects.get()
    page = checker.get(reverse("admin:portal_proposal_change", args=[asked.pk])).content.decode()
    assert "3 people, as counted when it was asked for. It is decided on its own page" in page
    assert reverse("admin:portal_broadcast_change", args=[row.pk]) in page
    checker.post(act_url(asked, "approve"), WHY)
    asked.refresh_from_db()
    assert asked.state == "ASKED"
    own = checker.get(reverse("admin:portal_broadcast_change", args=[row.pk])).content.decode()
    assert "3 when the approval was asked for" in own
    assert WHY["reason"] in own
    assert act_url(row, "approve") in own
    assert "waits for a second person" in own


def test_what_was_refused_is_a_draft_again_and_is_asked_anew(maker, checker):
    row = compose(maker)
    act(maker, row, "ask")
    act(checker, row, "refuse")
    maker.post(reverse("admin:portal_broadcast_change", args=[row.pk]), {**SAID, "subject": "Better"})
    act(maker, row, "ask")
    act(checker, row, "approve")
    row.refresh_from_db()
    assert (row.state, row.subject) == ("SCHEDULED", "Better")
    entry = AuditEntry.objects.get(subject_kind="portal.broadcast", action="broadcast.changed")
    assert (entry.actor, entry.reason) == (f"user:{checker.user.pk}", WHY["reason"])


def test_least_rights(maker, checker, as_role):
    row = compose(maker)
    for role in (roles.VIEWER, roles.CHECKER, roles.ADMIN):
        assert as_role(role).post(ADD, SAID).status_code == 403
    assert checker.post(act_url(row, "ask"), WHY).status_code == 403
    act(maker, row, "ask")
    for role in (roles.VIEWER, roles.MAKER, roles.ADMIN):
        assert as_role(role).post(act_url(row, "approve"), WHY).status_code == 403
    assert as_role(roles.VIEWER).post(act_url(row, "cancel"), WHY).status_code == 403
    assert (
        as_role(roles.VIEWER).get(reverse("admin:portal_broadcast_preview", args=[row.pk, "mail"])).status_code == 200
    )
    assert checker.get(reverse("admin:portal_broadcast_preview", args=[row.pk, "other"])).status_code == 404


def test_a_time_that_has_passed_is_not_approved(maker, checker):
    later = clock.now() + timedelta(days=1)
    row = compose(maker, send_at_0=f"{later:%Y-%m-%d}", send_at_1=f"{later:%H:%M:%S}")
    act(maker, row, "ask")
    with pytest.raises(proposals.NotPossible, match="has passed"):
        proposals.approve(
            proposal=Proposal.objects.get(), actor=checker.user, reason="Late", at=later + timedelta(minutes=1)
        )


# --- Sending ----------------------------------------------------------------------------------------------------


def test_it_waits_for_its_time_and_then_tells_each_once(approved, people):
    later = clock.now() + timedelta(days=1)
    row = approved(send_at_0=f"{later:%Y-%m-%d}", send_at_1=f"{later:%H:%M:%S}")
    assert broadcasts.find_due(clock.now()) == []
    assert told(send(row)) == []
    after = row.send_at + timedelta(seconds=1)
    assert broadcasts.find_due(after) == [row.pk]
    send(row, after)
    send(row, after)
    assert told(row) == keys(people)
    assert (row.state, row.told, row.due_at) == ("SENT", 3, None)
    assert Delivery.objects.filter(channel="EMAIL", state="WAITING").count() == 3
    assert AuditEntry.objects.get(action="broadcast.sent").data == {"told": 3}


def test_a_group_of_nobody_is_sent_to_nobody_and_says_so(approved, maker):
    factories.PartnerFactory(code="EMPTY")
    row = send(approved(audience="of_partner", audience_of="empty"))
    assert (row.state, row.told) == ("SENT", 0)
    assert "nobody was in the group" in maker.get(reverse("admin:portal_broadcast_changelist")).content.decode()


def test_promotion_leaves_out_whoever_chose_so_and_service_does_not(approved, people, maker):
    out, by_text, _ = people
    for person, channel, wanted in ((out, "EMAIL", False), (by_text, "EMAIL", False), (by_text, "SMS", True)):
        for event in ("broadcast.promotional", "broadcast.service"):
            NoticeChoice.objects.create(user=person.user, event=event, channel=channel, wanted=wanted)
    promoted = send(approved(kind="PROMOTIONAL"))
    assert promoted.people == 2
    assert told(promoted) == keys(people[1:])
    sent = Delivery.objects.filter(notice__subject_id=str(promoted.pk)).values_list("user_id", "channel")
    assert set(sent) == {(by_text.user_id, "SMS"), (people[2].user_id, "EMAIL")}
    Delivery.objects.update(state="SENT", sent_at=clock.now(), due_at=None)
    service = send(approved())
    assert told(service) == keys(people)
    assert Delivery.objects.filter(notice__subject_id=str(service.pk), channel="EMAIL").count() == 3


def test_the_choice_stands_on_the_page_of_choices(client_for, people):
    text = client_for(people[0]).get("/notices/choices/").content.decode()
    assert "News and offers" in text
    assert text.count("Without a tick you do not get them here either.") == 1
    assert 'name="broadcast.service:EMAIL" checked disabled' in text


def test_a_promotion_says_where_one_chooses_otherwise(approved, people):
    row = send(approved(kind="PROMOTIONAL"))
    text, html = senders.written(Notice.objects.filter(subject_id=str(row.pk))[0])
    for body in (text, html):
        assert "/notices/choices/" in body
        assert "Choose whether you get such messages" in body


def test_portions_follow_each_other_and_wait_while_many_messages_wait(approved, people, monkeypatch):
    monkeypatch.setattr(broadcasts, "PORTION", 2)
    row = send(approved())
    assert (row.state, row.told) == ("SENDING", 2)
    assert send(row).told == 2, "two messages wait for their sender"
    Delivery.objects.update(state="SENT", sent_at=clock.now(), due_at=None)
    assert (send(row).state, told(row)) == ("SENT", keys(people))


def test_a_portion_takes_as_many_statements_for_thirty_people_as_for_three(approved, people):
    def statements() -> int:
        row = approved()
        with CaptureQueriesContext(connection) as captured:
            send(row)
        Delivery.objects.update(state="SENT", sent_at=clock.now(), due_at=None)
        return len(captured)

    few = statements()
    for _ in range(27):
        factories.ReadyInvestorFactory()
    assert statements() == few


def test_a_closed_gate_holds_people_and_messages_and_goes_on_where_it_was(approved, people, monkeypatch):
    monkeypatch.setattr(broadcasts, "PORTION", 2)
    row = send(approved())
    gates.turn(name=gates.MESSAGES, closed=True, reason="The wrong scheme", actor="test", at=clock.now())
    held = Delivery.objects.filter(channel="EMAIL").first()
    writing.deliver(delivery_id=held.pk, at=clock.now())
    held.refresh_from_db()
    assert (held.state, mail.outbox) == ("WAITING", [])
    assert held.due_at > clock.now()
    Delivery.objects.update(due_at=clock.now() + timedelta(minutes=1))
    assert send(row).told == 2
    gates.turn(name=gates.MESSAGES, closed=False, reason="It was right", actor="test", at=clock.now())
    assert told(send(row)) == keys(people)
    gates.check()


def test_an_older_database_tells_nobody_again(approved):
    row = approved()
    gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="older", actor="test", at=clock.now())
    assert told(send(row)) == []


def test_a_closed_gate_of_messages_stops_no_money(db):
    gates.turn(name=gates.MESSAGES, closed=True, reason="Quiet", actor="test", at=clock.now())
    gates.check()
    gates.check("odin")


def test_cancelled_halfway_nobody_further_is_told_and_what_waits_stays(approved, maker, monkeypatch):
    monkeypatch.setattr(broadcasts, "PORTION", 2)
    row = send(approved())
    first = Delivery.objects.order_by("id").first()
    writing.deliver(delivery_id=first.pk, at=clock.now())
    act(maker, row, "cancel")
    send(row)
    assert (row.state, row.told, len(told(row))) == ("CANCELLED", 2, 2)
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["SENT", "STOPPED"]
    entry = AuditEntry.objects.get(action="broadcast.cancelled")
    assert (entry.reason, entry.data) == (WHY["reason"], {"told": 2, "not_sent": 1})
    stopped = Delivery.objects.get(state="STOPPED")
    writing.deliver(delivery_id=stopped.pk, at=clock.now())
    assert len(mail.outbox) == 1
    run = choose(maker, [stopped], "send_again")
    assert [line.state for line in run.lines.all()] == ["SKIPPED"]
    with pytest.raises(writing.NotToBeSent):
        writing.send_again(delivery_id=stopped.pk, actor=maker.user, reason="Again", at=clock.now())


def test_what_was_on_its_way_when_it_was_cancelled_is_not_tried_again(approved, maker, monkeypatch):
    monkeypatch.setattr(broadcasts, "PORTION", 2)
    row = send(approved())
    first, failed = Delivery.objects.order_by("id")
    Delivery.objects.filter(pk=failed.pk).update(state="FAILED", due_at=None)

    def cancelled_meanwhile(self: Any, notice: Notice) -> None:
        broadcasts.cancel(row=row, actor=maker.user, reason="The wrong group", at=clock.now())
        raise senders.NotSent("ConnectionRefusedError")

    with monkeypatch.context() as while_sending:
        while_sending.setattr(senders.Email, "send", cancelled_meanwhile)
        writing.deliver(delivery_id=first.pk, at=clock.now())
    first.refresh_from_db()
    writing.deliver(delivery_id=first.pk, at=first.due_at)
    writing.send_again(delivery_id=failed.pk, actor=maker.user, reason="Once more", at=clock.now())
    writing.deliver(delivery_id=failed.pk, at=clock.now())
    assert mail.outbox == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"STOPPED"}


@pytest.mark.parametrize("before", ["draft", "asked", "scheduled"])
def test_it_can_be_cancelled_before_anything_leaves(maker, checker, before):
    row = compose(maker)
    if before != "draft":
        act(maker, row, "ask")
    if before == "scheduled":
        act(checker, row, "approve")
    act(checker, row, "cancel")
    assert (send(row).state, told(row)) == ("CANCELLED", [])
    assert not Proposal.objects.filter(state="ASKED").exists()
    assert act(maker, row, "cancel").status_code == 302
    with pytest.raises(broadcasts.NotOpen):
        broadcasts.cancel(row=row, actor=maker.user, reason="Twice", at=clock.now())


def test_who_was_told_stands_in_the_lists_of_messages(approved, maker, people):
    row = send(approved())
    writing.deliver(delivery_id=Delivery.objects.order_by("id").first().pk, at=clock.now())
    own = maker.get(reverse("admin:portal_broadcast_change", args=[row.pk])).content.decode()
    for page in ("notice", "delivery"):
        url = f"{reverse(f'admin:portal_{page}_changelist')}?q={row.code}"
        assert url in own
        assert len(maker.get(url).context["cl"].result_list) == 3
    entry = AuditEntry.objects.get(action="broadcast.investor_told")
    assert entry.subject_kind == "portal.user"
    assert int(entry.subject_id) in keys(people)


# --- The pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [roles.VIEWER, roles.MAKER, roles.CHECKER])
def test_a_page_asks_nothing_twice_in_any_state(as_role, maker, approved, role, monkeypatch):
    monkeypatch.setattr(broadcasts, "PORTION", 1)
    compose(maker)
    act(maker, compose(maker, audience="holders", audience_of=factories.HoldingFactory().scheme.isin), "ask")
    sending, cancelled = send(approved()), approved()
    act(maker, cancelled, "cancel")
    assert sending.state == "SENDING"
    client = as_role(role) if role != roles.MAKER else maker
    for row in Broadcast.objects.all():
        url = reverse("admin:portal_broadcast_change", args=[row.pk])
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(url)
        said = [query["sql"] for query in captured]
        assert sorted(set(said)) == sorted(said), row.state
        assert len(said) <= 16, said
        assert (page.get("Refresh") == "5") == (row.state == "SENDING")


def test_the_list_costs_the_same_for_ten_as_for_two(maker):
    scheme, url = factories.HoldingFactory().scheme, reverse("admin:portal_broadcast_changelist")

    def statements(more: int) -> int:
        for _ in range(more):
            compose(maker, audience="holders", audience_of=scheme.isin)
        maker.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert maker.get(url).status_code == 200
        return len(captured)

    assert statements(2) == statements(8)


def test_an_empty_list_says_so(maker):
    text = maker.get(reverse("admin:portal_broadcast_changelist")).content.decode()
    assert "No message was written yet" in text
    assert "Messages to many" in text
