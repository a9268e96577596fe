"""What was told to whom, how it was sent, and what people chose."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Notice(models.Model):
    """One thing told to one person, once: the centre shows it, deliveries carry it further."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    # What makes the same event about the same thing another notice: the code of a payment, an instalment's date.
    about = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=150)
    # One paragraph; what staff write to many may have more, with a blank line between.
    text = models.CharField(max_length=2_000)
    # Label and value, for the mail: [["Units", "12.345"], ...].
    facts = models.JSONField(default=list)
    url = models.CharField("address", max_length=200)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "portal"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event", "subject_kind", "subject_id", "about"], name="a_person_is_told_a_thing_once"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notices_of_person"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notices_unread"),
            # Operations look for what was told about a record, and for all that was told of one event.
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="notices_about"),
            models.Index(fields=["event", "-id"], name="notices_of_event"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def paragraphs(self) -> list[str]:
        """The text as it is set."""
        return [each for each in self.text.splitlines() if each]


class Delivery(models.Model):
    """A notice on its way through one channel. SENDING is committed before the first byte leaves, so that a message
    whose sender died is never sent twice: it becomes UNKNOWN, and operations see it.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "waiting"
        SENDING = "SENDING", "being sent"
        SENT = "SENT", "sent"
        FAILED = "FAILED", "not sent"
        UNKNOWN = "UNKNOWN", "outcome unknown"
        # With the message to many that it belonged to.
        STOPPED = "STOPPED", "cancelled before it was sent"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "portal"
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="a_notice_goes_out_once_per_channel"),
            models.CheckConstraint(
                condition=Q(state="SENT", sent_at__isnull=False) | ~Q(state="SENT"), name="what_was_sent_has_its_time"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.channel} of {self.notice_id}"


class NoticeChoice(models.Model):
    """What a person chose for an event and a channel, where it differs from the catalogue."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choices")
    event = models.CharField(max_length=40)
    channel = models.CharField(max_length=8)
    wanted = models.BooleanField()

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(fields=["user", "event", "channel"], name="one_choice_per_event_and_channel")
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.channel}: {self.wanted}"
