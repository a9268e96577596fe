"""Fund houses, schemes and NAVs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory
from stdnum import isin

from orders.models import FundHouse, Nav, Scheme
from portal import clock


class FundHouseFactory(DjangoModelFactory):
    """An AMC."""

    class Meta:
        model = FundHouse

    name = factory.Sequence(lambda n: f"House {n} Mutual Fund")
    provider_ref = factory.Sequence(lambda n: f"{n + 1}")


def _isin(number: int) -> str:
    body = f"INF{number:06d}A0"
    return body + isin.calc_check_digit(body)


class SchemeFactory(DjangoModelFactory):
    """An open-ended flexi cap fund, regular growth, that may be bought from ₹500 in steps of ₹1."""

    class Meta:
        model = Scheme

    isin = factory.Sequence(_isin)
    amfi_code = factory.Sequence(lambda n: 900_000 + n)
    name = factory.Sequence(lambda n: f"House Flexi Cap Fund {n} - Regular Plan - Growth")
    fund_house = factory.SubFactory(FundHouseFactory)
    asset_class = Scheme.AssetClass.EQUITY
    category = "Flexi Cap Fund"
    purchase_allowed = True
    redemption_allowed = True
    min_first = Decimal("500")
    step_first = Decimal("1")
    min_more = Decimal("100")
    step_more = Decimal("1")
    nav = Decimal("50.0000")
    nav_on = factory.LazyFunction(lambda: clock.today() - timedelta(days=1))
    previous_nav = Decimal("49.0000")
    previous_nav_on = factory.LazyFunction(lambda: clock.today() - timedelta(days=2))


class NavFactory(DjangoModelFactory):
    """A NAV of a scheme: `NavFactory(scheme=scheme, on=date, nav="12.3456")`."""

    class Meta:
        model = Nav

    class Params:
        scheme = None

    amfi_code = factory.LazyAttribute(lambda o: o.scheme.amfi_code if o.scheme else 900_000)
    on = date(2026, 11, 19)
    nav = Decimal("50.0000")

    @classmethod
    def _create(cls, model_class: type[Nav], *args: Any, **kwargs: Any) -> Nav:
        return model_class.objects.create(**kwargs)
