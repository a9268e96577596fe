"""What waits for a second person stands on the page of the record that it concerns, and in the inbox with its diff."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from investors.operations import merges
from orders.models import BasketChange
from orders.operations import basket_changes, baskets
from portal import clock, role_changes, roles
from portal.models import WorkItem
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/portal/workitem/"


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def badge(client, row) -> str:
    """The part of a record's page that says what waits; empty where nothing does."""
    text = client.get(page_of(row)).content.decode()
    return text.partition('aria-label="Waits for a second person"')[2].partition("</section>")[0]


def inbox(client) -> str:
    return client.get(LIST, {"source__exact": "approval"}).content.decode()


def test_a_role_stands_on_the_page_of_the_person_and_in_the_inbox_with_both_sides(as_role, staff):
    asker, person = staff(roles.ADMIN), staff(roles.VIEWER)
    looks = as_role(roles.ADMIN)
    assert badge(looks, person) == ""
    asked = role_changes.ask(
        user=person, role=roles.MAKER, give=True, actor=asker, reason="Joins the desk", at=clock.now()
    )
    assert f"Give {roles.MAKER}" in badge(looks, person)
    assert str(asker) in badge(looks, person)
    assert f"{person}: ops viewer → ops maker, ops viewer" in inbox(looks)
    assert "ops maker, ops viewer" in looks.get(page_of(asked)).content.decode()


def test_a_merge_stands_on_both_persons_and_in_the_inbox_with_what_it_moves(as_role, staff):
    kept = factories.ReadyInvestorFactory(name="Asha Rao")
    gone = factories.InvestorFactory(name="Asha Rao")
    merges.ask(kept=kept, gone=gone, actor=staff(roles.MAKER), reason="Same PAN card", at=clock.now())
    looks = as_role(roles.CHECKER)
    for each in (kept, gone):
        assert f"{gone.code} goes into {kept.code}" in badge(looks, each)
    assert f"{gone.code} → {kept.code}: " in inbox(looks)


def test_a_change_and_a_fresh_kyc_stand_on_the_page_of_the_investor(as_role):
    row = factories.KycRequestFactory(state="PENDING", submitted_at=clock.now(), approved_at=None)
    text = badge(as_role(roles.CHECKER), row.investor)
    assert f"{row.code}: fresh KYC" in text
    assert "the investor" in text


def test_other_words_and_a_draft_stand_on_the_basket_and_in_the_inbox(as_role, staff):
    version = factories.BasketConstituentFactory(weight_bp=10_000).version
    basket, maker = version.basket, staff(roles.MAKER)
    draft = baskets.copy_version(basket_id=basket.pk, note="More of one share", actor=maker, at=clock.now())
    share = draft.constituents.select_related("security").order_by("id").first()
    draft.constituents.filter(pk=share.pk).update(quantity=77, weight_bp=None)
    words = {name: getattr(basket, name) for name in ("rationale", "risk", "benchmark", "logo")}
    change = BasketChange(basket=basket, name="Another name", why="Clearer.", **words)
    basket_changes.ask(change=change, actor=maker, at=clock.now())
    looks = as_role(roles.CHECKER)
    waits = badge(looks, basket)
    assert f"Draft of version {draft.number}" in waits
    assert change.why in waits
    listed = inbox(looks)
    assert f"{share.security.symbol}: " in listed
    assert "→ 77 shares" in listed
    assert f"name: {basket.name} → Another name" in listed
    assert "77 shares" in looks.get(page_of(draft)).content.decode()


@pytest.mark.parametrize(
    ("make", "subject"),
    [
        (lambda at: factories.KycRequestFactory(state="PENDING", **at), None),
        (lambda at: factories.BasketOrderFactory(state="CREATED", **at), None),
        (lambda at: factories.InvestorFactory(state="REGISTERING", **at), None),
        (lambda at: factories.StockOrderFactory(state="PENDING", **at), "basket_order"),
    ],
)
def test_whatever_is_sent_by_attempts_may_be_unknown_and_then_needs_a_person(make, subject):
    at = clock.now()
    row = make({"attempt": "UNKNOWN", "unknown_since": at - timedelta(minutes=3), "due_at": at})
    row = getattr(row, subject) if subject else row
    item = WorkItem.objects.get(source="unknown")
    assert (item.subject_kind, item.subject_id) == (row._meta.label_lower, str(row.pk))
    assert row.code in item.title


def test_a_sip_that_was_not_accepted_and_a_cheque_that_nobody_compared_are_on_the_list():
    plan = factories.PlanFactory(state="FAILED")
    account = factories.ReadyInvestorFactory().bankaccounts.get()
    account.cancelled_cheque = factories.DocumentFactory(investor=account.investor)
    account.verified = ""
    account.save()
    found = dict(WorkItem.objects.values_list("title", "source"))
    assert found == {f"{plan.code}: not accepted": "sip", f"{account.code}: cancelled cheque": "kyc"}
    account.verified = "CHEQUE"
    account.save()
    assert WorkItem.objects.get().source == "sip"
