"""The control room: one page for people who run, train on, or test against the sandbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

from . import faults, notices_room, scenes, stuck_room, upcoming
from .clock import ist, last_nav_day
from .control_parts import HOME, button, table
from .fivepaisa import room as fivepaisa
from .fp import room as fp
from .journal import Journal
from .odin import control as odin
from .pages import esc, hidden, page
from .smallcase import control as smallcase
from .web import Handler, Problem, Request, Response, redirect
from .world import PACES, World

CSS = "/_control/static/control.css"
ADVANCES = (("PT15M", "15 min"), ("PT1H", "1 hour"), ("P1D", "1 day"), ("P7D", "7 days"), ("P30D", "30 days"))
QUICK_FAULTS = (
    "status:500", "status:429", "timed_out_400+invisible:30", "html_200", "truncated", "empty_200", "wrong_types",
    "refuse:name", "reset",
    "close_half_way", "hang", "redirect", "invisible:30",
)  # fmt: skip
PROVIDERS = ("fp", "smallcase", "odin", "5paisa", "amfi", "partner")


def _clock(world: World) -> str:
    buttons = "".join(button("advance", f"+ {label}", advance=code) for code, label in ADVANCES)
    paces = "".join(button("pace", f"pace: {pace}", mode=pace) for pace in PACES if pace != world.pace)
    waiting = world.scalar("SELECT count(*) FROM due WHERE kind NOT LIKE '%.expire'")
    return (
        f"<section><h2>Clock</h2><p class='big'>{ist(world.now()):%a %d %b %Y, %H:%M:%S} IST</p>"
        f"<p>Last NAVs: {last_nav_day(world.now()):%d %b %Y}. "
        f"Pace: <b>{esc(world.pace)}</b>. Steps waiting: {waiting}.</p>"
        f'<div class="row">{buttons}</div><div class="row">{paces}'
        f'<form method="post" action="{HOME}act">{hidden(act="at")}'
        '<input name="at" type="datetime-local" aria-label="Go to a moment">'
        f"<button>set the clock</button></form>{button('reset', 'begin a fresh world')}</div></section>"
    )


def _select(name: str, options: tuple[str, ...], label: str) -> str:
    inside = "".join(f"<option>{esc(option)}</option>" for option in options)
    return f'<label>{esc(label)} <select name="{name}">{inside}</select></label>'


def _faults(world: World) -> str:
    rows = [
        (
            esc(f["provider"] or "all"), esc(f"{f['match']['method'] or 'any'} {f['match']['path'] or 'any path'}"),
            esc(f["when"]),
            esc(f["mode"]), _left(f), str(f["hits"]),
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


def _left(fault: dict[str, Any]) -> str:
    """How many calls more, or until when."""
    until = f"until {dt.datetime.fromisoformat(fault['until']):%H:%M:%S}" if fault["until"] else "until off"
    return str(fault["times"] or until)


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
    _clock, stuck_room.section, scenes.section, *fp.SECTIONS, smallcase.section, odin.section, fivepaisa.section,
    notices_room.section, _faults, fp.people,
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


def _fault(world: World, form: dict[str, str]) -> str:
    faults.add(world, dict(form))
    return f"fault {form.get('mode')} is on"


def play(world: World, form: dict[str, str]) -> str:
    """A scene by its name. Raises Problem."""
    return scenes.play(world, form.get("name", ""), ACTS)


def _unfault(world: World, form: dict[str, str]) -> str:
    faults.clear(world, int(form["id"]) if form.get("id") else None)
    return "fault switched off"


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {
    "advance": _advance, "at": _advance, "pace": _pace, "reset": _reset, "fault": _fault, "unfault": _unfault,
    "scene": play, **upcoming.ACTS, **stuck_room.ACTS, **fp.ACTS, **notices_room.ACTS, **smallcase.ACTS, **odin.ACTS,
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
