"""What fund houses pay, from a day on: one person proposes, another approves. Months of the past are computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import BigIntegerField, Min, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from orders import commission_tasks
from orders.admin import commission_compared
from orders.admin.dated_rules import HoldsFilter
from orders.models import CommissionRate, FundHouse, Scheme
from orders.operations import commission_months
from orders.queries import commission_previews
from portal import clock, jobs
from portal.admin import show
from portal.admin.proposed import ProposedAdmin, ProposedForm
from portal.desk import proposals

MOST_PERCENT = 5


def _affects(values: Mapping[str, Any]) -> str:
    """What a rate is about in rupees of the month before this one, and which months are computed anew."""
    month, before = clock.today().replace(day=1), date.fromisoformat(values["valid_from"])
    last_month = commission_months.back(month, 1)
    told = commission_previews.touched(values, month=last_month)
    return f"{told} Months from {before:%B %Y} on are computed anew." if before < month else told


proposals.register(
    proposals.Kind(
        commission_months.RATE,
        "Commission rates",
        "orders.add_commissionrate",
        "portal.approve_proposal",
        always=True,
        affects=_affects,
        after=lambda: jobs.nudge(commission_tasks.EXPECT),
    )
)


class RateForm(ProposedForm):
    """What is paid, of what, from when on, and where it stands."""

    category = forms.ChoiceField(
        label="Category",
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Leave it and the scheme empty for everything of the fund house that has no rate of its own.",
    )

    class Meta:
        model = CommissionRate
        fields = ("fund_house", "scheme", "category", "valid_from", "percent", "source")
        help_texts = {
            "valid_from": "It may lie in the past: the months since are computed anew.",
            "percent": "Of the value, before GST: 0.75 is 75 paise a year of a hundred rupees. 0 ends a rate.",
            "source": "The fund house's letter or rate card, with its date.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "category" in self.fields:
            self.fields["category"].choices = _categories()  # type: ignore[attr-defined]

    def clean_percent(self) -> Decimal:
        percent: Decimal = self.cleaned_data["percent"]
        if not 0 <= percent <= MOST_PERCENT:
            raise forms.ValidationError(
                f"Write per cent a year, from 0 to {MOST_PERCENT}: 0.75 is 75 paise of a hundred rupees. 0 ends a rate."
            )
        return percent

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        house = values.get("fund_house")
        if house is None:
            return values
        for field, words in _wrong(house, values).items():
            if field not in self.errors:
                self.add_error(field, words)
        return values


def _wrong(house: FundHouse, values: Mapping[str, Any]) -> dict[str, str]:
    """What does not fit together, by field."""
    scheme, category, begins = values.get("scheme"), values.get("category", ""), values.get("valid_from")
    found = {}
    if scheme and scheme.fund_house_id != house.pk:
        found["scheme"] = f"This scheme is of {scheme.fund_house}, not of {house}."
    elif scheme and scheme.plan == Scheme.Plan.DIRECT:
        found["scheme"] = "No commission is paid from direct plans."
    if scheme and category:
        found["category"] = "A rate is of a scheme or of a category. Leave one of them empty."
    elif category and not Scheme.objects.filter(fund_house=house, category=category).exists():
        found["category"] = f"{house} has no scheme of this category."
    same = CommissionRate.objects.filter(fund_house=house, scheme=scheme, category=category)
    if begins and (there := same.filter(valid_from=begins).first()):
        found["valid_from"] = (
            f"{there.percent.normalize():f} % of the same holds from this day on. Have that removed first, or choose "
            "another day."
        )
    return found


def _categories() -> list[tuple[str, str]]:
    categories = Scheme.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    return [("", "Every category"), *((each, each) for each in categories)]


class HouseFilter(RadioFilter):
    """Rates of one fund house."""

    title = "fund house"
    parameter_name = "house"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rated = FundHouse.objects.filter(commission_rates__isnull=False).distinct().order_by("name")
        return [(str(pk), name) for pk, name in rated.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        house = self.value() or ""
        return queryset.filter(fund_house_id=int(house)) if house.isdecimal() and len(house) < 19 else queryset


@admin.register(CommissionRate)
class CommissionRateAdmin(ProposedAdmin):
    """What holds today, what comes and what has passed, each with its source. A wrong one is removed, not changed."""

    act = commission_months.RATE
    form = RateForm
    list_display = ("fund_house", "about", "paid", "holds", "begins", "source")
    list_select_related = ("fund_house", "scheme")
    list_filter = (HoldsFilter, HouseFilter)
    list_filter_submit = True
    search_fields = ("fund_house__name", "scheme__name", "category", "source")
    ordering = ("fund_house__name", "scheme__name", "category", "-valid_from")
    list_per_page = 100
    autocomplete_fields = ("scheme",)
    fields = ("fund_house", "scheme", "category", "valid_from", "percent", "source")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CommissionRate]:
        of_scheme = Coalesce("scheme_id", 0, output_field=BigIntegerField())
        later = CommissionRate.objects.annotate(of_scheme=of_scheme).filter(
            fund_house=OuterRef("fund_house"),
            of_scheme=OuterRef("of_scheme"),
            category=OuterRef("category"),
            valid_from__gt=OuterRef("valid_from"),
        )
        first = later.order_by().values("fund_house").annotate(on=Min("valid_from")).values("on")
        return super().get_queryset(request).annotate(of_scheme=of_scheme).annotate(followed_on=Subquery(first))

    def get_urls(self) -> list[URLPattern]:
        return [*commission_compared.urls(), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, "following") if self.has_add_permission(request) else self.list_display

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields) if obj else [*self.fields, "why"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Of", ordering="scheme__name")
    def about(self, row: CommissionRate) -> str:
        return show.cut(row.scheme.name) if row.scheme else row.category or "everything else"

    @display(description="Per cent a year", ordering="percent")
    def paid(self, row: CommissionRate) -> str:
        return f"{row.percent.normalize():f} %"

    @display(description="Holds", ordering="valid_from")
    def holds(self, row: CommissionRate) -> str:
        if row.valid_from > clock.today():
            return show.badge("waiting", "to come")
        return show.badge("neutral", "past") if _has_passed(row) else show.badge("done", "in force")

    @display(description="From", ordering="valid_from")
    def begins(self, row: CommissionRate) -> str:
        return show.day(row.valid_from)

    @display(description="What follows")
    def following(self, row: CommissionRate) -> str:
        if _has_passed(row):
            return ""
        asked = {"fund_house": row.fund_house_id, "scheme": row.scheme_id, "category": row.category}
        known = urlencode({name: value for name, value in asked.items() if value})
        return show.link(f"{reverse('admin:orders_commissionrate_add')}?{known}", "Change")


def _has_passed(row: Any) -> bool:
    """Has another rate taken its place? `row` comes from the list of the admin."""
    return row.followed_on is not None and row.followed_on <= clock.today()
