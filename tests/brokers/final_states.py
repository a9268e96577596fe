"""A table of final states, for tests: what each fault did to an order. Printed, and kept with the artefacts."""

from __future__ import annotations

from tests import world


class FinalStates:
    """Rows of cells below a head, of one broker."""

    def __init__(self, broker: str, *head: str) -> None:
        self.broker = broker
        self.rows: list[tuple[str, ...]] = [head]

    def add(self, *cells: object) -> None:
        """One more row."""
        self.rows.append(tuple(str(cell) for cell in cells))

    def keep(self) -> None:
        """Print the table (`pytest -s` shows it) and write it to the artefacts."""
        widths = [max(len(cell) for cell in column) for column in zip(*self.rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in self.rows
        ]
        print("\n".join(lines))
        world.ARTIFACTS.mkdir(parents=True, exist_ok=True)
        (world.ARTIFACTS / f"final-states-{self.broker}.txt").write_text("\n".join(lines) + "\n")
