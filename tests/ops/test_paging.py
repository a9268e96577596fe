"""Big lists are paged by key: the next page begins where the last one ended, whatever came or went meanwhile."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import audit, cases, clock, encryption, roles
from portal.models import Case, SavedList
from tests import factories

pytestmark = pytest.mark.django_db
ORDERS = "/admin/orders/mforder/"


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr("portal.admin.base.OpsAdmin.list_per_page", 2)


def walk(client, url: str) -> list[int]:
    """Every row from the first page to the last, as the links lead."""
    seen: list[int] = []
    address = url
    for _ in range(10):
        found = client.get(address).context["cl"]
        seen += [row.pk for row in found.result_list]
        if not found.next_url:
            return seen
        address = url.partition("?")[0] + found.next_url
    raise AssertionError("the pages do not end")


def test_the_pages_hold_every_row_once(as_role):
    made = [factories.OrderFactory().pk for _ in range(5)]
    assert walk(as_role(roles.VIEWER), ORDERS) == sorted(made, reverse=True)


def test_no_page_walks_over_what_was_shown_before(as_role):
    for _ in range(5):
        factories.OrderFactory()
    client = as_role(roles.VIEWER)
    second = client.get(ORDERS).context["cl"].next_url
    with CaptureQueriesContext(connection) as captured:
        client.get(ORDERS + second)
    assert not [query["sql"] for query in captured if "OFFSET" in query["sql"]]


def test_a_row_that_comes_meanwhile_shifts_nothing(as_role):
    made = [factories.OrderFactory().pk for _ in range(4)]
    client = as_role(roles.VIEWER)
    second = client.get(ORDERS).context["cl"].next_url
    factories.OrderFactory()
    assert [row.pk for row in client.get(ORDERS + second).context["cl"].result_list] == made[1::-1]


def test_filters_and_order_are_kept_from_page_to_page(as_role):
    made = [factories.OrderFactory(state="PAID").pk for _ in range(3)]
    factories.OrderFactory(state="REJECTED")
    assert walk(as_role(roles.VIEWER), f"{ORDERS}?state__exact=PAID&o=3.1") == walk(
        as_role(roles.VIEWER), f"{ORDERS}?state__exact=PAID&o=3.1"
    )
    assert sorted(walk(as_role(roles.VIEWER), f"{ORDERS}?state__exact=PAID")) == made


def test_an_order_of_two_columns_is_walked_through_equal_values(as_role):
    at = clock.now()
    for _ in range(5):
        cases.open_case(kind="order_outcome_unknown", subject=factories.OrderFactory(), title="?", detail="", at=at)
    Case.objects.order_by("-id")[:1].get()
    Case.objects.update(opened_at=at - timedelta(hours=1))
    client = as_role(roles.VIEWER)
    found = walk(client, "/admin/portal/case/")
    assert sorted(found) == sorted(Case.objects.values_list("pk", flat=True))
    refs = walk(client, "/admin/portal/workitem/")
    assert len(refs) == len(set(refs)) == 5


def test_empty_values_have_their_place_in_the_order(as_role):
    made = {factories.OrderFactory(amount=amount, state="PAID").pk for amount in (1000, 2000, 3000)}
    for order in ("3", "-3"):
        assert set(walk(as_role(roles.VIEWER), f"{ORDERS}?o={order}")) == made


def test_an_address_names_nobody_when_people_are_listed_by_name(as_role):
    for name in ("Asha Rao", "Bina Das", "Chitra Sen"):
        factories.InvestorFactory(name=name)
    found = as_role(roles.VIEWER).get("/admin/investors/investor/", {"o": "1"}).context["cl"]
    cursor = parse_qs(found.next_url.lstrip("?"))["after"][0]
    assert found.result_list[-1].name == "Bina Das"
    assert b"Bina" not in base64.urlsafe_b64decode(cursor)
    assert encryption.decrypt(cursor).startswith('["Bina Das"')


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJhIl0", "é"])
def test_a_cursor_that_was_not_made_here_opens_the_first_page(as_role, cursor):
    order = factories.OrderFactory()
    answer = as_role(roles.VIEWER).get(ORDERS, {"after": cursor})
    assert [row.pk for row in answer.context["cl"].result_list] == [order.pk]


def test_the_audit_log_is_walked_by_key(as_role):
    order = factories.OrderFactory()
    for number in range(5):
        audit.record(order, "order.refresh_asked", actor=None, at=clock.now(), number=number)
    found = walk(as_role(roles.VIEWER), reverse("admin:portal_auditentry_changelist"))
    assert found == sorted(found, reverse=True)
    assert len(found) == 5


def test_a_list_is_kept_under_a_name_without_what_was_searched_for(as_role):
    viewer, other = as_role(roles.VIEWER), as_role(roles.VIEWER)
    query = "state__exact=PAID&q=Asha&find=abc&after=xyz"
    viewer.post(f"{ORDERS}saved/", {"name": "Paid ones", "query": query})
    assert SavedList.objects.get().query == "state__exact=PAID"
    assert "Paid ones" in viewer.get(ORDERS).content.decode()
    assert "Paid ones" not in other.get(ORDERS).content.decode()
    other.post(f"{ORDERS}saved/", {"forget": "Paid ones"})
    assert SavedList.objects.exists()
    viewer.post(f"{ORDERS}saved/", {"forget": "Paid ones"})
    assert not SavedList.objects.exists()


def test_a_name_is_given_to_another_list_also_when_no_more_can_be_kept(as_role, monkeypatch):
    monkeypatch.setattr("portal.desk.saved.MOST", 1)
    viewer = as_role(roles.VIEWER)
    for name, query in (("Mine", "state__exact=PAID"), ("Mine", "state__exact=REJECTED"), ("More", "stuck=1")):
        viewer.post(f"{ORDERS}saved/", {"name": name, "query": query})
    assert [(row.name, row.query) for row in SavedList.objects.all()] == [("Mine", "state__exact=REJECTED")]
