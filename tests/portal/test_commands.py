"""Commands that a check of a running system relies on."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.urls import path

from portal import clock, urls
from portal.management.commands import show_routes

pytestmark = pytest.mark.django_db


def test_lists_every_route_with_methods_and_a_rule(capsys):
    call_command("show_routes", "--json")
    routes = {route["path"]: route for route in json.loads(capsys.readouterr().out)}
    assert routes["/outbox/"]["methods"] == ["GET", "HEAD"]
    assert routes["/healthz"]["rule"] == "anyone"
    assert all(route["rule"] for route in routes.values())


def test_fails_for_a_route_that_nobody_gave_a_rule(monkeypatch, settings):
    class WithHole:
        urlpatterns = [*urls.urlpatterns, path("hole/<int:pk>/", lambda request, pk: HttpResponse())]

    monkeypatch.setattr(show_routes, "get_resolver", lambda: type("R", (), {"url_patterns": WithHole.urlpatterns}))
    with pytest.raises(CommandError, match="/hole/<int:pk>/"):
        call_command("show_routes", "--quiet")


def test_moves_the_sandbox_and_the_portal_by_a_day(sandbox, capsys):
    before = sandbox.now()
    call_command("clock", "advance", "P1D")
    assert timedelta(hours=23, minutes=59) < sandbox.now() - before < timedelta(hours=24, minutes=1)
    assert abs((sandbox.now() - clock.now()).total_seconds()) < 3
    assert f"{clock.now():%d %b %Y}" in capsys.readouterr().out


def test_says_what_is_wrong_with_a_duration(sandbox):
    with pytest.raises(CommandError, match="duration"):
        call_command("clock", "advance", "tomorrow")


@pytest.mark.parametrize("name", ["clock", "up", "seed_demo"])
def test_refuses_to_play_in_live_mode(settings, name):
    settings.SANDBOX = False
    with pytest.raises(CommandError):
        call_command(name)
