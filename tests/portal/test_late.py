"""What only web processes show is read late: workers never hold it, and nothing is missing where it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests import world

# What a worker does as it starts, and what it tells people and operations of later.
WORKER = """
import json, sys
from portal.celery import app

def pages(): return "unfold.admin" in sys.modules
app.loader.import_default_modules()
found = {"tasks": sorted(app.tasks), "addresses": "portal.urls" in sys.modules, "pages": pages()}

from django.urls import reverse
found["order"], found["pages after a link"] = reverse("orders:detail", args=["ORD-1"]), pages()

from django.apps import apps
found["field"] = str(apps.get_model("orders.MfOrder")._meta.get_field("provider_ref").verbose_name)
"""
ACT = """
from portal.desk import bulk
from portal.desk.models import BulkRun
found["act"] = bulk.act_of(BulkRun(subject_kind="portal.case", act="look-again")).name
found["case"] = reverse("admin:portal_case_change", args=[7])
"""
LINK = 'found["case"] = reverse("admin:portal_case_change", args=[7])\n'
TOGETHER = """
import threading
from django.contrib import admin
from portal.desk import bulk
from portal.desk.models import BulkRun

def act(): bulk.act_of(BulkRun(subject_kind="portal.case", act="look-again"))
def link(): reverse("admin:portal_case_change", args=[7])
def go(what):
    begin.wait()
    try: what()
    except Exception as error: wrong.append(repr(error))

# So often that without the lock every second run leaves the admin with six pages.
sys.setswitchinterval(1e-6)
wrong, begin = [], threading.Barrier(6)
threads = [threading.Thread(target=go, args=[what]) for what in (act, link) * 3]
for each in threads: each.start()
for each in threads: each.join()
found["wrong"], found["models"] = wrong, len(admin.site._registry)
"""
CHECKS = """
import json, sys
import django
django.setup()
from django.core import checks
found = {"before": "unfold.admin" in sys.modules}
found["wrong"] = [str(each) for each in checks.run_checks(tags=[checks.Tags.admin])]
from django.contrib import admin
found["models"] = len(admin.site._registry)
"""
WEB = """
import json, sys
import portal.wsgi
found = {"pages": "unfold.admin" in sys.modules, "api": "portal.api.views" in sys.modules}
"""


def told_by(code: str) -> dict[str, Any]:
    """What a fresh process says that it found."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    environment.pop("CELERY_SKIP_CHECKS", None)
    words = [sys.executable, "-c", code + "print(json.dumps(found))"]
    told = subprocess.run(words, cwd=world.ROOT, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def test_a_worker_knows_its_tasks_and_links_without_the_pages_of_the_admin():
    found = told_by(WORKER)
    assert {"portal.bulk", "orders.advance"} <= set(found["tasks"])
    assert (found["addresses"], found["pages"], found["pages after a link"]) == (False, False, False)
    assert found["order"] == "/orders/ORD-1/"
    # What a person's export says, whichever process makes it.
    assert found["field"] == "Provider's number"


@pytest.mark.parametrize("more", [ACT, LINK])
def test_a_worker_reads_them_for_an_act_upon_many_rows_and_for_a_link(more):
    found = told_by(WORKER + more)
    assert found["case"] == "/admin/portal/case/7/change/"
    assert found.get("act", "look-again") == "look-again"


def test_threads_that_ask_for_them_together_find_them_whole():
    found = told_by(WORKER + TOGETHER)
    assert found["wrong"] == []
    assert found["models"] > 50


def test_checks_look_at_every_page():
    found = told_by(CHECKS)
    assert (found["before"], found["wrong"]) == (False, [])
    assert found["models"] > 50


def test_a_web_process_has_read_everything_before_the_first_request():
    assert told_by(WEB) == {"pages": True, "api": True}
