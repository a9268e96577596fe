"""The evidence pack of a record: what was shown and agreed, what happened, what the provider was asked and answered.

One ZIP with `evidence.json`, the same as `evidence.pdf` for people, and `SEAL.txt`. The seal is the audit log: the
SHA-256 of both files is written there as the act of taking the pack, in the chain that `audit_verify` walks and whose
anchor lies elsewhere. `verify` compares a pack with it, so a changed file is found, and one that was never taken here.

Identifiers are masked as on every page of operations; encrypted columns are left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import models

from portal import audit, redaction
from portal.clock import IST
from portal.encryption import EncryptedTextField
from portal.models import AuditEntry, AuditLink, Case, GatewayCall, User

TEMPLATE = Path(__file__).with_name("evidence.typ")
TAKEN = "evidence.taken"
JSON, PDF, SEAL = "evidence.json", "evidence.pdf", "SEAL.txt"
# What is nobody's business outside, and what says nothing by itself.
LEFT_OUT = ("otp_hash", "contact", "nonce", "form_ref", "pan_index", "number_index")


def take(
    *, subject: models.Model, related: Sequence[models.Model], actor: User, reason: str, at: datetime
) -> tuple[str, bytes]:
    """(name, ZIP) of the pack about `subject`; that it was taken, and its digests, stand in the audit log."""
    import typst  # 6 MB, which only a process that makes a paper need hold

    facts = gather(subject=subject, related=related, taken_by=str(actor), reason=reason, at=at)
    data = json.dumps(facts, ensure_ascii=False, sort_keys=True, indent=1).encode()
    digest = hashlib.sha256(data).hexdigest()
    paper = typst.compile(TEMPLATE, format="pdf", sys_inputs={"data": data.decode(), "digest": digest})
    digests = {JSON: digest, PDF: hashlib.sha256(paper).hexdigest()}
    audit.record(subject, TAKEN, actor=actor, at=at, reason=reason, data={"sha256": digests})
    return f"{facts['record']['code']}-evidence.zip", _zip(data, paper, digests)


def _zip(data: bytes, paper: bytes, digests: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in ((JSON, data), (PDF, paper), (SEAL, _seal(digests))):
            pack.writestr(name, content)
    return out.getvalue()


def _seal(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def verify(pack: bytes) -> list[str]:
    """What is wrong with a pack; nothing when its files are those that were sealed, by an entry in the chain."""
    try:
        with zipfile.ZipFile(io.BytesIO(pack)) as found:
            if sorted(found.namelist()) != sorted((JSON, PDF, SEAL)):
                return ["the pack does not hold the three files of a pack, each once"]
            files, seal = {name: found.read(name) for name in (JSON, PDF)}, found.read(SEAL)
    except zipfile.BadZipFile:
        return ["this is no evidence pack"]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    entry = AuditEntry.objects.filter(action=TAKEN, data__sha256__contains={JSON: digests[JSON]}).first()
    if entry is None:
        return [f"{JSON} is not what was sealed: no such pack was taken here"]
    if entry.data["sha256"] != digests:
        return [f"{PDF} is not what was sealed"]
    if seal != _seal(digests):
        return [f"{SEAL} is not what was sealed"]
    return [] if AuditLink.objects.filter(entry=entry).exists() else ["the entry of the audit log is not in the chain"]


# --- what stands in it ------------------------------------------------------------------------------------------


def gather(
    *, subject: models.Model, related: Sequence[models.Model], taken_by: str, reason: str, at: datetime
) -> dict[str, Any]:
    """Everything that is known about a record and those beside it, as plain values."""
    together = [subject, *related]
    about = models.Q()
    for each in together:
        about |= models.Q(subject_kind=audit.kind_of(each), subject_id=str(each.pk))
    entries = list(AuditEntry.objects.filter(about).select_related("link").order_by("id"))
    names = _names(entries)
    last = AuditLink.objects.order_by("-seq").first()
    return {
        "record": {"kind": audit.kind_of(subject), "code": getattr(subject, "code", str(subject.pk))},
        "taken": {"by": taken_by, "at": _moment(at), "reason": redaction.text(reason)},
        "chain": {"seq": last.seq if last else 0, "hash": last.hash if last else ""},
        "facts": [_facts(each) for each in together],
        "shown": [_shown(each) for each in _consents(together)],
        "timeline": [_step(entry, names) for entry in entries if entry.action != audit.SEEN],
        "staff": [_step(entry, names) for entry in entries if names.get(entry.actor, ("", False))[1]],
        "calls": [_call(call) for call in GatewayCall.objects.filter(about).order_by("started_at", "id")],
        "cases": [_case(case) for case in Case.objects.filter(about).order_by("opened_at")],
    }


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S} IST" if at else ""


def _facts(row: models.Model) -> dict[str, Any]:
    """The columns of a record, without what is encrypted or secret."""
    values = {
        field.name: _plain(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField) and field.name not in (*LEFT_OUT, "shown")
    }
    return {"kind": audit.kind_of(row), "name": redaction.text(str(row)), "values": values}


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else redaction.each_in(value)


def _consents(rows: Sequence[models.Model]) -> list[Any]:
    """What was shown and agreed to: the consents of the records, each once."""
    found = {getattr(row, "consent_id", None): getattr(row, "consent", None) for row in rows}
    return [consent for key, consent in found.items() if key]


def _shown(consent: Any) -> dict[str, Any]:
    return {
        "code": consent.code,
        "for": consent.get_purpose_display(),
        "lines": [[label, redaction.text(str(text))] for label, text in consent.lines],
        "sha256": consent.digest,
        "code_sent_to": redaction.mask_email(consent.contact),
        "asked": _moment(consent.asked_at),
        "given": _moment(consent.given_at),
        "given_from": consent.given_ip or "",
    }


def _names(entries: Sequence[AuditEntry]) -> dict[str, tuple[str, bool]]:
    """Actor -> (name, is it a member of staff)."""
    ids = {int(each.actor[5:]) for each in entries if each.actor.startswith("user:")}
    people = User.objects.filter(pk__in=ids)
    return {
        f"user:{who.pk}": (str(who) if who.is_staff else redaction.mask_email(who.email), who.is_staff)
        for who in people
    }


def _step(entry: AuditEntry, names: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    link = getattr(entry, "link", None)
    return {
        "at": _moment(entry.at),
        "action": entry.action,
        "about": f"{entry.subject_kind} {entry.subject_id}",
        "by": names.get(entry.actor, (entry.actor, False))[0],
        "door": entry.door,
        "reason": redaction.text(entry.reason),
        "data": _plain(entry.data),
        "seq": link.seq if link else 0,
        "hash": link.hash if link else "",
    }


def _call(call: GatewayCall) -> dict[str, Any]:
    bodies = {"request": _plain(call.request_body), "response": _plain(call.response_body)}
    digests = {f"{name}_sha256": _digest(body) for name, body in bodies.items()}
    return {
        "at": _moment(call.started_at),
        "what": f"{call.provider} {call.method} {redaction.text(call.path)}",
        "our_ref": call.our_ref,
        "outcome": call.get_outcome_display(),
        "status": call.status or 0,
        "took_ms": call.took_ms or 0,
        **bodies,
        **digests,
    }


def _digest(body: Any) -> str:
    """SHA-256 of a body as the journal keeps it (redacted), as canonical JSON."""
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest() if body else ""


def _case(case: Case) -> dict[str, Any]:
    said = {"code": case.code, "title": case.title, "detail": case.detail, "resolution": case.resolution}
    return {**{key: redaction.text(text) for key, text in said.items()}, "opened": _moment(case.opened_at)}
