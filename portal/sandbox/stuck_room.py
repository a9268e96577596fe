"""Steps of the world that failed, in the control room: what went wrong, and a button to do them again."""

from __future__ import annotations

import sqlite3

from .control_parts import SHOWN, button, row_of, table, when
from .pages import esc
from .web import Problem
from .world import World


def section(world: World) -> str:
    """Nothing while nothing is stuck: a healthy world has no such steps."""
    rows = [
        (
            esc(row["kind"]), esc(row["ref"]), when(row["at"]), when(row["failed_at"]), esc(row["error"]),
            row_of(button("stuck_again", "do it again", id=row["id"]) + button("stuck_drop", "drop", id=row["id"])),
        )
        for row in world.all("SELECT * FROM stuck ORDER BY id DESC LIMIT ?", SHOWN)
    ]  # fmt: skip
    if not rows:
        return ""
    return (
        "<section><h2>Steps that failed</h2>" + table(("step", "of", "due", "failed", "why", ""), rows) + "</section>"
    )


def again(world: World, form: dict[str, str]) -> str:
    """The step is due as before, and tried at once. Raises Problem when it is not there."""
    with world.transaction():
        row = _taken(world, form)
        world.insert("due", **{name: row[name] for name in ("at", "kind", "ref", "details")})
    world.settle()
    failed = world.one(
        "SELECT error FROM stuck WHERE kind = ? AND ref = ? AND at = ?", row["kind"], row["ref"], row["at"]
    )
    return f"{row['kind']} of {row['ref']} failed again: {failed['error']}" if failed else f"{row['kind']} is done"


def drop(world: World, form: dict[str, str]) -> str:
    """It will never be done. Raises Problem when it is not there."""
    row = _taken(world, form)
    return f"{row['kind']} of {row['ref']} is dropped"


def _taken(world: World, form: dict[str, str]) -> sqlite3.Row:
    with world.transaction():
        row = world.one("SELECT * FROM stuck WHERE id = ?", int(form["id"]))
        if row is None:
            raise Problem(400, "that step is not stuck any more")
        world.run("DELETE FROM stuck WHERE id = ?", row["id"])
    return row


ACTS = {"stuck_again": again, "stuck_drop": drop}
