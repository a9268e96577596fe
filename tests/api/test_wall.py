"""The wall below the partner API: raw SQL on a partner's connection shows the partner's rows and no others."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from portal import addresses, audit, clock
from portal.api import partners
from portal.models import AuditEntry, IdempotentCall, Partner, PartnerMember
from portal.scope import scope
from tests import factories

pytestmark = pytest.mark.django_db

# What a partner may read of its own investors, each row through the investor whom it belongs to.
READ = (
    "investors_kyccheck",
    "investors_bankaccount",
    "orders_mforder",
    "orders_folio",
    "orders_transaction",
    "orders_holding",
    "orders_plan",
    "payments_payment",
)
# What it may not, whosever it is.
NEVER = ("investors_address", "investors_nominee", "investors_consent", "investors_taxresidence", "portal_case")


@pytest.fixture
def north(asha: Any) -> Partner:
    """A partner that brought Asha, with a row of hers in every table."""
    partner: Partner = factories.PartnerFactory()
    type(asha).objects.filter(pk=asha.pk).update(partner=partner)
    order = factories.OrderFactory(investor=asha)
    factories.PaymentFactory(order=order)
    factories.TransactionFactory(investor=asha)
    factories.HoldingFactory(investor=asha)
    factories.PlanFactory(investor=asha)
    factories.NomineeFactory(investor=asha)
    factories.InviteFactory(partner=partner)
    return partner


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("table", READ)
def test_a_partner_reads_rows_of_its_investors_and_another_partner_none(north, table):
    south = factories.PartnerFactory()
    assert count(table) > 0
    with scope(partners.scope_of(north)):
        assert count(table) > 0
    for whose in (partners.scope_of(south), f"partner:{north.pk} OR true", "partner:", f"partner:{north.pk}:x"):
        with scope(whose):
            assert count(table) == 0, whose


@pytest.mark.parametrize("table", NEVER)
def test_a_partner_reads_nothing_that_the_api_never_shows(north, table):
    with scope(partners.scope_of(north)):
        assert count(table) == 0


def test_a_partner_sees_itself_and_not_that_there_are_others(north):
    factories.PartnerFactory()
    factories.InviteFactory(partner=factories.PartnerFactory())
    with scope(partners.scope_of(north)):
        assert [count(table) for table in ("portal_partner", "investors_invite", "investors_investor")] == [1, 1, 1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders_mforder SET state = 'ALLOTTED'",
        "DELETE FROM payments_payment",
        "UPDATE portal_partner SET calls_per_day = 1000000",
        "UPDATE investors_investor SET partner_id = NULL",
    ],
)
def test_a_partners_connection_changes_nothing_of_an_investor_or_of_itself(north, statement):
    with scope(partners.scope_of(north)), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 0


def test_another_partners_calls_cannot_be_read_or_written(north):
    south, at = factories.PartnerFactory(), clock.now()
    IdempotentCall.objects.create(partner=north, route="x", key="k", fingerprint="f", created_at=at)
    with scope(partners.scope_of(south)):
        assert count("portal_idempotentcall") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            IdempotentCall.objects.create(partner=north, route="x", key="l", fingerprint="f", created_at=at)


@pytest.mark.parametrize("name", ["user:1", "partner:999999"])
def test_a_partner_signs_evidence_with_its_own_name_only(north, asha, name):
    with scope(partners.scope_of(north)):
        audit.record(asha, "api.tried", actor=f"partner:{north.pk}", at=clock.now())
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            audit.record(asha, "api.tried", actor=name, at=clock.now())
    assert AuditEntry.objects.filter(action="api.tried").count() == 1


def test_an_investor_cannot_sign_as_a_partner(north, asha):
    with (
        scope(f"user:{asha.user_id}"),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        audit.record(asha, "api.tried", actor=f"partner:{north.pk}", at=clock.now())


def test_somebody_who_works_there_signs_as_themselves_and_is_no_investor_there(north, chitra):
    partners.add_member(partner=north, user=chitra.user, actor=None, at=clock.now())
    factories.OrderFactory(investor=chitra)
    with scope(partners.scope_of(north, chitra.user)):
        audit.record(north, "api.tried", actor=chitra.user, at=clock.now())
        assert count("orders_mforder") == 1, "Asha's, and not the person's own"


def test_a_login_works_at_one_partner_at_a_time(north, chitra):
    member = partners.add_member(partner=north, user=chitra.user, actor=None, at=clock.now())
    with pytest.raises(partners.WorksElsewhere):
        partners.add_member(partner=factories.PartnerFactory(), user=chitra.user, actor=None, at=clock.now())
    with scope(f"user:{chitra.user_id}"):
        assert partners.partner_of(chitra.user) == north
    partners.end_member(member=member, actor=None, reason="left", at=clock.now())
    assert partners.partner_of(chitra.user) is None
    assert PartnerMember.objects.count() == 1, "what ended stays"


def test_an_investor_reads_which_firm_brought_them_and_no_other(north, asha):
    factories.PartnerFactory()
    with scope(f"user:{asha.user_id}"):
        assert [each.name for each in Partner.objects.all()] == [north.name]


@pytest.mark.parametrize(
    "text", ["http://partner.example", "https://a.example/path", "javascript:x", "https://u@a.example"]
)
def test_refuses_what_is_no_origin(text):
    with pytest.raises(ValidationError):
        addresses.validate_origins([text])


def test_a_partner_is_called_from_its_networks_only():
    assert addresses.is_among("192.0.2.9", ["192.0.2.0/24"])
    assert not addresses.is_among("192.0.3.9", ["192.0.2.0/24"])
    assert not addresses.is_among(None, ["192.0.2.0/24"])
    assert addresses.is_among("2001:db8::1", [])
