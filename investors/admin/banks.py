"""Bank accounts and the accounts at FP, identifiers masked."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from investors import merged_banks
from investors.admin.finding import by_investor
from investors.admin.papers import picture
from investors.models import BankAccount, InvestmentAccount
from investors.operations import bank_accounts
from portal.admin import show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.filters import RadioFilter
from portal.admin.finding import by_code, by_text


def _cheque_fits(account: BankAccount, by: By) -> str:
    bank_accounts.cheque_fits(account_id=account.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Verified by its cheque."


class EndedFilter(RadioFilter):
    """Open accounts whose IFSC ended when their bank became part of another one."""

    title = "IFSC"
    parameter_name = "ifsc"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ended", "Ended with a merger")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BankAccount]) -> QuerySet[BankAccount]:
        if self.value() != "ended":
            return queryset
        old = reduce(or_, (Q(ifsc__startswith=bank) for bank in merged_banks.old()))
        return queryset.filter(old, closed_at=None)


@admin.register(BankAccount)
class BankAccountAdmin(OpsAdmin):
    """Bank accounts by their last four digits."""

    list_display = ("code", "investor", "bank_name", "masked_number", "ifsc", "kind", "is_primary", "provider_ref")
    list_filter = (("is_primary", BooleanRadioFilter), EndedFilter)
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_code("code"), by_investor(), by_text("provider_ref"))
    search_help_text = "Account code, investor code or email"
    fieldsets = (
        (None, {"fields": ("code", "investor", "bank_name", "branch_name", "ifsc_now", "masked_number", "kind")}),
        ("Use", {"fields": ("is_primary", "provider_ref", "added", "verified", "payouts_from", "closed_at")}),
        ("Cancelled cheque", {"fields": ("cheque",)}),
    )
    acts = (
        Act(
            name="cheque-fits",
            label="The cheque fits",
            permission="investors.approve_changerequest",
            explain="Name, number and IFSC on the cheque are those of the account: it counts as verified.",
            run=_cheque_fits,
            offered=lambda account: account.cancelled_cheque_id is not None and not account.verified,
            icon="verified",
            rests_on=lambda account: (account.code, account.cancelled_cheque_id),
            not_by=lambda account: (account.investor.user_id,),
        ),
    )

    @display(description="As it was sent")
    def cheque(self, account: BankAccount) -> str:
        paper = account.cancelled_cheque
        return format_html('<div class="ops-papers">{}</div>', picture(paper)) if paper else show.NOTHING

    @display(description="IFSC")
    def ifsc_now(self, account: BankAccount) -> str:
        merged = merged_banks.of(account.ifsc)
        return show.two(account.ifsc, merged.words) if merged else account.ifsc

    @display(description="Number")
    def masked_number(self, account: BankAccount) -> str:
        return f"ends in {account.last_four}"

    @display(description="Payouts not before")
    def payouts_from(self, account: BankAccount) -> str:
        return show.moment(account.payout_from)

    @display(description="Added")
    def added(self, account: BankAccount) -> str:
        return show.moment(account.created_at)


@admin.register(InvestmentAccount)
class InvestmentAccountAdmin(OpsAdmin):
    """Accounts at FP under which orders are placed."""

    list_display = ("provider_ref", "investor", "created_at")
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_text("provider_ref"), by_investor())
    search_help_text = "Provider's number or investor code"
    fieldsets = ((None, {"fields": ("provider_ref", "investor", "created_at")}),)
