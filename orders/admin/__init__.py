"""Orders, the ledger, schemes and baskets, as operations see them."""

from orders.admin import baskets, ledger, mf, people, plans, promises, schemes

__all__ = ["baskets", "ledger", "mf", "people", "plans", "promises", "schemes"]
