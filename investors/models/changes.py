"""What an investor asks to change after they are ready, and who was invited to become one."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from investors.models.consents import Consent
from investors.models.documents import Document
from investors.models.people import Investor, Owned
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField
from portal.models import Partner

ON_ITS_WAY = (lifecycle.COOLING, lifecycle.CHECKING, lifecycle.SENDING)
UNCONFIRMED = (lifecycle.ASKED, lifecycle.WITHDRAWN, lifecycle.REFUSED)


@pghistory.track()
class ChangeRequest(Attempted, Owned):
    """One change: asked, confirmed by one-time code, cooled off and seen by a second person where the table of
    `investors/changes.py` says so, sent to FP, done. `before` and `after` are JSON and encrypted.
    """

    class What(models.TextChoices):
        ADDRESS = "ADDRESS", "address"
        NOMINEES = "NOMINEES", "nominees"
        BANK_ACCOUNT = "BANK_ACCOUNT", "a new bank account"
        PRIMARY_BANK = "PRIMARY_BANK", "the main bank account"
        EMAIL = "EMAIL", "e-mail address"
        MOBILE = "MOBILE", "mobile number"
        PROFILE = "PROFILE", "personal details"
        TAX = "TAX", "countries of tax residence"

    class State(models.TextChoices):
        ASKED = lifecycle.ASKED, "needs your code"
        COOLING = lifecycle.COOLING, "waiting out its cooling-off time"
        CHECKING = lifecycle.CHECKING, "being checked by us"
        SENDING = lifecycle.SENDING, "being passed on"
        DONE = lifecycle.DONE, "done"
        WITHDRAWN = lifecycle.WITHDRAWN, "withdrawn"
        REFUSED = lifecycle.REFUSED, "refused"

    code = models.CharField(max_length=20, unique=True, editable=False)
    form_ref = models.CharField(max_length=40, unique=True, editable=False)
    what = models.CharField(max_length=16, choices=What)
    state = models.CharField(max_length=12, choices=State, default=State.ASKED, editable=False)
    state_since = models.DateTimeField(editable=False)
    before = EncryptedTextField("as it was, JSON", editable=False)
    after = EncryptedTextField("as it shall be, JSON", editable=False)
    consent = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # The code that came back from the new address, where the change is of an address.
    proof = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # The cancelled cheque of a new bank account, if the investor sent one.
    paper = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Not before this moment; empty where no cooling-off applies.
    effective_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)
    refusal = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor", "what"],
                condition=Q(state__in=(lifecycle.ASKED, lifecycle.COOLING, lifecycle.CHECKING, lifecycle.SENDING)),
                name="one_open_change_of_each_kind",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="nobody_decides_their_own_change",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNCONFIRMED) | Q(consent__isnull=False), name="a_change_begins_with_a_consent"
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNCONFIRMED) | ~Q(what="EMAIL") | Q(proof__isnull=False),
                name="a_new_email_address_has_proved_itself",
            ),
            models.UniqueConstraint(
                fields=["investor"],
                condition=Q(what__in=("EMAIL", "MOBILE"), state__in=ON_ITS_WAY),
                name="one_contact_changes_at_a_time",
            ),
            # FP takes the whole application: two at once would each undo what the other has changed.
            models.UniqueConstraint(
                fields=["investor"], condition=~Q(attempt=""), name="one_change_of_an_investor_is_sent_at_a_time"
            ),
            *attempt_constraints("change", (lifecycle.SENDING,)),
        ]
        indexes = [due_index("change")]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("CHG")
        super().save(*args, **kwargs)


class Invite(models.Model):
    """A signed, expiring, single-use link by which staff or a partner start an investor.

    `filled` is what they know already, as JSON and encrypted: step -> field -> text. It stands in the forms of whoever
    accepts and counts once they have looked it over and saved it. The link's secret is kept as a hash only.
    """

    class Sent(models.TextChoices):
        NO = "", "not sent yet"
        YES = "SENT", "sent"
        FAILED = "FAILED", "the mail server did not take it"

    code = models.CharField(max_length=20, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField()
    name = models.CharField(max_length=70, blank=True)
    filled = EncryptedTextField("what is known already, JSON", blank=True, editable=False)
    partner = models.ForeignKey(Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="invites")
    # AMFI's number of the person at the firm who advised, for the orders that follow; empty for execution only.
    euin = models.CharField("EUIN", max_length=7, blank=True)
    # Why we may write to this person, in the words of whoever invites (DPDP Act 2023, section 6).
    basis = models.CharField("why we may write to them", max_length=300, blank=True)
    # Empty for a partner's machine.
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    investor = models.ForeignKey(Investor, null=True, blank=True, on_delete=models.PROTECT, related_name="invites")
    created_at = models.DateTimeField()
    sent = models.CharField(max_length=6, choices=Sent, default=Sent.NO, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    times_sent = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    # What whoever accepted said yes to, and from where.
    agreed = models.TextField(blank=True)
    agreed_ip = models.GenericIPAddressField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(revoked_at__isnull=True), name="a_used_invite_is_not_revoked"
            ),
            models.CheckConstraint(
                condition=Q(invited_by__isnull=False) | Q(partner__isnull=False), name="an_invite_says_who_invites"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(used_at__lte=F("expires_at")),
                name="an_invite_is_used_before_it_expires",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(investor__isnull=False) & ~Q(agreed=""),
                name="a_used_invite_names_its_investor_and_what_was_agreed",
            ),
            models.UniqueConstraint(
                fields=["email", "partner"],
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                nulls_distinct=False,
                name="one_open_invite_per_address_and_partner",
            ),
        ]
        # What the sweep looks for every minute.
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(sent="", used_at=None, revoked_at=None),
                name="invites_not_sent_yet",
            )
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("INVT")
        super().save(*args, **kwargs)


class FieldSource(Owned):
    """Where the value of one field came from, and when the investor confirmed a value that is not theirs."""

    class Source(models.TextChoices):
        INVESTOR = "INVESTOR", "entered by you"
        STAFF = "STAFF", "entered by our staff"
        PARTNER = "PARTNER", "entered by your adviser"
        REGISTRY = "REGISTRY", "from the KYC registry"
        LOOKED_UP = "LOOKED_UP", "looked up"

    field = models.CharField(max_length=60)
    source = models.CharField(max_length=10, choices=Source)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["investor", "field"], name="one_source_per_field"),
            models.CheckConstraint(
                condition=Q(source__in=("STAFF", "PARTNER")) | Q(confirmed_at__isnull=True),
                name="only_what_others_entered_is_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.get_source_display()}"
