"""What every answer carries, and what is logged about every request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from portal.models import User
from portal.views import ContentPolicy, RequestLog

HEADER = "Content-Security-Policy"


def policy(**asked: dict[str, list[str]]) -> set[str]:
    """The policy of an answer with these wishes of its own (`_csp_update` and the like)."""
    response = HttpResponse()
    vars(response).update({f"_csp_{name}": words for name, words in asked.items()})
    answered = ContentPolicy(lambda request: response)(RequestFactory().get("/"))
    return {part.strip() for part in answered[HEADER].split(";")}


def test_every_answer_carries_the_policy_of_the_settings() -> None:
    assert {"script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"} <= policy()


def test_an_answer_may_ask_for_words_of_its_own_and_the_next_one_has_none_of_them() -> None:
    assert "script-src 'self' 'unsafe-eval'" in policy(update={"script-src": ["'unsafe-eval'"]})
    assert "script-src 'self'" in policy()


def test_a_policy_that_a_view_has_set_stays() -> None:
    def view(request: object) -> HttpResponse:
        return HttpResponse(headers={HEADER: "default-src 'none'"})

    assert ContentPolicy(view)(RequestFactory().get("/"))[HEADER] == "default-src 'none'"


@pytest.mark.parametrize(
    ("proxies", "told", "logged"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_log_believes_as_many_proxies_as_there_are(settings: object, proxies: int, told: str, logged: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies  # type: ignore[attr-defined]
    headers = {"X-Forwarded-For": told} if told else {}
    seen = []

    def view(request: object) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars()["ip"])
        return HttpResponse()

    RequestLog(view)(RequestFactory().get("/", headers=headers))
    assert seen == [logged]


@pytest.fixture
def level() -> Iterator[Callable[[int], None]]:
    """`level(logging.INFO)`: from which level on lines about requests are written."""
    logger = logging.getLogger("django_structlog")
    before = logger.level
    yield logger.setLevel
    logger.setLevel(before)


def told(view: Callable[[HttpRequest], HttpResponse]) -> list[str]:
    """The lines that one request leaves."""
    with structlog.testing.capture_logs() as lines:
        RequestLog(view)(RequestFactory().get("/"))
    return [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (HttpResponse(), []),
        (HttpResponse(status=302), []),
        (HttpResponse(status=404), ["request_finished"]),
        (HttpResponse(status=503), ["request_finished"]),
    ],
)
def test_only_what_was_refused_is_told(level: Callable[[int], None], answer: HttpResponse, lines: list[str]) -> None:
    level(logging.WARNING)
    assert [line for line in told(lambda request: answer) if line != "request_started"] == lines
    assert structlog.contextvars.get_contextvars() == {}


def test_an_answer_that_breaks_off_while_it_is_sent_is_told(level: Callable[[int], None]) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a"
        raise RuntimeError("gone")

    level(logging.WARNING)
    with structlog.testing.capture_logs() as lines, pytest.raises(RuntimeError, match="gone"):
        list(RequestLog(lambda request: StreamingHttpResponse(parts()))(RequestFactory().get("/")))
    assert "streaming_failed" in [line["event"] for line in lines]


def test_every_request_is_told_where_that_is_asked_for(level: Callable[[int], None]) -> None:
    level(logging.INFO)
    assert told(lambda request: HttpResponse()) == ["request_started", "request_finished"]


@pytest.mark.parametrize("written", [logging.INFO, logging.WARNING])
def test_lines_of_a_request_name_it_and_its_person(level: Callable[[int], None], written: int) -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars())
        return HttpResponse()

    level(written)
    for _ in range(2):
        request = RequestFactory().get("/")
        request.user = User(pk=7)
        RequestLog(view)(request)
    assert {(each["user_id"], each["ip"]) for each in seen} == {(7, "127.0.0.1")}
    assert seen[0]["request_id"] != seen[1]["request_id"]
