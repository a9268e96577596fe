"""What the person sees: choice of a broker, its login, the basket, and the way back to the publisher.

`/landing/redirect` comes in three kinds: type 1 logs in, asks the publisher for the basket and executes it; type 2 logs
in for the day; type 3 executes a basket with that session. The publisher is asked at its TwoWayAuth address whether the
token of type 1 or 2 is its own. A way back is a redirect with a query, as every example shows it, or a form that is
posted, as the document's "Method" says: `POST /_control/odin/settings`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import urllib.parse
from decimal import Decimal
from typing import Any

from .. import market, notices
from ..pages import esc, hidden, origin, page, rupees, static
from ..web import Handler, Request, Response, dumps, redirect
from ..world import World
from . import button, orders, publisher, services, sessions, visits
from .lines import AT_MARKET, SEGMENTS, STOP_MARKET
from .sessions import APP_TOKEN, INVALID, PARTNERS, Refusal

BASE = "/odin/landing"
CSS, JS = f"{BASE}/static/broker.css", f"{BASE}/static/continue.js"
HEADER = "<header>ODIN Connector</header>"
BANNER = '<aside class="fake"><strong>Fake broker of the sandbox.</strong> Nothing real is traded.</aside>'
LOGGED_IN, NOT_LOGGED_IN = ("vasprd-200-803", "Login successful"), ("vasprd-400-804", "Login cancelled by user")
EXECUTED = ("vasprd-200-820", "Basket executed successfully")
CANCELLED = ("vasprd-400-821", "Basket execution cancelled by user")
ENDINGS = (
    ("placed", "Place orders", "The market fills them when it can."),
    ("partial", "Half of each fills", "The rest is cancelled."),
    ("unfilled", "Nothing fills", "Cancelled by the exchange."),
    ("pending", "Leave them pending", "Until the control room says otherwise."),
    ("low_funds", "Not enough money", "The broker rejects every order."),
)


def _frame(world: World, title: str, body: str, **options: Any) -> Response:
    """A form's answer may be the redirect to the publisher, which browsers check against the page's policy."""
    url = notices.address(world, "odin_callback")
    inside = f"{HEADER}{BANNER}<main>{body}</main>"
    return page(f"{title} - fake broker", inside, CSS, form_to=origin(url) if url else "", **options)


def _sorry(world: World, words: str, status: int = 400, code: str = "") -> Response:
    shown = f"<p><small>{esc(code)}</small></p>" if code else ""
    return _frame(world, "Sorry", f"<h1>Sorry</h1><p>{esc(words)}</p>{shown}", status=status)


def _seal(world: World, text: str) -> str:
    if not world.meta("odin_key"):
        world.set_meta("odin_key", secrets.token_hex(32))
    return hmac.new(world.meta("odin_key").encode(), text.encode(), hashlib.sha256).hexdigest()


def _sealed(world: World, **fields: Any) -> str:
    """Hidden fields that come back as they went, or not at all."""
    text = json.dumps({name: str(value) for name, value in fields.items()}, sort_keys=True)
    return hidden(**fields, seal=_seal(world, text))


def _unsealed(world: World, request: Request, *names: str) -> dict[str, str]:
    """Raises Refusal when a field was changed on the way."""
    fields = {name: request.form.get(name, "") for name in names}
    if not hmac.compare_digest(
        _seal(world, json.dumps(fields, sort_keys=True)).encode(), request.form.get("seal", "").encode()
    ):
        raise Refusal("This page is not one of ours", 505)
    return fields


# -- the way back ----------------------------------------------------------------------------------------------------


def _back(world: World, fields: dict[str, str]) -> Response:
    """To the publisher's callback, with the callback's own spellings."""
    url = notices.address(world, "odin_callback")
    if not url:
        return _sorry(world, "The publisher has not said where to go back to.", 200)
    if world.meta("odin_callback", "get") == "get":
        return redirect(f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(fields)}")
    form = (
        f'<h1>Back to the publisher</h1><form method="post" action="{esc(url)}" data-continue>{hidden(**fields)}'
        '<div class="act"><button class="main">Continue</button></div></form>'
    )
    return _frame(world, "Back", form, script=JS)


def _status(outcome: tuple[str, str]) -> dict[str, str]:
    return {"sStatusCode": outcome[0], "sStatusMessage": outcome[1]}


# -- arriving --------------------------------------------------------------------------------------------------------


def arrive(world: World, request: Request) -> Response:
    kinds = {"1": _arrive_to_buy, "2": _arrive_to_log_in, "3": _arrive_with_basket}
    given = request.query | request.form
    if request.method == "HEAD":  # a look at an address uses nothing up
        return _frame(world, "ODIN Connector", "")
    kind = kinds.get(given.get("nRequestType", ""))
    if kind is None:
        return _sorry(
            world, "nRequestType is 1 (log in and execute a basket), 2 (log in) or 3 (execute with a session)."
        )
    return kind(world, given)


def _check_publisher(world: World, given: dict[str, str]) -> None:
    """Whether the link is the publisher's: its application token, its two-way token. Raises Refusal."""
    if not hmac.compare_digest(given.get("sAppToken", "").encode(), APP_TOKEN.encode()):
        raise Refusal("Invalid application token", 502)
    if not given.get("sTwoWayToken"):
        raise Refusal("sTwoWayToken is mandatory", 507)
    publisher.check_two_way(world, given)
    if given.get("sPartnerId", "") not in ("", *PARTNERS):
        raise Refusal("Invalid partner id", 503)


def _arrive_to_log_in(world: World, given: dict[str, str]) -> Response:
    _check_publisher(world, given)
    return _first_page(world, given.get("sPartnerId", ""), given.get("sTpUserId", ""), "")


def _arrive_to_buy(world: World, given: dict[str, str]) -> Response:
    _check_publisher(world, given)
    return _first_page(world, given.get("sPartnerId", ""), "", visits.begin(world, given))


def _first_page(world: World, partner: str, user: str, visit: str) -> Response:
    """The login of the broker that the publisher named, else the choice of one."""
    return _login_page(world, partner, user, visit) if partner else _choice(world, visit)


def _choice(world: World, visit: str) -> Response:
    buttons = "".join(f'<button name="partner" value="{key}">{esc(name)}</button>' for key, name in PARTNERS.items())
    inside = f"{_sealed(world, step='choice', visit=visit)}{buttons}"
    form = f'<form method="post" action="{BASE}/broker" class="grid">{inside}</form>'
    return _frame(world, "Choose your broker", f"<h1>Choose your broker</h1>{form}{_leave(world, 'login', visit)}")


def _leave(world: World, what: str, product: str) -> str:
    return (
        f'<form method="post" action="{BASE}/leave">{_sealed(world, what=what, product=product)}'
        '<div class="act"><button class="quiet">Cancel</button></div></form>'
    )


def _login_page(world: World, partner: str, user: str, visit: str) -> Response:
    suggested = user or f"SB{secrets.token_hex(3).upper()}"
    body = (
        f"<h1>Log in to {esc(PARTNERS[partner])}</h1>"
        f'<form method="post" action="{BASE}/login">{_sealed(world, partner=partner, visit=visit)}'
        '<label>User ID <input name="user" required maxlength="20" autocomplete="off" '
        f'value="{esc(suggested)}"></label>'
        "<small>Any made-up ID; the same ID is the same account. No password.</small>"
        '<div class="act"><button class="main">Log in</button></div></form>'
    )
    return _frame(world, "Log in", body + _leave(world, "login", visit))


def choose(world: World, request: Request) -> Response:
    visit = _unsealed(world, request, "step", "visit")["visit"]
    partner = request.form.get("partner", "")
    return _login_page(world, partner, "", visit) if partner in PARTNERS else _sorry(world, "Invalid partner id")


def log_in(world: World, request: Request) -> Response:
    fields = _unsealed(world, request, "partner", "visit")
    partner, user = fields["partner"], request.form.get("user", "").strip()
    if not user:
        return _login_page(world, partner, "", fields["visit"])
    if visit := visits.find(world, fields["visit"]):
        return _basket_page(world, visits.fetch(world, visit, partner, user.upper()), visit["id"])
    return _back(world, login_fields(sessions.log_in(world, partner, user)))


def login_fields(session: sessions.Session) -> dict[str, str]:
    """What the persistence-login callback carries."""
    return _status(LOGGED_IN) | {
        "sTradingUserId": session.user, "sVasUserId": session.client, "sName": f"Person {session.user}",
        "sEmail": f"{session.user.lower()}@example.com", "sSession": session.id,
        "sRestSession": hashlib.sha256(session.id.encode()).hexdigest(),
    }  # fmt: skip


# -- the basket ------------------------------------------------------------------------------------------------------


def _arrive_with_basket(world: World, given: dict[str, str]) -> Response:
    product = given.get("sProductCode", "")
    basket = _basket_of(world, product)
    if basket is None or not services.session_valid(world, given.get("sSession", ""), basket["client"]):
        raise Refusal(INVALID, 500)
    with world.transaction() as db:
        sql = "UPDATE odin_links SET used_at = ? WHERE product = ? AND used_at IS NULL"
        fresh = db.execute(sql, (world.now(), product)).rowcount
    if not fresh or basket["status"] != button.WAITING:
        raise Refusal(visits.USED_UP, visits.USED)
    return _basket_page(world, basket, product)


def _basket_of(world: World, product: str) -> sqlite3.Row | None:
    sql = "SELECT b.* FROM odin_baskets b JOIN odin_links l ON l.basket = b.seq WHERE l.product = ?"
    return world.one(sql, product)


def _line(world: World, line: dict[str, Any]) -> str:
    last = market.quote(world, line["symbol"], None, SEGMENTS[line["segment"]]).last
    at = f"at the market, now {rupees(str(last))}"
    if line["type"] not in (AT_MARKET, STOP_MARKET):
        at = f"at {rupees(str(Decimal(line['price']) / 100))}, now {rupees(str(last))}"
    trigger = f", trigger {rupees(str(Decimal(line['trigger']) / 100))}" if line["trigger"] else ""
    side = "Buy" if line["side"] == 1 else "Sell"
    return f"<li><b>{esc(line['symbol'])}</b><span>{side} {line['quantity']} {at}{trigger}</span></li>"


def _basket_page(world: World, basket: sqlite3.Row, product: str) -> Response:
    lines = "".join(_line(world, line) for line in button.lines_of(basket))
    (value, label, why), *others = ENDINGS
    more = "".join(
        f'<div class="act"><button name="outcome" value="{v}">{esc(text)}</button><small>{esc(note)}</small></div>'
        for v, text, note in others
    )
    hours = "The market is open." if market.is_open(world) else "The market is closed: orders wait for its opening."
    body = (
        f"<h1>Your basket at {esc(PARTNERS[basket['partner']])}</h1><p>{hours}</p>"
        f'<form method="post" action="{BASE}/place">{_sealed(world, product=product)}<ul class="lines">{lines}</ul>'
        f'<div class="act"><button class="main" name="outcome" value="{value}">{label}</button>'
        f"<small>{why}</small></div><details><summary>Or let it go another way</summary>{more}</details></form>"
    )
    return _frame(world, "Your basket", body + _leave(world, "basket", product))


def _echo(world: World, basket: sqlite3.Row, product: str) -> str:
    """The publisher's own object when it sent one; else, in Base64 JSON, what the document says the callback shares.

    That is the partner, and the scrips with their quantities and prices.
    """
    if sent := visits.echo_of(world, basket["seq"], product):
        return sent
    scrips = [
        {"scripName": line["symbol"], "quantity": line["quantity"], "price": line["price"]}
        for line in button.lines_of(basket)
    ]
    shared = {"sPartnerId": basket["partner"], "sRecoId": basket["reco_id"], "scrips": scrips}
    return base64.b64encode(dumps(shared)).decode()


def execute(world: World, basket: sqlite3.Row, outcome: str, product: str = "") -> dict[str, str]:
    """What the person decides, once; returns what the callback carries. Raises Refusal the second time.

    `product` names the address by which the person came, where somebody did.
    """
    status = button.LEFT if outcome == "user_cancelled" else button.PLACED
    with world.transaction() as db:
        sql = "UPDATE odin_baskets SET status = ?, ended_at = ? WHERE seq = ? AND status = ?"
        if not db.execute(sql, (status, world.now(), basket["seq"], button.WAITING)).rowcount:
            raise Refusal("This basket has been executed or left already.", 509, 409)
        if status == button.PLACED:
            orders.place(world, basket, outcome)
    said = CANCELLED if status == button.LEFT else EXECUTED
    return _status(said) | {"oEcoBackObject": _echo(world, basket, product)}


def place(world: World, request: Request) -> Response:
    product = _unsealed(world, request, "product")["product"]
    basket, outcome = _basket_of(world, product), request.form.get("outcome", "placed")
    if basket is None or outcome not in {value for value, _, _ in ENDINGS}:
        return _sorry(world, "This page is not one of ours")
    return _back(world, execute(world, basket, outcome, product))


def leave(world: World, request: Request) -> Response:
    fields = _unsealed(world, request, "what", "product")
    basket = _basket_of(world, fields["product"])
    if fields["what"] == "login" or basket is None:
        visit = visits.find(world, fields["product"])
        echo = {"oEcoBackObject": visit["echo"]} if visit and visit["echo"] else {}
        return _back(world, _status(NOT_LOGGED_IN) | echo)
    return _back(world, execute(world, basket, "user_cancelled", fields["product"]))


def _page(handler: Handler) -> Handler:
    """A refusal as a page for people instead of the envelope for programs."""

    def answer(world: World, request: Request) -> Response:
        try:
            return handler(world, request)
        except Refusal as refusal:
            return _sorry(world, refusal.message, refusal.status, refusal.code)

    return answer


ROUTES = [
    ("GET POST", "/landing/redirect", _page(arrive)),
    ("POST", "/landing/broker", _page(choose)),
    ("POST", "/landing/login", _page(log_in)),
    ("POST", "/landing/place", _page(place)),
    ("POST", "/landing/leave", _page(leave)),
    ("GET", "/landing/static/{name}", static),
]
