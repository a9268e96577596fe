"""For whom one acts: the people of a login, choosing one, and an application for a child."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from investors import lifecycle, queries, rules
from investors.access import investor_of
from investors.models import Authority, Investor
from investors.operations import family
from portal import acting, clock
from portal.access import OWN_ROWS, access


@never_cache
@require_GET
@access(OWN_ROWS)
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """Everybody for whom this login may act, and the door to an application for a child."""
    now = investor_of(request)
    found = list(queries.people_of(request.user))  # type: ignore[arg-type]
    has_own = any(each.role == Authority.Role.SELF for each in found)
    return render(request, "investors/people.html", {"rows": [_row(each, now) for each in found], "has_own": has_own})


def _row(authority: Authority, now: Investor | None) -> dict[str, object]:
    who = authority.investor
    of_age_on = rules.comes_of_age_on(who.date_of_birth) if who.is_minor and who.date_of_birth else None
    return {
        "authority": authority,
        "investor": who,
        "is_ready": who.state == lifecycle.READY,
        "is_current": now is not None and who.pk == now.pk,
        "of_age_on": of_age_on,
        "is_grown": of_age_on is not None and of_age_on <= clock.today(),
    }


@require_POST
@access(OWN_ROWS)
@login_required
def act_for(request: HttpRequest, code: str) -> HttpResponse:
    """From now on every page is about this person. 404 for somebody for whom the login may not act."""
    mine = queries.people_of(request.user).filter(investor__code=code).first()  # type: ignore[arg-type]
    if mine is None:
        raise Http404
    acting.choose(request, mine.investor_id)
    messages.success(request, f"You now act for {mine.investor.name or 'the application that you began'}.")
    return redirect("home" if mine.investor.state == lifecycle.READY else "investors:onboarding")


@require_POST
@access(OWN_ROWS)
@login_required
def begin_child(request: HttpRequest) -> HttpResponse:
    """An application for one's child, which is acted for from now on."""
    if getattr(request.user, "is_staff", False):
        return redirect("admin:index")
    child = family.begin_child(user=request.user, at=clock.now())  # type: ignore[arg-type]
    acting.choose(request, child.pk)
    return redirect("investors:onboarding")
