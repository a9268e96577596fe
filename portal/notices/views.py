"""The centre of notices, and what one wants to be told by which channel."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import clock, identifiers
from portal.access import OWN_ROWS, access
from portal.models import User
from portal.notices import catalogue, senders, writing
from portal.notices.models import Notice, NoticeChoice

PAGE_SIZE = 30
CHANNEL_WORDS = {catalogue.EMAIL: "E-mail", catalogue.SMS: "Text message"}


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@access(OWN_ROWS)
@login_required
@never_cache
@require_safe
def centre(request: HttpRequest) -> HttpResponse:
    """Everything one was told, newest first, by page."""
    before = identifiers.row_key(request.GET.get("before", ""))
    rows = Notice.objects.filter(user=_person(request)).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "notices": shown,
        "unread": sum(each.read_at is None for each in shown),
        "next_url": f"?before={shown[-1].pk}" if len(found) > PAGE_SIZE else "",
        "first_url": "?" if before else "",
    }
    return render(request, "portal/notices/centre.html", context)


@access(OWN_ROWS)
@login_required
@require_POST
def all_read(request: HttpRequest) -> HttpResponse:
    """Nothing is new any more."""
    writing.read(user_id=_person(request).pk, at=clock.now())
    return redirect("notices")


@access(OWN_ROWS)
@login_required
@never_cache
@require_safe
def one(request: HttpRequest, notice_id: int) -> HttpResponse:
    """To what a notice is about; from now on it is read."""
    person = _person(request)
    notice = Notice.objects.filter(user=person, pk=notice_id).first()
    if notice is None:
        raise Http404
    writing.read(user_id=person.pk, notice_id=notice.pk, at=clock.now())
    return redirect(notice.url)


@access(OWN_ROWS)
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """What one wants to be told by which channel; what must be sent is ticked and cannot be unticked."""
    person = _person(request)
    channels = [channel for channel in catalogue.CHANNELS if senders.has(channel)]
    if request.method == "POST":
        wanted = {
            (each.key, channel): f"{each.key}:{channel}" in request.POST
            for each in catalogue.everything()
            for channel in channels
        }
        writing.choose(user=person, wanted=wanted, at=clock.now())
        messages.success(request, "Saved. The centre here shows everything in any case.")
        return redirect("notice_choices")
    chosen = {(c.event, c.channel): c.wanted for c in NoticeChoice.objects.filter(user=person)}
    rows = [(each, [_cell(each, channel, chosen) for channel in channels]) for each in catalogue.everything()]
    return render(
        request, "portal/notices/choices.html", {"rows": rows, "channels": [CHANNEL_WORDS[name] for name in channels]}
    )


def _cell(each: catalogue.Event, channel: str, chosen: dict[tuple[str, str], bool]) -> dict[str, object]:
    must = channel in each.must
    on = must or chosen.get((each.key, channel), channel in each.channels)
    return {"name": f"{each.key}:{channel}", "on": on, "must": must, "channel": CHANNEL_WORDS[channel]}
