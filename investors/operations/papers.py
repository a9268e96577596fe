"""The signature and the cancelled cheque of an application: kept while it may be changed, sent to FP with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from investors import queries, steps
from investors.models import BankAccount, Document, Investor
from investors.operations import documents, onboarding
from investors.steps import Profile
from portal import audit
from portal.errors import InvalidInput
from portal.files.quarantine import CleanFile
from portal.models import User


def keep(*, investor: Investor, files: Mapping[str, CleanFile], actor: User, at: datetime) -> None:
    """These files belong to the application. Raises NotEditable, InvalidInput for a cheque without a bank account."""
    with transaction.atomic():
        row = onboarding.locked(investor.pk)
        if not queries.may_change(row, steps.PAPERS):
            raise onboarding.NotEditable
        account = BankAccount.objects.filter(investor=row, is_primary=True).first()
        if Document.Kind.CANCELLED_CHEQUE in files and account is None:
            raise InvalidInput(
                Document.Kind.CANCELLED_CHEQUE, "Enter your bank account first: the cheque belongs to it."
            )
        for kind, file in files.items():
            kept = documents.keep(investor=row, kind=kind, file=file, actor=actor, at=at)
            if account and kind == Document.Kind.CANCELLED_CHEQUE:
                account.cancelled_cheque = kept
                account.save(update_fields=["cancelled_cheque"])
        onboarding.correct(row, steps.PAPERS)
        row.save(update_fields=["refusal", "provider_is_behind"])


def unsent(profile: Profile) -> Document | None:
    """The next file of the application that FP does not have."""
    cheque = profile.bank.cancelled_cheque if profile.bank else None
    return next((each for each in (profile.signature, cheque) if each and each.provider_ref is None), None)


def sent(document: Document, ref: str, *, at: datetime) -> None:
    """FP has the file under this id."""
    document.provider_ref = ref
    document.save(update_fields=["provider_ref"])
    audit.record(document, "document.sent", actor=None, at=at, provider_ref=ref)
