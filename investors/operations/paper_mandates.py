"""The paper of a mandate: the signed scan comes in, somebody here passes it on or asks for a better one.

FP takes no file for a mandate (document, "Create a mandate (nach)"): operations send the paper to the registrar, and
FP says when it was received, submitted, approved or rejected.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors import lifecycle
from investors.models import Document, Mandate
from investors.operations import documents
from investors.operations.mandate_sending import locked
from investors.operations.mandates import NotPossible
from portal import audit, cases
from portal.files import quarantine
from portal.models import User

FORM_CASE = "mandate_form_to_pass_on"


def takes_a_form(mandate: Mandate) -> bool:
    """A paper mandate that FP has and that waits for the investor's signature."""
    waits = mandate.state == lifecycle.AWAITING_INVESTOR and mandate.cancel_asked_at is None
    return mandate.kind == Mandate.Kind.NACH and waits


def send_form(*, mandate: Mandate, name: str, data: bytes, actor: User, at: datetime) -> Document:
    """The signed form lies in the vault and operations know of it. Raises InvalidInput("form"), NotPossible.

    The file is cleaned outside any transaction: it may take seconds.
    """
    if not takes_a_form(mandate):
        raise NotPossible
    file = quarantine.clean(field="form", name=name, data=data, accepts=quarantine.PAPERS)
    with transaction.atomic():
        row = locked(mandate.pk)
        if not takes_a_form(row):
            raise NotPossible
        kind = Document.Kind.MANDATE_FORM
        row.signed_form = documents.keep(investor=row.investor, kind=kind, file=file, actor=actor, at=at)
        row.save(update_fields=["signed_form"])
        audit.record(row, "mandate.form_sent", actor=actor, at=at, document=row.signed_form.code)
        title = f"Mandate {row.code}: a signed form to pass on"
        cases.open_case(kind=FORM_CASE, subject=row, title=title, detail="Compare it, then send it on.", at=at)
    return row.signed_form


def refuse_form(*, mandate_id: int, actor: User, reason: str, at: datetime) -> None:
    """The form cannot be used; the investor reads why and sends another one. Raises NotPossible."""
    with transaction.atomic():
        row = locked(mandate_id)
        if not takes_a_form(row) or row.signed_form is None:
            raise NotPossible
        row.signed_form = None
        row.save(update_fields=["signed_form"])
        audit.record(row, "mandate.form_refused", actor=actor, at=at, reason=reason)
        cases.close_cases(subject=row, kinds=(FORM_CASE,), resolution="The form was refused.", at=at)
