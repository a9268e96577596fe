"""Orders, the ledger, schemes and baskets, as operations see them."""

from orders.admin import (
    basket_changes,
    basket_desk,
    basket_versions,
    baskets,
    commission_lines,
    commission_rates,
    commission_statements,
    dated_rules,
    files,
    ledger,
    mf,
    people,
    plans,
    promises,
    schemes,
    shares,
)

__all__ = [
    "basket_changes",
    "basket_desk",
    "basket_versions",
    "baskets",
    "commission_lines",
    "commission_rates",
    "commission_statements",
    "dated_rules",
    "files",
    "ledger",
    "mf",
    "people",
    "plans",
    "promises",
    "schemes",
    "shares",
]
