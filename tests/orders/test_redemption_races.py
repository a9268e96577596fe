"""Two tabs sell the same units. The race is shown with the guards off first; then each guard alone stops it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.db import connection

from orders.models import MfOrder
from orders.operations import redemptions
from orders.redemption_rules import Asked
from tests import factories
from tests.database import raised_at_once
from tests.orders.test_redemptions import sell, yes_to

pytestmark = pytest.mark.django_db(transaction=True)
OFF, ON = (f"ALTER TABLE orders_mforder {word} TRIGGER a_redemption_is_covered" for word in ("DISABLE", "ENABLE"))


@pytest.fixture
def two_tabs(asha, monkeypatch) -> Callable[[], list[str]]:
    """Sell sixty and then sixty-one of a hundred units, each confirmed in a tab of its own, at the same moment."""
    holding = factories.HoldingFactory(investor=asha, units=Decimal("100.000"))
    given = [yes_to(asha, holding, Asked(units=Decimal(units))) for units in (60, 61)]
    counted, checked = threading.Barrier(2), redemptions.has_changed

    def after_counting(*args: object) -> bool:
        # Both have counted the free units before either writes; with a guard the other never comes here.
        with contextlib.suppress(threading.BrokenBarrierError):
            counted.wait(2)
        return checked(*args)

    monkeypatch.setattr(redemptions, "has_changed", after_counting)
    return lambda: raised_at_once(lambda: sell(asha, holding, Asked(), consent=given.pop()), 2)


@pytest.fixture
def no_trigger(transactional_db) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(OFF)
    yield
    with connection.cursor() as cursor:
        cursor.execute(ON)


@pytest.fixture
def no_lock(monkeypatch) -> None:
    monkeypatch.setattr(redemptions, "_hold_folio", lambda *_: None)


def test_without_a_guard_the_same_units_are_sold_twice(two_tabs, no_trigger, no_lock):
    assert two_tabs() == []
    assert MfOrder.objects.count() == 2


def test_the_database_alone_refuses_the_second(two_tabs, no_lock):
    assert two_tabs() == ["IntegrityError"]
    assert MfOrder.objects.count() == 1


def test_the_lock_alone_lets_the_second_see_the_first(two_tabs, no_trigger):
    assert two_tabs() == ["InvalidInput"]
    assert MfOrder.objects.count() == 1


def test_two_tabs_sell_no_unit_twice(two_tabs):
    assert two_tabs() == ["InvalidInput"]
    assert MfOrder.objects.count() == 1
