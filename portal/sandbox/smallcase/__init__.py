"""smallcase Gateway, "Securities Transactions", as its document and providers.md part 1 describe it.

A partner's server makes a transaction, the SDK takes the person through broker, login and confirmation, and the result
comes three ways: from the SDK, by webhook, and from the reads. All under `/smallcase`; the SDK is `scdk.js`.
"""

from __future__ import annotations

from ..web import Problem, Request, Response, Router, json_response
from ..world import World
from . import accounts, auth, batches, reads, sdk, transactions
from .schema import SCHEMA

# Pages for people and the script: no credentials, no faults.
PAGES = ("/sdk/", "/scdk/")
PARTS = (transactions, reads, accounts, sdk)


def routes() -> Router:
    router = Router()
    for part in PARTS:
        router.add_all(part.ROUTES)
    return router


def install(world: World) -> None:
    """Makes the tables and tells the world what to do when something of ours falls due."""
    with world.transaction():
        world.db.executescript(SCHEMA)
    world.due_handlers.update(batches.DUE)


def render(problem: Problem) -> Response:
    """The gateway's envelope of a failure."""
    body = {"success": False, "errors": [problem.message], "data": None, "message": problem.message}
    response = json_response(body, problem.status)
    if problem.status == 429:
        response.headers["Retry-After"] = "1"
    return response


def _gateway_of(path: str) -> str:
    """The name in `/gateway/{name}/...` or `/v1/{name}/...`."""
    return path.split("/")[2]


def enter(world: World, request: Request) -> None:
    """Raises Problem 401 or 403 unless the API secret, the gateway's name and the user's token are good."""
    if not request.path.startswith(PAGES):
        auth.check_call(world, request, _gateway_of(request.path))


__all__ = ["PAGES", "enter", "install", "render", "routes"]
