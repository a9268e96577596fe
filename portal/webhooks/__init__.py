"""What partners are told: an event per change of a state, a feed of them without gaps, and signed webhooks.

    change of a state           a trigger of its table writes the event, in the same transaction
    commit                      the event takes the partner's next number and is linked to the one before it
                                (deferred trigger, under one lock), and is put down for each endpoint that asked for it
    sweep, or a nudge           `deliveries.drain`: one endpoint, one worker; what fails comes back by the schedule
    the partner's own pace      `feed`: events after a cursor, counts and hashes by day

Numbers are given in the order of commits and while the lock is held, so a reader who has seen number n has seen every
number before it: nothing is lost behind a cursor, nothing changes places, nothing is missing between two numbers.

Modules: `models` rows; `feed` reads; `signing` the Standard Webhooks signature; `addresses` whom we may speak to;
`posting` one try on the network; `deliveries` the queue; `endpoints` what a partner sets up.
"""
