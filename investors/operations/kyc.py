"""Asking the KYC registries about a PAN, and keeping what they said: raw answer, date, limit.

The PAN lies on the row, encrypted, before anybody is asked, so that nothing typed is lost when FP cannot
be reached. It is claimed (its index is set, unique over all investors) with the answer, not before.

Nobody learns here whether a PAN is a client's (reliability.md P31): one that another investor has is answered with the
same work and the same words, and is only not claimed. Its registration stops before anything is sent, with a case.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction

from investors import gateway, lifecycle, provenance, queries, refusals, steps
from investors.models import PAN_INDEX, Investor, KycCheck, KycRequest
from investors.operations import onboarding
from portal import audit, cases, jobs
from portal.encryption import blind_index, blind_indexes
from portal.errors import Failure, InvalidInput
from portal.fintech_primitives import messages
from portal.gateway import errors
from portal.models import User
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)

CHECKS_A_DAY = 10
# So many answers of one run that cannot be read are FP's trouble, and no investor's.
UNREADABLE = 5
KYC_TURNED_CASE = "kyc_no_longer_compliant"
NOT_ASKED_CASE = "kyc_recheck_refused"


class RegistrySilent(Failure):
    """Raised when the registries could not be asked. The PAN is kept."""

    code = "registry_silent"
    message = "We could not ask the KYC registry just now. What you typed is kept; please try again in a minute."


class TooManyChecks(Failure):
    """Raised after ten checks within a day."""

    code = "too_many_checks"
    message = "You have checked ten times within a day. Please come back tomorrow; what you typed is kept."


class NoPan(Failure):
    """Raised when the registries shall be asked about an investor who has named no PAN."""

    code = "no_pan"
    message = "The investor has not named a PAN yet, so there is nothing to ask about."


class CheckedLately(Failure):
    """Raised when the registries have answered within the hour."""

    code = "kyc_checked_lately"
    message = "The registries have answered within the last hour. Read that answer."


class PanHeld(Failure):
    """Raised when the PAN is changed while a fresh KYC with the present one is on its way."""

    code = "pan_held"
    message = "Your KYC with this PAN is under way. Another PAN can be used once it is decided."


def check(*, investor: Investor, pan: str, actor: User, at: datetime) -> KycCheck:
    """The PAN stands on the row and the registries' answer about it is kept, whatever it says.

    A new PAN resets what belongs to the person behind it: name and date of birth must be given again. Raises
    RegistrySilent, TooManyChecks, PanHeld, onboarding.NotEditable, InvalidInput for a PAN that FP calls invalid.
    """
    row = _put_pan(investor_id=investor.pk, pan=pan, actor=actor, at=at)
    try:
        answer = gateway.check_kyc(row)
    except errors.Refused:
        raise InvalidInput("pan", "The registry does not accept this PAN. Please compare it with your card.") from None
    except errors.GatewayError as error:
        raise RegistrySilent from error
    try:
        return _keep(investor_id=row.pk, pan=pan, answer=answer, actor=actor, at=at)
    except IntegrityError as error:
        if "one_investor_per_pan" not in str(error):
            raise
    # Somebody has claimed it in this very moment; now it is seen.
    return _keep(investor_id=row.pk, pan=pan, answer=answer, actor=actor, at=at)


def _put_pan(*, investor_id: int, pan: str, actor: User, at: datetime) -> Investor:
    with transaction.atomic():
        row = onboarding.locked(investor_id)
        if not queries.may_change(row, steps.PAN):
            raise onboarding.NotEditable
        asked = audit.entries_of(row).filter(action="kyc.asked", at__gt=at - timedelta(days=1)).count()
        if asked >= CHECKS_A_DAY:
            raise TooManyChecks
        if pan != row.kyc_pan:
            if _is_being_registered(row):
                raise PanHeld
            if row.kyc_pan:
                _forget_the_person(row)
            row.put_kyc_pan(pan, index="")
            row.save()
            provenance.note(row, steps.PAN, {"pan": pan}, actor=actor, at=at)
        audit.record(row, "kyc.asked", actor=actor, at=at, pan=row.masked_kyc_pan)
    return row


def _forget_the_person(row: Investor) -> None:
    """Another PAN is another person: what was said about the one before must be given again."""
    if row.is_minor:
        row.guardian_name, row.guardian_date_of_birth = "", None
    else:
        row.name, row.date_of_birth = "", None


def _is_being_registered(investor: Investor) -> bool:
    """Has FP heard of a fresh KYC with the PAN on the row, or may it have?"""
    under_way = KycRequest.objects.filter(investor=investor).exclude(state__in=lifecycle.KYC_REQUEST.final)
    return under_way.exclude(provider_ref=None, due_at=None).exists()


def _keep(*, investor_id: int, pan: str, answer: messages.KycCheck, actor: User | str | None, at: datetime) -> KycCheck:
    with transaction.atomic():
        row = onboarding.locked(investor_id)
        if row.kyc_pan != pan:
            # Another tab has put another PAN there while the registry was thinking; this answer is about nobody.
            raise RegistrySilent
        index = blind_index(pan, PAN_INDEX)
        # A guardian may act for several children, so nobody claims a guardian's PAN.
        free = row.is_minor or not _is_taken(row, pan)
        row.put_kyc_pan(pan, index=index if free else "")
        row.kyc_wanted_at = None
        if row.state != lifecycle.READY:
            row.refusal = refusals.without(row.refusal, steps.PAN)
        row.save()
        kept = KycCheck.objects.create(
            investor=row,
            pan_index=index,
            provider_ref=answer.id,
            is_compliant=answer.status,
            reason=(answer.reason or "")[:60],
            action=(answer.action or "")[:60],
            investment_limit=answer.investment_limit,
            verbatim=gateway.verbatim_of(answer),
            checked_at=at,
        )
        audit.record(row, "kyc.checked", actor=actor, at=at, is_compliant=answer.status, reason=kept.reason)
    return kept


def _is_taken(row: Investor, pan: str) -> bool:
    """Has another investor claimed this PAN, under any of the keys that are in use?"""
    with scope(ALL):
        others = Investor.objects.filter(pan_index__in=blind_indexes(pan, PAN_INDEX)).exclude(pk=row.pk)
        return others.exists()


def claim(row: Investor) -> bool:
    """The PAN on the locked row is this investor's alone; False when another investor has it. Saves nothing."""
    if not row.pan_index and not _is_taken(row, row.pan):
        row.set_pan(row.pan)
    return bool(row.pan_index)


def want(*, investor: Investor, actor: str, at: datetime) -> Investor:
    """The registries will be asked about the investor's PAN, by a worker. A second wish before that changes nothing.

    For partners, whose connection writes nothing of an investor: the caller has found the investor among theirs.
    Raises NoPan, CheckedLately.
    """
    with scope(ALL), transaction.atomic():
        row = onboarding.locked(investor.pk)
        if not row.kyc_pan:
            raise NoPan
        if row.kyc_wanted_at:
            return row
        if KycCheck.objects.filter(investor=row, checked_at__gt=at - timedelta(hours=1)).exists():
            raise CheckedLately
        row.kyc_wanted_at = at
        row.save(update_fields=["kyc_wanted_at"])
        audit.record(row, "kyc.recheck_asked", actor=actor, at=at)
        jobs.nudge("investors.recheck_kyc")
    return row


def recheck_old(*, at: datetime, limit: int = 1_500) -> int:
    """Whom a partner wants checked, and ready investors whose check is older than 30 days, have a fresh one.

    Stops when FP cannot be reached, or what it answers cannot be read time after time.
    Every hour, `limit` is enough for a million investors. One whose KYC has turned becomes a case, and so does one
    about whom FP refuses to ask, or answers what cannot be read: who has such a case is passed over, so that nobody
    stands in the way of others. A wish that met other trouble waits behind the other wishes.
    Returns how many were checked.
    """
    done = unreadable = 0
    for investor in queries.kyc_checks_that_are_old(at=at, limit=limit, besides=cases.subjects_of(NOT_ASKED_CASE)):
        try:
            recheck(investor=investor, at=at)
        except (errors.Refused, errors.Garbled) as trouble:
            _report_not_asked(investor, trouble, at)
            Investor.objects.filter(pk=investor.pk).update(kyc_wanted_at=None)
            unreadable += isinstance(trouble, errors.Garbled)
            if unreadable == UNREADABLE:
                break
            continue
        except RegistrySilent:
            continue  # the PAN changed meanwhile: the next run asks about the new one
        except errors.GatewayError as error:
            Investor.objects.filter(pk=investor.pk, kyc_wanted_at__isnull=False).update(kyc_wanted_at=at)
            if isinstance(error, errors.OutcomeUnknown):
                log.warning("kyc_recheck_unanswered", investor=investor.pk, error=str(error))
                continue  # perhaps about this one only; when about all, the breaker opens, and the run stops
            log.warning("kyc_recheck_stopped", error=str(error), done=done)
            break
        done += 1
    return done


def recheck(*, investor: Investor, at: datetime, actor: User | None = None, reason: str = "") -> KycCheck:
    """The registries' present answer about the PAN on the row is kept; one that has turned becomes a case.

    Raises the gateway errors of a call, and RegistrySilent when the PAN changed meanwhile.
    """
    if actor:
        audit.record(investor, "kyc.recheck_asked", actor=actor, at=at, reason=reason)
    answer = gateway.check_kyc(investor)
    kept = _keep(investor_id=investor.pk, pan=investor.kyc_pan, answer=answer, actor=actor, at=at)
    if answer.status:
        kinds = (KYC_TURNED_CASE, NOT_ASKED_CASE)
        cases.close_cases(subject=investor, kinds=kinds, resolution="The registries say yes.", at=at)
    elif investor.state == lifecycle.READY:
        _report_turned(investor, answer, at)
    return kept


def _report_not_asked(investor: Investor, trouble: errors.Refused | errors.Garbled, at: datetime) -> None:
    log.warning("kyc_recheck_refused", investor=investor.pk, error=str(trouble))
    refused = isinstance(trouble, errors.Refused)
    what = "FP refuses to check the KYC of {}" if refused else "FP's answer about the KYC of {} cannot be read"
    cases.open_case(
        kind=NOT_ASKED_CASE,
        subject=investor,
        title=what.format(investor.code),
        detail=f"{trouble.said} While this case is open, the schedule passes this investor over.",
        at=at,
    )


def _report_turned(investor: Investor, answer: messages.KycCheck, at: datetime) -> None:
    cases.open_case(
        kind=KYC_TURNED_CASE,
        subject=investor,
        title=f"KYC of {investor.code} is no longer compliant",
        detail=f"The registries say: {answer.reason or 'no reason'} (action: {answer.action or 'none'}).",
        at=at,
    )
