"""Filling and confirming a cart, for tests: schemes that the sandbox sells, and the yes to all of them."""

from __future__ import annotations

import re
from decimal import Decimal

from django.core import mail
from django.test import TestCase

from investors.models import Consent, Investor
from orders.models import Cart, Scheme
from orders.operations import carts, purchases
from portal import clock, identifiers
from tests import factories

# Regular plans, growth, from 500 rupees in steps of one, of three fund houses of the sandbox.
ISINS = ("INF846K01768", "INF200KB1472", "INF179KC1IF7")
UPI = "UPI"


def sold_schemes() -> list[Scheme]:
    """Three schemes that FP sells, with bounds as FP states them."""
    least = {"min_first": Decimal(500), "min_more": Decimal(500)}
    return [factories.SchemeFactory(isin=isin, **least) for isin in ISINS]


def way(investor: Investor, method: str = UPI, mandate: object = None) -> purchases.Way:
    """From the primary account."""
    return purchases.Way(investor.bankaccounts.get(is_primary=True), method, mandate)  # type: ignore[arg-type]


def fill(investor: Investor, schemes: list[Scheme], amounts: tuple[int, ...] = (5_000, 5_010, 5_020)) -> None:
    """Each scheme stands in the cart."""
    for scheme, amount in zip(schemes, amounts, strict=False):
        carts.add(investor=investor, isin=scheme.isin, amount=Decimal(amount), at=clock.now())


def asked(investor: Investor, paid: purchases.Way | None = None) -> tuple[Consent, str]:
    """The consent to what can be ordered, and the code that went out for it."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        consent = carts.ask(
            investor=investor,
            way=paid or way(investor),
            form_ref=identifiers.new_client_ref(),
            ip=None,
            at=clock.now(),
        )
    return consent, newest_code()


def newest_code() -> str:
    """The six digits of the newest message."""
    found = re.search(r"\b(\d{3}) ?(\d{3})\b", str(mail.outbox[-1].body))
    assert found
    return found[1] + found[2]


def confirm(investor: Investor, consent: Consent, otp: str, buy_again: bool = False) -> Cart:
    """The investor has typed the code."""
    return carts.confirm(
        investor=investor, code=consent.code, otp=otp, buy_again=buy_again, ip="127.0.0.1", at=clock.now()
    )
