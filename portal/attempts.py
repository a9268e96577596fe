"""The row is the queue: what every row that speaks to a provider carries.

    claim    lock the row, check the state, open an attempt with a lease and a fencing number, commit
    call     no transaction is open; the journal's row is committed to disk before the first byte leaves, and the claim
             with it
    record   lock the row again; only the holder of the fencing number closes the attempt

`due_at` says when somebody must look at the row again, whatever happened to its nudge. `recover` takes rows whose
`due_at` has passed with FOR UPDATE SKIP LOCKED, moves `due_at` on, commits, and lets the app advance each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.db.models import Q

# A lease outlives the longest call: 3 s to connect and 30 s to read, with room for a slow commit.
LEASE = timedelta(seconds=45)
# Seconds after the unknown outcome at which it is looked up, then every ten minutes (reliability.md P4 asks for 2, 10,
# 30 s, 2, 5, 10 min; the looks between cost one read each and settle a slow provider sooner).
LOOK_UP_AFTER_S = (2, 5, 10, 20, 30, 45, 60, 90, 120, 300, 600)
LOOK_UP_EVERY_S = 600
# An unknown that is older than this becomes a case for a person (P4: 15 minutes).
PATIENCE = timedelta(minutes=15)


# Kinds that do not follow the model's name.
UNKNOWN_CASES = {
    "orders.MfOrder": "order_outcome_unknown",
    "investors.ChangeRequest": "change_outcome_unknown",
    "investors.KycRequest": "kyc_request_unknown",
    "investors.Investor": "registration_unknown",
}


class Attempted(models.Model):
    """Columns of a row that is sent to a provider by attempts."""

    class Outcome(models.TextChoices):
        NONE = "", "no open attempt"
        OPEN = "OPEN", "being sent"
        UNKNOWN = "UNKNOWN", "outcome unknown"

    attempt = models.CharField(max_length=8, choices=Outcome, default=Outcome.NONE, blank=True, editable=False)
    attempt_no = models.PositiveIntegerField("attempts", default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    unknown_since = models.DateTimeField(null=True, blank=True, editable=False)
    looks = models.PositiveIntegerField("looks since the last news", default=0, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_unknown(self) -> bool:
        """Sent, and nobody has told us what became of it."""
        return self.attempt == self.Outcome.UNKNOWN

    def open_attempt(self, at: datetime) -> int:
        """Take the lease; returns the fencing number that `holds` asks for. The caller holds the row lock."""
        leave_the_disk_to_the_journal()
        self.attempt = self.Outcome.OPEN
        self.attempt_no += 1
        self.lease_until = self.due_at = at + LEASE
        return self.attempt_no

    @classmethod
    def unknown_case(cls) -> str:
        """The kind of the case about a row of which nobody knows whether the provider has it."""
        return UNKNOWN_CASES.get(cls._meta.label, f"{cls._meta.model_name}_outcome_unknown")

    def holds(self, fence: int) -> bool:
        """Is the attempt with this fencing number still the one that may record?"""
        return self.attempt_no == fence

    def close_attempt(self) -> None:
        """The outcome is known."""
        self.attempt = self.Outcome.NONE
        self.lease_until = self.unknown_since = None
        self.looks = 0

    def mark_unknown(self, at: datetime) -> None:
        """The outcome is not known: keep the state and look it up soon."""
        self.attempt = self.Outcome.UNKNOWN
        self.lease_until = None
        self.unknown_since = self.unknown_since or at
        self.looks = 0
        self.due_at = at + timedelta(seconds=LOOK_UP_AFTER_S[0])

    def lease_ran_out(self, at: datetime) -> bool:
        """An attempt is open but its worker has been silent for longer than a call can take."""
        return self.attempt == self.Outcome.OPEN and self.lease_until is not None and self.lease_until <= at

    def out_of_patience(self, at: datetime) -> bool:
        """Unknown for so long that a person must look."""
        return self.unknown_since is not None and at - self.unknown_since >= PATIENCE

    def look_again(self, at: datetime) -> None:
        """Set the next look-up on the schedule of P4, counted from the moment at which the outcome became unknown."""
        since = self.unknown_since or at
        self.looks += 1
        planned = [since + timedelta(seconds=seconds) for seconds in LOOK_UP_AFTER_S[self.looks :]]
        self.due_at = next((moment for moment in planned if moment > at), at + timedelta(seconds=LOOK_UP_EVERY_S))


def leave_the_disk_to_the_journal() -> None:
    """This transaction's commit does not wait for the disk: the journal's row does, and it stands behind it in the log.

    PostgreSQL's log is written in order, so what made the first byte leave is on disk with the row of its call. Should
    the database stop between the two, both are gone and nothing was sent (P1).
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


# Every column of the mixin, for `save(update_fields=...)`.
ATTEMPT_FIELDS = ("attempt", "attempt_no", "lease_until", "unknown_since", "looks", "due_at")


def attempt_constraints(name: str, sending: tuple[str, ...]) -> list[models.BaseConstraint]:
    """An attempt may be open or unknown only in a state in which we are sending."""
    return [
        models.CheckConstraint(
            condition=Q(attempt="") | Q(state__in=sending), name=f"{name}_attempt_is_open_only_while_sending"
        )
    ]


def due_index(name: str) -> models.Index:
    """The partial index behind `claim_due`: only rows that somebody must still look at."""
    return models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name=f"{name}_due")


def claim_due(model: type[models.Model], *, at: datetime, pace: Mapping[str, float], limit: int = 100) -> list[int]:
    """Ids of up to `limit` rows whose `due_at` has passed; each is moved on by its state's pace before the commit.

    `pace` gives the seconds until the next look by state. Several workers may call this at once: each row goes to one.
    """
    manager = model._default_manager
    with transaction.atomic():
        rows = list(
            manager.select_for_update(skip_locked=True)
            .filter(due_at__lte=at)
            .order_by("due_at")
            .values_list("pk", "state")[:limit]
        )
        for state in {state for _, state in rows}:
            ids = [pk for pk, its_state in rows if its_state == state]
            manager.filter(pk__in=ids).update(due_at=at + timedelta(seconds=pace.get(state, 60)))
    return [pk for pk, _ in rows]
