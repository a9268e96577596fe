"""P10: the same notice at once is one event and one effect; the race first, with the guard off.

`BELLS=200` rings two hundred times; CI does it five times over.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from brokers.smallcase.events import checksum
from portal import clock, inbox
from portal.models import InboundEvent
from tests.database import at_once

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 5
BELLS = int(os.environ.get("BELLS", "5"))


def notice(number: int) -> str:
    stamp, account = clock.now().isoformat(), "an-account"
    return json.dumps(
        {
            "transactionId": f"TRX_{number}", "smallcaseAuthId": account, "notes": "ours", "broker": "kite",
            "timestamp": stamp, "checksum": checksum("sandbox-api-secret", stamp, account), "batchId": f"b{number}",
            "status": "COMPLETED", "orders": [], "unplaced": [],
        }
    )  # fmt: skip


def ring(body: str) -> int:
    return Client().post("/webhooks/smallcase/", body, content_type="application/json").status_code


def all_at_once(body: str) -> list[int]:
    return at_once(lambda: ring(body), AT_ONCE)


@pytest.fixture
def worked(monkeypatch) -> list[int]:
    """Which events a handler was given."""
    seen: list[int] = []
    monkeypatch.setitem(inbox._handlers, ("smallcase", "notice"), lambda event, at: seen.append(event.pk))
    return seen


@pytest.fixture
def no_guard():
    """The inbox without its unique key, and an insert that does not ask for it: put back when the test is over."""
    [name] = [each.name for each in InboundEvent._meta.constraints if "fingerprint" in getattr(each, "fields", ())]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('portal_store_event'::regproc)")
        function = cursor.fetchone()[0]
        careless = re.sub(r"ON CONFLICT .* \+ 1", "", function)
        assert careless != function
        cursor.execute(f'ALTER TABLE portal_inboundevent DROP CONSTRAINT "{name}"')
        cursor.execute(careless)
    yield
    InboundEvent.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE portal_inboundevent ADD CONSTRAINT "{name}" UNIQUE (provider, fingerprint)')
        cursor.execute(function)


def test_the_same_bell_rung_five_times_at_once_is_one_event_and_one_effect(worked: list[int]):
    for number in range(BELLS):
        assert all_at_once(notice(number)) == [204] * AT_ONCE
    while inbox.work(clock.now()):
        pass
    assert sorted(worked) == sorted(InboundEvent.objects.values_list("pk", flat=True))
    assert len(worked) == BELLS
    assert set(InboundEvent.objects.values_list("times_seen", flat=True)) == {AT_ONCE}


def test_without_the_unique_key_the_same_bell_is_several_events(no_guard: Any):
    all_at_once(notice(0))
    assert InboundEvent.objects.count() > 1
