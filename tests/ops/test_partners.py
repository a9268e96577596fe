"""Partners in the admin: the firm, its people, the emergency stop of its API."""

from __future__ import annotations

import pytest
from django.urls import reverse

from portal import roles
from portal.api import partners
from portal.models import AuditEntry, Partner
from tests import factories

pytestmark = pytest.mark.django_db
REASON = {"reason": "agreement of 20 November"}


@pytest.fixture
def admin_of(client_for):
    """A browser of an administrator."""
    person = factories.UserFactory()
    roles.grant(person, roles.ADMIN)
    return client_for(person)


def act(partner, name):
    return reverse("admin:portal_partner_act", args=[partner.pk, name])


def test_an_administrator_makes_a_partner_and_it_stands_in_the_audit_log(admin_of):
    form = {
        "code": "NEWFIRM", "name": "New Firm LLP", "arn": "", "euin": "", "is_active": "on", "networks": "",
        "origins": "", "calls_per_minute": "300", "calls_per_day": "100000",
        "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0",
    }  # fmt: skip
    answer = admin_of.post(reverse("admin:portal_partner_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    assert Partner.objects.get(code="NEWFIRM").is_active
    assert AuditEntry.objects.filter(action="partner.added").exists()


def test_a_person_is_put_down_and_ended(admin_of):
    partner, person = factories.PartnerFactory(), factories.UserFactory()
    admin_of.post(act(partner, "add-person"), {**REASON, "email": person.email})
    assert partners.partner_of(person) == partner
    page = admin_of.get(reverse("admin:portal_partner_change", args=[partner.pk])).content.decode()
    assert person.email in page
    admin_of.post(act(partner, "end-person"), {**REASON, "email": person.email})
    assert partners.partner_of(person) is None


def test_staff_and_strangers_are_not_put_down(admin_of, dev):
    partner = factories.PartnerFactory()
    for email in (dev.email, "nobody@example.com"):
        answer = admin_of.post(act(partner, "add-person"), {**REASON, "email": email}, follow=True)
        assert "Nobody with this address fits" in answer.content.decode()
    assert not partner.members.exists()


def test_the_api_of_one_partner_is_closed_and_opened(admin_of):
    partner = factories.PartnerFactory()
    admin_of.post(act(partner, "close-api"), REASON)
    partner.refresh_from_db()
    assert partner.api_closed_why == REASON["reason"]
    admin_of.post(act(partner, "open-api"), REASON)
    partner.refresh_from_db()
    assert partner.api_closed_at is None


@pytest.mark.parametrize("role", [roles.MAKER, roles.CHECKER, roles.VIEWER])
def test_others_look_and_change_nothing(client_for, role):
    person = factories.UserFactory()
    roles.grant(person, role)
    partner, other = factories.PartnerFactory(), factories.UserFactory()
    browser = client_for(person)
    assert browser.get(reverse("admin:portal_partner_change", args=[partner.pk])).status_code == 200
    for name in ("add-person", "end-person", "close-api", "open-api"):
        assert browser.post(act(partner, name), {**REASON, "email": other.email}).status_code == 403
    assert not partner.members.exists()
