"""Gates in front of everything that moves money: one table, read before every send in one statement.

    outbound_money    the kill switch: nothing leaves for any provider
    money_<provider>  the same for one provider; closed by a person, or by the order-rate breaker
    after_restore     closed by itself when the database is found older than it was; opened once all is compared

The order-rate breaker counts the calls of a minute that move money to a provider. Twice what is usual at most
(`MONEY_CALLS_PER_MINUTE`) means that something runs wild: the gate closes, a case tells a person, and rows wait.

A database that was restored knows less than it did: orders that were sent since would be sent again. So each machine
keeps the newest link of the audit chain in a file. Where the chain ends before it, the database was restored, and
nothing is sent (P17): every send compares the two, and the sweep closes the gate. What waited to be sent in the older
database may be at its provider by now, so it is looked up before it goes out.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from portal import audit, cases, clock, unknowns
from portal.errors import Failure
from portal.models import Gate, GatewayCall, Heartbeat, User

log = structlog.get_logger(__name__)
OUTBOUND_MONEY = "outbound_money"
AFTER_RESTORE = "after_restore"
# Rows whose writes move money, by the name that the journal has for them.
MONEY = (
    "orders.mforder", "payments.payment", "orders.plan", "orders.stockorder", "orders.stockchange", "orders.basketorder"
)  # fmt: skip
RATE_CASE, RESTORE_CASE = "order_rate_breaker", "database_was_restored"
# Everything that may have been sent since the backup was compared (`portal/management/restored.py`).
COMPARED = "compared_since_restore"


class GateClosed(Failure):
    """Raised instead of sending while a gate is closed. Nothing was sent; the row waits."""

    code = "gate_closed"
    message = "New transactions are paused for the moment. Nothing was sent and no money moved."


class NotComparedYet(Failure):
    """After a restore, money moves again only when all that may have been sent since the backup was compared."""

    code = "not_compared"
    message = (
        "Run `reconcile` first. This gate opens once all that may have been sent since the backup was compared: "
        "orders, payments, mandates, the SIPs of every account, and units that have moved. The command says what is "
        "left."
    )


def of(provider: str) -> str:
    """The gate of one provider."""
    return f"money_{provider}"


def names() -> list[str]:
    """Every gate that there is here."""
    return [OUTBOUND_MONEY, AFTER_RESTORE, of("fp"), *(of(name) for name in settings.BROKERS)]


def ensure() -> None:
    """Every gate has its row, so that operations see it before it was ever closed. Called after each migrate."""
    for name in names():
        Gate.objects.get_or_create(name=name, defaults={"changed_at": clock.now()})


_STANDS = """
    SELECT EXISTS (SELECT FROM portal_gate WHERE is_closed AND name = ANY(%s)),
           (SELECT coalesce(max(seq), 0) FROM portal_auditlink)
"""


def check(provider: str = "fp") -> None:
    """Raise GateClosed when a gate in front of this provider is closed, or the database is an older one than it was."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [[OUTBOUND_MONEY, AFTER_RESTORE, of(provider)]])
        is_closed, newest = cursor.fetchone()
    if is_closed or 0 < newest < _remembered():
        raise GateClosed


def turn(*, name: str, closed: bool, reason: str, actor: User | str, at: datetime) -> Gate:
    """The gate is closed (or open) from now on, for every process. Raises NotComparedYet after a restore."""
    with transaction.atomic():
        if name == AFTER_RESTORE and not closed:
            _check_compared()
        gate, _ = Gate.objects.update_or_create(
            name=name,
            defaults={
                "is_closed": closed,
                "reason": reason,
                "changed_at": at,
                "changed_by": audit.actor_name(actor),
            },
        )
        audit.record(gate, "gate.closed" if closed else "gate.opened", actor=actor, at=at, reason=reason)
    return gate


def _check_compared() -> None:
    gate = Gate.objects.filter(pk=AFTER_RESTORE, is_closed=True).first()
    if gate and not Heartbeat.objects.filter(pk=COMPARED, at__gt=gate.changed_at).exists():
        raise NotComparedYet


# --- The order-rate breaker -------------------------------------------------------------------------------------


def watch_rate(at: datetime) -> list[str]:
    """Providers whose gate was closed now, because more money calls went out in a minute than ever should."""
    most = settings.MONEY_CALLS_PER_MINUTE
    busy = [provider for provider, count in _money_calls(at).items() if count > most]
    return [provider for provider in busy if _trip(provider, most, at)]


def money_calls(at: datetime) -> dict[str, int]:
    """How many calls of the last minute moved money, by the gate of their provider; nought for a quiet one."""
    counts = {of(provider): count for provider, count in _money_calls(at).items()}
    return {name: counts.get(name, 0) for name in names() if name not in (OUTBOUND_MONEY, AFTER_RESTORE)}


def _money_calls(at: datetime) -> dict[str, int]:
    lately = GatewayCall.objects.filter(started_at__gt=at - timedelta(minutes=1), method="POST", subject_kind__in=MONEY)
    return dict(lately.order_by().values_list("provider").annotate(count=Count("pk")))


def _trip(provider: str, most: int, at: datetime) -> bool:
    gate, _ = Gate.objects.get_or_create(name=of(provider), defaults={"changed_at": at})
    # Whoever opens it says that the minute before was right.
    if gate.is_closed or at - gate.changed_at < timedelta(minutes=1):
        return False
    why = f"More than {most} calls in a minute that move money."
    turn(name=gate.name, closed=True, reason=why, actor="order-rate breaker", at=at)
    cases.open_case(
        kind=RATE_CASE, subject=gate, title=f"Nothing is sent to {provider}: the order-rate breaker", detail=why, at=at
    )
    return True


# --- After a restore ----------------------------------------------------------------------------------------------


def _mark() -> Path:
    return Path(settings.VAR_DIR) / f"newest-audit-link-{settings.DATABASES['default']['NAME']}"


def _remembered() -> int:
    """How far the audit chain came, as this machine knows; 0 when it knows nothing."""
    try:
        return int(_mark().read_text() or 0)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("audit_mark_not_read", error=type(error).__name__)
        return 0


def _remember(newest: int) -> None:
    """The file says `newest`, whole or not at all: one that was cut off would let an older database pass."""
    mark = _mark()
    unfinished = mark.with_name(f"{mark.name}.{os.getpid()}")
    try:
        unfinished.write_text(str(newest))
        unfinished.replace(mark)
    except OSError as error:
        log.warning("audit_mark_not_kept", error=type(error).__name__)


def _newest() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(seq), 0) FROM portal_auditlink")
        return int(cursor.fetchone()[0])


def watch_restore(at: datetime) -> bool:
    """Remember how far the audit chain came; when it ends before that, nothing moves. Returns whether it was closed."""
    newest, known = _newest(), _remembered()
    if newest == 0:
        # A new database, not an old one: its chain begins now.
        _mark().unlink(missing_ok=True)
    elif newest > known:
        _remember(newest)
    if newest == 0 or newest >= known:
        return False
    why = f"The audit chain ends at {newest} and was at {known} before: the database is an older one."
    with transaction.atomic():
        gate = turn(name=AFTER_RESTORE, closed=True, reason=why, actor="system", at=at)
        unknowns.look_first()
    cases.open_case(kind=RESTORE_CASE, subject=gate, title="The database was restored", detail=why, at=at)
    log.error("database_was_restored", newest=newest, known=known)
    _remember(newest)
    return True
