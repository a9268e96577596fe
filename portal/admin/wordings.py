"""Words of reasons and notices: proposed by one person, approved by another, in force from a moment on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from portal import clock, fair_words
from portal.admin import show
from portal.admin.proposed import ProposedAdmin, ProposedForm
from portal.desk import proposals, wordings
from portal.desk.models import Wording
from portal.notices import catalogue

WORDING = "wording"
NOTICES = "notice"
proposals.register(
    proposals.Kind(WORDING, "Words of reasons and notices", "portal.add_wording", "portal.approve_proposal")
)
wordings.register(NOTICES, "Notice", lambda: {e.key: e for e in catalogue.everything() if not e.composed})


class WordingForm(ProposedForm):
    """Which text, and how it reads from when on."""

    which = forms.ChoiceField(label="Text", widget=UnfoldAdminSelectWidget)
    text = forms.CharField(
        max_length=600,
        label="Reads from then on",
        validators=[fair_words.validate],
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Names in braces, like {scheme}, are filled in. Only those of the present text can be.",
    )

    class Meta:
        model = Wording
        fields = ("text", "valid_from")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "which" in self.fields:
            self.fields["which"].choices = wordings.choices()  # type: ignore[attr-defined]

    def clean_valid_from(self) -> datetime:
        """What was told was told in the words of its time."""
        moment: datetime = self.cleaned_data["valid_from"]
        if moment < clock.now() - timedelta(minutes=5):
            raise forms.ValidationError("Words cannot hold from a moment that has passed.")
        return moment

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "which" not in values or "text" not in values:
            return values
        name, key, part = values["which"].split("/", 2)
        self.instance.catalogue, self.instance.key, self.instance.part = name, key, part
        known = wordings.blanks(wordings.original(name, key, part))
        try:
            odd = wordings.blanks(values["text"]) - known
        except ValueError:
            self.add_error("text", "A brace is opened and not closed.")
            return values
        if odd:
            names = ", ".join(f"{{{name}}}" for name in sorted(known)) or "nothing"
            self.add_error("text", f"{{{odd.pop()}}} is not known here. What can be filled in: {names}.")
        return values


@admin.register(Wording)
class WordingAdmin(ProposedAdmin):
    """Texts that take the place of those that the code brings. A later one takes the place of an earlier one."""

    act = WORDING
    form = WordingForm
    list_display = ("catalogue", "key", "part", "reads", "valid_from")
    fields = ("catalogue", "key", "part", "text", "valid_from")
    ordering = ("-valid_from", "-id")
    search_fields = ("key",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields) if obj else ["which", "text", "valid_from", "why"]

    def proposed_names(self, form: forms.ModelForm) -> list[str]:
        return list(self.fields)

    @display(description="Reads")
    def reads(self, row: Wording) -> str:
        return show.cut(row.text)
