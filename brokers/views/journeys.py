"""A journey: its page, the way to the broker, and the way back. What comes back is stored and never believed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import queries as accounts
from brokers import registry, ways
from brokers.forms import ProofForm
from brokers.operations import journeys, silence
from brokers.views import native
from brokers.views.accounts import JOURNEY
from investors.access import InvestorRequest, client_ip, investor_page, ready_investor_page
from orders import lifecycle, stock_words
from orders.models import BasketOrder, StockChange, StockOrder
from orders.operations import baskets, stock_changes
from orders.queries import baskets as queries
from orders.queries import investor_cases, missing
from orders.views import cases
from portal import clock, gates, hints, identifiers, jobs, money, typed
from portal.errors import Failure, InvalidInput

# While an investor watches an open journey, the broker is asked about it at most this often.
ASK_EVERY_S = 4
PAGE = 20
# Label and help of the paper's field where the investor says that nothing was placed.
NOTHING_PLACED = (
    "Your broker's order book",
    "A picture of the orders of that day in your broker's app or on its site, with your client code, which shows no "
    "such order; or what your broker wrote to you about it. JPG, PNG or PDF, at most 5 MB.",
)
# Did they say that nothing was placed? -> what happens with the paper.
WE_HAVE_IT = {
    False: "We have it. Somebody here looks at it and settles the order.",
    True: "We have it. Somebody here looks at it; if it shows that nothing was placed, the order is closed.",
}


def _own(request: InvestorRequest, code: str) -> BasketOrder:
    order = queries.order_of(investor=request.investor, code=code)
    if order is None:
        raise Http404
    return order


@require_safe
@never_cache
@investor_page
def order(request: InvestorRequest, code: str) -> HttpResponse:
    """One journey: where it stands, share by share, and what to do. It refreshes itself while it is open."""
    found = _own(request, code)
    lines = queries.lines_of(found)
    is_open = found.state in (lifecycle.HANDED_OVER, lifecycle.PLACED)
    if is_open and hints.first(f"asked-basket-{found.pk}", ASK_EVERY_S):
        jobs.nudge("brokers.advance", row_id=found.pk)
    capability = registry.capability(found.broker)
    with_broker = found.state == lifecycle.HANDED_OVER
    account, may_go = accounts.account_for(found), found.state in (lifecycle.CREATED, lifecycle.HANDED_OVER)
    may_go = may_go and not capability.native
    must_log_in = capability.needs_link and not (account and account.session_at(clock.now()))
    standing = native.standing(found, lines, account, clock.now()) if capability.native else None
    given_up = missing.given_up(found) if found.state == lifecycle.COMPLETE else set()
    context = {
        "order": found,
        "name": stock_words.name(found, lines),
        "words": stock_words.LOGIN_ENDED
        if standing and standing.needs_login and is_open
        else stock_words.of(found, lines, placed_here=capability.native, given_up=given_up),
        "is_open": is_open,
        "may_go": may_go and not must_log_in,
        "must_log_in": may_go and must_log_in,
        "native": standing,
        "ended": stock_words.ending(found.failure_code) if found.failure_code and not is_open else "",
        "rows": _native_rows(found, lines)
        if capability.native
        else [_row(line, with_broker=with_broker) for line in lines],
        "total": _total(lines),
        "may_repair": _may_repair(found, lines, given_up),
        "left_reasons": BasketOrder.LeftWhy.choices,
        "may_begin_again": found.state in (lifecycle.CANCELLED, lifecycle.EXPIRED),
        "capability": capability,
        "account": account,
        "account_gone": bool(found.broker_account_ref) and account is None,
        "silent": silence.is_silent(found),
        "ask": silence.should_ask(found, clock.now()),
        "proof_sent_at": silence.proof_sent_at(found),
    }
    if not request.headers.get("HX-Request"):
        context["cases"] = cases.cards(investor_cases.of_journey(found, [line.pk for line in lines]))
        return render(request, "brokers/order.html", context)
    response = render(request, "brokers/_order_status.html", context)
    if not is_open:
        response["HX-Refresh"] = "true"
    return response


def _native_rows(found: BasketOrder, lines: list[StockOrder]) -> list[dict[str, Any]]:
    """The same where an open share can be changed here, with what became of the newest instruction about it."""
    asked = queries.newest_changes(found)
    return [
        {
            **_row(line),
            "change_code": line.code if line.state in stock_changes.OPEN and line.exchange_ref else "",
            "is_unknown": line.is_unknown,
            **_instructed(line, asked.get(line.pk)),
        }
        for line in lines
    ]


def _instructed(line: StockOrder, change: StockChange | None) -> dict[str, str]:
    """What to say of an instruction; a cancellation that was carried out is the reason why a share ended."""
    if change is None:
        return {}
    carried_out = change.kind == StockChange.Kind.CANCEL and change.state == lifecycle.DONE
    if carried_out and line.state == lifecycle.FILLED:
        # The broker took the instruction, and the exchange was faster.
        return {}
    if carried_out:
        return {"reason": stock_words.BY_INVESTOR, "code": ""}
    return {"instruction": stock_words.instruction(change)}


def _row(line: StockOrder, *, with_broker: bool = False) -> dict[str, Any]:
    """`with_broker`: the person was taken to the broker, who has not told what became of it."""
    is_untold = with_broker and line.state == lifecycle.PENDING
    kind, word = stock_words.UNTOLD if is_untold else stock_words.LINE[line.state]
    return {
        "name": line.security.name,
        "symbol": line.security.symbol,
        "side": line.get_side_display(),
        "quantity": line.quantity,
        "filled": line.filled,
        "price": line.average_price,
        "kind": kind,
        "word": word,
        "reason": stock_words.reason(line),
        "code": line.failure_code if line.state in (lifecycle.REJECTED, lifecycle.CANCELLED) else "",
    }


def _total(lines: list[StockOrder]) -> dict[str, Any]:
    spent = {side: sum((line.filled * (line.average_price or 0) for line in lines if line.side == side), money.ZERO)
             for side in (StockOrder.Side.BUY, StockOrder.Side.SELL)}  # fmt: skip
    return {"bought": spent[StockOrder.Side.BUY], "sold": spent[StockOrder.Side.SELL]}


def _may_repair(found: BasketOrder, lines: list[StockOrder], given_up: set[int]) -> bool:
    wanted = found.state == lifecycle.COMPLETE and not found.left_at and stock_words.may_be_repaired(lines, given_up)
    return wanted and queries.repair_of(found) is None


@require_safe
@investor_page
def order_list(request: InvestorRequest) -> HttpResponse:
    """The investor's journeys, newest first."""
    before = request.GET.get("before", "")
    found = queries.orders_of(request.investor, before=identifiers.row_key(before), size=PAGE + 1)
    context = {
        "rows": [
            {
                "order": each,
                "name": stock_words.name(each, [] if each.basket_id else list(each.lines.all())),
                "words": stock_words.in_a_list(each.state, has_some=each.has_some, lacks_some=each.lacks_some),  # type: ignore[attr-defined]
            }
            for each in found[:PAGE]
        ],
        "next_url": f"?{urlencode({'before': found[PAGE - 1].pk})}" if len(found) > PAGE else "",
        "first_url": "?" if before else "",
    }
    return render(request, "brokers/orders.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@ready_investor_page
def go(request: InvestorRequest, code: str) -> HttpResponse:
    """Prepare the journey at the broker and take the investor there. Nothing is ordered before they confirm there."""
    found = _own(request, code)
    if request.method == "POST" and registry.native(found.broker):
        return native.place(request, found)
    if request.method == "GET" or found.state not in (lifecycle.CREATED, lifecycle.HANDED_OVER):
        return redirect("brokers:order", code=code)
    try:
        _, prepared = journeys.prepare(order_id=found.pk, at=clock.now())
    except (Failure, gates.GateClosed) as refusal:
        messages.warning(request, getattr(refusal, "message", str(refusal)))
        return redirect("brokers:order", code=code)
    if prepared.page_url:
        # The way back from a broker's page may not say which order it was about.
        request.session[JOURNEY] = found.code
    return ways.onward(found, prepared)


@require_safe
@never_cache
@ready_investor_page
def window(request: InvestorRequest, code: str) -> HttpResponse:
    """Our page with smallcase's window, for a journey that is prepared there."""
    found = _own(request, code)
    if found.broker != "smallcase" or found.state != lifecycle.HANDED_OVER:
        return redirect("brokers:order", code=code)
    return ways.smallcase_window(request, found)


@require_POST
@never_cache
@ready_investor_page
def again(request: InvestorRequest, code: str) -> HttpResponse:
    """A journey that came to nothing is begun anew, with the same lines and the same broker."""
    found = _own(request, code)
    if found.state not in (lifecycle.CANCELLED, lifecycle.EXPIRED):
        return redirect("brokers:order", code=code)
    try:
        fresh = baskets.open_journey(
            investor=request.investor,
            broker=found.broker,
            intent=found.intent,
            account_ref=found.broker_account_ref if registry.capability(found.broker).needs_link else "",
            lines=baskets.lines_again(found),
            # One fresh journey per journey that came to nothing: a double click finds the first.
            form_ref=f"AGAIN{found.client_ref[:15]}",
            version=found.version,
            repairs=found.repairs,
            user_ip=client_ip(request),
            at=clock.now(),
        )
    except Failure as refusal:
        messages.warning(request, refusal.message)
        return redirect("brokers:order", code=code)
    return redirect("brokers:order", code=fresh.code)


@require_POST
@never_cache
@investor_page
def back(request: InvestorRequest, code: str) -> HttpResponse:
    """The broker's window has ended in the browser: whatever it says, the broker is asked."""
    found = _own(request, code)
    said = str(request.POST.get("code", ""))[:60]
    with transaction.atomic():
        jobs.nudge("brokers.advance", row_id=found.pk)
    if said in stock_words.BEFORE_ANYTHING:
        messages.info(request, stock_words.ending(said))
    return JsonResponse({"next": reverse("brokers:order", args=[code])})


@require_POST
@never_cache
@investor_page
def says(request: InvestorRequest, code: str) -> HttpResponse:
    """What the investor answers where the broker never tells: kept as a statement; it moves nothing."""
    _own(request, code)
    baskets.investor_says(investor=request.investor, code=code, answer=request.POST.get("answer", ""), at=clock.now())
    messages.info(request, "Thank you. We have noted it, and go on asking your broker.")
    return redirect("brokers:order", code=code)


@require_http_methods(["GET", "POST"])
@never_cache
@investor_page
def proof(request: InvestorRequest, code: str) -> HttpResponse:
    """The broker's own paper about an order of which it tells us nothing. It goes to a person and moves nothing."""
    found = _own(request, code)
    if not silence.is_silent(found):
        return redirect("brokers:order", code=code)
    if request.method == "POST":
        return _proof_sent(request, found)
    back = typed.kept(request, once=True)
    form = ProofForm(back.data if back else None)
    nothing = found.investor_says == "no"
    if nothing:
        form.fields["proof"].label, form.fields["proof"].help_text = NOTHING_PLACED
    if back:
        back.show_in(form)
    return render(request, "brokers/proof.html", {"form": form, "order": found, "nothing": nothing})


def _proof_sent(request: InvestorRequest, found: BasketOrder) -> HttpResponse:
    file = request.FILES.get("proof")
    if file is None:
        return typed.again(request, errors={"proof": "Choose the photo, scan or PDF first."})
    name, data = file.name or "", file.read()
    try:
        silence.send_proof(investor=request.investor, code=found.code, name=name, data=data, at=clock.now())
    except InvalidInput as refusal:
        return typed.again(request, errors={"proof": refusal.message})
    except Failure as refusal:
        messages.warning(request, refusal.message)
    else:
        messages.success(request, WE_HAVE_IT[found.investor_says == "no"])
    return redirect("brokers:order", code=found.code)
