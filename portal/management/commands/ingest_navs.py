"""Take in NAVs: AMFI's newest file, a file on disk, or a span of AMFI's history."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.models import NavRun
from orders.operations import nav_fetch, navs
from portal import clock
from portal.gateway.errors import GatewayError
from portal.management.progress import ProgressLine

BAD_LINES_SHOWN = 10


class Command(BaseCommand):
    """`./run ingest_navs [file] [--history FROM TO [--schemes CODES]]`"""

    help = "Take in a whole NAV file in one go, or nothing of it. The same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A file, or a span; without either AMFI's newest file."""
        parser.add_argument("file", nargs="?", type=Path, help="a NAV file of AMFI's, daily or history")
        parser.add_argument(
            "--history", nargs=2, type=date.fromisoformat, metavar=("FROM", "TO"), help="2025-01-01 2025-12-31"
        )
        parser.add_argument("--schemes", default="", metavar="CODES", help="AMFI codes with commas, for --history")
        parser.add_argument(
            "--accept-short", action="store_true", help="take a file with clearly fewer schemes than the last one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it once, with progress."""
        now, progress = clock.now(), ProgressLine()
        try:
            if options["history"]:
                self._history(now, progress, options)
            else:
                self._report(self._day(now, progress, options))
        except (GatewayError, navs.NavFileRefused, OSError) as error:
            raise CommandError(str(error)) from error

    def _day(self, now: datetime, progress: ProgressLine, options: dict[str, Any]) -> NavRun | None:
        path: Path | None = options["file"]
        if path is None:
            return nav_fetch.fetch_day(at=now, progress=progress)
        return navs.ingest(
            raw=path.read_bytes(),
            source=path.name,
            at=now,
            progress=progress,
            accept_short=options["accept_short"],
        )

    def _history(self, now: datetime, progress: ProgressLine, options: dict[str, Any]) -> None:
        first, last = options["history"]
        codes = frozenset(code.strip() for code in options["schemes"].split(",") if code.strip())
        changed = navs.fetch_history(first=first, last=last, codes=codes, at=now, progress=progress)
        self.stdout.write(f"{changed:,} NAVs new or corrected from {first} to {last}.")

    def _report(self, run: NavRun | None) -> None:
        if run is None:
            self.stdout.write("AMFI's file is still the one we know. Nothing to do.")
            return
        self.stdout.write(
            f"{run.source}: {run.lines:,} lines, {run.accepted:,} NAVs, {run.changed:,} new or corrected, "
            f"{run.unreadable:,} unreadable, newest of {run.newest_on}."
        )
        for bad in run.bad_lines[:BAD_LINES_SHOWN]:
            self.stdout.write(f"  line {bad['line']}: {bad['why']}: {bad['text']}")
        if run.unreadable > BAD_LINES_SHOWN:
            self.stdout.write(f"  … and {run.unreadable - BAD_LINES_SHOWN} more, see the NAV run in the admin")
