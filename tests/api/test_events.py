"""The feed of events by the API: nothing missing behind a number, days that prove it, nobody else's."""

from __future__ import annotations

import pytest

from portal.webhooks import feed
from tests import factories
from tests.api.conftest import caller_of
from tests.webhooks.test_events import commit

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(north, asha):
    """Five more events than there were."""
    for _ in range(5):
        factories.OrderFactory(investor=asha)
    commit()
    return feed.of_partner(north.partner.pk).count()


def test_a_reader_who_goes_on_from_the_last_number_reads_everything_once(north, told):
    seen, after, has_more = [], 0, True
    while has_more:
        page = north.get(f"events?after={after}&limit=2").json()
        seen += [event["seq"] for event in page["data"]]
        after, has_more = page["last_seq"], page["has_more"]
    assert seen == list(range(1, told + 1))
    assert north.get(f"events?after={after}").json() == {"data": [], "last_seq": after, "has_more": False}


def test_hashes_and_days_prove_what_was_read(north, told):
    events = north.get("events").json()["data"]
    previous = ""
    for event in events:
        previous = feed.chained(previous, event)
        assert event["hash"] == previous
    days = north.get("events/days").json()["data"]
    assert sum(day["events"] for day in days) == told
    assert days[0]["last_hash"] == previous


def test_events_of_one_kind(north, told):
    kinds = {event["data"]["object"] for event in north.get("events?kind=order").json()["data"]}
    assert kinds == {"order"}


@pytest.mark.parametrize("wrong", ["after=-1", "after=x", "limit=0", "limit=501", "kind=secret", "cursor=1", "x=1"])
def test_a_parameter_that_cannot_be_is_refused_by_name(north, wrong):
    answer = north.get(f"events?{wrong}")
    assert answer.status_code in (400, 422)
    assert wrong.partition("=")[0] in answer.json()["fields"]


def test_another_partner_reads_its_own_feed(north, told):
    south = caller_of(factories.PartnerFactory())
    assert south.get("events").json()["data"] == []
    assert south.get("events/days").json()["data"] == []


def test_a_key_without_the_scope_reads_no_events(north, told):
    poor = caller_of(north.partner, ["orders:read"])
    for path in ("events", "events/days"):
        assert poor.get(path).status_code == 403


def test_a_page_of_events_takes_as_many_statements_however_long_it_is(north, told, django_assert_max_num_queries):
    north.get("me")
    with django_assert_max_num_queries(20):
        north.get("events")
