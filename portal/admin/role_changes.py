"""Roles that wait for a second person: who wants what for whom, and the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from portal import role_changes, roles
from portal.admin import desk, home, pending, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_email
from portal.models import RoleChange, User

TONES = {"ASKED": "needs", "APPROVED": "waiting", "APPLIED": "done", "REFUSED": "failed", "WITHDRAWN": "neutral"}
PERMISSION = "portal.act_user"


def _approve(change: RoleChange, by: By) -> str:
    role_changes.approve(change=change, actor=by.actor, reason=by.reason, at=by.at)
    return f"{change}: {change.user}. It holds from now on."


def _refuse(change: RoleChange, by: By) -> str:
    role_changes.refuse(change=change, actor=by.actor, reason=by.reason, at=by.at)
    return "Nothing changes."


def _is_open(change: RoleChange) -> bool:
    return change.state == RoleChange.State.ASKED


@admin.register(RoleChange)
class RoleChangeAdmin(OpsAdmin):
    """Changes of roles: asked for on a person's page, decided here by somebody else."""

    list_display = ("what", "person", "state_badge", "asker", "asked", "decider")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("user", "asked_by", "decided_by")
    ordering = ("-id",)
    finders = (by_email("user"),)
    search_help_text = "Whole email address of the person concerned"
    quick = (("To be decided", "state__exact=ASKED"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("what", "state_badge"), "person")}),
        ("The change", {"fields": ("difference",)}),
        ("Asked", {"fields": (("asker", "asked"), "reason")}),
        ("Decided", {"fields": (("decider", "decided"), "answer")}),
    )
    acts = (
        Act(
            name="approve",
            label="Approve",
            permission=PERMISSION,
            explain="The role is given or taken at once. You answer for it together with whoever asked.",
            run=_approve,
            offered=_is_open,
            not_by=role_changes.may_not_approve,
            icon="task_alt",
        ),
        Act(
            name="refuse",
            label="Refuse or withdraw",
            permission=PERMISSION,
            explain="Nothing changes. Whoever asked sees the reason.",
            run=_refuse,
            offered=_is_open,
            not_by=lambda change: (change.user_id,),
            icon="block",
        ),
    )

    def related(self, obj: Model) -> Sequence[Model]:
        return (obj.user,)  # type: ignore[attr-defined]

    @display(description="What", ordering="id")
    def what(self, change: RoleChange) -> str:
        return str(change)

    @display(description="Whose")
    def person(self, change: RoleChange) -> str:
        return show.two(show.change_link(change.user), change.user.email)

    @display(description="Roles before and after")
    def difference(self, change: RoleChange) -> str:
        if not _is_open(change):
            return show.NOTHING
        return show.compared([("roles", *_before_and_after(change))])

    @display(description="State", ordering="state")
    def state_badge(self, change: RoleChange) -> str:
        return show.badge(TONES[change.state], change.get_state_display())

    @display(description="Asked by")
    def asker(self, change: RoleChange) -> str:
        return str(change.asked_by)

    @display(description="Asked")
    def asked(self, change: RoleChange) -> str:
        return show.moment(change.asked_at)

    @display(description="Decided by")
    def decider(self, change: RoleChange) -> str:
        return str(change.decided_by or show.NOTHING)

    @display(description="Decided")
    def decided(self, change: RoleChange) -> str:
        return show.moment(change.decided_at)


def _before_and_after(change: RoleChange) -> tuple[str, str]:
    """The roles that the person has now, and those that they would have."""
    held = roles.held(change.user)
    then = [*held, change.role] if change.give else [role for role in held if role != change.role]
    return ", ".join(held) or "none", ", ".join(sorted(then)) or "none"


def _differences(ids: list[str]) -> dict[str, str]:
    """What role changes would change, for the inbox."""
    rows = RoleChange.objects.filter(pk__in=ids).select_related("user").prefetch_related("user__groups")
    return {str(row.pk): f"{row.user}: {' → '.join(_before_and_after(row))}" for row in rows}


desk.differences["portal.rolechange"] = _differences


@pending.concerns("portal.user")
def _waiting_for(user: User) -> list[pending.Waits]:
    """Changes of this person's roles."""
    rows = user.role_changes.filter(state=RoleChange.State.ASKED).select_related("asked_by")
    return [pending.Waits(row, str(row), str(row.asked_by), row.asked_at) for row in rows]


@home.part(order=15, permission=PERMISSION)
def role_changes_part(at: datetime) -> home.Part:
    """What waits for a second administrator."""
    waiting: list[Any] = list(RoleChange.objects.filter(state=RoleChange.State.ASKED).order_by("asked_at")[:100])
    note = f"oldest {show.age(at - waiting[0].asked_at)}" if waiting else "Nobody waits for a second person."
    url = show.list_url(RoleChange, "state__exact=ASKED")
    return home.Part([home.Tile("Roles to approve", str(len(waiting)), note, url, "needs" if waiting else "done")])
