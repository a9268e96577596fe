"""What the kernel keeps: people who sign in, partners, evidence (audit, journal, inbox), and cases for people.

Evidence is append-only: triggers in the database refuse to change or delete an audit entry, and chain each entry to
the one before it (see migration `0002_guards` and `portal/audit.py`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower, Now

from portal import case_terms, identifiers
from portal.addresses import validate_networks, validate_origins


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address: there is no user name."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user with a hashed password; without one, the password is unusable and e-mail codes log in."""
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user with every right, for the first installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractUser):
    """Somebody who signs in: an investor, a member of staff, or a partner's person."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("email", max_length=254)
    mobile = models.CharField(max_length=10, blank=True)
    # Notices that the person has not read, ten for more: known where a session was opened (`portal/sessions.py`).
    unread = 0

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email_address")]
        # A policy lets an index answer plain comparisons only, so addresses are kept and asked for in lower case.
        indexes = [models.Index(fields=["email"], name="user_by_email")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)


class Session(AbstractBaseSession):
    """A browser's session. `user` is whom its signed data names: known here so that one statement can open both."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from portal.sessions import SessionStore

        return SessionStore


class Partner(models.Model):
    """A firm that brings investors and speaks to our API: a sub-broker (ARN, EUIN) or a fintech.

    `is_active` says whether we work together; closing the API is the emergency stop beside it.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    arn = models.CharField("ARN", max_length=20, blank=True)
    # What stops after it: `portal/arns.py`.
    arn_until = models.DateField(
        "ARN good until", null=True, blank=True, help_text="Its last good day. Empty: nobody watches it."
    )
    # AMFI's number of the person who advises, for orders that are not execution only.
    euin = models.CharField("EUIN", max_length=7, blank=True)
    # Whose people see sums of this firm's book in their console, and never its investors; at most three levels.
    head = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="beneath", verbose_name="works through",
        help_text="The firm that brought this one. It sees sums of this firm's book, never an investor.",
    )  # fmt: skip
    is_active = models.BooleanField(default=True)
    api_closed_at = models.DateTimeField("API closed", null=True, blank=True, editable=False)
    api_closed_why = models.CharField("why the API is closed", max_length=300, blank=True, editable=False)
    # Addresses and networks that may call; empty lets every address call.
    networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        blank=True,
        validators=[validate_networks],
        help_text="Addresses or networks that may call the API, with commas between them. Empty: any address.",
    )
    # Where people may be sent back to after a page of ours: schemes and hosts.
    origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        validators=[validate_origins],
        help_text="Where pages of ours may send people back to, for example https://app.partner.example",
    )
    calls_per_minute = models.PositiveIntegerField(default=300, validators=[MinValueValidator(1)])
    calls_per_day = models.PositiveIntegerField(default=100_000, validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(calls_per_minute__gte=1, calls_per_day__gte=1), name="a_partner_may_call_at_all"
            ),
            models.CheckConstraint(
                condition=Q(api_closed_at=None) | ~Q(api_closed_why=""), name="a_closed_api_says_why"
            ),
            models.CheckConstraint(
                condition=Q(arn_until=None) | ~Q(arn=""),
                name="a_last_good_day_is_that_of_an_arn",
                violation_error_message="Enter the ARN that ends on this day.",
            ),
            models.CheckConstraint(
                condition=Q(head=None) | ~Q(head=F("id")),
                name="no_firm_works_through_itself",
                violation_error_message="A firm does not work through itself.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Euin(models.Model):
    """AMFI's number of an employee who may advise, with its first and last good day (`portal/euins.py`)."""

    number = models.CharField(
        "EUIN", max_length=7, unique=True, validators=[RegexValidator(identifiers.EUIN.pattern, identifiers.NO_EUIN)]
    )
    holder = models.CharField("whose it is", max_length=120)
    partner = models.ForeignKey(
        Partner,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="euins",
        help_text="Where this person works. Empty: one of ours.",
    )
    good_from = models.DateField("good from")
    good_until = models.DateField("good until", help_text="Its last good day.")

    class Meta:
        verbose_name = "EUIN"
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^E[0-9]{6}$"),
                name="an_euin_is_an_e_with_six_digits",
                violation_error_message=identifiers.NO_EUIN,
            ),
            models.CheckConstraint(
                condition=Q(good_until__gte=F("good_from")),
                name="an_euin_ends_after_it_begins",
                violation_error_message="The last good day comes before the first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.holder}"


class AuditEntry(models.Model):
    """Who did what to which object, when and why. Written by operations; never changed, never deleted."""

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=120)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    reason = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    # From which door it came: admin, site, api, worker, console. Empty in entries from before doors were kept.
    door = models.CharField(max_length=10, blank=True, db_default="")

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["subject_kind", "subject_id", "id"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"


class AuditLink(models.Model):
    """One link of the chain: written by the database itself when the transaction of an entry commits."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, related_name="link")
    seq = models.BigIntegerField(primary_key=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"


class GatewayCall(models.Model):
    """One call to a provider, redacted: the real conversation, shown on the page of what it was about.

    The row of a *write* is committed as SENDING before the first byte leaves. So a sending attempt without a row never
    left this machine, and a row that stays SENDING means that the outcome is unknown.
    """

    class Outcome(models.TextChoices):
        SENDING = "SENDING", "sending"
        OK = "OK", "answered"
        UNREACHABLE = "UNREACHABLE", "not sent"
        THROTTLED = "THROTTLED", "asked to slow down"
        OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN", "outcome unknown"
        NOT_AUTHORISED = "NOT_AUTHORISED", "not authorised"
        REFUSED = "REFUSED", "refused"
        GARBLED = "GARBLED", "unreadable answer"

    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    our_ref = models.CharField(max_length=60, blank=True)
    attempt_no = models.PositiveIntegerField(default=0)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    request_body = models.JSONField(null=True, blank=True)
    response_body = models.JSONField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    # Whose request made the call: `user:7`, or `all` for a worker. A request sees the calls that it made.
    written_as = models.CharField(
        max_length=40,
        editable=False,
        db_default=Coalesce(
            models.Func(models.Value("portal.scope"), models.Value(True), function="current_setting"),
            models.Value(""),
            output_field=models.CharField(),
        ),
    )

    class Meta:
        verbose_name = "provider call"
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "id"], name="call_by_subject"),
            models.Index(fields=["our_ref"], condition=~Q(our_ref=""), name="call_by_our_ref"),
            models.Index(fields=["started_at"], name="call_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.method} {self.path} {self.outcome}"


class InboundEvent(models.Model):
    """A doorbell that rang: a webhook or a browser's return, stored before anything is done about it."""

    class State(models.TextChoices):
        NEW = "NEW", "to be worked"
        DONE = "DONE", "worked"
        FAILED = "FAILED", "needs a look"

    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    body = models.JSONField(default=dict)
    state = models.CharField(max_length=6, choices=State, default=State.NEW)
    tries = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    times_seen = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "fingerprint"], name="an_inbound_event_is_stored_once")
        ]
        indexes = [models.Index(fields=["received_at"], condition=Q(state="NEW"), name="inbox_to_be_worked")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"


class Case(models.Model):
    """Something that a person must look at. One open case per kind and subject, however often it is reported."""

    class State(models.TextChoices):
        OPEN = "OPEN", "open"
        CLOSED = "CLOSED", "closed"

    code = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    # How much money is at risk, where that can be said.
    rupees = models.DecimalField("rupees at risk", max_digits=17, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=6, choices=State, default=State.OPEN)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases")
    opened_at = models.DateTimeField()
    # By when a person must have taken it up, and by when it must be settled (`portal/case_terms.py`).
    look_by = models.DateTimeField(editable=False, db_default=Now())
    settle_by = models.DateTimeField(editable=False, db_default=Now())
    # Which of the two counts: somebody who has claimed it has looked.
    due_at = models.GeneratedField(
        expression=models.Case(models.When(owner=None, then=F("look_by")), default=F("settle_by")),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    reported_at = models.DateTimeField()
    times_reported = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_kind", "subject_id"],
                condition=Q(state="OPEN"),
                name="one_open_case_per_kind_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", closed_at__isnull=True) | Q(state="CLOSED", closed_at__isnull=False),
                name="a_case_is_closed_exactly_when_it_has_a_closing_time",
            ),
        ]
        indexes = [
            models.Index(fields=["opened_at"], condition=Q(state="OPEN"), name="cases_open"),
            # As the list is sorted. Of `due_at` alone it would be a queue of the background (`portal/admin/queues.py`).
            models.Index(fields=["due_at", "id"], condition=Q(state="OPEN"), name="cases_due"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("CASE")
        if self._state.adding:
            self.look_by, self.settle_by = case_terms.moments(self.kind, self.opened_at)
        super().save(*args, **kwargs)


class Gate(models.Model):
    """A gate in front of everything that moves money, read before every send. Closed by ops or by a breaker."""

    name = models.CharField(max_length=40, primary_key=True)
    is_closed = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True)
    changed_by = models.CharField(max_length=120, blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {'closed' if self.is_closed else 'open'}"


class Heartbeat(models.Model):
    """When a background part of the system was last heard."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class JobRun(models.Model):
    """How the last runs of a scheduled task went (written by `portal/celery.py`)."""

    task = models.CharField(max_length=100, primary_key=True)
    runs = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    ran_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.task


class Provider(models.Model):
    """What all processes share about a provider: the line for the next call, and when it last answered.

    Of trouble and answers this hears twice a minute and process at most; the journal has each call.
    """

    name = models.CharField(max_length=20, primary_key=True)
    # Until here the line of calls is taken (portal/gateway/shared.py).
    free_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)
    trouble_at = models.DateTimeField(null=True)
    # A breaker of some process lets no call through until then, or waits so long for the one call that tries again.
    open_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class RoleChange(models.Model):
    """A role that one person wants given or taken, and what a second one said. Nothing changes before that."""

    class State(models.TextChoices):
        ASKED = "ASKED", "waits for a second person"
        # For the length of the transaction that applies it.
        APPROVED = "APPROVED", "approved"
        APPLIED = "APPLIED", "approved and applied"
        REFUSED = "REFUSED", "refused"
        WITHDRAWN = "WITHDRAWN", "withdrawn"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_changes")
    role = models.CharField(max_length=40)
    give = models.BooleanField()
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_changes_asked")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="role_changes_decided"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], condition=Q(state="ASKED"), name="one_open_role_change"),
            models.CheckConstraint(condition=~Q(asked_by=F("user")), name="nobody_asks_for_a_role_of_their_own"),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_by__isnull=True)
                | Q(state="WITHDRAWN", decided_by=F("asked_by"))
                | (
                    Q(state__in=["APPROVED", "APPLIED", "REFUSED"], decided_by__isnull=False)
                    & ~Q(decided_by=F("asked_by"))
                    & ~Q(decided_by=F("user"))
                ),
                name="a_role_change_is_decided_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{'Give' if self.give else 'Take'} {self.role}"


# Models of the kernel with a folder of their own.
from portal.api.models import ApiKey, ApiUse, FirmRequest, IdempotentCall, PartnerMember  # noqa: E402, F401
from portal.desk.models import (  # noqa: E402, F401
    Broadcast,
    BulkLine,
    BulkRun,
    Handling,
    Proposal,
    SavedList,
    SecondPersonRule,
    Wording,
    WorkItem,
)
from portal.notices.models import Delivery, Notice, NoticeChoice  # noqa: E402, F401
from portal.webhooks.models import (  # noqa: E402, F401
    PartnerDay,
    PartnerEvent,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTry,
)
