"""Events of partners: one per change of state, none lost, none reordered, none missing between two numbers."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError

from orders.models import MfOrder
from portal import clock
from portal.api import partners
from portal.scope import scope
from portal.webhooks import feed
from portal.webhooks.models import PartnerDay, PartnerEvent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def north(asha):
    """A partner that brought Asha."""
    partner = factories.PartnerFactory()
    link(asha, partner)
    return partner


def link(investor, partner):
    type(investor).objects.filter(pk=investor.pk).update(partner=partner)


def commit():
    """What the database does at the end of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def types(partner):
    commit()
    return [event.type for event in feed.after(partner_id=partner.pk, seq=0)]


# --- what is told -----------------------------------------------------------------------------------------------


def test_every_change_of_a_state_is_told_once_and_nothing_else_is(asha, north):
    order = factories.OrderFactory(investor=asha)
    order.save()
    MfOrder.objects.filter(pk=order.pk).update(state="CANCELLED")  # also what no operation knows of
    MfOrder.objects.filter(pk=order.pk).update(state="CANCELLED", looks=3)
    assert types(north) == ["investor.linked", f"order.{order.state.lower()}", "order.cancelled"]


@pytest.mark.parametrize(
    ("factory", "kind"),
    [("MandateFactory", "mandate"), ("PlanFactory", "sip"), ("PaymentFactory", "payment")],
)
def test_kinds_of_objects_that_are_told(asha, north, factory, kind):
    given = {"order": factories.OrderFactory(investor=asha)} if kind == "payment" else {"investor": asha}
    row = getattr(factories, factory)(**given)
    commit()
    event = feed.of_partner(north.pk).get(kind=kind)
    assert event.data == {
        "object": kind,
        "id": row.code,
        "investor": asha.code,
        "state": row.state,
        "previous_state": None,
        "reason": None,
    }


def test_a_payout_is_told_once_two_people_have_decided_it_and_when_it_is_paid(asha, north):
    lines = [factories.CommissionLineFactory(partner=north) for _ in range(3)]
    factories.payout_of(north, [lines[0]], state="ASKED")
    assert types(north) == ["investor.linked"]
    factories.payout_of(factories.PartnerFactory(), [factories.CommissionLineFactory()], state="WITHDRAWN")
    north.payouts.update(state="WITHDRAWN", decided_by=factories.UserFactory(), decided_at=clock.now())
    assert types(north) == ["investor.linked"]
    payout = factories.payout_of(north, lines, state="PAID")
    assert types(north) == ["investor.linked", "payout.approved", "payout.paid"]
    told = feed.of_partner(north.pk).get(type="payout.paid")
    assert told.data == {
        "object": "payout", "id": payout.code, "investor": None, "state": "PAID", "previous_state": "APPROVED",
        "reason": None,
    }  # fmt: skip
    assert feed.of_partner(north.pk).get(type="payout.approved").data["previous_state"] is None


def test_an_event_carries_codes_and_states_and_nothing_personal(asha, north):
    factories.OrderFactory(investor=asha)
    commit()
    for event in feed.of_partner(north.pk):
        text = feed.body(event).decode()
        for word in (asha.name, asha.pan, asha.mobile, asha.user.email):
            assert word not in text


def test_the_reason_of_a_failure_is_told(asha, north):
    order = factories.OrderFactory(investor=asha)
    MfOrder.objects.filter(pk=order.pk).update(state="REJECTED", failure_code="nav_cut_off")
    commit()
    last = feed.of_partner(north.pk).last()
    assert (last.type, last.data["reason"], last.data["previous_state"]) == (
        "order.rejected", "nav_cut_off", order.state,
    )  # fmt: skip


def test_an_investor_without_a_partner_is_told_of_to_nobody(chitra, north):
    factories.OrderFactory(investor=chitra)
    commit()
    assert not PartnerEvent.objects.filter(data__investor=chitra.code).exists()


def test_an_investors_own_act_is_told_although_they_see_no_event(asha, north):
    with scope(f"user:{asha.user_id}"):
        order = factories.OrderFactory(investor=asha)
        assert not PartnerEvent.objects.exists()
        commit()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('portal.scope')")
            assert cursor.fetchone()[0] == f"user:{asha.user_id}"
    assert types(north)[-1] == f"order.{order.state.lower()}"


def test_what_is_rolled_back_was_never_told(asha, north):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        factories.OrderFactory(investor=asha)
        commit()
        raise ZeroDivisionError
    factories.PlanFactory(investor=asha)
    commit()
    events = feed.after(partner_id=north.pk, seq=0)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {event.kind for event in events} == {"investor", "mandate", "sip"}


# --- numbers, days and hashes -----------------------------------------------------------------------------------


def test_each_partner_has_numbers_of_its_own(asha, chitra, north):
    south = factories.PartnerFactory()
    link(chitra, south)
    factories.OrderFactory(investor=asha)
    factories.OrderFactory(investor=chitra)
    commit()
    for partner in (north, south):
        assert list(feed.of_partner(partner.pk).order_by("seq").values_list("seq", flat=True)) == [1, 2]


def test_the_hash_of_each_event_covers_all_before_it(asha, north):
    order = factories.OrderFactory(investor=asha)
    MfOrder.objects.filter(pk=order.pk).update(state="REJECTED", failure_code="bank said: no = no")
    commit()
    previous = ""
    for event in feed.after(partner_id=north.pk, seq=0):
        shown = feed.shown(event)
        assert shown["hash"] == feed.chained(previous, shown)
        previous = shown["hash"]
    day = feed.days(north.pk).get()
    assert (day.events, day.first_seq, day.last_seq, day.last_hash) == (3, 1, 3, previous)


def test_days_are_counted_and_never_run_backwards(asha, north):
    commit()
    order = factories.OrderFactory(investor=asha, state_since=clock.now() + timedelta(days=2))
    commit()
    MfOrder.objects.filter(pk=order.pk).update(state="CANCELLED", state_since=clock.now())
    commit()
    days = list(feed.days(north.pk))
    assert [(day.events, day.first_seq, day.last_seq) for day in days] == [(2, 2, 3), (1, 1, 1)]
    assert days[0].day == (clock.now() + timedelta(days=2)).date()


@pytest.mark.parametrize("change", ["data = '{}'", "seq = 7", "type = 'x'", "hash = 'x'"])
def test_an_event_never_changes(asha, north, change):
    commit()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE portal_partnerevent SET {change}")


def test_an_event_is_never_deleted(asha, north):
    commit()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        PartnerEvent.objects.all()._raw_delete("default")


# --- the wall ---------------------------------------------------------------------------------------------------

TABLES = [
    "portal_partnerevent", "portal_partnerday", "portal_webhookendpoint", "portal_webhookdelivery", "portal_webhooktry"
]  # fmt: skip


@pytest.fixture
def told(asha, north):
    """A row of the partner in every table."""
    at = clock.now()
    endpoint = factories.EndpointFactory(partner=north)
    factories.OrderFactory(investor=asha)
    commit()
    delivery = endpoint.deliveries.last()
    delivery.log.create(partner=north, at=at, took_ms=1, status=200)
    return north


@pytest.mark.parametrize("table", TABLES)
def test_a_partner_sees_its_own_rows_and_nobody_else_does(told, asha, table):
    def count():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            return cursor.fetchone()[0]

    south = factories.PartnerFactory()
    assert count() > 0
    with scope(partners.scope_of(told)):
        assert count() > 0
    for whose in (partners.scope_of(south), "none", f"user:{asha.user_id}", "partner:", f"partner:{told.pk} OR true"):
        with scope(whose):
            assert count() == 0, whose


def test_a_partner_writes_no_event_of_another_partner(told):
    south = factories.PartnerFactory()
    with (
        scope(partners.scope_of(south)),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        PartnerEvent.objects.create(partner=told, code="evt_x", type="order.x", kind="order", at=clock.now(), data={})


# --- many at once -----------------------------------------------------------------------------------------------


class Person(threading.Thread):
    """Somebody with a connection of their own, who begins an order and commits when told."""

    def __init__(self, investor, amount):
        super().__init__(daemon=True)
        self.investor, self.amount = investor, amount
        self.written, self.may_commit = threading.Event(), threading.Event()

    def run(self):
        try:
            with transaction.atomic():
                factories.OrderFactory(investor=self.investor, amount=self.amount)
                self.written.set()
                self.may_commit.wait(10)
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_whoever_commits_first_has_the_lower_number_whoever_began_first(asha):
    """The race that loses events behind a cursor, and that it does not happen here."""
    partner = factories.PartnerFactory()
    link(asha, partner)
    cursor = PartnerDay.objects.get(partner=partner).last_seq
    first, second = Person(asha, 1000), Person(asha, 2000)
    for person in (first, second):
        person.start()
        assert person.written.wait(10)
    second.may_commit.set()
    second.join(10)
    read = feed.after(partner_id=partner.pk, seq=cursor)
    first.may_commit.set()
    first.join(10)
    later = feed.after(partner_id=partner.pk, seq=read[-1].seq)
    assert [len(read), len(later)] == [1, 1]
    # The guard off: read by the number that the row got when it was written, the later one would be lost.
    assert later[0].pk < read[0].pk


@pytest.mark.django_db(transaction=True)
def test_a_reader_sees_no_hole_while_eight_write(asha, chitra):
    partner = factories.PartnerFactory()
    for investor in (asha, chitra):
        link(investor, partner)
    stop, seen, holes = threading.Event(), [0], []

    def read():
        try:
            while not stop.is_set() or feed.after(partner_id=partner.pk, seq=seen[0], limit=1):
                for event in feed.after(partner_id=partner.pk, seq=seen[0]):
                    if event.seq != seen[0] + 1:
                        holes.append((seen[0], event.seq))
                    seen[0] = event.seq
        finally:
            connection.close()

    def write(investor):
        try:
            for _ in range(5):
                factories.OrderFactory(investor=investor)
        finally:
            connection.close()

    reader = threading.Thread(target=read, daemon=True)
    writers = [threading.Thread(target=write, args=[each], daemon=True) for each in [asha, chitra] * 4]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join(30)
    stop.set()
    reader.join(30)
    assert holes == []
    assert seen[0] == 42  # two links and forty orders
    previous = ""
    for event in feed.after(partner_id=partner.pk, seq=0):
        previous = feed.chained(previous, feed.shown(event))
        assert event.hash == previous
