"""What the desk keeps: proposals and the rules about them, who works on what, and acts on many rows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from portal import fair_words, identifiers

_PERSON: dict[str, Any] = {"to": settings.AUTH_USER_MODEL, "on_delete": models.PROTECT, "related_name": "+"}


class Proposal(models.Model):
    """An act that one person asked for and that a second one decides. Nothing changes before that.

    `before` and `after` are the values that change, by field; an `after` of null removes the row.
    """

    class State(models.TextChoices):
        ASKED = "ASKED", "waits for a second person"
        # For the length of the transaction that applies it.
        APPROVED = "APPROVED", "approved"
        APPLIED = "APPLIED", "approved and applied"
        REFUSED = "REFUSED", "refused"
        WITHDRAWN = "WITHDRAWN", "withdrawn"

    code = models.CharField(max_length=20, unique=True)
    act = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    # Empty for a row that is to be made.
    subject_id = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=200)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    # What else would be touched, in words: open orders that count on a day that becomes a holiday.
    affects = models.CharField(max_length=300, blank=True)
    rupees = models.DecimalField(max_digits=17, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(**_PERSON)
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    # Did the rule in force ask for a second person? Where not, whoever asked applied it at once.
    needs_second = models.BooleanField(default=True)
    # The role that must decide, where the rule names one.
    role = models.CharField(max_length=40, blank=True)
    decided_by = models.ForeignKey(**_PERSON, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(
                fields=["act", "subject_kind", "subject_id"],
                condition=Q(state="ASKED") & ~Q(subject_id=""),
                name="one_open_proposal_per_act_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_by__isnull=True)
                | Q(state="WITHDRAWN", decided_by=F("asked_by"))
                | Q(state__in=["APPROVED", "APPLIED"], needs_second=False, decided_by=F("asked_by"))
                | (
                    Q(state__in=["APPROVED", "APPLIED", "REFUSED"], decided_by__isnull=False)
                    & ~Q(decided_by=F("asked_by"))
                ),
                name="a_proposal_is_decided_by_a_second_person",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], condition=Q(state="ASKED"), name="proposals_open")]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("PRP")
        super().save(*args, **kwargs)


class SecondPersonRule(models.Model):
    """From a moment on: does an act need a second person, from how many rupees, and of which role? Never changed:
    a later rule takes its place. Without a rule every act needs one.
    """

    act = models.CharField(max_length=40)
    needed = models.BooleanField("a second person decides", default=True)
    from_rupees = models.DecimalField(
        "only from so many rupees", max_digits=17, decimal_places=2, null=True, blank=True
    )
    role = models.CharField("role that decides", max_length=40, blank=True)
    valid_from = models.DateTimeField()

    class Meta:
        app_label = "portal"
        verbose_name = "rule of two persons"
        verbose_name_plural = "rules of two persons"
        constraints = [models.UniqueConstraint(fields=["act", "valid_from"], name="one_rule_per_act_and_moment")]

    def __str__(self) -> str:
        return f"{self.act} from {self.valid_from:%d %b %Y}"


class Wording(models.Model):
    """Words of a catalogue (a reason, a notice) from a moment on, in place of those that the code brings."""

    catalogue = models.CharField(max_length=20)
    key = models.CharField(max_length=60)
    part = models.CharField(max_length=20)
    text = models.TextField(max_length=600)
    valid_from = models.DateTimeField()

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(fields=["catalogue", "key", "part", "valid_from"], name="one_wording_at_a_moment")
        ]

    def __str__(self) -> str:
        return f"{self.catalogue} {self.key} {self.part}"


class Handling(models.Model):
    """Who works on something, and until when it may wait; one row a thing. Cases keep their owner themselves."""

    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    # Looked at, and nothing more to do: it leaves the list although its state stays (a rejected mandate).
    set_aside_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="a_thing_is_handled_in_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"


class WorkItem(models.Model):
    """One thing that needs a person: a row of the view `portal_work`, computed and never stored.

    The view stands in `payments/migrations`, because that app sees all the tables it is made of.
    """

    class Source(models.TextChoices):
        CASE = "case", "cases"
        BREAK = "break", "breaks of reconciliation"
        UNKNOWN = "unknown", "unknown outcomes"
        KYC = "kyc", "KYC to check"
        MANDATE = "mandate", "rejected mandates"
        SIP = "sip", "failed SIPs"
        EVENT = "event", "failed inbound events"
        APPROVAL = "approval", "approvals"

    ref = models.CharField(primary_key=True, max_length=110)
    source = models.CharField("kind", max_length=10, choices=Source)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    title = models.CharField(max_length=300)
    since = models.DateTimeField()
    rupees = models.DecimalField("rupees at risk", max_digits=17, decimal_places=2, null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+")
    snoozed_until = models.DateTimeField(null=True)
    set_aside_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()

    class Meta:
        app_label = "portal"
        managed = False
        db_table = "portal_work"
        verbose_name = "thing to do"
        verbose_name_plural = "inbox"

    def __str__(self) -> str:
        return self.title


class BulkRun(models.Model):
    """One act on many rows. DRAFT is the dry run: nothing is done before somebody starts it with a reason."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", "dry run"
        RUNNING = "RUNNING", "running"
        DONE = "DONE", "finished"
        STOPPED = "STOPPED", "stopped"

    code = models.CharField(max_length=20, unique=True)
    subject_kind = models.CharField(max_length=40)
    act = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    state = models.CharField(max_length=7, choices=State, default=State.DRAFT)
    asked_by = models.ForeignKey(**_PERSON)
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    # The run that this one takes back, line by line.
    undoes = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        app_label = "portal"
        verbose_name = "bulk act"
        constraints = [
            models.UniqueConstraint(
                fields=["undoes"], condition=~Q(state="STOPPED"), name="a_bulk_act_is_undone_by_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="DRAFT") | ~Q(reason=""), name="a_bulk_act_is_started_with_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="bulk_run_due")]

    def __str__(self) -> str:
        return f"{self.code}: {self.label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BLK")
        super().save(*args, **kwargs)


class BulkLine(models.Model):
    """One row of a bulk act: what would happen to it, and what did."""

    class State(models.TextChoices):
        WAITING = "WAITING", "to be done"
        SKIPPED = "SKIPPED", "left out"
        RUNNING = "RUNNING", "under way"
        DONE = "DONE", "done"
        FAILED = "FAILED", "not done"
        UNKNOWN = "UNKNOWN", "outcome unknown"

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="lines")
    subject_id = models.CharField(max_length=110)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    words = models.CharField(max_length=300, blank=True)
    # What the act changed, as it was before; null where it was not begun or cannot be undone.
    before = models.JSONField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "portal"
        verbose_name = "line of a bulk act"
        verbose_name_plural = "lines of a bulk act"
        constraints = [models.UniqueConstraint(fields=["run", "subject_id"], name="a_row_stands_once_in_a_bulk_act")]
        indexes = [models.Index(fields=["run", "state", "id"], name="bulk_lines_of_run")]

    def __str__(self) -> str:
        return self.title


class Broadcast(models.Model):
    """One message to many people in words of staff. Nobody is told before a second person has approved it.

    Who is in the group is decided when it is sent; `people` is how many were when somebody asked for the approval.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", "draft"
        SCHEDULED = "SCHEDULED", "approved, waits for its time"
        SENDING = "SENDING", "being sent"
        SENT = "SENT", "sent"
        CANCELLED = "CANCELLED", "cancelled"

    class Kind(models.TextChoices):
        SERVICE = "SERVICE", "service: everybody gets it"
        PROMOTIONAL = "PROMOTIONAL", "promotional: whoever chose not to get such messages does not"

    code = models.CharField(max_length=20, unique=True)
    subject = models.CharField(max_length=150, validators=[fair_words.validate])
    # Paragraphs, with a blank line between.
    text = models.TextField(max_length=2_000, validators=[fair_words.validate_paragraphs])
    kind = models.CharField(max_length=11, choices=Kind)
    # A key of `audiences.py`, and where it is the group of one thing, which.
    audience = models.CharField("who gets it", max_length=30)
    audience_of = models.CharField("of which scheme or partner", max_length=40, blank=True)
    # Empty: as soon as it is approved.
    send_at = models.DateTimeField("not before", null=True, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(**_PERSON)
    made_at = models.DateTimeField()
    people = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    # The last person whose turn came, in the order of their keys, and how many were told.
    reached = models.PositiveBigIntegerField(default=0)
    told = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "portal"
        verbose_name = "message to many"
        verbose_name_plural = "messages to many"
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="SENT") | Q(started_at__isnull=False, ended_at__isnull=False),
                name="a_message_to_many_that_was_sent_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(told=0) | Q(started_at__isnull=False), name="nobody_is_told_before_it_has_begun"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="broadcast_due")]

    def __str__(self) -> str:
        return f"{self.code}: {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("MSG")
        super().save(*args, **kwargs)


class SavedList(models.Model):
    """A list with its filters under a name, for one member of staff. What was searched for is not kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=80)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)

    class Meta:
        app_label = "portal"
        verbose_name = "saved list"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="a_list_is_saved_once_by_a_name")]

    def __str__(self) -> str:
        return self.name
