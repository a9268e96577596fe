"""The pages inside the dialog that `scdk.js` opens on the partner's site.

They are plain forms in a frame of the sandbox's own origin. The one script among them passes messages: it takes the
SDK's arguments from the site, so that no token stands in an address, and hands the outcome back to it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import urllib.parse
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .. import market
from ..pages import esc, hidden, page, rupees, static
from ..web import Problem, Request, Response, dumps, redirect
from ..world import World
from . import accounts, auth, batches, brokers, journey, reads, transactions
from .transactions import ORDERS, Rejected

BASE = "/smallcase/sdk"
CSS, JS = f"{BASE}/static/broker.css", f"{BASE}/static/scdk-frame.js"
SITES = "http://127.0.0.1:* http://localhost:*"
BANNER = '<aside class="fake"><strong>Fake gateway of the sandbox.</strong> Nothing real is traded.</aside>'
ENDINGS = (
    ("partial", "Some of it fills", "The exchange trades half, the rest is cancelled."),
    ("unfilled", "None of it fills", "Nobody is on the other side."),
    ("low_funds", "Not enough money", "The broker rejects every order."),
    ("unplaced", "Broker not reachable", "No order gets to the broker."),
)


def _frame(title: str, body: str, refresh_s: int = 0) -> Response:
    answer = page(f"{title} - fake gateway", f"{BANNER}<main>{body}</main>", CSS, script=JS, ancestors=SITES)
    if refresh_s:
        answer.headers["Refresh"] = str(refresh_s)
    return answer


# -- who may act -----------------------------------------------------------------------------------------------------


def _key(world: World) -> bytes:
    if not world.meta("sdk_key"):
        world.set_meta("sdk_key", secrets.token_hex(32))
    return world.meta("sdk_key").encode()


def seal(world: World, key: str, origin: str) -> str:
    return hmac.new(_key(world), f"{key} {origin}".encode(), hashlib.sha256).hexdigest()


def _fields(world: World, key: str, origin: str) -> str:
    return hidden(trx=key, origin=origin, seal=seal(world, key, origin))


def _given(world: World, request: Request) -> tuple[str, str]:
    """Transaction and site of a form or an address that this sandbox made. Raises Rejected."""
    given = request.query | request.form
    key, origin = given.get("trx", ""), given.get("origin", "")
    if not hmac.compare_digest(seal(world, key, origin).encode(), given.get("seal", "").encode()):
        raise Rejected("internal_error", None)
    return key, origin


# -- handing the outcome back ----------------------------------------------------------------------------------------


def _outcome(origin: str, kind: str, value: dict[str, Any], words: str) -> Response:
    data = f'data-origin="{esc(origin)}" data-kind="{kind}" data-value="{esc(dumps(value).decode())}"'
    return _frame("Done", f'<h1>{esc(words)}</h1><p id="outcome" {data}>You are taken back to the site.</p>')


def _rejected(origin: str, error: Rejected, key: str) -> Response:
    value = {"message": error.message, "code": error.code, "transactionId": key}
    return _outcome(origin, "reject", value, f"Ended: {error.message}")


def _step(handler: Callable[[World, Request, sqlite3.Row, str], Response]) -> Callable[[World, Request], Response]:
    """A page of a transaction that is going on; any SDK error becomes the page that hands it back."""

    def answer(world: World, request: Request) -> Response:
        key, origin = "", (request.query | request.form).get("origin", "")
        try:
            key, origin = _given(world, request)
            return handler(world, request, transactions.going_on(world, key), origin)
        except Rejected as error:
            return _rejected(origin, error, key)

    return answer


# -- the steps -------------------------------------------------------------------------------------------------------


def frame(world: World, request: Request) -> Response:
    """The empty page that waits for the SDK's arguments."""
    names = ("gateway", "token", "transactionId", "amo", "brokers", "origin")
    fields = hidden(**dict.fromkeys(names, ""))
    return _frame("Starting", f'<form id="start" method="post" action="{BASE}/start">{fields}<p>Starting...</p></form>')


def start(world: World, request: Request) -> Response:
    form = request.form
    key, origin = form.get("transactionId", ""), form.get("origin", "")
    try:
        if form.get("gateway") != auth.GATEWAY:
            raise Rejected("invalid_gateway", None)
        row = transactions.trigger(world, key, _user(world, form.get("token", "")), amo=form.get("amo") == "true")
    except Rejected as error:
        return _rejected(origin, error, key)
    if row["auth_id"]:
        row = journey.choose(world, row, accounts.account(world, row["auth_id"])["broker"])
        return _login_page(world, row, origin)
    wanted = brokers.chosen([word for word in form.get("brokers", "").split(",") if word])
    return _chooser(world, row, origin, wanted)


def _user(world: World, token: str) -> str:
    """The smallcaseAuthId of the SDK's token; none at all is a guest's. Raises Rejected."""
    try:
        return auth.user_of(world, token) if token else ""
    except Problem as problem:
        raise Rejected(problem.message, None) from None


def _leave(world: World, row: sqlite3.Row, origin: str, label: str = "Cancel") -> str:
    fields = _fields(world, row["id"], origin)
    return (
        f'<form id="leave" method="post" action="{BASE}/cancel">{fields}'
        f'<div class="act"><button class="quiet">{esc(label)}</button></div></form>'
    )


def _chooser(world: World, row: sqlite3.Row, origin: str, wanted: dict[str, str]) -> Response:
    buttons = "".join(f'<button name="broker" value="{esc(key)}">{esc(name)}</button>' for key, name in wanted.items())
    body = (
        "<h1>Choose your broker</h1><p>Your orders are placed in your own account there.</p>"
        f'<form method="post" action="{BASE}/broker" class="grid">{_fields(world, row["id"], origin)}{buttons}</form>'
        + _leave(world, row, origin)
    )
    return _frame("Choose your broker", body)


def _broker(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    return _login_page(world, journey.choose(world, row, request.form.get("broker", "")), origin)


def _login_page(world: World, row: sqlite3.Row, origin: str) -> Response:
    linked = accounts.account(world, row["auth_id"])["user"] if row["auth_id"] else ""
    note = f"<p>Linked account: <b>{esc(linked)}</b>. Any other is refused.</p>" if linked else ""
    name = esc(brokers.BROKERS[row["broker"]])
    body = (
        f"<h1>Log in to {name}</h1>{note}"
        f'<form method="post" action="{BASE}/login">{_fields(world, row["id"], origin)}'
        f'<label>User ID <input name="user" value="{esc(linked or accounts.new_user())}" required maxlength="32" '
        'autocomplete="off"></label><small>Any made-up ID; the same ID is the same account. No password.</small>'
        '<div class="act"><button class="main">Log in</button></div></form>'
    )
    return _frame("Log in", body + _leave(world, row, origin))


def _login(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    if not row["broker"] or not request.form.get("user", "").strip():
        raise Rejected("internal_error", None)
    row = journey.log_in(world, row, request.form["user"])
    return _review(world, row, origin)


def _review(world: World, row: sqlite3.Row, origin: str) -> Response:
    fields = _fields(world, row["id"], origin)
    if row["intent"] != ORDERS:
        body = (
            "<h1>Share your account?</h1><p>The site learns which account this is and what it holds.</p>"
            f'<form method="post" action="{BASE}/place">{fields}'
            '<div class="act"><button class="main">Share</button></div></form>'
        )
        return _frame("Share", body + _leave(world, row, origin, "Do not share"))
    amo = journey.after_hours(world, row)
    place = "Place after-market order" if amo else "Place order"
    hours = "The market is closed: orders wait for the next opening." if amo else "The market is open."
    others = "".join(
        f'<div class="act"><button name="ending" value="{value}">{esc(label)}</button><small>{esc(why)}</small></div>'
        for value, label, why in ENDINGS
    )
    body = (
        f"<h1>Confirm your order</h1><p>{hours}</p>"
        f'<form method="post" action="{BASE}/place">{fields}{_lines(world, row)}'
        f'<div class="act"><button class="main" name="ending" value="">{place}</button></div>'
        f"<details><summary>Or let it go wrong</summary>{others}</details></form>"
    )
    return _frame("Confirm your order", body + _leave(world, row, origin))


def _lines(world: World, row: sqlite3.Row) -> str:
    rows, total = [], Decimal(0)
    for n, line in enumerate(transactions.lines(row)):
        last = market.quote(world, line["ticker"]).last
        quantity, side = line.get("quantity"), line.get("type")
        if quantity and side:
            total += last * quantity if side == "BUY" else -last * quantity
            what = f"{esc(side.title())} {quantity} at about {rupees(str(last))}"
        else:
            what = _inputs(n, line["ticker"], quantity, side) + f" at about {rupees(str(last))}"
        rows.append(f"<li><b>{esc(line['ticker'])}</b><span>{what}</span></li>")
    about = f"<p>About {rupees(str(total))} in all.</p>" if total else ""
    return f'<ul class="lines">{"".join(rows)}</ul>{about}'


def _inputs(n: int, ticker: str, quantity: int | None, side: str | None) -> str:
    options = "".join(f"<option{' selected' if side == word else ''}>{word}</option>" for word in transactions.SIDES)
    return (
        f'<select name="side{n}" aria-label="Buy or sell {esc(ticker)}">{options}</select> '
        f'<input name="quantity{n}" type="number" min="1" value="{quantity or 1}" aria-label="Shares of {esc(ticker)}">'
    )


def _chosen_lines(row: sqlite3.Row, form: dict[str, str]) -> list[dict[str, Any]]:
    """The partner's lines with what the person filled in. Raises Rejected for a quantity that is none."""
    lines = []
    for n, line in enumerate(transactions.lines(row)):
        quantity, side = form.get(f"quantity{n}", "1"), form.get(f"side{n}", "BUY")
        known = quantity.isdecimal() and 0 < int(quantity[:11]) <= transactions.MOST_SHARES
        if not known or side not in transactions.SIDES:
            raise Rejected("no_order", None)
        lines.append({"quantity": int(quantity), "type": side, **line})
    return lines


def _place(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    ending = request.form.get("ending", "")
    known = ending in {value for value, _, _ in ENDINGS}
    if row["status"] == "USED":
        journey.confirm(world, row, _chosen_lines(row, request.form), ending if known else "")
    if row["intent"] != ORDERS:
        return _done(world, request, row, origin)
    query = {"trx": row["id"], "origin": origin, "seal": seal(world, row["id"], origin)}
    return redirect(f"{BASE}/status?{urllib.parse.urlencode(query)}")


def _status(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    batch = batches.of_transaction(world, row["id"])
    if batch is None:
        raise Rejected("no_order", None)
    doc = batches.document(world, batch)
    waiting = batch["completed_at"] is None
    lines = "".join(
        f"<li><b>{esc(order['tradingsymbol'])}</b><span>{esc(order['transactionType'].title())} "
        f"{order['filledQuantity']} of {order['quantity']}: {esc(order['status'])} {esc(order['statusMessage'])}"
        "</span></li>"
        for order in doc["orders"] + doc["unplaced"]
    )
    words = "after-market order, waits for the next opening" if waiting and doc["variety"] == "amo" else doc["status"]
    body = (
        f'<h1>Your order</h1><p role="status">{esc(words)}</p><ul class="lines">{lines}</ul>'
        f'<form id="leave" method="post" action="{BASE}/done">{_fields(world, row["id"], origin)}'
        '<div class="act"><button class="main">Done</button></div></form>'
    )
    return _frame("Your order", body, refresh_s=2 if waiting and doc["variety"] != "amo" else 0)


def _done(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    again = transactions.known(world, row["id"])
    if again["status"] not in ("PROCESSING", "COMPLETED"):
        raise Rejected("internal_error", None)
    return _outcome(origin, "resolve", reads.result(world, again), "Done")


def _cancel(world: World, request: Request, row: sqlite3.Row, origin: str) -> Response:
    if row["status"] not in transactions.OPEN:
        return _done(world, request, row, origin)
    raise transactions.cancel(world, row)


def script(world: World, request: Request) -> Response:
    """`scdk.js` for the partner's page."""
    return static(world, request, "scdk.js")


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/scdk/2.0.0/scdk.js", script),
    ("GET", "/sdk/frame", frame),
    ("POST", "/sdk/start", start),
    ("POST", "/sdk/broker", _step(_broker)),
    ("POST", "/sdk/login", _step(_login)),
    ("POST", "/sdk/place", _step(_place)),
    ("GET", "/sdk/status", _step(_status)),
    ("POST", "/sdk/done", _step(_done)),
    ("POST", "/sdk/cancel", _step(_cancel)),
    ("GET", "/sdk/static/{name}", static),
]
