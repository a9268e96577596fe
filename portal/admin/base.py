"""The base of every admin page of ours: people look, operations act.

`OpsAdmin` shows evidence, states and money read-only, offers acts (acts.py) on the detail page, and pages without
counting. `KeptAdmin` is for the few things that staff keep by hand (holidays, partners): each save is audited.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from portal import audit, clock
from portal.access import STAFF, access
from portal.admin import acts, export, pending, timeline
from portal.admin.acts import Act, By
from portal.admin.finding import Finder, asked_for
from portal.admin.paging import UncountedList, UncountedPaginator
from portal.desk import saved
from portal.models import SavedList, User
from portal.sought import FIND, unsealed


class OpsAdmin(ModelAdmin):
    """Read-only pages with acts. Subclasses are tables: columns, sections, finders, acts."""

    actions = None
    acts: tuple[Act, ...] = ()
    # Search: what a term may be (finding.py).
    finders: tuple[Finder, ...] = ()
    # What the list says when it is empty.
    nothing = ""
    # Links above the list: words and query string.
    quick: tuple[tuple[str, str], ...] = ()
    # Columns of the file that a list can be taken as; none means that it cannot.
    exported: tuple[export.Column, ...] = ()
    # Sections of the detail page below the fields.
    shows_timeline = True
    shows_calls = False
    show_full_result_count = False
    paginator = UncountedPaginator
    list_per_page = 30
    empty_value_display = "–"
    list_filter_submit = True
    compressed_fields = True
    list_before_template = "admin/quick.html"
    change_form_outer_before_template = "admin/open_cases.html"
    change_form_outer_after_template = "admin/conversation.html"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return flatten_fieldsets(self.get_fieldsets(request, obj)) if self.fieldsets else []

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedList

    def related(self, obj: Model) -> Sequence[Model]:
        """Objects whose timeline and conversation belong on this object's page as well."""
        return ()

    def whose(self, obj: Model) -> Model | None:
        """The person whose data the page shows: opening it stands in the audit log. None where it is nobody's."""
        key = getattr(obj, "investor_id", None)
        owner: Any = obj._meta.get_field("investor").related_model if key else None
        return owner(pk=key) if owner else None

    # --- Finding --------------------------------------------------------------------------------------------------

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return ("finders",) if self.finders else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        conditions = [found for finder in self.finders if (found := finder(term))]
        return queryset.filter(reduce(operator.or_, conditions)) if conditions else queryset.none(), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.finders and asked_for(request.GET.get("q", ""), request.user).get(FIND):
            # Somebody wrote it into the address by hand: it does not stay there.
            return self._found(request, request.GET)
        user: Any = request.user
        kept = SavedList.objects.filter(user=user, page=self.opts.label_lower) if self.list_filter else ()
        answer = super().changelist_view(request, {**(extra_context or {}), "saved": kept})
        if FIND in request.GET and unsealed(request.GET[FIND], request.user) is None:
            messages.warning(request, "This search has ended. Type it again.")
        return answer

    def saved_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the list with its filters under a name, or forget one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: Any = request.user
        page, query = self.opts.label_lower, request.POST.get("query", "")
        name = request.POST.get("forget", "")
        if name:
            saved.forget(user=user, page=page, name=name)
            messages.success(request, f"“{name}” is forgotten.")
        elif saved.keep(user=user, page=page, name=request.POST.get("name", ""), query=query):
            messages.success(request, "The list is kept under this name, for you.")
        else:
            messages.warning(request, f"Choose filters and a name first; {saved.MOST} lists can be kept.")
        return redirect(f"{show_list(self.opts)}?{query}")

    def _found(self, request: HttpRequest, asked: Any) -> HttpResponse:
        kept = [
            (key, value)
            for key in asked
            if key not in {"q", "p", "after", FIND, "csrfmiddlewaretoken"}
            for value in asked.getlist(key)
        ]
        query = [*kept, *asked_for(asked.get("q", ""), request.user).items()]
        url = show_list(self.opts)
        return redirect(f"{url}?{urlencode(query)}" if query else url)

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Where the search box posts to."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._found(request, request.POST)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The list with its filters as a file; who took it stands in the audit log."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = request.GET.get("as", "csv")
        rows = list(self._export_list(request).get_queryset(request)[: export.MOST + 1])
        if len(rows) > export.MOST:
            messages.warning(
                request, f"More than {export.MOST} rows would need a second person. Narrow the list by its filters."
            )
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return redirect(f"{back}?{request.GET.urlencode()}")
        export.note(request.user, self.opts.label_lower, rows=len(rows), kind=kind, query=request.GET)
        return export.answer(f"{self.opts.model_name}s", self.exported, rows, kind=kind)

    def _export_list(self, request: HttpRequest) -> ChangeList:
        """The list as its page has it; in which form it is taken is no filter of it."""
        asked = request.GET.copy()
        asked.pop("as", None)
        request.GET = asked  # type: ignore[assignment]
        return self.get_changelist_instance(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The acts that may be done to many rows at once, for whoever may do them to one."""
        from portal.admin.bulk import action_for

        return {
            act.name.replace("-", "_"): (action_for(act), act.name.replace("-", "_"), f"{act.label} (dry run first)")
            for act in self.acts
            if act.in_bulk and self._may_in_bulk(request, act)
        }

    def _may_in_bulk(self, request: HttpRequest, act: Act) -> bool:
        """Whether an act is worth offering; each row is asked about by itself."""
        if isinstance(act.permission, str):
            return bool(request.user.has_perm(act.permission))
        rights = (f"{self.opts.app_label}.{verb}_{self.opts.model_name}" for verb in ("act", "approve"))
        return any(request.user.has_perm(right) for right in rights)

    # --- Acts -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        find = access(STAFF)(self.admin_site.admin_view(require_POST(self.find_view)))
        act = access(STAFF)(self.admin_site.admin_view(self.act_view))
        taken = access(STAFF)(self.admin_site.admin_view(require_safe(self.export_view)))
        kept = access(STAFF)(self.admin_site.admin_view(require_POST(self.saved_view)))
        own = [
            *([path("export/", taken, name=f"{name}_export")] if self.exported else []),
            path("find/", find, name=f"{name}_find"),
            path("saved/", kept, name=f"{name}_saved"),
            path("<path:object_id>/act/<slug:act_name>/", act, name=f"{name}_act"),
        ]
        return [*own, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act_name: str) -> HttpResponse:
        """The confirmation page of an act (GET) and the act itself (POST)."""
        act = next((each for each in self.acts if each.name == act_name), None)
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if act is None or obj is None:
            raise Http404
        if not act.allowed(request.user, obj):
            raise PermissionDenied
        if not act.offered(obj):
            messages.warning(request, f"“{act.label}” is not possible in the present state.")
            return HttpResponseRedirect(self._url_of(obj))
        if not _is_as_it_was(request, act.seen(obj)):
            messages.warning(request, "Something here has changed since you looked. Nothing was done: look again.")
            return HttpResponseRedirect(self._url_of(obj))
        form = act.form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._perform(request, act, obj, form.cleaned_data)
        return self._confirmation(request, act, obj, form)

    def _perform(self, request: HttpRequest, act: Act, obj: Model, answers: dict[str, Any]) -> HttpResponse:
        reason = str(answers.pop("reason"))
        by = By(actor=request.user, reason=reason, at=clock.now(), answers=answers)  # type: ignore[arg-type]
        if act.download:
            return act.download(obj, self.related(obj), by)
        done, words = acts.perform(act, obj, by)
        (messages.success if done else messages.warning)(request, words)
        still_there = self.get_object(request, str(obj.pk)) is not None
        return HttpResponseRedirect(self._url_of(obj) if still_there else show_list(self.opts))

    def _confirmation(self, request: HttpRequest, act: Act, obj: Model, form: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.label,
            "act": act,
            "object": obj,
            "form": form,
            "seen": act.seen(obj),
            "back": self._url_of(obj),
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/act.html", context, status=status)

    def _url_of(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["actions_detail"] = [
                self._button(act, obj) for act in self.acts if act.allowed(request.user, obj) and act.offered(obj)
            ]
            together = [obj, *self.related(obj)]
            context["pending"] = pending.about(obj)
            context["open_cases"] = timeline.open_cases_of(together)
            context["steps"] = timeline.steps_of(together) if self.shows_timeline else None
            context["calls"] = timeline.calls_of(together) if self.shows_calls else None
            context["visits"] = self._visited(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _visited(self, request: HttpRequest, obj: Model) -> list[timeline.Visit] | None:
        """Notes the visit; on a person's own page, who came before."""
        person, actor = self.whose(obj), request.user
        if person is None or not isinstance(actor, User):
            return None
        audit.saw(person, actor=actor, at=clock.now(), page=self.opts.label_lower)
        return timeline.visits_to(person) if person == obj else None

    def _button(self, act: Act, obj: Model) -> dict[str, Any]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        seen = act.seen(obj)
        return {
            "title": act.label,
            "icon": act.icon,
            "variant": ActionVariant.DANGER if act.danger else ActionVariant.DEFAULT,
            "attrs": {},
            "dialog": None,
            "path": reverse(name, args=[obj.pk, act.name]) + (f"?seen={seen}" if seen else ""),
        }


def _is_as_it_was(request: HttpRequest, now: str) -> bool:
    """Is what an act rests on still what the person has looked at? An act must say it; its page, opened from an inbox
    or by hand, may be the first look itself."""
    if request.method == "POST":
        return request.POST.get("seen", "") == now
    return request.GET.get("seen", now) == now


def show_list(opts: Any) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")


class KeptAdmin(ModelAdmin):
    """Something that staff keep by hand. Every save and removal is in the audit log: who did it, and what changed."""

    actions = None
    compressed_fields = True
    warn_unsaved_form = True
    change_form_outer_after_template = "admin/conversation.html"

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._record(request, obj, "changed" if change else "added", form.changed_data)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self._record(request, obj, "removed", [])
        super().delete_model(request, obj)

    def _record(self, request: HttpRequest, obj: Model, what: str, fields: list[str]) -> None:
        values: dict[str, Any] = {name: getattr(obj, name, None) for name in fields}
        actor: Any = request.user
        audit.record(obj, f"{self.opts.model_name}.{what}", actor=actor, at=clock.now(), title=str(obj), **values)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["steps"] = timeline.steps_of([obj])
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


class Lines(TabularInline):
    """Rows of another table on an object's page: read-only."""

    template = "admin/lines.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return tuple(self.fields or ())


def replace(model: type[Model], model_admin: type[ModelAdmin]) -> None:
    """Register a page of ours for a model of a library, in place of the library's."""
    if admin.site.is_registered(model):
        admin.site.unregister(model)
    admin.site.register(model, model_admin)
