"""Switches that make chosen calls go wrong, before or after they take effect.

A fault is kept in the world (a restart keeps it) and used up by `times` matching calls. Modes may be joined with `+`:
`timed_out_400+invisible:30` takes the order, answers 400 and shows the order only half a minute later.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .clock import ist, parse_duration
from .web import JSON_TYPE, Problem, Request, Response, dumps
from .world import World

WIRE_MODES = ("hang", "reset", "close_half_way")
BODY_MODES = ("html_200", "empty_200", "truncated", "wrong_types", "timed_out_400", "redirect", "slow")
ALL_MODES = (*WIRE_MODES, *BODY_MODES, "status:<code>", "refuse:<field>", "invisible:<seconds>")
NAMED_MODE = re.compile(r"status:[1-5]\d\d|refuse:[\w.\[\]]+|invisible:\d+(\.\d+)?")
DEFAULT_HANG_S = 60.0
EXPIRES = "fault.expire"
HTML = b"<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
Render = Callable[[Problem], Response]


@dataclass(frozen=True)
class Fault:
    modes: tuple[str, ...]
    when: str
    delay_s: float
    retry_after: str | None

    @property
    def hides_for(self) -> float:
        """Real seconds for which what the call creates is not listed."""
        return max((float(m.partition(":")[2]) for m in self.modes if m.startswith("invisible:")), default=0.0)

    @property
    def answer_mode(self) -> str:
        return next((m for m in self.modes if not m.startswith("invisible:")), "")


def _checked_mode(mode: str) -> str:
    for part in mode.split("+"):
        if part not in WIRE_MODES + BODY_MODES and not NAMED_MODE.fullmatch(part):
            raise Problem(400, f"unknown mode {part!r}; one of {', '.join(ALL_MODES)}")
    return mode


def add(world: World, wish: dict[str, Any]) -> int:
    """Stores a fault from `{"provider", "match": {"method", "path"}, "when", "mode", "times", "delay_s", "for"}`.

    `path` is a shell pattern (`/api/oms/*/netbanking`) or a part of the path; empty matches every path of the provider.
    `times` is how many calls fail (0: until switched off; default 1), `for` a duration of the world's clock (`PT10M`)
    after which it is off in any case. Raises Problem 400.
    """
    match = wish.get("match") or {}
    if isinstance(match, str):
        match = json.loads(match)
    when = str(wish.get("when") or "before")
    if when not in ("before", "after"):
        raise Problem(400, "when is before or after")
    try:
        times, delay = int(wish.get("times", 1)), float(wish.get("delay_s") or 0)
    except (TypeError, ValueError):
        raise Problem(400, "times and delay_s are numbers") from None
    lasts = _checked_duration(str(wish.get("for") or ""))
    with world.transaction():
        key = _insert(world, wish, match, when, times, delay)
        if lasts:
            world.schedule(world.now() + lasts, EXPIRES, key)
    return key


def _checked_duration(text: str) -> float:
    try:
        return parse_duration(text) if text else 0
    except ValueError as error:
        raise Problem(400, str(error)) from None


def _insert(world: World, wish: dict[str, Any], match: dict[str, Any], when: str, times: int, delay: float) -> int:
    return world.insert(
        "faults",
        provider=str(wish.get("provider") or ""),
        method=str(match.get("method") or wish.get("method") or "").upper(),
        path=str(match.get("path") or wish.get("path") or ""),
        at=when,
        mode=_checked_mode(str(wish.get("mode") or "")),
        remaining=times or None,
        delay_s=delay,
        retry_after=None if wish.get("retry_after") is None else str(wish["retry_after"]),
    )


def active(world: World) -> list[dict[str, Any]]:
    until = "(SELECT min(d.at) FROM due d WHERE d.kind = ? AND d.ref = CAST(f.id AS TEXT)) AS until"
    sql = f"SELECT f.*, {until} FROM faults f WHERE remaining IS NULL OR remaining > 0 ORDER BY id"  # noqa: S608
    rows = world.all(sql, EXPIRES)
    return [
        {
            "id": row["id"], "provider": row["provider"], "match": {"method": row["method"], "path": row["path"]},
            "when": row["at"], "mode": row["mode"], "times": row["remaining"] or 0, "delay_s": row["delay_s"],
            "hits": row["hits"], "until": ist(row["until"]).isoformat(timespec="seconds") if row["until"] else None,
        }
        for row in rows
    ]  # fmt: skip


def clear(world: World, fault_id: int | None = None) -> None:
    """One, or all. Their ends go with them: SQLite gives the id of a fault that is gone to the next one."""
    with world.transaction():
        if fault_id is None:
            world.run("DELETE FROM faults")
            world.run("DELETE FROM due WHERE kind = ?", EXPIRES)
        else:
            world.run("DELETE FROM faults WHERE id = ?", fault_id)
            world.run("DELETE FROM due WHERE kind = ? AND ref = ?", EXPIRES, str(fault_id))


def _expired(world: World, ref: str, details: dict[str, Any]) -> None:
    clear(world, int(ref))


DUE = {EXPIRES: _expired}


def _path_matches(pattern: str, path: str) -> bool:
    if not pattern:
        return True
    return fnmatch.fnmatchcase(path, pattern) if "*" in pattern else pattern in path


def take(world: World, provider: str, request: Request) -> Fault | None:
    """The first fault this call runs into, used up once; a separate `invisible` fault joins it."""
    rows = world.all("SELECT * FROM faults WHERE remaining IS NULL OR remaining > 0 ORDER BY id")
    chosen: list[Any] = []
    for row in rows:
        fits = row["provider"] in ("", provider) and row["method"] in ("", request.method)
        if not fits or not any(_path_matches(row["path"], path) for path in (request.path, request.full_path)):
            continue
        only_hides = row["mode"].startswith("invisible:") and "+" not in row["mode"]
        if only_hides or not any(not c["mode"].startswith("invisible:") for c in chosen):
            chosen.append(row)
    if not chosen:
        return None
    with world.transaction() as db:
        for row in chosen:
            db.execute("UPDATE faults SET hits = hits + 1, remaining = remaining - 1 WHERE id = ?", (row["id"],))
    main = next((row for row in chosen if not row["mode"].startswith("invisible:")), chosen[0])
    modes = tuple(mode for row in chosen for mode in row["mode"].split("+"))
    when = "after" if all(mode.startswith("invisible:") for mode in modes) else main["at"]
    return Fault(modes, when, max(row["delay_s"] for row in chosen), main["retry_after"])


def _wrong(value: Any) -> Any:
    """The same document with every type changed."""
    if isinstance(value, dict):
        return {key: _wrong(item) for key, item in value.items()}
    if isinstance(value, list):
        return {str(n): _wrong(item) for n, item in enumerate(value)}
    if isinstance(value, bool) or value is None:
        return "unexpected"
    return [value] if isinstance(value, str) else f"{value} INR"


def _wrong_types(good: Response) -> Response:
    try:
        body = dumps(_wrong(json.loads(good.body or b"{}")))
    except ValueError:
        body = b"[]"
    return Response(good.status, body)


def _status(code: int, fault: Fault, render: Render) -> Response:
    failing = render(Problem(code, f"simulated {code}"))
    headers = {"Retry-After": fault.retry_after or "2"} if code in (429, 503) else {}
    return Response(code, failing.body, failing.content_type, headers)


def _half(good: Response, render: Render) -> Response:
    """The first half of the answer; of one of the provider's own that never was, when the call had none."""
    whole = good.body or render(Problem(400, "an answer that was cut off")).body
    return Response(good.status, whole[: max(len(whole) // 2, 1)], good.content_type)


def _refusal(field: str) -> Problem:
    """A rule of the provider's that nobody here knows, broken in this field."""
    return Problem(400, f"{field}: is not acceptable", [{"field": field, "message": "is not acceptable"}])


def spoil(fault: Fault, good: Response, render: Render, root: str) -> Response:
    """What the caller gets instead of `good`, in the provider's own envelope. `root` is where the provider lives."""
    mode = fault.answer_mode
    if mode.startswith("status:"):
        return _status(int(mode[7:]), fault, render)
    if mode.startswith("refuse:"):
        return render(_refusal(mode[7:]))
    if mode in WIRE_MODES:
        body = good.body or render(Problem(400, "an answer that was cut off")).body
        return Response(good.status, body, good.content_type, good.headers, wire=mode)
    answers = {
        "html_200": lambda: Response(200, HTML, "text/html;charset=UTF-8"),
        "empty_200": lambda: Response(200, b""),
        "truncated": lambda: _half(good, render),
        "wrong_types": lambda: _wrong_types(good),
        "timed_out_400": lambda: render(Problem(400, "Request timed out")),
        "redirect": lambda: Response(302, b"", JSON_TYPE, {"Location": f"{root}/redirected"}),
    }
    return answers[mode]() if mode in answers else good
