"""What an investor can still do about a consent that was given: a table by purpose. Pure; texts and addresses only."""

from __future__ import annotations

from dataclasses import dataclass

from investors.models import Consent

Purpose = Consent.Purpose


@dataclass(frozen=True)
class Way:
    """Whether it can be taken back, in words, and the page where that is done: a URL name, or empty."""

    words: str
    where: str = ""
    button: str = ""


CARRIED_OUT = Way("It was for one order. An order that was sent cannot be taken back by taking back the yes to it.")
WAYS: dict[str, Way] = {
    Purpose.PURCHASE: CARRIED_OUT,
    Purpose.CART: CARRIED_OUT,
    Purpose.REDEMPTION: CARRIED_OUT,
    Purpose.SIP: Way("It ends with the SIP, which you can stop at any time.", "orders:sips", "Your SIPs"),
    Purpose.MANDATE: Way(
        "You can take it back at any time: cancel the mandate.", "investors:mandates", "Your mandates"
    ),
    Purpose.CHANGE: Way(
        "While the change waits you can withdraw it; afterwards you can change it again.",
        "investors:changes",
        "Your changes",
    ),
    Purpose.NOMINATION: Way(
        "You can name somebody, or somebody else, at any time.", "investors:profile", "Your nominees"
    ),
}
