"""What partners ask the investor to approve: the list, and one request where each line is decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from investors.models import Consent
from orders import calendar
from orders.models import Approval, ApprovalLine
from orders.operations import approvals
from orders.operations.approval_checks import new_account
from orders.queries import approvals as queries
from orders.redemption_rules import Asked
from portal import arns, clock, identifiers, money
from portal.errors import Failure

Kind = ApprovalLine.Kind
# How states look (`portal_tags.state`) and read.
STATES = {
    queries.OPEN: ("needs", "For you to decide"),
    queries.DECIDED: ("done", "Decided"),
    queries.EXPIRED: ("neutral", "Expired"),
    queries.WITHDRAWN: ("neutral", "Withdrawn"),
    queries.ENDED: ("neutral", "Ended"),
}
LINES = {
    queries.WAITING: ("needs", "Waiting for you"),
    queries.APPROVED: ("done", "Approved"),
    queries.DECLINED: ("neutral", "Declined"),
    queries.EXPIRED: ("neutral", "Expired"),
    queries.WITHDRAWN: ("neutral", "Withdrawn"),
    queries.ENDED: ("neutral", "Ended"),
}
# Why a request ended before its time, after the name of the firm.
ENDED: dict[str, str] = {
    Approval.Ended.LEFT: "no longer looks after you",
    Approval.Ended.STOPPED: "no longer works with us",
    Approval.Ended.CLOSED: "no longer has the connection to us by which this was asked",
}
# New business of a partner whose ARN has ended meanwhile.
NOT_NOW = ("neutral", "Not possible now")


@require_safe
@never_cache
@investor_page
def approval_list(request: InvestorRequest) -> HttpResponse:
    """Everything that partners have asked, newest first."""
    at, found = clock.now(), list(queries.of_investor(request.investor)[:50])
    lines = queries.lines_of(found, at)
    rows = [_row(each, [line for line in lines if line.line.approval_id == each.pk], at) for each in found]
    return render(request, "orders/approvals.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def approval(request: InvestorRequest, code: str) -> HttpResponse:
    """One request: who asks what and why, until when, and each line with its buttons."""
    found = get_object_or_404(queries.of_investor(request.investor), code=code)
    found.investor = request.investor
    at = clock.now()
    if request.method == "POST":
        return _decided(request, found)
    if found.seen_at is None:
        Approval.objects.filter(pk=found.pk, seen_at=None).update(seen_at=at)
    lines = queries.lines_of([found], at)
    new = [line for line in lines if line.is_open and line.line.kind in approvals.NEW_BUSINESS]
    ended = arns.why_not_on_their_request(found.partner_id, at.date()) if new else ""
    buys = [line for line in new if line.line.kind == Kind.PURCHASE and not ended]
    shown = [_line(each, ended) for each in lines]
    context = {**_row(found, lines, at), "lines": shown, "buys": len(buys)}
    return render(request, "orders/approval.html", context)


def _decided(request: InvestorRequest, found: Approval) -> HttpResponse:
    """The button that was pressed, by its name. A refusal is said on the page; nothing was ordered then."""
    act = next((name for name in _ACTS if name in request.POST), "")
    try:
        return _ACTS[act](request, found) if act else redirect("orders:approval", found.code)
    except Failure as refusal:
        messages.error(request, refusal.message)
        return redirect("orders:approval", found.code)


def _numbers(request: InvestorRequest, name: str) -> list[int]:
    keys = [identifiers.row_key(text) for text in request.POST.getlist(name)]
    return [key for key in keys if key is not None and key < approvals.MOST_LINES]


def _buy(request: InvestorRequest, found: Approval) -> HttpResponse:
    chosen = _numbers(request, "line")
    if not chosen:
        messages.error(request, "Tick what you want to buy. Nothing was ordered.")
        return redirect("orders:approval", found.code)
    approvals.to_cart(approval=found, numbers=chosen, at=clock.now())
    messages.info(request, "These stand in your cart now. Nothing is ordered until you confirm them with your code.")
    return redirect("orders:cart")


def _confirm(request: InvestorRequest, found: Approval) -> HttpResponse:
    [number] = _numbers(request, "confirm")[:1] or [-1]
    consent = approvals.confirm(approval=found, number=number, ip=client_ip(request), at=clock.now())
    return redirect(_CONFIRMED_ON[Consent.Purpose(consent.purpose)], consent.code)


_CONFIRMED_ON = {
    Consent.Purpose.REDEMPTION: "orders:confirm_sale",
    Consent.Purpose.SIP: "orders:confirm_sip",
    Consent.Purpose.MANDATE: "investors:mandate_confirm",
    Consent.Purpose.CHANGE: "investors:bank_confirm",
}


def _stop(request: InvestorRequest, found: Approval) -> HttpResponse:
    [number] = _numbers(request, "stop")[:1] or [-1]
    approvals.stop(approval=found, number=number, at=clock.now())
    messages.success(request, "It is asked for. The SIP's page shows how far it is.")
    return redirect("orders:approval", found.code)


def _decline(request: InvestorRequest, found: Approval) -> HttpResponse:
    approvals.decline(approval=found, numbers=_numbers(request, "decline"), at=clock.now())
    messages.info(
        request, "Declined. Nothing of it was ordered or stands in your cart. The partner sees that you declined."
    )
    return redirect("orders:approval", found.code)


def _invest(request: InvestorRequest, found: Approval) -> HttpResponse:
    """To the basket's own form, with what the partner proposes in it."""
    [number] = _numbers(request, "invest")[:1] or [-1]
    line = approvals.basket(approval=found, number=number, at=clock.now())
    page = reverse("brokers:invest", args=[line.basket.slug if line.basket else ""])
    return redirect(f"{page}?{urlencode({'asked': line.form_ref})}")


_ACTS: dict[str, Callable[[InvestorRequest, Approval], HttpResponse]] = {
    "buy": _buy,
    "confirm": _confirm,
    "invest": _invest,
    "stop": _stop,
    "decline": _decline,
}


def _row(found: Approval, lines: list[queries.Line], at: Any) -> dict[str, Any]:
    kind, words = STATES[queries.state_of(found, lines, at)]
    return {
        "approval": found,
        "kind": kind,
        "words": words,
        "what": [_what(each.line) for each in lines],
        "ended_why": ENDED.get(found.ended_why, ""),
    }


def _line(found: queries.Line, ended: str) -> dict[str, Any]:
    ended = ended if found.line.kind in approvals.NEW_BUSINESS else ""
    in_cart = found.is_open and found.line.cart_line_id is not None
    kind, words = NOT_NOW if ended and found.is_open and not in_cart else LINES[found.state]
    return {
        "line": found.line,
        "what": _what(found.line),
        "kind": kind,
        "words": words,
        "is_open": found.is_open,
        "act": _ACT_OF[Kind(found.line.kind)],
        "ended": ended,
        "stop": _STOP.get(Kind(found.line.kind), ""),
        "order": found.order,
        "plan": found.plan or (found.line.plan if found.change else None),
        "mandate": found.mandate,
        "basket_order": found.basket_order,
        "account": new_account(found.line) if found.is_open else None,
        "in_cart": in_cart,
    }


_ACT_OF = {
    Kind.PURCHASE: "",
    Kind.REDEMPTION: "confirm",
    Kind.SIP: "confirm",
    Kind.SIP_SKIP: "stop",
    Kind.SIP_CANCEL: "stop",
    Kind.MANDATE: "confirm",
    Kind.BANK_ACCOUNT: "confirm",
    Kind.BASKET: "invest",
}
# What takes no code is done at once, so its button says what.
_STOP = {Kind.SIP_SKIP: "Skip this instalment", Kind.SIP_CANCEL: "End this SIP"}


def _what(line: ApprovalLine) -> str:
    """The line in one sentence."""
    scheme = line.scheme.name if line.scheme else line.plan.scheme.name if line.plan else ""
    amount = money.rupees(line.amount) if line.amount else ""
    if line.kind == Kind.PURCHASE:
        return f"Buy {amount} of {scheme}"
    if line.kind == Kind.REDEMPTION:
        return f"Sell {Asked(line.amount, line.units, line.is_all).in_words} of {scheme}, folio {line.folio_number}"
    if line.kind == Kind.SIP:
        return f"Start a SIP: {amount} a month in {scheme}, {line.instalments} instalments, day {line.start_day}"
    if line.kind == Kind.MANDATE:
        return f"Give a mandate: debits of up to {amount} from {line.bank_account}"
    if line.kind == Kind.BANK_ACCOUNT:
        return f"Add your bank account ending in {line.last_four}"
    if line.kind == Kind.BASKET and line.basket:
        return f"Invest {amount} in the basket {line.basket.name}"
    if line.kind == Kind.SIP_SKIP and line.on:
        return f"Skip the instalment of {calendar.in_words(line.on)} of the SIP in {scheme}"
    return f"End the SIP in {scheme}"
