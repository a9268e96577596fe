"""How long a payment may stand in a state before a person should look: the one table behind every "stuck"."""

from __future__ import annotations

from datetime import timedelta

from payments import lifecycle

PATIENCE = {
    lifecycle.CREATED: timedelta(minutes=5),
    # An unknown outcome is looked up for fifteen minutes before it becomes a case (reliability.md P4).
    lifecycle.STARTING: timedelta(minutes=15),
    # FP's payment page lives for 15 minutes and works once; after an hour nobody is paying any more.
    lifecycle.AWAITING_INVESTOR: timedelta(hours=1),
    # FP presents a debit on the next business day; a long weekend may lie between.
    lifecycle.AWAITING_BANK: timedelta(days=5),
    # Debited money is transferred the next business day; a weekend may lie between.
    lifecycle.DEBITED: timedelta(days=3),
    lifecycle.TRANSFERRED: timedelta(days=3),
}
