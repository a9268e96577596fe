"""The whole catalogue of states, reasons and errors, made of the tables that the code itself works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.api import errors
from portal.api.scopes import SCOPES

Part = Callable[[], dict[str, str]]
PARTS: dict[str, Part] = {}


def add(name: str, part: Part) -> None:
    """An app's table: code -> words."""
    PARTS[name] = part


def everything() -> dict[str, Any]:
    """Name of the table -> code -> words."""
    found = {name: {str(code): str(words) for code, words in part().items()} for name, part in sorted(PARTS.items())}
    return {
        "errors": {code: {"status": kind.status, "title": kind.title} for code, kind in errors.KINDS.items()}
        | {code: {"status": 422, "title": title} for code, title in failures().items()},
        "scopes": dict(SCOPES),
        **found,
    }


def failures() -> dict[str, str]:
    """Every refusal of the business that an endpoint names: code -> words."""
    from portal.api.endpoints import REGISTRY

    named = {each.code: each.message for endpoint in REGISTRY.values() for each in endpoint.failures}
    return dict(sorted(named.items()))
