"""Cut-offs and limits as dated data: proposed, approved by a second person, and history stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.urls import reverse

from orders.models import DatedRule
from orders.queries import schemes as scheme_queries
from portal import clock, roles
from portal.desk import proposals
from portal.models import AuditEntry, Proposal
from tests import factories
from tests.ops.test_role_changes import console
from tests.ops.test_roles import act_url
from tests.orders.rulebooks import BOOK

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:orders_datedrule_add", "admin:orders_datedrule_changelist"
YES = {"reason": "Compared with the circular"}


def soon() -> date:
    return clock.today() + timedelta(days=40)


def form(**other: str) -> dict[str, str]:
    return {
        "name": "payment_limit",
        "of": "UPI",
        "valid_from": f"{soon():%Y-%m-%d}",
        "value": "1000000",
        "words": "",
        "source": "NPCI circular of last week",
        "why": "NPCI raises the limit",
        **other,
    }


@pytest.fixture(autouse=True)
def fresh_market():
    scheme_queries.forget_market()
    yield
    scheme_queries.forget_market()


def test_the_table_is_what_the_release_brings_and_is_read_in_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        book, holidays = scheme_queries.book(), scheme_queries.holidays()
    assert set(book.rules) == set(BOOK.rules)
    assert holidays
    assert all(isinstance(day, date) for day in holidays)


def test_a_rule_holds_from_its_day_once_a_second_person_has_approved(as_role, django_capture_on_commit_callbacks):
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    with console("off"), django_capture_on_commit_callbacks(execute=True):
        told = maker.post(reverse(ADD), form(), follow=True).content.decode()
        asked = Proposal.objects.get()
        assert "waits for a second person. Nothing has changed yet. Without it ₹5,00,000." in told
        assert scheme_queries.book().limit_of("payment_limit", "UPI", on=soon()) == 500_000
        checker.post(act_url(asked, "approve"), YES)
    book = scheme_queries.book()
    assert book.limit_of("payment_limit", "UPI", on=soon()) == 1_000_000
    assert book.limit_of("payment_limit", "UPI", on=soon() - timedelta(days=1)) == 500_000
    assert AuditEntry.objects.get(action="datedrule.added").reason == "NPCI raises the limit"


def test_the_second_person_reads_an_example_and_how_many_orders_keep_their_promise(as_role):
    factories.OrderFactory(state="PLACED", predicted_nav_on=soon() + timedelta(days=1))
    as_role(roles.MAKER).post(reverse(ADD), form(name="payment_cutoff", of="", value="12:00"))
    asked = Proposal.objects.get()
    assert "With it the first to differ, at 12:00 on" in asked.affects
    assert asked.affects.endswith("1 open order keeps what was promised.")
    assert (
        asked.affects
        in as_role(roles.CHECKER).get(act_url(asked, "approve").split("act/")[0] + "change/").content.decode()
    )


def test_the_second_person_reads_words_and_days_and_no_codes(as_role):
    as_role(roles.MAKER).post(reverse(ADD), form(name="payment_cutoff", of="", value="12:00"))
    page = as_role(roles.CHECKER).get(reverse("admin:portal_proposal_change", args=[Proposal.objects.get().pk]))
    compared = page.content.decode().partition('<table class="ops-table">')[2].partition("</table>")[0]
    assert f"{soon():%-d %b %Y}" in compared
    assert "the platform" in compared
    assert "payment_cutoff" not in compared
    assert ">words<" not in compared, "what is empty on both sides is left out"


def test_the_list_says_what_holds_what_comes_and_what_has_passed(as_role):
    today = clock.today()
    rows = {"name": "payment_limit", "of": "CARD", "source": "A circular"}
    for days, value in ((-20, "100000"), (-10, "200000"), (10, "300000")):
        DatedRule.objects.create(**rows, valid_from=today + timedelta(days=days), value=value)
    client = as_role(roles.VIEWER)
    shown = {
        holds: client.get(reverse(LIST), {"holds": holds, "q": "CARD"})
        .context["cl"]
        .result_list.values_list("value", flat=True)
        for holds in ("now", "coming", "past")
    }
    assert {holds: list(values) for holds, values in shown.items()} == {
        "now": ["1", "200000"],  # the days of a card stand beside its limit
        "coming": ["300000"],
        "past": ["100000"],
    }
    page = client.get(reverse(LIST), {"q": "CARD"}).content.decode()
    assert [words in page for words in ("₹2,00,000", "in force", "to come", "past", "A circular")] == [True] * 5
    assert "ated rule" not in page, "the page is called what the menu calls it: cut-offs and limits"
    assert "EQUITY" not in client.get(reverse(LIST), {"q": "payout_days"}).content.decode(), "an asset class has a name"


def test_a_rule_is_followed_from_the_one_in_force_or_to_come_and_never_from_one_that_has_passed(as_role):
    today = clock.today()
    rows = {"name": "payment_limit", "of": "NETBANKING", "source": "A circular"}
    for days, value in ((-20, "100000"), (-10, "200000"), (10, "300000")):
        DatedRule.objects.create(**rows, valid_from=today + timedelta(days=days), value=value)
    follow = f"{reverse(ADD)}?name=payment_limit&amp;of=NETBANKING"
    maker, offered = as_role(roles.MAKER), {}
    for holds in ("past", "now", "coming"):
        offered[holds] = maker.get(reverse(LIST), {"holds": holds, "q": "NETBANKING"}).content.decode().count(follow)
    assert offered == {"past": 0, "now": 1, "coming": 1}


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"valid_from": "2026-01-01"}, "valid_from", "begins tomorrow at the earliest"),
        ({"value": "ten lakh"}, "value", "whole rupees in digits"),
        ({"of": ""}, "of", "Choose UPI, net banking or card"),
        ({"name": "payment_days", "of": "", "value": "0"}, "of", "Choose a way of paying"),
        ({"name": "sip_end_days", "value": "3"}, "of", "about everything."),
        ({"name": "payment_cutoff", "of": "EQUITY", "value": "14:00"}, "of", "one way of paying"),
        ({"name": "nav_lag", "of": "EQUITY", "value": "1"}, "of", "one category"),
        ({"name": "sale_cutoff", "value": "15:00"}, "of", "one category"),
        ({"name": "sale_cutoff", "of": "", "value": "3 pm"}, "value", "time of day like 14:30"),
        ({"name": "payment_days", "value": "1"}, "words", "Investors read how long"),
        ({"words": "a new limit"}, "words", "Leave it empty"),
        ({"source": ""}, "source", "required"),
        ({"why": ""}, "why", "required"),
    ],
)
def test_each_mistake_is_told_at_its_field_and_what_was_typed_stays(as_role, typed, field, words):
    answer = as_role(roles.MAKER).post(reverse(ADD), form(**typed))
    errors = answer.context["adminform"].form.errors
    assert (list(errors), words in str(errors[field])) == ([field], True)
    assert not Proposal.objects.exists()


def test_a_rule_that_follows_begins_with_what_holds_now(as_role):
    page = as_role(roles.MAKER).get(reverse(ADD), {"name": "payment_days", "of": "CARD"}).content.decode()
    assert "card money arrives a business day later" in page


def test_a_rule_begins_tomorrow_at_the_earliest_and_not_within_a_minute(as_role, at):
    maker = as_role(roles.MAKER)

    def taken_at(moment: str) -> bool:
        at(moment)
        maker.post(reverse(ADD), form(valid_from="2027-03-11"))
        return Proposal.objects.filter(state="ASKED").exists()

    assert not taken_at("2027-03-11T00:00")
    assert not taken_at("2027-03-10T23:59:30"), "other processes would read it half a minute after its first order"
    assert taken_at("2027-03-10T23:58")


@pytest.mark.parametrize("late", [timedelta(days=60), timedelta(0)])
def test_a_proposal_whose_day_has_come_can_only_be_refused(as_role, at, late):
    as_role(roles.MAKER).post(reverse(ADD), form())
    asked, checker = Proposal.objects.get(), as_role(roles.CHECKER)
    at(datetime.combine(soon(), time.min) + late)
    told = checker.post(act_url(asked, "approve"), YES, follow=True).content.decode()
    assert "nothing is changed for a day that has begun" in told
    with pytest.raises(proposals.NotPossible, match="propose it from tomorrow on"):
        proposals.approve(proposal=asked, actor=checker.user, reason="At last", at=clock.now())
    assert not DatedRule.objects.filter(source=form()["source"]).exists()
    proposals.refuse(proposal=asked, actor=checker.user, reason="Too late", at=clock.now())


@pytest.fixture
def midnight(as_role, at) -> Callable[[], None]:
    """Somebody agrees a good minute before midnight, waits for a lock, and writes when the rule's day has come."""
    today = clock.today()
    agreed_at = datetime.combine(today, time.min, tzinfo=clock.IST) - timedelta(seconds=61)

    def agree() -> None:
        at(agreed_at)
        as_role(roles.MAKER).post(reverse(ADD), form(valid_from=f"{today:%Y-%m-%d}"))
        # Here as a worker that does acts in bulk, which is at the console.
        proposals.approve(
            proposal=Proposal.objects.get(), actor=as_role(roles.CHECKER).user, reason="Yes", at=agreed_at
        )

    return agree


def test_without_the_guard_a_yes_over_midnight_changes_what_was_promised(midnight):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_datedrule DISABLE TRIGGER the_history_of_dated_rules_stays")
    midnight()
    assert DatedRule.objects.filter(source=form()["source"]).exists()


def test_a_yes_over_midnight_is_refused_with_words(midnight):
    with pytest.raises(proposals.NotPossible, match="nothing is changed for a day that has begun"):
        midnight()
    assert not DatedRule.objects.filter(source=form()["source"]).exists()
    assert Proposal.objects.get().state == "ASKED"


def test_what_has_not_begun_can_be_taken_back_and_what_has_begun_stays(as_role):
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    old = DatedRule.objects.get(name="payment_limit", of="UPI")
    new = DatedRule.objects.create(name="payment_limit", of="UPI", valid_from=soon(), value="700000", source="Draft")
    remove = {row: reverse("admin:orders_datedrule_delete", args=[row.pk]) for row in (old, new)}
    assert maker.post(remove[old], {"post": "yes"}).status_code == 403
    maker.post(remove[new], {"post": "yes"})
    with console("off"):
        checker.post(act_url(Proposal.objects.get(), "approve"), YES)
    assert list(DatedRule.objects.filter(name="payment_limit", of="UPI")) == [old]


# --- the database below -----------------------------------------------------------------------------------------


def refused(sql: str, *values: Any) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(error.value)


INSERT = "INSERT INTO orders_datedrule (name, of, valid_from, value, words, source) VALUES (%s, %s, %s, %s, '', %s)"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("payment_limit", "UPI", "2099-01-01", "a lot", "Me"), "a_dated_rule_is_written_in_its_unit"),
        (("payment_cutoff", "", "2099-01-01", "24:00", "Me"), "a_dated_rule_is_written_in_its_unit"),
        (("my_own_rule", "", "2099-01-01", "1", "Me"), "a_dated_rule_is_written_in_its_unit"),
        (("payment_limit", "UPI", "2099-01-01", "1", ""), "a_dated_rule_has_a_source"),
        (("payout_days", "", "2099-01-01", "2", "Me"), "a_dated_rule_that_investors_read_has_words"),
        (("payment_limit", "UPI", "2025-06-11", "1", "Me"), "one_dated_rule_on_a_day"),
    ],
)
def test_the_database_refuses_what_no_form_would_take(row, words):
    assert words in refused(INSERT, *row)


def test_the_database_refuses_a_rule_without_a_proposal_and_a_change_of_history(as_role):
    with console("off"):
        assert "when a proposal is approved" in refused(INSERT, "payment_limit", "UPI", "2099-01-01", "1", "Me")
    as_role(roles.MAKER).post(reverse(ADD), form())
    DatedRule.objects.create(name="nav_lag", valid_from=soon(), value="0", source="A draft")
    with transaction.atomic():
        # Even while a proposal is being applied.
        Proposal.objects.update(state="APPROVED", decided_by=as_role(roles.CHECKER).user, decided_at=clock.now())
        with console("off"):
            assert "has begun stays" in refused("UPDATE orders_datedrule SET value = '1' WHERE name = 'payment_limit'")
            assert "has begun stays" in refused("DELETE FROM orders_datedrule WHERE name = 'payment_limit'")
            for day in ("2021-01-01", f"{clock.today():%Y-%m-%d}"):
                assert "begins tomorrow at the earliest" in refused(INSERT, "payment_limit", "UPI", day, "1", "Me")
            tomorrow = DatedRule.objects.get(valid_from=soon())
            words = refused("UPDATE orders_datedrule SET valid_from = %s WHERE id = %s", clock.today(), tomorrow.pk)
            assert "begins tomorrow at the earliest" in words
