"""Carts, SIPs, and what partners ask for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from investors.models import Investor
from orders import plan_rules
from orders.models import Approval, ApprovalLine, Cart, CartLine, Instalment, Plan, PlanChange
from portal import clock, identifiers
from portal.models import Partner
from tests.factories.life import MandateFactory
from tests.factories.money import ConsentFactory
from tests.factories.people import PartnerFactory, ReadyInvestorFactory
from tests.factories.schemes import SchemeFactory


class CartFactory(DjangoModelFactory):
    """An open cart without lines."""

    class Meta:
        model = Cart

    investor = factory.SubFactory(ReadyInvestorFactory)
    created_at = factory.LazyFunction(clock.now)


class CartLineFactory(DjangoModelFactory):
    """A scheme in a cart."""

    class Meta:
        model = CartLine

    cart = factory.SubFactory(CartFactory)
    investor = factory.SelfAttribute("cart.investor")
    scheme = factory.SubFactory(SchemeFactory)
    amount = Decimal("5000.00")
    added_at = factory.LazyFunction(clock.now)


class PlanFactory(DjangoModelFactory):
    """An active SIP of 5,000 rupees on the 5th, by a mandate on the investor's own bank account."""

    class Meta:
        model = Plan

    investor = factory.SubFactory(ReadyInvestorFactory)
    scheme = factory.SubFactory(SchemeFactory)
    amount = Decimal("5000.00")
    consent = factory.LazyAttribute(
        lambda o: ConsentFactory(investor=o.investor, purpose="SIP", amount=o.amount, isin=o.scheme.isin)
    )
    mandate = factory.LazyAttribute(lambda o: MandateFactory(bank_account=o.investor.bankaccounts.get()))
    investment_account = factory.LazyAttribute(lambda o: o.investor.investmentaccounts.get())
    client_ref = factory.LazyFunction(identifiers.new_client_ref)
    provider_ref = factory.LazyAttributeSequence(lambda o, n: None if o.state == "CREATED" else f"{8_000_000 + n}")
    state = Plan.State.ACTIVE
    start_day = 5
    instalments = 12
    first_on = factory.LazyAttribute(lambda o: plan_rules.after(clock.today(), o.start_day))
    last_on = factory.LazyAttribute(lambda o: plan_rules.last(o.first_on, o.instalments, o.start_day))
    placed_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("placed_at")


class InstalmentFactory(DjangoModelFactory):
    """The first instalment of a SIP, expected and not announced yet."""

    class Meta:
        model = Instalment

    plan = factory.SubFactory(PlanFactory)
    investor = factory.SelfAttribute("plan.investor")
    on = factory.SelfAttribute("plan.first_on")
    amount = factory.SelfAttribute("plan.amount")
    expected_at = factory.LazyFunction(clock.now)


class PlanChangeFactory(DjangoModelFactory):
    """The wish to skip a SIP's first instalment."""

    class Meta:
        model = PlanChange

    plan = factory.SubFactory(PlanFactory)
    investor = factory.SelfAttribute("plan.investor")
    kind = PlanChange.Kind.SKIP
    on = factory.SelfAttribute("plan.first_on")
    asked_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("asked_at")


def _brought(investor: Investor) -> Partner:
    """A firm that looks after the investor: the database lets no other one ask."""
    investor.partner = PartnerFactory()
    Investor.objects.filter(pk=investor.pk).update(partner=investor.partner)
    return investor.partner


class ApprovalFactory(DjangoModelFactory):
    """What a partner asks, by default the partner that brought the investor."""

    class Meta:
        model = Approval

    investor = factory.SubFactory(ReadyInvestorFactory)
    partner = factory.LazyAttribute(lambda o: o.investor.partner or _brought(o.investor))
    asked_by = factory.SelfAttribute("partner.name")
    reason = "A goal of yours"
    created_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(hours=72))
    due_at = factory.SelfAttribute("expires_at")


class ApprovalLineFactory(DjangoModelFactory):
    """A purchase that is asked for."""

    class Meta:
        model = ApprovalLine

    investor = factory.SubFactory(ReadyInvestorFactory)
    approval = factory.LazyAttribute(lambda o: ApprovalFactory(investor=o.investor))
    number = 0
    kind = "PURCHASE"
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    scheme = factory.SubFactory(SchemeFactory)
    amount = Decimal("5000.00")
