"""Partner endpoints about schemes, orders, SIPs, holdings, approvals and baskets: each module declares its own."""

from orders.api import approvals, baskets, holdings, orders, schemes, sips

__all__ = ["approvals", "baskets", "holdings", "orders", "schemes", "sips"]
