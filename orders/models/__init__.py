"""What was asked for and what it became."""

from orders.models.ledger import Folio, Holding, Transaction
from orders.models.mf import MfOrder
from orders.models.schemes import FundHouse, Holiday, Nav, NavRun, Scheme, SchemeWord

__all__ = [
    "Folio",
    "FundHouse",
    "Holding",
    "Holiday",
    "MfOrder",
    "Nav",
    "NavRun",
    "Scheme",
    "SchemeWord",
    "Transaction",
]
