"""Switches: FP's API lists them and has no call that makes one, so they are read and shown, and nothing is sent.

A switch becomes an order of ours, of kind SWITCH_OUT, so that it stands in the list and has a page. FP's record names
one scheme and one number of units, and not the other leg: units are therefore not booked from it. They come with the
registrar's own transactions, and until then the daily comparison of holdings tells of them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from investors.models import InvestmentAccount
from orders import gateway, lifecycle
from orders.gateway import OrderSnapshot
from orders.models import Folio, MfOrder, Scheme
from portal import audit
from portal.clock import IST
from portal.lifecycle import Verdict

KIND = MfOrder.Kind.SWITCH_OUT
PREDICTION = "This switch was not made here: we only read it, and promised nothing about it."


def read(*, account: InvestmentAccount, at: datetime) -> int:
    """FP's switches of the account are on record as they stand. Returns how many are new or have moved.

    Raises the gateway errors of a read.
    """
    return sum(_take_in(account, said, at) for said in gateway.switches(account.provider_ref))


def _take_in(account: InvestmentAccount, said: OrderSnapshot, at: datetime) -> bool:
    """One that names neither rupees nor units, or a scheme that we do not know, waits for a reading that says more."""
    scheme = Scheme.objects.filter(isin=said.isin or "").first()
    if scheme is None or said.state is None or not (said.amount or said.units):
        return False
    with transaction.atomic():
        known = MfOrder.objects.select_for_update(of=("self",)).filter(provider="fp", provider_ref=said.provider_ref)
        order = known.first() or _record(account, scheme, said, at)
        if order.kind != KIND or _state(said) == order.state:
            return order.state_since == at
        if lifecycle.table_of(KIND, order.gateway).judge(order.state, _state(said)) != Verdict.APPLY:
            return False
        _move(order, said, at)
    return True


def _record(account: InvestmentAccount, scheme: Scheme, said: OrderSnapshot, at: datetime) -> MfOrder:
    on = said.invested_on or said.traded_on or at.astimezone(IST).date()
    folio = Folio.objects.filter(investor_id=account.investor_id, number=said.folio_number or "").first()
    order = MfOrder.objects.create(
        investor_id=account.investor_id, investment_account=account, scheme=scheme, folio=folio, kind=KIND,
        bank_account=account.investor.bankaccounts.order_by("-is_primary", "pk")[0],
        provider_ref=said.provider_ref, state=lifecycle.PLACED, state_since=at, placed_at=at,
        amount=said.amount, units=None if said.amount else said.units, predicted_nav_on=on, prediction=PREDICTION,
    )  # fmt: skip
    audit.record(order, "order.read", actor=None, at=at, provider_ref=said.provider_ref)
    if _state(said) != order.state:
        _move(order, said, at)
    return order


def _move(order: MfOrder, said: OrderSnapshot, at: datetime) -> None:
    was, order.state, order.state_since = order.state, _state(said), at
    if order.state == lifecycle.REDEEMED:
        for name, value in _done(said).items():
            setattr(order, name, value)
    order.failure_code, order.failure_text = said.failure_code, said.failure_text
    order.save()
    audit.record(order, f"order.{order.state.lower()}", actor=None, at=at, was=was, source="switches at FP")


def _done(said: OrderSnapshot) -> dict[str, Any]:
    return {
        "allotted_units": said.units,
        "allotted_nav": said.nav,
        "allotted_on": said.traded_on,
        "allotted_amount": said.net_amount,
    }


def _state(said: OrderSnapshot) -> str:
    """Done is only what says units, price, day and rupees; until then the fund house has it."""
    if said.state == lifecycle.REDEEMED and not all(value and value != Decimal(0) for value in _done(said).values()):
        return lifecycle.PLACED
    return said.state or lifecycle.PLACED
