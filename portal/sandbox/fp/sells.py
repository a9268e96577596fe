"""Redemptions: by amount, by units, all; instant ones; and the summaries that come before them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .. import nav
from ..clock import ist
from ..schemes import FundScheme, fund_schemes
from ..web import Problem, Request, Response, json_response
from ..world import World
from . import allotment, life
from .accounts import account_row
from .common import Errors, as_decimal, as_key, body_object, refuse, stamp
from .holdings import awaiting_redemption
from .purchases import add_order, answer, check_refs, check_scheme, count_ref, order_list

INSTANT_MOST = Decimal(50_000)
INSTANT_SHARE = Decimal("0.9")
INSTANT_LEAST = 1
INSTANT_STEP = 1
LONG_S = 10 * 365 * 86_400


@dataclass
class Redeemable:
    """Units of a folio's scheme that may still be redeemed, and their price."""

    units: Decimal
    price: Decimal
    promised: Decimal = field(default=Decimal(0))

    @property
    def left(self) -> Decimal:
        return max(self.units - self.promised, Decimal(0))

    @property
    def amount(self) -> Decimal:
        return allotment.paisa(self.left * self.price)


def redeemable(world: World, folio: str, scheme: FundScheme) -> Redeemable:
    price = nav.latest(scheme, world.now())[1]
    today = ist(world.now()).date()
    free = allotment.free_of_lock(scheme, allotment.open_lots(world, folio, scheme.isin), today)
    promised = awaiting_redemption(world, folio, scheme.isin, price)
    return Redeemable(free, price, promised if promised.is_finite() else free)


def _folio_row(world: World, account_id: int, folio: Any) -> sqlite3.Row | None:
    return world.one("SELECT * FROM fp_folios WHERE number = ? AND account_id = ?", as_key(folio), account_id)


def _check_amount(errors: Errors, where: str, order: dict[str, Any], scheme: FundScheme, have: Redeemable) -> None:
    amount = as_decimal(order.get("amount"))
    if amount is None or amount <= 0:
        errors.add(f"{where}.amount", "is mandatory when type is amount")
    elif amount < scheme.min_withdrawal_amount:
        errors.add(f"{where}.amount", f"should be at least {scheme.min_withdrawal_amount}")
    elif amount % scheme.withdrawal_multiples:
        errors.add(f"{where}.amount", f"should be in multiples of {scheme.withdrawal_multiples}")
    elif errors.check(amount <= have.amount, f"{where}.amount", f"should be at most the redeemable {have.amount}"):
        have.promised += amount / have.price


def _check_units(errors: Errors, where: str, order: dict[str, Any], scheme: FundScheme, have: Redeemable) -> None:
    units = as_decimal(order.get("units"))
    if units is None or units <= 0:
        errors.add(f"{where}.units", "is mandatory when type is units")
    elif units < scheme.min_withdrawal_units or units != allotment.milli(units):
        errors.add(f"{where}.units", f"should be at least {scheme.min_withdrawal_units}, with three decimals at most")
    elif errors.check(units <= have.left, f"{where}.units", f"should be at most the redeemable {have.left}"):
        have.promised += units


def _check_all(errors: Errors, where: str, order: dict[str, Any], scheme: FundScheme, have: Redeemable) -> None:
    if errors.check(have.left > 0, f"{where}.redeem_all", "there are no units to redeem"):
        have.promised = have.units


CHECKS = {"amount": _check_amount, "units": _check_units, "all": _check_all}


def _wish(errors: Errors, where: str, order: dict[str, Any]) -> str | None:
    """`amount`, `units` or `all`; type and redeem_all exclude each other."""
    kind, everything = order.get("type"), order.get("redeem_all")
    if everything is True and kind is None:
        return "all"
    if everything and kind is not None:
        errors.add(f"{where}.redeem_all", "should not be sent with type")
    elif kind not in ("amount", "units"):
        errors.add(f"{where}.type", "should be amount or units, unless redeem_all is true")
    else:
        return str(kind)
    return None


def _check_line(
    world: World,
    errors: Errors,
    account_id: int,
    n: int,
    order: dict[str, Any],
    known: dict[tuple[str, str], Redeemable],
) -> str | None:
    where = f"orders[{n}]"
    scheme = check_scheme(errors, f"{where}.isin", order.get("isin"), "redemption_allowed")
    folio = _folio_row(world, account_id, order.get("folio_number"))
    errors.check(folio, f"{where}.folio_number", "is not a folio of this investment account")
    wish = _wish(errors, where, order)
    if scheme and folio and wish:
        key = (folio["number"], scheme.isin)
        if key not in known:
            known[key] = redeemable(world, *key[:1], scheme)
        CHECKS[wish](errors, where, order, scheme, known[key])
    return wish


def _paid_into(world: World, account: sqlite3.Row) -> dict[str, Any]:
    sql = "SELECT * FROM fp_bank_accounts WHERE investor_id = ? ORDER BY primary_account DESC, id LIMIT 1"
    bank = world.one(sql, account["primary_investor_id"])
    return {
        "redemption_bank_account_number": bank["number"] if bank else None,
        "redemption_bank_account_ifsc_code": bank["ifsc_code"] if bank else None,
    }


def sell(world: World, request: Request, account_id: str) -> Response:
    given, errors = body_object(request), Errors()
    account = account_row(world, request.tenant, account_id)
    with world.transaction():
        orders = order_list(errors, given)
        known: dict[tuple[str, str], Redeemable] = {}
        wishes = [_check_line(world, errors, account["id"], n, order, known) for n, order in enumerate(orders)]
        check_refs(world, request, errors, orders)
        ids = []
        for order, wish in zip(orders, wishes, strict=True) if not errors.found else ():
            ids.append(_add(world, request.tenant, account, order, str(wish), "NORMAL", _paid_into(world, account)))
        for order in orders:
            count_ref(world, request.tenant, "orders", order.get("source_ref_id"))
    errors.stop()
    request.created += [("order", key) for key in ids]
    return answer(ids, orders)


def _add(
    world: World, tenant: str, account: sqlite3.Row, order: dict[str, Any], wish: str, mode: str, bank: dict[str, Any]
) -> int:
    values = {
        "kind": "redemption", "type": "REDEEM_ALL" if wish == "all" else "REDEMPTION", "redemption_mode": mode,
        "units": str(as_decimal(order["units"])) if wish == "units" else None, **bank,
    }  # fmt: skip
    amount = order.get("amount") if wish == "amount" else None
    return add_order(world, tenant, account["id"], order["isin"], {**order, "amount": amount}, **values)


# -- instant --------------------------------------------------------------------------------------------------------


def _summary(world: World, account: sqlite3.Row, folio: str, isin: str) -> dict[str, Any]:
    """Least of 90 % of the value and 50,000 rupees, less what was taken today."""
    scheme = fund_schemes().get(isin)
    if scheme is None or _folio_row(world, account["id"], folio) is None:
        raise Problem(404, "Folio or fund scheme not found")
    have = redeemable(world, folio, scheme)
    today = ist(world.now()).date().isoformat()
    sql = (
        "SELECT amount FROM fp_orders WHERE folio_number = ? AND isin = ? AND redemption_mode = 'INSTANT' "
        "AND investment_date = ? AND status != 'FAILED'"
    )
    taken = sum((Decimal(row["amount"]) for row in world.all(sql, folio, isin, today)), Decimal(0))
    most = max(min(allotment.paisa(have.amount * INSTANT_SHARE), INSTANT_MOST - taken), Decimal(0))
    allowed = bool(scheme.insta_redemption_allowed and most >= INSTANT_LEAST)
    why = None if allowed else "not allowed for this scheme" if most >= INSTANT_LEAST else "no redeemable balance"
    banks = world.all(
        "SELECT * FROM fp_bank_accounts WHERE investor_id = ? ORDER BY id", account["primary_investor_id"]
    )
    return {
        "max_amount": most if allowed else 0, "min_amount": INSTANT_LEAST, "allowed": allowed, "remarks": why,
        "redemption_bank_accounts": [{"account_number": b["number"], "ifsc_code": b["ifsc_code"]} for b in banks],
    }  # fmt: skip


def _named(request: Request) -> tuple[str, str]:
    folio, isin = request.query.get("folio_number", ""), request.query.get("isin", "").upper()
    for name, value in (("folio_number", folio), ("isin", isin)):
        if not value:
            raise refuse(name, "is mandatory")
    return folio, isin


def summary(world: World, request: Request, account_id: str) -> Response:
    folio, isin = _named(request)
    account = account_row(world, request.tenant, account_id)
    found = _summary(world, account, folio, isin)
    return json_response({"folio_number": folio, "isin": isin, "instant_redemption": found})


def _check_instant(world: World, account: sqlite3.Row, given: dict[str, Any], errors: Errors) -> None:
    scheme = check_scheme(errors, "isin", given.get("isin"), "insta_redemption_allowed")
    folio = _folio_row(world, account["id"], given.get("folio_number"))
    errors.check(folio, "folio_number", "is not a folio of this investment account")
    if scheme is None or folio is None:
        return
    found, amount = _summary(world, account, folio["number"], scheme.isin), as_decimal(given.get("amount"))
    errors.check(amount is not None and amount >= INSTANT_LEAST, "amount", f"should be at least {INSTANT_LEAST}")
    errors.check(amount is None or amount <= found["max_amount"], "amount", f"should be at most {found['max_amount']}")
    errors.check(amount is None or not amount % INSTANT_STEP, "amount", f"should be in multiples of {INSTANT_STEP}")
    bank = (given.get("redemption_bank_account_number"), given.get("redemption_bank_account_ifsc_code"))
    known = [(b["account_number"], b["ifsc_code"]) for b in found["redemption_bank_accounts"]]
    errors.check(bank in known, "redemption_bank_account_number", "is not one of the summary's bank accounts")


def _place_instant(world: World, tenant: str, account: sqlite3.Row, given: dict[str, Any]) -> int:
    names = ("redemption_bank_account_number", "redemption_bank_account_ifsc_code")
    return _add(world, tenant, account, given, "amount", "INSTANT", {name: given[name] for name in names})


def instant(world: World, request: Request, account_id: str) -> Response:
    given, errors = body_object(request), Errors()
    account = account_row(world, request.tenant, account_id)
    with world.transaction():
        _check_instant(world, account, given, errors)
        check_refs(world, request, errors, [given])
        key = None if errors.found else _place_instant(world, request.tenant, account, given)
        count_ref(world, request.tenant, "orders", given.get("source_ref_id"))
    errors.stop()
    request.created += [("order", int(key or 0))]
    echo = {name: given[name] for name in ("source_ref_id", "user_ip", "server_ip") if name in given}
    isin = given["isin"].upper()
    return json_response({"orders": [{"id": key, "isin": isin, "isin_no": isin, **echo}]})


# -- the fund houses' own instant service, without order tracking ------------------------------------------------------


def _account_of_folio(world: World, tenant: str, folio: Any) -> sqlite3.Row:
    sql = "SELECT account_id FROM fp_folios WHERE number = ? AND tenant = ?"
    account_id = world.scalar(sql, as_key(folio), tenant)
    return account_row(world, tenant, account_id)


def direct_summary(world: World, request: Request) -> Response:
    folio, isin = _named(request)
    found = _summary(world, _account_of_folio(world, request.tenant, folio), folio, isin)
    found |= {"multiples": INSTANT_STEP, "remarks": found["remarks"] or "Record retrieved successfully"}
    return json_response({"folio_number": folio, "isin": isin, "instant_redemption": found})


DIRECT = ("isin", "folio_number", "amount", "redemption_bank_account_number", "redemption_bank_account_ifsc_code")


def _account_to_redeem(world: World, tenant: str, given: dict[str, Any], errors: Errors) -> sqlite3.Row:
    """The account of the order's folio; raises Problem 400 for what is missing and for a folio that nobody has."""
    for name in DIRECT:
        errors.check(given.get(name) not in (None, ""), name, "is mandatory")
    errors.stop()
    try:
        return _account_of_folio(world, tenant, given["folio_number"])
    except Problem:
        raise refuse("folio_number", "is not a known folio") from None


def direct_order(world: World, request: Request) -> Response:
    """Redeems at once; the order is in no list, as the document says."""
    given, errors = body_object(request), Errors()
    account = _account_to_redeem(world, request.tenant, given, errors)
    with world.transaction():
        _check_instant(world, account, given, errors)
        scheme = fund_schemes().get(str(given.get("isin")).upper())
        if scheme and scheme.listing.amc.startswith("Axis "):
            told = (given.get("meta") or {}).get("AXF") or {}
            for name in ("invname", "BankName", "BankType"):
                errors.check(told.get(name), f"meta.AXF.{name}", "is mandatory")
        errors.stop()
        untracked = {name: value for name, value in given.items() if name != "source_ref_id"}
        key = _place_instant(world, request.tenant, account, untracked)
        world.hide("order", key, LONG_S)
        life.move(world, key, "SUBMITTED")
        life.move(world, key, "SUCCESSFUL")
    now = ist(world.now())
    reference, done = str(key)[-7:], "Transaction Successful"
    verbatim = {
        "TRANID": reference, "TRXN_DATE": f"{now:%d/%m/%Y}", "TRXN_TIME": f"{now:%I:%M:%S %p}",
        "BANK_RRN": str(key)[-12:],
        "IMPS_CODE": "0", "IMPS_STATUS": done,
    }  # fmt: skip
    body = {
        "order_reference": reference,
        "created_at": stamp(world.now()),
        "remarks": done,
        "redemption_mode": "INSTANT",
    }
    return json_response(body | {"response_verbatim": verbatim})


ACCOUNT = "/api/oms/investment_accounts/{account_id:int}"
ROUTES = [
    ("POST", f"{ACCOUNT}/orders/sell", sell),
    ("POST", f"{ACCOUNT}/orders/sell/instant", instant),
    ("GET", f"{ACCOUNT}/preredemption_summary", summary),
    ("GET", "/api/instant_redemption/pre_redemption_summary", direct_summary),
    ("POST", "/api/instant_redemption/order", direct_order),
]
