"""What the partner asked investors to approve, and what became of each line; reminding, and taking a request back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orders.models import Approval
from orders.operations import approvals
from orders.queries import approvals as queries
from portal import clock, identifiers
from portal.console import pressed
from portal.console.access import ConsoleRequest, console_page
from portal.console.queries import approvals_of
from portal.errors import Failure

PAGE_SIZE = 20
FILTERS = (("", "All"), ("open", "Waiting for the investor"))
STATES = {
    queries.OPEN: ("waiting", "Waiting for the investor"),
    queries.DECIDED: ("done", "Decided"),
    queries.EXPIRED: ("neutral", "Expired"),
    queries.WITHDRAWN: ("neutral", "Withdrawn"),
    queries.ENDED: ("neutral", "Ended"),
}
LINES = {
    queries.WAITING: ("waiting", "Waiting"),
    queries.APPROVED: ("done", "Approved"),
    queries.DECLINED: ("failed", "Declined"),
    queries.EXPIRED: ("neutral", "Expired"),
    queries.WITHDRAWN: ("neutral", "Withdrawn"),
    queries.ENDED: ("neutral", "Ended"),
}


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """All that was asked for, the newest first, each line with what the investor decided."""
    at, only = clock.now(), request.GET.get("show", "")
    before = identifiers.row_key(request.GET.get("before", ""))
    rows = approvals_of(request.partner).select_related("investor").order_by("-pk")
    if only == "open":
        rows = rows.filter(withdrawn_at=None, ended_at=None, expires_at__gt=at)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    lines = queries.lines_of(found[:PAGE_SIZE], at)
    shown = []
    for each in found[:PAGE_SIZE]:
        its = [line for line in lines if line.line.approval_id == each.pk]
        shown.append((each, STATES[queries.state_of(each, its, at)], [(line, LINES[line.state]) for line in its]))
    context = {
        "rows": [row for row in shown if only != "open" or row[1] == STATES[queries.OPEN]],
        "form": pressed.FormRef(auto_id=False),
        "filters": FILTERS,
        "only": only,
        "next_url": f"?show={only}&before={found[PAGE_SIZE - 1].pk}" if len(found) > PAGE_SIZE else "",
        "first_url": f"?show={only}" if before else "",
    }
    return render(request, "console/approvals.html", context)


# What a button of a request does -> what is said when it is done.
ACTS = {
    "remind": (approvals.remind, "The investor was told again."),
    "withdraw": (approvals.withdraw, "Withdrawn. What was approved already stays the investor's own."),
}


@require_POST
@never_cache
@console_page
def act(request: ConsoleRequest, code: str, verb: str) -> HttpResponse:
    """Remind the investor of a request, or take back what is not decided yet."""
    approval = approvals_of(request.partner).filter(code=code).first()
    if approval is None or verb not in ACTS:
        raise Http404
    return pressed.once_only(request, lambda: _done(request, approval, verb), page=reverse("console:approvals"))


def _done(request: ConsoleRequest, approval: Approval, verb: str) -> HttpResponse:
    operation, said = ACTS[verb]
    try:
        operation(approval=approval, actor=request.user, at=clock.now())
    except Failure as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("console:approvals")
