"""Every route of the product: path, methods, name, and who may open it. A route without a rule fails the build."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import URLPattern, URLResolver, get_resolver

from portal.access import ANYONE, STAFF

OWN_ACCOUNT = "the signed-in person, own account only"
SIGNING_IN = "anyone; rate-limited, and tells nobody who has an account"
# Routes of packages: their views carry no stamp of ours. The longest prefix wins.
RULES_BY_PREFIX = {
    "admin/": STAFF,
    "admin/login/": SIGNING_IN,
    "admin/jsi18n/": STAFF,
    "accounts/": OWN_ACCOUNT,
    "accounts/login/": SIGNING_IN,
    "accounts/signup/": SIGNING_IN,
    "accounts/logout/": OWN_ACCOUNT,
    "accounts/inactive/": ANYONE,
    "accounts/confirm-email/": SIGNING_IN,
    "accounts/password/reset/": SIGNING_IN,
    "accounts/2fa/authenticate/": SIGNING_IN,
    "accounts/2fa/webauthn/login/": SIGNING_IN,
    "accounts/2fa/webauthn/signup/": SIGNING_IN,
}
ANY_METHOD = ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Route:
    """One address pattern and what is known about it."""

    path: str
    methods: tuple[str, ...]
    name: str
    rule: str
    view: str


def routes() -> list[Route]:
    """All of them, in the order in which Django tries them."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], before: str, namespace: str) -> Iterator[Route]:
    for pattern in patterns:
        path = before + _readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, path, inner)
        else:
            yield _route(pattern, path, namespace)


def _route(pattern: URLPattern, path: str, namespace: str) -> Route:
    view = pattern.callback
    name = f"{namespace}{pattern.name}" if pattern.name else ""
    where = f"{getattr(view, '__module__', '')}.{getattr(view, '__qualname__', type(view).__qualname__)}"
    return Route("/" + path, _methods(view), name, _rule(view, path), where)


def _readable(pattern: str) -> str:
    """`^a/(?P<key>[0-9]+)$` as `a/<key>`."""
    named = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)
    return named.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")


def _rule(view: Callable[..., Any], path: str) -> str:
    stamped = getattr(view, "access", "")
    prefixes = [prefix for prefix in RULES_BY_PREFIX if path.startswith(prefix)]
    return str(stamped or (RULES_BY_PREFIX[max(prefixes, key=len)] if prefixes else ""))


def _methods(view: Callable[..., Any]) -> tuple[str, ...]:
    """What the view answers: a class says it, `require_http_methods` hides it in a closure, others take any."""
    if view_class := getattr(view, "view_class", None):
        names = [name.upper() for name in view_class.http_method_names if hasattr(view_class, name)]
        return tuple(names + ["HEAD"] * ("GET" in names and "HEAD" not in names))
    inner: Any = view
    while inner is not None:
        code = getattr(inner, "__code__", None)
        if code and "request_method_list" in code.co_freevars:
            return tuple(inner.__closure__[code.co_freevars.index("request_method_list")].cell_contents)
        inner = getattr(inner, "__wrapped__", None)
    return ANY_METHOD


class Command(BaseCommand):
    """Prints a table or JSON; exits 1 when a route has no rule."""

    help = "List every route with its methods and owner rule."

    def add_arguments(self, parser: CommandParser) -> None:
        """For people, for programs, for the build."""
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--quiet", action="store_true", help="only what is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError that names the routes without a rule."""
        found = routes()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(route) for route in found], indent=2))
        elif not options["quiet"]:
            self._table(found)
        without = [route.path for route in found if not route.rule]
        if without:
            raise CommandError("No rule says who may open: " + ", ".join(without))

    def _table(self, found: list[Route]) -> None:
        for route in found:
            self.stdout.write(
                f"{route.path}\n    {', '.join(route.methods):20}  {route.name or '-':34}  {route.rule or 'NO RULE'}"
            )
        self.stdout.write(f"{len(found)} routes")
