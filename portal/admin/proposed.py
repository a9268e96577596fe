"""Pages of what is kept as data by two persons: saving proposes, and a second person's yes makes it so.

`ProposedAdmin` is a form like any other; what it writes is a proposal (`portal/desk/proposals.py`), never the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.db import models
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from portal import clock
from portal.admin import pending, show
from portal.admin.base import KeptAdmin
from portal.desk import proposals
from portal.desk.models import Proposal
from portal.errors import Failure
from portal.field_words import words_of


class ProposedForm(forms.ModelForm):
    """A record and why it should be so."""

    why = forms.CharField(
        min_length=5,
        max_length=300,
        label="Reason",
        help_text="The second person reads it, and it goes into the audit log under your name.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class ProposedAdmin(KeptAdmin):
    """Rows that change by a proposal. Subclasses name the `act`; its kind is registered beside them."""

    act: str
    form = ProposedForm
    change_form_outer_before_template = "admin/open_cases.html"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*super().get_fields(request, obj), "why"]

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        names = [name for name in form.changed_data if name != "why"] if change else self.proposed_names(form)
        if not names:
            messages.info(request, "Nothing would change.")
            return
        old = type(obj)._default_manager.get(pk=obj.pk) if change else None
        before = proposals.values_of(old, names) if old else None
        self._propose(request, obj, before, proposals.values_of(obj, names), form.cleaned_data["why"])

    def proposed_names(self, form: forms.ModelForm) -> list[str]:
        """The fields of a new row that the form fills."""
        return [name for name in form.fields if name != "why"]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        names = [field.name for field in obj._meta.fields]
        self._propose(request, obj, proposals.values_of(obj, names), None, f"Remove {obj}")

    def _propose(self, request: HttpRequest, obj: Any, before: Any, after: Any, why: str) -> None:
        verb = "Add" if before is None else "Remove" if after is None else "Change"
        actor: Any = request.user
        values = {"subject": obj, "title": f"{verb} {self.opts.verbose_name} {obj}", "before": before, "after": after}
        try:
            made = proposals.ask(act=self.act, actor=actor, reason=why, at=clock.now(), **values)
        except Failure as failure:
            messages.warning(request, failure.message)
            return
        if made.needs_second:
            told = f"{made.code} waits for a second person. Nothing has changed yet. {made.affects}"
            messages.success(request, told.rstrip())
        else:
            messages.success(request, "Done: the rule in force asks for no second person.")

    def log_addition(self, *args: Any) -> None:
        """The audit log has it."""

    log_change = log_deletions = log_addition

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        return redirect(show.list_url(self.model))

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return redirect(show.list_url(self.model))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        return redirect(show.list_url(self.model))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        # Nothing is saved here, and every button would lead back to the list.
        context |= {"save_words": "Propose", "show_save_and_continue": False, "show_save_and_add_another": False}
        if obj is not None:
            context["pending"] = pending.proposed(obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


# Rows that proposals refer to by their key, as they are called.
Names = dict[tuple[type[Model], Any], str]


def difference(row: Proposal) -> SafeString:
    """Before and after, field by field; what is empty on both sides is left out."""
    return show.compared(line for line in _lines(row, _names([row])) if line[1:] != (show.NOTHING, show.NOTHING))


def _lines(row: Proposal, names: Names) -> list[tuple[str, str, str]]:
    before, after = row.before or {}, row.after or {}
    return [
        (words_of(name), _said(row, name, before.get(name), names), _said(row, name, after.get(name), names))
        for name in (row.after or row.before or ())
    ]


def _said(row: Proposal, name: str, value: Any, names: Names) -> str:
    """A value as the page of the record shows it: the words of a choice, yes or no, a day, the name of a record."""
    if value in (None, ""):
        return show.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    field = apps.get_model(row.subject_kind)._meta.get_field(name)
    if isinstance(field, models.DateTimeField):
        return show.moment(datetime.fromisoformat(value))
    if isinstance(field, models.DateField):
        return f"{date.fromisoformat(value):%-d %b %Y}"
    if isinstance(field, models.ForeignKey):
        return names.get((field.related_model, value), str(value))
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def _names(rows: Iterable[Proposal]) -> Names:
    """What the records are called that proposals refer to: a statement for each kind of record, if there are any."""
    wanted: dict[type[Model], set[Any]] = {}
    for row in rows:
        keys = [field for field in apps.get_model(row.subject_kind)._meta.fields if field.is_relation]
        for values in (row.before or {}, row.after or {}):
            for field in keys:
                if values.get(field.name) is not None:
                    wanted.setdefault(field.related_model, set()).add(values[field.name])
    return {
        (model, key): str(found)
        for model, chosen in wanted.items()
        for key, found in model._base_manager.in_bulk(chosen).items()
    }


def short(row: Proposal, names: Names | None = None) -> str:
    """The same in one line, for lists."""
    names = _names([row]) if names is None else names
    if row.before is None:
        return ", ".join(f"{name} {after}" for name, _, after in _lines(row, names) if after != show.NOTHING)
    if row.after is None:
        return "removed"
    return ", ".join(f"{name}: {before} → {after}" for name, before, after in _lines(row, names))


def differences(ids: list[str]) -> dict[str, str]:
    """What proposals would change, for a list, in one statement, and one for each kind of record that they name."""
    found = list(Proposal.objects.filter(pk__in=ids))
    names = _names(found)
    return {str(row.pk): short(row, names) for row in found}
