"""Who may call: keys, tokens, rotation, addresses, allowances, the emergency stop."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from portal import clock
from portal.api import keys, partners
from portal.models import ApiKey, ApiUse, AuditEntry
from portal.scope import ScopeMiddleware
from portal.sessions import SessionStore
from tests import factories

pytestmark = pytest.mark.django_db


def ask_token(key: Any, secret: str, **form: str) -> Any:
    basic = base64.b64encode(f"{key.pk}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials"} | form
    return Client().post("/api/v1/token", form, headers={"Authorization": f"Basic {basic}"})


def test_a_key_and_its_secret_become_a_token_that_opens_the_api(north):
    answer = ask_token(north.key, north.secret)
    assert answer.status_code == 200, answer.content
    north.token = answer.json()["access_token"]
    me = north.get("me")
    assert me.status_code == 200
    assert me.json()["code"] == "NORTH"
    assert ApiKey.objects.get(pk=north.key.pk).used_at


def test_a_token_is_narrowed_to_the_scopes_that_were_asked_for(north):
    north.token = ask_token(north.key, north.secret, scope="orders:read").json()["access_token"]
    assert north.get("orders").status_code == 200
    refused = north.get("investors")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert ask_token(north.key, north.secret, scope="everything").status_code == 400


@pytest.mark.parametrize("secret", ["", "x", "\0"])
def test_another_secret_gets_no_token(north, secret):
    assert ask_token(north.key, secret).status_code == 401


def test_an_unknown_key_and_another_grant_get_none(north):
    assert Client().post("/api/v1/token", {"grant_type": "client_credentials", "client_id": "\0"}).status_code == 401
    assert ask_token(north.key, north.secret, grant_type="password").status_code == 400


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nothing", "Basic eA==", "Bearer \x7f"])
def test_without_a_token_there_is_a_401_with_a_challenge(header):
    answer = Client().get("/api/v1/orders", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"


def test_the_session_of_somebody_who_is_signed_in_opens_nothing(client_for, asha):
    assert client_for(asha).get("/api/v1/orders").status_code == 401


def test_nobody_can_read_a_secret_again(north):
    assert north.secret not in str(list(ApiKey.objects.values())) + str(north.key.client.secret)
    assert north.secret not in str(list(AuditEntry.objects.values()))


def test_rotation_lets_the_old_key_work_for_the_overlap_and_no_longer(north, at):
    now = clock.now()
    person = factories.UserFactory()
    follower, secret = keys.rotate(key=north.key, actor=person, at=now, overlap=timedelta(days=2))
    assert ask_token(follower, secret).status_code == 200
    assert north.get("me").status_code == 200
    assert follower.client.get_scopes() == north.key.client.get_scopes()
    with pytest.raises(keys.KeyIsOver):
        keys.rotate(key=ApiKey.objects.get(pk=north.key.pk), actor=person, at=now)
    at(now + timedelta(days=2, seconds=1))
    assert north.get("me").status_code == 401
    assert ask_token(north.key, north.secret).status_code == 401
    assert ask_token(follower, secret).status_code == 200


def test_a_revoked_key_ends_with_its_tokens(north):
    keys.revoke(key=north.key, actor=factories.UserFactory(), reason="lost", at=clock.now())
    assert north.get("me").status_code == 401
    assert ask_token(north.key, north.secret).status_code == 401


def test_the_emergency_stop_refuses_calls_and_tokens_until_it_is_opened(north):
    person = factories.UserFactory()
    partners.close_api(partner=north.partner, reason="A key was found in public", actor=person, at=clock.now())
    refused = north.get("me")
    assert (refused.status_code, refused.json()["code"]) == (403, "api_closed")
    assert "found in public" in refused.json()["detail"]
    assert ask_token(north.key, north.secret).status_code == 403
    partners.open_api(partner=north.partner, reason="New key", actor=person, at=clock.now())
    assert north.get("me").status_code == 200


@pytest.mark.parametrize("end", ["token", "partner", "network"])
def test_whoever_is_refused_at_the_door_leaves_nothing_open(north, end):
    {
        "token": lambda: setattr(north, "token", "nothing"),
        "partner": lambda: type(north.partner).objects.update(is_active=False),
        "network": lambda: type(north.partner).objects.update(networks=["192.0.2.0/24"]),
    }[end]()
    seen = []
    request = RequestFactory().get("/api/v1/me", headers={"Authorization": f"Bearer {north.token}"})
    request.session = SessionStore()

    def view(_: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('portal.scope')")
            seen.append(cursor.fetchone()[0])
        return HttpResponse()

    ScopeMiddleware(view)(request)
    assert seen == ["none"]


def test_a_token_opens_nothing_outside_of_the_api(north, asha):
    assert Client().get("/portfolio/", headers={"Authorization": f"Bearer {north.token}"}).status_code == 302


def test_an_address_that_nobody_can_know_is_refused_as_every_call_is(north, settings):
    type(north.partner).objects.update(networks=["127.0.0.0/8"])
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answer = north.get("me", X_Forwarded_For="nowhere")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_calls_come_from_the_partners_networks_only(north):
    north.partner.networks = ["192.0.2.0/24"]
    north.partner.save()
    assert north.get("me").json()["code"] == "address_not_allowed"
    north.partner.networks = ["127.0.0.0/8"]
    north.partner.save()
    assert north.get("me").status_code == 200


@pytest.fixture
def passes(monkeypatch) -> Callable[[int], None]:
    """The clock stands 20 seconds into a minute; `passes(40)` moves it. No minute turns over while a test counts."""
    stands = [clock.now().replace(second=20, microsecond=0)]
    monkeypatch.setattr(clock, "now", lambda: stands[0])

    def go(seconds: int) -> None:
        stands[0] += timedelta(seconds=seconds)

    return go


def test_an_allowance_is_counted_down_in_headers_and_then_refused_until_the_minute_ends(north, passes):
    north.partner.calls_per_minute = 2
    north.partner.save()
    first, second, third = north.get("me"), north.get("me"), north.get("me")
    assert [first["RateLimit-Remaining"], second["RateLimit-Remaining"]] == ["1", "0"]
    assert first["RateLimit-Policy"] == "2;w=60, 100000;w=86400"
    assert (third.status_code, third.json()["code"]) == (429, "throttled")
    assert (third["Retry-After"], third["RateLimit-Remaining"]) == ("40", "0")
    passes(39)
    assert north.get("me").status_code == 429
    passes(1)
    assert north.get("me").status_code == 200


def test_one_partners_calls_use_up_nothing_of_anothers(north, south, passes):
    north.partner.calls_per_minute = 1
    north.partner.save()
    assert [north.get("me").status_code, north.get("me").status_code, south.get("me").status_code] == [200, 429, 200]


def test_a_partner_that_we_no_longer_work_with_is_nobody(north):
    north.partner.is_active = False
    north.partner.save()
    assert north.get("me").status_code == 401


def test_a_key_has_scopes_that_exist_and_a_partner_has_few_keys(north):
    person, at = factories.UserFactory(), clock.now()
    for scopes in ([], ["everything"]):
        with pytest.raises(Exception, match="scopes"):
            keys.make(partner=north.partner, label="x", scopes=scopes, actor=person, at=at)
    for _ in range(keys.MOST_KEYS - 1):
        keys.make(partner=north.partner, label="x", scopes=["orders:read"], actor=person, at=at)
    with pytest.raises(keys.TooManyKeys):
        keys.make(partner=north.partner, label="x", scopes=["orders:read"], actor=person, at=at)


def test_what_nobody_foresaw_and_what_nothing_answers_are_problems_too(north, monkeypatch):
    def die(*_: Any) -> None:
        raise RuntimeError

    nowhere = Client().get("/api/v1/nowhere")
    monkeypatch.setattr("portal.api.usage.count", die)
    broken = Client(raise_request_exception=False).get(
        "/api/v1/orders", headers={"Authorization": f"Bearer {north.token}"}
    )
    for answer, status, code in ((nowhere, 404, "not_found"), (broken, 500, "server")):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"
    assert Client().get("/nowhere/")["Content-Type"].startswith("text/html")


def test_tries_from_a_foreign_address_use_nothing_up(north):
    type(north.partner).objects.filter(pk=north.partner.pk).update(networks=["203.0.113.0/24"])
    assert ask_token(north.key, "x").status_code == 403
    assert not ApiUse.objects.exists()
    type(north.partner).objects.filter(pk=north.partner.pk).update(networks=[])
    assert ask_token(north.key, "x").status_code == 401
    assert ApiUse.objects.count() == 2, "a try from where the partner may call is counted, by minute and day"


@pytest.mark.parametrize("body", ['{"\\ud800": 1}', '{"lines": [{"kind": "\\ud800"}]}', '{"reason": "\\udfff"}'])
def test_half_a_character_is_refused_in_words(north, body):
    answer = north.post("approvals", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
