"""The kernel's background entries: the sweep over everything that is due, the inbox, the heartbeat."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime

import structlog
from celery import shared_task
from django.conf import settings

from portal import anchors, arns, clock, euins, gates, inbox, jobs, unknowns
from portal.api import keys, once, usage
from portal.desk import broadcasts, bulk
from portal.gateway import journal
from portal.gateway.errors import GatewayError
from portal.gateway.transport import refuse_the_wrong_world
from portal.models import Heartbeat
from portal.notices import writing
from portal.webhooks import deliveries

log = structlog.get_logger(__name__)


@shared_task(name="portal.recover")
@jobs.singleton
def recover(**_: object) -> None:
    """Hand everything that is due now to the workers, whatever happened to its nudge; what stays unknown, to people."""
    now = clock.now()
    gates.watch_restore(now)
    gates.watch_rate(now)
    jobs.nudge_due(now)
    unknowns.hand_to_people(now)


@shared_task(name="portal.work_inbox")
@jobs.singleton
def work_inbox(**_: object) -> None:
    """Work events whose own nudge was lost."""
    inbox.work(clock.now())


@shared_task(name="portal.work_event")
def work_event(*, event_id: int, **_: object) -> None:
    """Work one event now."""
    inbox.work_one(event_id=event_id, at=clock.now())


@shared_task(name="portal.work_events")
def work_events(*, event_ids: list[int], **_: object) -> None:
    """Hand the events of a burst to the workers one by one, so that a slow provider holds none of the others up."""
    for event_id in event_ids:
        jobs.nudge("portal.work_event", event_id=event_id)


@shared_task(name="portal.heartbeat")
def heartbeat(**_: object) -> None:
    """Beat and a worker are alive: `/readyz` looks at this."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": clock.now()})


@shared_task(name="portal.reconcile")
@jobs.singleton
def reconcile(**_: object) -> None:
    """Compare everything with FP once a day, and the accounts whose turn it is every hour; what differs becomes cases.

    Trouble is tried again in the next hour.
    """
    from portal.management import reconciliation

    at = clock.now()
    try:
        report = reconciliation.run(at) if reconciliation.is_due(at) else reconciliation.run_turn(at)
    except GatewayError as error:
        log.warning("not_reconciled", error=str(error))
        return
    log.info("reconciled", compared=dict(report.compared), differences=len(report.differences))


@shared_task(name="portal.compare_after_restore")
def compare_after_restore(**_: object) -> None:
    """While a restore waits for accounts to be compared, the next ones at once instead of in the next hour."""
    if gates.found_at():
        reconcile()


@shared_task(name="portal.anchor")
@jobs.singleton
def anchor(**_: object) -> None:
    """Once a day the audit chain is walked, and its newest link is written where anchors are kept."""
    anchors.write(clock.now())


@shared_task(name="portal.watch_arns")
@jobs.singleton
def watch_arns(**_: object) -> None:
    """Tell partners whose registration with AMFI ends soon, and operations once it, or somebody's EUIN, ends."""
    at = clock.now()
    arns.watch(at=at)
    euins.watch(at=at)


@shared_task(name="portal.purge_journal")
@jobs.singleton
def purge_journal(**_: object) -> None:
    """Forget calls to providers that are older than they must be kept."""
    log.info("journal_purged", calls=journal.purge(clock.now()))


@shared_task(name="portal.follow_sandbox_clock")
def follow_sandbox_clock(**_: object) -> None:
    """Run ahead of real time by as much as the sandbox's world does. Never registered in live mode."""
    refuse_the_wrong_world(settings.SANDBOX_URL)
    with urllib.request.urlopen(f"{settings.SANDBOX_URL}/_control/clock", timeout=3) as answer:  # noqa: S310 - loopback, checked above
        world = datetime.fromisoformat(json.load(answer)["now"])
    clock.set_offset(round(world.timestamp() - datetime.now(tz=clock.IST).timestamp(), 0))


@shared_task(name="portal.bulk")
def work_bulk(*, row_id: int, **_: object) -> None:
    """Some lines of an act on many rows."""
    jobs.advance(bulk.SWEEP, row_id, clock.now())


@shared_task(name="portal.broadcast")
def work_broadcast(*, row_id: int, **_: object) -> None:
    """Some portions of a message to many."""
    jobs.advance(broadcasts.SWEEP, row_id, clock.now())


SWEEP = "notices"


def _deliver(delivery_id: int, at: datetime) -> None:
    writing.deliver(delivery_id=delivery_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=writing.find_due, advance=_deliver, task="portal.deliver"))


@shared_task(name="portal.deliver")
def deliver(*, row_id: int, **_: object) -> None:
    """Send one notice by one channel."""
    jobs.advance(SWEEP, row_id, clock.now())


WEBHOOKS = "webhooks"


def _send_webhooks(endpoint_id: int, at: datetime) -> None:
    deliveries.drain(endpoint_id=endpoint_id, at=at)


jobs.register_sweep(WEBHOOKS, jobs.Sweep(find=deliveries.find_due, advance=_send_webhooks, task=deliveries.TASK))


@shared_task(name=deliveries.TASK)
def send_webhooks(*, row_id: int, **_: object) -> None:
    """One turn of a partner's endpoint."""
    jobs.advance(WEBHOOKS, row_id, clock.now())


@shared_task(name="portal.forget_webhooks")
@jobs.singleton
def forget_webhooks(**_: object) -> None:
    """Forget what was sent long ago; the events stay."""
    log.info("webhooks_forgotten", rows=deliveries.forget_old(clock.now()))


@shared_task(name="portal.forget_calls")
@jobs.singleton
def forget_calls(**_: object) -> None:
    """Answers under Idempotency-Keys, counts of calls, and tokens of partners that nobody needs any more."""
    at = clock.now()
    once.forget(at)
    usage.forget(at)
    keys.forget_tokens()
