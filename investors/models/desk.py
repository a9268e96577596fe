"""What the desk works with: where each application stands, how people are found by name, duplicates that are merged."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors.models.changes import Invite
from investors.models.people import Investor, Owned
from portal import identifiers


class Application(models.Model):
    """Where an application stands and since when: a row of the view `v_applications`, computed and never stored.

    `why` says it exactly; `investors/applications.py` has the words, who must act, and how long that may take.
    """

    class Stage(models.TextChoices):
        INVITED = "INVITED", "invited"
        IN_PROGRESS = "IN_PROGRESS", "in progress"
        YOU_ACT = "YOU_ACT", "you must act"
        WE_CHECK = "WE_CHECK", "we are checking"
        READY = "READY", "ready"

    ref = models.CharField(primary_key=True, max_length=24)
    stage = models.CharField(max_length=12, choices=Stage)
    why = models.CharField(max_length=24)
    since = models.DateTimeField()
    # When time runs out: of an invitation, or of a fresh KYC at the provider.
    until = models.DateTimeField(null=True)
    is_open = models.BooleanField()
    investor = models.OneToOneField(Investor, null=True, on_delete=models.DO_NOTHING, related_name="application")
    invite = models.OneToOneField(Invite, null=True, on_delete=models.DO_NOTHING, related_name="application")

    class Meta:
        managed = False
        db_table = "v_applications"

    def __str__(self) -> str:
        return str(self.investor or self.invite)


class NameWord(Owned):
    """One word of an investor's name in lower case, kept by a trigger: people are found by the beginning of any word.

    A part of a text cannot be found through an index behind row-level policies; a range of whole values can.
    """

    word = models.CharField(max_length=70, db_collation="C")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "investor"], name="a_word_of_a_name_stands_once")]

    def __str__(self) -> str:
        return self.word


class Merge(models.Model):
    """Two investors that are one person: what one has goes to the other, once a second person has said yes.

    `plan` lists what is moved, filled in and left, by table and key, as it was shown; with it the merge can be undone.
    An investor that FP knows is never the one that goes (trigger `a_merge_keeps_what_the_provider_knows`).
    """

    class State(models.TextChoices):
        ASKED = "ASKED", "waits for a second person"
        APPLIED = "APPLIED", "merged"
        REFUSED = "REFUSED", "refused"
        WITHDRAWN = "WITHDRAWN", "withdrawn"
        UNDONE = "UNDONE", "merged and undone"

    code = models.CharField(max_length=20, unique=True, editable=False)
    kept = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="merged_into")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED, editable=False)
    plan = models.JSONField(default=dict, editable=False)
    # SHA-256 of the plan that was shown: what is applied is what was approved.
    digest = models.CharField(max_length=64, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)
    # Has the merge taken a login away that worked until then? Only such a one is given back.
    took_login = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kept=F("gone")), name="nobody_is_merged_into_themselves"),
            models.UniqueConstraint(
                fields=["gone"], condition=Q(state__in=("ASKED", "APPLIED")), name="one_merge_takes_an_investor_away"
            ),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_by__isnull=True)
                | Q(state="WITHDRAWN", decided_by=F("asked_by"))
                | (
                    Q(state__in=("APPLIED", "REFUSED", "UNDONE"), decided_by__isnull=False)
                    & ~Q(decided_by=F("asked_by"))
                ),
                name="a_merge_is_decided_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gone} into {self.kept}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("MRG")
        super().save(*args, **kwargs)


class PossibleDouble(models.Model):
    """Two investors who are perhaps one person, and what they have in common. Found each hour, never deleted.

    That they are two persons after all is an answer on record (`DoubleAnswer`), and the newest answer counts (trigger
    `two_are_told_apart_by_an_answer`).
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "to be looked at"
        APART = "APART", "two persons"
        GONE = "GONE", "nothing in common any more"

    class Sign(models.TextChoices):
        """What speaks for one person."""

        PAN = "PAN", "the same PAN"
        MOBILE = "MOBILE", "the same mobile number"
        ACCOUNT = "ACCOUNT", "the same bank account"
        EMAIL = "EMAIL", "nearly the same email address"
        BORN = "BORN", "the same birthday and a similar name"

    one = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="+")
    signs = models.JSONField("in common", default=list, editable=False)
    state = models.CharField(max_length=5, choices=State, default=State.OPEN, editable=False)
    found_at = models.DateTimeField("found")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="a_pair_is_written_in_one_order"),
            models.UniqueConstraint(fields=["one", "other"], name="two_investors_are_a_pair_once"),
            models.CheckConstraint(
                condition=~Q(state="OPEN") | ~Q(signs=[]), name="a_pair_to_be_looked_at_has_something_in_common"
            ),
        ]
        # The queue is read from its newest pair on.
        indexes = [models.Index(fields=["state", "-id"], name="possible_double_by_state")]

    def __str__(self) -> str:
        return f"{self.one} and {self.other}"

    @property
    def signs_in_words(self) -> list[str]:
        """What they have in common, for people."""
        return [str(self.Sign(each).label) for each in self.signs]


class DoubleAnswer(models.Model):
    """Somebody said that two investors are two persons, or that they are to be looked at again. Only appended to."""

    double = models.ForeignKey(PossibleDouble, on_delete=models.PROTECT, related_name="answers")
    is_apart = models.BooleanField()
    # What the two had in common when this was said: something new puts them into the queue again.
    signs = models.JSONField(default=list)
    # Nobody: something new was found.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_apart=False) | Q(by__isnull=False), name="only_a_person_tells_two_apart"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="an_answer_about_two_has_a_reason"),
        ]

    def __str__(self) -> str:
        return "two persons" if self.is_apart else "to be looked at again"
