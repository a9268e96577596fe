"""Brokers as operations see them: accounts, journeys of which a broker tells nothing, shares that stay unknown."""

from brokers.admin import accounts, settling

__all__ = ["accounts", "settling"]
