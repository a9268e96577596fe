"""An investor goes to another partner: asked for by staff on the investor's word, with time for objections.

ask         on record, the clock runs, and the investor and both partners are told
agree       the investor says on a page of their own that it is right
object      the partner that would lose them says why not: a second person decides
carry_out   done by somebody else than who asked, once the time is over: in spite of an objection or without the yes
stop        it does not happen: the investor says so, or staff
advance     the time is over: done with the investor's yes and no objection, else a case for a second person
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from investors import lifecycle
from investors.models import FirmTransfer, Investor, Transfer
from investors.operations import transfer_notices as notices
from portal import arns, audit, cases, redaction
from portal.api import leaving
from portal.api.leaving import Leaving, Why
from portal.clock import IST
from portal.errors import Failure, InvalidInput
from portal.models import Partner, User
from portal.scope import ALL, scope

# Time for objections (screens.md F76: what the industry gives by e-mail).
OBJECTIONS = timedelta(days=15)
OBJECTED_CASE = "transfer_objected"
UNANSWERED_CASE = "transfer_not_answered"
OPEN = (lifecycle.WAITING, lifecycle.OBJECTED)


class OneAtATime(Failure):
    """A transfer of this investor is open."""

    code = "transfer_on_its_way"
    message = "A transfer of this investor is open already. Stop it first, or wait until it is done."


class TooLate(Failure):
    """The transfer takes no such step now."""

    code = "transfer_over"
    message = "This transfer is done, was stopped, or was objected to already. Nothing was changed."

    @classmethod
    def of(cls, row: Transfer | FirmTransfer) -> TooLate:
        """In the words of where it stands."""
        if row.state == lifecycle.WAITING:
            return cls(f"The time for objections was over on {moment(row.objections_until)}. Nothing was changed.")
        return cls(f"This transfer was {_PAST[row.state]} on {moment(row.state_since)} already. Nothing was changed.")


class TooEarly(Failure):
    """The time for objections is not over."""

    code = "transfer_too_early"
    message = "The time for objections is not over yet. Nothing was changed."


_PAST = {lifecycle.OBJECTED: "objected to", lifecycle.DONE: "carried out", lifecycle.STOPPED: "stopped"}


def moment(at: datetime) -> str:
    """As the pages write it."""
    return f"{at.astimezone(IST):%-d %b %Y, %H:%M} IST"


class OwnTransfer(Failure):
    """Nobody carries out what they asked for (reliability.md P34)."""

    code = "own_transfer"
    message = "Somebody else has to decide this: you asked for it."


def ask(*, investor: Investor, to: Partner, basis: str, actor: User, at: datetime) -> Transfer:
    """The transfer is on record and its clock runs. Raises InvalidInput("to"), ArnEnded, OneAtATime."""
    if not to.is_active or to.pk == investor.partner_id:
        raise InvalidInput("to", "Choose another firm that works with us.")
    arns.refuse_ended(to, at.date())
    try:
        with transaction.atomic():
            row = Transfer.objects.create(
                investor=investor, from_partner=investor.partner, to_partner=to, to_name=to.name, basis=basis,
                from_name=investor.partner.name if investor.partner else "our own desk", state_since=at,
                asked_by=actor, asked_at=at, objections_until=at + OBJECTIONS, due_at=at + OBJECTIONS,
            )  # fmt: skip
            audit.record(row, "transfer.asked", actor=actor, at=at, reason=basis, to=to.code)
            notices.tell_investor(row, notices.ASKED, at=at)
            notices.tell_firms(row, notices.WAITING, at=at)
    except IntegrityError as error:
        if "one_transfer_at_a_time" not in str(error):
            raise
        raise OneAtATime from None
    return row


def agree(*, transfer_id: int, actor: User, at: datetime) -> Transfer:
    """The investor wants it: it is done when the time is over, or now if that was before. Raises TooLate."""
    # An investor's connection reads transfers and writes none.
    with scope(ALL), transaction.atomic():
        row = _locked(transfer_id, *OPEN)
        if row.agreed_at is None:
            row.agreed_at = at
            if row.state == lifecycle.WAITING:
                row.due_at = max(row.objections_until, at)
            row.save(update_fields=["agreed_at", "due_at"])
            audit.record(row, "transfer.agreed", actor=actor, at=at)
    return row


def object_to(*, transfer_id: int, partner: Partner, why: str, actor: User, at: datetime) -> Transfer:
    """The partner that would lose the investor says why not; a case waits for a person. Raises TooLate."""
    # A partner's connection reads no row of transfers and writes nothing of investors.
    with scope(ALL), transaction.atomic():
        row = _locked(transfer_id, lifecycle.WAITING)
        if row.from_partner_id != partner.pk or at >= row.objections_until:
            raise TooLate.of(row)
        row.objection, row.objected_at = redaction.without_aadhaar(why), at
        _move(row, lifecycle.OBJECTED, at, "objection", "objected_at")
        audit.record(row, "transfer.objected", actor=actor, at=at, reason=row.objection)
        notices.tell_firms(row, notices.OBJECTED, at=at)
        title = f"{partner} objects to the transfer {row.code}"
        cases.open_case(kind=OBJECTED_CASE, subject=row, title=title, detail=row.objection, at=at)
    return row


def carry_out(*, transfer_id: int, actor: User, reason: str, at: datetime) -> Transfer:
    """It is done in spite of an objection, or without the investor's yes; stopped, where a firm may no longer.

    Raises TooLate, TooEarly, OwnTransfer.
    """
    with transaction.atomic():
        row = _locked(transfer_id, *OPEN)
        if row.asked_by_id == actor.pk:
            raise OwnTransfer
        if at < row.objections_until:
            raise TooEarly(f"It can be objected to until {moment(row.objections_until)}. Nothing was changed.")
        row.decided_by, row.answer = actor, reason
        _done(row, actor, at)
    return row


def stop(*, transfer_id: int, actor: User | None, reason: str, at: datetime) -> Transfer:
    """It does not happen: the investor does not want it, or staff found that it is wrong. Raises TooLate."""
    with scope(ALL), transaction.atomic():
        row = _locked(transfer_id, *OPEN)
        _stopped(row, actor, reason, at)
        notices.tell_investor(row, notices.STOPPED, at=at)
    return row


@leaving.register
def end_all(over: Leaving) -> None:
    """Nobody goes to a firm that was stopped, and nobody goes anywhere who was erased or is one with somebody else.

    Whoever wants to leave a firm that was stopped still does.
    """
    rows = Transfer.objects.select_for_update(of=("self",)).filter(state__in=OPEN).order_by("pk")
    actor = over.actor if isinstance(over.actor, User) else None
    if over.why == Why.LEFT:
        for row in rows.filter(investor=over.investor_id):
            _stopped(row, actor, "The investor is no longer here.", over.at)
    elif over.why == Why.STOPPED:
        for row in rows.filter(to_partner=over.partner_id):
            _stopped(row, actor, f"{row.to_name} no longer works with us.", over.at)
            notices.tell_investor(row, notices.STOPPED, at=over.at)


def _stopped(row: Transfer, actor: User | None, reason: str, at: datetime) -> None:
    row.decided_by, row.answer = actor, reason
    _move(row, lifecycle.STOPPED, at, "decided_by", "answer")
    audit.record(row, "transfer.stopped", actor=actor, at=at, reason=reason)
    notices.tell_firms(row, notices.STOPPED_FOR_FIRMS, at=at)


def find_due(at: datetime) -> list[int]:
    """Ids of transfers whose time for objections is over."""
    return list(Transfer.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)[:100])


def advance(*, transfer_id: int, at: datetime) -> None:
    """Done, if the time is over, the investor agreed and nobody objected. A second call changes nothing."""
    with transaction.atomic():
        row = Transfer.objects.select_for_update().get(pk=transfer_id)
        if row.state != lifecycle.WAITING or row.due_at is None or row.due_at > at:
            return
        if row.agreed_at:
            _done(row, None, at)
            return
        Transfer.objects.filter(pk=row.pk).update(due_at=None)
        title = f"{row.code}: the investor has not said that the transfer is right"
        detail = (
            f"It could be objected to until {moment(row.objections_until)}. Look at their paper and carry it out, or "
        )
        detail += "stop it."
        cases.open_case(kind=UNANSWERED_CASE, subject=row, title=title, detail=detail, at=at)


def _done(row: Transfer, actor: User | None, at: datetime) -> None:
    """The partner before hears of it by the row, and of what it still asked; then the new one, by the investor.

    The lock lets orders be made meanwhile, so whoever is entering a code is waited for and does not wait for us.
    """
    investor = Investor.objects.select_for_update(no_key=True).get(pk=row.investor_id)
    if why := _what_stands_in_the_way(row, investor, at):
        _stopped(row, actor, why, at)
        notices.tell_investor(row, notices.STOPPED, at=at)
        return
    _move(row, lifecycle.DONE, at, "decided_by", "answer")
    leaving.investor_left(investor_id=investor.pk, partner_id=row.from_partner_id, actor=actor, at=at)
    investor.partner, investor.euin = row.to_partner, row.to_partner.euin
    investor.save(update_fields=["partner", "euin"])
    audit.record(row, "transfer.done", actor=actor, at=at, reason=row.answer, to=row.to_partner.code)
    audit.record(investor, "investor.transferred", actor=actor, at=at, transfer=row.code)
    notices.tell_investor(row, notices.DONE, at=at)
    notices.tell_firms(row, notices.DONE_FOR_FIRMS, at=at)


def _what_stands_in_the_way(row: Transfer, investor: Investor, at: datetime) -> str:
    """The investor went elsewhere meanwhile, or the coming firm may bring nobody; empty when it can be done."""
    if investor.partner_id != row.from_partner_id:
        return f"{row.from_name} is not whom the investor leaves any more."
    if not row.to_partner.is_active:
        return f"{row.to_name} no longer works with us."
    return f"The ARN of {row.to_name} has ended." if arns.has_ended(row.to_partner, at.date()) else ""


def _locked(transfer_id: int, *states: str) -> Transfer:
    row = Transfer.objects.select_for_update(of=("self",)).select_related("to_partner").get(pk=transfer_id)
    if row.state not in states:
        raise TooLate.of(row)
    return row


def _move(row: Transfer, to: str, at: datetime, *fields: str) -> None:
    if not lifecycle.TRANSFER.allows(row.state, to):
        raise TooLate.of(row)
    row.state, row.state_since, row.due_at = to, at, None
    row.save(update_fields=["state", "state_since", "due_at", *fields])
    if to in lifecycle.TRANSFER.final:
        resolution = f"The transfer is {row.get_state_display()}."
        cases.close_cases(subject=row, kinds=(OBJECTED_CASE, UNANSWERED_CASE), resolution=resolution, at=at)
