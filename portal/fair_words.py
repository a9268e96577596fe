"""What the house may not say to investors: promises, forecasts, rankings, advice, rebates (`data/unfair_words.csv`).

Whatever staff write for investors is looked through before anybody else reads it: words of notices and reasons, words
of baskets, answers to cases, messages to many. Each row of the table is a pattern of words with the reason, the rule
that it comes from and the day from which it is looked for. "Returns are not guaranteed" is fair: such rows do not count
where the words just before deny them. A pattern finds known phrases only; that a text is fair remains for its second
reader to say.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.core.exceptions import ValidationError

from portal import clock

FILE = Path(__file__).with_name("data") / "unfair_words.csv"
# A denial counts over at most two words between it and what it denies: "not in any way guaranteed".
_DENIED = re.compile(r"\b(?:not|no|nor|never|neither|nobody|cannot|without|isn't|aren't|don't)(?: [\w']+){0,3} $")
_DASHES = re.compile(r"[\u2010-\u2015-]")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True)
class Rule:
    """One pattern, why it is unfair, and where that is written."""

    checked_from: date
    pattern: re.Pattern[str]
    unless_denied: bool
    why: str
    source: str
    example: str


@dataclass(frozen=True)
class Unfair:
    """Words of a text and the rule that they break."""

    words: str
    rule: Rule

    def __str__(self) -> str:
        return f"“{self.words}” cannot be said to investors. {self.rule.why} ({self.rule.source}.)"


@cache
def rules() -> tuple[Rule, ...]:
    """The table."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def _read(row: dict[str, str]) -> Rule:
    return Rule(
        checked_from=date.fromisoformat(row["checked_from"]),
        pattern=re.compile(rf"(?<!\w)(?:{row['pattern']})(?!\w)"),
        unless_denied=row["unless_denied"] == "yes",
        why=row["why"],
        source=row["source"],
        example=row["example"],
    )


def unfair(text: str, *, on: date) -> list[Unfair]:
    """What of a text breaks a rule of that day, in the order of the table, once for each rule."""
    said = _plain(text)
    found = ((_first(rule, said), rule) for rule in rules() if rule.checked_from <= on)
    return [Unfair(words, rule) for words, rule in found if words]


def _first(rule: Rule, said: str) -> str:
    for hit in rule.pattern.finditer(said):
        if not (rule.unless_denied and _DENIED.search(said[: hit.start()])):
            return hit.group()
    return ""


def _plain(text: str) -> str:
    """In small letters, with one blank between words, and no look-alikes, unseen characters or hyphens."""
    shown = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).replace("\u2019", "'")
    return " ".join(_DASHES.sub(" ", shown).casefold().split())


def validate_paragraphs(text: str) -> None:
    """The same for a text of several, one a line, with the place of each finding."""
    on = clock.today()
    found: dict[tuple[Rule, int], str] = {}
    for number, paragraph in enumerate(filter(None, text.splitlines()), start=1):
        found |= {(each.rule, number): f"Paragraph {number}: {each}" for each in unfair(paragraph, on=on)}
    known = {rule for rule, _ in found}
    # What begins in one and ends in the next is no better for that.
    across = [f"From one paragraph to the next: {each}" for each in unfair(text, on=on) if each.rule not in known]
    if found or across:
        raise ValidationError([*found.values(), *across])


def validate(text: str) -> None:
    """For fields of forms. Raises ValidationError that names each of the words and its rule."""
    if found := unfair(text, on=clock.today()):
        raise ValidationError([str(each) for each in found])
