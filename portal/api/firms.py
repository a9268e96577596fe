"""Firms that work through other firms (screens.md F75, P-6): who asks for one, who takes it in, and who sees what.

    ask         somebody at a firm names another one, with the basis on which we may write to it
    take        staff make the partner, beneath the one that asked; its own people are added on its page
    refuse      it is not taken in, for a reason that the asking firm reads

A firm sees sums of the books beneath it (`portal/console/queries.py`), never an investor; whoever serves them does.
Firms stand on three levels at most, and no firm works through itself (triggers).
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, connection, transaction

from portal import audit, cases
from portal.api.models import FirmRequest
from portal.errors import Failure
from portal.models import Partner, User
from portal.scope import ALL, scope

CASE = "firm_asked_for"
MOST_OPEN = 10
# As the triggers say it.
_CIRCLE, _TOO_DEEP = "no firm works through itself", "firms work through each other on three levels at most"
_IN_WORDS = {
    _CIRCLE: "That firm works through this one already, so this one cannot work through it.",
    _TOO_DEEP: "Firms work through each other on three levels at most.",
}


class AskedAlready(Failure):
    """The same ARN waits already."""

    code = "firm_asked_already"
    message = "You asked for a firm with this ARN already. We are looking at it."


class TooManyOpen(Failure):
    """Staff have not answered the earlier ones."""

    code = "too_many_firms_asked_for"
    message = f"{MOST_OPEN} firms wait for our answer already. Wait for it, or withdraw one."


class DecidedAlready(Failure):
    """Somebody was faster."""

    code = "firm_decided_already"
    message = "This was decided already. Nothing was changed now."


class Exists(Failure):
    """A partner with this ARN is here."""

    code = "firm_exists"
    message = (
        "A partner with this ARN is here already. If that firm agrees, enter on its page through whom it works, and"
        " refuse this request with that reason."
    )


class CodeTaken(Failure):
    """Codes are one partner's each."""

    code = "firm_code_taken"
    message = "Another partner has this code. Choose a different one."


class NotThere(Failure):
    """The tree would not be one."""

    code = "firm_not_there"
    message = "This firm cannot work through that one."


def ask(*, head: Partner, name: str, arn: str, email: str, basis: str, actor: User, at: datetime) -> FirmRequest:
    """The request is kept, with a case for staff. `arn` is as AMFI writes it. Raises AskedAlready, TooManyOpen."""
    row = FirmRequest(
        head=head, name=" ".join(name.split()), arn=arn, email=email, basis=basis, asked_by=actor, asked_at=at
    )
    try:
        with transaction.atomic():
            # Of two at once both may be the tenth: it keeps the desk's list short, and no more.
            if FirmRequest.objects.filter(head=head, state=FirmRequest.State.ASKED).count() >= MOST_OPEN:
                raise TooManyOpen
            row.save()
            audit.record(row, "firm.asked_for", actor=actor, at=at, reason=basis, head=head.code, arn=row.arn)
            detail = f"Make it a partner, or refuse it for a reason that {head} reads."
            cases.open_case(
                kind=CASE, subject=row, title=f"{head} asks for {row.name} ({row.arn})", detail=detail, at=at
            )
    except IntegrityError as error:
        if "a_firm_is_asked_for_once_at_a_time" not in str(error):
            raise
        raise AskedAlready from error
    return row


def take(*, request: FirmRequest, code: str, actor: User, reason: str, at: datetime) -> Partner:
    """The firm is a partner beneath whoever asked. Raises DecidedAlready, Exists, NotThere."""
    try:
        with transaction.atomic():
            row = _locked(request)
            _take_turns()
            if Partner.objects.filter(arn=row.arn).exists():
                raise Exists
            firm = Partner.objects.create(code=code, name=row.name, arn=row.arn, head=row.head)
            audit.record(firm, "partner.added", actor=actor, at=at, reason=reason, head=row.head.code)
            _decide(row, FirmRequest.State.TAKEN, actor, reason, at, firm=firm)
    except IntegrityError as error:
        raise _told(error) from error
    return firm


def _take_turns() -> None:
    """Nobody else takes a firm in until this transaction ends: the lock of the tree itself (`0009_firms_beneath`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('portal_firm_tree'))")


def refuse(*, request: FirmRequest, actor: User, reason: str, at: datetime) -> None:
    """It is not taken in; whoever asked reads why. Raises DecidedAlready."""
    with transaction.atomic():
        _decide(_locked(request), FirmRequest.State.REFUSED, actor, reason, at)


def withdraw(*, request: FirmRequest, actor: User, at: datetime) -> None:
    """The firm that asked no longer wants it. Raises DecidedAlready."""
    with transaction.atomic():
        _decide(_locked(request), FirmRequest.State.WITHDRAWN, actor, "", at)


def why_not(partner: Partner, head: Partner) -> str:
    """Why a partner cannot work through another one, in words; empty when it can. The database holds it as well."""
    above = _above(head)
    if partner.pk and partner.pk in above:
        return _IN_WORDS[_CIRCLE]
    return _IN_WORDS[_TOO_DEEP] if len(above) + _levels(partner) > _MOST_LEVELS else ""


_MOST_LEVELS = 3


def _above(head: Partner | None) -> list[int]:
    found: list[int] = []
    while head and head.pk not in found:
        found.append(head.pk)
        head = head.head
    return found


def _levels(partner: Partner) -> int:
    """How many levels stand at and beneath a partner."""
    level, keys = 0, [partner.pk]
    while keys and level <= _MOST_LEVELS:
        level, keys = level + 1, list(Partner.objects.filter(head__in=keys).values_list("pk", flat=True))
    return level or 1


def _locked(request: FirmRequest) -> FirmRequest:
    row = FirmRequest.objects.select_for_update(of=("self",)).select_related("head").get(pk=request.pk)
    if row.state != FirmRequest.State.ASKED:
        raise DecidedAlready
    return row


def _decide(row: FirmRequest, state: str, actor: User, reason: str, at: datetime, firm: Partner | None = None) -> None:
    row.state, row.decided_at, row.firm, row.answer = state, at, firm, reason
    row.save(update_fields=["state", "decided_at", "firm", "answer"])
    audit.record(row, f"firm.{state.lower()}", actor=actor, at=at, reason=reason)
    with scope(ALL):
        cases.close_cases(subject=row, kinds=(CASE,), resolution=row.get_state_display(), at=at)


def _told(error: IntegrityError) -> Failure:
    words = next((words for name, words in _IN_WORDS.items() if name in str(error)), None)
    if words:
        return NotThere(words)
    if "portal_partner_code" in str(error):
        return CodeTaken()
    raise error
