"""Model instances from statements that are written out."""

from __future__ import annotations

import pytest

from investors.models import Investor
from portal.rows import Columns, first
from tests import factories

pytestmark = pytest.mark.django_db
COLUMNS = Columns(Investor, "i")


def read(pk: int) -> Investor:
    row = first(f"SELECT {COLUMNS.sql} FROM investors_investor i WHERE i.id = %s", [pk])
    assert row is not None
    return COLUMNS.take(row)


def test_a_row_is_what_the_query_set_would_have_made() -> None:
    made = factories.ReadyInvestorFactory()
    quick, usual = read(made.pk), Investor.objects.get(pk=made.pk)
    assert quick == usual
    assert {name: getattr(quick, name) for name in COLUMNS.names} == {
        name: getattr(usual, name) for name in COLUMNS.names
    }


def test_encrypted_and_json_columns_are_read_when_asked_for() -> None:
    made = factories.ReadyInvestorFactory(refusal=[{"field": "pan", "message": "no"}])
    quick = read(made.pk)
    assert {"pan", "refusal"} <= quick.get_deferred_fields()
    assert (quick.pan, quick.refusal) == (made.pan, made.refusal)


def test_two_tables_are_taken_from_one_row() -> None:
    order = factories.OrderFactory()
    named = Columns(type(order.scheme), "s", "id", "name")
    row = first(f"SELECT {named.sql}, 7 FROM orders_scheme s WHERE s.id = %s", [order.scheme_id])
    assert row is not None
    assert named.take(row).name == order.scheme.name
    assert next(row) == 7


def test_no_row_is_none() -> None:
    assert first("SELECT 1 WHERE %s", [False]) is None
