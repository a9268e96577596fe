"""Partner endpoints about webhook endpoints: the same operations as in the console, under scopes of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.api import catalogue
from portal.api.bodies import Body, TextField
from portal.api.door import Call
from portal.api.endpoints import get, post, reads
from portal.api.errors import Trouble
from portal.api.shapes import Expand, Filter, Shape, col, made
from portal.webhooks import addresses, endpoints
from portal.webhooks.models import KINDS, WebhookDelivery, WebhookEndpoint, WebhookTry

_FIELDS = {
    "id": col("id", "code", "Opaque id.", example="WH-7K3F9QW2M4TX"),
    "url": col("url", "url", "The address.", example="https://hooks.example.com/portal"),
    "kinds": col("any", "kinds", "Of which events it hears; none means all.", example=["order"]),
    "state": col("text", "state", "Where it stands; see the catalogue.",
                 choices=[each for each in WebhookEndpoint.State.values if each != WebhookEndpoint.State.DELETED]),
    "state_since": col("moment", "state_since", "Since when."),
    "failing_since": col("moment", "failing_since", "Since when nothing has arrived.", null=True),
    "old_secret_until": col("moment", "previous_until", "Until when the secret before this one signs too.", null=True),
    "created_at": col("moment", "created_at", "When it was set up."),
}  # fmt: skip
ENDPOINT = Shape("WebhookEndpoint", "An address of yours that is told of events.", _FIELDS)
WITH_SECRET = Shape(
    "WebhookEndpointWithSecret",
    "The same with the secret that signs. It is answered here, and to a repeated call with the same Idempotency-Key.",
    _FIELDS
    | {"secret": col("text", "secret", "Signs what is sent.", example="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")},
)
TRY = Shape(
    "WebhookTry",
    "One try.",
    {
        "at": col("moment", "at", "When."),
        "took_ms": col("count", "took_ms", "Milliseconds until the answer.", example=48),
        "status": col("count", "status", "What your receiver answered.", null=True, example=200),
        "answer": col("text", "answer", "The first 500 bytes of it.", example="ok"),
        "error": col("text", "error", "What went wrong before there was an answer.", example=""),
    },
)
DELIVERY = Shape(
    "WebhookDelivery",
    "An event on its way to an endpoint.",
    {
        "event": col("id", "event__code", "The event's id.", example="evt_3f0c9a5467d977d84731b4cf1cca444a"),
        "type": col("text", "event__type", "Its type.", example="order.allotted"),
        "seq": col("count", "event__seq", "Its number; a test has one too.", null=True, example=1842),
        "state": col("text", "state", "Where it stands.", choices=WebhookDelivery.State.values),
        "tries": col("count", "tries", "Tries since it was last asked for.", example=1),
        "due_at": col("moment", "due_at", "When the next try is due.", null=True),
        "ended_at": col("moment", "ended_at", "When it arrived or was given up.", null=True),
    },
)
RESULT = Shape(
    "WebhookMissed",
    "What was put on its way again.",
    {"events": made("count", "How many events.", ["events"], lambda row: row["events"], example=12)},
)


def _kinds() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=list(KINDS)), required=False, default=list, max_length=len(KINDS),
        help_text="Of which events it hears; none means all.",
    )  # fmt: skip


class NewEndpoint(Body):
    """Where to send which events."""

    url = TextField(max_length=addresses.MOST_CHARACTERS, help_text="By https, reachable from the internet.")
    kinds = _kinds()


class Kinds(Body):
    """Which events an endpoint hears of from the next one on."""

    kinds = _kinds()


class OneEvent(Body):
    """An event."""

    event = TextField(max_length=40)


def _all(call: Call) -> QuerySet[WebhookEndpoint]:
    return endpoints.of_partner(call.partner)


def _one(call: Call) -> QuerySet[WebhookEndpoint]:
    return _all(call).filter(code=call.id)


def _done(call: Call, operation: Callable[..., Any], **more: Any) -> Any:
    """What the operation returns. Raises Trouble("not_found") for an endpoint or event that is not the partner's."""
    try:
        return operation(partner=call.partner, code=call.id, actor=call.actor, at=call.at, **more)
    except endpoints.NotThere:
        raise Trouble("not_found") from None


reads("webhook-endpoints", _all, answer=ENDPOINT, scope="webhooks:read", one="Read a webhook endpoint.",
      many="List your webhook endpoints.")  # fmt: skip


@get("webhook-endpoints/<id>/deliveries", answer=DELIVERY, scope="webhooks:read", is_many=True,
     filters={"state": Filter("state", "Only in this state.", choices=tuple(WebhookDelivery.State.values))},
     expands={"log": Expand(TRY, lambda call: WebhookTry.objects.filter(partner=call.partner).order_by("-pk"), "pk",
                            "delivery_id", is_many=True)})  # fmt: skip
def list_webhook_deliveries(call: Call) -> QuerySet[WebhookDelivery]:
    """List what was sent to an endpoint, the newest first; `expand=log` shows each try."""
    endpoint = _one(call).first()
    if endpoint is None:
        raise Trouble("not_found")
    return WebhookDelivery.objects.filter(endpoint=endpoint, partner=call.partner)


@post("webhook-endpoints", answer=WITH_SECRET, scope="webhooks:write", body=NewEndpoint, status=201,
      failures=(endpoints.BadAddress, endpoints.AlreadyThere, endpoints.TooManyEndpoints),
      example={"url": "https://hooks.example.com/portal", "kinds": ["order", "investor"]})  # fmt: skip
def add_webhook_endpoint(call: Call) -> QuerySet[WebhookEndpoint]:
    """Set up a webhook endpoint: the answer has the secret that signs what is sent there."""
    row = endpoints.add(
        partner=call.partner, url=call.data["url"], kinds=call.data["kinds"], actor=call.actor, at=call.at
    )
    return _all(call).filter(pk=row.pk)


@post("webhook-endpoints/<id>/kinds", answer=ENDPOINT, scope="webhooks:write", body=Kinds, example={"kinds": ["order"]})
def choose_webhook_kinds(call: Call) -> QuerySet[WebhookEndpoint]:
    """Choose of which events an endpoint hears from the next one on."""
    _done(call, endpoints.choose, kinds=call.data["kinds"])
    return _one(call)


@post("webhook-endpoints/<id>/rotate", answer=WITH_SECRET, scope="webhooks:write")
def rotate_webhook_secret(call: Call) -> QuerySet[WebhookEndpoint]:
    """Make a new secret, which signs at once; the one before signs beside it for 24 hours."""
    _done(call, endpoints.rotate)
    return _one(call)


@post("webhook-endpoints/<id>/end-old-secret", answer=ENDPOINT, scope="webhooks:write")
def end_old_webhook_secret(call: Call) -> QuerySet[WebhookEndpoint]:
    """End the secret before the present one at once, because it leaked."""
    _done(call, endpoints.end_old_secret)
    return _one(call)


@post("webhook-endpoints/<id>/pause", answer=ENDPOINT, scope="webhooks:write")
def pause_webhook_endpoint(call: Call) -> QuerySet[WebhookEndpoint]:
    """Switch an endpoint off. Events stay in the feed, and can be sent later."""
    _done(call, endpoints.pause)
    return _one(call)


@post("webhook-endpoints/<id>/resume", answer=ENDPOINT, scope="webhooks:write")
def resume_webhook_endpoint(call: Call) -> QuerySet[WebhookEndpoint]:
    """Switch an endpoint on again, from the next event on."""
    _done(call, endpoints.resume)
    return _one(call)


@post("webhook-endpoints/<id>/delete", answer=ENDPOINT, scope="webhooks:write")
def delete_webhook_endpoint(call: Call) -> dict[str, Any]:
    """Delete an endpoint. The answer shows it for the last time."""
    last = ENDPOINT.write_all(list(ENDPOINT.read(_one(call))))
    _done(call, endpoints.delete)
    return last[0]


@post("webhook-endpoints/<id>/test", answer=ENDPOINT, scope="webhooks:write", failures=(endpoints.SwitchedOff,))
def test_webhook_endpoint(call: Call) -> QuerySet[WebhookEndpoint]:
    """Send an event of type `webhook.test` to this endpoint alone."""
    _done(call, endpoints.send_test)
    return _one(call)


@post("webhook-endpoints/<id>/send-again", answer=ENDPOINT, scope="webhooks:write", body=OneEvent,
      failures=(endpoints.SwitchedOff,), example={"event": "evt_3f0c9a5467d977d84731b4cf1cca444a"})  # fmt: skip
def send_webhook_again(call: Call) -> QuerySet[WebhookEndpoint]:
    """Send one event to an endpoint again, under the same id."""
    _done(call, endpoints.send_event_again, event=call.data["event"])
    return _one(call)


@post("webhook-endpoints/<id>/send-missed", answer=RESULT, scope="webhooks:write", failures=(endpoints.SwitchedOff,))
def send_missed_webhooks(call: Call) -> dict[str, Any]:
    """Send everything of the last 30 days that did not arrive at an endpoint."""
    return RESULT.write({"events": _done(call, endpoints.send_missed)})


catalogue.add("webhook_endpoint_states", lambda: dict(WebhookEndpoint.State.choices))
