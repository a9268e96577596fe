"""How a statement of commission is entered: a file, what it would bring, then every line of it."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminFileFieldWidget

from orders.admin.commission_steps import Step, page
from orders.feeds import commission
from orders.models import CommissionLine, CommissionStatement
from orders.operations import commission_statements as statements
from portal import clock
from portal.admin import export, home, show
from portal.errors import Failure
from portal.files import vault

ACT = "orders.act_commissionstatement"
SALT = "orders.commission-statement"
# The vault forgets a file that no row names after an hour.
KEPT_FOR_S = 3_300
GONE = "The file is no longer kept here. Choose it again."
KINDS = dict(CommissionLine.Kind.choices)
NOTE = (
    "CSV with a line of column names, in any order; amounts in rupees, a minus or brackets where something is taken "
    "back. Needed: folio, month, amount, and ISIN, AMFI code or scheme. Without a column of kinds every line is trail. "
    "Our template has all names. Nothing is kept before you have seen what the file brings."
)
LEFT_OUT: tuple[export.Column, ...] = (
    ("Line", lambda each: each.line.number),
    ("Why", lambda each: each.why_not),
    ("Text", lambda each: each.line.text),
)


class FileForm(forms.Form):
    """The file of one registrar or fund house."""

    file = forms.FileField(label="CSV file", widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt"}))


def _actor(request: HttpRequest) -> Any:
    if not request.user.has_perm(ACT):
        raise PermissionDenied
    return request.user


def _url(name: str) -> str:
    return reverse(f"admin:orders_commissionstatement_{name}")


def choose(request: HttpRequest) -> HttpResponse:
    """Choose a file (GET); what it would bring (POST)."""
    actor = _actor(request)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        raw = file.read()
        try:
            outcome = statements.look(raw=raw, at=clock.now())
        except Failure as failure:
            form.add_error("file", failure.message)
        else:
            token = signing.dumps([actor.pk, vault.put(raw), file.name[-120:]], salt=SALT)
            return _dry_run(request, file.name, outcome, token)
    links = [("Template (CSV)", _url("template")), ("Statements", show.list_url(CommissionStatement))]
    step = Step("Look what it brings", _url("choose"), form)
    return page(request, CommissionStatement, "Enter a statement", says=[NOTE], steps=[step], links=links)


def _dry_run(request: HttpRequest, name: str, outcome: statements.Outcome, token: str) -> HttpResponse:
    counts = outcome.counts
    says = [
        f"{name}: of {show.grouped(outcome.lines)} lines {show.grouped(counts.lines)} count, together"
        f" {show.rupees(counts.amount)}; {show.grouped(outcome.bad)} count for nothing yet. Nothing is kept so far."
    ]
    says += [f"Columns that are not used: {', '.join(each[:40] for each in outcome.unused)}."] if outcome.unused else []
    steps = [Step("Enter it", _url("enter"), kept={"token": token})]
    if outcome.bad:
        steps.append(Step("Take the lines that do not count (CSV)", _url("left_out"), kept={"token": token}))
    links = [("Another file", _url("choose"))]
    panels = [_sums(outcome), _bad(outcome)]
    return page(request, CommissionStatement, "What it brings", says=says, steps=steps, panels=panels, links=links)


def _sums(outcome: statements.Outcome) -> home.Panel:
    rows = [
        [house, KINDS[kind], show.grouped(each.lines), *map(show.rupees, (each.amount, each.gst, each.tds))]
        for (kind, house), each in sorted(outcome.sums.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    return home.Panel("What counts", ("Fund house", "Kind", "Lines", "Amount", "GST", "TDS"), rows, "No line counts.")


def _bad(outcome: statements.Outcome) -> home.Panel:
    rows = [[str(each.line.number), each.why_not, show.cut(each.line.text)] for each in outcome.first_bad]
    shown = len(rows)
    note = f"The first {shown} of {show.grouped(outcome.bad)}; the file has all." if outcome.bad > shown else ""
    note = f"They are kept with the file; what was not found is looked for again every hour. {note}" if rows else ""
    return home.Panel("What does not count", ("Line", "Why", "Text"), rows, "Every line counts.", note=note)


def _kept(request: HttpRequest) -> tuple[str, str, bytes] | None:
    """Name in the vault, name of the file and its bytes; None where it is gone, or was somebody else's."""
    try:
        owner, kept, name = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=KEPT_FOR_S)
        return (kept, name, vault.get(kept)) if owner == request.user.pk else None
    except (signing.BadSignature, FileNotFoundError, InvalidToken):
        return None


def _gone(request: HttpRequest) -> HttpResponse:
    messages.warning(request, GONE)
    return redirect(_url("choose"))


def enter(request: HttpRequest) -> HttpResponse:
    """Every line of the file that was looked at stands."""
    actor, kept = _actor(request), _kept(request)
    if kept is None:
        return _gone(request)
    stored, name, raw = kept
    try:
        row = statements.enter(name=name, raw=raw, actor=actor, at=clock.now())
    except Failure as failure:
        messages.warning(request, failure.message)
        known = statements.standing(raw)
        return redirect(show.change_url(CommissionStatement, known.pk) or "admin:index" if known else _url("choose"))
    vault.remove(stored)
    messages.success(request, f"{row.code} is entered, with all its lines.")
    return redirect(show.change_url(CommissionStatement, row.pk) or "admin:index")


def left_out(request: HttpRequest) -> HttpResponse:
    """All lines that count for nothing, as a file: no more than whoever asks has just brought."""
    _actor(request)
    kept = _kept(request)
    if kept is None:
        return _gone(request)
    found = statements.left_out(raw=kept[2], at=clock.now())
    return export.answer("lines-that-do-not-count", LEFT_OUT, found)


def template(request: HttpRequest) -> HttpResponse:
    """Our template with its column names."""
    _actor(request)
    head, *rows = commission.template()
    columns: list[export.Column] = [(name, lambda row, n=n: row[n]) for n, name in enumerate(head)]  # type: ignore[misc]
    return export.answer("commission-statement", columns, rows)
