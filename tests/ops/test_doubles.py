"""The queue of possible doubles: masked, paged by key, within its budget, and one step from the merge's preview."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from investors.models import Merge, PossibleDouble
from investors.operations import double_search, doubles
from portal import audit, clock, roles
from tests import factories
from tests.ops.conftest import PAN

pytestmark = pytest.mark.django_db
LIST = "/admin/investors/possibledouble/"
WHY = "Called from both addresses"


def pairs(many: int) -> list[PossibleDouble]:
    """So many pairs of people who have a mobile number in common."""
    for number in range(many):
        for _ in range(2):
            factories.InvestorFactory(mobile=f"98450{number:05d}", date_of_birth=date(1990, 5, 17), name="")
    double_search.find_all(at=clock.now())
    return list(PossibleDouble.objects.order_by("id"))


def act(client, pair: PossibleDouble, name: str, seen: str = ""):
    url = reverse("admin:investors_possibledouble_act", args=[pair.pk, name])
    seen = seen or client.get(url).context["seen"]
    return client.post(url, {"reason": WHY, "seen": seen}, follow=True)


def page(client, pair: PossibleDouble) -> str:
    return client.get(reverse("admin:investors_possibledouble_change", args=[pair.pk])).content.decode()


def test_the_queue_costs_the_same_for_ten_as_for_two_and_is_walked_by_key(as_role, monkeypatch):
    client = as_role(roles.VIEWER)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST, {"state__exact": "OPEN"}).status_code == 200
        return len(captured)

    pairs(2)
    asked()
    few = asked()
    rows = pairs(10)
    assert asked() == few <= 14
    monkeypatch.setattr("portal.admin.base.OpsAdmin.list_per_page", 4)
    seen, address = [], f"{LIST}?state__exact=OPEN"
    while address:
        found = client.get(address).context["cl"]
        seen += [row.pk for row in found.result_list]
        address = LIST + found.next_url if found.next_url else ""
    assert seen == [row.pk for row in reversed(rows)]


def test_a_row_says_why_and_shows_nobody_in_clear(as_role):
    one, other = (factories.InvestorFactory(mobile="9845012345", date_of_birth=date(1990, 5, 17)) for _ in range(2))
    one.pan = PAN
    one.save()
    double_search.find_all(at=clock.now())
    [pair] = PossibleDouble.objects.all()
    client = as_role(roles.VIEWER)
    for text in (client.get(LIST).content.decode(), page(client, pair)):
        assert "the same mobile number, the same birthday and a similar name" in text
        assert "XXXXXX2345" in text
        assert not [each for each in (PAN, "9845012345", one.user.email, other.user.email) if each in text]


def test_a_page_asks_nothing_twice_and_notes_the_visit_with_both(as_role):
    [pair] = pairs(1)
    client = as_role(roles.MAKER)
    page(client, pair)
    with CaptureQueriesContext(connection) as captured:
        page(client, pair)
    said = Counter(query["sql"] for query in captured)
    assert [sql for sql, times in said.items() if times > 1] == []
    for each in (pair.one, pair.other):
        assert audit.entries_of(each).filter(action=audit.SEEN).count() == 1


def test_from_a_pair_to_the_preview_of_its_merge(as_role):
    [pair] = pairs(1)
    factories.DocumentFactory(investor=pair.other)
    client = as_role(roles.MAKER)
    text = page(client, pair)
    assert "Would be merged" in text
    assert "documents: " in text
    act(client, pair, "merge")
    made = Merge.objects.get()
    assert (made.kept, made.gone, made.reason) == (pair.one, pair.other, WHY)
    assert reverse("admin:investors_merge_change", args=[made.pk]) in page(client, pair)


def test_who_would_stay_is_whom_fp_knows(as_role):
    """Although the other came first."""
    first = factories.InvestorFactory(mobile="9845012345")
    known = factories.ReadyInvestorFactory(mobile="9845012345")
    double_search.find_all(at=clock.now())
    act(as_role(roles.MAKER), PossibleDouble.objects.get(), "merge")
    made = Merge.objects.get()
    assert (made.kept, made.gone) == (known, first)


def test_what_stands_in_the_way_of_a_merge_is_said_and_nothing_is_proposed(as_role):
    [pair] = pairs(1)
    factories.FolioFactory(investor=pair.other)
    client = as_role(roles.MAKER)
    assert "has folios" in page(client, pair)
    assert "has folios" in act(client, pair, "merge").content.decode()
    assert not Merge.objects.exists()


def test_two_persons_and_look_again(as_role):
    [pair] = pairs(1)
    client = as_role(roles.MAKER)
    act(client, pair, "tell-apart")
    assert not client.get(LIST, {"state__exact": "OPEN"}).context["cl"].result_list
    text = page(client, pair)
    assert WHY in text
    assert "Would be merged" not in text
    act(client, pair, "look-again")
    assert [row.pk for row in client.get(LIST, {"state__exact": "OPEN"}).context["cl"].result_list] == [pair.pk]


def test_what_was_found_since_the_page_was_opened_is_looked_at_first(as_role):
    [pair] = pairs(1)
    client = as_role(roles.MAKER)
    seen = client.get(reverse("admin:investors_possibledouble_act", args=[pair.pk, "tell-apart"])).context["seen"]
    doubles.settle((pair.one_id, pair.other_id), ["MOBILE", "ACCOUNT"], at=clock.now())
    assert "has changed since you looked" in act(client, pair, "tell-apart", seen).content.decode()
    pair.refresh_from_db()
    assert pair.state == "OPEN"


@pytest.mark.parametrize("role", [roles.VIEWER, roles.CHECKER, roles.ADMIN])
@pytest.mark.parametrize("name", ["merge", "tell-apart"])
def test_only_a_maker_answers(as_role, role, name):
    [pair] = pairs(1)
    url = reverse("admin:investors_possibledouble_act", args=[pair.pk, name])
    assert as_role(role).post(url, {"reason": WHY}).status_code == 403


def test_nobody_answers_about_themselves(client):
    [pair] = pairs(1)
    me = pair.one.user
    me.is_staff = me.is_superuser = True
    me.save()
    client.force_login(me)
    url = reverse("admin:investors_possibledouble_act", args=[pair.pk, "tell-apart"])
    assert client.post(url, {"reason": WHY}).status_code == 403


def test_the_first_page_and_the_investors_page_say_that_a_pair_waits(as_role):
    [pair] = pairs(1)
    client = as_role(roles.VIEWER)
    [tile] = [each for each in client.get("/admin/").context["tiles"] if each.label == "Possible doubles"]
    assert (tile.value, tile.tone) == ("1", "needs")
    text = client.get(reverse("admin:investors_investor_change", args=[pair.one_id])).content.decode()
    assert reverse("admin:investors_possibledouble_change", args=[pair.pk]) in text
