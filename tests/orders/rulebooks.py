"""The dated rules as a release brings them, for tests of pure functions."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from orders.rulebook import Book, Rule

_FILE = Path(__file__).parents[2] / "orders" / "data" / "rules.csv"
BOOK = Book(
    tuple(
        Rule(**row | {"valid_from": date.fromisoformat(row["valid_from"])})  # type: ignore[arg-type]
        for row in csv.DictReader(_FILE.open(encoding="utf-8"))
    )
)
