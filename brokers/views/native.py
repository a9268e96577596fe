"""The part of a journey's page where we place the shares ourselves: log in, place, go on with what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from brokers.models import BrokerAccount
from brokers.native import NoSession
from brokers.operations import journeys
from brokers.ticket_forms import AFTER_MARKET
from investors.access import InvestorRequest
from orders import lifecycle, market
from orders.market import Hours
from orders.models import BasketOrder, StockOrder
from orders.queries import schemes
from portal import clock, gates
from portal.errors import Failure

NONE = StockOrder.Outcome.NONE
# A share that is tried again within minutes does not wait for the investor.
WAITS = timedelta(minutes=10)


@dataclass(frozen=True)
class Standing:
    """Where placing stands, for the page. `to_send` shares were never sent; of `unknown` ones the answer was lost."""

    may_place: bool
    needs_login: bool
    until: datetime | None
    left: str
    to_send: int
    sent: int
    unknown: int
    sells: bool
    # Whether the exchange trades now; the shares can wait at the broker for its next session.
    market: Hours


def standing(order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None, at: datetime) -> Standing:
    """What the investor can do now."""
    left = [line for line in lines if line.state == lifecycle.PENDING and line.attempt == NONE]
    waits = [line for line in left if line.due_at is None or line.due_at > at + WAITS]
    logged_in = bool(account and account.session_at(at))
    goes_on = order.state in (lifecycle.HANDED_OVER, lifecycle.PLACED) and bool(waits)
    to_do = order.state == lifecycle.CREATED or goes_on
    open_lines = any(line.state in (lifecycle.PENDING, lifecycle.PLACED, lifecycle.PARTLY_FILLED) for line in lines)
    return Standing(
        may_place=to_do and logged_in,
        needs_login=not logged_in and open_lines and order.state not in lifecycle.BASKET_ORDER.final,
        until=account.session_expires_at if account and logged_in else None,
        left=account.time_left(at) if account else "",
        to_send=len(left),
        sent=len(lines) - len(left),
        unknown=sum(line.attempt == StockOrder.Outcome.UNKNOWN for line in lines),
        market=market.hours(at, schemes.holidays()),
        sells=any(line.side == StockOrder.Side.SELL for line in lines),
    )


def place(request: InvestorRequest, order: BasketOrder) -> HttpResponse:
    """The shares that were not sent yet are on their way. Without a login: to the accounts, and back here."""
    try:
        after_market = request.POST.get("when") == AFTER_MARKET
        journeys.place(order_id=order.pk, at=clock.now(), after_market=after_market)
    except (NoSession, journeys.LogInFirst) as refusal:
        messages.info(request, refusal.message)
    except (Failure, gates.GateClosed) as refusal:
        messages.warning(request, getattr(refusal, "message", str(refusal)))
    return redirect("brokers:order", code=order.code)
