"""The page of who the investor is here."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from investors import case_queries, lifecycle, queries
from investors.access import InvestorRequest, applicant_page
from investors.operations import documents
from investors.views import changes
from investors.views.onboarding import pan_context, summary
from portal import clock


@never_cache
@require_GET
@applicant_page
def profile(request: InvestorRequest) -> HttpResponse:
    """What we know about the investor, masked, and the doors to sign-in and security, also for who has just begun."""
    found = queries.profile(request.investor)
    check_again_on = found.kyc and (found.kyc.checked_at + queries.KYC_GOOD_FOR).date()
    is_ready = request.investor.state == lifecycle.READY
    context = {
        **summary(found),
        **pan_context(found),
        "bank_accounts": queries.bank_accounts_of(request.investor) if request.investor.pk else [],
        "check_again_on": check_again_on,
        "check_is_due": check_again_on and check_again_on <= clock.today(),
        "papers": _papers(request),
        "is_ready": is_ready,
        "cases": case_queries.cards(request.investor.pk, request.investor) if request.investor.pk else [],
        "pending": changes.pending(request.investor) if is_ready else {},
    }
    return render(request, "investors/profile.html", context)


def _papers(request: InvestorRequest) -> list[dict[str, object]]:
    """The files that count now, each by a link of five minutes."""
    if request.investor.pk is None:
        return []
    user = request.investor.user
    return [
        {"document": each, "url": reverse("investors:document", args=[documents.link(document=each, user=user)])}
        for each in documents.current(request.investor).values()
    ]
