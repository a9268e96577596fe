"""Who works at a partner, and what a partner's connection to the database sees.

A partner's machine comes with a token (`door.py`), a partner's person signs in like everybody and opens the console:
both see what `scope_of` says and nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse

from portal import audit
from portal.access import access
from portal.api import leaving
from portal.api.models import PartnerMember
from portal.errors import Failure
from portal.models import Partner, User
from portal.scope import scope

OWN_FIRM = "somebody who works at a partner, that partner's rows only"


class WorksElsewhere(Failure):
    """A login works at one partner at a time."""

    code = "works_elsewhere"
    message = "This person works at a partner already. End that first."


def scope_of(partner: Partner, user: User | None = None) -> str:
    """What a connection sees that acts for the partner: `partner:3`, or `partner:3:17` for a person who works there."""
    return f"partner:{partner.pk}:{user.pk}" if user else f"partner:{partner.pk}"


def partner_of(user: User) -> Partner | None:
    """The active partner at which this person works."""
    members = PartnerMember.objects.filter(user=user, ended_at=None, partner__is_active=True)
    found = members.select_related("partner").first()
    return found.partner if found else None


def partner_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of a partner's person: `request.partner` is theirs, and the database shows the partner's rows only."""

    @access(OWN_FIRM)
    @login_required
    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]
        partner = None if user.is_staff else partner_of(user)
        if partner is None:
            raise Http404
        request.partner = partner  # type: ignore[attr-defined]
        with scope(scope_of(partner, user)):
            return view(request, *args, **kwargs)

    return door


class PartnerRequest(HttpRequest):
    """A request of somebody whose partner is known (for type checkers; the decorator sets the attribute)."""

    partner: Partner


def add_member(*, partner: Partner, user: User, actor: User | str, at: datetime) -> PartnerMember:
    """The person works at the partner from now on. Raises WorksElsewhere. (Roles need two people: `role_changes`.)"""
    try:
        with transaction.atomic():
            member = PartnerMember.objects.create(partner=partner, user=user, began_at=at)
            audit.record(partner, "partner.member_added", actor=actor, at=at, user=user.pk)
    except IntegrityError as error:
        if "a_login_works_at_one_partner_at_a_time" not in str(error):
            raise
        raise WorksElsewhere from None
    return member


def end_member(*, member: PartnerMember, actor: User | str, reason: str, at: datetime) -> None:
    """The person no longer works there; a second call changes nothing."""
    with transaction.atomic():
        ended = PartnerMember.objects.filter(pk=member.pk, ended_at=None).update(ended_at=at)
        if ended:
            audit.record(member.partner, "partner.member_ended", actor=actor, at=at, reason=reason, user=member.user_id)


def close_api(*, partner: Partner, reason: str, actor: User | str, at: datetime) -> None:
    """The emergency stop: every call of the partner is refused from now on, and what its machines asked has ended."""
    with transaction.atomic():
        _switch(partner, "partner.api_closed", at, reason, actor, at)
        leaving.api_closed(partner=partner, actor=actor, at=at)


def open_api(*, partner: Partner, reason: str, actor: User | str, at: datetime) -> None:
    """The partner may call again."""
    _switch(partner, "partner.api_opened", None, reason, actor, at)


def _switch(
    partner: Partner, action: str, closed_at: datetime | None, reason: str, actor: User | str, at: datetime
) -> None:
    partner.api_closed_at, partner.api_closed_why = closed_at, reason[:300] if closed_at else ""
    with transaction.atomic():
        partner.save(update_fields=["api_closed_at", "api_closed_why"])
        audit.record(partner, action, actor=actor, at=at, reason=reason)
