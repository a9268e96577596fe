"""ODIN Connector's invest button, as its document and providers.md part 2 describe it.

A publisher sends a basket with the session of a logged-in user and gets the address of a page; the person executes the
basket there and comes back. What becomes of the orders is told by numbered messages. All under `/odin`.
"""

from __future__ import annotations

from ..limits import Limiter
from ..web import Problem, Request, Response, Router, json_response
from ..world import World
from . import button, landing, orders, services
from .schema import SCHEMA
from .sessions import Refusal

# Pages for people: no credentials, no faults.
PAGES = ("/landing/",)
LIMITER = Limiter()


def routes() -> Router:
    router = Router()
    for part in (button, services, landing):
        router.add_all(part.ROUTES)
    return router


def install(world: World) -> None:
    """Makes the tables and tells the world what to do when something of ours falls due."""
    with world.transaction():
        world.db.executescript(SCHEMA)
    world.due_handlers.update(orders.DUE)


def enter(world: World, request: Request) -> None:
    """Raises Problem 429 above the limit; credentials stand in the bodies."""
    if not request.path.startswith(PAGES):
        LIMITER.check(world, "odin")


def render(problem: Problem) -> Response:
    """The envelope of a failure."""
    if not isinstance(problem, Refusal):
        problem = Refusal(problem.message, 500 if problem.status < 500 else 599, problem.status)
    body = {
        "success": False, "data": None, "message": problem.message, "statusCode": problem.code,
        "traceId": button.trace(),
    }  # fmt: skip
    return json_response(body, problem.status)


__all__ = ["PAGES", "enter", "install", "render", "routes"]
