"""The first page of operations: what needs a person, then how the machinery is.

The page is made of parts. Each app registers its own beside its admin pages, because the kernel knows no app:

    @home.part(order=20, permission="orders.view_mforder")
    def orders(at: datetime) -> Part: ...

A part is a few numbers (tiles) and tables (panels) from one or two set-based statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q, Sum
from django.http import HttpRequest
from django.utils.text import capfirst

from portal import arns, clock, gates
from portal.admin import show, timeline
from portal.counted import Found
from portal.field_words import words_of
from portal.models import Case, Gate, Heartbeat, InboundEvent, Partner

# Beat sends the heartbeat every 30 seconds and a worker writes it.
BEAT_IS_LATE_AFTER = timedelta(minutes=3)
COMPARED_AGAIN_WITHIN = timedelta(hours=26)
# AMFI takes renewals from two months before the end.
ARN_IS_RENEWED_WITHIN = timedelta(days=60)


@dataclass(frozen=True)
class Tile:
    """One number with its words; `tone` colours it when somebody has to act."""

    label: str
    value: str
    note: str = ""
    url: str = ""
    tone: str = "neutral"


@dataclass(frozen=True)
class Panel:
    """A table. Cells are text or safe HTML from `show`; the first column is the row's name."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str
    url: str = ""
    note: str = ""

    @property
    def labelled_rows(self) -> list[list[tuple[str, str]]]:
        """Each cell with its column's words: on a phone the rows are cards."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Chart:
    """How many of something came in each hour of the day so far."""

    title: str
    hours: Mapping[int, int]

    @property
    def total(self) -> int:
        """Of the day."""
        return sum(self.hours.values())

    @property
    def bars(self) -> list[tuple[str, int, int]]:
        """(words, how many, percent of the fullest hour) for each hour of the day."""
        most = max(self.hours.values(), default=0) or 1
        counts = [self.hours.get(hour, 0) for hour in range(24)]
        return [(f"{hour:02}:00, {count}", count, round(100 * count / most)) for hour, count in enumerate(counts)]


@dataclass(frozen=True)
class Part:
    """What one app puts on the first page."""

    charts: Sequence[Chart] = field(default_factory=tuple, kw_only=True)

    tiles: Sequence[Tile] = field(default_factory=tuple)
    panels: Sequence[Panel] = field(default_factory=tuple)


BEING_COUNTED = "This is being counted. Look again in a minute."


def counted_at(found: Found | None, at: datetime) -> str:
    """When a figure was counted that is not of this moment."""
    return f" As of {show.moment(found.at)}." if found and found.at != at else ""


Builder = Callable[[datetime], Part]
_parts: list[tuple[int, str, Builder]] = []


def part(*, order: int, permission: str) -> Callable[[Builder], Builder]:
    """Register a part; people without the permission do not see it."""

    def register(build: Builder) -> Builder:
        _parts.append((order, permission, build))
        return build

    return register


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Context of the first page (settings.UNFOLD)."""
    from portal.admin import desk

    at = clock.now()
    parts = [
        build(at)
        for _, permission, build in sorted(_parts, key=lambda each: each[0])
        if request.user.has_perm(permission)
    ]
    tiles = [tile for each in parts for tile in each.tiles]
    panels = [panel for each in parts for panel in each.panels]
    may_see = request.user.has_perm("portal.view_workitem")
    inbox = [desk.summary_panel(request.user, at)] if may_see else []
    charts = [chart for each in parts for chart in each.charts]
    shown = {"inbox": inbox, "tiles": tiles, "panels": panels, "charts": charts, "as_of": show.moment(at)}
    return {**context, "title": "Today's work", **shown}


@part(order=10, permission="portal.view_case")
def cases_part(at: datetime) -> Part:
    """Open cases by kind and age."""
    kinds = list(
        Case.objects.filter(state=Case.State.OPEN)
        .values("kind")
        .annotate(
            count=Count("pk"),
            nobodys=Count("pk", filter=Q(owner=None)),
            today=Count("pk", filter=Q(opened_at__gte=at - timedelta(days=1))),
            late=Count("pk", filter=Q(due_at__lt=at)),
            oldest=Min("opened_at"),
            first=Min("due_at"),
            rupees=Sum("rupees"),
        )
        .order_by("first")
    )
    total = sum(each["count"] for each in kinds)
    nobodys = sum(each["nobodys"] for each in kinds)
    oldest = show.age(at - min(each["oldest"] for each in kinds)) if kinds else ""
    late = sum(each["late"] for each in kinds)
    tile = Tile(
        "Open cases",
        str(total),
        f"{late} late · {nobodys} nobody's · oldest {oldest}" if total else "Nothing waits for a person.",
        show.list_url(Case, "state__exact=OPEN"),
        "needs" if total else "done",
    )
    rows = [
        [
            capfirst(words_of(each["kind"])),
            str(each["count"]),
            str(each["late"]),
            str(each["today"]),
            str(each["nobodys"]),
            show.rupees(each["rupees"]),
            show.age(at - each["oldest"]),
        ]
        for each in kinds
    ]
    columns = ("Kind", "Open", "Late", "New in 24 h", "Nobody's", "Rupees at risk", "Oldest")
    url = show.list_url(Case, "state__exact=OPEN")
    return Part([tile], [Panel("Cases", columns, rows, "No open case.", url)])


@part(order=60, permission="portal.view_inboundevent")
def inbox_part(at: datetime) -> Part:
    """Doorbells that nobody answered."""
    late = at - timedelta(minutes=2)
    # NEW rows have an index of their own; FAILED ones are few because each needs a person.
    counts = InboundEvent.objects.filter(state__in=["NEW", "FAILED"]).aggregate(
        failed=Count("pk", filter=Q(state="FAILED")),
        waiting=Count("pk", filter=Q(state="NEW", received_at__lt=late)),
    )
    url = show.list_url(InboundEvent, "state__exact=FAILED")
    tone = "failed" if counts["failed"] else "needs" if counts["waiting"] else "done"
    note = f"{counts['waiting']} waiting longer than 2 min"
    return Part([Tile("Failed inbound events", str(counts["failed"]), note, url, tone)])


@part(order=70, permission="portal.view_gate")
def machinery_part(at: datetime) -> Part:
    """Gates, and whether beat and a worker are alive."""
    every = list(Gate.objects.order_by(F("is_closed").desc(), "name"))
    closed = [each for each in every if each.is_closed and each.name != gates.MESSAGES]
    gate = Tile(
        "Money gate",
        "Closed" if closed else "Open",
        "; ".join(each.reason for each in closed) or "Orders and payments are sent.",
        show.list_url(Gate),
        "failed" if closed else "done",
    )
    hearts = dict(Heartbeat.objects.values_list("name", "at"))
    heard, compared = hearts.get("beat"), hearts.get("reconciliation")
    late = heard is None or at - heard > BEAT_IS_LATE_AFTER
    beat = Tile(
        "Background work",
        "Silent" if late else "Alive",
        f"last heard {show.age(at - heard)} ago" if heard else "never heard: start worker and beat",
        show.list_url(Heartbeat),
        "failed" if late else "done",
    )
    comparison = Tile(
        "Compared with FP",
        f"{show.age(at - compared)} ago" if compared else "Not yet",
        "Orders, payments and holdings, once a day; what differs is a case.",
        show.list_url(Heartbeat),
        "neutral" if compared is None else "needs" if at - compared > COMPARED_AGAIN_WITHIN else "done",
    )
    by_account = hearts.get(gates.BY_ACCOUNT)
    is_asked = by_account or any(each.name == gates.AFTER_RESTORE for each in closed)
    tiles = [gate, *(_since_restore(at) if is_asked else []), beat, comparison, *_registration(at), *_partners(at)]
    return Part(tiles, [_gates(every, at, by_account)])


def _since_restore(at: datetime) -> list[Tile]:
    """How many accounts are compared since the restore, and when all will be."""
    said = gates.progress(at)
    if said is None:
        return []
    to_come = said.total - said.done
    end = f"the last about {show.moment(said.ends_at)} at this pace" if said.ends_at else "none in the last ten minutes"
    notes = [end + "; whoever has something waiting comes first"] if to_come else ["all of them"]
    notes += [f"{said.held} wait for a person to close a case"] if said.held else []
    return [
        Tile(
            "Accounts compared since the restore",
            f"{said.done} of {said.total}",
            ". ".join(capfirst(each) for each in notes) + ".",
            show.list_url(Case, "state__exact=OPEN"),
            "needs" if to_come or said.held else "done",
        )
    ]


def _registration(at: datetime) -> list[Tile]:
    """The end of our registration with AMFI, from two months before it: from the next day on nothing new is sold."""
    until = settings.ARN_VALID_UNTIL
    if until is None or until - at.date() > ARN_IS_RENEWED_WITHIN:
        return []
    is_over = at.date() > until
    note = "No purchase and no SIP can be begun." if is_over else "From the next day on nothing new is sold."
    return [
        Tile(
            "ARN ended on" if is_over else "ARN ends on",
            f"{until:%-d %b %Y}",
            note,
            "",
            "failed" if is_over else "needs",
        )
    ]


def _partners(at: datetime) -> list[Tile]:
    """Partners whose registration with AMFI ends within two months, or has ended."""
    on = at.date()
    watched = list(Partner.objects.filter(is_active=True, arn_until__lte=on + ARN_IS_RENEWED_WITHIN))
    if not watched:
        return []
    ended = sum(arns.has_ended(each, on) for each in watched)
    note = f"{ended} ended: no invitation, purchase or SIP comes from there." if ended else "Nobody has ended yet."
    tone = "failed" if ended else "needs"
    return [Tile("ARNs of partners that end", str(len(watched)), note, show.list_url(Partner), tone)]


def gate_words(name: str) -> str:
    """A gate as people call it; that of a provider by the provider's name."""
    own = {
        gates.OUTBOUND_MONEY: "Everything (kill switch)",
        gates.AFTER_RESTORE: "After a restore",
        gates.MESSAGES: "Messages to many (no money)",
    }
    return own.get(name) or words_of(name.removeprefix("money_"))


def _stands(gate: Gate, by_account: datetime | None) -> str:
    if gate.is_closed:
        return show.badge("failed", "closed")
    if by_account and gate.name == gates.AFTER_RESTORE:
        return show.badge("needs", "open for compared accounts")
    return show.badge("done", "open")


def _gates(every: Sequence[Gate], at: datetime, by_account: datetime | None) -> Panel:
    """Every gate in front of money: the kill switch, the one of each provider, the one after a restore."""
    lately = gates.money_calls(at)
    rows = [
        [
            gate_words(each.name),
            _stands(each, by_account),
            each.reason or show.NOTHING,
            timeline.names_of([each.changed_by])[each.changed_by] if each.changed_by else show.NOTHING,
            show.moment(each.changed_at) if each.changed_by else "never turned",
            f"{lately.get(each.name, 0)} of {settings.MONEY_CALLS_PER_MINUTE}" if each.name in lately else show.NOTHING,
        ]
        for each in every
    ]
    columns = ("Gate", "State", "Why", "By", "Since", "Calls in the last minute")
    note = "More calls than that in a minute close the gate of a provider by themselves (order-rate breaker)."
    return Panel("Gates in front of money", columns, rows, "No gate yet.", show.list_url(Gate), note)
