"""Small helpers for the pages the sandbox shows to people: no inline script, no inline style."""

from __future__ import annotations

import html
import urllib.parse
from pathlib import Path
from typing import Any

from .web import Problem, Request, Response
from .world import World

STATIC = Path(__file__).with_name("static")
TYPES = {".css": "text/css;charset=UTF-8", ".js": "text/javascript;charset=UTF-8"}


def esc(value: Any) -> str:
    return html.escape("" if value is None else str(value), quote=True)


def origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def page(
    title: str,
    body: str,
    css: str,
    *,
    script: str = "",
    form_to: str = "",
    ancestors: str = "'none'",
    status: int = 200,
) -> Response:
    """A whole page. `form_to` is the one foreign origin a form on it may be sent to, `ancestors` who may frame it."""
    tags = f'<script src="{esc(script)}" defer></script>' if script else ""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{esc(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<link rel="stylesheet" href="{esc(css)}"><link rel="icon" href="data:,">{tags}</head>'
        f"<body>{body}</body></html>"
    )
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; "
        f"frame-ancestors {ancestors}; "
        f"form-action 'self' {form_to}".strip()
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(status, text.encode(), "text/html;charset=UTF-8", headers | {"Referrer-Policy": "no-referrer"})


def hidden(**values: Any) -> str:
    return "".join(f'<input type="hidden" name="{esc(k)}" value="{esc(v)}">' for k, v in values.items())


def static(world: World, request: Request, name: str) -> Response:
    """A file of the static folder; raises Problem 404."""
    path = STATIC / name
    if "/" in name or path.suffix not in TYPES or not path.is_file():
        raise Problem(404, "Not Found")
    return Response(200, path.read_bytes(), TYPES[path.suffix], {"Cache-Control": "no-cache"})


def rupees(text: str | None) -> str:
    """₹1,23,456.70 from stored exact text; whole rupees without the paise."""
    if text is None:
        return ""
    whole, _, part = f"{abs(float(text)):.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    sign = "-" if text.startswith("-") else ""
    return f"{sign}₹{','.join([*groups, tail])}" + ("" if part == "00" else f".{part}")
