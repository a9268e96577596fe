"""What happened to an object, in words: its audit entries, and the conversation with the provider about it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Any

from django.apps import apps
from django.db.models import Model, Q

from portal import audit, redaction
from portal.admin import show
from portal.field_words import CAPITALS
from portal.field_words import words_of as field_words
from portal.models import AuditEntry, Case, GatewayCall, User

# The newest that are shown on an object's page; older ones are in the audit log and the journal.
MOST = 200
MOST_VISITS = 20

# Words for actions that do not read well by themselves. Others are written out: `order.expired` -> Order expired.
WORDS = {
    "order.created": "Confirmed by the investor",
    "order.placed": "With the fund house",
    "order.submitting": "Being sent to the provider",
    "order.outcome_unknown": "Sent, outcome unknown: looking it up",
    "order.not_sent": "Not sent; waits for the next try",
    "order.known_to_provider": "The provider knows it",
    "order.awaiting_payment": "Awaiting payment",
    "order.submit_again": "Sending again was allowed",
    "order.refresh_asked": "The provider was asked again",
    "payment.refresh_asked": "The provider was asked again",
    "payment.let_go": "The page was left; no money to look for",
    "kyc_request.begun": "A fresh KYC was begun",
    "kyc_request.about": "Filled in: about them",
    "kyc_request.address": "Filled in: address",
    "kyc_request.address-proof": "Filled in: proof of address",
    "kyc_request.permanent-proof": "Filled in: proof of permanent address",
    "kyc_request.pan-card": "Filled in: PAN card",
    "kyc_request.photo": "Filled in: photo",
    "kyc_request.signature": "Filled in: signature",
    "kyc_request.video": "Filled in: video",
    "kyc_request.confirmed": "Confirmed by the investor",
    "kyc_request.pending": "The provider knows it and waits for the rest",
    "kyc_request.submitted": "With the fund house and the registry",
    "kyc_request.successful": "KYC done",
    "kyc_request.rejected": "Rejected",
    "kyc_request.outcome_unknown": "Sent, outcome unknown: looking it up",
    "kyc_request.not_sent": "Not sent; waits for the next try",
    "kyc_request.asked_again": "A paper was asked for again",
    "kyc_request.refresh_asked": "The provider was asked again",
    "kyc_request.investor_told": "The investor was written to",
    "kyc_request.approved": "Approved by the desk",
    "kyc_request.sent_again": "Sent again by the desk; waits for a second person",
    "case.investor_wrote": "The investor wrote",
    "case.answered": "The investor was answered",
    "case.told": "Whoever works on it was written to",
    "transfer.asked": "A transfer was asked for",
    "transfer.agreed": "The investor said yes",
    "transfer.objected": "The firm objected",
    "transfer.investor_told": "The investor was written to",
    "transfer.told": "The firms were written to",
    "double.told_apart": "Two persons",
    "double.looked_at_again": "To be looked at again",
    "investor.told_apart": "Told apart from another investor",
    "investor.looked_at_again": "Perhaps the same as another investor",
    "document.kept": "A paper came",
    "document.sent": "A paper was sent to the provider",
    "document.seen": "A paper was looked at",
    "document.refused": "A better paper was asked for",
    "event.worked_again": "Given to its handler again",
    "delivery.asked_again": "Asked to be sent again",
    audit.SEEN: "Personal data looked at",
    audit.UNMASKED: "Personal data shown in full",
    audit.LOOKED_AS: "Looked at as the investor sees it",
    audit.SEEN_AS: "A page looked at as the investor sees it",
    "firm.asked_for": "Asked for by a firm",
    "firm.taken": "Taken in as a partner",
    "firm.refused": "Not taken in",
    "firm.withdrawn": "No longer asked for",
    "user.role_change_asked": "A change of a role was asked for",
    "user.role_change_refused": "The change of a role was refused",
    "user.role_change_withdrawn": "The change of a role was withdrawn",
    "user.role_given": "Role given",
    "user.role_taken": "Role taken away",
    "user.switched_on": "May sign in again",
    "user.switched_off": "May no longer sign in",
    "user.signed_out": "Signed out by operations",
    "broadcast.written": "Written",
    "broadcast.rewritten": "Written anew",
    "broadcast.changed": "Approved",
    "broadcast.begun": "Begun to be sent",
    "broadcast.sent": "Everybody was told",
    "broadcast.cancelled": "Cancelled",
    "broadcast.investor_told": "A message to many was sent",
    "bulk.started": "Started",
    "bulk.stopped": "Stopped",
    "bulk.ended": "Finished",
    "list.exported": "Taken as a file",
}
# What an entry's data is called in front of people; other keys are shown as they are.
LABELS = {
    "was": "before", "skipped": "steps passed over",
    # Of a bulk act: how many lines ended so.
    "DONE": "done", "FAILED": "not done", "SKIPPED": "left out", "UNKNOWN": "outcome unknown",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One line of the timeline."""

    at: datetime
    words: str
    by: str
    is_person: bool
    reason: str
    about: str
    details: Sequence[tuple[str, str]] = field(default_factory=tuple)


def words_of(action: str) -> str:
    """An action in words: `order.placed` -> `With the fund house`."""
    plain = CAPITALS.sub(_upper, action.replace(".", " ").replace("_", " "))
    return WORDS.get(action) or plain[:1].upper() + plain[1:]


def _upper(found: re.Match[str]) -> str:
    return found[1].upper() + found[2]


def details_of(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An entry's data as label and text, without what says nothing and without anything personal."""
    return [
        (LABELS.get(key) or field_words(key), redaction.text(FORMS.get(key, _text)(value)))
        for key, value in data.items()
        if value not in (None, "", [], {})
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{field_words(str(key))}: {_text(each)}" for key, each in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list) else str(value)


def _state(value: Any) -> str:
    """States as they are told: `AWAITING_PAYMENT` -> awaiting payment."""
    return _text(value).replace("_", " ").lower()


def _rupees(value: Any) -> str:
    try:
        return show.rupees(Decimal(str(value)))
    except InvalidOperation:
        return _text(value)


# What an entry's data is shown as; other values are shown as they are.
FORMS: dict[str, Callable[[Any], str]] = {"was": _state, "skipped": _state, "amount": _rupees, "kind": _state}


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Actors as people read them, with one statement for all: `user:7` -> the person's name or address."""
    ids = {int(actor[5:]) for actor in actors if actor.startswith("user:") and actor[5:].isdigit()}
    people = {f"user:{user.pk}": _name(user) for user in User.objects.filter(pk__in=ids)} if ids else {}
    return {actor: people.get(actor, "the system" if actor == audit.SYSTEM else actor) for actor in actors}


def _name(user: User) -> str:
    """A colleague's address may stand there; an investor's stays masked."""
    return str(user) if user.is_staff else user.get_full_name() or redaction.mask_email(user.email)


def _about(objects: Sequence[Model]) -> Q:
    return reduce(
        operator.or_,
        [Q(subject_kind=audit.kind_of(each), subject_id=str(each.pk)) for each in objects],
    )


def _told_elsewhere(objects: Sequence[Model]) -> Q:
    """Entries about one object that repeat a step of another one here: `payment.opened` on the payment's order."""
    repeated = Q(action__in=(audit.SEEN, audit.SEEN_AS))
    for each in objects:
        repeated |= Q(action__startswith=f"{each._meta.model_name}.") & ~Q(subject_kind=audit.kind_of(each))
    return repeated


def steps_of(objects: Sequence[Model]) -> list[Step]:
    """The timeline of some objects together, oldest first."""
    told = AuditEntry.objects.filter(_about(objects)).exclude(_told_elsewhere(objects))
    entries = list(told.order_by("-id")[:MOST])[::-1]
    names = names_of({entry.actor for entry in entries})
    titles = _titles(objects)
    return [
        Step(
            at=entry.at,
            words=words_of(entry.action),
            by=names[entry.actor],
            is_person=entry.actor.startswith("user:"),
            reason=redaction.text(entry.reason),
            about=titles.get((entry.subject_kind, entry.subject_id), ""),
            details=details_of(entry.data),
        )
        for entry in entries
    ]


@dataclass(frozen=True)
class Visit:
    """Somebody looked at a person's data."""

    at: datetime
    by: str
    page: str
    # Why identifiers were shown in full; empty where they stayed masked.
    reason: str = ""


def visits_to(person: Model) -> list[Visit]:
    """Who looked at this person's data, newest first."""
    looks = audit.entries_of(person).filter(action__in=(audit.SEEN, audit.UNMASKED, audit.LOOKED_AS))
    entries = list(looks.order_by("-id")[:MOST_VISITS])
    names = names_of({entry.actor for entry in entries})
    return [
        Visit(entry.at, names[entry.actor], _page_name(entry.data.get("page", "")), redaction.text(entry.reason))
        for entry in entries
    ]


def _page_name(kind: str) -> str:
    try:
        return str(apps.get_model(kind)._meta.verbose_name)
    except (LookupError, ValueError):
        return kind


def _titles(objects: Sequence[Model]) -> dict[tuple[str, str], str]:
    """Names of the objects beside the first, whose page this is."""
    return {(audit.kind_of(each), str(each.pk)): str(each) for each in objects[1:]}


# Outcome of a call -> the tone of its badge.
CALL_TONES = {
    GatewayCall.Outcome.OK: "done",
    GatewayCall.Outcome.SENDING: "checking",
    GatewayCall.Outcome.OUTCOME_UNKNOWN: "checking",
    GatewayCall.Outcome.GARBLED: "checking",
    GatewayCall.Outcome.THROTTLED: "waiting",
    GatewayCall.Outcome.UNREACHABLE: "needs",
    GatewayCall.Outcome.NOT_AUTHORISED: "failed",
    GatewayCall.Outcome.REFUSED: "failed",
}


@dataclass(frozen=True)
class Exchange:
    """One call to a provider as it is shown: bodies are redacted when they are stored, and once more here."""

    call: GatewayCall
    badge: str
    request: str
    response: str
    about: str


def calls_of(objects: Sequence[Model]) -> list[Exchange]:
    """The conversation with providers about some objects, oldest first."""
    # Rows of reads are written a moment later than those of writes, so the order of ids is not that of time.
    latest = GatewayCall.objects.filter(_about(objects)).order_by("-id")[:MOST]
    calls = sorted(latest, key=lambda call: (call.started_at, call.pk))
    titles = _titles(objects)
    return [
        Exchange(
            call=call,
            badge=show.badge(CALL_TONES[GatewayCall.Outcome(call.outcome)], call.get_outcome_display()),
            request=show.pretty(call.request_body),
            response=show.pretty(call.response_body),
            about=titles.get((call.subject_kind, call.subject_id), ""),
        )
        for call in calls
    ]


def open_cases_of(objects: Sequence[Model]) -> list[Case]:
    """What a person must still look at about some objects, oldest first."""
    return list(
        Case.objects.filter(_about(objects), state=Case.State.OPEN).select_related("owner").order_by("opened_at")
    )
