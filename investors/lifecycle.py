"""The lives of a registration, a KYC request, a mandate and a change of details.

A registration

    DRAFT --(reviewed and confirmed)--> REGISTERING --(investor and investment account exist at FP)--> READY

REGISTERING carries attempts: while the outcome of one is unknown, the row keeps its state and is looked up by
PAN. When FP refuses, the row stays REGISTERING with `refusal` set: the investor corrects the fields that
FP named and confirms again, which is a new attempt and no step back.

A KYC request

    DRAFT --(FP has the essential fields)--> PENDING --(nothing is missing)--> SUBMITTED --> SUCCESSFUL | REJECTED
    DRAFT | PENDING --(not completed in time)--> EXPIRED

    A rejected or expired one is followed by a new request that points back at it.

A mandate

    CREATED --> AWAITING_INVESTOR --(e-mandate authorised, form sent in)--> SUBMITTED --> APPROVED --> CANCELLED
    any state before APPROVED --> REJECTED | CANCELLED

A change of details

    ASKED --(one-time code)--> COOLING --> CHECKING --(second person)--> SENDING --(FP has it)--> DONE
    COOLING and CHECKING are skipped where the table of `investors/changes.py` does not ask for them.
    Until it is sent it may be WITHDRAWN by the investor or REFUSED by us.

A copy of one's data, and the wish to be forgotten

    ASKED --> MADE --(some days later)--> GONE
    HELD --(the term of the law is over)--> DONE;  HELD --> WITHDRAWN

A transfer to another partner

    WAITING --(fifteen days, the investor's yes and no objection)--> DONE
    WAITING --(fifteen days, and a second person in place of the yes)--> DONE
    WAITING --(the partner objects)--> OBJECTED --(a second person)--> DONE
    Until it is done the investor, or staff, may have it STOPPED.
"""

from portal.lifecycle import Lifecycle

DRAFT = "DRAFT"
REGISTERING = "REGISTERING"
READY = "READY"

REGISTRATION = Lifecycle({DRAFT: (REGISTERING,), REGISTERING: (READY,), READY: ()})

PENDING = "PENDING"
SUBMITTED = "SUBMITTED"
SUCCESSFUL = "SUCCESSFUL"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"

KYC_REQUEST = Lifecycle(
    {
        DRAFT: (PENDING, EXPIRED),
        PENDING: (SUBMITTED, EXPIRED),
        SUBMITTED: (SUCCESSFUL, REJECTED),
        SUCCESSFUL: (),
        REJECTED: (),
        EXPIRED: (),
    }
)

CREATED = "CREATED"
AWAITING_INVESTOR = "AWAITING_INVESTOR"
APPROVED = "APPROVED"
CANCELLED = "CANCELLED"

MANDATE = Lifecycle(
    {
        CREATED: (AWAITING_INVESTOR, SUBMITTED, REJECTED, CANCELLED),
        AWAITING_INVESTOR: (SUBMITTED, REJECTED, CANCELLED),
        SUBMITTED: (APPROVED, REJECTED, CANCELLED),
        APPROVED: (CANCELLED,),
        REJECTED: (),
        CANCELLED: (),
    }
)

ASKED = "ASKED"
COOLING = "COOLING"
CHECKING = "CHECKING"
SENDING = "SENDING"
DONE = "DONE"
WITHDRAWN = "WITHDRAWN"
REFUSED = "REFUSED"

CHANGE = Lifecycle(
    {
        ASKED: (COOLING, CHECKING, SENDING, WITHDRAWN, REFUSED),
        COOLING: (CHECKING, SENDING, WITHDRAWN, REFUSED),
        CHECKING: (SENDING, WITHDRAWN, REFUSED),
        SENDING: (DONE, REFUSED),
        DONE: (),
        WITHDRAWN: (),
        REFUSED: (),
    }
)

MADE = "MADE"
GONE = "GONE"
HELD = "HELD"

EXPORT = Lifecycle({ASKED: (MADE,), MADE: (GONE,), GONE: ()})
ERASURE = Lifecycle({HELD: (DONE, WITHDRAWN), DONE: (), WITHDRAWN: ()})

WAITING = "WAITING"
OBJECTED = "OBJECTED"
STOPPED = "STOPPED"

TRANSFER = Lifecycle({WAITING: (OBJECTED, DONE, STOPPED), OBJECTED: (DONE, STOPPED), DONE: (), STOPPED: ()})
