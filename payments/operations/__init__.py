"""Collecting money for orders, by verb. One payment row is one attempt to collect; a second try is a new row.

    attempts    start, open_page, settle     a payment is made, once, and FP makes its page
    handing     hand_over, expire            the investor goes to the bank's page, once
    news        refresh, absorb              what FP says when asked by our stored number; nothing else is believed
    late        what a success means that arrives after the payment had failed
    chasing     the case about money that should be back, once its day has passed
    sweep       advance                      whatever a row says remains to be done

Money goes from the investor's bank to the fund house; it never passes through us.
"""

from payments.operations.attempts import open_page, settle, start
from payments.operations.handing import NotPayable, StillOpen, expire, hand_over
from payments.operations.late import LATE_SUCCESS_CASE, PAID_TWICE_CASE
from payments.operations.news import absorb, refresh
from payments.operations.rows import CONFLICT_CASE, PACE_S, REVERSED_CASE, locked, newest
from payments.operations.sweep import advance, orders_without_payment

__all__ = [
    "CONFLICT_CASE",
    "LATE_SUCCESS_CASE",
    "PACE_S",
    "PAID_TWICE_CASE",
    "REVERSED_CASE",
    "NotPayable",
    "StillOpen",
    "absorb",
    "advance",
    "expire",
    "hand_over",
    "locked",
    "newest",
    "open_page",
    "orders_without_payment",
    "refresh",
    "settle",
    "start",
]
