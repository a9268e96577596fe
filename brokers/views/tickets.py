"""The order ticket for one share, and the page on which an open order is changed or cancelled."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from brokers import queries as accounts
from brokers import registry
from brokers.models import BrokerAccount
from brokers.operations import tickets
from brokers.ticket_forms import AFTER_MARKET, NOW, ChangeForm, TicketForm
from investors.access import InvestorRequest, client_ip, ready_investor_page
from orders import lifecycle, market, stock_words
from orders.models import Security, StockChange, StockOrder
from orders.operations import quotes, stock_changes
from orders.queries import baskets as queries
from orders.queries import quotes as quote_queries
from orders.queries import schemes as scheme_queries
from orders.views import prices
from portal import clock, gates, identifiers, jobs, typed
from portal.errors import Failure, InvalidInput

# Seconds between two looks at the price while the ticket is open.
LOOK_EVERY_S = 5


def _accounts(request: InvestorRequest) -> list[BrokerAccount]:
    return [each for each in accounts.accounts_of(request.investor) if registry.native(each.broker)]


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def ticket(request: InvestorRequest, isin: str) -> HttpResponse:
    """Write an order for one share, look at what it needs, then send it."""
    share = quote_queries.share(isin)
    if share is None or not share.is_active:
        raise Http404
    mine = _accounts(request)
    choices = [(each.code, str(each)) for each in mine]
    if request.method == "POST":
        form = TicketForm(request.POST, accounts=choices)
        return _sent(request, share, form, {each.code: each for each in mine})
    at, back = clock.now(), typed.kept(request, once=True)
    hours = market.hours(at, scheme_queries.holidays())
    side = request.GET.get("side", StockOrder.Side.BUY)
    first = {
        "form_ref": identifiers.new_client_ref(),
        "side": side if side in StockOrder.Side.values else StockOrder.Side.BUY,
        "kind_of_order": StockOrder.Kind.MARKET,
        "product": StockOrder.Product.DELIVERY,
        "when": NOW if hours.is_open else AFTER_MARKET,
        "account": choices[0][0] if choices else None,
    }
    form = TicketForm(back.data if back else None, accounts=choices, initial=first)
    if back:
        back.show_in(form)
    quotes.want(security_ids=[share.pk], at=at, investor_id=request.investor.pk, depth=True)
    context = {
        "share": share,
        "form": form,
        "price": prices.of(share),
        "book": prices.book(share),
        "market": hours,
        "look_every_s": LOOK_EVERY_S,
        "accounts": mine,
        "logged_in": [each for each in mine if each.session_at(at)],
    }
    return render(request, "brokers/ticket.html", context)


def _sent(request: InvestorRequest, share: Security, form: TicketForm, mine: dict[str, BrokerAccount]) -> HttpResponse:
    """A good ticket is checked and shown once more; one that was looked at is checked again and placed.

    Who goes back from there finds what they typed.
    """
    errors: dict[str, str] = {}
    if request.POST.get("confirmed") != "back" and form.is_valid():
        account, line, at = mine[form.cleaned_data["account"]], form.line(share.pk), clock.now()
        try:
            checked = tickets.check(account=account, security=share, line=line, at=at)
            if request.POST.get("confirmed") != "yes":
                return _review(request, share, form, account, checked)
            order = tickets.place(
                investor=request.investor,
                account=account,
                line=line,
                form_ref=form.cleaned_data["form_ref"],
                user_ip=client_ip(request),
                at=at,
            )
            return redirect("brokers:order", code=order.code)
        except tickets.SentBefore as error:
            messages.warning(request, error.message)
            return redirect("brokers:order", code=error.order.code)
        except InvalidInput as error:
            errors = {error.field: error.message}
        except (Failure, gates.GateClosed) as error:
            errors = {"": error.message}
    return typed.again(request, errors=errors)


def _review(
    request: InvestorRequest, share: Security, form: TicketForm, account: BrokerAccount, checked: tickets.Checked
) -> HttpResponse:
    said = form.cleaned_data
    context = {
        "share": share,
        "account": account,
        "checked": checked,
        "is_sale": said["side"] == StockOrder.Side.SELL,
        "said": said,
        "kind": StockOrder.Kind(said["kind_of_order"]).label,
        "product": StockOrder.Product(said["product"]).label,
        "when": dict(form.fields["when"].choices)[said["when"]],  # type: ignore[attr-defined]
        "typed": {name: request.POST.get(name, "") for name in form.fields},
    }
    return render(request, "brokers/ticket_review.html", context)


# --- An order that is open --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@ready_investor_page
def change(request: InvestorRequest, code: str) -> HttpResponse:
    """Other numbers for an open share order, or its end."""
    line = queries.line_of(investor=request.investor, code=code)
    if line is None or registry.native(line.basket_order.broker) is None:
        raise Http404
    if request.method == "POST":
        return _asked(request, line)
    back = typed.kept(request, once=True)
    first = {
        "form_ref": identifiers.new_client_ref(),
        "quantity": line.quantity,
        "price": line.price,
        "trigger": line.trigger,
    }
    form = ChangeForm(back.data if back else None, line=line, initial=first)
    if back:
        back.show_in(form)
    under_way = line.changes.filter(state=lifecycle.SUBMITTING).first()
    context = {
        "line": line,
        "form": form,
        "is_open": line.state in stock_changes.OPEN and bool(line.exchange_ref) and under_way is None,
        "under_way": under_way,
        "word": stock_words.LINE[line.state],
        "cancel_ref": identifiers.new_client_ref(),
    }
    return render(request, "brokers/change.html", context)


def _asked(request: InvestorRequest, line: StockOrder) -> HttpResponse:
    cancels = request.POST.get("act") == "cancel"
    form = ChangeForm(request.POST, line=line)
    errors: dict[str, str] = {}
    if cancels or form.is_valid():
        try:
            _ask(request, line, StockChange.Kind.CANCEL if cancels else StockChange.Kind.MODIFY, form)
        except InvalidInput as error:
            errors = {error.field: error.message}
        except Failure as error:
            messages.warning(request, error.message)
            return redirect("brokers:order", code=line.basket_order.code)
        else:
            messages.info(request, "Your instruction is on its way to your broker. The outcome appears here.")
            return redirect("brokers:order", code=line.basket_order.code)
    return typed.again(request, errors=errors)


def _ask(request: InvestorRequest, line: StockOrder, kind: str, form: ChangeForm) -> None:
    numbers: dict[str, Any] = {}
    if kind == StockChange.Kind.MODIFY:
        numbers = {name: form.cleaned_data.get(name) for name in ("quantity", "price", "trigger")}
    ref = str(request.POST.get("form_ref", ""))[:20]
    with transaction.atomic():
        asked = stock_changes.ask(
            investor=request.investor, line_code=line.code, kind=kind, form_ref=ref, at=clock.now(), **numbers
        )
        jobs.nudge("brokers.change", row_id=asked.pk)
