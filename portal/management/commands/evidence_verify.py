"""Compare an evidence pack with the seal that the audit log keeps of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from portal import evidence


class Command(BaseCommand):
    """Exits 1 when a file of the pack is not what was sealed."""

    help = "Verify an evidence pack (a ZIP that was taken in the admin). Run audit_verify as well: it proves the chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pack", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        problems = evidence.verify(options["pack"].read_bytes())
        if problems:
            raise CommandError("; ".join(problems))
        self.stdout.write("The pack is what was sealed.")
