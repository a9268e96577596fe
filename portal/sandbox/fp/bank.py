"""The bank at the end of a payment's `token_url`: a page for the person who pays, plainly a fake one.

The token opens the page once, within 15 minutes of the world's clock; after that it is an "Invalid token". The page
then holds a seal of its own. What the person does moves the payment; the browser then carries the document's three
fields back to the shop, by a form that works without script.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import urllib.parse

from ..clock import ist
from ..pages import esc, hidden, origin, page, rupees, static
from ..schemes import fund_schemes
from ..web import Problem, Request, Response
from ..world import World
from . import mandate_life, payment_life
from .auth import _key
from .payments import BANK_PATH

CSS, JS = "/fp/bank/static/bank.css", "/fp/bank/static/continue.js"
BANNER = (
    '<p class="fake"><strong>Fake bank of the sandbox.</strong> No real money moves here. '
    "Do not type a real password.</p>"
)
CREST = '<header><span class="crest" aria-hidden="true">B</span> Bank of Make-Believe</header>'
SUCCESS_STATES = ("SUCCESS", "INITIATED", "APPROVED")
NETBANKING_ACTS = (
    ("success", "Pay {amount}", "The money is debited from your own account."),
    ("failure", "Decline", "The bank refuses the payment."),
    ("insufficient_funds", "Not enough money", "The account does not hold the amount."),
    ("tpv_failed", "Pay from another person's account", "Third-party accounts are not allowed; the payment fails."),
    ("late_success", "Time out now, succeed later", "Failed first; the debit is found a little later."),
    ("abandon", "Close without paying", "Nothing is sent back to the shop."),
)
MANDATE_ACTS = (
    ("success", "Authorise up to {amount}", "The bank approves the mandate a little later."),
    ("cancelled", "Decline", "No mandate is given."),
    ("abandon", "Close without authorising", "Nothing is sent back to the shop."),
)
UPI_ACTS = (
    ("success", "Approve {amount} in the UPI app", "The money is debited from your own account."),
    ("cancelled", "Decline in the UPI app", "You turn the request down."),
    ("invalid_upi_id", "Give a wrong UPI ID", "The request cannot be delivered."),
    ("tpv_failed", "Pay from another person's account", "Third-party accounts are not allowed; the payment fails."),
    ("late_success", "Time out now, succeed later", "Failed first; the debit is found a little later."),
    ("abandon", "Close without paying", "Nothing is sent back to the shop."),
)


def _frame(title: str, body: str, **options: str) -> Response:
    inside = f"{CREST}{BANNER}<main>{body}</main>"
    return page(f"{title} - fake bank", inside, CSS, **options)  # type: ignore[arg-type]


def _invalid() -> Response:
    text = (
        "<h1>Invalid token</h1><p>This link has been used, or it is older than 15 minutes. "
        "Go back to the shop and start the payment again.</p>"
    )
    answer = _frame("Invalid token", text)
    answer.status = 400
    return answer


def seal(world: World, row: sqlite3.Row) -> str:
    return hmac.new(_key(world), f"bank {row['id']} {row['token']}".encode(), hashlib.sha256).hexdigest()


def _use_token(world: World, token: str) -> sqlite3.Row | None:
    """The payment of a token that may still be used; uses it up."""
    with world.transaction():
        row = world.one("SELECT * FROM fp_payments WHERE token = ? AND token_used = 0", token)
        if row is None or world.now() > row["created_at"] + payment_life.TOKEN_LIFE_S or row["status"] != "PENDING":
            return None
        world.update("fp_payments", row["id"], token_used=1)
        return row


def open_page(world: World, request: Request) -> Response:
    token = request.query.get("id") or request.form.get("qs") or ""
    row = _use_token(world, token) if request.method != "HEAD" else None
    return _invalid() if row is None else _pay_page(world, row)


def _order_lines(world: World, payment_id: int) -> str:
    rows = payment_life.orders_of(world, payment_id)
    lines = "".join(f"<li><span>{esc(_scheme_name(row))}</span><b>{rupees(row['amount'])}</b></li>" for row in rows)
    return f"<ul class='lines'>{lines}</ul>"


def _scheme_name(row: sqlite3.Row) -> str:
    return str(fund_schemes()[row["isin"]].name)


def _payer(world: World, payment_id: int) -> str:
    """The account the money must come from, last digits only."""
    sql = (
        "SELECT b.number, b.account_holder_name, b.ifsc_code FROM fp_payment_orders p "
        "JOIN fp_orders o ON o.id = p.order_id "
        "JOIN fp_bank_accounts b ON b.id = o.bank_account_id WHERE p.payment_id = ? LIMIT 1"
    )
    row = world.one(sql, payment_id)
    if row is None:
        return ""
    holder, last, ifsc = esc(row["account_holder_name"]), esc(row["number"][-4:]), esc(row["ifsc_code"])
    return f"<p>From the account of {holder}, number ending {last}, {ifsc}</p>"


def _buttons(acts: tuple[tuple[str, str, str], ...], amount: str) -> str:
    return "".join(
        f'<div class="act"><button name="outcome" value="{value}" class="{"main" if value == "success" else ""}">'
        f"{esc(label.format(amount=amount))}</button><small>{esc(why)}</small></div>"
        for value, label, why in acts
    )


def _what(world: World, row: sqlite3.Row) -> tuple[str, tuple[tuple[str, str, str], ...], str]:
    """What the page is about: its words, its buttons, and the amount on them."""
    amount = rupees(row["amount"])
    if row["payment_type"] == "AUTH_TRANSACTION":
        mandate = mandate_life.mandate_row(world, row["mandate_id"])
        limit = rupees(mandate["mandate_limit"])
        return (
            f"<h1>Authorise an e-mandate</h1><p>Debits up to {limit} each, until you cancel.</p>",
            MANDATE_ACTS,
            limit,
        )
    lines = _payer(world, row["id"]) + _order_lines(world, row["id"])
    if row["method"] == "UPI":
        return f"<h1>Pay {amount}</h1><p>UPI request to <code>you@fakebank</code></p>{lines}", UPI_ACTS, amount
    return f"<h1>Pay {amount}</h1><p>{esc((row['method'] or 'NETBANKING').title())}</p>{lines}", NETBANKING_ACTS, amount


def _pay_page(world: World, row: sqlite3.Row) -> Response:
    words, acts, amount = _what(world, row)
    body = (
        f'{words}<form method="post" action="{BANK_PATH}">{hidden(payment=row["id"], seal=seal(world, row))}'
        f"{_buttons(acts, amount)}</form>"
        f"<p class='foot'>Payment {row['id']}, "
        f"started {ist(row['created_at']):%d %b %Y %H:%M} by the sandbox's clock.</p>"
    )
    return _frame("Pay", body)


def act(world: World, request: Request) -> Response:
    """The person pressed a button."""
    number = request.form.get("payment", "")
    row = world.one(
        "SELECT * FROM fp_payments WHERE id = ?", int(number) if number.isdecimal() and len(number) < 19 else 0
    )
    if row is None or not hmac.compare_digest(seal(world, row).encode(), request.form.get("seal", "").encode()):
        return _invalid()
    outcome = request.form.get("outcome", "")
    if row["status"] == "PENDING":
        try:
            payment_life.person_does(world, row["id"], outcome)
        except Problem:
            return _invalid()
    row = payment_life.payment_row(world, row["id"])
    return _closed(row) if row["status"] == "PENDING" else _return_page(row)


def _closed(row: sqlite3.Row) -> Response:
    back = row["postback_url"]
    link = f'<p><a href="{esc(origin(back))}/">Back to the shop</a></p>' if back else ""
    return _frame(
        "Closed", f"<h1>You left without paying</h1><p>Nothing was debited. You may close this window.</p>{link}"
    )


def _return_page(row: sqlite3.Row) -> Response:
    paid = row["status"] in SUCCESS_STATES
    done = "Authorised" if row["payment_type"] == "AUTH_TRANSACTION" else "Paid"
    head = (
        f"<h1>{done}</h1>"
        if paid
        else f"<h1>Not {done.lower()}</h1><p>Reason: <code>{esc(row['failed_reason'])}</code></p>"
    )
    back = row["postback_url"]
    if not back:
        return _frame("Done", f"{head}<p>The shop gave no address to go back to. You may close this window.</p>")
    fields = {
        "paymentId": row["id"],
        "status": "success" if paid else "failure",
        "failureReason": "" if paid else row["failed_reason"],
    }
    method = row["postback_method"].lower()
    if method == "get":
        parts = urllib.parse.urlsplit(back)
        fields = dict(urllib.parse.parse_qsl(parts.query)) | {k: str(v) for k, v in fields.items()}
        back = urllib.parse.urlunsplit(parts._replace(query=""))
    form = (
        f'<form method="{method}" action="{esc(back)}" data-continue>{hidden(**fields)}'
        f'<div class="act"><button class="main">Continue to the shop</button>'
        "<small>You are taken there in a moment.</small></div></form>"
    )
    return _frame("Back to the shop", f"{head}{form}", script=JS, form_to=origin(back))


ROUTES = [
    ("GET", "/bank/pay", open_page),
    ("POST", "/bank/pay/open", open_page),
    ("POST", "/bank/pay", act),
    ("GET", "/bank/static/{name}", static),
]
