"""Selling units: from the investor's wish to an order on record. What happens to it afterwards: `sending`, `news`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from investors import queries as people
from investors.declarations import EXECUTION_ONLY
from investors.models import ACCOUNT_INDEX, BankAccount, Consent, InvestmentAccount, Investor
from investors.operations import consents
from orders import gateway, lifecycle, redemption_rules, rules
from orders.models import MfOrder, Scheme
from orders.operations import ledger
from orders.operations.news import PACE_S
from orders.operations.purchases import CONSENT_LIFE, ConsentMissing, LooksLikeAnother, NotReady, TermsChanged
from orders.queries import redemptions as queries
from orders.queries import schemes as scheme_queries
from orders.queries.redemptions import Sellable
from orders.redemption_rules import Asked, InstantTerms, Prediction
from portal import audit, clock, jobs
from portal.encryption import blind_indexes
from portal.errors import Failure

NORMAL, INSTANT = MfOrder.RedemptionMode.NORMAL, MfOrder.RedemptionMode.INSTANT


class NotSellable(Failure):
    """The scheme takes no redemptions, or the investor has none of its units."""

    code = "not_sellable"
    message = "Units of this fund cannot be sold here at the moment. Nothing was ordered."


class NoPayoutAccount(Failure):
    """There is no bank account to which the money could go now."""

    code = "no_payout_account"
    message = "There is no bank account of yours to which the money can be paid now. Nothing was ordered."


@dataclass(frozen=True)
class Wish:
    """What an investor wants to sell, checked and ready to be shown and confirmed."""

    scheme: Scheme
    source: Sellable
    asked: Asked
    mode: str
    bank_account: BankAccount
    prediction: Prediction
    # What the fund house said before an instant sale; None for a normal one.
    terms: InstantTerms | None


def why_not(scheme: Scheme) -> str:
    """Why nobody can sell units of this scheme here, for the investor; an empty text when they can."""
    return "" if scheme.redemption_allowed else "The fund house takes no sales of this fund at the moment."


def prepare(
    *,
    investor: Investor,
    isin: str,
    folio_number: str,
    asked: Asked,
    at: datetime,
    bank_account: BankAccount | None = None,
    terms: InstantTerms | None = None,
) -> Wish:
    """Check a sale against every rule we know, predict its NAV day and by when the money comes.

    An instant one brings `terms` (from `instant_terms`) and the account among them. Raises NotReady, NotSellable,
    NoPayoutAccount, or InvalidInput(field, ...) in words an investor can act on.
    """
    if investor.state != Investor.State.READY:
        raise NotReady
    scheme = Scheme.objects.filter(isin=isin).first()
    if scheme is None:
        raise NotSellable
    if reason := why_not(scheme):
        raise NotSellable(reason)
    source = _source(investor, scheme, folio_number, at)
    redemption_rules.check(asked=asked, bounds=_bounds(scheme, terms), there=source.stand, nav=scheme.nav)
    if terms:
        redemption_rules.check_instant(asked=asked, terms=terms)
    account = bank_account if terms else payout_account(investor)
    _check_account(investor, account, at)
    mode = INSTANT if terms else NORMAL
    return Wish(scheme, source, asked, mode, account, predict(scheme, at, mode), terms)  # type: ignore[arg-type]


def _bounds(scheme: Scheme, terms: InstantTerms | None) -> redemption_rules.Bounds:
    """An instant sale has bounds of its own, which the fund house states each time."""
    none = redemption_rules.Bounds(redemption_rules.rules.AmountBounds(None, None, None), None, None)
    return none if terms else scheme_queries.bounds_of_redemption(scheme)


def _source(investor: Investor, scheme: Scheme, folio_number: str, at: datetime) -> Sellable:
    today = at.astimezone(clock.IST).date()
    found = queries.sellable(investor=investor, scheme=scheme, today=today)
    source = next((each for each in found if each.folio_number == folio_number), None)
    if source is None:
        raise NotSellable("That folio holds no units of this fund. Nothing was ordered.")
    return source


def payout_account(investor: Investor) -> BankAccount | None:
    """Where the money of a normal sale goes: the investor's primary account, which is the folio's at FP."""
    return people.bank_accounts_of(investor).filter(provider_ref__isnull=False, closed_at__isnull=True).first()


def _check_account(investor: Investor, account: BankAccount | None, at: datetime) -> None:
    if account is None or account.investor_id != investor.pk or account.closed_at:
        raise NoPayoutAccount
    if account.payout_from and at < account.payout_from:
        day = account.payout_from.astimezone(clock.IST)
        raise NoPayoutAccount(
            f"{account} was added a short while ago. For your safety nothing is paid into it before {day:%-d %b %Y}."
        )


def predict(scheme: Scheme, at: datetime, mode: str = NORMAL) -> Prediction:
    """Which NAV a sale asked for now gets, and by when its money comes."""
    on, book, category = at.astimezone(clock.IST).date(), scheme_queries.book(), scheme.category
    normal = redemption_rules.predict(
        at=at,
        is_liquid=rules.gets_the_day_before(category, book=book, on=on),
        payout=redemption_rules.payout_of(category=category, asset_class=scheme.asset_class, book=book, on=on),
        holidays=scheme_queries.holidays(),
        cutoff=redemption_rules.cutoff_of(category, book=book, on=on),
    )
    if mode == INSTANT:
        return redemption_rules.instantly(at=at, nav_on=scheme.nav_on, normal=normal)
    return normal


# --- Instant ------------------------------------------------------------------------------------------------------


def instant_terms(*, investor: Investor, isin: str, folio_number: str) -> tuple[InstantTerms, list[BankAccount]]:
    """What the fund house pays at once, and which accounts of ours it pays to. Raises the gateway errors of a read."""
    account = InvestmentAccount.objects.get(investor=investor)
    terms = gateway.instant_terms(account_ref=account.provider_ref or "", folio_number=folio_number, isin=isin)
    listed = {(index, ifsc) for number, ifsc in terms.accounts for index in blind_indexes(number, ACCOUNT_INDEX)}
    ours = people.bank_accounts_of(investor).filter(closed_at__isnull=True)
    return terms, [each for each in ours if (each.number_index, each.ifsc) in listed]


# --- What the investor says yes to ----------------------------------------------------------------------------------


HOW = {
    NORMAL: "Normal sale",
    INSTANT: f"At once. {redemption_rules.MAYBE_NORMAL}",
}


def shown(wish: Wish) -> dict[str, str]:
    """The sale as the confirmation page shows it; its digest is what the code is bound to.

    Keys in lower case are not shown: they are what `confirm` compares and acts on.
    """
    limits = _limits(wish.terms) if wish.terms else {}
    return {
        "Scheme": wish.scheme.name,
        "Sell": wish.asked.in_words,
        "Folio": wish.source.folio_number,
        "Paid into": str(wish.bank_account),
        "How": HOW[MfOrder.RedemptionMode(wish.mode)],
        "Expected NAV": wish.prediction.rule,
        "bank_account": wish.bank_account.code,
        "mode": str(wish.mode),
        "is_all": "yes" if wish.asked.is_all else "",
        "nav_on": wish.prediction.nav_on.isoformat(),
        **limits,
    }


def _limits(terms: InstantTerms) -> dict[str, str]:
    named = {"instant_least": terms.least, "instant_most": terms.most, "instant_step": terms.step}
    return {name: "" if value is None else str(value) for name, value in named.items()}


def _terms_shown(consent: Consent) -> InstantTerms | None:
    """The limits that the fund house stated for this consent; None for a normal sale."""
    if consent.shown["mode"] != INSTANT:
        return None
    names = ("instant_least", "instant_most", "instant_step")
    least, most, step = (Decimal(consent.shown[name]) if consent.shown[name] else None for name in names)
    return InstantTerms(True, least, most, step, "")


def ask(*, wish: Wish, investor: Investor, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The consent that asks for the investor's yes to exactly this sale. Raises what `consents.ask` raises."""
    return consents.ask(
        investor=investor,
        purpose=Consent.Purpose.REDEMPTION,
        form_ref=form_ref,
        shown={**shown(wish), "declaration": EXECUTION_ONLY},
        amount=wish.asked.amount,
        units=wish.asked.units,
        isin=wish.scheme.isin,
        folio_number=wish.source.folio_number,
        ip=ip,
        at=at,
    )


def asked_in(consent: Consent) -> Asked:
    """What a consent is about."""
    return Asked(consent.amount, consent.units, consent.shown.get("is_all") == "yes")


def wish_of(*, consent: Consent, investor: Investor, at: datetime) -> Wish:
    """The sale that a consent is about, checked anew. Raises what `prepare` raises."""
    return prepare(
        investor=investor,
        isin=consent.isin,
        folio_number=consent.folio_number,
        asked=asked_in(consent),
        at=at,
        bank_account=BankAccount.objects.filter(investor=investor, code=consent.shown["bank_account"]).first(),
        terms=_terms_shown(consent),
    )


def has_changed(consent: Consent, wish: Wish) -> bool:
    """Would something else be ordered than the investor was shown?"""
    now = shown(wish)
    return any(now[key] != consent.shown.get(key) for key in ("nav_on", "Folio", "Scheme", "Sell", "Paid into", "How"))


def confirm(*, investor: Investor, code: str, otp: object, sell_again: bool, ip: str | None, at: datetime) -> MfOrder:
    """The investor's code has made the consent an order: the one created now, or the one of an earlier click.

    One transaction, as in `purchases.confirm`; the folio is held from before its units are counted until the order
    stands, so that two tabs cannot sell the same units. Raises consents.WrongCode, CodeExpired, TooManyTries, what
    `prepare` raises, TermsChanged, LooksLikeAnother.
    """
    with transaction.atomic():
        consent = consents.lock(investor=investor, code=code, purpose="REDEMPTION")
        if hasattr(consent, "order"):
            return consent.order
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            _hold_folio(investor, consent)
            wish = wish_of(consent=consent, investor=investor, at=at)
            if has_changed(consent, wish):
                raise TermsChanged
            if not sell_again and _twin(investor, consent, at):
                raise LooksLikeAnother("Tick this only if you want to sell a second time.")
            return _create(consent, wish, user_ip=ip, at=at, actor=investor.user_id)
    raise failure


def _hold_folio(investor: Investor, consent: Consent) -> None:
    folios = investor.folios.filter(number=consent.folio_number)
    ledger.lock_folios(list(folios.values_list("pk", flat=True)))


def _twin(investor: Investor, consent: Consent, at: datetime) -> MfOrder | None:
    return queries.look_alike(
        investor=investor, isin=consent.isin, folio_number=consent.folio_number, asked=asked_in(consent), at=at
    )


def _create(consent: Consent, wish: Wish, *, user_ip: str | None, at: datetime, actor: int) -> MfOrder:
    """The row, its audit entry, and a nudge. The caller holds the locks on consent and folio."""
    if consent.given_at is None or at - consent.given_at > CONSENT_LIFE:
        raise ConsentMissing
    order = MfOrder.objects.create(
        kind=MfOrder.Kind.REDEMPTION,
        redemption_mode=wish.mode,
        investor_id=consent.investor_id,
        consent=consent,
        scheme=wish.scheme,
        folio_id=wish.source.folio_id,
        investment_account=InvestmentAccount.objects.get(investor_id=consent.investor_id),
        bank_account=wish.bank_account,
        amount=wish.asked.amount,
        units=wish.asked.units,
        is_all=wish.asked.is_all,
        gateway=settings.FP_ORDER_GATEWAY,
        user_ip=user_ip,
        placed_at=at,
        state_since=at,
        predicted_nav_on=wish.prediction.nav_on,
        prediction=wish.prediction.rule[:300],
        payout_by=wish.prediction.pay_by,
        due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
    )
    audit.record(order, "order.created", actor=f"user:{actor}", at=at, asked=wish.asked.in_words, isin=wish.scheme.isin)
    jobs.nudge("orders.advance", row_id=order.pk)
    return order
