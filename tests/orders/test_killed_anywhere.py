"""P1: whoever is killed at any I/O call leaves neither two operations at FP, nor a lost one, nor one that is not there.

Each kind of money operation is done by a process that is killed at its first I/O call, its second, and so on to the
end (`tests/killer.py`); afterwards the clock brings the row back as in life, and FP's own books are read. CI kills at
every call that speaks to FP (sends also half-way) and at every sixth that speaks to the database; the long version at
every one of all, several times: `KILLS=5 ./run test tests/orders/test_killed_anywhere.py`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import models

from investors.operations import mandate_sending
from orders import plan_gateway
from orders.models import MfOrder, Plan, Scheme
from orders.operations import plan_change_sending, plan_changes, plan_sending, purchases, redemptions, sending
from orders.redemption_rules import Asked
from payments import operations as payments
from portal import clock
from portal.errors import Failure
from portal.fintech_primitives import client as fp
from portal.gateway import journal
from portal.gateway.errors import GatewayError
from tests import factories, killer
from tests.investors import test_mandates as mandates
from tests.orders import sips
from tests.orders.conftest import ours_at_fp
from tests.orders.test_instant_redemptions import liquid_scheme
from tests.orders.test_redemptions import bought, sell

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = int(os.environ.get("KILLS", "0"))
EVERY = 1 if ROUNDS else 6
# Seconds after the death at which the clock looks at the row: past the lease, then through all of P4's looks.
LOOKS_S = (1, 46, 60, 80, 120, 200, 420, 700, 1_400)


@dataclass(frozen=True)
class Operation:
    """A kind of money operation: how a fresh one is prepared, done, taken up again, and what shows its end."""

    make: Callable[[int], models.Model]
    advance: Callable[[int, Any], None]
    at_fp: Callable[[Any], int]
    is_done: Callable[[Any], bool]
    act: Callable[[Any], None] | None = None

    def work(self, row: Any) -> Callable[[], object]:
        """What the process that dies is doing."""
        return lambda: self.act(row) if self.act else self.advance(row.pk, clock.now())


def taken_up(operation: Operation, row: Any) -> None:
    """What the sweep does, look after look: a row is touched only when it is due by itself."""
    began = clock.now()
    for seconds in LOOKS_S:
        row.refresh_from_db()
        at = began + timedelta(seconds=seconds)
        if operation.is_done(row):
            return
        if row.due_at is not None and row.due_at <= at:
            with contextlib.suppress(GatewayError, Failure):
                operation.advance(row.pk, at)
    row.refresh_from_db()


def released(operation: Operation, row: Any, dev: Any) -> None:
    """A purchase or a sale that look-ups do not find is a person's to let go again; nothing else may."""
    if isinstance(row, MfOrder) and row.is_unknown:
        assert operation.at_fp(row) == 0, "FP has it, and no look-up found it"
        later = clock.now() + timedelta(seconds=LOOKS_S[-1] + 1)
        sending.submit_again(order_id=row.pk, actor=dev, reason="FP says on the phone: not there", at=later)
        operation.advance(row.pk, later)
        row.refresh_from_db()


def wrong_ends(operation: Operation, dev: Any) -> list[str]:
    """Kill at one point after the other; what did not end as exactly one operation at FP."""
    numbers = iter(range(1, 100_000))
    calls = killer.calls_of(operation.work(operation.make(next(numbers))))
    assert calls.count("send") >= 1, "the work speaks to FP"
    found, deaths = [], 0
    for at, torn in [point for _ in range(ROUNDS or 1) for point in killer.points(calls, every=EVERY)]:
        row = operation.make(next(numbers))
        deaths += killer.kill(operation.work(row), at=at, torn=torn).was_killed
        taken_up(operation, row)
        released(operation, row, dev)
        there = operation.at_fp(row)
        if there != 1 or not operation.is_done(row):
            where = f"{calls[at - 1]}{', torn' if torn else ''}" if at <= len(calls) else "end"
            ours = f"{row.state} {row.attempt} {getattr(row, 'failure_text', '')}"  # type: ignore[attr-defined]
            found.append(f"killed at call {at} ({where}): {there} at FP, ours is {ours}")
        type(row)._default_manager.filter(pk=row.pk).update(due_at=None)
    print(f"{len(calls)} I/O calls, {deaths} processes killed")
    assert deaths >= calls.count("send") * 2
    return found


# --- each kind of operation ---------------------------------------------------------------------------------------


def is_at_fp(row: Any) -> bool:
    return bool(row.provider_ref) and row.state not in ("CREATED", "SUBMITTING")


@pytest.fixture
def purchase(asha, place, sandbox) -> Operation:
    return Operation(
        make=lambda number: place(asha, 5_000 + number),
        advance=lambda pk, at: sending.advance(order_id=pk, at=at),
        at_fp=lambda row: len(ours_at_fp(sandbox, row)),
        is_done=is_at_fp,
    )


@pytest.fixture
def sale(asha, place, sandbox) -> Operation:
    holding = bought(place(asha, 95_000), sandbox)

    def make(number: int) -> MfOrder:
        # What the earlier ones still hold back is of no interest here.
        MfOrder.objects.filter(kind="REDEMPTION").update(state="REJECTED", attempt="", due_at=None)
        return sell(asha, holding, Asked(units=Decimal("0.050") + Decimal(number) / 1_000), sell_again=True)

    return Operation(
        make=make,
        advance=lambda pk, at: sending.advance(order_id=pk, at=at),
        at_fp=lambda row: len(ours_at_fp(sandbox, row)),
        is_done=is_at_fp,
    )


@pytest.fixture
def instant(asha, place, given, sandbox) -> Operation:
    """A sale that is paid at once: of a liquid fund, to an account that the fund house lists."""
    holding = bought(place(asha, consent=given(asha, 95_000, of=liquid_scheme())), sandbox)
    Scheme.objects.filter(pk=holding.scheme_id).update(nav=holding.invested / holding.units)
    holding.scheme.refresh_from_db()

    def make(number: int) -> MfOrder:
        MfOrder.objects.filter(kind="REDEMPTION").update(state="REJECTED", attempt="", due_at=None)
        where = {"isin": holding.scheme.isin, "folio_number": holding.folio.number}
        terms, accounts = redemptions.instant_terms(investor=asha, **where)
        how = {"terms": terms, "bank_account": accounts[0]}
        return sell(asha, holding, Asked(amount=Decimal("2.00")), sell_again=True, **how)

    return Operation(
        make=make,
        advance=lambda pk, at: sending.advance(order_id=pk, at=at),
        at_fp=lambda row: len(ours_at_fp(sandbox, row)),
        is_done=is_at_fp,
    )


@pytest.fixture
def fund(scheme: Scheme) -> Scheme:
    return sips.with_terms(scheme)


@pytest.fixture
def debited(asha, sandbox, fund, at):
    at("2026-11-21T12:00")
    return sips.mandate_at_fp(asha, sandbox)


def listed(plan: Plan) -> list[Any]:
    theirs = fp.client().list_sips(plan.investment_account.provider_ref)
    return [each for each in theirs if each.source_ref_id == plan.client_ref]


@pytest.fixture
def sip(asha, fund, debited) -> Operation:
    return Operation(
        make=lambda number: sips.start(asha, fund, debited),
        advance=lambda pk, at: plan_sending.advance(plan_id=pk, at=at),
        at_fp=lambda row: len(listed(row)),
        is_done=lambda row: row.state == "ACTIVE",
    )


def change_of(asha: Any, fund: Scheme, debited: Any, ask: Callable[[Plan], Any]) -> Callable[[int], models.Model]:
    def make(number: int) -> models.Model:
        return ask(sips.send(sips.start(asha, fund, debited)))

    return make


def skipped_dates(change: Any) -> int:
    plan = Plan.objects.select_related("investment_account").get(pk=change.plan_id)
    return sum(1 for each in plan_gateway.instalments(plan) if each.state == "CANCELLED")


@pytest.fixture
def skip(asha, fund, debited) -> Operation:
    def ask(plan: Plan) -> Any:
        on, _ = plan_changes.to_skip(plan, clock.now())
        return plan_changes.skip(plan=plan, on=on, at=clock.now(), actor="user:1")  # type: ignore[arg-type]

    return Operation(
        make=change_of(asha, fund, debited, ask),
        advance=lambda pk, at: plan_change_sending.advance(change_id=pk, at=at),
        at_fp=skipped_dates,
        is_done=lambda row: row.state == "DONE",
    )


@pytest.fixture
def end(asha, fund, debited) -> Operation:
    def is_over(change: Any) -> int:
        return sum(1 for each in listed(change.plan) if not each.active)

    return Operation(
        make=change_of(
            asha, fund, debited, lambda plan: plan_changes.cancel(plan=plan, at=clock.now(), actor="user:1")
        ),
        advance=lambda pk, at: plan_change_sending.advance(change_id=pk, at=at),
        at_fp=is_over,
        is_done=lambda row: row.state == "DONE",
    )


@pytest.fixture
def relink(asha, fund, debited, sandbox) -> Operation:
    """Another mandate for a SIP: FP debits it by that one."""
    other = sips.mandate_at_fp(asha, sandbox, limit=50_000)

    def ask(plan: Plan) -> Any:
        consent = factories.ConsentFactory(investor=asha, purpose="SIP", amount=plan.amount, isin=plan.scheme.isin)
        return plan_changes._create(plan, plan_changes.MANDATE, clock.now(), "user:1", mandate=other, consent=consent)

    def debited_by_the_other(change: Any) -> int:
        return sum(1 for each in listed(change.plan) if each.mandate_id == other.provider_ref)

    return Operation(
        make=change_of(asha, fund, debited, ask),
        advance=lambda pk, at: plan_change_sending.advance(change_id=pk, at=at),
        at_fp=debited_by_the_other,
        is_done=lambda row: row.state == "DONE",
    )


@pytest.fixture
def mandate(asha, sandbox) -> Operation:
    def listed_of(row: Any) -> int:
        return sum(1 for each in fp.client().list_mandates() if each.mandate_limit == row.limit)

    return Operation(
        make=lambda number: mandates.give(asha, limit=Decimal(20_000 + number)),
        advance=lambda pk, at: mandate_sending.advance(mandate_id=pk, at=at),
        at_fp=listed_of,
        is_done=lambda row: row.state == "AWAITING_INVESTOR",
    )


@pytest.fixture
def payment(asha, place, sandbox) -> Operation:
    """Of a payment, FP may know a page that nobody has; what counts are pages that somebody can pay on."""

    def make(number: int) -> models.Model:
        order = place(asha, 5_000 + number)
        sending.submit(order_id=order.pk, at=clock.now())
        found = payments.start(order_id=order.pk, at=clock.now())
        assert found
        return found

    def pages(row: Any) -> int:
        order = row.lines.get().order
        if not order.payment_lines.filter(is_live=True).exists():
            # What the nudge after a lost page does, or the investor's own click.
            again = payments.start(order_id=order.pk, at=clock.now(), again=True)
            payments.open_page(payment_id=again.pk, at=clock.now())
        lines = order.payment_lines.filter(payment__state="AWAITING_INVESTOR").select_related("payment")
        return sum(1 for line in lines if line.payment.token_url)

    return Operation(
        make=make,
        advance=lambda pk, at: payments.advance(payment_id=pk, at=at),
        at_fp=pages,
        is_done=lambda row: row.state in ("AWAITING_INVESTOR", "EXPIRED"),
    )


KINDS = ("purchase", "sale", "instant", "sip", "skip", "end", "relink", "mandate", "payment")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_anywhere_it_is_done_once_at_fp(kind, request, sandbox, dev):
    assert wrong_ends(request.getfixturevalue(kind), dev) == []


def test_a_confirmation_that_is_killed_anywhere_is_one_order_after_the_second_click(asha, given):
    """The web's part: a click dies, the person clicks again."""

    def click(consent: Any) -> Callable[[], object]:
        act = {"investor": asha, "code": consent.code, "otp": "", "buy_again": True, "ip": "127.0.0.1"}
        return lambda: purchases.confirm(**act, at=clock.now())

    calls = killer.calls_of(click(given(asha, 5_001)))
    for number, _ in killer.points(calls, every=1):
        consent = given(asha, 5_001 + number)
        killer.kill(click(consent), at=number)
        half = MfOrder.objects.filter(consent=consent).count()
        click(consent)()
        assert (half <= 1, MfOrder.objects.filter(consent=consent).count()) == (True, 1), number


def test_the_killer_finds_a_sender_that_does_not_look(mandate, dev, monkeypatch):
    """The harness bites: a mandate has no reference at FP, so whoever sends again without a look makes a second one."""
    monkeypatch.setattr(journal, "was_begun", lambda *_: False)
    monkeypatch.setattr(mandate_sending, "_find", lambda _: None)
    found = wrong_ends(mandate, dev)
    assert any("2 at FP" in each for each in found), found
