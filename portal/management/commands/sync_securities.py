"""Bring shares up to NSE's list, with the newest closing prices."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.operations import securities
from portal import clock
from portal.errors import Failure
from portal.gateway.errors import GatewayError


class Command(BaseCommand):
    """`./run sync_securities`"""

    help = "Fetch NSE's list of shares and its newest closing prices."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it once. What NSE refused, or what could not be read, ends it with words."""
        at = clock.now()
        try:
            done = securities.sync(at=at)
            day = securities.refresh_prices(at=at)
        except (GatewayError, Failure) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.listed:,} shares listed by NSE, {done.changed:,} new or changed, {done.ended:,} no longer listed, "
            f"{done.unreadable:,} lines unreadable; prices of {day or 'no newer day'}."
        )
