"""Mandates as the investor gives and takes them back: prepare, confirm, hand over, cancel, try again.

What is said to FP about them: `mandate_sending`. Nothing that a browser brings back is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from investors import lifecycle, mandate_rules, merged_banks
from investors.models import BankAccount, Consent, Investor, Mandate
from investors.operations import consents
from investors.operations.mandate_sending import PACE_S, STILL_OPEN, locked, move_to, wants_a_page
from portal import audit, jobs, money
from portal.errors import Failure, InvalidInput
from portal.models import User

# A confirmation is acted on at once (reliability.md P30: single use, at most ten minutes).
CONSENT_LIFE = timedelta(minutes=10)
GIVE, CANCEL = "give", "cancel"
# What the investor reads before confirming, in the words of NPCI's own form about debits and taking back.
EXPLAINED = (
    "The bank may debit this account up to the limit each time, only for investments that I make here, until I cancel. "
    "I can cancel here or at my bank at any time."
)


class NotPossible(Failure):
    """The mandate takes no such step now."""

    code = "mandate_not_possible"
    message = "This mandate cannot be changed like that any more. Nothing was done."


class ConsentMissing(Failure):
    """The consent was given too long ago, or for something else."""

    code = "consent"
    message = "The confirmation has expired. Nothing was done; please start again."


@dataclass(frozen=True)
class Wish:
    """A mandate that may be given, checked and ready to be shown and confirmed."""

    bank_account: BankAccount
    kind: str
    limit: Decimal
    valid_from: date
    previous: Mandate | None = None


def prepare(
    *,
    investor: Investor,
    bank_account: BankAccount,
    kind: str,
    limit: Decimal,
    at: datetime,
    previous: Mandate | None = None,
) -> Wish:
    """Check a mandate against every rule we know. Raises InvalidInput at the field it belongs to, or NotPossible."""
    if reason := mandate_rules.why_not(settings.FP_ORDER_GATEWAY, kind):
        raise InvalidInput("kind", reason)
    mandate_rules.check_limit(limit)
    theirs = bank_account.investor_id == investor.pk and bank_account.provider_ref and bank_account.closed_at is None
    if not theirs:
        raise InvalidInput("bank_account", "Choose one of your own registered bank accounts.")
    if (merged := merged_banks.of(bank_account.ifsc)) is not None:
        raise InvalidInput("bank_account", merged.no_mandate)
    if previous and (previous.investor_id != investor.pk or not may_retry(previous)):
        raise NotPossible("This mandate has been tried again already, or it did not fail. Nothing was done.")
    return Wish(bank_account, kind, limit, at.date(), previous)


def may_retry(mandate: Mandate) -> bool:
    """Only what has ended without a debit right is tried again, and only once: the next one can be tried again too."""
    ended = mandate.state in (lifecycle.REJECTED, lifecycle.CANCELLED)
    return ended and not Mandate.objects.filter(previous=mandate).exists()


def shown(wish: Wish) -> dict[str, str]:
    """The mandate as the confirmation page shows it. Keys in lower case are what `confirm` acts on."""
    return {
        "Account": str(wish.bank_account),
        "Most per debit": money.rupees(wish.limit),
        "How": next(way.title for way in (mandate_rules.E_MANDATE, mandate_rules.PAPER) if way.kind == wish.kind),
        "From": f"{wish.valid_from:%-d %b %Y}, until you cancel",
        "declaration": EXPLAINED,
        "act": GIVE,
        "bank_account": wish.bank_account.code,
        "kind": wish.kind,
        "previous": wish.previous.code if wish.previous else "",
    }


def ask(*, wish: Wish, investor: Investor, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """A consent to exactly this mandate stands open, its code on the way. Raises what `consents.ask` raises."""
    return _ask(investor, form_ref, shown(wish), wish.limit, ip, at)


def ask_to_cancel(*, mandate: Mandate, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """A consent to take the mandate back stands open, its code on the way. Raises NotPossible."""
    if not may_cancel(mandate):
        raise NotPossible
    lines = {
        "Cancel the mandate": mandate.code,
        "Account": str(mandate.bank_account),
        "Most per debit": money.rupees(mandate.limit),
        "act": CANCEL,
        "mandate": mandate.code,
    }
    return _ask(mandate.investor, form_ref, lines, mandate.limit, ip, at)


def may_cancel(mandate: Mandate) -> bool:
    """Something is there to take back, and it has not been asked for."""
    return mandate.state in STILL_OPEN | {lifecycle.APPROVED} and mandate.cancel_asked_at is None


def _ask(
    investor: Investor, form_ref: str, lines: dict[str, str], amount: Decimal, ip: str | None, at: datetime
) -> Consent:
    purpose = Consent.Purpose.MANDATE
    return consents.ask(
        investor=investor, purpose=purpose, form_ref=form_ref, shown=lines, amount=amount, isin="", folio_number="",
        ip=ip, at=at,
    )  # fmt: skip


def confirm(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> Mandate:
    """The code has made the consent a mandate, or a mandate cancelled: now, or by an earlier click.

    One transaction: a wrong code is counted and committed; a right code that meets a refusal leaves no trace.
    Raises consents.WrongCode, CodeExpired, TooManyTries, ConsentMissing, what `prepare` raises, NotPossible.
    """
    with transaction.atomic():
        # The lock makes the second of two clicks wait for the first and find what it made.
        consent = consents.lock(investor=investor, code=code)
        if consent.purpose != Consent.Purpose.MANDATE:
            raise Consent.DoesNotExist
        if consent.given_at is not None:
            return _made_by(consent)
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            return _cancel(consent, at) if consent.shown["act"] == CANCEL else _create(consent, investor, at)
    raise failure


def made_by(consent: Consent) -> Mandate | None:
    """The mandate that a given consent has made or cancelled."""
    mandates = Mandate.objects.filter(investor=consent.investor_id)
    if consent.shown.get("act") == CANCEL:
        return mandates.filter(code=consent.shown["mandate"]).first() if consent.given_at else None
    return mandates.filter(consent=consent).first()


def _made_by(consent: Consent) -> Mandate:
    mandate = made_by(consent)
    if mandate is None:
        raise ConsentMissing
    return mandate


def wish_of(*, consent: Consent, investor: Investor, at: datetime) -> Wish:
    """The mandate that a consent is about, checked anew. Raises what `prepare` raises."""
    said = consent.shown
    return prepare(
        investor=investor,
        bank_account=BankAccount.objects.get(investor=investor, code=said["bank_account"]),
        kind=said["kind"],
        limit=consent.amount or Decimal(0),
        previous=Mandate.objects.get(investor=investor, code=said["previous"]) if said["previous"] else None,
        at=at,
    )


def _create(consent: Consent, investor: Investor, at: datetime) -> Mandate:
    """The row, its audit entry, and a nudge. The caller holds the lock on the consent."""
    # The account is not closed meanwhile.
    accounts = BankAccount.objects.select_for_update().only("pk")
    accounts.get(investor=investor, code=consent.shown["bank_account"])
    wish = wish_of(consent=consent, investor=investor, at=at)
    mandate = Mandate.objects.create(
        investor=investor,
        form_ref=consent.form_ref,
        bank_account=wish.bank_account,
        kind=wish.kind,
        limit=wish.limit,
        valid_from=wish.valid_from,
        consent=consent,
        previous=wish.previous,
        created_at=at,
        state_since=at,
        due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
    )
    before = wish.previous.code if wish.previous else ""
    actor = f"user:{investor.user_id}"
    audit.record(mandate, "mandate.created", actor=actor, at=at, limit=mandate.limit, kind=wish.kind, previous=before)
    jobs.nudge("investors.advance_mandate", row_id=mandate.pk)
    return mandate


# --- to the bank's page ---------------------------------------------------------------------------------------


def hand_over(*, mandate: Mandate, at: datetime) -> str | None:
    """The address of the bank's page, to be opened by the investor now; None: it is being prepared.

    A page is handed out once, while it lives; afterwards a new one is made. Two pages of one mandate authorise one
    mandate. Raises NotPossible.
    """
    with transaction.atomic():
        row = locked(mandate.pk)
        if row.state != lifecycle.AWAITING_INVESTOR or row.kind != Mandate.Kind.E_MANDATE or row.cancel_asked_at:
            raise NotPossible
        actor = f"user:{row.investor.user_id}"
        if row.page_url and row.page_expires_at and at < row.page_expires_at:
            address, row.page_url = row.page_url, ""
            row.due_at = at + timedelta(seconds=15)
            row.save(update_fields=["page_url", "due_at"])
            audit.record(row, "mandate.handed_over", actor=actor, at=at)
            return address
        row.page_url, row.page_expires_at, row.due_at = "", None, row.due_at or at
        row.save(update_fields=["page_url", "page_expires_at", "due_at"])
        if wants_a_page(row):
            jobs.nudge("investors.advance_mandate", row_id=row.pk)
    return None


# --- taking back ----------------------------------------------------------------------------------------------


def _cancel(consent: Consent, at: datetime) -> Mandate:
    mandate = locked(Mandate.objects.get(investor=consent.investor_id, code=consent.shown["mandate"]).pk)
    return _ask_the_bank_to_cancel(mandate, actor=f"user:{consent.investor.user_id}", reason="", at=at)


def cancel_by_two(*, mandate_id: int, asked_by: User, actor: User, reason: str, at: datetime) -> Mandate:
    """Operations cancel a mandate: what one person asked for, another one approves (reliability.md P34).

    Raises NotPossible, also when both are the same person.
    """
    if asked_by.pk == actor.pk:
        raise NotPossible("Somebody else has to approve what you have asked for.")
    with transaction.atomic():
        return _ask_the_bank_to_cancel(locked(mandate_id), actor=actor, reason=reason, at=at)


def _ask_the_bank_to_cancel(row: Mandate, *, actor: User | str, reason: str, at: datetime) -> Mandate:
    if not may_cancel(row):
        raise NotPossible
    row.cancel_asked_at, row.due_at, row.page_url = at, row.lease_until or at, ""
    row.save(update_fields=["cancel_asked_at", "due_at", "page_url"])
    audit.record(row, "mandate.cancel_asked", actor=actor, at=at, reason=reason)
    if row.provider_ref is None and not row.attempt:
        # FP has never heard of it: nothing is left to take back.
        move_to(row, lifecycle.CANCELLED, at=at)
    else:
        jobs.nudge("investors.advance_mandate", row_id=row.pk)
    return row
