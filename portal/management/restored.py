"""What must have been compared before money moves again after a restore: all that may have been sent since the backup.

    orders, payments, mandates    by one whole run: FP lists all of them. Until then nothing moves
    SIPs                          of every account, by turns: FP lists them by account, and has no list of all
    units                         of the accounts in which, as the whole run knows, an order came through since then

The older database cannot know for which accounts a SIP was sent, so none is passed over. Where there are very many,
that takes longer than people may wait: so the opened gate asks for each act whether its own account was compared
(`portal/gates.py`), and accounts in whose name something waits have their turn first. An account about which FP gives
no usable answer stays shut until a person has closed its case; so does one for which FP runs a SIP that we no longer
know, because its investor may ask for the same once more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from investors.models import InvestmentAccount
from orders import lifecycle, plan_rules
from orders.models import Instalment, MfOrder, Plan, PlanChange
from payments import lifecycle as payment_lifecycle
from payments.models import PaymentLine
from portal import clock, gates
from portal.management.reconciliation import CASE
from portal.models import Case, Heartbeat

THROUGH = (lifecycle.ALLOTTED, lifecycle.REDEEMED)
UNSENT = (lifecycle.CREATED, lifecycle.SUBMITTING)
# Whatever took news in before the gate was closed, in the older database.
BEFORE_IT_WAS_FOUND = timedelta(days=1)
# The pace of the comparison is that of its last minutes.
LATELY = timedelta(minutes=10)
# Family of a turn -> the column of an account that says when it was last compared.
COLUMNS = {"sip": "sips_compared_at", "holding": "holdings_compared_at"}


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


def held() -> list[int]:
    """Accounts for which FP runs a SIP that was never sent from here, as long as nobody has closed the case."""
    found = Case.objects.filter(kind=f"{CASE}_sip_only_at_fp", state=Case.State.OPEN)
    return [int(key) for key in found.values_list("subject_id", flat=True)]


def waiting() -> dict[str, int]:
    """How many accounts wait to be compared, by family; nothing while no restore asks for it."""
    found = gates.found_at()
    return {family: left(family, found).count() for family in COLUMNS} if found else {}


def may_act(accounts: Collection[int], found: datetime) -> bool:
    """Was each of these accounts compared, and does none wait for a person?"""
    behind = any(left(family, found).filter(pk__in=accounts).exists() for family in COLUMNS)
    return not behind and not set(held()).intersection(accounts)


def progress(found: datetime, at: datetime) -> gates.Progress:
    """How many accounts were compared, and when the last one will be at the pace of the last minutes."""
    total, to_come = InvestmentAccount.objects.count(), left("sip", found).count()
    since = max(found, at - LATELY)
    lately = InvestmentAccount.objects.filter(sips_compared_at__gt=since).count()
    ends_at = at + (at - since) * to_come / lately if lately else None
    return gates.Progress(total - to_come, total, len(held()), ends_at)


def conclude(at: datetime) -> None:
    """What the gate may do now: open for compared accounts, and for everybody once nothing is left."""
    found = gates.found_at()
    if not found:
        return
    _keep_the_whole_run(found)
    if _whole_at(found) and not held() and not any(left(family, found).exists() for family in COLUMNS):
        gates.all_compared(since=found, at=at)


# --- whose turn it is --------------------------------------------------------------------------------------------


def in_order_of_need(accounts: QuerySet[InvestmentAccount], at_once: int) -> list[InvestmentAccount]:
    """The first of them: those in whose name something waits, then those with a SIP in the next days, then others."""
    chosen: list[InvestmentAccount] = []
    for need in (_acts_wait(), _sip_is_near(), Q()):
        known = [each.pk for each in chosen]
        chosen += accounts.filter(need).exclude(pk__in=known)[: at_once - len(chosen)]
    return chosen


def _acts_wait() -> Q:
    """An order, SIP, change of a SIP or payment waits to be sent."""
    due = {"due_at__isnull": False}
    lines = PaymentLine.objects.filter(payment__state__in=payment_lifecycle.UNSENT, payment__due_at__isnull=False)
    ids = (
        MfOrder.objects.filter(state__in=UNSENT, **due).values("investment_account"),
        Plan.objects.filter(state__in=UNSENT, **due).values("investment_account"),
        PlanChange.objects.filter(state__in=UNSENT, **due).values("plan__investment_account"),
        lines.values("order__investment_account"),
    )
    found = Q()
    for each in ids:
        found |= Q(pk__in=each)
    return found


def _sip_is_near() -> Q:
    today = clock.today()
    near = Instalment.objects.filter(on__gte=today, on__lte=today + timedelta(days=plan_rules.EXPECT_AHEAD))
    return Q(pk__in=near.values("plan__investment_account"))


# --- what a person has decided, and when the whole run was ---------------------------------------------------------


def tell_the_gate() -> None:
    """From now on the gate knows of accounts. Called in every process, before anything is sent."""
    gates.ask_about_accounts(gates.Accounts(may_act, progress))


def _keep_the_whole_run(found: datetime) -> None:
    """The first one since the restore counts: what comes through after it came through under the gate."""
    if _whole_at(found):
        return
    if whole := Heartbeat.objects.filter(name=CASE, at__gt=found).first():
        Heartbeat.objects.update_or_create(name=gates.WHOLE, defaults={"at": whole.at})


def _whole_at(found: datetime) -> datetime | None:
    """When orders, payments and mandates were first compared whole after the restore."""
    return Heartbeat.objects.filter(name=gates.WHOLE, at__gt=found).values_list("at", flat=True).first()


def _decided(family: str, found: datetime) -> list[int]:
    """Accounts about which FP said nothing usable, and a person has closed the case since."""
    unread = Case.objects.filter(kind=f"{CASE}_{family}_list_unread")
    still = unread.filter(state=Case.State.OPEN).values("subject_id")
    closed = unread.filter(state=Case.State.CLOSED, closed_at__gt=found).exclude(subject_id__in=still)
    return [int(key) for key in closed.values_list("subject_id", flat=True)]
