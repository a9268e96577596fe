"""The wish to be forgotten: recorded with a code, held for the term of the law, then carried out.

What belongs to a person is emptied or deleted; what the law or the books need stays under the investor's number, which
then leads to nobody. Digital Personal Data Protection Act 2023, section 12(3) with section 8(7): erased unless a law
wants it kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection, models, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from investors import lifecycle, retention
from investors.models import (
    Address,
    BankAccount,
    CaseMessage,
    ChangeRequest,
    Consent,
    DataExport,
    Document,
    ErasureRequest,
    FieldSource,
    InvestmentAccount,
    Investor,
    InvestorCase,
    Invite,
    KycCheck,
    KycRequest,
    Mandate,
    NameWord,
    Nominee,
    TaxResidence,
    Transfer,
)
from investors.operations import consents
from investors.operations.invites import FORGOTTEN
from portal import audit
from portal.api import leaving
from portal.errors import Failure
from portal.files import vault
from portal.models import Session

ACT = "erase"
LOOK_EVERY = timedelta(days=1)
KEPT = (
    ("Orders, payments, units and folios", "five years after the last transaction, under a number without a name"),
    ("What you confirmed and when", "the proof that an order was yours: as long as the order"),
    ("What fund houses, registrars and KYC registries have", "they keep records of their own; ask them"),
    ("The log of who did what", "it is chained, so nothing can be taken out of it; it holds numbers, no names"),
)


class Already(Failure):
    """It was asked for before."""

    code = "erasure_asked"
    message = "You have asked for this already. This page shows until when it is held."


def ask(*, investor: Investor, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The code is on the way. Raises Already and what `consents.ask` raises."""
    if ErasureRequest.objects.filter(investor=investor, state=lifecycle.HELD).exists():
        raise Already
    term = retention.term_of(investor, asked_at=at)
    shown = {
        "Erase": "what we keep about you",
        "Not before": f"{term.until:%-d %b %Y}" if term.until else "five years after your last transaction here",
        "Why then": term.why,
        "act": ACT,
    }
    return consents.ask(
        investor=investor, purpose=Consent.Purpose.CHANGE, form_ref=form_ref, shown=shown, amount=None, isin="",
        folio_number="", ip=ip, at=at,
    )  # fmt: skip


def confirm(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> ErasureRequest:
    """The wish is recorded and held, now or since an earlier click. Raises Already and what a code raises."""
    with transaction.atomic():
        row = Investor.objects.select_for_update().get(pk=investor.pk)
        consent = consents.lock(investor=investor, code=code)
        if consent.shown.get("act") != ACT:
            raise Consent.DoesNotExist
        if consent.given_at is not None:
            return ErasureRequest.objects.get(consent=consent)
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            if ErasureRequest.objects.filter(investor=row, state=lifecycle.HELD).exists():
                raise Already
            wish = ErasureRequest(investor=row, consent=consent, asked_at=at, state_since=at)
            _hold(wish, at)
            audit.record(wish, "erasure.asked", actor=f"user:{row.user_id}", at=at, held_until=wish.held_until)
            return wish
    raise failure


def _hold(wish: ErasureRequest, at: datetime) -> None:
    """Until when, as things stand now; looked at again then, or tomorrow while the term has not begun."""
    term = retention.term_of(wish.investor, asked_at=wish.asked_at)
    wish.held_until, wish.why = term.until, term.why
    wish.due_at = term.until if term.until and term.until > at else at + LOOK_EVERY
    wish.save()


def withdraw(*, investor: Investor, code: str, at: datetime) -> None:
    """The investor stays. Raises ErasureRequest.DoesNotExist unless it is still held."""
    with transaction.atomic():
        wish = ErasureRequest.objects.select_for_update().get(investor=investor, code=code, state=lifecycle.HELD)
        wish.due_at = None
        _move(wish, lifecycle.WITHDRAWN, at, actor=f"user:{investor.user_id}")


def _move(wish: ErasureRequest, state: str, at: datetime, *, actor: str | None, **data: object) -> None:
    wish.state, wish.state_since = state, at
    wish.save()
    audit.record(wish, f"erasure.{state.lower()}", actor=actor, at=at, data=data)


# --- carrying it out ------------------------------------------------------------------------------------------


def advance(*, erasure_id: int, at: datetime) -> None:
    """The term is computed again, and what is over it is erased. An order that came meanwhile moves it on."""
    with transaction.atomic():
        owner = ErasureRequest.objects.values_list("investor_id", flat=True).get(pk=erasure_id)
        investor = Investor.objects.select_for_update(of=("self",)).select_related("user").get(pk=owner)
        wish = ErasureRequest.objects.select_for_update().get(pk=erasure_id)
        if wish.state != lifecycle.HELD:
            return
        wish.investor = investor
        _hold(wish, at)
        if wish.held_until is None or wish.held_until > at:
            return
        wish.outcome = erase(investor, at)
        wish.done_at, wish.due_at = at, None
        _move(wish, lifecycle.DONE, at, actor=None, rows=wish.outcome)


Eraser = Callable[[Investor], dict[str, int]]
_erasers: list[Eraser] = []


def register(eraser: Eraser) -> None:
    """From now on this is called as well: an outer app empties its own rows and says how many."""
    _erasers.append(eraser)


def erase(investor: Investor, at: datetime) -> dict[str, int]:
    """Everything personal is gone, in the caller's transaction. Returns kind of record -> rows."""
    leaving.investor_left(investor_id=investor.pk, partner_id=investor.partner_id, actor=None, at=at)
    with connection.cursor() as cursor:
        # Lets registry answers be emptied and the login be renamed, until the end of this transaction.
        cursor.execute("SELECT set_config('portal.erasing', 'on', true)")
    done = {name: count for eraser in _erasers for name, count in eraser(investor).items()}
    done |= {_name(model): _emptied(model, investor, values) for model, values in EMPTIED.items()}
    done |= {_name(model): model._default_manager.filter(investor=investor).delete()[0] for model in DELETED}
    _forget_files(investor)
    _erase_person(investor)
    _erase_login(investor, at)
    _erase_history(investor)
    return done


def _name(model: type[models.Model]) -> str:
    return str(model._meta.verbose_name_plural)


DELETED: tuple[type[models.Model], ...] = (
    Address, Nominee, TaxResidence, FieldSource, NameWord, CaseMessage, Transfer,
)  # fmt: skip
EMPTIED: dict[type[models.Model], dict[str, Any]] = {
    Mandate: {"page_url": "", "umrn": "", "refusal": []},
    ChangeRequest: {"before": "{}", "after": "{}", "reason": "", "refusal": []},
    KycCheck: {"verbatim": "", "pan_index": ""},
    KycRequest: {"answers": "{}", "rejections": [], "refusal": []},
    Consent: {"shown": {}, "contact": "", "ip": None, "given_ip": None},
    Invite: {**FORGOTTEN, "agreed_ip": None},
}


# Their rows stay: numbers and moments. Files, account numbers and holders' names are emptied below.
KEPT_ROWS: tuple[type[models.Model], ...] = (
    Document, BankAccount, InvestmentAccount, DataExport, ErasureRequest, InvestorCase,
)  # fmt: skip


def _emptied(model: type[models.Model], investor: Investor, values: dict[str, Any]) -> int:
    return model._default_manager.filter(investor=investor).update(**values)


def _forget_files(investor: Investor) -> None:
    """The rows say that there was a file; what it showed is gone with the commit."""
    copies = DataExport.objects.filter(investor=investor, state=lifecycle.MADE)
    names = [*Document.objects.filter(investor=investor).values_list("vault_name", flat=True)]
    names += copies.values_list("vault_name", flat=True)
    copies.update(state=lifecycle.GONE, vault_name="", due_at=None)
    for name in names:
        transaction.on_commit(lambda name=name: vault.remove(name))  # type: ignore[misc]


# What says nothing about a person once the rest is gone.
NOT_PERSONAL = {
    "id", "code", "user", "partner", "euin", "kind", "state", "state_since", "isd_code", "country_of_citizenship",
    "country_of_birth", "tax_resident_only_in_india", "nomination_opted_out", "provider_ref", "created_at", "attempt",
    "attempt_no", "lease_until", "unknown_since", "looks", "provider_is_behind",
}  # fmt: skip
# Emptied by a rule of their own, below.
BY_RULE = {
    "pan", "pan_index", "guardian_name", "guardian_date_of_birth", "guardian_relationship", "guardian_pan_index",
}  # fmt: skip
PERSON: dict[str, Any] = {
    "name": "",
    "date_of_birth": None,
    "gender": "",
    "marital_status": "",
    "occupation": "",
    "mobile": "",
    "mobile_is_of": "",
    "email_is_of": "",
    "father_or_spouse_name": "",
    "father_or_spouse_is": "",
    "office_phone": "",
    "residence_phone": "",
    "confirmed_from": None,
    "mothers_name": "",
    "guardian_pan": "",
    "source_of_wealth": "",
    "gross_annual_income": None,
    "is_politically_exposed": None,
    "is_related_to_politically_exposed": None,
    "refusal": [],
    "due_at": None,
    "kyc_wanted_at": None,
}


def _erase_person(investor: Investor) -> None:
    for name, value in PERSON.items():
        setattr(investor, name, value)
    investor.pan, investor.pan_index = "", f"erased:{investor.code}"
    if investor.guardian_name:
        investor.guardian_name, investor.guardian_date_of_birth = "erased", investor.created_at.date()
    # The database wants every ready minor to have had a guardian.
    if investor.is_minor:
        investor.guardian_relationship = investor.guardian_pan_index = "erased"
    investor.save()
    for account in BankAccount.objects.filter(investor=investor):
        account.number, account.number_index, account.last_four = "", f"erased:{account.code}", ""
        account.holder_name = account.branch_name = ""
        account.save()


def _erase_login(investor: Investor, at: datetime) -> None:
    """The login goes with the last person for whom it acts; that of one who works here is the firm's, and stays."""
    user = investor.user
    if user.is_staff or Investor.objects.filter(user=user).exclude(pk=investor.pk).exists():
        return
    # Links that were sent to this address and never used.
    unused = Invite.objects.filter(email__iexact=user.email, used_at=None)
    unused.update(**FORGOTTEN, revoked_at=Coalesce("revoked_at", Value(at)))
    for model in (EmailAddress, Authenticator, UserSession, Session):
        model._default_manager.filter(user=user).delete()
    user.email, user.first_name, user.last_name, user.mobile = f"erased-{user.pk}@example.invalid", "", "", ""
    user.is_active = False
    user.set_unusable_password()
    user.save()


def _erase_history(investor: Investor) -> None:
    """The history of rows holds what they held before; it goes last, because emptying a row writes into it."""
    Investor.pgh_event_model.objects.filter(pgh_obj_id=investor.pk).delete()  # type: ignore[attr-defined]
    for model in (BankAccount, Mandate, ChangeRequest, KycRequest):
        model.pgh_event_model.objects.filter(investor_id=investor.pk).delete()  # type: ignore[union-attr]
