"""The people and funds of the benchmarks: made from nothing, the same on every machine."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.test import Client

from investors.models import BankAccount, Consent, InvestmentAccount, Investor, KycCheck
from investors.operations import consents
from orders.models import Folio, FundHouse, MfOrder, Scheme, Transaction
from orders.operations import ledger, purchases, search_index
from portal import audit, clock
from portal.models import User

SCHEMES = 14_000
HOLDINGS = 60
PURCHASES_PER_HOLDING = 3
OTP = "123456"
HOUSES = (
    "Parijat", "Kadamba", "Ashoka", "Champa", "Neem", "Banyan", "Tulsi", "Mogra", "Palash", "Deodar",
    "Sal", "Teak", "Sandal", "Amaltas", "Gulmohar", "Jasmine", "Lotus", "Peepal", "Kesar", "Harsingar",
)  # fmt: skip
CATEGORIES = (
    "Flexi Cap Fund", "Large Cap Fund", "Mid Cap Fund", "Small Cap Fund", "Multi Cap Fund", "Focused Fund",
    "Value Fund", "Contra Fund", "ELSS", "Liquid Fund", "Overnight Fund", "Gilt Fund", "Corporate Bond Fund",
    "Short Duration Fund", "Money Market Fund", "Arbitrage Fund", "Equity Savings", "Index Funds",
)  # fmt: skip
WORDS = ("Opportunities", "Growth", "Advantage", "Select", "Bluechip", "Prudent", "Dynamic", "Emerging", "Core", "Plus")


def schemes() -> None:
    """14,000 schemes of twenty fund houses, each with two NAVs, and the search index over them."""
    if Scheme.objects.count() >= SCHEMES:
        return
    houses = FundHouse.objects.bulk_create(FundHouse(name=f"{name} Mutual Fund") for name in HOUSES)
    Scheme.objects.bulk_create((_scheme(number, houses) for number in range(SCHEMES)), batch_size=1000)
    search_index.build()


def _scheme(number: int, houses: list[FundHouse]) -> Scheme:
    house, category = houses[number % len(houses)], CATEGORIES[number // 20 % len(CATEGORIES)]
    word, series = WORDS[number // 360 % len(WORDS)], number // 3600 + 1
    today = clock.today()
    return Scheme(
        isin=f"INB{number:09d}",
        amfi_code=500_000 + number,
        name=f"{house.name.split()[0]} {word} {category} Series {series} - Regular Plan - Growth",
        fund_house=house,
        asset_class=Scheme.AssetClass.EQUITY,
        category=category,
        purchase_allowed=True,
        min_first=Decimal(500),
        step_first=Decimal(1),
        min_more=Decimal(100),
        step_more=Decimal(1),
        nav=Decimal(10) + Decimal(number) / 100,
        nav_on=today - timedelta(days=1),
        previous_nav=Decimal(10) + Decimal(number) / 101,
        previous_nav_on=today - timedelta(days=2),
    )


def investor(number: int) -> Investor:
    """Somebody who is ready to invest."""
    user = User.objects.create_user(f"bench{number}@portal.example")
    who = Investor(
        user=user, name=f"Bench Investor {number}", state=Investor.State.READY, provider_ref=f"bench-{number}"
    )
    who.set_pan(f"BNCPH{number:04d}A")
    who.save()
    InvestmentAccount.objects.create(investor=who, provider_ref=f"bench-account-{number}")
    account = BankAccount(
        investor=who, holder_name=who.name, kind=BankAccount.Kind.SAVINGS, ifsc="ABCD0000001",
        bank_name="Bench Bank", is_primary=True, provider_ref=f"bench-bank-{number}",
    )  # fmt: skip
    account.set_number(f"{number:012d}")
    account.save()
    KycCheck.objects.create(
        investor=who, pan_index=who.pan_index or "", provider_ref=f"{number}", is_compliant=True, checked_at=clock.now()
    )
    return who


def holdings(who: Investor) -> None:
    """Sixty holdings with three purchases each over three years."""
    today, now = clock.today(), clock.now()
    for scheme in Scheme.objects.select_related("fund_house").order_by("pk")[:HOLDINGS]:
        folio = Folio.objects.create(investor=who, fund_house=scheme.fund_house, number=f"{scheme.pk}/{who.pk}")
        Transaction.objects.bulk_create(
            _purchase(who, folio, scheme, on=today - timedelta(days=1000 - 300 * turn), at=now)
            for turn in range(PURCHASES_PER_HOLDING)
        )
        ledger.rebuild(folio_ids=[folio.pk], at=now)


def _purchase(who: Investor, folio: Folio, scheme: Scheme, *, on: date, at: datetime) -> Transaction:
    return Transaction(
        investor=who, folio=folio, scheme=scheme, kind=Transaction.Kind.PURCHASE, units=Decimal("123.456"),
        amount=Decimal("1200.00"), nav=Decimal("9.7200"), traded_on=on, recorded_at=at,
    )  # fmt: skip


def consent(who: Investor, scheme: Scheme, amount: Decimal, *, given: bool) -> Consent:
    """A purchase that has been shown. Not yet given, the code is `OTP`."""
    now = clock.now()
    wish = purchases.prepare(
        investor=who,
        isin=scheme.isin,
        amount=amount,
        bank_account=who.bankaccounts.get(),
        payment_method=MfOrder.PaymentMethod.NETBANKING,
        at=now,
    )
    made = Consent(
        investor=who,
        purpose=Consent.Purpose.PURCHASE,
        form_ref=hashlib.sha256(f"{who.pk}-{scheme.pk}-{amount}".encode()).hexdigest()[:20],
        shown=purchases.shown(wish),
        amount=amount,
        isin=scheme.isin,
        contact=who.user.email,
        asked_at=now,
        expires_at=now + consents.LIFE,
        given_at=now if given else None,
    )
    made.digest = consents.Terms.of(made).digest
    made.save()
    made.otp_hash = consents._hash(made, OTP)
    made.save(update_fields=["otp_hash"])
    return made


def order(who: Investor, scheme: Scheme, amount: Decimal) -> MfOrder:
    """An order whose units are allotted, with the story that its page tells."""
    now = clock.now()
    folio, _ = Folio.objects.get_or_create(
        investor=who, fund_house_id=scheme.fund_house_id, number=f"{scheme.pk}/{who.pk}"
    )
    placed = MfOrder.objects.create(
        investor=who,
        consent=consent(who, scheme, amount, given=True),
        scheme=scheme,
        investment_account=who.investmentaccounts.get(),
        bank_account=who.bankaccounts.get(),
        amount=amount,
        payment_method=MfOrder.PaymentMethod.NETBANKING,
        state=MfOrder.State.ALLOTTED,
        provider_ref=f"bench-{who.pk}-{scheme.pk}",
        folio=folio,
        allotted_units=Decimal("12.345"),
        allotted_nav=Decimal("81.0000"),
        allotted_amount=amount,
        allotted_on=clock.today(),
        state_since=now,
        placed_at=now,
        predicted_nav_on=clock.today(),
        prediction="Paid before 14:30 today, this order counts today and gets the NAV of today.",
    )
    for act in ("created", "awaiting_payment", "paid", "placed", "allotted", "investor_told"):
        audit.record(placed, f"order.{act}", actor=None, at=now)
    return placed


def cookies(who: Investor) -> dict[str, str]:
    """The cookies of a browser in which they are signed in, with a CSRF token whose secret is known."""
    client = Client()
    client.force_login(who.user)
    return {"sessionid": client.cookies["sessionid"].value, "csrftoken": "b" * 32}
