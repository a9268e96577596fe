"""How long records of an investor must be kept, and what still ties an investor to us.

Source: Prevention of Money-laundering (Maintenance of Records) Rules 2005, rule 10, and section 12 of the Act: five
years from the last transaction, and from the end of the business relationship. An outer app says what it knows of both
by `register`; nothing here looks outward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from investors import lifecycle
from investors.models import Investor, Mandate

TERM_YEARS = 5
# Before anything was confirmed there is no relationship: a few days to think it over, then it is gone.
UNREGISTERED = timedelta(days=7)
LIVE_MANDATES = (lifecycle.CREATED, lifecycle.AWAITING_INVESTOR, lifecycle.SUBMITTED, lifecycle.APPROVED)


@dataclass(frozen=True)
class Tie:
    """What one part of the product knows: why the relationship goes on (empty when it does not), and the last event."""

    goes_on: str = ""
    last_at: datetime | None = None


@dataclass(frozen=True)
class Term:
    """Until when an investor's records are held; None while the term has not begun."""

    until: datetime | None
    why: str


_ties: list[Callable[[Investor], Tie]] = []


def register(tie: Callable[[Investor], Tie]) -> None:
    """From now on this is asked as well before anything is erased."""
    _ties.append(tie)


def _mandates(investor: Investor) -> Tie:
    live = Mandate.objects.filter(investor=investor, state__in=LIVE_MANDATES).exists()
    last = Mandate.objects.filter(investor=investor).order_by("-state_since").first()
    return Tie("a mandate is alive; cancel it first" if live else "", last.state_since if last else None)


register(_mandates)


def term_of(investor: Investor, *, asked_at: datetime) -> Term:
    """Until when the records of this investor are held, as things stand now."""
    if investor.state == lifecycle.DRAFT:
        return Term(asked_at + UNREGISTERED, "Nothing was registered yet: a week to think it over.")
    ties = [tie(investor) for tie in _ties]
    if reasons := [tie.goes_on for tie in ties if tie.goes_on]:
        return Term(None, f"The term begins when nothing is on its way or held here any more: {'; '.join(reasons)}.")
    last = max([asked_at, *(tie.last_at for tie in ties if tie.last_at)])
    return Term(
        years_later(last, TERM_YEARS),
        "The law on money laundering wants the records for five years after the last transaction.",
    )


def years_later(moment: datetime, years: int) -> datetime:
    """The same day so many years on; 1 March for a 29 February that there is not."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
