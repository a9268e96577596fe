"""What was asked for and what it became."""

from orders.models.approvals import Approval, ApprovalLine
from orders.models.baskets import Basket, BasketChange, BasketConstituent, BasketLogo, BasketSubscription, BasketVersion
from orders.models.carts import Cart, CartLine
from orders.models.commission import (
    CommissionLine,
    CommissionMonth,
    CommissionRate,
    CommissionShare,
    CommissionStatement,
    Payout,
    PayoutLine,
)
from orders.models.dated_rules import DatedRule
from orders.models.earnings import EarningsHolding, EarningsLine, EarningsMonth
from orders.models.files import FileRun
from orders.models.ledger import Folio, Holding, Transaction
from orders.models.mf import MfOrder
from orders.models.plans import Instalment, Plan, PlanChange
from orders.models.quotes import Depth, Quote, WatchedShare
from orders.models.schemes import FundHouse, Holiday, Nav, NavRun, Scheme, SchemeWord
from orders.models.securities import Security, SecurityCode
from orders.models.stock_changes import StockChange
from orders.models.stocks import BasketOrder, StockHolding, StockOrder

__all__ = [
    "Approval",
    "ApprovalLine",
    "Basket",
    "BasketChange",
    "BasketConstituent",
    "BasketLogo",
    "BasketOrder",
    "BasketSubscription",
    "BasketVersion",
    "Cart",
    "CartLine",
    "CommissionLine",
    "CommissionMonth",
    "CommissionRate",
    "CommissionShare",
    "CommissionStatement",
    "DatedRule",
    "Depth",
    "EarningsHolding",
    "EarningsLine",
    "EarningsMonth",
    "FileRun",
    "Folio",
    "FundHouse",
    "Holding",
    "Holiday",
    "Instalment",
    "MfOrder",
    "Nav",
    "NavRun",
    "Payout",
    "PayoutLine",
    "Plan",
    "PlanChange",
    "Quote",
    "Scheme",
    "SchemeWord",
    "Security",
    "SecurityCode",
    "StockChange",
    "StockHolding",
    "StockOrder",
    "Transaction",
    "WatchedShare",
]
