"""The lives of orders, as data: fund purchases, redemptions and SIPs; baskets, and orders in shares.

A purchase, gateway RTA (the registrar takes the order once the money is on its way):

    CREATED -> SUBMITTING -> AWAITING_PAYMENT -> PAID -> PLACED -> ALLOTTED -> REVERSED
        \\          \\               \\           \\        \\
         +----------+---------------+-----------+--------+--> REJECTED
         +----------+---------------+----------------------> CANCELLED
                                    +----------------------> EXPIRED

Gateway BSE takes the order first and the money after it: SUBMITTING -> PLACED -> AWAITING_PAYMENT -> PAID -> ALLOTTED.

A redemption (either gateway):

    CREATED -> SUBMITTING -> PLACED -> REDEEMED -> REVERSED
         every state before REDEEMED -> REJECTED; CREATED, SUBMITTING, PLACED -> CANCELLED

A SIP (its instalments are purchases of their own, made by FP):

    CREATED -> SUBMITTING -> ACTIVE -> COMPLETED
         CREATED, SUBMITTING -> FAILED; any state before COMPLETED -> CANCELLED

A change of a SIP (skip a date, another mandate, end it):

    CREATED -> SUBMITTING -> DONE        FAILED before DONE

A basket is DRAFT -> PUBLISHED -> ARCHIVED. A basket order and each of its shares:

    CREATED -> HANDED_OVER -> PLACED -> COMPLETE        CANCELLED and EXPIRED before COMPLETE
    PENDING -> PLACED -> PARTLY_FILLED -> FILLED        REJECTED and CANCELLED before FILLED

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
REDEEMED = "REDEEMED"
ACTIVE = "ACTIVE"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
DONE = "DONE"
DRAFT = "DRAFT"
PUBLISHED = "PUBLISHED"
ARCHIVED = "ARCHIVED"
HANDED_OVER = "HANDED_OVER"
COMPLETE = "COMPLETE"
PENDING = "PENDING"
PARTLY_FILLED = "PARTLY_FILLED"
FILLED = "FILLED"

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

REDEMPTION = Lifecycle(
    {
        CREATED: (SUBMITTING, REJECTED, CANCELLED),
        SUBMITTING: (PLACED, REJECTED, CANCELLED),
        PLACED: (REDEEMED, REJECTED, CANCELLED),
        REDEEMED: (REVERSED,),
        REJECTED: (),
        CANCELLED: (),
        REVERSED: (),
    }
)

PLAN = Lifecycle(
    {
        CREATED: (SUBMITTING, CANCELLED, FAILED),
        SUBMITTING: (ACTIVE, CANCELLED, FAILED),
        ACTIVE: (COMPLETED, CANCELLED),
        COMPLETED: (),
        CANCELLED: (),
        FAILED: (),
    }
)

PLAN_CHANGE = Lifecycle({CREATED: (SUBMITTING, DONE, FAILED), SUBMITTING: (DONE, FAILED), DONE: (), FAILED: ()})

BASKET = Lifecycle({DRAFT: (PUBLISHED, ARCHIVED), PUBLISHED: (ARCHIVED,), ARCHIVED: ()})

BASKET_ORDER = Lifecycle(
    {
        CREATED: (HANDED_OVER, CANCELLED, EXPIRED),
        HANDED_OVER: (PLACED, CANCELLED, EXPIRED),
        PLACED: (COMPLETE, CANCELLED, EXPIRED),
        COMPLETE: (),
        CANCELLED: (),
        EXPIRED: (),
    }
)

STOCK_ORDER = Lifecycle(
    {
        PENDING: (PLACED, REJECTED, CANCELLED),
        PLACED: (PARTLY_FILLED, FILLED, REJECTED, CANCELLED),
        PARTLY_FILLED: (FILLED, REJECTED, CANCELLED),
        FILLED: (),
        REJECTED: (),
        CANCELLED: (),
    }
)


def table_of(kind: str, gateway: str) -> Lifecycle:
    """The table of an order: switches are read from FP only and move like redemptions."""
    return PURCHASE[gateway] if kind == "PURCHASE" else REDEMPTION


def is_paid_after_placing(kind: str, gateway: str) -> bool:
    """Does the money of such an order follow once the exchange has it?"""
    return kind == "PURCHASE" and PURCHASE[gateway].allows(PLACED, AWAITING_PAYMENT)


OPEN = (CREATED, SUBMITTING, AWAITING_PAYMENT, PAID, PLACED)
# The state in which an order has done what it was for, by kind.
THROUGH = {"PURCHASE": ALLOTTED, "REDEMPTION": REDEEMED, "SWITCH_IN": REDEEMED, "SWITCH_OUT": REDEEMED}
