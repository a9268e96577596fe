"""Consents: an investor's yes to exactly what was shown, proved by a one-time code.

    ask     what was shown is written down with its digest; a code of six digits goes to the investor by e-mail
    resend  a new code for the same thing; the old one is worth nothing from then on
    give    the right code within its life and within five tries, however often it was sent again
    close   what it was about was taken back before: no code counts any more

Source of the rule: SEBI circular of 30 Sep 2022 on two-factor authentication for mutual-fund transactions.

The row holds an HMAC of the code under the server's secret, mixed with the row's own code and with the
digest of what was shown: without the secret it cannot be guessed from the database, and on another row,
or after a change of what was shown, it does not match. Five tries at a million codes make the odds of a
guess one in 200,000 per operation, so a resend gives no new tries.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import smtplib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare, salted_hmac

from investors.models import Consent, Investor
from investors.operations import family
from portal import audit, logins, money
from portal.errors import Failure
from portal.models import User

log = structlog.get_logger(__name__)

LIFE = timedelta(minutes=10)
WINDOW = timedelta(hours=1)
# First message included: the sixth within an hour is refused.
MESSAGES_PER_CONSENT = 6
CONSENTS_PER_INVESTOR = 20
_OTP = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Terms:
    """What a consent is about."""

    purpose: str
    shown: dict[str, str]
    amount: Decimal | None
    isin: str
    folio_number: str
    units: Decimal | None = None

    @classmethod
    def of(cls, consent: Consent) -> Terms:
        """What the row says now."""
        return cls(consent.purpose, consent.shown, consent.amount, consent.isin, consent.folio_number, consent.units)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON; rupees always with two decimals, units with three."""
        amount = None if self.amount is None else f"{self.amount:.2f}"
        plain = {**asdict(self), "purpose": str(self.purpose), "amount": amount}
        if plain.pop("units") is not None:
            plain["units"] = f"{self.units:.3f}"
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class WrongCode(Failure):
    """Raised for a code that does not match; the try is counted."""

    code = "wrong_code"
    message = "That code does not match. Check the newest message from us; nothing was ordered."


class CodeExpired(Failure):
    """Raised after ten minutes. A new code can be asked for."""

    code = "code_expired"
    message = "This code has expired. Ask for a new one; nothing was ordered."


class TooManyTries(Failure):
    """Raised after five wrong codes: this consent is closed for good, the form begins again."""

    code = "too_many_tries"
    message = "Five codes did not match, so this confirmation is closed. Nothing was ordered. Please start again."


class Closed(Failure):
    """Raised once what it was about was taken back (`close`)."""

    code = "consent_closed"
    message = "What this confirmed was taken back before you confirmed it. Nothing was done, and no money moved."


class TooManyMessages(Failure):
    """Raised when an investor asks for more codes than anybody needs."""

    code = "too_many_messages"
    message = "We have sent many codes in the last hour. Please use the newest, or try again in an hour."


class AlreadyGiven(Failure):
    """Raised when a confirmed form comes back with other contents: what was confirmed is never exchanged."""

    code = "already_given"
    message = "You have already confirmed this form with other details. Please start a new one."


def ask(
    *,
    investor: Investor,
    purpose: str,
    form_ref: str,
    shown: dict[str, str],
    amount: Decimal | None,
    isin: str,
    folio_number: str,
    ip: str | None,
    at: datetime,
    units: Decimal | None = None,
) -> Consent:
    """A consent to exactly this stands open and its code is on the way to the investor.

    The same form asks once: a second call returns the same consent and sends nothing, unless the code has
    expired or the contents have changed, which voids the old code. `shown` is label -> text as on the
    page; it is repeated in the message. `sent_at` stays empty when the message could not be handed over:
    offer `resend`. Raises family.CameOfAge, AlreadyGiven, Closed, TooManyTries, TooManyMessages.
    """
    family.refuse_grown(investor, at)
    terms = Terms(purpose, {**_for_whom(investor), **shown}, amount, isin, folio_number, units)
    with transaction.atomic(durable=True):
        _lock(investor)
        consent = Consent.objects.select_for_update().filter(investor=investor, form_ref=form_ref).first()
        if consent is None:
            consent = _open(investor, form_ref, terms, ip, at)
        elif not _needs_a_new_code(consent, terms.digest, at):
            return consent
        _bind(consent, terms, at)
        _issue(consent, investor, at)
    return consent


def _for_whom(investor: Investor) -> dict[str, str]:
    """A guardian reads on every page and in every message for whom it is."""
    if not investor.is_minor:
        return {}
    return {"For": f"{investor.name}, by the guardian {investor.guardian_name}"}


def resend(*, consent: Consent, at: datetime) -> Consent:
    """A new code is on the way for the same consent; tries are kept. Raises Closed, TooManyTries, TooManyMessages."""
    with transaction.atomic(durable=True):
        consent = Consent.objects.select_for_update(of=("self",)).select_related("investor__user").get(pk=consent.pk)
        if consent.given_at is None:
            _refuse_spent(consent)
            _issue(consent, consent.investor, at)
    return consent


def give(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> Consent:
    """The investor has said yes. A consent that is already given is returned as it is.

    Every well-formed try is counted in a transaction of its own, so that it stays counted when it fails.
    Raises Closed, WrongCode, CodeExpired, TooManyTries, and Consent.DoesNotExist for somebody else's consent.
    """
    with transaction.atomic(durable=True):
        consent = lock(investor=investor, code=code)
        failure = take(consent=consent, otp=otp, ip=ip, at=at)
    if failure:
        raise failure
    return consent


def lock(*, investor: Investor, code: str, **about: str) -> Consent:
    """The investor's consent, locked until the end of the transaction, with its order beside it if there is one.

    `about` narrows it down: `purpose="REDEMPTION"`. Raises Consent.DoesNotExist.
    """
    consent = Consent.objects.select_for_update().get(investor=investor, code=code, **about)
    if consent.given_at:
        # Read after the wait for the lock: the first of two clicks may have made the order meanwhile.
        consent = Consent.objects.select_related("order").get(pk=consent.pk)
    else:
        # The database lets no order be made of a consent that is not given (orders, migration 0002).
        Consent._meta.get_field("order").set_cached_value(consent, None)
    consent.investor = investor
    return consent


def take(*, consent: Consent, otp: object, ip: str | None, at: datetime) -> Failure | None:
    """One try at a locked consent, counted. Returns the failure instead of raising it.

    For operations that act on the yes in the same transaction: they must commit the counted try before they raise.
    """
    if consent.given_at:
        return None
    try:
        family.refuse_grown(consent.investor, at)
    except family.CameOfAge as grown:
        return grown
    return _try(consent, otp, ip, at)


def close(*, keys: Iterable[int], actor: User | str | None, at: datetime) -> None:
    """Nobody can say yes to these any more, whatever code they have; what was given before stays given."""
    with transaction.atomic():
        for consent in Consent.objects.select_for_update().filter(pk__in=keys, given_at=None, closed_at=None):
            Consent.objects.filter(pk=consent.pk).update(closed_at=at)
            audit.record(consent, "consent.closed", actor=actor, at=at)


# --- one try ----------------------------------------------------------------------------------------------


def _try(consent: Consent, otp: object, ip: str | None, at: datetime) -> Failure | None:
    if consent.closed_at:
        return Closed()
    if consent.tries >= Consent.MAX_TRIES:
        return TooManyTries()
    if at >= consent.expires_at:
        return CodeExpired()
    if not isinstance(otp, str) or not _OTP.fullmatch(typed := re.sub(r"[\s-]", "", otp)):
        return WrongCode("The code has six digits. Nothing was ordered.")
    consent.tries += 1
    actor = _actor(consent)
    if _matches(consent, typed):
        consent.given_at, consent.given_ip = at, ip
        consent.save(update_fields=["tries", "given_at", "given_ip"])
        audit.record(consent, "consent.given", actor=actor, at=at, digest=consent.digest, ip=ip)
        return None
    consent.save(update_fields=["tries"])
    audit.record(consent, "consent.wrong_code", actor=actor, at=at, tries=consent.tries, ip=ip)
    return _wrong(Consent.MAX_TRIES - consent.tries)


def _wrong(left: int) -> Failure:
    if left == 0:
        return TooManyTries()
    tries = "one try" if left == 1 else f"{left} tries"
    return WrongCode(f"{WrongCode.message} You have {tries} left.")


def _matches(consent: Consent, otp: str) -> bool:
    """Constant in time; false as well when what was shown is no longer what was asked about."""
    same_terms = constant_time_compare(Terms.of(consent).digest, consent.digest)
    return constant_time_compare(_hash(consent, otp), consent.otp_hash) and same_terms


def _hash(consent: Consent, otp: str) -> str:
    return salted_hmac("investors.consent", f"{consent.code}:{consent.digest}:{otp}", algorithm="sha256").hexdigest()


# --- asking -----------------------------------------------------------------------------------------------


def _lock(investor: Investor) -> None:
    """One asking at a time per investor: a double click finds the first click's consent."""
    Investor.objects.select_for_update().only("pk").get(pk=investor.pk)


def _open(investor: Investor, form_ref: str, terms: Terms, ip: str | None, at: datetime) -> Consent:
    if Consent.objects.filter(investor=investor, asked_at__gt=at - WINDOW).count() >= CONSENTS_PER_INVESTOR:
        raise TooManyMessages
    consent = Consent(
        investor=investor,
        form_ref=form_ref,
        ip=ip,
        asked_at=at,
        expires_at=at + LIFE,
        contact=_address(investor, terms.shown),
        **asdict(terms),
    )
    consent.save()
    audit.record(
        consent,
        "consent.asked",
        actor=_actor(consent),
        at=at,
        purpose=str(consent.purpose),
        amount=consent.amount,
        ip=ip,
    )
    return consent


def _needs_a_new_code(consent: Consent, digest: str, at: datetime) -> bool:
    changed = not constant_time_compare(consent.digest, digest)
    if consent.given_at is not None:
        if changed:
            raise AlreadyGiven
        return False
    _refuse_spent(consent)
    return changed or at >= consent.expires_at


def _refuse_spent(consent: Consent) -> None:
    if consent.closed_at:
        raise Closed
    if consent.tries >= Consent.MAX_TRIES:
        raise TooManyTries


def _bind(consent: Consent, terms: Terms, at: datetime) -> None:
    """The row says what is consented to; changed contents leave a trace of the old digest."""
    before = consent.digest
    for name, value in asdict(terms).items():
        setattr(consent, name, value)
    consent.digest = terms.digest
    if before and before != consent.digest:
        audit.record(consent, "consent.changed", actor=_actor(consent), at=at, before=before, after=consent.digest)


def _issue(consent: Consent, investor: Investor, at: datetime) -> None:
    """A fresh code lies on the row, hashed, and leaves by e-mail once the transaction has committed."""
    sent = audit.entries_of(consent).filter(action="consent.code_issued", at__gt=at - WINDOW).count()
    if sent >= MESSAGES_PER_CONSENT:
        raise TooManyMessages
    otp = f"{secrets.randbelow(1_000_000):06d}"
    consent.expires_at, consent.sent_at = at + LIFE, None
    consent.contact = _address(investor, consent.shown)
    consent.otp_hash = _hash(consent, otp)
    consent.save()
    audit.record(consent, "consent.code_issued", actor=_actor(consent), at=at, digest=consent.digest)
    transaction.on_commit(_sender(consent, otp, at))


def _address(investor: Investor, shown: dict[str, str]) -> str:
    """Codes go to the login's address, except the one by which a new address proves itself (`to` in what was shown)."""
    return shown.get("to") or investor.user.email


def _sender(consent: Consent, otp: str, at: datetime) -> Callable[[], None]:
    """What hands the code to the mail server: after the commit, and its failure breaks nothing."""

    def send() -> None:
        try:
            _message(consent, otp).send()
        except (smtplib.SMTPException, OSError) as error:
            log.warning("consent_code_not_sent", consent=consent.pk, error=type(error).__name__)
            return
        # Only where this code is still the one on the row: a second resend may have overtaken us.
        Consent.objects.filter(pk=consent.pk, otp_hash=consent.otp_hash).update(sent_at=at)
        consent.sent_at = at

    return send


def _message(consent: Consent, otp: str) -> EmailMessage:
    if "to" in consent.shown and logins.is_taken(consent.contact, by_other_than=consent.investor.user_id):
        return _already_known(consent)
    what = f" for {money.rupees(consent.amount)}" if consent.amount is not None else ""
    context = {
        "consent": consent,
        "otp": otp,
        "minutes": int(LIFE.total_seconds() // 60),
        "brand": settings.BRAND,
    }
    return EmailMessage(
        subject=f"Your code to {consent.get_purpose_display()}{what}",
        body=render_to_string("email/investors_code.txt", context),
        to=[consent.contact],
    )


def _already_known(consent: Consent) -> EmailMessage:
    """Its owner hears that it cannot serve twice. Whoever asked sees the same page as ever and gets no code."""
    body = render_to_string("email/investors_address_known.txt", {"brand": settings.BRAND})
    return EmailMessage(subject="Your email address was entered in another account", body=body, to=[consent.contact])


def _actor(consent: Consent) -> str:
    return f"user:{consent.investor.user_id}"
