"""Endpoints of webhooks: set up, secret and rotation, test, log of every try, sending again, the signature tester."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import clock, identifiers, typed
from portal.console import pressed
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import EndpointForm, KindsForm, SignatureForm
from portal.errors import Failure
from portal.models import Partner
from portal.webhooks import deliveries, endpoints, feed, signing
from portal.webhooks.models import KINDS, LABELS, WebhookDelivery, WebhookEndpoint

PAGE_SIZE = 30
State = WebhookEndpoint.State
TONES = {
    State.ACTIVE: "done",
    State.PAUSED: "neutral",
    State.DISABLED: "failed",
}
DELIVERY_TONES = {
    WebhookDelivery.State.WAITING: "waiting",
    WebhookDelivery.State.DELIVERED: "done",
    WebhookDelivery.State.FAILED: "failed",
}
FILTERS = (("", "All"), ("waiting", "Waiting"), ("failed", "Given up"))


def _tone(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """State and words of an endpoint's badge."""
    if endpoint.state == State.ACTIVE and endpoint.failing_since:
        return "needs", "failing"
    return TONES[State(endpoint.state)], endpoint.get_state_display()


def _kinds(endpoint: WebhookEndpoint) -> str:
    return ", ".join(LABELS[kind] for kind in endpoint.kinds) or "all events"


def _found(partner: Partner, code: str) -> WebhookEndpoint:
    endpoint = endpoints.of_partner(partner).filter(code=code).first()
    if endpoint is None:
        raise Http404
    return endpoint


def _deleted(request: ConsoleRequest, code: str) -> HttpResponse | None:
    """For a button of a page that stands in another tab, of an endpoint that is deleted: said, and nothing is done."""
    if not endpoints.was_deleted(request.partner, code):
        return None
    messages.info(request, "This endpoint was deleted before. Nothing more is sent there.")
    return redirect("console:webhooks")


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """All endpoints."""
    rows = [(each, *_tone(each), _kinds(each)) for each in endpoints.of_partner(request.partner)]
    return render(request, "console/webhooks.html", {"rows": rows, "most": endpoints.MOST_ENDPOINTS})


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@console_page
def add(request: ConsoleRequest) -> HttpResponse:
    """A further endpoint."""
    if request.method == "POST":
        return _added(request, EndpointForm(request.POST))
    back = typed.kept(request, once=True)
    form = EndpointForm(back.data if back else None)
    if back:
        back.show_in(form)
    return render(request, "console/webhook_add.html", {"form": form})


def _added(request: ConsoleRequest, form: EndpointForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            endpoint = endpoints.add(
                partner=request.partner, actor=request.user, at=clock.now(),
                url=form.cleaned_data["url"], kinds=form.cleaned_data["kinds"],
            )  # fmt: skip
        except Failure as error:
            errors = {"url": error.message}
        else:
            messages.success(request, "The endpoint is on. Next: put its secret into your receiver and send a test.")
            return redirect("console:webhook", code=endpoint.code)
    return typed.again(request, errors=errors)


@require_safe
@never_cache
@console_page
def one(request: ConsoleRequest, code: str) -> HttpResponse:
    """An endpoint and the log of what was sent there, newest first."""
    endpoint = _found(request.partner, code)
    only, before = request.GET.get("show", ""), identifiers.row_key(request.GET.get("before", ""))
    rows = endpoints.deliveries_of(endpoint)
    if only in ("waiting", "failed"):
        rows = rows.filter(state=only.upper())
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    tone, word = _tone(endpoint)
    context = {
        "endpoint": endpoint,
        "tone": tone,
        "word": word,
        "kinds": _kinds(endpoint),
        "form": KindsForm({"kinds": endpoint.kinds}),
        "press": pressed.FormRef(auto_id=False),
        "rows": [(each, DELIVERY_TONES[WebhookDelivery.State(each.state)]) for each in found[:PAGE_SIZE]],
        "filters": FILTERS,
        "only": only,
        "next_url": f"?show={only}&before={found[PAGE_SIZE - 1].pk}" if len(found) > PAGE_SIZE else "",
        "first_url": f"?show={only}" if before else "",
        "old_secret_until": endpoint.previous_until if len(deliveries.secrets_of(endpoint, clock.now())) > 1 else None,
        "overlap_hours": int(endpoints.OVERLAP.total_seconds() // 3600),
        "again_days": endpoints.AGAIN_DAYS,
        "log_days": deliveries.LOG_DAYS,
    }
    return render(request, "console/webhook.html", context)


# What a button of the page does -> what is said when it is done.
ACTS: dict[str, tuple[Callable[..., Any], str]] = {
    "rotate": (endpoints.rotate, "A new secret signs from now on. Until tomorrow the old one signs beside it."),
    "end-old-secret": (endpoints.end_old_secret, "Only the new secret signs from now on."),
    "pause": (endpoints.pause, "Switched off. Events are kept in the feed and can be sent later."),
    "resume": (endpoints.resume, "Switched on. What happened meanwhile is sent when you ask for it below."),
    "test": (endpoints.send_test, "A test event is on its way. Reload in a moment to see what was answered."),
    "missed": (endpoints.send_missed, ""),
    "delete": (endpoints.delete, "Deleted. Nothing more is sent there."),
}


@require_POST
@never_cache
@console_page
def act(request: ConsoleRequest, code: str, verb: str) -> HttpResponse:
    """One act upon an endpoint: pressed twice, a new secret would end the one before it at once."""
    if verb not in ACTS:
        raise Http404
    if over := _deleted(request, code):
        return over
    _found(request.partner, code)
    return pressed.once_only(request, lambda: _done(request, code, verb), page=reverse("console:webhook", args=[code]))


def _missed(count: int) -> str:
    if not count:
        return f"Nothing was missed in the last {endpoints.AGAIN_DAYS} days."
    return f"{count:,} events are on their way." if count > 1 else "1 event is on its way."


def _done(request: ConsoleRequest, code: str, verb: str) -> HttpResponse:
    operation, said = ACTS[verb]
    try:
        result = operation(partner=request.partner, code=code, actor=request.user, at=clock.now())
    except endpoints.NotThere:
        raise Http404 from None
    except Failure as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said or _missed(result))
    return redirect("console:webhooks") if verb == "delete" else redirect("console:webhook", code=code)


@require_POST
@never_cache
@console_page
def kinds(request: ConsoleRequest, code: str) -> HttpResponse:
    """Of which events the endpoint hears from now on."""
    if over := _deleted(request, code):
        return over
    chosen = [kind for kind in request.POST.getlist("kinds") if kind in KINDS]
    try:
        endpoints.choose(partner=request.partner, code=code, kinds=chosen, actor=request.user, at=clock.now())
    except endpoints.NotThere:
        raise Http404 from None
    messages.success(request, "Saved. It holds from the next event on.")
    return redirect("console:webhook", code=code)


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
def delivery(request: ConsoleRequest, code: str, delivery_id: int) -> HttpResponse:
    """One delivery with every try; POST sends it again."""
    if request.method == "POST" and (over := _deleted(request, code)):
        return over
    endpoint = _found(request.partner, code)
    row = endpoints.deliveries_of(endpoint).filter(pk=delivery_id).first()
    if row is None:
        raise Http404
    if request.method == "POST":
        try:
            endpoints.send_again(
                partner=request.partner, code=code, delivery_id=row.pk, actor=request.user, at=clock.now(),
                was=request.POST.get("was"),
            )  # fmt: skip
            messages.success(request, "It is on its way again, under the same id.")
        except endpoints.JustSent as just:
            messages.info(request, just.message)
        except Failure as error:
            messages.error(request, error.message)
        return redirect("console:webhook_delivery", code=code, delivery_id=row.pk)
    context = {
        "endpoint": endpoint,
        "row": row,
        "was": endpoints.ended(row),
        "tone": DELIVERY_TONES[WebhookDelivery.State(row.state)],
        "tries": row.log.order_by("-pk"),
        "body": feed.body(row.event).decode(),
        "most": len(deliveries.AGAIN_AFTER),
        "is_on": endpoint.state == State.ACTIVE,
    }
    return render(request, "console/delivery.html", context)


@require_safe
@never_cache
@console_page
@reauthentication_required
def secret(request: ConsoleRequest, code: str) -> HttpResponse:
    """The secrets that sign now, for somebody who has just proved who they are."""
    endpoint = _found(request.partner, code)
    new, *old = deliveries.secrets_of(endpoint, clock.now())
    return render(request, "console/secret.html", {"endpoint": endpoint, "secret": new, "old": old})


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
def signature(request: ConsoleRequest, code: str) -> HttpResponse:
    """Says of a message, step by step, whether this endpoint's secret signed it. Nothing of it is kept."""
    endpoint = _found(request.partner, code)
    form = SignatureForm(request.POST if request.method == "POST" else None)
    verdict = _verdict(endpoint, form) if form.is_bound and form.is_valid() else None
    return render(request, "console/signature.html", {"endpoint": endpoint, "form": form, "verdict": verdict})


def _verdict(endpoint: WebhookEndpoint, form: SignatureForm) -> tuple[str, str]:
    said = ""
    # The body of a form has CRLF where the message had LF.
    body = str(form.cleaned_data["body"]).replace("\r\n", "\n").encode()
    for secret_ in deliveries.secrets_of(endpoint, clock.now()):
        try:
            signing.verify(
                event_id=form.cleaned_data["event_id"].strip(),
                timestamp=form.cleaned_data["timestamp"].strip(),
                signature=form.cleaned_data["signature"].strip(),
                body=body,
                secret=secret_,
                now=signing.wall_clock(),
            )
            return "done", "The signature is ours, and the message is fresh."
        except signing.NotSigned as error:
            said = said or str(error)
    return "failed", said
