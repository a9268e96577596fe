"""System health (screens.md O-19): figures a person can act on, and a file that tells nothing of anybody."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import cases, clock, gates, health, job_runs, roles
from portal.models import AuditEntry, Gate, JobRun
from tests.ops.conftest import ACCOUNT_NUMBER, PAN

pytestmark = pytest.mark.django_db
PAGE, FILE = "/admin/portal/heartbeat/health/", "/admin/portal/heartbeat/health/diagnostics/"
SECRET = re.compile("SECRET|KEY|TOKEN|PASSWORD|_URL|HOST_USER|TENANT|USER_ID|NETWORKS|MAILS_TO")


@pytest.fixture
def panels(as_role):
    """`panels(role)`: the tables of the page by their titles, without markup."""

    def look(role=roles.VIEWER):
        page = as_role(role).get(PAGE)
        assert page.status_code == 200
        return {
            panel.title: {row[0]: [re.sub(r"<[^>]+>", "", cell) for cell in row[1:]] for row in panel.rows}
            for panel in page.context["panels"]
        }

    return look


def test_the_page_says_how_process_machine_and_database_are(panels):
    found = panels()
    assert found["This web process"]["Memory"][0].endswith(" MB")
    assert int(found["This web process"]["Threads"][0]) >= 1
    assert " of " in found["Its machine"]["Memory free"][0]
    assert re.match(r"\d+ of \d+: \d+ at work", found["Database"]["Connections"][0])
    assert found["Database"]["Answers in"][0].endswith(" ms")
    assert found["Cache and queue"]["Cache answers in"][0].endswith(" ms")
    assert len(found["Largest tables"]) == 10
    assert {"Queues", "Scheduled work that needs a look", "Providers, last 15 minutes"} <= set(found)


@pytest.mark.parametrize(
    ("what", "figures", "line"),
    [
        ("database", {"oldest_transaction_s": 61}, ("Database", "Oldest transaction")),
        ("database", {"waiting_for_a_lock": 1}, ("Database", "Waiting for a lock")),
        ("database", {"active": 90, "most_connections": 100}, ("Database", "Connections")),
        ("machine", {"free_memory_mb": 99, "memory_mb": 1000}, ("Its machine", "Memory free")),
        ("machine", {"free_disk_mb": {"var": 1_999}}, ("Its machine", "Room in var")),
        ("machine", {"load": [0, 99, 0], "cores": 2}, ("Its machine", "Load")),
    ],
)
def test_what_a_person_should_look_at_is_marked(panels, monkeypatch, what, figures, line):
    title, name = line
    usual = getattr(health, what)()
    monkeypatch.setattr(health, what, lambda: {**usual, **figures})
    assert panels()[title][name][1] == "look"


def test_a_cache_that_does_not_answer_is_said(panels, monkeypatch):
    monkeypatch.setattr(health, "cache_answers_in_ms", lambda: None)
    assert panels()["Cache and queue"]["Cache answers in"] == ["no answer", "look"]


def test_a_system_that_tells_no_memory_breaks_nothing(panels, monkeypatch):
    monkeypatch.setattr(health, "_read", lambda path: {})
    assert panels()["This web process"]["Memory"][0] == "–"


def test_messages_that_no_worker_took_are_counted(settings, tmp_path):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "messages")}
    assert health.messages_waiting() == 0
    (tmp_path / "messages").mkdir()
    for name in ("1.celery.msg", "2.celery.msg", "3.celery.lock"):
        (tmp_path / "messages" / name).touch()
    assert health.messages_waiting() == 2


def test_who_may_turn_gates_finds_the_button_beside_each(panels, as_role):
    assert {row[-1] for row in panels(roles.VIEWER)["Stop or reopen"].values()} == {"–"}
    gates.turn(name=gates.of("fp"), closed=True, reason="FP is down", actor="test", at=clock.now())
    found = panels(roles.ADMIN)["Stop or reopen"]
    assert (found["FP"][0], found["FP"][1], found["FP"][-1]) == ("closed", "FP is down", "Open again")
    assert found["smallcase"][-1] == "Stop it"
    admin = as_role(roles.ADMIN)
    button = reverse("admin:portal_gate_act", args=[gates.of("smallcase"), "close"])
    assert button in admin.get(PAGE).content.decode()
    admin.post(button, {"reason": "They answer nonsense"})
    assert Gate.objects.get(pk=gates.of("smallcase")).is_closed


def test_the_file_tells_nothing_of_anybody_and_no_secret(as_role, desk):
    at, email = clock.now(), desk.investor.user.email
    words = f"ValueError: {PAN} {ACCOUNT_NUMBER} {email} Asha Rao"
    job_runs.note("portal.recover", took_ms=5, error=words)
    gates.turn(name=gates.of("fp"), closed=True, reason=words, actor="test", at=at)
    cases.open_case(kind="order_outcome_unknown", subject=desk.payment, title=words, detail=words, at=at)
    text = as_role(roles.VIEWER).get(FILE).content.decode()
    for planted in (PAN, ACCOUNT_NUMBER, email, "Asha", desk.investor.code, desk.order.code, "portal.example"):
        assert planted not in text, planted
    told = json.loads(text)
    assert [run["error"] for run in told["scheduled"] if run["task"] == "portal.recover"] == ["ValueError"]
    assert {"database", "due", "providers", "migrations", "versions"} <= set(told)
    assert told["open_cases"] == [{"kind": "order_outcome_unknown", "count": 2}]
    assert not [name for name in told["settings"] if SECRET.search(name)]


def test_no_setting_that_could_be_a_secret_is_in_the_file(as_role):
    text = as_role(roles.VIEWER).get(FILE).content.decode()
    values = [getattr(settings, name) for name in dir(settings) if name.isupper() and SECRET.search(name)]
    secrets = [each for value in values for each in (value if isinstance(value, list | tuple) else [value])]
    assert len(secrets) > 20
    assert not [each for each in secrets if isinstance(each, str) and len(each) > 7 and each in text]


def test_who_took_the_file_stands_in_the_log(as_role):
    client = as_role(roles.VIEWER)
    answer = client.get(FILE)
    assert answer["Content-Disposition"].startswith('attachment; filename="diagnostics-')
    assert AuditEntry.objects.get(action="diagnostics.taken").actor == f"user:{client.user.pk}"


@pytest.mark.parametrize("url", [PAGE, FILE])
def test_health_is_for_staff_with_the_right(as_role, client, url):
    assert client.get(url).status_code == 302
    assert as_role(roles.INVESTOR).get(url).status_code == 302
    stripped = as_role(roles.VIEWER)
    group = stripped.user.groups.get()
    group.permissions.remove(group.permissions.get(codename="view_heartbeat"))
    assert stripped.get(url).status_code == 403
    assert as_role(roles.VIEWER).post(url).status_code == 405
    assert not AuditEntry.objects.filter(action="diagnostics.taken").exists()


def test_the_page_has_a_budget_and_counts_no_table(as_role, desk):
    client = as_role(roles.VIEWER)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as captured:
        client.get(PAGE)
    assert len(captured) <= 30, [query["sql"] for query in captured]


def test_scheduled_work_that_failed_is_on_the_page(panels):
    JobRun.objects.all().delete()
    job_runs.note("portal.recover", took_ms=5, error="OSError: no route")
    assert len(panels()["Scheduled work that needs a look"]) == 1


def test_the_menu_leads_to_the_sandboxs_control_room_and_in_live_mode_to_none(as_role, settings):
    client, room = as_role(roles.VIEWER), f"{settings.SANDBOX_URL}/_control/"
    page = client.get(PAGE).content.decode()
    assert f'href="{room}"' in page
    assert f'href="{room}#scenes"' in page
    settings.SANDBOX = False
    assert "/_control/" not in client.get(PAGE).content.decode()


def test_no_way_leads_to_the_control_room_where_somebody_else_plays_a_provider(as_role, settings):
    settings.PROVIDER_BASE_URLS = {**settings.PROVIDER_BASE_URLS, "fp": "http://127.0.0.1:9/fp"}
    assert "/_control/" not in as_role(roles.VIEWER).get(PAGE).content.decode()
