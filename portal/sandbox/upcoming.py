"""What shall become of the next of something, said before it comes: a person in a demo presses first and invests then.

Each is on for one, and used up by whichever comes first. The amounts, PANs and account numbers that decide by
themselves (see the README) go on deciding for all others.
"""

from __future__ import annotations

from .web import Problem
from .world import World

PAYMENT, ORDER, MANDATE, KYC = "payment", "order", "mandate", "kyc"
WORDS = {
    PAYMENT: "the next payment at the bank's page times out and succeeds later",
    ORDER: "the next order that reaches the fund house is refused",
    MANDATE: "the next e-mandate is rejected by the bank",
    KYC: "the next fresh KYC is sent back",
}


def _key(what: str) -> str:
    return f"next.{what}"


def expect(world: World, what: str) -> str:
    """Returns what will happen, in words. Raises Problem 400."""
    if what not in WORDS:
        raise Problem(400, f"what is one of {', '.join(WORDS)}")
    world.set_meta(_key(what), "1")
    return WORDS[what]


def expected(world: World) -> list[str]:
    return [what for what in WORDS if world.meta(_key(what))]


def forget(world: World) -> None:
    for what in expected(world):
        world.set_meta(_key(what), "")


def take(world: World, what: str) -> bool:
    """Whether this one is the next that was meant; the one after it is not."""
    if not world.meta(_key(what)):
        return False
    with world.transaction():
        meant = bool(world.meta(_key(what)))
        world.set_meta(_key(what), "")
    return meant


def _expect(world: World, form: dict[str, str]) -> str:
    return expect(world, form["what"])


def _forget(world: World, form: dict[str, str]) -> str:
    forget(world)
    return "nothing waits to happen"


ACTS = {"next": _expect, "next_off": _forget}
