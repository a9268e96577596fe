"""Can anybody tell from the time that an answer takes who is a client? A thousand timings each, known and unknown.

Each door is walked through by a fresh browser, with an address that is a client's and one that is nobody's, in random
order. The two samples are compared by ranks (Mann-Whitney), which needs no shape of a distribution: a difference at
p < 0.01 is a door that tells. `tests/portal/test_uniform_answers.py` compares what is answered and done.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.test.utils import override_settings

from portal.management.bench import Row
from portal.management.progress import ProgressLine
from portal.models import User

SOMEBODY, NOBODY = "somebody@strangers.example", "nobody00@strangers.example"
TIMINGS = 1_000
SURE = 0.01
PASSWORD = "a password of nobody here 1"  # noqa: S105


@dataclass(frozen=True)
class Door:
    """A way to ask with an e-mail address. `walk` yields the answers."""

    name: str
    walk: Callable[[Client, str], Iterator[Any]]


def _posts(address: str, form: dict[str, str]) -> Callable[[Client, str], Iterator[Any]]:
    """A form is sent, and the page to which it leads is opened."""

    def walk(browser: Client, email: str) -> Iterator[Any]:
        answer = browser.post(address, {name: value.format(email=email) for name, value in form.items()})
        yield answer
        if answer.status_code == 302:
            yield browser.get(answer["Location"])

    return walk


def _guesses(address: str, confirm: str) -> Callable[[Client, str], Iterator[Any]]:
    """A code is asked for, wrong ones are tried, and another one is asked for."""

    def walk(browser: Client, email: str) -> Iterator[Any]:
        yield browser.post(address, {"email": email})
        for guess in ("ABCDEF", "123456"):
            yield browser.post(confirm, {"code": guess})
        yield browser.post(confirm, {"action": "resend"})

    return walk


DOORS = (
    Door("sign up", _posts("/accounts/signup/", {"email": "{email}", "password1": PASSWORD})),
    Door("log in", _posts("/accounts/login/", {"login": "{email}", "password": PASSWORD})),
    Door("log in by code", _posts("/accounts/login/code/", {"email": "{email}"})),
    Door("reset the password", _posts("/accounts/password/reset/", {"email": "{email}"})),
    Door("guess the code of a login", _guesses("/accounts/login/code/", "/accounts/login/code/confirm/")),
    Door("guess the code of a reset", _guesses("/accounts/password/reset/", "/accounts/password/reset/confirm/")),
)


def run() -> list[Row]:
    """Every door in turn. Mails go nowhere, and addresses of static files need no collected ones."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        STORAGES={**settings.STORAGES, "staticfiles": plain},
    ):
        User.objects.create_user(SOMEBODY, "the right password of somebody 1")
        return [_measure(door) for door in DOORS]


def _measure(door: Door) -> Row:
    times: dict[str, list[float]] = {SOMEBODY: [], NOBODY: []}
    order = [SOMEBODY, NOBODY] * TIMINGS
    random.shuffle(order)
    progress = ProgressLine()
    for number, email in enumerate(order, 1):
        times[email].append(_seconds(door, email))
        progress(door.name, number, len(order))
    known, unknown = times[SOMEBODY], times[NOBODY]
    p = same_distribution(known, unknown)
    return {
        "work": f"{door.name}: known / unknown",
        "limit": f"{1000 * statistics.median(unknown):.2f} ms",
        "ours": f"{1000 * statistics.median(known):.2f} ms",
        "ratio": f"{statistics.median(known) / statistics.median(unknown):.3f}",
        "target": f"p >= {SURE}",
        "verdict": "reached" if p >= SURE else "MISSED",
        "note": f"p = {p:.3f} over {TIMINGS:,} timings each",
    }


def _seconds(door: Door, email: str) -> float:
    cache.clear()  # limits count by address; here they would end the bench
    User.objects.filter(email=NOBODY).delete()
    browser = Client()
    began = time.perf_counter()
    for _ in door.walk(browser, email):
        pass
    return time.perf_counter() - began


def same_distribution(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p of Mann and Whitney's test, by its normal approximation: small when one is usually longer."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        shared = (place + end + 1) / 2
        ranks += shared * sum(1 for _, which in ranked[place:end] if which == 0)
        place = end
    n, m = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))
