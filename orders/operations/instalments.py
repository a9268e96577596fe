"""The instalments of SIPs: expected and announced by us, made by FP, taken in as orders.

    expect      one statement for 5,000 plans of a date: whoever and however many expect it, a plan has one a date
    tell        the notice of at least 24 hours before a debit, a hundred in a transaction
    take_in     FP's orders for instalments become orders of ours, once per plan and date

The first two stop between two chunks when the kill switch is on; what FP has done is taken in all the same. Each can be
killed at any point: what was committed stands, and the next run does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, QuerySet

from orders import calendar, gateway, lifecycle, plan_rules
from orders.gateway import OrderSnapshot
from orders.models import Instalment, MfOrder, Plan
from orders.operations import news, plan_news, plan_notices
from orders.queries import schemes as scheme_queries
from portal import audit, cases, clock, euins, gates, identifiers

CHUNK = 5_000
TOLD_AT_ONCE = 100
TAKEN_AT_ONCE = 500
# Plans that are asked about at once because FP's order for a date is missing.
LOOK_FOR_AT_ONCE = 500
DOUBLE_CASE = "two_orders_for_one_instalment"
AFTER_END_CASE = "sip_debited_after_its_end"
LATE_CASE = "pre_debit_notice_late"


# --- Expecting ----------------------------------------------------------------------------------------------------

# The index plan_of_day is read from where the chunk before ended, so a chunk costs the same in a book of any size.
_EXPECT = """
    WITH due AS MATERIALIZED (
        SELECT id, investor_id, amount, first_on, last_on FROM orders_plan
         WHERE state = 'ACTIVE' AND start_day = %(day)s AND id > %(after)s
         ORDER BY id LIMIT %(size)s
    ), made AS (
        INSERT INTO orders_instalment (plan_id, investor_id, "on", amount, expected_at)
        SELECT id, investor_id, %(on)s, amount, %(at)s FROM due WHERE first_on <= %(on)s AND last_on >= %(on)s
        ON CONFLICT (plan_id, "on") DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM made), (SELECT max(id) FROM due)
"""


def expect_all(*, at: datetime) -> int:
    """The instalments of today and of the next days are expected. Returns how many are new."""
    today = at.astimezone(clock.IST).date()
    return sum(expect(on=today + timedelta(days=ahead), at=at) for ahead in range(plan_rules.EXPECT_AHEAD + 1))


def expect(*, on: date, at: datetime) -> int:
    """Every active plan that has an instalment on a date expects it. Returns how many are new.

    Raises gates.GateClosed between two chunks once the kill switch is on.
    """
    return sum(_expect_day(day, on, at) for day in plan_rules.days_due(on))


def _expect_day(day: int, on: date, at: datetime) -> int:
    total, after = 0, 0
    while after is not None:
        gates.check()
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_EXPECT, {"day": day, "on": on, "at": at, "after": after, "size": CHUNK})
            made, after = cursor.fetchone()
        total += made
    return total


def expect_of(*, plan_id: int, at: datetime) -> None:
    """A plan that has just begun expects its first instalment, if that is near."""
    plan = Plan.objects.get(pk=plan_id)
    today = at.astimezone(clock.IST).date()
    if plan.state == lifecycle.ACTIVE and plan.first_on <= today + timedelta(days=plan_rules.EXPECT_AHEAD):
        defaults = {"investor_id": plan.investor_id, "amount": plan.amount, "expected_at": at}
        Instalment.objects.get_or_create(plan=plan, on=plan.first_on, defaults=defaults)


# --- The notice before a debit ------------------------------------------------------------------------------------

# Skipped dates and ended plans are not announced.
_UNTOLD = """
    SELECT i.id FROM orders_instalment i JOIN orders_plan p ON p.id = i.plan_id
     WHERE i.told_at IS NULL AND i."on" > %(today)s AND p.state = 'ACTIVE'
       AND NOT EXISTS (SELECT FROM orders_planchange c WHERE c.plan_id = i.plan_id AND c."on" = i."on"
                          AND c.kind = 'SKIP' AND c.state <> 'FAILED')
     ORDER BY i."on", i.id LIMIT %(size)s FOR UPDATE OF i SKIP LOCKED
"""


def tell(*, at: datetime) -> int:
    """Up to a hundred people whose instalment is near have been told. Returns how many; 0: all are.

    The notice and the row that says so are one transaction, so a plan and date is told once, whoever dies when. Raises
    gates.GateClosed.
    """
    gates.check()
    with transaction.atomic(durable=True):
        rows = Instalment.objects.filter(pk__in=_untold(at)).order_by("on", "pk")
        near = list(rows.select_related("plan__scheme", "plan__mandate__bank_account"))
        for instalment in near:
            plan_notices.tell_of_debit(instalment, at=at)
            if not plan_rules.may_be_told_in_time(instalment.on, at):
                _too_late(instalment, at)
        Instalment.objects.filter(pk__in=[each.pk for each in near]).update(told_at=at)
    return len(near)


def _untold(at: datetime) -> list[int]:
    """Locked until the transaction ends; what somebody else is telling is passed over."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, {"today": at.astimezone(clock.IST).date(), "size": TOLD_AT_ONCE})
        return [row[0] for row in cursor.fetchall()]


def _too_late(instalment: Instalment, at: datetime) -> None:
    cases.open_case(
        kind=LATE_CASE,
        subject=instalment.plan,
        title=f"SIP {instalment.plan.code}: told less than 24 hours before the debit",
        detail=f"The instalment of {calendar.short(instalment.on)} was announced late: no worker ran, or FP dated the "
        "SIP otherwise than confirmed.",
        at=at,
    )


# --- FP's orders --------------------------------------------------------------------------------------------------


def take_in(snapshots: Iterable[OrderSnapshot], *, at: datetime, source: str) -> int:
    """FP's orders for instalments of ours are orders here, once per plan and date, and as far as FP has them.

    Snapshots of other orders are left alone. Returns how many are new.
    """
    found = 0
    for chunk in _chunks(each for each in snapshots if each.plan_ref and each.invested_on):
        found += _take_in(chunk, at, source)
    return found


def _chunks(snapshots: Iterable[OrderSnapshot]) -> Iterator[list[OrderSnapshot]]:
    rest = iter(snapshots)
    while chunk := list(islice(rest, TAKEN_AT_ONCE)):
        yield chunk


def _take_in(chunk: list[OrderSnapshot], at: datetime, source: str) -> int:
    plans = {plan.provider_ref: plan for plan in _plans_of(chunk)}
    mine = [each for each in chunk if each.plan_ref in plans and _fits(plans[each.plan_ref], each, at)]
    with transaction.atomic(durable=True):
        before = _known(mine)
        fresh = [each for each in mine if each.provider_ref not in before]
        holidays = scheme_queries.holidays()
        # Two who take in the same list at once: the second one's rows give way to the first one's.
        MfOrder.objects.bulk_create(
            [_order_of(plans[each.plan_ref], each, at, holidays) for each in fresh], ignore_conflicts=True
        )
        orders = _known(mine)
        new = [each for each in fresh if each.provider_ref in orders]
        _link([orders[each.provider_ref][0] for each in mine if each.provider_ref in orders], at)
        for each in new:
            audit.record(
                MfOrder(pk=orders[each.provider_ref][0]), "order.instalment", actor=None, at=at, source=source,
                plan=plans[each.plan_ref].code, on=str(each.invested_on),
            )  # fmt: skip
    for each in mine:
        order_id, state = orders.get(each.provider_ref, (None, ""))
        if state != each.state or each in new:
            _move_on(plans[each.plan_ref], each, order_id, at, source, is_new=each in new)
    return len(new)


def _plans_of(chunk: list[OrderSnapshot]) -> list[Plan]:
    rows = Plan.objects.filter(provider="fp", provider_ref__in={each.plan_ref for each in chunk})
    return list(rows.select_related("scheme", "mandate", "consent"))


def _known(chunk: list[OrderSnapshot]) -> dict[str, tuple[int, str]]:
    """Our order and where it stands, by FP's number."""
    rows = MfOrder.objects.filter(provider="fp", provider_ref__in=[each.provider_ref for each in chunk])
    return {str(ref): (pk, state) for ref, pk, state in rows.values_list("provider_ref", "pk", "state")}


def _fits(plan: Plan, said: OrderSnapshot, at: datetime) -> bool:
    """An order that cannot be this plan's becomes a case and no order."""
    wrong = (
        f"amount {said.amount}" if said.amount is not None and said.amount != plan.amount else "",
        f"scheme {said.isin}" if said.isin and said.isin != plan.scheme.isin else "",
        f"kind {said.kind}" if said.kind and said.kind != MfOrder.Kind.PURCHASE else "",
    )
    if any(wrong):
        what = ", ".join(part for part in wrong if part)
        plan_news.conflict(plan, f"FP's instalment order {said.provider_ref} has {what}", at=at)
    return not any(wrong)


# Where an instalment's order begins here: FP's pending one waits for the debit; BSE has it at once.
_BEGINS = {"RTA": lifecycle.AWAITING_PAYMENT, "BSE": lifecycle.PLACED}


def _order_of(plan: Plan, said: OrderSnapshot, at: datetime, holidays: frozenset[date]) -> MfOrder:
    on = said.invested_on or at.date()
    book = scheme_queries.book()
    nav_on, rule = plan_rules.nav_of(on=on, category=plan.scheme.category, holidays=holidays, book=book)
    euin = euins.good(plan.euin, at.date())
    return MfOrder(
        code=identifiers.new_code("ORD"),
        client_ref=identifiers.new_client_ref(),
        investor_id=plan.investor_id,
        provider_ref=said.provider_ref,
        gateway=plan.gateway,
        kind=MfOrder.Kind.PURCHASE,
        state=_BEGINS[plan.gateway],
        state_since=at,
        scheme_id=plan.scheme_id,
        folio_id=plan.folio_id,
        investment_account_id=plan.investment_account_id,
        bank_account_id=plan.mandate.bank_account_id,
        mandate_id=plan.mandate_id,
        plan=plan,
        instalment_on=on,
        amount=plan.amount,
        payment_method=MfOrder.PaymentMethod.NACH,
        euin=euin,
        is_execution_only=not euin,
        placed_at=at,
        predicted_nav_on=nav_on,
        prediction=rule[:300],
        due_at=at + timedelta(seconds=news.PACE_S[_BEGINS[plan.gateway]]),
    )


_LINK = """
    INSERT INTO orders_instalment (plan_id, investor_id, "on", amount, expected_at, order_id)
    SELECT plan_id, investor_id, instalment_on, amount, %s, id FROM orders_mforder WHERE id = ANY(%s)
    ON CONFLICT (plan_id, "on") DO UPDATE SET order_id = EXCLUDED.order_id WHERE orders_instalment.order_id IS NULL
"""


def _link(order_ids: list[int], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LINK, [at, order_ids])


def _move_on(plan: Plan, said: OrderSnapshot, order_id: int | None, at: datetime, source: str, *, is_new: bool) -> None:
    on = said.invested_on or at.date()
    if order_id is None:
        cases.open_case(
            kind=DOUBLE_CASE,
            subject=plan,
            title=f"SIP {plan.code}: FP has two orders for {calendar.short(on)}",
            detail=f"The second is {said.provider_ref}. Find out whether both were debited, and have one refunded.",
            at=at,
        )
        return
    news.absorb(order_id=order_id, snapshot=said, at=at, source=source)
    ended = plan.state == lifecycle.CANCELLED and on > plan.state_since.astimezone(clock.IST).date()
    if is_new and ended and said.state != lifecycle.CANCELLED:
        cases.open_case(
            kind=AFTER_END_CASE,
            subject=plan,
            title=f"SIP {plan.code} was debited after its end",
            detail=f"FP's order {said.provider_ref} for {calendar.short(on)}. Follow the money back.",
            at=at,
        )


# --- What is missing ----------------------------------------------------------------------------------------------

_LOOK_FOR = """
    UPDATE orders_plan SET due_at = %(at)s
     WHERE id IN (SELECT DISTINCT i.plan_id FROM orders_instalment i JOIN orders_plan p ON p.id = i.plan_id
                   WHERE i.order_id IS NULL AND i."on" <= %(until)s AND i."on" >= %(since)s
                     AND p.state = 'ACTIVE' AND (p.due_at IS NULL OR p.due_at > %(soon)s) LIMIT %(size)s)
"""
# FP makes the order of an instalment in the course of its day; after so long the plan's own look-up has settled it.
MISSED_AFTER = timedelta(days=3)


def catch_up(*, at: datetime) -> int:
    """Orders of due instalments that ended before a poll saw them are taken in; returns how many dates still lack one.

    One list for the whole tenant, down to the oldest date that lacks an order. What is missing then from noon of its
    day on, its plan is asked about. Raises the gateway errors of a read.
    """
    oldest = _missing(at).aggregate(oldest=Min("on"))["oldest"]
    if oldest is None:
        return 0
    listed = gateway.list_since(settings.FP_ORDER_GATEWAY, oldest)
    take_in(listed, at=at, source="orders of the date")
    local = at.astimezone(clock.IST)
    until = local.date() if local.hour >= 12 else local.date() - calendar.ONE_DAY
    values = {"at": at, "until": until, "since": local.date() - MISSED_AFTER, "soon": at + timedelta(hours=1)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOOK_FOR, values | {"size": LOOK_FOR_AT_ONCE})
    return _missing(at).count()


def _missing(at: datetime) -> QuerySet[Instalment]:
    today = at.astimezone(clock.IST).date()
    return Instalment.objects.filter(order=None, on__lte=today, on__gte=today - MISSED_AFTER, plan__state="ACTIVE")


def expects_orders(at: datetime) -> bool:
    """Is any instalment due for which FP has not shown an order yet?"""
    return _missing(at).exists()
