"""Daily anchors of the audit chain: its newest link in a file a day, kept where the database is not.

Each new anchor is written after the chain was walked and found to hold the one before it; what does not hold is a case,
and no anchor. `audit_verify --anchor FILE` compares with any of them by hand.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings

from portal import audit, cases
from portal.clock import IST
from portal.models import AuditEntry

log = structlog.get_logger(__name__)
CASE = "audit_chain_broken"


def write(at: datetime) -> Path | None:
    """The anchor of the day exists, or a case says why not. None where there is nothing new to write."""
    today = settings.AUDIT_ANCHOR_DIR / f"{at.astimezone(IST):%Y-%m-%d}.json"
    if today.exists():
        return None
    found = audit.verify(anchor=newest())
    if found.problems:
        _tell(found.problems, at)
        return None
    if not found.entries:
        return None
    try:
        today.parent.mkdir(parents=True, exist_ok=True)
        today.write_text(json.dumps({"seq": found.last_seq, "hash": found.last_hash}))
    except OSError as error:
        log.error("anchor_not_written", error=type(error).__name__)
        return None
    log.info("audit_anchor", seq=found.last_seq, hash=found.last_hash)
    return Path(today)


def newest() -> tuple[int, str] | None:
    """The last anchor that was written; None before the first. Raises ValueError for a file that is no anchor."""
    files = sorted(settings.AUDIT_ANCHOR_DIR.glob("????-??-??.json"))
    if not files:
        return None
    kept = json.loads(files[-1].read_text())
    return int(kept["seq"]), str(kept["hash"])


def _tell(problems: tuple[str, ...], at: datetime) -> None:
    log.error("audit_chain_broken", problems=list(problems[:10]))
    subject = AuditEntry.objects.order_by("-id").first()
    if subject:
        detail = "\n".join(problems[:50])
        cases.open_case(kind=CASE, subject=subject, title="The audit chain does not hold", detail=detail, at=at)
