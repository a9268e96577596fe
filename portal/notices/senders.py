"""The ways out: each takes a notice and sends it, or says that nothing left this machine (`NotSent`).

A provider of text messages is named by SMS_SENDER, a dotted path to a class with `send(to, text)`. Without one there is
no such channel; in the sandbox messages lie in the outbox beside the mails.
"""

from __future__ import annotations

import smtplib
from functools import cache
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

from portal.errors import Failure
from portal.notices import catalogue
from portal.notices.catalogue import EMAIL, SMS
from portal.notices.models import Notice


class NotSent(Failure):
    """Nothing was sent; it may be tried again."""

    code = "not_sent"
    message = "The message was not sent."


class Sender(Protocol):
    """One channel."""

    def send(self, notice: Notice) -> None:
        """The message is with whoever carries it. Raises NotSent when certainly nothing was taken."""


# The server's own words that it took nothing; whatever else goes wrong once it is reached may be after it has.
_NOTHING_TAKEN = (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class Email:
    """Text and HTML by Django's mail settings."""

    def send(self, notice: Notice) -> None:
        """See `Sender`."""
        text, html = written(notice)
        mail = EmailMultiAlternatives(notice.title, text, settings.DEFAULT_FROM_EMAIL, [notice.user.email])
        mail.attach_alternative(html, "text/html")
        with _reached() as server:
            mail.connection = server
            try:
                mail.send()
            except _NOTHING_TAKEN as error:
                raise NotSent(type(error).__name__) from error


def written(notice: Notice) -> tuple[str, str]:
    """The mail of a notice as text and as HTML: what is sent, and what whoever approves it looks at."""
    link_words = catalogue.event(notice.event).link if catalogue.has(notice.event) else catalogue.Event.link
    facts = {
        "notice": notice,
        "brand": settings.BRAND,
        "link": settings.PUBLIC_URL + notice.url,
        "link_words": link_words,
    }
    return render_to_string("email/notice.txt", facts), render_to_string("email/notice.html", facts)


def _reached() -> BaseEmailBackend:
    """The mail server, with a connection open. Raises NotSent: a server that cannot be reached takes nothing."""
    server: BaseEmailBackend = get_connection()
    try:
        server.open()
    except OSError as error:
        raise NotSent(type(error).__name__) from error
    return server


class Sms:
    """A short text by the provider that settings name."""

    def send(self, notice: Notice) -> None:
        """See `Sender`."""
        if not notice.user.mobile:
            raise NotSent("no mobile number")
        import_string(settings.SMS_SENDER)().send(notice.user.mobile, f"{notice.title}. {settings.BRAND['name']}")


class SmsInOutbox:
    """The sandbox's provider of text messages: they lie in the outbox."""

    def send(self, to: str, text: str) -> None:
        """Write it where the outbox page looks."""
        backend = EmailBackend(file_path=str(settings.OUTBOX_DIR))
        mail = EmailMultiAlternatives("SMS", text, settings.DEFAULT_FROM_EMAIL, [f"{to}@sms.invalid"])
        backend.send_messages([mail])


@cache
def of(channel: str) -> Sender:
    """The sender of a channel. Raises KeyError for one that does not exist here."""
    known: dict[str, type[Sender]] = {EMAIL: Email, SMS: Sms}
    return known[channel]()


def has(channel: str) -> bool:
    """Can anything be sent by this channel here?"""
    return channel == EMAIL or bool(settings.SMS_SENDER)
