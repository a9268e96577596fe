"""Staff of every role, and a small world for them to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client

from portal import audit, cases, clock, inbox, roles
from portal.models import GatewayCall, InboundEvent, User
from tests import factories
from tests.orders.conftest import (  # noqa: F401 - fixtures: an investor's yes to a real scheme, a folio with a partner
    commission_book,
    given,
    place,
    scheme,
)

PAN = "ASHPR3751C"
ACCOUNT_NUMBER = "50100123456789"


@pytest.fixture
def staff(db: None) -> Callable[[str], User]:
    """`staff(roles.MAKER)`: somebody with that role."""

    def hire(role: str) -> User:
        user = factories.UserFactory()
        roles.grant(user, role)
        return User.objects.get(pk=user.pk)

    return hire


@pytest.fixture
def as_role(staff: Callable[[str], User]) -> Callable[[str], Client]:
    """`as_role(roles.MAKER)`: a browser in which such a person is signed in; `client.user` is the person."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.user = staff(role)  # type: ignore[attr-defined]
        client.force_login(client.user)  # type: ignore[attr-defined]
        return client

    return sign_in


@pytest.fixture
def desk(db: None) -> SimpleNamespace:
    """An investor with PAN and account number, an order with payment, call, case, and an inbound event."""
    at = clock.now()
    investor = factories.ReadyInvestorFactory(name="Asha Rao", given_pan=PAN)
    account = investor.bankaccounts.get()
    account.set_number(ACCOUNT_NUMBER)
    account.save()
    order = factories.OrderFactory(
        investor=investor, state="AWAITING_PAYMENT", placed_at=at - timedelta(minutes=2), bank_account=account
    )
    payment = factories.PaymentFactory(order=order, token_url="https://bank.example/pay/secret-token")
    audit.record(order, "order.created", actor=investor.user, at=at, amount=order.amount)
    GatewayCall.objects.create(
        provider="fp",
        method="POST",
        path="/api/oms/orders",
        our_ref=order.client_ref,
        subject_kind="orders.mforder",
        subject_id=str(order.pk),
        outcome="OK",
        status=200,
        request_body={"pan": "XXXXXX751C"},
        response_body={"note": f"odd provider echoes {PAN}"},
        started_at=at,
        took_ms=123,
    )
    case = cases.open_case(kind="order_outcome_unknown", subject=order, title="Nobody knows", detail="Look.", at=at)
    event_id, _ = inbox.store(provider="fp", kind="payment_return", body={"status": "success"}, at=at)
    holding = factories.HoldingFactory(investor=investor)
    kyc = factories.KycCheckFactory(investor=investor)
    return SimpleNamespace(
        investor=investor,
        account=account,
        order=order,
        payment=payment,
        case=case,
        event=InboundEvent.objects.get(pk=event_id),
        holding=holding,
        kyc=kyc,
        consent=order.consent,
    )
