"""Whose commission is whose: the partner who served an investor at the end of a day."""

from __future__ import annotations

from datetime import date

from django.db import connection


def partner_on(investor: str, day: str) -> str:
    """SQL for the id of the partner who served an investor when `day` ended in India; NULL: we did.

    `investor` and `day` are SQL for an id and a date. From the earliest transfer that was done after that day it is
    whom the investor left, else whom they have now: who joined a firm without a transfer counts from now backwards.
    For staff and workers, as nobody else reads transfers.
    """
    return f"""(
        SELECT CASE WHEN went.id IS NULL THEN served.partner_id ELSE went.from_partner_id END
          FROM investors_investor served
          LEFT JOIN LATERAL (
              SELECT t.id, t.from_partner_id FROM investors_transfer t
               WHERE t.investor_id = served.id AND t.state = 'DONE'
                 AND t.state_since >= (({day})::date + 1)::timestamp AT TIME ZONE 'Asia/Kolkata'
               ORDER BY t.state_since, t.id LIMIT 1) went ON TRUE
         WHERE served.id = {investor})"""  # noqa: S608 - our own names


def who_served(*, investor_id: int, on: date) -> int | None:
    """The partner who served one investor when the day ended in India; None: we did."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {partner_on('%(investor)s', '%(on)s')}", {"investor": investor_id, "on": on})
        found: int | None = cursor.fetchone()[0]
    return found
