"""Benchmarks: each measures our work beside its limit in the same run, and says how the ratio stands to its target.

`BENCHES` names the modules; the `run()` of each returns rows. They run against a database of their own that is dropped
afterwards. How each is measured, and why so: docs/benchmarks.md.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

# A module of this package and its name on the command line -> what it measures
BENCHES = {
    "pages": "portfolio, fund search, order pages",
    "placement": "placing an order",
    "sync": "keeping step with FP's orders",
    "many_orders": "order pages with a million orders",
    "navs": "NAV ingest",
    "sips": "a SIP day",
    "baskets": "a basket of shares at 5paisa",
    "providers": "the clients of the providers, and the sandbox",
    "quotes": "calls to the provider while a thousand people watch prices",
    "api": "the partner API",
    "events": "the feed of a partner's events",
    "intake": "webhooks taken in",
    "people": "an investor by PAN among a million",
    "admin_lists": "the admin's lists with a million orders and investors",
    "rotation": "new keys for 100,000 rows",
    "strangers": "whether the time of an answer tells who is a client",
}
# Only when they are named: they take minutes each.
LONG = {"people", "rotation", "strangers", "sync", "many_orders", "admin_lists"}
Row = dict[str, Any]


def row(
    *,
    work: str,
    unit: str,
    limit: Sequence[float],
    ours: Sequence[float],
    target: float | None,
    at_most: bool = False,
    note: str = "",
) -> Row:
    """A row from paired measurements: `limit[i]` and `ours[i]` were taken side by side in round i.

    The ratio is ours over limit, the median of the rounds' ratios. It must reach `target`, or with `at_most` not exceed
    it; None prints the figure without a verdict.
    """
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, limit, strict=True))
    kept = target is None or (ratio <= target if at_most else ratio >= target)
    sign = "<=" if at_most else ">="
    return {
        "work": work,
        "limit": f"{statistics.median(limit):,.0f} {unit}",
        "ours": f"{statistics.median(ours):,.0f} {unit}",
        "ratio": f"{ratio:.3f}",
        "target": "" if target is None else f"{sign} {target:.2f}",
        "verdict": "" if target is None else "reached" if kept else "MISSED",
        "note": note,
    }
