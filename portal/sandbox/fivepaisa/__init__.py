"""5paisa's Xtream API as its documents describe it: login, orders, books, holdings, margin, market data."""

from __future__ import annotations

from ..limits import Limiter
from ..pages import static
from ..web import Handler, Problem, Request, Response, Router, json_response
from ..world import World
from . import books, feed, life, login, orders, portfolio
from .schema import SCHEMA

SERVICE = "/VendorsAPI/Service1.svc"
LIMITER = Limiter()
PAGES = (login.PAGE_PATH, "/static/")
HTML_TYPE = "text/html;charset=UTF-8"
# path under the service, without and with the versions under which it answers -> who answers
CALLS: tuple[tuple[str, Handler], ...] = (
    ("TOTPLogin", login.totp_login),
    ("GetAccessToken", login.access_token),
    ("V4/LoginRequestMobileNewbyEmail", login.email_login),
    ("V3/LoginRequestMobileNewbyEmail", login.email_login),
    ("V2/LoginRequestMobileNewbyEmail", login.email_login),
    ("V1/PlaceOrderRequest", orders.PLACE),
    ("V1/ModifyOrderRequest", orders.MODIFY),
    ("V1/CancelOrderRequest", orders.CANCEL),
    ("PlaceOrderRequest", orders.PLACE),
    ("ModifyOrderRequest", orders.MODIFY),
    ("CancelOrderRequest", orders.CANCEL),
    ("V1/OrderRequest", orders.ACT),
    ("PlaceOrderBulk", orders.PLACE_MANY),
    ("CancelOrderBulk", orders.CANCEL_MANY),
    ("OrderStatus", books.STATUS_V2),
    ("V1/OrderStatus", books.STATUS_V2),
    ("V2/OrderStatus", books.STATUS_V2),
    ("V3/OrderStatus", books.STATUS_V3),
    ("V4/OrderBook", books.BOOK_V4),
    ("V3/OrderBook", books.BOOK_V3),
    ("V2/OrderBook", books.BOOK_V2),
    ("V1/TradeBook", books.TRADE_BOOK),
    ("TradeHistory", books.TRADE_HISTORY),
    ("V1/TradeHistory", books.TRADE_HISTORY),
    ("TradeInformation", books.TRADE_INFORMATION),
    ("V1/TradeInformation", books.TRADE_INFORMATION),
    ("V2/NetPositionNetWise", portfolio.POSITIONS_V2),
    ("V1/NetPositionNetWise", portfolio.POSITIONS_V1),
    ("V4/NetPosition", portfolio.POSITIONS_V2),
    ("V4/Holding", portfolio.HOLDING_V4),
    ("V3/Holding", portfolio.HOLDING_V3),
    ("V2/Holding", portfolio.HOLDING_V3),
    ("V4/Margin", portfolio.MARGIN),
    ("V3/Margin", portfolio.MARGIN),
    ("MultiOrderMargin", portfolio.MULTI_MARGIN),
    ("V1/MarketSnapshot", feed.SNAPSHOT),
    ("MarketSnapshot", feed.SNAPSHOT),
    ("V1/MarketFeed", feed.FEED_V1),
    ("MarketFeed", feed.FEED),
    ("V3/MarketDepth", feed.DEPTH_V3),
    ("V2/MarketDepth", feed.DEPTH_V2),
    ("V1/MarketDepth", feed.DEPTH_V1),
    ("MarketDepth", feed.DEPTH),
    ("MarketStatus", feed.STATUS),
)


def routes() -> Router:
    """Versions are read in either case, as the document itself writes `v1` and `V1`."""
    router = Router()
    router.add_all([
        ("GET", login.PAGE_PATH, login.show),
        ("POST", login.PAGE_PATH, login.submit),
        ("GET", "/static/{name}", static),
        ("GET", SERVICE + "/ScripMaster/segment/{segment}", feed.scrips),
    ])  # fmt: skip
    for path, handler in CALLS:
        for spelt in {path, path.replace("V", "v", 1) if path[0] == "V" else path}:
            router.add("POST", f"{SERVICE}/{spelt}", handler)
    return router


def install(world: World) -> None:
    """Makes the tables, and tells the world what to do when something of ours falls due."""
    with world.transaction() as db:
        for statement in filter(str.strip, SCHEMA.split(";")):
            db.execute(statement)
    world.due_handlers.update(life.DUE)


def enter(world: World, request: Request) -> None:
    """Raises Problem 429 over the limit that the control room sets."""
    LIMITER.check(world, "5paisa")


def render(problem: Problem) -> Response:
    """What is no answer of an endpoint: an unknown address, a wrong method, a call that nobody understood, trouble."""
    if problem.status in (404, 405):
        words = "Endpoint not found." if problem.status == 404 else "Method not allowed."
        return Response(problem.status, f"<html><body><p>{words}</p></body></html>".encode(), HTML_TYPE)
    unable = {"status": "-1", "statusDescription": "Server unable to process your request"}
    head = {"status": "1", "statusDescription": problem.message} if problem.status == 400 else unable
    response = json_response({"head": head, "body": None}, problem.status)
    if problem.status == 429:
        response.headers["Retry-After"] = "1"
    return response


__all__ = ["enter", "install", "render", "routes"]
