"""Cut-offs, ways of paying and payouts, from a day on: one person proposes, another approves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Min, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from orders import lifecycle, rule_previews, rulebook
from orders.models import DatedRule, MfOrder, Scheme
from orders.queries import schemes as scheme_queries
from portal import clock
from portal.admin import show
from portal.admin.proposed import ProposedAdmin, ProposedForm
from portal.clock import IST
from portal.desk import proposals

RULE = "dated rule"
# Longer than any process keeps the rules that it has read; the database's guard has the same.
SETTLES_WITHIN = timedelta(minutes=1)
TOO_EARLY = "A rule begins tomorrow at the earliest: the orders of today were promised by the rules of today."
TOO_LATE = (
    "The day of this rule has come, or comes within a minute, and nothing is changed for a day that has begun: its"
    " orders are promised by the rules of before. Refuse this, and propose it from tomorrow on at the earliest."
)
HAS_BEGUN = (
    "This rule has begun, or begins within a minute, and stays, so that what was promised by it can be explained."
    " Add one that follows it."
)
RAILS = {"UPI": "UPI", "NETBANKING": "Net banking, direct", "NODAL": "Net banking, nodal account", "CARD": "Card",
         "NACH": "Mandate (NACH)"}  # fmt: skip
# Ways that lead to a page, where one payment may be too much.
PAGES = ("UPI", "NETBANKING", "CARD")
ASSET_CLASS = "asset class"
FREQUENCIES = {"QUARTERLY": "Quarterly", "HALF_YEARLY": "Half-yearly", "YEARLY": "Yearly"}
_EXAMPLES = {
    rulebook.TIME: "Write a time of day like 14:30.",
    rulebook.DAYS: "Write a number of business days: 0 for the same day.",
    rulebook.COUNT: "Write a number from 1 to 9.",
    rulebook.RUPEES: "Write whole rupees in digits only, like 500000.",
    rulebook.YES_NO: "Write yes or no.",
}


def _affects(values: Mapping[str, Any]) -> str:
    """What a new rule would change, and how many open orders wait for a day of it."""
    rule = rulebook.Rule(values["name"], values["of"], date.fromisoformat(values["valid_from"]), values["value"])
    told = rule_previews.preview(rule, book=scheme_queries.book(), holidays=scheme_queries.holidays())
    count = MfOrder.objects.filter(state__in=lifecycle.OPEN, predicted_nav_on__gte=rule.valid_from).count()
    orders = "1 open order keeps" if count == 1 else f"{count} open orders keep"
    return f"{told} {orders} what was promised." if count else told


def _why_not(row: Model | None, after: Mapping[str, Any] | None, at: datetime) -> str:
    """History stays as it was (a trigger holds it too): nothing begins on a day of which orders may be promised."""
    promised = promised_until(at)
    if isinstance(row, DatedRule) and row.valid_from <= promised:
        return HAS_BEGUN
    begins = (after or {}).get("valid_from")
    return TOO_LATE if begins and date.fromisoformat(begins) <= promised else ""


def promised_until(at: datetime) -> date:
    """The last day whose rules stand: today, and in its last minute tomorrow, because each process reads them anew
    after half a minute (`scheme_queries`)."""
    return (at + SETTLES_WITHIN).astimezone(IST).date()


proposals.register(
    proposals.Kind(
        RULE,
        "Cut-offs and limits",
        "orders.add_datedrule",
        "portal.approve_proposal",
        always=True,
        affects=_affects,
        after=scheme_queries.forget_market,
        why_not=_why_not,
        guards={"a rule begins tomorrow at the earliest": TOO_LATE, "a rule that has begun stays": HAS_BEGUN},
    )
)


class DatedRuleForm(ProposedForm):
    """What shall hold, of what, from when on, and who says so."""

    of = forms.ChoiceField(label="Of", required=False, widget=UnfoldAdminSelectWidget)
    value = forms.CharField(
        max_length=20,
        label="Value",
        widget=UnfoldAdminTextInputWidget,
        help_text="A time of day like 14:30, a number, whole rupees, or yes or no.",
    )
    words = forms.CharField(
        max_length=85,
        required=False,
        label="Words for investors",
        widget=UnfoldAdminTextInputWidget,
        help_text="Of payments and sales, in mid-sentence: “card money arrives a business day later”.",
    )
    source = forms.CharField(
        max_length=300,
        label="Source",
        widget=UnfoldAdminTextInputWidget,
        help_text="Circular or page, with its date.",
    )

    class Meta:
        model = DatedRule
        fields = ("name", "of", "valid_from", "value", "words", "source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "of" in self.fields:
            self.fields["of"].choices = _things()  # type: ignore[attr-defined]

    def clean_valid_from(self) -> date:
        """What was promised today was promised by the rules of today."""
        day: date = self.cleaned_data["valid_from"]
        if day <= promised_until(clock.now()):
            raise forms.ValidationError(TOO_EARLY)
        return day

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "name" not in values:
            return values
        for field, words in _wrong(values["name"], values.get("of", ""), values).items():
            if field not in self.errors:
                self.add_error(field, words)
        return values


def _wrong(name: str, of: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What does not fit the rule, by field."""
    sort, value, words = rulebook.SORTS[name], values.get("value", ""), values.get("words", "")
    found = {}
    if of and _about(of) not in (sort.about, *([ASSET_CLASS] if name == "payout_days" else [])):
        one = f", or about one {sort.about}" if sort.about else ""
        found["of"] = f"This rule is about everything{one}."
    if name == "payment_days" and not of:
        found["of"] = "Choose a way of paying."
    if name == "payment_limit" and of not in PAGES:
        found["of"] = "Choose UPI, net banking or card: the other ways have no such limit here."
    if not re.match(rulebook.WRITTEN[sort.unit], value):
        found["value"] = _EXAMPLES[sort.unit]
    if sort.is_spoken and value != "0" and not words:
        found["words"] = "Investors read how long it takes, and why: write it for them."
    if words and not sort.is_spoken:
        found["words"] = "Investors read no words of this rule. Leave it empty."
    return found


def _about(of: str) -> str:
    """What sort of thing a rule is about."""
    known = {**dict.fromkeys(RAILS, rulebook.RAIL), **dict.fromkeys(FREQUENCIES, rulebook.FREQUENCY)}
    return known.get(of, ASSET_CLASS if of in Scheme.AssetClass.values else rulebook.CATEGORY)


def _things() -> list[tuple[str, Any]]:
    categories = Scheme.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    others = [*RAILS, *FREQUENCIES, *Scheme.AssetClass.values, ""]
    known = DatedRule.objects.exclude(of__in=others).values_list("of", flat=True)
    return [
        ("", "Everything that has no rule of its own"),
        ("Ways of paying", list(RAILS.items())),
        ("Asset classes (days of payouts only)", list(Scheme.AssetClass.choices)),
        ("Frequencies of SIPs", list(FREQUENCIES.items())),
        ("Categories", [(each, each) for each in sorted({*categories, *known})]),
    ]


class HoldsFilter(RadioFilter):
    """In force today, to come, or past."""

    title = "holds"
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "In force today"), ("coming", "To come"), ("past", "Past")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        today = clock.today()
        is_past = Q(followed_on__isnull=False, followed_on__lte=today)
        conditions = {
            "now": Q(valid_from__lte=today) & ~is_past,
            "coming": Q(valid_from__gt=today),
            "past": is_past,
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(DatedRule)
class DatedRuleAdmin(ProposedAdmin):
    """What holds today, what comes and what has passed, each with its source. What has begun stays."""

    act = RULE
    form = DatedRuleForm
    list_display = ("rule", "about", "reads", "holds", "begins", "source")
    list_filter = (HoldsFilter,)
    list_filter_submit = True
    search_fields = ("name", "of", "source")
    ordering = ("name", "of", "-valid_from")
    list_per_page = 100
    fields = ("name", "of", "valid_from", "value", "words", "source")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DatedRule]:
        later = DatedRule.objects.filter(
            name=OuterRef("name"), of=OuterRef("of"), valid_from__gt=OuterRef("valid_from")
        )
        first = later.order_by().values("name").annotate(on=Min("valid_from")).values("on")
        return super().get_queryset(request).annotate(followed_on=Subquery(first))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, "following") if self.has_add_permission(request) else self.list_display

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields) if obj else [*self.fields, "why"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A rule that follows another begins with what holds now."""
        asked: dict[str, Any] = super().get_changeform_initial_data(request)
        name = asked.get("name", "")
        found = name in rulebook.SORTS and scheme_queries.book().find(name, asked.get("of", ""), on=clock.today())
        return {**asked, "value": found.value, "words": found.words} if found else asked

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What has not begun can be taken back: a circular is postponed.
        is_coming = obj is None or obj.valid_from > promised_until(clock.now())
        return is_coming and super().has_delete_permission(request, obj)

    @display(description="Rule", ordering="name")
    def rule(self, row: DatedRule) -> str:
        return row.get_name_display()

    @display(description="Of", ordering="of")
    def about(self, row: DatedRule) -> str:
        known = {**RAILS, **FREQUENCIES, **dict(Scheme.AssetClass.choices), "": "everything else"}
        return str(known.get(row.of, row.of))

    @display(description="Value")
    def reads(self, row: DatedRule) -> str:
        return rule_previews.said(row.name, row.value)

    @display(description="Holds", ordering="valid_from")
    def holds(self, row: DatedRule) -> str:
        if row.valid_from > clock.today():
            return show.badge("waiting", "to come")
        return show.badge("neutral", "past") if _has_passed(row) else show.badge("done", "in force")

    @display(description="From", ordering="valid_from")
    def begins(self, row: DatedRule) -> str:
        return show.day(row.valid_from)

    @display(description="What follows")
    def following(self, row: DatedRule) -> str:
        if _has_passed(row):
            return ""
        asked = urlencode({"name": row.name, "of": row.of})
        return show.link(f"{reverse('admin:orders_datedrule_add')}?{asked}", "Change")


def _has_passed(row: Any) -> bool:
    """Has another rule taken its place? `row` comes from the list of the admin."""
    return row.followed_on is not None and row.followed_on <= clock.today()
