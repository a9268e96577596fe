"""Messages to many: composed by one person, looked at and approved by another, then followed (screens.md O-22)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from portal import clock, redaction
from portal.access import STAFF, access
from portal.admin import pending, show
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, codes
from portal.desk import audiences, broadcasts, proposals
from portal.desk.models import Broadcast, Proposal
from portal.errors import Failure
from portal.notices import senders
from portal.notices.models import Delivery, Notice

codes["MSG"] = Broadcast
TONES = {"DRAFT": "needs", "SCHEDULED": "waiting", "SENDING": "waiting", "SENT": "done", "CANCELLED": "neutral"}
# The page of a preview -> what it may load. Nothing of it runs.
FRAMED = {
    "mail": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'",
    "centre": "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'none'; frame-ancestors 'self'",
}


# Its page: the facts first, as one decides by them, then what arrives.
FACTS: Any = (
    (
        None,
        {
            "fields": (
                ("code", "state_badge"),
                ("author", "written"),
                ("to_whom", "kind_words"),
                "counted",
                "some",
                "why",
                ("when", "reached_words"),
                ("begun", "ended"),
                "history",
            )
        },
    ),
    ("As it arrives", {"fields": ("as_mail", "as_notice")}),
)


class BroadcastForm(forms.ModelForm):
    """What is said, to whom, and when."""

    audience = forms.ChoiceField(label="Who gets it", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Broadcast
        fields = broadcasts.CONTENT
        widgets = {"text": UnfoldAdminTextareaWidget(attrs={"rows": 8})}
        labels = {"kind": "Kind", "audience_of": "Which scheme or partner"}
        help_texts = {
            "text": "Plain words; a line is a paragraph. What is written here is shown as it stands, tags included.",
            "audience_of": "For groups that say so: the scheme's ISIN, or the partner's code.",
            "send_at": "Indian time. Empty: as soon as a second person has approved it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever may only look gets no field of it.
        if "audience" in self.fields:
            self.fields["audience"].choices = audiences.choices()  # type: ignore[attr-defined]

    def clean_subject(self) -> str:
        """One line."""
        return " ".join(self.cleaned_data["subject"].split())

    def clean_text(self) -> str:
        """Paragraphs with a blank line between them."""
        lines = (" ".join(line.split()) for line in self.cleaned_data["text"].splitlines())
        return "\n\n".join(filter(None, lines))

    def clean_send_at(self) -> Any:
        """Nothing is sent in the past."""
        moment = self.cleaned_data["send_at"]
        if moment is not None and moment <= clock.now():
            raise forms.ValidationError("This time has passed. Leave it empty to send as soon as it is approved.")
        return moment

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "audience" not in values:
            return values
        its, of = audiences.audience(values["audience"]), values.get("audience_of", "").strip().upper()
        values["audience_of"] = of if its.of else ""
        if its.of and not its.name_of(of):
            self.add_error("audience_of", f"For this group say {its.of}, as it is written on its page.")
        return values


def _ask(row: Broadcast, by: By) -> str:
    asked = broadcasts.ask(row=row, actor=by.actor, reason=by.reason, at=by.at)
    return f"{asked.code} waits for a second person. Nobody is told before that."


def _approve(row: Broadcast, by: By) -> str:
    proposals.approve(proposal=_the_one(row), actor=by.actor, reason=by.reason, at=by.at)
    return "Approved. It goes out in the background once its time has come; this page shows how far it is."


def _refuse(row: Broadcast, by: By) -> str:
    proposals.refuse(proposal=_the_one(row), actor=by.actor, reason=by.reason, at=by.at)
    return "It is a draft again, and nobody is told."


def _cancel(row: Broadcast, by: By) -> str:
    stopped = broadcasts.cancel(row=row, actor=by.actor, reason=by.reason, at=by.at)
    return f"Cancelled. Nobody further is told, and {show.grouped(stopped)} messages that waited are not sent."


def _the_one(row: Broadcast) -> Proposal:
    found = broadcasts.waiting(row)
    if not found:
        raise proposals.AlreadyDecided
    return found[0]


@show.once
def _waiting(row: Broadcast) -> list[Proposal]:
    return broadcasts.waiting(row) if row.state == Broadcast.State.DRAFT else []


def _is_free(row: Broadcast) -> bool:
    return row.state == Broadcast.State.DRAFT and not _waiting(row)


def _waits(row: Broadcast) -> bool:
    return bool(_waiting(row))


def _seen(row: Broadcast) -> list[object]:
    return [getattr(row, name) for name in (*broadcasts.CONTENT, "people")]


@pending.concerns("portal.broadcast")
def _approvals(row: Broadcast) -> list[pending.Waits]:
    return [
        pending.Waits(each, f"{each.code} {each.title}", str(each.asked_by), each.asked_at) for each in _waiting(row)
    ]


@admin.register(Broadcast)
class BroadcastAdmin(OpsAdmin):
    """Messages that staff write to many people, the newest first."""

    form = BroadcastForm
    list_display = ("code", "said", "state_badge", "group", "when", "reached_words")
    list_filter = (("state", ChoicesCheckboxFilter), ("kind", ChoicesCheckboxFilter))
    ordering = ("-id",)
    finders = (by_code("code"),)
    search_help_text = "Code"
    nothing = "No message was written yet"
    quick = (
        ("Drafts", "state__exact=DRAFT"),
        ("Scheduled", "state__exact=SCHEDULED"),
        ("Being sent", "state__exact=SENDING"),
        ("All", ""),
    )
    acts = (
        Act(
            name="ask",
            label="Ask a second person",
            permission="portal.add_broadcast",
            explain="The people of the group are counted once more, and somebody else looks at the same preview. "
            "Until they approve it nobody is told. Withdraw the proposal, and it is a draft again.",
            run=_ask,
            offered=_is_free,
            only_by=lambda row: (row.made_by_id,),
            rests_on=_seen,
            icon="how_to_reg",
        ),
        Act(
            name="approve",
            label="Approve",
            permission="portal.approve_proposal",
            explain="It goes out to everybody who is in the group when its time has come. You answer for it together "
            "with whoever wrote it. What has left cannot be called back.",
            run=_approve,
            offered=_waits,
            not_by=lambda row: (row.made_by_id,),
            rests_on=_seen,
            icon="task_alt",
        ),
        Act(
            name="refuse",
            label="Refuse",
            permission="portal.approve_proposal",
            explain="It becomes a draft again. Whoever wrote it reads the reason.",
            run=_refuse,
            offered=_waits,
            not_by=lambda row: (row.made_by_id,),
            icon="block",
        ),
        Act(
            name="cancel",
            label="Cancel the message",
            permission="portal.act_broadcast",
            explain="Nobody further is told, and what waits for its sender is not sent. What has left stays with those "
            "who have it. It cannot be taken up again.",
            run=_cancel,
            offered=lambda row: row.state in broadcasts.IS_OPEN,
            icon="cancel",
            danger=True,
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("portal.add_broadcast")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_own = isinstance(obj, Broadcast) and obj.made_by_id == request.user.pk and _is_free(obj)
        return is_own and request.user.has_perm("portal.change_broadcast")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        content = ("The message", {"fields": broadcasts.CONTENT})
        if obj is None:
            return (content,)
        return (*FACTS, content) if self.has_change_permission(request, obj) else FACTS

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return flatten_fieldsets(FACTS) if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        actor: Any = request.user
        try:
            broadcasts.write(row=obj, actor=actor, at=clock.now())
        except Failure as failure:
            messages.warning(request, failure.message)
        else:
            messages.success(request, "Kept as a draft. This is how it would arrive, and whom it would reach now.")

    def log_addition(self, *args: Any) -> None:
        """The audit log has it."""

    log_change = log_addition

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        return redirect(self._url_of(obj))

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return redirect(self._url_of(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context |= {"save_words": "Keep and look", "show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().changeform_view(request, *args, **kwargs)
        row = getattr(answer, "context_data", {}).get("original")
        if isinstance(row, Broadcast) and row.state == Broadcast.State.SENDING:
            answer["Refresh"] = "5"
        return answer

    # --- As it arrives --------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        shown = xframe_options_sameorigin(require_safe(self.preview_view))
        view = access(STAFF)(self.admin_site.admin_view(shown))
        return [path("<path:object_id>/as/<slug:what>/", view, name="portal_broadcast_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest, object_id: str, what: str) -> HttpResponse:
        """The mail or the line in the centre, by the same templates, for our frame only."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row: Any = self.get_object(request, object_id)
        if row is None or what not in FRAMED:
            raise Http404
        notice = broadcasts.notice_of(row, row.send_at or clock.now())
        response = HttpResponse(_written(notice, what))
        response["Content-Security-Policy"] = FRAMED[what]
        return response

    @display(description="E-mail")
    def as_mail(self, row: Broadcast) -> str:
        head = format_html("From {}. Subject: {}", settings.DEFAULT_FROM_EMAIL, row.subject)
        return format_html("<p>{}</p>{}", head, _frame(row, "mail", "The e-mail as it arrives"))

    @display(description="Among their notices")
    def as_notice(self, row: Broadcast) -> str:
        return _frame(row, "centre", "The notice as it is shown")

    # --- Words ----------------------------------------------------------------------------------------------------

    @display(description="Subject")
    def said(self, row: Broadcast) -> str:
        return show.cut(row.subject)

    @display(description="State", ordering="state")
    def state_badge(self, row: Broadcast) -> str:
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="Who gets it")
    def group(self, row: Broadcast) -> str:
        # Without the name of a scheme: that would be a statement for each row.
        return show.two(audiences.label(row.audience), row.audience_of)

    @display(description="Who gets it")
    def to_whom(self, row: Broadcast) -> str:
        return _group(row)

    @display(description="Kind")
    def kind_words(self, row: Broadcast) -> str:
        return str(row.get_kind_display())

    @display(description="People")
    def counted(self, row: Broadcast) -> str:
        when = "when it was drafted" if _is_free(row) else "when the approval was asked for"
        note = "Who is in the group is decided when it is sent."
        return f"{show.grouped(row.people)} {when} ({show.moment(row.counted_at)}). {note}"

    @display(description="Some of them")
    def some(self, row: Broadcast) -> str:
        return _examples(row)

    @display(description="Reason")
    def why(self, row: Broadcast) -> str:
        # Once it is decided it stands in the timeline.
        return _waiting(row)[0].reason if _waits(row) else show.NOTHING

    @display(description="Goes out")
    def when(self, row: Broadcast) -> str:
        return show.moment(row.send_at) if row.send_at else "as soon as it is approved"

    @display(description="Told")
    def reached_words(self, row: Broadcast) -> str:
        if row.started_at is None:
            return "nobody" if row.state == Broadcast.State.CANCELLED else "nobody yet"
        if row.state == Broadcast.State.SENDING:
            return f"{show.grouped(row.told)} of about {show.grouped(row.people)}"
        return show.grouped(row.told) if row.told else "nobody was in the group"

    @display(description="Written by")
    def author(self, row: Broadcast) -> str:
        return _author(row)

    @display(description="Written")
    def written(self, row: Broadcast) -> str:
        return show.moment(row.made_at)

    @display(description="Begun")
    def begun(self, row: Broadcast) -> str:
        return show.moment(row.started_at)

    @display(description="Ended")
    def ended(self, row: Broadcast) -> str:
        return show.moment(row.ended_at)

    @display(description="To each")
    def history(self, row: Broadcast) -> str:
        if row.started_at is None:
            return show.NOTHING
        found = ((show.list_url(model, f"q={row.code}"), words) for model, words in HISTORY)
        return format_html_join(" · ", '<a class="ops-link" href="{}">{}</a>', found)


HISTORY: Sequence[tuple[type[Model], str]] = ((Notice, "What people were told"), (Delivery, "Messages sent"))


def _written(notice: Notice, what: str) -> str:
    if what == "mail":
        return senders.written(notice)[1]
    return render_to_string("portal/notices/preview.html", {"notice": notice})


def _frame(row: Broadcast, what: str, title: str) -> str:
    return format_html(
        '<iframe class="ops-preview ops-preview-{0}" src="../as/{0}/" title="{1}"></iframe>', what, title
    )


@show.once
def _group(row: Broadcast) -> str:
    return audiences.words(row.audience, row.audience_of)


@show.once
def _author(row: Broadcast) -> str:
    return str(row.made_by)


@show.once
def _examples(row: Broadcast) -> str:
    """People of the group, masked; of one that has begun the lists have everybody."""
    if row.state not in (Broadcast.State.DRAFT, Broadcast.State.SCHEDULED):
        return show.NOTHING
    found = [redaction.mask_email(each.email) for each in broadcasts.examples(row)]
    return ", ".join(found) or "Nobody is in this group now."
