"""A copy of everything that belongs to an investor: asked with a code, made in the background, kept for some days.

What belongs to an investor is every model below `Owned`, whichever app it lives in, so that a new table is in the copy
without anybody thinking of it. A new encrypted column is not, until it stands in PERSONAL: it may be a key.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import models, transaction
from django.template.loader import render_to_string

from investors import lifecycle
from investors.models import Consent, DataExport, Document, Investor, Owned
from investors.operations import consents, documents, privacy_log
from portal import audit, jobs
from portal.encryption import EncryptedTextField
from portal.errors import Failure
from portal.files import links, vault
from portal.models import User

log = structlog.get_logger(__name__)
ACT = "export"
KEPT = timedelta(days=7)
LOOK_AGAIN_S = 60.0
# Encrypted columns that are the investor's own data; the others are keys of ours or of a provider.
PERSONAL = {"pan", "number", "before", "after", "answers", "verbatim", "tax_id", "guardian_pan"}
# How our machinery works, not who somebody is.
MACHINERY = {
    "id", "investor", "attempt", "attempt_no", "lease_until", "unknown_since", "looks", "due_at", "form_ref",
    "client_ref", "nonce", "vault_name", "otp_hash", "state_hash", "pan_index", "number_index", "page_expires_at",
    "token_expires_at",
}  # fmt: skip
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "video/mp4": "mp4"}


class Busy(Failure):
    """A copy is being made already."""

    code = "export_busy"
    message = "A copy is being made already. This page shows when it is ready."


class Lost(Failure):
    """The file of a copy is not where it should be."""

    code = "export_lost"
    message = "This copy cannot be found any more. Please make another one; nothing else is lost."


def ask(*, investor: Investor, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The code for a copy is on the way. Raises Busy and what `consents.ask` raises."""
    if DataExport.objects.filter(investor=investor, state=lifecycle.ASKED).exists():
        raise Busy
    shown = {
        "A copy of": "everything that we keep about you, unmasked, with your documents",
        "Kept here for": f"{KEPT.days} days, encrypted",
        "act": ACT,
    }
    return consents.ask(
        investor=investor, purpose=Consent.Purpose.CHANGE, form_ref=form_ref, shown=shown, amount=None, isin="",
        folio_number="", ip=ip, at=at,
    )  # fmt: skip


def confirm(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> DataExport:
    """The code was right: the copy is being made, now or since an earlier click. Raises Busy and what a code raises."""
    with transaction.atomic():
        Investor.objects.select_for_update().only("pk").get(pk=investor.pk)
        consent = consents.lock(investor=investor, code=code)
        if consent.shown.get("act") != ACT:
            raise Consent.DoesNotExist
        if consent.given_at is not None:
            return DataExport.objects.get(consent=consent)
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            if DataExport.objects.filter(investor=investor, state=lifecycle.ASKED).exists():
                raise Busy
            row = DataExport.objects.create(investor=investor, consent=consent, asked_at=at, state_since=at, due_at=at)
            audit.record(row, "export.asked", actor=f"user:{investor.user_id}", at=at)
            jobs.nudge("investors.advance_export", row_id=row.pk)
            return row
    raise failure


def advance(*, export_id: int, at: datetime) -> None:
    """What the row needs: the copy is made, or one that is old is forgotten."""
    row = DataExport.objects.select_related("investor__user").get(pk=export_id)
    if row.state == lifecycle.ASKED:
        _make(row, at)
    elif row.state == lifecycle.MADE and row.made_at and row.made_at + KEPT <= at:
        _forget(row, at)


def _make(row: DataExport, at: datetime) -> None:
    """Written to the vault first, then to the row; a copy that no row points at is noise to anybody."""
    content = packed(row.investor, at=at)
    name = vault.put(content)
    with transaction.atomic():
        mine = DataExport.objects.select_for_update().get(pk=row.pk)
        if mine.state == lifecycle.ASKED:
            mine.vault_name, mine.byte_size, mine.made_at, mine.due_at = name, len(content), at, at + KEPT
            _move(mine, lifecycle.MADE, at)
            return
    vault.remove(name)  # another worker was faster


def _forget(row: DataExport, at: datetime) -> None:
    with transaction.atomic():
        mine = DataExport.objects.select_for_update().get(pk=row.pk)
        if mine.state != lifecycle.MADE:
            return
        name, mine.vault_name, mine.due_at = mine.vault_name, "", None
        _move(mine, lifecycle.GONE, at)
        transaction.on_commit(lambda: vault.remove(name))


def _move(row: DataExport, state: str, at: datetime) -> None:
    row.state, row.state_since = state, at
    row.save()
    audit.record(row, f"export.{state.lower()}", actor=None, at=at)


# --- taking it ------------------------------------------------------------------------------------------------


def link(*, export: DataExport, user: User) -> str:
    """A token for the address of the copy: good for this person and five minutes."""
    return links.sign(user_id=user.pk, document=export.code)


def take(*, token: str, user: User, at: datetime) -> bytes | None:
    """The copy behind a token of this person; None when the token is old, edited or another's, or the copy is gone.

    Raises Lost when its file is missing.
    """
    code = links.read(token, user_id=user.pk)
    row = DataExport.objects.filter(code=code, investor__user=user, state=lifecycle.MADE).first() if code else None
    if row is None:
        return None
    try:
        content = vault.content_of(row)
    except FileNotFoundError:
        log.warning("export_file_is_missing", export=row.pk)
        raise Lost from None
    DataExport.objects.filter(pk=row.pk).update(taken_at=at)
    audit.record(row, "export.taken", actor=user, at=at)
    return content


# --- what is in it --------------------------------------------------------------------------------------------


def packed(investor: Investor, *, at: datetime) -> bytes:
    """A ZIP: the data for machines and for people, and the files that the investor sent."""
    found = everything(investor, at=at)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("data.json", json.dumps(found, indent=2, ensure_ascii=False))
        context = {"sections": found["sections"], "about": found["about"], "brand": settings.BRAND}
        pack.writestr("data.html", render_to_string("investors/privacy/copy.html", context))
        for name, content in _files(investor):
            pack.writestr(name, content)
    return out.getvalue()


def _files(investor: Investor) -> Iterator[tuple[str, bytes]]:
    for document in Document.objects.filter(investor=investor).order_by("id"):
        try:
            yield f"documents/{document.code}.{ENDINGS.get(document.media_type, 'bin')}", documents.content(document)
        except documents.Gone:
            log.info("export_without_file", document=document.pk)


def everything(investor: Investor, *, at: datetime) -> dict[str, Any]:
    """All rows that belong to the investor, kind by kind, as plain data with the names that pages use."""
    about = {"investor": investor.code, "email": investor.user.email, "made": at.isoformat()}
    person = {"title": "You", "rows": [_row(investor)]}
    sections = [person, *(_section(model, investor) for model in owned())]
    seen = [{"when": each.at.isoformat(), "who": each.by, "what": each.page} for each in privacy_log.views_of(investor)]
    sections.append({"title": "Who looked at your data", "rows": seen})
    return {"about": about, "sections": [section for section in sections if section["rows"]]}


def owned(base: type[models.Model] = Owned) -> Iterator[type[models.Model]]:
    """Every model whose rows belong to one investor, in every app."""
    for model in base.__subclasses__():
        if model._meta.abstract:
            yield from owned(model)
        else:
            yield model


def _section(model: type[models.Model], investor: Investor) -> dict[str, Any]:
    rows = model._default_manager.filter(investor=investor).order_by("pk").iterator(chunk_size=500)
    return {"title": str(model._meta.verbose_name_plural).capitalize(), "rows": [_row(each) for each in rows]}


def _row(row: models.Model) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if _is_shown(field)]
    return {str(field.verbose_name): _plain(row, field) for field in fields}


def _is_shown(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, EncryptedTextField):
        return field.name in PERSONAL
    return field.name not in MACHINERY


def _plain(row: models.Model, field: models.Field[Any, Any]) -> Any:
    value = getattr(row, field.attname)
    if field.remote_field and field.remote_field.model is User:
        return None if value is None else "you" if value == _user_of(row) else "our staff"
    if field.choices and value not in (None, ""):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, Decimal | datetime) or hasattr(value, "isoformat"):
        return str(value)
    return value


def _user_of(row: models.Model) -> object:
    return getattr(row, "user_id", None) or row.investor.user_id  # type: ignore[attr-defined]
