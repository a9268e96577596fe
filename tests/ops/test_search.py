"""What is typed into a search box stands in no address: neither in a link, nor in a history, nor in a log."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from django.contrib import admin
from django.urls import reverse

from portal import encryption, redaction, roles
from tests import factories
from tests.ops.conftest import PAN

pytestmark = pytest.mark.django_db
ORDERS = "/admin/orders/mforder/"
TERMS = (PAN, "9812345678", "asha.rao@portal.example", "Asha Rao", "50100123456789", "ZZZZ")


def _lists_with_a_search() -> list[str]:
    return sorted(
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model, page in admin.site._registry.items()
        if getattr(page, "finders", ())
    )


@pytest.mark.parametrize("name", _lists_with_a_search())
def test_no_list_puts_a_term_into_an_address(client, dev, desk, name):
    client.force_login(dev)
    for term in TERMS:
        asked = [
            client.post(reverse(f"admin:{name}_find"), {"q": term}),
            # Somebody wrote it into the address by hand: it does not stay there.
            client.get(reverse(f"admin:{name}_changelist"), {"q": term}),
        ]
        for answer in asked:
            assert answer.status_code == 302
            assert term.lower() not in unquote_plus(answer["Location"]).lower()
        page = client.get(asked[0]["Location"])
        assert page.status_code == 200
        addresses = [part.partition('"')[0] for part in page.content.decode().split('href="')[1:]]
        assert not [each for each in addresses if term.lower() in unquote_plus(each).lower()]


def _sought(client, term: str, **more: str) -> str:
    return client.post(f"{ORDERS}find/", {"q": term, **more})["Location"]


def test_a_search_is_shown_as_it_may_be_and_ends_by_a_link(as_role):
    order = factories.OrderFactory()
    client = as_role(roles.VIEWER)
    page = client.get(_sought(client, order.investor.user.email))
    assert [row.pk for row in page.context["cl"].result_list] == [order.pk]
    assert "Show the list without this search" in page.content.decode()
    assert order.investor.user.email not in page.content.decode()
    assert page.context["cl"].sought == redaction.mask_email(order.investor.user.email)
    assert client.get(_sought(client, PAN)).context["cl"].sought == "XXXXXX751C"
    assert client.get(_sought(client, "Asha Rao")).context["cl"].sought == "Asha Rao"
    assert client.get(ORDERS + page.context["cl"].whole_url).context["cl"].sought == ""


def test_a_code_of_ours_names_nobody_and_stays_readable(as_role):
    answer = as_role(roles.VIEWER).post(f"{ORDERS}find/", {"q": " ord-7K3F9QW2M4TX "})
    assert answer["Location"] == f"{ORDERS}?q=ord-7K3F9QW2M4TX"


def test_a_search_keeps_its_filters_and_filters_keep_the_search(as_role):
    paid = factories.OrderFactory(state="PAID")
    factories.OrderFactory(state="REJECTED", investor=paid.investor)
    client = as_role(roles.VIEWER)
    url = _sought(client, paid.investor.user.email, state__exact="PAID")
    page = client.get(url)
    assert [row.pk for row in page.context["cl"].result_list] == [paid.pk]
    token = parse_qs(urlsplit(url).query)["find"][0]
    assert f'name="find" value="{token}"' in page.content.decode(), "the filters' form takes it along"


def test_a_search_ends_and_never_turns_into_the_whole_list(as_role, monkeypatch):
    order = factories.OrderFactory()
    client, other = as_role(roles.VIEWER), as_role(roles.VIEWER)
    url = _sought(client, order.investor.user.email)
    assert len(client.get(url).context["cl"].result_list) == 1
    for page in (other.get(url), client.get(f"{ORDERS}?find=nonsense")):
        assert page.context["cl"].result_list == []
        assert "This search has ended" in page.content.decode()
    monkeypatch.setattr("portal.sought.FIND_LIVES_S", -1)
    assert client.get(url).context["cl"].result_list == []


def test_the_sealed_term_says_nothing_to_whoever_reads_it(as_role):
    client = as_role(roles.VIEWER)
    token = parse_qs(urlsplit(_sought(client, "Asha Rao")).query)["find"][0]
    assert encryption.decrypt(token) == f'[{client.user.pk}, "Asha Rao"]'
    assert parse_qs(urlsplit(_sought(client, "Asha Rao")).query)["find"][0] != token


def test_other_filters_begin_at_their_first_page(as_role, monkeypatch):
    monkeypatch.setattr("portal.admin.base.OpsAdmin.list_per_page", 2)
    for _ in range(5):
        factories.OrderFactory()
    client = as_role(roles.VIEWER)
    second = client.get(ORDERS).context["cl"].next_url
    assert 'name="after"' not in client.get(ORDERS + second).content.decode()
