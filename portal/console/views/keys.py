"""Keys of the partner's machines: make, show once, rotate with an overlap, revoke.

Whoever makes or rotates a key has just proved who they are. A secret waits in the (encrypted) session for the one page
that shows it, so that neither a reload nor a second tab shows it again.
"""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import clock, typed
from portal.api import keys
from portal.api.models import ApiKey
from portal.api.scopes import SCOPES
from portal.console import pressed
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import KeyForm, RevokeForm
from portal.errors import Failure, InvalidInput
from portal.models import Partner

SHOWN_ONCE = "api_key_shown_once"


def _of(partner: Partner) -> list[ApiKey]:
    return list(ApiKey.objects.filter(partner=partner).select_related("client").order_by("revoked_at", "-created_at"))


def _found(request: ConsoleRequest, key_id: str) -> ApiKey:
    key = ApiKey.objects.filter(partner=request.partner, client_id=key_id).select_related("client").first()
    if key is None:
        raise Http404
    # Ours and loaded already: the operation asks for it.
    key.partner = request.partner
    return key


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """All keys; those that are over stay below, for whoever reads logs."""
    at = clock.now()
    rows = [(key, _words(key), keys.is_live(key, at) and not key.retires_at) for key in _of(request.partner)]
    context = {
        "live": [row for row in rows if keys.is_live(row[0], at)],
        "over": [row for row in rows if not keys.is_live(row[0], at)],
        "most": keys.MOST_KEYS,
        "closed": request.partner.api_closed_at,
    }
    return render(request, "console/keys.html", context)


def _words(key: ApiKey) -> tuple[str, str]:
    """State and words of a key's badge."""
    if key.revoked_at:
        return "neutral", "revoked"
    if key.retires_at:
        return ("needs", "being replaced") if key.retires_at > clock.now() else ("neutral", "replaced")
    return "done", "works"


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
@reauthentication_required
def add(request: ConsoleRequest) -> HttpResponse:
    """A new key, with the scopes that it needs and no others."""
    if request.method == "POST":
        return pressed.once_only(request, lambda: _added(request, KeyForm(request.POST)))
    back = typed.kept(request, once=True)
    form = KeyForm(pressed.anew(back.data) if back else None)
    if back:
        back.show_in(form)
    return render(request, "console/key_add.html", {"form": form})


def _added(request: ConsoleRequest, form: KeyForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            key, secret = keys.make(
                partner=request.partner, label=form.cleaned_data["label"], scopes=form.cleaned_data["scopes"],
                actor=request.user, at=clock.now(),
            )  # fmt: skip
            return _to_be_shown(request, key, secret)
        except InvalidInput as error:
            errors = {error.field: error.message}
        except Failure as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


def _to_be_shown(request: ConsoleRequest, key: ApiKey, secret: str) -> HttpResponse:
    request.session[SHOWN_ONCE] = {"key": key.client_id, "secret": secret}
    return redirect("console:key_secret")


@require_safe
@never_cache
@console_page
def secret(request: ConsoleRequest) -> HttpResponse:
    """The secret of a key that was just made: once, and never again."""
    found = request.session.pop(SHOWN_ONCE, None)
    if found is None:
        messages.info(request, "A secret is shown once. Make a new key, or rotate one, if it was not kept.")
        return redirect("console:keys")
    key = _found(request, found["key"])
    scopes = [(scope, SCOPES.get(scope, "")) for scope in key.client.get_scopes()]
    return render(request, "console/key_secret.html", {"key": key, "secret": found["secret"], "scopes": scopes})


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
@reauthentication_required
def rotate(request: ConsoleRequest, key_id: str) -> HttpResponse:
    """A second key with the same scopes; the first works for some days more."""
    key = _found(request, key_id)
    if request.method == "POST":
        return pressed.once_only(request, lambda: _rotated(request, key))
    context = {"key": key, "days": keys.OVERLAP.days, "form": pressed.FormRef()}
    return render(request, "console/key_rotate.html", context)


def _rotated(request: ConsoleRequest, key: ApiKey) -> HttpResponse:
    try:
        return _to_be_shown(request, *keys.rotate(key=key, actor=request.user, at=clock.now()))
    except Failure as error:
        messages.error(request, error.message)
        return redirect("console:keys")


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
def revoke(request: ConsoleRequest, key_id: str) -> HttpResponse:
    """The key and its tokens end at once."""
    key = _found(request, key_id)
    if key.revoked_at:
        messages.info(request, f"{key.label} was revoked before. Nothing that uses it works.")
        return redirect("console:keys")
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        keys.revoke(key=key, actor=request.user, reason=form.cleaned_data["reason"], at=clock.now())
        messages.success(request, f"{key.label} was revoked. Nothing that uses it works any more.")
        return redirect("console:keys")
    return render(request, "console/key_revoke.html", {"key": key, "form": form})
