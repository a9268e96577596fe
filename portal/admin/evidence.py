"""Evidence: the audit log and the journal of every call to a provider. Read-only for everybody, for ever."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter, RangeDateTimeFilter
from unfold.decorators import display

from portal import audit, redaction
from portal.admin import show, timeline
from portal.admin.acts import Act, By, QuickForm
from portal.admin.base import OpsAdmin
from portal.admin.filters import fixed_filter
from portal.admin.finding import by_actor, by_code, by_path, by_subject
from portal.admin.providers import CONFIGURED
from portal.field_words import words_of
from portal.models import AuditEntry, AuditLink, GatewayCall

LOOKS = {
    audit.SEEN: "Looked at",
    audit.UNMASKED: "Shown in full",
    audit.LOOKED_AS: "Seen as the investor sees it",
}


class LooksFilter(RadioFilter):
    """The view log: who looked at personal data, and who had it shown in full."""

    title = "personal data"
    parameter_name = "looks"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(LOOKS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() in LOOKS else queryset


def _sample(obj: Any, related: Any, by: By) -> HttpResponse:
    """An exchange or an event, redacted, in the form of the files below `tests/samples`."""
    if isinstance(obj, GatewayCall):
        name = f"{obj.provider}-{obj.method.lower()}-{obj.pk}.json"
        said = {"method": obj.method, "path": obj.path, "status": obj.status}
        said |= {"request": obj.request_body, "response": obj.response_body}
    else:
        name, said = f"{obj.provider}-{obj.kind}-{obj.pk}.json", {"kind": obj.kind, "body": obj.body}
    audit.record(obj, "sample.taken", actor=by.actor, at=by.at, reason=by.reason)
    text = json.dumps(redaction.each_in({"provider": obj.provider, **said}), indent=2, ensure_ascii=False)
    answer = HttpResponse(text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


SAMPLE = Act(
    name="sample",
    label="Take as a test sample",
    permission="portal.take_evidence",
    explain="A JSON file with what was said, redacted as it is shown here. Read it over before it goes into the tests.",
    download=_sample,
    form=QuickForm,
    icon="file_copy",
)


@admin.register(AuditEntry)
class AuditEntryAdmin(OpsAdmin):
    """Who did what to which object, when and why; chained by the database so that no change stays unseen."""

    list_display = ("id", "when", "words", "about", "who", "why", "door")
    list_filter = (
        ("at", RangeDateTimeFilter),
        fixed_filter("door", "door", "admin", "site", "api", "worker", "console"),
        LooksFilter,
    )
    quick = (
        ("All", ""),
        ("By hand", "door=admin"),
        ("Personal data looked at", f"looks={audit.SEEN}"),
        ("Shown in full", f"looks={audit.UNMASKED}"),
        ("Seen as the investor", f"looks={audit.LOOKED_AS}"),
    )
    exported = (
        ("Number", lambda entry: entry.pk),
        ("When", lambda entry: entry.at),
        ("What", lambda entry: entry.action),
        ("About", lambda entry: f"{entry.subject_kind} {entry.subject_id}"),
        ("Who", lambda entry: entry.actor),
        ("Door", lambda entry: entry.door),
        ("Reason", lambda entry: redaction.text(entry.reason)),
        ("Details", lambda entry: redaction.text(json.dumps(entry.data, ensure_ascii=False))),
    )
    ordering = ("-id",)
    finders = (by_subject, by_actor)
    search_help_text = "Code of the object, or email of the actor"
    shows_timeline = False
    fieldsets = (
        (
            None,
            {"fields": (("id", "when"), ("words", "action"), ("about", "door"), "who", "why", "details", "chained")},
        ),
    )

    @display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return show.moment(entry.at)

    @display(description="What")
    def words(self, entry: AuditEntry) -> str:
        return timeline.words_of(entry.action)

    @display(description="About")
    def about(self, entry: AuditEntry) -> str:
        return show.subject_link(entry.subject_kind, entry.subject_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if found := getattr(answer, "context_data", {}).get("cl"):
            # One statement names everybody on the page.
            names = timeline.names_of({entry.actor for entry in found.result_list})
            for entry in found.result_list:
                entry.actor_name = names[entry.actor]
        return answer

    @display(description="Who", ordering="actor")
    @show.once
    def who(self, entry: AuditEntry) -> str:
        return getattr(entry, "actor_name", None) or timeline.names_of([entry.actor])[entry.actor]

    @display(description="Reason")
    def why(self, entry: AuditEntry) -> str:
        return redaction.text(entry.reason)

    @display(description="Details")
    def details(self, entry: AuditEntry) -> str:
        return show.pretty(entry.data)

    @display(description="Link in the chain")
    @show.once
    def chained(self, entry: AuditEntry) -> str:
        link = AuditLink.objects.filter(entry=entry).first()
        return show.two(f"number {link.seq}", link.hash) if link else "made when its transaction has committed"


@admin.register(GatewayCall)
class GatewayCallAdmin(OpsAdmin):
    """The real conversation with providers, redacted when it was written."""

    list_display = ("when", "what", "outcome_and_status", "about", "our_ref")
    list_filter = (
        ("outcome", ChoicesCheckboxFilter),
        fixed_filter("provider", "provider", *CONFIGURED),
        fixed_filter("method", "method", "GET", "POST", "PUT", "PATCH", "DELETE"),
        ("started_at", RangeDateTimeFilter),
    )
    ordering = ("-id",)
    finders = (by_code("our_ref"), by_subject, by_path)
    acts = (SAMPLE,)
    search_help_text = "Code of the object, our reference, or the beginning of the path"
    quick = (
        ("Unknown outcome", "outcome__exact=OUTCOME_UNKNOWN&outcome__exact=GARBLED&outcome__exact=SENDING"),
        ("Refused", "outcome__exact=REFUSED"),
        ("Not sent", "outcome__exact=UNREACHABLE&outcome__exact=THROTTLED"),
        ("All", ""),
    )
    shows_timeline = False
    fieldsets = (
        (
            None,
            {"fields": (("provider", "when"), ("method", "outcome_badge"), "path", ("status", "took"), "error")},
        ),
        ("About", {"fields": (("about", "our_ref"), "attempt_no")}),
        ("Sent", {"fields": ("sent",)}),
        ("Answered", {"fields": ("answered",)}),
    )

    @display(description="Call")
    def what(self, call: GatewayCall) -> str:
        return show.two(show.cut(call.path), f"{words_of(call.provider)} · {call.method}")

    @display(description="Outcome, answer", ordering="outcome")
    def outcome_and_status(self, call: GatewayCall) -> str:
        status = f"HTTP {call.status}" if call.status else "no answer"
        return show.two(self.outcome_badge(call), f"{status} · {self.took(call)}")

    @display(description="Outcome", ordering="outcome")
    def outcome_badge(self, call: GatewayCall) -> str:
        tone = timeline.CALL_TONES[GatewayCall.Outcome(call.outcome)]
        return show.badge(tone, call.get_outcome_display())

    @display(description="Took")
    def took(self, call: GatewayCall) -> str:
        return show.NOTHING if call.took_ms is None else f"{call.took_ms} ms"

    @display(description="When", ordering="id")
    def when(self, call: GatewayCall) -> str:
        return show.moment(call.started_at)

    @display(description="About")
    def about(self, call: GatewayCall) -> str:
        return show.subject_link(call.subject_kind, call.subject_id) if call.subject_kind else show.NOTHING

    @display(description="Body")
    def sent(self, call: GatewayCall) -> str:
        return show.pretty(call.request_body)

    @display(description="Body")
    def answered(self, call: GatewayCall) -> str:
        return show.pretty(call.response_body)
