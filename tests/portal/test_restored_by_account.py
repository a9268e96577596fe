"""After a restore the opened gate lets an act through once its own account was compared, and never before."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.core.management import call_command
from django.db import connections
from django.urls import reverse

from investors.models import InvestmentAccount
from orders.models import MfOrder
from orders.operations import sending
from orders.operations.plan_sending import submit as submit_plan
from payments.operations import attempts
from portal import cases, clock, gates, roles, tasks
from portal.gateway import errors
from portal.management import compared_plans, reconciliation, restored, turns
from portal.models import Case, Gate, Heartbeat
from tests import factories
from tests.database import at_once
from tests.ops.conftest import as_role, desk, staff  # noqa: F401 - fixtures
from tests.portal.test_planted_differences import Fp, fp  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6


@pytest.fixture(autouse=True)
def _mark(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    gates.ensure()


@pytest.fixture
def people():
    return [factories.ReadyInvestorFactory() for _ in range(MANY)]


@pytest.fixture
def found() -> datetime:
    """The database was found to be an older one, a minute ago."""
    then = clock.now() - timedelta(minutes=1)
    gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="older", actor="system", at=then)
    return then


def open_gate() -> None:
    gates.turn(name=gates.AFTER_RESTORE, closed=False, reason="compared", actor="test", at=clock.now())


@pytest.fixture
def opened(fp, people, found, monkeypatch) -> datetime:  # noqa: F811
    """All orders, payments and mandates are compared, and no account is; the gate was opened."""
    with monkeypatch.context() as patched:
        patched.setattr(turns, "AT_ONCE", 0)
        assert reconciliation.run(clock.now()).differences == []
    open_gate()
    return found


def account_of(investor) -> InvestmentAccount:
    return investor.investmentaccounts.get()


def waiting_order(investor) -> MfOrder:
    return factories.OrderFactory(investor=investor, state="CREATED", due_at=clock.now())


def compared() -> list[int]:
    """Whose turn has passed, the first one first."""
    rows = InvestmentAccount.objects.exclude(sips_compared_at=None).order_by("sips_compared_at", "pk")
    return list(rows.values_list("investor_id", flat=True))


# --- never for an account that was not compared -----------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch) -> list[tuple[int, bool]]:
    """For what accounts something was sent, and whether each was compared by then."""
    sent: list[tuple[int, bool]] = []
    number = count(700_000)

    def send(row) -> str:
        account = InvestmentAccount.objects.get(pk=row.investment_account_id)
        sent.append((account.pk, account.sips_compared_at is not None))
        return str(next(number))

    monkeypatch.setattr(sending.gateway, "send", send)
    monkeypatch.setattr(sending.gateway, "find", lambda _order: None)
    return sent


def send_while_they_are_compared(people, heard) -> None:
    """Every order is tried again and again while the turns go on."""
    orders = [waiting_order(each) for each in people]
    turn = threading.Event()

    def act() -> None:
        if not turn.is_set():
            turn.set()
            try:
                while any(restored.waiting().values()):
                    reconciliation.run_turn(clock.now())
            finally:
                connections.close_all()
            return
        while len(heard) < len(orders):
            for order in orders:
                try:
                    sending.submit(order_id=order.pk, at=clock.now())
                except gates.GateClosed:
                    continue

    results = at_once(act, 3)
    assert [each for each in results if each is not None] == []


def test_without_the_guard_an_act_goes_out_for_an_account_that_was_not_compared(opened, people, heard, monkeypatch):
    monkeypatch.setattr(gates, "_accounts", gates.Accounts(lambda *_: True, restored.progress))
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    send_while_they_are_compared(people, heard)
    assert not all(was_compared for _, was_compared in heard)


def test_no_act_goes_out_for_an_account_before_it_was_compared(opened, people, heard, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    send_while_they_are_compared(people, heard)
    assert len(heard) == MANY
    assert all(was_compared for _, was_compared in heard)


def test_an_order_a_sip_and_a_payment_wait_each_for_their_own_account(opened, people):
    order, plan = waiting_order(people[0]), factories.PlanFactory(investor=people[1], state="CREATED")
    payment = factories.PaymentFactory(
        order=factories.OrderFactory(investor=people[2], state="AWAITING_PAYMENT"), state="CREATED", provider_ref=None
    )
    acts = (
        lambda: sending.submit(order_id=order.pk, at=clock.now()),
        lambda: submit_plan(plan_id=plan.pk, at=clock.now()),
        lambda: attempts.open_page(payment_id=payment.pk, at=clock.now()),
    )
    for act in acts:
        with pytest.raises(gates.AccountNotCompared):
            act()
    for row in (order, plan, payment):
        row.refresh_from_db()
        assert (row.state, row.attempt_no) == ("CREATED", 0)


def test_until_the_gate_knows_of_accounts_none_may_act(opened, people, monkeypatch):
    reconciliation.run_turn(clock.now())
    Heartbeat.objects.update_or_create(pk=gates.BY_ACCOUNT, defaults={"at": opened})
    gates.check(accounts=[account_of(people[0]).pk])
    monkeypatch.setattr(gates, "_accounts", gates.Accounts(lambda *_: False, restored.progress))
    with pytest.raises(gates.AccountNotCompared):
        gates.check(accounts=[account_of(people[0]).pk])


def test_a_mandate_and_another_provider_wait_for_the_gate_only(opened):
    gates.check()
    gates.check("5paisa")


# --- when it opens, and closes again ------------------------------------------------------------------------------


def test_before_orders_payments_and_mandates_are_compared_it_opens_for_nobody(fp, people, found):  # noqa: F811
    reconciliation.run_turn(clock.now())
    with pytest.raises(gates.NotComparedYet):
        open_gate()
    with pytest.raises(gates.GateClosed):
        gates.check(accounts=[account_of(people[0]).pk])


def test_another_restore_makes_every_account_wait_again(opened, people, monkeypatch):
    reconciliation.run_turn(clock.now())
    gates.check(accounts=[account_of(people[0]).pk])
    gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="again", actor="system", at=clock.now())
    with pytest.raises(gates.NotComparedYet):
        open_gate()
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    reconciliation.run(clock.now())
    open_gate()
    with pytest.raises(gates.AccountNotCompared):
        gates.check(accounts=[account_of(people[0]).pk])


def test_what_comes_through_after_the_whole_run_shuts_no_account_again(opened, people):
    reconciliation.run_turn(clock.now())
    Heartbeat.objects.update_or_create(pk=gates.BY_ACCOUNT, defaults={"at": opened})
    factories.OrderFactory(investor=people[0], state="ALLOTTED", state_since=clock.now())
    Heartbeat.objects.filter(pk=reconciliation.CASE).update(at=clock.now() + timedelta(seconds=1))
    restored.conclude(clock.now())
    gates.check(accounts=[account_of(people[0]).pk])


def test_an_account_for_which_fp_runs_a_sip_that_we_no_longer_know_waits_for_a_person(opened, fp, people):  # noqa: F811
    lost = account_of(people[0])
    fp.sips[lost.provider_ref] = {"55": {"sip_id": "55", "active": True, "amount": 1_000, "source_ref_id": "LOST"}}
    reconciliation.run_turn(clock.now())
    with pytest.raises(gates.AccountNotCompared):
        gates.check(accounts=[lost.pk])
    gates.check(accounts=[account_of(people[1]).pk])
    case = Case.objects.get(kind="reconciliation_sip_only_at_fp")
    cases.close(case=case, resolution="The investor knows of it", actor=None, at=clock.now())
    gates.check(accounts=[lost.pk])
    restored.conclude(clock.now())
    assert gates.found_at() is None


def test_whoever_closes_the_gate_by_hand_has_what_waits_looked_up_first(people):
    order = waiting_order(people[0])
    gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="restored", actor="test", at=clock.now())
    order.refresh_from_db()
    assert order.attempt_no == 1


def close_while_somebody_opens(monkeypatch) -> bool:
    """A newer restore is found after somebody's opening has been allowed. Returns whether the gate is closed then."""
    allow, closers = gates._open_by_account, []

    def close() -> None:
        try:
            gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="newer", actor="system", at=clock.now())
        finally:
            connections.close_all()

    def allowed() -> None:
        allow()
        closers.append(threading.Thread(target=close))
        closers[0].start()
        closers[0].join(1)

    monkeypatch.setattr(gates, "_open_by_account", allowed)
    open_gate()
    closers[0].join(20)
    return Gate.objects.get(pk=gates.AFTER_RESTORE).is_closed


def test_without_the_lock_an_opening_overrules_a_newer_restore(fp, people, found, monkeypatch):  # noqa: F811
    reconciliation.run(clock.now())
    monkeypatch.setattr(type(Gate.objects), "select_for_update", lambda manager: manager.all())
    assert not close_while_somebody_opens(monkeypatch)


def test_an_opening_never_overrules_a_newer_restore(fp, people, found, monkeypatch):  # noqa: F811
    reconciliation.run(clock.now())
    assert close_while_somebody_opens(monkeypatch)


# --- whose turn it is ---------------------------------------------------------------------------------------------


def test_accounts_come_in_order_of_need(opened, people, monkeypatch):
    waiting_order(people[4])
    plan = factories.PlanFactory(investor=people[2])
    plan.instalment_rows.create(
        investor=people[2], on=clock.today() + timedelta(days=1), amount=1_000, expected_at=opened
    )
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    for _ in range(3):
        reconciliation.run_turn(clock.now())
    assert compared() == [people[4].pk, people[2].pk, people[0].pk]


def test_accounts_are_compared_side_by_side_and_each_once(opened, people, monkeypatch):
    asked, together, most = [], [], threading.Barrier(3)
    one = compared_plans._account

    def slowly(report, account, at):
        asked.append(account.pk)
        together.append(threading.current_thread().name)
        most.wait(20)
        yield from one(report, account, at)

    monkeypatch.setattr(compared_plans, "_account", slowly)
    monkeypatch.setattr(turns, "SIDE_BY_SIDE", 3)
    report = reconciliation.run_turn(clock.now())
    assert sorted(asked) == sorted(InvestmentAccount.objects.values_list("pk", flat=True))
    assert len(set(together)) == 3
    assert report.compared["accounts compared: sips"] == MANY


def test_while_fp_is_away_the_rest_waits(opened, fp, people):  # noqa: F811
    for each in people:
        fp.trouble[account_of(each).provider_ref] = errors.Unreachable
    report = reconciliation.run_turn(clock.now())
    assert report.compared["accounts compared: sips"] == 0
    assert not Case.objects.filter(state="OPEN").exists()
    fp.trouble.clear()
    reconciliation.run_turn(clock.now())
    assert gates.found_at() is None


def test_beat_goes_on_while_a_restore_waits_and_rests_otherwise(fp, people, found, monkeypatch):  # noqa: F811
    tasks.compare_after_restore()
    assert Heartbeat.objects.filter(pk=gates.COMPARED).exists()
    open_gate()
    runs = []
    monkeypatch.setattr(reconciliation, "run_turn", lambda at: runs.append(at))
    tasks.compare_after_restore()
    assert runs == []


def test_the_command_says_for_how_many_it_is_open(opened, people, capsys):
    call_command("kill_switch", "status")
    assert f"open for 0 of {MANY} accounts" in capsys.readouterr().out
    reconciliation.run_turn(clock.now())
    call_command("kill_switch", "status")
    assert capsys.readouterr().out == "Kill switch OFF: money may move.\n"


# --- how far it is --------------------------------------------------------------------------------------------------


def test_the_first_page_says_how_far_it_is_and_when_it_ends(opened, people, as_role, desk, monkeypatch):  # noqa: F811
    label, page = "Accounts compared since the restore", lambda: as_role(roles.VIEWER).get(reverse("admin:index"))
    before = {tile.label: tile for tile in page().context["tiles"]}[label]
    assert before.value == f"0 of {InvestmentAccount.objects.count()}"
    assert before.note.startswith("None in the last ten minutes")
    monkeypatch.setattr(turns, "AT_ONCE", 3)
    reconciliation.run_turn(clock.now())
    half = {tile.label: tile for tile in page().context["tiles"]}[label]
    assert half.value == f"3 of {InvestmentAccount.objects.count()}"
    assert half.note.startswith("The last about ")
    assert "open for compared accounts" in page().content.decode()
    monkeypatch.setattr(turns, "AT_ONCE", MANY)
    reconciliation.run_turn(clock.now())
    assert label not in {tile.label for tile in page().context["tiles"]}


def test_the_expected_end_follows_the_pace(opened, people):
    at = opened + timedelta(minutes=5)
    half = InvestmentAccount.objects.order_by("pk")[: MANY // 2]
    InvestmentAccount.objects.filter(pk__in=half.values("pk")).update(sips_compared_at=opened + timedelta(minutes=2))
    said = gates.progress(at)
    assert said is not None
    assert (said.done, said.total, said.ends_at) == (MANY // 2, MANY, at + timedelta(minutes=5))
