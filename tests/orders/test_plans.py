"""A SIP from the investor's yes to units, with the sandbox playing FP over real HTTP and its clock."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core import mail

from orders import lifecycle, plan_gateway
from orders.models import Instalment, MfOrder, Plan, PlanChange, Scheme, Transaction
from orders.operations import (
    instalments,
    plan_change_sending,
    plan_changes,
    plan_news,
    plan_notices,
    plan_sending,
    syncing,
)
from payments.models import Payment
from portal import clock
from portal.errors import InvalidInput
from portal.fintech_primitives import client as fp
from portal.gateway import errors
from portal.management import reconciliation
from portal.models import Case, Notice
from portal.notices import catalogue
from tests import factories
from tests.orders import sips

pytestmark = pytest.mark.django_db
SIPS = "*/orders/sips"
ONE_SIP = "*/orders/sips/*"


@pytest.fixture
def fund(scheme: Scheme) -> Scheme:
    return sips.with_terms(scheme)


@pytest.fixture
def mandate(asha, sandbox, fund):
    return sips.mandate_at_fp(asha, sandbox)


@pytest.fixture
def plan(asha, fund, mandate, at) -> Plan:
    """Asha's SIP on the 5th, running at FP since 21 November 2026."""
    at("2026-11-21T12:00")
    return sips.send(sips.start(asha, fund, mandate))


def at_fp(sandbox) -> list[dict[str, object]]:
    """The plans of the investor that the sandbox took: the truth of the world."""
    account = Plan.objects.latest("pk").investment_account.provider_ref
    return [sip.model_dump() for sip in fp.client().list_sips(account)]


def until_through(plan: Plan, number: int = 1, seconds: float = 60) -> MfOrder:
    """Poll as the worker would until the instalment's order has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        order = MfOrder.objects.filter(plan=plan).order_by("instalment_on")[number - 1 : number].first()
        if order and order.state not in lifecycle.OPEN:
            return order
        syncing.run(at=clock.now())
        instalments.catch_up(at=clock.now())
        time.sleep(0.2)
    raise AssertionError(f"still {order and order.state}")


def live(plan: Plan, number: int, at, sandbox) -> MfOrder:
    """The day of an instalment comes, and what follows from it."""
    at(sips.day_of(plan, number) - timedelta(days=2))
    instalments.expect_all(at=clock.now())
    at(sips.day_of(plan, number))
    order = until_through(plan, number)
    plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    return order


# --- From the yes to units ----------------------------------------------------------------------------------------


def test_fp_has_it_once_and_dates_it_as_it_was_confirmed(plan, sandbox):
    assert (plan.state, plan.attempt, str(plan.first_on), str(plan.last_on)) == (
        "ACTIVE", "", "2026-12-05", "2027-11-05",
    )  # fmt: skip
    theirs = at_fp(sandbox)
    assert [(sip["source_ref_id"], str(sip["start_date"])) for sip in theirs] == [(plan.client_ref, "2026-12-05")]
    assert not Case.objects.exists()


def test_three_instalments_become_orders_and_units(plan, at, sandbox):
    for number in (1, 2, 3):
        order = live(plan, number, at, sandbox)
        assert (order.state, order.payment_method, order.mandate) == ("ALLOTTED", "NACH", plan.mandate)
        assert order.instalment.on == order.instalment_on
    syncing.run(at=clock.now())
    assert MfOrder.objects.filter(plan=plan).count() == 3
    assert Instalment.objects.filter(plan=plan, order__isnull=False).count() == 3
    facts = Transaction.objects.filter(order__plan=plan)
    assert facts.count() == 3
    assert sum(fact.units for fact in facts) == sum(order.allotted_units for order in MfOrder.objects.all())
    assert not Payment.objects.exists()  # FP debits; nothing of ours may
    assert not Case.objects.exists()


def test_the_daily_comparison_finds_nothing_wrong_with_an_instalment(plan, at, sandbox):
    live(plan, 1, at, sandbox)
    assert reconciliation.run(clock.now()).differences == []
    assert not Case.objects.exists()


def test_the_daily_comparison_takes_in_an_instalment_that_no_poll_has_seen(plan, at, sandbox):
    at(sips.day_of(plan))
    dry = reconciliation.run(clock.now(), dry=True)
    assert (dry.differences, dry.caught_up, MfOrder.objects.count()) == ([], 1, 0)
    assert reconciliation.run(clock.now()).differences == []
    assert MfOrder.objects.get().plan == plan


def test_an_instalment_is_one_order_whoever_brings_the_news_and_how_often(plan, at, sandbox):
    at(sips.day_of(plan))
    assert instalments.expect(on=plan.first_on, at=clock.now()) == 1
    assert instalments.expect(on=plan.first_on, at=clock.now()) == 0
    assert instalments.expects_orders(clock.now())
    for _ in range(3):
        syncing.run(at=clock.now())
        plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    assert MfOrder.objects.filter(plan=plan, instalment_on=plan.first_on).count() == 1
    assert Instalment.objects.filter(plan=plan).count() == 1


def test_an_instalment_that_ended_before_a_poll_comes_with_the_list_of_the_date(plan, at, sandbox):
    sandbox.call("POST", f"/fp/mandates/{plan.mandate.provider_ref}", {"status": "CANCELLED"})
    at(sips.day_of(plan))
    instalments.expect(on=plan.first_on, at=clock.now())
    syncing.run(at=clock.now())
    assert not MfOrder.objects.exists()  # it failed at once, so it never stood among the open ones
    assert instalments.catch_up(at=clock.now()) == 0
    order = MfOrder.objects.get(plan=plan)
    assert (order.state, order.failure_code) == ("REJECTED", "mandate_payment_failed")


def test_a_date_that_no_list_shows_is_asked_about_plan_by_plan(plan, at, sandbox):
    Plan.objects.update(due_at=None)
    at(sips.day_of(plan, hour=8))  # FP asks the bank at nine
    instalments.expect(on=plan.first_on, at=clock.now())
    assert instalments.catch_up(at=clock.now()) == 1
    assert not Plan.objects.exclude(due_at=None).exists()
    assert instalments.catch_up(at=sips.day_of(plan, hour=12)) == 1
    assert Plan.objects.filter(due_at__isnull=False).count() == 1


# --- Failures in a row --------------------------------------------------------------------------------------------


def test_three_failures_end_it_and_each_is_told_once(asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.send(sips.start(asha, fund, mandate, amount=5_001))
    for number in (1, 2, 3):
        order = live(plan, number, at, sandbox)
        assert (order.state, plan.bounces_in_a_row) == ("REJECTED", number)
        for _ in range(2):
            plan_news.count_failures(plan_id=plan.pk, at=clock.now())
            sips.deliver()
    assert (plan.state, plan.failure_code) == ("CANCELLED", plan_news.STRIKES)
    began, first, second, third, ended = (sent.body for sent in mail.outbox if "SIP" in sent.subject)
    assert "Your SIP is set up" in began
    assert "2 more in a row end this SIP" in first
    # Each failure is one message: the order behind it is told of by its SIP.
    assert not Notice.objects.filter(event__in=("order.rejected", "payment.failed")).exists()
    assert "one more failure ends this SIP" in second
    assert "3 instalments in a row failed" in third
    assert "The fund house has ended this SIP" in ended


def test_the_sandboxs_scene_of_three_bounces_is_seen_here_as_it_says(plan, sandbox):
    """One press in a demo: the day comes, three instalments fail at once, and the SIP is over here too."""
    sandbox.call("POST", "/scenes/sip-bounces", {})
    sandbox.follow()
    instalments.expect_all(at=clock.now())
    instalments.catch_up(at=clock.now())
    plan_news.count_failures(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert plan.due_at <= clock.now()  # asked about at once
    plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert (plan.state, plan.failure_code, plan.bounces_in_a_row) == ("CANCELLED", plan_news.STRIKES, 3)
    orders = MfOrder.objects.filter(plan=plan).order_by("instalment_on").values_list("state", "instalment_on")
    assert [(state, str(on)) for state, on in orders] == [
        ("REJECTED", "2026-12-05"), ("REJECTED", "2027-01-05"), ("REJECTED", "2027-02-05"),
    ]  # fmt: skip
    assert not Case.objects.exists()


def test_a_failure_after_one_that_was_made_good_is_told_again(plan, at, sandbox):
    """The count begins anew, so only the date tells this failure from the one before."""
    for month, state in (("2026-12", "REJECTED"), ("2027-01", "ALLOTTED"), ("2027-02", "REJECTED")):
        factories.OrderFactory(
            investor=plan.investor, plan=plan, scheme=plan.scheme, state=state, instalment_on=f"{month}-05",
            consent=None, mandate=plan.mandate, payment_method="NACH",
        )  # fmt: skip
        plan_news.count_failures(plan_id=plan.pk, at=clock.now())
    told = Notice.objects.filter(event=plan_notices.DEBIT_FAILED).order_by("pk")
    assert [each.about for each in told] == ["2026-12-05", "2027-02-05"]


def test_every_notice_of_a_sip_can_be_told_and_leads_to_it(plan):
    for event in (each for each in catalogue.everything() if each.group == plan_notices.GROUP):
        if event.key not in (plan_notices.DEBIT_NEAR, plan_notices.DEBIT_FAILED):
            plan_notices.tell(plan, event.key, at=clock.now())
    failed = factories.OrderFactory(
        investor=plan.investor, plan=plan, scheme=plan.scheme, state="REJECTED", instalment_on="2026-12-05",
        consent=None, mandate=plan.mandate, payment_method="NACH",
    )  # fmt: skip
    failed.refresh_from_db()
    plan.bounces_in_a_row = 1
    plan_notices.tell_of_failure(plan, failed, at=clock.now())
    plan_notices.tell_of_debit(factories.InstalmentFactory(plan=plan), at=clock.now())
    told = Notice.objects.filter(user=plan.investor.user)
    assert {each.event for each in told} == {
        "plan.began", "plan.not_begun", "plan.ended", "plan.debit_near", "plan.debit_failed",
    }  # fmt: skip
    assert {each.url for each in told} == {f"/sips/{plan.code}/"}
    assert not any("{" in each.title + each.text or "  " in each.text for each in told)


# --- Unclear outcomes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hang", "reset", "html_200", "status:500", "truncated"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unclear_answer_never_starts_a_second_one(mode, when, asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    sandbox.fault(mode, path=SIPS, when=when, delay_s=4)
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    for _ in range(30):
        plan.refresh_from_db()
        if plan.state == "ACTIVE":
            break
        plan_sending.advance(plan_id=plan.pk, at=plan.due_at + timedelta(seconds=1))
    assert plan.state == "ACTIVE"
    assert len(at_fp(sandbox)) == 1


def test_a_refusal_is_kept_with_its_words(asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    Plan.objects.filter(pk=plan.pk).update(start_day=31)  # past every rule of ours
    Plan.objects.filter(pk=plan.pk).update(first_on="2026-11-30")
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert plan.state == "FAILED"
    assert "start_day" in plan.failure_text


def test_what_waited_past_its_first_date_is_not_sent(asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    plan_sending.submit(plan_id=plan.pk, at=at("2026-12-04T12:00"))
    plan.refresh_from_db()
    assert (plan.state, plan.failure_code) == ("FAILED", "first_date_passed")
    assert at_fp(sandbox) == []


# --- Skipping -----------------------------------------------------------------------------------------------------


def skipped(sandbox, plan: Plan) -> list[str]:
    return [str(each.invested_on) for each in plan_gateway.instalments(_fresh(plan)) if each.state == "CANCELLED"]


def _fresh(plan: Plan) -> Plan:
    return Plan.objects.select_related("investment_account").get(pk=plan.pk)


def ask_skip(plan: Plan) -> PlanChange:
    on, why_not = plan_changes.to_skip(plan, clock.now())
    assert not why_not
    return plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1")


def test_skips_the_next_date_once_and_goes_on_with_the_one_after(plan, at, sandbox):
    change = ask_skip(plan)
    assert ask_again(plan, change) == change
    for _ in range(3):
        plan_change_sending.advance(change_id=change.pk, at=clock.now())
    change.refresh_from_db()
    assert (change.state, skipped(sandbox, plan)) == ("DONE", ["2026-12-05"])
    order = MfOrder.objects.get(plan=plan)
    assert (order.state, str(order.instalment_on)) == ("CANCELLED", "2026-12-05")
    assert live(plan, 2, at, sandbox).state == "ALLOTTED"
    plan.refresh_from_db()
    assert plan.bounces_in_a_row == 0


def ask_again(plan: Plan, change: PlanChange) -> PlanChange:
    return plan_changes.skip(plan=plan, on=change.on, at=clock.now(), actor="user:1")


@pytest.mark.parametrize("mode", ["hang", "reset", "html_200", "status:500", "truncated"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unclear_answer_to_a_skip_never_skips_two(mode, when, plan, sandbox):
    change = ask_skip(plan)
    sandbox.fault(mode, method="PATCH", path=ONE_SIP, when=when, delay_s=4)
    for _ in range(30):
        change.refresh_from_db()
        if change.state in ("DONE", "FAILED"):
            break
        plan_change_sending.advance(change_id=change.pk, at=change.due_at + timedelta(seconds=1))
    assert change.state == "DONE"
    assert skipped(sandbox, plan) == ["2026-12-05"]


def test_a_skip_that_comes_too_late_says_so_and_leaves_the_next_one_alone(plan, at, sandbox):
    change = ask_skip(plan)
    at(sips.day_of(plan))  # FP asked the bank at nine
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    change.refresh_from_db()
    assert change.state == "FAILED"
    assert "asked for this instalment already" in change.why_not
    assert skipped(sandbox, plan) == []


def test_two_in_a_row_are_skipped_and_no_third(plan, sandbox):
    for _ in range(2):
        plan_change_sending.advance(change_id=ask_skip(plan).pk, at=clock.now())
    _, why_not = plan_changes.to_skip(plan, clock.now())
    assert "2 instalments in a row" in why_not
    assert skipped(sandbox, plan) == ["2026-12-05", "2027-01-05"]


def test_nothing_is_skipped_with_gateway_bse(plan):
    plan.gateway = "BSE"
    _, why_not = plan_changes.to_skip(plan, clock.now())
    assert "exchange" in why_not
    assert "exchange" in plan_changes.why_no_other_mandate(plan)


# --- Ending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [None, "hang", "status:500", "html_200"])
def test_an_ended_sip_is_confirmed_by_fp_and_never_debits(mode, plan, at, sandbox):
    if mode:
        sandbox.fault(mode, method="PATCH", path=ONE_SIP, when="after", delay_s=4)
    change = plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    assert plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1") == change
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    plan.refresh_from_db()
    change.refresh_from_db()
    assert (plan.state, change.state) == ("CANCELLED", "DONE")
    assert instalments.expect(on=plan.first_on, at=clock.now()) == 0
    at(sips.day_of(plan))
    plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    assert not MfOrder.objects.exists()


@pytest.mark.parametrize("days_before", [3, 2, 1, 0])
def test_ended_days_before_its_date_it_is_neither_debited_nor_announced(days_before, plan, at, sandbox):
    at(sips.day_of(plan, hour=8) - timedelta(days=days_before))
    instalments.expect_all(at=clock.now())
    change = plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    assert instalments.tell(at=clock.now()) == 0
    at(sips.day_of(plan))
    plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    assert not MfOrder.objects.exists()
    assert not Notice.objects.filter(event=plan_notices.DEBIT_NEAR).exists()


def test_a_sip_that_fp_never_heard_of_is_over_at_once(asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert plan.state == "CANCELLED"
    assert at_fp(sandbox) == []


def test_a_sip_that_fp_has_after_all_is_ended_there_and_not_only_here(asha, fund, mandate, at, sandbox, monkeypatch):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    sent, send = [], plan_gateway.send

    def _unreachable() -> str:
        raise errors.Unreachable("fp", "POST", SIPS)

    with monkeypatch.context() as lost:  # taken by FP, and believed not to be
        lost.setattr(plan_gateway, "send", lambda each: sent.append(send(each)) or _unreachable())
        plan_sending.submit(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert (plan.state, plan.provider_ref, len(sent)) == ("SUBMITTING", None, 1)
    change = plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    plan.refresh_from_db()
    assert plan.state == "SUBMITTING", "FP may be debiting it"
    for minute in (1, 2, 3):
        plan_change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(minutes=minute))
    plan.refresh_from_db()
    change.refresh_from_db()
    assert (plan.state, plan.provider_ref, change.state) == ("CANCELLED", sent[0], "DONE")
    assert len(at_fp(sandbox)) == 1


def test_what_was_called_off_while_it_waited_is_never_sent(asha, fund, mandate, at, sandbox):
    at("2026-11-21T12:00")
    plan = sips.start(asha, fund, mandate)
    sandbox.fault("status:429", path=SIPS)
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    assert (plan.state, plan.attempt, plan.attempt_no) == ("SUBMITTING", "", 1)
    change = plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    plan_change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(minutes=1))
    plan.refresh_from_db()
    change.refresh_from_db()
    assert (plan.state, change.state) == ("CANCELLED", "DONE")
    assert at_fp(sandbox) == []


def test_an_end_that_is_not_confirmed_in_two_working_days_is_a_case(plan, at, sandbox):
    change = plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
    sandbox.fault("status:500", method="PATCH", path=ONE_SIP, times=0)
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    assert not Case.objects.exists()
    plan_change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(days=5))
    assert Case.objects.get().kind == "plan_not_ended"
    sandbox.no_faults()
    plan_change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(days=5))
    assert Case.objects.get().state == "CLOSED"


# --- Another mandate ----------------------------------------------------------------------------------------------


def relink(asha, plan: Plan, other) -> PlanChange:
    shown = {"act": plan_changes.RELINK, "mandate": other.code, "plans": plan.code}
    consent = factories.ConsentFactory(investor=asha, purpose="SIP", amount=plan.amount, shown=shown)
    made = plan_changes.confirm_relink(
        investor=asha, code=consent.code, otp="", ip=None, at=clock.now(), actor="user:1"
    )
    return made[0]


def test_is_debited_by_another_mandate_from_then_on(asha, plan, at, sandbox):
    other = sips.mandate_at_fp(asha, sandbox, limit=50_000)
    change = relink(asha, plan, other)
    plan_change_sending.advance(change_id=change.pk, at=clock.now())
    plan.refresh_from_db()
    change.refresh_from_db()
    assert (plan.mandate, change.state) == (other, "DONE")
    assert at_fp(sandbox)[0]["mandate_id"] == other.provider_ref
    assert live(plan, 1, at, sandbox).mandate == other
    assert not Case.objects.exists()


def test_a_change_of_mandate_that_stays_unclear_is_with_a_person_in_fifteen_minutes(asha, plan, sandbox):
    change = relink(asha, plan, sips.mandate_at_fp(asha, sandbox, limit=50_000))
    for minutes, cases in ((1, 0), (16, 1)):
        sandbox.fault("status:500", method="PATCH", path=ONE_SIP, when="before", times=5)
        plan_change_sending.advance(change_id=change.pk, at=change.asked_at + timedelta(minutes=minutes))
        sandbox.no_faults()
        assert Case.objects.filter(kind=plan_news.MANDATE_CASE, state="OPEN").count() == cases
    plan_change_sending.advance(change_id=change.pk, at=change.asked_at + timedelta(minutes=17))
    change.refresh_from_db()
    assert change.state == "DONE"
    assert not Case.objects.filter(state="OPEN").exists()


def test_not_by_one_whose_limit_is_too_small(asha, plan, sandbox):
    with pytest.raises(InvalidInput, match="allows ₹1,000"):
        relink(asha, plan, sips.mandate_at_fp(asha, sandbox, limit=1_000))


def test_not_by_somebody_elses(asha, chitra, plan, sandbox):
    with pytest.raises(InvalidInput, match="your own"):
        relink(asha, plan, sips.mandate_at_fp(chitra, sandbox, limit=50_000))


# --- The notice before a debit ------------------------------------------------------------------------------------


def test_is_announced_once_and_at_least_24_hours_ahead(plan, at, sandbox):
    at(sips.day_of(plan, hour=0) - timedelta(days=3))
    instalments.expect_all(at=clock.now())
    assert instalments.tell(at=clock.now()) == 1
    assert instalments.tell(at=clock.now()) == 0
    assert Notice.objects.filter(event=plan_notices.DEBIT_NEAR).count() == 1
    sips.deliver()
    sips.deliver()
    message = mail.outbox[-1]
    assert [each.subject for each in mail.outbox].count(message.subject) == 1
    assert "5 Dec 2026" in message.body
    assert "skip this instalment until the end of 3 Dec 2026" in message.body
    assert "₹5,000.00" in message.body
    assert f"Mandate: {plan.mandate.code}" in message.body
    told = Instalment.objects.get(plan=plan)
    assert sips.day_of(plan, hour=0) - told.told_at >= timedelta(hours=24)
    assert not Case.objects.exists()


def test_a_date_that_is_skipped_is_not_announced(plan, at, sandbox):
    plan_change_sending.advance(change_id=ask_skip(plan).pk, at=clock.now())
    at(sips.day_of(plan) - timedelta(days=2))
    instalments.expect_all(at=clock.now())
    assert instalments.tell(at=clock.now()) == 0


def test_a_notice_that_comes_late_is_a_case(plan, at, sandbox):
    at(sips.day_of(plan, hour=10) - timedelta(days=1))
    instalments.expect_all(at=clock.now())
    instalments.tell(at=clock.now())
    assert Case.objects.get().kind == instalments.LATE_CASE
