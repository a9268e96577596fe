"""Transfers of investors to other partners: asked for on the investor's page, stopped and carried out here."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.contrib import admin
from django.db.models import Model
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from investors.admin.finding import by_investor
from investors.models import Investor, Transfer
from investors.operations import transfers
from portal import clock
from portal.admin import show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, codes
from portal.models import Partner

TONES = {"WAITING": "waiting", "OBJECTED": "needs", "DONE": "done", "STOPPED": "neutral"}
codes["TRF"] = Transfer


class ToForm(ReasonForm):
    """To which partner, and how the investor asked for it."""

    to = forms.CharField(
        label="Code of the partner that shall look after the investor",
        help_text="Nothing moves for fifteen days. The investor and both firms are told; the firm before may object, "
        "and the investor may say no.",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("to", "reason")

    def clean_to(self) -> Partner:
        """The partner of this code."""
        found = Partner.objects.filter(code=self.cleaned_data["to"].strip().upper(), is_active=True).first()
        if found is None:
            raise forms.ValidationError("No partner that works with us has this code.")
        return found


def _ask(investor: Investor, by: By) -> str:
    row = transfers.ask(investor=investor, to=by.answers["to"], basis=by.reason, actor=by.actor, at=by.at)
    return f"{row.code}: they go to {row.to_name} not before {show.moment(row.objections_until)}."


ASK = Act(
    name="transfer",
    label="Transfer to another partner",
    permission="investors.act_transfer",
    explain="For an investor who has asked for it. As the reason, name their paper and its day: it is the evidence. "
    "The investor and both firms are told at once. After fifteen days without an objection it is done by itself if the "
    "investor said yes on their page; otherwise somebody else than you has to carry it out.",
    run=_ask,
    form=ToForm,
    icon="move_up",
)


def _stop(row: Transfer, by: By) -> str:
    transfers.stop(transfer_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Stopped. The investor stays where they are, and everybody is told."


def _carry_out(row: Transfer, by: By) -> str:
    done = transfers.carry_out(transfer_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    if done.state == Transfer.State.STOPPED:
        return f"Not done but stopped: {done.answer} Everybody is told."
    return "Done. Everybody is told."


def _open(row: Transfer) -> bool:
    return row.state in transfers.OPEN


@admin.register(Transfer)
class TransferAdmin(OpsAdmin):
    """Who goes from which partner to which, until when an objection can be made, and what was said."""

    list_display = ("code", "investor", "from_name", "to_name", "state_badge", "until")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("investor__user",)
    ordering = ("-id",)
    finders = (by_code("code"), by_investor("investor"))
    search_help_text = "Code of the transfer or of the investor, or email"
    quick = (("Objected to", "state__exact=OBJECTED"), ("Running", "state__exact=WAITING"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor_link", "until"), ("from_name", "to_name"))}),
        ("Asked for", {"fields": (("asked_by", "asked"), "basis")}),
        ("Answers", {"fields": (("agreed", "objected"), "objection")}),
        ("Decided", {"fields": (("decided_by", "decided"), "answer")}),
    )
    acts = (
        Act(
            name="stop",
            label="Stop",
            permission="investors.act_transfer",
            explain="The investor stays where they are. The investor and both firms are told.",
            run=_stop,
            offered=_open,
            icon="block",
        ),
        Act(
            name="carry_out",
            label="Carry out",
            permission="investors.approve_transfer",
            explain="The investor goes to the other partner although the one before objects, or although the investor "
            "has not answered. Only once the time for objections is over, and never by whoever asked for the transfer.",
            run=_carry_out,
            offered=_open,
            not_by=lambda row: (row.asked_by_id,),
            icon="gavel",
            danger=True,
        ),
    )

    def whose(self, obj: Model) -> Model | None:
        return getattr(obj, "investor", None)

    def related(self, obj: Model) -> Sequence[Model]:
        return [obj.to_partner]  # type: ignore[attr-defined]

    @display(description="State", ordering="state")
    def state_badge(self, row: Transfer) -> str:
        return show.badge(TONES[row.state], row.words(clock.now()))

    @display(description="Investor")
    def investor_link(self, row: Transfer) -> str:
        return show.two(show.change_link(row.investor), row.investor.code)

    @display(description="Objections until", ordering="objections_until")
    def until(self, row: Transfer) -> str:
        return show.moment(row.objections_until)

    @display(description="Asked")
    def asked(self, row: Transfer) -> str:
        return show.moment(row.asked_at)

    @display(description="The investor agreed")
    def agreed(self, row: Transfer) -> str:
        return show.moment(row.agreed_at)

    @display(description="Objected")
    def objected(self, row: Transfer) -> str:
        return show.moment(row.objected_at)

    @display(description="Decided")
    def decided(self, row: Transfer) -> str:
        return show.moment(row.state_since) if not _open(row) else show.NOTHING
