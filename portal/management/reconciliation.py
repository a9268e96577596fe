"""Three ledgers side by side: our orders, payments and holdings, and what FP has; SIPs with them (reliability.md P15).

FP is asked for all orders of the tenant, in every state, for their payments, and for all mandates, page by page, and
each page is compared in one statement. Holdings and SIPs, which it tells by account, are compared by turns
(`turns.py`). What only lags here is absorbed through the one door for news. What cannot be both true becomes a case for
a person, with the rupees at risk; nothing is overwritten. A difference is reported again until it is gone, and its case
closes by itself when it is. The kinds of differences are listed in `KINDS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models

from portal import cases, gates
from portal.models import Case, Heartbeat

CASE = "reconciliation"
# Looked at every hour, so that the comparison comes at about the same time of each day.
ONCE_IN = timedelta(hours=23, minutes=30)
# What changed within this time may still be on its way between FP's lists.
SETTLES_WITHIN = timedelta(minutes=5)
PAGE = 100
# What can differ, and which side is to be looked at first.
KINDS = {
    "order_only_at_fp": "FP has an order that was never sent from here",
    "order_not_at_fp": "FP does not list an order that it had taken",
    "order_reference_differs": "FP's order and ours carry different references",
    "order_amount_differs": "the rupees of an order differ",
    "order_scheme_differs": "the scheme of an order differs",
    "order_units_differ": "the units that an order became differ",
    "order_state_differs": "an order has ended on one side and not on the other",
    "payment_only_at_fp": "FP has a payment that we do not know",
    "payment_not_at_fp": "FP does not list a payment that it had made",
    "payment_amount_differs": "the rupees of a payment differ",
    "payment_orders_differ": "a payment is for other orders",
    "payment_state_differs": "money was collected on one side only",
    "mandate_only_at_fp": "FP has a mandate that was never sent from here",
    "order_paid_by_nobody": "an order is paid, and no payment of ours or FP's says so",
    "holding_only_at_fp": "FP's report has units that we do not know",
    "holding_only_here": "we hold units that FP's report does not have",
    "holding_units_differ": "the units of a folio and scheme differ",
    "holding_list_unread": "FP gives no usable answer about the holdings of an account",
    "sip_only_at_fp": "FP runs a SIP that was never sent from here",
    "sip_not_at_fp": "FP does not list a SIP that it had taken",
    "sip_reference_differs": "FP's SIP and ours carry different references",
    "sip_amount_differs": "the rupees or the number of instalments of a SIP differ",
    "sip_scheme_differs": "the scheme of a SIP differs",
    "sip_mandate_differs": "FP debits a SIP by another mandate",
    "sip_state_differs": "a SIP has ended here and runs at FP",
    "sip_list_unread": "FP gives no usable answer about the SIPs of an account",
}


@dataclass(frozen=True)
class Difference:
    """One thing on which the sides do not agree. `subject` is the row of ours that a person should open."""

    kind: str
    subject: models.Model
    text: str
    rupees: Decimal = Decimal(0)


@dataclass
class Report:
    """What was compared, what was caught up with, and what differs. With `dry`, nothing was changed.

    `is_whole`: orders and payments were compared too, and not only the accounts whose turn it was.
    """

    dry: bool = False
    is_whole: bool = True
    compared: Counter[str] = field(default_factory=Counter)
    caught_up: int = 0
    confirmed: int = 0
    # What was compared by turns, as (family of kinds, label, key): no other case of such a kind may close.
    looked_at: set[tuple[str, str, str]] = field(default_factory=set)
    # The accounts whose turn it was, by family: it is another's once this run's cases are written.
    turns: dict[str, list[int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def take_in(self, other: Report) -> None:
        """What was compared, caught up with and confirmed apart; its differences are reported by whoever compared."""
        self.compared += other.compared
        self.caught_up += other.caught_up
        self.confirmed += other.confirmed
        self.looked_at |= other.looked_at

    @property
    def at_risk(self) -> Decimal:
        """Rupees of all differences."""
        return sum((each.rupees for each in self.differences), Decimal(0))


def run(at: datetime, *, dry: bool = False) -> Report:
    """Compare everything, open and close cases. Raises the gateway errors of a read; then nothing was concluded.

    Trouble with some accounts is a difference, or waits for another run: the rest is concluded.
    A dry run changes nothing here: what lags is counted as what would be caught up with.
    """
    from portal.management import compared_mandates, compared_orders, compared_payments, restored

    report = Report(dry=dry)
    heart, _ = Heartbeat.objects.get_or_create(name=CASE, defaults={"at": at - ONCE_IN})
    for part in (compared_orders, compared_payments, compared_mandates):
        report.differences += part.compare(report, heart, at)
    _by_turns(report, at)
    if not dry:
        _conclude(report, at)
        Heartbeat.objects.filter(pk=heart.pk).update(at=at)
        restored.conclude(at)
    return report


def run_turn(at: datetime) -> Report:
    """Compare the accounts whose turn it is, and nothing else; open and close the cases of their kinds."""
    from portal.management import restored

    report = Report(is_whole=False)
    _by_turns(report, at)
    _conclude(report, at)
    restored.conclude(at)
    return report


def _by_turns(report: Report, at: datetime) -> None:
    from portal.management import compared_holdings, compared_plans

    for part in (compared_holdings, compared_plans):
        report.differences += part.compare(report, at)


def _conclude(report: Report, at: datetime) -> None:
    from portal.management import turns

    _write_cases(report, at)
    for turn in turns.ALL:
        turn.keep(report, at)


def is_due(at: datetime) -> bool:
    """Has a day passed since everything was last compared to the end, or was an older database restored since?"""
    since = max(gates.found_at() or at - ONCE_IN, at - ONCE_IN)
    return not Heartbeat.objects.filter(name=CASE, at__gt=since, at__lte=at).exists()


# --- cases ------------------------------------------------------------------------------------------------------

Key = tuple[str, str, str]


def _write_cases(report: Report, at: datetime) -> None:
    """A case per row that differs, and the cases of rows that no longer differ are closed."""
    found: dict[Key, list[Difference]] = {}
    for each in report.differences:
        key = (f"{CASE}_{each.kind}", each.subject._meta.label_lower, str(each.subject.pk))
        found.setdefault(key, []).append(each)
    for key, same in found.items():
        lines = [each.text for each in same]
        detail = "\n".join(lines[:50]) + (f"\n... and {len(lines) - 50} more" if len(lines) > 50 else "")
        cases.open_case(
            kind=key[0],
            subject=same[0].subject,
            title=lines[0][:200],
            detail=detail,
            at=at,
            rupees=sum((each.rupees for each in same), Decimal(0)),
        )
    _close_settled(set(found), report, at)


def open_cases() -> Iterator[Case]:
    """Differences that are not settled, oldest first."""
    return Case.objects.filter(kind__startswith=f"{CASE}_", state="OPEN").order_by("opened_at").iterator()


def _close_settled(still: set[Key], report: Report, at: datetime) -> None:
    for case in list(open_cases()):
        about = (case.subject_kind, case.subject_id)
        if (case.kind, *about) not in still and _was_compared(case.kind, about, report):
            cases.close(case=case, resolution="Both sides agree again.", actor=None, at=at)


def _was_compared(kind: str, about: tuple[str, str], report: Report) -> bool:
    """Has this run looked at what a case of this kind is about?"""
    from portal.management import turns

    families = (turn.family for turn in turns.ALL)
    family = next((each for each in families if kind.startswith(f"{CASE}_{each}_")), None)
    return report.is_whole if family is None else (family, *about) in report.looked_at
