"""The ledger: facts are appended, holdings are computed from them and can be rebuilt at any time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection

from orders.gateway import Allotment
from orders.lots import OPEN_LOTS
from orders.models import Folio, Holding, MfOrder, Transaction
from portal import audit
from portal.errors import Failure


class NotEnoughUnits(Failure):
    """More units are said to have left a folio than it holds."""

    code = "not_enough_units"
    message = "The folio does not hold so many units."


def lock_folios(folio_ids: list[int]) -> None:
    """One at a time: two transactions that touch a folio must not each miss the other's fact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders_folio WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [folio_ids])


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


def record_redemption(*, order: MfOrder, redeemed: Allotment, rupees: Decimal, at: datetime) -> None:
    """The units of an order have left its folio for `rupees`; the holding is rebuilt.

    As `record_allotment`, inside the transaction that moves the order. Raises NotEnoughUnits when the folio does not
    hold so many: then the ledger and the fund house disagree, and a person must look.
    """
    if order.folio_id is None:
        raise ValueError(f"{order.code} names no folio")
    lock_folios([order.folio_id])
    held = Holding.objects.filter(folio_id=order.folio_id, scheme_id=order.scheme_id).values_list("units", flat=True)
    if redeemed.units > (held.first() or 0):
        raise NotEnoughUnits
    Transaction.objects.create(
        investor_id=order.investor_id,
        folio_id=order.folio_id,
        scheme_id=order.scheme_id,
        kind=Transaction.Kind.REDEMPTION,
        units=-redeemed.units,
        amount=-rupees,
        nav=redeemed.nav,
        traded_on=redeemed.traded_on,
        order=order,
        recorded_at=at,
    )
    rebuild(folio_ids=[order.folio_id], at=at)


def reverse(*, order: MfOrder, at: datetime) -> None:
    """What an order did to the units is taken back: the opposite is appended, nothing is changed.

    Raises NotEnoughUnits when units that came in by it have been sold meanwhile.
    """
    undone = (Transaction.Kind.PURCHASE, Transaction.Kind.REDEMPTION)
    for fact in Transaction.objects.filter(order=order, kind__in=undone, reversed_by__isnull=True):
        lock_folios([fact.folio_id])
        holding = Holding.objects.get(folio_id=fact.folio_id, scheme_id=fact.scheme_id)
        if holding.units < fact.units:
            raise NotEnoughUnits
        Transaction.objects.create(
            investor_id=fact.investor_id,
            folio_id=fact.folio_id,
            scheme_id=fact.scheme_id,
            kind=Transaction.Kind.REVERSAL,
            units=-fact.units,
            amount=-fact.amount,
            nav=fact.nav,
            traded_on=at.date(),
            order=order,
            reverses=fact,
            recorded_at=at,
        )
        rebuild(folio_ids=[fact.folio_id], at=at)


_REBUILD = f"""
    INSERT INTO orders_holding (investor_id, folio_id, scheme_id, units, invested, first_bought_on, rebuilt_at)
    SELECT f.investor_id, f.folio_id, f.scheme_id, f.units, coalesce(l.cost, 0), coalesce(l.since, f.since), %(at)s
      FROM (SELECT investor_id, folio_id, scheme_id, sum(units) AS units, min(traded_on) AS since
              FROM orders_transaction WHERE folio_id = ANY(%(folios)s)
             GROUP BY investor_id, folio_id, scheme_id) f
      LEFT JOIN (SELECT folio_id, scheme_id, sum(cost) AS cost, min(traded_on) AS since
                   FROM ({OPEN_LOTS.format(where="t.folio_id = ANY(%(folios)s)")}) open_lots
                  GROUP BY folio_id, scheme_id) l
        ON l.folio_id = f.folio_id AND l.scheme_id = f.scheme_id
    ON CONFLICT (folio_id, scheme_id) DO UPDATE
       SET units = EXCLUDED.units, invested = EXCLUDED.invested,
           first_bought_on = EXCLUDED.first_bought_on, rebuilt_at = EXCLUDED.rebuilt_at
"""  # noqa: S608 - names of our own


def rebuild(*, folio_ids: list[int], at: datetime) -> None:
    """The holdings of these folios are what their transactions add up to. Touches no other folio.

    `invested` is what the units that are left have cost, first in, first out. Units below zero are refused by the
    database (`units_held_are_never_negative`).
    """
    lock_folios(folio_ids)
    with connection.cursor() as cursor:
        cursor.execute(_REBUILD, {"at": at, "folios": folio_ids})
