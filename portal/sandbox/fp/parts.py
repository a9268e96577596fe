"""The list of what is served, in one place; each part brings its ROUTES and, where needed, its DUE handlers."""

from __future__ import annotations

from types import ModuleType

from . import (
    accounts,
    auth,
    bank,
    files,
    holdings,
    investors,
    kyc,
    kyc_requests,
    life,
    mandate_life,
    mandates,
    masters,
    order_reads,
    payment_life,
    payments,
    purchases,
    sells,
    simulate,
    sips,
    transactions,
)

ALL: tuple[ModuleType, ...] = (
    auth, investors, accounts, kyc, kyc_requests, files, transactions, masters, purchases, sells, sips, order_reads,
    holdings, mandates, payments, bank, simulate,
    life, payment_life, mandate_life,
)  # fmt: skip
