"""What a broker says of an account: holdings, positions and orders of the day, each with its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from brokers import queries, registry
from brokers.models import BrokerAccount
from brokers.native import Booked
from brokers.operations import demat as reading
from brokers.operations import syncing
from investors.access import InvestorRequest, ready_investor_page
from orders import stock_words
from orders.operations import stock_changes
from orders.queries import baskets
from portal import clock
from portal.gateway import errors

NOT_LOGGED_IN = "You are not logged in at your broker, so it cannot be asked now."
NO_ANSWER = "Your broker did not answer just now. Please try again in a minute."


def _own(request: InvestorRequest, code: str) -> BrokerAccount:
    account = queries.accounts_of(request.investor).filter(code=code).first()
    if account is None or registry.native(account.broker) is None:
        raise Http404
    return account


def _asked(account: BrokerAccount, ask: Callable[[], Any]) -> tuple[Any, str]:
    """What the broker answers now, or why it did not."""
    if not account.session_at(clock.now()):
        return None, NOT_LOGGED_IN
    try:
        return ask(), ""
    except errors.NotAuthorised:
        return None, NOT_LOGGED_IN
    except errors.GatewayError:
        return None, NO_ANSWER


def _page(request: InvestorRequest, account: BrokerAccount, here: str, trouble: str, **more: Any) -> HttpResponse:
    at = clock.now()
    context = {
        "account": account,
        "here": here,
        "trouble": trouble,
        "asked_at": at,
        "until": account.session_expires_at if account.session_at(at) and trouble != NOT_LOGGED_IN else None,
        "left": account.time_left(at),
        **more,
    }
    return render(request, f"brokers/{here}.html", context)


@require_safe
@never_cache
@ready_investor_page
def holdings(request: InvestorRequest, code: str) -> HttpResponse:
    """The shares in the demat account, as the broker reported them last; asked for anew while logged in."""
    account = _own(request, code)
    _, trouble = _asked(account, lambda: reading.refresh(account=account, at=clock.now()))
    rows = list(baskets.holdings_of(investor=request.investor, broker=account.broker, account_ref=account.account_ref))
    return _page(request, account, "holdings", trouble, rows=rows, reported_at=rows[0].reported_at if rows else None)


@require_safe
@never_cache
@ready_investor_page
def positions(request: InvestorRequest, code: str) -> HttpResponse:
    """What was traded today, net."""
    account = _own(request, code)
    read, trouble = _asked(account, lambda: reading.refresh(account=account, at=clock.now()))
    return _page(request, account, "positions", trouble, rows=read.positions if read else [])


@require_safe
@never_cache
@ready_investor_page
def order_book(request: InvestorRequest, code: str) -> HttpResponse:
    """Every order of the account today, also those that were placed elsewhere."""
    account = _own(request, code)
    at = clock.now()
    read, trouble = _asked(account, lambda: syncing.sync(account=account, at=at, source="order book", whole=True))
    ours = baskets.lines_by_ref(request.investor, [each.line.client_ref for each in read or []])
    rows = [_row(each, ours) for each in reversed(read or [])]
    return _page(request, account, "order_book", trouble, rows=rows)


def _row(booked: Booked, ours: dict[str, Any]) -> dict[str, Any]:
    kind, word = stock_words.LINE.get(booked.line.state or "", ("neutral", booked.line.their_word))
    line = ours.get(booked.line.client_ref)
    return {
        "said": booked.line,
        "booked": booked,
        "side": "Buy" if booked.line.side == "BUY" else "Sell",
        "kind": kind,
        "word": word,
        "line": line,
        "changeable": bool(line) and booked.line.state in stock_changes.OPEN and bool(booked.line.exchange_ref),
        "reason": stock_words.reason(line) if line else booked.line.failure_text,
    }
