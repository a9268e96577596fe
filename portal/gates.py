"""Gates in front of everything that moves money: one table, read before every send in one statement.

    outbound_money    the kill switch: nothing leaves for any provider
    money_<provider>  the same for one provider; closed by a person, or by the order-rate breaker
    after_restore     closed by itself when the database is found older than it was; opened by a person once orders,
                      payments and mandates are compared, and from then on account by account
    messages_to_many  no money: what staff write to many people stops here (`may_tell_many`)

The order-rate breaker counts the calls of a minute that move money to a provider. Twice what is usual at most
(`MONEY_CALLS_PER_MINUTE`) means that something runs wild: the gate closes, a case tells a person, and rows wait.

A database that was restored knows less than it did: orders that were sent since would be sent again. So each machine
keeps the newest link of the audit chain in a file. Where the chain ends before it, the database was restored, and
nothing is sent (P17): every send compares the two, and the sweep closes the gate. What waited to be sent in the older
database may be at its provider by now, so it is looked up before it goes out.

What FP tells by account only takes long to compare where there are very many. So that they do not wait for each other,
the opened gate lets an act through as soon as its own account was compared, and not before: every act says whose it is
(`accounts`). Who knows what was compared tells it by `ask_about_accounts` (`portal/management/restored.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
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
MESSAGES = "messages_to_many"
# Gates in front of no single provider.
NO_PROVIDERS = (OUTBOUND_MONEY, AFTER_RESTORE, MESSAGES)
# Rows whose writes move money, by the name that the journal has for them.
MONEY = (
    "orders.mforder", "payments.payment", "orders.plan", "orders.stockorder", "orders.stockchange", "orders.basketorder"
)  # fmt: skip
RATE_CASE, RESTORE_CASE = "order_rate_breaker", "database_was_restored"
# Orders, payments and mandates were compared since the restore; and with them what FP tells by account.
WHOLE, COMPARED = "compared_whole_since_restore", "compared_since_restore"
# The gate is open for compared accounts only. Its time is when the database was found to be an older one.
BY_ACCOUNT = "opened_by_account_since_restore"


class GateClosed(Failure):
    """Raised instead of sending while a gate is closed. Nothing was sent; the row waits."""

    code = "gate_closed"
    message = "New transactions are paused for the moment. Nothing was sent and no money moved."


class AccountNotCompared(GateClosed):
    """Raised instead of sending for an account that was not compared since the restore. Its turn comes first."""

    code = "account_not_compared"


class NotComparedYet(Failure):
    """After a restore, money moves again only when what may have been sent since the backup was compared."""

    code = "not_compared"
    message = (
        "Run `reconcile` first. This gate opens once all orders, payments and mandates were compared. From then on "
        "each account may act as soon as its SIPs, and its units if they have moved, were compared too."
    )


@dataclass(frozen=True)
class Progress:
    """How far the comparison of accounts has come since a restore. `ends_at` is None where no pace is known yet.

    `held`: compared, and kept until a person has closed the case about what only FP has.
    """

    done: int
    total: int
    held: int
    ends_at: datetime | None


@dataclass(frozen=True)
class Accounts:
    """What the gate asks about accounts, which the kernel does not know."""

    may_act: Callable[[Collection[int], datetime], bool]
    progress: Callable[[datetime, datetime], Progress]


# Until somebody says otherwise, no account was compared.
_accounts = Accounts(lambda _ids, _since: False, lambda _since, _at: Progress(0, 0, 0, None))


def ask_about_accounts(accounts: Accounts) -> None:
    """From now on these say which accounts were compared since a restore."""
    global _accounts
    _accounts = accounts


def of(provider: str) -> str:
    """The gate of one provider."""
    return f"money_{provider}"


def names() -> list[str]:
    """Every gate that there is here."""
    return [OUTBOUND_MONEY, AFTER_RESTORE, MESSAGES, of("fp"), *(of(name) for name in settings.BROKERS)]


def ensure() -> None:
    """Every gate has its row, so that operations see it before it was ever closed. Called after each migrate."""
    for name in names():
        Gate.objects.get_or_create(name=name, defaults={"changed_at": clock.now()})


_STANDS = """
    SELECT EXISTS (SELECT FROM portal_gate WHERE is_closed AND name = ANY(%s)),
           (SELECT coalesce(max(seq), 0) FROM portal_auditlink),
           (SELECT at FROM portal_heartbeat WHERE name = %s)
"""


def check(provider: str = "fp", *, accounts: Collection[int] = ()) -> None:
    """Raise GateClosed when a gate in front of this provider is closed, or the database is an older one than it was.

    `accounts` are those in whose name something would be sent. Raises AccountNotCompared while a restore waits for one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [[OUTBOUND_MONEY, AFTER_RESTORE, of(provider)], BY_ACCOUNT])
        is_closed, newest, by_account = cursor.fetchone()
    if is_closed or 0 < newest < _remembered():
        raise GateClosed
    if by_account and accounts and not _accounts.may_act(accounts, by_account):
        raise AccountNotCompared


def may_tell_many() -> bool:
    """May a message to many go out? Not from an older database: it has forgotten whom it told already."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [[MESSAGES, AFTER_RESTORE], BY_ACCOUNT])
        is_closed, newest, by_account = cursor.fetchone()
    return not is_closed and by_account is None and not 0 < newest < _remembered()


def progress(at: datetime) -> Progress | None:
    """How far accounts are compared since the restore; None where none waits for it."""
    since = found_at()
    return _accounts.progress(since, at) if since else None


def found_at() -> datetime | None:
    """Since when the database is known to be an older one; None when all of it was compared and the gate is open."""
    closed = Gate.objects.filter(pk=AFTER_RESTORE, is_closed=True).values_list("changed_at", flat=True).first()
    return closed or Heartbeat.objects.filter(pk=BY_ACCOUNT).values_list("at", flat=True).first()


def turn(*, name: str, closed: bool, reason: str, actor: User | str, at: datetime) -> Gate:
    """The gate is closed (or open) from now on, for every process. Raises NotComparedYet after a restore."""
    with transaction.atomic():
        if name == AFTER_RESTORE:
            _begin_to_compare() if closed else _open_by_account()
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


def _begin_to_compare() -> None:
    """What waits to be sent may be at its provider by now, and no account counts as compared."""
    unknowns.look_first()
    Heartbeat.objects.filter(pk=BY_ACCOUNT).delete()


def _open_by_account() -> None:
    """Whoever was compared may act; once that is everybody, there is nothing to ask any more.

    The row is locked: somebody else may be closing it for a newer restore.
    """
    gate = Gate.objects.select_for_update().filter(pk=AFTER_RESTORE, is_closed=True).first()
    if gate is None:
        return
    done = set(Heartbeat.objects.filter(at__gt=gate.changed_at).values_list("name", flat=True))
    if not done & {WHOLE, COMPARED}:
        raise NotComparedYet
    if COMPARED not in done:
        Heartbeat.objects.update_or_create(pk=BY_ACCOUNT, defaults={"at": gate.changed_at})


def all_compared(*, since: datetime, at: datetime) -> None:
    """Nothing is left to compare: the gate may open for everybody, or is from now on."""
    Heartbeat.objects.update_or_create(pk=COMPARED, defaults={"at": at})
    Heartbeat.objects.filter(pk=BY_ACCOUNT, at=since).delete()


# --- The order-rate breaker -------------------------------------------------------------------------------------


def watch_rate(at: datetime) -> list[str]:
    """Providers whose gate was closed now, because more money calls went out in a minute than ever should."""
    most = settings.MONEY_CALLS_PER_MINUTE
    busy = [provider for provider, count in _money_calls(at).items() if count > most]
    return [provider for provider in busy if _trip(provider, most, at)]


def money_calls(at: datetime) -> dict[str, int]:
    """How many calls of the last minute moved money, by the gate of their provider; nought for a quiet one."""
    counts = {of(provider): count for provider, count in _money_calls(at).items()}
    return {name: counts.get(name, 0) for name in names() if name not in NO_PROVIDERS}


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
    gate = turn(name=AFTER_RESTORE, closed=True, reason=why, actor="system", at=at)
    cases.open_case(kind=RESTORE_CASE, subject=gate, title="The database was restored", detail=why, at=at)
    log.error("database_was_restored", newest=newest, known=known)
    _remember(newest)
    return True
