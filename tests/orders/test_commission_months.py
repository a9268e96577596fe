"""Expected months of the whole book: by hand, as often as one likes, killed half-way, and two workers at once."""

from __future__ import annotations

import random
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connections, transaction

from orders import commission_rules, commission_tasks
from orders.models import CommissionMonth, NavRun
from orders.operations import commission_months
from orders.queries import commission
from portal.clock import IST
from tests import factories
from tests.database import WAIT_S, raised_at_once

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
AT = datetime(2026, 11, 5, 6, tzinfo=IST)
BARE = {"nav": None, "nav_on": None, "previous_nav": None, "previous_nav_on": None}


def moved(folio, scheme, day, units, kind="PURCHASE", **more):
    values = {"units": Decimal(units), "amount": Decimal(units) * 10, "kind": kind, "traded_on": day, **more}
    return factories.TransactionFactory(investor=folio.investor, folio=folio, scheme=scheme, **values)


def priced(scheme, *navs):
    for on, nav in navs:
        factories.NavFactory(scheme=scheme, on=on, nav=Decimal(nav))


@pytest.fixture
def held(db):
    """1,000 units of a scheme at ₹36.50, so that a whole day at one per cent brings a rupee; they have a partner."""
    scheme = factories.SchemeFactory(category="Liquid Fund", **BARE)
    priced(scheme, (date(2024, 1, 1), "36.5"))
    investor = factories.ReadyInvestorFactory(partner=factories.PartnerFactory())
    folio = factories.FolioFactory(investor=investor, fund_house=scheme.fund_house)
    return SimpleNamespace(scheme=scheme, house=scheme.fund_house, folio=folio, investor=investor)


def rate(held, percent="1", *, since=date(2024, 1, 1), **more):
    return factories.CommissionRateFactory(fund_house=held.house, percent=Decimal(percent), valid_from=since, **more)


def computed(month=OCTOBER, at=AT):
    commission_months.compute(month, at=at)
    return CommissionMonth.objects.get(month=month)


def figures(row):
    return row.days, row.unpriced, row.unrated, row.average_value, row.expected


# --- By hand ----------------------------------------------------------------------------------------------------


def test_a_whole_month_brings_each_of_its_days(held):
    rate(held)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    row = computed()
    assert figures(row) == (31, 0, 0, Decimal("36500.00"), Decimal("31.00"))
    assert (row.folio, row.scheme, row.partner, row.computed_at) == (
        held.folio,
        held.scheme,
        held.investor.partner,
        AT,
    )


@pytest.mark.parametrize(("year", "days"), [(2024, 29), (2025, 28)])
def test_february_has_the_days_it_has(held, year, days):
    rate(held)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    assert figures(computed(date(year, 2, 1))) == (days, 0, 0, Decimal("36500.00"), Decimal(days))


def test_a_purchase_counts_from_its_day_on_and_a_sale_until_the_day_before(held):
    rate(held)
    moved(held.folio, held.scheme, date(2026, 10, 10), "1000")
    moved(held.folio, held.scheme, date(2026, 10, 20), "-400", "REDEMPTION")
    moved(held.folio, held.scheme, date(2026, 10, 30), "-600", "REDEMPTION")
    # ten days of 1,000 units, ten of 600: ₹10 and ₹6; on average 800 units at ₹36.50
    assert figures(computed()) == (20, 0, 0, Decimal("29200.00"), Decimal("16.00"))


def test_what_was_bought_and_sold_on_one_day_is_never_held(held):
    rate(held)
    moved(held.folio, held.scheme, date(2026, 10, 10), "1000")
    moved(held.folio, held.scheme, date(2026, 10, 10), "-1000", "REDEMPTION")
    commission_months.compute(OCTOBER, at=AT)
    assert not CommissionMonth.objects.exists()


def test_on_days_without_a_nav_the_one_before_holds(held):
    rate(held)
    priced(held.scheme, (date(2026, 10, 9), "73"), (date(2026, 10, 13), "36.5"))
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    # the ninth (a Friday) to the twelfth at ₹73
    assert computed().expected == Decimal("35.00")


def test_a_rate_that_changes_in_mid_month_holds_from_its_day_on(held):
    rate(held)
    rate(held, "0.5", since=date(2026, 10, 21))
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    assert computed().expected == Decimal("25.50")  # twenty days of ₹1, eleven of 50 paise


def test_the_scheme_goes_before_the_category_and_this_before_the_house(held):
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    found = []
    for percent, more in (("0.1", {}), ("0.2", {"category": "Liquid Fund"}), ("0.3", {"scheme": held.scheme})):
        rate(held, percent, **more)
        found.append(computed().expected)
    rate(held, "5", category="Gilt Fund")
    rate(held, "5", scheme=factories.SchemeFactory(fund_house=held.house))
    assert [*found, computed().expected] == [Decimal("3.10"), Decimal("6.20"), Decimal("9.30"), Decimal("9.30")]


def test_a_rate_of_zero_brings_nothing_and_is_a_rate(held):
    rate(held)
    rate(held, "0", since=date(2026, 10, 1), scheme=held.scheme)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    assert figures(computed()) == (31, 0, 0, Decimal("36500.00"), Decimal("0.00"))


def test_days_without_a_rate_bring_nothing_and_are_counted(held):
    rate(held, since=date(2026, 10, 11))
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    assert figures(computed()) == (31, 0, 10, Decimal("36500.00"), Decimal("21.00"))


def test_a_direct_plan_brings_nothing_whatever_the_rate_of_its_house(held):
    rate(held)
    direct = factories.SchemeFactory(fund_house=held.house, plan="DIRECT", **BARE)
    priced(direct, (date(2024, 1, 1), "36.5"))
    for scheme in (held.scheme, direct):
        moved(held.folio, scheme, date(2024, 1, 1), "1000")
    assert computed().scheme == held.scheme


def test_days_without_a_nav_bring_nothing_and_are_counted(held):
    rate(held)
    scheme = factories.SchemeFactory(fund_house=held.house, **BARE)
    priced(scheme, (date(2026, 10, 30), "36.5"))
    moved(held.folio, scheme, date(2026, 10, 1), "1000")
    assert figures(computed()) == (31, 29, 0, Decimal("36500.00"), Decimal("2.00"))


def test_half_a_paisa_goes_up_also_where_no_quotient_has_an_end(held):
    rate(held)
    scheme = factories.SchemeFactory(fund_house=held.house, **BARE)
    priced(scheme, *((date(2026, 10, day), nav) for day, nav in ((1, "1"), (2, "39"), (3, "142.5"))))
    moved(held.folio, scheme, date(2026, 10, 1), "1")
    moved(held.folio, scheme, date(2026, 10, 4), "-1", "REDEMPTION")
    row = computed()
    assert row.expected == Decimal("0.01")
    assert commission_rules.together(day.amount for day in commission.explained(row)) == Decimal("0.01")


def test_a_month_that_goes_on_is_computed_up_to_today(held):
    rate(held)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    # a quarter past midnight in India, still the day before in Greenwich
    row = computed(date(2026, 11, 1), at=datetime(2026, 11, 5, 0, 15, tzinfo=IST))
    assert figures(row) == (5, 0, 0, Decimal("36500.00"), Decimal("5.00"))
    assert len(commission.explained(row)) == 5


def test_a_month_that_has_not_begun_is_refused(held):
    with pytest.raises(ValueError, match="begun"):
        commission_months.compute(date(2026, 12, 1), at=AT)


@pytest.mark.parametrize(
    ("done_at", "left"),
    [
        ("2026-10-15T10:00", False),
        ("2026-10-31T23:59", False),
        ("2026-11-01T00:00", True),
    ],
)
def test_a_month_belongs_to_whom_the_investor_had_on_its_last_day(held, done_at, left):
    rate(held)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    before = factories.PartnerFactory()
    factories.PastTransferFactory(
        investor=held.investor,
        from_partner=before,
        to_partner=held.investor.partner,
        done_at=datetime.fromisoformat(done_at).replace(tzinfo=IST),
    )
    assert computed().partner == (before if left else held.investor.partner)


# --- Again and again --------------------------------------------------------------------------------------------


def everything():
    return {row.pk: {**vars(row), "_state": None} for row in CommissionMonth.objects.all()}


def test_twice_is_once(held):
    rate(held)
    moved(held.folio, held.scheme, date(2024, 1, 1), "1000")
    commission_months.compute(OCTOBER, at=AT)
    before = everything()
    done = commission_months.compute(OCTOBER, at=AT + timedelta(hours=1))
    assert (done.written, done.removed) == (0, 0)
    assert everything() == before, "what has not changed is not written"


def test_what_changes_is_written_and_what_is_no_longer_held_goes(held):
    rate(held)
    stays, goes = (factories.FolioFactory(investor=held.investor, fund_house=held.house) for _ in range(2))
    moved(stays, held.scheme, date(2024, 1, 1), "1000")
    wrong = moved(goes, held.scheme, date(2024, 1, 1), "1000")
    assert commission_months.compute(OCTOBER, at=AT).written == 2
    moved(stays, held.scheme, date(2026, 10, 31), "500")
    factories.TransactionFactory(
        investor=held.investor, folio=goes, scheme=held.scheme, kind="REVERSAL", reverses=wrong,
        units=-wrong.units, amount=-wrong.amount, traded_on=wrong.traded_on,
    )  # fmt: skip
    done = commission_months.compute(OCTOBER, at=AT)
    assert (done.written, done.removed) == (1, 1)
    assert CommissionMonth.objects.get().expected == Decimal("31.50")


def test_a_run_that_was_killed_is_done_again_by_the_next(held, monkeypatch):
    rate(held)
    for _ in range(3):
        moved(factories.FolioFactory(fund_house=held.house), held.scheme, date(2024, 1, 1), "1000")
    monkeypatch.setattr(commission_months, "FOLIOS", 1)
    real, calls = commission_months._folios, []

    def dies(*values):
        calls.append(values)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*values)

    monkeypatch.setattr(commission_months, "_folios", dies)
    with pytest.raises(KeyboardInterrupt):
        commission_months.compute(OCTOBER, at=AT)
    assert 0 < CommissionMonth.objects.count() < 3
    assert commission_months.computed([OCTOBER]) == {}, "it is still due"
    monkeypatch.setattr(commission_months, "_folios", real)
    commission_months.compute(OCTOBER, at=AT)
    assert list(CommissionMonth.objects.values_list("expected", flat=True)) == [Decimal("31.00")] * 3


def test_explained_days_add_up_to_what_was_computed_whatever_happened():
    """Two ways, one in SQL for the whole book and one in Python for a folio, over ledgers that nobody arranged."""
    dice = random.Random(20_261_001)
    first = date(2026, 8, 25)
    houses = [factories.FundHouseFactory() for _ in range(2)]
    schemes = [
        factories.SchemeFactory(fund_house=dice.choice(houses), category=dice.choice(("", "Liquid Fund")), **BARE)
        for _ in range(4)
    ]
    for scheme in schemes:
        for day in dice.sample(range(20, 75), 30):
            priced(scheme, (first + timedelta(days=day), str(Decimal(dice.randrange(1, 5_000_000)) / 10_000)))
    for number, house in enumerate(houses):
        mine = [scheme for scheme in schemes if scheme.fund_house == house]
        for day in dice.sample(range(75), 6):
            about = dice.choice([{}, {"category": "Liquid Fund"}, *({"scheme": each} for each in mine)])
            factories.CommissionRateFactory(
                fund_house=house,
                valid_from=first + timedelta(days=day),
                percent=Decimal(dice.randrange(0, 15_000)) / 10_000,
                source=f"Letter {number}",
                **about,
            )
    for scheme in schemes:
        for _ in range(5):
            folio, left = factories.FolioFactory(fund_house=scheme.fund_house), Decimal(0)
            for day in sorted(dice.choices(range(75), k=6)):
                out = dice.random() < 0.4 and left > 0
                units = (
                    -(left if dice.random() < 0.5 else left / 2) if out else Decimal(dice.randrange(1, 10**8)) / 1000
                )
                units = units.quantize(Decimal("0.001"))
                if units:
                    moved(folio, scheme, first + timedelta(days=day), units, "REDEMPTION" if out else "PURCHASE")
                    left += units
    for month in (date(2026, 9, 1), OCTOBER, date(2026, 11, 1)):
        commission_months.compute(month, at=AT)
    rows = list(CommissionMonth.objects.select_related("scheme"))
    assert len(rows) > 30
    for row in rows:
        days = commission.explained(row)
        assert commission_rules.together(day.amount for day in days) == row.expected
        assert (len(days), sum(day.nav is None for day in days), sum(day.percent is None for day in days)) == (
            row.days,
            row.unpriced,
            row.unrated,
        )
    assert {row.unpriced > 0 for row in rows} == {row.unrated > 0 for row in rows} == {True, False}


# --- When -------------------------------------------------------------------------------------------------------


def due(at=AT):
    return [f"{month:%Y-%m}" for month in commission_months.due(at=at)]


def everything_computed(*months):
    for month in months:
        commission_months.compute(month, at=AT)


def test_this_month_and_the_one_before_are_due_until_they_were_computed(held):
    assert due() == ["2026-11", "2026-10"]
    commission_months.compute(date(2026, 11, 1), at=AT)
    assert due() == ["2026-10"]
    commission_months.compute(OCTOBER, at=AT)
    assert due() == []
    assert due(AT + timedelta(days=1)) == ["2026-11", "2026-10"]


def test_a_new_file_of_navs_makes_this_month_and_the_one_before_due(held):
    everything_computed(date(2026, 11, 1), OCTOBER)
    at = AT + timedelta(hours=2)
    run = NavRun.objects.create(source="AMFI", fingerprint="", started_at=at, finished_at=at, changed=0)
    assert due(at) == [], "it said nothing new"
    NavRun.objects.filter(pk=run.pk).update(changed=9_000)
    assert due(at + timedelta(hours=1)) == ["2026-11", "2026-10"]


def test_months_before_are_computed_once_there_is_a_rate_of_theirs(held):
    rate(held, since=date(2026, 8, 31))
    assert due() == ["2026-11", "2026-10", "2026-09", "2026-08"]
    rate(held, since=date(2010, 1, 1))
    assert due()[-1] == "2023-11", "and no further back than three years"


def test_units_that_were_heard_of_late_make_their_months_due(held):
    rate(held, since=date(2026, 6, 1))
    months = [date(2026, month, 1) for month in range(6, 12)]
    everything_computed(*months)
    assert due() == []
    at = AT + timedelta(hours=3)
    moved(held.folio, held.scheme, date(2026, 8, 31), "1000", recorded_at=at)
    assert due(at + timedelta(days=1)) == ["2026-11", "2026-10", "2026-09", "2026-08"]


def test_the_task_has_every_month_computed_that_is_due(held, at, monkeypatch):
    at(AT)
    rate(held, since=date(2026, 9, 20))
    moved(held.folio, held.scheme, date(2026, 9, 1), "1000")
    nudged = []
    monkeypatch.setattr(commission_tasks.jobs, "nudge", lambda task, **values: nudged.append((task, values)))
    commission_tasks.expect()
    asked = []
    while nudged:
        (task, values), *others = nudged
        assert (task, others) == (commission_tasks.EXPECT_MONTH, []), "one after the other"
        asked.append(values["month"])
        nudged.clear()
        commission_tasks.expect_month(**values)
    assert asked == ["2026-11-01", "2026-10-01", "2026-09-01"]
    assert list(CommissionMonth.objects.order_by("month").values_list("days", "expected")) == [
        (30, Decimal("11.00")),
        (31, Decimal("31.00")),
        (5, Decimal("5.00")),
    ]
    commission_tasks.expect()
    assert nudged == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guard", ["off", "on"])
def test_the_last_worker_to_write_knows_most(held, monkeypatch, guard):
    """A rate is there for a moment: one worker has computed with it, and another compares before the first commits."""
    moved(held.folio, held.scheme, OCTOBER, "1000")
    commission_months.compute(OCTOBER, at=AT)
    if guard == "off":
        monkeypatch.setattr(commission_months, "_alone_at", lambda month: None)
    has_computed, may_commit, has_looked = (threading.Event() for _ in range(3))

    def slow():
        with transaction.atomic():
            commission_months._folios(OCTOBER, 0, held.folio.pk, AT.date(), AT)
            has_computed.set()
            may_commit.wait(WAIT_S)

    def quick():
        commission_months.compute(OCTOBER, at=AT)
        has_looked.set()

    gone = rate(held)
    first = started(slow)
    assert has_computed.wait(WAIT_S)
    gone.delete()
    second = started(quick)
    # With the guard it waits for the first; without, it sees what was there before and leaves it.
    assert has_looked.wait(WAIT_S if guard == "off" else 0.5) == (guard == "off")
    may_commit.set()
    for each in (first, second):
        each.join(WAIT_S)
    assert CommissionMonth.objects.get().expected == (0 if guard == "on" else 31)


def started(act):
    def run():
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_are_as_one(held, monkeypatch):
    monkeypatch.setattr(commission_months, "FOLIOS", 3)
    rate(held)
    for _ in range(10):
        moved(factories.FolioFactory(investor=held.investor, fund_house=held.house), held.scheme, OCTOBER, "1000")
    assert raised_at_once(lambda: commission_months.compute(OCTOBER, at=AT), 4) == []
    assert list(CommissionMonth.objects.values_list("expected", flat=True)) == [Decimal("31.00")] * 10
