"""What tests about buying share: a real scheme of the sandbox, and an investor's yes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from investors.models import Consent, Investor
from orders.models import MfOrder, Scheme
from orders.operations import purchases
from portal import clock, identifiers
from portal.fintech_primitives import client as fp
from tests import factories

# HDFC Flexi Cap Fund, regular plan, growth.
ISIN = "INF179K01608"


@pytest.fixture
def scheme(db: None, sandbox: object) -> Scheme:
    """A scheme that the sandbox sells, with the bounds that it states."""
    theirs = fp.client().fetch_scheme(ISIN)
    return factories.SchemeFactory(
        isin=ISIN,
        name=theirs.name,
        min_first=theirs.min_initial_investment,
        min_more=theirs.min_additional_investment,
        amfi_code=int(theirs.amfi_code or 0),
    )


@pytest.fixture
def place(scheme: Scheme) -> Callable[..., MfOrder]:
    """`place(asha)` or `place(asha, amount=5001)`: the investor has confirmed a purchase; nothing is sent yet."""

    def run(investor: Investor, amount: int = 5_000, consent: Consent | None = None) -> MfOrder:
        at, rupees = clock.now(), Decimal(amount).quantize(Decimal("0.01"))
        wish = purchases.prepare(
            investor=investor,
            isin=scheme.isin,
            amount=rupees,
            bank_account=investor.bankaccounts.get(is_primary=True),
            payment_method="UPI",
            at=at,
        )
        consent = consent or factories.ConsentFactory(
            investor=investor, amount=rupees, isin=scheme.isin, form_ref=identifiers.new_client_ref(), asked_at=at
        )
        return purchases.place(consent=consent, wish=wish, user_ip="127.0.0.1", at=at)

    return run


def ours_at_fp(sandbox: object, order: MfOrder) -> list[dict[str, object]]:
    """The orders that the sandbox took under this order's reference: the truth of the world."""
    ledger = sandbox.ledger()  # type: ignore[attr-defined]
    return [each for each in ledger["orders"] if each["source_ref_id"] == order.client_ref]
