"""What a bank can do, by the first four letters of an IFSC: NPCI's lists of live members (`data/banks.csv`)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("data") / "banks.csv"


@dataclass(frozen=True)
class Facts:
    """Which ways of paying a bank takes part in."""

    upi: bool
    paper_mandate: bool
    e_mandate: bool

    @property
    def words(self) -> str:
        """`UPI, e-mandates and paper mandates`; `none of UPI and mandates`."""
        offered = ((self.upi, "UPI"), (self.e_mandate, "e-mandates"), (self.paper_mandate, "paper mandates"))
        names = [name for there, name in offered if there]
        return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "neither UPI nor mandates"


def of(ifsc: str) -> Facts | None:
    """The facts of the branch's bank; None for a bank that the lists do not name."""
    return _all().get(ifsc[:4].upper())


@cache
def _all() -> dict[str, Facts]:
    with FILE.open(newline="") as file:
        return {
            row["bank"]: Facts(*(row[name] == "1" for name in ("upi", "paper_mandate", "e_mandate")))
            for row in csv.DictReader(file)
        }
