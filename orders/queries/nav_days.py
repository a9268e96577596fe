"""The NAV that held on a day, in SQL."""

from __future__ import annotations


def nav_on(day: str) -> str:
    """SQL that answers at most one row, `nav` and `"on"`: the newest NAV of the scheme `s` for the day or before it.

    NAVs are kept by AMFI's code; the newest two stand on the scheme too, also of one without a code.
    """
    return f"""(
        SELECT each.nav, each."on" FROM (
            (SELECT v.nav, v."on", 1 AS rank FROM orders_nav v WHERE v.amfi_code = s.amfi_code AND v."on" <= {day}
              ORDER BY v."on" DESC LIMIT 1)
            UNION ALL SELECT s.nav, s.nav_on, 2 WHERE s.nav_on <= {day}
            UNION ALL SELECT s.previous_nav, s.previous_nav_on, 3 WHERE s.previous_nav_on <= {day}
        ) each WHERE each.nav IS NOT NULL ORDER BY each."on" DESC, each.rank LIMIT 1)"""  # noqa: S608 - our own names
