"""Shares, baskets, orders in them, and accounts at brokers."""

from __future__ import annotations

from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from brokers.models import Broker, BrokerAccount, BrokerOrderRef, LinkState, OmexEvent, OrderProof, ShareSettlement
from orders.models import (
    Basket,
    BasketConstituent,
    BasketOrder,
    BasketSubscription,
    BasketVersion,
    Security,
    StockChange,
    StockHolding,
    StockOrder,
    WatchedShare,
)
from portal import clock, identifiers
from tests.factories.life import DocumentFactory
from tests.factories.people import ReadyInvestorFactory, UserFactory


class SecurityFactory(DjangoModelFactory):
    """A listed share."""

    class Meta:
        model = Security

    symbol = factory.Sequence(lambda n: f"SHARE{n}")
    isin = factory.Sequence(lambda n: f"INE{n:06d}A19")
    name = factory.LazyAttribute(lambda o: f"{o.symbol.title()} Limited")


class BasketFactory(DjangoModelFactory):
    """A published basket without versions."""

    class Meta:
        model = Basket

    name = factory.Sequence(lambda n: f"Steady Makers {n}")
    slug = factory.Sequence(lambda n: f"steady-makers-{n}")
    rationale = "Companies that make things."
    state = Basket.State.PUBLISHED
    created_by = factory.SubFactory(UserFactory)
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class BasketVersionFactory(DjangoModelFactory):
    """A drafted version."""

    class Meta:
        model = BasketVersion

    basket = factory.SubFactory(BasketFactory)
    number = factory.Sequence(lambda n: n + 1)
    change_note = "First version."
    drafted_by = factory.SubFactory(UserFactory)
    drafted_at = factory.LazyFunction(clock.now)


class BasketConstituentFactory(DjangoModelFactory):
    """Half of a version."""

    class Meta:
        model = BasketConstituent

    version = factory.SubFactory(BasketVersionFactory)
    security = factory.SubFactory(SecurityFactory)
    weight_bp = 5_000


class BasketSubscriptionFactory(DjangoModelFactory):
    """An investor follows a basket."""

    class Meta:
        model = BasketSubscription

    investor = factory.SubFactory(ReadyInvestorFactory)
    version = factory.SubFactory(BasketVersionFactory)
    basket = factory.SelfAttribute("version.basket")
    since = factory.LazyFunction(clock.now)


class BasketOrderFactory(DjangoModelFactory):
    """A journey to smallcase that was begun."""

    class Meta:
        model = BasketOrder

    investor = factory.SubFactory(ReadyInvestorFactory)
    client_ref = factory.LazyFunction(identifiers.new_client_ref)
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    broker = Broker.SMALLCASE
    intent = BasketOrder.Intent.SINGLE
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class StockOrderFactory(DjangoModelFactory):
    """Ten shares that wait to be bought."""

    class Meta:
        model = StockOrder

    basket_order = factory.SubFactory(BasketOrderFactory)
    investor = factory.SelfAttribute("basket_order.investor")
    client_ref = factory.LazyFunction(identifiers.new_client_ref)
    security = factory.SubFactory(SecurityFactory)
    side = StockOrder.Side.BUY
    quantity = 10
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class StockChangeFactory(DjangoModelFactory):
    """The cancellation, on its way, of a share order that is open at the exchange."""

    class Meta:
        model = StockChange

    stock_order = factory.SubFactory(StockOrderFactory, state="PLACED", exchange_ref="1100000000000001")
    investor = factory.SelfAttribute("stock_order.investor")
    kind = StockChange.Kind.CANCEL
    form_ref = factory.LazyFunction(identifiers.new_client_ref)
    created_at = factory.LazyFunction(clock.now)
    state_since = factory.SelfAttribute("created_at")


class StockHoldingFactory(DjangoModelFactory):
    """What a broker reported."""

    class Meta:
        model = StockHolding

    investor = factory.SubFactory(ReadyInvestorFactory)
    broker = Broker.FIVEPAISA
    account_ref = "50000001"
    security = factory.SubFactory(SecurityFactory)
    quantity = 10
    reported_at = factory.LazyFunction(clock.now)


class WatchedShareFactory(DjangoModelFactory):
    """The first share of a watchlist."""

    class Meta:
        model = WatchedShare

    investor = factory.SubFactory(ReadyInvestorFactory)
    security = factory.SubFactory(SecurityFactory)
    position = 1
    added_at = factory.LazyFunction(clock.now)


class BrokerAccountFactory(DjangoModelFactory):
    """A linked 5paisa account with a session for the day."""

    class Meta:
        model = BrokerAccount

    investor = factory.SubFactory(ReadyInvestorFactory)
    broker = Broker.FIVEPAISA
    account_ref = factory.Sequence(lambda n: f"{50_000_100 + n}")
    session = "a-session-that-nobody-may-see"
    linked_at = factory.LazyFunction(clock.now)
    session_expires_at = factory.LazyAttribute(lambda o: o.linked_at + timedelta(hours=8))


class LinkStateFactory(DjangoModelFactory):
    """A journey to a broker that is not back yet."""

    class Meta:
        model = LinkState

    investor = factory.SubFactory(ReadyInvestorFactory)
    state_hash = factory.Sequence(lambda n: f"{n:064x}")
    broker = Broker.FIVEPAISA
    created_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(minutes=15))


class BrokerOrderRefFactory(DjangoModelFactory):
    """A reference that ODIN knows a basket order by."""

    class Meta:
        model = BrokerOrderRef

    basket_order = factory.SubFactory(BasketOrderFactory, broker=Broker.ODIN)
    investor = factory.SelfAttribute("basket_order.investor")
    broker = Broker.ODIN
    ref = factory.Sequence(lambda n: f"A{n:05d}")
    allocated_at = factory.LazyFunction(clock.now)


class OmexEventFactory(DjangoModelFactory):
    """A message of ODIN's about an order of a basket."""

    class Meta:
        model = OmexEvent

    investor = factory.SubFactory(ReadyInvestorFactory)
    basket_order = factory.SubFactory(
        BasketOrderFactory, broker=Broker.ODIN, investor=factory.SelfAttribute("..investor")
    )
    kind = OmexEvent.Kind.ORDER
    sequence = factory.Sequence(lambda n: n + 1)
    order_key = "OD0000000001"
    token = "1660"
    status = 5
    fetched_at = factory.LazyFunction(clock.now)


class OrderProofFactory(DjangoModelFactory):
    """The broker's paper about an order, sent by its investor."""

    class Meta:
        model = OrderProof

    investor = factory.SubFactory(ReadyInvestorFactory)
    basket_order = factory.SubFactory(
        BasketOrderFactory, broker=Broker.ODIN, investor=factory.SelfAttribute("..investor")
    )
    document = factory.SubFactory(DocumentFactory, investor=factory.SelfAttribute("..investor"), kind="BROKER_PROOF")
    sent_at = factory.LazyFunction(clock.now)


class ShareSettlementFactory(DjangoModelFactory):
    """Somebody saw that the broker never had a share order; nobody has approved it yet."""

    class Meta:
        model = ShareSettlement

    investor = factory.SubFactory(ReadyInvestorFactory)
    stock_order = factory.SubFactory(
        StockOrderFactory,
        basket_order=factory.SubFactory(
            BasketOrderFactory, broker=Broker.FIVEPAISA, investor=factory.SelfAttribute("...investor")
        ),
    )
    evidence = "The broker's order book of that day"
    asked_by = factory.SubFactory(UserFactory)
    asked_at = factory.LazyFunction(clock.now)
