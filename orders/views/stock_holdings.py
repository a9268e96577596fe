"""Shares as the investor's brokers reported them last, and those that are on their way: a part of the portfolio."""

from __future__ import annotations

import itertools
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from investors.access import InvestorRequest, investor_page
from investors.models import Investor
from orders import calendar, stock_words
from orders.models import StockHolding, StockOrder
from orders.operations import quotes
from orders.operations.stock_arrivals import arrives_on
from orders.queries import schemes as scheme_queries
from orders.queries import stock_holdings as queries
from orders.views import prices
from portal import clock, hints, jobs

# A report of a broker is asked for at most this often while somebody looks.
ASK_EVERY_S = 300


@require_safe
@never_cache
@investor_page
def shares(request: InvestorRequest) -> HttpResponse:
    """A page of its own, and the part of the portfolio that fetches it."""
    at, investor = clock.now(), request.investor
    rows = list(queries.of(investor))
    quotes.want(security_ids={row.security_id for row in rows}, at=at, investor_id=investor.pk)
    if hints.first(f"asked-holdings-{investor.pk}", ASK_EVERY_S):
        jobs.nudge("brokers.refresh_holdings", investor_id=investor.pk)
    context = {"accounts": _accounts(rows), "coming": _coming(investor, at)}
    if request.headers.get("HX-Request"):
        return render(request, "orders/_held_shares.html", context | {"is_part": True})
    return render(request, "orders/held_shares.html", context)


def _accounts(rows: list[StockHolding]) -> list[dict[str, Any]]:
    """One table an account: a report is of one moment, so its time stands once."""
    found = []
    for (broker, _), group in itertools.groupby(rows, key=lambda row: (row.broker, row.account_ref)):
        held = list(group)
        lines = [_line(row) for row in held]
        worth = [line["worth"] for line in lines if line["worth"] is not None]
        found.append(
            {
                "broker": stock_words.BROKERS.get(broker, broker),
                "account": f"…{held[0].account_ref[-4:]}",
                "reported_at": held[0].reported_at,
                "lines": lines,
                "worth": sum(worth, Decimal(0)) if len(worth) == len(lines) else None,
                "priced_at": min((line["price"].at for line in lines if line["price"].at), default=None),
            }
        )
    return found


def _line(row: StockHolding) -> dict[str, Any]:
    price = prices.of(row.security)
    worth = price.last * (row.quantity + row.unsettled) if price.last is not None else None
    return {"row": row, "share": row.security, "price": price, "worth": worth}


def _coming(investor: Investor, at: datetime) -> list[dict[str, Any]]:
    """What was bought here and should not have arrived yet, with its day."""
    holidays, today = scheme_queries.holidays(), at.astimezone(clock.IST).date()
    orders = ((order, arrives_on(order, holidays)) for order in queries.bought_lately(investor, at))
    return [
        {"order": order, "name": line.security.name, "shares": line.filled, "on": calendar.in_words(on)}
        for order, on in orders
        if on >= today
        for line in order.lines.all()
        if line.side == StockOrder.Side.BUY and line.filled
    ]
