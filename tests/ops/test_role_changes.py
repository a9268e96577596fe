"""Roles of staff need two people (reliability.md P34): in the admin, in the operation, and in the database below."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.urls import reverse

from portal import clock, role_changes, roles
from portal.models import AuditEntry, RoleChange, User
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
REASON = "Joined the desk today"
ASK = {"role": roles.MAKER, "reason": REASON}


@contextmanager
def console(state: str) -> Iterator[None]:
    """The console of the machine, `on` or `off`: a web process has none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.console')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('portal.console', %s, false)", [state])
        yield
        cursor.execute("SELECT set_config('portal.console', %s, false)", [before])


@pytest.fixture
def two(staff) -> tuple[User, User]:
    """Two administrators."""
    return staff(roles.ADMIN), staff(roles.ADMIN)


@pytest.fixture
def as_web_process(two, person) -> Iterator[None]:
    """The database as a web process meets it."""
    with console("off"):
        yield


@pytest.fixture
def person() -> User:
    """Somebody without a role."""
    return factories.UserFactory()


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def change_of(person: User) -> RoleChange:
    return RoleChange.objects.get(user=person)


def test_one_asks_another_approves_and_only_then_the_role_holds(as_role, person):
    asker, other = as_role(roles.ADMIN), as_role(roles.ADMIN)
    with console("off"):
        asker.post(act_url(person, "give-role"), ASK)
        assert not roles.roles_of(person)
        other.post(act_url(change_of(person), "approve"), {"reason": "Her manager has confirmed"})
    assert roles.roles_of(person) == [roles.MAKER]
    assert fresh(person).is_staff
    assert change_of(person).state == "APPLIED"
    told = AuditEntry.objects.filter(subject_id=str(person.pk), action__startswith="user.role").order_by("id")
    assert list(told.values_list("action", "actor", "reason")) == [
        ("user.role_change_asked", f"user:{asker.user.pk}", REASON),
        ("user.role_given", f"user:{other.user.pk}", "Her manager has confirmed"),
    ]
    assert told[1].data == {"role": roles.MAKER, "asked_by": f"user:{asker.user.pk}"}


def test_taking_a_role_needs_two_as_well_and_closes_the_admin(as_role, staff, person):
    roles.grant(person, roles.VIEWER)
    as_role(roles.ADMIN).post(act_url(person, "take-role"), {"role": roles.VIEWER, "reason": REASON})
    assert fresh(person).is_staff
    as_role(roles.ADMIN).post(act_url(change_of(person), "approve"), {"reason": REASON})
    assert not fresh(person).is_staff


@pytest.mark.parametrize("superuser", [False, True])
def test_nobody_approves_what_they_asked_for_superusers_included(as_role, client, dev, person, superuser):
    browser = client if superuser else as_role(roles.ADMIN)
    if superuser:
        client.force_login(dev)
    browser.post(act_url(person, "give-role"), ASK)
    change = change_of(person)
    assert act_url(change, "approve") not in browser.get(_page(change)).content.decode()
    assert browser.post(act_url(change, "approve"), {"reason": REASON}).status_code == 403
    assert not roles.roles_of(person)


def _page(change: RoleChange) -> str:
    return reverse("admin:portal_rolechange_change", args=[change.pk])


def test_nobody_approves_what_is_about_themselves(as_role, staff):
    candidate = as_role(roles.ADMIN)
    as_role(roles.ADMIN).post(act_url(candidate.user, "give-role"), {"role": roles.EVERY_RIGHT, "reason": REASON})
    for name in ("approve", "refuse"):
        assert candidate.post(act_url(change_of(candidate.user), name), {"reason": REASON}).status_code == 403
    assert not fresh(candidate.user).is_superuser


def test_the_operation_alone_refuses_the_same(staff, person):
    asker, at = staff(roles.ADMIN), clock.now()
    change = role_changes.ask(user=person, role=roles.MAKER, give=True, actor=asker, reason=REASON, at=at)
    for who in (asker, person):
        with pytest.raises(role_changes.SecondPerson):
            role_changes.approve(change=change, actor=who, reason=REASON, at=at)
    with pytest.raises(role_changes.OwnRole):
        role_changes.ask(user=asker, role=roles.MAKER, give=True, actor=asker, reason=REASON, at=at)
    with pytest.raises(role_changes.AlreadyAsked):
        role_changes.ask(user=person, role=roles.MAKER, give=True, actor=staff(roles.ADMIN), reason=REASON, at=at)
    with pytest.raises(role_changes.NothingToChange):
        role_changes.ask(user=person, role=roles.VIEWER, give=False, actor=asker, reason=REASON, at=at)


def test_a_change_is_decided_once(staff, person):
    asker, other, third, at = staff(roles.ADMIN), staff(roles.ADMIN), staff(roles.ADMIN), clock.now()
    change = role_changes.ask(user=person, role=roles.MAKER, give=True, actor=asker, reason=REASON, at=at)
    role_changes.refuse(change=change, actor=other, reason=REASON, at=at)
    with pytest.raises(role_changes.AlreadyDecided):
        role_changes.approve(change=change, actor=third, reason=REASON, at=at)
    assert not roles.roles_of(person)


def test_whoever_asked_may_withdraw(as_role, person):
    asker = as_role(roles.ADMIN)
    asker.post(act_url(person, "give-role"), ASK)
    asker.post(act_url(change_of(person), "refuse"), {"reason": "The wrong person"})
    assert change_of(person).state == "WITHDRAWN"


@pytest.mark.parametrize("role", [roles.VIEWER, roles.MAKER, roles.CHECKER])
def test_other_staff_cannot_decide(as_role, staff, person, role):
    change = role_changes.ask(
        user=person, role=roles.MAKER, give=True, actor=staff(roles.ADMIN), reason=REASON, at=clock.now()
    )
    assert as_role(role).post(act_url(change, "approve"), {"reason": REASON}).status_code == 403


def test_every_right_is_given_and_taken_by_two(two, person, as_web_process):
    (asker, other), at = two, clock.now()
    for give in (True, False):
        who = fresh(person)
        change = role_changes.ask(user=who, role=roles.EVERY_RIGHT, give=give, actor=asker, reason=REASON, at=at)
        role_changes.approve(change=change, actor=other, reason=REASON, at=at)
        assert (fresh(person).is_superuser, fresh(person).is_staff) == (give, give)


def test_what_waits_stands_on_the_first_page_of_administrators_only(as_role, staff, person):
    role_changes.ask(user=person, role=roles.MAKER, give=True, actor=staff(roles.ADMIN), reason=REASON, at=clock.now())
    tiles = {tile.label: tile for tile in as_role(roles.ADMIN).get("/admin/").context["tiles"]}
    assert (tiles["Roles to approve"].value, tiles["Roles to approve"].tone) == ("1", "needs")
    assert "Roles to approve" not in {tile.label for tile in as_role(roles.MAKER).get("/admin/").context["tiles"]}


# --- below the admin --------------------------------------------------------------------------------------------


WAYS: dict[str, Any] = {
    "a group": lambda user: user.groups.add(Group.objects.get(name=roles.ADMIN)),
    "a group by its other side": lambda user: Group.objects.get(name=roles.ADMIN).user_set.add(user),
    "the operation of the console": lambda user: roles.grant(user, roles.ADMIN),
    "the staff flag": lambda user: User.objects.filter(pk=user.pk).update(is_staff=True),
    "every right": lambda user: User.objects.filter(pk=user.pk).update(is_superuser=True),
    "a saved object": lambda user: setattr(user, "is_superuser", True) or user.save(),
    "a new superuser": lambda _: User.objects.create_superuser("thief@portal.example", "x"),
    "a direct permission": lambda user: user.user_permissions.add(Permission.objects.first()),
    "a permission of a group": lambda _: Group.objects.get(name=roles.VIEWER).permissions.add(
        Permission.objects.exclude(group__name=roles.VIEWER).first()
    ),
    "raw SQL": lambda user: _sql(
        "INSERT INTO portal_user_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = 'admin'", user.pk
    ),
    "an approval out of nothing": lambda user: RoleChange.objects.create(
        user=user,
        role=roles.ADMIN,
        give=True,
        state="APPROVED",
        asked_by=factories.UserFactory(),
        decided_by=factories.UserFactory(),
        asked_at=clock.now(),
        reason=REASON,
    ),
}


def _sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("way", WAYS)
def test_no_code_of_a_web_process_changes_a_role_alone(person, as_web_process, way):
    with pytest.raises(IntegrityError), transaction.atomic():
        WAYS[way](person)
    assert not roles.roles_of(person)
    assert (fresh(person).is_staff, fresh(person).is_superuser) == (False, False)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "an approval out of nothing"])
def test_the_guard_is_what_refuses(person, way):
    """With the guard off, each of these ways works: so the test above shows something."""
    WAYS[way](person)


def test_taking_a_group_away_needs_two_below_the_admin_too(two, as_web_process):
    with pytest.raises(IntegrityError), transaction.atomic():
        two[0].groups.clear()


@pytest.mark.parametrize(
    "tampering",
    [
        "state = 'APPROVED', decided_by_id = asked_by_id",
        "state = 'APPROVED', decided_by_id = user_id",
        "state = 'APPLIED', decided_by_id = user_id",
        "role = 'admin'",
        "user_id = asked_by_id",
    ],
)
def test_a_waiting_change_cannot_be_bent(staff, person, tampering):
    role_changes.ask(user=person, role=roles.MAKER, give=True, actor=staff(roles.ADMIN), reason=REASON, at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        _sql(f"UPDATE portal_rolechange SET {tampering}")
    with pytest.raises(IntegrityError), transaction.atomic():
        _sql("DELETE FROM portal_rolechange")


def test_an_approval_serves_once(two, person, as_web_process):
    (asker, other), at = two, clock.now()
    change = role_changes.ask(user=person, role=roles.MAKER, give=True, actor=asker, reason=REASON, at=at)
    role_changes.approve(change=change, actor=other, reason=REASON, at=at)
    with pytest.raises(IntegrityError), transaction.atomic():
        roles.withdraw(person, roles.MAKER)
    with pytest.raises(IntegrityError), transaction.atomic():
        roles.grant(person, roles.ADMIN)


def test_web_processes_have_no_console_and_commands_have():
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    for prefix, expected in (("import portal.wsgi; ", "console=off"), ("", "console=on")):
        words = [sys.executable, "-c", prefix + code]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=environment)
        assert expected in told.stdout


def test_the_first_administrators_are_made_at_the_console(person):
    call_command("give_role", person.email.upper(), roles.ADMIN, "--reason", "First administrator")
    assert roles.roles_of(person) == [roles.ADMIN]
    entry = AuditEntry.objects.get(action="user.role_given")
    assert (entry.actor, entry.reason) == ("console", "First administrator")
    with pytest.raises(CommandError):
        call_command("give_role", "nobody@portal.example", roles.ADMIN, "--reason", "x")
