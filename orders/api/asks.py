"""Asking an investor for a bank account, a mandate or a basket order: requests with one line, each with its own scope.

The partner initiates; the investor takes it up on the page of the request, with a one-time code, or, for a basket,
at the broker. What becomes of it is read as of every request (`approvals`).
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from investors import queries as people
from investors.models import BankAccount
from orders.api.approvals import APPROVAL, Asking, asked
from orders.models import ApprovalLine
from orders.operations import approvals, baskets, purchases
from orders.operations.approval_checks import Ask, NewAccount
from portal.api.bodies import AmountField, TextField
from portal.api.door import Call
from portal.api.endpoints import post
from portal.api.errors import Trouble
from portal.errors import Failure, InvalidInput

Kind = ApprovalLine.Kind


class AskForBankAccount(Asking):
    """A bank account of the investor's own."""

    ifsc = TextField(max_length=20, help_text="The branch.")
    number = TextField(max_length=30, help_text="6 to 16 digits. The investor compares it with the passbook.")
    kind = serializers.ChoiceField(choices=BankAccount.Kind.values)
    holder_name = TextField(max_length=70, help_text="As the bank has it: the investor's own name.")


class AskForMandate(Asking):
    """An e-mandate on a bank account that the investor has here."""

    bank_account = TextField(max_length=20)
    limit = AmountField(help_text="Most rupees per debit, whole ones.")


class AskForBasket(Asking):
    """How much to invest in a basket."""

    basket = TextField(max_length=60)
    amount = AmountField(help_text="Whole rupees. The investor may change them before ordering.")


_FAILURES = (approvals.TooManyAsked, purchases.NotReady)


@post("investors/<id>/bank-accounts", answer=APPROVAL, scope="banks:write", body=AskForBankAccount, status=201,
      failures=_FAILURES, example={
    "ifsc": "HDFC0000001", "number": "50100012344321", "kind": "SAVINGS", "holder_name": "Asha Rao",
    "reason": "The account you named on the phone",
})  # fmt: skip
def ask_for_bank_account(call: Call) -> dict[str, Any]:
    """Ask an investor to add a bank account: they compare its number and confirm it with a one-time code."""
    names = ("ifsc", "number", "kind", "holder_name")
    return _asked(call, Ask(Kind.BANK_ACCOUNT, account=NewAccount(**{name: call.data[name] for name in names})))


@post("investors/<id>/mandates", answer=APPROVAL, scope="mandates:write", body=AskForMandate, status=201,
      failures=_FAILURES, example={
    "bank_account": "BNK-7K3F9QW2M4TX", "limit": "25000.00", "reason": "For the SIP we spoke about",
})  # fmt: skip
def ask_for_mandate(call: Call) -> dict[str, Any]:
    """Ask an investor to give an e-mandate: they confirm it with a one-time code, then authorise it at their bank."""
    return _asked(call, Ask(Kind.MANDATE, bank_account=call.data["bank_account"], amount=call.data["limit"]))


@post("investors/<id>/basket-orders", answer=APPROVAL, scope="basket_orders:write", body=AskForBasket, status=201,
      failures=(*_FAILURES, baskets.AlreadyUnderWay), example={
    "basket": "quality-ten", "amount": "50000.00", "reason": "Your plan for this year",
})  # fmt: skip
def ask_for_basket_order(call: Call) -> dict[str, Any]:
    """Ask an investor to invest in a basket: they choose a broker, and the broker asks them to confirm."""
    return _asked(call, Ask(Kind.BASKET, basket=call.data["basket"], amount=call.data["amount"]))


def _asked(call: Call, ask: Ask) -> dict[str, Any]:
    """One line, whose members are members of the body. Raises Trouble("not_found") for somebody else's investor."""
    investor = people.brought_by(call.partner, call.id)
    if investor is None:
        raise Trouble("not_found")
    try:
        return asked(call, investor, [ask])
    except InvalidInput as refusal:
        # Of the one line: its own code, and the member of this body.
        raise (refusal.__cause__ if isinstance(refusal.__cause__, Failure) else refusal) from None
