"""The queue of webhooks: rows say what is due, an endpoint is worked by one worker at a time.

    find_due     endpoints with something due (the sweep)
    drain        one endpoint's turn: its oldest due events, one after the other, for a few seconds
    _record      the try is logged; a delivery has arrived, comes back by the schedule, or is given up

What goes out may go out twice (a worker that dies after sending and before recording), always under the same id. No
endpoint holds up another one: one that is slow or failing gets one try a turn, in lanes apart from the others'; and
all lanes together leave workers free for money, however many endpoints there are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from portal import audit, jobs
from portal.webhooks import feed, people, posting, signing
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTry

log = structlog.get_logger(__name__)
State = WebhookDelivery.State
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# An event is sent at once. When that fails, it is tried 16 times more in 24 hours, each so long after the one before.
AGAIN_AFTER = (_MINUTE, *[5 * _MINUTE] * 2, *[10 * _MINUTE] * 5, *[_HOUR] * 5, *[6 * _HOUR] * 3)
# An endpoint at which nothing has arrived for so long is switched off when an event is given up.
SUSTAINED = timedelta(hours=24)
# "Gone": the receiver says that nobody lives there any more (Standard Webhooks, "disabling endpoints").
GONE = 410
# A turn ends after so many seconds or events, so that the others get theirs.
TURN_S, TURN_EVENTS = 8.0, 50
# An endpoint that took longer than this, or fails, waits in the slow lanes.
SLOW_MS = 2_000
# So many tries at once, over all workers: the worker's other threads are for money.
LANES = {"quick": 4, "slow": 2}
# How long what was tried is kept; the events themselves stay.
LOG_DAYS = 90
TASK = "portal.send_webhooks"


def find_due(at: datetime) -> list[int]:
    """Ids of endpoints that have something to be told now, however much that is."""
    waiting = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=at)
    active = WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.ACTIVE, partner__is_active=True)
    return list(active.filter(Exists(waiting)).order_by("pk").values_list("pk", flat=True))


def drain(*, endpoint_id: int, at: datetime) -> int:
    """One turn of an endpoint; returns how many tries were made. Safe to call at any time, by anybody."""
    with jobs.alone(f"webhooks.{endpoint_id}") as mine:
        return _turn(endpoint_id, at) if mine else 0


def _turn(endpoint_id: int, at: datetime) -> int:
    began, tries = time.monotonic(), 0
    while tries < TURN_EVENTS and time.monotonic() - began < TURN_S:
        delivery = _next(endpoint_id, at + timedelta(seconds=time.monotonic() - began))
        if delivery is None:
            break
        with _lane(delivery.endpoint) as free:
            if not free:
                break
            _try(delivery, at)
        tries += 1
        if _is_slow(delivery.endpoint):  # as the try has left it
            break
    return tries


def _next(endpoint_id: int, at: datetime) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id, due_at__lte=at, endpoint__state=WebhookEndpoint.State.ACTIVE
    )
    return rows.select_related("endpoint", "event").order_by("due_at", "id").first()


def _is_slow(endpoint: WebhookEndpoint) -> bool:
    return endpoint.failing_since is not None or (endpoint.last_took_ms or 0) > SLOW_MS


@contextmanager
def _lane(endpoint: WebhookEndpoint) -> Iterator[bool]:
    """True when the endpoint may be tried now: in a free lane of its kind."""
    kind = "slow" if _is_slow(endpoint) else "quick"
    for number in range(LANES[kind]):
        with jobs.alone(f"webhooks.{kind}.{number}") as free:
            if free:
                yield True
                return
    yield False


def _try(delivery: WebhookDelivery, at: datetime) -> None:
    """Send it once and write down what became of it."""
    endpoint = delivery.endpoint
    body = feed.body(delivery.event)
    headers = signing.headers(
        event_id=delivery.event.code,
        body=body,
        sent_at=int(signing.wall_clock()),
        secrets_=secrets_of(endpoint, at),
    )
    outcome = posting.post(endpoint.url, body, headers)
    _record(delivery, outcome, at)


def secrets_of(endpoint: WebhookEndpoint, at: datetime) -> list[str]:
    """The secrets that sign now, newest first."""
    old, until = endpoint.previous_secret, endpoint.previous_until
    return [endpoint.secret, old] if old and until and at < until else [endpoint.secret]


def _record(delivery: WebhookDelivery, outcome: posting.Outcome, at: datetime) -> None:
    with transaction.atomic():
        # Rows are locked in one order everywhere: the endpoint, then its deliveries. Without the endpoint's key, to
        # which events that are being numbered refer under the lock of the audit chain.
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint_id)
        row = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
        WebhookTry.objects.create(
            delivery=row,
            partner_id=row.partner_id,
            at=at,
            took_ms=outcome.took_ms,
            status=outcome.status,
            answer=outcome.answer,
            error=outcome.error,
        )
        endpoint.last_took_ms = outcome.took_ms
        endpoint.failing_since = None if outcome.arrived else endpoint.failing_since or at
        endpoint.save(update_fields=["last_took_ms", "failing_since"])
        _move(row, outcome, at)
        if outcome.status == GONE or _failed_for_long(row, endpoint, at):
            switch_off(endpoint, at=at, gone=outcome.status == GONE)
    delivery.endpoint = endpoint


def _move(row: WebhookDelivery, outcome: posting.Outcome, at: datetime) -> None:
    """The delivery has arrived, waits for its next try, or is given up."""
    if row.state != State.WAITING:  # ended meanwhile, with its endpoint
        return
    row.tries += 1
    if outcome.arrived:
        row.state, row.due_at, row.ended_at = State.DELIVERED, None, at
    elif row.tries > len(AGAIN_AFTER):
        row.state, row.due_at, row.ended_at = State.FAILED, None, at
    else:
        row.due_at = at + AGAIN_AFTER[row.tries - 1]
    row.save(update_fields=["state", "tries", "due_at", "ended_at"])


def _failed_for_long(row: WebhookDelivery, endpoint: WebhookEndpoint, at: datetime) -> bool:
    since = endpoint.failing_since
    return row.state == State.FAILED and since is not None and at - since >= SUSTAINED


def switch_off(endpoint: WebhookEndpoint, *, at: datetime, gone: bool) -> None:
    """Nothing more is sent there until the partner switches it on; the partner's people are told why."""
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        return
    endpoint.state, endpoint.state_since = WebhookEndpoint.State.DISABLED, at
    endpoint.save(update_fields=["state", "state_since"])
    give_up_waiting(endpoint, at=at)
    why = "it answered that it is gone" if gone else "nothing arrived there for 24 hours"
    audit.record(endpoint, "webhook.switched_off", actor=None, at=at, why=why)
    people.tell_switched_off(endpoint, why=why, at=at)


def give_up_waiting(endpoint: WebhookEndpoint, *, at: datetime) -> int:
    """What still waits is given up, to be sent again when the partner asks for it."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.WAITING)
    return waiting.update(state=State.FAILED, due_at=None, ended_at=at)


def forget_old(at: datetime) -> int:
    """What has ended long ago is forgotten, with its tries. The events stay in the feed."""
    old = WebhookDelivery.objects.filter(ended_at__lt=at - timedelta(days=LOG_DAYS))
    return old.delete()[0]
