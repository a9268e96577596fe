"""What investors read about a case: what happened, what we do, and by when. Staff's own words stay with staff."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CaseWords:
    """One kind of case. `told` is the event by which its investor learned of it; it stands in the order's story too."""

    told: str
    title: str
    happened: str
    doing: str


# Money that stands still, came after all, came twice, or goes back. Kinds that are not here are for operations only.
KINDS: dict[str, CaseWords] = {
    "money_not_moving": CaseWords(
        "order.case_opened",
        "We look into a delay",
        "Your bank was debited, and the order has not moved as it should have.",
        "We ask where the money is, until you have your units or the money is back.",
    ),
    "payment_succeeded_after_all": CaseWords(
        "payment.late",
        "A payment went through after all",
        "A payment that had been reported as failed was collected.",
        "We see that it pays for this order and that no second payment is taken. Do not pay again.",
    ),
    "order_paid_twice": CaseWords(
        "payment.paid_twice",
        "This order was paid twice",
        "Your bank was debited by two payments for the same order.",
        "We get one of them back to the account it came from.",
    ),
    "order_reversed": CaseWords(
        "order.reversed",
        "The fund house took the order back",
        "The order had been carried out, and the fund house took it back.",
        "We follow your money and your units until both are where they belong.",
    ),
}
TOLD = {words.told: kind for kind, words in KINDS.items()}
