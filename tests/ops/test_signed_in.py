"""Who is signed in where, and how an administrator ends that."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from portal import roles
from portal.models import AuditEntry, Session
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
LIST = "/admin/usersessions/usersession/"


@pytest.fixture
def session(staff):
    """A browser in which a maker is signed in, and its line on the page of sessions."""
    browser, maker = Client(), staff(roles.MAKER)
    browser.force_login(maker)
    row = UserSession.objects.create(
        user=maker, session_key=browser.session.session_key, ip="10.1.2.3", user_agent="Firefox on the second floor"
    )
    return browser, row


def test_the_list_says_who_is_where_and_shows_no_key(as_role, session):
    browser, row = session
    text = as_role(roles.ADMIN).get(LIST, {"user__is_staff__exact": "1"}).content.decode()
    assert "Firefox on the second floor" in text
    for hidden in (browser.session.session_key, row.session_key):
        assert hidden not in text


def test_an_administrator_ends_a_session_with_a_reason(as_role, session):
    browser, row = session
    other = Client()
    other.force_login(row.user)
    boss = as_role(roles.ADMIN)
    assert browser.get(reverse("admin:index")).status_code == 200
    answer = boss.post(act_url(row, "sign-out"), {"reason": "The laptop was stolen"}, follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert f"{row.user} is signed out there." in answer.content.decode()
    assert browser.get(reverse("admin:index")).status_code == 302
    assert other.get(reverse("admin:index")).status_code == 200, "only that session ends"
    assert not UserSession.objects.filter(pk=row.pk).exists()
    told = AuditEntry.objects.get(action="user.signed_out")
    assert (told.actor, told.reason, told.subject_id) == (
        f"user:{boss.user.pk}",
        "The laptop was stolen",
        str(row.user_id),
    )


@pytest.mark.parametrize("role", [roles.VIEWER, roles.MAKER, roles.CHECKER])
def test_nobody_else_ends_sessions(as_role, session, role):
    assert as_role(role).post(act_url(session[1], "sign-out"), {"reason": "I want to"}).status_code in (403, 302)
    assert Session.objects.filter(user=session[1].user).exists()
    assert UserSession.objects.filter(pk=session[1].pk).exists()


def test_a_session_of_somebody_without_a_line_is_no_error(as_role):
    user = factories.UserFactory()
    row = UserSession.objects.create(user=user, session_key="gone" * 8, ip="10.1.2.3", user_agent="")
    answer = as_role(roles.ADMIN).post(act_url(row, "sign-out"), {"reason": "Tidying up"}, follow=True)
    assert answer.status_code == 200
    assert not UserSession.objects.exists()
