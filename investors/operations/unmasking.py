"""Showing somebody's personal data in full: to a person of ours, for a reason, on record before it is shown."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors.models import Address, Investor
from portal import audit
from portal.models import User

Fact = tuple[str, str]


def facts_of(*, investor: Investor, actor: User, reason: str, at: datetime) -> list[Fact]:
    """Label and value of what pages otherwise mask. That `actor` saw it, and why, is committed first."""
    facts = [(label, value) for label, value in _facts(investor) if value]
    with transaction.atomic():
        audit.record(investor, audit.UNMASKED, actor=actor, at=at, reason=reason, fields=[label for label, _ in facts])
    return facts


def _facts(investor: Investor) -> list[Fact]:
    born = investor.date_of_birth
    homes = Address.objects.filter(investor=investor).order_by("kind")
    lines = [(f"{each.get_kind_display().capitalize()} address", _lines(each)) for each in homes]
    return [
        ("PAN", investor.pan),
        ("Guardian's PAN", investor.guardian_pan),
        ("Date of birth", f"{born:%-d %b %Y}" if born else ""),
        ("Mobile", f"+{investor.isd_code} {investor.mobile}" if investor.mobile else ""),
        ("Email", investor.user.email),
        *lines,
    ]


def _lines(home: Address) -> str:
    return ", ".join(part for part in (home.line1, home.line2, home.line3, home.city, home.pincode) if part)
