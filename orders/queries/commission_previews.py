"""What a rate would touch, in words, before anybody says yes: read from the last month that was computed whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from orders import commission_rules
from portal import money

# Holdings of a month that this rate is for, without those for which a more particular one holds from its first day on.
_TOUCHED = """
    WITH theirs AS (
        SELECT s.id FROM orders_scheme s
         WHERE s.fund_house_id = %(house)s
           AND (s.id = %(scheme)s OR %(scheme)s::bigint IS NULL AND %(category)s IN ('', s.category))
           AND NOT EXISTS (
               SELECT FROM orders_commissionrate r
                WHERE r.fund_house_id = s.fund_house_id AND r.valid_from <= %(valid_from)s
                  AND (r.scheme_id = s.id AND %(scheme)s::bigint IS NULL
                       OR r.scheme_id IS NULL AND r.category = s.category AND r.category <> ''
                          AND %(scheme)s::bigint IS NULL AND %(category)s = ''))
    )
    SELECT count(*), coalesce(sum(average_value * (days - unpriced)), 0), coalesce(sum(expected), 0)
      FROM orders_commissionmonth WHERE month = %(month)s AND scheme_id IN (SELECT id FROM theirs)
"""


def touched(values: Mapping[str, Any], *, month: date) -> str:
    """Of how many holdings a rate is, what a whole month brings by it, and what is expected of them as rates stand."""
    given = {
        "house": values["fund_house"],
        "scheme": values.get("scheme"),
        "category": values.get("category", ""),
        "valid_from": values["valid_from"],
        "month": month,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, given)
        count, value_days, expected = cursor.fetchone()
    if not count:
        return f"No holding of {month:%B %Y} is touched."
    brings = money.to_paise(value_days * Decimal(values["percent"]) / commission_rules.DIVISOR)
    holdings = "1 holding" if count == 1 else f"{money.number(Decimal(count), 0)} holdings"
    return (
        f"It is the rate of {holdings} of {month:%B %Y}: a whole month like that brings {money.rupees(brings)};"
        f" {money.rupees(expected)} is expected as rates stand."
    )
