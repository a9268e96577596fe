"""The capability matrix: every documented endpoint, who calls it, who plays it, which example shows it, who uses it.

Nothing of it is written by hand: endpoints and examples are the tests' own tables, routes are what the sandbox says,
methods are looked up on the clients, and uses are found in the source.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

# provider -> (its title, module and class of its client, what a user of it imports, its examples)
PROVIDERS = {
    "fp": ("Fintech Primitives", "portal.fintech_primitives", "FintechPrimitives", "fp.json"),
    "smallcase": ("smallcase Gateway", "brokers.smallcase", "Smallcase", "smallcase.json"),
    "odin": ("ODIN Connector", "brokers.odin", "Odin", "odin.json"),
    "5paisa": ("5paisa", "brokers.fivepaisa", "FivePaisa", "fivepaisa.json"),
}
APPS = ("portal", "investors", "orders", "payments", "brokers")
# Not the product: the clients themselves, the sandbox, benchmarks, the matrix.
NO_USERS = ("portal/fintech_primitives/", "portal/sandbox/", "portal/management/bench/")
RULE = "| --- | --- | --- | --- | --- | --- |"
HEAD = """\
# Providers

What each provider documents, and what of it exists here. This page is generated: `./run provider_matrix` writes it, and
`./run lint` fails when it is out of date. How endpoints are called is told by the clients themselves; what counts as
a refusal stands in the table of each `refusals.py`; how the sandbox plays them, in `portal/sandbox/README.md`.

* **client**: the method of the client that makes the call.
* **sandbox**: whether the sandbox has a route for it.
* **examples**: printed examples that are replayed against the sandbox and read by the client (`tests/samples/`).
* **used by**: where the product calls it; a dash where nothing does yet.
"""


@dataclass(frozen=True)
class Line:
    """One documented endpoint."""

    endpoint: str
    section: str
    client: str
    has_method: bool
    has_route: bool
    examples: tuple[str, ...]
    users: tuple[str, ...]


def page() -> str:
    """The whole page. Raises ImportError where the tests, which hold the list of endpoints, are not installed."""
    lines = {provider: list(_lines(provider)) for provider in PROVIDERS}
    parts = [HEAD, _summary(lines), *(_table(provider, found) for provider, found in lines.items())]
    return "\n".join(parts)


def _summary(lines: dict[str, list[Line]]) -> str:
    head = f"| provider | endpoints | client | sandbox | examples | used by the product |\n{RULE}"
    rows = []
    for provider, found in lines.items():
        counts = [
            len(found), sum(each.has_method for each in found), sum(each.has_route for each in found),
            sum(len(each.examples) for each in found), sum(bool(each.users) for each in found),
        ]  # fmt: skip
        rows.append(f"| {PROVIDERS[provider][0]} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join([head, *rows, ""])


def _table(provider: str, lines: list[Line]) -> str:
    head = f"| endpoint | described in | client | sandbox | examples | used by |\n{RULE}"
    rows = [
        f"| `{each.endpoint}` | {each.section} | {f'`{each.client}`' if each.has_method else '**none**'} "
        f"| {'yes' if each.has_route else '**none**'} | {', '.join(each.examples) or '-'} "
        f"| {', '.join(f'`{user}`' for user in each.users) or '-'} |"
        for each in lines
    ]
    return "\n".join([f"## {PROVIDERS[provider][0]}\n", head, *rows, ""])


def _lines(provider: str) -> Iterator[Line]:
    # The tests are no dependency of the product: only whoever writes the page needs them.
    endpoints = importlib.import_module("tests.contracts.endpoints")
    _, package, name, file = PROVIDERS[provider]
    client = getattr(importlib.import_module(f"{package}.client"), name)
    samples = json.loads((settings.BASE_DIR / "tests" / "samples" / file).read_text())["samples"]
    played, used = _routes(provider), _uses(package)
    for row in (each for each in endpoints.ALL if each.provider == provider):
        yield Line(
            endpoint=row.name,
            section=row.section,
            client=row.client,
            has_method=callable(getattr(client, row.client, None)),
            has_route=_shape(row.name) in played,
            examples=tuple(each["id"] for each in samples if _is_of(each, row)),
            users=tuple(sorted(used.get(row.client, ()))),
        )


def _is_of(sample: dict[str, Any], row: Any) -> bool:
    """Facts of our own have no section in a document; their examples are found by the endpoint alone."""
    same = sample["endpoint"] == row.name
    return same and ("providers.md" in row.section or sample.get("section", row.section) == row.section)


# --- the sandbox --------------------------------------------------------------------------------------------------

_said: dict[str, set[str]] = {}


def _routes(provider: str) -> set[str]:
    """What the sandbox plays, in its own words: it is another program, and nothing of it is imported here."""
    if not _said:
        command = [sys.executable, "-m", "portal.sandbox", "--routes"]
        found = subprocess.run(command, cwd=settings.BASE_DIR, check=True, capture_output=True, text=True)
        for line in found.stdout.splitlines():
            name, route = line.split(" ", 1)
            _said.setdefault(name, set()).add(_shape(route))
    return _said.get(provider, set())


def _shape(route: str) -> str:
    """`GET /orders/{order_id:int}` as `GET /orders/{}`: names differ, places do not."""
    return re.sub(r"\{[^}]*\}", "{}", route)


# --- uses ---------------------------------------------------------------------------------------------------------


def _uses(package: str) -> dict[str, set[str]]:
    """Method name -> where it is called, in files that import the provider's client."""
    found: dict[str, set[str]] = {}
    for path in _product():
        where = path.relative_to(settings.BASE_DIR).as_posix()
        # The client's own file is no user of it; a broker's adapter stands beside it and is.
        if where.startswith((*NO_USERS, package.replace(".", "/") + "/client.py")):
            continue
        tree = ast.parse(path.read_text())
        if _imports(tree, package):
            for name, function in _calls(tree):
                found.setdefault(name, set()).add(f"{where}: {function}")
    return found


def _product() -> Iterator[Path]:
    for app in APPS:
        yield from sorted((settings.BASE_DIR / app).rglob("*.py"))


def _imports(tree: ast.Module, package: str) -> bool:
    """`from package import client`, `from package.client import ...` or `import package.client`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (
            node.module == f"{package}.client"
            or (node.module == package and any(a.name == "client" for a in node.names))
        ):
            return True
        if isinstance(node, ast.Import) and any(alias.name == f"{package}.client" for alias in node.names):
            return True
    return False


def _calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(method, the function it is called in) for every `something.method` that is no method of the object itself."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
            if isinstance(node, ast.Attribute) and not own:
                yield node.attr, function.name
