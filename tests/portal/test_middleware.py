"""What every answer carries, and what is logged about every request."""

from __future__ import annotations

import pytest
import structlog
from django.http import HttpResponse
from django.test import RequestFactory

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
