"""What the pages of money share: rows that are sent to a provider, carry rupees, and stand in a state for a while.

`MoneyAdmin` words the amount, the state and the attempts of such a row; `waiting` counts the open ones for the first
page of operations. Each app adds what is its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Count, Min, Model, Q, Sum
from django.utils.html import format_html
from unfold.decorators import display

from portal import money
from portal.admin import home, show
from portal.admin.base import OpsAdmin
from portal.admin.filters import stuck
from portal.attempts import Attempted


class MoneyAdmin(OpsAdmin):
    """Orders, payments and their like (`Attempted`, with amount and state). Subclasses name states, tones, patience."""

    # State -> the colour of its badge; state -> how long a row may stand in it.
    tones: ClassVar[Mapping[str, str]] = {}
    patience: ClassVar[Mapping[str, timedelta]] = {}
    ordering = ("-id",)
    shows_calls = True

    @display(description="Amount", ordering="amount")
    def rupees(self, row: Any) -> str:
        return show.rupees(row.amount)

    @display(description="State", ordering="state")
    def state_badge(self, row: Any) -> str:
        """The row's state; an unknown outcome is shown as what it is."""
        if row.is_unknown:
            return show.badge("checking", "checking")
        return show.badge(self.tones[row.state], row.get_state_display())

    @display(description="State, since", ordering="state_since")
    def state_and_age(self, row: Any) -> str:
        return show.two(self.state_badge(row), show.since(row.state_since))

    @display(description="In this state", ordering="state_since")
    def age_now(self, row: Any) -> str:
        return show.since(row.state_since)

    @display(description="At the provider", ordering="provider_ref")
    def at_provider(self, row: Any) -> str:
        return show.two(row.provider_ref or show.NOTHING, show.attempt_words(row))

    @display(description="Partner")
    def partner(self, row: Any) -> str:
        return row.investor.partner.code if row.investor.partner_id else show.NOTHING

    @display(description="Attempts")
    def attempts(self, row: Attempted) -> str:
        return show.attempt_words(row)

    @display(description="Next look", ordering="due_at")
    def due(self, row: Attempted) -> str:
        return show.due_words(row.due_at)


def waiting(
    model: type[Model], words: str, *, open_states: Sequence[str], patience: Mapping[str, timedelta], at: datetime
) -> home.Part:
    """Tiles and a table of what is on its way, by state, from one statement: what is stuck, how much money waits."""
    found = _by_state(model, open_states, patience, at)
    state_field: Any = model._meta.get_field("state")
    labels = dict(state_field.flatchoices)
    rows = [_state_row(model, state, str(labels[state]), found.get(state), at) for state in open_states]
    columns = ("State", "Count", "Value", "Stuck", "Value stuck", "Oldest")
    panel = home.Panel(
        f"{words.capitalize()} on their way", columns, rows, f"No {words} on their way.", show.list_url(model)
    )
    return home.Part(_tiles(model, words, found), [panel])


def _by_state(
    model: type[Model], open_states: Sequence[str], patience: Mapping[str, timedelta], at: datetime
) -> dict[str, dict[str, Any]]:
    is_stuck, is_unknown = stuck(patience, at), Q(attempt=Attempted.Outcome.UNKNOWN)
    rows = model._default_manager.filter(state__in=open_states).order_by().values("state")
    grouped = rows.annotate(
        count=Count("pk"),
        value=Sum("amount"),
        stuck=Count("pk", filter=is_stuck),
        at_risk=Sum("amount", filter=is_stuck, default=Decimal(0)),
        unknown=Count("pk", filter=is_unknown),
        in_doubt=Sum("amount", filter=is_unknown, default=Decimal(0)),
        oldest=Min("state_since"),
    )
    return {each["state"]: each for each in grouped}


def _tiles(model: type[Model], words: str, found: Mapping[str, Mapping[str, Any]]) -> list[home.Tile]:
    def total(key: str) -> Any:
        return sum((each[key] for each in found.values()), Decimal(0))

    stuck_count, unknown = int(total("stuck")), int(total("unknown"))
    return [
        home.Tile(
            f"Stuck {words}",
            str(stuck_count),
            f"{money.rupees_short(total('at_risk'))} waits" if stuck_count else "All move at their pace.",
            show.list_url(model, "stuck=1"),
            "needs" if stuck_count else "done",
        ),
        home.Tile(
            f"Unknown {words}",
            str(unknown),
            f"{money.rupees_short(total('in_doubt'))} in doubt" if unknown else "Every outcome is known.",
            show.list_url(model, "unknown=1"),
            "checking" if unknown else "done",
        ),
    ]


def _state_row(model: type[Model], state: str, label: str, found: Mapping[str, Any] | None, at: datetime) -> list[str]:
    name = format_html(
        '<a class="ops-link" href="{}">{}</a>', show.list_url(model, f"state__exact={state}"), label.capitalize()
    )
    if found is None:
        return [name, "0", *[show.NOTHING] * 4]
    stuck = str(found["stuck"]) if found["stuck"] else show.NOTHING
    at_risk = show.rupees(found["at_risk"]) if found["stuck"] else show.NOTHING
    return [name, str(found["count"]), show.rupees(found["value"]), stuck, at_risk, show.age(at - found["oldest"])]
