"""Show the clock, or let time pass in the sandbox: its world and the portal move together."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import clock
from portal.management import world


class Command(BaseCommand):
    """Sandbox only: real money has real time."""

    help = "clock: show. clock advance P1D: a day passes, and what falls due in it is settled."

    def add_arguments(self, parser: CommandParser) -> None:
        """`advance` wants an ISO-8601 duration, `set` a moment."""
        parser.add_argument("act", nargs="?", choices=["show", "advance", "set"], default="show")
        parser.add_argument("value", nargs="?", default="", help="P1D, PT6H, or 2026-11-20T15:01")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints both clocks. Raises CommandError in live mode or when the sandbox does not answer."""
        if not settings.SANDBOX:
            raise CommandError("The clock can be moved in the sandbox only.")
        body = {"advance": {"advance": options["value"]}, "set": {"at": options["value"]}}.get(options["act"])
        if body and not options["value"]:
            raise CommandError(f"clock {options['act']} needs a value, for example: clock advance P1D")
        try:
            moment = world.move(body)
        except world.SandboxRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"sandbox {moment:%d %b %Y %H:%M:%S}")
        self.stdout.write(f"portal  {clock.now():%d %b %Y %H:%M:%S}")
