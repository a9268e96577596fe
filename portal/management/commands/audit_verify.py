"""Walk the audit chain, compare it with an anchor that was kept elsewhere, and print the next anchor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import audit, clock


class Command(BaseCommand):
    """Exits 1 when an entry was changed, removed, reordered, or when the anchor is no longer in the chain."""

    help = "Verify the audit chain. --anchor FILE also compares with, and then renews, an anchor kept elsewhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Without the file a cut tail cannot be seen: nothing in the database says how long the chain was."""
        parser.add_argument("--anchor", type=Path, help="a file on another machine or medium; made on the first run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the length of the chain; raises CommandError with every problem."""
        path: Path | None = options["anchor"]
        found = audit.verify(anchor=_read(path) if path and path.exists() else None)
        if found.problems:
            raise CommandError("The audit log was tampered with:\n" + "\n".join(f"  {p}" for p in found.problems))
        if path:
            path.write_text(json.dumps({"seq": found.last_seq, "hash": found.last_hash, "at": str(clock.now())}) + "\n")
        self.stdout.write(f"{found.entries} entries, unbroken. Anchor: {found.last_seq} {found.last_hash or '-'}")


def _read(path: Path) -> tuple[int, str] | None:
    """The (seq, hash) in the file; None for the anchor of an empty chain. Raises CommandError for another file."""
    try:
        anchor = json.loads(path.read_text())
        seq, digest = int(anchor["seq"]), str(anchor["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is no anchor") from error
    return (seq, digest) if seq else None
