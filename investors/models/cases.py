"""Cases as the investor sees them: that there is one, what it is about, and what was written about it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from investors.models.people import Owned
from portal.models import Case

LONGEST = 1_000


class InvestorCase(Owned):
    """A case of which its investor was told. The case itself, in staff's words, stays with staff.

    `closed_at` follows the case by a trigger (`an_investors_case_closes_with_the_case`).
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="shown")
    code = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=40)
    # The record that the case is about, in words and as an address for its investor.
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    what = models.CharField("about", max_length=200)
    url = models.CharField("address", max_length=200)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Since when a message of the investor's has waited for an answer.
    waits_since = models.DateTimeField("unanswered since", null=True, blank=True)

    class Meta:
        verbose_name = "case"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["investor", "-id"], name="cases_of_investor"),
            models.Index(fields=["subject_kind", "subject_id"], name="cases_shown_about"),
            models.Index(fields=["waits_since"], condition=Q(waits_since__isnull=False), name="cases_unanswered"),
        ]

    def __str__(self) -> str:
        return self.code


class CaseMessage(Owned):
    """Something that was written about a case, by its investor or by us. It never changes."""

    shown = models.ForeignKey(InvestorCase, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    by_staff = models.BooleanField()
    text = models.CharField(max_length=LONGEST)
    at = models.DateTimeField()
    # One form is one message, however often it is sent.
    form_ref = models.CharField(max_length=20)

    class Meta:
        verbose_name = "message about a case"
        verbose_name_plural = "messages about cases"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="a_message_says_something"),
            models.UniqueConstraint(fields=["shown", "form_ref"], name="a_form_is_one_message"),
        ]

    def __str__(self) -> str:
        return f"{'We' if self.by_staff else 'Investor'}, {self.at:%d %b %Y %H:%M}"
