"""What beat does once a day: forget old provider calls, and compare everything with FP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as real_settings

from portal import checks, clock, tasks
from portal.gateway import errors, journal
from portal.management import compared_holdings, compared_mandates, compared_orders, compared_payments, reconciliation
from portal.models import Case, GatewayCall
from tests import factories

pytestmark = pytest.mark.django_db


def called(days_ago: float) -> GatewayCall:
    at = clock.now() - timedelta(days=days_ago)
    return GatewayCall.objects.create(provider="fp", method="GET", path="/x", outcome="OK", started_at=at)


def left() -> set[int]:
    return set(GatewayCall.objects.values_list("pk", flat=True))


def test_calls_are_kept_for_four_hundred_days_unless_told_otherwise(settings):
    assert real_settings.JOURNAL_DAYS == 400
    called(401)
    kept = {called(399).pk, called(0).pk}
    tasks.purge_journal()
    assert left() == kept


def test_no_setting_forgets_a_call_within_180_days(settings):
    settings.JOURNAL_DAYS = 30
    kept = {called(179).pk}
    called(181)
    tasks.purge_journal()
    assert left() == kept
    assert [error.id for error in checks.the_journal_is_kept_long_enough()] == ["portal.E020"]
    settings.JOURNAL_DAYS = 180
    assert not checks.the_journal_is_kept_long_enough()


def test_a_purge_goes_on_batch_by_batch_and_ends(monkeypatch):
    monkeypatch.setattr(journal, "PURGE_BATCH", 3)
    for _ in range(8):
        called(500)
    assert journal.purge(clock.now()) == 8
    monkeypatch.setattr(journal, "PURGE_BATCHES", 2)
    for _ in range(8):
        called(500)
    assert journal.purge(clock.now()) == 6, "the rest is for the next day"


@pytest.mark.parametrize("task", ["portal.reconcile", "portal.purge_journal"])
def test_beat_knows_the_task(task):
    from celery import current_app

    assert task in current_app.tasks
    assert task in {entry["task"] for entry in real_settings.CELERY_BEAT_SCHEDULE.values()}


def test_a_difference_becomes_a_case_without_anybody_asking(asha, sandbox):
    order = factories.OrderFactory(
        investor=asha, state="AWAITING_PAYMENT", placed_at=clock.now() - timedelta(hours=1), attempt_no=1
    )
    order.provider_ref = "987654"
    order.save(update_fields=["provider_ref"])
    tasks.reconcile()
    assert Case.objects.get(subject_id=str(order.pk)).kind == "reconciliation_order_not_at_fp"


def test_everything_is_compared_once_a_day(monkeypatch, at):
    runs = []
    monkeypatch.setattr(compared_orders, "compare", lambda *_: runs.append(1) or [])
    monkeypatch.setattr(compared_payments, "compare", lambda *_: [])
    monkeypatch.setattr(compared_mandates, "compare", lambda *_: [])
    monkeypatch.setattr(compared_holdings, "compare", lambda *_: [])
    begun = clock.now()
    for hour in range(49):
        at(begun + timedelta(hours=hour))
        tasks.reconcile()
    assert len(runs) == 3


def test_a_comparison_that_trouble_ended_is_tried_again_in_the_next_hour(monkeypatch):
    def trouble(*_: object) -> None:
        raise errors.Unreachable("fp", "GET", "/x")

    monkeypatch.setattr(compared_orders, "compare", trouble)
    tasks.reconcile()
    assert reconciliation.is_due(clock.now())
