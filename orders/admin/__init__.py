"""Orders, the ledger and schemes, as operations see them."""

from orders.admin import ledger, mf, people, schemes

__all__ = ["ledger", "mf", "people", "schemes"]
