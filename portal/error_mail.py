"""What the people in ERROR_MAILS_TO read when something broke: where, and the redacted traceback.

Django's own mail carries what was posted, cookies, settings and the values of variables. Ours carries none of them: it
is the line of the log, made by the same formatter, so that whatever the log hides is hidden here too. A place in the
code is told about once a minute by each process: an outage is no flood. Nothing here needs the database or the cache,
which may be what broke.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.core.mail import EmailMessage

QUIET_S = 60.0
MOST_PLACES = 500


class ErrorMail(logging.Handler):
    """For LOGGING. Trouble with the mail server breaks nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, unless the same place has just been told about."""
        if not settings.ERROR_MAILS_TO or not self._is_news(_place(record)):
            return
        subject = f"{settings.BRAND['name']}: {record.levelname.lower()} in {record.name}"
        try:
            EmailMessage(subject, self.format(record), to=settings.ERROR_MAILS_TO).send()
        except Exception:  # noqa: BLE001 - whatever keeps a mail from leaving must not end what was being done
            self.handleError(record)

    def _is_news(self, place: str) -> bool:
        now = time.monotonic()
        if now - self._told.get(place, -QUIET_S) < QUIET_S:
            return False
        if len(self._told) >= MOST_PLACES:
            self._told.clear()
        self._told[place] = now
        return True


def _place(record: logging.LogRecord) -> str:
    """Where it happened: the line of code that raised, or that logged."""
    if record.exc_info and (trace := record.exc_info[2]):
        while trace.tb_next:
            trace = trace.tb_next
        return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{record.pathname}:{record.lineno}"
