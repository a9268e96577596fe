"""Bring shares up to NSE's list, with the newest closing prices and the brokers' codes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from brokers.operations import codes
from orders.operations import securities
from portal import clock
from portal.errors import Failure
from portal.gateway.errors import GatewayError


class Command(BaseCommand):
    """`./run sync_securities`"""

    help = "Fetch NSE's list of shares, its newest closing prices, and the codes of brokers."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it once. What NSE refused, or what could not be read, ends it with words."""
        at = clock.now()
        try:
            done = securities.sync(at=at)
            day = securities.refresh_prices(at=at)
            coded = codes.refresh(at=at) if "5paisa" in settings.BROKERS else None
        except (GatewayError, Failure) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.listed:,} shares listed by NSE, {done.changed:,} new or changed, {done.ended:,} no longer listed, "
            f"{done.unreadable:,} lines unreadable; prices of {day or 'no newer day'}; "
            f"{coded.known if coded else 0:,} codes of brokers, {coded.missing if coded else 0:,} shares without one."
        )
