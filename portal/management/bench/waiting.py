"""Waiting for a slow provider in many threads: calls a second of one worker process, and the memory that it takes.

The work runs in a process of its own, so that its memory is that of a worker and not of the bench. The limit is
arithmetic: so many threads, each waiting so long.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from portal.management.bench import Row, delayed, row
from portal.management.bench.played import Played, addresses

THREADS, LATENCY_S, SECONDS, ROUNDS = 50, 0.1, 3.0, 3
TARGET, MEGABYTES = 0.85, 120.0


def run(played: Played, request: bytes, client_code: str, access_token: str) -> list[Row]:
    """Two rows. `request` is the bytes of the call, whose answer by the sandbox is the one that comes late."""
    from portal.management.bench.servers import database_url

    environment = {**os.environ, "DATABASE_URL": database_url(), "MODE": "sandbox", "LOG_LEVEL": "ERROR"}
    environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    here = Path(__file__).resolve().parents[3]
    with delayed.provider(played.port, request, LATENCY_S) as url:
        words = [sys.executable, "-m", __name__, url, client_code, access_token]
        heard = subprocess.run(words, env=environment, cwd=here, check=True, capture_output=True, text=True).stdout
    said = json.loads(heard.splitlines()[-1])
    ideal, note = THREADS / LATENCY_S, f"limit: {THREADS} threads at {LATENCY_S * 1000:.0f} ms"
    calls = row(work="provider calls, waiting", unit="calls/s", limit=[ideal] * ROUNDS, ours=said["rates"],
                target=TARGET, note=note)  # fmt: skip
    memory = row(work="provider calls, memory of the worker", unit="MB", limit=[MEGABYTES], ours=[said["mb"]],
                 target=1.0, at_most=True)  # fmt: skip
    return [calls, memory]


def _work(url: str, client_code: str, access_token: str) -> dict[str, Any]:
    """What the process does: rounds of calls from all threads."""
    import django

    django.setup()
    from django.db import connection
    from django.test import override_settings

    from brokers.fivepaisa import client as fivepaisa
    from brokers.fivepaisa.auth import Session

    with override_settings(**addresses(url)):
        client, session = fivepaisa.build(), Session(client_code, access_token)

        def calls(until: float, counts: list[int]) -> None:
            made = 0
            while time.monotonic() < until:
                client.fetch_margin(session)
                made += 1
            counts.append(made)
            connection.close()

        _round(calls, 1.0)
        rates = [_round(calls, SECONDS) for _ in range(ROUNDS)]
    return {"rates": rates, "mb": _most_memory_mb()}


def _most_memory_mb() -> float:
    """The most that this process ever held. Linux's `ru_maxrss` would count the parent, out of which it was made."""
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if not held:
        raise RuntimeError("this system does not say how much memory a process held")
    return int(held[1]) / 1024


def _round(calls: Callable[[float, list[int]], None], seconds: float) -> float:
    """Calls a second of all threads, until the last has its answer."""
    counts: list[int] = []
    began = time.monotonic()
    threads = [threading.Thread(target=calls, args=[began + seconds, counts]) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(counts) < THREADS:
        raise RuntimeError("a thread of the bench failed; its words are above")
    return sum(counts) / (time.monotonic() - began)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_work(*sys.argv[1:])) + "\n")
