"""What goes on to a partner of the commission that came: set, simulated, approved by a second person, paid.

    simulate    the partner's lines up to a month that no payout has, each times its share; nothing is kept
    ask         ASKED: exactly what was simulated waits for a second person, and no other payout takes these lines
    approve     APPROVED: somebody else has seen the same sums; the database adds the lines up once more
    refuse      WITHDRAWN: its lines are free for another payout; whoever asked withdraws in this way
    mark_paid   PAID: what left our bank, on which day, with which UTR, and what was withheld for tax

Of a line its amount times the share that held on the last day of its month is paid on, rounded half up to the paisa. A
line without a share waits for one. What is taken back counts with its sign; as long as the sum is below zero nothing is
paid, and its lines go into the next payout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from orders.models import Payout, PayoutLine
from portal import audit
from portal.clock import IST
from portal.errors import Failure, InvalidInput
from portal.models import Partner, User

# NEFT has sixteen signs and RTGS twenty-two, IMPS twelve digits.
UTR = re.compile(r"(?:[A-Z]{4}[A-Z0-9]{12}|[A-Z]{4}[A-Z0-9]{18}|\d{12})", re.ASCII)


class NothingToPay(Failure):
    """There is no line, or the sum is not above zero."""

    code = "nothing_to_pay"
    message = "There is nothing to pay."


class AskedAlready(Failure):
    """Another payout of this partner waits."""

    code = "asked_already"
    message = "A payout of this partner waits for a second person already. Decide or withdraw that one first."


class ChangedMeanwhile(Failure):
    """What would be paid is no longer what was shown."""

    code = "changed_meanwhile"
    message = "Lines or shares have changed since this was looked at. Nothing was done: look again."


class SecondPerson(Failure):
    """Whoever asked does not approve."""

    code = "second_person"
    message = "Somebody else has to approve: you asked for this."


class AlreadyDecided(Failure):
    """Somebody was faster."""

    code = "already_decided"
    message = "This was decided or paid already. Nothing was changed now."


@dataclass(frozen=True)
class Part:
    """Lines of one fund house, kind and month."""

    house_id: int
    house: str
    kind: str
    month: date
    lines: int
    received: Decimal
    # None: these lines have no share yet.
    payable: Decimal | None


@dataclass(frozen=True)
class Simulation:
    """What a payout up to a month would be."""

    partner: Partner
    month: date
    parts: tuple[Part, ...]

    @property
    def payable(self) -> Decimal:
        """What would go on, in rupees; below zero it is carried on."""
        return sum((part.payable for part in self.parts if part.payable is not None), Decimal(0))

    @property
    def received(self) -> Decimal:
        """What came for the lines that would be in it."""
        return sum((part.received for part in self.parts if part.payable is not None), Decimal(0))

    @property
    def lines(self) -> int:
        """How many lines would be in it."""
        return sum(part.lines for part in self.parts if part.payable is not None)

    @property
    def without_share(self) -> tuple[int, Decimal]:
        """How many lines wait for a share, and what came for them."""
        waiting = [part for part in self.parts if part.payable is None]
        return sum(part.lines for part in waiting), sum((part.received for part in waiting), Decimal(0))

    @property
    def seen(self) -> str:
        """What tells this from another, for whoever asks for what they have looked at."""
        return f"{self.lines}/{self.received}/{self.payable}"


# The lines of a partner up to a month that no payout has, and what goes on of each. SQL's round() of a numeric goes
# half away from zero.
_LINES = """
    SELECT l.id, l.fund_house_id, l.kind, l.month, l.amount, share.percent,
           round(l.amount * share.percent / 100, 2) AS payable
      FROM orders_commissionline l
      LEFT JOIN LATERAL (
          SELECT s.percent FROM orders_commissionshare s
           WHERE s.partner_id = l.partner_id AND s.valid_from < l.month + interval '1 month'
           ORDER BY s.valid_from DESC LIMIT 1) share ON TRUE
     WHERE l.partner_id = %(partner)s AND l.why_not = '' AND l.month <= %(month)s
       AND NOT EXISTS (SELECT 1 FROM orders_payoutline p WHERE p.line_id = l.id AND p.counts)
"""
_PARTS = f"""
    SELECT n.fund_house_id, h.name, n.kind, n.month, count(*), sum(n.amount), sum(n.payable)
      FROM ({_LINES}) n JOIN orders_fundhouse h ON h.id = n.fund_house_id
     GROUP BY n.fund_house_id, h.name, n.kind, n.month, n.payable IS NULL
     ORDER BY h.name, n.month, n.kind
"""  # noqa: S608 - our own text
_TAKE = f"SELECT n.id, n.amount, n.percent, n.payable FROM ({_LINES}) n WHERE n.payable IS NOT NULL"  # noqa: S608
_PUT = """
    INSERT INTO orders_payoutline (payout_id, line_id, percent, payable, counts)
    SELECT %s, t.line, t.percent, t.payable, TRUE
      FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS t (line, percent, payable) ORDER BY t.line
"""


def simulate(*, partner: Partner, month: date) -> Simulation:
    """What a payout of this partner up to this month would be; nothing is kept."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, {"partner": partner.pk, "month": month})
        return Simulation(partner, month, tuple(Part(*row) for row in cursor.fetchall()))


def ask(*, partner: Partner, month: date, seen: str, actor: User, reason: str, at: datetime) -> Payout:
    """What was `seen` waits for a second person. Raises NothingToPay, AskedAlready, ChangedMeanwhile."""
    try:
        with transaction.atomic():
            _hold(partner)
            found = _lines(partner, month)
            _must_be_payable(found, seen)
            row = Payout.objects.create(
                partner=partner,
                month=month,
                received=sum(amount for _, amount, _, _ in found),
                payable=sum(payable for *_, payable in found),
                asked_by=actor,
                asked_at=at,
            )
            _put(row, found)
            data = {"partner": partner.code, "payable": row.payable, "lines": len(found)}
            audit.record(row, "payout.asked", actor=actor, at=at, reason=reason, data=data)
    except IntegrityError as error:
        raise _in_words(error) from error
    return row


def _hold(partner: Partner) -> None:
    """Payouts of one partner are put together one after the other."""
    Partner.objects.select_for_update().only("pk").get(pk=partner.pk)


def _lines(partner: Partner, month: date) -> list[tuple[int, Decimal, Decimal, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"partner": partner.pk, "month": month})
        return cursor.fetchall()


def _must_be_payable(found: list[tuple[int, Decimal, Decimal, Decimal]], seen: str) -> None:
    received = sum((each[1] for each in found), Decimal(0))
    payable = sum((each[3] for each in found), Decimal(0))
    if f"{len(found)}/{received}/{payable}" != seen:
        raise ChangedMeanwhile
    if payable <= 0:
        carried = "Its lines go into the next payout." if found else "No line waits."
        raise NothingToPay(f"The sum is not above zero. {carried}")


def _put(row: Payout, found: list[tuple[int, Decimal, Decimal, Decimal]]) -> None:
    with connection.cursor() as cursor:
        columns = zip(*((pk, percent, payable) for pk, _, percent, payable in found), strict=True)
        cursor.execute(_PUT, [row.pk, *(list(column) for column in columns)])


# What the database says -> the failure that it is.
_REFUSALS: dict[str, type[Failure]] = {
    "one_payout_of_a_partner_waits_at_a_time": AskedAlready,
    "a_line_is_handed_on_once": ChangedMeanwhile,
    "a line is put into an open payout and stays in it": ChangedMeanwhile,
    "a payout is the sum of lines of its partner": ChangedMeanwhile,
}


def _in_words(error: IntegrityError) -> Exception:
    found = next((failure for said, failure in _REFUSALS.items() if said in str(error)), None)
    return found() if found else error


# --- Decided and paid -------------------------------------------------------------------------------------------------


def may_not_approve(row: Payout) -> tuple[int, ...]:
    """Whoever asked."""
    return (row.asked_by_id,)


def approve(*, payout_id: int, actor: User, reason: str, at: datetime) -> Payout:
    """It is to be paid, and its partner sees it. Raises SecondPerson, AlreadyDecided, ChangedMeanwhile."""
    try:
        with transaction.atomic():
            row = _asked(payout_id)
            if actor.pk in may_not_approve(row):
                raise SecondPerson
            return _decide(row, Payout.State.APPROVED, actor, reason, at)
    except IntegrityError as error:
        raise _in_words(error) from error


def refuse(*, payout_id: int, actor: User, reason: str, at: datetime) -> Payout:
    """Nothing is paid, and its lines are free again; whoever asked withdraws in this way. Raises AlreadyDecided."""
    with transaction.atomic():
        return _decide(_asked(payout_id), Payout.State.WITHDRAWN, actor, reason, at)


def mark_paid(
    *, payout_id: int, utr: str, paid_on: date, tds: Decimal, actor: User, reason: str, at: datetime
) -> Payout:
    """It left our bank. Raises InvalidInput with the field, AlreadyDecided."""
    utr = "".join(utr.split()).upper()
    try:
        with transaction.atomic():
            row = _locked(payout_id)
            if row.state != Payout.State.APPROVED:
                raise AlreadyDecided
            _must_be_paid_so(row, utr, paid_on, tds, at)
            row.state, row.utr, row.paid_on, row.tds, row.paid_by = Payout.State.PAID, utr, paid_on, tds, actor
            row.save(update_fields=["state", "utr", "paid_on", "tds", "paid_by"])
            data = {"utr": utr, "paid_on": paid_on, "payable": row.payable, "tds": tds}
            audit.record(row, "payout.paid", actor=actor, at=at, reason=reason, data=data)
    except IntegrityError as error:
        if "a_utr_pays_one_payout" not in str(error):
            raise
        raise InvalidInput("utr", "This UTR has paid another payout.") from error
    return row


def _must_be_paid_so(row: Payout, utr: str, paid_on: date, tds: Decimal, at: datetime) -> None:
    decided = row.decided_at.astimezone(IST).date() if row.decided_at else paid_on
    wrong = (
        (not UTR.fullmatch(utr), "utr", "This is no UTR: NEFT has 16 signs, RTGS 22, IMPS 12 digits."),
        (paid_on > at.astimezone(IST).date(), "paid_on", "This day has not come yet."),
        (paid_on < decided, "paid_on", f"It was approved on {decided:%-d %b %Y}, and is not paid before that."),
        (tds < 0 or tds != tds.quantize(Decimal("0.01")), "tds", "TDS is zero or more, in rupees and paise."),
        (tds >= row.payable, "tds", f"TDS is less than what is payable, ₹{row.payable}."),
    )
    for is_wrong, name, words in wrong:
        if is_wrong:
            raise InvalidInput(name, words)


def _locked(payout_id: int) -> Payout:
    rows = Payout.objects.select_for_update(of=("self",)).select_related("partner")
    return rows.get(pk=payout_id)


def _asked(payout_id: int) -> Payout:
    row = _locked(payout_id)
    if row.state != Payout.State.ASKED:
        raise AlreadyDecided
    return row


def _decide(row: Payout, state: str, actor: User, reason: str, at: datetime) -> Payout:
    row.state, row.decided_by, row.decided_at, row.answer = state, actor, at, reason[:300]
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    audit.record(row, f"payout.{state.lower()}", actor=actor, at=at, reason=reason)
    return row


def lines_of(row: Payout) -> QuerySet[PayoutLine]:
    """The lines of a payout, those of a withdrawn one too, in the order in which they were entered."""
    return row.lines.select_related("line__fund_house", "line__scheme").order_by("pk")


_PARTS_OF = """
    SELECT l.fund_house_id, h.name, l.kind, l.month, count(*), sum(l.amount), sum(p.payable)
      FROM orders_payoutline p JOIN orders_commissionline l ON l.id = p.line_id
      JOIN orders_fundhouse h ON h.id = l.fund_house_id
     WHERE p.payout_id = %s GROUP BY l.fund_house_id, h.name, l.kind, l.month ORDER BY h.name, l.month, l.kind
"""


def parts_of(row: Payout) -> list[Part]:
    """What a payout is made of, by fund house, kind and month."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS_OF, [row.pk])
        return [Part(*each) for each in cursor.fetchall()]
