"""Partner endpoints about schemes, orders, SIPs, holdings, approvals and baskets: each module declares its own."""

from orders.api import approvals, asks, baskets, holdings, orders, schemes, sips

__all__ = ["approvals", "asks", "baskets", "holdings", "orders", "schemes", "sips"]
