"""The providers' world on loopback: Fintech Primitives, banks and fund registrars, played from their documents.

This package imports nothing from the rest of the project and nothing there imports it: a misreading of a document
must not confirm itself. Standard library only. `python -m portal.sandbox` serves it; `application(path)` gives the
same world as a WSGI callable for tests in one process.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import Sandbox

__all__ = ["application"]


def application(state_path: str | Path, pace: str | None = None) -> Sandbox:
    """A WSGI application over the world kept in `state_path` (an SQLite file, created when missing)."""
    from .app import Sandbox

    return Sandbox(state_path, pace=pace)
