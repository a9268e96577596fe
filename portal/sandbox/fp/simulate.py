"""The document's simulation calls. They move things along the documented paths only; asking twice is no error.

An order moved by hand is left to hands from then on; a payment moved by hand goes on by itself where its orders do.
"""

from __future__ import annotations

from ..web import Problem, Request, Response, json_response
from ..world import World
from . import life, payment_life
from .common import body_object, refuse

ORDER_STATES = ("PAYMENT_CONFIRMED", "SUBMITTED", "SUCCESSFUL", "FAILED", "REVERSED")
PAYMENT_STATES = ("SUBMITTED", "APPROVED", "REJECTED", "INITIATED", "PENDING", "TIMEDOUT", "SUCCESS", "FAILED")


def wanted_state(request: Request, allowed: tuple[str, ...]) -> str:
    status = body_object(request).get("status") or request.query.get("status")
    if not isinstance(status, str) or status.upper() not in allowed:
        raise refuse("status", f"should be one of {', '.join(allowed)}")
    return status.upper()


def order(world: World, request: Request, order_id: str) -> Response:
    to = wanted_state(request, ORDER_STATES)
    row = world.one("SELECT * FROM fp_orders WHERE id = ? AND tenant = ?", int(order_id), request.tenant)
    if row is None:
        raise Problem(404, "Order not found")
    with world.transaction():
        world.update("fp_orders", row["id"], manual=1)
        if row["status"] != to:
            life.move(world, row["id"], to)
    return json_response({"message": "order updated successfully"})


def payment(world: World, request: Request, payment_id: str) -> Response:
    to = wanted_state(request, PAYMENT_STATES)
    row = world.one("SELECT * FROM fp_payments WHERE id = ? AND tenant = ?", int(payment_id), request.tenant)
    if row is None:
        raise Problem(404, "Payment not found")
    if row["status"] != to:
        payment_life.move(world, row["id"], to)
    return json_response({"message": f"payment updated to status {to}"})


ROUTES = [
    ("POST", "/api/oms/simulate/orders/{order_id:int}", order),
    ("POST", "/api/pg/simulate/payments/{payment_id:int}", payment),
]
