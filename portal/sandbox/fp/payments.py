"""Payments: start one for orders, read one, list them; the BSE gateway's HTML."""

from __future__ import annotations

import html
import sqlite3
from typing import Any

from ..web import Problem, Request, Response, json_response
from ..world import World
from . import payment_life
from .auth import gateway
from .common import (
    Errors,
    as_int,
    body_object,
    envelope,
    number,
    one_of,
    paging,
    query_date,
    refuse,
    stamp,
    whole_numbers,
    words,
)

METHODS = ("NETBANKING", "CARD", "UPI")
TYPES = ("NACH", "NETBANKING", "ECS", "CHEQUE", "AUTH_TRANSACTION")
STATES = ("SUBMITTED", "APPROVED", "REJECTED", "INITIATED", "PENDING", "SUCCESS", "FAILED", "TIMEDOUT")
BANK_PATH = "/fp/bank/pay"


def document(world: World, row: sqlite3.Row) -> dict[str, Any]:
    times = (
        "created_at",
        "submitted_at",
        "debit_confirmed_at",
        "failed_at",
        "transfer_initiated_at",
        "settled_at",
        "rejected_at",
    )
    found = {
        "id": row["id"], "payment_type": row["payment_type"], "status": row["status"], "amount": number(row["amount"]),
        "debit_date": row["debit_date"], "amc_order_ids": payment_life.order_ids(world, row["id"]),
        "failed_reason": row["failed_reason"], "method": row["method"], **{name: stamp(row[name]) for name in times},
    }  # fmt: skip
    return found | ({"late_auth": True} if row["late_auth"] else {})


def _payable(world: World, request: Request, field: str, wanted: Any, errors: Errors) -> list[sqlite3.Row]:
    """The orders to pay: the tenant's own, each once, still waiting for money."""
    if not isinstance(wanted, list) or not wanted:
        errors.add(field, "is mandatory")
        return []
    keys = [as_int(key) or 0 for key in wanted]
    if not errors.check(len(set(keys)) == len(keys), field, "should not repeat an order"):
        return []
    rows = []
    for key in keys:
        row = world.one("SELECT * FROM fp_orders WHERE id = ? AND tenant = ?", key, request.tenant)
        if not errors.check(row, field, f"order {key} not found") or row is None:
            continue
        unpaid = row["kind"] == "purchase" and row["status"] in ("PENDING", "SUBMITTED") and not row["confirmed_at"]
        errors.check(unpaid, field, f"order {key} is not waiting for a payment")
        rows.append(row)
    errors.check(len({row["account_id"] for row in rows}) <= 1, field, "orders should be of one investment account")
    return rows


def postback_url(errors: Errors, given: Any, field: str = "payment_postback_url") -> str | None:
    if given is None:
        return None
    good = isinstance(given, str) and given.startswith(("http://", "https://"))
    errors.check(good, field, "should be a http or https address")
    return given if good else None


def netbanking(world: World, request: Request) -> Response:
    given, errors = body_object(request), Errors()
    method = given.get("method")
    errors.check(method is None or method in METHODS, "method", f"should be one of {', '.join(METHODS)}")
    postback = postback_url(errors, given.get("payment_postback_url"))
    with world.transaction():
        orders = _payable(world, request, "amc_order_ids", given.get("amc_order_ids"), errors)
        errors.check(all(row["pay_by"] != "nach" for row in orders), "amc_order_ids", "is paid by a mandate")
        errors.stop()
        token = payment_life.new_token()
        key = payment_life.create(world, request.tenant, orders, method=method, token=token, postback_url=postback)
    request.created.append(("payment", key))
    return json_response({"token_url": f"{request.base_url}{BANK_PATH}?id={token}", "id": key})


def nach(world: World, request: Request) -> Response:
    """Debits an approved mandate for orders that have no debit arranged yet."""
    given, errors = body_object(request), Errors()
    with world.transaction():
        orders = _payable(world, request, "amc_order_ids", given.get("amc_order_ids"), errors)
        mandates = {row["mandate_id"] for row in orders}
        errors.check(
            len(mandates) == 1 and None not in mandates, "amc_order_ids", "should be NACH orders of one mandate"
        )
        for row in orders:
            paid = world.scalar("SELECT 1 FROM fp_payment_orders WHERE order_id = ?", row["id"])
            errors.check(not paid, "amc_order_ids", f"order {row['id']} has a payment")
        errors.stop()
        key = payment_life.arrange_debit(world, request.tenant, [row["id"] for row in orders])
    request.created.append(("payment", key))
    return json_response({"id": key})


def bse(world: World, request: Request) -> Response:
    """BSE answers with a page that sends the browser on to the bank, with the document's own inline script."""
    if gateway(request.tenant) != "BSE":
        raise Problem(400, "bse_payments needs BSE as gateway provider")
    given, errors = body_object(request), Errors()
    address = given.get("postback_url") or given.get("payment_postback_url")
    errors.check(address, "postback_url", "is mandatory")
    postback = postback_url(errors, address, "postback_url")
    with world.transaction():
        orders = _payable(world, request, "order_ids", given.get("order_ids"), errors)
        errors.stop()
        token = payment_life.new_token()
        values = {"token": token, "postback_url": postback, "postback_method": "GET"}
        key = payment_life.create(world, request.tenant, orders, **values)
    request.created.append(("payment", key))
    action = html.escape(f"{request.base_url}{BANK_PATH}/open")
    page = BSE_PAGE.format(action=action, token=html.escape(token), back=html.escape(postback or ""))
    return Response(200, page.encode(), "text/html;charset=UTF-8")


BSE_PAGE = """<html>
  <head><title>Redirecting to Bank</title></head>
  <body>
    <table width="80%" align="center"><tr><td>Your payment request is being processed...</td></tr></table>
    <form name="Bankfrm" method="post" action='{action}'>
      <input type="hidden" name="qs" value="{token}">
      <input type="hidden" name="RU" value="{back}">
      <noscript><input type="submit" value="Continue to the bank"></noscript>
    </form>
  </body>
  <script>document.Bankfrm.submit();</script>
</html>
"""


# -- reads ----------------------------------------------------------------------------------------------------------


def read(world: World, request: Request, payment_id: str) -> Response:
    row = world.one("SELECT * FROM fp_payments WHERE id = ? AND tenant = ?", int(payment_id), request.tenant)
    if row is None or row["id"] in world.hidden("payment"):
        raise Problem(404, "Payment not found")
    return json_response(document(world, row))


def _dates(request: Request) -> tuple[str, list[Any]]:
    """`to` only with `from`; alone, `from` runs to today."""
    start, end = query_date(request, "from"), query_date(request, "to")
    if end and not start:
        raise refuse("to", "is accepted only with from")
    if start and end and end < start:
        raise refuse("to", "is before from")
    where, args = "", []
    for day, sign in ((start, ">="), (end, "<=")):
        if day:
            where += f" AND date(created_at, 'unixepoch', '+330 minutes') {sign} ?"
            args.append(day.isoformat())
    return where, args


def list_all(world: World, request: Request) -> Response:
    page, size = paging(request)
    direction = one_of(request, "direction", ("asc", "desc"), "desc")
    dates, args = _dates(request)
    where = "tenant = ?" + dates
    for name, column, allowed in (("payment_type", "payment_type", TYPES), ("payment_status", "status", STATES)):
        if chosen := words(request, name, allowed):
            where += f" AND {column} IN ({','.join('?' * len(chosen))})"
            args += chosen
    if orders := whole_numbers(request, "amc_order_ids"):
        listed = ",".join(map(str, orders))
        where += f" AND id IN (SELECT payment_id FROM fp_payment_orders WHERE order_id IN ({listed}))"  # noqa: S608
    if hidden := world.hidden("payment"):
        where += f" AND id NOT IN ({','.join(map(str, hidden))})"
    args = [request.tenant, *args]
    total = world.scalar(f"SELECT count(*) FROM fp_payments WHERE {where}", *args)  # noqa: S608
    sql = f"SELECT * FROM fp_payments WHERE {where} ORDER BY created_at {direction}, id {direction} LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, *args, size, page * size)
    return json_response(envelope("payments", [document(world, row) for row in rows], total, page, size))


ROUTES = [
    ("POST", "/api/pg/payments/netbanking", netbanking),
    ("POST", "/api/pg/payments/nach", nach),
    ("POST", "/api/oms/bse_payments", bse),
    ("GET", "/api/pg/payments", list_all),
    ("GET", "/api/pg/payments/{payment_id:int}", read),
]
