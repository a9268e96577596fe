"""Lumpsum purchases, paid by net banking or by a NACH mandate."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from ..clock import ist
from ..schemes import FundScheme, fund_schemes
from ..web import Request, Response, dumps, json_response
from ..world import World
from . import life, payment_life
from .accounts import account_row, big_id
from .auth import gateway
from .common import Errors, as_decimal, as_int, as_key, body_object

KNOWN = {"isin", "amount", "folio_number", "source_ref_id", "user_ip", "server_ip"}
UNIQUE = "should be unique"


def count_ref(world: World, tenant: str, space: str, ref: Any) -> None:
    """Remembers how often a reference was received, taken or not."""
    if isinstance(ref, str) and ref:
        sql = "INSERT INTO fp_refs VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
        world.run(sql, tenant, space, ref)


def check_refs(
    world: World, request: Request, errors: Errors, orders: list[dict[str, Any]], table: str = "fp_orders"
) -> None:
    """`source_ref_id` must be new to the tenant and must not come twice in one call."""
    seen: set[str] = set()
    for n, order in enumerate(orders):
        ref = order.get("source_ref_id")
        if ref is None:
            continue
        field = f"orders[{n}].source_ref_id"
        if not errors.check(isinstance(ref, str) and ref, field, "should be a text"):
            continue
        taken = world.scalar(f"SELECT 1 FROM {table} WHERE tenant = ? AND source_ref_id = ?", request.tenant, ref)  # noqa: S608
        errors.check(ref not in seen and not taken, field, UNIQUE)
        seen.add(ref)


def order_list(errors: Errors, given: dict[str, Any]) -> list[dict[str, Any]]:
    orders = given.get("orders")
    if not isinstance(orders, list) or not orders or not all(isinstance(order, dict) for order in orders):
        errors.add("orders", "is mandatory")
        return []
    return orders


def check_bounds(errors: Errors, field: str, amount: Any, least: Any, most: Any, step: Any) -> None:
    """The amount must lie within the scheme's bounds and be a multiple of its step."""
    value = as_decimal(amount)
    if value is None or value <= 0:
        errors.add(field, "is mandatory" if amount is None else "should be a number greater than zero")
    elif value < Decimal(least or 0):
        errors.add(field, f"should be at least {least}")
    elif most is not None and value > Decimal(most):
        errors.add(field, f"should be at most {most}")
    elif value % Decimal(step or 1):
        errors.add(field, f"should be in multiples of {step}")


def check_scheme(errors: Errors, field: str, isin: Any, allowed: str) -> FundScheme | None:
    scheme = fund_schemes().get(isin.upper()) if isinstance(isin, str) else None
    if scheme is None:
        errors.add(field, "is mandatory" if not isin else "is not a known fund scheme")
    elif not getattr(scheme, allowed):
        errors.add(field, f"{allowed} is false for this fund scheme")
        return None
    return scheme


def check_folio(world: World, errors: Errors, field: str, account: sqlite3.Row, folio: Any, amc_id: int) -> None:
    row = world.one("SELECT * FROM fp_folios WHERE number = ? AND account_id = ?", as_key(folio), account["id"])
    if errors.check(row, field, "is not a folio of this investment account") and row:
        errors.check(row["amc_id"] == amc_id, field, "belongs to another AMC")


def _check_order(world: World, errors: Errors, account: sqlite3.Row, n: int, order: dict[str, Any]) -> None:
    where = f"orders[{n}]"
    scheme = check_scheme(errors, f"{where}.isin", order.get("isin"), "purchase_allowed")
    if scheme is None:
        return
    nth = "additional" if order.get("folio_number") else "initial"
    bounds = (
        getattr(scheme, name)
        for name in (f"min_{nth}_investment", f"max_{nth}_investment", f"{nth}_investment_multiples")
    )
    check_bounds(errors, f"{where}.amount", order.get("amount"), *bounds)
    if order.get("folio_number"):
        check_folio(world, errors, f"{where}.folio_number", account, order["folio_number"], scheme.amc_id)


def add_order(world: World, tenant: str, account_id: int, isin: str, order: dict[str, Any], **values: Any) -> int:
    """Writes one order in state PENDING and returns its id."""
    key, now = big_id(), world.moment()
    scheme = fund_schemes()[isin.upper()]
    extra = {name: value for name, value in order.items() if name not in KNOWN - {"user_ip", "server_ip"}}
    row = {
        "id": key, "seq": (world.scalar("SELECT max(seq) FROM fp_orders") or 0) + 1, "tenant": tenant,
        "account_id": account_id,
        "kind": "purchase", "type": "ADDITIONAL_PURCHASE" if order.get("folio_number") else "PURCHASE",
        "status": "PENDING",
        "isin": scheme.isin, "amc_id": scheme.amc_id, "amount": None, "folio_number": order.get("folio_number") or None,
        "source_ref_id": order.get("source_ref_id"), "investment_date": ist(now).date().isoformat(), "created_at": now,
        "extra": dumps(extra).decode(),
    } | values  # fmt: skip
    if order.get("amount") is not None:
        row["amount"] = str(as_decimal(order["amount"]))
    world.insert("fp_orders", **row)
    life.created(world, key)
    return key


def answer(ids: list[int], orders: list[dict[str, Any]]) -> Response:
    """The short answer of every create call: our id and what the caller said; a reference is always there."""
    echo = ("isin", "folio_number", "user_ip", "server_ip")
    found = [
        {
            "id": key,
            **{name: order[name] for name in echo if name in order},
            "source_ref_id": order.get("source_ref_id"),
        }
        for key, order in zip(ids, orders, strict=True)
    ]
    return json_response({"orders": found})


def _place(
    world: World, request: Request, account_id: str, check_payer: Any, payer: str
) -> tuple[list[int], list[dict[str, Any]]]:
    given, errors = body_object(request), Errors()
    account = account_row(world, request.tenant, account_id)
    with world.transaction():
        orders = order_list(errors, given)
        check_payer(world, errors, account, given.get(payer))
        for n, order in enumerate(orders):
            _check_order(world, errors, account, n, order)
            if payer == "mandate_id":
                check_limit(world, errors, f"orders[{n}].amount", given.get(payer), order.get("amount"))
        check_refs(world, request, errors, orders)
        if not errors.found:
            values = {payer: as_int(given[payer]), "pay_by": "nach" if payer == "mandate_id" else "netbanking"}
            ids = [add_order(world, request.tenant, account["id"], order["isin"], order, **values) for order in orders]
        for order in orders:
            count_ref(world, request.tenant, "orders", order.get("source_ref_id"))
    errors.stop()
    request.created += [("order", key) for key in ids]
    return ids, orders


def check_bank(world: World, errors: Errors, account: sqlite3.Row, given: Any) -> None:
    if given is None:
        errors.add("bank_account_id", "is mandatory")
        return
    owner = world.scalar("SELECT investor_id FROM fp_bank_accounts WHERE id = ?", as_int(given))
    errors.check(owner == account["primary_investor_id"], "bank_account_id", "is not a bank account of the investor")


def check_mandate(world: World, errors: Errors, account: sqlite3.Row, given: Any, *, approved: bool = True) -> None:
    """The mandate must be the investor's own and, for a debit now, approved."""
    if given is None:
        errors.add("mandate_id", "is mandatory")
        return
    sql = (
        "SELECT m.mandate_status AS status, b.investor_id FROM fp_mandates m "
        "JOIN fp_bank_accounts b ON b.id = m.bank_account_id "
        "WHERE m.id = ?"
    )
    row = world.one(sql, as_int(given) or 0)
    if row is None or row["investor_id"] != account["primary_investor_id"]:
        errors.add("mandate_id", "is not a mandate of the investor")
    elif approved:
        errors.check(row["status"] == "APPROVED", "mandate_id", "mandate is not approved")
    else:
        errors.check(row["status"] not in ("REJECTED", "CANCELLED"), "mandate_id", "mandate is rejected or cancelled")


ABOVE = "is above the mandate's limit"


def check_limit(world: World, errors: Errors, field: str, mandate: Any, amount: Any, said: str = ABOVE) -> None:
    """No single debit is above the limit of its mandate (providers.md 3.9)."""
    limit = world.scalar("SELECT mandate_limit FROM fp_mandates WHERE id = ?", as_int(mandate) or 0)
    within = limit is None or (as_decimal(amount) or Decimal(0)) <= Decimal(limit)
    errors.check(within, field, said)


def netbanking(world: World, request: Request, account_id: str) -> Response:
    return answer(*_place(world, request, account_id, check_bank, "bank_account_id"))


def nach(world: World, request: Request, account_id: str) -> Response:
    """The debit is arranged at once: a NACH payment for the next business day."""
    if gateway(request.tenant) == "BSE":
        errors = Errors()
        errors.add("mandate_id", "NACH orders are not supported with BSE as gateway provider")
        errors.stop()
    ids, orders = _place(world, request, account_id, check_mandate, "mandate_id")
    for key in ids:
        payment_life.arrange_debit(world, request.tenant, [key])
    return answer(ids, orders)


ROUTES = [
    ("POST", "/api/oms/investment_accounts/{account_id:int}/orders/purchase/netbanking", netbanking),
    ("POST", "/api/oms/investment_accounts/{account_id:int}/orders/purchase/nach", nach),
]
