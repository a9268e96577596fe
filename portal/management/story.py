"""The demo's story, told through the same operations as a click: people get ready, buy, pay, and hold units.

Everything here is safe to repeat: each part looks first whether it has happened.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from investors import declarations, queries, steps
from investors.models import Consent, Investor, Invite, Mandate
from investors.operations import consents, invites, kyc, mandates, onboarding
from orders import calendar, lifecycle, plan_rules
from orders.models import MfOrder, Plan, Scheme
from orders.operations import plans, purchases
from orders.queries import schemes as scheme_queries
from payments import lifecycle as payment_lifecycle
from payments.models import Payment
from portal import clock, identifiers, jobs, outbox
from portal.management import world
from portal.management.demo import Person
from portal.models import Partner, User

# A machine that does other things beside is slow, not stuck.
PATIENCE_S = 240.0
# Where FP opens investment accounts, for any of its customers.
ACCOUNTS = "*/investment_accounts"
PERSONAL: dict[str, Any] = {
    "gender": "FEMALE",
    "marital_status": "SINGLE",
    "occupation": "PRIVATE_SECTOR_SERVICE",
    "mobile_is_of": "SELF",
    "email_is_of": "SELF",
}
FATCA: dict[str, Any] = {
    "country_of_birth": "IN",
    "source_of_wealth": "SALARY",
    "gross_annual_income": 1_800_000,
    "tax_resident_only_in_india": True,
    "is_politically_exposed": False,
    "is_related_to_politically_exposed": False,
}


class StoryStuck(Exception):
    """Something that should have happened did not, within PATIENCE_S."""


def get_ready(user: User, *, pan: str, born_on: date, mobile: str, account: str) -> Investor:
    """The person is READY to invest, by the same steps as on the pages."""
    investor = apply(user, pan=pan, born_on=born_on, mobile=mobile, account=account)
    until(lambda: _fresh(investor).state == Investor.State.READY, f"{user} is registered")
    return _fresh(investor)


def apply(user: User, *, pan: str, born_on: date, mobile: str, account: str) -> Investor:
    """The person has filled in every step and confirmed; what FP makes of it is another matter."""
    investor = _begin(user, pan)
    if investor.state == Investor.State.READY:
        return investor
    values: dict[str, dict[str, Any]] = {
        steps.PERSONAL: {**PERSONAL, "name": user.get_full_name(), "date_of_birth": born_on, "mobile": mobile},
        steps.FATCA: FATCA,
        steps.ADDRESS: {
            "CORRESPONDENCE": {"line1": "12 Residency Road", "line2": "Ashok Nagar", "line3": "", "pincode": "560025"}
        },
        steps.NOMINEES: {"opted_out": True, "nominees": []},
        steps.BANK: {"holder_name": user.get_full_name(), "number": account, "kind": "SAVINGS", "ifsc": "HDFC0000001"},
    }
    for slug, given in values.items():
        if queries.may_change(investor, slug):
            investor = onboarding.save_step(investor=investor, slug=slug, values=given, actor=user, at=clock.now())
    _confirm(investor, user)
    return _fresh(investor)


def ask_kyc(user: User, *, pan: str) -> Investor:
    """The person has asked the registries about the PAN, and has come no further."""
    return _begin(user, pan)


def invite(person: Person, *, by: User) -> Invite | None:
    """The person has been written to, with what is known already; None when that was done before."""
    if Invite.objects.filter(email=person.email).exists():
        return None
    return invites.invite(
        email=person.email,
        name=person.name,
        filled={
            "personal": {"name": person.name, "occupation": "DOCTOR"},
            **({"pan": {"pan": person.pan}} if person.pan else {}),
        },
        partner=Partner.objects.get(code=person.partner),
        euin="E123456",
        basis="Asked for it when we met on Monday",
        actor=by,
        at=clock.now(),
    )


def accept_invite(user: User) -> Investor:
    """The person has followed the link and said yes."""
    row = Invite.objects.get(email=user.email, used_at=None)
    return invites.accept(
        secret_hash=row.secret_hash, user=user, agreed="They may see what I hold.", ip="127.0.0.1", at=clock.now()
    )


def stopped(user: User, *, pan: str) -> Investor:
    """The person is known to FP, and FP refuses the investment account: nobody but our team can put that right.

    The mobile number is Asha's, so that the desk has somebody to compare.
    """
    refusal = {"provider": "fp", "match": {"method": "POST", "path": ACCOUNTS}, "when": "before", "mode": "status:409"}
    world.control("/faults", {**refusal, "times": 1, "delay_s": 0})
    investor = apply(user, pan=pan, born_on=date(1988, 2, 29), mobile="9845012345", account="50100098761121")
    until(lambda: bool(_fresh(investor).refusal), f"the registration of {user} has stopped")
    return _fresh(investor)


def _begin(user: User, pan: str) -> Investor:
    investor = onboarding.begin(user=user, at=clock.now())
    if queries.latest_kyc(investor) is None:
        kyc.check(investor=investor, pan=pan, actor=user, at=clock.now())
    return _fresh(investor)


def _confirm(investor: Investor, user: User) -> None:
    texts = declarations.declarations(
        opted_out=True, legal_name=str(settings.BRAND["legal_name"]), arn=str(settings.BRAND["arn"])
    )
    agreed = {each.slug for each in texts}
    onboarding.confirm(investor=investor, agreed=agreed, texts=texts, ip="127.0.0.1", actor=user, at=clock.now())


def _fresh(investor: Investor) -> Investor:
    return Investor.objects.select_related("user").get(pk=investor.pk)


def buy(investor: Investor, isin: str, amount: int) -> MfOrder:
    """An order that the investor has confirmed with the code from the mail, and that waits for its payment."""
    at = clock.now()
    bank_account = queries.primary_bank_account(investor)
    if bank_account is None:
        raise StoryStuck(f"{investor} has no bank account")
    wish = purchases.prepare(
        investor=investor, isin=isin, amount=Decimal(amount), bank_account=bank_account, payment_method="UPI", at=at
    )
    consent = consents.ask(
        investor=investor,
        purpose=Consent.Purpose.PURCHASE,
        form_ref=identifiers.new_client_ref(),
        shown=purchases.to_confirm(wish, investor),
        amount=wish.amount,
        isin=isin,
        folio_number=wish.facts.folio_number,
        ip="127.0.0.1",
        at=at,
    )
    code = _code_from_the_mail(investor)
    order = purchases.confirm(
        investor=investor, code=consent.code, otp=code, buy_again=True, ip="127.0.0.1", at=clock.now()
    )
    until(lambda: _payment(order) is not None, f"{order} can be paid")
    return order


def give_mandate(investor: Investor, limit: int) -> Mandate:
    """A mandate on the primary account that the investor has confirmed and the bank has approved."""
    bank_account, at = queries.primary_bank_account(investor), clock.now()
    if bank_account is None:
        raise StoryStuck(f"{investor} has no bank account")
    wish = mandates.prepare(
        investor=investor, bank_account=bank_account, kind=Mandate.Kind.E_MANDATE, limit=Decimal(limit), at=at
    )
    form_ref = identifiers.new_client_ref()
    consent = mandates.ask(wish=wish, investor=investor, form_ref=form_ref, ip="127.0.0.1", at=at)
    otp = _code_from_the_mail(investor)
    made = mandates.confirm(investor=investor, code=consent.code, otp=otp, ip="127.0.0.1", at=clock.now())
    until(lambda: _fresh_mandate(made).provider_ref is not None, f"{made} is known to FP")
    world.approve_mandate(_fresh_mandate(made).provider_ref or "")
    until(lambda: _fresh_mandate(made).state == Mandate.State.APPROVED, f"{made} is approved")
    return _fresh_mandate(made)


def _fresh_mandate(mandate: Mandate) -> Mandate:
    return Mandate.objects.select_related("bank_account").get(pk=mandate.pk)


def start_sip(investor: Investor, isin: str, amount: int, mandate: Mandate) -> Plan:
    """A SIP of five years that the investor has confirmed with the code from the mail, and that runs.

    It begins on the day that comes last, so that its first debit is not near.
    """
    at = clock.now()
    days = plans.terms_of(Scheme.objects.get(isin=isin)).days
    day = max(days, key=lambda each: plan_rules.after(clock.today(), each))
    wish = plans.prepare(
        investor=investor, isin=isin, amount=Decimal(amount), start_day=day, instalments=60, mandate=mandate, at=at
    )
    form_ref = identifiers.new_client_ref()
    consent = plans.ask(wish=wish, investor=investor, form_ref=form_ref, ip="127.0.0.1", at=at)
    otp = _code_from_the_mail(investor)
    plan = plans.confirm(
        investor=investor, code=consent.code, otp=otp, start_again=False, ip="127.0.0.1", at=clock.now()
    )
    until(lambda: Plan.objects.get(pk=plan.pk).state == lifecycle.ACTIVE, f"{plan} runs")
    return plan


def _code_from_the_mail(investor: Investor) -> str:
    mails = outbox.mails(to=investor.user.email, limit=1)
    found = re.search(r"\b\d{6}\b", mails[0].text) if mails else None
    if not found:
        raise StoryStuck(f"no code in the outbox for {investor.user.email}")
    return found[0]


def _payment(order: MfOrder) -> Payment | None:
    waiting = Payment.objects.filter(lines__order=order, state=payment_lifecycle.AWAITING_INVESTOR)
    return waiting.filter(provider_ref__isnull=False).first()


def pay_and_allot(order: MfOrder) -> None:
    """The person pays at the bank page, days pass until the fund house allots, and we have heard of it."""
    payment = _payment(order)
    if payment and payment.provider_ref:
        world.pay(payment.provider_ref)

    def is_allotted() -> bool:
        world.move({"advance": "PT6H"})
        return MfOrder.objects.get(pk=order.pk).state == lifecycle.ALLOTTED

    until(is_allotted, f"{order} is allotted")


def until(condition: Callable[[], bool], what: str) -> None:
    """Settle what is due again and again until the condition holds. Raises StoryStuck."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise StoryStuck(f"waited {PATIENCE_S:.0f} s, and it is still not true that {what}")
        # What would be looked at again in a while is looked at now.
        at = clock.now()
        for model in (Investor, Mandate, MfOrder, Plan, Payment):
            model._default_manager.filter(due_at__gt=at).update(due_at=at)
        jobs.recover(at)
        time.sleep(0.1)


def on_business_morning(days_ago: int) -> datetime:
    """11:00 on the business day that many days ago, or on the one before."""
    day = (datetime.now(tz=clock.IST) - timedelta(days=days_ago - 1)).date()
    day = calendar.previous_business_day(day, scheme_queries.holidays())
    return datetime(day.year, day.month, day.day, 11, tzinfo=clock.IST)


def a_fund(category: str, *, not_of: tuple[int, ...] = ()) -> Scheme:
    """A growth option of a regular plan in the category that can be bought here, from another fund house than those."""
    funds = Scheme.objects.filter(
        category=category,
        plan=Scheme.Plan.REGULAR,
        option=Scheme.Option.GROWTH,
        purchase_allowed=True,
        nav__isnull=False,
    ).exclude(fund_house_id__in=not_of)
    today, cheapest_last = clock.today(), funds.order_by("-min_first", "name")[:200]
    wanted = [fund for fund in cheapest_last if not scheme_queries.why_not_for_sale(fund, today)]
    cheap = [fund for fund in wanted if fund.min_first is not None and fund.min_first <= 5_000 and fund.amfi_code]
    if not cheap:
        raise StoryStuck(f"no {category} can be bought in this sandbox")
    return cheap[0]
