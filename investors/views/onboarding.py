"""Pages of onboarding and the profile. Every step has the same view; what differs stands in the table PAGES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from investors import declarations, forms, gateway, kyc_reasons, lifecycle, provenance, queries, refusals, steps
from investors.access import InvestorRequest, applicant_page, client_ip
from investors.models import Investor
from investors.operations import documents, family, kyc, onboarding, papers
from investors.steps import Profile
from investors.views import invites
from portal import acting, clock, identifiers, typed
from portal.errors import Failure, InvalidInput

LOOK_UPS_AN_HOUR = 120


@dataclass(frozen=True)
class Page:
    """How a step looks: its form, its template, and which of the form's values are saved."""

    form: type[forms.StepForm] | type[forms.PapersForm]
    template: str = "investors/step.html"
    values: Callable[[Any], dict[str, Any]] = lambda form: form.cleaned_data


def _bank_values(form: forms.BankForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "number_again"}


PAGES = {
    steps.PAN: Page(forms.PanForm, "investors/pan.html"),
    steps.GUARDIAN: Page(forms.GuardianForm),
    steps.PERSONAL: Page(forms.PersonalForm, "investors/personal.html"),
    steps.FATCA: Page(forms.FatcaForm, "investors/fatca.html", lambda form: form.values),
    steps.ADDRESS: Page(forms.AddressForm, "investors/address.html", lambda form: form.values),
    steps.NOMINEES: Page(forms.NomineesForm, "investors/nominees.html", lambda form: form.values),
    steps.BANK: Page(forms.BankForm, "investors/bank.html", _bank_values),
    steps.PAPERS: Page(forms.PapersForm, "investors/papers.html", lambda form: form.values),
}


ASK_COUNTRIES = (steps.PERSONAL, steps.FATCA, steps.ADDRESS)


# --- the checklist --------------------------------------------------------------------------------------------


@never_cache
@require_GET
@applicant_page
def onboarding_home(request: InvestorRequest) -> HttpResponse:
    """What is done and what is missing; while FP is being told, how far that is."""
    investor = request.investor
    if invites.waits_for(request):
        return redirect("investors:invite")
    to_correct = refusals.steps_of(investor.refusal) or onboarding.may_confirm(investor)
    under_way = investor.state == lifecycle.REGISTERING and not to_correct
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "investors/_registration.html", _registration(investor))
    if investor.state == lifecycle.READY:
        return redirect("investors:profile")
    if under_way:
        return render(request, "investors/registration.html", _registration(investor))
    items = queries.checklist(investor)
    asked = [item for item in items if not item.is_optional]
    context = {
        "items": items,
        "count": len(asked),
        "done": sum(item.is_done for item in asked),
        "next": next((item for item in items if item.is_missing), None),
        "refused": bool(investor.refusal),
        "is_minor": investor.is_minor,
    }
    return render(request, "investors/onboarding.html", context)


# what is true -> (title, text, kind of state, badge, statuses of the three steps)
REGISTRATION_WORDS = {
    "stopped": (
        "Our team is looking at your registration",
        "Something came up that you cannot put right yourself. We have been told and will write to you. Nothing "
        "you entered is lost, and no money is involved.",
        "checking",
        "We are checking",
    ),
    "unknown": (
        "We are checking your registration",
        "We sent it and have no answer yet. We are asking what became of it. There is nothing for you to do.",
        "checking",
        "We are checking",
    ),
    "sending": (
        "We are registering you",
        "This usually takes less than a minute. There is nothing for you to do, and you may close this page.",
        "waiting",
        "Being registered",
    ),
    "ready": ("You are ready to invest", "Your registration is complete.", "done", "Ready"),
}


def _registration(investor: Investor) -> dict[str, Any]:
    if investor.state == lifecycle.READY:
        key = "ready"
    elif investor.refusal:
        key = "stopped"
    else:
        key = "unknown" if investor.is_unknown else "sending"
    title, text, kind, badge = REGISTRATION_WORDS[key]
    now = "checking" if key in ("stopped", "unknown") else "current"
    known, ready = investor.provider_ref is not None, key == "ready"
    timeline = [
        {"title": "You confirmed your details", "status": "done"},
        {"title": "Registered as an investor", "status": "done" if known else now},
        {"title": "Investment account opened", "status": "done" if ready else now if known else "todo"},
    ]
    words = {"title": title, "text": text, "kind": kind, "badge": badge}
    return {"words": words, "steps": timeline, "is_open": key in ("sending", "unknown"), "is_ready": ready}


# --- one step -------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@typed.survives_signing_out
@applicant_page
def step(request: InvestorRequest, step: str) -> HttpResponse:
    """Fill in one step. What is saved is saved at once; the next step that is missing comes after it.

    What cannot be saved is shown again by a redirect to the same address (`portal.typed`).
    """
    if step == steps.REVIEW:
        return _review(request)
    if step not in PAGES:
        raise Http404
    if step in ASK_COUNTRIES:
        gateway.learn_countries()
    found = queries.profile(request.investor)
    shut = _shut(request, found, step)
    if shut is not None:
        return shut
    if "look_up" in request.POST:
        return typed.again(request, why=typed.UNFINISHED)  # somebody without JavaScript; nothing is wrong yet
    if request.method == "POST":
        return _save(request, found, step)
    if back := typed.kept(request):
        form = back.show_in(_filled_in(PAGES[step].form.opened(found, back.data), found, step))
        return _show(request, found, step, form, look_up="look_up" in back.data)
    form = _filled_in(PAGES[step].form.opened(found), found, step)
    if complaints := refusals.by_field(request.investor.refusal, step):
        form.show_refused(complaints)
    return _show(request, found, step, form)


def _filled_in(form: Any, found: Profile, slug: str) -> Any:
    """The form with what somebody else knew already, each value with a note of whose it is, until the step is saved."""
    if steps.BY_SLUG[slug].is_done(found):
        return form
    drafts = provenance.drafts_for(found.investor)
    for name, text in drafts.of(slug).items():
        if name in form.fields and not form.initial.get(name):
            form.initial[name] = text
            form.fields[name].source_note = f"Filled in by {drafts.by}. Please check it."
    return form


def _shut(request: InvestorRequest, found: Profile, slug: str) -> HttpResponse | None:
    """Where to go instead when this step cannot be opened now."""
    item = next((item for item in queries.checklist_of(found) if item.slug == slug), None)
    if item is None:
        raise Http404  # a step of other people's applications
    if item.is_open:
        return None
    if request.investor.state == lifecycle.DRAFT:
        messages.info(request, "Please begin with your PAN.")
        return redirect("investors:step", step=steps.PAN)
    messages.info(request, onboarding.NotEditable.message)
    return redirect("investors:onboarding")


def _save(request: InvestorRequest, found: Profile, slug: str) -> HttpResponse:
    if slug == steps.PAN and "again" in request.POST and found.investor.kyc_pan:
        return _check_pan(request, found.investor.kyc_pan)
    if slug == steps.PAPERS:
        return _save_papers(request, found)
    form: Any = PAGES[slug].form.opened(found, request.POST)
    later = "later" in request.POST
    if later and (slug == steps.PAN or not form.is_valid()):
        return typed.again(request, why=typed.UNFINISHED, to=reverse("investors:onboarding"))
    if not form.is_valid():
        return typed.again(request)
    if slug == steps.PAN:
        return _check_pan(request, form.cleaned_data.get("guardian_pan") or form.cleaned_data["pan"], form)
    at, user = clock.now(), request.user
    try:
        investor = _begun(request, at)
        values = PAGES[slug].values(form)
        onboarding.save_step(investor=investor, slug=slug, values=values, actor=user, at=at)  # type: ignore[arg-type]
    except onboarding.NotEditable as failure:
        messages.info(request, failure.message)
        return redirect("investors:onboarding")
    except Failure as failure:
        return typed.again(request, errors=_error(form, failure))
    typed.forget(request)
    return redirect("investors:onboarding") if later else _to_next(request, slug)


def _begun(request: InvestorRequest, at: datetime) -> Investor:
    """The application for which the person acts; one of their own when there is none yet."""
    if request.investor.pk is not None:
        return request.investor
    return onboarding.begin(user=request.user, at=at)


def _save_papers(request: InvestorRequest, found: Profile) -> HttpResponse:
    form = forms.PapersForm.opened(found, request.POST, request.FILES)
    if not form.is_valid():
        return typed.again(request, errors=form.refused)
    try:
        papers.keep(investor=found.investor, files=form.values, actor=request.user, at=clock.now())  # type: ignore[arg-type]
    except onboarding.NotEditable as failure:
        messages.info(request, failure.message)
    except InvalidInput as failure:
        return typed.again(request, errors={failure.field: failure.message})
    typed.forget(request)
    return redirect("investors:onboarding") if "later" in request.POST else _to_next(request, steps.PAPERS)


def _check_pan(request: InvestorRequest, pan: str, form: forms.StepForm | None = None) -> HttpResponse:
    at, user = clock.now(), request.user
    try:
        investor = _begun(request, at)
        if investor.is_minor and form:
            family.put_childs_pan(investor=investor, pan=form.cleaned_data["pan"], actor=user, at=at)  # type: ignore[arg-type]
        answer = kyc.check(investor=investor, pan=pan, actor=user, at=at)  # type: ignore[arg-type]
    except Failure as failure:
        if form and isinstance(failure, InvalidInput):
            return typed.again(request, errors=_error(form, failure))
        typed.forget(request)
        messages.warning(request, failure.message)
        return redirect("investors:step", step=steps.PAN)
    typed.forget(request)
    if not answer.is_compliant:
        return redirect("investors:step", step=steps.PAN)
    messages.success(
        request, f"The KYC registries know your PAN: you may {'act for the child' if investor.is_minor else 'invest'}."
    )
    return _to_next(request, steps.PAN)


def _error(form: forms.StepForm, failure: Failure) -> dict[str, str]:
    """Where on the form a failure stands; above it when at no field."""
    field = failure.field if isinstance(failure, InvalidInput) and failure.field in form.fields else ""
    return {field: failure.message}


def _to_next(request: InvestorRequest, slug: str) -> HttpResponse:
    """The next step that is missing, looking onward first; with nothing missing, the review."""
    investor = queries.applicant(request.user, acting.chosen(request))  # type: ignore[arg-type]
    items = queries.checklist(investor or request.investor)
    here = next(index for index, item in enumerate(items) if item.slug == slug)
    onward = items[here + 1 :] + items[:here]
    missing = [item for item in onward if item.is_missing]
    return redirect("investors:step", step=missing[0].slug if missing else steps.REVIEW)


def _show(request: InvestorRequest, found: Profile, slug: str, form: Any, *, look_up: bool = False) -> HttpResponse:
    title, about = steps.BY_SLUG[slug].words_for(found.investor)
    # On the page of a step, that step is the current one, whichever comes next.
    items = [replace(item, is_next=item.slug == slug) for item in queries.checklist_of(found)]
    number = [item.slug for item in items].index(slug) + 1
    context = {
        "form": form,
        "step": replace(steps.BY_SLUG[slug], title=title, about=about),
        "items": items,
        "number": number,
        "count": len(items),
        "profile": found,
        "opt_out_text": declarations.OPT_OUT,
        "papers": _papers(request, found) if slug == steps.PAPERS else [],
        "is_optional": steps.BY_SLUG[slug].is_optional(),
        **pan_context(found),
    }
    if slug in STEP_LOOK_UPS:
        kind, name = STEP_LOOK_UPS[slug]
        text = str(form[kind].value() or "")
        # A page is shown at once, so it asks FP only when that is what the button was for.
        context[name] = _looked_up(text, kind) if look_up else _known(text, kind)
    return render(request, PAGES[slug].template, context)


def _papers(request: InvestorRequest, found: Profile) -> list[dict[str, Any]]:
    """The files that are there, each with a picture that can be seen for five minutes."""
    cheque = found.bank.cancelled_cheque if found.bank else None
    links = [(each, documents.link(document=each, user=request.user)) for each in (found.signature, cheque) if each]  # type: ignore[arg-type]
    return [{"document": each, "url": reverse("investors:document", args=[token])} for each, token in links]


def pan_context(found: Profile) -> dict[str, Any]:
    check = found.kyc_of_this_pan
    return {
        "check": check,
        "reason": kyc_reasons.explain(check.reason, at=clock.now()) if check and not check.is_compliant else None,
        "unanswered": bool(found.investor.kyc_pan) and check is None,
    }


# --- look-ups while typing ------------------------------------------------------------------------------------

Answer = dict[str, Any]


@dataclass(frozen=True)
class LookUp:
    """One kind of look-up: how the text is cleaned, asked about, remembered, and shown."""

    clean: Callable[[str], str]
    find: Callable[[str], object]
    known: Callable[[str], object | None]
    template: str
    name: str


LOOK_UPS = {
    "pincode": LookUp(identifiers.clean_pin, gateway.find_place, gateway.known_place, "investors/_place.html", "place"),
    "ifsc": LookUp(
        identifiers.clean_ifsc, gateway.find_branch, gateway.known_branch, "investors/_branch.html", "branch"
    ),
}
STEP_LOOK_UPS = {steps.ADDRESS: ("pincode", "place"), steps.BANK: ("ifsc", "branch")}


def _looked_up(text: str, kind: str) -> Answer:
    """What was found, or why not; nothing while the text is incomplete."""
    try:
        return {"found": LOOK_UPS[kind].find(LOOK_UPS[kind].clean(text))}
    except ValueError:
        return {}
    except Failure as failure:
        return {"problem": failure.message, "instead": getattr(failure, "instead", "")}


def _known(text: str, kind: str) -> Answer:
    """The same without asking anybody."""
    try:
        asked = LOOK_UPS[kind].clean(text)
    except ValueError:
        return {}
    return {
        "found": LOOK_UPS[kind].known(asked),
        "instead": gateway.known_new_code(asked) if kind == "ifsc" else "",
    }


@never_cache
@require_GET
@applicant_page
def look_up(request: InvestorRequest, kind: str) -> HttpResponse:
    """The line under a PIN code or an IFSC, while it is being typed."""
    if kind not in LOOK_UPS:
        raise Http404
    answer = _looked_up(request.GET.get(kind, "")[:20], kind) if _may_look_up(request.user.pk) else {}
    return render(request, LOOK_UPS[kind].template, {LOOK_UPS[kind].name: answer})


def _may_look_up(user_id: object) -> bool:
    """A person types a few of these; a script that walks the directory is stopped."""
    key = f"investors:look_ups:{user_id}"
    cache.add(key, 0, 3600)
    try:
        return bool(cache.incr(key) <= LOOK_UPS_AN_HOUR)
    except ValueError:  # it ran out between the two lines
        return True


# --- review ---------------------------------------------------------------------------------------------------


def _review(request: InvestorRequest) -> HttpResponse:
    """Everything once more, and the declarations. Confirming starts the registration."""
    found = queries.profile(request.investor)
    if not queries.is_complete(found) or not onboarding.may_confirm(found.investor):
        if found.investor.state == lifecycle.DRAFT:
            messages.info(request, onboarding.Incomplete.message)
        return redirect("investors:onboarding")
    texts = declarations.declarations(
        opted_out=bool(found.investor.nomination_opted_out),
        legal_name=str(settings.BRAND["legal_name"]),
        arn=str(settings.BRAND["arn"]),
        child=found.investor.name if found.investor.is_minor else "",
        taxed_elsewhere=found.investor.tax_resident_only_in_india is False,
    )
    back = typed.kept(request)
    form = forms.ReviewForm(back.data if back else request.POST or None, texts=texts)
    if request.method == "POST" and not form.is_valid():
        return typed.again(request)
    if request.method == "POST":
        typed.forget(request)
        try:
            onboarding.confirm(
                investor=found.investor,
                agreed=form.agreed,
                texts=texts,
                ip=client_ip(request),
                actor=request.user,  # type: ignore[arg-type]
                at=clock.now(),
            )
        except Failure as failure:
            messages.info(request, failure.message)
        return redirect("investors:onboarding")
    context = {"form": form, "may_edit": found.investor.state == lifecycle.DRAFT, **summary(found)}
    return render(request, "investors/review.html", context)


def summary(found: Profile) -> dict[str, Any]:
    """What the summary shows beside the profile: countries by their names."""
    names = dict(forms.countries())
    places = (("", found.address), ("Permanent address", found.permanent), ("Address abroad", found.overseas))
    return {
        "profile": found,
        "country_of_birth": names.get(found.investor.country_of_birth, "–"),
        "citizen_of": names.get(found.investor.country_of_citizenship, "–"),
        "residences": [(names.get(each.country, each.country), each) for each in found.residences],
        "from_others": provenance.from_others(found.investor),
        "addresses": [(title, each, names.get(each.country, "")) for title, each in places if each],
    }
