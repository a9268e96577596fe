"""`./run bench [name ...]`: each work beside its limit, as ratios of one run. Fails only when it cannot measure."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand

from portal.management.bench import BENCHES, LONG, Row
from portal.management.bench.database import throw_away

COLUMNS = ("work", "limit", "ours", "ratio", "target", "verdict", "note")


class Command(BaseCommand):
    """Run the benchmarks in a database of their own."""

    help = "Measure pages, order placement and the NAV ingest, each beside its limit, in a throw-away database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The names of benches; none means all but the long ones."""
        parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="name", help=", ".join(BENCHES))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print."""
        rows: list[Row] = []
        self.stderr.write("creating a database for the benchmarks ...")
        with throw_away():
            for name in options["names"] or [name for name in BENCHES if name not in LONG]:
                self.stderr.write(f"{name}: {BENCHES[name]} ...")
                rows += import_module(f"portal.management.bench.{name}").run()
        self.stdout.write(table(rows))


def table(rows: list[Row]) -> str:
    """The rows in columns, as wide as their widest cell."""
    cells = [list(COLUMNS), *([str(row.get(column, "")) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(COLUMNS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
