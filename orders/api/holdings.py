"""What investors hold, and the transactions of units that it follows from."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from investors.api import OWNER
from orders.api.orders import EXPANDS, SCHEME_IS, mine
from orders.models import Holding, Transaction
from portal import money
from portal.api.door import Call
from portal.api.endpoints import get
from portal.api.shapes import Filter, Row, Shape, col, made


def opaque(salt: str, key: int) -> str:
    """An id that says nothing of how many rows there are; the same for ever while the secret is."""
    return salted_hmac(salt, str(key), secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()[:24]


def _value(row: Row) -> Decimal | None:
    return None if row["scheme__nav"] is None else money.to_paise(row["units"] * row["scheme__nav"])


HOLDING = Shape(
    "Holding",
    "Units of a scheme in one folio, with their value at the latest NAV. Orders on their way are no part of it.",
    {
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "folio": col("text", "folio__number", "The folio.", example="10000001/01"),
        "units": col("units", "units", "Units held."),
        "invested": col("money", "invested", "Rupees that these units have cost."),
        "nav": col("nav", "scheme__nav", "The latest NAV.", null=True),
        "nav_on": col("date", "scheme__nav_on", "Of which day it is.", null=True),
        "value": made("money", "Rupees at that NAV; null while there is none.", ["units", "scheme__nav"], _value,
                      null=True),
        "first_bought_on": col("date", "first_bought_on", "When the first of them was bought."),
    },
)  # fmt: skip
TRANSACTION = Shape(
    "Transaction",
    "Units that came in or went out. Never changed: what was wrong is reversed by another one.",
    {
        "id": made("id", "Opaque id.", ["pk"], lambda row: f"TXN-{opaque('api.transaction', row['pk'])}",
                   example="TXN-0f1e2d3c4b5a69788796a5b4"),
        "investor": col("id", "investor__code", "The investor.", example="INV-7K3F9QW2M4TX"),
        "scheme": col("id", "scheme__isin", "The scheme.", example="INF000A01011"),
        "folio": col("text", "folio__number", "The folio.", example="10000001/01"),
        "order": col("id", "order__code", "The order it came of.", null=True),
        "kind": col("text", "kind", "What kind.", choices=Transaction.Kind.values),
        "units": col("units", "units", "Units; negative when they went out."),
        "amount": col("money", "amount", "Rupees."),
        "nav": col("nav", "nav", "At which NAV."),
        "traded_on": col("date", "traded_on", "Of which day."),
        "is_provisional": col("yes", "is_provisional", "Not yet confirmed by the registrar?", example=False),
        "reverses": made("id", "The transaction that it takes back.", ["reverses_id"],
                         lambda row: row["reverses_id"] and f"TXN-{opaque('api.transaction', row['reverses_id'])}",
                         null=True, example=None),
        "recorded_at": col("moment", "recorded_at", "When we wrote it down."),
    },
)  # fmt: skip


@get("holdings", answer=HOLDING, scope="holdings:read", expands=EXPANDS,
     filters={"investor": OWNER, "scheme": SCHEME_IS})  # fmt: skip
def list_holdings(call: Call) -> QuerySet[Holding]:
    """List what is held."""
    return mine(Holding, call).filter(units__gt=0)


@get("transactions", answer=TRANSACTION, scope="holdings:read", filters={
    "investor": OWNER,
    "scheme": SCHEME_IS,
    "order": Filter("order__code", "Only of this order."),
    "traded_from": Filter("traded_on__gte", "Traded on or after this day.", "date"),
    "traded_to": Filter("traded_on__lte", "Traded on or before this day.", "date"),
})  # fmt: skip
def list_transactions(call: Call) -> QuerySet[Transaction]:
    """List transactions, newest first."""
    return mine(Transaction, call)
