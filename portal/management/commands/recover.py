"""Settle everything that is due now, once: unknown outcomes, lost nudges, stale rows, the inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import clock, inbox, jobs, unknowns

MOST_ROUNDS = 100


class Command(BaseCommand):
    """What the beat does every few seconds, on demand and until nothing more is due."""

    help = "Settle unknown outcomes and stale rows now."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--at` looks from another moment: rows due until then are taken."""
        parser.add_argument("--at", type=datetime.fromisoformat, help="an ISO-8601 moment; default: now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints rows touched per sweep. Raises CommandError when a sweep failed."""
        at = options["at"] or clock.now()
        at = at if at.tzinfo else at.replace(tzinfo=clock.IST)
        totals: dict[str, int] = {"inbox": 0}
        for _ in range(MOST_ROUNDS):
            worked = inbox.work(at)
            touched = jobs.recover(at)
            totals["inbox"] += worked
            for name, count in touched.items():
                totals[name] = -1 if count < 0 or totals.get(name) == -1 else totals.get(name, 0) + count
            if worked == 0 and all(count <= 0 for count in touched.values()):
                break
        totals["cases for people"] = unknowns.hand_to_people(at)
        for name, count in totals.items():
            self.stdout.write(f"{name}: " + ("FAILED, see the log above" if count < 0 else f"{count} rows"))
        if -1 in totals.values():
            raise CommandError("at least one sweep failed")
