"""Mandates: list, give one, confirm, the bank's page and back, cancel. The return is stored and never believed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors import case_queries, lifecycle, mandate_refusals, mandate_rules, mandate_words, merged_banks
from investors import queries as people
from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from investors.forms.mandates import MandateForm
from investors.models import Consent, Mandate
from investors.operations import mandates, paper_mandates
from investors.views import confirming
from portal import audit, clock, hints, identifiers, inbox, jobs, typed
from portal.access import DOORBELL, access
from portal.errors import Failure, InvalidInput
from portal.scope import ALL, scope

# While an investor watches an open mandate, FP is asked about it at most this often.
ASK_EVERY_S = 4
QUICK_LIMITS = (5_000, 25_000, 100_000)
RETURN_FIELDS = ("paymentId", "status", "failureReason")


@require_safe
@never_cache
@investor_page
def mandate_list(request: InvestorRequest) -> HttpResponse:
    """All mandates, newest first, with those that failed and why."""
    rows = [
        {"mandate": each, "words": mandate_words.of(each), "reason": mandate_words.reason(each)}
        for each in _own(request).order_by("-id")
    ]
    return render(request, "investors/mandates/list.html", {"rows": rows})


def _own(request: InvestorRequest):  # type: ignore[no-untyped-def]
    return Mandate.objects.filter(investor=request.investor).select_related("bank_account", "previous", "next")


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def new(request: InvestorRequest, code: str = "") -> HttpResponse:
    """What a mandate can be, before anything is asked of the bank; with `code`, another try at one that failed."""
    previous = get_object_or_404(_own(request), code=code) if code else None
    if previous and not mandates.may_retry(previous):
        return redirect("investors:mandate", code=code)
    registered = people.bank_accounts_of(request.investor).filter(provider_ref__isnull=False, closed_at=None)
    ended = [each for each in registered if merged_banks.of(each.ifsc)]
    accounts = registered.exclude(pk__in=[each.pk for each in ended])
    capability = mandate_rules.GATEWAYS[settings.FP_ORDER_GATEWAY]
    if request.method == "POST":
        form = MandateForm(request.POST, accounts=accounts, ways=capability.ways)
        return _asked(request, form, previous)
    back = typed.kept(request, once=True)
    form = MandateForm(
        back.data if back else None, accounts=accounts, ways=capability.ways, initial=_first_answers(request, previous)
    )
    if back:
        back.show_in(form)
    elif previous and previous.was_refused:
        form.show_refused(mandate_refusals.by_field(previous))
    context = {
        "form": form,
        "previous": previous,
        "ended": [(f"No mandate on {each}", merged_banks.of(each.ifsc)) for each in ended],
        "has_account": len(ended) < len(registered),
        "ways": capability.ways,
        "least": mandate_rules.LEAST,
        "most": mandate_rules.MOST,
        "why_no_paper": mandate_rules.why_not(settings.FP_ORDER_GATEWAY, Mandate.Kind.NACH),
        "page_minutes": int(mandate_rules.PAGE_LIVES.total_seconds() // 60),
        "chips": QUICK_LIMITS,
    }
    return render(request, "investors/mandates/new.html", context)


def _first_answers(request: InvestorRequest, previous: Mandate | None) -> dict[str, object]:
    primary = people.primary_bank_account(request.investor)
    account = previous.bank_account if previous else primary
    return {
        "form_ref": identifiers.new_client_ref(),
        "bank_account": account.code if account else None,
        "kind": previous.kind if previous else Mandate.Kind.E_MANDATE,
        "limit": f"{previous.limit:.0f}" if previous else "",
    }


def _asked(request: InvestorRequest, form: MandateForm, previous: Mandate | None) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            return redirect("investors:mandate_confirm", code=_ask(request, form, previous).code)
        except InvalidInput as error:
            errors = {error.field if error.field in form.fields else "": error.message}
        except Failure as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


def _ask(request: InvestorRequest, form: MandateForm, previous: Mandate | None) -> Consent:
    at, answers = clock.now(), form.cleaned_data
    wish = mandates.prepare(
        investor=request.investor,
        bank_account=answers["bank_account"],
        kind=answers["kind"],
        limit=answers["limit"],
        previous=previous,
        at=at,
    )
    ip = client_ip(request)
    return mandates.ask(wish=wish, investor=request.investor, form_ref=answers["form_ref"], ip=ip, at=at)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """The mandate once more, or its cancelling, and the one-time code that makes it so."""
    consent = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.MANDATE)
    if consent.given_at and (made := mandates.made_by(consent)):
        return redirect("investors:mandate", code=made.code)

    def act(otp: str) -> str:
        at, ip = clock.now(), client_ip(request)
        mandate = mandates.confirm(investor=request.investor, code=code, otp=otp, ip=ip, at=at)
        return reverse("investors:mandate", args=[mandate.code])

    if consent.shown.get("act") == mandates.CANCEL:
        back = reverse("investors:mandate", args=[consent.shown["mandate"]])
        what = confirming.Confirming(
            "Cancel the mandate", "You are about to cancel", "Cancel the mandate", back, act, danger=True
        )
    else:
        back = reverse("investors:mandate_new")
        what = confirming.Confirming("Confirm the mandate", "You are about to allow", "Confirm the mandate", back, act)
    return confirming.page(request, consent, what)


@require_safe
@never_cache
@investor_page
def detail(request: InvestorRequest, code: str) -> HttpResponse:
    """One mandate: where it stands, what happened, what to do. The status refreshes itself while it is open."""
    mandate = get_object_or_404(_own(request), code=code)
    words = mandate_words.of(mandate)
    is_moving = words.kind in ("waiting", "checking") or _page_is_coming(mandate) or _was_out(mandate)
    # A page that FP refuses to make is not asked for by watching it.
    is_moving = is_moving and words is not mandate_words.NO_PAGE
    if is_moving and hints.first(f"asked-mandate-{mandate.pk}", ASK_EVERY_S):
        # Somebody is watching: ask a little sooner than the sweep would.
        jobs.nudge("investors.advance_mandate", row_id=mandate.pk)
    context = {
        "mandate": mandate,
        "words": words,
        "reason": mandate_words.reason(mandate),
        "to_correct": mandate_words.to_correct(mandate),
        "steps": mandate_words.timeline(mandate),
        "is_moving": is_moving,
        "page": _page(mandate),
        "may_cancel": mandates.may_cancel(mandate),
        "may_retry": mandates.may_retry(mandate),
        "takes_a_form": paper_mandates.takes_a_form(mandate),
        "next": getattr(mandate, "next", None),
        "page_minutes": int(mandate_rules.PAGE_LIVES.total_seconds() // 60),
    }
    if not request.headers.get("HX-Request"):
        context["cases"] = case_queries.cards(mandate.investor_id, mandate)
        return render(request, "investors/mandates/detail.html", context)
    response = render(request, "investors/mandates/_status.html", context)
    if not is_moving:
        # The rest of the page changes too (UMRN, what can be cancelled): load it whole, once.
        response["HX-Refresh"] = "true"
    return response


def _waits_at_the_bank(mandate: Mandate) -> bool:
    online = mandate.kind == Mandate.Kind.E_MANDATE and mandate.state == lifecycle.AWAITING_INVESTOR
    return online and mandate.cancel_asked_at is None


def _page_is_coming(mandate: Mandate) -> bool:
    return _waits_at_the_bank(mandate) and mandate.page_expires_at is None and not mandate.refusal


def _page_lives(mandate: Mandate) -> bool:
    return mandate.page_expires_at is not None and clock.now() < mandate.page_expires_at


def _was_out(mandate: Mandate) -> bool:
    """The page was handed out and may be in use."""
    return _waits_at_the_bank(mandate) and _page_lives(mandate) and not mandate.page_url


def _page(mandate: Mandate) -> str:
    """What the button does: `coming`, `open`, `out` (it was opened), `old`; empty when there is no page to open."""
    if not _waits_at_the_bank(mandate) or mandate.refusal:
        return ""
    if _page_is_coming(mandate):
        return "coming"
    if _was_out(mandate):
        return "out"
    return "open" if mandate.page_url and _page_lives(mandate) else "old"


@require_POST
@never_cache
@ready_investor_page
def authorise(request: InvestorRequest, code: str) -> HttpResponse:
    """Send the investor to the bank's page on which this mandate is authorised."""
    mandate = get_object_or_404(_own(request), code=code)
    try:
        address = mandates.hand_over(mandate=mandate, at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect("investors:mandate", code=code)
    if address is None:
        messages.info(request, "We are preparing the bank's page. It takes a few seconds.")
        return redirect("investors:mandate", code=code)
    response = redirect(address)
    # The address is good for one visit: it must not travel onward as a referrer.
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
@never_cache
@access(DOORBELL)
def mandate_return(request: HttpRequest, nonce: str) -> HttpResponse:
    """The bank's page sent the browser back: store that it rang, nudge a fetch, and show the mandate."""
    at = clock.now()
    said = {name: str((request.POST or request.GET).get(name, ""))[:200] for name in RETURN_FIELDS}
    with scope(ALL):
        mandate = Mandate.objects.filter(form_ref=nonce).first()
        if mandate is None:
            raise Http404
        inbox.ring(
            provider="fp",
            kind="mandate_return",
            body={**said, "mandate": mandate.code},
            subject=(audit.kind_of(mandate), str(mandate.pk)),
            at=at,
        )
        code = mandate.code
    response = redirect("investors:mandate", code=code)
    response.status_code = 303
    return response


@require_POST
@never_cache
@ready_investor_page
def cancel(request: InvestorRequest, code: str) -> HttpResponse:
    """Ask for the code that cancels this mandate."""
    mandate = get_object_or_404(_own(request), code=code)
    mandate.investor = request.investor
    # One form per open mandate and hour, so that a second click asks for nothing new.
    ref = f"C{mandate.form_ref[:14]}{clock.now():%H%d%m}"[:40]
    try:
        consent = mandates.ask_to_cancel(mandate=mandate, form_ref=ref, ip=client_ip(request), at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect("investors:mandate", code=code)
    return redirect("investors:mandate_confirm", code=consent.code)
