"""The inbox: everything that needs a person, whose it is, and what may wait."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import cases, clock, inbox, role_changes, roles, scope
from portal.models import AuditEntry, Case, Handling, InboundEvent, SavedList, WorkItem
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
LIST = "/admin/portal/workitem/"


def of(row: Any) -> WorkItem:
    return WorkItem.objects.get(subject_kind=row._meta.label_lower, subject_id=str(row.pk))


def listed(client: Any, **query: str) -> list[str]:
    return [item.ref for item in client.get(LIST, query).context["cl"].result_list]


@pytest.fixture
def unknown() -> Any:
    """An order of which nobody knows whether the provider has it, due for the next look."""
    at = clock.now()
    return factories.OrderFactory(
        state="SUBMITTING",
        attempt="UNKNOWN",
        unknown_since=at - timedelta(minutes=3),
        due_at=at,
        amount=Decimal(70_000),
    )


def test_every_kind_of_thing_that_needs_a_person_is_on_the_list(staff, unknown, desk):
    at = clock.now()
    cases.open_case(kind="reconciliation_order_units_differ", subject=desk.order, title="Units", detail="", at=at)
    factories.MandateFactory(investor=desk.investor, state="REJECTED", reason="Signature differs")
    factories.PlanFactory(investor=desk.investor, state="ACTIVE", bounces_in_a_row=2)
    factories.KycRequestFactory(state="PENDING", submitted_at=at, approved_at=None)
    InboundEvent.objects.filter(pk=desk.event.pk).update(state="FAILED")
    role_changes.ask(
        user=factories.UserFactory(), role=roles.MAKER, give=True, actor=staff(roles.ADMIN), reason="New here", at=at
    )
    found = set(WorkItem.objects.values_list("source", flat=True))
    assert found == set(WorkItem.Source.values)
    assert of(unknown).rupees == Decimal(70_000)


def test_what_has_settled_is_off_the_list(desk, unknown):
    cases.close(case=desk.case, resolution="Found", actor=None, at=clock.now())
    type(unknown).objects.filter(pk=unknown.pk).update(attempt="", unknown_since=None)
    assert not WorkItem.objects.exists()


def test_an_approved_change_or_a_retried_mandate_needs_nobody(desk):
    first = factories.MandateFactory(investor=desk.investor, state="REJECTED")
    assert of(first).source == "mandate"
    factories.MandateFactory(investor=desk.investor, previous=first, bank_account=first.bank_account)
    assert not WorkItem.objects.filter(source="mandate").exists()


def test_a_claim_shows_the_name_and_takes_no_reason(as_role, unknown):
    maker, other = as_role(roles.MAKER), as_role(roles.MAKER)
    maker.post(act_url(of(unknown), "claim"), {"reason": ""})
    assert of(unknown).owner == maker.user
    ref = of(unknown).ref
    assert listed(maker, whose="mine") == [ref]
    assert listed(other, whose="team") == [ref]
    assert listed(other, whose="nobody") == []
    other.post(act_url(of(unknown), "hand-back"), {"reason": ""})
    assert listed(other, whose="nobody") == [ref]
    told = AuditEntry.objects.filter(subject_id=str(unknown.pk), action__startswith="work.").order_by("id")
    assert list(told.values_list("action", flat=True)) == ["work.claimed", "work.handed_back"]


def test_a_case_has_one_owner_wherever_it_is_claimed(as_role, desk):
    maker = as_role(roles.MAKER)
    maker.post(act_url(of(desk.case), "claim"), {"reason": ""})
    assert Case.objects.get(pk=desk.case.pk).owner == maker.user
    assert not Handling.objects.exists()


def test_what_was_put_off_comes_back_by_itself(as_role, unknown, monkeypatch):
    maker = as_role(roles.MAKER)
    maker.post(act_url(of(unknown), "snooze"), {"reason": "The provider calls back", "until": "hour"})
    assert listed(maker) == []
    assert listed(maker, later="snoozed") == [of(unknown).ref]
    later = clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert listed(maker) == [of(unknown).ref]


def test_a_rejected_mandate_is_set_aside_and_an_unknown_order_is_not(as_role, unknown, desk):
    maker = as_role(roles.MAKER)
    mandate = factories.MandateFactory(investor=desk.investor, state="REJECTED")
    maker.post(act_url(of(mandate), "set-aside"), {"reason": "The investor pays by UPI"})
    assert of(mandate).ref in listed(maker, later="aside")
    assert of(mandate).ref not in listed(maker)
    maker.post(act_url(of(unknown), "set-aside"), {"reason": "Let it be"})
    assert of(unknown).ref in listed(maker)


def test_an_empty_inbox_says_so_and_one_that_is_filtered_says_how_to_see_it_all(as_role, desk):
    maker = as_role(roles.MAKER)
    assert "Nothing has these filters" in maker.get(LIST, {"later": "aside"}).content.decode()
    cases.close(case=desk.case, resolution="Found", actor=None, at=clock.now())
    text = maker.get(LIST).content.decode()
    assert "Nothing waits for a person" in text
    assert "Nothing has these filters" not in text


def test_what_is_late_for_the_longest_time_stands_first(as_role, unknown, desk):
    Case.objects.filter(pk=desk.case.pk).update(look_by=clock.now() - timedelta(days=2))
    assert listed(as_role(roles.VIEWER)) == [of(desk.case).ref, of(unknown).ref]


def test_the_first_page_sums_the_inbox_by_kind(as_role, unknown, desk):
    maker = as_role(roles.MAKER)
    maker.post(act_url(of(unknown), "claim"), {"reason": ""})
    panel = maker.get(reverse("admin:index")).context["inbox"][0]
    rows = {str(row[0]).partition(">")[2].partition("<")[0]: row[1:] for row in panel.rows}
    assert rows["Unknown outcomes"][:6] == ["1", "0", "1", "0", "0", "₹70,000.00"]
    assert rows["Cases"][:5] == ["1", "0", "0", "0", "1"]


def test_a_role_sees_only_things_about_records_that_it_may_see(as_role, desk):
    event_id, _ = inbox.store(provider="fp", kind="payment_return", body={"a": "b"}, at=clock.now())
    InboundEvent.objects.filter(pk=event_id).update(state="FAILED")
    investor = as_role(roles.INVESTOR)
    assert investor.get(LIST).status_code == 302
    assert of(InboundEvent.objects.get(pk=event_id)).ref in listed(as_role(roles.VIEWER))


def test_the_checker_reads_what_would_change_in_the_list(as_role):
    as_role(roles.MAKER).post(
        reverse("admin:orders_holiday_add"),
        {"on": "2027-01-15", "name": "Elections", "why": "Circular of the exchange"},
    )
    text = as_role(roles.CHECKER).get(LIST, {"source__exact": "approval"}).content.decode()
    assert "date 15 Jan 2027, name Elections" in text


def test_behind_the_wall_an_investor_sees_nothing_of_the_desk(desk):
    tables = (
        "portal_proposal", "portal_secondpersonrule", "portal_handling", "portal_bulkrun", "portal_bulkline",
        "portal_savedlist", "portal_broadcast",
    )  # fmt: skip
    investor = factories.UserFactory()
    SavedList.objects.create(user=investor, page="orders.mforder", name="Paid", query="state__exact=PAID")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table])
            assert cursor.fetchone() == (True, True), table
    assert WorkItem.objects.exists()
    with scope.scope(f"user:{investor.pk}"):
        assert not SavedList.objects.exists()
        assert not WorkItem.objects.filter(subject_kind="portal.case").exists()
        assert not WorkItem.objects.exclude(subject_kind__startswith="orders.").exists()


def test_the_list_costs_the_same_for_ten_as_for_two(as_role, desk):
    client = as_role(roles.VIEWER)

    def more(count: int) -> None:
        for _ in range(count):
            order = factories.OrderFactory(state="PLACED")
            cases.open_case(kind="order_outcome_unknown", subject=order, title="Lost", detail="", at=clock.now())

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    more(2)
    client.get(LIST)
    few = statements()
    more(8)
    assert statements() == few
    assert few <= 12
