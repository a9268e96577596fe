"""One application for all providers: first path segment -> provider, with faults and the journal around each call."""

from __future__ import annotations

import logging
import time
import traceback
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import amfi, control, faults, fivepaisa, fp, notices, nse, odin, partner, smallcase
from .journal import Journal
from .web import REASONS, Problem, Request, Response, Router
from .world import World

log = logging.getLogger("portal.sandbox")
CONTROL = "_control"


@dataclass(frozen=True)
class Provider:
    """`render` writes a Problem in the provider's own words; `enter` checks credentials before a route runs.

    `pages` are the beginnings of paths that people see: no fault touches them.
    """

    routes: Router
    render: Callable[[Problem], Response]
    enter: Callable[[World, Request], None] | None = None
    pages: tuple[str, ...] = ()


class Sandbox:
    """The world with its doors: a WSGI application, and `handle` for the sandbox's own server."""

    def __init__(self, state_path: str | Path, pace: str | None = None) -> None:
        self.world = World(state_path, pace)
        self.journal = Journal()
        for part in (fp, smallcase, odin, fivepaisa, notices):
            part.install(self.world)
        self.world.due_handlers.update(faults.DUE)
        self.providers = {
            "fp": Provider(fp.routes(), fp.render, fp.enter, ("/bank/",)),
            "smallcase": Provider(smallcase.routes(), smallcase.render, smallcase.enter, smallcase.PAGES),
            "odin": Provider(odin.routes(), odin.render, odin.enter, odin.PAGES),
            "5paisa": Provider(fivepaisa.routes(), fivepaisa.render, fivepaisa.enter, fivepaisa.PAGES),
            "amfi": Provider(amfi.router(), amfi.render),
            "nse": Provider(nse.router(), nse.render),
            "partner": Provider(partner.router(), partner.render, None, partner.PAGES),
            CONTROL: Provider(control.router(self.journal), control.render),
        }

    def close(self) -> None:
        self.world.close()

    # -- one call ----------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answers a call, running into a fault if one is set for it."""
        started = time.perf_counter()
        segment, _, rest = request.full_path.lstrip("/").partition("/")
        provider = self.providers.get(segment)
        if provider is None:
            return self._nowhere(request)
        request.path = "/" + rest
        self.world.settle()
        spared = segment == CONTROL or request.path.startswith(provider.pages)
        fault = None if spared else faults.take(self.world, segment, request)
        response = self._with_fault(provider, request, fault, f"{request.base_url}/{segment}")
        if segment != CONTROL and "/static/" not in request.path:
            took = time.perf_counter() - started
            self.journal.note(request, response, took, "+".join(fault.modes) + f" {fault.when}" if fault else "")
        return response

    def _with_fault(self, provider: Provider, request: Request, fault: faults.Fault | None, root: str) -> Response:
        if fault is None:
            return self._answer(provider, request)
        if fault.when == "before":
            good = Response(200, b"")
        else:
            good = self._answer(provider, request)
            for kind, key in request.created if fault.hides_for else ():
                self.world.hide(kind, key, fault.hides_for)
        if fault.answer_mode == "hang":
            time.sleep(fault.delay_s or faults.DEFAULT_HANG_S)
        else:
            time.sleep(fault.delay_s)
        if fault.answer_mode == "slow" and fault.when == "before":
            return self._answer(provider, request)
        return faults.spoil(fault, good, provider.render, root)

    def _answer(self, provider: Provider, request: Request) -> Response:
        try:
            handler, args = provider.routes.find(request.method, request.path)
            if provider.enter:
                provider.enter(self.world, request)
            return handler(self.world, request, **args)
        except Problem as problem:
            return provider.render(problem)
        except OverflowError:  # an id larger than any there is
            return provider.render(Problem(404, "Not Found"))
        except Exception:  # noqa: BLE001  a provider answers 500, it does not die
            log.error("%s %s failed\n%s", request.method, request.full_path, traceback.format_exc())
            return provider.render(Problem(500, "Internal Server Error"))

    def _nowhere(self, request: Request) -> Response:
        if request.full_path == "/":
            return Response(302, b"", "text/plain", {"Location": f"/{CONTROL}/"})
        return Response(404, b'{"error": {"status": 404, "message": "no such provider", "errors": null}}')

    # -- WSGI --------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI door for tests in one process; a fault on the wire raises ConnectionResetError or TimeoutError."""
        response = self.handle(request_from_environ(environ))
        if response.wire:
            raise (TimeoutError if response.wire == "hang" else ConnectionResetError)(f"sandbox fault: {response.wire}")
        start_response(f"{response.status} {REASONS.get(response.status, 'Status')}", response.header_list())
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]


def request_from_environ(environ: dict[str, Any]) -> Request:
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Request(
        environ["REQUEST_METHOD"],
        path,
        environ.get("QUERY_STRING", ""),
        headers,
        environ["wsgi.input"].read(length) if length else b"",
        f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
        full_path=urllib.parse.quote(path.encode("latin-1"), safe="/:@!$&'()*+,;=~%-._"),
    )
