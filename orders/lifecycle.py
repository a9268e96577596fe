"""The life of a mutual-fund purchase, as data.

Gateway RTA (the registrar takes the order once the money is on its way):

    CREATED -> SUBMITTING -> AWAITING_PAYMENT -> PAID -> PLACED -> ALLOTTED -> REVERSED
        \\          \\               \\           \\        \\
         +----------+---------------+-----------+--------+--> REJECTED
         +----------+---------------+----------------------> CANCELLED
                                    +----------------------> EXPIRED

Gateway BSE takes the order first and the money after it: SUBMITTING -> PLACED -> AWAITING_PAYMENT -> PAID -> ALLOTTED.

What the investor reads for each state stands in `orders/words.py`. SUBMITTING with an attempt whose outcome is unknown
is shown as "we are checking, do not buy again".
"""

from portal.lifecycle import Lifecycle

CREATED = "CREATED"
SUBMITTING = "SUBMITTING"
AWAITING_PAYMENT = "AWAITING_PAYMENT"
PAID = "PAID"
PLACED = "PLACED"
ALLOTTED = "ALLOTTED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
CANCELLED = "CANCELLED"
REVERSED = "REVERSED"

_ENDS = {ALLOTTED: (REVERSED,), REJECTED: (), EXPIRED: (), CANCELLED: (), REVERSED: ()}

PURCHASE = {
    "RTA": Lifecycle(
        {
            CREATED: (SUBMITTING, REJECTED, CANCELLED),
            SUBMITTING: (AWAITING_PAYMENT, REJECTED, CANCELLED),
            AWAITING_PAYMENT: (PAID, REJECTED, EXPIRED, CANCELLED),
            PAID: (PLACED, REJECTED),
            PLACED: (ALLOTTED, REJECTED),
            **_ENDS,
        }
    ),
    "BSE": Lifecycle(
        {
            CREATED: (SUBMITTING, REJECTED, CANCELLED),
            SUBMITTING: (PLACED, REJECTED, CANCELLED),
            PLACED: (AWAITING_PAYMENT, REJECTED, CANCELLED),
            AWAITING_PAYMENT: (PAID, REJECTED, EXPIRED, CANCELLED),
            PAID: (ALLOTTED, REJECTED),
            **_ENDS,
        }
    ),
}

OPEN = (CREATED, SUBMITTING, AWAITING_PAYMENT, PAID, PLACED)
