"""Approvals: a partner asks, the investor decides line by line, with the operations that every investor uses.

    ask        the lines are checked against today's rules and stand open until they expire; the investor is told
    remind     the investor is told again
    withdraw   nothing more of it can be taken up
    to_cart    purchases stand in the investor's cart, where one code confirms them
    confirm    a sale or a SIP: the consent is asked for, its code is on the way
    stop       a skip or the end of a SIP, which take no code
    decline    the investor does not want a line

What became of a line is read from the order, SIP or change that it led to (`queries/approvals.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from investors import queries as people
from investors.models import Consent, Investor, Mandate
from orders.models import Approval, ApprovalLine, MfOrder, Plan, Scheme
from orders.operations import carts, new_houses, plan_changes, plans, purchases, redemptions
from orders.queries import approvals as queries
from orders.queries import plans as plan_queries
from orders.redemption_rules import Asked
from portal import audit, identifiers, money
from portal.errors import Failure, InvalidInput
from portal.models import Partner
from portal.notices import writing
from portal.scope import ALL, scope

MOST_LINES = 10
LIFE = timedelta(hours=72)
MOST_REMINDERS = 3
Kind = ApprovalLine.Kind


class ApprovalOver(Failure):
    """It has expired, was withdrawn, or every line is decided."""

    code = "approval_over"
    message = "This can no longer be approved or changed. Nothing was done."


class TooManyReminders(Failure):
    """The investor was told often enough."""

    code = "too_many_reminders"
    message = "The investor was reminded three times. Please call them."


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


def ask(
    *,
    partner: Partner,
    investor: Investor,
    asks: Sequence[Ask],
    reason: str,
    reference: str,
    life: timedelta,
    actor: str,
    at: datetime,
) -> Approval:
    """Each line can be done today, stands open, and the investor is told.

    Raises InvalidInput("lines.<n>.<field>", ...) or, for a line as a whole, InvalidInput("lines.<n>", ...).
    """
    lines = [_checked(investor, number, each, at) for number, each in enumerate(asks)]
    _refuse_twins(lines)
    with transaction.atomic():
        approval = Approval.objects.create(
            investor=investor, partner=partner, asked_by=partner.name, asked_by_arn=partner.arn, reason=reason,
            reference=reference, created_at=at, expires_at=at + life,
        )  # fmt: skip
        for line in lines:
            line.approval = approval
        ApprovalLine.objects.bulk_create(lines)
        audit.record(approval, "approval.asked", actor=actor, at=at, reason=reason, lines=len(lines))
        _tell(approval, partner, at)
    return approval


def remind(*, approval: Approval, actor: str, at: datetime) -> None:
    """The investor is told again. Raises ApprovalOver, TooManyReminders."""
    with transaction.atomic():
        approval = _open(approval, at)
        if approval.times_told > MOST_REMINDERS:
            raise TooManyReminders
        Approval.objects.filter(pk=approval.pk).update(reminded_at=at)
        audit.record(approval, "approval.reminded", actor=actor, at=at)
        _tell(approval, approval.partner, at)


def withdraw(*, approval: Approval, actor: str, at: datetime) -> None:
    """Nothing more of it can be taken up; what was approved, or stands in a cart already, stays the investor's own.

    Raises ApprovalOver.
    """
    with transaction.atomic():
        approval = _open(approval, at)
        Approval.objects.filter(pk=approval.pk).update(withdrawn_at=at)
        audit.record(approval, "approval.withdrawn", actor=actor, at=at)


def _tell(approval: Approval, partner: Partner, at: datetime) -> None:
    # A partner's connection sees no logins and writes no notices of theirs.
    with scope(ALL):
        told = approval.times_told + 1
        Approval.objects.filter(pk=approval.pk).update(times_told=told)
        approval.times_told = told
        count = approval.lines.count()
        writing.tell(
            user_id=Investor.objects.values_list("user_id", flat=True).get(pk=approval.investor_id),
            event="approval.asked",
            subject=approval,
            about=str(told),
            url=reverse("orders:approval", args=[approval.code]),
            at=at,
            facts=[
                ("Why", approval.reason),
                ("Until", f"{approval.expires_at.astimezone(at.tzinfo):%-d %b %Y, %H:%M}"),
            ],
            partner=partner.name,
            what=f"{count} request{'s' if count > 1 else ''}",
        )


def _open(approval: Approval, at: datetime) -> Approval:
    found = Approval.objects.select_for_update(of=("self",)).select_related("partner").get(pk=approval.pk)
    if not queries.is_open(found, at):
        raise ApprovalOver
    return found


# --- today's rules, before anybody is asked -----------------------------------------------------------------------


def _checked(investor: Investor, number: int, ask: Ask, at: datetime) -> ApprovalLine:
    try:
        line = _CHECKS[Kind(ask.kind)](investor, ask, at)
    except InvalidInput as refusal:
        raise InvalidInput(f"lines.{number}.{refusal.field}", refusal.message) from None
    except Failure as refusal:
        raise InvalidInput(f"lines.{number}", refusal.message) from None
    line.investor, line.number, line.kind = investor, number, ask.kind
    line.form_ref = identifiers.new_client_ref()
    return line


def _refuse_twins(lines: Sequence[ApprovalLine]) -> None:
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
    account = people.primary_bank_account(investor)
    if account is None:
        raise purchases.NotReady
    amount = _needed(ask.amount, "amount")
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
    amount, day, instalments = _needed(ask.amount, "amount"), ask.start_day or 0, ask.instalments or 0
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


_CHECKS = {
    Kind.PURCHASE: _purchase,
    Kind.REDEMPTION: _redemption,
    Kind.SIP: _sip,
    Kind.SIP_SKIP: _skip,
    Kind.SIP_CANCEL: _cancel,
}


def _plan(investor: Investor, code: str) -> Plan:
    plan = Plan.objects.filter(investor=investor, code=code).first()
    if plan is None:
        raise InvalidInput("sip", "There is no such SIP of this investor.")
    return plan


def _needed(amount: Decimal | None, name: str) -> Decimal:
    if amount is None or amount <= money.ZERO:
        raise InvalidInput(name, "Rupees above zero.")
    return amount


# --- the investor's answer ----------------------------------------------------------------------------------------


def to_cart(*, approval: Approval, numbers: Sequence[int], at: datetime) -> list[ApprovalLine]:
    """The purchases stand in the investor's cart. Raises ApprovalOver, what `carts.add` raises; then none does."""
    with transaction.atomic():
        lines = _undecided(approval, numbers, at, Kind.PURCHASE)
        for line in lines:
            scheme = _scheme(line)
            line.cart_line = carts.add(
                investor=approval.investor, isin=scheme.isin, amount=_needed(line.amount, "amount"),
                folio=line.folio_number, at=at,
            )  # fmt: skip
            line.save(update_fields=["cart_line"])
            # The same fund of another request made room, so its order is no answer to that one.
            ApprovalLine.objects.filter(cart_line=line.cart_line).exclude(pk=line.pk).update(cart_line=None)
        audit.record(approval, "approval.taken_to_cart", actor=_by(approval), at=at, lines=[x.number for x in lines])
    return lines


def confirm(*, approval: Approval, number: int, ip: str | None, at: datetime) -> Consent:
    """The consent for this sale or SIP stands open and its code is on the way. Raises what its operation raises.

    Of a SIP in a fund house without a folio the registries are asked first; no transaction may be open.
    """
    [line] = _undecided(approval, [number], at, Kind.REDEMPTION, Kind.SIP)
    investor, scheme, form_ref = approval.investor, _scheme(line), _form_of(line)
    if line.kind == Kind.REDEMPTION:
        sale = redemptions.prepare(
            investor=investor, isin=scheme.isin, folio_number=line.folio_number, at=at,
            asked=Asked(line.amount, line.units, line.is_all),
        )  # fmt: skip
        consent = redemptions.ask(wish=sale, investor=investor, form_ref=form_ref, ip=ip, at=at)
    else:
        new_houses.ask_registries(investor=investor, isins=[scheme.isin], at=at)
        mandate = Mandate.objects.filter(investor=investor, pk=line.mandate_id or 0).first()
        sip = plans.prepare(
            investor=investor, isin=scheme.isin, amount=_needed(line.amount, "amount"), start_day=line.start_day or 0,
            instalments=line.instalments or 0, mandate=mandate, at=at,
        )  # fmt: skip
        consent = plans.ask(wish=sip, investor=investor, form_ref=form_ref, ip=ip, at=at)
    ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    return consent


def _form_of(line: ApprovalLine) -> str:
    """The form of the line's consent: a new one once five codes did not match, as for everybody who starts again."""
    consent = line.consent
    if consent and consent.given_at is None and consent.tries >= Consent.MAX_TRIES:
        line.form_ref = identifiers.new_client_ref()
        line.save(update_fields=["form_ref"])
    return line.form_ref


def stop(*, approval: Approval, number: int, at: datetime) -> None:
    """The skip or the end of the SIP is asked for. Raises ApprovalOver, plan_changes.NotPossible."""
    with transaction.atomic():
        [line] = _undecided(approval, [number], at, Kind.SIP_SKIP, Kind.SIP_CANCEL)
        if line.plan is None:
            raise ApprovalOver
        if line.kind == Kind.SIP_SKIP and line.on:
            line.change = plan_changes.skip(plan=line.plan, on=line.on, at=at, actor=_by(approval))
        else:
            line.change = plan_changes.cancel(plan=line.plan, at=at, actor=_by(approval))
        line.save(update_fields=["change"])


def decline(*, approval: Approval, numbers: Sequence[int], at: datetime) -> None:
    """The investor does not want these lines, and none of them stands in the cart. Raises ApprovalOver."""
    with transaction.atomic():
        lines = _undecided(approval, numbers, at)
        for line in lines:
            if line.cart_line_id:
                carts.remove(investor=approval.investor, line_id=line.cart_line_id)
        ApprovalLine.objects.filter(pk__in=[line.pk for line in lines]).update(declined_at=at)
        audit.record(approval, "approval.declined", actor=_by(approval), at=at, lines=[line.number for line in lines])


def _undecided(approval: Approval, numbers: Sequence[int], at: datetime, *kinds: str) -> list[ApprovalLine]:
    """The lines of these numbers, locked, none of which is decided. Raises ApprovalOver."""
    if not queries.is_open(approval, at):
        raise ApprovalOver
    with transaction.atomic():
        found = list(
            ApprovalLine.objects.select_for_update(of=("self",))
            .filter(approval=approval, number__in=numbers)
            .select_related("scheme", "plan")
        )
    decided = {each.line.pk for each in queries.lines_of([approval], at) if each.state not in queries.UNDECIDED}
    wrong = [line for line in found if line.pk in decided or (kinds and line.kind not in kinds)]
    if wrong or not found or len(found) != len(set(numbers)):
        raise ApprovalOver
    return found


def _scheme(line: ApprovalLine) -> Scheme:
    if line.scheme is None:
        raise ValueError(f"line {line.pk} names no scheme")
    return line.scheme


def _by(approval: Approval) -> str:
    return f"user:{approval.investor.user_id}"
