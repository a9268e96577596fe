"""Gates in front of everything that moves money: one table, read before every send."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from portal import audit, clock
from portal.errors import Failure
from portal.models import Gate, User

OUTBOUND_MONEY = "outbound_money"


class GateClosed(Failure):
    """Raised instead of sending while the kill switch is on. Nothing was sent; the row waits."""

    code = "gate_closed"
    message = "New transactions are paused for the moment. Nothing was sent and no money moved."


def ensure() -> None:
    """Every gate has its row, so that operations see it before it was ever closed. Called after each migrate."""
    Gate.objects.get_or_create(name=OUTBOUND_MONEY, defaults={"changed_at": clock.now()})


def check(name: str = OUTBOUND_MONEY) -> None:
    """Raise GateClosed when the gate is closed."""
    if Gate.objects.filter(pk=name, is_closed=True).exists():
        raise GateClosed


def turn(*, name: str, closed: bool, reason: str, actor: User | str, at: datetime) -> Gate:
    """The gate is closed (or open) from now on, for every process."""
    with transaction.atomic():
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
