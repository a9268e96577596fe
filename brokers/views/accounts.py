"""An investor's accounts at brokers: link, log in again, unlink; and the way back from a broker's login."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import queries, registry, stash
from brokers.adapter import House, Login, Returned
from brokers.models import Broker, BrokerAccount, LinkState
from brokers.operations import accounts, linking
from investors.access import InvestorRequest, investor_page, ready_investor_page
from orders.models import BasketOrder
from orders.queries import baskets
from portal import clock, jobs
from portal.access import DOORBELL, access
from portal.errors import Failure
from portal.gateway import errors

log = structlog.get_logger(__name__)
# In the browser's session: the one-time state of a login that is under way, by route; and the journey at a broker.
STATES, JOURNEY = "broker_logins", "journey_at_broker"


@dataclass(frozen=True)
class Way:
    """A route on which an account can be linked, with its brokers; `trouble` when it could not be asked for them."""

    code: str
    name: str
    houses: list[House]
    trouble: bool = False


@require_safe
@never_cache
@ready_investor_page
def account_list(request: InvestorRequest) -> HttpResponse:
    """The linked accounts with the time that their sessions last, and the brokers that can be linked."""
    at = clock.now()
    found = list(queries.accounts_of(request.investor))
    ways = _ways()
    names = {house.code: house.name for way in ways for house in way.houses}
    rows = [
        {
            "account": each,
            "name": names.get(each.house, each.get_broker_display()),
            "until": each.session_expires_at if each.session_at(at) else None,
            "left": each.time_left(at),
            "needs_login": each.broker in registry.LOGINS,
            "is_native": registry.native(each.broker) is not None,
        }
        for each in found
    ]
    return render(request, "brokers/accounts.html", {"rows": rows, "ways": ways, "order": request.GET.get("order", "")})


def _ways() -> list[Way]:
    return [_way(code, login) for code, login in registry.logins().items()]


def _way(code: str, login: Login) -> Way:
    try:
        return Way(code, Broker(code).label, login.houses())
    except errors.GatewayError:
        return Way(code, Broker(code).label, [], trouble=True)


@require_POST
@never_cache
@ready_investor_page
def log_in(request: InvestorRequest) -> HttpResponse:
    """To the broker's login page, with a one-time state in this browser's session. No password is asked for here."""
    account = _own_account(request, request.POST.get("account", "")) if request.POST.get("account") else None
    broker = account.broker if account else str(request.POST.get("broker", ""))
    house = account.house if account else str(request.POST.get("house", ""))
    login = registry.logins().get(broker)
    if login is None:
        raise Http404
    if house not in {each.code for each in _way(broker, login).houses}:
        messages.warning(request, "That broker cannot be reached at the moment. Please try again in a minute.")
        return redirect("brokers:accounts")
    order = baskets.order_of(investor=request.investor, code=str(request.POST.get("order", "")))
    state = linking.begin(
        investor=request.investor, broker=broker, house=house, account=account, order=order, at=clock.now()
    )
    request.session[STATES] = {**request.session.get(STATES, {}), broker: state}
    response = redirect(login.url(state=state, house=house))
    response["Referrer-Policy"] = "no-referrer"
    return response


def _own_account(request: InvestorRequest, code: str) -> BrokerAccount:
    account = queries.accounts_of(request.investor).filter(code=code).first()
    if account is None:
        raise Http404
    return account


@require_POST
@never_cache
@investor_page
def unlink(request: InvestorRequest, code: str) -> HttpResponse:
    """The account is used no longer; its session is forgotten. Orders that were sent through it stay followed."""
    account = _own_account(request, code)
    accounts.unlink(account=account, at=clock.now())
    messages.success(request, f"{account} is unlinked. Orders that you sent through it are followed to their end.")
    return redirect("brokers:accounts")


# --- The way back -----------------------------------------------------------------------------------------------------


@csrf_exempt
@require_http_methods(["GET", "POST"])
@never_cache
@access(DOORBELL)
def callback(request: HttpRequest, broker: str) -> HttpResponse:
    """The browser comes back from a broker, in either verb: what it says is put away, its address is left behind."""
    if broker not in registry.LOGINS:
        raise Http404
    said = {**request.GET.dict(), **request.POST.dict()}
    response = redirect("brokers:landed", broker=broker, name=stash.keep({k: str(v) for k, v in said.items()}))
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
@never_cache
@investor_page
def landed(request: InvestorRequest, broker: str, name: str) -> HttpResponse:
    """What the browser brought back, together with what its own session knows: a login, or the end of a visit."""
    if broker not in registry.LOGINS:
        raise Http404
    said, states = stash.take(name), request.session.get(STATES, {})
    try:
        back = registry.LOGINS[broker].read(said or {}, clock.now())
    except (ValueError, errors.GatewayError):
        back = Returned()
    if not back.is_login or (back.login is None and broker not in states):
        return _from_the_basket(request)
    mine = states.pop(broker, "")
    request.session[STATES] = states
    if back.state and back.state != mine:
        mine = ""
    return _from_the_login(request, broker, mine, back)


def _from_the_basket(request: InvestorRequest) -> HttpResponse:
    """Whatever the way back says of orders, the broker is asked. To the journey that this browser went on."""
    order = baskets.order_of(investor=request.investor, code=request.session.pop(JOURNEY, ""))
    if order is None:
        log.warning("way_back_without_an_order", investor=request.investor.code)
        return redirect("brokers:orders")
    with transaction.atomic():
        jobs.nudge("brokers.advance", row_id=order.pk)
    return redirect("brokers:order", code=order.code)


def _from_the_login(request: InvestorRequest, broker: str, state: str, back: Returned) -> HttpResponse:
    at = clock.now()
    if back.login is None:
        used = linking.cancel(investor=request.investor, broker=broker, state=state, at=at)
        messages.warning(request, "You were not logged in at your broker. Nothing was changed.")
        return _onward(used.basket_order if used else None)
    try:
        used = linking.finish(
            investor=request.investor,
            broker=broker,
            state=state,
            said=back.login,
            at=at,
            must_be_asked=registry.LOGINS[broker].must_be_asked,
        )
    except Failure as refusal:
        log.warning("login_refused", provider=broker, investor=request.investor.code, why=refusal.code)
        messages.warning(request, refusal.message)
        return redirect("brokers:accounts")
    messages.success(request, _linked(used))
    return _onward(used.basket_order)


def _linked(used: LinkState) -> str:
    return f"{used.account} is linked. You are logged in there until the end of the day."


def _onward(order: BasketOrder | None) -> HttpResponse:
    return redirect("brokers:order", code=order.code) if order else redirect("brokers:accounts")
