"""Positions, holdings, margin, and the margin that a set of orders would need."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .. import market
from ..clock import ist
from ..world import World
from . import accounts, life, money, orders
from .envelope import INVALID_INPUT, Door, Fields, Refusal, Visit

NO_RECORD = "No record found."
CACHE_S = 300
PAISA = Decimal("0.01")
EQUITY_ZEROS = (
    "AdhocMargin", "CollateralValueAfterHairCut", "TotalCollateralValue", "DerivativeMargin",
    "GrossHoldingValueCoverPercentage", "HairCut", "MarginBlockedforOpenPostion_Collateral",
    "MarginBlockedforPendingOrder_Collateral", "MFCollateralValueAfterHaircut", "OptionsPremium", "FundsWithdrawal",
    "FundsPayln", "FundsPayIn",
)  # fmt: skip


def rupees(paise: Decimal | int, places: Decimal = PAISA) -> Decimal:
    return (Decimal(paise) / 100).quantize(places)


# -- positions -----------------------------------------------------------------------------------------------------


def _position(world: World, one: money.Position) -> dict[str, Any]:
    quote = market.quote(world, one.code, world.now(), one.exch)
    symbol, fine = quote.security.symbol, Decimal("0.0001")
    average = one.open_value / abs(one.net) if one.net else Decimal(0)
    return {
        "Exch": one.exch, "ExchType": "C", "ScripCode": one.code, "ScripName": symbol, "BodQty": 0,
        "BuyQty": one.buy_qty, "BuyAvgRate": rupees(one.buy_average, fine), "BuyValue": rupees(one.buy_paise),
        "SellQty": one.sell_qty, "SellAvgRate": rupees(one.sell_average, fine), "SellValue": rupees(one.sell_paise),
        "NetQty": one.net, "AvgRate": rupees(average, fine), "LastRate": quote.last, "LTP": quote.last,
        "PreviousClose": quote.previous_close, "BookedPL": rupees(one.booked),
        "MTOM": (one.net * (quote.last - average / 100)).quantize(PAISA), "Multiplier": 1, "Product": one.product,
        "OrderFor": one.product,
    }  # fmt: skip


def positions(world: World, visit: Visit) -> dict[str, Any]:
    """Trades that are not settled; under both of the names that clients look for (sandbox.md)."""
    found = [_position(world, one) for one in money.positions(world, visit.client)]
    words = (0, "Success") if found else (1, NO_RECORD)
    return {"Status": words[0], "Message": words[1], "NetPositions": found, "NetPositionDetail": found}


# -- holdings ------------------------------------------------------------------------------------------------------


def _holding(world: World, visit: Visit, row: Any, net_today: int) -> dict[str, Any] | None:
    """Settled shares less what is sold today; what is bought today comes in at settlement."""
    security = market.find(row["isin"])
    qty = row["qty"] + min(0, net_today)
    if security is None or qty <= 0:
        return None
    last, pledged = market.last(world, security), min(row["pledged"], qty)
    average = (Decimal(row["cost"]) / row["qty"]).quantize(Decimal("0.0001"))
    return {
        "Exch": row["exch"], "ExchType": "C", "NseCode": security.code, "BseCode": security.bse_code or 0,
        "Symbol": security.symbol, "FullName": security.name.upper(), "Quantity": qty, "CurrentPrice": last,
        "PoolQty": 0, "DPQty": qty - pledged, "POASigned": _poa(visit.client), "ScripMultiplier": 1, "AvgRate": average,
        "ISIN": security.isin, "MTFPledge": 0, "MTFQty": 0, "MarginPledge": pledged, "PledgeQty": pledged,
    }  # fmt: skip


def _poa(code: str) -> str:
    client = accounts.find(code)
    return "Y" if client is None or client.poa else "N"


def _holdings(world: World, visit: Visit) -> list[dict[str, Any]]:
    accounts.ensure(world, visit.client)
    rows = world.all("SELECT * FROM fivepaisa_holdings WHERE client = ? ORDER BY isin", visit.client)
    nets = money.nets_today(world, visit.client)
    return [found for row in rows if (found := _holding(world, visit, row, nets.get(row["isin"], 0)))]


def holdings(world: World, visit: Visit) -> dict[str, Any]:
    found = _holdings(world, visit)
    words = (0, "Success") if found else (1, NO_RECORD)
    return {"Status": words[0], "Message": words[1], "CacheTime": CACHE_S, "Data": found}


# -- margin --------------------------------------------------------------------------------------------------------


def margin(world: World, visit: Visit) -> dict[str, Any]:
    accounts.ensure(world, visit.client)
    held = _holdings(world, visit)
    gross = sum((one["Quantity"] * one["CurrentPrice"] for one in held), Decimal(0))
    free = sum((one["DPQty"] * one["CurrentPrice"] for one in held), Decimal(0))
    funds = money.funds(world, visit.client)
    equity = dict.fromkeys(EQUITY_ZEROS, 0) | {
        "Ledgerbalance": rupees(funds.ledger), "NetAvailableMargin": rupees(funds.available),
        "MarginUtilized": rupees(funds.positions + funds.pending), "GrossHoldingValue": gross, "DPFreeStockValue": free,
        "MarginBlockedforOpenPostion_Cash": rupees(funds.positions),
        "MarginBlockedforPendingOrder_Cash": rupees(funds.pending),
        "MarginBlockedForPendingOrders": rupees(funds.pending), "TodaysLoss": rupees(funds.loss),
        "Unsettled_Credits": rupees(funds.credits),
    }  # fmt: skip
    mutual = {"MFCollateralValue": 0, "MFFreeStockValue": 0, "MFHaircutValue": 0}
    stamp = ist(world.now()).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "ClientCode": visit.client, "Status": 0, "Message": "", "EquityMargin": [equity], "MFMargin": [mutual],
        "TimeStamp": stamp,
    }  # fmt: skip


def _needed(world: World, visit: Visit, item: Fields, cover: bool) -> Decimal:
    """Rupees that one order needs; a cancellation gives its margin back. Raises Refusal 2."""
    exch, side = orders.exchange_of(item), orders.SIDES.get(item.text("OrderType").upper(), "")
    security, qty = orders.security_of(item, exch), item.whole("Qty") or 0
    act = item.text("PlaceModifyCancel").upper() or "P"
    if not (security and side and qty > 0 and act in ("P", "M", "C")):
        raise Refusal(2, INVALID_INPUT)
    code, product = security.code_on(exch) or 0, money.INTRADAY if item.flag("IsIntraday") else money.DELIVERY
    price = orders.paise(item, "Price") or int(market.quote(world, code, world.now(), exch).asks[0].price * 100)
    sells_shares = product == money.DELIVERY and side == "S"
    rate = 0 if sells_shares else money.margin_per_share(price, product)
    if cover:
        rate = life.block_rate(world, visit.client, life.Wish(exch, security, side, qty, product), price)
    return Decimal(-qty if act == "C" else qty) * rate / 100


def multi_order_margin(world: World, visit: Visit) -> dict[str, Any]:
    """What a set of orders needs together (providers.md 4.4); CoverPositions `Y` counts what is open already."""
    accounts.ensure(world, visit.client)
    cover = visit.body.flag("CoverPositions")
    wanted = visit.body.rows("Orders")
    if not wanted:
        raise Refusal(2, INVALID_INPUT)
    total = sum((_needed(world, visit, item, cover) for item in wanted), Decimal(0))
    available = rupees(money.funds(world, visit.client).available)
    return {
        "AvailableMargin": available,
        "TotalMarginRequired": max(total, Decimal(0)),
        "Message": "Success",
        "Status": 0,
    }


INVALID_CLIENT = (2, "Invalid ClientCode")
NOTHING_HELD = {"CacheTime": CACHE_S, "Data": []}
NO_POSITIONS: dict[str, Any] = {"NetPositions": [], "NetPositionDetail": []}
NO_MARGIN: dict[str, Any] = {"EquityMargin": [], "MFMargin": []}
POSITIONS_V2 = Door("5PNPNWV3", positions, int, NO_POSITIONS)
POSITIONS_V1 = Door("5PNPNWV1", positions, str, NO_POSITIONS)
HOLDING_V4 = Door("5PHoldingV4", holdings, str, NOTHING_HELD)
HOLDING_V3 = Door("5PHoldingV3", holdings, str, NOTHING_HELD)
MARGIN = Door("5PMarginV4", margin, int, NO_MARGIN, wrong_client=INVALID_CLIENT)
MULTI_MARGIN = Door("5PMultiOrderMargin", multi_order_margin, str, {"AvailableMargin": 0, "TotalMarginRequired": 0})
