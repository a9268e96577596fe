"""Nobody learns here who is a client (reliability.md P31): known or not, the same answer, the same mail, the same work.

The work is compared by its statements, because a test of times would fail on a busy machine; the long version with a
thousand timings each is `./run bench strangers`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.management.bench.strangers import DOORS, NOBODY, SOMEBODY, Door
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _somebody(db: None) -> None:
    factories.InvestorFactory(user__email=SOMEBODY, given_pan="ASHPR3751C")
    cache.clear()


def structure(sql: str) -> str:
    """What a statement does to which table. To keep a change and to take it back are the same work."""
    if re.match(r"SAVEPOINT|RELEASE|ROLLBACK", sql):
        return "SAVEPOINT" if sql.startswith("SAVEPOINT") else "its end"
    verb, table = sql.split(None, 1)[0], re.search(r'(?:FROM|INTO|UPDATE) "?(\w+)', sql)
    return f"{verb} {table[1] if table else sql[:60]}"


class Answer:
    """What came back, what was done for it, and what was mailed."""

    def __init__(self, door: Door, email: str, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.clear()
        mail.outbox.clear()
        hashed: list[str] = []
        with monkeypatch.context() as watched:
            hasher = hashers.get_hasher()
            watched.setattr(type(hasher), "encode", _counting(type(hasher).encode, hashed))
            browser = Client()
            with CaptureQueriesContext(connection) as asked:
                answers = list(door.walk(browser, email))
        self.pages = [_page(answer, email) for answer in answers]
        self.cookies = [sorted(answer.cookies) for answer in answers]
        self.statements = Counter(structure(each["sql"]) for each in asked)
        del self.statements["its end"]
        self.mails = [(each.to == [email], bool(each.body)) for each in mail.outbox]
        self.hashes = len(hashed)


def _counting(encode: Any, seen: list[str]) -> Any:
    def counted(self: Any, password: str, *args: Any, **given: Any) -> Any:
        seen.append(password)
        return encode(self, password, *args, **given)

    return counted


def _page(answer: HttpResponse, email: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without what is different in every answer."""
    body = re.sub(r"\b\w{64}\b", "", answer.content.decode()).replace(email, "EMAIL")
    changing = {"Content-Length", "Expires"}
    headers = {name: value.replace(email, "EMAIL") for name, value in answer.headers.items() if name not in changing}
    return answer.status_code, headers, body


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_known_or_not_the_answer_is_the_same(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    known, unknown = (Answer(door, email, monkeypatch) for email in (SOMEBODY, NOBODY))
    for one, other in zip(known.pages, unknown.pages, strict=True):
        assert one[:2] == other[:2]
        assert one[2].splitlines() == other[2].splitlines()
    assert known.cookies == unknown.cookies
    assert known.mails == unknown.mails
    assert len(SOMEBODY) == len(NOBODY)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_known_or_not_the_work_is_the_same(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    known, unknown = (Answer(door, email, monkeypatch) for email in (SOMEBODY, NOBODY))
    assert known.hashes == unknown.hashes, "hashing a password is what takes longest"
    assert (known.statements - unknown.statements, unknown.statements - known.statements) == (Counter(), Counter())
