"""OMEX's stream of orders and trades, kept as facts: read from the last number on, and from further back now and then.

A notice only rings (nothing signs it, providers.md 2.7): what is so is what the sync says when we ask it. Its numbers
run through all baskets. A message may become readable after a later one, so each reading begins a little before the
last; and every ten minutes one begins where the oldest open basket does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db.models import Min
from django.db.models.functions import Greatest

from brokers.models import BrokerOrderRef, NewsCursor, OmexEvent
from brokers.odin import messages
from brokers.odin.client import client
from orders import lifecycle
from portal import hints
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)
ODIN = "odin"
OVERLAP = 200
WHOLE_EVERY_S = 600
# Rows of one statement.
BATCH = 500


def catch_up(*, at: datetime, whole: bool = False) -> set[int]:
    """Every message that OMEX has for us is kept. Returns the journeys of which something is new.

    `whole` begins at the oldest basket that is not over. Raises the gateway errors; what was read until then is kept.
    """
    with scope(ALL):
        cursor, _ = NewsCursor.objects.get_or_create(pk=ODIN)
        start = _oldest_open(cursor.sequence) if whole else max(0, cursor.sequence - OVERLAP)
        touched: set[int] = set()
        batch: list[messages.Event] = []
        for event in client().sync_events(start):
            batch.append(event)
            if len(batch) == BATCH:
                touched |= _keep(batch, at)
                batch = []
        touched |= _keep(batch, at)
        NewsCursor.objects.filter(pk=ODIN).update(read_at=at)
    return touched


def catch_up_for_a_look(*, at: datetime) -> set[int]:
    """As `catch_up`, for a journey that is looked after by the clock: from further back every ten minutes."""
    return catch_up(at=at, whole=hints.first("odin-whole-sync", WHOLE_EVERY_S))


def _oldest_open(otherwise: int) -> int:
    over = lifecycle.BASKET_ORDER.final
    still = BrokerOrderRef.objects.filter(broker=ODIN).exclude(basket_order__state__in=over)
    oldest = still.aggregate(oldest=Min("news_after"))["oldest"]
    return max(0, (otherwise if oldest is None else oldest) - OVERLAP)


def _keep(events: list[messages.Event], at: datetime) -> set[int]:
    """The messages about our baskets are rows, and the cursor has moved on. Returns the journeys with a new row."""
    if not events:
        return set()
    refs = {each.reco_id for each in events}
    ours = {each.ref: each for each in BrokerOrderRef.objects.filter(broker=ODIN, ref__in=refs)}
    rows = [_row(each, ours[each.reco_id], at) for each in events if each.reco_id in ours and each.order_key]
    if foreign := len(events) - len(rows):
        log.warning("omex_messages_of_no_basket_of_ours", count=foreign)
    fresh = _without_known([row for row in rows if row is not None])
    OmexEvent.objects.bulk_create(fresh, ignore_conflicts=True)
    last = max(each.message_sequence_number for each in events)
    NewsCursor.objects.filter(pk=ODIN).update(sequence=Greatest("sequence", last))
    return {row.basket_order_id for row in fresh}


def _without_known(rows: Iterable[OmexEvent]) -> list[OmexEvent]:
    rows = list(rows)
    of_these = OmexEvent.objects.filter(basket_order_id__in={row.basket_order_id for row in rows})
    known = set(of_these.values_list("basket_order_id", "kind", "order_key", "sequence"))
    return [row for row in rows if (row.basket_order_id, row.kind, row.order_key, row.sequence) not in known]


def _row(event: messages.Event, ref: BrokerOrderRef, at: datetime) -> OmexEvent | None:
    row = OmexEvent(
        investor_id=ref.investor_id,
        basket_order_id=ref.basket_order_id,
        sequence=event.message_sequence_number,
        order_key=event.order_key[:60],
        exchange_ref=event.order_number[:60],
        token=event.scrip_code[:30],
        symbol=event.symbol[:30],
        side=event.side.name if event.side else "",
        account_ref=event.account_ref[:80],
        fetched_at=at,
    )
    if isinstance(event, messages.OrderEvent):
        row.kind, row.status, row.reason = OmexEvent.Kind.ORDER, event.order_status.value, event.reason[:300]
        row.quantity, row.traded = event.order_original_qty, event.traded_qty
        return row
    if isinstance(event, messages.TradeEvent) and event.trade_qty and event.traded_price:
        row.kind, row.traded = OmexEvent.Kind.TRADE, event.trade_qty
        row.trade_number, row.price = event.trade_number[:60], event.rupees(event.traded_price)
        return row
    return None
