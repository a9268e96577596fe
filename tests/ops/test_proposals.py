"""What two persons keep as data: holidays, wordings, and the rules about which acts need a second person."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client
from django.urls import reverse

from orders.models import Holiday
from orders.queries import schemes as scheme_queries
from portal import clock, roles
from portal.desk import proposals
from portal.models import AuditEntry, Proposal, SecondPersonRule
from tests import factories
from tests.ops.test_role_changes import console
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
DAY = date(2027, 1, 15)
NEW = {"on": "2027-01-15", "name": "Municipal elections", "why": "Circular of the exchange"}
YES = {"reason": "Compared with the circular"}


def ask_for_holiday(client: Client, **more: str) -> Proposal:
    client.post(reverse("admin:orders_holiday_add"), {**NEW, **more})
    return Proposal.objects.latest("id")


@pytest.fixture(autouse=True)
def fresh_calendar():
    scheme_queries.forget_market()
    yield
    scheme_queries.forget_market()


def test_a_holiday_holds_when_a_second_person_has_approved(as_role, django_capture_on_commit_callbacks):
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    with console("off"), django_capture_on_commit_callbacks(execute=True):
        asked = ask_for_holiday(maker)
        assert not Holiday.objects.filter(on=DAY).exists()
        checker.post(act_url(asked, "approve"), YES)
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == ("APPLIED", checker.user)
    assert Holiday.objects.get(on=DAY).name == "Municipal elections"
    assert DAY in scheme_queries.holidays()
    told = AuditEntry.objects.get(subject_kind="orders.holiday", action="holiday.added")
    assert (told.actor, told.reason, told.door) == (f"user:{checker.user.pk}", NEW["why"], "admin")
    assert told.data["asked_by"] == f"user:{maker.user.pk}"


def test_it_changes_and_goes_by_two_persons_as_well(as_role):
    Holiday.objects.create(on=DAY, name="Elections")
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    maker.post(reverse("admin:orders_holiday_change", args=[DAY]), {"name": "Poll", "why": "Its name is another"})
    change = Proposal.objects.latest("id")
    assert (change.before, change.after) == ({"name": "Elections"}, {"name": "Poll"})
    checker.post(act_url(change, "approve"), YES)
    assert Holiday.objects.get(on=DAY).name == "Poll"
    maker.post(reverse("admin:orders_holiday_delete", args=[DAY]), {"post": "yes"})
    assert Holiday.objects.filter(on=DAY).exists()
    checker.post(act_url(Proposal.objects.latest("id"), "approve"), YES)
    assert not Holiday.objects.filter(on=DAY).exists()


def test_the_record_shows_that_a_change_waits_and_takes_no_second_one(as_role):
    Holiday.objects.create(on=DAY, name="Elections")
    maker, page = as_role(roles.MAKER), reverse("admin:orders_holiday_change", args=[DAY])
    maker.post(page, {"name": "Poll", "why": "Its name is another"})
    assert "waits for a second person" in maker.get(page).content.decode()
    maker.post(page, {"name": "Vote", "why": "Its name is another"})
    assert Proposal.objects.count() == 1


def test_the_second_person_reads_what_else_is_touched(as_role):
    factories.OrderFactory(state="PLACED", predicted_nav_on=DAY)
    assert ask_for_holiday(as_role(roles.MAKER)).affects == "1 open order was promised the NAV of that day."


def test_what_was_typed_stays_where_the_reason_is_missing(as_role):
    answer = as_role(roles.MAKER).post(reverse("admin:orders_holiday_add"), {**NEW, "why": ""})
    assert "Municipal elections" in answer.content.decode()
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("act", ["approve", "refuse"])
def test_nobody_decides_their_own_superusers_included(dev, act):
    client = Client()
    client.force_login(dev)
    asked = ask_for_holiday(client)
    assert client.post(act_url(asked, act), YES).status_code == 403
    with pytest.raises(proposals.SecondPerson):
        proposals.approve(proposal=asked, actor=dev, reason="I trust myself", at=clock.now())
    asked.refresh_from_db()
    assert asked.state == "ASKED"


def test_whoever_asked_withdraws_and_nobody_else(as_role):
    maker, other = as_role(roles.MAKER), as_role(roles.MAKER)
    asked = ask_for_holiday(maker)
    assert other.post(act_url(asked, "withdraw"), YES).status_code == 403
    maker.post(act_url(asked, "withdraw"), YES)
    asked.refresh_from_db()
    assert asked.state == "WITHDRAWN"


def test_what_changed_meanwhile_is_not_applied(as_role):
    Holiday.objects.create(on=DAY, name="Elections")
    as_role(roles.MAKER).post(
        reverse("admin:orders_holiday_change", args=[DAY]), {"name": "Poll", "why": "Its name is another"}
    )
    Holiday.objects.filter(on=DAY).update(name="Something else")
    with pytest.raises(proposals.ChangedMeanwhile):
        approve(as_role(roles.CHECKER).user)
    assert Holiday.objects.get(on=DAY).name == "Something else"


def approve(actor: Any) -> None:
    row = Proposal.objects.latest("id")
    proposals.approve(proposal=row, actor=actor, reason="Compared with the circular", at=clock.now())


def test_a_second_yes_changes_nothing(as_role, staff):
    ask_for_holiday(as_role(roles.MAKER))
    approve(staff(roles.CHECKER))
    with pytest.raises(proposals.AlreadyDecided):
        approve(staff(roles.CHECKER))


# --- the database below -----------------------------------------------------------------------------------------


def refused(sql: str, *values: Any) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(error.value)


def test_the_database_refuses_that_somebody_approves_their_own(as_role):
    asked = ask_for_holiday(as_role(roles.MAKER))
    told = refused(
        "UPDATE portal_proposal SET state = 'APPROVED', decided_by_id = asked_by_id, decided_at = now() WHERE id = %s",
        asked.pk,
    )
    assert "a_proposal_is_decided_by_a_second_person" in told


def test_the_database_refuses_that_what_was_asked_for_is_exchanged(as_role):
    asked = ask_for_holiday(as_role(roles.MAKER))
    assert "asked for, decided once" in refused(
        'UPDATE portal_proposal SET after = \'{"on": "2027-01-18"}\' WHERE id = %s', asked.pk
    )
    assert "asked for, decided once" in refused("DELETE FROM portal_proposal WHERE id = %s", asked.pk)


@pytest.mark.parametrize("table", ["orders_holiday", "portal_secondpersonrule"])
def test_the_database_refuses_a_row_of_such_a_table_without_a_proposal(table):
    columns = {
        "orders_holiday": "(\"on\", name) VALUES ('2027-01-15', 'Mine')",
        "portal_secondpersonrule": "(act, needed, role, valid_from) VALUES ('holiday', false, '', now())",
    }
    with console("off"):
        assert "when a proposal is approved" in refused(f"INSERT INTO {table} {columns[table]}")


# --- which acts need a second person is data --------------------------------------------------------------------


def rule(**values: Any) -> None:
    SecondPersonRule.objects.create(
        **{"act": "holiday", "needed": True, "valid_from": clock.now() - timedelta(days=1), **values}
    )


def test_a_rule_lets_one_person_act_and_the_log_still_says_who(as_role):
    rule(needed=False)
    maker = as_role(roles.MAKER)
    ask_for_holiday(maker)
    assert Holiday.objects.filter(on=DAY).exists()
    assert AuditEntry.objects.get(action="holiday.added").actor == f"user:{maker.user.pk}"


def test_a_rule_that_does_not_hold_yet_changes_nothing(as_role):
    rule(needed=False, valid_from=clock.now() + timedelta(hours=1))
    assert ask_for_holiday(as_role(roles.MAKER)).state == "ASKED"


@pytest.mark.parametrize(("rupees", "needed"), [("99999.99", False), ("100000", True), (None, True)])
def test_a_rule_counts_from_its_rupees(rupees, needed):
    rule(from_rupees=Decimal("100000"))
    found = proposals.rule_of("holiday", rupees=Decimal(rupees) if rupees else None, at=clock.now())
    assert found == (needed, "")


def test_a_rule_names_the_role_that_decides(as_role, staff, dev):
    rule(role=roles.CHECKER)
    ask_for_holiday(as_role(roles.MAKER))
    with pytest.raises(proposals.WrongRole):
        approve(dev)
    approve(staff(roles.CHECKER))
    assert Holiday.objects.filter(on=DAY).exists()


def test_a_rule_itself_takes_two_administrators_whatever_a_rule_says(as_role):
    rule(act="rule of two persons", needed=False)
    boss, other = as_role(roles.ADMIN), as_role(roles.ADMIN)
    at = clock.now() + timedelta(days=1)
    boss.post(
        reverse("admin:portal_secondpersonrule_add"),
        {"act": "holiday", "valid_from_0": f"{at:%Y-%m-%d}", "valid_from_1": "09:00", "role": "", "why": "Too slow"},
    )
    asked = Proposal.objects.latest("id")
    assert asked.state == "ASKED"
    other.post(act_url(asked, "approve"), YES)
    made = SecondPersonRule.objects.get(act="holiday")
    assert made.needed is False
