"""Stop all outbound money, or let it flow again."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal import clock, gates
from portal.models import Gate


class Command(BaseCommand):
    """Closes or opens the gate that is read before every send; rows wait and nothing is lost."""

    help = "kill_switch on|off|status: stop (or resume) everything that moves money."

    def add_arguments(self, parser: CommandParser) -> None:
        """The position and the reason, which goes into the audit log."""
        parser.add_argument("position", choices=["on", "off", "status"])
        parser.add_argument("--gate", default=gates.OUTBOUND_MONEY, choices=gates.names(), help="default: everything")
        parser.add_argument("--reason", default="", help="why, for the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what holds afterwards."""
        if options["position"] != "status":
            gates.turn(
                name=options["gate"],
                closed=options["position"] == "on",
                reason=options["reason"] or f"kill_switch {options['position']} on the command line",
                actor=f"command:{getpass.getuser()}",
                at=clock.now(),
            )
        closed = list(Gate.objects.filter(is_closed=True).order_by("name"))
        for gate in closed:
            what = "no money leaves" if gate.name == gates.OUTBOUND_MONEY else f"gate {gate.name} is closed"
            self.stdout.write(f"Kill switch ON since {gate.changed_at:%d %b %Y %H:%M}: {what}. {gate.reason}")
        if not closed:
            self.stdout.write("Kill switch OFF: money may move.")
        if (said := gates.progress(clock.now())) and not any(gate.name == gates.AFTER_RESTORE for gate in closed):
            self.stdout.write(f"Gate after_restore is open for {said.done} of {said.total} accounts, those compared.")
