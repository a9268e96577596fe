"""An investor goes from one partner to another, with time for objections."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from investors.models.people import Investor, Owned
from portal import identifiers
from portal.models import Partner


class Transfer(Owned):
    """A move of an investor, with assets and SIPs, from a partner (or from us) to another one.

    Nothing moves before `objections_until`, and nothing without the investor's own yes or a second person. What the
    two are called is kept as it was read, because neither an investor's connection nor a partner's sees the other
    one's row. Only staff read this table: what each of the two firms may know is a `FirmTransfer`, what the investor
    may is an `InvestorTransfer`.
    """

    class State(models.TextChoices):
        WAITING = lifecycle.WAITING, "time for objections"
        OBJECTED = lifecycle.OBJECTED, "objected to"
        DONE = lifecycle.DONE, "done"
        STOPPED = lifecycle.STOPPED, "stopped"

    code = models.CharField(max_length=20, unique=True, editable=False)
    from_partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="+")
    to_partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    from_name = models.CharField(max_length=120)
    to_name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, editable=False)
    state_since = models.DateTimeField(editable=False)
    # How the investor asked for it: which paper, of which day.
    basis = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    objections_until = models.DateTimeField()
    # When the investor said on their own page that it is right.
    agreed_at = models.DateTimeField(null=True, blank=True)
    objection = models.CharField(max_length=300, blank=True)
    objected_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(from_partner__isnull=True) | ~Q(from_partner=F("to_partner")),
                name="nobody_is_transferred_to_where_they_are",
            ),
            models.UniqueConstraint(
                fields=["investor"], condition=Q(state__in=("WAITING", "OBJECTED")), name="one_transfer_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(objections_until__gte=F("asked_at") + timedelta(days=15)),
                name="there_are_fifteen_days_for_objections",
            ),
            models.CheckConstraint(
                condition=Q(objected_at__isnull=True) | Q(objected_at__lt=F("objections_until")),
                name="an_objection_is_made_in_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="DONE") | Q(state_since__gte=F("objections_until")),
                name="nobody_is_transferred_before_the_time_for_objections_is_over",
            ),
            models.CheckConstraint(
                condition=Q(objection="", objected_at__isnull=True) | ~Q(objection="") & Q(objected_at__isnull=False),
                name="an_objection_has_words_and_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="OBJECTED") | Q(objected_at__isnull=False), name="an_objection_is_on_record"
            ),
            models.CheckConstraint(
                condition=~Q(state="DONE")
                | Q(agreed_at__isnull=False, objected_at__isnull=True)
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("asked_by")),
                name="a_transfer_takes_the_investors_yes_or_a_second_person",
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="a_transfer_says_how_it_was_asked_for"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="transfer_due"),
            models.Index(fields=["from_partner", "-id"], name="transfers_from_partner"),
            models.Index(fields=["to_partner", "-id"], name="transfers_to_partner"),
        ]

    def __str__(self) -> str:
        return self.code

    def words(self, at: datetime) -> str:
        """The state as people read it."""
        return _words(self, at)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("TRF")
        super().save(*args, **kwargs)


class FirmTransfer(models.Model):
    """A transfer as one of its two firms may know it: a row of the view `v_firm_transfers`, for that firm's connection.

    How the investor asked for it and what staff answered is for neither of them. The coming firm has no objection, as
    it may say much about somebody, and nobody's name before they have come.
    """

    code = models.CharField(max_length=20)
    # Does the investor leave this firm, or come to it?
    goes = models.BooleanField()
    from_partner = models.ForeignKey(Partner, null=True, on_delete=models.DO_NOTHING, related_name="+")
    to_partner = models.ForeignKey(Partner, on_delete=models.DO_NOTHING, related_name="+")
    from_name = models.CharField(max_length=120)
    to_name = models.CharField(max_length=120)
    # Of the investor, while they are this firm's.
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=Transfer.State)
    state_since = models.DateTimeField()
    asked_at = models.DateTimeField()
    objections_until = models.DateTimeField()
    objection = models.CharField(max_length=300)

    class Meta:
        managed = False
        db_table = "v_firm_transfers"

    def __str__(self) -> str:
        return self.code

    def words(self, at: datetime) -> str:
        """The state as people read it."""
        return _words(self, at)


class InvestorTransfer(models.Model):
    """A transfer as the investor may know it: a row of the view `v_investor_transfers`, for that person's connection.

    That a firm objected is told, not its words, which were written to us; nor are staff's answer and who they are.
    """

    investor = models.ForeignKey(Investor, on_delete=models.DO_NOTHING, related_name="+")
    code = models.CharField(max_length=20)
    from_partner = models.ForeignKey(Partner, null=True, on_delete=models.DO_NOTHING, related_name="+")
    to_partner = models.ForeignKey(Partner, on_delete=models.DO_NOTHING, related_name="+")
    from_name = models.CharField(max_length=120)
    to_name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=Transfer.State)
    state_since = models.DateTimeField()
    # How the investor asked for it, as we were told.
    basis = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    objections_until = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True)
    objected_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "v_investor_transfers"

    def __str__(self) -> str:
        return self.code

    def words(self, at: datetime) -> str:
        """The state as people read it."""
        return _words(self, at)


def _words(row: Transfer | FirmTransfer | InvestorTransfer, at: datetime) -> str:
    is_over = row.state == Transfer.State.WAITING and at >= row.objections_until
    return "being decided" if is_over else row.get_state_display()
