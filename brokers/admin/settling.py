"""What operations do about a share order of which nobody could learn the end: look again, or settle it, two of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from brokers.models import ShareSettlement
from brokers.operations import settling
from orders.admin.shares import StockOrderAdmin
from orders.models import StockOrder
from portal import clock
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import Lines


class EvidenceForm(ReasonForm):
    """What the broker's evidence shows of the order."""

    order_number = forms.CharField(
        label="The broker's or the exchange's order number",
        max_length=60,
        required=False,
        help_text="From the order book or the contract note. Leave it empty when the broker never had this order.",
        widget=UnfoldAdminTextInputWidget,
    )
    filled = forms.IntegerField(
        label="Shares executed",
        min_value=0,
        initial=0,
        help_text="All of them in the end: what was not executed by then is over.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    price = forms.DecimalField(
        label="Average price, rupees",
        min_value=0,
        max_digits=15,
        decimal_places=4,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    field_order = ("order_number", "filled", "price", "reason")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["reason"].label = "Which evidence"
        self.fields["reason"].help_text = (
            "Contract note, order book, or who at the broker said so and when; the second person reads it. Goes into "
            "the audit log under your name. No PAN, no account numbers."
        )


class SettlementsOf(Lines):
    """What was seen of the order's end (its words stand above each row), and who decided."""

    model = ShareSettlement
    fields = ("evidence", "state", "asked_by", "asked_at", "decided_by", "decided_at")
    verbose_name_plural = "settled by evidence"


def _is_stuck(line: StockOrder) -> bool:
    return settling.is_stuck(line, clock.now())


def _looked(line: StockOrder, by: By) -> str:
    now = settling.look(line_id=line.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"The broker was asked: {'nobody knows yet' if now.is_unknown else now.get_state_display()}."


def _asked(line: StockOrder, by: By) -> str:
    said = by.answers
    asked = settling.ask(
        line_id=line.pk,
        order_number=str(said["order_number"]).strip(),
        filled=int(said["filled"]),
        price=said["price"] or None,
        actor=by.actor,
        reason=by.reason,
        at=by.at,
    )
    return f"A second person has to approve it. {asked}"


def _approved(line: StockOrder, by: By) -> str:
    done = settling.approve(line_id=line.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"The order is {done.get_state_display()}: {done.filled} of {done.quantity} executed."


def _declined(line: StockOrder, by: By) -> str:
    settling.decline(line_id=line.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Declined. The order stays as it is."


def _asker(line: StockOrder) -> Collection[int]:
    asked = settling.waiting(line)
    return (asked.asked_by_id, line.investor.user_id) if asked else ()


def _evidence(line: StockOrder) -> Sequence[int]:
    """What a second person agrees to. It is never changed, so its key tells it from another."""
    asked = settling.waiting(line)
    return (asked.pk,) if asked else ()


def _waits(line: StockOrder) -> bool:
    return settling.waiting(line) is not None


StockOrderAdmin.inlines = (*StockOrderAdmin.inlines, SettlementsOf)
StockOrderAdmin.acts = (
    *StockOrderAdmin.acts,
    Act(
        name="refresh",
        label="Look up again",
        permission="orders.act_stockorder",
        explain="Asks the broker for this order by our reference, then in its whole book. Nothing is sent. Works while "
        "the investor is logged in at the broker.",
        run=_looked,
        offered=settling.may_look,
        icon="sync",
    ),
    Act(
        name="settle",
        label="Enter how it ended",
        permission="orders.act_stockorder",
        explain="Only by evidence of the broker's: its order book, a contract note, or its answer to a person here. A "
        "second person approves it; then it counts as the broker's own news does.",
        run=_asked,
        offered=lambda line: _is_stuck(line) and not _waits(line),
        form=EvidenceForm,
        icon="receipt_long",
    ),
    Act(
        name="approve-settlement",
        label="Approve how it ended",
        permission="orders.approve_stockorder",
        explain="Compare the evidence named below with the broker's paper. The order then ends so, and the investor is "
        "told.",
        run=_approved,
        offered=lambda line: _waits(line) and _is_stuck(line),
        not_by=_asker,
        rests_on=_evidence,
        icon="check",
    ),
    Act(
        name="decline-settlement",
        label="Decline what was entered",
        permission="orders.approve_stockorder",
        explain="The order stays as it is, and other evidence may be entered.",
        run=_declined,
        offered=_waits,
        danger=True,
        icon="close",
    ),
)
