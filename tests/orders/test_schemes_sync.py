"""Our schemes are FP's: appear, change, end; never by half and never by a list that cannot be true."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from orders.models import FundHouse, Nav, Scheme, SchemeWord
from orders.operations import schemes
from portal import clock
from portal.fintech_primitives import messages
from portal.models import GatewayCall

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 21, 9, 0, tzinfo=clock.IST)
HOUSES = [{"id": 6, "name": "Canara Robeco Mutual Fund", "active": True}]


def theirs(isin: str = "INF760K01DF2", **facts: object) -> dict[str, object]:
    """A scheme in FP's words."""
    return {
        "isin": isin,
        "name": "Canara Robeco Flexi Cap Fund - Regular Plan - Growth",
        "investment_option": "GROWTH",
        "plan_type": "REGULAR",
        "fund_category": "EQUITY",
        "sub_category": "Equity Scheme - Flexi Cap Fund",
        "amfi_code": "109366",
        "amc_id": 6,
        "min_initial_investment": 500,
        "purchase_allowed": True,
        "lock_in": False,
        **facts,
    }


class FakeFp:
    """FP at the edge of the world: two pages of what it is given."""

    def __init__(self, listed: list[dict[str, object]], total: int | None = None) -> None:
        self._listed = [messages.Scheme.model_validate(each) for each in listed]
        self._total = len(listed) if total is None else total

    def list_amcs(self) -> list[messages.Amc]:
        return [messages.Amc.model_validate(each) for each in HOUSES]

    def list_schemes(self) -> Any:
        half = len(self._listed) // 2
        for part in (self._listed[:half], self._listed[half:]):
            yield messages.SchemePage(fund_schemes=part, total_elements=self._total)


@pytest.fixture
def sync(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """`sync([...])`: what FP lists now."""

    def run(listed: list[dict[str, object]], total: int | None = None) -> schemes.Synced:
        monkeypatch.setattr(schemes.fp, "client", lambda: FakeFp(listed, total))
        return schemes.sync(at=AT)

    return run


def test_a_new_scheme_appears_with_its_house_category_and_bounds(sync) -> None:  # type: ignore[no-untyped-def]
    done = sync([theirs(lock_in=True, lock_in_period=3, sub_category="Equity Scheme - ELSS")])
    assert (done.listed, done.changed, done.ended) == (1, 1, 0)
    scheme = Scheme.objects.get()
    assert (scheme.fund_house.name, scheme.asset_class, scheme.category) == (
        "Canara Robeco Mutual Fund",
        "EQUITY",
        "ELSS",
    )
    assert (scheme.amfi_code, scheme.plan, scheme.option, scheme.lock_in_years) == (109_366, "REGULAR", "GROWTH", 3)
    assert (scheme.min_first, scheme.max_first, scheme.purchase_allowed) == (Decimal(500), None, True)
    assert scheme.synced_at == AT
    assert {"canara", "robeco", "flexi"} <= set(SchemeWord.objects.values_list("word", flat=True))


def test_a_second_sync_changes_nothing(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(), theirs("INF760K01DG0")])
    assert sync([theirs(), theirs("INF760K01DG0")]).changed == 0
    assert FundHouse.objects.count() == 1


def test_what_fp_changes_changes_here(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(), theirs("INF760K01DG0")])
    done = sync([theirs(purchase_allowed=False, name="Canara Robeco Renamed Fund"), theirs("INF760K01DG0")])
    assert done.changed == 1
    scheme = Scheme.objects.get(isin="INF760K01DF2")
    assert not scheme.purchase_allowed
    assert "renamed" in SchemeWord.objects.values_list("word", flat=True)
    assert Scheme.objects.extra(where=["search @@ 'renamed'"]).get() == scheme


def test_a_scheme_that_fp_no_longer_lists_becomes_inactive_and_comes_back(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(), theirs("INF760K01DG0")])
    assert sync([theirs()]).ended == 1
    ended = Scheme.objects.get(isin="INF760K01DG0")
    assert (ended.is_active, ended.purchase_allowed) == (False, False)
    sync([theirs(), theirs("INF760K01DG0")])
    ended.refresh_from_db()
    assert (ended.is_active, ended.purchase_allowed) == (True, True)


def test_a_merged_scheme_cannot_be_bought(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(merged=True)])
    scheme = Scheme.objects.get()
    assert (scheme.is_active, scheme.purchase_allowed) == (False, False)


def test_a_list_with_a_gap_changes_nothing(sync) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(schemes.SyncIncomplete, match="speaks of 3 schemes and listed 1"):
        sync([theirs()], total=3)
    assert not Scheme.objects.exists()


def test_a_list_that_has_shrunk_by_half_changes_nothing(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(f"INF760K01D{n:02d}") for n in range(5)])
    with pytest.raises(schemes.SyncIncomplete, match="lists 2 schemes, we know 5"):
        sync([theirs(f"INF760K01D{n:02d}") for n in range(2)])
    assert Scheme.objects.filter(is_active=True).count() == 5


def test_words_that_fp_leaves_out_are_read_from_the_name(sync) -> None:  # type: ignore[no-untyped-def]
    blank = {"plan_type": None, "investment_option": None, "sub_category": None, "amfi_code": None}
    sync([theirs(name="Axis Fund - Direct Plan - IDCW", **blank), theirs("INF760K01DG0", amc_id=31)])
    scheme = Scheme.objects.get(isin="INF760K01DF2")
    assert (scheme.plan, scheme.option, scheme.category, scheme.amfi_code) == ("DIRECT", "IDCW_PAYOUT", "", None)
    assert Scheme.objects.get(isin="INF760K01DG0").fund_house.name == "Fund house 31 (not named by FP)"


def test_keeps_amfis_category_where_fp_has_none(sync) -> None:  # type: ignore[no-untyped-def]
    sync([theirs(sub_category=None)])
    Scheme.objects.update(category="Focused Fund")
    assert sync([theirs(sub_category=None)]).changed == 0
    assert Scheme.objects.get().category == "Focused Fund"


def test_a_scheme_that_comes_after_its_navs_shows_them(sync) -> None:  # type: ignore[no-untyped-def]
    Nav.objects.create(amfi_code=109_366, on=AT.date(), nav=Decimal("12.5"))
    sync([theirs()])
    assert Scheme.objects.get().nav == Decimal("12.5")


def test_takes_all_schemes_of_the_sandbox(sandbox: object) -> None:
    done = schemes.sync(at=AT)
    assert done.listed == Scheme.objects.count() > 14_000
    assert Scheme.objects.filter(category="", is_active=True).count() == 0
    calls = GatewayCall.objects.filter(path__startswith="/api/oms/fund_schemes")
    assert calls.count() > 140
    assert not calls.filter(response_body__isnull=False).exists()
    assert schemes.sync(at=AT).changed == 0
