"""Orders, the ledger and schemes, as operations see them."""

from orders.admin import ledger, mf, people, plans, promises, schemes

__all__ = ["ledger", "mf", "people", "plans", "promises", "schemes"]
