"""Buying units: from the investor's wish to an order on record. What happens to it afterwards: `sending`, `news`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from investors import queries as people
from investors.declarations import EXECUTION_ONLY
from investors.models import BankAccount, Consent, InvestmentAccount, Investor, Mandate
from investors.operations import consents
from orders import capabilities, lifecycle, rails, rules
from orders.models import MfOrder, Scheme
from orders.operations.news import PACE_S
from orders.queries import purchases as purchase_queries
from orders.queries import schemes as scheme_queries
from orders.queries.purchases import NEW_FOLIO, Asked, Facts
from portal import audit, jobs, money
from portal.clock import IST
from portal.errors import Failure, InvalidInput

# A consent is acted on at once: an old confirmation page cannot be replayed for an old NAV (NAV arbitrage).
CONSENT_LIFE = timedelta(minutes=10)


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
    """The consent was given too long ago."""

    code = "consent"
    message = "The confirmation has expired. Nothing was ordered; please enter the amount again."


class TermsChanged(Failure):
    """What was shown is no longer what would be ordered: the cut-off has passed, or a folio has been opened."""

    code = "terms_changed"
    message = "The expected NAV day or the folio has changed since we showed it to you. Nothing was ordered yet."


class LooksLikeAnother(Failure):
    """The same was bought a short while ago; it takes an explicit yes to buy it again."""

    code = "looks_like_another"
    message = "Tick this only if you want to buy a second time."


@dataclass(frozen=True)
class Way:
    """How purchases are paid: from which account of the investor's, by which rail, by which mandate if by one."""

    bank_account: BankAccount
    method: str
    mandate: Mandate | None = None

    @property
    def label(self) -> str:
        """`UPI`, or the mandate with the most that it lets be debited."""
        if self.mandate:
            return f"Mandate {self.mandate.code}, up to {money.rupees(self.mandate.limit)} a debit"
        return str(MfOrder.PaymentMethod(self.method).label)


@dataclass(frozen=True)
class Wish:
    """What an investor wants to buy, checked and ready to be shown and confirmed."""

    facts: Facts
    asked: Asked
    way: Way
    prediction: rules.Prediction

    @property
    def scheme(self) -> Scheme:
        """What is bought."""
        return self.facts.scheme

    @property
    def amount(self) -> Decimal:
        """Rupees."""
        return self.asked.amount


def prepare(
    *,
    investor: Investor,
    isin: str,
    amount: Decimal,
    bank_account: BankAccount,
    payment_method: str,
    at: datetime,
    mandate: Mandate | None = None,
    folio: str = "",
) -> Wish:
    """Check a purchase against every rule we know and predict its NAV day.

    Raises NotReady, KycStandsInTheWay, NotForSale, or InvalidInput at its field in words an investor can act on.
    """
    asked, way = Asked(isin, amount, folio), Way(bank_account, payment_method, mandate)
    [facts] = purchase_queries.facts(investor=investor, asked=[asked], at=at)
    wish = weigh(investor=investor, facts=facts, asked=asked, way=way, at=at)
    check_way(investor=investor, way=way, amounts=[amount], at=at)
    return wish


def weigh(
    *, investor: Investor, facts: Facts | None, asked: Asked, way: Way, at: datetime, also: Decimal = money.ZERO
) -> Wish:
    """One wish against the rules of its scheme, folio and KYC. `also`: rupees that are bought in the same fund house at
    the same time, which count towards a limit of the KYC. Raises what `prepare` raises."""
    if investor.state != Investor.State.READY:
        raise NotReady
    if facts is None:
        raise NotForSale
    if reason := scheme_queries.why_not_for_sale(facts.scheme, at.astimezone(IST).date()):
        raise NotForSale(reason)
    if asked.folio not in ("", NEW_FOLIO, facts.folio_number):
        raise InvalidInput("folio", "Choose one of your own folios at this fund house, or a new one.")
    rules.check_amount(bounds=scheme_queries.bounds_for(facts.scheme, is_first=not facts.is_held), amount=asked.amount)
    _check_kyc(facts, asked.amount, also)
    return Wish(facts, asked, way, predict(facts.scheme, way.method, at))


def predict(scheme: Scheme, method: str, at: datetime) -> rules.Prediction:
    """What a purchase of the scheme gets that is ordered and paid at `at`."""
    return rules.predict_nav_day(
        at=at,
        category=scheme.category,
        method=method,
        holidays=scheme_queries.holidays(),
        book=scheme_queries.book(),
    )


def _check_kyc(facts: Facts, amount: Decimal, also: Decimal) -> None:
    if not facts.kyc_is_compliant:
        raise KycStandsInTheWay
    if facts.kyc_limit is None:
        return
    left = max(facts.kyc_limit - facts.ordered_this_year - also, Decimal(0))
    if amount > left:
        beside = f" beside the {money.rupees(also)} of other lines" if also else ""
        raise InvalidInput(
            "amount",
            f"Your KYC allows {money.rupees(facts.kyc_limit)} a financial year in one fund house; "
            f"{money.rupees(left)} of it is left here{beside}.",
        )


def check_way(*, investor: Investor, way: Way, amounts: Sequence[Decimal], at: datetime) -> None:
    """Raise InvalidInput unless they can be paid in this way: in one sum at a page, singly by a mandate."""
    if way.bank_account.investor_id != investor.pk or not way.bank_account.provider_ref:
        raise InvalidInput("bank_account", "Choose one of your own registered bank accounts.")
    if way.method not in capabilities.of(settings.FP_ORDER_GATEWAY).rails:
        raise InvalidInput("payment_method", "Orders cannot be paid in this way. Please choose another one.")
    if way.method == MfOrder.PaymentMethod.NACH:
        _check_mandate(investor, way, amounts, at.astimezone(IST).date())
        return
    on, book = at.astimezone(IST).date(), scheme_queries.book()
    if why_not := rails.why_too_much(way.method, sum(amounts, money.ZERO), book=book, on=on):
        raise InvalidInput("payment_method", why_not)


def _check_mandate(investor: Investor, way: Way, amounts: Sequence[Decimal], today: date) -> None:
    mandate = way.mandate
    if mandate is None or mandate.investor_id != investor.pk:
        raise InvalidInput("payment_method", "Choose one of your own mandates.")
    if why_not := rails.why_no_debit(mandate, max(amounts, default=money.ZERO), today):
        raise InvalidInput("payment_method", why_not)


# --- What the investor says yes to ----------------------------------------------------------------------------


def shown(wish: Wish) -> dict[str, str]:
    """The purchase as the confirmation page shows it; its digest is what the code is bound to.

    Keys in lower case are not shown: they are what `confirm` compares and acts on.
    """
    return {
        "Scheme": wish.scheme.name,
        "Amount": money.rupees(wish.amount),
        "Folio": wish.facts.folio_number or "a new folio",
        "Pay from": str(wish.way.bank_account),
        "Pay by": wish.way.label,
        "Expected NAV": wish.prediction.rule,
        **way_in(wish.way),
        "nav_on": wish.prediction.nav_on.isoformat(),
        "folio": wish.asked.folio,
    }


def way_in(way: Way) -> dict[str, str]:
    """How it is paid, as a consent keeps it."""
    mandate = {"mandate": way.mandate.code} if way.mandate else {}
    return {"bank_account": way.bank_account.code, "payment_method": way.method, **mandate}


def way_of(*, consent: Consent, investor: Investor) -> Way:
    """How the investor has said that it is paid."""
    kept = consent.shown
    mandate = Mandate.objects.filter(investor=investor, code=kept["mandate"]).first() if "mandate" in kept else None
    return Way(people.bank_account(investor, kept["bank_account"]), str(kept["payment_method"]), mandate)


def to_confirm(wish: Wish, investor: Investor) -> dict[str, str]:
    """What is shown and consented to: the purchase, for a new folio who is nominated in it, and that it is execution
    only (providers.md 3.6: FP wants both covered by the one-time code)."""
    nominee = {} if wish.facts.folio_number else {"Nominee": people.nomination_in_words(investor)}
    return {**shown(wish), **nominee, "declaration": EXECUTION_ONLY}


def wish_of(*, consent: Consent, investor: Investor, at: datetime) -> Wish:
    """The purchase that a consent is about, checked anew. Raises what `prepare` raises."""
    way = way_of(consent=consent, investor=investor)
    return prepare(
        investor=investor,
        isin=consent.isin,
        amount=consent.amount or Decimal(0),
        bank_account=way.bank_account,
        payment_method=way.method,
        mandate=way.mandate,
        folio=consent.shown.get("folio", ""),
        at=at,
    )


def has_changed(consent: Consent, wish: Wish) -> bool:
    """Would something else be ordered than the investor was shown?"""
    now = shown(wish)
    return any(now[key] != consent.shown.get(key) for key in ("nav_on", "Folio", "Scheme", "Amount"))


def hold(investor: Investor) -> None:
    """Until the transaction ends, nobody else confirms anything that this investor buys.

    Two tabs have two codes. Whichever comes second counts what the first has ordered: for the limit of the KYC, and as
    something that was bought a moment ago.
    """
    InvestmentAccount.objects.select_for_update(no_key=True).only("pk").filter(investor=investor).first()


def confirm(*, investor: Investor, code: str, otp: object, buy_again: bool, ip: str | None, at: datetime) -> MfOrder:
    """The investor's code has made the consent an order: the one created now, or the one of an earlier click.

    One transaction: a wrong code is counted and committed; a right code that meets a refusal leaves no trace.
    Raises consents.WrongCode, CodeExpired, TooManyTries, what `prepare` raises, TermsChanged, LooksLikeAnother.
    """
    with transaction.atomic():
        # The lock makes the second of two clicks wait for the first and find its order.
        consent = consents.lock(investor=investor, code=code, purpose="PURCHASE")
        if hasattr(consent, "order"):
            return consent.order
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            hold(investor)
            wish = wish_of(consent=consent, investor=investor, at=at)
            if has_changed(consent, wish):
                raise TermsChanged
            if wish.facts.twin_code and not buy_again:
                raise LooksLikeAnother
            return _create(consent, wish, user_ip=ip, at=at, actor=investor.user_id)
    raise failure


def _create(consent: Consent, wish: Wish, *, user_ip: str | None, at: datetime, actor: int) -> MfOrder:
    """The row, its audit entry, and a nudge. The caller holds the lock on the consent."""
    check_fresh(consent, at)
    return create_order(wish, investor_id=consent.investor_id, user_ip=user_ip, at=at, actor=actor, consent=consent)


def check_fresh(consent: Consent, at: datetime) -> None:
    """Raise ConsentMissing when the yes was not given just now."""
    if consent.given_at is None or at - consent.given_at > CONSENT_LIFE:
        raise ConsentMissing


def create_order(
    wish: Wish, *, investor_id: int, user_ip: str | None, at: datetime, actor: int, **authority: object
) -> MfOrder:
    """The order of a confirmed wish, audited and nudged. `authority` is its consent, or its cart and line."""
    order = MfOrder.objects.create(
        investor_id=investor_id,
        scheme=wish.scheme,
        folio_id=wish.facts.folio_id,
        investment_account_id=wish.facts.investment_account_id,
        bank_account=wish.way.bank_account,
        amount=wish.amount,
        payment_method=wish.way.method,
        mandate=wish.way.mandate,
        gateway=settings.FP_ORDER_GATEWAY,
        server_ip=settings.SERVER_IP or None,
        user_ip=user_ip,
        placed_at=at,
        state_since=at,
        predicted_nav_on=wish.prediction.nav_on,
        prediction=wish.prediction.rule[:300],
        due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
        **authority,
    )
    audit.record(order, "order.created", actor=f"user:{actor}", at=at, amount=order.amount, isin=wish.scheme.isin)
    jobs.nudge("orders.advance", row_id=order.pk)
    return order
