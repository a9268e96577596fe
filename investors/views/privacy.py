"""Privacy: what was agreed to, who looked, a copy of everything, the wish to be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors import consent_words, lifecycle, retention
from investors.access import InvestorRequest, client_ip, investor_page
from investors.models import Consent, DataExport, ErasureRequest, KycRequest
from investors.operations import erasure, exports, privacy_log
from investors.views import confirming
from portal import audit, clock, identifiers, redaction
from portal.errors import Failure
from portal.files import links

PER_PAGE = 20
VIEWS_SHOWN = 10


@require_safe
@never_cache
@investor_page
def home(request: InvestorRequest) -> HttpResponse:
    """Everything about the investor's own data on one page."""
    at = clock.now()
    copies = DataExport.objects.filter(investor=request.investor).order_by("-id")[:3]
    wish = ErasureRequest.objects.filter(investor=request.investor).order_by("-id").first()
    given = Consent.objects.filter(investor=request.investor, given_at__isnull=False)
    context = {
        "views": privacy_log.views_of(request.investor, limit=VIEWS_SHOWN),
        "copies": [
            {"copy": each, "token": exports.link(export=each, user=request.investor.user)}
            if each.state == lifecycle.MADE
            else {"copy": each}
            for each in copies
        ],
        "making": any(each.state == lifecycle.ASKED for each in copies),
        "keeps_days": exports.KEPT.days,
        "wish": wish if wish and wish.state == lifecycle.HELD else None,
        "term": retention.term_of(request.investor, asked_at=at),
        "kept": erasure.KEPT,
        "given": given.count(),
        "declared": _declared(request),
        "form_ref": identifiers.new_client_ref(),
    }
    return render(request, "investors/privacy/home.html", context)


def _declared(request: InvestorRequest) -> list[dict[str, Any]]:
    """What was declared without a code of its own: the terms at signing up, with a fresh KYC, at registering."""
    papers = KycRequest.objects.filter(investor=request.investor).order_by("id")
    subjects = [request.investor.user, *papers, request.investor]
    told = [entry for subject in subjects for entry in audit.story_of(subject)]
    return [
        {"what": DECLARED[each.action], "at": each.at, "data": each.data} for each in told if each.action in DECLARED
    ]


DECLARED = {
    "user.agreed_to_terms": "Terms of use",
    "kyc_request.confirmed": "Declaration with your KYC papers",
    "investor.confirmed": "Declarations at registration",
}


@require_safe
@never_cache
@investor_page
def consent_list(request: InvestorRequest) -> HttpResponse:
    """Every yes with its purpose and moment, the newest first."""
    given = Consent.objects.filter(investor=request.investor, given_at__isnull=False).order_by("-id")
    page = Paginator(given, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "investors/privacy/consents.html", context)


@require_safe
@never_cache
@investor_page
def consent(request: InvestorRequest, code: str) -> HttpResponse:
    """One yes: exactly what was shown, the proof of it, and what can be done about it now."""
    found = get_object_or_404(Consent, code=code, investor=request.investor, given_at__isnull=False)
    context = {
        "consent": found,
        "sent_to": redaction.mask_email(found.contact),
        "way": consent_words.WAYS[found.purpose],
    }
    return render(request, "investors/privacy/consent.html", context)


Ask = Callable[..., Consent]


def _asked(request: InvestorRequest, ask: Ask) -> HttpResponse:
    ref = str(request.POST.get("form_ref", ""))[:40] or identifiers.new_client_ref()
    try:
        made = ask(investor=request.investor, form_ref=ref, ip=client_ip(request), at=clock.now())
    except Failure as failure:
        messages.warning(request, failure.message)
        return redirect("investors:privacy")
    return redirect("investors:privacy_confirm", code=made.code)


@require_POST
@never_cache
@investor_page
def export(request: InvestorRequest) -> HttpResponse:
    """Ask for the code that makes a copy."""
    return _asked(request, exports.ask)


@require_POST
@never_cache
@investor_page
def erase(request: InvestorRequest) -> HttpResponse:
    """Ask for the code that records the wish to be forgotten."""
    return _asked(request, erasure.ask)


# What was shown -> (heading, button, operation).
ACTS: dict[str, tuple[str, str, Callable[..., object]]] = {
    exports.ACT: ("You ask for", "Make the copy", exports.confirm),
    erasure.ACT: ("You ask us to", "Ask for erasure", erasure.confirm),
}


@require_http_methods(["GET", "POST"])
@never_cache
@investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """What is asked for once more, and the one-time code."""
    found = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.CHANGE)
    if found.shown.get("act") not in ACTS:
        raise Http404
    back = reverse("investors:privacy")
    if found.given_at:
        return redirect(back)
    heading, button, operation = ACTS[found.shown["act"]]

    def act(otp: str) -> str:
        operation(investor=request.investor, code=code, otp=otp, ip=client_ip(request), at=clock.now())
        return back

    what = confirming.Confirming("Confirm with a code", heading, button, back, act, danger=operation is erasure.confirm)
    return confirming.page(request, found, what)


@require_POST
@never_cache
@investor_page
def stay(request: InvestorRequest, code: str) -> HttpResponse:
    """Take the wish to be forgotten back."""
    try:
        erasure.withdraw(investor=request.investor, code=code, at=clock.now())
    except ErasureRequest.DoesNotExist:
        raise Http404 from None
    messages.success(request, "Withdrawn. Nothing will be erased.")
    return redirect("investors:privacy")


@require_safe
@never_cache
@investor_page
def copy(request: InvestorRequest, token: str) -> HttpResponse:
    """The copy itself, by a link of five minutes."""
    try:
        content = exports.take(token=token, user=request.investor.user, at=clock.now())
    except exports.Lost as lost:
        messages.warning(request, lost.message)
        return redirect("investors:privacy")
    if content is None and not links.was_for(token, user_id=request.user.pk):  # type: ignore[arg-type]
        raise Http404
    if content is None:
        messages.info(request, "That link was for five minutes. Here is a new one, as long as the copy is kept.")
        return redirect("investors:privacy")
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="my-data-{request.investor.code}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
