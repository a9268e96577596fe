"""The ledger: units leave first in, first out; what is left keeps its cost; nothing goes below zero."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.lots import open_lots
from orders.models import Holding, Transaction
from orders.operations import ledger
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db
FIRST = date(2024, 1, 1)
# P8 promises 2,000 histories of up to 30 moves: `LEDGERS=2000 MOVES=30`.
LEDGERS, LONGEST = int(os.environ.get("LEDGERS", "40")), int(os.environ.get("MOVES", "12"))
# (days after FIRST, units; below zero: sold), and whether it is taken back afterwards.
MOVES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 60_000), st.booleans(), st.booleans()), min_size=1, max_size=LONGEST
)


def reference(facts: list[Any]) -> tuple[Decimal, Decimal, date | None]:
    """The slow way: walk through what stands, in order of time, and eat the oldest lots."""
    undone = {fact.reverses_id for fact in facts}
    standing = [fact for fact in facts if fact.pk not in undone and fact.reverses_id is None]
    lots: list[list[Any]] = []
    for fact in sorted(standing, key=lambda each: (each.units < 0, each.traded_on, each.pk)):
        left = -fact.units
        if fact.units > 0:
            lots.append([fact.traded_on, fact.units, fact.units, fact.amount])
        while left > 0:
            part = min(left, lots[0][1])
            lots[0][1] -= part
            left -= part
            if not lots[0][1]:
                lots.pop(0)
    cost = sum((paid * left / units for _, left, units, paid in lots), Decimal(0))
    rounded = cost.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return sum((lot[1] for lot in lots), Decimal(0)), rounded, lots[0][0] if lots else None


def write(asha: Any, scheme: Any, folio: Any, moves: list[Any]) -> list[Any]:
    """The facts of `moves`; a sale that would take too much, or a purchase taken back too late, is left out."""
    facts, held = [], Decimal(0)
    for days, thousandths, is_sale, is_undone in sorted(moves):
        units = Decimal(thousandths) / 1000 * (-1 if is_sale else 1)
        if held + units < 0:
            continue
        about = {"investor": asha, "scheme": scheme, "folio": folio, "traded_on": FIRST + timedelta(days=days)}
        nav = Decimal(10 + days % 7)
        rupees = (units * nav).quantize(Decimal("0.01")) or Decimal("0.01") * (-1 if is_sale else 1)
        fact = factories.TransactionFactory(
            **about, kind="REDEMPTION" if is_sale else "PURCHASE", units=units, amount=rupees, nav=nav
        )
        facts.append(fact)
        if is_undone:
            back = {"kind": "REVERSAL", "units": -units, "amount": -rupees, "nav": nav, "reverses": fact}
            facts.append(factories.TransactionFactory(**about, **back))
        else:
            held += units
    return facts


@settings(max_examples=LEDGERS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_any_order_of_purchases_sales_and_reversals_leaves_what_the_slow_way_finds(asha, moves):
    scheme = factories.SchemeFactory()
    folio = factories.FolioFactory(investor=asha, fund_house=scheme.fund_house)
    facts = write(asha, scheme, folio, moves)
    if not facts:
        return
    ledger.rebuild(folio_ids=[folio.pk], at=clock.now())
    holding = Holding.objects.get(folio=folio, scheme=scheme)
    units, invested, since = reference(facts)
    lots = open_lots(investor_id=asha.pk, scheme_id=scheme.pk)
    assert (holding.units, holding.invested) == (units, invested)
    assert sum((lot.units for lot in lots), Decimal(0)) == units
    assert all(lot.units > 0 for lot in lots)
    if since:
        assert holding.first_bought_on == since


def test_what_is_left_keeps_its_own_cost_and_day(asha):
    scheme = factories.SchemeFactory()
    folio = factories.FolioFactory(investor=asha, fund_house=scheme.fund_house)
    about = {"investor": asha, "scheme": scheme, "folio": folio}
    for on, units, nav in ((FIRST, "100", "10"), (FIRST + timedelta(days=400), "100", "20")):
        factories.TransactionFactory(**about, units=Decimal(units), nav=Decimal(nav), traded_on=on)
    sold = {"kind": "REDEMPTION", "units": Decimal("-150"), "amount": Decimal("-4500"), "nav": Decimal("30")}
    factories.TransactionFactory(**about, **sold, traded_on=FIRST + timedelta(days=500))
    ledger.rebuild(folio_ids=[folio.pk], at=clock.now())
    holding = Holding.objects.get(folio=folio)
    assert (holding.units, holding.invested) == (Decimal("50.000"), Decimal("1000.00"))
    assert holding.first_bought_on == FIRST + timedelta(days=400)


def test_more_than_is_held_cannot_leave(asha):
    holding = factories.HoldingFactory(investor=asha, units=Decimal("10"))
    about = {"investor": asha, "scheme": holding.scheme, "folio": holding.folio}
    with pytest.raises(IntegrityError, match="units_held_are_never_negative"), transaction.atomic():
        factories.TransactionFactory(**about, kind="REDEMPTION", units=Decimal("-10.001"), amount=Decimal("-1"))
        ledger.rebuild(folio_ids=[holding.folio_id], at=clock.now())
    assert Transaction.objects.count() == 1
