"""A move to another partner, as the investor reads it: who, from when on, and the way to say no."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from investors.access import InvestorRequest, investor_page
from investors.models import InvestorTransfer, Transfer
from investors.operations import transfers
from portal import clock
from portal.errors import Failure
from portal.models import User


class Unclear(Failure):
    """None of the buttons of the page."""

    code = "answer_unclear"
    message = "We did not receive which button you pressed. Nothing was changed; please press it again."


TONES = {"WAITING": "needs", "OBJECTED": "waiting", "DONE": "done", "STOPPED": "neutral"}


@require_http_methods(["GET", "POST"])
@never_cache
@investor_page
def transfer(request: InvestorRequest, code: str) -> HttpResponse:
    """Which firm shall look after the investor; a POST says that this is right, or that it is not."""
    row = get_object_or_404(InvestorTransfer, investor=request.investor, code=code)
    if request.method == "POST":
        try:
            messages.success(request, _answered(row, request))
        except Failure as refusal:
            messages.error(request, refusal.message)
        return redirect("investors:transfer", code)
    context = {
        "row": row,
        "tone": TONES[row.state],
        "word": row.words(clock.now()),
        "is_open": row.state in transfers.OPEN,
        "is_theirs": row.state == Transfer.State.DONE and row.to_partner_id == request.investor.partner_id,
        "is_over": clock.now() >= row.objections_until,
    }
    return render(request, "investors/transfer.html", context)


def _answered(row: InvestorTransfer, request: InvestorRequest) -> str:
    """What is said to the investor's answer. Raises transfers.TooLate, Unclear."""
    actor, at = cast(User, request.user), clock.now()
    if "agree" in request.POST:
        transfers.agree(transfer_id=row.pk, actor=actor, at=at)
        return "Thank you. You are told what becomes of it."
    if "refuse" in request.POST:
        if row.state == Transfer.State.STOPPED:
            return "This was stopped before. You stay where you are."
        transfers.stop(transfer_id=row.pk, actor=actor, reason="The investor does not want it", at=at)
        return "You stay where you are. Nothing was changed."
    raise Unclear
