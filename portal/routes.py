"""Which handler works which inbound event. Wiring: may name every app, imported by `portal/urls.py` and the workers."""

from brokers import events as broker_events
from investors import events as investor_events
from payments import events as payment_events
from portal import inbox

inbox.handles("fp", "payment_return", payment_events.payment_returned)
inbox.handles("fp", "mandate_return", investor_events.mandate_returned)
inbox.handles("smallcase", "notice", broker_events.smallcase_notified)
inbox.handles("odin", "notice", broker_events.odin_notified)
