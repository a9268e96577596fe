"""Webhook endpoints by the API: what the console does, with a key."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from portal.models import WebhookDelivery, WebhookEndpoint
from tests import factories

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/portal"


def test_an_endpoint_is_set_up_and_its_secret_is_answered_once_and_to_the_same_call(north):
    first = north.post("webhook-endpoints", {"url": URL, "kinds": ["order"]}, key="k1")
    assert first.status_code == 201, first.content
    made = WebhookEndpoint.objects.get()
    assert first.json() | {"secret": made.secret, "kinds": ["order"], "state": "ACTIVE"} == first.json()
    assert north.post("webhook-endpoints", {"url": URL, "kinds": ["order"]}, key="k1").content == first.content
    for path in ("webhook-endpoints", f"webhook-endpoints/{made.code}"):
        assert made.secret not in north.get(path).content.decode()


def test_no_secret_stands_in_clear(north):
    secret = north.post("webhook-endpoints", {"url": URL}).json()["secret"]
    with connection.cursor() as cursor:
        for table in ("portal_webhookendpoint", "portal_idempotentcall", "portal_auditentry"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert secret not in str(cursor.fetchall()), table


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "bad_webhook_address"),
        ("https://10.0.0.1/x", "bad_webhook_address"),
        ("https://[::1]/", "bad_webhook_address"),
        ("ftp://a.example/", "bad_webhook_address"),
        ("x", "bad_webhook_address"),
    ],
)
def test_an_address_that_nothing_is_sent_to_is_refused(north, settings, url, code):
    settings.WEBHOOK_LOOPBACK = False
    assert north.post("webhook-endpoints", {"url": url}).json()["code"] == code
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_looked_after_by_a_key(north):
    code = north.post("webhook-endpoints", {"url": URL}).json()["id"]
    place = f"webhook-endpoints/{code}"
    first = WebhookEndpoint.objects.get().secret
    rotated = north.post(f"{place}/rotate").json()
    assert rotated["secret"] != first
    assert rotated["old_secret_until"]
    assert north.post(f"{place}/end-old-secret").json()["old_secret_until"] is None
    assert north.post(f"{place}/kinds", {"kinds": ["sip"]}).json()["kinds"] == ["sip"]
    assert north.post(f"{place}/pause").json()["state"] == "PAUSED"
    assert north.post(f"{place}/test").json()["code"] == "webhook_endpoint_off"
    assert north.post(f"{place}/resume").json()["state"] == "ACTIVE"
    assert north.post(f"{place}/test").status_code == 200
    [row] = north.get(f"{place}/deliveries?expand=log").json()["data"]
    assert (row["type"], row["state"], row["log"]) == ("webhook.test", "WAITING", [])
    assert north.post(f"{place}/delete").json()["id"] == code
    assert north.get(place).status_code == 404


def test_one_event_and_everything_that_was_missed_are_sent_again(north):
    endpoint = factories.EndpointFactory(partner=north.partner)
    row = factories.WebhookDeliveryFactory(
        endpoint=endpoint, state="FAILED", due_at=None, ended_at=endpoint.created_at, tries=17
    )
    place = f"webhook-endpoints/{endpoint.code}"
    assert north.post(f"{place}/send-again", {"event": row.event.code}).status_code == 200
    row.refresh_from_db()
    assert (row.state, row.tries) == ("WAITING", 0)
    assert north.post(f"{place}/send-again", {"event": "evt_no"}).status_code == 404
    assert north.post(f"{place}/send-missed").json() == {"events": 0}


def test_nobody_touches_the_endpoints_of_another_partner(north, south):
    theirs = factories.EndpointFactory(partner=south.partner)
    row = factories.WebhookDeliveryFactory(endpoint=theirs)
    for act in ("rotate", "pause", "resume", "delete", "test", "send-missed", "end-old-secret"):
        assert north.post(f"webhook-endpoints/{theirs.code}/{act}").status_code == 404, act
    mine = factories.EndpointFactory(partner=north.partner)
    again = north.post(f"webhook-endpoints/{mine.code}/send-again", {"event": row.event.code})
    assert again.status_code == 404
    before = WebhookEndpoint.objects.get(pk=theirs.pk)
    assert (before.state, before.secret) == (theirs.state, theirs.secret)
    assert WebhookDelivery.objects.count() == 1
    assert north.get(f"webhook-endpoints/{theirs.code}/deliveries").status_code == 404


@pytest.mark.parametrize("kinds", ["order", [1], ["nothing"], [["order"]], {"a": 1}, ["order"] * 99])
def test_kinds_are_a_list_of_kinds(north, kinds):
    answer = north.post("webhook-endpoints", json.dumps({"url": URL, "kinds": kinds}))
    assert answer.status_code == 422
    assert all(name.startswith("kinds") for name in answer.json()["fields"])
