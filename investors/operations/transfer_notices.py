"""What is told of a transfer: to the investor, and to the people of both partners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from investors.models import Investor, Transfer
from portal.api.models import PartnerMember
from portal.clock import IST
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register

ASKED, DONE, STOPPED, FIRM = "transfer.asked", "transfer.done", "transfer.stopped", "transfer.firm"
GROUP = "Your distributor"
register(
    Event(
        ASKED,
        GROUP,
        "Another firm is to look after you",
        "Shall {to} look after you? Not before {day}",
        "We were told that you want this. Please say on the page whether it is right: if it is not, nothing changes. "
        "Your units, orders and SIPs stay as they are either way.",
        must=(EMAIL,),
    ),
    Event(
        DONE,
        GROUP,
        "Another firm looks after you now",
        "{to} looks after you since {since}",
        "{to} sees your holdings and orders from now on and may ask for your approval.{before} Your units, orders and "
        "SIPs are the same.",
        must=(EMAIL,),
    ),
    Event(
        STOPPED,
        GROUP,
        "The change of the firm was stopped",
        "You do not go to {to}",
        "It was stopped on {since}. Nothing has changed, and no money is involved.",
        must=(EMAIL,),
    ),
    Event(
        FIRM,
        "Partner console",
        "A transfer of an investor to or from your firm",
        "Transfer {code}: {what}",
        "{then} It stands in the console under Transfers.",
        must=(EMAIL,),
        listed=False,
    ),
)
WAITING, OBJECTED, STOPPED_FOR_FIRMS, DONE_FOR_FIRMS = "time for objections runs", "objected to", "stopped", "done"
NOBODY_GOES = "No investor goes from {before} to {to}: that was stopped on {since}."
# What has happened -> what the firm before reads, and what the coming one does.
THEN = {
    WAITING: (
        "An investor of yours is to go to {to}, not before {day}. You can object in the console until then.",
        "An investor is to come to you from {before}, not before {day}.",
    ),
    OBJECTED: (
        "Your objection is on record since {since}. A person at our desk decides, not before {day}.",
        "{before} objected on {since}. A person at our desk decides, not before {day}.",
    ),
    STOPPED_FOR_FIRMS: (NOBODY_GOES, NOBODY_GOES),
    DONE_FOR_FIRMS: (
        "The investor is with {to} since {since}. You see them no longer, and what you still asked of them has ended.",
        "The investor came to you from {before} on {since}: you find them in the console.",
    ),
}


def _words(row: Transfer) -> dict[str, Any]:
    """Names and days, as every notice says them."""
    return {"to": row.to_name, "day": _day(row.objections_until), "since": _day(row.state_since)}


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(IST):%-d %b %Y}"


def tell_investor(row: Transfer, event: str, *, at: datetime) -> None:
    """The investor is told, once for each event. We see what they do whoever looks after them."""
    before = (
        f" {row.from_name} no longer does, and what it still asked of you has ended." if row.from_partner_id else ""
    )
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=row.investor_id),
        event=event,
        subject=row,
        url=reverse("investors:transfer", args=[row.code]),
        at=at,
        before=before,
        **_words(row),
    )


def tell_firms(row: Transfer, what: str, *, at: datetime) -> None:
    """Everybody who works at either partner is told, once for each `what`, in the words of their side."""
    sides = dict(zip((row.from_partner_id, row.to_partner_id), THEN[what], strict=True))
    people = PartnerMember.objects.filter(partner_id__in=[firm for firm in sides if firm], ended_at=None)
    for user_id, firm in people.values_list("user_id", "partner_id"):
        then = sides[firm].format(before=row.from_name, **_words(row))
        writing.tell(
            user_id=user_id, event=FIRM, subject=row, url=reverse("console:transfers"), about=what, code=row.code,
            what=what, then=then[:1].upper() + then[1:], at=at,
        )  # fmt: skip
