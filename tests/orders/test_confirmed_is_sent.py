"""P12: what an investor confirmed is what is sent, whatever somebody does to the row in between.

CI tries 40 orders; `WISHES=500` is the promise's size. What is sent is read at the door of the client.
"""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orders import gateway
from orders.models import MfOrder
from tests import factories

pytestmark = pytest.mark.django_db
WISHES = int(os.environ.get("WISHES", "40"))


@pytest.fixture
def sent(monkeypatch) -> list[dict[str, Any]]:
    """Everything that the client is asked to send."""
    calls: list[dict[str, Any]] = []

    class Fp:
        def __getattr__(self, name: str) -> Any:
            def call(account: str, **said: Any) -> list[Any]:
                calls.append({"call": name, "account": account, **said})
                return []

            return call

    monkeypatch.setattr(gateway.fp, "client", Fp)
    return calls


def tampered(chance: Random, order: MfOrder, other: MfOrder) -> dict[str, Any]:
    return chance.choice(
        [
            {"amount": order.cost + chance.randint(1, 9_999)},
            {"amount": None, "units": Decimal("1.000")},
            {"scheme": other.scheme},
            {"investor": other.investor},
            {"client_ref": other.client_ref + "X"},
            {"kind": "REDEMPTION"},
            {"consent": None},
        ]
    )


def test_no_confirmed_order_can_be_exchanged_and_each_goes_out_as_confirmed(sent):
    chance, schemes = Random(12), [factories.SchemeFactory() for _ in range(5)]
    investors = [factories.ReadyInvestorFactory() for _ in range(4)]
    orders = [
        factories.OrderFactory(
            investor=chance.choice(investors), scheme=chance.choice(schemes),
            amount=Decimal(chance.randint(100, 99_999)), attempt_no=1, user_ip="192.0.2.7",
        )
        for _ in range(WISHES)
    ]  # fmt: skip
    strangers = {
        (scheme, investor): [o for o in orders if o.scheme_id != scheme and o.investor_id != investor]
        for scheme, investor in {(o.scheme_id, o.investor_id) for o in orders}
    }
    for order in orders:
        other = chance.choice(strangers[order.scheme_id, order.investor_id])
        with pytest.raises(IntegrityError), transaction.atomic():
            MfOrder.objects.filter(pk=order.pk).update(**tampered(chance, order, other))
        fresh = MfOrder.objects.select_related("scheme", "investment_account", "bank_account", "consent").get(
            pk=order.pk
        )
        with pytest.raises(gateway.errors.Garbled):
            gateway.send(fresh)
        [line] = sent[-1]["orders"]
        assert sent[-1]["account"] == order.investment_account.provider_ref
        assert (line.isin, line.amount, line.source_ref_id) == (
            order.consent.isin,
            order.consent.amount,
            order.client_ref,
        )
    assert len(sent) == WISHES
