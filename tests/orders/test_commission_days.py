"""A month of trail, day by day, and who served an investor on a day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from orders import commission_rules
from orders.queries import commission, commission_people
from portal.clock import IST
from portal.scope import scope
from tests import factories

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
BARE = {"nav": None, "nav_on": None, "previous_nav": None, "previous_nav_on": None}


def on(day: int, month: int = 10) -> date:
    return date(2026, month, day)


def moved(folio, scheme, day, units, kind="PURCHASE"):
    values = {"units": Decimal(units), "amount": Decimal(units) * 10, "kind": kind, "traded_on": day}
    return factories.TransactionFactory(investor=folio.investor, folio=folio, scheme=scheme, **values)


@pytest.fixture
def scheme(db):
    """₹36.50 from 30 September on, ₹73 from 15 October on."""
    made = factories.SchemeFactory(**BARE)
    factories.NavFactory(scheme=made, on=on(30, 9), nav=Decimal("36.5"))
    factories.NavFactory(scheme=made, on=on(15), nav=Decimal("73"))
    return made


@pytest.fixture
def folio(scheme):
    partner = factories.PartnerFactory()
    investor = factories.ReadyInvestorFactory(partner=partner)
    return factories.FolioFactory(investor=investor, fund_house=scheme.fund_house)


def month_of(folio, scheme, **more):
    return factories.CommissionMonthFactory(folio=folio, scheme=scheme, **more)


def test_each_day_is_its_units_at_its_nav_and_its_rate(folio, scheme):
    factories.CommissionRateFactory(fund_house=scheme.fund_house)
    factories.CommissionRateFactory(
        fund_house=scheme.fund_house, valid_from=on(20), percent=Decimal("0.5"), source="Letter of 12 October 2026"
    )
    moved(folio, scheme, on(1, 9), "1000")
    moved(folio, scheme, on(29), "-1000", "REDEMPTION")
    days = commission.explained(month_of(folio, scheme, days=28))
    assert [day.on for day in days] == [on(day) for day in range(1, 29)], "the day of the sale ends without units"
    assert [(day.nav, day.nav_on, day.percent, day.amount) for day in (days[0], days[13], days[14], days[19])] == [
        (Decimal("36.5"), on(30, 9), 1, 1),
        (Decimal("36.5"), on(30, 9), 1, 1),
        (Decimal("73"), on(15), 1, 2),
        (Decimal("73"), on(15), Decimal("0.5"), 1),
    ]
    assert days[19].source == "Letter of 12 October 2026"
    # 14 days of ₹1, five of ₹2, nine of ₹1
    assert commission_rules.together(day.amount for day in days) == Decimal("33.00")


def test_a_purchase_in_mid_month_counts_from_its_day_on(folio, scheme):
    factories.CommissionRateFactory(fund_house=scheme.fund_house)
    moved(folio, scheme, on(31), "500")
    assert [(day.on, day.units, day.amount) for day in commission.explained(month_of(folio, scheme, days=1))] == [
        (on(31), 500, 1)
    ]


def test_a_day_without_a_nav_or_a_rate_has_no_amount(folio):
    scheme = factories.SchemeFactory(fund_house=folio.fund_house, **BARE)
    factories.NavFactory(scheme=scheme, on=on(2), nav=Decimal("36.5"))
    factories.CommissionRateFactory(fund_house=scheme.fund_house, valid_from=on(3))
    moved(folio, scheme, on(1), "1000")
    first, second, third = commission.explained(month_of(folio, scheme))[:3]
    assert (first.nav, first.nav_on, first.percent, first.amount) == (None, None, None, None)
    assert (second.nav, second.percent, second.amount) == (Decimal("36.5"), None, None)
    assert (third.percent, third.amount) == (1, 1)


def test_the_newest_navs_of_a_scheme_without_an_amfi_code_are_its_own(folio):
    scheme = factories.SchemeFactory(
        amfi_code=None, nav=Decimal("73"), nav_on=on(20), previous_nav=Decimal("36.5"), previous_nav_on=on(19)
    )
    moved(folio, scheme, on(1), "1000")
    days = commission.explained(month_of(folio, scheme))
    assert [day.nav for day in days[17:20]] == [None, Decimal("36.5"), Decimal("73")]


def test_a_month_that_goes_on_ends_with_the_day_it_was_computed(folio, scheme):
    moved(folio, scheme, on(1), "1000")
    at = datetime(2026, 10, 4, 0, 30, tzinfo=IST)
    assert len(commission.explained(month_of(folio, scheme, days=4, computed_at=at))) == 4


def test_a_partner_sees_the_days_of_its_own_investors_only(folio, scheme):
    factories.CommissionRateFactory(fund_house=scheme.fund_house)
    moved(folio, scheme, on(1), "1000")
    month = month_of(folio, scheme)
    everything = commission.explained(month)
    with scope(f"partner:{folio.investor.partner_id}"):
        assert commission.explained(month) == everything
    with scope(f"partner:{factories.PartnerFactory().pk}"):
        assert commission.explained(month) == []


def test_explaining_a_month_costs_the_same_however_much_was_moved(folio, scheme, django_assert_max_num_queries):
    for day in range(1, 20):
        moved(folio, scheme, on(day), "10")
    month = month_of(folio, scheme)
    with django_assert_max_num_queries(4):
        commission.explained(month)


# --- Whose it is ------------------------------------------------------------------------------------------------


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def test_an_investor_belongs_to_whom_they_have_where_nothing_was_transferred():
    partner = factories.PartnerFactory()
    mine, own = factories.InvestorFactory(partner=partner), factories.InvestorFactory()
    assert commission_people.who_served(investor_id=mine.pk, on=on(31)) == partner.pk
    assert commission_people.who_served(investor_id=own.pk, on=on(31)) is None


def test_before_a_transfer_they_belonged_to_whom_they_left():
    first, second, third = (factories.PartnerFactory() for _ in range(3))
    investor = factories.InvestorFactory(partner=third)
    for left, done_at in ((None, "2026-03-10T10:00"), (first, "2026-06-30T23:59"), (second, "2026-11-01T00:00")):
        to = {None: first, first: second, second: third}[left]
        factories.PastTransferFactory(investor=investor, from_partner=left, to_partner=to, done_at=moment(done_at))
    served = {day: commission_people.who_served(investor_id=investor.pk, on=day) for day in (
        on(9, 3), on(10, 3), on(29, 6), on(30, 6), on(31), on(1, 11)
    )}  # fmt: skip
    assert list(served.values()) == [None, first.pk, first.pk, second.pk, second.pk, third.pk]


def test_a_transfer_that_was_not_done_changes_nothing():
    partner = factories.PartnerFactory()
    investor = factories.InvestorFactory(partner=partner)
    factories.TransferFactory(investor=investor, asked_at=moment("2026-11-02T10:00"))
    assert commission_people.who_served(investor_id=investor.pk, on=on(31)) == partner.pk
