"""Buying units: from the investor's wish to an order on record. What happens to it afterwards: `sending`, `news`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from investors.models import BankAccount, Consent, Investor, KycCheck
from orders import lifecycle, rules
from orders.models import Folio, Holding, MfOrder, Scheme
from orders.operations.news import PACE_S
from orders.queries import schemes as scheme_queries
from portal import audit, jobs, money
from portal.errors import Failure, InvalidInput
from portal.models import User

# A consent is acted on at once: an old confirmation page cannot be replayed for an old NAV (NAV arbitrage).
CONSENT_LIFE = timedelta(minutes=10)
# A look-alike this recent is shown to the investor before it is bought again (feature N6, intent ledger).
LOOK_ALIKE_WINDOW = timedelta(hours=24)


class NotReady(Failure):
    """The investor is not registered yet."""

    code = "investor_not_ready"
    message = "Finish getting ready before you invest. Nothing was ordered."


class KycStandsInTheWay(Failure):
    """The newest KYC answer does not allow a purchase."""

    code = "kyc"
    message = "Your KYC status does not allow a purchase at the moment. Nothing was ordered and no money moved."


class NotForSale(Failure):
    """The scheme takes no purchases through us."""

    code = "not_for_sale"
    message = "This scheme cannot be bought here at the moment. Nothing was ordered."


class ConsentMissing(Failure):
    """No fresh consent to exactly this purchase."""

    code = "consent"
    message = "The confirmation has expired. Nothing was ordered; please enter the amount again."


@dataclass(frozen=True)
class Wish:
    """What an investor wants to buy, checked and ready to be shown and confirmed."""

    scheme: Scheme
    amount: Decimal
    bank_account: BankAccount
    payment_method: str
    folio: Folio | None
    prediction: rules.Prediction


def prepare(
    *,
    investor: Investor,
    scheme: Scheme,
    amount: Decimal,
    bank_account: BankAccount,
    payment_method: str,
    at: datetime,
) -> Wish:
    """Check a purchase against every rule we know and predict its NAV day.

    Raises NotReady, KycStandsInTheWay, NotForSale, or InvalidInput("amount", ...) in words an investor can act on.
    """
    if investor.state != Investor.State.READY:
        raise NotReady
    if reason := scheme_queries.why_not_for_sale(scheme):
        raise NotForSale(reason)
    folio = folio_for(investor=investor, scheme=scheme)
    held = folio is not None and Holding.objects.filter(folio=folio, scheme=scheme, units__gt=0).exists()
    rules.check_amount(bounds=scheme_queries.bounds_for(scheme, is_first=not held), amount=amount)
    _check_kyc(investor=investor, scheme=scheme, amount=amount, at=at)
    if bank_account.investor_id != investor.pk or not bank_account.provider_ref:
        raise InvalidInput("bank_account", "Choose one of your own registered bank accounts.")
    prediction = rules.predict_nav_day(
        at=at,
        is_liquid=scheme_queries.is_liquid(scheme),
        method=payment_method,
        holidays=scheme_queries.holidays(),
    )
    return Wish(scheme, amount, bank_account, payment_method, folio, prediction)


def folio_for(*, investor: Investor, scheme: Scheme) -> Folio | None:
    """The folio a purchase goes into: the newest one at the fund house, or None for a new folio."""
    return Folio.objects.filter(investor=investor, fund_house_id=scheme.fund_house_id).order_by("-id").first()


def _check_kyc(*, investor: Investor, scheme: Scheme, amount: Decimal, at: datetime) -> None:
    newest = KycCheck.objects.filter(investor=investor).order_by("-checked_at").first()
    if newest is None or not newest.is_compliant:
        raise KycStandsInTheWay
    if newest.investment_limit is None:
        return
    # eKYC by OTP alone: a limit of rupees a financial year in one fund house (providers.md 3.7, 6.2).
    year_began = at.replace(month=4, day=1, hour=0, minute=0, second=0, microsecond=0)
    if at.month < 4:
        year_began = year_began.replace(year=at.year - 1)
    already = MfOrder.objects.filter(
        investor=investor,
        scheme__fund_house_id=scheme.fund_house_id,
        placed_at__gte=year_began,
        state__in=[*lifecycle.OPEN, lifecycle.ALLOTTED],
    ).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    left = newest.investment_limit - already
    if amount > left:
        raise InvalidInput(
            "amount",
            f"Your KYC allows {money.rupees(newest.investment_limit)} a financial year in one fund house; "
            f"{money.rupees(max(left, Decimal(0)))} of it is left here.",
        )


def look_alike(*, investor: Investor, scheme: Scheme, amount: Decimal, at: datetime) -> MfOrder | None:
    """A recent order for the same scheme and amount that was not refused: shown before the same is bought again."""
    return (
        MfOrder.objects.filter(investor=investor, scheme=scheme, amount=amount, placed_at__gte=at - LOOK_ALIKE_WINDOW)
        .exclude(state__in=[lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED])
        .order_by("-id")
        .first()
    )


def place(*, consent: Consent, wish: Wish, user_ip: str | None, at: datetime, actor: User | str) -> MfOrder:
    """An order exists for this consent: created now, or the one that an earlier click made. The worker is nudged.

    Raises ConsentMissing when the consent is not given, too old, or for something else.
    """
    with transaction.atomic():
        # The lock makes the second of two clicks wait for the first and find its order.
        consent = Consent.objects.select_for_update().get(pk=consent.pk)
        placed = MfOrder.objects.filter(consent=consent).first()
        if placed:
            return placed
        if (
            consent.given_at is None
            or at - consent.given_at > CONSENT_LIFE
            or (consent.amount, consent.isin) != (wish.amount, wish.scheme.isin)
        ):
            raise ConsentMissing
        order = MfOrder.objects.create(
            investor_id=consent.investor_id,
            consent=consent,
            scheme=wish.scheme,
            folio=wish.folio,
            investment_account=consent.investor.investmentaccounts.get(),
            bank_account=wish.bank_account,
            amount=wish.amount,
            payment_method=wish.payment_method,
            gateway=settings.FP_ORDER_GATEWAY,
            user_ip=user_ip,
            placed_at=at,
            state_since=at,
            predicted_nav_on=wish.prediction.nav_on,
            prediction=wish.prediction.rule[:300],
            due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
        )
        audit.record(order, "order.created", actor=actor, at=at, amount=order.amount, isin=wish.scheme.isin)
        jobs.nudge("orders.advance", row_id=order.pk)
    return order


# --- What the investor says yes to ----------------------------------------------------------------------------


def shown(wish: Wish) -> dict[str, str]:
    """Exactly what the confirmation page shows, in words and figures; its digest is what the code is bound to."""
    return {
        "Scheme": wish.scheme.name,
        "Amount": money.rupees(wish.amount),
        "Folio": wish.folio.number if wish.folio else "a new folio",
        "Pay from": str(wish.bank_account),
        "Pay by": MfOrder.PaymentMethod(wish.payment_method).label,
        "Expected NAV": wish.prediction.rule,
        "bank_account": wish.bank_account.code,
        "payment_method": wish.payment_method,
    }


def chosen(consent: Consent) -> tuple[BankAccount, str]:
    """The account and the way of paying that the investor said yes to."""
    account = BankAccount.objects.get(investor_id=consent.investor_id, code=consent.shown["bank_account"])
    return account, str(consent.shown["payment_method"])
