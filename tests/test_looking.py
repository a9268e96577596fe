"""Staff see an investor's pages as the investor does (screens.md F69), and can change nothing by any address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from portal import audit, clock, looking, roles
from portal.gateway import transport
from portal.models import AuditEntry, User
from portal.notices.models import Notice
from tests import factories
from tests.test_owner_matrix import TABLE, World, _address, _form, _state, world  # noqa: F401 - the fixture
from tests.undoing import undone

pytestmark = pytest.mark.django_db
REASON = "She called: her order is not in the list"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# What a look itself writes: that it happened, and in which session.
OWN_TABLES = {"portal_auditentry", "portal_session"}


def look_url(investor: Any) -> str:
    return reverse("admin:investors_investor_act", args=[investor.pk, "look"])


@pytest.fixture
def meera(db: None) -> User:
    """A maker with a name."""
    user = factories.UserFactory(first_name="Meera", last_name="Iyer")
    roles.grant(user, roles.MAKER)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def looker(meera: User, world: World) -> Client:  # noqa: F811
    """Meera's browser, in which a look at Asha has begun."""
    client = Client()
    client.force_login(meera)
    assert client.post(look_url(world.asha), {"reason": REASON})["Location"] == "/"
    return client


def written() -> dict[str, int]:
    """Rows that this transaction has touched in each table, also those that were taken back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


def test_no_address_and_no_method_changes_anything(looker, world):  # noqa: F811
    before, wrong = _state(world), []
    for name in TABLE:
        address = _address(name, world)
        if address.startswith(looking.OWN_PATHS):
            continue
        for method in METHODS:
            with undone(f"{method} {name}"):
                counts = written()
                answer = looker.generic(method, address, "&".join(f"{k}={v}" for k, v in _form(name, world).items()))
                touched = {table for table, count in written().items() if count > counts.get(table, 0)}
                may = name in looking.PAGES and method in looking.METHODS
                expected = {200, 302, 404, 405} if may else {403}
                if answer.status_code not in expected or touched - (OWN_TABLES if may else set()):
                    wrong.append((method, name, answer.status_code, touched))
    assert wrong == []
    assert _state(world) == before


@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1/investors/", "/partner/", "/no/such/page/"])
def test_what_is_no_page_of_investors_is_refused_too(looker, address):
    assert looker.get(address).status_code == 403
    assert looker.post(address).status_code == 403


def test_every_page_of_a_look_is_an_address():
    assert set(looking.PAGES) <= set(TABLE)


@pytest.mark.parametrize("name", ["home", "orders:portfolio", "orders:detail", "orders:holding", "investors:banks"])
def test_a_look_shows_what_the_investor_sees_under_a_banner(looker, world, name):  # noqa: F811
    own = Client()
    own.force_login(world.asha.user)
    theirs, ours = (each.get(_address(name, world)) for each in (own, looker))
    assert ours.status_code == theirs.status_code == 200
    page = ours.content.decode()
    assert "You see what <strong>Asha Quillfeather</strong> sees" in page
    assert world.asha.user.email not in page
    assert "ETag" not in ours.headers
    assert ours["Cache-Control"] == "private, no-store"
    for word in set(world.words) - {"Quillfeather"}:
        assert (word in page) == (word in theirs.content.decode()), word


def test_a_look_at_one_investor_shows_nothing_of_another(looker):
    other = factories.OrderFactory(state="PAID")
    assert looker.get(reverse("orders:detail", args=[other.code])).status_code == 404


def test_a_page_that_would_write_is_refused_and_nothing_is_written(looker, world, monkeypatch):  # noqa: F811
    monkeypatch.setitem(looking.PAGES, "notice", "a notice")
    answer = looker.get(_address("notice", world))
    assert answer.status_code == 403
    assert "This is not part of a look" in answer.content.decode()
    assert Notice.objects.get(pk=world.ids["notice"]).read_at is None
    assert looker.get("/").status_code == 200, "the look goes on"


def test_a_part_that_may_not_be_shown_stays_out_of_its_page(looker):
    part = looker.get(reverse("orders:held_shares"), headers={"HX-Request": "true"})
    assert (part.status_code, part.content) == (204, b"")


def test_a_page_that_would_ask_a_provider_is_refused(looker, monkeypatch):
    monkeypatch.setattr("orders.queries.portfolio.read", lambda **_: transport.refuse_inside_a_transaction())
    assert looker.get(reverse("orders:portfolio")).status_code == 403


def test_no_nudge_leaves(looker, world, django_capture_on_commit_callbacks):  # noqa: F811
    order = factories.OrderFactory(investor=world.asha, state="PLACED", provider_ref="771")
    url = reverse("orders:detail", args=[order.code])
    with django_capture_on_commit_callbacks() as left:
        assert looker.get(url).status_code == 200
    assert left == []
    own = Client()
    own.force_login(world.asha.user)
    with django_capture_on_commit_callbacks() as left:
        own.get(url)
    assert len(left) == 1, "the investor's own look asks the provider"


def test_it_ends_by_itself_after_a_quarter_of_an_hour(looker, at):
    begun = clock.now()
    at(begun + looking.LASTS - timedelta(seconds=5))
    assert looker.get("/orders/").status_code == 200
    at(begun + looking.LASTS + timedelta(seconds=5))
    assert looker.get("/orders/")["Location"] == reverse("admin:index")
    assert "look" not in looker.session
    assert "Quillfeather" not in looker.get("/").content.decode()


def test_it_ends_when_it_is_ended(looker, world):  # noqa: F811
    end = reverse("admin:investors_investor_look_end")
    assert looker.get(end).status_code == 405
    assert looker.post(end)["Location"] == reverse("admin:investors_investor_change", args=[world.asha.pk])
    assert "Quillfeather" not in looker.get("/").content.decode()
    assert looker.post(end)["Location"] == reverse("admin:index")


def test_meanwhile_staff_stay_themselves_in_the_admin(looker, world):  # noqa: F811
    page = looker.get(reverse("admin:investors_investor_change", args=[world.asha.pk]))
    assert page.status_code == 200
    assert "Seen as the investor" in looker.get(reverse("admin:portal_auditentry_changelist")).content.decode()


def test_the_investor_reads_who_looked_at_what_and_why(looker, world):  # noqa: F811
    for _ in range(2):
        looker.get(reverse("orders:portfolio"))
    own = Client()
    own.force_login(world.asha.user)
    views = own.get(reverse("investors:privacy")).context["views"]
    assert [(view.by, view.page) for view in views] == [
        ("Meera Iyer", "your portfolio, as you see it"),
        ("Meera Iyer", f"your pages, as you see them: {REASON}"),
    ]


def test_the_record_of_the_investor_has_the_look_with_its_reason(looker, world, meera):  # noqa: F811
    entry = AuditEntry.objects.get(action=audit.LOOKED_AS)
    assert (entry.actor, entry.reason, entry.subject_id) == (f"user:{meera.pk}", REASON, str(world.asha.pk))
    visits = looker.get(reverse("admin:investors_investor_change", args=[world.asha.pk])).context["visits"]
    assert REASON in [visit.reason for visit in visits]


@pytest.mark.parametrize("role", [roles.VIEWER, roles.ADMIN])
def test_a_look_needs_its_right(role, asha):
    user = factories.UserFactory()
    roles.grant(user, role)
    client = Client()
    client.force_login(user)
    assert client.get(look_url(asha)).status_code == 403
    assert client.post(look_url(asha), {"reason": REASON}).status_code == 403
    assert "look" not in client.session


def test_a_look_needs_a_reason(meera, asha):
    client = Client()
    client.force_login(meera)
    assert client.post(look_url(asha), {"reason": " "}).status_code == 422
    assert "look" not in client.session


def test_who_is_no_longer_staff_looks_no_longer(looker, meera, world):  # noqa: F811
    meera.groups.clear()
    User.objects.filter(pk=meera.pk).update(is_staff=False)
    assert "Quillfeather" not in looker.get(reverse("orders:portfolio"), follow=True).content.decode()


def test_a_session_of_an_investor_is_never_a_look(asha):
    stranger = Client()
    stranger.force_login(factories.ReadyInvestorFactory().user)
    session = stranger.session
    until = (clock.now() + timedelta(minutes=5)).isoformat()
    session["look"] = {"user_id": asha.user_id, "investor_id": asha.pk, "name": "x", "until": until, "pages": []}
    session.save()
    assert asha.code not in stranger.get("/").content.decode()
    assert not AuditEntry.objects.filter(action=audit.SEEN_AS).exists()
