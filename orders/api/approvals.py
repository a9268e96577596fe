"""Approvals: what a partner asks investors to do. The investor approves each line on a page of ours, by a code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers

from investors import queries as people
from investors.api import OWNER
from investors.models import Investor
from orders.models import Approval, ApprovalLine
from orders.operations import approvals
from orders.operations.approval_checks import Ask
from orders.queries import approvals as queries
from portal import arns
from portal.api import catalogue
from portal.api.bodies import AmountField, Body, DayField, TextField, UnitsField, WholeField, YesField
from portal.api.door import Call
from portal.api.endpoints import get, post
from portal.api.errors import Trouble
from portal.api.shapes import Field, Shape, col

Kind = ApprovalLine.Kind

LINE = Shape(
    "ApprovalLine",
    "One thing asked for, and what became of it.",
    {
        "number": Field("count", "Its number, from 0.", "number", example=0),
        "kind": Field("text", "What is asked.", "kind", choices=tuple(Kind.values)),
        "state": Field("text", "What the investor decided.", "state", choices=queries.LINE_STATES),
        "scheme": Field("id", "The scheme.", "scheme", is_nullable=True, example="INF000A01011"),
        "folio": Field("text", "The folio.", "folio", is_nullable=True, example="10000001/01"),
        "amount": Field("money", "Rupees.", "amount", is_nullable=True),
        "units": Field("units", "Units.", "units", is_nullable=True, example=None),
        "is_all": Field("yes", "All units?", "is_all", example=False),
        "start_day": Field("count", "Day of the month.", "start_day", is_nullable=True, example=None),
        "instalments": Field("count", "How many.", "instalments", is_nullable=True, example=None),
        "mandate": Field("id", "The mandate: the one of a SIP, or the one that was given.", "mandate", is_nullable=True,
                         example=None),
        "sip": Field("id", "The SIP: the one asked about, or the one that was started.", "sip", is_nullable=True),
        "on": Field("date", "Which instalment is skipped.", "on", is_nullable=True, example=None),
        "order": Field("id", "The order that came of it.", "order", is_nullable=True),
        "change": Field("id", "The change of the SIP that came of it.", "change", is_nullable=True, example=None),
        "bank_account": Field("id", "The account of a mandate.", "bank_account", is_nullable=True, example=None),
        "last_four": Field("text", "The end of a new account's number.", "last_four", is_nullable=True, example=None),
        "basket": Field("id", "The basket.", "basket", is_nullable=True, example=None),
        "basket_order": Field("id", "The basket order that came of it.", "basket_order", is_nullable=True,
                              example=None),
    },
)  # fmt: skip
APPROVAL = Shape(
    "Approval",
    "What you asked an investor to approve. `url` is the page where a signed-in investor decides.",
    {
        "id": col("id", "code", "Opaque id.", example="APR-7K3F9QW2M4TX"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "state": col("text", "state", "Where it stands.", choices=queries.STATES),
        "reason": col("text", "reason", "Why, as the investor reads it.", example="Your goal of ₹10 lakh by 2030"),
        "reference": col("text", "reference", "Your own name for it.", example="crm-4711"),
        "url": col("url", "url", "The page."),
        "lines": Field("any", "The lines.", "lines", inner=LINE, is_many=True),
        "times_told": col("count", "times_told", "How often the investor was told.", example=1),
        "seen_at": col("moment", "seen_at", "When the investor first looked at it.", null=True),
        "created_at": col("moment", "created_at", "When you asked."),
        "expires_at": col("moment", "expires_at", "Until when it can be approved."),
        "withdrawn_at": col("moment", "withdrawn_at", "When you withdrew it.", null=True),
        "ended_at": col(
            "moment",
            "ended_at",
            "When it ended before its time, because your API was closed, or because "
            "we did not work together for a while.",
            null=True,
        ),
    },
)


# What is asked for in lines; the rest has endpoints and scopes of its own (`asks`).
ORDERS = (Kind.PURCHASE, Kind.REDEMPTION, Kind.SIP, Kind.SIP_SKIP, Kind.SIP_CANCEL)


class NewLine(Body):
    """One thing to ask for. Which members count depends on the kind; a member that does not count is refused."""

    kind = serializers.ChoiceField(choices=list(ORDERS))
    scheme = serializers.RegexField(r"\A[A-Z0-9]{12}\Z", required=False, help_text="The ISIN.")
    folio = TextField(max_length=40, required=False)
    amount = AmountField(required=False)
    units = UnitsField(required=False)
    all = YesField(required=False, help_text="Sell everything in the folio.")
    start_day = WholeField(min_value=1, max_value=28, required=False)
    instalments = WholeField(min_value=1, max_value=1200, required=False)
    mandate = TextField(max_length=20, required=False)
    sip = TextField(max_length=20, required=False)
    on = DayField(required=False)

    # Kind -> members that must be there, members that may be there.
    MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        Kind.PURCHASE: (("scheme", "amount"), ("folio",)),
        Kind.REDEMPTION: (("scheme", "folio"), ("amount", "units", "all")),
        Kind.SIP: (("scheme", "amount", "start_day", "instalments", "mandate"), ()),
        Kind.SIP_SKIP: (("sip", "on"), ()),
        Kind.SIP_CANCEL: (("sip",), ()),
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The members fit the kind. Raises ValidationError at each that does not."""
        must, may = self.MEMBERS[attrs["kind"]]
        wrong = {name: ["This is needed here."] for name in must if name not in attrs}
        wrong |= {name: ["This does not count here."] for name in attrs if name not in (*must, *may, "kind")}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


class Asking(Body):
    """Why an investor is asked, and for how long."""

    reason = TextField(max_length=300, help_text="The investor reads it.")
    reference = TextField(max_length=64, required=False, default="")
    expires_in_hours = WholeField(min_value=1, max_value=168, required=False, default=72)


class NewApproval(Asking):
    """Whom to ask, why, for how long, and what."""

    investor = TextField(max_length=20)
    lines = NewLine(many=True, allow_empty=False, max_length=approvals.MOST_LINES)  # type: ignore[call-arg]


@get("approvals", answer=APPROVAL, scope="approvals:read", filters={"investor": OWNER}, write=lambda *of: written(*of))
def list_approvals(call: Call) -> QuerySet[Approval]:
    """List what you asked for, newest first."""
    return _all(call).select_related("investor")


@get("approvals/<id>", answer=APPROVAL, scope="approvals:read")
def get_approval(call: Call) -> dict[str, Any]:
    """Read what you asked for, and what became of each line."""
    return written([_mine(call)], call)[0]


@post("approvals", answer=APPROVAL, scope="approvals:write", body=NewApproval, status=201,
      failures=(approvals.TooManyAsked, arns.ArnEnded), example={
    "investor": "INV-7K3F9QW2M4TX", "reason": "Your goal of ₹10 lakh by 2030", "expires_in_hours": 48,
    "lines": [{"kind": "PURCHASE", "scheme": "INF000A01011", "amount": "5000.00"}],
})  # fmt: skip
def ask_for_approval(call: Call) -> dict[str, Any]:
    """Ask an investor to approve purchases, sales and SIPs: each line is checked against today's rules first."""
    investor = people.brought_by(call.partner, call.data["investor"])
    if investor is None:
        raise Trouble("invalid", fields={"investor": ["There is no such investor of yours."]})
    return asked(call, investor, [_ask(line) for line in call.data["lines"]])


def asked(call: Call, investor: Investor, asks: list[Ask]) -> dict[str, Any]:
    """The request, with what `Asking` took. Raises what `approvals.ask` raises."""
    found = approvals.ask(
        partner=call.partner,
        investor=investor,
        asks=asks,
        reason=call.data["reason"],
        reference=call.data["reference"],
        life=timedelta(hours=call.data["expires_in_hours"]),
        actor=call.actor,
        at=call.at,
    )
    return _write(found.approval, found.lines, call)


@post("approvals/<id>/remind", answer=APPROVAL, scope="approvals:write",
      failures=(approvals.ApprovalOver, approvals.TooManyReminders, arns.ArnEnded))  # fmt: skip
def remind_of_approval(call: Call) -> dict[str, Any]:
    """Tell the investor again."""
    approvals.remind(approval=_mine(call), actor=call.actor, at=call.at)
    return written([_mine(call)], call)[0]


@post("approvals/<id>/withdraw", answer=APPROVAL, scope="approvals:write", failures=(approvals.ApprovalOver,))
def withdraw_approval(call: Call) -> dict[str, Any]:
    """Withdraw what is not decided yet."""
    approvals.withdraw(approval=_mine(call), actor=call.actor, at=call.at)
    return written([_mine(call)], call)[0]


def _all(call: Call) -> QuerySet[Approval]:
    """The owner filter: the partner's own, about investors who are still the partner's."""
    return Approval.objects.filter(partner=call.partner, investor__partner=call.partner)


def _mine(call: Call) -> Approval:
    found = _all(call).select_related("investor").filter(code=call.id).first()
    if found is None:
        raise Trouble("not_found")
    return found


def _ask(line: Mapping[str, Any]) -> Ask:
    return Ask(
        kind=line["kind"],
        isin=line.get("scheme", ""),
        folio=line.get("folio", ""),
        amount=line.get("amount"),
        units=line.get("units"),
        is_all=line.get("all", False),
        start_day=line.get("start_day"),
        instalments=line.get("instalments"),
        mandate=line.get("mandate", ""),
        sip=line.get("sip", ""),
        on=line.get("on"),
    )


def written(found: list[Approval], call: Call) -> list[dict[str, Any]]:
    """Approvals with their lines, as JSON has them."""
    lines: dict[int, list[queries.Line]] = {each.pk: [] for each in found}
    for line in queries.lines_of(found, call.at):
        lines[line.line.approval_id].append(line)
    return [_write(each, lines[each.pk], call) for each in found]


def _write(approval: Approval, lines: list[queries.Line], call: Call) -> dict[str, Any]:
    row = {
        "code": approval.code,
        "investor__code": approval.investor.code,
        "state": queries.state_of(approval, lines, call.at),
        "reason": approval.reason,
        "reference": approval.reference,
        "url": settings.PUBLIC_URL + reverse("orders:approval", args=[approval.code]),
        "lines": [LINE.write(_line(each)) for each in lines],
        "times_told": approval.times_told,
        "seen_at": approval.seen_at,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "withdrawn_at": approval.withdrawn_at,
        "ended_at": approval.ended_at,
    }
    return APPROVAL.write(row)


def _line(found: queries.Line) -> dict[str, Any]:
    line, plan, mandate = found.line, found.plan or found.line.plan, found.mandate or found.line.mandate
    return {
        "number": line.number,
        "kind": line.kind,
        "state": found.state,
        "scheme": line.scheme.isin if line.scheme else None,
        "folio": line.folio_number or None,
        "amount": line.amount,
        "units": line.units,
        "is_all": line.is_all,
        "start_day": line.start_day,
        "instalments": line.instalments,
        "mandate": mandate.code if mandate else None,
        "sip": plan.code if plan else None,
        "on": line.on,
        "order": found.order.code if found.order else None,
        "change": found.change.code if found.change else None,
        "bank_account": line.bank_account.code if line.bank_account else None,
        "last_four": line.last_four or None,
        "basket": line.basket.slug if line.basket else None,
        "basket_order": found.basket_order.code if found.basket_order else None,
    }


catalogue.add("approval_states", lambda: {state: state.lower() for state in queries.STATES})
catalogue.add("approval_line_states", lambda: {state: state.lower() for state in queries.LINE_STATES})
