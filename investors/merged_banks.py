"""Banks that became part of another one, whose IFSCs ended with that (`data/merged_banks.csv`; screens.md F10).

An account keeps its number through a merger and gets another IFSC. Money sent to the old one comes back, and a bank
rejects a mandate on it, so an old code is not taken, and an account that was registered with one is marked.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("data") / "merged_banks.csv"


@dataclass(frozen=True)
class Merged:
    """A bank that is part of another one."""

    name: str
    became: str
    became_name: str
    merged_on: date
    # The last good day of the old codes; None where no bank has published one.
    last_day: date | None
    # What Canara Bank adds to the number of a branch of Syndicate Bank; None where the new code must be looked up.
    add: int | None

    @property
    def words(self) -> str:
        """What happened, for whoever typed or has such a code."""
        ended = f" The old IFSCs ended on {self.last_day:%-d %b %Y}." if self.last_day else " It has other IFSCs now."
        return f"{self.name} has been part of {self.became_name} since {self.merged_on:%-d %b %Y}.{ended}"

    @property
    def no_mandate(self) -> str:
        """Why an account with such a code takes no mandate, and what to do."""
        return f"{self.words} A bank rejects a mandate on the old IFSC. Add the account again with its new one first."

    @property
    def debits(self) -> str:
        """What it means for debits under a mandate that was given on such a code."""
        return (
            f"{self.words} Debits on the old IFSC may be refused: add the account with its new one, and give a mandate."
        )

    def new_code(self, ifsc: str) -> str:
        """The code that this one has become, where that follows from the old one; else an empty text."""
        number = ifsc[5:]
        if self.add is None or not number.isdigit() or int(number) >= self.add:
            return ""
        return f"{self.became}0{int(number) + self.add:06d}"


def of(ifsc: str) -> Merged | None:
    """What became of the bank of this code; None for a bank that is there as it was."""
    return _all().get(ifsc[:4].upper())


def what_it_means(ifsc: str) -> str:
    """For somebody who has an account with this code: what happened, and what to do; empty while the code is good."""
    merged = of(ifsc)
    if merged is None:
        return ""
    return (
        f"{merged.words} Money that is paid out to this code may come back, and a bank rejects a mandate on it. The "
        "account number stays as it is: add the account again with its new IFSC, make that one the main account, and "
        "close this one."
    )


def old() -> list[str]:
    """The first four letters of every IFSC that has ended so."""
    return list(_all())


@cache
def _all() -> dict[str, Merged]:
    with FILE.open(newline="") as file:
        return {row["bank"]: _read(row) for row in csv.DictReader(file)}


def _read(row: dict[str, str]) -> Merged:
    return Merged(
        name=row["name"],
        became=row["became"],
        became_name=row["became_name"],
        merged_on=date.fromisoformat(row["merged_on"]),
        last_day=date.fromisoformat(row["last_day"]) if row["last_day"] else None,
        add=int(row["add"]) if row["add"] else None,
    )
