"""Notices: each thing is told once, sent once per wanted channel, shown in the centre, and never in the wrong hands."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from portal import clock
from portal.clock import IST
from portal.models import Delivery, Notice
from portal.notices import catalogue, senders, writing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return factories.OrderFactory(state="PAID")


def tell(order, event: str = "order.paid", **more):
    facts = {"scheme": "HDFC Flexi Cap", "asked": "₹5,000.00", "why": "", "money": "", "partner": "Northstar"}
    return writing.tell(
        user_id=order.investor.user_id,
        event=event,
        subject=order,
        url=f"/orders/{order.code}/",
        **{"at": clock.now(), **more, **facts},
    )


def deliveries(notice) -> dict[str, Delivery]:
    return {each.channel: each for each in Delivery.objects.filter(notice=notice)}


def test_a_thing_is_told_once_and_the_database_insists(order):
    first = tell(order)
    assert tell(order) is None
    assert tell(order, about="PAY-2") is not None, "another payment is another thing"
    with pytest.raises(IntegrityError, match="a_person_is_told_a_thing_once"), transaction.atomic():
        Notice.objects.create(
            user=first.user, event=first.event, subject_kind=first.subject_kind, subject_id=first.subject_id,
            title="x", text="x", url="/", at=clock.now(),
        )  # fmt: skip


def test_every_event_can_be_told_with_the_facts_of_an_order(order):
    for event in (each for each in catalogue.everything() if each.key.startswith(("order.", "payment."))):
        assert tell(order, event.key).title


def test_a_message_has_text_and_html_and_leads_to_the_order(order):
    notice = tell(order)
    writing.deliver(delivery_id=deliveries(notice)["EMAIL"].pk, at=clock.now())
    (sent,) = mail.outbox
    html = sent.alternatives[0][0]
    for body in (sent.body, str(html)):
        assert f"/orders/{order.code}/" in body
        assert "left your bank" in body
    assert deliveries(notice)["EMAIL"].state == "SENT"


def test_a_message_is_sent_once_however_often_its_task_runs(order):
    delivery = deliveries(tell(order))["EMAIL"]
    for _ in range(3):
        writing.deliver(delivery_id=delivery.pk, at=clock.now())
    assert len(mail.outbox) == 1


def test_what_did_not_leave_is_tried_again_and_then_given_up(order, monkeypatch):
    delivery, at = deliveries(tell(order))["EMAIL"], clock.now()

    def refuse(self, notice):
        raise senders.NotSent("ConnectionRefusedError")

    monkeypatch.setattr(senders.Email, "send", refuse)
    for wait in (timedelta(0), *writing.AGAIN_AFTER):
        at += wait
        writing.deliver(delivery_id=delivery.pk, at=at)
        delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.due_at) == ("FAILED", 7, None)
    assert at - delivery.notice.at > timedelta(hours=43), "a mail server may be down for nearly two days"


@pytest.mark.parametrize("trouble", [smtplib.SMTPServerDisconnected(), TimeoutError()])
def test_what_may_have_left_is_never_sent_again(order, monkeypatch, trouble):
    delivery = deliveries(tell(order))["EMAIL"]

    def break_off(self, notice):
        raise trouble

    monkeypatch.setattr(senders.Email, "send", break_off)
    writing.deliver(delivery_id=delivery.pk, at=clock.now())
    monkeypatch.undo()
    writing.deliver(delivery_id=delivery.pk, at=clock.now())
    delivery.refresh_from_db()
    assert (delivery.state, len(mail.outbox)) == ("UNKNOWN", 0)


@pytest.mark.parametrize(
    "trouble", [TimeoutError(), OSError(113, "No route to host"), smtplib.SMTPConnectError(421, "")]
)
def test_a_server_that_is_not_reached_has_taken_nothing(order, settings, monkeypatch, trouble):
    delivery = deliveries(tell(order))["EMAIL"]

    def away(*_, **__):
        raise trouble

    with monkeypatch.context() as while_away:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        while_away.setattr(smtplib.SMTP, "__init__", away)
        writing.deliver(delivery_id=delivery.pk, at=clock.now())
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("WAITING", 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    writing.deliver(delivery_id=delivery.pk, at=delivery.due_at)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("before", ["²", "9" * 30, "9" * 5_000, "-1", "x"])
def test_an_address_that_nobody_made_shows_the_newest(order, client_for, before):
    tell(order)
    for page in ("/notices/", "/orders/", "/stock-orders/"):
        assert client_for(order.investor).get(page, {"before": before}).status_code == 200


def test_a_sender_that_died_leaves_an_unknown_and_no_second_message(order):
    delivery, at = deliveries(tell(order))["EMAIL"], clock.now()
    writing._claim(delivery.pk, at)
    writing.deliver(delivery_id=delivery.pk, at=at + timedelta(minutes=1))
    delivery.refresh_from_db()
    assert delivery.state == "SENDING", "its sender may still be at it"
    later = at + writing.SENDS_WITHIN + timedelta(seconds=1)
    assert writing.find_due(later) == [delivery.pk]
    writing.deliver(delivery_id=delivery.pk, at=later)
    delivery.refresh_from_db()
    assert (delivery.state, len(mail.outbox)) == ("UNKNOWN", 0)


def test_a_person_chooses_but_not_away_what_must_be_sent(order, client_for):
    browser = client_for(order.investor)
    assert "always sent" in browser.get("/notices/choices/").content.decode()
    assert browser.post("/notices/choices/", {}).status_code == 302
    assert deliveries(tell(order, "order.paid")) == {}
    assert set(deliveries(tell(order, "order.allotted"))) == {"EMAIL"}
    browser.post("/notices/choices/", {"order.paid:SMS": "on"})
    assert set(deliveries(tell(order, "order.paid", about="again"))) == {"SMS"}


def test_a_text_message_goes_by_the_named_sender_and_waits_for_the_morning(order, settings, tmp_path):
    settings.OUTBOX_DIR = tmp_path
    order.investor.user.mobile = "9876543210"
    order.investor.user.save()
    night = clock.now().astimezone(IST).replace(hour=23)
    sms = deliveries(tell(order, "order.allotted", at=night))["SMS"]
    assert sms.due_at.astimezone(IST).hour == 8
    writing.deliver(delivery_id=sms.pk, at=sms.due_at)
    (message,) = [path.read_text() for path in tmp_path.iterdir()]
    assert "9876543210@sms.invalid" in message


def test_without_a_sender_there_is_no_such_channel(order, settings):
    settings.SMS_SENDER = ""
    assert set(deliveries(tell(order, "order.allotted"))) == {"EMAIL"}


def test_the_bell_counts_and_reading_ends_it(order, client_for):
    notice, browser = tell(order), client_for(order.investor)
    page = browser.get("/notices/").content.decode()
    assert 'aria-label="Notices, 1 new"' in page
    assert notice.title in page
    assert browser.get(f"/notices/{notice.pk}/")["Location"] == f"/orders/{order.code}/"
    assert 'aria-label="Notices"' in browser.get("/notices/").content.decode()


def test_the_bell_costs_no_statement(order, client_for, django_assert_num_queries):
    browser = client_for(order.investor)
    # The session with its person and the count, the list itself, and the scope set back, which no web process does.
    with django_assert_num_queries(3):
        browser.get("/notices/")


def test_somebody_elses_notice_is_not_there(order, chitra, client_for):
    notice, stranger = tell(order), client_for(chitra)
    assert stranger.get(f"/notices/{notice.pk}/").status_code == 404
    assert notice.title not in stranger.get("/notices/").content.decode()
    stranger.post("/notices/read/")
    notice.refresh_from_db()
    assert notice.read_at is None


def test_operations_see_how_each_message_fared(order, dev, client_for):
    delivery = deliveries(tell(order))["EMAIL"]
    page = client_for(dev).get("/admin/portal/delivery/").content.decode()
    assert "Your bank confirmed the payment" in page
    assert client_for(dev).get(f"/admin/portal/delivery/{delivery.pk}/change/").status_code == 200
