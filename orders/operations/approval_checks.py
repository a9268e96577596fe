"""What a partner may ask for today: each line against the rules that hold for every investor, before anybody is told.

Nothing here speaks to a provider: the branch of a new bank account is looked up when the investor takes the line up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from investors import bank_rules, merged_banks, rules
from investors import lifecycle as people_lifecycle
from investors import queries as people
from investors.models import ACCOUNT_INDEX, BankAccount, Investor, Mandate
from investors.operations import mandates
from orders.models import ApprovalLine, MfOrder, Plan
from orders.operations import baskets, plan_changes, plans, purchases, redemptions
from orders.queries import baskets as basket_queries
from orders.queries import plans as plan_queries
from orders.redemption_rules import Asked
from portal import identifiers, money
from portal.encryption import blind_indexes
from portal.errors import Failure, InvalidInput

Kind = ApprovalLine.Kind


@dataclass(frozen=True)
class NewAccount:
    """A bank account that a partner asks an investor to add."""

    ifsc: str
    number: str
    kind: str
    holder_name: str


@dataclass(frozen=True)
class Ask:
    """One line that a partner asks for. Which members count depends on the kind (`ApprovalLine`)."""

    kind: str
    isin: str = ""
    folio: str = ""
    amount: Decimal | None = None
    units: Decimal | None = None
    is_all: bool = False
    start_day: int | None = None
    instalments: int | None = None
    mandate: str = ""
    sip: str = ""
    on: date | None = None
    bank_account: str = ""
    account: NewAccount | None = None
    basket: str = ""


def checked(investor: Investor, number: int, ask: Ask, at: datetime) -> ApprovalLine:
    """The line, which can be done today. Raises InvalidInput("lines.<n>.<field>") or, as a whole, ("lines.<n>")."""
    try:
        line = _CHECKS[Kind(ask.kind)](investor, ask, at)
    except InvalidInput as refusal:
        raise InvalidInput(f"lines.{number}.{refusal.field}", refusal.message) from refusal
    except Failure as refusal:
        raise InvalidInput(f"lines.{number}", refusal.message) from refusal
    line.investor, line.number, line.kind = investor, number, ask.kind
    line.form_ref = identifiers.new_client_ref()
    return line


def refuse_twins(lines: Sequence[ApprovalLine]) -> None:
    """Two purchases that would share a line of the cart: one order would answer both. Raises InvalidInput."""
    seen: dict[int | None, set[str]] = {}
    for line in lines:
        if line.kind != Kind.PURCHASE:
            continue
        folios = seen.setdefault(line.scheme_id, set())
        if folios and (line.folio_number in folios | {""} or "" in folios):
            message = "Another line buys the same fund. Put the amounts together, or name another folio in each."
            raise InvalidInput(f"lines.{line.number}.scheme", message)
        folios.add(line.folio_number)


def _purchase(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    account = people.usual_account(investor)
    if account is None:
        raise purchases.NotReady
    amount = needed(ask.amount, "amount")
    wish = purchases.prepare(
        investor=investor, isin=ask.isin, amount=amount, bank_account=account,
        payment_method=MfOrder.PaymentMethod.NETBANKING, folio=ask.folio, at=at,
    )  # fmt: skip
    return ApprovalLine(scheme=wish.scheme, amount=amount, folio_number=ask.folio)


def _redemption(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    asked = Asked(ask.amount, ask.units, ask.is_all)
    if [ask.amount is not None, ask.units is not None, ask.is_all].count(True) != 1:
        raise InvalidInput("amount", "Name exactly one: amount, units, or all.")
    wish = redemptions.prepare(investor=investor, isin=ask.isin, folio_number=ask.folio, asked=asked, at=at)
    return ApprovalLine(
        scheme=wish.scheme, folio_number=ask.folio, amount=ask.amount, units=ask.units, is_all=ask.is_all
    )


def _sip(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    mandate = plan_queries.usable_mandates(investor).filter(code=ask.mandate).first()
    amount, day, instalments = needed(ask.amount, "amount"), ask.start_day or 0, ask.instalments or 0
    wish = plans.prepare(
        investor=investor, isin=ask.isin, amount=amount, start_day=day, instalments=instalments, mandate=mandate, at=at
    )
    return ApprovalLine(scheme=wish.scheme, amount=amount, start_day=day, instalments=instalments, mandate=wish.mandate)


def _skip(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    plan = _plan(investor, ask.sip)
    on, why_not = plan_changes.to_skip(plan, at)
    if why_not or on != ask.on:
        raise InvalidInput("on", why_not or f"The next instalment is that of {on}.")
    return ApprovalLine(plan=plan, on=on)


def _cancel(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    plan = _plan(investor, ask.sip)
    if not plan_changes.may_cancel(plan):
        raise InvalidInput("sip", "This SIP has ended, or is being ended already.")
    return ApprovalLine(plan=plan)


def _mandate(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    account = people.bank_accounts_of(investor).filter(code=ask.bank_account).first()
    if account is None:
        raise InvalidInput("bank_account", "There is no such bank account of this investor.")
    limit = needed(ask.amount, "limit")
    mandates.prepare(investor=investor, bank_account=account, kind=Mandate.Kind.E_MANDATE, limit=limit, at=at)
    return ApprovalLine(bank_account=account, amount=limit)


def _bank_account(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    """Today's rules about the account; whether its branch exists is asked when the investor takes it up."""
    if investor.state != people_lifecycle.READY:
        raise purchases.NotReady
    if ask.account is None:
        raise InvalidInput("number", "This is needed here.")
    new = NewAccount(
        ifsc=_ruled("ifsc", identifiers.clean_ifsc, ask.account.ifsc),
        number=_ruled("number", rules.clean_account_number, ask.account.number),
        kind=ask.account.kind,
        holder_name=_ruled("holder_name", rules.clean_name, ask.account.holder_name),
    )
    if (merged := merged_banks.of(new.ifsc)) is not None:
        raise InvalidInput("ifsc", merged.words)
    _ruled("kind", lambda kind: bank_rules.check_kind(investor, kind), new.kind)
    _ruled("holder_name", lambda name: bank_rules.check_own_name(investor, name), new.holder_name)
    indexes = blind_indexes(new.number, ACCOUNT_INDEX)
    same = BankAccount.objects.filter(investor=investor, number_index__in=indexes, ifsc=new.ifsc, closed_at=None)
    if same.exists():
        raise InvalidInput("number", "This account is registered already.")
    return ApprovalLine(account=json.dumps(asdict(new)), last_four=new.number[-4:])


def new_account(line: ApprovalLine) -> NewAccount | None:
    """The account that a line asks for; None once it was erased."""
    return NewAccount(**json.loads(line.account)) if line.account else None


def _ruled(field: str, rule: Callable[[str], object], value: str) -> str:
    try:
        return str(rule(value) or value)
    except ValueError as error:
        raise InvalidInput(field, str(error)) from None


def _basket(investor: Investor, ask: Ask, at: datetime) -> ApprovalLine:
    if investor.state != people_lifecycle.READY:
        raise purchases.NotReady
    shown = basket_queries.one(ask.basket)
    if shown is None:
        raise InvalidInput("basket", "There is no such basket on offer.")
    amount = needed(ask.amount, "amount")
    if amount != amount.to_integral_value():
        raise InvalidInput("amount", "Whole rupees: shares are bought for them.")
    baskets.lines_to_buy(shown=shown, amount=amount)
    if basket_queries.open_order(investor=investor, basket=shown.basket):
        raise baskets.AlreadyUnderWay
    return ApprovalLine(basket=shown.basket, amount=amount)


_CHECKS = {
    Kind.PURCHASE: _purchase,
    Kind.REDEMPTION: _redemption,
    Kind.SIP: _sip,
    Kind.SIP_SKIP: _skip,
    Kind.SIP_CANCEL: _cancel,
    Kind.MANDATE: _mandate,
    Kind.BANK_ACCOUNT: _bank_account,
    Kind.BASKET: _basket,
}


def _plan(investor: Investor, code: str) -> Plan:
    plan = Plan.objects.filter(investor=investor, code=code).first()
    if plan is None:
        raise InvalidInput("sip", "There is no such SIP of this investor.")
    return plan


def needed(amount: Decimal | None, name: str) -> Decimal:
    """Rupees that must be there. Raises InvalidInput."""
    if amount is None or amount <= money.ZERO:
        raise InvalidInput(name, "Rupees above zero.")
    return amount
