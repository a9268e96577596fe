"""Statements of commission: looked through, entered, matched, withdrawn.

    look        what the file would bring, line by line as `enter` would have it; nothing is kept
    enter       every line is kept, those that count for nothing with why; the same bytes stand once
    match       lines that could be read are matched again: by the worker, and by whoever asks
    withdraw    nothing of it counts any more, as long as nothing of it was handed on

Entering and matching take turns, so that what a registrar refers to counts once, whatever comes at the same moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet

from orders.feeds import commission
from orders.feeds.commission import Line, Statement
from orders.models import CommissionLine, CommissionStatement, Payout
from orders.operations.commission_matching import Judged, Matcher, portions
from portal import audit, jobs
from portal.clock import IST
from portal.errors import Failure
from portal.models import User

# Lines that cannot be used, on the page of a dry run; its file has all.
SHOWN = 100
# Lines that are written, or matched again, in one statement of SQL.
PORTION = 2_000


class EnteredAlready(Failure):
    """The same bytes stand already."""

    code = "entered_already"
    message = "This file was entered already."


class Busy(Failure):
    """Another statement is being entered or matched, for longer than anybody waits."""

    code = "busy"
    message = "Another statement is being entered at this moment. Nothing was done: try again in a minute."


class Withdrawn(Failure):
    """Somebody was faster."""

    code = "withdrawn"
    message = "This statement was withdrawn already. Nothing was changed now."


class HandedOn(Failure):
    """A line of it is in a payout."""

    code = "handed_on"
    message = "A line of this statement is in a payout, so it stays."


@dataclass
class Sums:
    """Lines of one kind and fund house that count."""

    lines: int = 0
    amount: Decimal = Decimal(0)
    gst: Decimal = Decimal(0)
    tds: Decimal = Decimal(0)

    def take(self, other: Sums) -> None:
        """The others are among these."""
        self.lines += other.lines
        self.amount += other.amount
        self.gst += other.gst
        self.tds += other.tds


@dataclass
class Outcome:
    """What a file brings: sums of what counts by kind and fund house, and the first lines that do not, with why."""

    unused: list[str]
    lines: int = 0
    sums: dict[tuple[str, str], Sums] = field(default_factory=dict)
    bad: int = 0
    first_bad: list[Judged] = field(default_factory=list)

    @property
    def counts(self) -> Sums:
        """All that counts."""
        together = Sums()
        for each in self.sums.values():
            together.take(each)
        return together

    def add(self, judged: Judged, houses: Mapping[int, str]) -> None:
        """One more line."""
        self.lines += 1
        if judged.why_not or judged.house_id is None:
            self.bad += 1
            self.first_bad += [judged] if len(self.first_bad) < SHOWN else []
        else:
            line = judged.line
            one = Sums(1, line.amount or Decimal(0), line.gst, line.tds)
            self.sums.setdefault((line.kind, houses[judged.house_id]), Sums()).take(one)


def fingerprint_of(raw: bytes) -> str:
    """What tells one file from another."""
    return hashlib.sha256(raw).hexdigest()


def standing(raw: bytes) -> CommissionStatement | None:
    """The statement that these bytes are already."""
    return CommissionStatement.objects.filter(fingerprint=fingerprint_of(raw), withdrawn_at=None).first()


def look(*, raw: bytes, at: datetime) -> Outcome:
    """The dry run. Raises NotAStatement, EnteredAlready."""
    _refuse_twice(raw)
    statement = commission.read(raw)
    matcher, outcome = _matcher(at), Outcome(unused=statement.unused)
    for judged in matcher.judge(statement.lines()):
        outcome.add(judged, matcher.houses)
    return outcome


def left_out(*, raw: bytes, at: datetime) -> Iterator[Judged]:
    """Every line of a file that would count for nothing. Raises NotAStatement."""
    found = _matcher(at).judge(commission.read(raw).lines())
    return (judged for judged in found if judged.why_not)


def enter(*, name: str, raw: bytes, actor: User, at: datetime) -> CommissionStatement:
    """Every line of the file stands. Raises NotAStatement, EnteredAlready, Busy."""
    statement = commission.read(raw)
    try:
        with transaction.atomic():
            take_turns()
            _refuse_twice(raw)
            row = CommissionStatement.objects.create(
                name=name[-120:],
                fingerprint=fingerprint_of(raw),
                entered_at=at,
                entered_by=actor,
                lines_count=len(statement.texts),
            )
            counted = _write(row, statement, at)
            data = {"lines": row.lines_count, "count": counted, "fingerprint": row.fingerprint}
            audit.record(row, "commissionstatement.entered", actor=actor, at=at, data=data)
    except IntegrityError as error:
        if "a_commission_statement_is_entered_once" not in str(error):
            raise
        raise EnteredAlready from error
    return row


def take_turns() -> None:
    """Until this transaction ends nobody else enters or matches lines. Raises Busy after ten seconds of waiting."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(728, %s)", [jobs.lock_key("orders.commission_lines")])
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        raise Busy from error


def _refuse_twice(raw: bytes) -> None:
    if known := standing(raw):
        raise EnteredAlready(f"This file was entered already, as {known.code}. Nothing was done.")


def _matcher(at: datetime, statement_id: int = 0) -> Matcher:
    return Matcher(today=at.astimezone(IST).date(), statement_id=statement_id)


def _write(row: CommissionStatement, statement: Statement, at: datetime) -> int:
    """Every line is kept. Returns how many of them count."""
    # All is looked up before the first is written: in a table that grows by its own transaction PostgreSQL goes on as
    # if it were empty. What was found is kept without the lines, which are cheap to read twice.
    found = [judged[1:] for judged in _matcher(at).judge(statement.lines())]
    for portion in portions(zip(statement.lines(), found, strict=True), PORTION):
        CommissionLine.objects.bulk_create(_row(row, Judged(line, *its)) for line, its in portion)
    return sum(not why_not for *_, why_not in found)


def _row(statement: CommissionStatement, judged: Judged) -> CommissionLine:
    line = judged.line
    return CommissionLine(
        statement=statement,
        number=line.number,
        text=line.text,
        reference=line.reference,
        kind=line.kind,
        month=line.month,
        folio_number=line.folio,
        scheme_code=line.scheme,
        amount=line.amount,
        gst=line.gst,
        tds=line.tds,
        fund_house_id=judged.house_id,
        folio_id=judged.folio_id,
        scheme_id=judged.scheme_id,
        partner_id=judged.partner_id,
        why_not=judged.why_not,
    )


# --- Matching again ---------------------------------------------------------------------------------------------------


def unmatched() -> QuerySet[CommissionLine]:
    """Lines of standing statements that could be read and count for nothing yet."""
    return CommissionLine.objects.exclude(why_not="").filter(amount__isnull=False, statement__withdrawn_at=None)


def match(*, at: datetime, statement: CommissionStatement | None = None, actor: User | None = None) -> int:
    """What can be matched now counts from now on; of the rest it is said anew why not. Returns how many count more.

    Raises Busy.
    """
    last, more = 0, 0
    while rows := _next(last, statement):
        last = rows[-1].pk
        with transaction.atomic():
            take_turns()
            more += _match(rows, at)
    if actor is not None and statement is not None:
        audit.record(statement, "commissionstatement.matched", actor=actor, at=at, data={"count_more": more})
    return more


def _next(last: int, statement: CommissionStatement | None) -> list[CommissionLine]:
    rows = unmatched().filter(pk__gt=last)
    rows = rows.filter(statement=statement) if statement else rows
    return list(rows.order_by("pk")[:PORTION])


def _match(rows: list[CommissionLine], at: datetime) -> int:
    matcher = _matcher(at)
    judged = matcher.judge(_line(row, matcher.houses) for row in rows)
    found = [(row.pk, each) for row, each in zip(rows, judged, strict=True) if each.why_not != row.why_not]
    if not found:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_MATCHED, [list(column) for column in zip(*map(_columns, found), strict=True)])
        return sum(bool(is_new) for (is_new,) in cursor.fetchall())


def _line(row: CommissionLine, houses: Mapping[int, str]) -> Line:
    """The line as it was read: the fund house that it names, where it is one of ours, was kept with it."""
    house = houses[row.fund_house_id] if row.fund_house_id else ""
    return Line(
        row.number, row.text, house, row.folio_number, row.scheme_code, row.month, row.kind, row.amount, row.gst,
        row.tds, row.reference, statement_id=row.statement_id,
    )  # fmt: skip


def _columns(found: tuple[int, Judged]) -> tuple[object, ...]:
    pk, judged = found
    return pk, judged.house_id, judged.folio_id, judged.scheme_id, judged.partner_id, judged.why_not


# A line that somebody else matched, or whose statement was withdrawn, since it was read stays as it is now.
_MATCHED = """
    UPDATE orders_commissionline l
       SET fund_house_id = coalesce(f.house, l.fund_house_id), folio_id = f.folio, scheme_id = f.scheme,
           partner_id = f.partner, why_not = f.why_not
      FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
           AS f (id, house, folio, scheme, partner, why_not), orders_commissionstatement s
     WHERE l.id = f.id AND l.why_not <> '' AND s.id = l.statement_id AND s.withdrawn_at IS NULL
    RETURNING l.why_not = ''
"""


# --- Withdrawing ------------------------------------------------------------------------------------------------------


def withdraw(*, statement_id: int, actor: User, reason: str, at: datetime) -> CommissionStatement:
    """Nothing of it counts any more, and the file may be entered again. Raises Withdrawn, HandedOn."""
    with transaction.atomic():
        row = CommissionStatement.objects.select_for_update(of=("self",)).get(pk=statement_id)
        if row.withdrawn_at is not None:
            raise Withdrawn
        row.withdrawn_at, row.withdrawn_by, row.withdrawn_why = at, actor, reason[:300]
        _guarded(lambda: row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"]), row)
        audit.record(row, "commissionstatement.withdrawn", actor=actor, at=at, reason=reason)
    return row


def _guarded(write: Callable[[], None], row: CommissionStatement) -> None:
    try:
        with transaction.atomic():
            write()
    except IntegrityError as error:
        if "a line of this statement is in a payout" not in str(error):
            raise
        codes = ", ".join(payouts_of(row).values_list("code", flat=True)[:5])
        words = f"Lines of this statement are in {codes or 'a payout'}. It stays, unless the payout is withdrawn first."
        raise HandedOn(words) from error


def payouts_of(statement: CommissionStatement) -> QuerySet[Payout]:
    """Payouts that hand something of it on."""
    held: Iterable[int] = CommissionLine.objects.filter(statement=statement, payout_lines__counts=True).values_list(
        "payout_lines__payout", flat=True
    )
    return Payout.objects.filter(pk__in=held).order_by("pk")
