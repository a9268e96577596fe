"""Acting for others: an application for one's child, and the day on which a guardian's authority ends.

    until 18   the guardian's login sees and does everything for the child; codes go to the guardian
    at 18      the day of the birthday (`rules.comes_of_age_on`): no consent is asked for or given any more, so no
               purchase, sale, mandate or change; what is on its way ends as it would. Everything stays readable
    after it   fund houses want the grown child's own KYC, signature and bank account (minor to major). FP has no call
               for it, so it is done with us on paper; then the grown child signs in with a login of its own

Sources: Majority Act 1875, section 3; SEBI circular of 24 December 2019 on folios of minors.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from investors import lifecycle, queries, rules, steps
from investors.models import Investor
from investors.operations import kyc, onboarding
from portal import audit, cases
from portal.errors import Failure
from portal.models import User

OF_AGE_CASE = "minor_came_of_age"
# How long before the birthday the guardian is told.
TOLD_BEFORE = timedelta(days=30)
TOLD = "minor.guardian_told"


class CameOfAge(Failure):
    """Raised where a guardian acts for somebody who is a minor no more."""

    code = "came_of_age"
    message = (
        "This person is 18 now, and a guardian can no longer act for them: nothing was ordered or changed. Write "
        "to us; we will tell you how they are registered in their own name."
    )


def begin_child(*, user: User, at: datetime) -> Investor:
    """There is an application for a child of this person; an untouched one is used before another is made.

    What the guardian's own application knows of the guardian stands in it.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        children = Investor.objects.filter(user=user, kind=Investor.Kind.MINOR, state=lifecycle.DRAFT)
        if found := children.filter(name="", pan_index=None).first():
            return found
        child = Investor(user=user, kind=Investor.Kind.MINOR, mobile=user.mobile)
        own = Investor.objects.filter(user=user).exclude(kind=Investor.Kind.MINOR).first()
        if own:
            child.guardian_name, child.guardian_date_of_birth = own.name[: rules.NOMINEE_LENGTH], own.date_of_birth
            child.mobile, child.isd_code = own.mobile or user.mobile, own.isd_code
            child.guardian_pan = own.pan
        child.save()
        audit.record(child, "investor.began_for_child", actor=user, at=at)
    return child


def put_childs_pan(*, investor: Investor, pan: str, actor: User, at: datetime) -> None:
    """The child's own PAN stands on the row, claimed unless another has it (`kyc.claim`). Raises NotEditable."""
    with transaction.atomic():
        row = onboarding.locked(investor.pk)
        if not queries.may_change(row, steps.PAN):
            raise onboarding.NotEditable
        row.pan, row.pan_index = pan, None
        kyc.claim(row)
        row.save()
        audit.record(row, "onboarding.childs_pan", actor=actor, at=at, pan=row.masked_pan)


def refuse_grown(investor: Investor, at: datetime) -> None:
    """Raises CameOfAge for a minor who is one no more."""
    born_on = investor.date_of_birth
    if investor.is_minor and born_on and not rules.is_minor(born_on, timezone.localdate(at)):
        raise CameOfAge


def watch_birthdays(*, at: datetime) -> int:
    """Guardians know a month before; on the day somebody of ours has a case. Returns how many were told or found."""
    soon = timezone.localdate(at) + TOLD_BEFORE
    # Three days more than needed, because months differ; each row is looked at exactly.
    born_by = soon.replace(year=soon.year - rules.ADULT_AGE, day=min(soon.day, 28)) + timedelta(days=3)
    minors = Investor.objects.filter(kind=Investor.Kind.MINOR, date_of_birth__lte=born_by).select_related("user")
    return sum(_watch(each, at) for each in minors)


def _watch(minor: Investor, at: datetime) -> bool:
    if minor.date_of_birth is None:
        return False
    day, today = rules.comes_of_age_on(minor.date_of_birth), timezone.localdate(at)
    if day <= today:
        title = f"{minor.code} turned 18: the guardian can no longer act"
        detail = "Nothing can be ordered or changed. Register the grown child in their own name (minor to major)."
        cases.open_case(kind=OF_AGE_CASE, subject=minor, title=title, detail=detail, at=at)
        return True
    if day - today > TOLD_BEFORE or audit.entries_of(minor).filter(action=TOLD).exists():
        return False
    _tell(minor, at)
    return True


def _tell(minor: Investor, at: datetime) -> None:
    day = rules.comes_of_age_on(minor.date_of_birth) if minor.date_of_birth else None
    facts = {"brand": settings.BRAND, "name": minor.guardian_name or "guardian", "day": day}
    body = render_to_string("email/investors_of_age.txt", facts)
    send_mail("A child for whom you invest turns 18", body, settings.DEFAULT_FROM_EMAIL, [minor.user.email])
    audit.record(minor, TOLD, actor=None, at=at)
