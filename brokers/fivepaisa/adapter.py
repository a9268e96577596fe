"""5paisa for `orders`: we place every share ourselves in the investor's session, and read the books of the day.

    prepare    nothing is sent: the session is there, and the money that the order needs
    place      one share, under its own reference (`RemoteOrderID`), once
    find       a share whose answer was lost: order status first, then the whole book (reliability.md, 5paisa)
    read       what changed of the account's orders, with the executions

The book's words and the status's words are one vocabulary here (providers.md 7 #25). An answer without a line of ours
is no news: 5paisa leaves out what it does not know, and its books are those of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from brokers.adapter import Capability, Prepared
from brokers.fivepaisa import messages, requests
from brokers.fivepaisa.auth import Session
from brokers.fivepaisa.client import client
from brokers.models import BrokerAccount
from brokers.native import Booked, Margin, NoSession, Position, Terms, TooLittleMoney
from orders import lifecycle
from orders.models import BasketOrder, SecurityCode, StockChange, StockOrder
from orders.operations.stock_reports import Held
from orders.stock_snapshots import LineSnapshot
from portal.gateway import errors
from portal.gateway.journal import About, about, fenced

CODE = "5paisa"
PLACE_PATH, CHANGE_PATHS = "PlaceOrderRequest", ("ModifyOrderRequest", "CancelOrderRequest")
NSE = requests.Exchange.NSE
SIDES = {StockOrder.Side.BUY: requests.Side.BUY, StockOrder.Side.SELL: requests.Side.SELL}
OUR_SIDES = {"B": StockOrder.Side.BUY, "S": StockOrder.Side.SELL}
STATES: dict[str, str | None] = {
    messages.OrderStatus.PLACED: lifecycle.PLACED,
    messages.OrderStatus.PENDING: lifecycle.PLACED,
    messages.OrderStatus.OPEN: lifecycle.PLACED,
    messages.OrderStatus.MODIFIED: lifecycle.PLACED,
    messages.OrderStatus.XMITTED: lifecycle.PLACED,
    messages.OrderStatus.PARTIALLY_EXECUTED: lifecycle.PARTLY_FILLED,
    messages.OrderStatus.FULLY_EXECUTED: lifecycle.FILLED,
    messages.OrderStatus.CANCELLED: lifecycle.CANCELLED,
    messages.OrderStatus.REJECTED_BY_5P: lifecycle.REJECTED,
    messages.OrderStatus.REJECTED_BY_EXCH: lifecycle.REJECTED,
    messages.OrderStatus.UNKNOWN: None,
}


REFUSED = (lifecycle.REJECTED, lifecycle.CANCELLED)


class FivePaisaAdapter:
    """See the head of this file."""

    capability = Capability(
        code=CODE,
        name="5paisa",
        how="Log in at 5paisa once a day, then place and follow every share here.",
        kinds=tuple(StockOrder.Kind),
        needs_link=True,
        mixed=True,
        after_market=True,
        news="We ask 5paisa for the state of every share until all are final.",
        native=True,
    )

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """The account can be traded in and has the money for the buys. Raises NoSession and TooLittleMoney.

        Money from sells of the same order is not counted by 5paisa beforehand, so mixed orders are not held up.
        """
        session = session_of(account)
        if all(line.side == StockOrder.Side.BUY for line in lines):
            needs = self.margin(account, lines)
            if not needs.is_enough:
                raise TooLittleMoney(needs.needed, needs.available)
        return Prepared("", account_ref=session.client_code)

    # --- One share at a time ------------------------------------------------------------------------------------------

    def place(self, line: StockOrder, account: BrokerAccount) -> LineSnapshot:
        """POST one share. Taken by 5paisa's risk management is not yet executed (providers.md 4.3)."""
        told = fenced(line, our_ref=line.client_ref, attempt_no=line.attempt_no)
        taken = client().create_order(session_of(account), new_order(line), told)
        return _snapshot(line, lifecycle.PLACED, "taken", provider_ref=taken.broker_order_id)

    def find(self, line: StockOrder, account: BrokerAccount) -> list[LineSnapshot]:
        """Every order at 5paisa under the line's reference: none, one, or more than there may be."""
        session, told = session_of(account), about(account, our_ref=line.client_ref)
        rows = client().fetch_order_statuses(session, [(NSE, line.client_ref)], about=told)
        found = [_of_status(line, row) for row in rows]
        if found and all(each.state not in REFUSED for each in found):
            return found
        # The status may be empty though the book has it (py5paisa #80), and only the book gives reasons.
        return [each.line for each in self.read(account) if each.line.client_ref == line.client_ref] or found

    def read(self, account: BrokerAccount, *, updated_in_last_s: int = 0) -> list[Booked]:
        """The account's orders of the day, or those that changed lately, with their executions."""
        session, told = session_of(account), about(account)
        book = client().fetch_order_book(session, updated_in_last_s=updated_in_last_s, about=told)
        trades = _by_order(client().fetch_trade_book(session, about=told)) if any(o.traded_qty for o in book) else {}
        return [_booked(order, trades.get(order.exch_order_id, ())) for order in book]

    def change(self, change: StockChange, account: BrokerAccount) -> None:
        """POST a change or the cancellation of an open share."""
        line, session = change.stock_order, session_of(account)
        told = fenced(change, our_ref=line.client_ref, attempt_no=change.attempt_no)
        if change.kind == StockChange.Kind.CANCEL:
            client().cancel_order(session, line.exchange_ref, told)
            return
        wanted = requests.Change(
            exch_order_id=line.exchange_ref,
            price=change.price or Decimal(0),
            quantity=change.quantity,
            trigger_price=change.trigger,
        )
        client().update_order(session, wanted, told)

    def reason(self, said: str, code: str) -> str:
        """Our code for a refusal."""
        return failure_code("refused", said, code)

    # --- Money --------------------------------------------------------------------------------------------------------

    def margin(self, account: BrokerAccount | None, lines: Sequence[StockOrder]) -> Margin:
        """What these lines need together, and what there is."""
        wanted = [
            requests.MarginLine(
                scrip=scrip(line, codes),
                side=SIDES[StockOrder.Side(line.side)],
                quantity=line.quantity,
                price=line.price or line.trigger or Decimal(0),
                intraday=line.product == StockOrder.Product.INTRADAY,
            )
            for codes in [codes_of(line.security_id for line in lines)]
            for line in lines
        ]
        told = about(account) if account else About()
        said = client().fetch_multi_order_margin(session_of(account), wanted, cover_positions=True, about=told)
        return Margin(said.total_margin_required, said.available_margin)

    def terms(self, account: BrokerAccount, line: StockOrder) -> Terms:
        """Last price and circuit limits. Raises Refused where 5paisa lists no such share."""
        found = client().fetch_snapshots(session_of(account), [scrip(line, codes_of([line.security_id]))])
        if not found:
            raise errors.Refused(CODE, "POST", "MarketSnapshot", said="no such share")
        return Terms(found[0].last_traded_price, found[0].lower_circuit_limit, found[0].upper_circuit_limit)

    # --- What is held -------------------------------------------------------------------------------------------------

    def positions(self, account: BrokerAccount) -> list[Position]:
        """Today's trades, net, by share."""
        return [_position(each) for each in client().fetch_positions(session_of(account), about=about(account))]

    def holdings(self, account: BrokerAccount, positions: Sequence[Position]) -> list[Held]:
        """What can be sold, by ISIN; what was bought today for delivery stands beside it, not in it."""
        found = client().fetch_holdings(session_of(account), about=about(account))
        coming = {each.symbol: each.net for each in positions if each.net > 0 and not each.is_intraday}
        held = [
            Held(
                each.isin,
                each.symbol,
                each.quantity,
                coming.pop(each.symbol, 0),
                _price(each.avg_rate),
                each.poa_signed,
            )
            for each in found
        ]
        bought = {each.symbol: each.average for each in positions}
        return held + [Held("", symbol, 0, net, bought[symbol]) for symbol, net in coming.items()]


# --- Our words -> 5paisa's --------------------------------------------------------------------------------------------


def session_of(account: BrokerAccount | None) -> Session:
    """The session of an account. Raises NoSession."""
    if account is None or not account.session:
        raise NoSession
    return Session(account.account_ref, account.session)


def codes_of(security_ids: Iterable[int]) -> dict[int, int]:
    """5paisa's scrip codes at NSE by security; those that its master did not bring are asked for by symbol."""
    rows = SecurityCode.objects.filter(broker=CODE, segment="N", security_id__in=list(security_ids))
    return {pk: int(code) for pk, code in rows.values_list("security_id", "code") if code.isdecimal()}


def scrip(line: StockOrder, codes: dict[int, int]) -> requests.Scrip:
    """The share as 5paisa calls it: by code, or by `SYMBOL_SERIES` (document 004, ScripData format)."""
    code = codes.get(line.security_id, 0)
    symbol = "" if code else f"{line.security.symbol}_{line.security.series}"
    return requests.Scrip(exchange=NSE, code=code, symbol=symbol)


def new_order(line: StockOrder) -> requests.NewOrder:
    """A line as 5paisa's order. Market is price 0, a stop-loss has its trigger beside it."""
    return requests.NewOrder(
        scrip=scrip(line, codes_of([line.security_id])),
        side=SIDES[StockOrder.Side(line.side)],
        quantity=line.quantity,
        price=line.price or Decimal(0),
        trigger_price=line.trigger or Decimal(0),
        intraday=line.product == StockOrder.Product.INTRADAY,
        validity=requests.Validity.IOC if line.is_immediate else requests.Validity.DAY,
        after_market=line.is_after_market,
        remote_order_id=line.client_ref,
    )


# --- 5paisa's words -> ours -------------------------------------------------------------------------------------------


def _snapshot(line: StockOrder, state: str | None, word: str, **more: object) -> LineSnapshot:
    return LineSnapshot(
        symbol=line.security.symbol,
        side=line.side,
        state=state,
        their_word=word,
        quantity=line.quantity,
        client_ref=line.client_ref,
        **more,  # type: ignore[arg-type]
    )


def state_of(status: messages.OrderStatus, asked: int, traded: int) -> str | None:
    """Our state; executed means all of it, and a part of an open order is a part."""
    state = STATES[status]
    if state == lifecycle.FILLED and traded < asked:
        return lifecycle.PARTLY_FILLED
    if state == lifecycle.PLACED and 0 < traded < asked:
        return lifecycle.PARTLY_FILLED
    return lifecycle.FILLED if state == lifecycle.PLACED and asked and traded == asked else state


def _of_status(line: StockOrder, said: messages.StatusOfOrder) -> LineSnapshot:
    state = state_of(said.status, said.order_qty, said.traded_qty)
    refused = state in REFUSED
    return LineSnapshot(
        symbol=line.security.symbol,
        side=line.side,
        state=state,
        their_word=said.status,
        quantity=said.order_qty,
        filled=said.traded_qty,
        average_price=_price(said.average_price),
        exchange_ref=said.exch_order_id,
        client_ref=line.client_ref,
        failure_code=failure_code(said.status, "") if refused else "",
    )


def _booked(said: messages.BookedOrder, trades: Sequence[messages.Trade]) -> Booked:
    """An order of the book. Its executions count where the book itself names no average."""
    asked = said.qty or said.traded_qty + said.pending_qty
    state = state_of(said.order_status, asked, said.traded_qty)
    refused = state in REFUSED
    line = LineSnapshot(
        symbol=said.scrip_name,
        side=OUR_SIDES.get(said.buy_sell[:1].upper(), ""),
        state=state,
        their_word=said.order_status,
        quantity=asked,
        filled=said.traded_qty,
        average_price=_price(said.average_price) or _average(trades, said.traded_qty),
        provider_ref=said.broker_order_id,
        exchange_ref=said.exch_order_id,
        client_ref=said.remote_order_id,
        failure_code=failure_code(said.order_status, said.reason) if refused else "",
        failure_text=said.reason if refused else "",
    )
    return Booked(
        line,
        price=said.rate,
        trigger=said.trigger_rate,
        at=said.broker_order_time,
        is_after_market=bool(said.after_hours),
        is_intraday=said.delv_intra == "I",
        is_at_market=bool(said.at_market),
    )


def _by_order(trades: Iterable[messages.Trade]) -> dict[str, list[messages.Trade]]:
    found: dict[str, list[messages.Trade]] = {}
    for trade in trades:
        found.setdefault(trade.exch_order_id, []).append(trade)
    return found


def _price(said: Decimal | None) -> Decimal | None:
    return said if said and said > 0 else None


def _average(trades: Sequence[messages.Trade], traded: int) -> Decimal | None:
    """The average of the executions, when they are all of what the order says was traded."""
    shares = sum(each.qty for each in trades)
    if not shares or shares != traded:
        return None
    worth = sum((each.rate * each.qty for each in trades), Decimal(0))
    return (worth / shares).quantize(Decimal("0.0001"))


def _position(said: messages.Position) -> Position:
    return Position(
        symbol=said.scrip_name,
        bought=said.buy_qty,
        sold=said.sell_qty,
        net=said.net_qty,
        average=_price(said.average_rate),
        last=_price(said.last_rate),
        is_intraday=said.product == "I",
    )


# What 5paisa writes about a refusal, and our one code for it (orders/stock_words.py). Found by its words, because it
# gives no codes in the books.
_REASONS = (
    ("exchange is closed", "market_closed"),
    ("margin shortage", "marginsExceeded"),
    ("authoris", "not_authorised_sale"),
    ("holding", "checkHoldings"),
    ("circuit", "circuit"),
    ("tick size", "tick_size"),
    ("immediate or cancel", "orderUnmatched"),
    ("validity is over", "orderUnmatched"),
    ("intraday orders", "intraday_over"),
)
# The codes of 5paisa's risk management (document 004 and its samples).
_RMS = {"RMS:-15": "market_closed"}


def failure_code(status: str, reason: str, code: str = "") -> str:
    """Our code for why a share was not executed; their status where they say no more."""
    said = reason.lower()
    known = next((ours for part, ours in _REASONS if part in said), "")
    return known or _RMS.get(code, "") or (code or status)[:60]
