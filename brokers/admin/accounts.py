"""Accounts at brokers, and what operations do about journeys of which a broker tells nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from brokers.models import Broker, BrokerAccount, NewsCursor, OrderProof
from brokers.operations import silence
from investors.admin.papers import picture
from orders.admin.baskets import BasketOrderAdmin
from orders.models import BasketOrder
from portal import clock
from portal.admin import home, show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import Lines, OpsAdmin
from portal.admin.finding import by_code, codes

codes.update({"BRK": BrokerAccount})


class SessionFilter(RadioFilter):
    """Whose session lasts, and who must log in before the next order."""

    title = "session"
    parameter_name = "session"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lasts", "Logged in"), ("ended", "Must log in")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = clock.now()
        found = {
            "lasts": queryset.filter(session_expires_at__gt=now),
            "ended": queryset.filter(unlinked_at=None).exclude(session_expires_at__gt=now),
        }
        return found.get(self.value() or "", queryset)


@admin.register(BrokerAccount)
class BrokerAccountAdmin(OpsAdmin):
    """Investors' accounts at brokers and until when they are logged in. The sessions themselves are never shown."""

    list_display = ("code", "investor", "broker", "house", "label", "logged_in", "linked", "unlinked")
    list_filter = (("broker", ChoicesCheckboxFilter), SessionFilter)
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_code("code"),)
    search_help_text = "Code of the account"
    fieldsets = (
        (None, {"fields": ("code", "investor", "broker", "house", "label", "logged_in", "linked", "unlinked")}),
    )

    @display(description="Logged in until")
    def logged_in(self, account: BrokerAccount) -> str:
        lasts = account.session_expires_at and account.session_expires_at > clock.now()
        return show.moment(account.session_expires_at) if lasts else show.NOTHING

    @display(description="Linked")
    def linked(self, account: BrokerAccount) -> str:
        return show.moment(account.linked_at)

    @display(description="Unlinked")
    def unlinked(self, account: BrokerAccount) -> str:
        return show.moment(account.unlinked_at)


@admin.register(NewsCursor)
class NewsCursorAdmin(OpsAdmin):
    """How far the numbered news of a broker was read, and when: standing still while orders are open is trouble."""

    list_display = ("broker", "sequence", "read")
    ordering = ("broker",)
    shows_timeline = False
    fieldsets = ((None, {"fields": ("broker", "sequence", "read")}),)

    @display(description="Last read")
    def read(self, cursor: NewsCursor) -> str:
        return show.moment(cursor.read_at)


class ProofsOf(Lines):
    """The broker's papers that the investor sent about a journey."""

    model = OrderProof
    fields = ("document", "shows", "sent_at", "paper")
    readonly_fields = ("paper",)
    verbose_name_plural = "papers of the broker's"

    @display(description="Paper")
    def paper(self, proof: OrderProof) -> str:
        return picture(proof.document)


class SettleForm(ReasonForm):
    """What the broker's paper shows, share by share."""

    entries = forms.CharField(
        label="What the paper shows",
        help_text="A line for each share: symbol, number executed, average price in rupees. “ITC 10 441.20”; “TCS 0” "
        "where nothing was executed.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )
    field_order = ("entries", "reason")


def _settled(order: BasketOrder, by: By) -> str:
    entries = silence.read_entries(str(by.answers["entries"]))
    done = silence.settle(order_id=order.pk, entries=entries, actor=by.actor, reason=by.reason, at=by.at)
    return f"The order is {done.get_state_display()}."


def _closed(order: BasketOrder, by: By) -> str:
    silence.close(order_id=order.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The order came to nothing. The investor may order again."


BasketOrderAdmin.inlines = (*BasketOrderAdmin.inlines, ProofsOf)  # type: ignore[assignment]


def _whose(order: BasketOrder) -> Collection[int]:
    """Nobody says how an order of their own ended."""
    return (order.investor.user_id,)


BasketOrderAdmin.acts = (
    *BasketOrderAdmin.acts,
    Act(
        name="settle_by_paper",
        label="Enter what the broker's paper shows",
        permission="orders.approve_basketorder",
        explain="Only for an order of which the broker tells us nothing, and only from a paper of the broker's, such "
        "as the contract note. The entries are judged like the broker's own news.",
        run=_settled,
        offered=lambda order: silence.is_silent(order) and order.proofs.exists(),
        not_by=_whose,
        form=SettleForm,
        icon="receipt_long",
    ),
    Act(
        name="close_silent",
        label="The broker placed nothing",
        permission="orders.approve_basketorder",
        explain="Only when the broker itself has said so: write who, and when; or when a paper of the broker's, such "
        "as its order book of that day, shows no such order: write which. The order then came to nothing, and "
        "the investor may order again. What the investor says alone is no evidence.",
        run=_closed,
        offered=silence.is_silent,
        not_by=_whose,
        danger=True,
        icon="block",
    ),
)


@home.part(order=36, permission="brokers.view_brokeraccount")
def accounts_part(at: datetime) -> home.Part:
    """How many accounts are linked by each route, and how many of them are logged in just now."""
    live = BrokerAccount.objects.filter(unlinked_at__isnull=True).values("broker")
    counts = live.annotate(linked=Count("pk"), logged_in=Count("pk", filter=Q(session_expires_at__gt=at)))
    names = dict(Broker.choices)
    rows = [[names[row["broker"]], str(row["linked"]), str(row["logged_in"])] for row in counts.order_by("broker")]
    columns = ("Route", "Linked", "Logged in now")
    panel = home.Panel("Accounts at brokers", columns, rows, "Nobody has linked one.", show.list_url(BrokerAccount))
    return home.Part([], [panel])
