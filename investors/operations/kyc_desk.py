"""The desk's own yes to a fresh KYC, and sending one again that the provider turned down: always two persons.

approve    what was confirmed goes to FP. Not by the investor, nor by whoever sent one of its papers, invited them, or
           sent it again
resubmit   after a rejection that the desk knows to be wrong, the same answers and papers wait for a second person
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction

from investors import kyc_steps, lifecycle
from investors.models import Document, Invite, KycRequest
from investors.operations import kyc_requests, onboarding
from portal import audit, jobs
from portal.errors import Failure
from portal.models import User


class SecondPerson(Failure):
    """Whoever had a hand in it does not approve it (reliability.md P34)."""

    code = "second_person"
    message = (
        "Somebody else has to approve this: it is your own, or you sent it again, a paper of it, or the invitation."
    )


class NotWaiting(Failure):
    """It takes no such step now."""

    code = "kyc_not_waiting"
    message = "This request does not wait for the desk any more. Nothing was sent."


def approve(*, request_id: int, actor: User, reason: str, at: datetime) -> KycRequest:
    """The request goes to FP from now on. Raises SecondPerson, NotWaiting."""
    with transaction.atomic():
        row = kyc_requests.locked(request_id)
        if actor.pk in may_not_approve(row):
            raise SecondPerson
        if not kyc_requests.waits_for_the_desk(row):
            raise NotWaiting
        row.approved_at, row.approved_by = at, actor
        if not row.attempt:
            row.due_at = at
        row.save()
        audit.record(row, "kyc_request.approved", actor=actor, at=at, reason=reason)
        jobs.nudge("investors.advance_kyc_request", row_id=row.pk)
    return row


def resubmit(*, request: KycRequest, actor: User, reason: str, at: datetime) -> KycRequest:
    """A new request with everything that the investor had confirmed waits for a second person; nothing is sent yet.

    Raises kyc_requests.NotNeeded, NotWaiting when something is missing in it.
    """
    with transaction.atomic():
        investor = onboarding.locked(request.investor_id)
        last = kyc_requests.newest(investor)
        if last is None or last.pk != request.pk or not may_resubmit(last):
            raise kyc_requests.NotNeeded
        answers = kyc_steps.answers_of(last)
        answers[kyc_steps.SAVED] = [step.slug for step in kyc_steps.STEPS]
        made = KycRequest.objects.create(
            investor=investor,
            previous=last,
            answers=json.dumps(answers),
            created_at=at,
            state_since=at,
            submitted_at=at,
            resent_by=actor,
        )
        if kyc_requests.missing(kyc_requests.sheet_of(made)):
            raise NotWaiting("Something is missing in it, so the investor has to begin again. Nothing was sent.")
        audit.record(made, "kyc_request.sent_again", actor=actor, at=at, reason=reason, previous=last.code)
    return made


def may_resubmit(request: KycRequest) -> bool:
    """Was it confirmed once and turned down, and would a fresh KYC still help?"""
    ended = request.state in (lifecycle.REJECTED, lifecycle.EXPIRED) and request.submitted_at is not None
    return ended and kyc_requests.may_begin(request.investor)


def rests_on(request: KycRequest) -> list[object]:
    """What a yes is about: the confirmation of the investor, and each paper as it is now."""
    papers = Document.objects.filter(investor=request.investor_id, replaced_at=None).order_by("pk")
    return [request.code, request.submitted_at, *papers.values_list("pk", flat=True)]


def may_not_approve(request: KycRequest) -> set[int]:
    """Whose it is, and everybody who had a hand in it."""
    senders = Document.objects.filter(investor=request.investor_id, replaced_at=None).values_list("sent_by", flat=True)
    inviters = Invite.objects.filter(investor=request.investor_id).values_list("invited_by", flat=True)
    resent = [request.resent_by_id] if request.resent_by_id else []
    return {request.investor.user_id, *senders, *inviters, *resent}
