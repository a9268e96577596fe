"""Bring fund houses and schemes up to FP's list."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.operations import schemes
from portal import clock
from portal.gateway.errors import GatewayError
from portal.management.progress import ProgressLine


class Command(BaseCommand):
    """`./run sync_schemes`"""

    help = "Fetch every fund house and scheme from FP, and build the search index."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it once, with progress."""
        try:
            done = schemes.sync(at=clock.now(), progress=ProgressLine())
        except (GatewayError, schemes.SyncIncomplete) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.listed:,} schemes listed by FP, {done.changed:,} new or changed, {done.ended:,} no longer listed."
        )
