"""What must have been compared before money moves again after a restore: all that may have been sent since the backup.

    orders, payments, mandates    by one whole run: FP lists all of them
    SIPs                          of every account, by turns: FP lists them by account
    units                         of the accounts in which, as the whole run knows, an order came through since then

The older database cannot know for which accounts a SIP was sent, so none is passed over. A run that FP broke off, and
accounts that wait for another turn, keep the gate closed (`portal/gates.py`). So does an account about which FP gives
no usable answer, until a person has closed its case.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from investors.models import InvestmentAccount
from orders import lifecycle
from orders.models import MfOrder
from portal import gates
from portal.management.reconciliation import CASE
from portal.models import Case, Gate, Heartbeat

THROUGH = (lifecycle.ALLOTTED, lifecycle.REDEEMED)
# Whatever took news in before the gate was closed, in the older database.
BEFORE_IT_WAS_FOUND = timedelta(days=1)
# Family of a turn -> the column of an account that says when it was last compared.
COLUMNS = {"sip": "sips_compared_at", "holding": "holdings_compared_at"}


def found_at() -> datetime | None:
    """Since when the database is known to be an older one; None while the gate is open."""
    return Gate.objects.filter(pk=gates.AFTER_RESTORE, is_closed=True).values_list("changed_at", flat=True).first()


def left(family: str, found: datetime) -> QuerySet[InvestmentAccount]:
    """The accounts that must still be compared."""
    column = COLUMNS[family]
    accounts = InvestmentAccount.objects.exclude(pk__in=_decided(family, found))
    behind = Q(**{column: None}) | Q(**{f"{column}__lte": found})
    if family == "sip":
        return accounts.filter(behind)
    moved = MfOrder.objects.filter(
        investment_account=OuterRef("pk"), state__in=THROUGH, state_since__gt=found - BEFORE_IT_WAS_FOUND
    )
    if whole := _whole_at(found):
        moved = moved.filter(state_since__lte=whole)
    # Units of before an order came through here say nothing about it.
    later = moved.filter(state_since__gt=OuterRef(column))
    return accounts.filter(Exists(moved) & behind | Exists(later))


def waiting() -> dict[str, int]:
    """How many accounts keep the gate closed, by family; nothing while it is open."""
    found = found_at()
    return {family: left(family, found).count() for family in COLUMNS} if found else {}


def conclude(at: datetime) -> None:
    """The gate may open once nothing is left that could have been sent."""
    found = found_at()
    if found and _whole_at(found) and not any(left(family, found).exists() for family in COLUMNS):
        Heartbeat.objects.update_or_create(name=gates.COMPARED, defaults={"at": at})


def _whole_at(found: datetime) -> datetime | None:
    """When orders, payments and mandates were last compared whole, if that was after the restore."""
    return Heartbeat.objects.filter(name=CASE, at__gt=found).values_list("at", flat=True).first()


def _decided(family: str, found: datetime) -> list[int]:
    """Accounts about which FP said nothing usable, and a person has closed the case since."""
    unread = Case.objects.filter(kind=f"{CASE}_{family}_list_unread")
    still = unread.filter(state=Case.State.OPEN).values("subject_id")
    closed = unread.filter(state=Case.State.CLOSED, closed_at__gt=found).exclude(subject_id__in=still)
    return [int(key) for key in closed.values_list("subject_id", flat=True)]
