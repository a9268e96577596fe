"""Named writes of a partner about its webhooks: set up, rotate, switch, test, send again.

Every one of them takes the partner, and finds only what is theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from portal import audit, jobs
from portal.errors import Failure
from portal.models import Partner, User
from portal.webhooks import addresses, deliveries, signing
from portal.webhooks.models import KINDS, TEST, PartnerEvent, WebhookDelivery, WebhookEndpoint

State = WebhookEndpoint.State
MOST_ENDPOINTS = 10
# So long both secrets sign after a rotation.
OVERLAP = timedelta(hours=24)
# So far back what failed or was never sent can be sent again at once; the feed goes back to the beginning.
AGAIN_DAYS = 30
MOST_AGAIN = 10_000


class BadAddress(Failure):
    """Webhooks do not go there."""

    code = "bad_webhook_address"
    message = "Webhooks cannot be sent to this address."


class TooManyEndpoints(Failure):
    """Ten endpoints exist."""

    code = "too_many_webhook_endpoints"
    message = "There are ten endpoints already. Delete one that is not used any more."


class AlreadyThere(Failure):
    """This address is an endpoint already."""

    code = "webhook_endpoint_exists"
    message = "This address is an endpoint already."


class NotThere(Failure):
    """The partner has no such thing."""

    code = "webhook_not_found"
    message = "There is no such endpoint or delivery."


class JustSent(Failure):
    """It was sent since whoever asks has looked: a button was pressed twice, or in two tabs."""

    code = "webhook_just_sent"
    message = "It was sent again already since this page was shown. Nothing more was sent."


class SwitchedOff(Failure):
    """The endpoint is switched off."""

    code = "webhook_endpoint_off"
    message = "The endpoint is switched off, so nothing is sent. Switch it on first."


def add(*, partner: Partner, url: str, kinds: Sequence[str], actor: User | str, at: datetime) -> WebhookEndpoint:
    """The partner has an endpoint with a fresh secret. Raises BadAddress, AlreadyThere, TooManyEndpoints."""
    url = url.strip()
    try:
        addresses.target(url)
    except addresses.NotAllowed as error:
        raise BadAddress(str(error)) from error
    try:
        with transaction.atomic():
            # One at a time, so that two forms cannot make the eleventh.
            _one_at_a_time(partner)
            if of_partner(partner).count() >= MOST_ENDPOINTS:
                raise TooManyEndpoints
            endpoint = WebhookEndpoint.objects.create(
                partner=partner,
                url=url,
                kinds=[kind for kind in KINDS if kind in kinds],
                secret=signing.new_secret(),
                state_since=at,
                created_by=actor if isinstance(actor, User) else None,
                created_at=at,
            )
            audit.record(endpoint, "webhook.added", actor=actor, at=at, host=endpoint.host, kinds=endpoint.kinds)
    except IntegrityError as error:
        if "a_partner_names_an_address_once" not in str(error):
            raise
        raise AlreadyThere from None
    return endpoint


def _one_at_a_time(partner: Partner) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(728, %s)", [partner.pk])


def of_partner(partner: Partner) -> QuerySet[WebhookEndpoint]:
    """The owner filter: the partner's endpoints, the oldest first."""
    return WebhookEndpoint.objects.filter(partner=partner).exclude(state=State.DELETED).order_by("pk")


def was_deleted(partner: Partner, code: str) -> bool:
    """Did the partner have this endpoint, and has it deleted it?"""
    return WebhookEndpoint.objects.filter(partner=partner, code=code, state=State.DELETED).exists()


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What was sent there, or will be, the newest first."""
    return WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").order_by("-pk")


def choose(*, partner: Partner, code: str, kinds: Sequence[str], actor: User | str, at: datetime) -> WebhookEndpoint:
    """From the next event on the endpoint hears of these kinds; of all when none is named. Raises NotThere."""
    with transaction.atomic():
        endpoint = _locked(partner, code)
        endpoint.kinds = [kind for kind in KINDS if kind in kinds]
        endpoint.save(update_fields=["kinds"])
        audit.record(endpoint, "webhook.kinds_chosen", actor=actor, at=at, kinds=endpoint.kinds)
    return endpoint


def rotate(*, partner: Partner, code: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    """A new secret signs from now on, and the one before it beside it for `OVERLAP`. Raises NotThere.

    Rotating again within the overlap ends the oldest secret at once: two sign, never three.
    """
    with transaction.atomic():
        endpoint = _locked(partner, code)
        endpoint.previous_secret, endpoint.previous_until = endpoint.secret, at + OVERLAP
        endpoint.secret = signing.new_secret()
        endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
        audit.record(endpoint, "webhook.secret_rotated", actor=actor, at=at)
    return endpoint


def end_old_secret(*, partner: Partner, code: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    """Only the new secret signs from now on, for one that leaked. Raises NotThere."""
    with transaction.atomic():
        endpoint = _locked(partner, code)
        endpoint.previous_secret, endpoint.previous_until = None, None
        endpoint.save(update_fields=["previous_secret", "previous_until"])
        audit.record(endpoint, "webhook.old_secret_ended", actor=actor, at=at)
    return endpoint


def pause(*, partner: Partner, code: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    """Nothing is sent there any more; what waited is given up and can be sent again later. Raises NotThere."""
    return _switch(partner, code, State.PAUSED, "webhook.paused", actor, at)


def resume(*, partner: Partner, code: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    """Events are sent there again, from the next one on. Raises NotThere."""
    return _switch(partner, code, State.ACTIVE, "webhook.resumed", actor, at)


def delete(*, partner: Partner, code: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    """The endpoint is gone for the partner; its log stays for as long as logs are kept. Raises NotThere."""
    return _switch(partner, code, State.DELETED, "webhook.deleted", actor, at)


def _switch(partner: Partner, code: str, state: str, action: str, actor: User | str, at: datetime) -> WebhookEndpoint:
    with transaction.atomic():
        endpoint = _locked(partner, code)
        if endpoint.state == state:
            return endpoint
        endpoint.state, endpoint.state_since, endpoint.failing_since = state, at, None
        endpoint.save(update_fields=["state", "state_since", "failing_since"])
        if state != State.ACTIVE:
            deliveries.give_up_waiting(endpoint, at=at)
        audit.record(endpoint, action, actor=actor, at=at)
    return endpoint


def send_test(*, partner: Partner, code: str, actor: User | str, at: datetime) -> PartnerEvent:
    """An event of type `webhook.test` is on its way to this endpoint alone. Raises NotThere, SwitchedOff."""
    with transaction.atomic():
        endpoint = _locked(partner, code)
        if endpoint.state != State.ACTIVE:
            raise SwitchedOff
        event = PartnerEvent.objects.create(
            code=f"evt_{secrets.token_hex(16)}",
            partner=partner,
            type=f"{TEST}.test",
            kind=TEST,
            at=at,
            data={"object": "webhook", "id": endpoint.code, "state": "TEST"},
        )
        WebhookDelivery.objects.create(endpoint=endpoint, event=event, partner=partner, due_at=at)
        audit.record(endpoint, "webhook.tested", actor=actor, at=at)
    jobs.nudge(deliveries.TASK, row_id=endpoint.pk)
    return event


def send_again(
    *, partner: Partner, code: str, delivery_id: int, actor: User | str, at: datetime, was: str | None = None
) -> WebhookDelivery:
    """One delivery is on its way again, under the same id, with all its tries before it. Raises as `send_test`.

    `was` is when it had ended for whoever asks (`ended`): raises JustSent where that is no longer so.
    """
    with transaction.atomic():
        endpoint = _locked(partner, code)
        if endpoint.state != State.ACTIVE:
            raise SwitchedOff
        row = WebhookDelivery.objects.select_for_update().filter(endpoint=endpoint, pk=delivery_id).first()
        if row is None:
            raise NotThere
        if was is not None and was != ended(row):
            raise JustSent
        row.state, row.tries, row.due_at, row.ended_at = WebhookDelivery.State.WAITING, 0, at, None
        row.save(update_fields=["state", "tries", "due_at", "ended_at"])
        audit.record(endpoint, "webhook.sent_again", actor=actor, at=at, event=row.event.code)
    jobs.nudge(deliveries.TASK, row_id=endpoint.pk)
    return row


def ended(row: WebhookDelivery) -> str:
    """When it ended, as a page keeps it for the next press; empty while it has not."""
    return str(row.ended_at or "")


def send_event_again(*, partner: Partner, code: str, event: str, actor: User | str, at: datetime) -> WebhookDelivery:
    """The delivery of the event of this id, as `send_again`. Raises as that does."""
    row = WebhookDelivery.objects.filter(partner=partner, endpoint__code=code, event__code=event).first()
    return send_again(partner=partner, code=code, delivery_id=row.pk if row else 0, actor=actor, at=at)


def send_missed(*, partner: Partner, code: str, actor: User | str, at: datetime) -> int:
    """Everything of the last thirty days that did not arrive is on its way: what was given up, and what happened
    while the endpoint was off or did not exist. Returns how many events. Raises NotThere, SwitchedOff.
    """
    with transaction.atomic():
        endpoint = _locked(partner, code)
        if endpoint.state != State.ACTIVE:
            raise SwitchedOff
        values: dict[str, Any] = {
            "endpoint": endpoint.pk,
            "partner": partner.pk,
            "at": at,
            "since": at - timedelta(days=AGAIN_DAYS),
            "kinds": endpoint.kinds,
            "most": MOST_AGAIN,
        }
        with connection.cursor() as cursor:
            cursor.execute(_MISSED, values)
            count = cursor.rowcount
        audit.record(endpoint, "webhook.missed_sent_again", actor=actor, at=at, events=count)
    jobs.nudge(deliveries.TASK, row_id=endpoint.pk)
    return count


_MISSED = """
    INSERT INTO portal_webhookdelivery AS d (endpoint_id, event_id, partner_id, state, tries, due_at)
         SELECT %(endpoint)s, e.id, %(partner)s, 'WAITING', 0, %(at)s FROM portal_partnerevent AS e
      LEFT JOIN portal_webhookdelivery AS had ON had.event_id = e.id AND had.endpoint_id = %(endpoint)s
          WHERE e.partner_id = %(partner)s AND e.seq IS NOT NULL AND e.at >= %(since)s AND e.kind <> 'webhook'
            AND (cardinality(%(kinds)s::text[]) = 0 OR e.kind = ANY (%(kinds)s::text[]))
            AND (had.id IS NULL OR had.state = 'FAILED')
       ORDER BY e.seq LIMIT %(most)s
    ON CONFLICT (endpoint_id, event_id) DO UPDATE
            SET state = 'WAITING', tries = 0, due_at = EXCLUDED.due_at, ended_at = NULL
"""


def _locked(partner: Partner, code: str) -> WebhookEndpoint:
    # Without its key: events that are being numbered refer to it, under a lock that everybody needs at commit.
    endpoint = of_partner(partner).select_for_update(no_key=True).filter(code=code).first()
    if endpoint is None:
        raise NotThere
    return endpoint
