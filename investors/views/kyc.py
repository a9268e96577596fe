"""A fresh KYC in the browser: the list of steps, each step, the review, how far it is; and one's own files."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from investors import case_queries, gateway, kyc_complaints, kyc_steps, lifecycle
from investors.access import InvestorRequest, investor_page
from investors.forms import countries, kyc_request
from investors.kyc_steps import Sheet
from investors.models import Document, KycRequest
from investors.operations import documents, kyc_requests
from portal import clock, typed
from portal.errors import Failure, InvalidInput
from portal.templatetags.portal_tags import day

DECLARED = (
    "What I entered is true, the papers and the signature are my own, {permanent}, and you may send them to the KYC "
    "registries and fund houses for my KYC."
)
SAME, ANOTHER = "this address is also my permanent address", "my permanent address is the other one that is shown"
# What is true -> (kind of state, badge, title, text).
WORDS = {
    "sending": (
        "waiting",
        "Being sent",
        "We are sending your papers",
        "This usually takes a minute. There is nothing for you to do, and you may close this page.",
    ),
    "desk": (
        "waiting",
        "We look it over",
        "Somebody of ours compares your papers with what you entered",
        "Usually within a working day; then we send it to the fund house and the registry. There is nothing for you to "
        "do, and we write to you if a paper is needed again.",
    ),
    "unknown": (
        "checking",
        "We are checking",
        "We are checking what has arrived",
        "We sent something and have no answer yet. We are asking what became of it. There is nothing for you to do.",
    ),
    lifecycle.SUBMITTED: (
        "waiting",
        "Being checked",
        "The fund house and the registry are checking your papers",
        "It usually takes two to three working days. We look by ourselves and write to you when it is decided.",
    ),
    lifecycle.SUCCESSFUL: (
        "done",
        "KYC done",
        "Your KYC is done",
        "It counts for every fund house. You can go on getting ready to invest.",
    ),
    "registries": (
        "checking",
        "We are checking",
        "Your papers were accepted; the registries are taking them over",
        "We ask the registries by ourselves until they confirm your PAN. There is nothing for you to do.",
    ),
    lifecycle.REJECTED: (
        "needs",
        "Something must be corrected",
        "Your papers were not accepted as they are",
        "Below stands what was wrong. Everything else is kept; only these steps must be done again.",
    ),
    lifecycle.EXPIRED: (
        "needs",
        "Time ran out",
        "The time for sending everything has run out",
        "Nothing you entered is lost: begin again, look it over and send it.",
    ),
}


# --- how far it is ----------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@investor_page
def kyc_home(request: InvestorRequest) -> HttpResponse:
    """Begin, go on, or see how far it is."""
    if request.method == "POST":
        return _begin(request)
    current = kyc_requests.newest(request.investor)
    if current is None:
        return _before(request)
    sheet = kyc_requests.sheet_of(current)
    if not kyc_requests.may_change(sheet.request):
        return _decided(request, sheet)
    if request.htmx:  # type: ignore[attr-defined]
        return _to_next(current)  # given back while somebody watched: a redirect makes the whole page load again
    return render(request, "investors/kyc/home.html", {**_list(sheet), "papers": _papers(request, sheet)})


def _begin(request: InvestorRequest) -> HttpResponse:
    try:
        made = kyc_requests.begin(investor=request.investor, actor=request.user, at=clock.now())  # type: ignore[arg-type]
    except Failure as failure:
        messages.info(request, failure.message)
        return redirect("investors:onboarding")
    return _to_next(made)


def _before(request: InvestorRequest) -> HttpResponse:
    if not kyc_requests.may_begin(request.investor):
        return redirect("investors:onboarding")
    return render(request, "investors/kyc/begin.html", {"steps": kyc_steps.STEPS})


def _decided(request: InvestorRequest, sheet: Sheet) -> HttpResponse:
    """What was sent and what became of it; the fragment alone for a page that refreshes itself."""
    row = sheet.request
    kind, badge, title, text = WORDS[_situation(row)]
    done, now = row.state == lifecycle.SUCCESSFUL, "checking" if kind == "checking" else "current"
    sent = row.state not in (lifecycle.DRAFT, lifecycle.PENDING)
    context = {
        "words": {"kind": kind, "badge": badge, "title": title, "text": text},
        "is_open": row.state in kyc_requests.OPEN or (done and row.due_at is not None),
        "is_done": done and row.due_at is None,
        "is_over": row.state in (lifecycle.REJECTED, lifecycle.EXPIRED),
        "rejected": kyc_complaints.rejected(row),
        "sheet": sheet,
        "cases": [] if request.htmx else case_queries.cards(row.investor_id, row, request.investor),  # type: ignore[attr-defined]
        "timeline": [
            {"title": "You confirmed your papers", "status": "done"},
            {"title": "Sent to the fund house and the registry", "status": "done" if sent else now},
            {
                "title": "KYC done",
                "status": "done" if done else "failed" if row.decided_at else now if sent else "todo",
            },
        ],
    }
    template = "_status" if request.htmx else "status"  # type: ignore[attr-defined]
    return render(request, f"investors/kyc/{template}.html", context)


def _situation(row: KycRequest) -> str:
    if kyc_requests.waits_for_the_desk(row):
        return "desk"
    if row.state in (lifecycle.DRAFT, lifecycle.PENDING):
        return "unknown" if row.is_unknown else "sending"
    return "registries" if row.state == lifecycle.SUCCESSFUL and row.due_at else row.state


def _list(sheet: Sheet) -> dict[str, Any]:
    """The checklist: every step with whether it is done and what is wrong; the first missing one is next."""
    wrong, missing, items = kyc_complaints.by_step(sheet), kyc_requests.missing(sheet), []
    for step in kyc_steps.steps_of(sheet):
        problem = " ".join(each.words for each in wrong.get(step.slug, ()))
        status = "failed" if problem else "done"
        if step.slug in missing and not problem:
            status = "current" if step.slug == missing[0] else "todo"
        url = reverse("investors:kyc_step", args=[step.slug])
        items.append({"title": step.title, "text": problem or step.about, "status": status, "url": url})
    return {
        "sheet": sheet,
        "items": items,
        "done": len(items) - len(missing),
        "next": kyc_steps.BY_SLUG[missing[0]] if missing else None,
        "stray": wrong.get("", ()),
    }


def _to_next(row: KycRequest, after: str = "") -> HttpResponse:
    """The next step that is missing, looking onward first; with nothing missing, the review."""
    sheet = kyc_requests.sheet_of(row)
    order, left = [step.slug for step in kyc_steps.steps_of(sheet)], kyc_requests.missing(sheet)
    here = order.index(after) if after in order else -1
    onward = [slug for slug in order[here + 1 :] + order[: here + 1] if slug in left]
    return redirect("investors:kyc_step", step=onward[0] if onward else kyc_steps.REVIEW)


# --- one step ---------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "POST"])
@typed.survives_signing_out
@investor_page
def kyc_step(request: InvestorRequest, step: str) -> HttpResponse:
    """Fill in one step. What is saved is saved at once, and can be gone back to until everything is confirmed."""
    if step != kyc_steps.REVIEW and step not in kyc_steps.BY_SLUG:
        raise Http404
    current = kyc_requests.newest(request.investor)
    sheet = kyc_requests.sheet_of(current) if current else None
    if sheet is None or not kyc_requests.may_change(sheet.request):
        return redirect("investors:kyc")
    if step == kyc_steps.REVIEW:
        return _review(request, sheet)
    return _save(request, sheet, step) if request.method == "POST" else _show(request, sheet, step)


def _save(request: InvestorRequest, sheet: Sheet, slug: str) -> HttpResponse:
    if "look_up" in request.POST:
        return typed.again(request, why=typed.UNFINISHED)  # somebody without JavaScript; nothing is wrong yet
    form = kyc_request.form_for(slug, sheet, request.POST, request.FILES)
    if not form.is_valid():
        # A browser cannot be given back a file, so what was wrong with one is kept with what was typed.
        refused = {name: form.errors[name][0] for name in kyc_steps.BY_SLUG[slug].files if name in form.errors}
        return typed.again(request, errors=refused)
    files = getattr(form, "clean_files", {})
    lacking = [kind for kind in kyc_steps.BY_SLUG[slug].files if form.fields[kind].required and kind not in files]
    if lacking:
        return typed.again(request, errors=dict.fromkeys(lacking, kyc_request.NO_FILE))
    try:
        saved = kyc_requests.save_step(
            request=sheet.request,
            slug=slug,
            values=_with_city(form.values),
            files=files,
            actor=request.user,  # type: ignore[arg-type]
            at=clock.now(),
        )
    except Failure as failure:
        field = failure.field if isinstance(failure, InvalidInput) and failure.field in form.fields else ""
        return typed.again(request, errors={field: failure.message})
    typed.forget(request)
    return redirect("investors:kyc") if "later" in request.POST else _to_next(saved, slug)


def _with_city(values: dict[str, Any]) -> dict[str, Any]:
    """Addresses with their city, which FP wants and the PIN code tells. Raises InvalidInput, gateway.LookUpDown."""
    return {name: _city(name, value) if isinstance(value, dict) else value for name, value in values.items()}


def _city(name: str, address: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**address, "city": gateway.find_place(address["pincode"]).city}
    except InvalidInput as wrong:
        prefix = kyc_steps.PERMANENT if name == "permanent_address" else ""
        raise InvalidInput(f"{prefix}pincode", wrong.message) from None


def _show(request: InvestorRequest, sheet: Sheet, slug: str) -> HttpResponse:
    look_up = False
    if back := typed.kept(request):
        form = back.show_in(kyc_request.form_for(slug, sheet, back.data))
        look_up = "look_up" in back.data
    else:
        form = kyc_request.form_for(slug, sheet)
        complaints: dict[str, list[str]] = {}
        for each in kyc_complaints.by_step(sheet).get(slug, ()):
            complaints.setdefault(each.field, []).append(each.words)
        if complaints:
            form.show_refused(complaints)
    listed, step = _list(sheet), kyc_steps.BY_SLUG[slug]
    context = {
        **listed,
        "form": form,
        "step": step,
        "number": [item["title"] for item in listed["items"]].index(step.title) + 1,
        "count": len(listed["items"]),
        "papers": _papers(request, sheet, step.files),
        "draws": slug == kyc_steps.SIGNATURE,
        "place": _place(form, look_up) if slug == kyc_steps.ADDRESS else None,
    }
    return render(request, f"investors/kyc/{'files' if step.files else slug}.html", context)


def _place(form: Any, look_up: bool) -> dict[str, Any]:
    """The line under the PIN code: asked for only when that is what the button was for."""
    text = str(form["pincode"].value() or "")
    try:
        return {"found": (gateway.find_place if look_up else gateway.known_place)(text)} if text else {}
    except Failure as failure:
        return {"problem": failure.message}


def _papers(request: InvestorRequest, sheet: Sheet, kinds: Any = None) -> list[dict[str, Any]]:
    """The files that are there, each with a picture that can be seen for five minutes, and its state."""
    wrong = {each.field: each for found in kyc_complaints.by_step(sheet).values() for each in found}
    wanted = kinds if kinds is not None else [kind for step in kyc_steps.steps_of(sheet) for kind in step.files]
    return [
        {
            "document": sheet.documents[kind],
            "url": _address_of(request, sheet.documents[kind]),
            "is_video": sheet.documents[kind].media_type.startswith("video/"),
            "problem": wrong.get(kind),
        }
        for kind in wanted
        if kind in sheet.documents
    ]


def _address_of(request: InvestorRequest, document: Document) -> str:
    token = documents.link(document=document, user=request.user)  # type: ignore[arg-type]
    return reverse("investors:document", args=[token])


# --- review -----------------------------------------------------------------------------------------------------


def _review(request: InvestorRequest, sheet: Sheet) -> HttpResponse:
    """Everything once more, and the declaration. Confirming sends it."""
    if kyc_requests.missing(sheet):
        messages.info(request, kyc_requests.Incomplete.message)
        return redirect("investors:kyc")
    back = typed.kept(request)
    declared = DECLARED.format(permanent=ANOTHER if sheet.answers.get("permanent_address") else SAME)
    form = kyc_request.ConfirmForm(back.data if back else request.POST or None, text=declared)
    if request.method == "POST":
        if not form.is_valid():
            return typed.again(request)
        typed.forget(request)
        try:
            kyc_requests.confirm(request=sheet.request, actor=request.user, at=clock.now(), declared=declared)  # type: ignore[arg-type]
        except Failure as failure:
            messages.info(request, failure.message)
        return redirect("investors:kyc")
    context = {"form": form, "sheet": sheet, "papers": _papers(request, sheet), **shown(sheet)}
    return render(request, "investors/kyc/review.html", context)


def shown(sheet: Sheet) -> dict[str, Any]:
    """The answers with the words of their lists."""
    answers = sheet.answers
    lists = {
        "gender": kyc_request.GENDERS,
        "marital_status": kyc_request.MARITAL,
        "occupation_type": kyc_request.OCCUPATIONS,
        "country_of_birth": countries(),
    }
    words = {name: dict(choices).get(str(answers.get(name)), "–") for name, choices in lists.items()}
    address, permanent = (_shown_address(answers.get(name)) for name in kyc_steps.ADDRESS_FILES)
    return {"answers": _dated({**answers, **words}), "address": address, "permanent": permanent}


def _shown_address(given: dict[str, Any] | None) -> dict[str, Any]:
    address = dict(given or {})
    address["proof"] = dict(kyc_request.PROOFS).get(str(address.get("proof_type")), "–")
    return _dated(address) if given else {}


def _dated(values: dict[str, Any]) -> dict[str, Any]:
    """The days among them as people read them."""
    days = [name for name in values if name.startswith(("date_", "proof_")) and name.endswith(("_birth", "_date"))]
    return values | {name: day(date.fromisoformat(values[name])) for name in days if values[name]}


# --- files ------------------------------------------------------------------------------------------------------


@never_cache
@require_GET
@investor_page
def document(request: InvestorRequest, token: str) -> HttpResponse:
    """One's own file, shown in the page. 404 for a link that is old, edited or somebody else's."""
    found = documents.behind(token=token, user=request.user)  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return served(found)


def served(found: Document) -> HttpResponse:
    """The file as an answer that runs nothing, is kept nowhere and is never taken for something else."""
    try:
        body, media_type = documents.preview(found)
    except documents.Gone:
        raise Http404 from None
    extension = kyc_request.EXTENSIONS[media_type]
    return HttpResponse(
        body,
        content_type=media_type,
        headers={
            "Content-Disposition": f'inline; filename="{found.code}.{extension}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )
