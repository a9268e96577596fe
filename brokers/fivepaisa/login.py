"""Logging in at 5paisa for the day: its OAuth page, and the way back with a token that works once (document 004, 1).

The request token lives for half a minute or an hour, as one believes (providers.md 7 #28): it is exchanged at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from brokers.adapter import House, LoggedIn, Returned
from brokers.fivepaisa import auth
from brokers.fivepaisa.client import client


class FivePaisaLogin:
    """5paisa's OAuth page. It echoes our state in the browser's address."""

    must_be_asked = False

    def houses(self) -> list[House]:
        """5paisa is the broker itself."""
        return [House("", "5paisa")]

    def url(self, *, state: str, house: str) -> str:
        """The login page, with the way back to us."""
        back = settings.PUBLIC_URL.rstrip("/") + reverse("brokers:callback", args=["5paisa"])
        return client().login_url(back, state)

    def read(self, params: Mapping[str, str], at: datetime) -> Returned:
        """The session that the request token stands for; without one, nobody logged in. Raises gateway errors."""
        said = {key.lower(): value for key, value in params.items()}
        state, token = said.get("state", ""), said.get("requesttoken", "")
        if not token or not state:
            return Returned(state=state)
        login = client().create_access_token(token)
        return Returned(
            LoggedIn(
                account_ref=login.client_code,
                session=login.access_token,
                session_expires_at=auth.ends_at(login.access_token, at),
                house="",
                label=login.client_code,
            ),
            state=state,
        )
