"""Payments: where each attempt at collecting money stands, for which orders, and what was said about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, QuerySet, Sum
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors.admin import panel
from investors.admin.finding import by_investor
from investors.models import Investor
from orders import payment_failures
from orders.models import MfOrder
from payments import lifecycle, operations
from payments.models import Payment, PaymentLine
from payments.patience import PATIENCE
from portal.admin import home, show, undoing
from portal.admin.acts import Act, By
from portal.admin.base import Lines
from portal.admin.filters import PartnerFilter, StuckFilter, UnknownFilter
from portal.admin.finding import by_code, by_provider_ref, by_related, codes
from portal.admin.money import MoneyAdmin, waiting

codes["PAY"] = Payment

TONES = {
    lifecycle.CREATED: "waiting",
    lifecycle.STARTING: "waiting",
    lifecycle.AWAITING_INVESTOR: "needs",
    lifecycle.AWAITING_BANK: "waiting",
    lifecycle.DEBITED: "waiting",
    lifecycle.TRANSFERRED: "waiting",
    lifecycle.SETTLED: "done",
    lifecycle.FAILED: "failed",
    lifecycle.EXPIRED: "failed",
    lifecycle.LATE: "checking",
}


class PaymentLineLines(Lines):
    """For which orders."""

    model = PaymentLine
    verbose_name_plural = "orders of this payment"
    fields = ("order_link", "rupees", "is_live")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentLine]:
        return super().get_queryset(request).select_related("order")

    @display(description="Order")
    def order_link(self, line: PaymentLine) -> str:
        return show.change_link(line.order, f"{line.order.code} ({line.order.get_state_display()})")

    @display(description="Amount")
    def rupees(self, line: PaymentLine) -> str:
        return show.rupees(line.amount)


def _refresh(payment: Payment, by: By) -> str:
    operations.refresh(payment_id=payment.pk, at=by.at, actor=by.actor, reason=by.reason)
    now = Payment.objects.get(pk=payment.pk)
    if now.state != payment.state:
        return f"The provider was asked: {now.get_state_display()}."
    return "The provider was asked; there is no news."


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    """Payments. The page at the bank is the investor's alone: its address is never shown here."""

    tones = TONES
    patience = PATIENCE
    list_display = (
        "code",
        "investor_name",
        "rupees",
        "way",
        "partner",
        "state_and_age",
        "at_provider",
        "due",
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
        PartnerFilter,
        ("method", ChoicesCheckboxFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("investor__partner",)
    exported = (
        ("Payment", lambda payment: payment.code),
        ("Investor", lambda payment: payment.investor.code),
        ("Partner", lambda payment: payment.investor.partner_id and payment.investor.partner.code),
        ("Rupees", lambda payment: payment.amount),
        ("By", lambda payment: payment.method),
        ("State", lambda payment: payment.state),
        ("Since", lambda payment: payment.state_since),
        ("Created", lambda payment: payment.created_at),
        ("Debited", lambda payment: payment.debited_at),
        ("Settled", lambda payment: payment.settled_at),
        ("At the provider", lambda payment: payment.provider_ref),
        ("Failed with", lambda payment: payment.failure_code),
    )
    finders = (
        by_code("code"),
        by_provider_ref("fp"),
        by_related("id", lambda term: Payment.objects.filter(lines__order__code=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, order code, provider's number, investor code, email, mobile or PAN"
    quick = (
        ("On their way", "&".join(f"state__exact={state}" for state in lifecycle.OPEN)),
        ("Stuck", "stuck=1"),
        ("We are checking", "unknown=1"),
        ("Failed", "state__exact=FAILED&state__exact=EXPIRED"),
        ("Collected after all", "state__exact=LATE"),
        ("All", ""),
    )
    inlines = (PaymentLineLines,)
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor", "age_now"), ("rupees", "way"))}),
        (
            "At the provider",
            {"fields": (("provider", "provider_ref"), ("attempts", "due"), ("handed_over", "page_until"))},
        ),
        ("Money", {"fields": (("created", "debit_day"), ("debited", "transferred"), ("settled", "gateway"))}),
    )
    failed = ("Failed", {"fields": (("failure_code", "failure_text"),)})
    acts = (
        Act(
            name="refresh",
            label="Refresh from provider",
            permission="payments.act_payment",
            explain="Asks the provider what it says about this payment now, and takes that in. No money is collected.",
            run=_refresh,
            offered=lambda payment: bool(payment.provider_ref or payment.is_unknown),
            icon="sync",
            in_bulk=True,
            no_undo=undoing.ASKED_ONLY,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        # A list shows neither a PAN nor a bank's page, so it decrypts none.
        return super().get_queryset(request).defer("investor__pan", "token_url", "page_html")

    def get_fieldsets(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        return (*self.fieldsets, self.failed) if obj and obj.failure_code else self.fieldsets

    def related(self, obj: Model) -> Sequence[Model]:
        return [line.order for line in PaymentLine.objects.filter(payment=obj.pk).select_related("order")]

    @display(description="Investor")
    def investor_name(self, payment: Payment) -> str:
        return show.cut(str(payment.investor))

    @display(description="By")
    def way(self, payment: Payment) -> str:
        return payment.get_method_display()

    @display(description="Bank's page valid until")
    def page_until(self, payment: Payment) -> str:
        return show.moment(payment.token_expires_at)

    @display(description="Investor sent to the bank's page")
    def handed_over(self, payment: Payment) -> str:
        return show.moment(payment.handed_over_at)

    @display(description="Created")
    def created(self, payment: Payment) -> str:
        return show.moment(payment.created_at)

    @display(description="Day of the debit by mandate")
    def debit_day(self, payment: Payment) -> str:
        return f"{payment.debit_on:%-d %b %Y}" if payment.debit_on else "-"

    @display(description="Debited")
    def debited(self, payment: Payment) -> str:
        return show.moment(payment.debited_at)

    @display(description="Transferred")
    def transferred(self, payment: Payment) -> str:
        return show.moment(payment.transferred_at)

    @display(description="Settled")
    def settled(self, payment: Payment) -> str:
        return show.moment(payment.settled_at)


@panel.part(order=25, permission="payments.view_payment")
def of_an_investor(investor: Investor, at: datetime) -> panel.Found:
    """Money on its way to a fund house."""
    found = list(Payment.objects.filter(investor=investor, state__in=lifecycle.OPEN).defer("token_url").order_by("id"))[
        : panel.MOST
    ]
    rows = [
        [
            show.change_link(each),
            show.rupees(each.amount),
            "we are checking" if each.is_unknown else str(each.get_state_display()),
            show.since(each.state_since),
        ]
        for each in found
    ]
    columns = ("Payment", "Amount", "State", "In this state")
    section = home.Panel("Money on its way", columns, rows, "No money is on its way.")
    return panel.Found(section, found)


@home.part(order=30, permission="payments.view_payment")
def payments_part(at: datetime) -> home.Part:
    """Payments that are on their way."""
    return waiting(Payment, "payments", open_states=lifecycle.OPEN, patience=PATIENCE, at=at)


BOUNCES_OF = timedelta(days=30)
MOST_BANKS = 12


@home.part(order=31, permission="payments.view_payment")
def bounces_part(at: datetime) -> home.Part:
    """Which banks did not debit mandates, and why."""
    failed = PaymentLine.objects.filter(
        payment__method=MfOrder.PaymentMethod.NACH,
        payment__state=lifecycle.FAILED,
        payment__state_since__gt=at - BOUNCES_OF,
    )
    bank, code = "order__bank_account__bank_name", "payment__failure_code"
    counted = failed.order_by().values(bank, code).annotate(times=Count("pk"), rupees=Sum("amount"))
    rows = [
        [each[bank], payment_failures.of(each[code]).meaning, f"{each['times']:,}", show.rupees(each["rupees"])]
        for each in counted.order_by("-times", bank, code)[:MOST_BANKS]
    ]
    columns = ("Bank", "Why", "Debits", "Amount")
    note = (
        f"Of the last {BOUNCES_OF.days} days, the most frequent first. Ask a bank about a reason that it alone gives."
    )
    empty = f"No debit by mandate failed in the last {BOUNCES_OF.days} days."
    return home.Part(
        [], [home.Panel("Debits that banks did not make", columns, rows, empty, note=note if rows else "")]
    )
