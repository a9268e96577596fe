"""People of partners, and endpoints of webhooks."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from portal import clock
from portal.models import PartnerEvent, PartnerMember, WebhookDelivery, WebhookEndpoint
from portal.webhooks import signing
from tests.factories.people import PartnerFactory, UserFactory


class MemberFactory(DjangoModelFactory):
    """Somebody who works at a partner."""

    class Meta:
        model = PartnerMember

    partner = factory.SubFactory(PartnerFactory)
    user = factory.SubFactory(UserFactory)
    began_at = factory.LazyFunction(clock.now)


class EndpointFactory(DjangoModelFactory):
    """An endpoint that hears of everything."""

    class Meta:
        model = WebhookEndpoint

    partner = factory.SubFactory(PartnerFactory)
    url = factory.Sequence(lambda n: f"http://127.0.0.1:9/hooks/{n}")
    secret = factory.LazyFunction(signing.new_secret)
    state_since = factory.LazyFunction(clock.now)
    created_at = factory.LazyFunction(clock.now)


class PartnerEventFactory(DjangoModelFactory):
    """An event that happened to nobody in particular."""

    class Meta:
        model = PartnerEvent

    partner = factory.SubFactory(PartnerFactory)
    code = factory.Sequence(lambda n: f"evt_{n:032x}")
    type = "order.placed"
    kind = "order"
    at = factory.LazyFunction(clock.now)
    data = factory.LazyFunction(dict)


class WebhookDeliveryFactory(DjangoModelFactory):
    """A delivery that waits."""

    class Meta:
        model = WebhookDelivery

    endpoint = factory.SubFactory(EndpointFactory)
    partner = factory.SelfAttribute("endpoint.partner")
    event = factory.SubFactory(PartnerEventFactory, partner=factory.SelfAttribute("..partner"))
    due_at = factory.LazyFunction(clock.now)
