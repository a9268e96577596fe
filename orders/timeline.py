"""One timeline per order: what happened and how we know, who has the money now, what comes next and by when.

    purchase    confirmed -> registered -> paid -> with the clearing -> with the fund house -> allotted -> confirmed
    sale        confirmed -> registered -> units sold -> money in the bank -> confirmed

The last step is the registrar's: the daily comparison (`portal/management/reconciliation.py`) finds the same units in
FP's holdings report, which is made from the registrars' own data. What is expected follows from the rules in
`orders/rules.py` and `orders/redemption_rules.py`: before the payment as if it were made now, after it from its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from orders import calendar, lifecycle, payment_failures, plan_rules, rules, words
from orders.models import MfOrder
from orders.queries.orders import moment
from orders.rulebook import Book
from portal import money
from portal.audit import Told
from portal.clock import IST


@dataclass(frozen=True)
class Step:
    """One line of the timeline, as `components/_timeline.html` takes it."""

    title: str
    text: str
    at: str
    status: str
    # Who has the money (of a sale: the units) from here on, and by when the step is expected.
    money: str = ""
    expected: str = ""


# --- What happened ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """What an entry of the audit log means to the investor: a title, the evidence, and where the money is after it."""

    title: str
    evidence: str = ""
    status: str = "done"
    money: str = ""


_BANK, _BACK = "in your bank account", "on its way back to your bank account"
_NOBODY_KNOWS = "in your bank account, or just leaving it: the bank has not told us yet"
# Where a failed payment may have moved money; `payment_failures` says of which failures that is so.
_AFTER_FAILURE = "in your bank account, or on its way back to it"
_CLEARING = "debited from your bank; with the payment's clearing, not with us"
_TRAVELS = "between the clearing and the fund house"
_HOUSE, _UNITS = "with the fund house", "in units of the fund"
_YOURS = "the units are in your folio"

# Entries that are not listed are for operations only.
HAPPENED: dict[str, Heard] = {
    "order.created": Heard("You confirmed the order", "with a one-time code", money=_BANK),
    "order.outcome_unknown": Heard(
        "The answer was lost", "we began to check whether the order arrived", "checking", _BANK
    ),
    "order.awaiting_payment": Heard("The order is registered", "it waits for your payment", money=_BANK),
    "order.instalment": Heard("The instalment of your SIP was ordered", "your bank is asked for it", money=_BANK),
    "payment.handed_over": Heard("You opened the payment page", money=_NOBODY_KNOWS),
    "payment.debit_arranged": Heard(
        "The debit is arranged", "your bank is asked for it under your mandate", money=_BANK
    ),
    "payment.failed": Heard("A payment did not go through", "", "failed", _AFTER_FAILURE),
    "payment.expired": Heard("A payment page was not used", "", "failed", _AFTER_FAILURE),
    "payment.late": Heard("A payment went through after all", "we had held it as failed", money=_CLEARING),
    "payment.paid_twice": Heard(
        "Your bank was debited a second time", "we follow the second payment as a case", "checking"
    ),
    "payment.refund_overdue": Heard("The day by which the money should be back has passed", "", "checking"),
    "order.paid": Heard("Your bank confirmed the payment", money=_CLEARING),
    "payment.transferred": Heard("The money left the clearing", money=_TRAVELS),
    "payment.settled": Heard("The money has arrived at the fund house", money=_HOUSE),
    "order.placed": Heard("The order is with the fund house"),
    "order.allotted": Heard("Units allotted", money=_UNITS),
    "order.confirmed": Heard("Confirmed by the registrar", "its record holds the same units", money=_UNITS),
    "order.investor_told": Heard("We wrote to you"),
    "order.case_opened": Heard("We noticed a delay and look into it", "", "checking"),
    "order.case_closed": Heard("The delay is settled"),
    "order.asked_about": Heard("You asked us about it", "your question is a case"),
    "order.rejected": Heard("The order was not accepted", "", "failed"),
    "order.expired": Heard("The order expired", "", "failed"),
    "order.cancelled": Heard("The order was cancelled", "", "failed"),
    "order.reversed": Heard("The fund house took the order back", "", "failed", _BACK),
}
# Where a sale reads otherwise.
_SOLD = "the fund house owes you the money"
SALE_HAPPENED: dict[str, Heard] = {
    **HAPPENED,
    "order.created": Heard("You confirmed the sale", "with a one-time code", money=_YOURS),
    "order.outcome_unknown": replace(HAPPENED["order.outcome_unknown"], money=_YOURS),
    "order.placed": Heard("The sale is registered", "the fund house works on it", money=_YOURS),
    "order.redeemed": Heard("Units sold", money=_SOLD),
    "order.confirmed": Heard("Confirmed by the registrar", "its record no longer holds these units", money=_SOLD),
    "order.rejected": Heard("The sale was not accepted", "", "failed", _YOURS),
    "order.cancelled": Heard("The sale was cancelled", "", "failed", _YOURS),
    "order.reversed": Heard("The fund house took the sale back", "", "failed", _YOURS),
}
SWITCH_HAPPENED: dict[str, Heard] = {
    "order.read": Heard("Read from the order system", "it was made outside this portal"),
    "order.redeemed": Heard("Switched"),
    "order.rejected": Heard("The switch was not accepted", "", "failed", _YOURS),
    "order.cancelled": Heard("The switch was cancelled", "", "failed", _YOURS),
    "order.reversed": Heard("The fund house took the switch back", "", "failed", _YOURS),
    "order.asked_about": HAPPENED["order.asked_about"],
}
# A code of somebody else's time within an entry: when the bank, or FP, says that it happened.
_THEIR_TIME = {
    "order.paid": "debited_at",
    "payment.transferred": "transferred_at",
    "payment.settled": "settled_at",
}


def _step(entry: Told, heard: Heard, order: MfOrder) -> Step:
    why = words.reason(str(entry.data.get("code", "")), str(entry.data.get("text", "")))
    at, money = their_time(entry), _money_after(entry, heard)
    return Step(heard.title, why or _evidence(entry, order) or heard.evidence, moment(at), heard.status, money)


def _money_after(entry: Told, heard: Heard) -> str:
    """Where the money is after a step. Of a failed payment the catalogue of failures says whether it can have left."""
    if entry.action not in ("payment.failed", "payment.expired"):
        return heard.money
    code, text = (str(entry.data.get(name, "")) for name in ("code", "text"))
    why = payment_failures.of(code, text, was_out=bool(entry.data.get("was_out")))
    known = {payment_failures.Money.STAYED: _BANK, payment_failures.Money.LEFT: _BACK}
    return known.get(why.money, heard.money)


def _evidence(entry: Told, order: MfOrder) -> str:
    """What proves a step, where the order itself or the entry knows it."""
    if entry.action == "order.allotted" and order.allotted_units and order.folio:
        units, nav = money.number(order.allotted_units, 3), money.number(order.allotted_nav or Decimal(0), 4)
        return f"{units} units at ₹{nav} in folio {order.folio.number}"
    if entry.action in ("order.paid", "payment.transferred", "payment.settled") and entry.data.get("payment"):
        return f"payment {entry.data['payment']}"
    if entry.action == "order.awaiting_payment" and order.provider_ref:
        return f"as number {order.provider_ref} of the order system; it waits for your payment"
    if entry.action == "order.investor_told":
        return str(entry.data.get("title", ""))
    if entry.action in ("order.case_opened", "order.case_closed", "payment.refund_overdue"):
        return str(entry.data.get("words", ""))
    return ""


def their_time(entry: Told) -> datetime:
    """When a step happened by the word of the bank or FP; else when we heard of it."""
    said = entry.data.get(_THEIR_TIME.get(entry.action, ""))
    return datetime.fromisoformat(said) if said else entry.at


# --- What is expected -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """The dates of an order as they look now."""

    nav_on: date
    # The day on which the money of a purchase must be with the fund house, or on which a sale counts.
    counts_on: date
    units_by: date
    registrar_by: date
    payout_by: date | None = None
    # Until when a purchase can be paid for these dates to hold.
    pay_before: datetime | None = None


def expected(
    order: MfOrder, *, paid_at: datetime | None, at: datetime, holidays: frozenset[date], book: Book
) -> Expected:
    """By the rules: from the time of the payment, or for an unpaid purchase as if it were paid at `at`."""
    if order.kind != MfOrder.Kind.PURCHASE:
        return _of_sale(order, holidays)
    stamped_at = _paid_as_if(order, at) if paid_at is None else max(order.placed_at, paid_at)
    on = stamped_at.astimezone(IST).date()
    found = rules.predict_nav_day(
        at=stamped_at,
        category=order.scheme.category,
        method=_rail(order.payment_method, is_debited=paid_at is not None, book=book, on=on),
        holidays=holidays,
        book=book,
    )
    liquid = rules.gets_the_day_before(order.scheme.category, book=book, on=on)
    counts_on = found.nav_on + calendar.ONE_DAY if liquid else found.nav_on
    registrar_by = calendar.next_business_day(found.allotment_by, holidays)
    # The instalment of a SIP is debited without the investor: nothing is to be paid before an hour.
    pay_before = None if order.instalment_on else found.pay_before
    return Expected(found.nav_on, counts_on, found.allotment_by, registrar_by, pay_before=pay_before)


def _paid_as_if(order: MfOrder, at: datetime) -> datetime:
    """When an unpaid purchase is taken to be paid: now; an instalment in the morning of its date, as was promised."""
    return plan_rules.asked_at(order.instalment_on) if order.instalment_on else max(order.placed_at, at)


def _rail(method: str, *, is_debited: bool, book: Book, on: date) -> str:
    """A mandate's debit that the bank has confirmed still travels a day, as money of a nodal account does."""
    rail = "NODAL" if is_debited and method == "NACH" else method
    return rail if book.find("payment_days", rail, on=on) else "UPI"


def _of_sale(order: MfOrder, holidays: frozenset[date]) -> Expected:
    sold_by = calendar.next_business_day(order.predicted_nav_on, holidays)
    return Expected(
        nav_on=order.predicted_nav_on,
        counts_on=order.predicted_nav_on,
        units_by=sold_by,
        registrar_by=calendar.next_business_day(sold_by, holidays),
        payout_by=order.payout_by,
    )


def predicted_units_by(order: MfOrder, holidays: frozenset[date], book: Book) -> date:
    """By when the units were to be there when the investor said yes: it follows from the NAV day that was promised,
    and from the rules of the day of the order."""
    if order.kind != MfOrder.Kind.PURCHASE:
        return calendar.next_business_day(order.predicted_nav_on, holidays)
    category, on = order.scheme.category, order.placed_at.astimezone(IST).date()
    liquid = rules.gets_the_day_before(category, book=book, on=on)
    counts_on = order.predicted_nav_on + calendar.ONE_DAY if liquid else order.predicted_nav_on
    return calendar.after(counts_on, 1 + rules.nav_lag(category, book=book, on=on), holidays)


# --- What is still to come --------------------------------------------------------------------------------------

_CREATED, _UNPAID = "Order registered", "Payment"
_PAYOUT, _REGISTRAR = "Money in your bank account", "Confirmed by the registrar"
# A hop and the entries that prove it, in their order; by kind of order and gateway.
_RTA = (
    (_CREATED, ("order.awaiting_payment",)),
    (_UNPAID, ("order.paid",)),
    ("Through the clearing", ("payment.transferred",)),
    ("Order and money with the fund house", ("payment.settled", "order.placed")),
    ("Units allotted", ("order.allotted",)),
    (_REGISTRAR, ("order.confirmed",)),
)
_BSE = (
    ("Order registered at the exchange", ("order.placed",)),
    (_UNPAID, ("order.paid",)),
    ("Through the clearing", ("payment.transferred",)),
    ("Money with the fund house", ("payment.settled",)),
    ("Units allotted", ("order.allotted",)),
    (_REGISTRAR, ("order.confirmed",)),
)
_SALE = (
    ("Sale registered", ("order.placed",)),
    ("Units sold", ("order.redeemed",)),
    (_PAYOUT, ()),
    (_REGISTRAR, ("order.confirmed",)),
)
# How many hops a state alone proves.
_PROVEN = {
    "RTA": {lifecycle.AWAITING_PAYMENT: 1, lifecycle.PAID: 2, lifecycle.PLACED: 4, lifecycle.ALLOTTED: 5},
    "BSE": {lifecycle.PLACED: 1, lifecycle.AWAITING_PAYMENT: 1, lifecycle.PAID: 2, lifecycle.ALLOTTED: 5},
    "SALE": {lifecycle.PLACED: 1, lifecycle.REDEEMED: 2},
    "SWITCH": {lifecycle.PLACED: 1, lifecycle.REDEEMED: 2},
}
_SWITCH = (("Switch read", ("order.read",)), ("Switched", ("order.redeemed",)))
_HOPS = {"RTA": _RTA, "BSE": _BSE, "SALE": _SALE, "SWITCH": _SWITCH}


def to_come(order: MfOrder, seen: set[str]) -> Sequence[str]:
    """Titles of the hops that have not happened yet; none for an order that ended without units."""
    if order.state not in (*lifecycle.OPEN, lifecycle.ALLOTTED, lifecycle.REDEEMED):
        return ()
    way = _way(order)
    hops = _HOPS[way]
    done = [number + 1 for number, (_, proofs) in enumerate(hops) if seen & set(proofs)]
    first = max(_PROVEN[way].get(order.state, 0), *done, 0)
    return [title for title, _ in hops[first:]]


def _way(order: MfOrder) -> str:
    if order.kind.startswith("SWITCH"):
        return "SWITCH"
    return order.gateway if order.kind == MfOrder.Kind.PURCHASE else "SALE"


def _told(order: MfOrder) -> dict[str, Heard]:
    return {"SWITCH": SWITCH_HAPPENED, "SALE": SALE_HAPPENED}.get(_way(order), HAPPENED)


# The day by which a hop is expected, where it is a day. (An instalment's payment; others are awaited at a time.)
_DAYS: dict[str, Callable[[Expected], date | None]] = {
    _UNPAID: lambda dates: dates.counts_on,
    _PAYOUT: lambda dates: dates.payout_by,
    "Through the clearing": lambda dates: dates.counts_on,
    "Order and money with the fund house": lambda dates: dates.counts_on,
    "Money with the fund house": lambda dates: dates.counts_on,
    "Units allotted": lambda dates: dates.units_by,
    "Units sold": lambda dates: dates.units_by,
    _REGISTRAR: lambda dates: dates.registrar_by,
}


def _by(title: str, dates: Expected, today: date) -> str:
    """By when a hop is expected; of a day that has passed it is said that it has."""
    if title == _UNPAID and dates.pay_before:
        by = dates.pay_before.astimezone(IST)
        return f"before {by:%H:%M} on {calendar.short(by.date())} for the NAV of {calendar.short(dates.nav_on)}"
    if title == "Switched":
        return ""
    if title not in _DAYS:
        return "within a minute"
    on = _DAYS[title](dates)
    if on is None:
        return ""
    words = f"by {calendar.short(on)}"
    if title in ("Units allotted", "Units sold"):
        words += f", at the NAV of {calendar.short(dates.nav_on)}"
    return words + _PASSED.get(title, ". That day has passed: it is late") if on < today else words


# Nobody tells us when the money of a sale has reached the bank.
_PASSED = {_PAYOUT: ". If it is not there, write to us"}


# --- The whole --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timeline:
    """What the page of an order tells. `money` says where the money (of a sale: the units) is now."""

    steps: list[Step]
    money: str


def of(
    order: MfOrder, entries: list[Told], *, now_text: str, at: datetime, holidays: frozenset[date], book: Book
) -> Timeline:
    """What happened, what is happening now (`now_text`), and what is still to come, in that order."""
    told = _told(order)
    steps = [_step(entry, told[entry.action], order) for entry in _in_order(entries) if entry.action in told]
    dates = expected(order, paid_at=paid_at(entries), at=at, holidays=holidays, book=book)
    coming = to_come(order, {entry.action for entry in entries})
    is_open, today = order.state in lifecycle.OPEN, at.astimezone(IST).date()
    now = "checking" if order.is_unknown else "current"
    for number, title in enumerate(coming):
        is_now = number == 0 and is_open
        steps.append(
            Step(title, now_text if is_now else "", "", now if is_now else "todo", "", _by(title, dates, today))
        )
    return Timeline(steps, money_now(order, entries))


def paid_at(entries: list[Told]) -> datetime | None:
    """When the bank confirmed the debit; None while it has not."""
    return next((their_time(entry) for entry in entries if entry.action == "order.paid"), None)


def money_now(order: MfOrder, entries: list[Told]) -> str:
    """Who has the money, or the units of a sale, by the newest entry that says so; empty when nobody has said."""
    if order.state in (lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED):
        if order.kind != MfOrder.Kind.PURCHASE:
            return _YOURS
        was_out = any(entry.action == "payment.handed_over" for entry in entries)
        # Whoever was on the bank's page without a word from the bank: the page says what is if money did leave.
        return _BACK if paid_at(entries) else "" if was_out else _BANK
    told = _told(order)
    heard = [_money_after(entry, told[entry.action]) for entry in _in_order(entries) if entry.action in told]
    return next((where for where in reversed(heard) if where), "")


def _in_order(entries: list[Told]) -> list[Told]:
    """Without the travels of the money where we heard of the units first: they say nothing new after them."""
    through = next((n for n, entry in enumerate(entries) if entry.action == "order.allotted"), len(entries))
    travels = ("payment.settled", "payment.transferred")
    return [entry for n, entry in enumerate(entries) if entry.action not in travels or n < through]


# --- What came true ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """A date as promised, and what it became; `became` is None while nobody knows."""

    what: str
    promised: date
    became: date | None

    @property
    def is_kept(self) -> bool:
        """Did it come true, or sooner?"""
        return self.became is not None and self.became <= self.promised


def compare(order: MfOrder, holidays: frozenset[date], book: Book) -> list[Compared]:
    """The promised NAV day and the day by which units were to move, beside what came true; of a switch nothing was."""
    if order.kind.startswith("SWITCH"):
        return []
    is_through = order.state in (lifecycle.ALLOTTED, lifecycle.REDEEMED)
    through_on = order.state_since.astimezone(IST).date() if is_through else None
    nav = Compared("NAV of", order.predicted_nav_on, order.allotted_on)
    what = "Units by" if order.kind == MfOrder.Kind.PURCHASE else "Sold by"
    return [nav, Compared(what, predicted_units_by(order, holidays, book), through_on)]


def why_later(order: MfOrder, entries: list[Told], holidays: frozenset[date], book: Book) -> str:
    """Which hop made the NAV day another than promised; empty when it came true, or while nobody knows."""
    if not order.allotted_on or order.allotted_on <= order.predicted_nav_on:
        return ""
    paid = paid_at(entries)
    if order.kind == MfOrder.Kind.PURCHASE and paid:
        now = expected(order, paid_at=paid, at=paid, holidays=holidays, book=book)
        if now.nav_on > order.predicted_nav_on:
            return f"Your bank confirmed the payment on {moment(paid)}: too late for the day that we expected."
    return "The payment was in time. The fund house, or the way to it, took a day more; we keep count of such days."
