"""The ledger: facts are appended, holdings are computed from them and can be rebuilt at any time."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from orders.gateway import Allotment
from orders.models import Folio, MfOrder, Transaction
from portal import audit


def belongs_to_another(order: MfOrder, folio_number: str) -> bool:
    """Is this folio at the order's fund house known as somebody else's?"""
    folios = Folio.objects.filter(fund_house_id=order.scheme.fund_house_id, number=folio_number)
    return folios.exclude(investor_id=order.investor_id).exists()


def record_allotment(*, order: MfOrder, allotment: Allotment, at: datetime) -> Folio:
    """The units of an order are in its folio: one provisional purchase is appended and the holding rebuilt.

    Call it inside the transaction that moves the order, with the order locked. The unique key on (order, kind) makes a
    second delivery of the same news impossible to record. The caller has made sure that the folio is not another's.
    """
    folio, made = Folio.objects.get_or_create(
        fund_house_id=order.scheme.fund_house_id,
        number=allotment.folio_number,
        defaults={"investor_id": order.investor_id},
    )
    if made:
        audit.record(folio, "folio.opened", actor=None, at=at, order=order.code)
    Transaction.objects.create(
        investor_id=order.investor_id,
        folio=folio,
        scheme_id=order.scheme_id,
        kind=Transaction.Kind.PURCHASE,
        units=allotment.units,
        amount=order.cost,
        nav=allotment.nav,
        traded_on=allotment.traded_on,
        order=order,
        recorded_at=at,
    )
    rebuild(folio_ids=[folio.pk], at=at)
    return folio


def reverse(*, order: MfOrder, at: datetime) -> None:
    """The purchase of an order is taken back: the opposite is appended, nothing is changed."""
    for bought in Transaction.objects.filter(order=order, kind=Transaction.Kind.PURCHASE, reversed_by__isnull=True):
        Transaction.objects.create(
            investor_id=bought.investor_id,
            folio_id=bought.folio_id,
            scheme_id=bought.scheme_id,
            kind=Transaction.Kind.REVERSAL,
            units=-bought.units,
            amount=-bought.amount,
            nav=bought.nav,
            traded_on=at.date(),
            order=order,
            reverses=bought,
            recorded_at=at,
        )
        rebuild(folio_ids=[bought.folio_id], at=at)


_REBUILD = """
    INSERT INTO orders_holding (investor_id, folio_id, scheme_id, units, invested, first_bought_on, rebuilt_at)
    SELECT investor_id, folio_id, scheme_id, sum(units), sum(amount), min(traded_on), %(at)s
      FROM orders_transaction WHERE folio_id = ANY(%(folios)s)
     GROUP BY investor_id, folio_id, scheme_id
    ON CONFLICT (folio_id, scheme_id) DO UPDATE
       SET units = EXCLUDED.units, invested = EXCLUDED.invested,
           first_bought_on = EXCLUDED.first_bought_on, rebuilt_at = EXCLUDED.rebuilt_at
"""


def rebuild(*, folio_ids: list[int], at: datetime) -> None:
    """The holdings of these folios are what their transactions add up to. Touches no other folio."""
    with connection.cursor() as cursor:
        # Two transactions that touch one folio must not each miss the other's fact.
        cursor.execute("SELECT id FROM orders_folio WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [folio_ids])
        cursor.execute(_REBUILD, {"at": at, "folios": folio_ids})
