"""Which login may act for which investor: holders are people, logins are keys, and this table joins the two."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors.models.people import Investor


class Authority(models.Model):
    """A login may act for an investor from a moment until another. Whoever starts an application gets one (a trigger).

    A minor is acted for by the guardian's login until the day of turning eighteen; a second holder of a joint folio
    would be a second row here. What was ended stays as evidence.
    """

    class Role(models.TextChoices):
        SELF = "SELF", "yourself"
        GUARDIAN = "GUARDIAN", "as guardian"

    investor = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="authorities")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="authorities")
    role = models.CharField(max_length=10, choices=Role)
    began_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "authorities"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "investor"], condition=Q(ended_at=None), name="a_login_acts_for_an_investor_once"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None, role="SELF"), name="a_login_is_one_investor_itself"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="an_authority_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.investor}"
