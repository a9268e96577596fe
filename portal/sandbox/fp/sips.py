"""Systematic plans, monthly: create, read, change the mandate, stop, skip the next instalment, and the instalments."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import Any

from ..clock import at_ist, ist
from ..schemes import fund_schemes
from ..web import Problem, Request, Response, dumps, json_response
from ..world import World
from . import life, payment_life
from .accounts import account_row, big_id
from .auth import gateway
from .common import Errors, as_decimal, as_int, body_object, envelope, number, paging, refuse, self_link
from .order_reads import document as order_document
from .purchases import (
    add_order,
    answer,
    check_bounds,
    check_folio,
    check_limit,
    check_mandate,
    check_refs,
    check_scheme,
    count_ref,
    order_list,
)

MOST_INSTALLMENTS = 1200
HOUR = 9
KNOWN = {"isin", "amount", "start_day", "frequency", "installments", "mandate_id", "source_ref_id", "folio_number"}
SHORT = (
    "id", "type", "status", "amount", "reverse_amount", "reverse_units", "price", "trade_date", "investment_date",
    "folio_number", "bank_account_id", "source_ref_id", "sip_id", "fund_scheme",
)  # fmt: skip


def _check_line(world: World, errors: Errors, account: sqlite3.Row, n: int, order: dict[str, Any]) -> None:
    where, scheme = f"orders[{n}]", check_scheme(errors, f"orders[{n}].isin", order.get("isin"), "sip_allowed")
    errors.check(order.get("frequency") == "MONTHLY", f"{where}.frequency", "only MONTHLY is supported")
    mandate = Errors()
    check_mandate(world, mandate, account, order.get("mandate_id"), approved=False)
    errors.found += [error | {"field": f"{where}.{error['field']}"} for error in mandate.found]
    if not mandate.found:
        check_limit(world, errors, f"{where}.amount", order["mandate_id"], order.get("amount"))
    if scheme is None:
        return
    bounds = (scheme.min_sip_amount, scheme.max_sip_amount, scheme.sip_multiples)
    check_bounds(errors, f"{where}.amount", order.get("amount"), *bounds)
    days = scheme.sip_frequency_data["MONTHLY"].split(",")
    errors.check(str(order.get("start_day")) in days, f"{where}.start_day", f"should be one of {','.join(days)}")
    count, least = as_int(order.get("installments")), scheme.min_sip_installments
    good = count is not None and least <= count <= MOST_INSTALLMENTS
    errors.check(good, f"{where}.installments", f"should be from {least} to {MOST_INSTALLMENTS}")
    if order.get("folio_number"):
        check_folio(world, errors, f"{where}.folio_number", account, order["folio_number"], scheme.amc_id)


def next_date(after: dt.date, day: int) -> dt.date:
    """The first `day` of a month after `after`; days run to 28."""
    if after.day < day:
        return after.replace(day=day)
    return (after.replace(day=1) + dt.timedelta(days=32)).replace(day=day)


def _add(world: World, tenant: str, account_id: int, order: dict[str, Any]) -> int:
    key, today = big_id(), ist(world.moment()).date()
    first = next_date(today, int(order["start_day"]))
    world.insert(
        "fp_sips",
        id=key,
        tenant=tenant,
        account_id=account_id,
        isin=order["isin"].upper(),
        amount=str(as_decimal(order["amount"])),
        start_day=int(order["start_day"]),
        start_date=first.isoformat(),
        next_date=first.isoformat(),
        frequency="MONTHLY",
        installments=as_int(order["installments"]),
        folio_number=order.get("folio_number") or None,
        mandate_id=as_int(order["mandate_id"]),
        source_ref_id=order.get("source_ref_id"),
        created_at=world.moment(),
        extra=dumps({name: value for name, value in order.items() if name not in KNOWN}).decode(),
    )
    world.schedule(at_ist(first, HOUR), "fp.sip", key)
    return key


def create(world: World, request: Request, account_id: str) -> Response:
    given, errors = body_object(request), Errors()
    account = account_row(world, request.tenant, account_id)
    with world.transaction():
        orders = order_list(errors, given)
        for n, order in enumerate(orders):
            _check_line(world, errors, account, n, order)
        check_refs(world, request, errors, orders, "fp_sips")
        ids = [] if errors.found else [_add(world, request.tenant, account["id"], order) for order in orders]
        for order in orders:
            count_ref(world, request.tenant, "sips", order.get("source_ref_id"))
    errors.stop()
    request.created += [("sip", key) for key in ids]
    return answer(ids, orders)


# -- reads ----------------------------------------------------------------------------------------------------------


def _document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "sip_id": row["id"], "active": bool(row["active"]), "amount": number(row["amount"]),
        "frequency": row["frequency"],
        "start_date": row["start_date"], "installments": row["installments"], "folio_number": row["folio_number"],
        "mandate_id": str(row["mandate_id"]), "isin": row["isin"], "source_ref_id": row["source_ref_id"],
    }  # fmt: skip


def _row(world: World, request: Request, account_id: str, sip_id: str) -> sqlite3.Row:
    account = account_row(world, request.tenant, account_id)
    row = world.one("SELECT * FROM fp_sips WHERE id = ? AND account_id = ?", int(sip_id), account["id"])
    if row is None or row["id"] in world.hidden("sip"):
        raise Problem(404, "SIP not found")
    return row


def list_all(world: World, request: Request, account_id: str) -> Response:
    page, size = paging(request)
    account = account_row(world, request.tenant, account_id)
    where = "account_id = ?"
    if hidden := world.hidden("sip"):
        where += f" AND id NOT IN ({','.join(map(str, hidden))})"
    total = world.scalar(f"SELECT count(*) FROM fp_sips WHERE {where}", account["id"])  # noqa: S608
    sql = f"SELECT * FROM fp_sips WHERE {where} ORDER BY created_at, id LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, account["id"], size, page * size)
    body = envelope("sip_orders", [_document(row) for row in rows], total, page, size)
    return json_response(body | {"_links": self_link(request)})


def read(world: World, request: Request, account_id: str, sip_id: str) -> Response:
    return json_response(_document(_row(world, request, account_id, sip_id)))


def installments(world: World, request: Request, account_id: str, sip_id: str) -> Response:
    row = _row(world, request, account_id, sip_id)
    orders = [
        order_document(order) for order in world.all("SELECT * FROM fp_orders WHERE sip_id = ? ORDER BY seq", row["id"])
    ]
    return json_response([{name: order[name] for name in SHORT} for order in orders])


# -- changes --------------------------------------------------------------------------------------------------------


def change(world: World, request: Request, account_id: str, sip_id: str) -> Response:
    row, given = _row(world, request, account_id, sip_id), body_object(request)
    operation = given.get("operation")
    if operation not in OPERATIONS:
        raise refuse("operation", f"should be one of {', '.join(OPERATIONS)}")
    if operation != "deactivate" and gateway(request.tenant) == "BSE":
        raise refuse("operation", "is not supported with BSE as gateway provider")
    if not row["active"]:
        raise refuse("operation", "the SIP is not active")
    with world.transaction():
        return OPERATIONS[operation](world, request, row, given)


def _update(world: World, request: Request, row: sqlite3.Row, given: dict[str, Any]) -> Response:
    """The example has the mandate inside `data`, the table beside `operation`: both are read."""
    errors, account = Errors(), account_row(world, request.tenant, row["account_id"])
    inside = given.get("data")
    mandate = (inside if isinstance(inside, dict) else given).get("mandate_id")
    check_mandate(world, errors, account, mandate, approved=False)
    if not errors.found:
        check_limit(world, errors, "mandate_id", mandate, row["amount"], "has a limit below the SIP's amount")
    errors.stop()
    world.update("fp_sips", row["id"], mandate_id=as_int(mandate))
    return json_response({"message": "successfully updated the sip"})


def _deactivate(world: World, request: Request, row: sqlite3.Row, given: dict[str, Any]) -> Response:
    world.update("fp_sips", row["id"], active=0)
    scheme = fund_schemes()[row["isin"]]
    document = _document(row) | {"active": False}
    kept = {name: document[name] for name in document if name not in ("isin", "source_ref_id")}
    more = {"fund_scheme_id": scheme.id, "fund_type": scheme.option, "_links": self_link(request)}
    return json_response(kept | more)


def _cancel_next(world: World, request: Request, row: sqlite3.Row, given: dict[str, Any]) -> Response:
    key = _instalment(world, row, manual=1)
    life.move(world, key, "CANCELLED")
    order = order_document(life.order_row(world, key))
    order |= {"nav": None, "stt": None, "fund_scheme": {k: v for k, v in order["fund_scheme"].items() if k != "isin"}}
    names = (
        "id", "type", "status", "amount", "reverse_amount", "reverse_units", "nav", "stt", "trade_date",
        "investment_date",
        "folio_number", "bank_account_id", "fund_scheme",
    )  # fmt: skip
    return json_response({name: order[name] for name in names})


OPERATIONS = {"update": _update, "deactivate": _deactivate, "cancel_next_installment": _cancel_next}


# -- instalments ----------------------------------------------------------------------------------------------------


def _instalment(world: World, sip: sqlite3.Row, **values: Any) -> int:
    """The order of the next instalment; the SIP moves on to the date after it."""
    day = dt.date.fromisoformat(sip["next_date"])
    order = {"amount": Decimal(sip["amount"]), "folio_number": sip["folio_number"]}
    facts = {"sip_id": sip["id"], "mandate_id": sip["mandate_id"], "pay_by": "nach", "investment_date": day.isoformat()}
    key = add_order(world, sip["tenant"], sip["account_id"], sip["isin"], order, **facts, **values)
    done, following = sip["generated"] + 1, next_date(day, sip["start_day"])
    last = done >= sip["installments"]
    world.update(
        "fp_sips", sip["id"], generated=done, next_date=following.isoformat(), active=0 if last else sip["active"]
    )
    if not last:
        world.schedule(at_ist(following, HOUR), "fp.sip", sip["id"])
    return key


def generate(world: World, request: Request, sip_id: str) -> Response:
    """The document's simulation: the order of the next instalment, left to hands."""
    row = world.one("SELECT * FROM fp_sips WHERE id = ? AND tenant = ?", int(sip_id), request.tenant)
    if row is None:
        raise Problem(404, "SIP not found")
    if not row["active"]:
        raise refuse("sip_id", "the SIP is not active")
    with world.transaction():
        key = _instalment(world, row, manual=1)
        payment_life.arrange_debit(world, request.tenant, [key])
    message = f"installment with order id {key} created. please use order simulation api for further simulation"
    return json_response({"message": message})


def _due_instalment(world: World, ref: str, details: dict[str, Any]) -> None:
    """The day has come: order and debit, if the date was not skipped or simulated meanwhile."""
    row = world.one("SELECT * FROM fp_sips WHERE id = ?", int(ref))
    if row is None or not row["active"] or at_ist(dt.date.fromisoformat(row["next_date"]), HOUR) > world.moment() + 1:
        return
    next_instalment(world, row)


def next_instalment(world: World, row: sqlite3.Row) -> int:
    """The next instalment's order, with its debit when the mandate is approved; without, it fails at once."""
    key = _instalment(world, row)
    approved = world.scalar("SELECT mandate_status = 'APPROVED' FROM fp_mandates WHERE id = ?", row["mandate_id"])
    if approved:
        payment_life.arrange_debit(world, row["tenant"], [key])
    else:
        life.move(world, key, "FAILED", "mandate_payment_failed")
    return key


SIPS = "/api/oms/investment_accounts/{account_id:int}/orders/sips"
ROUTES = [
    ("POST", SIPS, create),
    ("GET", SIPS, list_all),
    ("GET", SIPS + "/{sip_id:int}", read),
    ("PATCH POST", SIPS + "/{sip_id:int}", change),
    ("GET", SIPS + "/{sip_id:int}/installments", installments),
    ("POST", "/api/oms/simulate/sips/{sip_id:int}/generate_next_installment", generate),
]
DUE = {"fp.sip": _due_instalment}
