"""Bank accounts after activation: add one, make another one the main one, close one, each with a one-time code; and
what proves that an account is the investor's own: a payment from it, a mandate on it, its cancelled cheque.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction

from investors import bank_rules, gateway, lifecycle
from investors.models import ACCOUNT_INDEX, BankAccount, ChangeRequest, Consent, Document, Investor, Mandate
from investors.operations import changes, consents, documents
from portal import audit
from portal.encryption import blind_indexes
from portal.errors import Failure, InvalidInput
from portal.files import quarantine
from portal.models import User

What = ChangeRequest.What
CLOSE = "close"
DEBITS = (lifecycle.CREATED, lifecycle.AWAITING_INVESTOR, lifecycle.SUBMITTED, lifecycle.APPROVED)


class NotPossible(Failure):
    """The account takes no such step now."""

    code = "bank_account_not_possible"
    message = "This account cannot be changed like that. Nothing was changed."


def ask_to_add(
    *,
    investor: Investor,
    ifsc: str,
    number: str,
    kind: str,
    holder_name: str,
    form_ref: str,
    ip: str | None,
    at: datetime,
) -> Consent:
    """The new account is asked for and the code is on the way.

    Raises InvalidInput at the field it belongs to, gateway.LookUpDown, and what `changes.ask` raises.
    """
    _rule("kind", bank_rules.check_kind, investor, kind)
    _rule("holder_name", bank_rules.check_own_name, investor, holder_name)
    indexes = blind_indexes(number, ACCOUNT_INDEX)
    same = BankAccount.objects.filter(investor=investor, number_index__in=indexes, ifsc=ifsc, closed_at=None)
    if same.exists():
        raise InvalidInput("number", "This account is registered already.")
    branch = gateway.find_branch(ifsc)
    after = {
        "ifsc": ifsc,
        "number": number,
        "kind": kind,
        "holder_name": holder_name,
        "bank_name": branch.bank,
        "branch_name": branch.branch,
    }
    shown = {
        "New account": f"{branch.bank} ending {number[-4:]}",
        "Branch": f"{branch.branch}, IFSC {ifsc}",
        "Type": str(BankAccount.Kind(kind).label),
        "Held by": holder_name,
        # Binds the code to the whole number, which stands nowhere in clear.
        "number": indexes[0],
    }
    return changes.ask(
        investor=investor, what=What.BANK_ACCOUNT, form_ref=form_ref, before={}, after=after, shown=shown, ip=ip, at=at
    )


def _rule(field: str, check: object, investor: Investor, value: str) -> None:
    try:
        check(investor, value)  # type: ignore[operator]
    except ValueError as error:
        raise InvalidInput(field, str(error)) from None


def ask_to_make_primary(*, account: BankAccount, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The change of the main account is asked for, its code on the way. Raises NotPossible and `changes.ask`'s."""
    if account.is_primary or account.closed_at or not account.provider_ref:
        raise NotPossible
    now = BankAccount.objects.filter(investor=account.investor_id, is_primary=True).first()
    shown = {
        "Main account from then on": str(account),
        "Main account now": str(now) if now else "none",
        "What it changes": "Redemptions are paid into it, and it is proposed for purchases.",
        "account": account.code,
    }
    before = {"code": now.code, "name": str(now)} if now else {"code": ""}
    after = {"code": account.code, "name": str(account), "provider_ref": account.provider_ref}
    return changes.ask(
        investor=account.investor, what=What.PRIMARY_BANK, form_ref=form_ref, before=before, after=after, shown=shown,
        ip=ip, at=at,
    )  # fmt: skip


# --- closing --------------------------------------------------------------------------------------------------


def why_not_close(account: BankAccount) -> str:
    """Why this account must stay; empty when it may be closed."""
    if account.closed_at:
        return "It is closed already."
    if account.is_primary:
        return "It is your main account. Make another one the main account first."
    if Mandate.objects.filter(bank_account=account, state__in=DEBITS).exists():
        return "A mandate is on it. Cancel the mandate first."
    if _becomes_primary(account):
        return "It is about to become your main account. Withdraw that change first."
    return ""


def _becomes_primary(account: BankAccount) -> bool:
    on_their_way = ChangeRequest.objects.filter(investor=account.investor_id, what=What.PRIMARY_BANK)
    return any(json.loads(each.after)["code"] == account.code for each in on_their_way.filter(state__in=changes.OPEN))


def ask_to_close(*, account: BankAccount, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The closing is asked for and the code is on the way. Raises NotPossible."""
    if reason := why_not_close(account):
        raise NotPossible(reason)
    shown = {
        "Close": str(account),
        "What it changes": "It is used here no more. Your bank keeps it as it is.",
        "act": CLOSE,
        "account": account.code,
    }
    return consents.ask(
        investor=account.investor, purpose=Consent.Purpose.CHANGE, form_ref=form_ref, shown=shown, amount=None, isin="",
        folio_number="", ip=ip, at=at,
    )  # fmt: skip


def confirm_close(*, investor: Investor, code: str, otp: object, ip: str | None, at: datetime) -> BankAccount:
    """The code has closed the account, now or by an earlier click. Raises NotPossible and what a code raises."""
    with transaction.atomic():
        # Before everything else: nothing that would need the account begins meanwhile.
        Investor.objects.select_for_update().only("pk").get(pk=investor.pk)
        consent = consents.lock(investor=investor, code=code)
        if consent.shown.get("act") != CLOSE:
            raise Consent.DoesNotExist
        account = BankAccount.objects.select_for_update().get(investor=investor, code=consent.shown["account"])
        if consent.given_at is not None:
            return account
        failure = consents.take(consent=consent, otp=otp, ip=ip, at=at)
        if failure is None:
            if reason := why_not_close(account):
                raise NotPossible(reason)
            account.closed_at = at
            account.save(update_fields=["closed_at"])
            _forget_wishes_for(account, at)
            audit.record(account, "bank_account.closed", actor=f"user:{investor.user_id}", at=at)
            return account
    raise failure


def _forget_wishes_for(account: BankAccount, at: datetime) -> None:
    """A change to this as the main account, whose code was not typed yet, is not waited for any more."""
    asked = ChangeRequest.objects.select_for_update().filter(investor=account.investor_id, what=What.PRIMARY_BANK)
    for change in asked.filter(state=lifecycle.ASKED):
        if json.loads(change.after)["code"] == account.code:
            changes.move_to(change, lifecycle.WITHDRAWN, at=at, actor=None, reason="the account was closed")


# --- what proves that an account is the investor's ------------------------------------------------------------


def paid_from(*, account_id: int, at: datetime) -> None:
    """A payment that has settled came from this account, which proves it. In the transaction of the news."""
    _verify(account_id, BankAccount.Verified.PAID_FROM, actor=None, at=at)


def cheque_fits(*, account_id: int, actor: User, reason: str, at: datetime) -> None:
    """Somebody here has compared the cancelled cheque with the account: never the one whose account it is.

    Raises changes.OwnChange, NotPossible without a cheque.
    """
    with transaction.atomic():
        rows = BankAccount.objects.select_for_update(of=("self",)).select_related("investor")
        account = rows.get(pk=account_id)
        if actor.pk == account.investor.user_id:
            raise changes.OwnChange("Somebody else has to compare it: the account is your own.")
        if account.cancelled_cheque_id is None:
            raise NotPossible("The investor has sent no cheque for this account.")
        _verify(account_id, BankAccount.Verified.CHEQUE, actor=actor, at=at, reason=reason)


def _verify(account_id: int, how: str, *, actor: User | None, at: datetime, reason: str = "") -> None:
    with transaction.atomic():
        account = BankAccount.objects.select_for_update().get(pk=account_id)
        if account.verified:
            return
        account.verified, account.verified_at = how, at
        account.save(update_fields=["verified", "verified_at"])
        audit.record(account, "bank_account.verified", actor=actor, at=at, reason=reason, how=how)


def send_cheque(*, investor: Investor, code: str, name: str, data: bytes, at: datetime) -> Document:
    """The cancelled cheque of an account, or of one that waits to be added, lies in the vault and is shown at the desk.

    `code` is the account's or the change's. Raises InvalidInput("cheque"), NotPossible. The file is cleaned outside any
    transaction: it may take seconds.
    """
    if _takes_a_cheque(investor, code) is None:
        raise NotPossible
    file = quarantine.clean(field="cheque", name=name, data=data, accepts=quarantine.PAPERS)
    with transaction.atomic():
        row = _takes_a_cheque(investor, code)
        if row is None:
            raise NotPossible
        kind = Document.Kind.CANCELLED_CHEQUE
        document = documents.keep(investor=investor, kind=kind, file=file, actor=investor.user, at=at)
        field = "cancelled_cheque" if isinstance(row, BankAccount) else "paper"
        setattr(row, field, document)
        row.save(update_fields=[field])
        audit.record(row, "bank_account.cheque_sent", actor=investor.user, at=at, document=document.code)
    return document


def _takes_a_cheque(investor: Investor, code: str) -> BankAccount | ChangeRequest | None:
    """The account that nothing proves yet, or the change that somebody will look at."""
    account = BankAccount.objects.select_for_update().filter(investor=investor, code=code, closed_at=None, verified="")
    waits = ChangeRequest.objects.select_for_update().filter(investor=investor, code=code, what=What.BANK_ACCOUNT)
    with transaction.atomic():
        return account.first() or waits.filter(state=lifecycle.CHECKING).first()
