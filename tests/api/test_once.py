"""Writes under an Idempotency-Key: P6 of reliability.md. Races run on real connections, the guard off first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.http import HttpResponse

from investors.models import Invite
from investors.operations import invites
from orders.models import Approval
from portal import clock
from portal.api import endpoints, once
from portal.models import IdempotentCall, Partner
from portal.notices.models import Notice
from tests import database, factories

BODY = {"email": "hema@example.org", "name": "Hema", "basis": "Asked for it"}
AT_ONCE = 50
KEYS = int(os.environ.get("KEYS", "20"))


@pytest.mark.django_db
def test_the_same_key_and_body_get_the_same_bytes_and_one_effect(north):
    first, again = north.post("invites", BODY, key="k1"), north.post("invites", BODY, key="k1")
    assert first.status_code == again.status_code == 201, first.content
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Invite.objects.count() == 1


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_refused(north):
    north.post("invites", BODY, key="k1")
    other = north.post("invites", json.dumps(BODY) + " ", key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.django_db
@pytest.mark.parametrize("key", [" ", "x" * 256, "a b", "ключ"])
def test_a_write_without_a_good_key_does_nothing(north, key):
    answer = north.post("invites", BODY, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert not Invite.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", ["{", "[" * 200_000, "x" * 3_000_000, "1" * 5_000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_a_body_that_nobody_can_read_is_said_to_be_so(north, body):
    answer = north.post("invites", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.django_db
def test_an_empty_body_lacks_its_members(north):
    answer = north.post("invites", "")
    assert (answer.status_code, sorted(answer.json()["fields"])) == (422, ["basis", "email"])


@pytest.mark.django_db
def test_a_refusal_is_an_answer_too_and_leaves_nothing(north):
    factories.InviteFactory(partner=north.partner, email=BODY["email"])
    first, again = north.post("invites", BODY, key="k1"), north.post("invites", BODY, key="k1")
    assert (first.status_code, first.json()["code"]) == (422, "already_invited")
    assert first.content == again.content


@pytest.mark.django_db
def test_two_partners_with_the_same_key_each_get_their_own(north, south):
    a, b = north.post("invites", BODY, key="k1"), south.post("invites", BODY, key="k1")
    assert a.json()["id"] != b.json()["id"]
    assert IdempotentCall.objects.count() == 2


# The calls of a test are one transaction, in which PostgreSQL keeps every version of the row that counts them.
KEYS_AT_ONCE = 200


@pytest.mark.django_db
@pytest.mark.parametrize("first", range(0, KEYS, KEYS_AT_ONCE))
def test_no_key_of_one_partner_ever_answers_the_other(first, north, south):
    """P6: 10,000 keys across partners by `KEYS=10000`. Each key is used by both, twice, in an order by chance."""
    Partner.objects.update(calls_per_minute=1_000_000, calls_per_day=1_000_000)
    chance, told, many = Random(first), {}, min(KEYS_AT_ONCE, KEYS - first)
    keys = [f"key-{number}" for number in range(first, first + many)]
    calls = [(who, key) for key in keys for who in (north, south) for _ in range(2)]
    chance.shuffle(calls)
    for who, key in calls:
        body = {**BODY, "email": f"{key}@{who.partner.pk}.example"}
        answer = who.post("invites", body, key=key)
        assert answer.status_code == 201, answer.content
        assert told.setdefault((who.partner.pk, key), answer.content) == answer.content
    assert len(set(told.values())) == 2 * many
    assert Invite.objects.count() == IdempotentCall.objects.count() == 2 * many


@pytest.mark.django_db
def test_a_call_that_died_half_way_is_finished_by_the_next(north, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    monkeypatch.setattr(invites.audit, "record", die)
    with pytest.raises(Killed):
        north.post("invites", BODY, key="k1")
    monkeypatch.undo()
    assert not Invite.objects.exists(), "the effect has gone with the call"
    assert IdempotentCall.objects.get().status is None
    assert north.post("invites", BODY, key="k1").status_code == 201
    assert Invite.objects.count() == 1


@pytest.mark.django_db
def test_keys_are_forgotten_after_thirty_days(north):
    north.post("invites", BODY, key="k1")
    assert once.forget(clock.now()) == 0
    assert once.forget(clock.now() + once.KEPT + once.timedelta(seconds=1)) == 1


def _at_once(north: Any, path: str = "invites", body: Any = BODY) -> list[Any]:
    answers = database.at_once(lambda: north.post(path, body, key="k1"), AT_ONCE)
    assert [each for each in answers if isinstance(each, Exception)] == []
    return answers


def _without_guard(*, work: Callable[[], HttpResponse], **_: Any) -> HttpResponse:
    return work()


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_posts_at_once_make_one_and_answer_the_same_bytes(north, monkeypatch):
    monkeypatch.setattr(endpoints.once, "answer", _without_guard)
    assert len({answer.content for answer in _at_once(north)}) > 1, "without the guard the answers differ"
    Invite.objects.all().delete()
    monkeypatch.undo()
    answers = _at_once(north)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Invite.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_requests_for_an_order_at_once_ask_the_investor_once(north, asha):
    scheme = factories.SchemeFactory(purchase_allowed=True)
    lines = [{"kind": "PURCHASE", "scheme": scheme.isin, "amount": "5000.00"}]
    answers = _at_once(north, "approvals", {"investor": asha.code, "reason": "Your goal", "lines": lines})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (Approval.objects.count(), Notice.objects.filter(event="approval.asked").count()) == (1, 1)
