"""Approvals: a partner asks, the investor decides line by line, with the operations that every investor uses.

    ask        the lines are checked against today's rules and stand open until they expire; the investor is told
    remind     the investor is told again
    withdraw   nothing more of it can be taken up
    to_cart    purchases stand in the investor's cart, where one code confirms them
    confirm    a sale, a SIP, a mandate, a bank account: the consent is asked for, its code is on the way
    basket     the form from which the investor opens the basket's order, which the broker has confirmed
    stop       a skip or the end of a SIP, which take no code
    decline    the investor does not want a line

Nothing of it is taken up for a firm that no longer serves the investor or was stopped: what stood open has ended then
(`approval_ends.py`), and what was asked in the same moment is refused. Locks: the investor, the request, its lines.

What became of a line is read from the order, SIP or change that it led to (`queries/approvals.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors.models import Consent, Investor, Mandate
from investors.operations import bank_accounts, consents, mandates
from orders.models import Approval, ApprovalLine, Scheme
from orders.operations import carts, new_houses, plan_changes, plans, redemptions
from orders.operations.approval_checks import Ask, checked, needed, new_account, refuse_twins
from orders.queries import approvals as queries
from orders.redemption_rules import Asked
from portal import arns, audit, identifiers
from portal.errors import Failure, InvalidInput
from portal.models import Partner, User
from portal.notices import writing
from portal.scope import ALL, scope

MOST_LINES = 10
LIFE = timedelta(hours=72)
MOST_REMINDERS = 3
Kind = ApprovalLine.Kind
# What a partner whose ARN has ended does not bring (`portal/arns.py`). Shares are no business of AMFI's.
NEW_BUSINESS = frozenset({Kind.PURCHASE, Kind.SIP})


class ApprovalOver(Failure):
    """It has expired, was withdrawn, has ended, or every line is decided."""

    code = "approval_over"
    message = "This can no longer be approved or changed. Nothing was done."


class NoLongerServed(Failure):
    """The firm that asked no longer looks after the investor, or no longer works with us."""

    code = "no_longer_served"
    message = "The firm that asked for this no longer looks after you, or no longer works with us. Nothing was done."


class TooManyAsked(Failure):
    """The investor was asked often enough within a day (`APPROVALS_A_DAY`)."""

    code = "too_many_approvals"
    message = "This investor was asked often enough for a day."


class TooManyReminders(Failure):
    """The investor was told often enough."""

    code = "too_many_reminders"
    message = "The investor was reminded three times. Please call them."


def ask(
    *,
    partner: Partner,
    investor: Investor,
    asks: Sequence[Ask],
    reason: str,
    reference: str,
    life: timedelta,
    actor: User | str,
    at: datetime,
) -> queries.Asked:
    """Each line can be done today, stands open, and the investor is told.

    Raises InvalidInput("lines.<n>.<field>", ...) or, for a line as a whole, InvalidInput("lines.<n>", ...),
    InvalidInput("investor") for one who has just left the firm, TooManyAsked, and ArnEnded where one is new business.
    """
    if NEW_BUSINESS & {each.kind for each in asks}:
        arns.refuse_ended(partner, at.date())
    lines = [checked(investor, number, each, at) for number, each in enumerate(asks)]
    refuse_twins(lines)
    # Whoever has begun a transaction takes it back as a whole when this raises: no savepoint.
    with transaction.atomic(savepoint=False):
        _refuse_too_many(investor, at)
        approval = _put_down(
            investor=investor, partner=partner, asked_by=partner.name, asked_by_arn=partner.arn, reason=reason,
            reference=reference, created_at=at, expires_at=at + life, due_at=at + life, times_told=1,
        )  # fmt: skip
        for line in lines:
            line.approval = approval
        ApprovalLine.objects.bulk_create(lines)
        audit.record(approval, "approval.asked", actor=actor, at=at, reason=reason, lines=len(lines))
        with scope(ALL):
            _tell(approval, partner, investor.user_id, len(lines), at)
    return queries.Asked(approval, lines)


def _put_down(**columns: Any) -> Approval:
    """The database looks whether the firm serves the investor, and lets nobody leave until this is there."""
    try:
        return Approval.objects.create(**columns)
    except IntegrityError as error:
        if "no longer serves" not in str(error):
            raise
        raise InvalidInput("investor", "There is no such investor of yours.") from None


_ASKED_LATELY = """
    SELECT created_at FROM orders_approval WHERE investor_id = %s AND created_at > %s ORDER BY created_at DESC LIMIT %s
"""


def _refuse_too_many(investor: Investor, at: datetime) -> None:
    """One at a time, so that two calls cannot both be the last that is allowed. Raises TooManyAsked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(729, %s)", [investor.pk])
        most = settings.APPROVALS_A_DAY
        # Looked up behind the lock: a statement sees what was there when it began.
        cursor.execute(_ASKED_LATELY, [investor.pk, at - timedelta(days=1), most])
        times = [row[0] for row in cursor.fetchall()]
    if len(times) >= most:
        again = times[-1] + timedelta(days=1)
        raise TooManyAsked(
            f"This investor was asked {most} times within a day, which is the most. You can ask again after "
            f"{again.astimezone(at.tzinfo):%-d %b %Y, %H:%M}."
        )


def remind(*, approval: Approval, actor: User | str, at: datetime) -> None:
    """The investor is told again.

    Raises ApprovalOver, TooManyReminders, and ArnEnded where nothing but new business was asked for.
    """
    if NEW_BUSINESS.issuperset(approval.lines.values_list("kind", flat=True)):
        arns.refuse_ended(approval.partner, at.date())
    with transaction.atomic():
        approval = _open(approval, at)
        if approval.times_told > MOST_REMINDERS:
            raise TooManyReminders
        approval.times_told += 1
        Approval.objects.filter(pk=approval.pk).update(reminded_at=at, times_told=approval.times_told)
        audit.record(approval, "approval.reminded", actor=actor, at=at)
        partner, count = approval.partner, approval.lines.count()
        with scope(ALL):
            user_id = Investor.objects.values_list("user_id", flat=True).get(pk=approval.investor_id)
            _tell(approval, partner, user_id, count, at)


def withdraw(*, approval: Approval, actor: User | str, at: datetime) -> None:
    """Nothing more of it can be taken up; what was approved, or stands in a cart already, stays the investor's own.

    Raises ApprovalOver.
    """
    with transaction.atomic():
        approval = _open(approval, at)
        Approval.objects.filter(pk=approval.pk).update(withdrawn_at=at)
        audit.record(approval, "approval.withdrawn", actor=actor, at=at)


def _tell(approval: Approval, partner: Partner, user_id: int, count: int, at: datetime) -> None:
    """Called where logins are seen: a partner's connection sees none, and writes no notices of theirs."""
    writing.tell(
        user_id=user_id,
        event="approval.asked",
        subject=approval,
        about=str(approval.times_told),
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
    """The request as it stands now, locked. Raises ApprovalOver."""
    found = Approval.objects.select_for_update().get(pk=approval.pk)
    if not queries.is_open(found, at):
        raise ApprovalOver
    return found


# --- the investor's answer ----------------------------------------------------------------------------------------


def to_cart(*, approval: Approval, numbers: Sequence[int], at: datetime) -> list[ApprovalLine]:
    """The purchases stand in the investor's cart.

    Raises ApprovalOver, NoLongerServed, ArnEnded, what `carts.add` raises; then none does.
    """
    arns.refuse_what_it_asked(approval.partner_id, at.date())
    with transaction.atomic():
        lines = _undecided(approval, numbers, at, Kind.PURCHASE)
        for line in lines:
            scheme = _scheme(line)
            line.cart_line = carts.add(
                investor=approval.investor, isin=scheme.isin, amount=needed(line.amount, "amount"),
                folio=line.folio_number, at=at,
            )  # fmt: skip
            line.save(update_fields=["cart_line"])
            # The same fund of another request made room, so its order is no answer to that one.
            ApprovalLine.objects.filter(cart_line=line.cart_line).exclude(pk=line.pk).update(cart_line=None)
        audit.record(approval, "approval.taken_to_cart", actor=_by(approval), at=at, lines=[x.number for x in lines])
    return lines


def confirm(*, approval: Approval, number: int, ip: str | None, at: datetime) -> Consent:
    """The consent for what takes a code of its own stands open, its code on the way. Raises what its operation raises.

    Of a new bank account the branch is looked up here, and of a SIP in a fund house without a folio the registries are
    asked first, so no transaction may be open.
    """
    [line] = _undecided(approval, [number], at, *_CONSENTS)
    if line.kind in NEW_BUSINESS:
        arns.refuse_what_it_asked(approval.partner_id, at.date())
    consent = _CONSENTS[Kind(line.kind)](approval.investor, line, _form_of(line), ip, at)
    _bind(approval, line, consent, at)
    return consent


def _bind(approval: Approval, line: ApprovalLine, consent: Consent, at: datetime) -> None:
    """The line has its consent. Raises ApprovalOver, NoLongerServed where it was taken back while that was asked for:
    its code is worth nothing then."""
    try:
        with transaction.atomic():
            _to_decide(approval, at)
            ApprovalLine.objects.filter(pk=line.pk).update(consent=consent)
    except (ApprovalOver, NoLongerServed):
        consents.close(keys=[consent.pk], actor=_by(approval), at=at)
        raise


def _sale(investor: Investor, line: ApprovalLine, form_ref: str, ip: str | None, at: datetime) -> Consent:
    asked = Asked(line.amount, line.units, line.is_all)
    wish = redemptions.prepare(
        investor=investor, isin=_scheme(line).isin, folio_number=line.folio_number, asked=asked, at=at
    )
    return redemptions.ask(wish=wish, investor=investor, form_ref=form_ref, ip=ip, at=at)


def _sip(investor: Investor, line: ApprovalLine, form_ref: str, ip: str | None, at: datetime) -> Consent:
    new_houses.ask_registries(investor=investor, isins=[_scheme(line).isin], at=at)
    mandate = Mandate.objects.filter(investor=investor, pk=line.mandate_id or 0).first()
    wish = plans.prepare(
        investor=investor, isin=_scheme(line).isin, amount=needed(line.amount, "amount"), mandate=mandate, at=at,
        start_day=line.start_day or 0, instalments=line.instalments or 0,
    )  # fmt: skip
    return plans.ask(wish=wish, investor=investor, form_ref=form_ref, ip=ip, at=at)


def _mandate(investor: Investor, line: ApprovalLine, form_ref: str, ip: str | None, at: datetime) -> Consent:
    if line.bank_account is None:
        raise ApprovalOver
    kind, limit = Mandate.Kind.E_MANDATE, needed(line.amount, "limit")
    wish = mandates.prepare(investor=investor, bank_account=line.bank_account, kind=kind, limit=limit, at=at)
    return mandates.ask(wish=wish, investor=investor, form_ref=form_ref, ip=ip, at=at)


def _bank_account(investor: Investor, line: ApprovalLine, form_ref: str, ip: str | None, at: datetime) -> Consent:
    new = new_account(line)
    if new is None:
        raise ApprovalOver
    return bank_accounts.ask_to_add(
        investor=investor, ifsc=new.ifsc, number=new.number, kind=new.kind, holder_name=new.holder_name,
        form_ref=form_ref, ip=ip, at=at,
    )  # fmt: skip


# What takes a one-time code of its own. Purchases share one in the cart; a basket is confirmed at its broker.
_CONSENTS = {
    Kind.REDEMPTION: _sale,
    Kind.SIP: _sip,
    Kind.MANDATE: _mandate,
    Kind.BANK_ACCOUNT: _bank_account,
}


def _form_of(line: ApprovalLine) -> str:
    """The form of the line's consent: a new one once five codes did not match, as for everybody who starts again."""
    consent = line.consent
    if consent and consent.given_at is None and consent.tries >= Consent.MAX_TRIES:
        line.form_ref = identifiers.new_client_ref()
        line.save(update_fields=["form_ref"])
    return line.form_ref


def basket(*, approval: Approval, number: int, at: datetime) -> ApprovalLine:
    """The line whose order the investor may open now, under its own form. Raises ApprovalOver, NoLongerServed."""
    [line] = _undecided(approval, [number], at, Kind.BASKET)
    return line


def stop(*, approval: Approval, number: int, at: datetime) -> None:
    """The skip or the end of the SIP is asked for. Raises ApprovalOver, NoLongerServed, NotPossible."""
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
    """The investor does not want these lines, and none stands in the cart. Raises ApprovalOver, NoLongerServed."""
    with transaction.atomic():
        lines = _undecided(approval, numbers, at)
        for line in lines:
            if line.cart_line_id:
                carts.remove(investor=approval.investor, line_id=line.cart_line_id)
        ApprovalLine.objects.filter(pk__in=[line.pk for line in lines]).update(declined_at=at)
        audit.record(approval, "approval.declined", actor=_by(approval), at=at, lines=[line.number for line in lines])


def _undecided(approval: Approval, numbers: Sequence[int], at: datetime, *kinds: str) -> list[ApprovalLine]:
    """The lines of these numbers, locked, none of which is decided. Raises ApprovalOver, NoLongerServed."""
    with transaction.atomic():
        approval = _to_decide(approval, at)
        found = list(
            ApprovalLine.objects.select_for_update(of=("self",))
            .filter(approval=approval, number__in=numbers)
            .select_related("scheme", "plan", "bank_account", "basket")
        )
    decided = {each.line.pk for each in queries.lines_of([approval], at) if each.state not in queries.UNDECIDED}
    wrong = [line for line in found if line.pk in decided or (kinds and line.kind not in kinds)]
    if wrong or not found or len(found) != len(set(numbers)):
        raise ApprovalOver
    return found


def _to_decide(approval: Approval, at: datetime) -> Approval:
    """The request, locked with its investor, so that nobody leaves meanwhile. Raises ApprovalOver, NoLongerServed."""
    served = Investor.objects.select_for_update(of=("self",), no_key=True).filter(
        pk=approval.investor_id, partner=approval.partner_id, partner__is_active=True
    )
    with scope(ALL):  # an investor's connection does not see every firm
        if not served.values_list("pk", flat=True):
            raise NoLongerServed
    return _open(approval, at)


def _scheme(line: ApprovalLine) -> Scheme:
    if line.scheme is None:
        raise ValueError(f"line {line.pk} names no scheme")
    return line.scheme


def _by(approval: Approval) -> str:
    return f"user:{approval.investor.user_id}"
