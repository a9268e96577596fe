"""What people were told (screens.md O-22): found by person and record, and sent again only where it never left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from investors.operations import transfer_notices
from portal import clock, roles
from portal.models import AuditEntry, Delivery, Notice
from portal.notices import writing
from tests import factories
from tests.ops.test_bulk import choose

pytestmark = pytest.mark.django_db
NOTICES, MESSAGES = "/admin/portal/notice/", "/admin/portal/delivery/"
FACTS = {"scheme": "HDFC Flexi Cap", "asked": "₹5,000.00", "why": "", "money": "", "partner": ""}
REASON = {"reason": "The mail server was down all night"}


def tell(order, event="order.paid"):
    return writing.tell(
        user_id=order.investor.user_id, event=event, subject=order, url="/orders/", at=clock.now(), **FACTS
    )


@pytest.fixture
def told(db):
    """Two people who were told of an order each; of the first, the e-mail did not leave."""
    first, second = factories.OrderFactory(state="PAID"), factories.OrderFactory(state="PAID")
    notice, other = tell(first), tell(second)
    failed = notice.deliveries.get(channel="EMAIL")
    Delivery.objects.filter(pk=failed.pk).update(state="FAILED", error="no route", due_at=None, tries=7)
    return SimpleNamespace(order=first, notice=notice, other=other, failed=failed, second=second)


@pytest.mark.parametrize("page", [NOTICES, MESSAGES])
def test_they_are_found_by_person_and_by_record(as_role, told, page):
    client = as_role(roles.VIEWER)
    mine = {told.notice.pk}
    for term in (told.order.code, told.order.investor.code, told.order.investor.user.email):
        found = client.post(f"{page}find/", {"q": term}, follow=True).context["cl"].result_list
        assert {getattr(row, "notice_id", row.pk) for row in found} == mine, term
    assert not client.post(f"{page}find/", {"q": "ORD-NOBODY"}, follow=True).context["cl"].result_list


def test_the_list_says_what_went_by_which_channel_and_how_it_fared(as_role, told):
    page = as_role(roles.VIEWER).get(NOTICES).content.decode()
    assert "email: not sent" in page
    assert "email: waiting" in page
    assert told.order.investor.user.email not in page


def test_a_notice_leads_to_what_it_is_about_and_the_look_is_noted(as_role, told):
    page = as_role(roles.VIEWER).get(reverse("admin:portal_notice_change", args=[told.notice.pk])).content.decode()
    assert reverse("admin:orders_mforder_change", args=[told.order.pk]) in page
    assert "no route" in page
    seen = AuditEntry.objects.get(action="personal.seen")
    assert (seen.subject_kind, seen.subject_id) == ("portal.user", str(told.order.investor.user_id))


@pytest.mark.parametrize("page", [NOTICES, MESSAGES])
def test_a_list_is_narrowed_to_an_event(as_role, told, page):
    tell(told.order, "order.allotted")
    rows = as_role(roles.VIEWER).get(f"{page}?event=order.allotted").context["cl"].result_list
    assert {getattr(row, "notice", row).event for row in rows} == {"order.allotted"}


@pytest.fixture
def many(told):
    """Three thousand other people's notices, of which the database knows how they are spread."""
    same = {"user": told.second.investor.user, "event": "order.paid", "subject_kind": "orders.mforder"}
    words = {"title": "Paid", "text": "Paid.", "url": "/orders/", "at": clock.now()}
    Notice.objects.bulk_create(Notice(subject_id=str(10**9 + n), **same, **words) for n in range(3_000))
    tell(told.order, "order.allotted")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE portal_notice")


@pytest.mark.parametrize("page", [NOTICES, MESSAGES])
@pytest.mark.parametrize("sought", ["record", "event"])
def test_nobody_walks_through_all_notices_to_find_some(as_role, told, many, page, sought):
    client = as_role(roles.VIEWER)
    with CaptureQueriesContext(connection) as captured:
        if sought == "record":
            client.post(f"{page}find/", {"q": told.order.code}, follow=True)
        else:
            client.get(f"{page}?event=order.allotted")
    narrowed = {"record": 'subject_id" =', "event": 'event" ='}[sought]
    asked = [each["sql"] for each in captured if each["sql"].startswith("SELECT") and narrowed in each["sql"]]
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert {"record": "notices_about", "event": "notices_of_event"}[sought] in plan, plan
    assert asked


def test_whoever_works_at_a_firm_is_found_by_the_transfer_too(as_role, told):
    row = factories.TransferFactory()
    at_the_firm = factories.MemberFactory(partner=row.to_partner).user
    transfer_notices.tell_firms(row, transfer_notices.WAITING, at=clock.now())
    found = as_role(roles.VIEWER).post(f"{NOTICES}find/", {"q": row.code}, follow=True).context["cl"].result_list
    assert at_the_firm in [notice.user for notice in found]


def act(delivery):
    return reverse("admin:portal_delivery_act", args=[delivery.pk, "send-again"])


def test_what_certainly_did_not_leave_is_sent_again(as_role, told, mailoutbox):
    client = as_role(roles.MAKER)
    client.post(act(told.failed), REASON)
    told.failed.refresh_from_db()
    assert told.failed.state == "WAITING"
    entry = AuditEntry.objects.get(action="delivery.asked_again")
    assert (entry.actor, entry.reason) == (f"user:{client.user.pk}", REASON["reason"])
    writing.deliver(delivery_id=told.failed.pk, at=clock.now())
    told.failed.refresh_from_db()
    assert (told.failed.state, len(mailoutbox)) == ("SENT", 1)


@pytest.mark.parametrize("state", ["WAITING", "SENDING", "SENT", "UNKNOWN"])
def test_what_may_have_left_is_not(as_role, told, state):
    Delivery.objects.filter(pk=told.failed.pk).update(state=state, sent_at=clock.now())
    as_role(roles.MAKER).post(act(told.failed), REASON)
    assert Delivery.objects.get(pk=told.failed.pk).state == state
    with pytest.raises(writing.NotToBeSent):
        writing.send_again(delivery_id=told.failed.pk, actor=factories.UserFactory(), reason="x", at=clock.now())
    assert not AuditEntry.objects.filter(action="delivery.asked_again").exists()


@pytest.mark.parametrize("role", [roles.VIEWER, roles.CHECKER, roles.ADMIN])
def test_sending_again_needs_its_right(as_role, told, role):
    assert as_role(role).post(act(told.failed), REASON).status_code == 403


def test_many_are_sent_again_after_a_dry_run(as_role, told):
    run = choose(as_role(roles.MAKER), list(Delivery.objects.order_by("id")), "send_again")
    found = dict(run.lines.values_list("subject_id", "state"))
    assert found.pop(str(told.failed.pk)) == "WAITING"
    assert set(found.values()) == {"SKIPPED"}
