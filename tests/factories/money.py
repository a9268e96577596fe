"""Consents, orders, payments, and the ledger."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from investors.models import Consent
from orders.models import Folio, Holding, MfOrder, Transaction
from payments.models import Payment, PaymentLine
from portal import clock, identifiers
from tests.factories.people import ReadyInvestorFactory
from tests.factories.schemes import SchemeFactory


class ConsentFactory(DjangoModelFactory):
    """A given consent to buy. The one-time code was `123456`."""

    class Meta:
        model = Consent

    investor = factory.SubFactory(ReadyInvestorFactory)
    purpose = Consent.Purpose.PURCHASE
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    amount = Decimal("5000.00")
    isin = ""
    shown = factory.LazyAttribute(lambda o: {"Amount": str(o.amount), "Fund": o.isin})
    digest = factory.LazyAttribute(lambda o: hashlib.sha256(str(o.shown).encode()).hexdigest())
    contact = factory.SelfAttribute("investor.user.email")
    otp_hash = ""
    asked_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda o: o.asked_at + timedelta(minutes=10))
    given_at = factory.SelfAttribute("asked_at")


# What an order in a state cannot be without.
_KNOWN_AT_FP = {"AWAITING_PAYMENT", "PAID", "PLACED", "ALLOTTED", "EXPIRED", "REVERSED"}


class FolioFactory(DjangoModelFactory):
    """A folio at a fund house."""

    class Meta:
        model = Folio

    investor = factory.SubFactory(ReadyInvestorFactory)
    number = factory.Sequence(lambda n: f"{10_000_000 + n}/01")
    fund_house = factory.LazyAttribute(lambda o: SchemeFactory().fund_house)


class OrderFactory(DjangoModelFactory):
    """A purchase with its given consent. `state="ALLOTTED"` brings folio, units and NAV with it."""

    class Meta:
        model = MfOrder

    investor = factory.SubFactory(ReadyInvestorFactory)
    scheme = factory.SubFactory(SchemeFactory)
    amount = Decimal("5000.00")
    state = MfOrder.State.CREATED
    placed_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("placed_at")
    payment_method = MfOrder.PaymentMethod.NETBANKING
    predicted_nav_on = factory.LazyAttribute(lambda o: o.placed_at.date())
    prediction = "Paid before 15:00 on a business day: the NAV of that day."
    investment_account = factory.LazyAttribute(lambda o: o.investor.investmentaccounts.get())
    bank_account = factory.LazyAttribute(lambda o: o.investor.bankaccounts.get(is_primary=True))
    consent = factory.LazyAttribute(
        lambda o: ConsentFactory(investor=o.investor, amount=o.amount, isin=o.scheme.isin, asked_at=o.placed_at)
    )
    provider_ref = factory.Sequence(lambda n: f"{400_000 + n}")

    @classmethod
    def _create(cls, model_class: type[MfOrder], *args: Any, **kwargs: Any) -> MfOrder:
        if kwargs["state"] not in _KNOWN_AT_FP:
            kwargs["provider_ref"] = None
        if kwargs["state"] in {"ALLOTTED", "REVERSED"}:
            kwargs = {**_allotment(kwargs), **kwargs}
        return super()._create(model_class, *args, **kwargs)


def _allotment(order: dict[str, Any]) -> dict[str, Any]:
    nav = order["scheme"].nav
    folio = FolioFactory(investor=order["investor"], fund_house=order["scheme"].fund_house)
    return {
        "folio": folio,
        "allotted_nav": nav,
        "allotted_amount": order["amount"],
        "allotted_units": (order["amount"] / nav).quantize(Decimal("0.001")),
        "allotted_on": order["placed_at"].date(),
    }


class PaymentFactory(DjangoModelFactory):
    """A payment for one order, with its line: `PaymentFactory(order=order)`."""

    class Meta:
        model = Payment

    class Params:
        order = factory.SubFactory(OrderFactory, state="AWAITING_PAYMENT")

    investor = factory.SelfAttribute("order.investor")
    amount = factory.SelfAttribute("order.amount")
    method = MfOrder.PaymentMethod.NETBANKING
    state = Payment.State.AWAITING_INVESTOR
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")
    provider_ref = factory.Sequence(lambda n: f"{600_000 + n}")
    paid_order = factory.SelfAttribute("order")

    @classmethod
    def _create(cls, model_class: type[Payment], *args: Any, **kwargs: Any) -> Payment:
        from django.db import transaction

        order = kwargs.pop("paid_order")
        with transaction.atomic():
            payment = super()._create(model_class, *args, **kwargs)
            live = kwargs["state"] not in {"FAILED", "EXPIRED"}
            PaymentLine.objects.create(
                payment=payment, order=order, amount=order.amount, investor=order.investor, is_live=live
            )
        return payment


class TransactionFactory(DjangoModelFactory):
    """Units that came in."""

    class Meta:
        model = Transaction

    investor = factory.SubFactory(ReadyInvestorFactory)
    scheme = factory.SubFactory(SchemeFactory)
    folio = factory.LazyAttribute(lambda o: FolioFactory(investor=o.investor, fund_house=o.scheme.fund_house))
    kind = Transaction.Kind.PURCHASE
    units = Decimal("100.000")
    nav = Decimal("50.0000")
    amount = factory.LazyAttribute(lambda o: (o.units * o.nav).quantize(Decimal("0.01")))
    traded_on = factory.LazyFunction(clock.today)
    recorded_at = factory.LazyFunction(clock.now)


class HoldingFactory(DjangoModelFactory):
    """What a folio holds, together with the one transaction that it follows from."""

    class Meta:
        model = Holding
        skip_postgeneration_save = True

    investor = factory.SubFactory(ReadyInvestorFactory)
    scheme = factory.SubFactory(SchemeFactory)
    folio = factory.LazyAttribute(lambda o: FolioFactory(investor=o.investor, fund_house=o.scheme.fund_house))
    units = Decimal("100.000")
    invested = Decimal("5000.00")
    first_bought_on = factory.LazyFunction(clock.today)
    rebuilt_at = factory.LazyFunction(clock.now)

    @factory.post_generation
    def fact(self: Holding, create: bool, extracted: Any, **_: Any) -> None:  # type: ignore[misc]
        TransactionFactory(
            investor=self.investor,
            scheme=self.scheme,
            folio=self.folio,
            units=self.units,
            amount=self.invested,
            nav=(self.invested / self.units).quantize(Decimal("0.0001")),
            traded_on=self.first_bought_on,
        )
