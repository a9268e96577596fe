"""Rules that the world changes, as dated data: cut-offs, ways of paying, payouts, SIPs. Pure.

A rule is one value, about everything or about one kind of thing, from a day on, with its source. The newest that has
begun holds; a later one takes its place, and an order of an earlier day keeps being explained by the rule of its day.

    purchase_cutoff         "" 15:00, "Liquid Fund" 13:30                 by category; SEBI's
    payment_cutoff          "" 14:30, "UPI" 14:00 from 1 Jan on           by way of paying; the platform's
    payment_days            "UPI" 0, "NACH" 2                             until the scheme has the money

The rows are `orders.DatedRule` (`orders/queries/rulebook.py` reads them). What a name means to a calculation stands in
`rules.py`, `redemption_rules.py`, `rails.py` and `plan_rules.py`, which are handed the whole `Book`, because what is
bought today may have to be paid on a day with another rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

TIME, DAYS, COUNT, RUPEES, YES_NO = "time of day", "business days", "number", "rupees", "yes or no"
# How a value of each unit is written; the database holds it as well (`orders.DatedRule`).
WRITTEN = {
    TIME: r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
    DAYS: r"^[0-9]{1,2}$",
    COUNT: r"^[1-9]$",
    RUPEES: r"^[1-9][0-9]{0,11}$",
    YES_NO: r"^(yes|no)$",
}
CATEGORY, RAIL, FREQUENCY, NOTHING = "category", "way of paying", "frequency", ""


class Sort(NamedTuple):
    """What a name stands for: words, the unit of its value, and what a rule may be about beside everything.

    `is_spoken`: investors read the words of the rule itself, in the middle of a sentence.
    """

    label: str
    unit: str
    about: str
    is_spoken: bool = False


SORTS: dict[str, Sort] = {
    "purchase_cutoff": Sort("Purchase: SEBI's cut-off", TIME, CATEGORY),
    "previous_day_nav": Sort("Purchase: NAV of the day before", YES_NO, CATEGORY),
    "nav_lag": Sort("NAV comes later than others", DAYS, CATEGORY),
    "payment_cutoff": Sort("Payment: the platform's cut-off", TIME, RAIL),
    "payment_cutoff_liquid": Sort("Payment: the platform's cut-off, NAV of the day before", TIME, RAIL),
    "payment_days": Sort("Payment: until the fund house has the money", DAYS, RAIL, is_spoken=True),
    "payment_limit": Sort("Payment: most a day", RUPEES, RAIL),
    "sale_cutoff": Sort("Sale: cut-off", TIME, CATEGORY),
    "payout_days": Sort("Sale: money in the bank", DAYS, CATEGORY, is_spoken=True),
    "sip_failures": Sort("SIP: failures in a row that end it", COUNT, FREQUENCY),
    "sip_end_days": Sort("SIP: until the fund house has ended it", DAYS, NOTHING),
}
# What a rule is about when it is about everything.
EVERYTHING = ""


@dataclass(frozen=True)
class Rule:
    """One value from a day on. `words` are for investors, where they read any."""

    name: str
    of: str
    valid_from: date
    value: str
    source: str = ""
    words: str = ""


@dataclass(frozen=True)
class Book:
    """Every rule with its days: those in force, those to come, and those that have passed."""

    rules: tuple[Rule, ...]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], list[Rule]]:
        found: dict[tuple[str, str], list[Rule]] = {}
        for rule in sorted(self.rules, key=lambda rule: rule.valid_from):
            found.setdefault((rule.name, rule.of), []).append(rule)
        return found

    def find(self, name: str, *of: str, on: date) -> Rule | None:
        """What holds on a day for the first of `of` that has a rule, else for everything; None where nothing does."""
        for key in (*of, EVERYTHING):
            begun = [rule for rule in self._by_key.get((name, key), ()) if rule.valid_from <= on]
            if begun:
                return begun[-1]
        return None

    def rule(self, name: str, *of: str, on: date) -> Rule:
        """The same. Before the first rule of all the oldest one holds: nobody has entered what was before it.

        Raises KeyError where there has never been one.
        """
        if found := self.find(name, *of, on=on):
            return found
        for key in (*of, EVERYTHING):
            if (name, key) in self._by_key:
                return self._by_key[name, key][0]
        raise KeyError(f"no rule {name} of {' or '.join(of) or 'everything'}")

    def time_of(self, name: str, *of: str, on: date) -> time:
        """A time of day, in IST, before which something must have happened. At the very second it is too late."""
        return time.fromisoformat(self.rule(name, *of, on=on).value)

    def number_of(self, name: str, *of: str, on: date) -> int:
        """So many business days, or how many."""
        return int(self.rule(name, *of, on=on).value)

    def is_so(self, name: str, *of: str, on: date) -> bool:
        """Yes or no."""
        return self.rule(name, *of, on=on).value == "yes"

    def limit_of(self, name: str, *of: str, on: date) -> Decimal | None:
        """Rupees; None where there is no limit."""
        found = self.find(name, *of, on=on)
        return Decimal(found.value) if found else None

    def with_rule(self, rule: Rule) -> Book:
        """The book as it would be: what a proposal would change."""
        others = (each for each in self.rules if (each.name, each.of, each.valid_from) != _key(rule))
        return replace(self, rules=(*others, rule))


def _key(rule: Rule) -> tuple[str, str, date]:
    return rule.name, rule.of, rule.valid_from
