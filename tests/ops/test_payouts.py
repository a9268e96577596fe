"""The pages of payouts and shares: simulated, asked for, approved by somebody else, paid; down to the folios."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import CommissionShare, Payout, PayoutLine
from orders.operations import payouts
from portal import roles
from portal.models import AuditEntry, Proposal
from tests import factories
from tests.ops.test_role_changes import console
from tests.ops.test_roles import act_url
from tests.orders.commissioning import AT, enter, line, share

pytestmark = pytest.mark.django_db
ADD = reverse("admin:orders_payout_simulate")
INBOX = reverse("admin:portal_workitem_changelist")
SHARES = reverse("admin:orders_commissionshare_add")
PAID = {"utr": "HDFCN52026112012", "paid_on": "2026-11-20", "tds": "3.00", "reason": "By NEFT today"}


@pytest.fixture(autouse=True)
def _on_a_day_in_november(at) -> None:
    at(AT)


@pytest.fixture
def maker(as_role: Callable[[str], Client]) -> Client:
    return as_role(roles.MAKER)


@pytest.fixture
def checker(as_role: Callable[[str], Client]) -> Client:
    return as_role(roles.CHECKER)


def simulated(client: Client, book: Any, **more: str) -> Any:
    return client.post(ADD, {"partner": str(book.partner.pk), "month": "2026-10-01", **more})


def asked_by(client: Client, book: Any) -> Payout:
    kept = simulated(client, book).context["steps"][0].kept
    client.post(ADD, {**kept, "reason": "October, all houses"})
    return Payout.objects.latest("pk")


def page_of(client: Client, row: Payout) -> str:
    return client.get(reverse("admin:orders_payout_change", args=[row.pk])).content.decode()


@pytest.fixture
def paid_on(commission_book: Any) -> Any:
    """A share of sixty per cent, and lines of two kinds that came."""
    share(commission_book, "60")
    enter(commission_book, line(commission_book), line(commission_book, kind="incentive", amount="50"))
    return commission_book


# --- From the simulation to the payment -------------------------------------------------------------------------------


def test_a_payout_is_simulated_asked_for_approved_and_paid(maker, checker, paid_on):
    text = simulated(maker, paid_on).content.decode()
    assert "2 lines, for which ₹150.00 came: ₹90.00 for the partner." in text
    assert not Payout.objects.exists()
    row = asked_by(maker, paid_on)
    checker.post(act_url(row, "approve"), {"reason": "Sums compared", "seen": seen(row)})
    maker.post(act_url(row, "paid"), PAID)
    row.refresh_from_db()
    assert (row.state, row.payable, row.tds, row.utr) == ("PAID", Decimal("90.00"), Decimal("3.00"), PAID["utr"])
    assert (row.asked_by, row.decided_by, row.paid_by) == (maker.user, checker.user, maker.user)
    text = page_of(maker, row)
    assert "₹87.00" in text, "what left our bank"
    for words in ("October, all houses", "Sums compared", "By NEFT today"):
        assert words in text


def seen(row: Payout) -> str:
    from orders.admin.payouts import ACTS

    return next(act for act in ACTS if act.name == "approve").seen(Payout.objects.get(pk=row.pk))


def test_what_changed_since_it_was_shown_is_shown_anew(maker, paid_on):
    kept = simulated(maker, paid_on).context["steps"][0].kept
    enter(paid_on, line(paid_on, amount="5"))
    answer = maker.post(ADD, {**kept, "reason": "October, all houses"})
    assert "Nothing was done: look again." in answer.content.decode()
    assert not Payout.objects.exists()


def test_below_zero_nothing_can_be_asked_for(maker, commission_book):
    share(commission_book, "60")
    enter(commission_book, line(commission_book, kind="clawback", amount="-5"))
    answer = simulated(maker, commission_book)
    assert "these lines go into the next payout" in answer.content.decode()
    assert not answer.context["steps"]


def test_lines_without_a_share_are_said_on_the_page(maker, commission_book):
    enter(commission_book, line(commission_book))
    text = simulated(maker, commission_book).content.decode()
    assert "1 line, for which ₹100.00 came, without a share yet" in text


@pytest.mark.parametrize("asked", [{}, {"partner": "x", "month": "2026-10-01"}, {"partner": "0", "month": "2026-10-01"},
                                   {"month": "2026-11-01"}, {"month": "2026-10-02"}, {"month": "x"}])  # fmt: skip
def test_only_months_that_have_ended_of_partners_that_there_are(maker, paid_on, asked):
    given = {"partner": str(paid_on.partner.pk), **asked} if asked else {}
    assert maker.post(ADD, given).status_code == 422


@pytest.mark.parametrize("wrong", [{"utr": "HDFC"}, {"paid_on": "2026-11-21"}, {"paid_on": "2026-11-19"},
                                   {"paid_on": ""},
                                   {"tds": "90.00"}, {"tds": "-1"}, {"tds": "0.001"}, {"tds": "NaN"}])  # fmt: skip
def test_a_payment_that_cannot_be_is_not_entered(maker, checker, paid_on, wrong):
    row = asked_by(maker, paid_on)
    checker.post(act_url(row, "approve"), {"reason": "Sums compared", "seen": seen(row)})
    maker.post(act_url(row, "paid"), {**PAID, **wrong})
    row.refresh_from_db()
    assert row.state == "APPROVED"


def test_only_the_acts_that_come_next_are_offered(maker, checker, paid_on):
    def offered(client: Client, row: Payout) -> set[str]:
        text = page_of(client, row)
        return {act for act in ("approve", "refuse", "withdraw", "paid") if f"/act/{act}/" in text}

    row = asked_by(maker, paid_on)
    assert (offered(maker, row), offered(checker, row)) == ({"withdraw"}, {"approve", "refuse"})
    payouts.approve(payout_id=row.pk, actor=checker.user, reason="Compared", at=AT)
    assert (offered(maker, row), offered(checker, row)) == ({"paid"}, set())


def test_nobody_approves_what_they_asked_for_superusers_included(dev, client_for, paid_on):
    client = client_for(dev)
    row = asked_by(client, paid_on)
    assert "/act/approve/" not in page_of(client, row)
    assert client.post(act_url(row, "approve"), {"reason": "It is mine", "seen": seen(row)}).status_code == 403
    row.refresh_from_db()
    assert row.state == "ASKED"


def test_who_may_not_ask_approve_or_pay_does_not(client, as_role, paid_on, maker):
    row = asked_by(maker, paid_on)
    assert client.get(ADD).status_code == 302
    lines = reverse("admin:orders_payout_lines", args=[row.pk])
    for outside in (roles.INVESTOR, roles.PARTNER):
        assert as_role(outside).get(lines).status_code == 302
    may = {
        roles.VIEWER: set(),
        roles.ADMIN: set(),
        roles.MAKER: {"withdraw", "paid"},
        roles.CHECKER: {"approve", "refuse"},
    }
    for role, acts in may.items():
        other = as_role(role)
        assert other.get(lines).status_code == 200
        assert other.get(ADD).status_code == (200 if role == roles.MAKER else 403)
        refused = {"approve", "refuse", "withdraw", "paid"} - acts
        assert {other.post(act_url(row, act), {"reason": "No right to it"}).status_code for act in refused} == {403}
    row.refresh_from_db()
    assert row.state == "ASKED"


# --- What waits -------------------------------------------------------------------------------------------------------


def test_a_payout_waits_in_the_inbox_and_on_the_page_of_its_partner(maker, checker, paid_on):
    row = asked_by(maker, paid_on)
    inbox = checker.get(f"{INBOX}?source__exact=approval").content.decode()
    assert f"{row.code}: pay {paid_on.partner.name}" in inbox
    assert f"₹90.00 to {paid_on.partner.name}, up to Oct 2026" in inbox
    partner = reverse("admin:portal_partner_change", args=[paid_on.partner.pk])
    assert f"{row.code}: payout of ₹90.00" in checker.get(partner).content.decode()
    payouts.approve(payout_id=row.pk, actor=checker.user, reason="Compared", at=AT)
    assert row.code not in checker.get(f"{INBOX}?source__exact=approval").content.decode()
    assert "payout of" not in checker.get(partner).content.decode()


# --- Down to the folios -----------------------------------------------------------------------------------------------


def test_each_part_opens_into_lines_that_add_up_to_it(maker, paid_on):
    row = asked_by(maker, paid_on)
    parts = payouts.parts_of(row)
    assert sum(part.payable or 0 for part in parts) == row.payable
    for part in parts:
        lines = reverse("admin:orders_payout_lines", args=[row.pk])
        url = f"{lines}?house={part.house_id}&month={part.month}&kind={part.kind}"
        assert url.replace("&", "&amp;") in page_of(maker, row)
        taken = list(csv.DictReader(io.StringIO(maker.get(f"{url}&as=csv").content.decode("utf-8-sig"))))
        assert sum(Decimal(each["For the partner"]) for each in taken) == part.payable
        assert {each["Folio"] for each in taken} == {"12345/01"}
    assert AuditEntry.objects.filter(action="list.exported", subject_id=str(row.pk)).count() == len(parts)


def test_walking_the_lines_shows_each_once(maker, commission_book, monkeypatch):
    monkeypatch.setattr("orders.admin.payout_lines.PER_PAGE", 2)
    share(commission_book, "60")
    enter(commission_book, *(line(commission_book, amount=str(n)) for n in range(1, 6)))
    row = asked_by(maker, commission_book)
    url, found = reverse("admin:orders_payout_lines", args=[row.pk]), []
    while url:
        answer = maker.get(url)
        found += [cells[4] for cells in answer.context["panels"][0].rows]
        url = answer.context["next"]
    assert found == [f"₹{n}.00" for n in range(1, 6)]


@pytest.mark.parametrize(
    "query",
    ["house=x", "month=x", "month=2026-13-01", "house=٣", "kind=<b>", "after=x", "after=-1", "after=" + "9" * 40],
)
def test_an_address_made_by_hand_breaks_nothing(maker, paid_on, query):
    row = asked_by(maker, paid_on)
    assert maker.get(f"{reverse('admin:orders_payout_lines', args=[row.pk])}?{query}").status_code == 200


def test_more_than_a_hundred_lines_are_no_file(maker, commission_book):
    share(commission_book, "60")
    enter(commission_book, *(line(commission_book) for _ in range(101)))
    row = asked_by(maker, commission_book)
    url = reverse("admin:orders_payout_lines", args=[row.pk])
    assert "More than 100 rows" in maker.get(f"{url}?as=csv", follow=True).content.decode()


def test_pages_cost_the_same_however_many_lines_there_are(maker, paid_on):
    def costs(row: Payout) -> list[int]:
        found = []
        for url in (
            reverse("admin:orders_payout_change", args=[row.pk]),
            reverse("admin:orders_payout_lines", args=[row.pk]),
            reverse("admin:orders_payout_changelist"),
        ):
            with CaptureQueriesContext(connection) as captured:
                assert maker.get(url).status_code == 200
            found.append(len(captured))
        return found

    first = asked_by(maker, paid_on)
    costs(first)
    before = costs(first)
    payouts.refuse(payout_id=first.pk, actor=maker.user, reason="More has come", at=AT)
    enter(paid_on, *(line(paid_on, amount=str(n)) for n in range(20)))
    second = asked_by(maker, paid_on)
    assert PayoutLine.objects.filter(payout=second).count() == 22
    after = costs(second)
    assert all(later <= earlier for later, earlier in zip(after, before, strict=True))
    assert max(before) <= 16


# --- Shares -----------------------------------------------------------------------------------------------------------

NEW = {
    "valid_from": "2026-11-01",
    "percent": "60",
    "source": "Agreement of 1 October 2026",
    "why": "As agreed with them",
}


def test_a_share_holds_when_a_second_person_has_approved(maker, checker, commission_book):
    with console("off"):
        maker.post(SHARES, {**NEW, "partner": commission_book.partner.pk})
        assert not CommissionShare.objects.exists()
        asked = Proposal.objects.get()
        assert asked.affects == "North Wealth: 60 % follows no share."
        assert "North Wealth" in checker.get(reverse("admin:portal_proposal_change", args=[asked.pk])).content.decode()
        checker.post(act_url(asked, "approve"), {"reason": "Compared with the agreement"})
    row = CommissionShare.objects.get()
    assert (row.partner, row.percent, row.valid_from) == (commission_book.partner, 60, date(2026, 11, 1))


@pytest.mark.parametrize("wrong", [{"percent": "100.01"}, {"percent": "-1"}, {"percent": "x"}, {"percent": "1.234"},
                                   {"source": ""}, {"valid_from": ""}, {"partner": ""}, {"why": ""}])  # fmt: skip
def test_a_share_that_cannot_be_is_refused_with_words(maker, commission_book, wrong):
    answer = maker.post(SHARES, {**NEW, "partner": commission_book.partner.pk, **wrong})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not Proposal.objects.exists()


def test_what_was_handed_on_stays_as_it_was_paid(maker, checker, paid_on):
    asked_by(maker, paid_on)
    answer = maker.post(SHARES, {**NEW, "partner": paid_on.partner.pk, "valid_from": "2026-10-31"})
    assert "Payouts hand on what came until 31 Oct 2026" in answer.content.decode()
    row = CommissionShare.objects.get()
    assert maker.post(reverse("admin:orders_commissionshare_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    maker.post(SHARES, {**NEW, "partner": paid_on.partner.pk})
    assert Proposal.objects.count() == 1


def test_a_share_is_not_agreed_behind_a_payout_that_came_meanwhile(maker, checker, paid_on):
    maker.post(SHARES, {**NEW, "partner": paid_on.partner.pk, "valid_from": "2026-10-31"})
    asked_by(maker, paid_on)
    answer = checker.post(act_url(Proposal.objects.get(), "approve"), {"reason": "Compared"}, follow=True)
    assert "Payouts hand on what came until" in answer.content.decode()
    assert CommissionShare.objects.count() == 1


def test_viewers_look_at_shares_and_propose_none(as_role, commission_book):
    share(commission_book, "60")
    viewer = as_role(roles.VIEWER)
    assert "60.00 %" in viewer.get(reverse("admin:orders_commissionshare_changelist")).content.decode()
    assert viewer.post(SHARES, {**NEW, "partner": factories.PartnerFactory().pk}).status_code == 403


def test_lines_that_wait_for_a_share_get_theirs_while_another_holds_later(maker, checker, paid_on):
    """A share that holds up to the next one changes nothing of what was handed on by that."""
    asked_by(maker, paid_on)
    maker.post(SHARES, {**NEW, "partner": paid_on.partner.pk, "valid_from": "2025-09-01"})
    with console("off"):
        checker.post(act_url(Proposal.objects.get(), "approve"), {"reason": "Compared with the agreement"})
    assert sorted(CommissionShare.objects.values_list("valid_from", flat=True))[0] == date(2025, 9, 1)
