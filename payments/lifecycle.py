"""The life of a payment: one attempt to collect money for one or more orders.

    CREATED -> STARTING -> AWAITING_INVESTOR -> DEBITED -> TRANSFERRED -> SETTLED
        \\         \\              \\              \\           \\
         +---------+--------------+--------------+-----------+--> FAILED
                                  +--------------------------->  EXPIRED

A second try is a new payment. A success that arrives after FAILED or EXPIRED contradicts what we know: it is a case for
a person, because the investor may have paid twice.
"""

from portal.lifecycle import Lifecycle

CREATED = "CREATED"
STARTING = "STARTING"
AWAITING_INVESTOR = "AWAITING_INVESTOR"
DEBITED = "DEBITED"
TRANSFERRED = "TRANSFERRED"
SETTLED = "SETTLED"
FAILED = "FAILED"
EXPIRED = "EXPIRED"

PAYMENT = Lifecycle(
    {
        CREATED: (STARTING, FAILED),
        STARTING: (AWAITING_INVESTOR, FAILED),
        AWAITING_INVESTOR: (DEBITED, FAILED, EXPIRED),
        DEBITED: (TRANSFERRED, FAILED),
        TRANSFERRED: (SETTLED, FAILED),
        SETTLED: (),
        FAILED: (),
        EXPIRED: (),
    }
)
# Something is still expected of these.
OPEN = (CREATED, STARTING, AWAITING_INVESTOR, DEBITED, TRANSFERRED)
COLLECTED = (DEBITED, TRANSFERRED, SETTLED)
