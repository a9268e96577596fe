"""The partner API beside a bare Django view: a list of a hundred orders, and asking for an approval."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from decimal import Decimal

from allauth.idp.oidc.models import Token
from django.utils import timezone

from investors.models import Investor
from orders.models import Approval, Scheme
from portal import clock
from portal.api import keys
from portal.api.scopes import SCOPES
from portal.management.bench import Row, cast, load, row
from portal.management.bench.pages import statements
from portal.management.bench.servers import Ports, both
from portal.models import Partner

ROUNDS = 5
ORDERS = 100
PER_ROUND = 100
PEOPLE = 200
LIST_TARGET, ASK_TARGET = 0.07, 0.03


def run() -> list[Row]:
    """One row for reading, one for writing."""
    cast.schemes()
    who = cast.investor(1)
    cast.holdings(who)
    partner = Partner.objects.create(code="BENCH", name="Bench", calls_per_minute=10**9, calls_per_day=10**9)
    Investor.objects.filter(pk=who.pk).update(partner=partner)
    schemes = list(Scheme.objects.order_by("pk")[:ORDERS])
    for place in range(ORDERS):
        cast.order(who, schemes[place % len(schemes)], Decimal(1000 + place))
    token = _token(partner, who)
    # A person is asked a few times a day at most: each request of the bench is about somebody else's.
    asked = [cast.investor(1000 + number) for number in range(PEOPLE)]
    Investor.objects.filter(pk__in=[each.pk for each in asked]).update(partner=partner)
    with both() as ports:
        return [_list(ports, token), _ask(ports, token, asked, schemes[0])]


def _token(partner: Partner, who: Investor) -> str:
    key, _ = keys.make(partner=partner, label="bench", scopes=SCOPES, actor=who.user, at=clock.now())
    token = Token(
        client=key.client, type=Token.Type.ACCESS_TOKEN, expires_at=timezone.now() + timedelta(hours=1), user=None
    )
    token.set_value("bench-token")
    token.set_scopes(list(SCOPES))
    token.save()
    return "bench-token"


def _list(ports: Ports, token: str) -> Row:
    request = load.get("/api/v1/orders?limit=100", Authorization=f"Bearer {token}")
    limit, ours = [], []
    for turn in range(ROUNDS + 1):
        theirs = load.run(ports.bare, itertools.repeat(load.get("/")), seconds=1.0)
        mine = load.run(ports.ours, itertools.repeat(request), seconds=1.0)
        if set(mine.statuses) != {200}:
            raise RuntimeError(f"the list answered {dict(mine.statuses)}")
        if turn:
            limit.append(theirs.per_second)
            ours.append(mine.per_second)
    note = f"{statements(ports, [request])} statements"
    return row(work="API list of 100 orders", unit="lists/s", limit=limit, ours=ours, target=LIST_TARGET, note=note)


def _ask(ports: Ports, token: str, people: list[Investor], scheme: Scheme) -> Row:
    count = (ROUNDS + 1) * PER_ROUND
    posts = [_post(token, people[number % PEOPLE], scheme, number) for number in range(count + 1)]
    limit, ours = [], []
    for turn in range(ROUNDS + 1):
        theirs = load.run(ports.bare, itertools.repeat(load.get("/")), seconds=1.0)
        mine = load.run(ports.ours, posts[turn * PER_ROUND :][:PER_ROUND], seconds=60.0)
        if set(mine.statuses) != {201}:
            raise RuntimeError(f"approvals were not asked for: {dict(mine.statuses)}")
        if turn:
            limit.append(theirs.per_second)
            ours.append(mine.per_second)
    if Approval.objects.count() != count:
        raise RuntimeError(f"{count} approvals were asked for, {Approval.objects.count()} are there")
    note = f"{statements(ports, posts[-1:])} statements"
    return row(work="API: ask to buy", unit="asks/s", limit=limit, ours=ours, target=ASK_TARGET, note=note)


def _post(token: str, who: Investor, scheme: Scheme, number: int) -> bytes:
    line = {"kind": "PURCHASE", "scheme": scheme.isin, "amount": f"{5000 + number}.00"}
    body = json.dumps({"investor": who.code, "reason": "bench", "lines": [line]}).encode()
    headers = {
        "Authorization": f"Bearer {token}", "Idempotency_Key": f"bench-{number}", "Content_Type": "application/json"
    }  # fmt: skip
    return load.post("/api/v1/approvals", body, **headers)
