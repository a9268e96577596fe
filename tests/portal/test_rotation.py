"""Keys rotate while the product runs: nothing is lost, hidden or held up, and the old keys are useless afterwards."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from investors.models import PAN_INDEX, BankAccount, Investor, KycCheck
from investors.operations import documents
from portal import clock, encryption
from portal.files import vault
from portal.management import rotation
from tests import factories, world
from tests.factories import files
from tests.investors.fresh_kyc import clean

NEW, NEW_INDEX = Fernet.generate_key().decode(), "the new key of the index"


def raw(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


@pytest.fixture
def both_keys(settings: LazySettings) -> None:
    settings.FIELD_KEYS, settings.INDEX_KEYS = [NEW, *settings.FIELD_KEYS], [NEW_INDEX, *settings.INDEX_KEYS]


def new_keys_only(settings: LazySettings) -> None:
    settings.FIELD_KEYS, settings.INDEX_KEYS = [NEW], [NEW_INDEX]


def quietly(*args: object) -> None:
    """Progress for nobody."""


# --- what is covered --------------------------------------------------------------------------------------------


def test_every_encrypted_column_and_every_blind_index_is_covered() -> None:
    found = {(target.table, name) for target in rotation.targets() for name in target.names}
    columns = {
        (str(model._meta.db_table), str(field.column))
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, encryption.EncryptedTextField) or field.name.endswith("_index")
    }
    assert columns - found == rotation.ELSEWHERE
    assert ("portal_session", "session_data") in found


@pytest.mark.django_db
def test_rotates_every_key_without_losing_or_hiding_a_row(
    settings: LazySettings,
    asha: Any,
    chitra: Any,
    capsys: pytest.CaptureFixture[str],
    client_for: Callable[..., Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    browser = client_for(asha)
    factor = Authenticator.objects.create(
        user=asha.user, type=Authenticator.Type.TOTP, data={"secret": encryption.encrypt("JBSWY3DP")}
    )
    paper = documents.keep(
        investor=asha, kind="PHOTO", file=clean("PHOTO", files.picture()), actor=asha.user, at=clock.now()
    )
    before = paper.vault_name
    settings.FIELD_KEYS, settings.INDEX_KEYS = [NEW, *settings.FIELD_KEYS], [NEW_INDEX, *settings.INDEX_KEYS]
    events = raw("SELECT count(*) FROM investors_investorevent")
    pan, number = asha.pan, asha.bankaccounts.get().number
    with django_capture_on_commit_callbacks(execute=True):
        call_command("rotate_keys", batch=1)
    new_keys_only(settings)
    again = Investor.objects.get(pan_index=encryption.blind_index(pan, PAN_INDEX))
    assert (again, again.pan) == (asha, pan)
    assert BankAccount.objects.get(investor=asha).number == number
    assert KycCheck.objects.get(investor=asha).pan_index == again.pan_index
    assert raw("SELECT count(*) FROM investors_investorevent") == events, "rotation is no change of the person"
    assert encryption.decrypt(Authenticator.objects.get(pk=factor.pk).data["secret"]) == "JBSWY3DP"
    assert browser.get("/profile/").status_code == 200, "signed in as before"
    assert documents.content(paper)[:2] == b"\xff\xd8", "found where it lies now"
    assert not vault.has(before)
    told = capsys.readouterr().out
    assert "investors_investor: 2 rows, 2 renewed" in told
    assert "files: 1 rows, 1 renewed" in told
    assert "it may be dropped" in told


@pytest.mark.django_db
def test_the_check_of_an_earlier_pan_stays_findable(both_keys: None, settings: LazySettings, asha: Any) -> None:
    settings.INDEX_KEYS = settings.INDEX_KEYS[1:]
    earlier = asha.pan
    asha.set_pan("ASHPR3751Q")
    asha.save()
    settings.INDEX_KEYS = [NEW_INDEX, *settings.INDEX_KEYS]
    rotation.run(batch=10, progress=quietly)
    assert KycCheck.objects.get(investor=asha).pan_index == encryption.blind_index(earlier, PAN_INDEX)


@pytest.mark.django_db
def test_says_so_when_an_old_key_is_missing_and_changes_nothing(settings: LazySettings, asha: Any) -> None:
    before = raw("SELECT pan FROM investors_investor")
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(CommandError, match="old key"):
        call_command("rotate_keys")
    assert raw("SELECT pan FROM investors_investor") == before


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do(asha: Any, both_keys: None) -> None:
    assert rotation.run(batch=10, progress=quietly)["investors_investor"] == rotation.Count(1, 1)
    tokens = raw("SELECT pan FROM investors_investor")
    assert {count.renewed for count in rotation.run(batch=10, progress=quietly).values()} == {0}
    assert raw("SELECT pan FROM investors_investor") == tokens


@pytest.mark.django_db
def test_an_unclaimed_pan_stays_unclaimed(both_keys: None) -> None:
    investor = factories.InvestorFactory(pan="")
    Investor.objects.filter(pk=investor.pk).update(pan="ASHPR3751C")
    rotation.run(batch=10, progress=quietly)
    assert Investor.objects.get(pk=investor.pk).pan_index is None


@pytest.mark.django_db
def test_an_erased_person_stays_erased_and_a_copy_of_data_is_renewed(
    asha: Any, settings: LazySettings, django_capture_on_commit_callbacks: Any
) -> None:
    Investor.objects.filter(pk=asha.pk).update(pan="", pan_index="erased:x")
    copy = factories.DataExportFactory(investor=asha, state="MADE", vault_name=vault.put(b"everything"))
    settings.FIELD_KEYS, settings.INDEX_KEYS = [NEW, *settings.FIELD_KEYS], [NEW_INDEX, *settings.INDEX_KEYS]
    with django_capture_on_commit_callbacks(execute=True):
        assert rotation.run(batch=10, progress=quietly)["files"].renewed == 1
    new_keys_only(settings)
    assert Investor.objects.get(pk=asha.pk).pan_index == "erased:x"
    assert vault.content_of(copy) == b"everything"


@pytest.mark.django_db
def test_a_kyc_answer_changes_in_nothing_but_its_keys(asha: Any) -> None:
    check = KycCheck.objects.get(investor=asha)
    for told, change in (("off", "verbatim = 'x'"), ("on", "is_compliant = false"), ("off", "pan_index = 'x'")):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('portal.rotating', %s, true)", [told])
            cursor.execute(f"UPDATE investors_kyccheck SET {change} WHERE id = {check.pk}")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('portal.rotating', 'on', true)")
        cursor.execute(f"DELETE FROM investors_kyccheck WHERE id = {check.pk}")


# --- while it runs ----------------------------------------------------------------------------------------------

ROWS = 1_500


@pytest.fixture
def many(transactional_db: None) -> list[str]:
    """PANs of investors, whose rows are under the old keys."""
    from portal.management.bench.people import build

    build(ROWS)
    return [investor.pan for investor in Investor.objects.order_by("pk")[:: ROWS // 50]]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_passed_over_and_taken_later(settings: LazySettings) -> None:
    asha, chitra = factories.ReadyInvestorFactory(), factories.ReadyInvestorFactory()
    settings.FIELD_KEYS = [NEW, *settings.FIELD_KEYS]
    target = next(each for each in rotation.targets() if each.table == "investors_investor")
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Investor.objects.select_for_update().get(pk=asha.pk)
                holds.set()
                may_end.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(10)
    assert rotation.renew(target, [asha.pk, chitra.pk]) == ([asha.pk], 1), "nobody waited"
    may_end.set()
    holder.join()
    assert rotation.renew(target, [asha.pk, chitra.pk]) == ([], 1)


def _in_another_process(batch: int) -> subprocess.Popen[bytes]:
    before, _, _ = settings.DATABASE_URL.rpartition("/")
    environment = {
        **os.environ,
        "DATABASE_URL": f"{before}/{connection.settings_dict['NAME']}",
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "INDEX_KEYS": ",".join(settings.INDEX_KEYS),
    }
    words = [sys.executable, "manage.py", "rotate_keys", "--batch", str(batch)]
    return subprocess.Popen(words, cwd=world.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _renewed() -> int:
    newest = Fernet(NEW)
    return sum(_opens(newest, token) for (token,) in raw("SELECT pan FROM investors_investor"))


def _opens(box: Fernet, token: str) -> bool:
    try:
        box.decrypt(token.encode())
    except encryption.InvalidToken:
        return False
    return True


class Traffic(threading.Thread):
    """Reads by PAN and writes, as processes with both keys do, for as long as the rotation runs."""

    def __init__(self, pans: list[str]) -> None:
        super().__init__()
        self.pans, self.ended, self.turns, self.trouble = pans, threading.Event(), 0, []

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self._turn(self.pans[self.turns % len(self.pans)])
                self.turns += 1
        except Exception as error:  # noqa: BLE001 - the test says what it was
            self.trouble.append(repr(error))
        finally:
            connection.close()

    def _turn(self, pan: str) -> None:
        with transaction.atomic():
            found = Investor.objects.select_for_update().get(pan_index__in=encryption.blind_indexes(pan, PAN_INDEX))
            assert found.pan == pan
            found.guardian_pan = pan
            found.save()


@pytest.fixture
def traffic(many: list[str], both_keys: None) -> Iterator[Traffic]:
    thread = Traffic(many)
    thread.start()
    yield thread
    thread.ended.set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_started_again_and_nobody_notices(
    many: list[str], traffic: Traffic, settings: LazySettings
) -> None:
    first = _in_another_process(10)
    until = time.monotonic() + 60
    while _renewed() < 2 * len(many):
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < until
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert _renewed() < ROWS, "it was to be killed in the middle"
    told = io.StringIO()
    call_command("rotate_keys", batch=200, stdout=told)
    traffic.ended.set()
    traffic.join()
    assert (traffic.trouble, traffic.turns > 50) == ([], True)
    assert "it may be dropped" in told.getvalue()
    new_keys_only(settings)
    assert _renewed() == Investor.objects.count() == ROWS
    for pan in many:
        assert Investor.objects.get(pan_index=encryption.blind_index(pan, PAN_INDEX)).pan == pan
