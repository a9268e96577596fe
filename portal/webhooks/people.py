"""What a partner's people are told about their endpoints, through the centre of notices and by mail."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from portal.api.models import PartnerMember
from portal.notices import catalogue, writing
from portal.notices.catalogue import EMAIL, Event
from portal.webhooks.models import WebhookEndpoint

SWITCHED_OFF = "webhook.switched_off"

catalogue.register(
    Event(
        key=SWITCHED_OFF,
        group="Partner console",
        label="A webhook endpoint was switched off",
        title="Webhooks to {host} were switched off",
        text="We send nothing there any more, because {why}. No event is lost: they stand in the event feed. Once the"
        " receiver works, switch the endpoint on in the console and have what failed sent again.",
        must=(EMAIL,),
        listed=False,
    )
)


def tell_switched_off(endpoint: WebhookEndpoint, *, why: str, at: datetime) -> None:
    """Everybody who works at the partner is told, once for each time."""
    for user_id in PartnerMember.objects.filter(partner_id=endpoint.partner_id, ended_at=None).values_list(
        "user_id", flat=True
    ):
        writing.tell(
            user_id=user_id,
            event=SWITCHED_OFF,
            subject=endpoint,
            url=reverse("console:webhook", args=[endpoint.code]),
            about=str(int(at.timestamp())),
            host=endpoint.host,
            why=why,
            at=at,
        )
