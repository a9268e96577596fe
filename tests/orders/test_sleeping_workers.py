"""A worker that slept through its lease, between its claim and its call, sends nothing when it wakes.

Meanwhile somebody else has concluded from the journal that nothing was sent, and has sent it. Each race is shown with
its guard off first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from investors import mandate_gateway
from investors.operations import mandate_sending
from orders import gateway, plan_gateway
from orders.models import PlanChange, Scheme
from orders.operations import plan_change_sending, plan_changes, plan_sending, sending
from payments import gateway as payment_gateway
from payments import operations as payments
from portal import clock
from portal.fintech_primitives import client as fp
from portal.gateway import journal
from tests import factories
from tests.investors import test_mandates as mandates
from tests.orders import sips
from tests.orders.conftest import ours_at_fp
from tests.orders.test_plan_races import at_fp as sips_at_fp
from tests.orders.test_plan_races import skipped
from tests.sleeping import GUARDS as FENCED
from tests.sleeping import put_to_sleep

pytestmark = pytest.mark.django_db
GUARDS = pytest.mark.parametrize("guard", [journal.about, journal.fenced], ids=["guard off", "guard on"])


@pytest.fixture
def sleeper(recover, monkeypatch) -> Callable[[ModuleType, str], list[int]]:
    """`sleeper(gateway, "send")`: whoever calls it first sleeps, and is taken over. Returns whose attempts called."""

    def put(module: ModuleType, name: str) -> list[int]:
        call, awake = getattr(module, name), []

        def sleep_first(row: Any, *args: Any, **named: Any) -> Any:
            awake.append(row.attempt_no)
            if len(awake) == 1:
                for seconds in (46, 60, 110):
                    recover(clock.now() + timedelta(seconds=seconds))
            return call(row, *args, **named)

        monkeypatch.setattr(module, name, sleep_first)
        return awake

    return put


@pytest.fixture
def plan(asha, scheme: Scheme, sandbox, at):
    """A SIP on record; nothing is sent yet."""
    at("2026-11-21T12:00")
    return sips.start(asha, sips.with_terms(scheme), sips.mandate_at_fp(asha, sandbox))


@GUARDS
def test_an_order_is_heard_of_once(guard, asha, place, sandbox, sleeper, monkeypatch):
    monkeypatch.setattr("orders.gateway.fenced", guard)
    order, awake = place(asha), sleeper(gateway, "send")
    sending.submit(order_id=order.pk, at=clock.now())
    assert awake == [1, 2], "somebody else took over meanwhile"
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1 if guard is journal.fenced else 2]
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"


@GUARDS
def test_a_payment_is_made_once(guard, asha, place, sandbox, sleeper, monkeypatch):
    monkeypatch.setattr("payments.gateway.fenced", guard)
    order = place(asha)
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    payment, awake = payments.start(order_id=order.pk, at=clock.now()), sleeper(payment_gateway, "create")
    payments.open_page(payment_id=payment.pk, at=clock.now())
    assert awake == [1, 2], "somebody else took over meanwhile"
    assert len(list(fp.client().list_payments([order.provider_ref]))) == (1 if guard is journal.fenced else 2)
    payment.refresh_from_db()
    assert payment.state == "AWAITING_INVESTOR"


@GUARDS
def test_a_mandate_is_made_once(guard, asha, sandbox, sleeper, monkeypatch):
    monkeypatch.setattr("investors.mandate_gateway.fenced", guard)
    mandate, awake = mandates.give(asha), sleeper(mandate_gateway, "create")
    mandate_sending.create(mandate_id=mandate.pk, at=clock.now())
    assert awake == [1, 2], "somebody else took over meanwhile"
    assert len(mandates.at_fp(sandbox)) == (1 if guard is journal.fenced else 2)


@GUARDS
def test_a_sip_is_sent_once(guard, plan, sleeper, monkeypatch):
    monkeypatch.setattr("orders.plan_gateway.fenced", guard)
    awake = sleeper(plan_gateway, "send")
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    assert awake == [1, 2], "somebody else took over meanwhile"
    # FP refuses a reference that it knows; what the journal has of the calls tells how often it was asked.
    asked = journal.GatewayCall.objects.filter(method="POST", our_ref=plan.client_ref)
    assert asked.count() == (1 if guard is journal.fenced else 2)
    assert sips_at_fp(plan) == 1


@GUARDS
def test_a_skip_leaves_out_one_date(guard, plan, sleeper, monkeypatch):
    monkeypatch.setattr("orders.operations.plan_change_sending.fenced", guard)
    plan = sips.send(plan)
    on, _ = plan_changes.to_skip(plan, clock.now())
    change = plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1")
    asked, skip = [], plan_gateway.skip_next

    def sleep_first(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 1:
            change_takes_over(change.pk)
        return skip(*args)

    monkeypatch.setattr(plan_gateway, "skip_next", sleep_first)
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    assert len(asked) == 2, "somebody else took over meanwhile"
    assert skipped(plan) == ["2026-12-05"] + ([] if guard is journal.fenced else ["2027-01-05"])


def change_takes_over(change_id: int) -> None:
    """The sweep finds the lease run out and nothing in the journal."""
    for seconds in (46, 110):
        plan_change_sending.advance(change_id=change_id, at=clock.now() + timedelta(seconds=seconds))


@FENCED
def test_a_plan_is_debited_by_the_mandate_that_was_asked_for_last(fence, asha, plan, sandbox, monkeypatch):
    plan = sips.send(plan)
    first, last = (sips.mandate_at_fp(asha, sandbox, limit=limit) for limit in (50_000, 60_000))
    slept = to_mandate(asha, plan, first)

    def meanwhile() -> None:
        assert change_is_done(slept)
        assert change_is_done(to_mandate(asha, plan, last))

    awake = put_to_sleep(monkeypatch, "update_sip_mandate", meanwhile, fence=fence)
    plan_change_sending.advance(change_id=slept.pk, at=clock.now())
    assert awake == [1, 2, 1], "somebody else took over, and another mandate was asked for"
    assert plan_gateway.fetch(plan).mandate_ref == (last if fence else first).provider_ref
    plan.refresh_from_db()
    assert plan.mandate == last


def to_mandate(asha, plan, mandate) -> PlanChange:
    """The investor has asked for this mandate."""
    consent = factories.ConsentFactory(investor=asha, purpose="SIP", amount=plan.amount, isin=plan.scheme.isin)
    return plan_changes._create(plan, plan_changes.MANDATE, clock.now(), "user:1", mandate=mandate, consent=consent)


def change_is_done(change: PlanChange) -> bool:
    """The sweep comes by a minute later."""
    plan_change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(seconds=61))
    change.refresh_from_db()
    return change.state == "DONE"


@pytest.mark.parametrize("writing", [("POST",), journal.WRITING], ids=["guard off", "guard on"])
def test_a_skip_that_fp_lists_only_later_is_sent_once(writing, plan, monkeypatch):
    """Its worker died after the call, which is a PATCH: the journal has it, and what it proves is asked first."""
    monkeypatch.setattr(journal, "WRITING", writing)
    plan = sips.send(plan)
    on, _ = plan_changes.to_skip(plan, clock.now())
    change = plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1")
    before = plan_gateway.instalments(plan)
    died = plan_change_sending._claim_skip(change.pk, clock.now())
    plan_gateway.skip_next(plan, journal.fenced(died, attempt_no=died.attempt_no))
    with monkeypatch.context() as late:
        late.setattr(plan_gateway, "instalments", lambda _: before)
        change_takes_over(change.pk)
    change_takes_over(change.pk)
    assert skipped(plan) == ["2026-12-05"] + ([] if "PATCH" in writing else ["2027-01-05"])
