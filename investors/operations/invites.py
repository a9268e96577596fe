"""Invitations: staff, or staff for a partner, start an investor and send a signed link that works once.

    invite    what is known already is kept, encrypted; the link goes out by email
    resend    a new link, with its time begun afresh; the old one is worth nothing from then on
    revoke    the link is worth nothing
    accept    whoever signed in with the address it was sent to takes it, once

The link carries a random secret with our signature; the row holds a hash of the secret. Nothing here or on the pages
tells whether an address is a client's: the message, the answers and their statuses are the same, and whoever follows a
link that cannot be used reads one and the same page, whatever the cause.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import smtplib
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.urls import reverse

from investors import lifecycle, provenance
from investors.models import Investor, Invite
from investors.operations import onboarding
from portal import arns, audit, euins, jobs
from portal.api import leaving
from portal.api.leaving import Leaving, Why
from portal.errors import Failure
from portal.models import Partner, User
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)
LIFE = timedelta(days=7)
# Whoever was to send a link has done so by then, or is no more.
GRACE = timedelta(minutes=2)
# A link is sent again at most so often; more would be pestering.
MOST_MESSAGES = 5
# An invitation that nobody took up is about somebody who is no client: so long it may still be asked about.
KEPT_UNUSED = timedelta(days=90)
FORGOTTEN = {"email": "erased@example.invalid", "name": "", "filled": "", "basis": ""}
SIGNER = signing.Signer(salt="investors.invite")
Filled = Mapping[str, Mapping[str, str]]


class AlreadyInvited(Failure):
    """An invitation of this address, for the same partner, is open."""

    code = "already_invited"
    message = "An invitation to this address is open already. Send it again, or withdraw it first."


class Closed(Failure):
    """The invitation was used or withdrawn."""

    code = "invite_closed"
    message = "This invitation was used or withdrawn. Nothing was changed; a new one can be made."


class JustSent(Failure):
    """Another message went out since whoever asks for one has looked: a button was pressed twice, or in two tabs."""

    code = "invite_just_sent"
    message = "It was sent again already since this page was shown. No further message was sent."


class TooManyMessages(Failure):
    """Five messages went there, by one invitation or by several within a week."""

    code = "too_many_invites"
    message = "Five messages went to this address already. Please call, or write again in a week."


class NotUsable(Failure):
    """The link cannot be used by whoever follows it. One text for every cause, so that it tells nobody anything."""

    code = "invite_not_usable"
    message = "This link cannot be used. It may have run out, or have been used or withdrawn."


def invite(
    *,
    email: str,
    name: str,
    filled: Filled,
    partner: Partner | None,
    euin: str,
    basis: str,
    actor: User | str,
    at: datetime,
) -> Invite:
    """An open invitation exists and its link is on the way. A machine acts by its name.

    Raises AlreadyInvited, TooManyMessages, ArnEnded for a partner whose registration has run out, and InvalidInput for
    an EUIN that is not good today.
    """
    if partner:
        arns.refuse_ended(partner, at.date())
    euins.refuse_bad(euin, at.date())
    if is_enough(email=email, partner=partner, at=at):
        raise TooManyMessages
    secret = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            row = Invite.objects.create(
                email=email.lower(),
                name=name,
                filled=json.dumps(filled) if filled else "",
                partner=partner,
                euin=euin,
                basis=basis[:300],
                invited_by=actor if isinstance(actor, User) else None,
                secret_hash=_hash(secret),
                created_at=at,
                expires_at=at + LIFE,
            )
            fields = [f"{slug}.{field}" for slug, texts in filled.items() for field in texts]
            audit.record(row, "invite.made", actor=actor, at=at, reason=basis, fields=fields, euin=euin)
    except IntegrityError as error:
        if "one_open_invite_per_address_and_partner" not in str(error):
            raise
        raise AlreadyInvited from None
    _hand_over(row, secret, actor, at)
    return row


def is_enough(*, email: str, partner: Partner | None, at: datetime) -> bool:
    """Were so many messages sent there that withdrawing and beginning another would be pestering too?"""
    lately = Invite.objects.filter(email=email.lower(), partner=partner, sent_at__gt=at - LIFE)
    return sum(lately.values_list("times_sent", flat=True)) >= MOST_MESSAGES


def resend(
    *, invite_id: int, actor: User | str, reason: str, at: datetime, was: datetime | str | None = None
) -> Invite:
    """A new link is on the way and lives from now on; the old one no longer works.

    `was` is the end of the link that whoever asks was looking at: every message begins its time anew. Raises Closed,
    JustSent, TooManyMessages, ArnEnded, and InvalidInput for an EUIN that is not good today.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = _locked(invite_id)
        if not is_open(row):
            raise Closed
        if was is not None and str(was) != str(row.expires_at):
            raise JustSent
        if row.times_sent >= MOST_MESSAGES:
            raise TooManyMessages
        if row.partner:
            arns.refuse_ended(row.partner, at.date())
        euins.refuse_bad(row.euin, at.date())
        row.secret_hash, row.expires_at = _hash(secret), at + LIFE
        row.save(update_fields=["secret_hash", "expires_at"])
        audit.record(row, "invite.sent_again", actor=actor, at=at, reason=reason)
    _hand_over(row, secret, actor, at)
    return row


def revoke(*, invite_id: int, actor: User | str, reason: str, at: datetime) -> Invite:
    """The link no longer works. Raises Closed."""
    with transaction.atomic():
        row = _locked(invite_id)
        if not is_open(row):
            raise Closed
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        audit.record(row, "invite.revoked", actor=actor, at=at, reason=reason)
    return row


@leaving.register
def end_all(over: Leaving) -> None:
    """The links of a firm that was stopped no longer work; of one whose API is closed, those that its machines sent.

    When an investor leaves, only what the firm sent to the addresses of that login.
    """
    if over.partner_id is None:
        return
    rows = Invite.objects.select_for_update().filter(partner=over.partner_id, used_at=None, revoked_at=None)
    if over.why == Why.CLOSED:
        rows = rows.filter(invited_by=None)
    if over.investor_id is not None:
        user_id = Investor.objects.values_list("user_id", flat=True).get(pk=over.investor_id)
        addresses = EmailAddress.objects.filter(user=user_id).values_list("email", flat=True)
        rows = rows.filter(email__in=[email.lower() for email in addresses])
    for row in rows.order_by("pk"):
        Invite.objects.filter(pk=row.pk).update(revoked_at=over.at)
        audit.record(row, "invite.revoked", actor=over.actor, at=over.at, reason=_ENDED[over.why])


# Why nobody comes by a link any more, for whoever looks at it afterwards.
_ENDED = {
    Why.LEFT: "The firm no longer looks after the investor of this address.",
    Why.STOPPED: "The firm no longer works with us.",
    Why.CLOSED: "The firm's API was closed.",
}


def forget_unused(*, at: datetime) -> int:
    """Who was invited long ago and never came is forgotten: what stays is that somebody was invited, and by whom.

    Source: Digital Personal Data Protection Act 2023, section 8(7). Returns how many.
    """
    over = Invite.objects.filter(used_at=None, expires_at__lte=at - KEPT_UNUSED).exclude(email=FORGOTTEN["email"])
    return over.update(**FORGOTTEN, revoked_at=Coalesce("revoked_at", Value(at)))


def found(token: str, *, at: datetime) -> Invite | None:
    """The open invitation of a link, if its signature holds and its time has not run out."""
    try:
        secret = SIGNER.unsign(token)
    except signing.BadSignature:
        return None
    return kept(_hash(secret), at=at)


def kept(secret_hash: str, *, at: datetime) -> Invite | None:
    """The same by the hash that a session keeps."""
    with scope(ALL):
        row = Invite.objects.filter(secret_hash=secret_hash).select_related("invited_by", "partner").first()
    return row if row and _can_be_used(row, at) else None


def _can_be_used(row: Invite, at: datetime) -> bool:
    """Nobody comes by a partner that was stopped, or whose ARN has ended; the link works again once it is renewed."""
    firm = row.partner
    brings = firm is None or (firm.is_active and not arns.has_ended(firm, at.date()))
    return is_open(row) and at < row.expires_at and brings


def may_take(row: Invite, user: User) -> bool:
    """Has this person proved that the address which was written to is theirs?"""
    return EmailAddress.objects.filter(user=user, email__iexact=row.email, verified=True).exists()


def accept(*, secret_hash: str, user: User, agreed: str, ip: str | None, at: datetime) -> Investor:
    """The person has an application with what was filled in waiting for them, and the link is used up.

    Somebody who invests here already keeps everything as it is. Raises NotUsable.
    """
    with scope(ALL), transaction.atomic():
        row = Invite.objects.select_for_update().filter(secret_hash=secret_hash).first()
        if row is None or not _can_be_used(row, at) or not may_take(row, user) or user.is_staff:
            raise NotUsable
        investor = onboarding.locked(onboarding.begin(user=user, at=at).pk)
        if investor.state == lifecycle.DRAFT:
            _belongs_to(investor, row)
            provenance.wait_for(investor, row, at)
        else:
            row.filled = ""  # nothing of it may stand in anybody's forms
        row.used_at, row.investor, row.agreed, row.agreed_ip = at, investor, agreed, ip
        row.save(update_fields=["used_at", "investor", "agreed", "agreed_ip", "filled"])
        audit.record(row, "invite.accepted", actor=user, at=at, investor=investor.code)
        audit.record(investor, "investor.accepted_invite", actor=user, at=at, invite=row.code, euin=row.euin)
    return investor


def _belongs_to(investor: Investor, row: Invite) -> None:
    """Partner and EUIN come together, from the first invitation that was accepted."""
    if investor.partner_id is None and not investor.euin:
        investor.partner_id, investor.euin = row.partner_id, row.euin
        investor.save(update_fields=["partner", "euin"])


def is_open(row: Invite) -> bool:
    """Neither used nor withdrawn; its time may have run out."""
    return row.used_at is None and row.revoked_at is None


def _locked(invite_id: int) -> Invite:
    return Invite.objects.select_for_update().get(pk=invite_id)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def unsent(*, at: datetime) -> list[int]:
    """Claims invitations whose message nobody has tried to send: the nudge was lost, or a process ended meanwhile.

    Asking for a message begins the link's time anew, here as well: so its end says when it was asked for, and a row
    comes back after `GRACE` and no sooner.
    """
    waiting = Invite.objects.filter(sent=Invite.Sent.NO, used_at=None, revoked_at=None, expires_at__gt=at)
    with transaction.atomic():
        late = (
            waiting.filter(expires_at__lte=at + LIFE - GRACE).order_by("expires_at").select_for_update(skip_locked=True)
        )
        found = list(late.values_list("pk", flat=True)[:100])
        Invite.objects.filter(pk__in=found).update(expires_at=at + LIFE)
    return found


def send(*, invite_id: int, at: datetime) -> None:
    """The message that was asked for is on the way; a second call sends nothing, also while the first is at it."""
    with jobs.alone(f"investors.send_invite:{invite_id}") as mine:
        if mine:
            _send_once(invite_id, at)


def _send_once(invite_id: int, at: datetime) -> None:
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = _locked(invite_id)
        if not is_open(row) or row.sent == Invite.Sent.YES or at >= row.expires_at:
            return
        row.secret_hash = _hash(secret)
        row.save(update_fields=["secret_hash"])
    _send(row, secret, at)


def _hand_over(row: Invite, secret: str, actor: User | str, at: datetime) -> None:
    """A person sees at once whether the mail server took it; a partner's call is one transaction, so a worker sends.

    The sweep sends what the worker was never told of (`unsent`)."""
    if isinstance(actor, User):
        _send(row, secret, at)
        return
    Invite.objects.filter(pk=row.pk).update(sent=Invite.Sent.NO)
    jobs.nudge("investors.send_invite", row_id=row.pk)


def _send(row: Invite, secret: str, at: datetime) -> None:
    """Hand the link to the mail server; whether it took it stands on the row."""
    link = settings.PUBLIC_URL + reverse("investors:invite_link", args=[SIGNER.sign(secret)])
    with scope(ALL):  # a partner's person may not look at the colleague who began it
        by = provenance.inviter(row)
    facts = {"brand": settings.BRAND, "name": row.name, "by": by, "link": link, "days": LIFE.days}
    try:
        body = render_to_string("email/investors_invite.txt", facts)
        send_mail(f"An invitation to {settings.BRAND['name']}", body, settings.DEFAULT_FROM_EMAIL, [row.email])
    except (OSError, smtplib.SMTPException) as error:
        log.warning("invite_not_sent", invite=row.code, error=type(error).__name__)
        row.sent = Invite.Sent.FAILED
    else:
        row.sent, row.sent_at = Invite.Sent.YES, at
        row.times_sent += 1
    row.save(update_fields=["sent", "sent_at", "times_sent"])
