"""What commission brings a partner: sums that can be checked by hand, and whose they are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Payout
from orders.queries import earnings
from portal.api import partners
from portal.models import Partner
from portal.scope import scope
from tests import factories

pytestmark = pytest.mark.django_db
OCTOBER, SEPTEMBER = date(2026, 10, 1), date(2026, 9, 1)


@pytest.fixture
def north(asha: Any) -> Partner:
    """The partner that brought Asha."""
    partner: Partner = factories.PartnerFactory()
    type(asha).objects.filter(pk=asha.pk).update(partner=partner)
    asha.partner = partner
    return partner


def line(investor: Any, amount: str, **more: Any) -> Any:
    scheme = more.pop("scheme", None) or factories.SchemeFactory()
    folio = factories.FolioFactory(investor=investor, fund_house=scheme.fund_house)
    return factories.CommissionLineFactory(scheme=scheme, folio=folio, amount=Decimal(amount), **more)


def expected(investor: Any, amount: str, **more: Any) -> Any:
    scheme = more.pop("scheme", None) or factories.SchemeFactory()
    folio = more.pop("folio", None) or factories.FolioFactory(investor=investor, fund_house=scheme.fund_house)
    return factories.CommissionMonthFactory(scheme=scheme, folio=folio, expected=Decimal(amount), **more)


def figures(partner: Partner, month: date = OCTOBER) -> tuple[str, ...]:
    """Expected, received, the firm's part, what of that was paid, and what is to come, as that firm reads them."""
    with scope(partners.scope_of(partner)):
        its = earnings.one_month(partner.pk, month)
    assert its is not None
    return tuple(f"{each:.2f}" for each in (its.expected, its.received, its.payable, its.paid, its.to_come))


def test_a_month_adds_up_from_what_was_expected_to_what_is_to_come(north, asha):
    factories.CommissionShareFactory(partner=north, percent=Decimal("70"))
    expected(asha, "101.92")
    expected(asha, "50.00")
    paid = [line(asha, "100.05"), line(asha, "-0.05", kind="CLAWBACK")]
    line(asha, "33.33", kind="INCENTIVE")
    factories.payout_of(north, paid)
    # 70.04 (70.035) less 0.04 (0.035) are paid; 23.33 (23.331) is not handed on yet.
    assert figures(north) == ("151.92", "133.33", "93.33", "70.00", "23.33")
    its = earnings.one_month(north.pk, OCTOBER)
    assert (its.holdings, its.lines, its.trail, its.unshared) == (2, 3, Decimal("100.05"), 0)


@pytest.mark.parametrize(
    ("amount", "percent", "part"),
    [("0.01", "50", "0.01"), ("-0.01", "50", "-0.01"), ("0.01", "49.99", "0.00"), ("1.15", "70", "0.81")],
)
def test_the_firms_part_of_a_line_is_rounded_half_up_away_from_zero(north, asha, amount, percent, part):
    factories.CommissionShareFactory(partner=north, percent=Decimal(percent))
    line(asha, amount, kind="OTHER")
    assert figures(north)[2] == part


def test_the_share_is_that_of_the_last_day_of_the_month(north, asha):
    factories.CommissionShareFactory(partner=north, percent=Decimal("60"), valid_from=date(2026, 10, 31))
    factories.CommissionShareFactory(partner=north, percent=Decimal("80"), valid_from=date(2026, 11, 1))
    line(asha, "100.00")
    line(asha, "100.00", month=SEPTEMBER)
    assert figures(north)[2] == "60.00"
    # In September nothing was agreed: received, and no part of it.
    assert figures(north, SEPTEMBER) == ("0.00", "100.00", "0.00", "0.00", "0.00")
    assert earnings.one_month(north.pk, SEPTEMBER).unshared == 1


@pytest.mark.parametrize(
    ("state", "payout", "paid"),
    [("ASKED", False, "0.00"), ("APPROVED", True, "0.00"), ("PAID", True, "50.00"), ("WITHDRAWN", False, "0.00")],
)
def test_a_payout_is_the_firms_once_it_is_decided_and_paid_out_once_it_is_paid(north, asha, state, payout, paid):
    factories.CommissionShareFactory(partner=north, percent=Decimal("70"))
    found = factories.payout_of(north, [line(asha, "100.00")], percent=Decimal("50"), state=state)
    # As it was decided; until then as it would be today.
    assert figures(north)[2:4] == ("50.00" if payout else "70.00", paid)
    for whose in (partners.scope_of(north), "all"):
        with scope(whose):
            assert [each.pk for each in earnings.payouts_of(north.pk)] == [found.pk] * payout
            assert earnings.lines_of(north.pk).get().payout_id == (found.pk if payout else None)


def test_a_line_whose_payout_was_withdrawn_is_handed_on_by_the_next_one_once(north, asha):
    first = line(asha, "100.00")
    factories.payout_of(north, [first], state="WITHDRAWN")
    factories.payout_of(north, [first], state=Payout.State.PAID)
    assert figures(north) == ("0.00", "100.00", "70.00", "70.00", "0.00")


def test_what_does_not_count_and_what_is_nobodys_is_in_no_sum(north, asha):
    line(asha, "100.00", why_not="Its statement was withdrawn.")
    line(asha, "100.00", partner=None)
    expected(asha, "12.00", partner=None)
    assert earnings.one_month(north.pk, OCTOBER) is None


def test_another_partner_sees_none_of_it_with_either_wall(north, asha, chitra):
    south = factories.PartnerFactory()
    factories.CommissionShareFactory(partner=north)
    expected(asha, "12.00")
    factories.payout_of(north, [line(asha, "100.00")])
    reads = (earnings.months_of, earnings.holdings_of, earnings.lines_of, earnings.payouts_of)
    for read in reads:
        assert read(north.pk).exists(), read
        # The querysets alone, and the wall alone.
        assert not read(south.pk).exists(), read
        with scope(partners.scope_of(south)):
            assert not read(north.pk).exists(), read
        with scope(f"user:{asha.user_id}"):
            assert not read(north.pk).exists(), read


def test_a_month_opens_by_fund_house_and_kind(north, asha):
    factories.CommissionShareFactory(partner=north, percent=Decimal("50"))
    one, two, three = (factories.SchemeFactory(fund_house__name=f"{name} Mutual Fund") for name in ("B", "A", "C"))
    expected(asha, "10.00", scheme=one)
    expected(asha, "20.00", scheme=two)
    line(asha, "12.00", scheme=one)
    line(asha, "3.00", scheme=one, kind="INCENTIVE")
    line(asha, "4.00", scheme=three)
    with scope(partners.scope_of(north)):
        houses, kinds = earnings.by_house_and_kind(north.pk, OCTOBER)
    assert [
        tuple(map(str, (each.name[0], each.expected, each.trail, each.received, each.difference, each.payable)))
        for each in houses
    ] == [
        ("A", "20.00", "0", "0", "-20.00", "0"),
        ("B", "10.00", "12.00", "15.00", "2.00", "7.50"),
        ("C", "0", "4.00", "4.00", "4.00", "2.00"),
    ]
    assert [(each.code, each.lines, str(each.received)) for each in kinds] == [
        ("TRAIL", 2, "16.00"),
        ("INCENTIVE", 1, "3.00"),
    ]


def test_a_holding_stands_beside_the_trail_that_came_for_it(north, asha):
    month = expected(asha, "12.00")
    same = {"scheme": month.scheme, "folio": month.folio}
    for amount, more in (("5.00", {}), ("6.00", {}), ("9.00", {"kind": "INCENTIVE"}), ("7.00", {"month": SEPTEMBER})):
        factories.CommissionLineFactory(amount=Decimal(amount), **same, **more)
    quiet = expected(asha, "3.00")
    found = {each.pk: each.received for each in earnings.holdings_of(north.pk)}
    assert found == {month.pk: Decimal("11.00"), quiet.pk: None}


def test_what_was_earned_stays_when_the_investor_has_left_the_firm(north, asha):
    factories.CommissionShareFactory(partner=north)
    expected(asha, "12.00")
    line(asha, "100.00")
    type(asha).objects.filter(pk=asha.pk).update(partner=factories.PartnerFactory())
    assert figures(north) == ("12.00", "100.00", "70.00", "0.00", "70.00")
    with scope(partners.scope_of(north)):
        received = earnings.lines_of(north.pk).select_related("folio__investor", "scheme", "payout").get()
        its = earnings.holdings_of(north.pk).select_related("folio__investor", "scheme").get()
    assert (received.folio, its.folio) == (None, None)
    assert received.folio_number


def test_months_are_read_in_one_statement_however_many_lines_there_are(north, asha, django_assert_num_queries):
    for n in range(1, 10):
        expected(asha, "1.00", month=date(2026, n, 1))
        line(asha, "2.00", month=date(2026, n, 1))
    with django_assert_num_queries(1):
        assert len(list(earnings.months_of(north.pk))) == 9
    with django_assert_num_queries(2):
        earnings.by_house_and_kind(north.pk, SEPTEMBER)


def test_a_page_of_months_is_a_year_that_ends_with_the_newest(north, asha):
    assert earnings.year_before(north.pk, None) == ([], None)
    line(asha, "1.00", month=date(2026, 12, 1))
    expected(asha, "1.00", month=date(2026, 1, 1))
    line(asha, "1.00", month=date(2025, 12, 1))
    line(asha, "1.00", month=date(2025, 11, 1), why_not="Its statement was withdrawn.")
    expected(asha, "1.00", month=date(2023, 3, 1))
    pages, before, most = [], None, 9
    while most and (before or not pages):
        rows, before = earnings.year_before(north.pk, before)
        pages.append([f"{each.month:%Y-%m}" for each in rows])
        most -= 1
    assert pages == [["2026-12", "2026-01"], ["2025-12"], ["2023-03"]]
