"""Our words <-> FP's messages about SIPs. FP says of a plan only whether it is active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orders import gateway
from orders.gateway import OrderSnapshot
from orders.models import Plan
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import NewSip, Sip
from portal.gateway import errors
from portal.gateway.journal import Fenced, fenced

PATH = "/orders/sips"


@dataclass(frozen=True)
class PlanSnapshot:
    """What FP says about a plan now. What it leaves out is None."""

    provider_ref: str
    is_active: bool
    client_ref: str | None = None
    amount: Decimal | None = None
    isin: str | None = None
    mandate_ref: str | None = None
    start_date: date | None = None
    instalments: int | None = None


def snapshot(sip: Sip) -> PlanSnapshot:
    """FP's plan in our words."""
    return PlanSnapshot(
        sip.sip_id, sip.active, sip.source_ref_id, sip.amount, sip.isin, sip.mandate_id, sip.start_date,
        sip.installments,
    )  # fmt: skip


def send(plan: Plan) -> str:
    """POST the plan; returns FP's id. Raises the six gateway errors."""
    line = NewSip(
        isin=plan.scheme.isin,
        amount=plan.amount,
        start_day=str(plan.start_day),
        installments=plan.instalments,
        mandate_id=plan.mandate.provider_ref,
        folio_number=plan.folio.number if plan.folio else None,
        **gateway.with_every_order(plan.client_ref, plan.user_ip, plan.consent),
    )
    about = fenced(plan, our_ref=plan.client_ref, attempt_no=plan.attempt_no)
    placed = fp.client().create_sips(_account(plan), sips=[line], about=about)
    mine = [each for each in placed if each.isin == plan.scheme.isin]
    if len(mine) != 1:
        raise errors.Garbled("fp", "POST", PATH, said="the answer does not name exactly our SIP")
    return mine[0].id


def find(plan: Plan) -> PlanSnapshot | None:
    """Look for our reference among all plans of the account, ended ones too. None: FP does not list it."""
    theirs = (snapshot(sip) for sip in fp.client().list_sips(_account(plan)))
    return next((each for each in theirs if each.client_ref == plan.client_ref), None)


def fetch(plan: Plan) -> PlanSnapshot:
    """What FP says about a plan whose id we know."""
    return snapshot(fp.client().fetch_sip(_account(plan), plan.provider_ref or ""))


def instalments(plan: Plan) -> list[OrderSnapshot]:
    """The orders that FP has made of the plan so far."""
    theirs = fp.client().list_sip_instalments(_account(plan), plan.provider_ref or "")
    return [gateway.snapshot(order, plan.gateway, plan_ref=plan.provider_ref) for order in theirs]


def skip_next(plan: Plan, about: Fenced) -> OrderSnapshot:
    """FP leaves out the next instalment; twice leaves out two. Returns its cancelled order."""
    order = fp.client().cancel_next_instalment(_account(plan), plan.provider_ref or "", about)
    return gateway.snapshot(order, plan.gateway, plan_ref=plan.provider_ref)


def debit_by(plan: Plan, mandate_ref: str, about: Fenced) -> None:
    """FP debits the plan by another mandate from now on. Twice is once."""
    fp.client().update_sip_mandate(_account(plan), plan.provider_ref or "", mandate_id=mandate_ref, about=about)


def end(plan: Plan, about: Fenced) -> None:
    """FP ends the plan. Raises Refused when it has ended already."""
    fp.client().deactivate_sip(_account(plan), plan.provider_ref or "", about)


def _account(plan: Plan) -> str:
    return plan.investment_account.provider_ref or ""
