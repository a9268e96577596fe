"""Partner endpoints, each module its own: schemes, orders, SIPs, holdings, approvals, baskets and earnings."""

from orders.api import approvals, asks, baskets, earnings, holdings, orders, schemes, sips

__all__ = ["approvals", "asks", "baskets", "earnings", "holdings", "orders", "schemes", "sips"]
