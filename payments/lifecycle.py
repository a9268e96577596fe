"""The life of a payment: one attempt to collect money for one or more orders.

    CREATED -> STARTING -> AWAITING_INVESTOR -> DEBITED -> TRANSFERRED -> SETTLED
        \\         \\ \\            \\              \\           \\
         \\         \\ +-> AWAITING_BANK (a debit by mandate) -> DEBITED ...
         +---------+--------------+--------------+-----------+--> FAILED -> LATE
                                  +--------------------------->  EXPIRED -> LATE

A second try is a new payment. A success that arrives after FAILED or EXPIRED is stronger evidence than the failure was:
the payment is LATE, its orders are paid, and a case tells a person, because the investor may have paid twice.
"""

from portal.lifecycle import Lifecycle

CREATED = "CREATED"
STARTING = "STARTING"
AWAITING_INVESTOR = "AWAITING_INVESTOR"
AWAITING_BANK = "AWAITING_BANK"
DEBITED = "DEBITED"
TRANSFERRED = "TRANSFERRED"
SETTLED = "SETTLED"
FAILED = "FAILED"
EXPIRED = "EXPIRED"
LATE = "LATE"

PAYMENT = Lifecycle(
    {
        CREATED: (STARTING, FAILED),
        STARTING: (AWAITING_INVESTOR, AWAITING_BANK, FAILED),
        AWAITING_INVESTOR: (DEBITED, FAILED, EXPIRED),
        AWAITING_BANK: (DEBITED, FAILED, EXPIRED),
        DEBITED: (TRANSFERRED, FAILED),
        TRANSFERRED: (SETTLED, FAILED),
        SETTLED: (),
        FAILED: (LATE,),
        EXPIRED: (LATE,),
        LATE: (),
    }
)
# Something is still expected of these.
OPEN = (CREATED, STARTING, AWAITING_INVESTOR, AWAITING_BANK, DEBITED, TRANSFERRED)
# FP has not heard of these, or we do not know yet whether it has.
UNSENT = (CREATED, STARTING)
COLLECTED = (DEBITED, TRANSFERRED, SETTLED, LATE)
ENDED = (FAILED, EXPIRED)


def news_of(state: str, said: str) -> str:
    """What FP's word means for a payment in `state`: any success after an end is a late one, whatever its stage."""
    return LATE if state in (*ENDED, LATE) and said in COLLECTED else said
