"""SIPs: from the investor's wish to a plan on record. What happens to it afterwards: `plan_sending`, `instalments`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from investors import queries as people
from investors.declarations import EXECUTION_ONLY
from investors.models import Consent, Investor, Mandate
from investors.operations import consents
from orders import lifecycle, plan_rules
from orders.models import Plan, Scheme
from orders.operations import purchases
from orders.operations.plan_news import PACE_S
from orders.operations.purchases import (
    CONSENT_LIFE,
    ConsentMissing,
    KycStandsInTheWay,
    LooksLikeAnother,
    NotForSale,
    NotReady,
    TermsChanged,
)
from orders.queries import plans as queries
from orders.queries import purchases as purchase_queries
from orders.queries import schemes as scheme_queries
from orders.queries.purchases import Facts
from portal import audit, jobs, money
from portal.clock import IST
from portal.errors import InvalidInput

START = "start"


@dataclass(frozen=True)
class Wish:
    """A SIP that an investor wants, checked and ready to be shown and confirmed."""

    facts: Facts
    amount: Decimal
    start_day: int
    instalments: int
    mandate: Mandate
    first_on: date

    @property
    def scheme(self) -> Scheme:
        """What is bought."""
        return self.facts.scheme

    @property
    def last_on(self) -> date:
        """The date of the last instalment."""
        return plan_rules.last(self.first_on, self.instalments, self.start_day)


def why_not(scheme: Scheme, on: date) -> str:
    """Why nobody can start a SIP in this scheme here that day, for the investor; empty when they can."""
    if reason := scheme_queries.why_not_for_sale(scheme, on):
        return reason
    if not scheme.sip_allowed or not scheme.sip_days:
        return "The fund house offers no SIP in this fund through us."
    return ""


def terms_of(scheme: Scheme) -> plan_rules.Terms:
    """What FP takes for a SIP in a scheme."""
    amount = plan_rules.rules.AmountBounds(scheme.min_sip, scheme.max_sip, scheme.step_sip)
    return plan_rules.Terms(amount, scheme.min_sip_instalments, plan_rules.days_in(scheme.sip_days))


def prepare(
    *,
    investor: Investor,
    isin: str,
    amount: Decimal,
    start_day: int,
    instalments: int,
    mandate: Mandate | None,
    at: datetime,
) -> Wish:
    """Check a SIP against every rule we know and date its first instalment.

    Raises NotReady, KycStandsInTheWay, NotForSale, or InvalidInput(field, ...) in words an investor can act on.
    """
    if investor.state != Investor.State.READY:
        raise NotReady
    (facts,) = purchase_queries.facts(investor=investor, asked=[purchase_queries.Asked(isin, amount)], at=at)
    scheme = Scheme.objects.filter(isin=isin).first()
    if facts is None or scheme is None:
        raise NotForSale
    if reason := why_not(scheme, at.astimezone(IST).date()):
        raise NotForSale(reason)
    if not facts.kyc_is_compliant:
        raise KycStandsInTheWay
    if mandate is None or not queries.usable_mandates(investor).filter(pk=mandate.pk).exists():
        raise InvalidInput("mandate", "Choose one of your own mandates.")
    first_on = plan_rules.check(
        terms=terms_of(scheme), amount=amount, day=start_day, instalments=instalments, limit=mandate.limit, at=at
    )
    _check_yearly_limit(facts, amount)
    return Wish(facts, amount, start_day, instalments, mandate, first_on)


def _check_yearly_limit(facts: Facts, amount: Decimal) -> None:
    left = None if facts.kyc_limit is None else max(facts.kyc_limit - facts.ordered_this_year, Decimal(0))
    if left is not None and amount > left:
        raise InvalidInput(
            "amount",
            f"Your KYC allows {money.rupees(facts.kyc_limit or money.ZERO)} a financial year in one fund house; "
            f"{money.rupees(left)} of it is left here.",
        )


# --- What the investor says yes to ----------------------------------------------------------------------------


def shown(wish: Wish) -> dict[str, str]:
    """The SIP as the confirmation page shows it; its digest is what the code is bound to.

    Keys in lower case are not shown: they are what `confirm` compares and acts on.
    """
    return {
        "Scheme": wish.scheme.name,
        "Amount": f"{money.rupees(wish.amount)} a month",
        "When": plan_rules.schedule_in_words(
            day=wish.start_day, first_on=wish.first_on, last_on=wish.last_on, instalments=wish.instalments
        ),
        "Folio": wish.facts.folio_number or "a new folio",
        "By mandate": f"{wish.mandate.code} on {wish.mandate.bank_account}, {money.rupees(wish.mandate.limit)} a debit",
        "act": START,
        "mandate": wish.mandate.code,
        "start_day": str(wish.start_day),
        "instalments": str(wish.instalments),
        "first_on": wish.first_on.isoformat(),
    }


def ask(*, wish: Wish, investor: Investor, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The consent that asks for the investor's yes to exactly this SIP. Raises what `consents.ask` raises."""
    nominee = {} if wish.facts.folio_number else {"Nominee": people.nomination_in_words(investor)}
    return consents.ask(
        investor=investor,
        purpose=Consent.Purpose.SIP,
        form_ref=form_ref,
        shown={**shown(wish), **nominee, "declaration": EXECUTION_ONLY},
        amount=wish.amount,
        isin=wish.scheme.isin,
        folio_number=wish.facts.folio_number,
        ip=ip,
        at=at,
    )


def wish_of(*, consent: Consent, investor: Investor, at: datetime) -> Wish:
    """The SIP that a consent is about, checked anew. Raises what `prepare` raises."""
    return prepare(
        investor=investor,
        isin=consent.isin,
        amount=consent.amount or Decimal(0),
        start_day=int(consent.shown["start_day"]),
        instalments=int(consent.shown["instalments"]),
        mandate=queries.usable_mandates(investor).filter(code=consent.shown["mandate"]).first(),
        at=at,
    )


def has_changed(consent: Consent, wish: Wish) -> bool:
    """Would something else be started than the investor was shown?"""
    now = shown(wish)
    return any(now[key] != consent.shown.get(key) for key in ("first_on", "Folio", "Scheme", "Amount", "By mandate"))


def confirm(*, investor: Investor, code: str, otp: object, start_again: bool, ip: str | None, at: datetime) -> Plan:
    """The investor's code has made the consent a SIP: the one created now, or the one of an earlier click.

    One transaction: a wrong code is counted and committed; a right code that meets a refusal leaves no trace.
    Raises consents.WrongCode, CodeExpired, TooManyTries, what `prepare` raises, TermsChanged, LooksLikeAnother.
    """
    with transaction.atomic():
        consent = consents.lock(investor=investor, code=code, purpose=Consent.Purpose.SIP)
        if consent.shown.get("act") != START:
            raise Consent.DoesNotExist
        if made := Plan.objects.filter(consent=consent).first():
            return made
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            purchases.hold(investor)
            wish = wish_of(consent=consent, investor=investor, at=at)
            if has_changed(consent, wish):
                raise TermsChanged("The first date or the folio has changed since we showed it to you.")
            if not start_again and queries.look_alike(investor, wish.scheme.isin, wish.amount, wish.start_day):
                raise LooksLikeAnother("Tick this only if you want a second SIP of the same kind.")
            return _create(consent, wish, user_ip=ip, at=at, actor=investor.user_id)
    raise failure


def _create(consent: Consent, wish: Wish, *, user_ip: str | None, at: datetime, actor: int) -> Plan:
    """The row, its audit entry, and a nudge. The caller holds the lock on the consent."""
    if consent.given_at is None or at - consent.given_at > CONSENT_LIFE:
        raise ConsentMissing
    plan = Plan.objects.create(
        investor_id=consent.investor_id,
        consent=consent,
        scheme=wish.scheme,
        folio_id=wish.facts.folio_id,
        investment_account_id=wish.facts.investment_account_id,
        mandate=wish.mandate,
        amount=wish.amount,
        start_day=wish.start_day,
        instalments=wish.instalments,
        first_on=wish.first_on,
        last_on=wish.last_on,
        gateway=settings.FP_ORDER_GATEWAY,
        user_ip=user_ip,
        placed_at=at,
        state_since=at,
        due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
    )
    audit.record(plan, "plan.created", actor=f"user:{actor}", at=at, amount=plan.amount, isin=wish.scheme.isin)
    jobs.nudge("orders.advance_plan", row_id=plan.pk)
    return plan
