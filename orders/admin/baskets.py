"""The basket desk: shares, baskets and their versions, and what investors did with them.

A maker drafts a version; somebody else publishes it; after that neither it nor its shares ever change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesCheckboxFilter
from unfold.decorators import display

from orders import lifecycle, stock_words
from orders.admin import basket_desk
from orders.admin.basket_changes import LogoForm, ask_link, shown_logo
from orders.models import Basket, BasketOrder, BasketVersion, Security, SecurityCode, StockOrder
from orders.operations import basket_changes, baskets
from portal import audit, clock, fair_words
from portal.admin import show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import Lines, OpsAdmin
from portal.admin.evidence_pack import EVIDENCE
from portal.admin.filters import StuckFilter, UnknownFilter
from portal.admin.finding import by_code, by_part, by_text, codes

codes.update({"BSK": Basket, "BKO": BasketOrder})


class CodesOf(Lines):
    """How brokers call a share."""

    model = SecurityCode
    fields = ("broker", "segment", "code", "refreshed_at")
    verbose_name_plural = "codes at brokers"


@admin.register(Security)
class SecurityAdmin(OpsAdmin):
    """Shares as NSE lists them; written by the daily sync only."""

    list_display = ("symbol", "name", "isin", "series", "price", "priced", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    ordering = ("symbol",)
    finders = (by_text("symbol"), by_code("isin"), by_part("symbol"), by_part("name"))
    # Django asks for it where shares are chosen; the finders do the work.
    search_fields = ("symbol",)
    search_help_text = "NSE symbol, ISIN or part of the name"
    shows_timeline = False
    inlines = (CodesOf,)
    fieldsets = ((None, {"fields": ("symbol", "isin", "name", "series", "is_active", "price", "priced")}),)

    @display(description="Last price")
    def price(self, share: Security) -> str:
        return show.figure(share.last_price, 2, "₹")

    @display(description="Price of")
    def priced(self, share: Security) -> str:
        return show.moment(share.priced_at)


class DraftForm(ReasonForm):
    """The reason is read by investors, too."""

    def clean_reason(self) -> str:
        """What changed and why, in words that may be said to them."""
        reason: str = self.cleaned_data["reason"]
        fair_words.validate(reason)
        return reason


class VersionsOf(Lines):
    """The versions of a basket, newest first; each leads to its shares."""

    model = BasketVersion
    fields = ("number", "change_note", "drafted_by", "published_by", "published_at")
    show_change_link = True
    verbose_name_plural = "versions"


@admin.register(Basket)
class BasketAdmin(OpsAdmin):
    """Baskets: added by a maker, published version by version."""

    list_display = ("code", "name", "in_state", "risk", "newest", "since")
    list_filter = (("state", ChoicesCheckboxFilter),)
    ordering = ("-id",)
    finders = (by_code("code"), by_part("name"))
    search_help_text = "Code or part of the name"
    form = LogoForm
    prepopulated_fields = {"slug": ("name",)}
    acts = (
        Act(
            name="draft",
            label="Draft a new version",
            permission="orders.act_basket",
            explain="A draft that starts from the newest version. Your reason is what investors read as “what changed "
            "and why”; they see it once somebody else has published the version.",
            run=lambda basket, by: _drafted(basket, by),
            offered=lambda basket: basket.state != lifecycle.ARCHIVED,
            form=DraftForm,
            icon="edit_note",
        ),
        Act(
            name="archive",
            label="Archive",
            permission="orders.act_basket",
            explain="The basket is no longer offered. Those who hold it can still sell and follow it.",
            run=lambda basket, by: _archived(basket, by),
            offered=lambda basket: basket.state == lifecycle.PUBLISHED,
            danger=True,
            icon="inventory_2",
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.add_basket")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_draft = isinstance(obj, Basket) and basket_changes.may_be_edited(obj)
        return is_draft and request.user.has_perm("orders.change_basket")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        words = ("name", "slug", "rationale", "risk", "benchmark")
        if obj is None:
            return (*words, "logo_file")
        upload = ("logo_file",) if self.has_change_permission(request, obj) else ()
        return (*words, "shown_logo", *upload, "other_words", "followers")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return (VersionsOf,) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["shown_logo", "other_words", "followers"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, Any]:
        return {} if obj else dict(self.prepopulated_fields)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        at = clock.now()
        if not change:
            obj.created_by, obj.created_at, obj.state_since = request.user, at, at
        obj.logo = form.cleaned_data.get("logo_file") or obj.logo
        super().save_model(request, obj, form, change)
        changed = {name: str(getattr(obj, name, "another")) for name in form.changed_data}
        audit.record(obj, "basket.changed" if change else "basket.added", actor=request.user, at=at, data=changed)  # type: ignore[arg-type]

    @display(description="State")
    def in_state(self, basket: Basket) -> str:
        tones = {lifecycle.DRAFT: "neutral", lifecycle.PUBLISHED: "done", lifecycle.ARCHIVED: "neutral"}
        return show.badge(tones[basket.state], basket.get_state_display())

    @display(description="Logo")
    def shown_logo(self, basket: Basket) -> str:
        return shown_logo(basket)

    @display(description="Words and logo")
    def other_words(self, basket: Basket) -> str:
        return ask_link(basket)

    @display(description="Who holds it, by version")
    def followers(self, basket: Basket) -> str:
        return basket_desk.followers_in_words(basket)

    @display(description="Newest version")
    def newest(self, basket: Basket) -> str:
        version = basket.versions.order_by("-number").first()
        return f"{version.number}{'' if version.published_at else ' (draft)'}" if version else show.NOTHING

    @display(description="Since")
    def since(self, basket: Basket) -> str:
        return show.moment(basket.state_since)


def _drafted(basket: Basket, by: By) -> str:
    version = baskets.copy_version(basket_id=basket.pk, note=by.reason, actor=by.actor, at=by.at)
    return f"Version {version.number} is drafted. Set its shares under “Basket versions”; somebody else publishes it."


def _archived(basket: Basket, by: By) -> str:
    baskets.archive(basket_id=basket.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The basket is archived."


class LinesOf(Lines):
    """The shares of a journey, with the broker's own words; each leads to its own page."""

    model = StockOrder
    show_change_link = True
    fields = (
        "code",
        "security",
        "side",
        "quantity",
        "filled",
        "average_price",
        "state",
        "failure_code",
        "failure_text",
    )


@admin.register(BasketOrder)
class BasketOrderAdmin(OpsAdmin):
    """Journeys to brokers: who is stuck half-way, by route."""

    list_display = ("code", "investor", "broker", "intent", "basket", "in_state", "outcome", "age")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("intent", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
        basket_desk.RepairFilter,
    )
    quick = (("Stuck half-way", "stuck=1"), ("To be repaired", "repair=1"))
    list_select_related = ("investor", "basket")
    ordering = ("-id",)
    finders = (by_code("code"), by_text("client_ref"), by_text("provider_ref"))
    search_help_text = "Code, our reference or the broker's"
    shows_calls = True
    patience = basket_desk.PATIENCE
    inlines = (LinesOf,)
    acts: tuple[Act, ...] = (EVIDENCE,)
    fieldsets = (
        (None, {"fields": ("code", "investor", "intent", "basket", "version", "repairs")}),
        (
            "Broker",
            {
                "fields": (
                    "broker",
                    "client_ref",
                    "provider_ref",
                    "handed_over_at",
                    "investor_says",
                )
            },
        ),
        ("State", {"fields": ("in_state", "outcome", "age", "failure_code", "failure_text", "attempt_no")}),
        ("Left as it is by the investor", {"fields": ("left_at", "left_why")}),
    )

    def related(self, obj: Model) -> Sequence[Model]:
        return list(obj.lines.select_related("security")) if isinstance(obj, BasketOrder) else ()

    @display(description="State")
    def in_state(self, order: BasketOrder) -> str:
        words = stock_words.JOURNEY.get(order.state)
        return show.badge(words.kind if words else "done", order.get_state_display())

    @display(description="Outcome")
    def outcome(self, order: BasketOrder) -> str:
        return stock_words.outcome(list(order.lines.all())) if order.state == lifecycle.COMPLETE else show.NOTHING

    @display(description="In this state for")
    def age(self, order: BasketOrder) -> str:
        return show.since(order.state_since)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("lines")
