"""What the sections of the control room are made of: buttons, tables, states. Every provider's section uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .clock import ist
from .pages import esc, hidden

HOME = "/_control/"
SHOWN = 30


def button(act: str, label: str, **fields: Any) -> str:
    """A form of one button; `act` names the function in ACTS that it calls, `fields` are its arguments."""
    return f'<form method="post" action="{HOME}act">{hidden(act=act, **fields)}<button>{esc(label)}</button></form>'


def row_of(buttons: str) -> str:
    return f'<div class="row">{buttons}</div>' if buttons else ""


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Cells are HTML; the heads are text."""
    if not rows:
        return "<p class='none'>None yet.</p>"
    cells = "".join(
        "<tr>" + "".join(f'<td data-label="{esc(h)}">{cell}</td>' for h, cell in zip(head, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{''.join(f'<th>{esc(h)}</th>' for h in head)}</tr></thead><tbody>{cells}</tbody></table>"


def state(word: str) -> str:
    return f'<span class="state {esc(word.lower())}">{esc(word)}</span>'


def when(moment: float | None) -> str:
    """A moment of the world's, in Indian time; nothing for none."""
    return f"{ist(moment):%d %b %H:%M:%S}" if moment else ""
