"""Queue and cache on a real Redis: run where REDIS_URL names one (CI starts it)."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from portal import jobs
from portal.management.commands import up
from portal.models import Heartbeat
from tests import world

pytestmark = [pytest.mark.on_redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _empty_redis():
    """Every test begins with nothing in Redis."""
    cache.clear()
    yield
    cache.clear()


def environment() -> dict[str, str]:
    """For a process that works on this test's database."""
    before, _, _ = settings.DATABASE_URL.rpartition("/")
    name = connection.settings_dict["NAME"]
    return {**os.environ, "DATABASE_URL": f"{before}/{name}", "DJANGO_SETTINGS_MODULE": "portal.settings"}


def test_shares_the_cache_between_processes():
    cache.set("shared", "yes", 60)
    ask = "import django; django.setup(); from django.core.cache import cache; print(cache.get('shared'))"
    words = [sys.executable, "-c", ask]
    told = subprocess.run(words, cwd=world.ROOT, env=environment(), capture_output=True, text=True)
    assert told.stdout.strip() == "yes"


def test_keeps_a_nudge_until_a_worker_comes():
    jobs.nudge("portal.heartbeat")
    words = [sys.executable, *up.WORKER_WORDS]
    worker = subprocess.Popen(
        words, cwd=world.ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + 60
        while not Heartbeat.objects.filter(name="beat").exists():
            assert time.monotonic() < deadline, "the worker did not work"
            time.sleep(0.1)
    finally:
        worker.kill()
        worker.wait(10)


def test_keeps_people_signed_in_when_redis_is_emptied(client_for, asha):
    client = client_for(asha)
    assert client.get("/portfolio/").status_code == 200
    cache.clear()
    assert client.get("/portfolio/").status_code == 200
