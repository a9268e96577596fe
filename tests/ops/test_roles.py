"""Roles: who may enter, see, act, approve and look after people."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from portal import cases, clock, gates, roles
from portal.models import AuditEntry, Gate, User
from tests import factories

pytestmark = pytest.mark.django_db
REASON = {"reason": "The investor called about it"}


def act_url(obj, name):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_act", args=[obj.pk, name])


def mark(page, name):
    """Of what was looked at, as the button of an act carries it."""
    return re.search(rf"/act/{name}/\?seen=([0-9a-f]{{16}})", page.content.decode())[1]


# Who may do what: act -> roles that may. Everybody else gets 403.
ACTS = {
    ("order", "refresh"): {roles.MAKER},
    ("order", "submit-again"): {roles.MAKER},
    ("payment", "refresh"): {roles.MAKER},
    ("case", "claim"): {roles.MAKER},
    ("case", "close"): {roles.MAKER},
    ("event", "work-again"): {roles.MAKER},
    ("investor", "recheck-kyc"): {roles.MAKER},
    ("investor", "register-again"): {roles.MAKER},
    ("gate", "close"): {roles.ADMIN},
    ("person", "give-role"): {roles.ADMIN},
    ("person", "switch-off"): {roles.ADMIN},
}


@pytest.mark.parametrize("role", roles.STAFF_ROLES)
@pytest.mark.parametrize(("what", "name"), ACTS)
def test_an_act_answers_403_to_every_role_that_lacks_it(as_role, desk, what, name, role):
    desk.gate = Gate.objects.get(pk=gates.OUTBOUND_MONEY)
    desk.person = factories.UserFactory()
    if role in ACTS[what, name]:
        assert as_role(role).get(act_url(getattr(desk, what), name)).status_code in {200, 302}
        return
    before = AuditEntry.objects.count()
    client = as_role(role)
    for answer in (
        client.get(act_url(getattr(desk, what), name)),
        client.post(act_url(getattr(desk, what), name), REASON),
    ):
        assert answer.status_code == 403
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("role", [roles.INVESTOR, roles.PARTNER])
def test_investors_and_partners_have_no_admin(as_role, role):
    answer = as_role(role).get(reverse("admin:index"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_the_admin_has_a_door_of_its_own_that_leads_to_where_somebody_wanted(staff):
    wanted = reverse("admin:portal_case_changelist")
    maker, client = staff(roles.MAKER), Client()
    door = client.get(wanted, follow=True)
    assert door.redirect_chain[-1][0].startswith(reverse("admin:login"))
    assert "Every look and every act here is recorded" in door.content.decode()
    typed = {"login": maker.email, "password": factories.PASSWORD, "next": wanted}
    assert client.post(reverse("admin:login"), typed)["Location"] == wanted
    assert client.get(wanted).status_code == 200


def test_without_a_page_in_mind_the_door_leads_to_the_first_page(staff):
    typed = {"login": staff(roles.VIEWER).email, "password": factories.PASSWORD}
    assert Client().post(reverse("admin:login"), typed)["Location"] == reverse("admin:index")


def test_a_wrong_password_is_said_at_the_door_and_tells_nobody_who_works_here(staff):
    words = set()
    for email in (staff(roles.MAKER).email, "nobody@portal.example"):
        answer = Client().post(reverse("admin:login"), {"login": email, "password": "wrong-horse-battery"})
        assert answer.status_code == 200
        words.add(str(answer.context["form"].errors).replace(email, ""))
    assert len(words) == 1


def test_the_door_redirects_to_no_other_house(staff):
    typed = {"login": staff(roles.MAKER).email, "password": factories.PASSWORD, "next": "https://evil.example/"}
    assert Client().post(reverse("admin:login"), typed)["Location"] == reverse("admin:index")


def test_an_investor_at_the_door_of_operations_is_not_let_in():
    investor, client = factories.ReadyInvestorFactory().user, Client()
    client.post(reverse("admin:login"), {"login": investor.email, "password": factories.PASSWORD})
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_who_is_in_already_does_not_see_the_door_again(as_role):
    assert as_role(roles.VIEWER).get(reverse("admin:login"))["Location"] == reverse("admin:index")


def test_staff_need_a_second_factor_where_settings_ask_for_it(as_role, settings):
    settings.STAFF_SECOND_FACTOR = True
    answer = as_role(roles.VIEWER).get(reverse("admin:index"))
    assert answer["Location"] == reverse("mfa_index")


def test_the_database_holds_exactly_the_table(db):
    for role, granted in roles.GRANTS.items():
        held = {
            f"{p.content_type.app_label}.{p.codename}"
            for p in Group.objects.get(name=role).permissions.select_related("content_type")
        }
        assert held == set(granted), role


def test_migrating_takes_back_a_right_that_was_added_by_hand(staff):
    viewer = Group.objects.get(name=roles.VIEWER)
    viewer.permissions.add(*Group.objects.get(name=roles.MAKER).permissions.filter(codename="act_mforder"))
    call_command("migrate", verbosity=0)
    assert not staff(roles.VIEWER).has_perm("orders.act_mforder")
    assert staff(roles.MAKER).has_perm("orders.act_mforder")


def test_a_staff_role_opens_the_admin_and_its_loss_closes_it():
    user = factories.UserFactory()
    roles.grant(user, roles.VIEWER)
    assert User.objects.get(pk=user.pk).is_staff
    roles.withdraw(user, roles.VIEWER)
    assert not User.objects.get(pk=user.pk).is_staff


def test_refuses_a_role_that_is_not_in_the_table():
    with pytest.raises(KeyError):
        roles.grant(factories.UserFactory(), "emperor")


def test_nobody_changes_their_own_roles_or_switches_themselves_off(as_role):
    client = as_role(roles.ADMIN)
    client.post(act_url(client.user, "give-role"), {"role": roles.MAKER, "reason": "I would like that"})
    client.post(act_url(client.user, "switch-off"), REASON)
    assert roles.roles_of(client.user) == [roles.ADMIN]
    assert User.objects.get(pk=client.user.pk).is_active
    assert not AuditEntry.objects.filter(action__startswith="user.").exists()


def test_an_admin_adds_a_person_who_cannot_sign_in_with_a_password_yet(as_role):
    client = as_role(roles.ADMIN)
    client.post(
        reverse("admin:portal_user_add"),
        {
            "email": "new@portal.example",
            "first_name": "New",
            "last_name": "Maker",
            "is_superuser": "on",
            "is_staff": "on",
        },
    )
    person = User.objects.get(email="new@portal.example")
    assert not person.has_usable_password()
    assert not person.is_superuser
    assert not person.is_staff
    assert AuditEntry.objects.filter(action="user.added", subject_id=str(person.pk)).exists()


def test_an_approval_is_closed_by_a_checker_and_not_by_a_maker(as_role, desk):
    case = cases.open_case(kind="approval_refund", subject=desk.order, title="Refund?", detail="", at=clock.now())
    assert as_role(roles.MAKER).post(act_url(case, "close"), REASON).status_code == 403
    case.refresh_from_db()
    assert case.state == "OPEN"
    as_role(roles.CHECKER).post(act_url(case, "close"), REASON)
    case.refresh_from_db()
    assert case.state == "CLOSED"
