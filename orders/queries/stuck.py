"""How long an order may stand in a state before a person should look: the one table behind every "stuck"."""

from __future__ import annotations

from datetime import timedelta

from orders import lifecycle

PATIENCE = {
    # The worker takes a new order within seconds; minutes mean that nothing is working.
    lifecycle.CREATED: timedelta(minutes=5),
    # An unknown outcome is looked up for fifteen minutes before it becomes a case (reliability.md P4).
    lifecycle.SUBMITTING: timedelta(minutes=15),
    # FP expires an unpaid order by itself; two days later ours must have heard of it.
    lifecycle.AWAITING_PAYMENT: timedelta(days=2),
    # The money is with the clearing corporation the next business day; a weekend may lie between.
    lifecycle.PAID: timedelta(days=3),
    # Units are allotted within three business days after the NAV day; a weekend may lie between.
    lifecycle.PLACED: timedelta(days=5),
}
