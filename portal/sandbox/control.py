"""Control for programs: clock, faults, outcomes, ledger. Arguments come as JSON or as query parameters alike."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import control_pages, faults, ledger, market, notices, scenes, upcoming
from .clock import ist, last_nav_day, parse_duration, parse_moment
from .fivepaisa import control as fivepaisa
from .fp import feeds, life, mandate_life, payment_life
from .journal import Journal
from .odin import control as odin
from .pages import static
from .smallcase import control as smallcase
from .web import Problem, Request, Response, Router, arguments, json_response
from .world import PACES, World


def render(problem: Problem) -> Response:
    return json_response({"error": {"status": problem.status, "message": problem.message}}, problem.status)


def health(world: World, request: Request) -> Response:
    return json_response({"status": "ok", "pace": world.pace, "clock": ist(world.now()).isoformat(timespec="seconds")})


def reset(world: World, request: Request) -> Response:
    world.reset()
    return json_response({"message": "a fresh world"})


def clock_document(world: World) -> dict[str, Any]:
    return {
        "now": ist(world.now()).isoformat(timespec="milliseconds"), "offset_s": round(world.offset, 3),
        "pace": world.pace,
        "last_nav_date": last_nav_day(world.now()).isoformat(), "waiting": world.scalar("SELECT count(*) FROM due"),
        "failed": world.scalar("SELECT count(*) FROM stuck"),
    }  # fmt: skip


def clock(world: World, request: Request) -> Response:
    return json_response(clock_document(world))


def move_clock(world: World, given: dict[str, Any]) -> int:
    """Advances by `advance` or goes to `at`, then settles what is due; returns how much was. Raises Problem 400."""
    try:
        if given.get("advance"):
            world.set_clock(world.now() + parse_duration(str(given["advance"])))
        elif given.get("at"):
            world.set_clock(parse_moment(str(given["at"])))
            world.set_meta("clock_set", "1")
        else:
            raise Problem(400, "give advance (P1D, PT1H) or at (an ISO-8601 moment)")
    except ValueError as error:
        raise Problem(400, str(error)) from None
    return world.settle()


def set_clock(world: World, request: Request) -> Response:
    settled = move_clock(world, arguments(request))
    return json_response(clock_document(world) | {"settled": settled})


def set_pace(world: World, request: Request) -> Response:
    mode = arguments(request).get("mode")
    if mode not in PACES:
        raise Problem(400, f"mode is one of {', '.join(PACES)}")
    world.set_meta("pace", mode)
    return json_response({"pace": mode})


def set_market(world: World, request: Request) -> Response:
    """Whether the stock market keeps NSE's hours."""
    mode = market.set_hours(world, str(arguments(request).get("hours") or ""))
    return json_response({"hours": mode, "open": market.is_open(world)})


def add_fault(world: World, request: Request) -> Response:
    return json_response({"id": faults.add(world, arguments(request)), "faults": faults.active(world)}, 201)


def list_faults(world: World, request: Request) -> Response:
    return json_response({"faults": faults.active(world)})


def clear_faults(world: World, request: Request) -> Response:
    faults.clear(world)
    return json_response({"faults": []})


def list_scenes(world: World, request: Request) -> Response:
    return json_response({"scenes": scenes.documents(), "next": upcoming.expected(world)})


def play_scene(world: World, request: Request, name: str) -> Response:
    return json_response({"name": name, "note": control_pages.play(world, {"name": name})})


def set_limits(world: World, request: Request) -> Response:
    """Calls a second for each tenant; 0 (the default) is no limit. The real sandbox allows 25."""
    given = str(arguments(request).get("calls_per_second", ""))
    if not (given.isdecimal() and len(given) < 10):
        raise Problem(400, "calls_per_second is a whole number")
    world.set_meta("calls_per_second", given)
    return json_response({"calls_per_second": int(given)})


def webhooks(world: World, request: Request) -> Response:
    return json_response(notices.change(world, arguments(request)))


def fp_payment(world: World, request: Request, payment_id: str) -> Response:
    """Stands for the person at the bank page."""
    outcome = str(arguments(request).get("outcome") or "")
    row = payment_life.payment_row(world, int(payment_id))
    status = payment_life.person_does(world, row["id"], outcome)
    return json_response({"id": row["id"], "outcome": outcome, "status": status})


def fp_order(world: World, request: Request, order_id: str) -> Response:
    """Moves an order by hand; it is left to hands from then on."""
    to = str(arguments(request).get("status") or "").upper()
    with world.transaction():
        row = life.order_row(world, int(order_id))
        world.update("fp_orders", row["id"], manual=1)
        life.move(world, row["id"], to)
    return json_response({"id": row["id"], "status": life.order_row(world, row["id"])["status"]})


def fp_mandate(world: World, request: Request, mandate_id: str) -> Response:
    to = str(arguments(request).get("status") or "").upper()
    mandate_life.move(world, int(mandate_id), to)
    return json_response({"id": int(mandate_id), "status": to})


def fp_feed(world: World, request: Request) -> Response:
    """The registrar's feed of the world's own transactions, for uploading."""
    given = arguments(request)
    rta = str(given.get("rta") or "CAMS").upper()
    if rta not in ("CAMS", "KFINTECH"):
        raise Problem(400, "rta is CAMS or KFINTECH")
    first, last = str(given.get("from") or "0001-01-01"), str(given.get("to") or "9999-12-31")
    name = {"CAMS": "WBR2", "KFINTECH": "MFSD201"}[rta]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(200, feeds.export(world, rta, first, last), "text/csv;charset=UTF-8", headers)


def fp_ledger(world: World, request: Request) -> Response:
    return json_response(ledger.fp(world, arguments(request)))


def requests(journal: Journal, world: World, request: Request) -> Response:
    return json_response({"requests": journal.latest()})


def router(journal: Journal) -> Router:
    routes = Router()
    routes.add_all([
        ("GET", "/health", health),
        ("POST", "/reset", reset),
        ("GET", "/clock", clock),
        ("POST", "/clock", set_clock),
        ("GET", "/pace", clock),
        ("POST", "/pace", set_pace),
        ("POST", "/market", set_market),
        ("GET", "/faults", list_faults),
        ("POST", "/faults", add_fault),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/scenes", list_scenes),
        ("POST", "/scenes/{name}", play_scene),
        ("POST", "/limits", set_limits),
        ("POST", "/webhooks", webhooks),
        ("POST", "/fp/payments/{payment_id:int}", fp_payment),
        ("POST", "/fp/orders/{order_id:int}", fp_order),
        ("POST", "/fp/mandates/{mandate_id:int}", fp_mandate),
        ("GET", "/fp/feed", fp_feed),
        ("GET", "/ledger/fp", fp_ledger),
        ("GET", "/requests", partial(requests, journal)),
        ("GET", "/static/{name}", static),
    ])  # fmt: skip
    routes.add_all(notices.ROUTES)
    routes.add_all(smallcase.ROUTES)
    routes.add_all(odin.ROUTES)
    routes.add_all(fivepaisa.ROUTES)
    routes.add_all(control_pages.routes(journal))
    return routes
