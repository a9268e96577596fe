"""What commission brings the partner: months, holdings and lines, and payouts; read only."""

from __future__ import annotations

from django.db.models import QuerySet

from investors.api import INVESTOR
from investors.models import Investor
from orders.api.holdings import opaque
from orders.api.schemes import SCHEME
from orders.models import CommissionLine, EarningsHolding, EarningsLine, EarningsMonth, Payout, Scheme
from orders.queries import earnings
from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import get, reads
from portal.api.shapes import Expand, Filter, Row, Shape, col, made

_SCOPE = "earnings:read"
_MONTH = col("date", "month", "The month, by its first day.", example="2026-10-01")
_IN_MONTH = Filter("month", "Only of the month that begins on this day.", "date")


def _investor(row: Row) -> str | None:
    """Who is the firm's still: the wall hides others, and this does not rely on it."""
    is_theirs = row["folio__investor__partner_id"] == row["partner_id"]
    return row["folio__investor__code"] if is_theirs else None


def _folio(row: Row) -> str | None:
    return row["folio__number"] if _investor(row) else None


_WHOSE = ["folio__investor__code", "folio__investor__partner_id", "partner_id"]
_INVESTOR = made(
    "id", "The investor; null once they are no longer yours.", _WHOSE, _investor, null=True,
    example="INV-7K3F9QW2M4TX",
)  # fmt: skip
_EXPANDS = {
    "investor": Expand(
        INVESTOR, lambda call: Investor.objects.filter(partner=call.partner), "folio__investor_id", "pk"
    ),
    "scheme": Expand(SCHEME, lambda call: Scheme.objects.all(), "scheme_id", "pk"),
}
_FILTERS = {
    "month": _IN_MONTH,
    "investor": Filter("folio__investor__code", "Only of this investor, while they are yours."),
    "scheme": Filter("scheme__isin", "Only of this scheme."),
}

EARNINGS_MONTH = Shape(
    "EarningsMonth",
    "What your investors' units brought in a month, and your share of it. It belongs to you if you served the investor "
    "on its last day.",
    {
        "month": _MONTH,
        "expected": col("money", "expected", "Trail that our records expect. Nothing else is expected."),
        "holdings": col("count", "holdings", "Holdings behind it.", example=12),
        "received": col("money", "received", "Rupees that fund houses paid, of every kind."),
        "trail": col("money", "trail", "Of these, trail: what `expected` is compared with."),
        "lines": col("count", "lines", "Lines of statements behind it.", example=14),
        "payable": col("money", "payable", "Your share of what was received, added up line by line."),
        "unshared": col("count", "unshared", "Lines for which no share is agreed: in no share of yours.", example=0),
        "paid": col("money", "paid", "Of your share, what was paid out, before TDS."),
        "to_come": made("money", "Of your share, what is still to come.", ["payable", "paid"],
                        lambda row: row["payable"] - row["paid"]),
    },
)  # fmt: skip
EARNINGS_HOLDING = Shape(
    "EarningsHolding",
    "One scheme in one folio for a month: the trail that should have come, and the trail that came.",
    {
        "id": made("id", "Opaque id.", ["pk"], lambda row: f"ERH-{opaque('api.earnings_holding', row['pk'])}",
                   example="ERH-0f1e2d3c4b5a69788796a5b4"),
        "month": _MONTH,
        "investor": _INVESTOR,
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "folio": made("text", "The folio; null once the investor is no longer yours.", ["folio__number", *_WHOSE],
                      _folio, null=True, example="10000001/01"),
        "days": col("count", "days", "Days on which units were held.", example=31),
        "unpriced": col("count", "unpriced", "Of these, days without a NAV, which bring nothing.", example=0),
        "unrated": col("count", "unrated", "Of these, days without a rate, which bring nothing.", example=0),
        "average_value": col("money", "average_value", "Rupees, over the days that have a NAV."),
        "expected": col("money", "expected", "Units x NAV x rate / 36,500, added up over the days and rounded once."),
        "received": col("money", "received", "Trail that came for it; null while nothing came.", null=True),
        "computed_at": col("moment", "computed_at", "When `expected` was computed."),
    },
)  # fmt: skip
EARNINGS_LINE = Shape(
    "EarningsLine",
    "What a fund house paid, line by line, and your share of it. Only what was received is handed on.",
    {
        "id": made("id", "Opaque id.", ["pk"], lambda row: f"ERL-{opaque('api.earnings_line', row['pk'])}",
                   example="ERL-0f1e2d3c4b5a69788796a5b4"),
        "month": _MONTH,
        "kind": col("text", "kind", "What kind; see the catalogue.", choices=CommissionLine.Kind.values),
        "fund_house": col("text", "fund_house__name", "Who paid.", example="Hill Mutual Fund"),
        "investor": _INVESTOR,
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "folio": col("text", "folio_number", "The folio, as it stood in the statement.", example="10000001/01"),
        "amount": col("money", "amount", "Rupees before tax and without GST; negative where it was taken back."),
        "share": col("percent", "percent", "Your share on the month's last day, in per cent; null: none is agreed.",
                     null=True, example="70.00"),
        "payable": col("money", "payable", "Amount times share, rounded half up (away from zero) to the paisa.",
                       null=True, example="3500.00"),
        "payout": col("id", "payout__code", "The payout it is in.", null=True, example="PYT-7K3F9QW2M4TX"),
    },
)  # fmt: skip
PAYOUT = Shape(
    "Payout",
    "Your share of lines, as two people approved it and as it was paid.",
    {
        "id": col("id", "code", "Opaque id.", example="PYT-7K3F9QW2M4TX"),
        "month": col("date", "month", "The last month whose lines are in it, by its first day.", example="2026-10-01"),
        "state": col("text", "state", "Where it stands; see the catalogue.", choices=earnings.DECIDED),
        "received": col("money", "received", "What fund houses paid for its lines."),
        "payable": col("money", "payable", "Your share: the sum of the lines."),
        "tds": col("money", "tds", "Tax withheld from it, once it is paid.", null=True, example="250.00"),
        "paid": made("money", "What was transferred to you: your share less TDS.", ["payable", "tds"],
                     lambda row: None if row["tds"] is None else row["payable"] - row["tds"], null=True,
                     example="4750.00"),
        "paid_on": col("date", "paid_on", "When it was transferred.", null=True),
        "utr": made("text", "The bank's number of the transfer.", ["utr"], lambda row: row["utr"] or None, null=True,
                    example="HDFCN52026112000012345"),
        "approved_at": col("moment", "decided_at", "When the second person approved it."),
    },
)  # fmt: skip


@get("earnings", answer=EARNINGS_MONTH, scope=_SCOPE, key="month", filters={"month": _IN_MONTH})
def list_earnings(call: Call) -> QuerySet[EarningsMonth]:
    """List months with what was expected, received and handed on, newest first."""
    return earnings.months_of(call.partner.pk)


@get("earnings/holdings", answer=EARNINGS_HOLDING, scope=_SCOPE, expands=_EXPANDS, filters=_FILTERS)
def list_earnings_holdings(call: Call) -> QuerySet[EarningsHolding]:
    """List what each holding should have brought in a month."""
    return earnings.holdings_of(call.partner.pk)


@get("earnings/lines", answer=EARNINGS_LINE, scope=_SCOPE, expands=_EXPANDS, filters={
    **_FILTERS,
    "kind": Filter("kind", "Only of this kind.", choices=tuple(CommissionLine.Kind.values)),
    "payout": Filter("payout__code", "Only what is in this payout."),
})  # fmt: skip
def list_earnings_lines(call: Call) -> QuerySet[EarningsLine]:
    """List what was received, line by line."""
    return earnings.lines_of(call.partner.pk)


reads("payouts", lambda call: earnings.payouts_of(call.partner.pk), answer=PAYOUT, scope=_SCOPE, filters={
    "state": Filter("state", "Only in this state.", choices=earnings.DECIDED),
    "month": Filter("month", "Only those up to the month that begins on this day.", "date"),
}, one="Read a payout.", many="List payouts that were approved, newest first.")  # fmt: skip


catalogue.add("commission_kinds", lambda: dict(CommissionLine.Kind.choices))
catalogue.add("payout_states", lambda: {str(state): Payout.State(state).label for state in earnings.DECIDED})
