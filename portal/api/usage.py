"""How often a partner has called in this minute and this day: counted by the database, in one statement a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from portal.api.errors import Trouble
from portal.clock import IST
from portal.models import ApiUse, Partner

# No call waits for the disk in order to be counted: a count stands for all other calls at once, and what a power cut
# forgets are the calls of its last half second.
_COUNT = """
    INSERT INTO portal_apiuse AS u (partner_id, span, began_at, calls)
    VALUES (%(partner)s, 'DAY', %(day)s, 1), (%(partner)s, 'MINUTE', %(minute)s, 1)
    ON CONFLICT (partner_id, span, began_at) DO UPDATE SET calls = u.calls + 1
    RETURNING span, calls, set_config('synchronous_commit', 'off', true)
"""


@dataclass(frozen=True)
class Left:
    """What is left of one allowance, and in how many seconds it begins anew."""

    allowed: int
    used: int
    seconds: int

    @property
    def calls(self) -> int:
        """Calls that may still be made."""
        return max(self.allowed - self.used, 0)


def count(partner: Partner, at: datetime) -> dict[str, str]:
    """One call more: the headers that tell what is left. Raises Trouble("throttled") when nothing was."""
    local = at.astimezone(IST)
    minute, day = local.replace(second=0, microsecond=0), local.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"partner": partner.pk, "minute": minute, "day": day})
        used = {span: calls for span, calls, _ in cursor.fetchall()}
    spans = (
        Left(partner.calls_per_minute, used["MINUTE"], _until(minute + timedelta(minutes=1), at)),
        Left(partner.calls_per_day, used["DAY"], _until(day + timedelta(days=1), at)),
    )
    headers: dict[str, Any] = _headers(spans)
    if over := [left for left in spans if left.used > left.allowed]:
        raise Trouble("throttled", **headers, Retry_After=str(max(left.seconds for left in over)))
    return headers


def _headers(spans: tuple[Left, Left]) -> dict[str, str]:
    tight = min(spans, key=lambda left: left.calls)
    return {
        "RateLimit-Policy": f"{spans[0].allowed};w=60, {spans[1].allowed};w=86400",
        "RateLimit-Limit": str(tight.allowed),
        "RateLimit-Remaining": str(tight.calls),
        "RateLimit-Reset": str(tight.seconds),
    }


def _until(moment: datetime, at: datetime) -> int:
    return max(int((moment - at).total_seconds()), 1)


KEPT = timedelta(days=400)


def forget(at: datetime) -> None:
    """Minutes are kept for an hour, days for a year and a bit."""
    ApiUse.objects.filter(span=ApiUse.Span.MINUTE, began_at__lt=at - timedelta(hours=1)).delete()
    ApiUse.objects.filter(began_at__lt=at - KEPT).delete()
