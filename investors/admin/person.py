"""Investors and what they have authorised, as operations see them: identifiers masked, nothing to edit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, Q
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from investors import lifecycle
from investors.models import PAN_INDEX, Address, BankAccount, Investor, KycCheck, Nominee
from investors.operations import kyc, registration
from portal import redaction
from portal.admin import home, show
from portal.admin.acts import Act, By
from portal.admin.base import Lines, OpsAdmin
from portal.admin.filters import StuckFilter, UnknownFilter, stuck
from portal.admin.finding import (
    by_code,
    by_email,
    by_part,
    by_text,
    pan_query,
)

TONES = {lifecycle.DRAFT: "neutral", lifecycle.REGISTERING: "waiting", lifecycle.READY: "done"}
# Registration is two calls; an hour later a person should look.
PATIENCE = {lifecycle.REGISTERING: timedelta(hours=1)}


class AddressLines(Lines):
    """Where the investor lives."""

    model = Address
    fields = ("kind", "line1", "line2", "line3", "city", "state", "pincode")


class NomineeLines(Lines):
    """Who receives the units when the investor dies."""

    model = Nominee
    fields = ("position", "name", "relationship", "share", "guardian_name")


class BankAccountLines(Lines):
    """The investor's bank accounts, by their last four digits."""

    model = BankAccount
    fields = ("code", "bank_name", "masked_number", "ifsc", "kind", "is_primary", "provider_ref")

    @display(description="Number")
    def masked_number(self, account: BankAccount) -> str:
        return f"ends in {account.last_four}"


class KycLines(Lines):
    """What the registries said, newest first."""

    model = KycCheck
    ordering = ("-checked_at",)
    fields = ("checked", "is_compliant", "reason", "action", "investment_limit")

    @display(description="Checked")
    def checked(self, check: KycCheck) -> str:
        return show.moment(check.checked_at)


def _recheck_kyc(investor: Investor, by: By) -> str:
    check = kyc.recheck(investor=investor, at=by.at, actor=by.actor, reason=by.reason)
    return "The registries say: compliant." if check.is_compliant else f"Not compliant: {check.reason or 'no reason'}."


def _register_again(investor: Investor, by: By) -> str:
    registration.register_again(investor_id=investor.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The registration goes on with a look at the provider."


def _yes_no(field: str, words: str) -> Callable[[Any, Investor], str]:
    """A declaration in words: a red cross beside "politically exposed" would read as a fault."""

    @display(description=words)
    def read(_: Any, investor: Investor) -> str:
        return {True: "Yes", False: "No", None: show.NOTHING}[getattr(investor, field)]

    return read


@admin.register(Investor)
class InvestorAdmin(OpsAdmin):
    """People who invest: how far their registration is, and what was said about it."""

    patience = PATIENCE
    list_display = ("code", "person", "login", "state_and_age", "at_provider", "partner")
    list_filter = (("state", ChoicesCheckboxFilter), StuckFilter, UnknownFilter)
    list_select_related = ("user", "partner")
    ordering = ("-id",)
    finders = (by_code("code"), by_text("provider_ref"), by_email("user"), by_part("name"))
    private_query = staticmethod(pan_query("pan_index", PAN_INDEX))
    private_lookups = ("pan_index__in",)
    search_help_text = "Code, name, email or whole PAN"
    quick = (
        ("Being registered", "state__exact=REGISTERING"),
        ("Stuck", "stuck=1"),
        ("Ready", "state__exact=READY"),
        ("All", ""),
    )
    shows_calls = True
    inlines = (KycLines, BankAccountLines, AddressLines, NomineeLines)
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("name", "age_now"), ("pan_masked", "login"), "partner")}),
        (
            "Person",
            {
                "fields": (
                    ("date_of_birth", "gender"),
                    ("marital_status", "occupation"),
                    ("mobile_masked", "opted_out"),
                )
            },
        ),
        (
            "FATCA and CRS",
            {
                "fields": (
                    ("country_of_birth", "only_in_india"),
                    ("source_of_wealth", "income"),
                    ("exposed", "related_to_exposed"),
                )
            },
        ),
        ("At the provider", {"fields": (("provider_ref", "account"), "attempt_words", "refused")}),
    )

    acts = (
        Act(
            name="recheck-kyc",
            label="Re-check KYC",
            permission="investors.act_investor",
            explain="Asks the KYC registries about this PAN now and keeps their answer beside the earlier ones.",
            run=_recheck_kyc,
            offered=lambda investor: bool(investor.pan),
            icon="verified_user",
        ),
        Act(
            name="register-again",
            label="Register again",
            permission="investors.act_investor",
            explain="Lets a registration that stopped go on. The provider is asked first, so that no second investor "
            "is made; only then is anything sent.",
            run=_register_again,
            offered=lambda investor: investor.state == lifecycle.REGISTERING and not investor.attempt,
            icon="how_to_reg",
        ),
    )
    opted_out = _yes_no("nomination_opted_out", "Opted out of nomination")
    only_in_india = _yes_no("tax_resident_only_in_india", "Tax resident only in India")
    exposed = _yes_no("is_politically_exposed", "Politically exposed")
    related_to_exposed = _yes_no("is_related_to_politically_exposed", "Related to somebody politically exposed")

    def whose(self, obj: Model) -> Model:
        return obj

    @display(description="Mobile")
    def mobile_masked(self, investor: Investor) -> str:
        return redaction.mask(investor.mobile) if investor.mobile else show.NOTHING

    @display(description="Name, PAN", ordering="name")
    def person(self, investor: Investor) -> str:
        return show.two(show.cut(investor.name or show.NOTHING), self.pan_masked(investor))

    @display(description="State, since", ordering="state_since")
    def state_and_age(self, investor: Investor) -> str:
        return show.two(self.state_badge(investor), show.since(investor.state_since))

    @display(description="At the provider", ordering="provider_ref")
    def at_provider(self, investor: Investor) -> str:
        return show.two(investor.provider_ref or show.NOTHING, show.attempt_words(investor))

    @display(description="PAN")
    def pan_masked(self, investor: Investor) -> str:
        return investor.masked_pan or show.NOTHING

    @display(description="State", ordering="state")
    def state_badge(self, investor: Investor) -> str:
        if investor.is_unknown:
            return show.badge("checking", "checking")
        if investor.refusal:
            return show.badge("needs", "to be corrected")
        return show.badge(TONES[investor.state], investor.get_state_display())

    @display(description="In this state", ordering="state_since")
    def age_now(self, investor: Investor) -> str:
        return show.since(investor.state_since)

    @display(description="Signs in as")
    def login(self, investor: Investor) -> str:
        return show.change_link(investor.user, investor.user.email)

    @display(description="Gross annual income")
    def income(self, investor: Investor) -> str:
        return f"₹{show.grouped(investor.gross_annual_income)}" if investor.gross_annual_income else show.NOTHING

    @display(description="Investment account")
    def account(self, investor: Investor) -> str:
        return ", ".join(each.provider_ref for each in investor.investmentaccounts.all()) or show.NOTHING

    @display(description="Attempts")
    def attempt_words(self, investor: Investor) -> str:
        return show.attempt_words(investor)

    @display(description="Refused")
    def refused(self, investor: Investor) -> str:
        return show.pretty(investor.refusal)


@home.part(order=50, permission="investors.view_investor")
def investors_part(at: datetime) -> home.Part:
    """Registrations on their way."""
    counts = Investor.objects.filter(state=lifecycle.REGISTERING).aggregate(
        all=Count("pk"),
        stuck=Count("pk", filter=stuck(PATIENCE, at)),
        refused=Count("pk", filter=~Q(refusal=[])),
    )
    tile = home.Tile(
        "Being registered",
        str(counts["all"]),
        f"{counts['stuck']} stuck · {counts['refused']} to be corrected",
        show.list_url(Investor, "state__exact=REGISTERING"),
        "needs" if counts["stuck"] else "neutral",
    )
    return home.Part([tile])
