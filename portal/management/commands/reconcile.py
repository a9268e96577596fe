"""Compare our orders, payments and holdings with everything the provider has, once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import clock, gates
from portal.gateway.errors import GatewayError
from portal.management import reconciliation, restored


class Command(BaseCommand):
    """Exits 1 when something differs, so that a scheduler notices."""

    help = "Compare orders, payments and holdings with the provider; differences become cases."

    def add_arguments(self, parser: CommandParser) -> None:
        """For a look without alarm."""
        parser.add_argument("--exit-zero", action="store_true", help="exit 0 also when something differs")
        parser.add_argument("--dry-run", action="store_true", help="change nothing here, open no case")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was compared and each difference. Raises CommandError when something differs."""
        try:
            report = reconciliation.run(clock.now(), dry=options["dry_run"])
        except GatewayError as error:
            raise CommandError(f"The provider could not be asked; nothing was concluded. {error}") from error
        self._tell(report)
        count = len(report.differences) + (0 if report.dry else self._after_restore(report))
        if count and not options["exit_zero"]:
            raise CommandError(f"{count} differences; each is a case for operations")
        self.stdout.write(f"{count} differences")

    def _tell(self, report: reconciliation.Report) -> None:
        for name, count in sorted(report.compared.items()):
            self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"{'would be ' if report.dry else ''}caught up here: {report.caught_up}")
        self.stdout.write(f"rupees at risk: {report.at_risk}")
        for each in report.differences:
            self.stdout.write(f"{each.kind}  {each.subject}: {each.text}  (₹{each.rupees})")

    def _after_restore(self, report: reconciliation.Report) -> int:
        """Turn after turn while the gate waits for accounts and FP answers. Returns how many more differences."""
        more = 0
        if any(restored.waiting().values()):
            self.stdout.write("the gate after_restore may be opened: each account acts as soon as it was compared")
        while any(restored.waiting().values()) and any(report.turns.values()):
            self._tell_progress()
            report = reconciliation.run_turn(clock.now())
            more += len(report.differences)
            self._tell(report)
        self._tell_the_rest()
        return more

    def _tell_progress(self) -> None:
        said = gates.progress(clock.now())
        if said:
            end = f", the last about {said.ends_at:%d %b %H:%M} at this pace" if said.ends_at else ""
            self.stdout.write(f"{said.done} of {said.total} accounts compared{end}")

    def _tell_the_rest(self) -> None:
        left = [f"{count} for their {family}s" for family, count in restored.waiting().items() if count]
        if left:
            self.stdout.write(f"the gate after_restore stays closed for accounts that wait: {', '.join(left)}")
        if gates.found_at() and (held := restored.held()):
            self.stdout.write(f"and for {len(held)} until the case about a SIP that only FP has is closed")
