"""Which purchases the units that are still held come from: first in, first out, in one set-based statement.

Units leave from the oldest purchase first, whatever their number of sales (Income-tax Act, section 45(2A) and CBDT
circular 768 of 1998 for units in dematerialised form; registrars do the same for folios). What has left in all
decides what is left of each lot, so no row needs to know the sales one by one: a lot keeps what its running total
exceeds the units sold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

# Transactions that were taken back count for nothing, and neither do the entries that took them back.
_STANDING = "NOT EXISTS (SELECT 1 FROM orders_transaction r WHERE r.reverses_id = t.id)"

# Rows (investor_id, folio_id, scheme_id, id, traded_on, units_left, cost) of `where`; `cost` is what the units left
# have cost, to the paisa. `where` speaks of the transactions `t`.
OPEN_LOTS = f"""
    SELECT i.investor_id, i.folio_id, i.scheme_id, i.id, i.traded_on,
           least(i.units, i.upto - coalesce(o.units, 0)) AS units_left,
           round(i.amount * least(i.units, i.upto - coalesce(o.units, 0)) / i.units, 2) AS cost
      FROM (SELECT t.*, sum(t.units) OVER (PARTITION BY t.folio_id, t.scheme_id ORDER BY t.traded_on, t.id) AS upto
              FROM orders_transaction t
             WHERE t.kind IN ('PURCHASE', 'SWITCH_IN') AND {{where}} AND {_STANDING}) i
      LEFT JOIN (SELECT t.folio_id, t.scheme_id, -sum(t.units) AS units
                   FROM orders_transaction t
                  WHERE t.kind IN ('REDEMPTION', 'SWITCH_OUT') AND {{where}} AND {_STANDING}
                  GROUP BY t.folio_id, t.scheme_id) o
        ON o.folio_id = i.folio_id AND o.scheme_id = i.scheme_id
     WHERE i.upto > coalesce(o.units, 0)
"""  # noqa: S608 - column names of our own

_OF_SCHEME = f"""
    SELECT id, folio_id, traded_on, units_left, cost
      FROM ({OPEN_LOTS.format(where="t.investor_id = %(investor)s AND t.scheme_id = %(scheme)s")}) l
     ORDER BY traded_on, id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class OpenLot:
    """What is left of one purchase: units, and what they have cost in rupees."""

    transaction_id: int
    folio_id: int
    bought_on: date
    units: Decimal
    cost: Decimal


def open_lots(*, investor_id: int, scheme_id: int) -> list[OpenLot]:
    """The lots of one scheme from which units are left, oldest first, over all folios of the investor."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_SCHEME, {"investor": investor_id, "scheme": scheme_id})
        return [OpenLot(*row) for row in cursor.fetchall()]
