"""What is told of a transfer: to the investor, and to the people of both partners."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

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
        "You are to be looked after by another firm",
        "{to} shall look after you from {day} on",
        "We were told that you want this. Please say on the page whether it is right: if it is not, nothing changes. "
        "Your units, orders and SIPs stay as they are either way.",
        must=(EMAIL,),
    ),
    Event(
        DONE,
        GROUP,
        "Another firm looks after you now",
        "{to} looks after you now",
        "{to} sees your holdings and orders from now on and may ask for your approval; {before} no longer does. Your "
        "units, orders and SIPs are the same.",
        must=(EMAIL,),
    ),
    Event(
        STOPPED,
        GROUP,
        "The change of the firm was stopped",
        "You stay where you are",
        "You are not moved to {to}. Nothing has changed, and no money is involved.",
        must=(EMAIL,),
    ),
    Event(
        FIRM,
        "Partner console",
        "A transfer of an investor to or from your firm",
        "Transfer {code}: {what}",
        "What it is about, and until when an objection can be made, stands in the console under Transfers.",
        must=(EMAIL,),
        listed=False,
    ),
)


def tell_investor(row: Transfer, event: str, *, at: datetime) -> None:
    """The investor is told, once for each event."""
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=row.investor_id),
        event=event,
        subject=row,
        url=reverse("investors:transfer", args=[row.code]),
        to=row.to_name,
        before=row.from_name,
        day=f"{row.objections_until.astimezone(IST):%-d %b %Y}",
        at=at,
    )


def tell_firms(row: Transfer, what: str, *, at: datetime) -> None:
    """Everybody who works at either partner is told, once for each `what`."""
    firms: Iterable[int | None] = (row.from_partner_id, row.to_partner_id)
    people = PartnerMember.objects.filter(partner_id__in=[firm for firm in firms if firm], ended_at=None)
    for user_id in people.values_list("user_id", flat=True):
        writing.tell(
            user_id=user_id, event=FIRM, subject=row, url=reverse("console:transfers"), about=what, code=row.code,
            what=what, at=at,
        )  # fmt: skip
