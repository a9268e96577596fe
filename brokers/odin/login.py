"""Logging in through ODIN for the day: its brokers, the page to log in, and the way back (providers.md 2.3).

How long a session lasts is not documented. We take it to be its day, and let ODIN say so earlier: each use asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.conf import settings
from django.core.cache import cache

from brokers.adapter import House, LoggedIn, Returned
from brokers.odin import events
from brokers.odin.client import client
from portal.clock import IST

LIST_LASTS_S = 3600
_LIST = "odin-brokers"


class OdinLogin:
    """ODIN's persistence login."""

    @property
    def must_be_asked(self) -> bool:
        """ODIN asks at our TwoWayAuth address about every login that it begins for us."""
        return bool(settings.ODIN_TWO_WAY_AUTH)

    def houses(self) -> list[House]:
        """ODIN's brokers, as it listed them within the last hour."""
        known = cache.get(_LIST)
        if known is None:
            known = [(each.partner_id, each.name or each.partner_id) for each in client().list_brokers()]
            cache.set(_LIST, known, LIST_LASTS_S)
        return [House(code, name) for code, name in known]

    def url(self, *, state: str, house: str) -> str:
        """The broker's login page; our state is ODIN's two-way token."""
        return client().login_url(house, state)

    def read(self, params: Mapping[str, str], at: datetime) -> Returned:
        """A login, a login that came to nothing, or the way back from a basket: that one carries an echo."""
        back = events.read_return(params)
        if back.is_basket:
            return Returned(is_login=False)
        if not back.succeeded:
            return Returned()
        return Returned(
            LoggedIn(
                account_ref=back.vas_user_id,
                session=back.session,
                session_expires_at=_end_of(at),
                label=back.trading_user_id,
            )
        )


def _end_of(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(IST).date() + timedelta(days=1), time(), tzinfo=IST)
