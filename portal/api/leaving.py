"""What a firm still asks of people ends when it no longer serves them.

    left      the investor goes to another firm, is erased, or turns out to be somebody else: what it asked of them
    stopped   the firm works with us no more: what it asked of anybody
    closed    its API is closed, the emergency stop: what its machines asked of anybody; the console goes on

The kernel does not know what the apps keep. Each registers what ends its own rows, and says there how whoever asked
hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from portal.models import Partner, User
from portal.scope import ALL, scope


class Why(StrEnum):
    """Why a firm's asking is over."""

    LEFT = "LEFT"
    STOPPED = "STOPPED"
    CLOSED = "CLOSED"


@dataclass(frozen=True)
class Leaving:
    """Whose asking is over: of one investor, or of everybody."""

    # None: the investor belonged to no firm, so nothing but their transfer to one may be open.
    partner_id: int | None
    why: Why
    actor: User | str | None
    at: datetime
    investor_id: int | None = None

    @property
    def machine(self) -> str:
        """How the firm's machines sign what they did."""
        return f"partner:{self.partner_id}"


Ender = Callable[[Leaving], None]
_enders: list[Ender] = []


def register(ender: Ender) -> Ender:
    """From now on this is called as well, in the transaction in which the firm ceases to serve."""
    _enders.append(ender)
    return ender


def investor_left(*, investor_id: int, partner_id: int | None, actor: User | str | None, at: datetime) -> None:
    """Nothing that this firm asked of the investor is open any more. Called while the investor is still the firm's,
    so that it hears of it."""
    _end(Leaving(partner_id, Why.LEFT, actor, at, investor_id))


def firm_stopped(*, partner: Partner, actor: User | str, at: datetime) -> None:
    """Nothing that the firm asked of anybody is open any more."""
    _end(Leaving(partner.pk, Why.STOPPED, actor, at))


def api_closed(*, partner: Partner, actor: User | str, at: datetime) -> None:
    """Nothing that the firm's machines asked of anybody is open any more."""
    _end(Leaving(partner.pk, Why.CLOSED, actor, at))


def _end(leaving: Leaving) -> None:
    with scope(ALL), transaction.atomic():
        for end in _enders:
            end(leaving)
