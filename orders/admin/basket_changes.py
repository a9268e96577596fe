"""Other words for a published basket: asked for by one person, approved by another."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from orders import basket_looks, lifecycle
from orders.models import Basket, BasketChange
from orders.operations import basket_changes
from portal import clock, fair_words, prose
from portal.admin import desk, pending, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_part
from portal.errors import Failure

WORDS = ("name", "rationale", "risk", "benchmark")


class LogoForm(forms.ModelForm):
    """A form with an upload in place of the choice among pictures."""

    logo_file = forms.FileField(label="Logo (PNG)", required=False, help_text="Square, at most 200 kB.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rationale" in self.fields:
            self.fields["rationale"].help_text = prose.HELP
        for name in ("name", "rationale"):
            if name in self.fields:
                self.fields[name].validators.append(fair_words.validate)

    def clean_logo_file(self) -> Any:
        """The picture as it is kept, or what is wrong with it."""
        given = self.cleaned_data.get("logo_file")
        if not given:
            return None
        try:
            return basket_changes.keep_logo(name=given.name, data=given.read(), at=clock.now())
        except Failure as refusal:
            raise forms.ValidationError(refusal.message) from refusal


class ChangeForm(LogoForm):
    """The words as they shall be."""

    class Meta:
        model = BasketChange
        fields = ("basket", *WORDS, "why")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        basket = found.get("basket")
        if basket and basket.changes.filter(state=BasketChange.State.WAITING).exists():
            raise forms.ValidationError("Other words for this basket wait already. Decide those first.")
        return found


def shown_logo(basket: Basket | BasketChange) -> str:
    """The picture itself."""
    if not basket.logo:
        return show.NOTHING
    return format_html('<img src="{}" alt="Logo" width="64" height="64">', basket_looks.path_of(basket.logo))


@admin.register(BasketChange)
class BasketChangeAdmin(OpsAdmin):
    """See the head of this file."""

    list_display = ("basket", "in_state", "why", "asked_by", "asked", "decided_by")
    list_select_related = ("basket", "asked_by", "decided_by")
    list_filter = (("state", ChoicesCheckboxFilter),)
    ordering = ("-id",)
    finders = (by_part("basket__name"),)
    search_help_text = "Part of the basket's name"
    form = ChangeForm
    acts = (
        Act(
            name="approve",
            label="Approve",
            permission="orders.approve_basketchange",
            explain="Investors read these words from now on.",
            run=lambda change, by: _decided(change, by, approved=True),
            offered=lambda change: change.state == BasketChange.State.WAITING,
            not_by=lambda change: (change.asked_by_id,),
            icon="check",
        ),
        Act(
            name="decline",
            label="Decline",
            permission="orders.approve_basketchange",
            explain="The basket keeps the words that it has.",
            run=lambda change, by: _decided(change, by, approved=False),
            offered=lambda change: change.state == BasketChange.State.WAITING,
            danger=True,
            icon="close",
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("orders.add_basketchange")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        asked = ("basket", *WORDS, "logo_file", "why")
        return (*("basket", "in_state", "why"), "differences", "asked_by", "asked", "decided_by") if obj else asked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.get_fields(request, obj)) if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "basket":
            kwargs["queryset"] = Basket.objects.filter(state=lifecycle.PUBLISHED)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_changeform_initial_data(request)
        asked = str(found.get("basket", ""))
        basket = Basket.objects.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 10 else None
        return {"basket": basket.pk, **{name: getattr(basket, name) for name in WORDS}} if basket else {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Without an upload the logo stays.
        obj.logo = form.cleaned_data.get("logo_file") or obj.basket.logo
        basket_changes.ask(change=obj, actor=request.user, at=clock.now())  # type: ignore[arg-type]

    @display(description="State")
    def in_state(self, change: BasketChange) -> str:
        tones = {"WAITING": "needs", "APPROVED": "done", "DECLINED": "neutral"}
        return show.badge(tones[change.state], change.get_state_display())

    @display(description="What changes")
    def differences(self, change: BasketChange) -> str:
        """Before and after, for the one who decides. What was decided is compared with the basket of today."""
        rows = [(name, now or show.NOTHING, wanted or show.NOTHING) for name, now, wanted in _other_words(change)]
        if change.basket.logo_id != change.logo_id:
            rows.append(("logo", shown_logo(change.basket), shown_logo(change)))
        return show.compared(rows) if rows else "Nothing differs from the basket now."

    @display(description="Asked")
    def asked(self, change: BasketChange) -> str:
        return show.moment(change.asked_at)


def _decided(change: BasketChange, by: By, *, approved: bool) -> str:
    basket_changes.decide(change_id=change.pk, approved=approved, actor=by.actor, reason=by.reason, at=by.at)
    return "Investors read the new words now." if approved else "The basket keeps its words."


def _other_words(change: BasketChange) -> list[tuple[str, str, str]]:
    """(what, as it reads, as it would read) where the two differ."""
    pairs = [(name, str(getattr(change.basket, name)), str(getattr(change, name))) for name in WORDS]
    return [(name, now, wanted) for name, now, wanted in pairs if now != wanted]


def _differences(ids: list[str]) -> dict[str, str]:
    """What other words would change, for the inbox."""
    told: dict[str, str] = {}
    for row in BasketChange.objects.filter(pk__in=ids).select_related("basket"):
        words = [f"{name}: {now or show.NOTHING} → {wanted or show.NOTHING}" for name, now, wanted in _other_words(row)]
        logo = ["another logo"] if row.basket.logo_id != row.logo_id else []
        told[str(row.pk)] = show.cut(", ".join([*words, *logo]))
    return told


desk.differences["orders.basketchange"] = _differences


@pending.concerns("orders.basket")
def _words_of(basket: Basket) -> list[pending.Waits]:
    """Other words for this basket."""
    rows = basket.changes.filter(state=BasketChange.State.WAITING).select_related("asked_by")
    return [pending.Waits(row, f"Other words: {row.why}", str(row.asked_by), row.asked_at) for row in rows]


def ask_link(basket: Basket) -> str:
    """To the form in which other words are asked for; words while they may be edited directly."""
    if basket_changes.may_be_edited(basket):
        return "Edit them here while the basket is a draft."
    url = f"{reverse('admin:orders_basketchange_add')}?basket={basket.pk}"
    return format_html('<a class="ops-link" href="{}">Ask for other words or another logo</a>', url)
