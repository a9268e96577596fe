"""Evidence and people behind the wall: P26 of reliability.md for the tables that carry no `investor_id`.

Raw SQL as the role of the application, in the scope of another investor: what is about somebody else is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from orders.models import MfOrder
from portal import audit, cases, clock, inbox, scope
from portal.accounts import Backend
from portal.gateway import errors, journal
from portal.gateway.transport import Request
from portal.models import AuditEntry, Case, GatewayCall, User
from portal.scope import DOOR, NONE
from portal.sessions import SessionStore
from tests import factories

pytestmark = pytest.mark.django_db
EVIDENCE = ("portal_auditentry", "portal_gatewaycall", "portal_case", "portal_inboundevent")
PEOPLE = {
    "portal_user": "id",
    "account_emailaddress": "user_id",
    "mfa_authenticator": "user_id",
    "usersessions_usersession": "user_id",
    "portal_session": "user_id",
}


def count(table: str, condition: str = "true", *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}", values)
        return int(cursor.fetchone()[0])


def of(person: Any) -> str:
    return f"user:{person.user_id}"


@pytest.fixture
def order(asha: Any) -> MfOrder:
    """Asha's order with everything that may be written about it."""
    at = clock.now()
    order = factories.OrderFactory(investor=asha)
    audit.record(order, "order.created", actor=asha.user, at=at)
    audit.record(asha.user, "user.added", actor=None, at=at)
    cases.open_case(kind="order_outcome_unknown", subject=order, title="Asha waits", detail="", at=at)
    inbox.store(provider="fp", kind="payment_return", body={}, subject=("orders.mforder", str(order.pk)), at=at)
    call = journal.begin("fp", Request("POST", "/orders"), journal.about(order, attempt_no=1), effect=True)
    journal.end(call, None, errors.OutcomeUnknown("fp", "POST", "/orders"), at)
    Authenticator.objects.create(user=asha.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    session = SessionStore()
    session[SESSION_KEY] = str(asha.user_id)
    session.save()
    UserSession.objects.create(user=asha.user, session_key="k", ip="192.0.2.1", user_agent="x")
    return order


@pytest.mark.parametrize("table", [*EVIDENCE, *PEOPLE])
def test_the_wall_stands_and_holds_for_the_owner_of_the_table_too(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table])
        assert cursor.fetchone() == (True, True)


@pytest.mark.parametrize("table", EVIDENCE)
def test_another_investor_and_nobody_see_no_evidence_about_her(order, chitra, table):
    assert count(table, "subject_id = %s", str(order.pk)) > 0
    for whose in (of(chitra), f"door:{chitra.user_id}", NONE, DOOR, "", "user:", f"{of(chitra)} OR true"):
        with scope.scope(whose):
            assert count(table) == 0, whose


@pytest.mark.parametrize(("table", "owner"), PEOPLE.items())
def test_another_investor_sees_himself_and_nobody_sees_anybody(order, asha, chitra, table, owner):
    assert count(table, f"{owner} = %s", asha.user_id) == 1
    for whose in (of(chitra), NONE, ""):
        with scope.scope(whose):
            assert count(table, f"{owner} = %s", asha.user_id) == 0
    with scope.scope(of(asha)):
        assert count(table, f"{owner} = %s", asha.user_id) == 1
        assert count(table) == 1


def test_she_sees_the_story_of_her_order_and_of_herself_but_no_case_and_no_doorbell(order, asha):
    with scope.scope(of(asha)):
        assert {entry.action for entry in AuditEntry.objects.all()} == {"order.created", "user.added"}
        assert not count("portal_case")
        assert not count("portal_inboundevent")


def test_evidence_about_what_is_no_ones_row_is_for_staff_only(order, asha, chitra):
    audit.record(order.scheme, "scheme.changed", actor=None, at=clock.now())
    with scope.scope(of(asha)):
        assert not AuditEntry.objects.filter(action="scheme.changed").exists()


def test_nobody_changes_or_removes_evidence_that_is_not_theirs(order, chitra):
    with scope.scope(of(chitra)), connection.cursor() as cursor:
        for table in (*EVIDENCE, "mfa_authenticator"):
            cursor.execute(f"DELETE FROM {table} WHERE true")
            assert cursor.rowcount == 0, table
        cursor.execute("UPDATE portal_gatewaycall SET outcome = 'UNREACHABLE'")
        assert cursor.rowcount == 0
        cursor.execute("UPDATE portal_user SET is_staff = true")
        assert cursor.rowcount == 1, "her own row only"


# --- what a request must still be able to do --------------------------------------------------------------------


def test_a_request_appends_audit_entries_that_it_cannot_read(order, chitra):
    with scope.scope(of(chitra)):
        audit.record(order, "order.looked_for", actor=chitra.user, at=clock.now())
        audit.record(order, "order.looked_for", actor=None, at=clock.now())
        assert not AuditEntry.objects.filter(action="order.looked_for").exists()
    assert AuditEntry.objects.filter(action="order.looked_for").count() == 2


def test_nobody_signs_with_somebody_elses_name(order, asha, chitra):
    with (
        scope.scope(of(chitra)),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        audit.record(order, "order.created", actor=asha.user, at=clock.now())


def test_a_request_ends_the_call_that_it_began_and_sees_no_other(order, asha, chitra):
    with scope.scope(of(chitra)):
        call = journal.begin("fp", Request("POST", "/banks"), journal.About(), effect=True)
        journal.end(call, None, None, clock.now())
        assert GatewayCall.objects.get().outcome == "OK"
    call.refresh_from_db()
    assert call.written_as == of(chitra)


def test_a_call_that_a_worker_made_still_proves_that_bytes_may_have_left(order, asha):
    with scope.scope(of(asha)):
        assert not GatewayCall.objects.exists()
        assert journal.was_begun(order, 1)


def test_a_case_that_a_request_reports_is_the_open_one_and_stays_hidden(order, asha):
    with scope.scope(of(asha)):
        again = cases.open_case(
            kind="order_outcome_unknown", subject=order, title="Asha waits", detail="", at=clock.now()
        )
        assert not Case.objects.exists()
        assert cases.close_cases(subject=order, kinds=("order_outcome_unknown",), resolution="Done.", at=clock.now())
    again.refresh_from_db()
    assert (again.times_reported, again.state) == (2, "CLOSED")


def test_a_doorbell_rings_whoever_stands_there(order):
    for whose in (NONE, DOOR):
        with scope.scope(whose):
            _, made = inbox.store(provider="fp", kind="x", body={"a": 1}, at=clock.now())
            assert count("portal_inboundevent") == 0
    assert not made, "the second ring is the first event"


def test_a_failure_inside_a_scope_gives_back_the_scope_before(chitra):
    with pytest.raises(ZeroDivisionError), scope.scope(of(chitra)), transaction.atomic():
        raise ZeroDivisionError
    assert count("portal_user") > 0


def test_whoever_a_session_names_is_found_in_whatever_scope_the_last_request_left(asha, chitra):
    for left_behind in (of(chitra), NONE, "", f"door:{chitra.user_id}", "all"):
        with scope.scope(left_behind):
            assert Backend().get_user(asha.user_id) == asha.user
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('portal.scope')")
                assert cursor.fetchone() == (left_behind,)


def test_looking_up_an_address_at_the_door_uses_an_index(chitra):
    with scope.scope(DOOR), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for table in ("portal_user", "account_emailaddress"):
            cursor.execute(f"EXPLAIN SELECT * FROM {table} WHERE email = 'chitra@portal.example'")
            assert "Index Cond: ((email)::text" in "\n".join(line for (line,) in cursor.fetchall()), table


# --- the doors, as a web process opens them ---------------------------------------------------------------------


@pytest.fixture
def as_web_process(settings: Any) -> Iterator[None]:
    """Connections as `portal/wsgi.py` leaves them: nobody's scope, and what a request has set stays behind it."""
    settings.DB_SCOPE = NONE
    scope.set_scope(NONE)
    yield
    scope.set_scope(scope.ALL)


def newest_code() -> str:
    """The code in the newest message: a line of its own."""
    [code] = re.findall(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", mail.outbox[-1].body, re.MULTILINE)
    return code


def test_people_sign_in_one_after_the_other_on_one_connection(asha, chitra, as_web_process):
    browsers = {}
    for who in (asha, chitra):
        browsers[who] = Client()
        form = {"login": who.user.email.upper(), "password": factories.PASSWORD}
        assert browsers[who].post("/accounts/login/", form)["Location"] == "/"
    for who in (asha, chitra, asha):
        page = browsers[who].get("/profile/").content.decode()
        assert who.name in page
    assert Client().get("/profile/").status_code == 302


def test_signing_out_and_signing_out_elsewhere_end_sessions(asha, as_web_process):
    form = {"login": asha.user.email, "password": factories.PASSWORD}
    here, there = Client(), Client()
    for browser in (here, there):
        assert browser.post("/accounts/login/", form)["Location"] == "/"
    with scope.scope(scope.ALL):
        assert count("portal_session", "user_id = %s", asha.user_id) == 2
    here.post("/accounts/sessions/", {})
    with scope.scope(scope.ALL):
        assert count("portal_session", "user_id = %s", asha.user_id) == 1
    assert there.get("/profile/").status_code == 302
    here.post("/accounts/logout/", {})
    with scope.scope(scope.ALL):
        assert count("portal_session", "user_id = %s", asha.user_id) == 0


def test_somebody_signs_up_and_confirms_the_address(as_web_process):
    browser = Client()
    form = {"email": "New@portal.example", "password1": "monsoon-42-umbrella"}
    assert browser.post("/accounts/signup/", form).status_code == 302
    confirmed = browser.post("/accounts/confirm-email/", {"code": newest_code()})
    assert confirmed.status_code == 302
    with scope.scope(scope.ALL):
        assert User.objects.get(email="new@portal.example").last_login


def test_a_second_sign_up_with_an_address_is_told_nothing(asha, as_web_process):
    form = {"email": asha.user.email, "password1": "monsoon-42-umbrella"}
    assert Client().post("/accounts/signup/", form).status_code == 302
    with scope.scope(scope.ALL):
        assert User.objects.filter(email=asha.user.email).count() == 1


def test_adding_an_address_that_somebody_else_has_breaks_no_page(order, asha, chitra, client_for, as_web_process):
    with scope.scope(scope.ALL):
        browser = client_for(chitra)
    browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    answer = browser.post("/accounts/email/", {"action_add": "", "email": asha.user.email})
    assert answer.status_code in (200, 302)
    assert asha.name not in answer.content.decode()


def test_a_code_by_e_mail_signs_in(asha, as_web_process):
    browser = Client()
    assert browser.post("/accounts/login/code/", {"email": asha.user.email}).status_code == 302
    answer = browser.post("/accounts/login/code/confirm/", {"code": newest_code()})
    assert answer["Location"] == "/"
    assert asha.name in browser.get("/profile/").content.decode()


def test_staff_sign_in_and_see_the_desk(order, dev, as_web_process):
    browser = Client()
    form = {"login": dev.email, "password": factories.PASSWORD}
    assert browser.post("/accounts/login/", form)["Location"] == "/admin/"
    assert "Open cases" in browser.get("/admin/").content.decode()
