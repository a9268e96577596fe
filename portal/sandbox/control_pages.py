"""The control room: one page for people who run, train on, or test against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from . import faults, notices_room
from .clock import ist, last_nav_day
from .control_parts import HOME, SHOWN, button, state, table
from .fivepaisa import room as fivepaisa
from .fp import kyc_requests, life, mandate_life, payment_life, sips
from .journal import Journal
from .odin import control as odin
from .pages import esc, hidden, page, rupees
from .schemes import fund_schemes
from .smallcase import control as smallcase
from .web import Handler, Problem, Request, Response, redirect
from .world import PACES, World

CSS = "/_control/static/control.css"
ADVANCES = (("PT15M", "15 min"), ("PT1H", "1 hour"), ("P1D", "1 day"), ("P7D", "7 days"), ("P30D", "30 days"))
QUICK_FAULTS = (
    "status:500", "status:429", "timed_out_400+invisible:30", "html_200", "truncated", "empty_200", "wrong_types",
    "reset",
    "close_half_way", "hang", "redirect", "invisible:30",
)  # fmt: skip
PROVIDERS = ("fp", "smallcase", "odin", "5paisa", "amfi")
WORDS = {
    "PAYMENT_CONFIRMED": "confirm payment", "SUBMITTED": "submit", "SUCCESSFUL": "allot", "FAILED": "fail",
    "REVERSED": "reverse",
    "CANCELLED": "cancel", "SUCCESS": "debit", "INITIATED": "start transfer", "APPROVED": "settle",
    "TIMEDOUT": "time out",
    "REJECTED": "reject",
}  # fmt: skip


def _when(moment: float | None) -> str:
    return f"{ist(moment):%d %b %H:%M:%S}" if moment else ""


def _clock(world: World) -> str:
    buttons = "".join(button("advance", f"+ {label}", advance=code) for code, label in ADVANCES)
    paces = "".join(button("pace", pace, mode=pace) for pace in PACES if pace != world.pace)
    waiting = world.scalar("SELECT count(*) FROM due WHERE kind NOT LIKE '%.expire'")
    return (
        f"<section><h2>Clock</h2><p class='big'>{ist(world.now()):%a %d %b %Y, %H:%M:%S} IST</p>"
        f"<p>Last NAVs: {last_nav_day(world.now()):%d %b %Y}. "
        f"Pace: <b>{esc(world.pace)}</b>. Steps waiting: {waiting}.</p>"
        f'<div class="row">{buttons}</div><div class="row">{paces}'
        f'<form method="post" action="{HOME}act">{hidden(act="at")}'
        '<input name="at" type="datetime-local" aria-label="Go to a moment">'
        f"<button>go</button></form>{button('reset', 'fresh world')}</div></section>"
    )


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
            _when(row["created_at"]), f'<div class="row">{acts}</div>',
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
        acts = button("instalment", "next instalment", id=row["id"]) if row["active"] else ""
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


def _people(world: World) -> str:
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


def _select(name: str, options: tuple[str, ...], label: str) -> str:
    inside = "".join(f"<option>{esc(option)}</option>" for option in options)
    return f'<label>{esc(label)} <select name="{name}">{inside}</select></label>'


def _faults(world: World) -> str:
    rows = [
        (
            esc(f["provider"] or "all"), esc(f"{f['match']['method'] or 'any'} {f['match']['path'] or 'any path'}"),
            esc(f["when"]),
            esc(f["mode"]), str(f["times"] or "until off"), str(f["hits"]),
            button("unfault", "switch off", id=f["id"]),
        )
        for f in faults.active(world)
    ]  # fmt: skip
    form = (
        f'<form method="post" action="{HOME}act" class="row">{hidden(act="fault")}'
        f"{_select('provider', PROVIDERS, 'provider')}"
        f"{_select('method', ('', 'POST', 'GET', 'PUT', 'PATCH'), 'method')}"
        '<label>path <input name="path" placeholder="/orders/purchase/"></label>'
        f"{_select('when', ('after', 'before'), 'when')}{_select('mode', QUICK_FAULTS, 'mode')}"
        '<label>times <input name="times" type="number" min="0" value="1"></label>'
        '<label>delay s <input name="delay_s" type="number" min="0" value="0"></label><button>switch on</button></form>'
    )
    shown = table(("provider", "calls", "when", "mode", "left", "hit", ""), rows)
    return f"<section><h2>Faults</h2>{form}{shown}{button('unfault', 'switch all off') if rows else ''}</section>"


def _requests(journal: Journal) -> str:
    items = []
    for e in journal.latest():
        status = e["wire"] or str(e["status"])
        fault = f' <span class="fault">{esc(e["fault"])}</span>' if e["fault"] else ""
        query = f"?{e['query']}" if e["query"] else ""
        items.append(
            f"<details><summary><b>{esc(status)}</b> {esc(e['method'])} {esc(e['path'])}{esc(query)} "
            f"<small>{ist(e['at']):%H:%M:%S} "
            f"{e['ms']} ms</small>{fault}</summary><pre>{esc(e['body'])}</pre><pre>{esc(e['answer'])}</pre></details>"
        )
    return "<section><h2>Last 200 requests</h2>" + ("".join(items) or "<p class='none'>None yet.</p>") + "</section>"


SECTIONS = (
    _clock, _payments, _orders, _mandates, _plans, _kyc, smallcase.section, odin.section, fivepaisa.section,
    notices_room.section, _faults, _people,
)  # fmt: skip


def home(journal: Journal, world: World, request: Request) -> Response:
    note = f'<p class="note" role="status">{esc(request.query["note"])}</p>' if request.query.get("note") else ""
    body = (
        "<header><h1>Control room</h1><p>The sandbox's world: nothing here is real money.</p></header>"
        f"<main>{note}{''.join(section(world) for section in SECTIONS)}{_requests(journal)}</main>"
    )
    return page("Control room - sandbox", body, CSS)


# -- acts -----------------------------------------------------------------------------------------------------------


def _advance(world: World, form: dict[str, str]) -> str:
    from .control import move_clock

    return f"{move_clock(world, form)} things settled"


def _pace(world: World, form: dict[str, str]) -> str:
    if form.get("mode") in PACES:
        world.set_meta("pace", form["mode"])
    return f"pace is {world.pace}"


def _reset(world: World, form: dict[str, str]) -> str:
    world.reset()
    return "a fresh world"


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


def _instalment(world: World, form: dict[str, str]) -> str:
    row = world.one("SELECT * FROM fp_sips WHERE id = ? AND active = 1", int(form["id"]))
    if row is None:
        raise Problem(400, "the SIP is not active")
    return f"order {sips.next_instalment(world, row)} is the next instalment"


def _kyc_decided(world: World, form: dict[str, str]) -> str:
    row = world.one("SELECT status FROM fp_kyc_requests WHERE id = ?", form["id"])
    if row is None or row["status"] != "submitted" or form["to"] not in ("successful", "rejected"):
        raise Problem(400, "that KYC request does not wait for a decision")
    kyc_requests.decide(world, form["id"], form["to"])
    return f"KYC request is {form['to']}"


def _fault(world: World, form: dict[str, str]) -> str:
    faults.add(world, dict(form))
    return f"fault {form.get('mode')} is on"


def _unfault(world: World, form: dict[str, str]) -> str:
    faults.clear(world, int(form["id"]) if form.get("id") else None)
    return "fault switched off"


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {
    "advance": _advance, "at": _advance, "pace": _pace, "reset": _reset, "payment": _payment, "outcome": _outcome,
    "order": _order, "mandate": _mandate, "instalment": _instalment, "kyc": _kyc_decided,
    "fault": _fault, "unfault": _unfault,
    **notices_room.ACTS, **smallcase.ACTS, **odin.ACTS,
    **fivepaisa.ACTS,
}  # fmt: skip


def act(world: World, request: Request) -> Response:
    """A pressed button; always ends at the page, with a line that says what happened."""
    from urllib.parse import quote

    form = dict(request.form)
    try:
        note = ACTS[form.pop("act", "")](world, form)
    except Problem as problem:
        note = problem.message
    except (KeyError, ValueError):
        note = "that button is not known"
    return redirect(f"{HOME}?note={quote(note)}")


def routes(journal: Journal) -> list[tuple[str, str, Handler]]:
    return [("GET", "/", partial(home, journal)), ("POST", "/act", act)]
