"""The evidence pack as an act on the page of an order, a mandate or a basket order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpResponse

from portal import evidence
from portal.admin.acts import Act, By


def _take(obj: Any, related: Sequence[Model], by: By) -> HttpResponse:
    name, pack = evidence.take(subject=obj, related=related, actor=by.actor, reason=by.reason, at=by.at)
    answer = HttpResponse(pack, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


EVIDENCE = Act(
    name="evidence",
    label="Take the evidence",
    permission="portal.take_evidence",
    explain="A file with everything that is known: what was shown and agreed to, each step, the calls to the provider, "
    "what staff did. Identifiers stay masked. Its digests go into the audit log, which seals it.",
    download=_take,
    icon="folder_zip",
)
