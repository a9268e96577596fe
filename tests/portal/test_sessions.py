"""How a request is opened: the session, the person whom it names and what they may see, in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal import encryption, scope
from portal.models import Session, User
from portal.scope import ScopeMiddleware, set_scope
from portal.sessions import SessionStore, name_of
from tests import factories


def seen_by(key: str, path: str = "/portfolio/") -> tuple[str, str]:
    """(who asks, what the connection may see) inside a request with this session key."""
    found = []

    def view(request: HttpRequest) -> HttpResponse:
        found.append((str(getattr(request.user, "email", "")), scope_now()))
        return HttpResponse()

    request = RequestFactory().get(path)
    request.session = SessionStore(key)
    ScopeMiddleware(view)(request)
    return found[0]


def scope_now() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.scope')")
        return str(cursor.fetchone()[0])


@pytest.fixture
def key(asha: Any) -> str:
    """The key of a session in which Asha is signed in."""
    browser = Client()
    browser.force_login(asha.user)
    return browser.session.session_key or ""


def test_one_statement_opens_a_request(asha: Any, key: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert seen_by(key) == (asha.user.email, f"user:{asha.user_id}")
    opening = [each["sql"] for each in asked if "current_setting" not in each["sql"]]
    # The last one puts back what this process may see; a web process has nothing to put back.
    assert len(opening) == 2
    assert "portal_open" in opening[0]


def test_staff_see_all_and_nobody_sees_nothing(asha: Any, client_for: Any) -> None:
    staff = User.objects.create_user("ops@portal.example", is_staff=True)
    assert seen_by(client_for(staff).session.session_key) == (staff.email, "all")
    assert seen_by("") == ("", "none")
    assert seen_by("no-such-session-at-all-in-the-table") == ("", "none")


def test_the_pages_where_one_signs_in_may_look_people_up(asha: Any, key: str) -> None:
    assert seen_by(key, "/accounts/email/")[1] == f"door:{asha.user_id}"
    assert seen_by("", "/accounts/login/")[1] == "door"


def test_an_ended_session_ends_at_the_next_request(asha: Any, key: str) -> None:
    SessionStore().delete(key)
    assert seen_by(key) == ("", "none")


def test_an_expired_session_opens_nothing(asha: Any, key: str) -> None:
    Session.objects.filter(pk=name_of(key)).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert seen_by(key) == ("", "none")


def test_a_person_who_was_switched_off_is_nobody(asha: Any, key: str) -> None:
    User.objects.filter(pk=asha.user_id).update(is_active=False)
    assert seen_by(key) == ("", "none")


def test_a_new_password_ends_the_sessions_of_the_old_one(asha: Any, key: str) -> None:
    asha.user.set_password("another one, and long")
    asha.user.save()
    assert seen_by(key) == ("", "none")


def test_the_signed_data_decides_whose_session_it_is_and_not_the_column(asha: Any, key: str) -> None:
    ravi = factories.ReadyInvestorFactory()
    Session.objects.filter(pk=name_of(key)).update(user=ravi.user)
    assert seen_by(key) == (asha.user.email, f"user:{asha.user_id}")
    Session.objects.filter(pk=name_of(key)).update(user=None)
    assert seen_by(key) == (asha.user.email, f"user:{asha.user_id}")


def test_the_row_says_neither_the_key_nor_what_the_session_holds(asha: Any, client_for: Any) -> None:
    browser = client_for(asha)
    session = browser.session
    session["code"] = "271828"
    session.save()
    row = Session.objects.get(pk=name_of(session.session_key))
    assert session.session_key not in str(vars(row))
    assert encryption.decrypt(row.session_data).count("271828") == 1


def test_the_name_of_a_row_opens_nothing(asha: Any, key: str) -> None:
    assert seen_by(name_of(key)) == ("", "none")


def test_the_page_of_devices_knows_this_one_and_ends_the_others_without_knowing_a_key(db: None, client: Client) -> None:
    person = factories.UserFactory()
    browsers = [Client(), client]
    for browser in browsers:
        form = {"login": person.email, "password": factories.PASSWORD}
        assert browser.post(reverse("account_login"), form).status_code == 302
    keys = {browser.session.session_key for browser in browsers}
    kept = set(UserSession.objects.filter(user=person).values_list("session_key", flat=True))
    assert kept == {name_of(key or "") for key in keys}
    assert client.get(reverse("usersessions_list")).content.count(b"This device") == 1
    client.post(reverse("usersessions_list"))
    assert [browser.get(reverse("account_email")).status_code for browser in browsers] == [302, 200]


def test_signing_in_changes_the_key_so_that_none_can_be_fixed_before(db: None, client: Client) -> None:
    person = factories.UserFactory()
    client.get("/portfolio/")
    session = client.session
    session["seen"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key or ""
    client.post(reverse("account_login"), {"login": person.email, "password": factories.PASSWORD})
    assert client.session.session_key != planted
    assert seen_by(planted) == ("", "none")


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(asha: Any, client_for: Any) -> None:
    browser = client_for(asha)
    kept = browser.session.session_key
    browser.post(reverse("account_logout"))
    assert seen_by(kept) == ("", "none")


def test_a_session_with_forged_data_names_nobody(asha: Any, key: str) -> None:
    Session.objects.filter(pk=name_of(key)).update(session_data="e30:1vXXXX:forged")
    assert seen_by(key) == ("", "none")


def test_looking_into_another_session_leaves_the_scope_alone(asha: Any, key: str) -> None:
    with scope.scope("door:4711"):
        assert SessionStore(key).get("_auth_user_id") == str(asha.user_id)
        assert scope_now() == "door:4711"


def test_a_deleted_person_leaves_no_session_behind(db: None, client_for: Any) -> None:
    person = User.objects.create_user("short@portal.example")
    key = client_for(person).session.session_key
    person.delete()
    assert not Session.objects.filter(pk=name_of(key)).exists()


def end_the_connection() -> None:
    """As a database that is restarted does."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_a_request_outlives_its_database_connection() -> None:
    """The database was restarted between two requests: the first statement notices and connects anew."""
    asha = factories.ReadyInvestorFactory()
    browser = Client()
    browser.force_login(asha.user)
    end_the_connection()
    assert browser.get("/orders/").status_code == 200
    end_the_connection()
    assert Client().get("/about/").status_code == 200


@pytest.mark.django_db
def test_a_plan_made_for_one_person_shows_nothing_of_them_to_another() -> None:
    """PostgreSQL keeps the plan of a statement; whose rows it finds is decided anew each time."""
    asha, ravi = factories.ReadyInvestorFactory(), factories.ReadyInvestorFactory()
    factories.OrderFactory.create_batch(2, investor=asha)
    factories.OrderFactory(investor=ravi)

    def orders_seen() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_mforder WHERE amount > %s", [0])
            return int(cursor.fetchone()[0])

    try:
        for person, own in ((asha, 2), (ravi, 1)) * 10:
            set_scope(f"user:{person.user_id}")
            assert orders_seen() == own
    finally:
        set_scope("all")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%count(*) FROM orders_mf%'"
        )
        assert cursor.fetchone()[0] > 0, "the plan was never kept, so this test has shown nothing"
