"""Whatever is unknown is looked at at once when its provider answers again, and is with a person in fifteen minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal import clock, unknowns
from portal.attempts import LOOK_UP_AFTER_S, LOOK_UP_EVERY_S, PATIENCE
from portal.gateway import errors
from portal.gateway.breaker import OPENS_AFTER, Breaker
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db
TROUBLE = errors.OutcomeUnknown("fp", "POST", "/")


def unknown_order(since=timedelta(0)):
    at = clock.now() - since
    return factories.OrderFactory(
        state="SUBMITTING", attempt="UNKNOWN", attempt_no=1, unknown_since=at, due_at=clock.now() + timedelta(hours=1)
    )


def test_the_clock_has_every_look_that_was_promised():
    assert {2, 10, 30, 120, 300, 600} <= set(LOOK_UP_AFTER_S)
    assert (600, timedelta(minutes=15)) == (LOOK_UP_EVERY_S, PATIENCE)


def test_an_unknown_is_with_a_person_in_fifteen_minutes_whatever_its_look_ups_do():
    order = unknown_order(timedelta(minutes=14, seconds=59))
    assert unknowns.hand_to_people(clock.now()) == 0
    assert unknowns.hand_to_people(clock.now() + timedelta(seconds=2)) == 1
    assert unknowns.hand_to_people(clock.now() + timedelta(seconds=7)) == 0, "one case, not one every five seconds"
    case = Case.objects.get()
    assert (case.kind, case.subject_id) == ("order_outcome_unknown", str(order.pk))


def test_every_kind_of_row_that_is_sent_to_a_provider_is_covered():
    for model in unknowns.models():
        assert model.unknown_case()
        unknowns._of(model, clock.now())
    assert {"orders.MfOrder", "payments.Payment", "investors.Mandate"} <= {m._meta.label for m in unknowns.models()}


def test_the_case_of_an_outcome_that_is_known_again_closes_by_itself():
    order = unknown_order(timedelta(minutes=20))
    unknowns.hand_to_people(clock.now())
    type(order).objects.filter(pk=order.pk).update(attempt="", unknown_since=None)
    unknowns.hand_to_people(clock.now())
    assert Case.objects.get().state == "CLOSED"


def test_everything_unknown_is_due_at_once_when_the_breaker_closes():
    order, breaker = unknown_order(), Breaker("fp")
    for _ in range(OPENS_AFTER):
        breaker.heard(TROUBLE)
    order.refresh_from_db()
    assert order.due_at > clock.now(), "not while the provider is away"
    breaker.heard(None)
    order.refresh_from_db()
    assert order.due_at <= clock.now()
    later = clock.now() + timedelta(hours=1)
    type(order).objects.filter(pk=order.pk).update(due_at=later)
    breaker.heard(None)
    order.refresh_from_db()
    assert order.due_at == later, "only when it closes, not after every call"


def test_another_providers_breaker_says_nothing_about_ours():
    order, breaker = unknown_order(), Breaker("5paisa")
    for _ in range(OPENS_AFTER):
        breaker.heard(TROUBLE)
    breaker.heard(None)
    order.refresh_from_db()
    assert order.due_at > clock.now()
