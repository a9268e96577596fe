"""The control room's part about notices: how they are delivered, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import notices
from .control_parts import SHOWN, button, row_of, state, table
from .pages import esc
from .world import World


def _row(notice: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(notice["id"]), esc(notice["provider"]), state(notice["state"]), esc(notice["mode"]),
        str(notice["attempts"]), esc(notice["answer"]), button("resend", "send again", id=notice["id"]),
    )  # fmt: skip


def section(world: World) -> str:
    settings = notices.settings(world)
    modes = "".join(button("webhooks", mode, mode=mode) for mode in notices.MODES if mode != settings["mode"])
    where = [settings["targets"][name] for name in notices.RETRIES_S if settings["targets"][name]]
    to = ", ".join(where) or "nobody: start with --portal, or POST /_control/webhooks"
    head = ("id", "provider", "state", "mode", "tries", "answer", "")
    rows = [_row(notice) for notice in notices.listed(world)[:SHOWN]]
    return (
        f"<section><h2>Notices</h2><p>Mode: <b>{esc(settings['mode'])}</b>. They go to {esc(to)}.</p>"
        f"{row_of(modes)}{table(head, rows)}</section>"
    )


def _mode(world: World, form: dict[str, str]) -> str:
    return f"notices: {notices.change(world, {'mode': form['mode']})['mode']}"


def _resend(world: World, form: dict[str, str]) -> str:
    notices.resend(world, int(form["id"]))
    return f"notice {form['id']} is sent again"


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {"webhooks": _mode, "resend": _resend}
