"""A journey of which the broker tells nothing: the investor is asked once, and may show a paper; a person settles it.

Without evidence it stays handed over: it is neither called done nor failed, and its reference is never used again.

    investor_says   (orders) what they answer is kept, and moves nothing; they may change it
    send_proof      a paper of the broker's lies in the vault, and somebody here is told
    watch           handed over for hours without a word: a case
    settle          staff enter what the paper shows; judged like everything else that is said of a journey
    close           staff have it from the broker, or from its paper, that nothing was placed; then the investor may
                    begin a fresh journey, which has a reference of its own
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from brokers import registry
from brokers.models import OrderProof
from investors.models import Document, Investor
from investors.operations import documents
from orders import lifecycle
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets, stock_news
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal import audit, cases
from portal.errors import Failure
from portal.files import quarantine
from portal.models import User

SILENT_CASE = "broker_says_nothing"
# A person confirms within minutes, and OMEX tells within seconds: a question before that only disturbs.
ASK_AFTER = timedelta(seconds=30)
PATIENCE = timedelta(hours=4)
MOST_PROOFS = 5
SETTLED_BY_PAPER, CLOSED_BY_STAFF = "by a paper of the broker's", "closed_by_staff"
_ROW = re.compile(
    r"(?P<symbol>[A-Z0-9&-]{1,20})[ ,;]+(?P<filled>[0-9]{1,7})(?:[ ,;]+(?P<price>[0-9]{1,8}(?:\.[0-9]{1,4})?))?"
)


class NotSilent(Failure):
    """Raised for a journey that is not waiting for a broker that says nothing."""

    code = "not_silent"
    message = "This order is not waiting for such a paper."


class TooMany(Failure):
    """Raised when enough papers were sent about a journey."""

    code = "too_many_proofs"
    message = f"You have sent {MOST_PROOFS} papers about this order. Somebody here is looking at them."


class Unreadable(Failure):
    """Raised for entries that do not name every share of the journey once."""

    code = "unreadable_entries"


def is_silent(order: BasketOrder) -> bool:
    """Was the journey handed over on a route that may never tell what became of it?"""
    return order.state == lifecycle.HANDED_OVER and registry.capability(order.broker).may_stay_silent


def should_ask(order: BasketOrder, at: datetime) -> bool:
    """Is it time to ask the investor whether they confirmed? Once: until they have answered."""
    waited = order.handed_over_at is not None and at - order.handed_over_at >= ASK_AFTER
    return is_silent(order) and waited and not order.investor_says


def proof_sent_at(order: BasketOrder) -> datetime | None:
    """When the investor last sent a paper that shows what they say now of a journey that waits; None without one."""
    if not is_silent(order):
        return None
    return order.proofs.filter(shows=_shows(order)).aggregate(last=Max("sent_at"))["last"]


def _shows(order: BasketOrder) -> OrderProof.Shows:
    return OrderProof.Shows.NOTHING if order.investor_says == "no" else OrderProof.Shows.PLACED


def send_proof(*, investor: Investor, code: str, name: str, data: bytes, at: datetime) -> OrderProof:
    """The broker's confirmation lies in the vault, and a case tells that it is there. It moves nothing.

    Raises InvalidInput("proof"), NotSilent, TooMany. The file is cleaned outside any transaction: it may take seconds.
    """
    _waits(investor, code)
    file = quarantine.clean(field="proof", name=name, data=data, accepts=quarantine.PAPERS)
    with transaction.atomic():
        order = _waits(investor, code, lock=True)
        document = documents.keep(
            investor=investor, kind=Document.Kind.BROKER_PROOF, file=file, actor=investor.user, at=at
        )
        shows = _shows(order)
        proof = OrderProof.objects.create(
            investor=investor, basket_order=order, document=document, shows=shows, sent_at=at
        )
        audit.record(order, "basket.proof_sent", actor=investor.user, at=at, document=document.code, shows=shows)
        _open_case(order, f"The investor sent {document.code}, which shows {shows.label}.", at)
    return proof


def _waits(investor: Investor, code: str, *, lock: bool = False) -> BasketOrder:
    mine = BasketOrder.objects.filter(investor=investor, code=code)
    order = (mine.select_for_update(of=("self",)) if lock else mine).first()
    if order is None or not is_silent(order):
        raise NotSilent
    if order.proofs.count() >= MOST_PROOFS:
        raise TooMany
    return order


def watch(*, order: BasketOrder, at: datetime) -> None:
    """A journey that was handed over for hours without a word of the broker's is a case, once."""
    if is_silent(order) and order.handed_over_at and at - order.handed_over_at >= PATIENCE:
        said = {"yes": "The investor says that they confirmed.", "no": "The investor says that they did not confirm."}
        _open_case(order, said.get(order.investor_says, "The investor has not answered yet."), at)


def is_over(*, order: BasketOrder, at: datetime) -> None:
    """The broker has told us after all: the case about its silence closes."""
    if BasketOrder.objects.filter(pk=order.pk).exclude(state=lifecycle.HANDED_OVER).exists():
        cases.close_cases(subject=order, kinds=(SILENT_CASE,), resolution="The broker has told us.", at=at)


def _open_case(order: BasketOrder, what: str, at: datetime) -> None:
    cases.open_case(
        kind=SILENT_CASE,
        subject=order,
        title=f"{order.code}: the broker says nothing",
        detail=f"{what} Ask the broker, or look at the paper; then settle or close the order. Until then it stays "
        "handed over.",
        at=at,
    )


# --- What staff do --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What a paper shows of one share: how many were executed, and at which average price in rupees."""

    symbol: str
    filled: int
    price: Decimal | None


def read_entries(text: str) -> list[Entry]:
    """`ITC 10 441.20`, a share a line; no price where nothing was executed. Raises Unreadable."""
    entries = []
    for row in filter(None, (each.strip().upper() for each in text.splitlines())):
        found = _ROW.fullmatch(row)
        if found is None or (int(found["filled"]) > 0) != (found["price"] is not None):
            raise Unreadable(f"“{row[:40]}” is no line like “ITC 10 441.20” (or “ITC 0” where nothing was executed).")
        entries.append(
            Entry(found["symbol"], int(found["filled"]), Decimal(found["price"]) if found["price"] else None)
        )
    return entries


def settle(*, order_id: int, entries: list[Entry], actor: User, reason: str, at: datetime) -> BasketOrder:
    """The journey is what the broker's paper shows. Raises NotSilent without a paper, Unreadable.

    Judged like news: more than was asked for, or a share that was not, becomes a case and moves nothing.
    """
    order = BasketOrder.objects.select_related("investor__user", "basket", "version").get(pk=order_id)
    if not is_silent(order) or not order.proofs.exists():
        raise NotSilent("There is no paper to settle this order by, or its broker has told us about it.")
    lines = list(order.lines.select_related("security").order_by("id"))
    if sorted(each.symbol for each in entries) != sorted(line.security.symbol for line in lines):
        raise Unreadable(f"Name each share once: {', '.join(line.security.symbol for line in lines)}.")
    by_symbol = {each.symbol: each for each in entries}
    too_many = [line.security.symbol for line in lines if by_symbol[line.security.symbol].filled > line.quantity]
    if too_many:
        raise Unreadable(f"More than was asked for: {', '.join(too_many)}.")
    said = tuple(_line(line, by_symbol[line.security.symbol]) for line in lines)
    with transaction.atomic():
        audit.record(order, "basket.settled_by_paper", actor=actor, at=at, reason=reason)
    stock_news.absorb(
        order_id=order_id,
        snapshot=BasketSnapshot(their_word=SETTLED_BY_PAPER, lines=said),
        at=at,
        source=SETTLED_BY_PAPER,
    )
    if any(each.filled for each in entries):
        baskets.subscribe(order=order, at=at)
    cases.close_cases(subject=order, kinds=(SILENT_CASE,), resolution="Settled by a paper of the broker's.", at=at)
    order.refresh_from_db()
    return order


def _line(line: StockOrder, entry: Entry) -> LineSnapshot:
    state = lifecycle.FILLED if entry.filled == line.quantity else lifecycle.CANCELLED
    return LineSnapshot(
        symbol=line.security.symbol,
        side=line.side,
        state=state,
        their_word=SETTLED_BY_PAPER,
        quantity=line.quantity,
        filled=entry.filled,
        average_price=entry.price,
        client_ref=line.client_ref,
    )


def close(*, order_id: int, actor: User, reason: str, at: datetime) -> None:
    """The broker, or a paper of it, has told a person here that nothing was placed: the journey came to nothing.

    Raises NotSilent.
    """
    with transaction.atomic(durable=True):
        order = stock_news.locked(order_id)
        if not is_silent(order):
            raise NotSilent("The broker has told us about this order meanwhile; it is not closed by hand.")
        ended = BasketSnapshot(their_word=reason, ended=lifecycle.CANCELLED, failure_code=CLOSED_BY_STAFF)
        stock_news.end(order, ended, at=at)
        audit.record(order, "basket.closed_by_staff", actor=actor, at=at, reason=reason)
        cases.close_cases(subject=order, kinds=(SILENT_CASE,), resolution="The broker placed nothing.", at=at)
