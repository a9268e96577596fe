"""P15: every kind of difference, planted among healthy rows, is found in one run; nothing healthy is called different.

CI plants each kind once among 60 healthy orders. `PLANTED_AMONG=100000` in the environment is the promise's size.
"""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from investors.models import InvestmentAccount
from orders.models import MfOrder, Plan
from payments.models import Payment
from portal import clock
from portal.fintech_primitives.messages.mandates import Mandate
from portal.fintech_primitives.messages.orders import Order
from portal.fintech_primitives.messages.payments import Payment as FpPayment
from portal.fintech_primitives.messages.plans import Sip
from portal.gateway import errors
from portal.management import (
    compared_holdings,
    compared_orders,
    compared_payments,
    compared_plans,
    reconciliation,
    turns,
)
from portal.management.bench import filling
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db
HEALTHY = int(os.environ.get("PLANTED_AMONG", "60"))
THEN = timedelta(hours=1)


class Fp:
    """FP with everything that we have, as it answers; a test then plants what differs."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.units: dict[str, dict[tuple[str, str], Decimal]] = {}
        self.sips: dict[str, dict[str, dict[str, Any]]] = {}
        self.mandates: list[dict[str, Any]] = []
        # What FP answers instead about SIPs, and about units, by account.
        self.trouble: dict[str, type[errors.GatewayError]] = {}
        self.trouble_with_units: dict[str, type[errors.GatewayError]] = {}

    def list_orders(self, states):
        return (Order.model_validate(each) for each in list(self.orders.values()))

    def list_payments(self, refs):
        wanted = [each for each in self.payments.values() if set(map(str, each["amc_order_ids"])) & set(refs)]
        return [FpPayment.model_validate(each) for each in wanted]

    def fetch_holdings(self, account):
        if account in self.trouble_with_units:
            raise self.trouble_with_units[account]("fp", "GET", "/holdings")
        schemes = [
            SimpleNamespace(
                folio_number=number, schemes=[SimpleNamespace(isin=isin, holdings=SimpleNamespace(units=units))]
            )
            for (number, isin), units in self.units.get(account, {}).items()
        ]
        return SimpleNamespace(folios=schemes)

    def list_mandates(self):
        return (Mandate.model_validate(each) for each in self.mandates)

    def list_sips(self, account):
        if account in self.trouble:
            raise self.trouble[account]("fp", "GET", "/sips")
        return (Sip.model_validate(each) for each in list(self.sips.get(account, {}).values()))

    def list_switches(self, account):
        if account in self.trouble:
            raise self.trouble[account]("fp", "GET", "/switches")
        return iter(())

    def run(self, plan: Plan) -> dict[str, Any]:
        mine = self.sips.setdefault(plan.investment_account.provider_ref, {})
        mine[plan.provider_ref] = {
            "sip_id": plan.provider_ref, "active": plan.state == "ACTIVE", "amount": plan.amount,
            "installments": plan.instalments, "isin": plan.scheme.isin, "source_ref_id": plan.client_ref,
            "mandate_id": plan.mandate.provider_ref,
        }  # fmt: skip
        return mine[plan.provider_ref]

    def take(self, order: MfOrder) -> MfOrder:
        words = {"AWAITING_PAYMENT": "PENDING", "PAID": "PAYMENT_CONFIRMED", "ALLOTTED": "SUCCESSFUL"}
        self.orders[order.provider_ref] = {
            "id": order.provider_ref, "status": words[order.state], "type": "PURCHASE", "amount": order.amount,
            "source_ref_id": order.client_ref, "fund_scheme": {"isin": order.scheme.isin, "name": "x"},
            "reverse_units": order.allotted_units and order.allotted_units,
        }  # fmt: skip
        return order

    def collect(self, payment: Payment) -> Payment:
        words = {"AWAITING_INVESTOR": "PENDING", "SETTLED": "APPROVED"}
        self.payments[payment.provider_ref] = {
            "id": payment.provider_ref, "status": words[payment.state], "amount": payment.amount,
            "amc_order_ids": [line.order.provider_ref for line in payment.lines.all()],
        }  # fmt: skip
        return payment


@pytest.fixture
def fp(monkeypatch) -> Fp:
    its = Fp()
    for module in (compared_orders, compared_payments, compared_holdings, compared_plans):
        monkeypatch.setattr(module.fp, "client", lambda: its)
    return its


@pytest.fixture
def make(fp):
    """`make("PAID")`: an order on which both sides agree, with its collected payment where it is paid."""
    scheme, then = factories.SchemeFactory(), clock.now() - THEN
    investor = factories.ReadyInvestorFactory()

    def run(state: str = "AWAITING_PAYMENT", of=investor) -> MfOrder:
        order = fp.take(factories.OrderFactory(investor=of, scheme=scheme, state=state, placed_at=then, attempt_no=1))
        if state in ("PAID", "ALLOTTED"):
            fp.collect(factories.PaymentFactory(order=order, state="SETTLED"))
        if state == "ALLOTTED":
            units = order.allotted_units
            factories.HoldingFactory(investor=of, scheme=scheme, folio=order.folio, units=units)
            account = fp.units.setdefault(of.investmentaccounts.get().provider_ref, {})
            account[order.folio.number, scheme.isin] = units
        return order

    return run


def plant(fp: Fp, make) -> dict[str, int]:
    """One of each kind; returns how many of each must be found."""
    theirs = lambda order: fp.orders[order.provider_ref]  # noqa: E731
    fp.orders["77"] = {"id": "77", "status": "PENDING", "amount": 1_000, "source_ref_id": "NEVERSENT"}
    del fp.orders[make().provider_ref]
    theirs(make())["source_ref_id"] = "ANOTHER"
    theirs(make())["amount"] = 6_000
    theirs(make())["fund_scheme"] = {"isin": "INF000000000", "name": "x"}
    theirs(make("ALLOTTED"))["reverse_units"] = 1
    MfOrder.objects.filter(pk=make().pk).update(state="REJECTED")
    unknown = make()
    fp.payments["88"] = {"id": "88", "status": "PENDING", "amount": 5_000, "amc_order_ids": [unknown.provider_ref]}
    factories.PaymentFactory(order=make(), provider_ref="99")
    wrong = fp.collect(factories.PaymentFactory(order=make()))
    fp.payments[wrong.provider_ref]["amount"] = 1
    other = fp.collect(factories.PaymentFactory(order=make()))
    fp.payments[other.provider_ref]["amc_order_ids"].append("12345")
    collected = fp.collect(factories.PaymentFactory(order=make("AWAITING_PAYMENT"), state="SETTLED"))
    fp.payments[collected.provider_ref]["status"] = "FAILED"
    by_nobody = make("PAID")
    Payment.objects.filter(lines__order=by_nobody).update(state="AWAITING_INVESTOR")
    for ref in Payment.objects.filter(lines__order=by_nobody).values_list("provider_ref", flat=True):
        fp.payments[ref]["status"] = "PENDING"
    people = [factories.ReadyInvestorFactory() for _ in range(4)]
    held = [make("ALLOTTED", of=person) for person in people]
    refs = [person.investmentaccounts.get().provider_ref for person in people]
    fp.trouble_with_units[refs[3]] = errors.Garbled
    accounts = [fp.units[ref] for ref in refs]
    accounts[0]["999/99", held[0].scheme.isin] = Decimal("5.000")
    accounts[1].clear()
    accounts[2][held[2].folio.number, held[2].scheme.isin] += Decimal("0.001")
    plant_sips(fp)
    fp.mandates = [{"id": "66", "mandate_status": "APPROVED", "bank_account_id": "1"}]
    return dict.fromkeys(reconciliation.KINDS, 1)


def plant_sips(fp: Fp) -> None:
    """Each kind about SIPs once, among the SIPs of one investor."""
    then, investor = clock.now() - THEN, factories.ReadyInvestorFactory()
    healthy = factories.PlanFactory(investor=investor, state_since=then)
    fp.run(healthy)
    account = fp.sips[healthy.investment_account.provider_ref]
    account["55"] = {"sip_id": "55", "active": True, "amount": 1_000, "source_ref_id": "NEVERSENT"}

    def another(**changes: Any) -> dict[str, Any]:
        said = fp.run(factories.PlanFactory(investor=investor, state_since=then))
        return said.update(changes) or said

    del account[another()["sip_id"]]
    another(source_ref_id="ANOTHER")
    another(installments=7)
    another(isin="INF000000000")
    another(mandate_id="4711")
    ended = factories.PlanFactory(investor=investor, state="CANCELLED", state_since=then)
    fp.run(ended)["active"] = True
    unread = factories.PlanFactory(investor=factories.ReadyInvestorFactory(), state_since=then)
    fp.trouble[unread.investment_account.provider_ref] = errors.Garbled


def fill(fp: Fp, like: MfOrder, count: int) -> None:
    """So many more orders that wait for their payment, on both sides."""
    filling.orders(like, count, state="AWAITING_PAYMENT")
    for number in range(filling.FIRST + 1, filling.FIRST + count + 1):
        said = {"id": str(number), "source_ref_id": f"R{number}"}
        fp.orders[said["id"]] = fp.orders[like.provider_ref] | said


def test_every_planted_difference_is_found_and_nothing_else(fp, make):
    healthy = [make(("AWAITING_PAYMENT", "PAID", "ALLOTTED")[number % 3]) for number in range(60)]
    if len(healthy) < HEALTHY:
        fill(fp, healthy[0], HEALTHY - len(healthy))
    planted = plant(fp, make)
    assert len(planted) >= 12
    report = reconciliation.run(clock.now())
    found: dict[str, int] = {}
    for each in report.differences:
        found[each.kind] = found.get(each.kind, 0) + 1
    assert found == planted
    assert report.at_risk > 0
    assert Case.objects.filter(state="OPEN").count() == sum(planted.values())


def test_a_dry_run_reports_the_same_and_changes_nothing(fp, make):
    planted = plant(fp, make)
    behind = make()
    fp.orders[behind.provider_ref]["status"] = "PAYMENT_CONFIRMED"
    report = reconciliation.run(clock.now(), dry=True)
    assert {each.kind for each in report.differences} == set(planted)
    assert report.caught_up == 1
    behind.refresh_from_db()
    assert behind.state == "AWAITING_PAYMENT"
    assert not Case.objects.exists()


def test_of_an_unknown_payment_without_an_amount_the_orders_rupees_are_at_risk(fp, make):
    order = make()
    fp.payments["88"] = {"id": "88", "status": "PENDING", "amc_order_ids": [order.provider_ref]}
    report = reconciliation.run(clock.now())
    assert [each.kind for each in report.differences] == ["payment_only_at_fp"]
    assert report.at_risk == order.cost


def test_agreement_about_units_is_the_registrars_confirmation(fp, make):
    order = make("ALLOTTED")
    assert reconciliation.run(clock.now()).confirmed == 1
    order.refresh_from_db()
    assert order.confirmed_at
    assert reconciliation.run(clock.now()).confirmed == 0


def test_units_that_differ_confirm_nothing(fp, make):
    order = make("ALLOTTED")
    fp.units[order.investment_account.provider_ref].clear()
    assert reconciliation.run(clock.now()).confirmed == 0


# --- Units: some accounts a run ------------------------------------------------------------------------------------


def holders(make, count: int) -> list[InvestmentAccount]:
    """Accounts with units on which both sides agree."""
    return [make("ALLOTTED", of=factories.ReadyInvestorFactory()).investment_account for _ in range(count)]


def plant_units(fp: Fp, account: InvestmentAccount, units: str) -> None:
    for key in fp.units[account.provider_ref]:
        fp.units[account.provider_ref][key] += Decimal(units)


def units_compared_at(account: InvestmentAccount) -> object:
    return InvestmentAccount.objects.get(pk=account.pk).holdings_compared_at


def test_units_are_compared_of_some_accounts_a_run_those_of_longest_ago_first(fp, make, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    accounts = holders(make, 3)
    for _ in range(2):
        report = reconciliation.run(clock.now())
        assert report.compared["accounts compared: holdings"] == 2
        assert report.compared["accounts that wait for another run: holdings"] == 1
    compared = [units_compared_at(account) for account in accounts]
    assert None not in compared
    # The second run began with the one that the first had left.
    assert sorted(range(3), key=lambda n: compared[n])[0] == 1


def test_a_case_about_units_waits_until_its_account_is_compared_again(fp, make, monkeypatch):
    wrong, _ = holders(make, 2)
    plant_units(fp, wrong, "1")
    reconciliation.run(clock.now())
    case = Case.objects.get(kind="reconciliation_holding_units_differ")
    plant_units(fp, wrong, "-1")
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    InvestmentAccount.objects.filter(pk=wrong.pk).update(holdings_compared_at=clock.now() + THEN)
    reconciliation.run(clock.now())
    case.refresh_from_db()
    assert case.state == "OPEN", "its account was not asked about"
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    reconciliation.run(clock.now())
    case.refresh_from_db()
    assert case.state == "CLOSED"


def test_between_two_whole_runs_only_accounts_of_another_day_are_compared(fp, make):
    old, fresh = holders(make, 2)
    fp.orders.pop(make().provider_ref)
    reconciliation.run(clock.now())
    case = Case.objects.get(kind="reconciliation_order_not_at_fp")
    for account in (old, fresh):
        plant_units(fp, account, "1")
    InvestmentAccount.objects.filter(pk=old.pk).update(holdings_compared_at=clock.now() - timedelta(days=1))
    report = reconciliation.run_turn(clock.now())
    assert [each.subject for each in report.differences] == [old.investor]
    assert Case.objects.filter(state="OPEN").count() == 2
    case.refresh_from_db()
    assert case.state == "OPEN", "orders were not compared"


# --- SIPs: some accounts a run -------------------------------------------------------------------------------------


def plans_of(fp, count: int) -> list[Plan]:
    then = clock.now() - THEN
    made = [factories.PlanFactory(investor=factories.ReadyInvestorFactory(), state_since=then) for _ in range(count)]
    for plan in made:
        fp.run(plan)
    return made


def test_the_accounts_that_were_compared_longest_ago_come_first(fp, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    made = plans_of(fp, 3)
    for _ in range(2):
        report = reconciliation.run(clock.now())
        assert report.compared["accounts compared: sips"] == 2
        assert report.compared["accounts that wait for another run: sips"] == 1
    compared = [InvestmentAccount.objects.get(pk=plan.investment_account_id).sips_compared_at for plan in made]
    assert None not in compared
    # The second run began with the one that the first had left.
    assert sorted(range(3), key=lambda n: compared[n])[0] == 1


def test_a_case_about_a_sip_waits_until_its_account_is_compared_again(fp, monkeypatch):
    wrong, other = plans_of(fp, 2)
    account = fp.sips[wrong.investment_account.provider_ref]
    account[wrong.provider_ref]["amount"] = 1
    reconciliation.run(clock.now())
    case = Case.objects.get(state="OPEN")
    assert case.kind == "reconciliation_sip_amount_differs"
    account[wrong.provider_ref]["amount"] = wrong.amount
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    first = [wrong.investment_account_id, other.investment_account_id]
    InvestmentAccount.objects.filter(pk=first[0]).update(sips_compared_at=clock.now() + THEN)
    reconciliation.run(clock.now())
    case.refresh_from_db()
    assert case.state == "OPEN", "its account was not asked about"
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    reconciliation.run(clock.now())
    case.refresh_from_db()
    assert case.state == "CLOSED"


def test_a_sip_that_has_ended_at_fp_ends_here(fp):
    [plan] = plans_of(fp, 1)
    fp.sips[plan.investment_account.provider_ref][plan.provider_ref]["active"] = False
    assert reconciliation.run(clock.now(), dry=True).caught_up == 1
    plan.refresh_from_db()
    assert plan.state == "ACTIVE"
    report = reconciliation.run(clock.now())
    assert (report.caught_up, report.differences) == (1, [])
    plan.refresh_from_db()
    assert plan.state == "CANCELLED"


def compared_at(plan: Plan) -> object:
    return InvestmentAccount.objects.get(pk=plan.investment_account_id).sips_compared_at


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_account_keeps_its_turn_until_its_cases_are_written(fp, monkeypatch):
    [wrong] = plans_of(fp, 1)
    fp.sips[wrong.investment_account.provider_ref][wrong.provider_ref]["amount"] = 1
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(reconciliation, "_write_cases", killed)
        reconciliation.run(clock.now())
    assert compared_at(wrong) is None
    reconciliation.run(clock.now())
    assert Case.objects.get().kind == "reconciliation_sip_amount_differs"
    assert compared_at(wrong)


def test_an_account_that_fp_never_answers_about_is_a_case_and_stands_in_nobodys_way(fp, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    silent, wrong, fine = plans_of(fp, 3)
    fp.trouble[silent.investment_account.provider_ref] = errors.OutcomeUnknown
    fp.sips[wrong.investment_account.provider_ref][wrong.provider_ref]["amount"] = 1
    for _ in range(3):
        reconciliation.run(clock.now())
    assert compared_at(wrong)
    assert compared_at(fine)
    assert compared_at(silent) is None
    about = Case.objects.get(kind="reconciliation_sip_list_unread")
    assert about.subject_id == str(silent.investment_account_id)
    assert Case.objects.filter(kind="reconciliation_sip_amount_differs", state="OPEN").exists()
    fp.trouble.clear()
    reconciliation.run(clock.now())
    about.refresh_from_db()
    assert about.state == "CLOSED"
    assert compared_at(silent)


def test_a_bounded_number_of_failures_ends_the_turn(fp, monkeypatch):
    monkeypatch.setattr(turns, "FAILURES", 2)
    made = plans_of(fp, 4)
    for plan in made[:3]:
        fp.trouble[plan.investment_account.provider_ref] = errors.NotAuthorised
    assert len(reconciliation.run(clock.now()).differences) == 2
    assert compared_at(made[3]) is None
    reconciliation.run(clock.now())
    assert compared_at(made[3]), "the next turn goes on behind them"


def test_what_was_compared_before_fp_went_away_counts(fp):
    wrong, behind = plans_of(fp, 2)
    fp.sips[wrong.investment_account.provider_ref][wrong.provider_ref]["amount"] = 1
    fp.trouble[behind.investment_account.provider_ref] = errors.Unreachable
    report = reconciliation.run(clock.now())
    assert [each.kind for each in report.differences] == ["sip_amount_differs"]
    assert report.compared["accounts that wait for another run: sips"] == 1
    assert Case.objects.get().kind == "reconciliation_sip_amount_differs"
    assert compared_at(wrong)
    assert compared_at(behind) is None
