"""The paper mandate: the filled form to print, made on demand, and the signed scan that comes back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from investors import nach_form
from investors.access import InvestorRequest, ready_investor_page
from investors.models import Mandate
from investors.operations import paper_mandates
from portal import audit, clock
from portal.errors import Failure


def _own(request: InvestorRequest, code: str) -> Mandate:
    mandate = get_object_or_404(
        Mandate.objects.select_related("bank_account"), code=code, investor=request.investor, kind=Mandate.Kind.NACH
    )
    mandate.investor = request.investor
    return mandate


@require_safe
@never_cache
@ready_investor_page
def form(request: InvestorRequest, code: str) -> HttpResponse:
    """The form as a PDF. It shows the whole account number, so nothing on the way may keep it."""
    mandate = _own(request, code)
    if not paper_mandates.takes_a_form(mandate):
        raise Http404
    audit.record(mandate, "mandate.form_made", actor=f"user:{request.user.pk}", at=clock.now())
    response = HttpResponse(nach_form.pdf(mandate), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="mandate-{mandate.code}.pdf"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@never_cache
@ready_investor_page
def upload(request: InvestorRequest, code: str) -> HttpResponse:
    """The signed form, as a scan or a photo."""
    mandate, file = _own(request, code), request.FILES.get("form")
    try:
        if file is None:
            messages.warning(request, "Choose the scan or the photo of the signed form first.")
        else:
            actor = request.investor.user
            name = file.name or ""
            paper_mandates.send_form(mandate=mandate, name=name, data=file.read(), actor=actor, at=clock.now())
            messages.success(request, "We have your form. We look at it and pass it on.")
    except Failure as refusal:
        messages.warning(request, refusal.message)
    return redirect("investors:mandate", code=code)
