"""Fintech Primitives as its document describes it: login, investors, orders, payments, masters, files, KYC."""

from __future__ import annotations

from ..limits import Limiter
from ..web import Problem, Request, Response, Router, json_response
from ..world import World
from . import auth, parts

LIMITER = Limiter()


def routes() -> Router:
    router = Router()
    for part in parts.ALL:
        router.add_all(part.ROUTES)
    return router


def install(world: World) -> None:
    """Tells the world what to do when something of ours falls due."""
    for part in parts.ALL:
        world.due_handlers.update(getattr(part, "DUE", {}))


def render(problem: Problem) -> Response:
    """The documented error envelope."""
    body = {"error": {"status": problem.status, "message": problem.message, "errors": problem.errors}}
    response = json_response(body, problem.status)
    if problem.status == 429:
        response.headers["Retry-After"] = "1"
    return response


def enter(world: World, request: Request) -> None:
    """Every call but the login and the bank's own pages needs a valid token; raises Problem 401 or 429."""
    if request.path == auth.LOGIN_PATH or request.path.startswith("/bank/"):
        return
    request.tenant = auth.tenant_of(world, request)
    LIMITER.check(world, request.tenant)


__all__ = ["enter", "install", "render", "routes"]
