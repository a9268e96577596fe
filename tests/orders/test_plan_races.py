"""Two at once on a SIP: clicks, workers. Each race is shown with its guard off first."""

from __future__ import annotations

import pytest

from investors.models import Consent
from investors.operations import consents
from orders import plan_gateway
from orders.models import Plan, PlanChange, Scheme
from orders.operations import plan_change_sending, plan_changes, plan_sending, plans
from portal import clock
from portal.fintech_primitives import client as fp
from portal.gateway.journal import about
from tests.database import at_once
from tests.orders import sips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fund(scheme: Scheme) -> Scheme:
    return sips.with_terms(scheme)


@pytest.fixture
def mandate(asha, sandbox, fund):
    return sips.mandate_at_fp(asha, sandbox)


@pytest.fixture
def fresh(asha, fund, mandate, at) -> Plan:
    """Confirmed, not sent yet."""
    at("2026-11-21T12:00")
    return sips.start(asha, fund, mandate)


def skipped(plan: Plan) -> list[str]:
    found = plan_gateway.instalments(Plan.objects.select_related("investment_account").get(pk=plan.pk))
    return [str(each.invested_on) for each in found if each.state == "CANCELLED"]


def at_fp(plan: Plan) -> int:
    return len(list(fp.client().list_sips(plan.investment_account.provider_ref)))


# --- Skipping -----------------------------------------------------------------------------------------------------


def test_without_the_claim_two_workers_skip_two_dates(fresh):
    plan = sips.send(fresh)
    at_once(lambda: plan_gateway.skip_next(plan, about(plan)), 2)
    assert skipped(plan) == ["2026-12-05", "2027-01-05"]


def test_two_workers_on_one_wish_skip_one_date(fresh):
    plan = sips.send(fresh)
    on, _ = plan_changes.to_skip(plan, clock.now())
    change = plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1")
    at_once(lambda: plan_change_sending.advance(change_id=change.pk, at=clock.now()), 3)
    change.refresh_from_db()
    assert (change.state, skipped(plan)) == ("DONE", ["2026-12-05"])


def test_two_clicks_on_skip_are_one_wish(fresh):
    plan = sips.send(fresh)
    on, _ = plan_changes.to_skip(plan, clock.now())
    found = at_once(lambda: plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1"), 3)
    assert len({each.pk for each in found}) == 1 == PlanChange.objects.count()


# --- Starting -----------------------------------------------------------------------------------------------------


def test_two_workers_on_one_sip_start_one(fresh):
    raised = at_once(lambda: plan_sending.submit(plan_id=fresh.pk, at=clock.now()), 3)
    assert raised == [None] * 3
    fresh.refresh_from_db()
    assert (fresh.state, at_fp(fresh)) == ("ACTIVE", 1)


def test_three_clicks_on_the_confirmation_are_one_sip(asha, fund, mandate, at, monkeypatch):
    at("2026-11-21T12:00")
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    now = clock.now()
    wish = plans.prepare(
        investor=asha, isin=fund.isin, amount=sips.RUPEES, start_day=5, instalments=12, mandate=mandate, at=now
    )
    consent = sips.yes_to(wish, asha, now)
    Consent.objects.filter(pk=consent.pk).update(given_at=None)
    click = {"investor": asha, "code": consent.code, "otp": "123456", "start_again": False, "ip": None}
    made = at_once(lambda: plans.confirm(**click, at=clock.now()), 3)
    assert {getattr(each, "pk", each) for each in made} == {Plan.objects.get().pk}
