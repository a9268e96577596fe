"""Who looked at whose personal data (screens.md F65): one entry a visit, shown on the person's own page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from portal import audit, clock, roles
from portal.models import AuditEntry

pytestmark = pytest.mark.django_db


def page_of(obj) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def seen() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(action=audit.SEEN).order_by("id")
    return [(each.subject_kind, each.actor, each.data["page"]) for each in entries]


@pytest.mark.parametrize("what", ["investor", "account", "order", "payment", "holding", "kyc", "consent"])
def test_opening_a_page_about_an_investor_is_an_entry_about_the_investor(as_role, desk, what):
    client, obj = as_role(roles.VIEWER), getattr(desk, what)
    client.get(page_of(obj))
    [(kind, actor, page)] = seen()
    assert (kind, actor, page) == ("investors.investor", f"user:{client.user.pk}", obj._meta.label_lower)


def test_looking_at_somebody_who_signs_in_is_an_entry_too(as_role, desk):
    client = as_role(roles.ADMIN)
    client.get(page_of(desk.investor.user))
    assert seen() == [("portal.user", f"user:{client.user.pk}", "portal.user")]


def test_lists_and_pages_about_nobody_are_no_visit(as_role, desk):
    client = as_role(roles.VIEWER)
    for address in (page_of(desk.event), page_of(desk.order.scheme), reverse("admin:investors_investor_changelist")):
        assert client.get(address).status_code == 200
    assert seen() == []


def test_a_visit_is_one_entry_however_many_pages_are_opened(as_role, desk, at):
    client, begun = as_role(roles.VIEWER), clock.now()
    for minutes in (0, 1, 14):
        at(begun + timedelta(minutes=minutes))
        client.get(page_of(desk.investor))
        client.get(page_of(desk.account))
    assert len(seen()) == 1
    at(begun + timedelta(minutes=16))
    client.get(page_of(desk.investor))
    assert len(seen()) == 2
    as_role(roles.MAKER).get(page_of(desk.investor))
    assert len(seen()) == 3, "everybody's visit is their own"


def test_the_investors_page_says_who_looked_and_the_timeline_stays_free_of_it(as_role, desk):
    first = as_role(roles.MAKER)
    first.user.first_name, first.user.last_name = "Meera", "Iyer"
    first.user.save()
    first.get(page_of(desk.account))
    page = as_role(roles.VIEWER).get(page_of(desk.investor))
    assert [visit.by for visit in page.context["visits"]][1] == "Meera Iyer"
    assert page.context["visits"][1].page == "bank account"
    text = page.content.decode()
    assert "Looked at by" in text
    assert "Meera Iyer" in text
    assert not [step for step in page.context["steps"] if "looked" in step.words.lower()]


def test_a_refused_page_is_no_visit(as_role, desk, client):
    client.get(page_of(desk.investor))
    as_role(roles.INVESTOR).get(page_of(desk.investor))
    assert seen() == []


def test_the_timeline_of_an_order_tells_each_step_of_its_payment_once(as_role, desk):
    at = clock.now()
    audit.record(desk.payment, "payment.handed_over", actor=None, at=at)
    audit.record(desk.order, "payment.handed_over", actor=None, at=at, payment=desk.payment.code)
    for obj in (desk.order, desk.payment):
        steps = as_role(roles.VIEWER).get(page_of(obj)).context["steps"]
        assert [step.words for step in steps].count("Payment handed over") == 1
