"""Following an invitation: who invites, what they will see, and the yes that takes it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from investors import provenance, steps
from investors.access import client_ip
from investors.models import Invite
from investors.operations import invites
from portal import clock
from portal.access import ANYONE, access
from portal.models import User

# The session keeps the hash of the link's secret: enough to find the invitation, of no use as a link.
SESSION_KEY = "invite"


@never_cache
@require_GET
@access(ANYONE)
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the message. Its secret leaves the address at once; what follows has an address of its own."""
    row = invites.found(token, at=clock.now())
    request.session[SESSION_KEY] = row.secret_hash if row else ""
    return redirect("investors:invite")


@never_cache
@require_http_methods(["GET", "POST"])
@access(ANYONE)
def invitation(request: HttpRequest) -> HttpResponse:
    """Who invites and what they will see. Taking it needs the address that was written to."""
    secret_hash = str(request.session.get(SESSION_KEY) or "")
    row = invites.kept(secret_hash, at=clock.now()) if secret_hash else None
    user: Any = request.user
    if row is None:
        request.session.pop(SESSION_KEY, None)
        return render(request, "investors/invitation.html", {"invite": None})
    if request.method == "POST" and user.is_authenticated and "agreed" in request.POST:
        return _accept(request, row, user)
    if request.method == "POST" and "later" in request.POST:
        del request.session[SESSION_KEY]
        return redirect("home")
    context = {
        **_about(row),
        "invite": row,
        "is_theirs": user.is_authenticated and not user.is_staff and invites.may_take(row, user),
        "not_ticked": request.method == "POST",
        "next": urlencode({"next": reverse("investors:invite")}),
    }
    return render(request, "investors/invitation.html", context, status=422 if request.method == "POST" else 200)


def waits_for(request: HttpRequest) -> bool:
    """Has this person followed an invitation to their address, and not answered it yet?"""
    secret_hash = request.session.get(SESSION_KEY)
    row = invites.kept(str(secret_hash), at=clock.now()) if secret_hash else None
    return row is not None and invites.may_take(row, request.user)  # type: ignore[arg-type]


def _accept(request: HttpRequest, row: Invite, user: User) -> HttpResponse:
    agreed = _about(row)["agreement"]
    del request.session[SESSION_KEY]
    try:
        invites.accept(secret_hash=row.secret_hash, user=user, agreed=agreed, ip=client_ip(request), at=clock.now())
    except invites.NotUsable as failure:
        messages.info(request, failure.message)
        return redirect("home")
    messages.success(request, "Accepted. Look over what was filled in for you: nothing counts before you save it.")
    return redirect("investors:onboarding")


def _about(row: Invite) -> dict[str, Any]:
    """Who invites, what was filled in by name of the step, and what the yes says. No value of it."""
    by = provenance.inviter(row)
    filled = [step.title for step in steps.STEPS if step.slug in provenance.filled_of(row)]
    firm = str(row.partner) if row.partner else str(settings.BRAND["legal_name"])
    sees = f"{firm} sees your name, how far your application is, and what you hold and order through them."
    agreement = f"{by} invited me{f' (EUIN {row.euin})' if row.euin else ''}. {sees} I agree to this."
    return {"by": by, "filled": filled, "sees": sees, "agreement": agreement}
