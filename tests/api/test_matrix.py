"""No partner sees, guesses or touches what is another's, over every route and method; and no write takes what it
should not. The table is the registry itself, so a new endpoint cannot be forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orders.models import Approval
from portal import (
    scope,
    urls,  # noqa: F401 - reading the addresses declares the endpoints
)
from portal.api import door
from portal.api.endpoints import REGISTRY, Endpoint
from portal.api.scopes import SCOPES
from portal.management.commands.show_routes import routes
from portal.models import IdempotentCall
from tests import factories
from tests.api.conftest import caller_of
from tests.undoing import undone

pytestmark = pytest.mark.django_db
# What any partner may read, because it is nobody's.
SHARED = {"schemes", "baskets", "catalogue", "me"}
OWNED = [each for each in REGISTRY.values() if each.app not in SHARED]
# Names of members that something inside of us has, none of which a partner may set.
PROTECTED = """
    id pk code state state_since status is_active is_staff is_superuser partner partner_id investor_id user user_id
    created_at updated_at placed_at given_at confirmed_at approved_at approved_by decided_by decided_at settled_at
    debited_at allotted_units allotted_nav allotted_amount provider_ref client_ref form_ref gateway consent consent_id
    otp otp_hash cart cart_line order order_id payment payment_method bank_account attempt attempt_no lease_until due_at
    secret secret_hash used_at revoked_at expires_at times_told seen_at withdrawn_at declined_at actor by at scope
    scopes __proto__ password
""".split()


@pytest.fixture
def hers(asha: Any) -> dict[str, str]:
    """One of everything of Asha's that has an id in the API, with words that nobody else has."""
    type(asha).objects.filter(pk=asha.pk).update(name="Asha Quillfeather")
    order = factories.OrderFactory(investor=asha)
    folio = factories.HoldingFactory(investor=asha).folio
    earned = {"folio": folio, "scheme": factories.SchemeFactory(fund_house=folio.fund_house)}
    factories.CommissionMonthFactory(**earned)
    return {
        "investors": asha.code,
        "invites": factories.InviteFactory(partner=asha.partner, name="Asha Quillfeather").code,
        "bank-accounts": asha.bankaccounts.get().code,
        "mandates": factories.MandateFactory(bank_account=asha.bankaccounts.get()).code,
        "files": factories.DocumentFactory(investor=asha).code,
        "orders": order.code,
        "sips": factories.PlanFactory(investor=asha).code,
        "payments": factories.PaymentFactory(order=order).code,
        "approvals": factories.ApprovalLineFactory(investor=asha).approval.code,
        "basket-orders": factories.BasketOrderFactory(investor=asha).code,
        "webhook-endpoints": factories.EndpointFactory(partner=asha.partner).code,
        "payouts": factories.payout_of(asha.partner, [factories.CommissionLineFactory(**earned)]).code,
        "folio": asha.folios.first().number,
        "name": "Quillfeather",
    }


def address(endpoint: Endpoint, ids: dict[str, str]) -> str:
    return endpoint.path.replace("<id>", ids.get(endpoint.app, "none"))


def call(caller: Any, endpoint: Endpoint, ids: dict[str, str]) -> Any:
    if endpoint.method == "GET":
        return caller.get(address(endpoint, ids))
    return caller.post(address(endpoint, ids), dict(endpoint.example) or None)


def leaks(answer: Any, ids: dict[str, str]) -> list[str]:
    body = answer.content.decode()
    return [word for word in ids.values() if word in body]


def unasked(ids: dict[str, str], endpoint: Endpoint) -> dict[str, str]:
    """Hers without what the caller has written into the address."""
    return {name: word for name, word in ids.items() if word not in address(endpoint, ids)}


def test_every_route_below_the_api_is_declared_or_shows_nothing():
    found = {route.path for route in routes() if route.path.startswith("/api/v1/")}
    declared = {"/api/v1/" + each.path.replace("<id>", "<slug:id>") for each in REGISTRY.values()}
    assert {"/api/v1/token", "/api/v1/docs/", "/api/v1/openapi.json"} <= found - declared
    others = {route.rule for route in routes() if route.path in declared}
    assert others == {door.PARTNER_API}


def test_nobody_and_another_partner_get_nothing(north, south, hers):
    for endpoint in OWNED:
        with undone(endpoint.name):
            plain = Client().get(f"/api/v1/{address(endpoint, hers)}")
            assert plain.status_code in (401, 405)
            answer = call(south, endpoint, hers)
            assert not leaks(answer, unasked(hers, endpoint))
            if "<id>" in endpoint.path:
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            elif endpoint.is_list:
                assert answer.status_code == 200
                assert all(hers["investors"] != row.get("investor", row.get("id")) for row in answer.json()["data"])


def test_the_querysets_alone_hold_without_the_wall_below_them(north, south, hers, monkeypatch):
    monkeypatch.setattr(door, "set_scope", lambda name: scope.set_scope(scope.ALL))
    for endpoint in OWNED:
        if endpoint.method == "GET":
            with undone(endpoint.name):
                assert not leaks(call(south, endpoint, hers), unasked(hers, endpoint))


def test_her_own_partner_finds_it(north, hers):
    for endpoint in OWNED:
        if "<id>" in endpoint.path and endpoint.method == "GET":
            with undone(endpoint.name):
                assert call(north, endpoint, hers).status_code == 200


def test_a_key_without_the_scope_is_refused_everywhere(north, hers):
    for endpoint in REGISTRY.values():
        with undone(endpoint.name):
            bare = caller_of(north.partner, [name for name in SCOPES if name != endpoint.scope][:3])
            assert call(bare, endpoint, hers).status_code == (403 if endpoint.scope else 200)


def test_no_other_method_does_anything(north, hers):
    for endpoint in REGISTRY.values():
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            with undone(f"{method} {endpoint.name}"):
                answer = Client().generic(
                    method, f"/api/v1/{address(endpoint, hers)}", headers={"Authorization": f"Bearer {north.token}"}
                )
                assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_no_write_takes_a_name_that_is_not_its_own(north, hers):
    assert len(PROTECTED) >= 60
    for endpoint in (each for each in REGISTRY.values() if each.method == "POST"):
        with undone(endpoint.name):
            taken = set(endpoint.body().fields) if endpoint.body else set()
            before = (Approval.objects.count(), IdempotentCall.objects.filter(status__lt=300).count())
            for name in set(PROTECTED) - taken:
                answer = north.post(address(endpoint, hers), {**endpoint.example, name: "1"})
                assert answer.status_code == 422, (name, answer.content)
            assert (Approval.objects.count(), IdempotentCall.objects.filter(status__lt=300).count()) == before


def test_no_line_of_an_approval_takes_one_either(north, asha):
    scheme = factories.SchemeFactory(purchase_allowed=True)
    good = {"kind": "PURCHASE", "scheme": scheme.isin, "amount": "5000.00"}
    for name in set(PROTECTED):
        body = {"investor": asha.code, "reason": "why", "lines": [{**good, name: "1"}]}
        assert list(north.post("approvals", body).json()["fields"]) == [f"lines.0.{name}"]
    assert not Approval.objects.exists()
