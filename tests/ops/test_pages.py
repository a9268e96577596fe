"""Every list and page of the admin opens, shows no identifier in clear, and costs the same for ten rows as for two."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import MfOrder
from portal import clock, gates, roles
from portal.admin import paging
from portal.models import GatewayCall
from tests import factories
from tests.element_ids import named_twice
from tests.ops.conftest import ACCOUNT_NUMBER, PAN
from tests.undoing import undone

pytestmark = pytest.mark.django_db

SECRETS = (PAN, ACCOUNT_NUMBER, "secret-token")


def _lists() -> list[str]:
    return sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


def test_every_list_and_its_pages_open_show_no_identifier_in_clear_and_ask_nothing_twice(client, dev, desk):
    client.force_login(dev)
    for name in _lists():
        with undone(name):
            page = client.get(reverse(f"admin:{name}_changelist"))
            assert page.status_code == 200
            pages = [page.content.decode()]
            for row in list(page.context["cl"].result_list)[:3]:
                with CaptureQueriesContext(connection) as captured:
                    detail = client.get(reverse(f"admin:{name}_change", args=[row.pk]))
                assert detail.status_code == 200, row
                said = Counter(query["sql"] for query in captured)
                assert [sql for sql, times in said.items() if times > 1] == [], row
                pages.append(detail.content.decode())
            for text in pages:
                assert named_twice(text) == [], name
                assert text.count("<main ") == 1, name
                assert not [secret for secret in SECRETS if secret in text]


def test_a_way_leads_past_the_menu_and_the_search_for_pages_has_a_name(as_role):
    page = as_role(roles.VIEWER).get(reverse("admin:index")).content.decode()
    menu, _, body = page.partition("<main ")
    assert 'href="#main"' in menu.partition("<nav")[0]
    assert body.startswith('id="main"')
    search = re.search(r"<input[^>]+search-input-command[^>]+>", page)
    assert search
    assert "aria-label=" in search[0]


def test_an_order_page_tells_the_whole_story(as_role, desk):
    text = as_role(roles.VIEWER).get(reverse("admin:orders_mforder_change", args=[desk.order.pk])).content.decode()
    for expected in (
        desk.order.code,
        "₹5,000.00",
        "Confirmed by the investor",
        "/api/oms/orders",
        "123 ms",
        desk.payment.code,
        desk.case.code,
        "awaiting payment",
    ):
        assert expected in text, expected
    assert reverse("admin:payments_payment_change", args=[desk.payment.pk]) in text


def test_a_payment_page_links_to_its_orders(as_role, desk):
    page = as_role(roles.VIEWER).get(reverse("admin:payments_payment_change", args=[desk.payment.pk]))
    assert reverse("admin:orders_mforder_change", args=[desk.order.pk]) in page.content.decode()


def _queries(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


BUDGET = 14


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("orders_mforder", lambda: factories.OrderFactory(state="PLACED")),
        ("payments_payment", lambda: factories.PaymentFactory()),
        ("investors_investor", lambda: factories.ReadyInvestorFactory()),
        ("investors_bankaccount", lambda: factories.ReadyInvestorFactory()),
        ("investors_consent", lambda: factories.ConsentFactory()),
        ("orders_transaction", lambda: factories.TransactionFactory()),
        ("orders_holding", lambda: factories.HoldingFactory()),
        ("orders_folio", lambda: factories.FolioFactory()),
        ("orders_scheme", lambda: factories.SchemeFactory()),
        ("portal_user", lambda: factories.UserFactory()),
    ],
)
def test_a_list_costs_the_same_for_ten_rows_as_for_two(as_role, name, make):
    client, url = as_role(roles.VIEWER), reverse(f"admin:{name}_changelist")
    make(), make()
    client.get(url)
    few = _queries(client, url)
    for _ in range(8):
        make()
    assert _queries(client, url) == few
    assert few <= BUDGET


# Kept by hand, a few dozen rows: their lists may count.
SMALL = {
    "django_celery_beat_periodictask",
    "orders_commissionrate",
    "orders_datedrule",
    "orders_holiday",
    "portal_secondpersonrule",
    "portal_wording",
}


def test_every_list_has_a_budget_counts_nothing_and_is_walked_by_key(client, dev, desk):
    client.force_login(dev)
    for name in _lists():
        with undone(name):
            url = reverse(f"admin:{name}_changelist")
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                page = client.get(url)
            said = [query["sql"] for query in captured]
            assert len(said) <= BUDGET + 2, said
            if name in SMALL:
                continue
            table = page.context["cl"].model._meta.db_table
            # What the menu counts ends at a hundred.
            assert not [sql for sql in said if "COUNT(" in sql and f'"{table}"' in sql and "LIMIT" not in sql]
            assert paging.columns_of(page.context["cl"].model, page.context["cl"].queryset.query.order_by)


def test_a_list_never_counts_its_table(as_role, desk):
    client, url = as_role(roles.VIEWER), reverse("admin:orders_mforder_changelist")
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    counting = [q["sql"] for q in captured if "COUNT(*)" in q["sql"] and "orders_mforder" in q["sql"]]
    assert counting == []


def test_pages_follow_each_other_without_a_count(as_role, monkeypatch):
    monkeypatch.setattr("orders.admin.mf.MfOrderAdmin.list_per_page", 2)
    made = [factories.OrderFactory().pk for _ in range(5)]
    client, seen = as_role(roles.VIEWER), []
    for number in (1, 2, 3):
        page = client.get(reverse("admin:orders_mforder_changelist"), {"p": number})
        seen += [row.pk for row in page.context["cl"].result_list]
        assert page.context["cl"].paginator.has_more == (number < 3)
    assert seen == sorted(made, reverse=True)


def found(client, **query) -> set[str]:
    return {row.code for row in client.get(reverse("admin:orders_mforder_changelist"), query).context["cl"].result_list}


def test_stuck_orders_are_those_beyond_the_patience_of_their_state(as_role):
    at = clock.now()
    fresh = factories.OrderFactory(state="PLACED", placed_at=at - timedelta(days=4))
    late = factories.OrderFactory(state="PLACED", placed_at=at - timedelta(days=6))
    done = factories.OrderFactory(state="ALLOTTED", placed_at=at - timedelta(days=60))
    unknown = factories.OrderFactory(
        state="SUBMITTING", attempt="UNKNOWN", unknown_since=at - timedelta(minutes=16), state_since=at
    )
    checking = factories.OrderFactory(
        state="SUBMITTING", attempt="UNKNOWN", unknown_since=at - timedelta(minutes=14), state_since=at
    )
    client = as_role(roles.VIEWER)
    assert found(client, stuck=1) == {late.code, unknown.code}
    assert found(client, unknown=1) == {unknown.code, checking.code}
    assert found(client) == {each.code for each in (fresh, late, done, unknown, checking)}


def test_an_unknown_outcome_reads_checking_and_never_failed(as_role):
    factories.OrderFactory(state="SUBMITTING", attempt="UNKNOWN", unknown_since=clock.now())
    text = as_role(roles.VIEWER).get(reverse("admin:orders_mforder_changelist")).content.decode()
    assert "ops-checking" in text
    assert "ops-badge ops-failed" not in text


@pytest.mark.parametrize(
    "term", ["code", "client_ref", "provider_ref", "investor.code", "scheme.isin", "investor.user.email"]
)
def test_an_order_is_found_by_each_of_its_names(as_role, term):
    order, other = factories.OrderFactory(state="PLACED"), factories.OrderFactory(state="PLACED")
    value = order
    for part in term.split("."):
        value = getattr(value, part)
    answer = as_role(roles.VIEWER).post(reverse("admin:orders_mforder_find"), {"q": f" {value} "}, follow=True)
    assert [row.code for row in answer.context["cl"].result_list] == [order.code]
    assert other.code not in answer.content.decode()


def test_a_search_keeps_the_filters(as_role):
    answer = as_role(roles.VIEWER).post(reverse("admin:orders_mforder_find"), {"q": "ORD-1", "stuck": "1"})
    assert answer["Location"].endswith("?stuck=1&q=ORD-1")


def test_the_first_page_counts_what_waits(as_role, desk, recover):
    at = clock.now()
    factories.OrderFactory(state="PLACED", amount=Decimal("250000"), placed_at=at - timedelta(days=6))
    factories.OrderFactory(state="SUBMITTING", attempt="UNKNOWN", unknown_since=at, amount=Decimal("700"))
    GatewayCall.objects.create(provider="fp", method="GET", path="/x", outcome="UNREACHABLE", started_at=at, took_ms=3)
    gates.turn(name=gates.OUTBOUND_MONEY, closed=True, reason="Testing the switch", actor="test", at=at)
    page = as_role(roles.VIEWER).get(reverse("admin:index"))
    tiles = {tile.label: tile for tile in page.context["tiles"]}
    assert tiles["Open cases"].value == "1"
    assert (tiles["Stuck orders"].value, tiles["Stuck orders"].note) == ("1", "₹2.5 L waits")
    assert (tiles["Unknown orders"].value, tiles["Unknown orders"].note) == ("1", "₹700 in doubt")
    assert tiles["Stuck payments"].value == "0"
    assert (tiles["Money gate"].value, tiles["Money gate"].note) == ("Closed", "Testing the switch")
    assert tiles["Background work"].value == "Silent"
    panels = {panel.title: panel for panel in page.context["panels"]}
    assert panels["Cases"].rows[0][:2] == ["Order outcome unknown", "1"]


def test_the_first_page_takes_few_statements(as_role, desk):
    client = as_role(roles.VIEWER)
    client.get(reverse("admin:index"))
    few = _queries(client, reverse("admin:index"))
    for _ in range(6):
        factories.OrderFactory(state="PLACED")
        factories.PaymentFactory()
    assert _queries(client, reverse("admin:index")) == few
    assert few <= 36


def test_only_the_admin_may_evaluate_and_style_inline(as_role):
    client = as_role(roles.VIEWER)
    inside = client.get(reverse("admin:index"))["Content-Security-Policy"]
    outside = client.get(reverse("account_email"))["Content-Security-Policy"]
    assert "'unsafe-eval'" in inside
    assert "script-src 'self' 'unsafe-eval';" in inside + ";"
    assert "unsafe" not in outside


def test_the_menu_shows_what_a_person_may_open(as_role):
    viewer = as_role(roles.VIEWER).get(reverse("admin:index")).content.decode()
    boss = as_role(roles.ADMIN).get(reverse("admin:index")).content.decode()
    assert reverse("admin:orders_mforder_changelist") in viewer
    assert reverse("admin:mfa_authenticator_changelist") not in viewer
    assert reverse("admin:mfa_authenticator_changelist") in boss


def test_the_state_of_every_order_has_a_colour():
    from orders.admin.mf import TONES

    assert set(TONES) == set(MfOrder.State.values)


@pytest.mark.parametrize("page", ["portal_auditentry", "portal_gatewaycall", "portal_case"])
def test_evidence_is_found_by_the_code_of_its_object(as_role, desk, page):
    client = as_role(roles.VIEWER)
    here = client.post(reverse(f"admin:{page}_find"), {"q": desk.order.code.lower()}, follow=True).context["cl"]
    assert {(row.subject_kind, row.subject_id) for row in here.result_list} == {("orders.mforder", str(desk.order.pk))}
    nothing = client.post(reverse(f"admin:{page}_find"), {"q": "ORD-000000000000"}, follow=True).context["cl"]
    assert nothing.result_list == []


def test_the_audit_log_is_found_by_the_e_mail_of_who_acted(as_role, desk):
    email = desk.investor.user.email.upper()
    here = as_role(roles.VIEWER).post(reverse("admin:portal_auditentry_find"), {"q": email}, follow=True).context["cl"]
    assert {row.actor for row in here.result_list} == {f"user:{desk.investor.user.pk}"}


def test_operations_are_told_two_months_before_the_arn_ends(settings, as_role):
    settings.ARN_VALID_UNTIL = clock.today() + timedelta(days=60)
    assert "ARN ends on" in as_role(roles.MAKER).get("/admin/").content.decode()
    settings.ARN_VALID_UNTIL = clock.today() + timedelta(days=61)
    assert "ARN ends on" not in as_role(roles.MAKER).get("/admin/").content.decode()
