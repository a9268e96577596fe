"""Commission: rates, shares, months, statements, payouts, and transfers of long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from investors.models import Transfer
from orders.models import (
    CommissionLine,
    CommissionMonth,
    CommissionRate,
    CommissionShare,
    CommissionStatement,
    Payout,
    PayoutLine,
)
from portal import clock, money
from portal.clock import IST
from portal.models import Partner
from tests.factories.life import TransferFactory
from tests.factories.money import FolioFactory
from tests.factories.people import PartnerFactory, UserFactory
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


class CommissionShareFactory(DjangoModelFactory):
    """Seventy per cent of what comes."""

    class Meta:
        model = CommissionShare

    partner = factory.SubFactory(PartnerFactory)
    valid_from = date(2020, 1, 1)
    percent = Decimal("70.00")
    source = "Agreement of 1 January 2020"


class CommissionStatementFactory(DjangoModelFactory):
    """A registrar's file."""

    class Meta:
        model = CommissionStatement

    name = factory.Sequence(lambda n: f"brokerage-{n}.csv")
    fingerprint = factory.Sequence(lambda n: f"{n:064x}")
    entered_at = factory.LazyFunction(clock.now)
    entered_by = factory.SubFactory(UserFactory)


class CommissionLineFactory(DjangoModelFactory):
    """Trail for October 2026 that counts, for the partner who brought the investor."""

    class Meta:
        model = CommissionLine

    statement = factory.SubFactory(CommissionStatementFactory)
    number = factory.Sequence(lambda n: n + 1)
    text = factory.LazyAttribute(lambda o: f"{o.folio_number},{o.scheme_code},{o.amount}")
    month = date(2026, 10, 1)
    amount = Decimal("100.00")
    scheme = factory.SubFactory(SchemeFactory)
    fund_house = factory.SelfAttribute("scheme.fund_house")
    folio = factory.LazyAttribute(lambda o: FolioFactory(fund_house=o.scheme.fund_house))
    folio_number = factory.SelfAttribute("folio.number")
    scheme_code = factory.SelfAttribute("scheme.isin")
    partner = factory.SelfAttribute("folio.investor.partner")


def payout_of(
    partner: Partner, lines: Sequence[CommissionLine], *, percent: Decimal = Decimal("70.00"), state: str = "PAID"
) -> Payout:
    """A payout of these lines, taken by two people as far as `state`."""
    parts = [money.to_paise(Decimal(line.amount or 0) * percent / 100) for line in lines]
    payout = Payout.objects.create(
        partner=partner, month=max(line.month for line in lines if line.month), asked_by=UserFactory(),
        asked_at=clock.now(), received=sum((line.amount or Decimal(0) for line in lines), Decimal(0)),
        payable=sum(parts, Decimal(0)),
    )  # fmt: skip
    for line, part in zip(lines, parts, strict=True):
        PayoutLine.objects.create(payout=payout, line=line, percent=percent, payable=part)
    if state != Payout.State.ASKED:
        payout.decided_by, payout.decided_at = UserFactory(), clock.now()
        payout.state = Payout.State.APPROVED if state == Payout.State.PAID else Payout.State(state)
        payout.save()
    if state == Payout.State.PAID:
        payout.state, payout.tds, payout.paid_on = Payout.State.PAID, Decimal("5.00"), clock.today()
        payout.utr, payout.paid_by = f"UTR{payout.pk:09d}", UserFactory()
        payout.save()
    return payout
