"""Telling an investor about an order: inside the transaction that makes it true, each thing once."""

from __future__ import annotations

from datetime import date, datetime

from django.urls import reverse

from investors.models import Investor
from orders import calendar, lifecycle, notice_words, words
from orders.models import MfOrder
from portal import money
from portal.notices import catalogue, writing

TOLD = {event.key for event in notice_words.EVENTS}
# A failed instalment is told of once, by its SIP, with what it means for the SIP (`plan_notices.DEBIT_FAILED`).
TOLD_BY_THE_SIP = {"order.rejected", "order.expired"}
# Ends after which people ask where their money is.
_UNPAID = "If money has left your bank for it, it comes back to the same account, usually within seven working days."
_SALE = "No units were sold; they are all still yours."


def tell(order: MfOrder, event: str, *, at: datetime, about: str = "", why: str = "") -> None:
    """The investor knows of `event` (a key of `notice_words`), with the order as it stands now. Others are not told."""
    if event not in TOLD or not catalogue.has(event) or (order.plan_id and event in TOLD_BY_THE_SIP):
        return
    user_id = Investor.objects.values_list("user_id", flat=True).get(pk=order.investor_id)
    is_sale = order.kind != MfOrder.Kind.PURCHASE
    writing.tell(
        user_id=user_id,
        event=event,
        subject=order,
        url=reverse("orders:detail", args=[order.code]),
        at=at,
        about=about,
        facts=_facts(order),
        scheme=order.scheme.name,
        asked=order.asked.in_words,
        why=why or words.reason(order.failure_code, order.failure_text),
        money=_SALE if is_sale else _UNPAID,
    )


def tell_of_payment(*, order_id: int, event: str, at: datetime, payment: str, code: str = "", text: str = "") -> None:
    """The same for a step of a payment; each payment is told about by itself."""
    if event in TOLD:
        order = MfOrder.objects.select_related("scheme", "folio", "bank_account").get(pk=order_id)
        why = words.reason(code, text) or "The payment did not go through."
        tell(order, event, at=at, about=payment, why=why)


def _facts(order: MfOrder) -> list[tuple[str, str]]:
    through, is_sold = order.allotted_units is not None, order.state == lifecycle.REDEEMED
    price = f"₹{money.number(order.allotted_nav or money.ZERO, 4)} of {_day(order.allotted_on)}"
    return [
        ("Scheme", order.scheme.name),
        ("Asked for", order.asked.in_words),
        ("Units", money.number(order.allotted_units or money.ZERO, 3) if through else ""),
        ("NAV", price if through else ""),
        ("You get", money.rupees(order.allotted_amount) if is_sold and order.allotted_amount else ""),
        ("Paid into", str(order.bank_account) if is_sold else ""),
        ("Money by", _day(order.payout_by) if is_sold else ""),
        ("Done as", order.get_redeemed_as_display() if order.redeemed_as != order.redemption_mode else ""),
        ("Folio", order.folio.number if order.folio else ""),
        ("Order", order.code),
    ]


def _day(day: date | None) -> str:
    return calendar.short(day) if day else ""
