"""Changes of contact, address, nominees and personal details: asked, confirmed, watched, withdrawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from allauth.account.views import email as allauth_email
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors import change_refusals, change_words, declarations, gateway, lifecycle, queries, refusals
from investors.access import InvestorRequest, client_ip, investor_of, ready_investor_page
from investors.changes import RULES
from investors.forms import changes as forms
from investors.forms.address import opening
from investors.forms.fatca import named
from investors.forms.fields import as_yes_no
from investors.models import ChangeRequest, Consent, Investor
from investors.operations import changes, detail_changes
from investors.views import confirming
from portal import clock, identifiers, money, typed
from portal.access import OWN_ROWS, access
from portal.errors import Failure, InvalidInput

What = ChangeRequest.What


@dataclass(frozen=True)
class Page:
    """One kind of change as a page: words and form."""

    what: str
    title: str
    form: type[forms.ChangeForm]
    template: str = "investors/changes/change.html"


PAGES = {
    "email": Page(What.EMAIL, "Change your email", forms.EmailChange),
    "mobile": Page(What.MOBILE, "Change your mobile number", forms.MobileChange),
    "address": Page(What.ADDRESS, "Change your address", forms.AddressChange, "investors/changes/address.html"),
    "nominees": Page(
        What.NOMINEES,
        "Change your nominees",
        forms.NomineesChange,
        "investors/changes/nominees.html",
    ),
    "personal": Page(What.PROFILE, "Change personal details", forms.PersonalChange),
    "tax": Page(What.TAX, "Change your tax residence", forms.TaxChange, "investors/changes/tax.html"),
}
SLUGS = {page.what: slug for slug, page in PAGES.items()}
DETAILS = tuple(page.what for page in PAGES.values())


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def change(request: InvestorRequest, slug: str) -> HttpResponse:
    """What it is now and what it shall be. Nothing is changed before the code."""
    page = PAGES.get(slug)
    if page is None:
        raise Http404
    if "look_up" in request.POST:
        return typed.again(request, why=typed.UNFINISHED)
    if request.method == "POST":
        return _asked(request, page, page.form.of(request.investor, request.POST))
    if page.what in (What.ADDRESS, What.TAX):
        gateway.learn_countries()
    before = detail_changes.current(request.investor, page.what)
    back = typed.kept(request, once=True)
    refused = _newest_refused(request.investor, page.what)
    known = _initial(page.what, _after(refused) or before, asked_before=refused is not None)
    initial = {"form_ref": identifiers.new_client_ref(), **known}
    form = page.form.of(request.investor, back.data if back else None, initial)
    if back:
        back.show_in(form)
    elif refused:
        form.show_refused(change_refusals.by_field(refused, page.what))
    context = {
        "page": page,
        "form": form,
        "now": change_words.lines(page.what, before, before, masked=change_words.OWNER),
        "rule": RULES[page.what],
        "where": change_words.WHERE[What(page.what)],
        "pending": _shown(_open_changes(request.investor).filter(what=page.what).first()),
        "opt_out_text": declarations.OPT_OUT,
        "refused": refused and not back and not_here(refused),
        **_place(form, looks_up=bool(back and "look_up" in back.data)),
    }
    return render(request, page.template, context)


def not_here(change: ChangeRequest) -> dict[str, Any]:
    """What FP refused and this page does not change: where it can be changed, and whether our team has the rest."""
    others = [
        {"title": _page_of(what)[0], "url": _page_of(what)[1], "text": " ".join(texts)}
        for what, texts in change_refusals.elsewhere(change).items()
    ]
    return {"elsewhere": others, "nowhere": bool(change_refusals.nowhere(change))}


def _page_of(what: str) -> tuple[str, str]:
    """Title and address of the page where a kind of change is asked for."""
    if what == What.BANK_ACCOUNT:
        return "Add a bank account", reverse("investors:bank_add")
    return PAGES[SLUGS[What(what)]].title, reverse("investors:change", args=[SLUGS[What(what)]])


def _place(form: Any, *, looks_up: bool) -> dict[str, Any]:
    """The line under a PIN code: asked for only when that is what the button was for."""
    if "pincode" not in form.fields:
        return {}
    try:
        pincode = identifiers.clean_pin(str(form["pincode"].value() or ""))
        return {"place": {"found": gateway.find_place(pincode) if looks_up else gateway.known_place(pincode)}}
    except ValueError:
        return {}
    except Failure as failure:
        return {"place": {"problem": failure.message}}


def _newest_refused(investor: Investor, what: str) -> ChangeRequest | None:
    """The newest change of the kind, where FP has named fields of it that it does not accept."""
    newest = ChangeRequest.objects.filter(investor=investor, what=what).exclude(state=lifecycle.ASKED).order_by("-id")
    found = newest.first()
    return found if found and found.state == lifecycle.REFUSED and found.refusal else None


def _after(change: ChangeRequest | None) -> dict[str, Any]:
    return json.loads(change.after) if change else {}


def _initial(what: str, known: dict[str, Any], *, asked_before: bool = False) -> dict[str, Any]:
    """How the form opens: with what is known, except for a contact, which is typed anew and mostly one's own."""
    if what in (What.EMAIL, What.MOBILE) and not asked_before:
        own = dict.fromkeys(change_words.CONTACTS, Investor.Whose.SELF)
        return {**own, **{name: known[name] for name in ("isd_code",) if name in known}}
    if what in (What.EMAIL, What.MOBILE):
        return known
    if what == What.NOMINEES:
        return _initial_nominees(known)
    if what == What.ADDRESS:
        return opening(known)
    if what == What.TAX:
        only_india = as_yes_no(known["tax_resident_only_in_india"])
        return {"tax_resident_only_in_india": only_india, **named(known["residences"])}
    income = known.get("gross_annual_income")
    return {**known, "gross_annual_income": money.group(str(income)) if income else ""}


def _initial_nominees(known: dict[str, Any]) -> dict[str, Any]:
    initial: dict[str, Any] = {"choice": "opt_out" if known["opted_out"] else "name"}
    for position, person in enumerate(known["nominees"], start=1):
        born_on = date.fromisoformat(person["date_of_birth"])
        initial |= {f"n{position}_{name}": value for name, value in {**person, "date_of_birth": born_on}.items()}
    return initial


def _asked(request: InvestorRequest, page: Page, form: forms.ChangeForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    try:
        consent = detail_changes.ask(
            investor=request.investor,
            what=page.what,
            values=form.values,
            form_ref=form.cleaned_data["form_ref"],
            ip=client_ip(request),
            at=clock.now(),
        )
    except Failure as failure:
        field = failure.field if isinstance(failure, InvalidInput) and failure.field in form.fields else ""
        field = field or next((name for name in ("email", "mobile") if name in form.fields), "")
        return typed.again(request, errors={field: failure.message})
    typed.forget(request)
    return redirect("investors:change_confirm", code=consent.code)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """The change once more, and the one-time code that sets it going; for a new address, its own code after that."""
    consent = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.CHANGE)
    asked = get_object_or_404(ChangeRequest, code=consent.shown.get("change", ""), investor=request.investor)
    asked.investor = request.investor
    if consent.given_at:
        return redirect(_go_on(request, asked))

    def act(otp: str) -> str:
        done = changes.confirm(investor=request.investor, code=code, otp=otp, ip=client_ip(request), at=clock.now())
        return _go_on(request, done)

    proof = consent.shown.get("act") == changes.PROOF
    what = confirming.Confirming(
        "Confirm the new address" if proof else "Confirm the change",
        "The address that must prove itself" if proof else "You are about to change",
        "Confirm the new address" if proof else "Confirm the change",
        reverse("investors:profile"),
        act,
    )
    return confirming.page(request, consent, what)


def _go_on(request: InvestorRequest, change: ChangeRequest) -> str:
    """Where the way leads after a code: to the code of the new address while that is missing, else to the profile."""
    if not changes.waits_for_proof(change):
        return reverse("investors:profile")
    to = _after(change)["email"]
    change.investor = request.investor
    proof = changes.ask_proof(change=change, to=to, ip=client_ip(request), at=clock.now())
    return reverse("investors:change_confirm", args=[proof.code])


@require_POST
@never_cache
@ready_investor_page
def withdraw(request: InvestorRequest, code: str) -> HttpResponse:
    """Stop a change that is not passed on yet."""
    found = get_object_or_404(ChangeRequest, code=code, investor=request.investor, what__in=DETAILS)
    try:
        changes.withdraw(change=found, at=clock.now())
        messages.info(request, "Withdrawn. Nothing was changed.")
    except Failure as refusal:
        messages.warning(request, refusal.message)
    return redirect("investors:profile")


HISTORY = 50


@require_safe
@never_cache
@ready_investor_page
def history(request: InvestorRequest) -> HttpResponse:
    """Every change that was confirmed, the newest first, with what it changed and what became of it."""
    mine = ChangeRequest.objects.filter(investor=request.investor).exclude(consent=None).order_by("-id")[:HISTORY]
    return render(request, "investors/changes/history.html", {"rows": [_shown(each) for each in mine]})


# --- parts of other pages -------------------------------------------------------------------------------------


def pending(investor: Investor) -> dict[str, dict[str, Any]]:
    """Slug of the kind -> the open change of that kind, as the profile shows it beside the datum."""
    rows = [_shown(each) for each in _open_changes(investor)]
    return {SLUGS[row["change"].what]: row for row in rows if row}


def _open_changes(investor: Investor) -> Any:
    mine = ChangeRequest.objects.filter(investor=investor, what__in=DETAILS).order_by("id")
    return mine.filter(state__in=(lifecycle.ASKED, *changes.OPEN))


def _shown(change: ChangeRequest | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "change": change,
        "lines": [line for line in change_words.of(change, masked=change_words.OWNER) if line.is_changed],
        "tone": "checking" if change.is_unknown else change_words.TONES[change.state],
        "next": change_words.next_words(change),
        "may_withdraw": lifecycle.CHANGE.allows(change.state, lifecycle.WITHDRAWN),
        "consent_code": _open_consent(change),
        "slug": SLUGS.get(change.what, ""),
        "again": _again(change),
    }


def _again(change: ChangeRequest) -> str:
    """The page on which what FP refused can be corrected and asked for again; empty when there is nothing of it."""
    if change.state != lifecycle.REFUSED or not change_refusals.by_field(change, change.what):
        return ""
    return _page_of(change.what)[1]


def _open_consent(change: ChangeRequest) -> str:
    """The consent whose code is missing, so that a closed tab is no lost change; empty when none is."""
    if change.state != lifecycle.ASKED:
        return ""
    ref = changes.proof_ref(change) if changes.waits_for_proof(change) else change.form_ref
    known = Consent.objects.filter(investor=change.investor_id, form_ref=ref).values_list("code", flat=True)
    return known.first() or ""


# --- the address of the login ---------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@access(OWN_ROWS)
@login_required
def login_email(request: HttpRequest) -> HttpResponse:
    """In place of allauth's page: once anybody of the login is registered, the address changes by request only.
    Where FP refuses it on the way there, it is exchanged here.

    The request is that of somebody who is ready: whoever acts for another one just now is led to choosing first.
    """
    investor = investor_of(request)
    people = [each.investor for each in queries.people_of(request.user)]  # type: ignore[arg-type]
    if all(map(_may_use_another_address, people)):
        return allauth_email(request)
    if investor and investor.state == lifecycle.READY:
        return redirect("investors:change", slug="email")
    if any(each.state == lifecycle.READY for each in people):
        messages.info(request, "Choose somebody who is ready to invest: the address is changed on their profile.")
        return redirect("investors:people")
    messages.info(request, "You are being registered with this address now. It can be changed as soon as that is done.")
    return redirect("investors:onboarding")


def _may_use_another_address(investor: Investor) -> bool:
    """Before the registration, and while it rests because the address was not accepted."""
    if investor.state == lifecycle.DRAFT:
        return True
    rests = investor.state == lifecycle.REGISTERING and not investor.attempt and investor.due_at is None
    return rests and any(each.get("field") in refusals.CHANGED for each in investor.refusal)
