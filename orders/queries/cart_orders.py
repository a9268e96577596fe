"""A confirmed cart and what became of each line: its order, the newest payment for it, and honest sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from investors.models import Investor
from orders import lifecycle, payment_failures, words
from orders.models import Cart, CartLine, MfOrder
from orders.queries import schemes as scheme_queries
from orders.queries.orders import Paying
from orders.queries.purchases import LOOK_ALIKE_WINDOW, NOT_BOUGHT
from orders.words import Words
from portal import money
from portal.clock import IST

_READ = """
    SELECT o.id, o.code, s.isin, s.name, o.kind, o.gateway, o.amount, o.state, o.attempt = 'UNKNOWN', o.failure_code,
           o.failure_text, y.state, y.attempt = 'UNKNOWN', y.method, y.handed_over_at, y.failure_code, y.failure_text,
           y.state_since, y.code,
           EXISTS (SELECT FROM payments_paymentline p JOIN payments_payment z ON z.id = p.payment_id
                    WHERE p.order_id = o.id AND z.state IN ('DEBITED', 'TRANSFERRED', 'SETTLED', 'LATE'))
      FROM orders_mforder o
      JOIN orders_scheme s ON s.id = o.scheme_id
      LEFT JOIN LATERAL (
        SELECT z.* FROM payments_paymentline p JOIN payments_payment z ON z.id = p.payment_id
         WHERE p.order_id = o.id ORDER BY z.id DESC LIMIT 1) y ON true
     WHERE o.cart_id = %s AND o.investor_id = %s
     ORDER BY o.id
"""


@dataclass(frozen=True)
class Line:
    """One line of a confirmed cart."""

    order_id: int
    code: str
    isin: str
    name: str
    kind: str
    gateway: str
    amount: Decimal
    state: str
    is_unknown: bool
    failure_code: str
    failure_text: str
    pay_state: str | None
    pay_unknown: bool | None
    method: str | None
    handed_over_at: datetime | None
    pay_failure_code: str | None
    pay_failure_text: str | None
    pay_since: datetime | None
    payment: str | None
    was_collected: bool

    @property
    def is_open(self) -> bool:
        """Will something still happen to the order?"""
        return self.state in lifecycle.OPEN

    @property
    def waits_for_money(self) -> bool:
        """Is it the payment that has to go on?"""
        return self.state == lifecycle.AWAITING_PAYMENT

    @property
    def nudge(self) -> dict[str, int]:
        """What the task that asks FP about it is told."""
        return {"order_id": self.order_id} if self.waits_for_money else {"row_id": self.order_id}

    @property
    def paying(self) -> Paying:
        """How far paying has come."""
        if self.pay_state == "AWAITING_INVESTOR":
            return Paying.OUT if self.handed_over_at else Paying.OPEN
        return _PAYING.get(self.pay_state or "", Paying.PREPARING)

    @property
    def on_its_way(self) -> str | None:
        """The payment that may still collect for it; None when the next one is yet to be made."""
        return None if self.pay_state in (None, "FAILED", "EXPIRED") else self.payment

    @property
    def words(self) -> Words:
        """The words for where it stands."""
        if self.waits_for_money and self.paying in words.PAYING:
            return words.PAYING[self.paying]
        return words.for_state(self.kind, self.state, is_unknown=self.is_unknown, gateway=self.gateway)

    @property
    def reason(self) -> str:
        """Why it ended without units; empty when it did not, or nobody said why."""
        return words.reason(self.failure_code, self.failure_text) if self.state in NOT_BOUGHT else ""


_PAYING = {"FAILED": Paying.FAILED, "EXPIRED": Paying.FAILED, "AWAITING_BANK": Paying.BANK}


@dataclass(frozen=True)
class Outcome:
    """The lines and sums over them, in rupees. Each line is in exactly one of the four sums."""

    lines: list[Line]
    payment_failure: payment_failures.Failure | None
    refund: payment_failures.Clock | None

    @property
    def total(self) -> Decimal:
        """Everything that was confirmed."""
        return self._sum(lambda line: True)

    @property
    def paid(self) -> Decimal:
        """Collected from the bank, for lines that go on or are through."""
        return self._sum(lambda line: line.was_collected and line.state not in NOT_BOUGHT)

    @property
    def coming_back(self) -> Decimal:
        """Collected for lines that ended without units."""
        return self._sum(lambda line: line.was_collected and line.state in NOT_BOUGHT)

    @property
    def not_collected(self) -> Decimal:
        """Lines that ended before any money moved."""
        return self._sum(lambda line: not line.was_collected and line.state in NOT_BOUGHT)

    @property
    def to_pay(self) -> Decimal:
        """Not collected yet."""
        return self._sum(lambda line: not line.was_collected and line.state not in NOT_BOUGHT)

    @property
    def waiting(self) -> list[Line]:
        """Lines that wait for the investor's payment."""
        return [line for line in self.lines if line.waits_for_money and line.method != MfOrder.PaymentMethod.NACH]

    @property
    def payable(self) -> list[Line]:
        """Lines that the next payment covers: those of the first that is on its way, else all without one."""
        return [line for line in self.waiting if line.on_its_way == self.waiting[0].on_its_way]

    @property
    def payable_total(self) -> Decimal:
        """What the next payment is for, rupees."""
        return sum((line.amount for line in self.payable), money.ZERO)

    @property
    def pay_with(self) -> Line | None:
        """The line in whose name the investor pays, and whose payment covers the others."""
        return self.payable[0] if self.payable else None

    @property
    def is_open(self) -> bool:
        """Will something still happen to one of them?"""
        return any(line.is_open for line in self.lines)

    @property
    def headline(self) -> str:
        """What is so now, in a sentence."""
        if not self.is_open:
            through = sum(line.state == lifecycle.ALLOTTED for line in self.lines)
            return f"{through} of {len(self.lines)} orders brought units"
        if self.waiting:
            return f"{len(self.waiting)} of {len(self.lines)} orders wait for your payment"
        return "Your orders are on their way"

    def _sum(self, belongs) -> Decimal:  # type: ignore[no-untyped-def]
        return sum((line.amount for line in self.lines if belongs(line)), money.ZERO)


def read(*, cart: Cart, at: datetime) -> Outcome:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [cart.pk, cart.investor_id])
        lines = [Line(*row) for row in cursor.fetchall()]
    failed = next((line for line in lines if line.waits_for_money and line.paying == Paying.FAILED), None)
    if failed is None or failed.pay_since is None:
        return Outcome(lines, None, None)
    was_out = failed.handed_over_at is not None or failed.method == MfOrder.PaymentMethod.NACH
    why = payment_failures.of(failed.pay_failure_code or "", failed.pay_failure_text or "", was_out=was_out)
    clock = payment_failures.clock(
        method=failed.method or "",
        failed_on=failed.pay_since.astimezone(IST).date(),
        today=at.astimezone(IST).date(),
        holidays=scheme_queries.holidays(),
    )
    return Outcome(lines, why, None if why.money == payment_failures.Money.STAYED else clock)


def twins(*, investor: Investor, line_ids: Sequence[int], at: datetime) -> list[str]:
    """Names of schemes in these lines that were bought for the same amount a short while ago."""
    lines = CartLine.objects.filter(investor=investor, pk__in=line_ids).select_related("scheme")
    recent = MfOrder.objects.filter(
        investor=investor, kind=MfOrder.Kind.PURCHASE, placed_at__gte=at - LOOK_ALIKE_WINDOW
    ).exclude(state__in=NOT_BOUGHT)
    bought = set(recent.values_list("scheme_id", "amount"))
    return [line.scheme.name for line in lines if (line.scheme_id, line.amount) in bought]
