"""ODIN for `orders`: a basket becomes a page of ODIN's under our six characters; OMEX's messages become lines.

The button registers a basket and answers with its page; nothing trades until the person confirms there. An address that
never reached us is known to nobody, so a lost answer is asked for again, under the same reference: one basket has one
reference for ever, and ODIN tells with it what became of the orders. A refusal once the page was handed out proves
nothing: the basket may have been confirmed. Then OMEX is asked, and nothing is called failed.
"""

from __future__ import annotations

from decimal import Decimal

from brokers.adapter import Capability, InWork, Prepared
from brokers.models import BrokerAccount, OmexEvent
from brokers.odin import messages, snapshots, stream
from brokers.odin.client import BUTTON, client
from brokers.operations import references
from orders import lifecycle
from orders.models import BasketOrder, SecurityCode, StockOrder
from orders.stock_snapshots import BasketSnapshot
from portal import clock
from portal.gateway import errors
from portal.gateway.journal import about

CODE = "odin"
# ODIN's `mktSegId` of NSE's cash segment, under which the shares' codes are kept.
SEGMENT = messages.Segment.NSE_CASH
RECO_ID_LENGTH = 6
KINDS = {
    StockOrder.Kind.MARKET: messages.OrderType.MARKET,
    StockOrder.Kind.LIMIT: messages.OrderType.LIMIT,
    StockOrder.Kind.STOP_LOSS: messages.OrderType.STOP_LIMIT,
    StockOrder.Kind.STOP_LOSS_MARKET: messages.OrderType.STOP_MARKET,
}
PRODUCTS = {
    StockOrder.Product.DELIVERY: messages.Product.DELIVERY,
    StockOrder.Product.INTRADAY: messages.Product.INTRADAY,
}


class OdinAdapter:
    """See the head of this file."""

    capability = Capability(
        code=CODE,
        name="ODIN Connector",
        how="Link your broker once a day, then confirm on its page.",
        kinds=tuple(KINDS),
        needs_link=True,
        mixed=True,
        after_market=True,
        news="Your broker tells us of every order and trade. Where it does not, we ask you.",
        may_stay_silent=True,
    )

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """ODIN knows the basket under its reference; the answer is its page, good once, with the day's session."""
        at = clock.now()
        session = account.session_at(at) if account else ""
        if account is None or not session:
            raise errors.NotAuthorised(CODE, "POST", BUTTON, said="no session for today")
        ref = references.allocate(order=order, length=RECO_ID_LENGTH, at=at).ref
        try:
            basket = messages.Basket(reco_id=ref, client_code=account.account_ref, lines=_wire(lines))
            page = client().create_button_request(session, basket, about(order, our_ref=ref))
        except errors.Refused as refusal:
            if order.state != lifecycle.CREATED:
                raise InWork from refusal
            raise
        return Prepared("", page_url=page.data, account_ref=account.account_ref)

    def look(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> BasketSnapshot | None:
        """What OMEX has told of the journey until now; None while that is nothing."""
        stream.catch_up_for_a_look(at=clock.now())
        return told(order, lines)


def told(order: BasketOrder, lines: list[StockOrder]) -> BasketSnapshot | None:
    """What the kept messages say of the journey; nobody is asked."""
    events = list(OmexEvent.objects.filter(basket_order=order))
    return snapshots.of(order, lines, _tokens(lines), events)


def _tokens(lines: list[StockOrder]) -> dict[int, str]:
    ids = [line.security_id for line in lines]
    found = SecurityCode.objects.filter(broker=CODE, segment=str(SEGMENT.value), security_id__in=ids)
    return dict(found.values_list("security_id", "code"))


def _wire(lines: list[StockOrder]) -> tuple[messages.Line, ...]:
    """The lines in ODIN's words. Raises Refused for a share that ODIN has no token for: nothing was sent."""
    tokens = _tokens(lines)
    missing = [line.security.symbol for line in lines if line.security_id not in tokens]
    if missing:
        raise errors.Refused(CODE, "POST", BUTTON, said=f"no token for {', '.join(missing)}", code="no_token")
    return tuple(_line(line, int(tokens[line.security_id])) for line in lines)


def _line(line: StockOrder, token: int) -> messages.Line:
    return messages.Line(
        segment=SEGMENT,
        token=token,
        side=messages.Side[line.side],
        quantity=line.quantity,
        order_type=KINDS[StockOrder.Kind(line.kind)],
        price=line.price or Decimal(0),
        trigger_price=line.trigger or Decimal(0),
        product=PRODUCTS[StockOrder.Product(line.product)],
        validity=messages.Validity.IOC if line.is_immediate else messages.Validity.DAY,
    )
