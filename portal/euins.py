"""How long an EUIN is good, as dated data (screens.md F78): AMFI gives the number to one employee for three years.

    sixty days before the end    operations get a case, which closes when a later day is entered
    outside its days             nobody is invited under it, and no order and no SIP names it: what an employee whose
                                 number has run out advised on goes out without one, or not at all

A number that nobody has entered is not watched; an order names none such either (a trigger of the orders says so, too).
Source of the rule: AMFI, guidelines for intermediaries: an employee whose EUIN has run out advises nobody.
"""

from __future__ import annotations

from datetime import date, datetime

from portal import cases
from portal.errors import InvalidInput
from portal.models import Euin

SOON_DAYS = 60
CASE = "euin_ends"


def good(number: str, on: date) -> str:
    """The number, where it may stand on an order of this day; else nothing."""
    if not number:
        return ""
    kept = Euin.objects.filter(number=number, good_from__lte=on, good_until__gte=on)
    return number if kept.exists() else ""


def refuse_bad(number: str, on: date) -> None:
    """Raises InvalidInput at the field `euin` for a number that is known and not good on this day."""
    found = Euin.objects.filter(number=number).first() if number else None
    if found and on > found.good_until:
        raise InvalidInput("euin", f"{number} ended on {_day(found.good_until)}: nobody is invited under it.")
    if found and on < found.good_from:
        raise InvalidInput("euin", f"{number} begins on {_day(found.good_from)}: nobody is invited under it before.")


def watch(*, at: datetime) -> int:
    """Operations have a case about every number that ends within sixty days or has ended. How many numbers.

    A number whose partner we work with no more is nobody's to renew.
    """
    on, watched = at.date(), Euin.objects.exclude(partner__is_active=False).select_related("partner")
    near = [each for each in watched if (each.good_until - on).days <= SOON_DAYS]
    reported = set(cases.subjects_of(CASE))
    for each in Euin.objects.filter(pk__in=reported - {each.pk for each in near}):
        cases.close_cases(subject=each, kinds=(CASE,), resolution="It is good for longer now.", at=at)
    for each in near:
        if each.pk not in reported:
            _report(each, at)
    return len(near)


def _report(euin: Euin, at: datetime) -> None:
    whose = f"{euin.holder} ({euin.partner or 'ours'})"
    title = f"The EUIN {euin.number} of {whose} is good until {_day(euin.good_until)}"
    detail = (
        "From the next day on nobody is invited under it, and no order names it. Enter the new last day as soon as "
        "AMFI has renewed it."
    )
    cases.open_case(kind=CASE, subject=euin, title=title, detail=detail, at=at)


def _day(day: date) -> str:
    return f"{day:%-d %b %Y}"
