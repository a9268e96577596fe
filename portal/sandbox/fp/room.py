"""FP's part of the control room."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable

from ..clock import at_ist, ist
from ..control_parts import SHOWN, button, row_of, state, table, when
from ..pages import esc, rupees
from ..schemes import fund_schemes
from ..web import Problem
from ..world import World
from . import kyc_requests, life, mandate_life, payment_life, sips

WORDS = {
    "PAYMENT_CONFIRMED": "confirm payment", "SUBMITTED": "submit", "SUCCESSFUL": "allot", "FAILED": "fail",
    "REVERSED": "reverse",
    "CANCELLED": "cancel", "SUCCESS": "debit", "INITIATED": "start transfer", "APPROVED": "settle",
    "TIMEDOUT": "time out",
    "REJECTED": "reject",
}  # fmt: skip


def _payments(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fp_payments ORDER BY id DESC LIMIT ?", SHOWN):
        acts = "".join(
            button("payment", WORDS.get(to, to), id=row["id"], to=to)
            for to in payment_life.MOVES[row["status"]]
            if to != "REJECTED"
        )
        if row["status"] == "PENDING":
            acts += button("outcome", "third-party account", id=row["id"], outcome="tpv_failed")
            acts += button("outcome", "late success", id=row["id"], outcome="late_success")
        why = f" {esc(row['failed_reason'])}" if row["failed_reason"] else ""
        rows.append((
            str(row["id"]), rupees(row["amount"]), esc(row["method"] or row["payment_type"]),
            state(row["status"]) + why,
            when(row["created_at"]), f'<div class="row">{acts}</div>',
        ))  # fmt: skip
    return (
        "<section><h2>Payments</h2>"
        + table(("id", "amount", "by", "state", "started", "what may happen next"), rows)
        + "</section>"
    )


def _orders(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fp_orders ORDER BY seq DESC LIMIT ?", SHOWN):
        acts = "".join(button("order", WORDS.get(to, to), id=row["id"], to=to) for to in life.moves(row))
        got = f"{row['reverse_units']} units at {row['price']}" if row["reverse_units"] else esc(row["failure_code"])
        rows.append((
            f'<small>{row["id"]}</small>', esc(row["source_ref_id"]), esc(fund_schemes()[row["isin"]].name),
            rupees(row["amount"]) or esc(row["units"] or "all"), f"{esc(row['type'].lower())}", state(row["status"]),
            got,
            f'<div class="row">{acts}</div>',
        ))  # fmt: skip
    head = ("id", "reference", "scheme", "amount", "type", "state", "result", "what may happen next")
    return "<section><h2>Orders</h2>" + table(head, rows) + "</section>"


def _mandates(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fp_mandates ORDER BY id DESC LIMIT ?", SHOWN):
        acts = "".join(
            button("mandate", WORDS.get(to, to.lower()), id=row["id"], to=to)
            for to in mandate_life.MOVES[row["mandate_status"]]
        )
        rows.append((
            str(row["id"]), esc(row["mandate_type"]), rupees(row["mandate_limit"]), state(row["mandate_status"]),
            esc(row["umrn"]), f'<div class="row">{acts}</div>',
        ))  # fmt: skip
    head = ("id", "type", "limit", "state", "UMRN", "what may happen next")
    return "<section><h2>Mandates</h2>" + table(head, rows) + "</section>"


def _plans(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fp_sips ORDER BY created_at DESC LIMIT ?", SHOWN):
        words = {"instalment": "next instalment", "bounce": "next instalment bounces"} if row["active"] else {}
        acts = row_of("".join(button(act, label, id=row["id"]) for act, label in words.items()))
        name, word = fund_schemes()[row["isin"]].name, "ACTIVE" if row["active"] else "ENDED"
        done = f"{row['generated']} of {row['installments']}"
        rows.append((
            f"<small>{row['id']}</small>", esc(row["source_ref_id"]), esc(name), rupees(row["amount"]),
            state(word), done, esc(row["next_date"]), acts,
        ))  # fmt: skip
    head = ("id", "reference", "scheme", "amount", "state", "instalments", "next", "what may happen next")
    return "<section><h2>SIPs</h2>" + table(head, rows) + "</section>"


def _kyc(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fp_kyc_requests ORDER BY seq DESC LIMIT ?", SHOWN):
        doc, key = json.loads(row["doc"]), row["id"]
        open_ones = ("successful", "rejected") if row["status"] == "submitted" else ()
        acts = "".join(button("kyc", word, id=key, to=word) for word in open_ones)
        rows.append((
            f"<small>{esc(key)}</small>", esc(doc["name"]), esc(doc["pan"]), state(row["status"]),
            f'<div class="row">{acts}</div>',
        ))  # fmt: skip
    return (
        "<section><h2>KYC requests</h2>"
        + table(("id", "name", "PAN", "state", "what may happen next"), rows)
        + "</section>"
    )


def people(world: World) -> str:
    accounts = "(SELECT count(*) FROM fp_accounts a WHERE a.primary_investor_id = i.id) AS accounts"
    sql = f"SELECT i.*, {accounts} FROM fp_investors i ORDER BY id DESC LIMIT ?"  # noqa: S608
    rows = [
        (str(r["id"]), esc(r["name"]), esc(r["pan"]), esc(r["email"]), str(r["accounts"]), esc(r["tenant"]))
        for r in world.all(sql, SHOWN)
    ]
    return (
        "<section><h2>Investors</h2>"
        + table(("id", "name", "PAN", "e-mail", "accounts", "tenant"), rows)
        + "</section>"
    )


SECTIONS = (_payments, _orders, _mandates, _plans, _kyc)


# -- acts -----------------------------------------------------------------------------------------------------------


def _payment(world: World, form: dict[str, str]) -> str:
    payment_life.move(world, int(form["id"]), form["to"])
    return f"payment {form['id']} is {form['to']}"


def _outcome(world: World, form: dict[str, str]) -> str:
    return f"payment {form['id']} is {payment_life.person_does(world, int(form['id']), form['outcome'])}"


def _order(world: World, form: dict[str, str]) -> str:
    with world.transaction():
        world.update("fp_orders", int(form["id"]), manual=1)
        life.move(world, int(form["id"]), form["to"])
    return f"order {form['id']} is {form['to']}"


def _mandate(world: World, form: dict[str, str]) -> str:
    mandate_life.move(world, int(form["id"]), form["to"])
    return f"mandate {form['id']} is {form['to']}"


def _active_sip(world: World, form: dict[str, str]) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_sips WHERE id = ? AND active = 1", int(form["id"]))
    if row is None:
        raise Problem(400, "the SIP is not active")
    return row


def _instalment(world: World, form: dict[str, str]) -> str:
    return f"order {sips.next_instalment(world, _active_sip(world, form))} is the next instalment"


def _to_instalment(world: World, form: dict[str, str]) -> str:
    """The clock goes to the day of the next instalment, a minute before the SIP makes it by itself."""
    row = _active_sip(world, form)
    moment = at_ist(dt.date.fromisoformat(row["next_date"]), sips.HOUR) - 60
    if moment > world.now():
        world.set_clock(moment)
        world.settle()
    return f"it is {ist(world.now()):%d %b %Y}"


def _bounce(world: World, form: dict[str, str]) -> str:
    """The next instalment, whose debit the bank turns down at once."""
    with world.transaction():
        order = sips.next_instalment(world, _active_sip(world, form))
        for row in world.all("SELECT payment_id FROM fp_payment_orders WHERE order_id = ?", order):
            payment_life.move(world, row["payment_id"], "FAILED", "insufficient_funds")
    return f"order {order} has bounced"


def _kyc_decided(world: World, form: dict[str, str]) -> str:
    row = world.one("SELECT status FROM fp_kyc_requests WHERE id = ?", form["id"])
    if row is None or row["status"] != "submitted" or form["to"] not in ("successful", "rejected"):
        raise Problem(400, "that KYC request does not wait for a decision")
    kyc_requests.decide(world, form["id"], form["to"])
    return f"KYC request is {form['to']}"


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {
    "payment": _payment, "outcome": _outcome, "order": _order, "mandate": _mandate, "instalment": _instalment,
    "to_instalment": _to_instalment, "bounce": _bounce, "kyc": _kyc_decided,
}  # fmt: skip
