"""Rules that the world changes, each from a day on: cut-offs, ways of paying, payouts (`orders/rulebook.py`)."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q

from orders import rulebook

_SPOKEN = [name for name, sort in rulebook.SORTS.items() if sort.is_spoken]


def _is_written(unit: str) -> Q:
    names = [name for name, sort in rulebook.SORTS.items() if sort.unit == unit]
    return Q(name__in=names, value__regex=rulebook.WRITTEN[unit])


class DatedRule(models.Model):
    """One value from a day on. A later row takes its place; one that has begun never changes and never goes, so that
    what was promised on its days can always be explained. It begins in the first minute of its day, in India."""

    name = models.CharField(
        "rule", max_length=30, choices=[(name, sort.label) for name, sort in rulebook.SORTS.items()]
    )
    # A category, an asset class or a way of paying; empty: everything that has no rule of its own.
    of = models.CharField("of", max_length=80, blank=True)
    valid_from = models.DateField("holds from")
    value = models.CharField(max_length=20)
    words = models.CharField("words for investors", max_length=85, blank=True)
    source = models.CharField(max_length=300)

    class Meta:
        verbose_name = "cut-off or limit"
        verbose_name_plural = "cut-offs and limits"
        ordering = ["name", "of", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["name", "of", "valid_from"], name="one_dated_rule_on_a_day"),
            models.CheckConstraint(
                condition=reduce(or_, (_is_written(unit) for unit in rulebook.WRITTEN)),
                name="a_dated_rule_is_written_in_its_unit",
                violation_error_message="The value is not written in the unit of this rule.",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="a_dated_rule_has_a_source"),
            models.CheckConstraint(
                condition=~Q(name__in=_SPOKEN) | Q(value="0") | ~Q(words=""),
                name="a_dated_rule_that_investors_read_has_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}{f' of {self.of}' if self.of else ''} from {self.valid_from:%d %b %Y}"
