"""A file that an investor sent: the harmless copy lies encrypted in the vault, this row says what it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from investors.models.people import Owned
from portal import identifiers


class Document(Owned):
    """One file. A better one replaces it: the old row stays, with the moment at which it was replaced."""

    class Kind(models.TextChoices):
        IDENTITY_PROOF = "IDENTITY_PROOF", "PAN card"
        ADDRESS_FRONT = "ADDRESS_FRONT", "address proof, front"
        ADDRESS_BACK = "ADDRESS_BACK", "address proof, back"
        PERMANENT_FRONT = "PERMANENT_FRONT", "permanent address proof, front"
        PERMANENT_BACK = "PERMANENT_BACK", "permanent address proof, back"
        PHOTO = "PHOTO", "photo"
        SIGNATURE = "SIGNATURE", "signature"
        IPV_VIDEO = "IPV_VIDEO", "video of yourself"
        CANCELLED_CHEQUE = "CANCELLED_CHEQUE", "cancelled cheque"
        MANDATE_FORM = "MANDATE_FORM", "signed mandate form"
        BROKER_PROOF = "BROKER_PROOF", "broker's confirmation"

    code = models.CharField(max_length=20, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    # Where the encrypted copy lies (portal/files/vault.py), and the fingerprint of the copy in clear.
    vault_name = models.CharField(max_length=80, unique=True, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    media_type = models.CharField(max_length=40)
    byte_size = models.PositiveIntegerField()
    pages = models.PositiveSmallIntegerField(default=1)
    # FP's id of the file, once it was sent there.
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # What is wrong with it, in the provider's or our desk's code (investors/kyc_reasons.py); empty when nothing is.
    refusal = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor", "kind"],
                condition=Q(replaced_at__isnull=True)
                & ~Q(kind__in=("CANCELLED_CHEQUE", "MANDATE_FORM", "BROKER_PROOF")),
                name="one_current_document_of_each_kind",
            ),
            models.CheckConstraint(
                condition=Q(byte_size__gte=1, byte_size__lte=12 * 1024 * 1024), name="a_document_has_1_byte_to_12_mb"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("DOC")
        super().save(*args, **kwargs)
