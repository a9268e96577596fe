"""Investors who come from another firm or go to one, and the way to object while there is time."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors.models import FirmTransfer, Transfer
from investors.operations import transfers
from portal import clock, identifiers, typed
from portal.console import queries
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import ObjectionForm
from portal.errors import Failure

PAGE_SIZE = 30
TONES = {"WAITING": "waiting", "OBJECTED": "needs", "DONE": "done", "STOPPED": "neutral"}


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """All of them, the newest first. Somebody who comes has no name here before they have come."""
    before = identifiers.row_key(request.GET.get("before", ""))
    rows = queries.transfers_of(request.partner)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "rows": [_row(each) for each in shown],
        "next_url": f"?before={shown[-1].pk}" if len(found) > PAGE_SIZE else "",
        "first_url": "?" if before else "",
    }
    return render(request, "console/transfers.html", context)


def _row(row: FirmTransfer) -> dict[str, object]:
    at = clock.now()
    return {
        "row": row,
        "tone": TONES[row.state],
        "word": row.words(at),
        "is_over": at >= row.objections_until,
        "may_object": row.goes and _may_object(row),
    }


def _may_object(row: FirmTransfer) -> bool:
    return row.state == Transfer.State.WAITING and clock.now() < row.objections_until


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@console_page
def object_to(request: ConsoleRequest, code: str) -> HttpResponse:
    """Why the investor should stay; a person at the distributor decides."""
    row = queries.transfers_of(request.partner).filter(code=code, goes=True).first()
    if row is None:
        raise Http404
    if request.method == "POST":
        return _objected(request, row, ObjectionForm(request.POST))
    if not _may_object(row):
        messages.info(request, transfers.TooLate.of(row).message)
        return redirect("console:transfers")
    back = typed.kept(request, once=True)
    form = ObjectionForm(back.data if back else None)
    if back:
        back.show_in(form)
    return render(request, "console/transfer_object.html", {"row": row, "form": form})


def _objected(request: ConsoleRequest, row: FirmTransfer, form: ObjectionForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    try:
        transfers.object_to(
            transfer_id=row.pk, partner=request.partner, why=form.cleaned_data["why"], actor=request.user,
            at=clock.now(),
        )  # fmt: skip
        messages.success(request, "Your objection is on record. A person at our desk decides, and you are told.")
    except Failure as refusal:
        messages.error(request, refusal.message)
    return redirect("console:transfers")
