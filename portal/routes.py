"""Which handler works which inbound event. Wiring: may name every app, imported by `portal/urls.py` only."""
