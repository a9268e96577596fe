"""Bank accounts: all of them, a further one, another main one, closing one; each by a one-time code."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from investors import bank_facts, change_refusals, change_words, gateway, lifecycle, merged_banks
from investors.access import InvestorRequest, client_ip, ready_investor_page
from investors.changes import RULES
from investors.forms.accounts import AccountForm, ChequeForm
from investors.models import BankAccount, ChangeRequest, Consent
from investors.operations import bank_accounts, changes
from investors.views import confirming
from investors.views.changes import not_here
from portal import clock, identifiers, typed
from portal.errors import Failure, InvalidInput

What = ChangeRequest.What
BANK_CHANGES = (What.BANK_ACCOUNT, What.PRIMARY_BANK)
TONES = {
    lifecycle.COOLING: "waiting",
    lifecycle.CHECKING: "waiting",
    lifecycle.SENDING: "waiting",
    lifecycle.DONE: "done",
    lifecycle.WITHDRAWN: "neutral",
    lifecycle.REFUSED: "failed",
}


@require_safe
@never_cache
@ready_investor_page
def banks(request: InvestorRequest) -> HttpResponse:
    """All accounts with how each is verified and used, what is on its way, and what was closed."""
    at = clock.now()
    accounts = BankAccount.objects.filter(investor=request.investor).order_by("closed_at", "-is_primary", "id")
    rows: list[dict[str, Any]] = [
        {
            "account": each,
            "facts": bank_facts.of(each.ifsc),
            "merged": merged_banks.what_it_means(each.ifsc),
            "waits": each.payout_from if each.payout_from and each.payout_from > at else None,
            "why_not_close": bank_accounts.why_not_close(each),
            "form_ref": identifiers.new_client_ref(),
        }
        for each in accounts
    ]
    mine = ChangeRequest.objects.filter(investor=request.investor, what__in=BANK_CHANGES)
    shown = mine.exclude(state=lifecycle.ASKED).order_by("-id")[:20]
    context = {
        "rows": [row for row in rows if row["account"].closed_at is None],
        "closed": [row for row in rows if row["account"].closed_at],
        "changes": [
            {
                "change": each,
                "tone": TONES[each.state],
                "open": _may_withdraw(each),
                "cheque": _wants_cheque(each),
                "again": each.state == lifecycle.REFUSED and change_refusals.by_field(each, What.BANK_ACCOUNT),
            }
            for each in shown
        ],
    }
    return render(request, "investors/banks/list.html", context)


def _wants_cheque(change: ChangeRequest) -> bool:
    return change.what == What.BANK_ACCOUNT and change.state == lifecycle.CHECKING and change.paper_id is None


def _may_withdraw(change: ChangeRequest) -> bool:
    return lifecycle.CHANGE.allows(change.state, lifecycle.WITHDRAWN)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def add(request: InvestorRequest) -> HttpResponse:
    """A further account: its branch is looked up, the holder is compared; nothing is added before the code."""
    if request.method == "POST":
        return _asked(request, AccountForm(request.POST, investor=request.investor))
    back = typed.kept(request, once=True)
    refused = None if back else _newest_refused(request)
    first = {"form_ref": identifiers.new_client_ref(), "holder_name": request.investor.name, **_typed_before(refused)}
    form = AccountForm(back.data if back else None, investor=request.investor, initial=first)
    if back:
        back.show_in(form)
    elif refused:
        form.show_refused(change_refusals.by_field(refused, What.BANK_ACCOUNT))
    ifsc = str(form["ifsc"].value() or "").strip().upper()
    context = {
        "form": form,
        "branch": {"found": gateway.known_branch(ifsc), "instead": gateway.known_new_code(ifsc)} if ifsc else {},
        "wait_days": RULES[What.BANK_ACCOUNT].payouts_wait.days,
        "refused": refused and not_here(refused),
    }
    return render(request, "investors/banks/add.html", context)


def _newest_refused(request: InvestorRequest) -> ChangeRequest | None:
    """The newest account that was to be added, where FP has refused something of it."""
    mine = ChangeRequest.objects.filter(investor=request.investor, what=What.BANK_ACCOUNT)
    newest = mine.exclude(state=lifecycle.ASKED).order_by("-id").first()
    return newest if newest and newest.state == lifecycle.REFUSED and newest.refusal else None


def _typed_before(change: ChangeRequest | None) -> dict[str, str]:
    """What was asked for, without the number: that is shown nowhere again, and typed twice for good reason."""
    after = json.loads(change.after) if change else {}
    return {name: after[name] for name in ("ifsc", "kind", "holder_name") if name in after}


def _asked(request: InvestorRequest, form: AccountForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        names = ("ifsc", "number", "kind", "holder_name", "form_ref")
        answers = {name: form.cleaned_data[name] for name in names}
        try:
            consent = bank_accounts.ask_to_add(
                investor=request.investor, **answers, ip=client_ip(request), at=clock.now()
            )
            return redirect("investors:bank_confirm", code=consent.code)
        except InvalidInput as error:
            errors = {error.field if error.field in form.fields else "": error.message}
        except Failure as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


@require_POST
@never_cache
@ready_investor_page
def make_primary(request: InvestorRequest, code: str) -> HttpResponse:
    """Ask for the code that makes this the main account."""
    return _ask_about(request, code, bank_accounts.ask_to_make_primary)


@require_POST
@never_cache
@ready_investor_page
def close(request: InvestorRequest, code: str) -> HttpResponse:
    """Ask for the code that closes this account."""
    return _ask_about(request, code, bank_accounts.ask_to_close)


def _ask_about(request: InvestorRequest, code: str, ask) -> HttpResponse:  # type: ignore[no-untyped-def]
    account = get_object_or_404(BankAccount, code=code, investor=request.investor)
    account.investor = request.investor
    ref = str(request.POST.get("form_ref", ""))[:40] or identifiers.new_client_ref()
    try:
        consent = ask(account=account, form_ref=ref, ip=client_ip(request), at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect("investors:banks")
    return redirect("investors:bank_confirm", code=consent.code)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def confirm(request: InvestorRequest, code: str) -> HttpResponse:
    """The change once more, and the one-time code that sets it going."""
    consent = get_object_or_404(Consent, code=code, investor=request.investor, purpose=Consent.Purpose.CHANGE)
    if consent.given_at:
        return redirect("investors:banks")
    closes = consent.shown.get("act") == bank_accounts.CLOSE

    def act(otp: str) -> str:
        at, ip = clock.now(), client_ip(request)
        if closes:
            bank_accounts.confirm_close(investor=request.investor, code=code, otp=otp, ip=ip, at=at)
        else:
            changes.confirm(investor=request.investor, code=code, otp=otp, ip=ip, at=at)
        return reverse("investors:banks")

    button = "Close the account" if closes else "Confirm the change"
    what = confirming.Confirming(
        "Confirm the change", "You are about to change", button, reverse("investors:banks"), act, danger=closes
    )
    return confirming.page(request, consent, what)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def cheque(request: InvestorRequest, code: str) -> HttpResponse:
    """A cancelled cheque as the proof of an account, or of one that is being added."""
    names = {"code": code, "investor": request.investor}
    account = BankAccount.objects.filter(**names, closed_at=None).first()
    waits = ChangeRequest.objects.filter(**names, what=What.BANK_ACCOUNT, state=lifecycle.CHECKING).first()
    if account is None and waits is None:
        raise Http404
    if request.method == "POST":
        return _cheque_sent(request, code)
    back = typed.kept(request, once=True)
    form = ChequeForm(back.data if back else None)
    if back:
        back.show_in(form)
    bank = str(account) if account else f"{change_words.of(waits, masked=change_words.OWNER)[0].after}"  # type: ignore[arg-type]
    return render(request, "investors/banks/cheque.html", {"form": form, "bank": bank})


def _cheque_sent(request: InvestorRequest, code: str) -> HttpResponse:
    file = request.FILES.get("cheque")
    if file is None:
        return typed.again(request, errors={"cheque": "Choose the photo or the scan of the cheque first."})
    name, data = file.name or "", file.read()
    try:
        bank_accounts.send_cheque(investor=request.investor, code=code, name=name, data=data, at=clock.now())
    except InvalidInput as refusal:
        return typed.again(request, errors={"cheque": refusal.message})
    except Failure as refusal:
        messages.warning(request, refusal.message)
    else:
        messages.success(request, "We have your cheque. Somebody here compares it with the account.")
    return redirect("investors:banks")


@require_POST
@never_cache
@ready_investor_page
def withdraw(request: InvestorRequest, code: str) -> HttpResponse:
    """Stop a change that is not passed on yet."""
    change = get_object_or_404(ChangeRequest, code=code, investor=request.investor, what__in=BANK_CHANGES)
    try:
        changes.withdraw(change=change, at=clock.now())
        messages.info(request, "Withdrawn. Nothing was changed.")
    except Failure as refusal:
        messages.warning(request, refusal.message)
    return redirect("investors:banks")
