"""Mutual-fund orders: where each stands, for how long, what was said about it, and the two things staff may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from orders import lifecycle
from orders.models import MfOrder, Scheme
from orders.operations import sending
from orders.queries.stuck import PATIENCE
from portal.admin import home, show, undoing
from portal.admin.acts import Act, By
from portal.admin.evidence_pack import EVIDENCE
from portal.admin.filters import PartnerFilter, StuckFilter, UnknownFilter, fixed_filter
from portal.admin.finding import by_code, by_provider_ref, by_related, codes
from portal.admin.money import MoneyAdmin, waiting

codes["ORD"] = MfOrder

TONES = {
    lifecycle.CREATED: "waiting",
    lifecycle.SUBMITTING: "waiting",
    lifecycle.AWAITING_PAYMENT: "needs",
    lifecycle.PAID: "waiting",
    lifecycle.PLACED: "waiting",
    lifecycle.ALLOTTED: "done",
    lifecycle.REDEEMED: "done",
    lifecycle.REJECTED: "failed",
    lifecycle.EXPIRED: "failed",
    lifecycle.CANCELLED: "neutral",
    lifecycle.REVERSED: "failed",
}


def _refresh(order: MfOrder, by: By) -> str:
    sending.refresh(order_id=order.pk, at=by.at, actor=by.actor, reason=by.reason)
    now = MfOrder.objects.get(pk=order.pk)
    if now.state != order.state:
        return f"The provider was asked: {now.get_state_display()}."
    return "The provider was asked; there is no news."


def _submit_again(order: MfOrder, by: By) -> str:
    sending.submit_again(order_id=order.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The order is sent again under the same reference, after one more look-up."


@admin.register(MfOrder)
class MfOrderAdmin(MoneyAdmin):
    """Orders. Money and state are what operations and the provider made them; nobody types them."""

    tones = TONES
    patience = PATIENCE
    list_display = (
        "code",
        "what",
        "asked_for",
        "partner",
        "state_and_age",
        "at_provider",
        "due",
    )
    exported = (
        ("Order", lambda order: order.code),
        ("Investor", lambda order: order.investor.code),
        ("Partner", lambda order: order.investor.partner_id and order.investor.partner.code),
        ("Kind", lambda order: order.kind),
        ("Scheme", lambda order: order.scheme.name),
        ("ISIN", lambda order: order.scheme.isin),
        ("Rupees", lambda order: order.amount),
        ("Units", lambda order: order.units),
        ("State", lambda order: order.state),
        ("Since", lambda order: order.state_since),
        ("Placed", lambda order: order.placed_at),
        ("At the provider", lambda order: order.provider_ref),
        ("NAV promised", lambda order: order.predicted_nav_on),
        ("NAV of", lambda order: order.allotted_on),
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
        PartnerFilter,
        fixed_filter("gateway", "gateway", "RTA", "BSE"),
        fixed_filter("kind", "kind", "PURCHASE", "REDEMPTION"),
        ("placed_at", RangeDateTimeFilter),
    )
    list_select_related = ("investor__partner", "scheme")
    finders = (
        by_code("code", "client_ref"),
        by_provider_ref("fp"),
        by_related("scheme", lambda term: Scheme.objects.filter(isin=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, reference, ISIN, investor code, email, mobile or PAN"
    quick = (
        ("Open", "&".join(f"state__exact={state}" for state in lifecycle.OPEN)),
        ("Stuck", "stuck=1"),
        ("We are checking", "unknown=1"),
        ("Allotted", "state__exact=ALLOTTED"),
        ("Redeemed", "state__exact=REDEEMED"),
        ("All", ""),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("code", "state_badge"),
                    ("investor", "age_now"),
                    ("scheme", "isin"),
                    ("asked_for", "method"),
                    "payments",
                )
            },
        ),
        (
            "At the provider",
            {"fields": (("provider", "gateway"), ("client_ref", "provider_ref"), ("attempts", "due"))},
        ),
        (
            "Told the investor",
            {"fields": (("placed", "predicted_nav_on"), "prediction", ("consent", "bank_account"), "payout_by")},
        ),
    )
    allotted = ("Allotted or redeemed", {"fields": (("units_got", "nav"), ("net_amount", "allotted_on"), "folio")})
    refused = ("Refused", {"fields": (("failure_code", "failure_text"),)})
    acts = (
        Act(
            name="refresh",
            label="Refresh from provider",
            permission="orders.act_mforder",
            explain="Asks the provider what it says about this order now, and takes it in. Nothing is sent or bought. "
            "An unknown outcome is looked up by our reference.",
            run=_refresh,
            offered=lambda order: bool(order.provider_ref or order.is_unknown),
            icon="sync",
            in_bulk=True,
            no_undo=undoing.ASKED_ONLY,
        ),
        Act(
            name="submit-again",
            label="Submit again",
            permission="orders.act_mforder",
            explain="Several look-ups did not find this order at the provider. It is looked up once more and then sent "
            "under the same reference, which the provider refuses if it has the first one. Compare with the "
            "provider's own screen before you go on.",
            run=_submit_again,
            offered=sending.may_submit_again,
            icon="outbox",
            danger=True,
        ),
        EVIDENCE,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MfOrder]:
        # A list shows no PAN, so it decrypts none.
        return super().get_queryset(request).defer("investor__pan")

    def get_fieldsets(self, request: HttpRequest, obj: MfOrder | None = None) -> Any:
        """Sections that have something to say: allotment and refusal appear once there is one."""
        more = [(self.allotted, obj and obj.allotted_units), (self.refused, obj and obj.failure_code)]
        return (*self.fieldsets, *(section for section, there in more if there))

    def related(self, obj: Model) -> Sequence[Model]:
        return _payments_of(obj)

    @display(description="Investor, scheme")
    def what(self, order: MfOrder) -> str:
        return show.two(show.cut(str(order.investor)), show.cut(order.scheme.name))

    @display(description="ISIN")
    def isin(self, order: MfOrder) -> str:
        return order.scheme.isin

    @display(description="Asked for", ordering="amount")
    def asked_for(self, order: MfOrder) -> str:
        return show.two(order.asked.in_words, order.get_kind_display())

    @display(description="Pays by, or is paid")
    def method(self, order: MfOrder) -> str:
        if order.redeemed_as and order.redeemed_as != order.redemption_mode:
            return f"{order.get_redemption_mode_display()}, done as {order.get_redeemed_as_display().lower()}"
        return order.get_payment_method_display() or order.get_redemption_mode_display()

    @display(description="Payments")
    def payments(self, order: MfOrder) -> str:
        return show.links((payment, payment.get_state_display()) for payment in _payments_of(order))

    @display(description="Placed")
    def placed(self, order: MfOrder) -> str:
        return show.moment(order.placed_at)

    @display(description="Units")
    def units_got(self, order: MfOrder) -> str:
        return show.figure(order.allotted_units, 3)

    @display(description="NAV")
    def nav(self, order: MfOrder) -> str:
        return show.figure(order.allotted_nav, 4, "₹")

    @display(description="Invested after stamp duty, or paid out")
    def net_amount(self, order: MfOrder) -> str:
        return show.rupees(order.allotted_amount)


@show.once
def _payments_of(order: Model) -> list[Any]:
    """The attempts at collecting money for an order, newest first, through the reverse side of their lines."""
    lines = order.payment_lines.select_related("payment").order_by("-id")  # type: ignore[attr-defined]
    return [line.payment for line in lines]


@home.part(order=20, permission="orders.view_mforder")
def orders_part(at: datetime) -> home.Part:
    """Orders that are on their way."""
    return waiting(MfOrder, "orders", open_states=lifecycle.OPEN, patience=PATIENCE, at=at)
