"""The life of an investor's registration.

    DRAFT --(reviewed and confirmed)--> REGISTERING --(investor and investment account exist at FP)--> READY

REGISTERING carries attempts: while the outcome of one is unknown, the row keeps its state and is looked up by
PAN. When FP refuses, the row stays REGISTERING with `refusal` set: the investor corrects the fields that
FP named and confirms again, which is a new attempt and no step back.
"""

from portal.lifecycle import Lifecycle

DRAFT = "DRAFT"
REGISTERING = "REGISTERING"
READY = "READY"

REGISTRATION = Lifecycle({DRAFT: (REGISTERING,), REGISTERING: (READY,), READY: ()})
