"""What the desk reads: field names in words, abbreviations in capitals, people by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import audit, clock, gates, roles
from portal.field_words import CAPITALS, words_of
from portal.models import User
from tests import factories
from tests.ops.test_visits import page_of


def labels() -> Iterator[tuple[str, str]]:
    """Every label of every list, page and table of ours in the admin, with where it stands."""
    for model, page in admin.site._registry.items():
        fields = [*page.list_display, *(flatten_fieldsets(page.fieldsets) if page.fieldsets else page.fields or ())]
        for name in fields:
            yield f"{model._meta.label}.{name}", str(label_for_field(name, model, page))
        for inline in page.inlines:
            for name in inline.fields:
                label = label_for_field(name, inline.model, inline(model, admin.site))
                yield f"{inline.model._meta.label}.{name}", str(label)


def test_abbreviations_stand_in_capitals():
    assert not [(where, label) for where, label in labels() if CAPITALS.search(label)]


def test_no_label_reads_like_python():
    odd = re.compile(r"_|^is |\bref\b|\bno$|\bat$|^[a-z]", re.MULTILINE)
    assert not [(where, label) for where, label in labels() if odd.search(label) and "__str__" not in where]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("predicted_nav_on", "predicted NAV date"),
        ("provider_ref", "provider's number"),
        ("is_active", "active"),
        ("sip_allowed", "SIP allowed"),
        ("utr", "UTR"),
        ("mandate_ref", "mandate reference"),
        ("ifsc", "IFSC"),
        ("isins", "ISINs"),
        ("spanning", "spanning"),
    ],
)
def test_a_python_name_in_words(name, words):
    assert words_of(name) == words


def test_the_models_own_words_win():
    assert User._meta.get_field("email").verbose_name == "Email"
    assert str(admin.site._registry[User].model._meta.get_field("mobile").verbose_name) == "Mobile"


@pytest.mark.django_db
def test_the_trail_to_a_page_names_its_group_once(as_role, desk):
    text = as_role(roles.VIEWER).get(page_of(desk.order)).content.decode()
    trail = re.sub(r"<[^>]+>|chevron_right|\s+", " ", text[text.index("Funds and orders") :]).split()
    assert trail[:5] == ["Funds", "and", "orders", "Orders", desk.order.code]


@pytest.mark.django_db
def test_lists_name_people_and_not_their_numbers(as_role, desk):
    client = as_role(roles.ADMIN)
    actor = client.user
    actor.first_name, actor.last_name = "Arun", "Bose"
    actor.save()
    audit.record(desk.order, "order.refresh_asked", actor=actor, at=clock.now())
    gates.turn(name=gates.OUTBOUND_MONEY, closed=True, reason="Trying it", actor=actor, at=clock.now())
    for name in ("portal_auditentry", "portal_gate"):
        text = client.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert "Arun Bose" in text
        assert f"user:{actor.pk}" not in text


@pytest.mark.django_db
def test_naming_the_actors_of_a_page_is_one_statement(as_role, desk):
    client, url = as_role(roles.VIEWER), reverse("admin:portal_auditentry_changelist")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    client.get(url)
    few = statements()
    for _ in range(6):
        audit.record(desk.order, "order.x", actor=factories.UserFactory(), at=clock.now())
    assert statements() == few


@pytest.mark.django_db
def test_the_timeline_reads_like_words(as_role, desk):
    audit.record(desk.investor, "kyc.asked", actor=None, at=clock.now(), pan="ASXXXXXX1C", is_compliant=True)
    audit.record(desk.investor, "investor.confirmed", actor=None, at=clock.now(), declarations={"fatca": "I live here"})
    audit.record(desk.investor, "order.paid", actor=None, at=clock.now(), was="AWAITING_PAYMENT", amount="150000.00")
    asked, confirmed, paid = as_role(roles.VIEWER).get(page_of(desk.investor)).context["steps"][-3:]
    assert paid.details == [("before", "awaiting payment"), ("amount", "₹1,50,000.00")]
    assert (asked.words, asked.details) == ("KYC asked", [("PAN", "ASXXXXXX1C"), ("compliant", "yes")])
    assert confirmed.details == [("declarations", "FATCA: I live here")]
