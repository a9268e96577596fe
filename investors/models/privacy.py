"""What investors ask about their own data: a copy of it, and that it is erased."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from investors.models.consents import Consent
from investors.models.people import Owned
from portal import identifiers


class DataExport(Owned):
    """A copy of everything that belongs to the investor, made in the background, kept encrypted for some days."""

    class State(models.TextChoices):
        ASKED = lifecycle.ASKED, "being made"
        MADE = lifecycle.MADE, "ready"
        GONE = lifecycle.GONE, "no longer kept"

    code = models.CharField(max_length=20, unique=True, editable=False)
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.ASKED, editable=False)
    state_since = models.DateTimeField(editable=False)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    made_at = models.DateTimeField(null=True, blank=True, editable=False)
    vault_name = models.CharField(max_length=80, blank=True, editable=False)
    byte_size = models.PositiveIntegerField(default=0, editable=False)
    taken_at = models.DateTimeField("last downloaded", null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor"], condition=Q(state=lifecycle.ASKED), name="one_export_is_made_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state=lifecycle.MADE) ^ Q(vault_name=""), name="a_copy_is_kept_while_it_is_ready"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="data_export_due")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("EXP")
        super().save(*args, **kwargs)


class ErasureRequest(Owned):
    """The wish to be forgotten. It is held for as long as the law wants records, then done by the sweep."""

    class State(models.TextChoices):
        HELD = lifecycle.HELD, "held for the time that the law sets"
        DONE = lifecycle.DONE, "erased"
        WITHDRAWN = lifecycle.WITHDRAWN, "withdrawn"

    code = models.CharField(max_length=20, unique=True, editable=False)
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.HELD, editable=False)
    state_since = models.DateTimeField(editable=False)
    asked_at = models.DateTimeField()
    # Empty while something is still held or on its way here: the term has not begun.
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    why = models.CharField("why it is held", max_length=300, blank=True, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What was erased and what is kept: kind of record -> rows.
    outcome = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor"], condition=Q(state=lifecycle.HELD), name="one_erasure_is_held_per_investor"
            ),
            models.CheckConstraint(
                condition=~Q(state=lifecycle.DONE) | Q(done_at__isnull=False, done_at__gte=F("held_until")),
                name="nothing_is_erased_before_its_term",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="erasure_due")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("ERS")
        super().save(*args, **kwargs)
