"""Which handler works which inbound event. Wiring: may name every app, imported by `portal/urls.py` and the workers."""

from payments import events as payment_events
from portal import inbox

inbox.handles("fp", "payment_return", payment_events.payment_returned)
