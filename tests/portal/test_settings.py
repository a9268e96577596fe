"""Settings that cannot be mixed, the clock, and the outbox page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core import checks as django_checks
from django.core.mail import EmailMessage, get_connection

from portal import checks, clock, outbox
from tests import world


def numbers(errors) -> set[str]:
    return {error.id for error in errors}


# --- checks -----------------------------------------------------------------------------------------------------


def test_accepts_the_defaults_of_a_laptop():
    assert not [found for found in django_checks.run_checks() if not found.is_silenced()]


@pytest.mark.parametrize("name", ["fp", "amfi"])
def test_refuses_sandbox_mode_with_a_real_provider(settings, name):
    settings.PROVIDER_BASE_URLS = {**settings.PROVIDER_BASE_URLS, name: "https://provider.portal.example"}
    assert numbers(checks.the_world_is_one()) == {"portal.E002"}


def test_refuses_live_mode_with_the_sandbox(settings):
    settings.MODE, settings.SANDBOX = "live", False
    assert numbers(checks.the_world_is_one()) == {"portal.E002"}


def test_refuses_a_mode_that_is_neither(settings):
    settings.MODE = "staging"
    assert numbers(checks.the_world_is_one()) == {"portal.E001"}


def test_refuses_every_laptop_default_in_live_mode(settings):
    settings.MODE, settings.SANDBOX = "live", False
    settings.DATABASE_IS_EMBEDDED, settings.STAFF_SECOND_FACTOR, settings.DEBUG = True, False, True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    found = checks.live_has_no_laptop_defaults()
    assert numbers(found) >= {f"portal.E{number:03}" for number in (3, 4, 5, 6, 7, 8, 9, 11, 12, 13)}
    assert all(error.hint for error in found)


@pytest.mark.parametrize("broker", ["smallcase", "odin", "5paisa"])
def test_refuses_a_broker_in_live_mode_without_its_own_address_and_credentials(settings, broker):
    settings.MODE, settings.SANDBOX, settings.BROKERS = "live", False, [broker]
    found = checks.brokers_that_are_on_have_their_own_credentials()
    assert numbers(found) == {"portal.E016"}
    assert [error.msg.split()[0] for error in found] == list(checks.BROKER_SETTINGS[broker])


def test_asks_nothing_of_a_broker_that_is_off_and_nothing_of_a_laptop(settings):
    assert checks.brokers_that_are_on_have_their_own_credentials() == []
    settings.MODE, settings.SANDBOX, settings.BROKERS = "live", False, []
    assert checks.brokers_that_are_on_have_their_own_credentials() == []


def test_accepts_a_broker_in_live_mode_with_its_own(settings):
    settings.MODE, settings.SANDBOX, settings.BROKERS = "live", False, ["smallcase"]
    settings.SMALLCASE_BASE_URL = "https://gatewayapi.smallcase.com"
    settings.SMALLCASE_GATEWAY, settings.SMALLCASE_SECRETS, settings.SMALLCASE_API_SECRETS = "ours", ["a"], ["b"]
    assert checks.brokers_that_are_on_have_their_own_credentials() == []
    settings.SMALLCASE_SECRETS = ["a", ""]
    assert numbers(checks.brokers_that_are_on_have_their_own_credentials()) == {"portal.E016"}


def test_refuses_a_broker_that_nobody_knows(settings):
    settings.BROKERS = ["smallcase", "zerodha"]
    assert numbers(checks.brokers_that_are_on_have_their_own_credentials()) == {"portal.E015"}


def test_refuses_a_field_key_that_is_no_key(settings):
    settings.FIELD_KEYS = ["short"]
    assert numbers(checks.keys_are_keys()) == {"portal.E014"}


def test_does_not_start_in_live_mode_with_laptop_defaults():
    environment = {**os.environ, "MODE": "live", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=world.ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "SECRET_KEY is the laptop's" in ended.stderr


def test_are_all_named_in_the_example_file():
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_0-9]+)"', (world.ROOT / "portal/settings.py").read_text()))
    named = set(re.findall(r"^#? ?([A-Z_0-9]+)=", (world.ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == named


def test_lets_the_example_file_be_used_as_it_is():
    lines = [
        line for line in (world.ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert lines == ["MODE=sandbox"]


# --- the clock --------------------------------------------------------------------------------------------------


def test_tells_indian_time_wherever_the_server_stands():
    with time_machine.travel("2026-11-20T20:00:00+00:00", tick=False):
        assert clock.now().isoformat() == "2026-11-21T01:30:00+05:30"
        assert clock.today().isoformat() == "2026-11-21"


def test_runs_ahead_by_the_offset_in_every_process(at):
    at("2027-01-01T10:00")
    assert abs((clock.now() - datetime(2027, 1, 1, 10, tzinfo=clock.IST)).total_seconds()) < 2
    ask = "import django; django.setup(); from portal import clock; print(clock.today())"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    told = subprocess.run([sys.executable, "-c", ask], cwd=world.ROOT, env=environment, capture_output=True, text=True)
    assert told.stdout.strip() == "2027-01-01"


def test_cannot_be_moved_in_live_mode(settings):
    settings.SANDBOX = False
    with pytest.raises(RuntimeError, match="live"):
        clock.set_offset(60)


def test_ignores_an_offset_that_lies_about_in_live_mode(settings, at):
    at("2027-01-01T10:00")
    settings.SANDBOX = False
    assert abs(clock.now().timestamp() - time.time()) < 2


# --- the outbox -------------------------------------------------------------------------------------------------


@pytest.fixture
def send(settings, tmp_path):
    settings.EMAIL_FILE_PATH = str(tmp_path / "outbox")
    sent_at = [time.time() - 3600]

    def send(to: str, subject: str, body: str) -> None:
        with get_connection("django.core.mail.backends.filebased.EmailBackend") as connection:
            EmailMessage(subject, body, "us@portal.example", [to], connection=connection).send()
        # The order of files is told by their times; a test is faster than the clock of a file system.
        newest = max(outbox._files(), key=lambda path: path.stat().st_mtime_ns)
        sent_at[0] += 1
        os.utime(newest, (sent_at[0], sent_at[0]))

    return send


@pytest.mark.django_db
def test_shows_mails_newest_first_with_their_codes(client, send):
    send("asha@portal.example", "Confirm your purchase", "Your code is 314159")
    send("chitra@portal.example", "Welcome", "Hello ₹ Chitra")
    page = client.get("/outbox/").content.decode()
    assert page.index("Hello ₹ Chitra") < page.index("314159")
    only = client.get("/outbox/", {"to": "asha@"}).content.decode()
    assert "314159" in only
    assert "Chitra" not in only


@pytest.mark.django_db
def test_shows_what_a_stranger_wrote_as_text(client, send):
    send("asha@portal.example", "<script>alert(1)</script>", '<img src=x onerror="alert(2)">')
    page = client.get("/outbox/").content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.django_db
def test_shows_an_empty_outbox(client, settings, tmp_path):
    settings.EMAIL_FILE_PATH = str(tmp_path / "nothing")
    assert "No mail yet" in client.get("/outbox/").content.decode()


@pytest.mark.django_db
def test_is_404_in_live_mode(client, settings, send):
    send("asha@portal.example", "Code", "314159")
    settings.SANDBOX = False
    assert client.get("/outbox/").status_code == 404


@pytest.mark.django_db
def test_takes_no_post(client):
    assert client.post("/outbox/").status_code == 405


def test_reads_several_mails_of_one_file(settings, tmp_path):
    settings.EMAIL_FILE_PATH = str(tmp_path)
    with get_connection("django.core.mail.backends.filebased.EmailBackend") as connection:
        for number in range(3):
            EmailMessage(
                f"Mail {number}", "text", "us@portal.example", ["a@portal.example"], connection=connection
            ).send()
    assert [mail.subject for mail in outbox.mails()] == ["Mail 2", "Mail 1", "Mail 0"]
    assert abs(outbox.mails()[0].sent_at - datetime.now(tz=clock.IST)) < timedelta(seconds=60)
