"""What was promised and what came true, by fund house and rail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from portal import counted

LATELY = timedelta(days=30)
# NAV days as promised, and days between the promised NAV day and units here, by fund house and rail.
_SCORE = """
    SELECT h.name, o.payment_method, count(*), count(*) FILTER (WHERE o.allotted_on <= o.predicted_nav_on),
           max((o.state_since AT TIME ZONE 'Asia/Kolkata')::date - o.predicted_nav_on),
           avg((o.state_since AT TIME ZONE 'Asia/Kolkata')::date - o.predicted_nav_on)
      FROM orders_mforder o
      JOIN orders_scheme s ON s.id = o.scheme_id JOIN orders_fundhouse h ON h.id = s.fund_house_id
     WHERE o.state IN ('ALLOTTED', 'REDEEMED') AND o.state_since >= %s
     GROUP BY h.name, o.payment_method
     ORDER BY count(*) FILTER (WHERE o.allotted_on > o.predicted_nav_on) DESC, count(*) DESC LIMIT 15
"""


def _score(at: datetime) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_SCORE, [at - LATELY])
        return cursor.fetchall()


# (fund house, rail, came through, with the NAV day as promised, most days to units, days on average), the worst first.
score = counted.Figure("orders.count_promises", "orders_mforder", _score)
