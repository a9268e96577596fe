"""Investors whom the partner brought, and invitations to further ones. Identifiers are masked everywhere."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors.models import Investor, Invite
from investors.operations import invites
from orders import lifecycle, words
from orders.models import Holding, MfOrder, Plan
from portal import arns, clock, identifiers, redaction, sought, typed
from portal.console import queries
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import InviteForm
from portal.errors import Failure, InvalidInput

PAGE_SIZE = 30
RECENT = 10
FILTERS = (("", "All"), ("ready", "Ready to invest"), ("on-the-way", "On the way"))
TONES = {"READY": "done", "REJECTED": "failed"}


@require_http_methods(["GET", "POST"])
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """Everybody whom the partner brought, newest first; invitations that are open above them. The search posts."""
    if request.method == "POST" or "q" in request.GET:
        # Somebody wrote the term into the address by hand: it does not stay there.
        return _searched(request, request.POST if request.method == "POST" else request.GET)
    only, found_by = request.GET.get("show", ""), request.GET.get(sought.FIND, "")
    term = sought.unsealed(found_by, request.user) if found_by else ""
    if term is None:
        messages.warning(request, "This search has ended. Type it again.")
    before = identifiers.row_key(request.GET.get("before", ""))
    rows = _narrowed(queries.investors_of(request.partner).order_by("-pk"), only, term)
    more = {"show": only, **({sought.FIND: found_by} if found_by else {})}
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    open_invites = queries.invites_of(request.partner).filter(used_at=None, revoked_at=None).order_by("-pk")
    context = {
        "ended": arns.has_ended(request.partner, clock.today()),
        "rows": [(each, TONES.get(each.state, "waiting"), _masked(each.mobile)) for each in found[:PAGE_SIZE]],
        "filters": FILTERS,
        "only": only,
        "found_by": found_by,
        "sought": sought.masked(term or ""),
        "typed": term if term and sought.masked(term) == term else "",
        "next_url": _address({**more, "before": str(found[PAGE_SIZE - 1].pk)}) if len(found) > PAGE_SIZE else "",
        "first_url": _address(more) if before else "",
        "invites": [_invite_row(row) for row in open_invites[:PAGE_SIZE]] if not before and not found_by else [],
    }
    return render(request, "console/investors.html", context)


def _narrowed(rows: QuerySet[Investor], only: str, term: str | None) -> QuerySet[Investor]:
    """Those in a state, and with this in their name or for a code; nobody, never everybody, for an ended search."""
    rows = rows.only("pk", "code", "name", "state", "state_since", "mobile", "kind")
    if only in ("ready", "on-the-way"):
        ready = Q(state=Investor.State.READY)
        rows = rows.filter(ready if only == "ready" else ~ready)
    if term is None:
        return rows.none()
    return rows.filter(Q(name__icontains=term) | Q(code=term.upper())) if term else rows


def _searched(request: ConsoleRequest, asked: QueryDict) -> HttpResponse:
    """The list under the sealed term."""
    term = asked.get("q", "").replace("\x00", "").strip()[:70]
    found_by = {sought.FIND: sought.seal(term, request.user)} if term else {}
    return redirect(_address({"show": asked.get("show", ""), **found_by}))


def _address(parameters: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in parameters.items() if value})
    return reverse("console:investors") + (f"?{query}" if query else "")


def _masked(mobile: str) -> str:
    return redaction.mask(mobile) if mobile else ""


def _invite_row(row: Invite) -> dict[str, object]:
    return {
        "invite": row,
        "email": redaction.mask_email(row.email),
        "expired": row.expires_at <= clock.now(),
        "may_send": row.times_sent < invites.MOST_MESSAGES,
        "was": str(row.expires_at),
    }


@require_safe
@never_cache
@console_page
def investor(request: ConsoleRequest, code: str) -> HttpResponse:
    """One investor: where their application stands, what they hold, SIPs, recent orders."""
    person = queries.investors_of(request.partner).filter(code=code).first()
    if person is None:
        raise Http404
    holdings = Holding.objects.filter(investor=person, units__gt=0).select_related("scheme").order_by("-invested")
    plans = Plan.objects.filter(investor=person).select_related("scheme").order_by("-pk")[:RECENT]
    orders = MfOrder.objects.filter(investor=person).select_related("scheme").order_by("-pk")[:RECENT]
    context = {
        "ended": arns.has_ended(request.partner, clock.today()),
        "person": person,
        "pan": person.masked_pan,
        "mobile": _masked(person.mobile),
        "tone": TONES.get(person.state, "waiting"),
        "holdings": [
            (each, each.units * each.scheme.nav if each.scheme.nav is not None else None) for each in holdings
        ],
        "plans": [(each, _plan_tone(each)) for each in plans],
        "orders": [(each, words.to_others(words.of(each))) for each in orders],
    }
    return render(request, "console/investor.html", context)


def _plan_tone(plan: Plan) -> str:
    if plan.is_unknown:
        return "checking"
    return {lifecycle.ACTIVE: "done", lifecycle.FAILED: "failed"}.get(plan.state, "neutral")


# --- Invitations ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@console_page
def invite(request: ConsoleRequest) -> HttpResponse:
    """Ask for what is known of somebody, and send them a link."""
    if request.method == "POST":
        return _invited(request, InviteForm(request.POST))
    back = typed.kept(request, once=True)
    form = InviteForm(back.data if back else None, initial={"euin": request.partner.euin})
    if back:
        back.show_in(form)
    ended = arns.why_no_new_business(request.partner, clock.today())
    return render(request, "console/invite.html", {"form": form, "days": invites.LIFE.days, "ended": ended})


def _invited(request: ConsoleRequest, form: InviteForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            row = invites.invite(
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                filled=form.filled(),
                partner=request.partner,
                euin=form.cleaned_data["euin"],
                basis=form.cleaned_data["basis"],
                actor=request.user,
                at=clock.now(),
            )
        except (invites.AlreadyInvited, invites.TooManyMessages) as error:
            errors = {"email": error.message}
        except InvalidInput as error:
            errors = {error.field: error.message}
        except arns.ArnEnded as error:
            errors = {"": error.message}
        else:
            _say_sent(request, row)
            return redirect("console:investors")
    return typed.again(request, errors=errors)


def _say_sent(request: ConsoleRequest, row: Invite) -> None:
    if row.sent == Invite.Sent.YES:
        messages.success(request, f"The link is on its way to {redaction.mask_email(row.email)}.")
    else:
        messages.warning(request, "The invitation is kept, but the mail server did not take it. Send it again later.")


@require_POST
@never_cache
@console_page
def invite_act(request: ConsoleRequest, code: str, act: str) -> HttpResponse:
    """Send an invitation again, or withdraw it: once, however often and in however many tabs it was pressed."""
    row = queries.invites_of(request.partner).filter(code=code).first()
    if row is None or act not in ("again", "withdraw"):
        raise Http404
    try:
        _again(request, row) if act == "again" else _withdrawn(request, row)
    except invites.JustSent as just:
        messages.info(request, just.message)
    except Failure as error:
        messages.error(request, error.message)
    return redirect("console:investors")


def _again(request: ConsoleRequest, row: Invite) -> None:
    """Raises what `invites.resend` raises."""
    sent = invites.resend(
        invite_id=row.pk, actor=request.user, reason="by the partner", at=clock.now(), was=request.POST.get("was")
    )
    _say_sent(request, sent)


def _withdrawn(request: ConsoleRequest, row: Invite) -> None:
    """Raises invites.Closed when it was used."""
    if row.revoked_at:
        messages.info(request, "It was withdrawn before: the link does not work.")
        return
    invites.revoke(invite_id=row.pk, actor=request.user, reason="by the partner", at=clock.now())
    messages.success(request, "Withdrawn: the link no longer works.")
