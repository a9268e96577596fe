"""What investors are told about their mandates."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from investors.models import Investor, Mandate
from portal import money
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, has, register

GROUP = "Mandates"
AUTHORISE = "mandate.authorise_asked"
register(
    Event(
        AUTHORISE,
        GROUP,
        "A partner asks you to authorise a mandate",
        "{partner} asks you to authorise your mandate",
        "You confirmed a mandate of up to {limit} a debit, and your bank waits for your yes. You authorise it at the "
        "bank; until then nothing can be debited.",
        (EMAIL,),
        (EMAIL,),
    ),
    Event(
        "mandate.approved",
        GROUP,
        "Your bank approved a mandate",
        "Your bank approved the mandate",
        "SIPs and purchases up to {limit} each can be collected by it. You can cancel it at any time.",
        (EMAIL,),
        (EMAIL,),
    ),
    Event(
        "mandate.rejected",
        GROUP,
        "Your bank did not accept a mandate",
        "Your bank did not accept the mandate",
        "Nothing can be collected by it. The reason, and how to try again, stand on its page.",
        (EMAIL,),
    ),
    Event(
        "mandate.refused",
        GROUP,
        "A mandate could not be set up",
        "Your mandate was not accepted",
        "It did not reach your bank, and nothing can be collected by it. What was wrong, and how to try again, stands "
        "on its page.",
        (EMAIL,),
    ),
    Event(
        "mandate.cancelled",
        GROUP,
        "A mandate was cancelled",
        "The mandate is cancelled",
        "Nothing is collected by it any more. SIPs that were paid by it need another one.",
        (EMAIL,),
        (EMAIL,),
    ),
)


def tell(mandate: Mandate, *, at: datetime) -> None:
    """The investor is told about the state of the mandate, once; states that nobody waits for are not told."""
    event = "mandate.refused" if mandate.was_refused else f"mandate.{mandate.state.lower()}"
    if has(event):
        writing.tell(
            user_id=Investor.objects.values_list("user_id", flat=True).get(pk=mandate.investor_id),
            event=event,
            subject=mandate,
            url=reverse("investors:mandate", args=[mandate.code]),
            at=at,
            limit=money.rupees(mandate.limit),
        )
