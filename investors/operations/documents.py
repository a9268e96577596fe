"""Files of investors: kept, shown by links that live five minutes, and sent to FP when a request needs them.

Keeping one replaces the current one of its kind. The row of the old one stays. Its file stays too if it was ever sent
to FP, because it is what a request was decided on (Prevention of Money-laundering Rules 2005, rule 10: five years); a
file that never left us is forgotten with the commit, because nobody needs a second copy of somebody's card.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now as real_now

from investors import kyc_reasons
from investors.models import DataExport, Document, ErasureRequest, Investor
from investors.operations import onboarding
from portal import audit, cases
from portal.errors import Failure
from portal.files import links, vault
from portal.files.quarantine import CleanFile
from portal.models import User

SEEN = "document.seen"
REFUSED = "document.refused"
# Kinds of which several may be current at once.
SEVERAL = (Document.Kind.CANCELLED_CHEQUE, Document.Kind.MANDATE_FORM, Document.Kind.BROKER_PROOF)
PREVIEW_SIDE = 1_600
# A request that writes a file and its row is over long before.
ORPHAN_AFTER = timedelta(hours=1)
MISSING_CASE = "file_is_missing"


class Gone(Failure):
    """Raised when the file behind a row is not kept any more."""

    code = "file_gone"
    message = "This copy was replaced before it was sent anywhere, and is no longer kept."


class NoReason(Failure):
    """Raised when a paper is asked for again without one of the reasons of the catalogue."""

    code = "no_reason"
    message = "Choose one of the reasons of the catalogue."


def keep(*, investor: Investor, kind: str, file: CleanFile, actor: User, at: datetime) -> Document:
    """A harmless file lies in the vault and is the investor's current one of this kind.

    `file` comes from `portal.files.quarantine.clean`: what was refused there never gets here.
    """
    name = vault.put(file.content)
    try:
        with transaction.atomic():
            row = onboarding.locked(investor.pk)
            _replace(row, kind, at)
            made = Document.objects.create(
                investor=row,
                kind=kind,
                vault_name=name,
                sha256=hashlib.sha256(file.content).hexdigest(),
                media_type=file.media_type,
                byte_size=len(file.content),
                pages=file.pages,
                sent_by=actor,
                created_at=at,
            )
            audit.record(made, "document.kept", actor=actor, at=at, kind=kind, size=made.byte_size, pages=made.pages)
    except BaseException:
        vault.remove(name)
        raise
    return made


def _replace(investor: Investor, kind: str, at: datetime) -> None:
    if kind in SEVERAL:
        return
    for old in Document.objects.filter(investor=investor, kind=kind, replaced_at=None):
        old.replaced_at = at
        old.save(update_fields=["replaced_at"])
        if old.provider_ref is None:
            transaction.on_commit(_forgetting(old.vault_name))


def _forgetting(name: str) -> Callable[[], None]:
    return lambda: vault.remove(name)


def current(investor: Investor, *, at: datetime | None = None) -> dict[str, Document]:
    """Kind -> the file that counts now, or that counted at a moment."""
    found = Document.objects.filter(investor=investor).order_by("id")
    if at is None:
        found = found.filter(replaced_at=None)
    else:
        found = found.filter(Q(replaced_at=None) | Q(replaced_at__gt=at), created_at__lte=at)
    return {document.kind: document for document in found}


def link(*, document: Document, user: User) -> str:
    """A token for the address of the file: good for this person and five minutes."""
    return links.sign(user_id=user.pk, document=document.code)


def behind(*, token: str, user: User) -> Document | None:
    """The investor's own file behind a token; None for a token that is old, edited or somebody else's."""
    code = links.read(token, user_id=user.pk)
    return Document.objects.filter(code=code, investor__user=user).first() if code else None


def content(document: Document) -> bytes:
    """The harmless copy in clear. Raises Gone."""
    try:
        return vault.content_of(document)
    except FileNotFoundError:
        raise Gone from None


def preview(document: Document) -> tuple[bytes, str]:
    """(bytes, media type) of what a page shows: a PDF as a picture of its first page, so that nothing is downloaded.

    The PDF is our own: pages drawn by the cleaner. Raises Gone.
    """
    whole = content(document)
    return (
        (_first_page(whole), "image/jpeg") if document.media_type == "application/pdf" else (whole, document.media_type)
    )


def _first_page(pdf: bytes) -> bytes:
    import pypdfium2

    page = pypdfium2.PdfDocument(pdf)[0]
    scale = min(2.0, PREVIEW_SIDE / max(page.get_size()))
    out = io.BytesIO()
    page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def saw(*, document: Document, actor: User, at: datetime) -> None:
    """Staff have looked at the file: one entry for each visit of some minutes."""
    lately = audit.entries_of(document).filter(action=SEEN, actor=audit.actor_name(actor), at__gt=at - audit.VISIT)
    if not lately.exists():
        audit.record(document, SEEN, actor=actor, at=at)


def refuse(*, document: Document, code: str, actor: User, reason: str, at: datetime) -> None:
    """The desk wants a better one, for a reason of the catalogue; the investor reads it there. Raises NoReason."""
    if code not in kyc_reasons.REJECTIONS:
        raise NoReason
    with transaction.atomic():
        onboarding.locked(document.investor_id)
        document.refusal = code
        document.save(update_fields=["refusal"])
        audit.record(document, REFUSED, actor=actor, at=at, reason=reason, code=code)


def sweep(*, at: datetime) -> int:
    """Files that no row names are forgotten; a row whose file is missing becomes a case.

    Returns how many were forgotten. A file is written before its row, so a young one may only seem to be nobody's;
    its age is counted by the machine's own clock, of which `at` may be days ahead in the sandbox.
    """
    named = {name for model in (Document, DataExport) for name in model.objects.values_list("vault_name", flat=True)}
    orphans = [name for name in vault.names(before=real_now() - ORPHAN_AFTER) if name not in named]
    for name in orphans:
        vault.remove(name)
    _report_missing(at)
    return len(orphans)


def _report_missing(at: datetime) -> None:
    """What still counts, or was sent to FP, must be there, unless its person was erased."""
    erased = ErasureRequest.objects.filter(state=ErasureRequest.State.DONE).values("investor")
    kept = Document.objects.filter(Q(replaced_at=None) | Q(provider_ref__isnull=False)).exclude(investor__in=erased)
    for document in kept.only("code", "kind", "vault_name").iterator(500):
        if not vault.has(document.vault_name):
            cases.open_case(
                kind=MISSING_CASE,
                subject=document,
                title=f"The file behind {document.code} is gone",
                detail="Restore the media root from its backup, then close this case. The row says what it was.",
                at=at,
            )
