"""Deliveries of webhooks: the schedule, the log, the lanes, what is switched off and what is sent again."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta

import pytest
from django.db import connection

from portal import clock, jobs
from portal.notices.models import Notice
from portal.webhooks import deliveries, endpoints, posting, signing
from portal.webhooks.models import PartnerEvent, WebhookDelivery, WebhookEndpoint, WebhookTry
from tests import factories
from tests.webhooks.receivers import receiver
from tests.webhooks.test_events import commit, link

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State


@pytest.fixture
def north(asha):
    partner = factories.PartnerFactory()
    link(asha, partner)
    commit()
    return partner


@pytest.fixture
def person(north):
    """Somebody who works at the partner."""
    user = factories.UserFactory()
    factories.MemberFactory(partner=north, user=user)
    return user


def happens(asha):
    """An event that every endpoint hears of."""
    factories.OrderFactory(investor=asha)
    commit()
    return PartnerEvent.objects.latest("seq")


def turn(endpoint, at=None):
    return deliveries.drain(endpoint_id=endpoint.pk, at=at or clock.now() + timedelta(seconds=1))


def only(endpoint):
    return WebhookDelivery.objects.get(endpoint=endpoint)


# --- what goes out ----------------------------------------------------------------------------------------------


def test_an_event_goes_out_signed_once_and_is_logged(asha, north):
    with receiver(status=202, body=b"got it") as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        event = happens(asha)
        assert turn(endpoint) == 1
        assert turn(endpoint) == 0
    (headers, body) = good.heard[0]
    assert len(good.heard) == 1
    assert headers["webhook-id"] == event.code
    signing.verify(
        event_id=headers["webhook-id"], timestamp=headers["webhook-timestamp"], signature=headers["webhook-signature"],
        body=body, secret=endpoint.secret, now=int(headers["webhook-timestamp"]),
    )  # fmt: skip
    assert json.loads(body)["type"] == event.type
    log = WebhookTry.objects.get()
    assert (only(endpoint).state, log.status, log.answer, log.error) == (State.DELIVERED, 202, "got it", "")


def test_an_endpoint_hears_only_of_the_kinds_it_asked_for(asha, north):
    all_, sips = factories.EndpointFactory(partner=north), factories.EndpointFactory(partner=north, kinds=["sip"])
    happens(asha)
    assert (all_.deliveries.count(), sips.deliveries.count()) == (1, 0)


def test_another_partner_hears_nothing(asha, north):
    other = factories.EndpointFactory()
    happens(asha)
    assert other.deliveries.count() == 0


def test_both_secrets_sign_for_a_day_after_a_rotation(asha, north, person):
    at = clock.now()
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        rotated = endpoints.rotate(partner=north, code=endpoint.code, actor=person, at=at)
        for late in (timedelta(minutes=1), timedelta(hours=25)):
            happens(asha)
            turn(endpoint, at + late)
    signatures = [headers["webhook-signature"].split() for headers, _ in good.heard]
    assert [len(each) for each in signatures] == [2, 1]
    assert deliveries.secrets_of(rotated, at) == [rotated.secret, endpoint.secret]


# --- what does not arrive ---------------------------------------------------------------------------------------


def test_a_dead_receiver_is_tried_sixteen_times_more_in_24_hours_and_then_switched_off(asha, north, person):
    endpoint = factories.EndpointFactory(partner=north, url="http://127.0.0.1:9/")
    happens(asha)
    began = at = only(endpoint).due_at
    waits = []
    while only(endpoint).state == State.WAITING:
        assert turn(endpoint, only(endpoint).due_at - timedelta(seconds=1)) == 0
        waits.append((only(endpoint).due_at - at).total_seconds() / 60)
        at = only(endpoint).due_at
        assert turn(endpoint, at) == 1
    assert waits == [0, 1, 5, 5, 10, 10, 10, 10, 10, 60, 60, 60, 60, 60, 360, 360, 360]
    assert at - began == timedelta(hours=24, minutes=1)
    endpoint.refresh_from_db()
    assert (only(endpoint).state, only(endpoint).log.count()) == (State.FAILED, 17)
    assert endpoint.state == WebhookEndpoint.State.DISABLED
    assert Notice.objects.get(user=person).title == "Webhooks to 127.0.0.1 were switched off"


def test_what_arrives_at_last_stays_on_and_is_not_tried_again(asha, north):
    with receiver(status=503) as ill:
        endpoint = factories.EndpointFactory(partner=north, url=ill.url)
        happens(asha)
        turn(endpoint)
        ill.status = 200
        turn(endpoint, only(endpoint).due_at)
    endpoint.refresh_from_db()
    assert (only(endpoint).state, only(endpoint).tries, endpoint.failing_since) == (State.DELIVERED, 2, None)
    assert {headers["webhook-id"] for headers, _ in ill.heard} == {only(endpoint).event.code}


def test_a_receiver_that_is_gone_is_switched_off_at_once(asha, north, person):
    with receiver(status=410) as gone:
        endpoint = factories.EndpointFactory(partner=north, url=gone.url)
        happens(asha)
        happens(asha)
        turn(endpoint)
    endpoint.refresh_from_db()
    assert endpoint.state == WebhookEndpoint.State.DISABLED
    assert set(endpoint.deliveries.values_list("state", flat=True)) == {State.FAILED}
    assert len(gone.heard) == 1
    assert Notice.objects.filter(user=person).count() == 1


def test_a_redirect_is_a_failed_try(asha, north):
    with receiver() as inside, receiver(status=307, headers={"Location": inside.url}) as redirecting:
        endpoint = factories.EndpointFactory(partner=north, url=redirecting.url)
        happens(asha)
        turn(endpoint)
        assert inside.heard == []
    assert (only(endpoint).state, only(endpoint).tries) == (State.WAITING, 1)
    assert "redirect" in only(endpoint).log.get().error


def test_an_address_inside_is_logged_and_never_fetched(asha, north, settings):
    with receiver() as inside:
        endpoint = factories.EndpointFactory(partner=north, url=inside.url.replace("http:", "https:"))
        happens(asha)
        settings.WEBHOOK_LOOPBACK = False
        turn(endpoint)
        assert inside.heard == []
    assert "private network" in only(endpoint).log.get().error


# --- nobody waits for somebody else -----------------------------------------------------------------------------


def test_a_slow_endpoint_gets_one_try_a_turn_and_the_others_all_of_theirs(asha, north, monkeypatch):
    monkeypatch.setattr(deliveries, "SLOW_MS", 100)
    with receiver(wait_s=0.2) as slow, receiver() as good:
        lame = factories.EndpointFactory(partner=north, url=slow.url)
        quick = factories.EndpointFactory(partner=north, url=good.url)
        for _ in range(5):
            happens(asha)
        assert turn(lame) == 1
        assert turn(quick) == 5


def test_a_slow_endpoint_waits_while_the_slow_lanes_are_taken_and_a_good_one_does_not(asha, north):
    with receiver() as good:
        lame = factories.EndpointFactory(partner=north, url="http://127.0.0.1:9/", failing_since=clock.now())
        quick = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        with elsewhere("webhooks.slow.0"), elsewhere("webhooks.slow.1"):
            assert turn(lame) == 0
            assert turn(quick) == 1
        assert turn(lame) == 1


def test_webhooks_leave_workers_free_for_money(asha, north):
    """Every lane is taken: the turn is over, and comes back with the sweep."""
    with receiver() as good, contextlib.ExitStack() as taken:
        quick = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        for number in range(deliveries.LANES["quick"]):
            taken.enter_context(elsewhere(f"webhooks.quick.{number}"))
        assert turn(quick) == 0
        taken.close()
        assert turn(quick) == 1


def test_a_long_queue_of_one_endpoint_hides_no_other_from_the_sweep(asha, north):
    lame = factories.EndpointFactory(partner=north, failing_since=clock.now())
    queue = factories.PartnerEventFactory.build_batch(1_500, partner=lame.partner)
    long_ago = clock.now() - timedelta(days=1)
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint=lame, event=event, partner=north, due_at=long_ago)
        for event in PartnerEvent.objects.bulk_create(queue)
    )
    quick = factories.EndpointFactory(partner=north)
    happens(asha)
    assert set(deliveries.find_due(clock.now() + timedelta(seconds=1))) == {lame.pk, quick.pk}


def test_two_workers_do_not_work_one_endpoint(asha, north):
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        with elsewhere(f"webhooks.{endpoint.pk}"):
            assert turn(endpoint) == 0
        assert turn(endpoint) == 1


@contextlib.contextmanager
def elsewhere(name):
    """Another process holds the lock."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(727, %s)", [jobs.lock_key(name)])
            yield
            cursor.execute("SELECT pg_advisory_unlock(727, %s)", [jobs.lock_key(name)])
    finally:
        other.close()


def test_the_sweep_finds_what_is_due_and_switched_on_by_one_statement(asha, north, django_assert_num_queries):
    on = factories.EndpointFactory(partner=north)
    factories.EndpointFactory(partner=north, state="PAUSED")
    happens(asha)
    happens(asha)
    with django_assert_num_queries(1):
        assert deliveries.find_due(clock.now() + timedelta(seconds=1)) == [on.pk]
    type(north).objects.filter(pk=north.pk).update(is_active=False)
    assert deliveries.find_due(clock.now() + timedelta(seconds=1)) == []


def test_a_worker_that_died_after_sending_sends_again_under_the_same_id(asha, north, monkeypatch):
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        record = deliveries._record
        monkeypatch.setattr(deliveries, "_record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            turn(endpoint)
        monkeypatch.setattr(deliveries, "_record", record)
        turn(endpoint)
    assert len({headers["webhook-id"] for headers, _ in good.heard}) == 1
    assert (len(good.heard), only(endpoint).state) == (2, State.DELIVERED)


# --- what the partner does --------------------------------------------------------------------------------------


def test_a_test_event_goes_to_one_endpoint_and_stands_in_the_feed(asha, north, person):
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        other = factories.EndpointFactory(partner=north)
        event = endpoints.send_test(partner=north, code=endpoint.code, actor=person, at=clock.now())
        commit()
        turn(endpoint)
    assert [headers["webhook-id"] for headers, _ in good.heard] == [event.code]
    assert other.deliveries.count() == 0
    event.refresh_from_db()
    assert (event.type, event.seq) == ("webhook.test", 2)


def test_one_delivery_is_sent_again_under_its_id_with_all_its_tries(asha, north, person):
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        turn(endpoint)
        row = only(endpoint)
        endpoints.send_again(partner=north, code=endpoint.code, delivery_id=row.pk, actor=person, at=clock.now())
        turn(endpoint)
    row.refresh_from_db()
    assert (len(good.heard), row.log.count(), row.state, row.tries) == (2, 2, State.DELIVERED, 1)


def test_what_was_missed_is_sent_again_and_what_arrived_is_not(asha, north, person):
    at = clock.now()
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        turn(endpoint)
        endpoints.pause(partner=north, code=endpoint.code, actor=person, at=at)
        missed = happens(asha)
        endpoints.resume(partner=north, code=endpoint.code, actor=person, at=at)
        # The order that was missed, and the link that happened before there was an endpoint.
        assert endpoints.send_missed(partner=north, code=endpoint.code, actor=person, at=clock.now()) == 2
        turn(endpoint)
    assert len(good.heard) == 3
    assert good.heard[-1][0]["webhook-id"] == missed.code


@pytest.mark.parametrize("verb", ["send_test", "send_missed"])
def test_nothing_is_sent_to_an_endpoint_that_is_off(north, person, verb):
    endpoint = factories.EndpointFactory(partner=north, state="PAUSED")
    with pytest.raises(endpoints.SwitchedOff):
        getattr(endpoints, verb)(partner=north, code=endpoint.code, actor=person, at=clock.now())


def test_a_partner_reaches_no_endpoint_of_another(person, north):
    theirs = factories.EndpointFactory()
    for verb in ("rotate", "pause", "resume", "delete", "send_test", "send_missed", "end_old_secret"):
        with pytest.raises(endpoints.NotThere):
            getattr(endpoints, verb)(partner=north, code=theirs.code, actor=person, at=clock.now())
    mine = factories.EndpointFactory(partner=north)
    row = factories.WebhookDeliveryFactory(endpoint=theirs)
    with pytest.raises(endpoints.NotThere):
        endpoints.send_again(partner=north, code=mine.code, delivery_id=row.pk, actor=person, at=clock.now())


def test_a_partner_has_ten_endpoints_at_most_and_an_address_once(north, person):
    def add(number):
        return endpoints.add(
            partner=north, url=f"https://a.example/{number}", kinds=["order", "nonsense"], actor=person, at=clock.now()
        )

    assert add(0).kinds == ["order"]
    with pytest.raises(endpoints.AlreadyThere):
        add(0)
    with pytest.raises(endpoints.BadAddress):
        endpoints.add(partner=north, url="http://a.example", kinds=[], actor=person, at=clock.now())
    for number in range(1, 10):
        add(number)
    with pytest.raises(endpoints.TooManyEndpoints):
        add(10)


def test_logs_are_forgotten_after_their_time_and_events_are_not(asha, north):
    with receiver() as good:
        endpoint = factories.EndpointFactory(partner=north, url=good.url)
        happens(asha)
        turn(endpoint)
    events = PartnerEvent.objects.count()
    assert deliveries.forget_old(clock.now() + timedelta(days=89)) == 0
    deliveries.forget_old(clock.now() + timedelta(days=91))
    assert (WebhookDelivery.objects.count(), WebhookTry.objects.count()) == (0, 0)
    assert PartnerEvent.objects.count() == events


def test_a_try_is_never_made_inside_a_transaction(monkeypatch):
    from django.db import transaction

    with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
        posting.post("https://a.example/", b"", {})
