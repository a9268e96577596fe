"""Statements of commission: entered once, every line kept, matched when it can be, withdrawn until it is paid on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from orders import tasks
from orders.models import CommissionLine, CommissionStatement
from orders.operations import commission_statements as statements
from portal import clock
from portal.models import AuditEntry
from tests import factories
from tests.database import raised_at_once
from tests.orders.commissioning import AT, enter, line, only, raw
from tests.payments.test_races import meeting

pytestmark = pytest.mark.django_db


# --- Entering ---------------------------------------------------------------------------------------------------------


def test_a_line_that_is_known_counts(commission_book):
    statement = enter(commission_book, line(commission_book, reference="R-1"))
    row = only(statement)
    assert (row.why_not, row.amount, row.gst, row.tds) == ("", Decimal("100.00"), Decimal("18.00"), Decimal("2.00"))
    assert (row.fund_house, row.folio, row.scheme) == (
        commission_book.scheme.fund_house,
        commission_book.folio,
        commission_book.scheme,
    )
    assert (row.month, row.kind, row.partner) == (date(2026, 10, 1), "TRAIL", commission_book.partner)
    assert (statement.lines_count, statement.code[:4]) == (1, "CST-")
    entry = AuditEntry.objects.get(action="commissionstatement.entered")
    assert (entry.data["lines"], entry.data["count"]) == (1, 1)


def test_every_line_is_kept_and_what_does_not_count_says_why(commission_book):
    wrong = (
        line(commission_book, amount="nil"),
        line(commission_book, folio="999"),
        line(commission_book, isin="INF999999999"),
        line(commission_book, house="Another Mutual Fund"),
        line(commission_book, month="2026-11"),
    )
    factories.FundHouseFactory(name="Another Mutual Fund")
    statement = enter(commission_book, line(commission_book), *wrong)
    found = [each.why_not for each in statement.lines.order_by("number")]
    house = commission_book.scheme.fund_house.name
    assert found == [
        "",
        "Its amount “nil” is no amount in rupees.",
        f"No folio 999 of {house} is known.",
        "No scheme of ours has the code INF999999999.",
        f"The scheme is of {house}, and the line says Another Mutual Fund.",
        "Its month has not ended yet.",
    ]
    assert statement.lines_count == 6


@pytest.mark.parametrize("name", ["", "RTA-77", "{}", "{} Ltd", "{provider}"])
def test_a_fund_house_may_be_named_by_name_by_number_by_a_code_that_we_do_not_know_or_not_at_all(commission_book, name):
    house = commission_book.scheme.fund_house
    said = name.format(house.name.upper(), provider=house.provider_ref)
    assert only(enter(commission_book, line(commission_book, house=said))).why_not == ""


def test_a_scheme_may_be_named_by_its_amfi_code(commission_book):
    assert (
        only(enter(commission_book, line(commission_book, isin=commission_book.scheme.amfi_code))).scheme
        == commission_book.scheme
    )


def test_an_amfi_code_of_several_options_means_the_one_that_the_folio_held(commission_book):
    twin = factories.SchemeFactory(
        fund_house=commission_book.scheme.fund_house, amfi_code=commission_book.scheme.amfi_code
    )
    row = only(enter(commission_book, line(commission_book, isin=twin.amfi_code)))
    assert row.why_not.startswith("Several schemes have the code")
    factories.TransactionFactory(investor=commission_book.investor, folio=commission_book.folio, scheme=twin)
    assert statements.match(at=AT) == 1
    row.refresh_from_db()
    assert row.scheme == twin


def test_the_same_folio_number_at_two_houses_is_two_folios(commission_book):
    other = factories.SchemeFactory()
    theirs = factories.FolioFactory(fund_house=other.fund_house, number=commission_book.folio.number)
    statement = enter(commission_book, line(commission_book), line(commission_book, house="", isin=other.isin))
    assert [each.folio for each in statement.lines.order_by("number")] == [commission_book.folio, theirs]


def test_the_month_belongs_to_who_served_the_investor_on_its_last_day(commission_book):
    south = factories.PartnerFactory(code="SOUTH")
    factories.TransferFactory(
        investor=commission_book.investor, from_partner=commission_book.partner, to_partner=south, state="DONE",
        agreed_at=AT,
        asked_at=datetime(2026, 9, 1, tzinfo=clock.IST), objections_until=datetime(2026, 9, 17, tzinfo=clock.IST),
        state_since=datetime(2026, 10, 31, 23, 59, tzinfo=clock.IST),
    )  # fmt: skip
    type(commission_book.investor).objects.filter(pk=commission_book.investor.pk).update(partner=south)
    statement = enter(commission_book, line(commission_book), line(commission_book, month="2026-09"))
    assert [each.partner.code for each in statement.lines.order_by("number")] == ["SOUTH", "NORTH"]


def test_what_a_registrar_refers_to_counts_once(commission_book):
    first = enter(
        commission_book, line(commission_book, reference="R-1"), line(commission_book, reference="R-1", amount="5")
    )
    assert [each.why_not for each in first.lines.order_by("number")] == [
        "", "Its reference stands in an earlier line already, number 2.",
    ]  # fmt: skip
    again = only(enter(commission_book, line(commission_book, reference="R-1", amount="7")))
    assert again.why_not == f"Its reference counts in line 2 of {first.code} already."
    assert only(enter(commission_book, line(commission_book, reference="R-1", kind="incentive"))).why_not == ""


def test_a_reference_that_comes_again_for_another_month_or_folio_counts(commission_book):
    other = factories.FolioFactory(investor=commission_book.investor, fund_house=commission_book.scheme.fund_house)
    enter(commission_book, line(commission_book, reference="T-1"))
    for more in ({"month": "2026-09"}, {"folio": other.number}):
        assert only(enter(commission_book, line(commission_book, reference="T-1", **more))).why_not == ""


def test_a_file_that_was_saved_anew_counts_once_without_references_too(commission_book):
    first = enter(commission_book, line(commission_book), line(commission_book))
    assert {each.why_not for each in first.lines.all()} == {""}, "of one file equal lines are two"
    again = enter(commission_book, line(commission_book), line(commission_book, amount="1"), line(commission_book))
    found = [each.why_not for each in again.lines.order_by("number")]
    words = f"of {first.code} already. With a reference of its own it would count."
    assert [bool(each) for each in found] == [True, False, True]
    assert all(each.startswith("An equal line counts in line ") and each.endswith(words) for each in found[::2])
    assert statements.look(raw=raw(line(commission_book), ""), at=AT).bad == 1, "the dry run says it"
    statements.withdraw(statement_id=first.pk, actor=commission_book.user, reason="Sent anew", at=AT)
    assert statements.match(at=AT) == 2


def test_equal_lines_of_two_files_that_wait_count_once_when_their_folio_comes(commission_book):
    first, second = (
        enter(commission_book, line(commission_book, folio="777")),
        enter(commission_book, line(commission_book, folio="777"), line(commission_book, amount="5")),
    )
    factories.FolioFactory(
        investor=commission_book.investor, fund_house=commission_book.scheme.fund_house, number="777"
    )
    assert statements.match(at=AT) == 1
    assert only(first).why_not == ""
    assert statements.match(at=AT) == 0
    assert "counts in line 2 of" in second.lines.get(folio_number="777").why_not


def test_a_long_file_has_its_equal_lines_in_any_portion(commission_book, monkeypatch):
    monkeypatch.setattr(statements, "PORTION", 2)
    statement = enter(commission_book, *[line(commission_book)] * 5)
    assert statement.lines.filter(why_not="").count() == 5


def test_the_same_bytes_stand_once_and_again_after_they_were_withdrawn(commission_book):
    statement = enter(commission_book, line(commission_book))
    with pytest.raises(statements.EnteredAlready, match=statement.code):
        enter(commission_book, line(commission_book))
    with pytest.raises(statements.EnteredAlready, match=statement.code):
        statements.look(raw=raw(line(commission_book)), at=AT)
    statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="The wrong file", at=AT)
    assert enter(commission_book, line(commission_book)).code != statement.code


def test_the_dry_run_says_what_entering_does_and_keeps_nothing(commission_book):
    lines = (
        line(commission_book),
        line(commission_book, amount="(40)"),
        line(commission_book, kind="incentive", amount="7"),
        line(commission_book, folio="999"),
    )
    outcome = statements.look(raw=raw(*lines), at=AT)
    assert not CommissionStatement.objects.exists()
    assert not CommissionLine.objects.exists()
    house = commission_book.scheme.fund_house.name
    assert {key: (each.lines, each.amount) for key, each in outcome.sums.items()} == {
        ("TRAIL", house): (2, Decimal("60.00")),
        ("INCENTIVE", house): (1, Decimal("7.00")),
    }
    assert (outcome.lines, outcome.bad, outcome.counts.amount) == (4, 1, Decimal("67.00"))
    statement = enter(commission_book, *lines)
    assert statement.lines.filter(why_not="").count() == outcome.counts.lines
    assert [each.why_not for each in outcome.first_bad] == list(
        statement.lines.exclude(why_not="").values_list("why_not", flat=True)
    )


def test_a_dry_run_shows_the_first_hundred_and_its_file_has_all(commission_book):
    lines = [line(commission_book, folio=str(n)) for n in range(150)]
    outcome = statements.look(raw=raw(*lines), at=AT)
    assert (outcome.bad, len(outcome.first_bad)) == (150, 100)
    assert len(list(statements.left_out(raw=raw(*lines), at=AT))) == 150


def test_a_long_file_costs_as_many_statements_as_its_portions(commission_book):
    with CaptureQueriesContext(connection) as few:
        enter(commission_book, *(line(commission_book, reference=f"A-{n}") for n in range(3)))
    with CaptureQueriesContext(connection) as many:
        enter(commission_book, *(line(commission_book, reference=f"B-{n}") for n in range(900)))
    assert len(many) <= len(few)


# --- Matching again ---------------------------------------------------------------------------------------------------


def test_a_line_counts_once_its_folio_has_come(commission_book):
    statement = enter(commission_book, line(commission_book, folio="777"), line(commission_book, amount="nil"))
    tasks.statement_tasks.match_commission()
    assert not statement.lines.filter(why_not="").exists()
    later = factories.FolioFactory(
        investor=commission_book.investor, fund_house=commission_book.scheme.fund_house, number="777"
    )
    tasks.statement_tasks.match_commission()
    matched, unreadable = statement.lines.order_by("number")
    assert (matched.why_not, matched.folio, matched.partner) == ("", later, commission_book.partner)
    assert unreadable.why_not == "Its amount “nil” is no amount in rupees."


def test_matching_twice_changes_nothing(commission_book):
    enter(commission_book, line(commission_book, folio="777"), line(commission_book))
    factories.FolioFactory(
        investor=commission_book.investor, fund_house=commission_book.scheme.fund_house, number="777"
    )
    assert (statements.match(at=AT), statements.match(at=AT)) == (1, 0)


def test_a_line_of_another_house_is_not_matched_by_and_by(commission_book):
    factories.FundHouseFactory(name="Another Mutual Fund")
    row = only(enter(commission_book, line(commission_book, house="Another Mutual Fund")))
    assert statements.match(at=AT) == 0
    row.refresh_from_db()
    assert row.why_not.endswith("and the line says Another Mutual Fund.")


def test_a_month_that_had_not_ended_counts_when_it_has(commission_book):
    row = only(enter(commission_book, line(commission_book, month="2026-11")))
    assert statements.match(at=AT + timedelta(days=11)) == 1
    row.refresh_from_db()
    assert row.partner == commission_book.partner


def test_what_counted_elsewhere_counts_here_once_that_was_withdrawn(commission_book):
    first = enter(commission_book, line(commission_book, reference="R-1"))
    second = enter(
        commission_book,
        line(commission_book, reference="R-1", amount="7"),
        line(commission_book, reference="R-1", amount="8"),
    )
    statements.withdraw(statement_id=first.pk, actor=commission_book.user, reason="Sent anew", at=AT)
    assert statements.match(at=AT) == 1
    assert [bool(each.why_not) for each in second.lines.order_by("number")] == [False, True]


def test_a_button_matches_one_statement_and_leaves_the_others(commission_book):
    mine, other = (
        enter(commission_book, line(commission_book, folio="777")),
        enter(commission_book, line(commission_book, folio="777", amount="5")),
    )
    factories.FolioFactory(
        investor=commission_book.investor, fund_house=commission_book.scheme.fund_house, number="777"
    )
    assert statements.match(statement=mine, actor=commission_book.user, at=AT) == 1
    assert (only(mine).why_not, bool(only(other).why_not)) == ("", True)
    assert AuditEntry.objects.get(action="commissionstatement.matched").data == {"count_more": 1}


# --- Withdrawing ------------------------------------------------------------------------------------------------------


def test_nothing_of_a_withdrawn_statement_counts(commission_book):
    statement = enter(commission_book, line(commission_book), line(commission_book, folio="777"))
    statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="The wrong file", at=AT)
    assert {each.why_not for each in statement.lines.all()} == {"Its statement was withdrawn."}
    factories.FolioFactory(
        investor=commission_book.investor, fund_house=commission_book.scheme.fund_house, number="777"
    )
    assert statements.match(at=AT) == 0
    with pytest.raises(statements.Withdrawn):
        statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="Once more", at=AT)
    assert AuditEntry.objects.get(action="commissionstatement.withdrawn").reason == "The wrong file"


# --- Two windows at once ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_windows(transactional_db: None, commission_book, monkeypatch) -> Callable[[], list[str]]:
    """Two people enter the same file; both have looked whether it stands before either writes, if nothing hinders."""
    meet, looked = meeting(2), statements._refuse_twice

    def look(content: bytes) -> None:
        looked(content)
        meet()

    monkeypatch.setattr(statements, "_refuse_twice", look)
    return lambda: raised_at_once(lambda: enter(commission_book, line(commission_book)), 2)


@pytest.fixture
def no_turns(monkeypatch) -> None:
    monkeypatch.setattr(statements, "take_turns", lambda: None)


@pytest.fixture
def no_constraint(transactional_db: None) -> Iterator[None]:
    name = "a_commission_statement_is_entered_once"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_commissionstatement CASCADE")
        cursor.execute(
            f"CREATE UNIQUE INDEX {name} ON orders_commissionstatement (fingerprint) WHERE withdrawn_at IS NULL"
        )


@pytest.mark.django_db(transaction=True)
def test_without_the_guards_two_windows_enter_a_file_twice(two_windows, no_turns, no_constraint):
    assert two_windows() == []
    assert CommissionStatement.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_windows_enter_a_file_once(two_windows):
    assert two_windows() == ["EnteredAlready"]
    assert CommissionStatement.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_it_by_itself(two_windows, no_turns):
    assert two_windows() == ["EnteredAlready"]
    assert CommissionStatement.objects.count() == 1


def test_what_was_read_never_changes(commission_book):
    row = only(enter(commission_book, line(commission_book)))
    with pytest.raises(IntegrityError, match="stays as it was read"):
        CommissionLine.objects.filter(pk=row.pk).update(amount=1)
