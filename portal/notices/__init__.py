"""Telling people: one home for every message about what happened to what is theirs.

    an operation   `writing.tell(...)` inside the transaction that makes the thing true: one row, once for ever
    the centre     shows the row (`/notices/`); the bell counts what was not read
    a delivery     one row per channel (e-mail, SMS), sent by a worker, at most once; operations see how it fared

What can be said stands in each app as data (`Event`, registered in `catalogue.py`); a person chooses per event and
channel, except for what must be sent. Codes and sign-in mails are not notices: they belong to the act that asks.
"""
