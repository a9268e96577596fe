"""The end of a partner's registration with AMFI, as a dated rule (screens.md F78).

    sixty, thirty, seven days before   everybody who works at the partner is told, and operations see it on their home
    the last good day                  everything goes
    from the next day on               no invitation, and no purchase or SIP is asked for, reminded of or taken up from
                                       a request of the partner's; they are told once more, and operations get a case
    a later day is entered             everything goes again

Sales, running SIPs, stopping one, and what investors order by themselves go on: those are the investor's, under our own
registration. A partner without a day is not watched: a firm that brings nobody as a distributor has no ARN.
Source of the rule: AMFI, guidelines for intermediaries: a distributor whose ARN has run out brings no new business.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.urls import reverse

from portal import cases
from portal.api.models import PartnerMember
from portal.errors import Failure
from portal.models import Partner
from portal.notices import catalogue, writing
from portal.notices.catalogue import EMAIL, Event
from portal.scope import ALL, scope

TOLD_BEFORE = (60, 30, 7)
ENDS, ENDED = "partner.arn_ends", "partner.arn_ended"
CASE = "partner_arn_ended"
_STOPS = "nobody can be invited, and investors cannot be asked to buy a fund or to begin a SIP"

catalogue.register(
    Event(
        key=ENDS,
        group="Partner console",
        label="Your ARN ends soon",
        title="{arn} ends on {until}",
        text=f"From the next day on {_STOPS}. What they hold, their running SIPs and their own orders go on. Renew the "
        "registration with AMFI and send us the new last day.",
        must=(EMAIL,),
        listed=False,
    ),
    Event(
        key=ENDED,
        group="Partner console",
        label="Your ARN has ended",
        title="{arn} ended on {until}",
        text=f"Until it is renewed {_STOPS}. What they hold, their running SIPs and their own orders go on. Send us "
        "the new last day as soon as AMFI has renewed it.",
        must=(EMAIL,),
        listed=False,
    ),
)


class ArnEnded(Failure):
    """The partner's registration with AMFI has run out: it brings no new business."""

    code = "arn_ended"
    message = "The ARN of this partner has ended. Nothing was done."


def has_ended(partner: Partner, on: date) -> bool:
    """Is the last good day over?"""
    return partner.arn_until is not None and on > partner.arn_until


def why_no_new_business(partner: Partner, on: date) -> str:
    """For the partner: what stops since its ARN has ended; empty while it is good."""
    if not has_ended(partner, on):
        return ""
    return f"{partner.arn} ended on {_day(partner.arn_until)}. Until it is renewed {_STOPS}."


def refuse_ended(partner: Partner, on: date) -> None:
    """Raises ArnEnded, in the partner's words."""
    if why := why_no_new_business(partner, on):
        raise ArnEnded(why)


def why_not_on_their_request(partner_id: int, on: date) -> str:
    """For the investor: why a purchase or SIP that this partner asked for cannot be taken up; empty when it can."""
    with scope(ALL):  # an investor's connection does not see the firm
        partner = Partner.objects.get(pk=partner_id)
    if not has_ended(partner, on):
        return ""
    return (
        f"{partner}'s registration with AMFI ended on {_day(partner.arn_until)}, so it cannot be done on their "
        "request. Nothing was ordered. You can do it yourself, from the fund's own page."
    )


def refuse_what_it_asked(partner_id: int, on: date) -> None:
    """Raises ArnEnded, in the words of the investor who takes up what a partner asked for."""
    if why := why_not_on_their_request(partner_id, on):
        raise ArnEnded(why)


def ends_soon(partner: Partner, on: date) -> bool:
    """Is the last good day near, and not over?"""
    return partner.arn_until is not None and 0 <= (partner.arn_until - on).days <= TOLD_BEFORE[0]


def what_will_stop(partner: Partner, on: date) -> str:
    """For the partner: what stops soon; empty while the end is far."""
    if not ends_soon(partner, on):
        return ""
    return (
        f"{partner.arn} is good until {_day(partner.arn_until)}. From the next day on {_STOPS}. Send us the new last "
        "day as soon as AMFI has renewed it."
    )


def watch(*, at: datetime) -> int:
    """Whoever works at a partner whose ARN ends soon or has ended is told, each time once. How many partners.

    The case about an end closes once the ARN is good again.
    """
    on = at.date()
    watched = list(Partner.objects.filter(is_active=True, arn_until__isnull=False))
    near = [each for each in watched if ends_soon(each, on) or has_ended(each, on)]
    reported = set(cases.subjects_of(CASE))
    for partner in watched:
        if partner.pk in reported and not has_ended(partner, on):
            cases.close_cases(subject=partner, kinds=(CASE,), resolution="The ARN was renewed.", at=at)
    for partner in near:
        with transaction.atomic():
            _tell(partner, on, at)
            if has_ended(partner, on) and partner.pk not in reported:
                _report(partner, at)
    return len(near)


def _tell(partner: Partner, on: date, at: datetime) -> None:
    if partner.arn_until is None:
        return
    left = (partner.arn_until - on).days
    step = min((days for days in TOLD_BEFORE if left <= days), default=0) if left >= 0 else ENDED
    event = ENDED if left < 0 else ENDS
    for user_id in PartnerMember.objects.filter(partner=partner, ended_at=None).values_list("user_id", flat=True):
        writing.tell(
            user_id=user_id, event=event, subject=partner, url=reverse("console:home"), at=at,
            about=f"{partner.arn_until} {step}"[:40], arn=partner.arn, until=_day(partner.arn_until),
        )  # fmt: skip


def _report(partner: Partner, at: datetime) -> None:
    title = f"The ARN of {partner} ended on {_day(partner.arn_until)}"
    detail = f"{_STOPS.capitalize()}. Enter the new last day as soon as AMFI has renewed it."
    cases.open_case(kind=CASE, subject=partner, title=title, detail=detail, at=at)


def _day(day: date | None) -> str:
    return f"{day:%-d %b %Y}" if day else ""
