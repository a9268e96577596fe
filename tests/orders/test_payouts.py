"""Payouts: what came, times the share, to the paisa; asked for by one, approved by another, paid once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from orders.models import CommissionLine, Payout, PayoutLine
from orders.operations import commission_statements as statements
from orders.operations import payouts
from portal import audit, scope
from portal.clock import IST
from portal.errors import InvalidInput
from portal.models import AuditEntry
from tests import factories
from tests.database import at_once, raised_at_once
from tests.orders.commissioning import AT, enter, line, share
from tests.payments.test_races import meeting

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
UTR = "HDFCN52026112012"


def simulated(book: SimpleNamespace, month: date = OCTOBER) -> payouts.Simulation:
    return payouts.simulate(partner=book.partner, month=month)


def ask(book: SimpleNamespace, month: date = OCTOBER, seen: str = "") -> Payout:
    said = seen or simulated(book, month).seen
    return payouts.ask(partner=book.partner, month=month, seen=said, actor=book.user, reason="October", at=AT)


def approve(row: Payout, actor: Any = None) -> Payout:
    return payouts.approve(payout_id=row.pk, actor=actor or factories.UserFactory(), reason="Compared", at=AT)


def pay(row: Payout, **more: Any) -> Payout:
    said = {"utr": UTR, "paid_on": AT.date(), "tds": Decimal("1.00"), "at": AT, **more}
    return payouts.mark_paid(payout_id=row.pk, **said, actor=row.asked_by, reason="By NEFT")


# --- Simulated --------------------------------------------------------------------------------------------------------


def test_a_line_brings_its_amount_times_the_share_rounded_half_up(commission_book):
    share(commission_book, "60.00")
    for amount in ("0.01", "0.05", "33.33", "-0.05", "123456.79", "0.00"):
        enter(commission_book, line(commission_book, amount=amount))
    found = simulated(commission_book)
    exact = [Decimal(each) * 60 / 100 for each in ("0.01", "0.05", "33.33", "-0.05", "123456.79", "0.00")]
    assert found.payable == sum(each.quantize(Decimal("0.01"), ROUND_HALF_UP) for each in exact)
    assert (found.lines, found.received) == (6, Decimal("123490.13"))
    assert not Payout.objects.exists()


@pytest.mark.parametrize(("amount", "percent", "payable"), [
    ("0.10", "45.00", "0.05"), ("0.10", "44.99", "0.04"), ("-0.10", "45.00", "-0.05"), ("-0.10", "44.99", "-0.04"),
    ("1.00", "33.33", "0.33"), ("1.00", "33.50", "0.34"), ("1.00", "0.00", "0.00"), ("1.00", "100.00", "1.00"),
])  # fmt: skip
def test_half_a_paisa_goes_away_from_zero(commission_book, amount, percent, payable):
    share(commission_book, percent)
    enter(commission_book, line(commission_book, amount=amount))
    assert simulated(commission_book).payable == Decimal(payable)


def test_a_month_is_paid_by_the_share_of_its_last_day(commission_book):
    share(commission_book, "50", begins=date(2026, 1, 1))
    share(commission_book, "60", begins=date(2026, 9, 30))
    share(commission_book, "70", begins=date(2026, 10, 1))
    share(commission_book, "80", begins=date(2026, 11, 1))
    for month in ("2026-08", "2026-09", "2026-10"):
        enter(commission_book, line(commission_book, month=month))
    assert [part.payable for part in simulated(commission_book).parts] == [50, 60, 70]


def test_lines_without_a_share_wait_and_are_said(commission_book):
    share(commission_book, "60", begins=date(2026, 10, 31))
    enter(commission_book, line(commission_book, month="2026-09", amount="7"), line(commission_book))
    found = simulated(commission_book)
    assert (found.lines, found.payable, found.without_share) == (1, Decimal("60.00"), (1, Decimal("7.00")))
    row = ask(commission_book)
    assert [each.line.amount for each in row.lines.all()] == [Decimal("100.00")]


def test_only_lines_that_count_of_this_partner_up_to_the_month_are_in_it(commission_book):
    share(commission_book, "60")
    enter(commission_book, line(commission_book), line(commission_book, folio="999"), line(commission_book, amount="x"))
    withdrawn = enter(commission_book, line(commission_book, amount="5"))
    statements.withdraw(statement_id=withdrawn.pk, actor=commission_book.user, reason="Wrong", at=AT)
    other = factories.FolioFactory(fund_house=commission_book.scheme.fund_house, number="555")
    enter(commission_book, line(commission_book, folio=other.number))
    assert (simulated(commission_book).lines, simulated(commission_book, date(2026, 9, 1)).lines) == (1, 0)


def test_what_is_taken_back_lessens_the_sum_and_below_zero_it_is_carried_on(commission_book):
    share(commission_book, "60")
    enter(commission_book, line(commission_book, amount="100"), line(commission_book, kind="clawback", amount="-150"))
    found = simulated(commission_book)
    assert found.payable == Decimal("-30.00")
    with pytest.raises(payouts.NothingToPay, match="next payout"):
        ask(commission_book)
    enter(commission_book, line(commission_book, amount="60"))
    assert ask(commission_book).payable == Decimal("6.00")


def test_without_a_line_there_is_nothing_to_ask_for(commission_book):
    share(commission_book, "60")
    with pytest.raises(payouts.NothingToPay, match="No line waits"):
        ask(commission_book)


# --- Asked for and decided --------------------------------------------------------------------------------------------


@pytest.fixture
def asked(commission_book) -> Payout:
    """A payout of 60 rupees that waits."""
    share(commission_book, "60")
    enter(commission_book, line(commission_book))
    return ask(commission_book)


def test_what_is_asked_for_is_what_was_seen(commission_book, asked):
    (part,) = asked.lines.all()
    assert (asked.received, asked.payable, asked.state) == (Decimal("100.00"), Decimal("60.00"), "ASKED")
    assert (part.percent, part.payable, part.counts) == (Decimal("60.00"), Decimal("60.00"), True)
    entry = AuditEntry.objects.get(action="payout.asked")
    assert (entry.reason, entry.data["payable"], entry.data["lines"]) == ("October", "60.00", 1)
    assert simulated(commission_book).lines == 0


def test_what_changed_since_it_was_seen_is_not_asked_for(commission_book):
    share(commission_book, "60")
    enter(commission_book, line(commission_book))
    seen = simulated(commission_book).seen
    enter(commission_book, line(commission_book, amount="5"))
    with pytest.raises(payouts.ChangedMeanwhile):
        ask(commission_book, seen=seen)
    assert not Payout.objects.exists()


def test_one_payout_of_a_partner_waits_at_a_time(commission_book, asked):
    enter(commission_book, line(commission_book, amount="5"))
    with pytest.raises(payouts.AskedAlready):
        ask(commission_book)
    approve(asked)
    assert ask(commission_book).payable == Decimal("3.00")


def test_whoever_asked_does_not_approve(asked):
    with pytest.raises(payouts.SecondPerson):
        approve(asked, asked.asked_by)
    asked.refresh_from_db()
    assert asked.state == "ASKED"
    with pytest.raises(IntegrityError, match="a_payout_takes_a_second_person"), transaction.atomic():
        Payout.objects.filter(pk=asked.pk).update(state="APPROVED", decided_by=asked.asked_by, decided_at=AT)


def test_somebody_else_approves_once(asked):
    approve(asked)
    entry = AuditEntry.objects.get(action="payout.approved")
    assert entry.reason == "Compared"
    for act in (approve, lambda row: payouts.refuse(payout_id=row.pk, actor=row.asked_by, reason="No", at=AT)):
        with pytest.raises(payouts.AlreadyDecided):
            act(asked)


def test_what_is_refused_or_withdrawn_frees_its_lines(commission_book, asked):
    payouts.refuse(payout_id=asked.pk, actor=asked.asked_by, reason="Too early", at=AT)
    again = ask(commission_book)
    assert [each.counts for each in PayoutLine.objects.order_by("pk")] == [False, True]
    assert approve(again).state == "APPROVED"
    with pytest.raises(payouts.AlreadyDecided):
        approve(asked)


def test_a_line_is_in_one_payout(commission_book, asked):
    approve(asked)
    (held,) = asked.lines.all()
    enter(commission_book, line(commission_book, amount="5"))
    other = ask(commission_book)
    with pytest.raises(IntegrityError, match="a_line_is_handed_on_once"), transaction.atomic():
        PayoutLine.objects.create(payout=other, line=held.line, percent=60, payable=60)


def test_an_approved_payout_is_the_sum_of_its_lines(commission_book):
    share(commission_book, "60")
    enter(commission_book, line(commission_book))
    row = Payout.objects.create(
        partner=commission_book.partner, month=OCTOBER, received=100, payable=61, asked_by=commission_book.user,
        asked_at=AT,
    )  # fmt: skip
    PayoutLine.objects.create(payout=row, line=CommissionLine.objects.get(), percent=60, payable=60)
    with pytest.raises(payouts.ChangedMeanwhile):
        approve(row)


def test_a_statement_of_which_a_line_is_in_a_payout_stays(commission_book, asked):
    statement = CommissionLine.objects.get().statement
    with pytest.raises(statements.HandedOn, match=asked.code):
        statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="Wrong", at=AT)
    payouts.refuse(payout_id=asked.pk, actor=asked.asked_by, reason="Wrong statement", at=AT)
    statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="Wrong", at=AT)
    assert simulated(commission_book).lines == 0


# --- Paid -------------------------------------------------------------------------------------------------------------


def test_a_payment_is_on_record_with_its_utr_its_day_and_its_tds(asked):
    row = pay(approve(asked), utr=" hdfcn5 2026112012 ", tds=Decimal("3.00"))
    assert (row.state, row.utr, row.paid_on, row.tds) == ("PAID", UTR, AT.date(), Decimal("3.00"))
    entry = AuditEntry.objects.get(action="payout.paid")
    assert entry.data == {"utr": UTR, "paid_on": "2026-11-20", "payable": "60.00", "tds": "3.00"}
    with pytest.raises(payouts.AlreadyDecided):
        pay(row)


def test_nothing_is_paid_that_nobody_approved(asked):
    with pytest.raises(payouts.AlreadyDecided):
        pay(asked)


@pytest.mark.parametrize(("field", "value"), [
    ("utr", ""), ("utr", "HDFC"), ("utr", "HDFCN5202611201"), ("utr", "HDFCN520261120123"), ("utr", "12345678901"),
    ("utr", "1234567890123"), ("utr", "HDFCN5202611201é"), ("utr", "HDFCN52026-12012"),
    ("utr", "HDFCR520261120123456789"),
    ("paid_on", date(2026, 11, 21)), ("paid_on", date(2026, 11, 19)),
    ("tds", Decimal("-0.01")), ("tds", Decimal("60.00")), ("tds", Decimal("60.01")), ("tds", Decimal("0.001")),
])  # fmt: skip
def test_a_payment_that_cannot_be_is_refused_at_its_field(asked, field, value):
    row = approve(asked)
    with pytest.raises(InvalidInput) as refused:
        pay(row, **{field: value})
    assert refused.value.field == field
    row.refresh_from_db()
    assert (row.state, row.utr) == ("APPROVED", "")


@pytest.mark.parametrize("utr", ["HDFCN52026112012", "HDFCR52026112012345678", "632512345678"])
def test_neft_rtgs_and_imps_have_numbers_of_their_own(asked, utr):
    assert pay(approve(asked), utr=utr).utr == utr


def test_days_of_paying_are_days_of_india(asked):
    night = datetime(2026, 11, 21, 0, 30, tzinfo=IST)
    assert pay(approve(asked), paid_on=date(2026, 11, 21), at=night).paid_on == date(2026, 11, 21)


def test_a_utr_pays_one_payout(commission_book, asked):
    pay(approve(asked))
    enter(commission_book, line(commission_book, amount="50"))
    other = approve(ask(commission_book))
    with pytest.raises(InvalidInput, match="another payout"):
        pay(other)


# --- Whose it is ------------------------------------------------------------------------------------------------------


def test_a_partner_sees_what_was_decided_for_it_and_nothing_else(commission_book, asked):
    other = factories.PartnerFactory()

    def seen(partner: Any) -> tuple[int, int, int]:
        with scope.scope(f"partner:{partner.pk}"):
            return Payout.objects.count(), PayoutLine.objects.count(), CommissionLine.objects.count()

    assert seen(commission_book.partner) == (0, 0, 1)
    approve(asked)
    assert seen(commission_book.partner) == (1, 1, 1)
    assert seen(other) == (0, 0, 0)


def test_what_was_handed_on_counts_with_its_entries_in_the_log(asked):
    pay(approve(asked))
    assert [each.action for each in audit.entries_of(asked)] == ["payout.asked", "payout.approved", "payout.paid"]


# --- Two at once ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_ask(transactional_db: None, commission_book, monkeypatch) -> Callable[[], list[str]]:
    """Two people ask for the same; both have added the lines up before either writes, if nothing hinders."""
    share(commission_book, "60")
    enter(commission_book, line(commission_book))
    seen, meet, looked = simulated(commission_book).seen, meeting(2), payouts._lines

    def look(*asked: Any) -> Any:
        found = looked(*asked)
        meet()
        return found

    monkeypatch.setattr(payouts, "_lines", look)
    return lambda: raised_at_once(lambda: ask(commission_book, seen=seen), 2)


@pytest.fixture
def no_constraints(transactional_db: None) -> Iterator[None]:
    guards = {
        "one_payout_of_a_partner_waits_at_a_time": "orders_payout (partner_id) WHERE state = 'ASKED'",
        "a_line_is_handed_on_once": "orders_payoutline (line_id) WHERE counts",
    }
    with connection.cursor() as cursor:
        for name in guards:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_payout CASCADE")
        for name, of in guards.items():
            cursor.execute(f"CREATE UNIQUE INDEX {name} ON {of}")


@pytest.mark.django_db(transaction=True)
def test_without_the_guards_two_who_ask_at_once_hand_a_line_on_twice(two_ask, no_constraints, monkeypatch):
    monkeypatch.setattr(payouts, "_hold", lambda partner: None)
    assert two_ask() == []
    assert (Payout.objects.count(), PayoutLine.objects.filter(counts=True).count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_has_a_payout(two_ask):
    assert len(two_ask()) == 1
    assert (Payout.objects.count(), PayoutLine.objects.filter(counts=True).count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_it_by_itself(two_ask, monkeypatch):
    monkeypatch.setattr(payouts, "_hold", lambda partner: None)
    assert two_ask() == ["AskedAlready"]
    assert (Payout.objects.count(), PayoutLine.objects.filter(counts=True).count()) == (1, 1)


@pytest.fixture
def withdrawn_meanwhile(transactional_db: None, commission_book, monkeypatch) -> Callable[[], list[Any]]:
    """One puts a payout together, and has added the lines up; another withdraws the statement in that moment."""
    share(commission_book, "60")
    statement = enter(commission_book, line(commission_book))
    seen, meet, looked = simulated(commission_book).seen, meeting(2), payouts._lines

    def look(*asked: Any) -> Any:
        found = looked(*asked)
        meet()
        return found

    def withdraw() -> Any:
        meet()
        return statements.withdraw(statement_id=statement.pk, actor=commission_book.user, reason="Wrong", at=AT)

    monkeypatch.setattr(payouts, "_lines", look)
    acts = [lambda: ask(commission_book, seen=seen), withdraw]
    return lambda: at_once(lambda: acts.pop()(), 2)


def _names(found: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in found)


@pytest.mark.django_db(transaction=True)
def test_a_statement_is_withdrawn_or_handed_on_but_not_both(withdrawn_meanwhile):
    found = _names(withdrawn_meanwhile())
    assert found in (["ChangedMeanwhile", "CommissionStatement"], ["HandedOn", "Payout"])
    assert not PayoutLine.objects.filter(counts=True).exclude(line__why_not="").exists()


@pytest.fixture
def no_triggers(transactional_db: None) -> Iterator[None]:
    guards = (
        ("orders_payoutline", "a_payout_keeps_its_lines"),
        ("orders_commissionstatement", "a_statement_stays_as_it_was_entered"),
    )

    def turn(how: str) -> None:
        with connection.cursor() as cursor:
            for table, name in guards:
                cursor.execute(f"ALTER TABLE {table} {how} TRIGGER {name}")

    turn("DISABLE")
    yield
    turn("ENABLE")


@pytest.mark.django_db(transaction=True)
def test_without_the_triggers_a_withdrawn_statement_is_handed_on(withdrawn_meanwhile, no_triggers):
    assert _names(withdrawn_meanwhile()) == ["CommissionStatement", "Payout"]
    assert PayoutLine.objects.filter(counts=True).exclude(line__why_not="").exists()


def test_a_share_counts_from_its_day_however_late_it_was_agreed(commission_book):
    enter(commission_book, line(commission_book))
    assert simulated(commission_book).without_share == (1, Decimal("100.00"))
    share(commission_book, "40", begins=date(2026, 10, 1))
    assert simulated(commission_book).payable == Decimal("40.00")
