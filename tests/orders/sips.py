"""SIPs for tests: a scheme of the sandbox with its SIP terms, mandates it knows, and the investor's yes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from investors.models import Consent, Investor, Mandate
from orders import plan_rules
from orders.models import Plan, Scheme
from orders.operations import plan_sending, plans
from portal import clock
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import NewEMandate
from portal.gateway.journal import about
from portal.models import Delivery
from portal.notices import writing
from tests import factories

RUPEES = Decimal("5000.00")


def with_terms(scheme: Scheme) -> Scheme:
    """The scheme, with what the sandbox states about SIPs in it."""
    theirs = fp.client().fetch_scheme(scheme.isin)
    scheme.sip_allowed = theirs.sip_allowed
    scheme.min_sip, scheme.max_sip, scheme.step_sip = theirs.min_sip_amount, theirs.max_sip_amount, theirs.sip_multiples
    scheme.min_sip_instalments = theirs.min_sip_installments
    scheme.sip_days = ",".join(map(str, theirs.sip_frequency_data.days))
    scheme.save()
    return scheme


def mandate_at_fp(investor: Investor, sandbox, *, state: str = "APPROVED", limit: int = 25_000) -> Mandate:
    """A mandate that the sandbox holds too, in the state that is asked for."""
    mandate = factories.MandateFactory(
        bank_account=investor.bankaccounts.get(is_primary=True), state=state, limit=Decimal(limit)
    )
    wish = NewEMandate(bank_account_id=mandate.bank_account.provider_ref, mandate_limit=Decimal(limit))
    mandate.provider_ref = fp.client().create_e_mandate(wish, about(mandate))
    mandate.save(update_fields=["provider_ref"])
    if state == "APPROVED":
        for step in ("SUBMITTED", "APPROVED"):
            sandbox.call("POST", f"/fp/mandates/{mandate.provider_ref}", {"status": step})
    return mandate


def yes_to(wish: plans.Wish, investor: Investor, at: datetime) -> Consent:
    """The investor has said yes to a SIP."""
    return factories.ConsentFactory(
        investor=investor, purpose="SIP", amount=wish.amount, isin=wish.scheme.isin, shown=plans.shown(wish),
        asked_at=at,
    )  # fmt: skip


def start(investor: Investor, scheme: Scheme, mandate: Mandate, *, amount: int = 5_000, **other: int) -> Plan:
    """A SIP that the investor has confirmed; nothing is sent yet."""
    at = clock.now()
    wanted = {"start_day": 5, "instalments": 12} | other
    wish = plans.prepare(
        investor=investor, isin=scheme.isin, amount=Decimal(amount).quantize(Decimal("0.01")), mandate=mandate, at=at,
        **wanted,
    )  # fmt: skip
    consent = yes_to(wish, investor, at)
    return plans.confirm(investor=investor, code=consent.code, otp="", start_again=True, ip="127.0.0.1", at=at)


def send(plan: Plan) -> Plan:
    """FP has the SIP, and has said so."""
    plan_sending.submit(plan_id=plan.pk, at=clock.now())
    plan_sending.refresh(plan_id=plan.pk, at=clock.now())
    plan.refresh_from_db()
    return plan


def deliver() -> None:
    """Every message that waits to be sent is sent, or its row says what became of it."""
    for waiting in Delivery.objects.filter(state="WAITING").order_by("pk").values_list("pk", flat=True):
        writing.deliver(delivery_id=waiting, at=clock.now())


def day_of(plan: Plan, number: int = 1, *, hour: int = 11) -> datetime:
    """A moment on the day of an instalment, after FP has asked the bank."""
    on = plan_rules.step(plan.first_on, number - 1, plan.start_day)
    return datetime(on.year, on.month, on.day, hour, tzinfo=clock.IST)
