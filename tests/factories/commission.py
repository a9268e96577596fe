"""Rates, months and transfers of long ago: what tests of commission begin with."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from investors.models import Transfer
from orders.models import CommissionMonth, CommissionRate
from portal.clock import IST
from tests.factories.life import TransferFactory
from tests.factories.money import FolioFactory
from tests.factories.people import UserFactory
from tests.factories.schemes import FundHouseFactory, SchemeFactory


class CommissionRateFactory(DjangoModelFactory):
    """One per cent a year of everything of a fund house, since the beginning of 2026."""

    class Meta:
        model = CommissionRate

    fund_house = factory.LazyAttribute(lambda o: o.scheme.fund_house if o.scheme else FundHouseFactory())
    scheme = None
    valid_from = date(2026, 1, 1)
    percent = Decimal("1")
    source = "Rate card of January 2026"


class CommissionMonthFactory(DjangoModelFactory):
    """A whole October."""

    class Meta:
        model = CommissionMonth

    month = date(2026, 10, 1)
    scheme = factory.SubFactory(SchemeFactory)
    folio = factory.LazyAttribute(lambda o: FolioFactory(fund_house=o.scheme.fund_house))
    partner = factory.SelfAttribute("folio.investor.partner")
    days = 31
    average_value = Decimal("100000.00")
    expected = Decimal("84.93")
    computed_at = factory.LazyAttribute(lambda o: datetime.combine(o.month + timedelta(days=40), time(6), IST))


class PastTransferFactory(TransferFactory):
    """A transfer that is done: `PastTransferFactory(investor=investor, from_partner=partner, done_at=moment)`."""

    class Params:
        done_at = datetime(2026, 11, 1, 12, tzinfo=IST)

    state = Transfer.State.DONE
    asked_at = factory.LazyAttribute(lambda o: o.done_at - timedelta(days=20))
    state_since = factory.SelfAttribute("done_at")
    decided_by = factory.SubFactory(UserFactory)
    due_at = None
