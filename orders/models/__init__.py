"""What was asked for and what it became."""

from orders.models.carts import Cart, CartLine
from orders.models.ledger import Folio, Holding, Transaction
from orders.models.mf import MfOrder
from orders.models.plans import Plan
from orders.models.schemes import FundHouse, Holiday, Nav, NavRun, Scheme, SchemeWord

__all__ = [
    "Cart",
    "CartLine",
    "Folio",
    "FundHouse",
    "Holding",
    "Holiday",
    "MfOrder",
    "Nav",
    "NavRun",
    "Plan",
    "Scheme",
    "SchemeWord",
    "Transaction",
]
