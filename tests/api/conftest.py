"""A partner with a key and a token, and somebody whom it brought."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.idp.oidc.models import Token
from django.test import Client
from django.utils import timezone

from orders.models import Basket
from orders.operations import baskets
from portal import clock
from portal.api import keys
from portal.api.scopes import SCOPES
from portal.models import ApiKey, Partner
from tests import factories


@dataclass
class Caller:
    """A partner's machine with a token."""

    partner: Partner
    key: ApiKey
    secret: str
    token: str

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/api/v1/{path}", headers=self._headers(headers))

    def post(self, path: str, body: Any = None, key: str = "", **headers: str) -> Any:
        text = body if isinstance(body, (str, bytes)) else json.dumps({} if body is None else body)
        named = {"Idempotency-Key": key or uuid.uuid4().hex} | headers
        return Client().post(f"/api/v1/{path}", text, content_type="application/json", headers=self._headers(named))

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}


def caller_of(partner: Partner, scopes: Any = SCOPES) -> Caller:
    """A key of the partner's with a token, as the token endpoint would give it."""
    person = factories.UserFactory()
    key, secret = keys.make(partner=partner, label="tests", scopes=scopes, actor=person, at=clock.now())
    token = Token(
        client=key.client, type=Token.Type.ACCESS_TOKEN, expires_at=timezone.now() + timedelta(hours=1), user=None
    )
    value = uuid.uuid4().hex
    token.set_value(value)
    token.set_scopes(list(scopes))
    token.save()
    return Caller(partner, key, secret, value)


@pytest.fixture
def north(asha: Any) -> Caller:
    """The partner that brought Asha."""
    partner = factories.PartnerFactory(code="NORTH", name="North Wealth")
    type(asha).objects.filter(pk=asha.pk).update(partner=partner)
    asha.partner = partner
    return caller_of(partner)


@pytest.fixture
def south(chitra: Any) -> Caller:
    """The partner that brought Chitra."""
    partner = factories.PartnerFactory(code="SOUTH", name="South Advisors")
    type(chitra).objects.filter(pk=chitra.pk).update(partner=partner)
    chitra.partner = partner
    return caller_of(partner)


@pytest.fixture
def basket(db: None) -> Basket:
    """Published, of two shares with prices."""
    version = factories.BasketVersionFactory(basket__slug="three", number=1)
    for weight, price in ((6000, Decimal(400)), (4000, Decimal(100))):
        share = factories.SecurityFactory(last_price=price, priced_at=clock.now())
        factories.BasketConstituentFactory(version=version, security=share, weight_bp=weight)
    baskets.publish(version_id=version.pk, actor=factories.UserFactory(), at=clock.now())
    found: Basket = version.basket
    return found
