"""Reads of the console. The owner filter stands here once: what belongs to investors of the partner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import connection
from django.db.models import Count, F, Max, Min, Model, Q, QuerySet, Sum

from investors.models import FirmTransfer, Investor, Invite
from orders import lifecycle
from orders.models import Approval, BasketOrder, Holding, MfOrder, Plan
from orders.queries import approvals
from portal.models import FirmRequest, Partner

Row = TypeVar("Row", bound=Model)


def investors_of(partner: Partner) -> QuerySet[Investor]:
    """The owner filter: investors whom the partner brought."""
    return Investor.objects.filter(partner=partner)


def theirs(rows: QuerySet[Row], partner: Partner) -> QuerySet[Row]:
    """The owner filter of everything that belongs to an investor."""
    return rows.filter(investor__partner=partner)


def invites_of(partner: Partner) -> QuerySet[Invite]:
    """Invitations in the partner's name."""
    return Invite.objects.filter(partner=partner)


def transfers_of(partner: Partner) -> QuerySet[FirmTransfer]:
    """Investors who come to the partner or go from it, the newest first."""
    return FirmTransfer.objects.filter(Q(from_partner=partner) | Q(to_partner=partner)).order_by("-pk")


@dataclass(frozen=True)
class Book:
    """What the partner's investors hold, and what they have under way. Rupees are exact."""

    # At the latest NAV of each scheme; holdings of schemes without a NAV are left out and counted.
    assets: Decimal
    nav_from: date | None
    nav_to: date | None
    unvalued: int
    sips: int
    sips_monthly: Decimal
    ready: int
    on_the_way: int
    invited: int

    @property
    def investors(self) -> int:
        """All whom the partner brought."""
        return self.ready + self.on_the_way


def book_of(partner: Partner) -> Book:
    """The figures of the overview: four statements, however large the book is."""
    held = theirs(Holding.objects.filter(units__gt=0), partner).aggregate(
        value=Sum(F("units") * F("scheme__nav"), filter=Q(scheme__nav__isnull=False)),
        first=Min("scheme__nav_on"),
        last=Max("scheme__nav_on"),
        unvalued=Count("pk", filter=Q(scheme__nav__isnull=True)),
    )
    active = Q(state=lifecycle.ACTIVE)
    sips = theirs(Plan.objects.all(), partner).aggregate(
        running=Count("pk", filter=active), monthly=Sum("amount", filter=active)
    )
    people = investors_of(partner).aggregate(all=Count("pk"), ready=Count("pk", filter=Q(state=Investor.State.READY)))
    return Book(
        assets=(held["value"] or Decimal(0)).quantize(Decimal("0.01")),
        nav_from=held["first"],
        nav_to=held["last"],
        unvalued=held["unvalued"],
        sips=sips["running"],
        sips_monthly=sips["monthly"] or Decimal(0),
        ready=people["ready"],
        on_the_way=people["all"] - people["ready"],
        invited=invites_of(partner).filter(used_at=None, revoked_at=None).count(),
    )


@dataclass(frozen=True)
class BookBeneath:
    """Sums of a firm that works through the partner, on a level beneath it. Its investors are for that firm alone."""

    key: int
    head: int
    level: int
    name: str
    arn: str
    arn_until: date | None
    is_active: bool
    ready: int
    on_the_way: int
    # At the latest NAV of each scheme; holdings of schemes without one are left out and counted.
    assets: Decimal
    unvalued: int
    nav_from: date | None
    nav_to: date | None
    sips: int
    sips_monthly: Decimal
    open_orders: int
    # The name of the firm between; empty on the first level.
    through: str = ""

    def has_ended(self, on: date) -> bool:
        """Has its registration with AMFI run out?"""
        return self.arn_until is not None and self.arn_until < on


def books_beneath() -> list[BookBeneath]:
    """Every firm beneath whoever's connection this is, a firm before those beneath it: one statement for any number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_books_beneath() ORDER BY name, partner_id")
        found = [BookBeneath(*row) for row in cursor.fetchall()]
    names = {each.key: each.name for each in found}
    firsts = [each for each in found if each.level == 1]
    return [
        replace(each, through=names.get(each.head, ""))
        for first in firsts
        for each in _with_those_beneath(first, found)
    ]


def _with_those_beneath(firm: BookBeneath, found: list[BookBeneath]) -> list[BookBeneath]:
    beneath = [each for each in found if each.head == firm.key]
    return [firm, *(deeper for each in beneath for deeper in _with_those_beneath(each, found))]


def firm_requests_of(partner: Partner) -> QuerySet[FirmRequest]:
    """Firms that the partner asked for, the newest first."""
    return FirmRequest.objects.filter(head=partner).order_by("-pk")


@dataclass(frozen=True)
class InFlight:
    """Orders in one state: how many, for how many rupees (None where units were asked for)."""

    state: str
    orders: int
    rupees: Decimal | None


# Of funds only; baskets are counted beside them.
_ORDER = list(MfOrder.State.values)


def in_flight(partner: Partner) -> list[InFlight]:
    """Orders that have not ended, by state, in the order of their lives."""
    rows = (
        theirs(MfOrder.objects.filter(state__in=lifecycle.OPEN), partner)
        .values("state")
        .annotate(orders=Count("pk"), rupees=Sum("amount"))
        .order_by()
    )
    found = [InFlight(row["state"], row["orders"], row["rupees"]) for row in rows]
    return sorted(found, key=lambda each: _ORDER.index(each.state))


def baskets_in_flight(partner: Partner) -> int:
    """Basket orders that have not ended."""
    ended = lifecycle.BASKET_ORDER.final
    return theirs(BasketOrder.objects.exclude(state__in=ended), partner).count()


def approvals_of(partner: Partner) -> QuerySet[Approval]:
    """What the partner asked of investors who are still its own."""
    return Approval.objects.filter(partner=partner, investor__partner=partner)


def approvals_pending(partner: Partner, at: datetime) -> int:
    """Requests that an investor can still decide; of more than a thousand, those that were asked last."""
    alive = approvals_of(partner).filter(withdrawn_at=None, ended_at=None, expires_at__gt=at).order_by("-pk")[:1000]
    return len({line.line.approval_id for line in approvals.lines_of(list(alive), at) if line.is_open})
