"""The sandbox's outbox: every e-mail that the product sent, newest first. In live mode there is no such page."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal import clock
from portal.access import access

SHOWN = 50
# Django's file backend writes this line after each message.
_SEPARATOR = b"-" * 79


@dataclass(frozen=True)
class Mail:
    """One message as text."""

    to: str
    subject: str
    text: str
    sent_at: datetime | None


def mails(*, to: str = "", limit: int = SHOWN) -> list[Mail]:
    """The newest messages, newest first; `to` keeps those of one address."""
    found: list[Mail] = []
    for path in sorted(_files(), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        for raw in reversed(path.read_bytes().split(_SEPARATOR)):
            if raw.strip():
                found.append(_read(raw.lstrip(b"\r\n")))
        if not to and len(found) >= limit:
            break
    return [mail for mail in found if to.lower() in mail.to.lower()][:limit]


def _files() -> list[Path]:
    folder = Path(settings.EMAIL_FILE_PATH)
    return list(folder.glob("*.log")) if folder.is_dir() else []


def _read(raw: bytes) -> Mail:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy makes EmailMessage")
    body = message.get_body(("plain", "html"))
    return Mail(
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=body.get_content().strip() if body else "",
        sent_at=_moment(str(message["Date"] or "")),
    )


def _moment(date: str) -> datetime | None:
    """Django writes the zone as -0000: universal time, from nowhere in particular."""
    if not date:
        return None
    moment = parsedate_to_datetime(date)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(clock.IST)


@access("anyone, in the sandbox only: its mails go to made-up people, and a newcomer needs their codes")
@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Shows the newest messages; 404 outside the sandbox. `?to=` keeps those of one address."""
    if not settings.SANDBOX:
        raise Http404
    to = request.GET.get("to", "").strip()[:254]
    return render(request, "portal/outbox.html", {"mails": mails(to=to), "to": to, "shown": SHOWN})
