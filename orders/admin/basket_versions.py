"""Versions of baskets: the draft, its shares before and after, and the second person who publishes it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from orders.models import Basket, BasketConstituent, BasketVersion
from orders.operations import baskets
from portal import audit, clock
from portal.admin import desk, pending, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_part


class ConstituentsOf(TabularInline):
    """The shares of a version, editable while it is a draft."""

    model = BasketConstituent
    template = "admin/lines.html"
    fields = ("security", "weight_bp", "quantity")
    autocomplete_fields = ("security",)
    extra = 1

    def _may(self, request: HttpRequest, version: Model | None) -> bool:
        is_draft = isinstance(version, BasketVersion) and version.published_at is None
        return is_draft and request.user.has_perm("orders.change_basketconstituent")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.view_basketversion")


@admin.register(BasketVersion)
class BasketVersionAdmin(OpsAdmin):
    """Versions: drafted by one person, published by another, unchangeable after that."""

    list_display = ("basket", "number", "published", "drafted_by", "published_by", "change_note")
    list_select_related = ("basket", "drafted_by", "published_by")
    ordering = ("-id",)
    finders = (by_part("basket__name"),)
    search_help_text = "Part of the basket's name"
    inlines = (ConstituentsOf,)
    fields = (
        *("basket", "number", "change_note", "difference"),
        *("drafted_by", "drafted_at", "published_by", "published_at"),
    )
    readonly_fields = fields
    acts = (
        Act(
            name="publish",
            label="Publish",
            permission="orders.approve_basketversion",
            explain="Investors see this version from now on. It can never be changed again.",
            run=lambda version, by: _published(version, by),
            offered=lambda version: version.published_at is None,
            not_by=lambda version: (version.drafted_by_id,),
            rests_on=lambda version: _content(version),
            icon="publish",
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_draft = isinstance(obj, BasketVersion) and obj.published_at is None
        return is_draft and request.user.has_perm("orders.change_basketversion")

    def related(self, obj: Model) -> Sequence[Model]:
        return (obj.basket,) if isinstance(obj, BasketVersion) else ()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        shares = {each.security.symbol: each.weight_bp or each.quantity for each in form.instance.constituents.all()}
        audit.record(form.instance, baskets.SHARES_SET, actor=request.user, at=clock.now(), data=shares)  # type: ignore[arg-type]

    @display(description="Shares before and after")
    def difference(self, version: BasketVersion) -> str:
        lines = _other_shares(version)
        return show.compared(lines) if lines else "The same shares as the version before."

    @display(description="Published")
    def published(self, version: BasketVersion) -> str:
        return show.moment(version.published_at) if version.published_at else show.badge("needs", "draft")


def _content(version: BasketVersion) -> list[object]:
    """What a publication is about, never empty: an empty draft that is filled meanwhile is another one."""
    return [version.pk, *version.constituents.order_by("id").values_list("security_id", "weight_bp", "quantity")]


def _shares_of(version: BasketVersion | None) -> dict[str, str]:
    """Symbol -> how much of it a version holds."""
    rows = version.constituents.select_related("security") if version else ()
    return {
        row.security.symbol: f"{row.quantity} shares"
        if row.weight_bp is None
        else f"{Decimal(row.weight_bp) / 100:.2f} %"
        for row in rows
    }


def _other_shares(version: BasketVersion) -> list[tuple[str, str, str]]:
    """(share, before, after) where a version differs from the published one before it."""
    earlier = version.basket.versions.filter(number__lt=version.number, published_at__isnull=False)
    before, after = _shares_of(earlier.order_by("-number").first()), _shares_of(version)
    both = ((name, before.get(name, show.NOTHING), after.get(name, show.NOTHING)) for name in {**before, **after})
    return [line for line in both if line[1] != line[2]]


def _differences(ids: list[str]) -> dict[str, str]:
    """What drafts would change, for the inbox."""
    rows = BasketVersion.objects.filter(pk__in=ids).select_related("basket")
    return {
        str(row.pk): show.cut(", ".join(f"{name}: {now} → {then}" for name, now, then in _other_shares(row)))
        for row in rows
    }


desk.differences["orders.basketversion"] = _differences


@pending.concerns("orders.basket")
def _drafts_of(basket: Basket) -> list[pending.Waits]:
    """Drafts that somebody else has to publish."""
    rows = basket.versions.filter(published_at=None, constituents__isnull=False).distinct()
    return [
        pending.Waits(row, f"Draft of version {row.number}", str(row.drafted_by), row.drafted_at)
        for row in rows.select_related("drafted_by")
    ]


def _published(version: BasketVersion, by: By) -> str:
    baskets.publish(version_id=version.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"Version {version.number} is published."
