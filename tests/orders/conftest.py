"""What tests about buying share: a real scheme of the sandbox, and an investor's yes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

import pytest

from investors.models import Consent, Investor
from orders.models import MfOrder, Scheme
from orders.operations import purchases
from portal import clock
from portal.fintech_primitives import client as fp
from tests import factories

# HDFC Flexi Cap Fund, regular plan, growth.
ISIN = "INF179K01608"


@pytest.fixture
def scheme(db: None, sandbox: object) -> Scheme:
    """A scheme that the sandbox sells, with the bounds that it states."""
    return scheme_at_fp(ISIN)


def scheme_at_fp(isin: str, **more: object) -> Scheme:
    """The scheme, with the bounds that the sandbox states."""
    theirs = fp.client().fetch_scheme(isin)
    stated = {
        "name": theirs.name,
        "min_first": theirs.min_initial_investment,
        "min_more": theirs.min_additional_investment,
        "amfi_code": int(theirs.amfi_code or 0),
        "instant_redemption_allowed": theirs.insta_redemption_allowed,
    }
    return factories.SchemeFactory(isin=isin, **{**stated, **more})


@pytest.fixture
def given(scheme: Scheme) -> Callable[..., Consent]:
    """`given(asha, amount=5001)`: the investor has said yes to a purchase, of `scheme` unless another one is named."""

    def run(investor: Investor, amount: int = 5_000, of: Scheme = scheme, **changes: object) -> Consent:
        at, rupees = clock.now(), Decimal(amount).quantize(Decimal("0.01"))
        wish = purchases.prepare(
            investor=investor,
            isin=of.isin,
            amount=rupees,
            bank_account=investor.bankaccounts.get(is_primary=True),
            payment_method="UPI",
            at=at,
        )
        asked = {"amount": rupees, "isin": of.isin, "shown": purchases.shown(wish), "asked_at": at}
        return factories.ConsentFactory(investor=investor, **{**asked, **changes})

    return run


@pytest.fixture
def place(given: Callable[..., Consent]) -> Callable[..., MfOrder]:
    """`place(asha)` or `place(asha, amount=5001)`: the investor has confirmed a purchase; nothing is sent yet."""

    def run(investor: Investor, amount: int = 5_000, consent: Consent | None = None) -> MfOrder:
        consent = consent or given(investor, amount)
        return purchases.confirm(
            investor=investor, code=consent.code, otp="", buy_again=True, ip="127.0.0.1", at=clock.now()
        )

    return run


def ours_at_fp(sandbox: object, order: MfOrder) -> list[dict[str, object]]:
    """The orders that the sandbox took under this order's reference: the truth of the world."""
    ledger = sandbox.ledger()  # type: ignore[attr-defined]
    return [each for each in ledger["orders"] if each["source_ref_id"] == order.client_ref]


@pytest.fixture
def commission_book(db: None) -> SimpleNamespace:
    """Asha's folio at one house, who came through a partner, and a user who enters files."""
    partner = factories.PartnerFactory(code="NORTH", name="North Wealth")
    investor = factories.ReadyInvestorFactory(partner=partner)
    scheme = factories.SchemeFactory()
    folio = factories.FolioFactory(investor=investor, fund_house=scheme.fund_house, number="12345/01")
    user = factories.UserFactory()
    return SimpleNamespace(partner=partner, investor=investor, scheme=scheme, folio=folio, user=user)
