"""The list of what is served, in one place; each part brings its ROUTES and, where needed, its DUE handlers."""

from __future__ import annotations

from types import ModuleType

from . import (
    accounts,
    auth,
    bank,
    holdings,
    investors,
    kyc,
    life,
    masters,
    order_reads,
    payment_life,
    payments,
    purchases,
    simulate,
)

ALL: tuple[ModuleType, ...] = (
    auth, investors, accounts, kyc, masters, purchases, order_reads, holdings, payments, bank, simulate, life,
    payment_life,
)  # fmt: skip
