"""Changes after activation: asked, confirmed by one-time code, cooled off, seen by a second person, sent, done.

What each kind goes through stands in `investors/changes.py`; how it reaches FP in `change_sending`. Locks are taken in
one order: investor, consent, change.
"""

from __future__ import annotations

import json
import smtplib
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from investors import lifecycle
from investors.changes import NONE, RULES
from investors.models import ChangeRequest, Consent, Investor
from investors.operations import consents
from portal import audit, clock, jobs
from portal.encryption import blind_index, blind_indexes
from portal.errors import Failure
from portal.models import User
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)
OPEN = (lifecycle.COOLING, lifecycle.CHECKING, lifecycle.SENDING)
ACT, PROOF = "change", "prove"
# The key under which what was asked for is indexed, so that a code is good for exactly that.
CONTENTS = "contents"


class OneAtATime(Failure):
    """A change of the same kind is on its way."""

    code = "change_on_its_way"
    message = "A change like this is on its way already. Wait until it is done, or withdraw it."


class TooLate(Failure):
    """The change takes no such step now."""

    code = "change_too_late"
    message = "This change cannot be decided or withdrawn any more."


class TooSoon(Failure):
    """The other contact is being changed, or was changed a short while ago (AMFI 2018; reliability.md P31)."""

    code = "change_too_soon"
    message = "Email and mobile cannot change within ten days of each other, so that one of them always reaches you."


class Exchanged(Failure):
    """The row says something else than what the code was asked for."""

    code = "change_exchanged"
    message = "This was changed after the code was sent. Nothing was done; please look at it again and start anew."


class OwnChange(Failure):
    """Nobody decides what they asked for (reliability.md P34)."""

    code = "own_change"
    message = "Somebody else has to decide this: you asked for it."


def ask(
    *,
    investor: Investor,
    what: str,
    form_ref: str,
    before: dict[str, Any],
    after: dict[str, Any],
    shown: dict[str, str],
    ip: str | None,
    at: datetime,
) -> Consent:
    """The change stands ASKED and its code is on the way. `shown` names everything in `after` that matters.

    Raises OneAtATime, TooSoon, and what `consents.ask` raises: AlreadyGiven where this form was confirmed before.
    """
    with transaction.atomic():
        _lock(investor.pk)
        mine = ChangeRequest.objects.select_for_update().filter(investor=investor, what=what)
        if mine.filter(state__in=OPEN).exists():
            raise OneAtATime
        _keep_apart(investor, what, at)
        for old in mine.filter(state=lifecycle.ASKED).exclude(form_ref=form_ref):
            move_to(old, lifecycle.WITHDRAWN, at=at, actor=None)
        change = mine.filter(form_ref=form_ref).first() or ChangeRequest(
            investor=investor, what=what, form_ref=form_ref, asked_by=investor.user, created_at=at, state_since=at
        )
        if change.consent_id or change.state != lifecycle.ASKED:
            raise consents.AlreadyGiven
        change.before, change.after = json.dumps(before), json.dumps(after)
        change.save()
    lines = {**shown, "act": ACT, "change": change.code, CONTENTS: blind_index(change.after, CONTENTS)}
    return consents.ask(
        investor=investor, purpose=Consent.Purpose.CHANGE, form_ref=form_ref, shown=lines, amount=None, isin="",
        folio_number="", ip=ip, at=at,
    )  # fmt: skip


def _lock(investor_id: int) -> None:
    Investor.objects.select_for_update().only("pk").get(pk=investor_id)


def _keep_apart(investor: Investor, what: str, at: datetime) -> None:
    """Raises TooSoon with the day from which on it may be asked for.

    Contacts are the login's: a change that was asked for while acting for a child counts for the guardian as well.
    """
    rule = RULES[what]
    if not rule.apart_from:
        return
    with scope(ALL):
        mine = ChangeRequest.objects.filter(investor__user=investor.user_id, what__in=(what, rule.apart_from))
        is_open = mine.filter(state__in=OPEN).exists()
        done = mine.filter(what=rule.apart_from, state=lifecycle.DONE, done_at__gt=at - rule.gap)
        last = done.order_by("-done_at").first()
    if is_open:
        raise TooSoon(f"{TooSoon.message} One of them is being changed now.")
    if last and last.done_at:
        day = (last.done_at + rule.gap).astimezone(clock.IST)
        raise TooSoon(f"{TooSoon.message} You can ask for it after {day:%-d %B %Y}.")


def ask_proof(*, change: ChangeRequest, to: str, ip: str | None, at: datetime) -> Consent:
    """A second code is on the way, to the new address: who changes it must be able to read it there."""
    shown = {"New email": to, "act": PROOF, "change": change.code, "to": to}
    return consents.ask(
        investor=change.investor, purpose=Consent.Purpose.CHANGE, form_ref=proof_ref(change), shown=shown, amount=None,
        isin="", folio_number="", ip=ip, at=at,
    )  # fmt: skip


def proof_ref(change: ChangeRequest) -> str:
    """The form reference of the consent by which the new address proves itself."""
    return f"{change.form_ref}-PROOF"


def confirm(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> ChangeRequest:
    """The investor's code has set the change going: now, or by an earlier click.

    A change that `waits_for_proof` afterwards still needs the code of the new address. Raises consents.WrongCode,
    CodeExpired, TooManyTries, TooLate, TooSoon, Exchanged, and Consent.DoesNotExist for another consent.
    """
    with transaction.atomic():
        _lock(investor.pk)
        consent = consents.lock(investor=investor, code=code)
        if consent.shown.get("act") not in (ACT, PROOF):
            raise Consent.DoesNotExist
        change = locked(ChangeRequest.objects.get(investor=investor, code=consent.shown["change"]).pk)
        if consent.given_at is not None:
            return change
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            return _said_yes(change, consent, at)
    raise failure


def waits_for_proof(change: ChangeRequest) -> bool:
    """The code of the old address was typed; that of the new one was not."""
    asked = change.state == lifecycle.ASKED and change.consent_id is not None
    return asked and RULES[change.what].proves_new and change.proof_id is None


def _said_yes(change: ChangeRequest, consent: Consent, at: datetime) -> ChangeRequest:
    if change.state != lifecycle.ASKED:
        raise TooLate
    is_proof = consent.shown["act"] == PROOF
    if not is_proof and consent.shown.get(CONTENTS) not in blind_indexes(change.after, CONTENTS):
        raise Exchanged
    setattr(change, "proof" if is_proof else "consent", consent)
    change.save(update_fields=["consent", "proof"])
    return change if waits_for_proof(change) else _begin(change, at)


def _begin(change: ChangeRequest, at: datetime) -> ChangeRequest:
    rule = RULES[change.what]
    if rule.apart_from:
        # Of two that begin at the same moment, for a guardian and for a child, the later one sees the earlier.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=change.investor.user_id)
    _keep_apart(change.investor, change.what, at)
    if rule.cooling > NONE:
        change.effective_at = at + rule.cooling
        change.save(update_fields=["effective_at"])
        move_to(change, lifecycle.COOLING, at=at, actor=f"user:{change.investor.user_id}")
        change.due_at = change.effective_at
        change.save(update_fields=["due_at"])
    else:
        cooled(change, at=at)
    tell(change, at=at)
    return change


def cooled(change: ChangeRequest, *, at: datetime) -> None:
    """The locked change goes to the second person, or straight on where none is asked for."""
    to = lifecycle.CHECKING if RULES[change.what].second_person else lifecycle.SENDING
    move_to(change, to, at=at, actor=None)


def withdraw(*, change: ChangeRequest, at: datetime) -> None:
    """The investor does not want it any more. Raises TooLate once it is being passed on."""
    with transaction.atomic():
        row = locked(change.pk)
        _step(row, lifecycle.WITHDRAWN, at=at, actor=f"user:{row.investor.user_id}")


def approve(*, change_id: int, actor: User, reason: str, at: datetime) -> None:
    """A second person lets it through. Raises OwnChange, TooLate."""
    _decide(change_id, lifecycle.SENDING, actor, reason, at)


def refuse(*, change_id: int, actor: User, reason: str, at: datetime) -> None:
    """A second person stops it; the investor reads the reason. Raises OwnChange, TooLate."""
    _decide(change_id, lifecycle.REFUSED, actor, reason, at)


def _decide(change_id: int, to: str, actor: User, reason: str, at: datetime) -> None:
    with transaction.atomic():
        row = locked(change_id)
        if actor.pk in (row.asked_by_id, row.investor.user_id):
            raise OwnChange
        if row.state != lifecycle.CHECKING:
            raise TooLate
        row.decided_by, row.reason = actor, reason[:300] if to == lifecycle.REFUSED else ""
        row.save(update_fields=["decided_by", "reason"])
        _step(row, to, at=at, actor=actor, reason=reason)
        if to == lifecycle.REFUSED:
            tell(row, at=at)


def _step(row: ChangeRequest, to: str, *, at: datetime, actor: User | str | None, reason: str = "") -> None:
    if not lifecycle.CHANGE.allows(row.state, to):
        raise TooLate
    move_to(row, to, at=at, actor=actor, reason=reason)


def locked(change_id: int) -> ChangeRequest:
    """The row, locked and fresh; the person beside it is read, not locked."""
    rows = ChangeRequest.objects.select_for_update(of=("self",)).select_related("investor__user")
    return rows.get(pk=change_id)


def move_to(
    row: ChangeRequest, state: str, *, at: datetime, actor: User | str | None, reason: str = "", **data: object
) -> None:
    """The locked row is in `state`, with an audit entry; what is to be sent is nudged."""
    was, row.state, row.state_since = row.state, state, at
    row.due_at = at if state == lifecycle.SENDING else None
    row.save(update_fields=["state", "state_since", "due_at"])
    audit.record(row, f"change.{state.lower()}", actor=actor, at=at, reason=reason, was=was, what=row.what, data=data)
    if state == lifecycle.SENDING:
        jobs.nudge("investors.advance_change", row_id=row.pk)


def tell(change: ChangeRequest, *, at: datetime) -> None:
    """The investor's login address hears of it, whoever asked: a thief's change is noticed in time."""
    context = {"change": change, "brand": settings.BRAND, "at": at}
    message = EmailMessage(
        subject=f"Your account: {change.get_what_display()} ({change.get_state_display()})",
        body=render_to_string("email/investors_change.txt", context),
        to=sorted(_contacts(change)),
    )
    transaction.on_commit(lambda: _send(message, change))


def _contacts(change: ChangeRequest) -> set[str]:
    """The address of the login; where contacts change, the one before and the one after it too."""
    told = {change.investor.user.email}
    if RULES[change.what].tells_both:
        for side in (change.before, change.after):
            told |= {value for key, value in json.loads(side).items() if key == "email"}
    return told


def _send(message: EmailMessage, change: ChangeRequest) -> None:
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("change_not_told", change=change.pk, error=type(error).__name__)
