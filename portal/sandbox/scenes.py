"""Scenes: what a colleague should have seen once, each at one press of a button.

A scene is a row of a table: a title, what will be seen, and the acts of the control room that make it so. An act's
fields may name something of the world in braces, which is looked up before the first act: a scene for which the world
has nothing is refused and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import upcoming
from .clock import at_ist, business_day_on_or_after, ist, next_business_day
from .control_parts import button, table
from .pages import esc
from .web import Problem
from .world import World

Act = Callable[[World, dict[str, str]], str]
Step = tuple[str, dict[str, str]]
EVENING = (16, 30)
LOST = "timed_out_400+invisible:30"


@dataclass(frozen=True)
class Scene:
    title: str
    seen: str
    steps: tuple[Step, ...]


def _fault(**wish: str) -> Step:
    return "fault", wish


def _next(what: str) -> Step:
    return "next", {"what": what}


SCENES: dict[str, Scene] = {
    "fp-away": Scene(
        "FP is away for ten minutes",
        "Every call to FP is answered 503 until the clock has gone on by ten minutes. What people do meanwhile is kept "
        "and goes on afterwards.",
        (_fault(provider="fp", when="before", mode="status:503", times="0", **{"for": "PT10M"}),),
    ),
    "answer-lost": Scene(
        "The answer to an order is lost",
        "FP takes the next purchase, says that the request timed out, and lists it only half a minute later. It must "
        "not be sent twice.",
        (_fault(provider="fp", method="POST", path="/orders/purchase/", when="after", mode=LOST),),
    ),
    "late-payment": Scene(
        "A payment succeeds late",
        "Pay at the bank's page: the next payment fails with a time-out, and a little later the money is found to have "
        "been debited.",
        (_next(upcoming.PAYMENT),),
    ),
    "order-refused": Scene(
        "The fund house refuses an order",
        "The next order that is paid and submitted, with an amount that ends in 0, becomes FAILED: "
        "order_gateway_failure. No units come.",
        (_next(upcoming.ORDER),),
    ),
    "mandate-rejected": Scene(
        "The bank rejects a mandate",
        "Authorise an e-mandate at the bank's page: a little later the next one is rejected all the same.",
        (_next(upcoming.MANDATE),),
    ),
    "kyc-sent-back": Scene(
        "A fresh KYC is sent back",
        "The next fresh KYC that is complete is rejected, with a reason for each of three fields.",
        (_next(upcoming.KYC),),
    ),
    "sip-bounces": Scene(
        "A SIP bounces three times",
        "The clock goes to the next instalment of the newest SIP that runs well. It and the two after it come at once; "
        "the bank refuses each debit for want of money, and FP ends the SIP.",
        (("to_instalment", {"id": "{sip}"}), *(("bounce", {"id": "{sip}"}),) * 3),
    ),
    "after-cut-off": Scene(
        "Too late for today's NAV",
        "The clock goes to half past four on a business day, and the pace to the market's: what is paid now counts on "
        "the next business day, at the NAV of that day.",
        (("pace", {"mode": "market"}), ("at", {"at": "{evening}"})),
    ),
    "news-lost": Scene(
        "The brokers' notices are lost",
        "smallcase and ODIN execute baskets and tell nobody, until notices are normal again: what happened must be "
        "asked for.",
        (("webhooks", {"mode": "off"}),),
    ),
    "share-order-lost": Scene(
        "5paisa takes an order and the line breaks",
        "The next share order reaches 5paisa, but its answer never comes back: only the order book tells.",
        (_fault(provider="5paisa", method="POST", path="PlaceOrderRequest", when="after", mode="reset"),),
    ),
    "normal": Scene(
        "Back to normal",
        "Ends what the scenes above began: no faults, notices as usual, nothing waiting to happen, the fast pace. The "
        "clock, and what has happened, stay.",
        (("unfault", {}), ("webhooks", {"mode": "normal"}), ("next_off", {}), ("pace", {"mode": "fast"})),
    ),
}


# -- what a scene is about --------------------------------------------------------------------------------------------


def _sip(world: World) -> str:
    """The newest SIP whose next three instalments can all be debited. Raises Problem 400."""
    found = world.scalar(
        "SELECT s.id FROM fp_sips s JOIN fp_mandates m ON m.id = s.mandate_id WHERE s.active = 1 "
        "AND s.failed_in_a_row = 0 AND s.installments - s.generated >= 3 AND m.mandate_status = 'APPROVED' "
        "ORDER BY s.created_at DESC LIMIT 1"
    )
    if found is None:
        raise Problem(400, "no SIP here runs well and has three instalments to come: start one in the portal first")
    return str(found)


def _evening(world: World) -> str:
    """Half past four of this business day or, when it is over, of the next one: past every cut-off for money."""
    now = world.now()
    day = business_day_on_or_after(ist(now).date())
    if at_ist(day, *EVENING) <= now:
        day = next_business_day(day)
    return dt.datetime.combine(day, dt.time(*EVENING)).isoformat()


PICKS: dict[str, Callable[[World], str]] = {"{sip}": _sip, "{evening}": _evening}


# -- playing ----------------------------------------------------------------------------------------------------------


def play(world: World, name: str, acts: Mapping[str, Act]) -> str:
    """Does what the scene says; returns what was done, in words. Raises Problem when it cannot be played now."""
    scene = SCENES.get(name)
    if scene is None:
        raise Problem(404, f"scenes are {', '.join(SCENES)}")
    named = {value for _, fields in scene.steps for value in fields.values()} & set(PICKS)
    picked = {word: PICKS[word](world) for word in named}
    done = [
        acts[act](world, {key: picked.get(value, value) for key, value in fields.items()})
        for act, fields in scene.steps
    ]
    return f"{scene.title}: {'; '.join(dict.fromkeys(done))}"


def documents() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": scene.title,
            "seen": scene.seen,
            "acts": [{"act": act, **fields} for act, fields in scene.steps],
        }
        for name, scene in SCENES.items()
    ]


def section(world: World) -> str:
    rows = [(button("scene", scene.title, name=name), esc(scene.seen)) for name, scene in SCENES.items()]
    waiting = "".join(f"<li>{esc(upcoming.WORDS[what])}</li>" for what in upcoming.expected(world))
    meant = f"<p>Waiting to happen:</p><ul>{waiting}</ul>" if waiting else ""
    return (
        '<section id="scenes"><h2>Scenes</h2><p>One press each. Faults that they switch on are listed under Faults.</p>'
        f"{meant}{table(('scene', 'what will be seen'), rows)}</section>"
    )
