"""What operations see of promises, cut-offs, scheduled work, and the money at risk."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from portal import cases, clock, gates, job_runs
from portal.gateway import journal
from portal.gateway.transport import Request
from portal.models import AuditEntry, JobRun
from tests import factories

pytestmark = pytest.mark.django_db


def page_of(client_for, dev, path: str) -> str:
    answer = client_for(dev).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_first_page_scores_what_was_promised_by_fund_house_and_rail(client_for, dev):
    scheme, now = factories.SchemeFactory(), clock.now()
    order = {"state": "ALLOTTED", "scheme": scheme, "placed_at": now, "payment_method": "UPI"}
    factories.OrderFactory(**order)
    factories.OrderFactory(**order, allotted_on=now.date() + timedelta(days=1))
    page = page_of(client_for, dev, "/admin/")
    assert "Promises kept" in page
    assert scheme.fund_house.name in page
    assert "1 (50%)" in page
    assert '<td data-label="Rail">UPI</td>' in page


def test_the_first_page_says_when_the_next_cut_off_is_and_what_waits_for_it(client_for, dev):
    factories.OrderFactory(state="AWAITING_PAYMENT", amount=Decimal("250000.00"))
    page = page_of(client_for, dev, "/admin/")
    assert "Cut-off" in page
    assert "1 unpaid, ₹2.5 L" in page


def test_cases_say_how_much_money_is_at_risk(client_for, dev):
    order = factories.OrderFactory(state="PAID")
    cases.open_case(
        kind="money_not_moving", subject=order, title="x", detail="", at=clock.now(), rupees=Decimal("73519.00")
    )
    for path in ("/admin/", "/admin/portal/case/"):
        assert "₹73,519.00" in page_of(client_for, dev, path)


@pytest.fixture
def task() -> PeriodicTask:
    every, _ = IntervalSchedule.objects.get_or_create(every=5, period="seconds")
    return PeriodicTask.objects.create(name="recover now and then", task="portal.recover", interval=every)


def test_the_schedule_says_how_the_last_runs_went(client_for, dev, task):
    job_runs.note("portal.recover", took_ms=1234, error="")
    job_runs.note("portal.recover", took_ms=77, error="OperationalError: the server closed the connection")
    job_runs.note("portal.recover", took_ms=88, error="")
    run = JobRun.objects.get()
    assert (run.runs, run.failures, run.took_ms) == (3, 1, 88)
    page = page_of(client_for, dev, "/admin/django_celery_beat/periodictask/")
    assert "88 ms" in page
    assert "1 of 3" in page
    assert "the server closed the connection" in page


def test_a_task_can_be_asked_for_at_once_and_the_audit_log_has_it(
    client_for, dev, task, monkeypatch, django_capture_on_commit_callbacks
):
    from portal import jobs

    asked: list[str] = []
    monkeypatch.setattr(jobs, "nudge", lambda name, **_: asked.append(name))
    form = {"action": "run_now", "_selected_action": [task.pk]}
    client_for(dev).post("/admin/django_celery_beat/periodictask/", form)
    assert asked == ["portal.recover"]
    assert AuditEntry.objects.filter(action="periodictask.run_asked").exists()


def test_the_first_page_has_every_gate_with_its_reason_and_the_breakers_count(client_for, dev, settings):
    settings.MONEY_CALLS_PER_MINUTE = 40
    gates.turn(name=gates.of("fp"), closed=True, reason="FP answers twice", actor=dev, at=clock.now())
    call = journal.begin("smallcase", Request("POST", "/x"), journal.about(factories.BasketOrderFactory()), effect=True)
    page = page_of(client_for, dev, "/admin/")
    panel = page[page.index("Gates in front of money") :]
    assert "FP answers twice" in panel
    assert "1 of 40" in panel
    for name in ("Everything (kill switch)", "After a restore", "FP", "smallcase"):
        assert name in panel
    assert call.pk
