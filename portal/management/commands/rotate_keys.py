"""Re-encrypt everything under the newest key and make every blind index under the newest index key.

How to rotate with no downtime:

1. Put the new key at the end of FIELD_KEYS (and INDEX_KEYS) and restart everything: now every process can read it.
2. Put it in front and restart everything: now every process writes it.
3. Run this command. Rows stay readable and findable throughout, because all listed keys decrypt and look up.
4. When it says that nothing is left under an older key, drop the old one and restart.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.management import rotation
from portal.management.progress import ProgressLine

BATCH = 500
PASSES = 3


class Command(BaseCommand):
    """Works in batches, each its own transaction, so that it can be stopped and started again."""

    help = "Bring every encrypted value, blind index and file under the newest keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """The size of a batch bounds how long rows stay locked."""
        parser.add_argument("--batch", type=int, default=BATCH)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints progress per table. Raises CommandError when a value opens under no current key, or is still held."""
        began = time.monotonic()
        for number in range(PASSES):
            done = self._pass(options["batch"])
            renewed = sum(count.renewed for count in done.values())
            if number == 0:
                self._say(done)
                self.stdout.write(f"{renewed:,} renewed in {time.monotonic() - began:.1f} s; looking again ...")
            elif not renewed:
                self.stdout.write("Nothing is left under an older key: it may be dropped.")
                return
        raise CommandError(
            "While this ran, values were written under an older key: a process still runs with the settings of before."
        )

    def _pass(self, batch: int) -> dict[str, rotation.Count]:
        try:
            return rotation.run(batch=batch, progress=ProgressLine())
        except (rotation.OpensUnderNoKey, rotation.Held) as trouble:
            raise CommandError(str(trouble)) from None

    def _say(self, done: dict[str, rotation.Count]) -> None:
        for what, count in done.items():
            self.stdout.write(f"{what}: {count.rows:,} rows, {count.renewed:,} renewed")
