"""Cases about orders, SIPs and shares that their investors see: our words for each kind.

Imported by `orders/tasks.py`, so that every process knows them.
"""

from __future__ import annotations

from django.urls import reverse

from investors import case_words
from investors.case_words import ASKING, About, CaseWords
from investors.operations.shown_cases import QUESTION
from orders import stock_words
from orders.models import BasketOrder, MfOrder, Plan, StockOrder
from portal import money

# Entries in an order's story that tell of a case about it; a story without one costs its page no statement.
IN_THE_STORY = {
    "order.case_opened",
    "payment.late",
    "payment.paid_twice",
    "order.reversed",
    "order.asked_about",
    "payment.failed",
    "payment.refund_overdue",
}
# Where both are open the first says all that the second does.
INSTEAD_OF = {"order_paid_twice": "payment_succeeded_after_all"}

case_words.show(
    {
        # Money that stands still, came after all, came twice, or goes back.
        "money_not_moving": CaseWords(
            "We look into a delay",
            "Your bank was debited, and the order has not moved as it should have.",
            "We ask where the money is, until you have your units or the money is back.",
            is_told=True,
        ),
        "payment_succeeded_after_all": CaseWords(
            "A payment went through after all",
            "A payment that had been reported as failed was collected.",
            "We see that it pays for this order and that no second payment is taken. Do not pay again.",
            is_told=True,
        ),
        "order_paid_twice": CaseWords(
            "This order was paid twice",
            "Your bank was debited by two payments for the same order.",
            "We get one of them back to the account it came from. Do not pay again.",
            is_told=True,
        ),
        "order_reversed": CaseWords(
            "The fund house took the order back",
            "The order had been carried out, and the fund house took it back.",
            "We follow your money and your units until both are where they belong.",
            is_told=True,
        ),
        QUESTION: CaseWords(
            "You asked us",
            "You wrote to us about it.",
            "A person here reads it and answers on this page.",
            is_told=True,
        ),
        # SIPs.
        "plan_outcome_unknown": CaseWords(
            "We look for your SIP",
            "The answer to your SIP was lost, and the first look-ups did not settle it. Do not start it again.",
            ASKING,
        ),
        "plan_news_conflict": CaseWords(
            "We look into your SIP",
            "What we were told about it contradicts what we knew. We have changed nothing.",
            "A person here finds out what is true.",
        ),
        "plan_not_ended": CaseWords(
            "Your SIP has not ended in time",
            "You asked for its end, and the fund house has not confirmed it within the days that SEBI gives it.",
            "We go on asking until it has ended, and follow a debit that still happens.",
        ),
        "plan_mandate_unclear": CaseWords(
            "We find out which mandate your SIP is debited by",
            "You asked for another mandate, and the fund house has neither refused nor confirmed it.",
            "We ask until it is clear, and before the next debit.",
        ),
        "two_orders_for_one_instalment": CaseWords(
            "Two orders came for one instalment of your SIP",
            "The order system holds two orders for the same date.",
            "We find out whether both were debited, and have one of them paid back.",
        ),
        "sip_debited_after_its_end": CaseWords(
            "Your SIP was debited after its end",
            "An instalment was ordered although the SIP had ended.",
            "We follow the money until it is back, or until you have told us to keep the units.",
        ),
        # Shares.
        "stock_news_conflict": CaseWords(
            "We look into your order in shares",
            "What the broker told us contradicts what we knew. We have changed nothing.",
            "A person here finds out what is true. Your broker's contract note is what counts.",
        ),
        "broker_says_nothing": CaseWords(
            "Your broker has told us nothing",
            "The order was handed to your broker, and no word about it has come.",
            "We ask the broker. Its confirmation, or its order book where nothing was placed, settles it: send us a "
            "picture from the order's page.",
            asks_you=True,
        ),
        "stock_order_placed_twice": CaseWords(
            "Your broker holds more than one order",
            "One of your shares was placed more than once at the broker.",
            "We find out with the broker which of them counts. Look at the order book there.",
            asks_you=True,
        ),
        "stockorder_outcome_unknown": CaseWords(
            "We look for your order in shares",
            "The broker's answer was lost, and the first look-ups did not settle it. Do not order again.",
            ASKING,
        ),
        "stock_order_open_after_the_day": CaseWords(
            "An order in shares is open after the exchange's day",
            "The exchange has closed, and the broker has not told us how the order ended.",
            "We compare it with the broker's book of the day.",
        ),
    }
)


def of_order(order: MfOrder) -> About:
    """The order's own page."""
    what = f"{order.asked.in_words} in {order.scheme.name}"
    return About(order.investor_id, what, reverse("orders:detail", args=[order.code]))


def of_plan(plan: Plan) -> About:
    """The page of the SIP."""
    what = f"SIP of {money.rupees(plan.amount)} in {plan.scheme.name}"
    return About(plan.investor_id, what, reverse("orders:sip", args=[plan.code]))


def of_journey(order: BasketOrder) -> About:
    """The page of the journey."""
    name = stock_words.name(order, list(order.lines.select_related("security")))
    return About(order.investor_id, name, reverse("brokers:order", args=[order.code]))


def of_share(line: StockOrder) -> About:
    """One share of a journey; it stands on the page of the journey."""
    order = line.basket_order
    what = f"{line.get_side_display().capitalize()} {line.quantity} {line.security.name}"
    return About(order.investor_id, what, reverse("brokers:order", args=[order.code]))


case_words.about(MfOrder, of_order)
case_words.about(Plan, of_plan)
case_words.about(BasketOrder, of_journey)
case_words.about(StockOrder, of_share)
