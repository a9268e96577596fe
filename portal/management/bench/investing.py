"""Somebody at FP's sandbox for the benchmarks: an investor with an account and a few orders."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages as m
from portal.gateway.journal import Fenced
from portal.management.bench.played import Played

ABOUT = Fenced()
ISIN = "INF204K01EF9"
ORDERS = 10
_numbers = itertools.count(1000)


@dataclass(frozen=True)
class Person:
    """What the benchmarks do in FP's name of somebody."""

    client: fp.FintechPrimitives
    account: str
    bank: str
    order_id: str

    def fetch_order(self) -> Any:
        """GET one order."""
        return self.client.fetch_order(self.account, self.order_id)

    def list_orders(self) -> Any:
        """GET the orders of the account, of which the first page is all."""
        pages = m.OrderQuery(state=[m.OrderStatus.PENDING], size=20)
        return next(self.client.list_account_orders(self.account, query=pages))

    def list_tenant(self) -> Any:
        """GET the newest orders of the tenant."""
        return next(self.client.list_orders(query=m.OrderQuery(state=[m.OrderStatus.PENDING], size=20)))

    def place(self) -> Any:
        """POST an order."""
        return _buy(self.client, self.account, self.bank)


def person(played: Played) -> Person:
    """A new one, with ten orders that wait for their payment."""
    client = fp.build()
    made = client.create_investor(m.NewInvestor.model_validate(_application()), ABOUT)
    account = client.create_investment_account(made.id, ABOUT).investment_account_id
    bank = made.bank_accounts[0].id
    placed = [_buy(client, account, bank) for _ in range(ORDERS)]
    return Person(client, account, bank, placed[0].id)


def _buy(client: fp.FintechPrimitives, account: str, bank: str) -> m.PlacedOrder:
    line = m.NewPurchase(isin=ISIN, amount=Decimal(5_005), source_ref_id=f"b{next(_numbers):08d}")
    placed = partial(client.create_purchase, account, bank_account_id=bank, about=ABOUT)(orders=[line])
    return placed[0]


def _application() -> dict[str, Any]:
    return {
        "display_name": "Bench Investor",
        "perm_addr_is_corres_addr": True,
        "ip_address": "127.0.0.1",
        "bank_accounts": [
            {
                "account_holder_name": "Bench Investor", "number": "00000001234455", "primary_account": True,
                "type": "SAVINGS", "ifsc_code": "ICIC0000611",
            }
        ],
        "contact_detail": {"email": "bench@portal.example", "isd_code": "91", "mobile": "9008580644"},
        "fatca_detail": {
            "country_of_birth_ansi_code": "IN", "no_other_tax_residences": True, "source_of_wealth": "business",
            "gross_annual_income": 100_000,
        },
        "nomination": {"skip_nomination": True},
        "kyc_identity_detail": {
            "pan_number": f"BNCPH{next(_numbers)}A", "country_of_citizenship_ansi_code": "IN",
            "date_of_birth": "1980-10-10", "father_or_spouse_name": "Somebody", "kyc_relation": "father",
            "gender": "female", "marital_status": "single", "name": "Bench Investor", "occupation": "BUSINESS",
            "residential_status": "resident_individual", "pep_exposed": False, "pep_related": False,
        },
        "correspondence_address": {"line1": "1 Example Road", "pincode": "560102"},
    }  # fmt: skip
