"""The batches of a SIP day act at most once per plan and date: killed anywhere, started twice (reliability.md P14).

CI kills one day of 300 instalments; the promise's 100 batches of 1,000: `BATCHES=100 SIP_DAY=1000 ./run test
tests/orders/test_sip_days.py -k killed`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from investors.models import Consent
from orders import plan_rules
from orders.gateway import OrderSnapshot
from orders.models import Instalment, MfOrder, Plan
from orders.operations import instalments
from portal import clock, gates, identifiers, outbox
from portal.models import Case, Delivery, Notice
from portal.notices import writing
from tests import database, factories, killer

pytestmark = pytest.mark.django_db(transaction=True)
MANY = int(os.environ.get("SIP_DAY", "300"))
BATCHES = int(os.environ.get("BATCHES", "1"))


@pytest.fixture
def book() -> list[Plan]:
    """Running SIPs of one investor whose next date is two days from now, and some for other days."""
    investor = factories.ReadyInvestorFactory(user__email="many@portal.example")
    on = clock.today() + timedelta(days=2)
    other = on + timedelta(days=9)
    first = factories.PlanFactory(investor=investor, start_day=other.day)
    return add(first, MANY, on.day, on) + add(first, 20, other.day, other)


def add(like: Plan, count: int, day: int, first_on) -> list[Plan]:
    asked = {"investor": like.investor, "purpose": "SIP", "amount": like.amount, "isin": like.scheme.isin}
    consents = factories.ConsentFactory.build_batch(count, **asked)
    for consent in consents:
        consent.code = identifiers.new_code("CNS")
    Consent.objects.bulk_create(consents)
    return Plan.objects.bulk_create(
        Plan(
            code=f"SIP-{day:02}{number:06}", client_ref=identifiers.new_client_ref(), investor=like.investor,
            provider_ref=f"{day:02}{number:06}", state="ACTIVE", state_since=clock.now(), scheme=like.scheme,
            investment_account=like.investment_account, mandate=like.mandate, consent=consent, amount=like.amount,
            start_day=day, instalments=12, placed_at=clock.now(), first_on=first_on,
            last_on=plan_rules.last(first_on, 12, day),
        )
        for number, consent in enumerate(consents)
    )  # fmt: skip


def due(book: list[Plan]) -> list[Plan]:
    return book[:MANY]


def orders_of(book: list[Plan]) -> list[OrderSnapshot]:
    """What FP lists on the day: an order for each instalment."""
    return [
        OrderSnapshot(f"9{plan.provider_ref}", None, "AWAITING_PAYMENT", "PENDING", plan.amount, plan.scheme.isin,
                      plan_ref=plan.provider_ref, invested_on=plan.first_on)
        for plan in due(book)
    ]  # fmt: skip


# --- Expecting ----------------------------------------------------------------------------------------------------


def test_expects_exactly_the_plans_of_the_date(book):
    on = due(book)[0].first_on
    assert instalments.expect(on=on, at=clock.now()) == MANY
    assert set(Instalment.objects.values_list("plan_id", "on")) == {(plan.pk, on) for plan in due(book)}


def test_a_chunk_reads_its_index_and_no_row_of_a_plan(book):
    """Rows of other days lie between those of a day: in a book four times as large they would all be read."""
    values = {"day": 5, "on": clock.today(), "at": clock.now(), "after": 0, "size": instalments.CHUNK}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE orders_plan")
        cursor.execute(f"EXPLAIN {instalments._EXPECT}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using plan_of_day on orders_plan" in plan, plan


def test_without_the_database_two_schedulers_expect_twice(book):
    """The race itself: two who each look what is missing, then write."""
    plan = due(book)[0]
    seen = [Instalment.objects.filter(plan=plan, on=plan.first_on).exists() for _ in range(2)]
    assert seen == [False, False]  # both would write
    factories.InstalmentFactory(plan=plan)
    with pytest.raises(IntegrityError, match="one_instalment_per_plan_and_date"), transaction.atomic():
        factories.InstalmentFactory(plan=plan)


def test_two_schedulers_expect_each_instalment_once(book, monkeypatch):
    monkeypatch.setattr(instalments, "CHUNK", 50)
    made = database.at_once(lambda: instalments.expect(on=due(book)[0].first_on, at=clock.now()), 3)
    assert sum(made) == MANY == Instalment.objects.count()


def test_stops_between_two_chunks_at_the_kill_switch(book, monkeypatch):
    monkeypatch.setattr(instalments, "CHUNK", 50)
    gates.turn(name=gates.OUTBOUND_MONEY, closed=True, reason="test", actor="system", at=clock.now())
    with pytest.raises(gates.GateClosed):
        instalments.expect(on=due(book)[0].first_on, at=clock.now())
    with pytest.raises(gates.GateClosed):
        instalments.tell(at=clock.now())
    assert not Instalment.objects.exists()


# --- Telling ------------------------------------------------------------------------------------------------------


def tell_all() -> int:
    told = 0
    while now := instalments.tell(at=clock.now()):
        told += now
    return told


def announced() -> Counter[tuple[str, str]]:
    """How often each plan and date was told."""
    return Counter(Notice.objects.filter(event="plan.debit_near").values_list("subject_id", "about"))


def test_two_who_tell_tell_each_date_once(book):
    on = due(book)[0].first_on
    instalments.expect(on=on, at=clock.now())
    assert sum(database.at_once(tell_all, 2)) == MANY
    assert announced() == Counter((str(plan.pk), on.isoformat()) for plan in due(book))
    assert Delivery.objects.filter(channel="EMAIL").count() == MANY


def test_what_fails_among_a_hundred_leaves_nobody_half_told(book, monkeypatch):
    instalments.expect(on=due(book)[0].first_on, at=clock.now())

    def die(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(instalments.plan_rules, "may_be_told_in_time", die)
    with pytest.raises(MemoryError):
        instalments.tell(at=clock.now())
    assert not announced()
    assert not Instalment.objects.exclude(told_at=None).exists()


# --- Killed anywhere ----------------------------------------------------------------------------------------------


def sip_day(mails: Path) -> Callable[[], None]:
    """What a worker does on such a day; its messages go to a folder of its own, for two children name them alike."""

    def work() -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = str(mails / str(os.getpid()))
        instalments.CHUNK = 40
        instalments.expect_all(at=clock.now())
        while instalments.tell(at=clock.now()):
            pass
        while found := writing.find_due(clock.now()):
            for delivery_id in found:
                writing.deliver(delivery_id=delivery_id, at=clock.now())

    return work


def written(mails: Path, settings: Any) -> Counter[str]:
    """How often each SIP's owner was written to, by all processes together."""
    found: Counter[str] = Counter()
    for folder in mails.iterdir():
        settings.EMAIL_FILE_PATH = str(folder)
        sent = outbox.mails(to="many@portal.example", limit=10_000)
        found.update(mail.text.split("SIP: ")[1][:12] for mail in sent)
    return found


@pytest.mark.parametrize("seed", range(14, 14 + BATCHES))
def test_a_day_killed_at_random_moments_tells_everybody_once_and_writes_to_nobody_twice(seed, book, tmp_path, settings):
    """Four kills and then two at once; each kill can leave the one message that was under way without an outcome."""
    dice, kills = random.Random(seed), 4
    for _ in range(kills):
        child = killer.begin(sip_day(tmp_path))
        time.sleep(dice.uniform(0, MANY / 1_000))
        os.kill(child, signal.SIGKILL)
        killer.end_of(child)
        # What a worker that died had taken to send comes back after a minute; here it has passed.
        Delivery.objects.filter(state="WAITING").update(due_at=clock.now())
    both = [killer.begin(sip_day(tmp_path)), killer.begin(sip_day(tmp_path))]
    assert [killer.end_of(child).code for child in both] == [0, 0]
    on = due(book)[0].first_on
    assert announced() == Counter((str(plan.pk), on.isoformat()) for plan in due(book))
    assert not Instalment.objects.filter(on=on, told_at=None).exists()
    seen = written(tmp_path, settings)
    assert set(seen.values()) == {1}
    # Of those without an outcome, some had gone out.
    assert MANY - len(seen) <= Delivery.objects.exclude(state="SENT").count() <= kills


# --- FP's orders --------------------------------------------------------------------------------------------------


def test_one_order_an_instalment_however_often_and_by_how_many_it_is_taken_in(book, monkeypatch):
    monkeypatch.setattr(instalments, "TAKEN_AT_ONCE", 50)
    listed = orders_of(book)[:120]
    made = database.at_once(lambda: instalments.take_in(listed, at=clock.now(), source="poll"), 2)
    assert [each for each in made if isinstance(each, Exception)] == []
    assert MfOrder.objects.count() == 120 == Instalment.objects.filter(order__isnull=False).count()
    assert instalments.take_in(listed, at=clock.now(), source="poll") == 0
    assert not Case.objects.exists()


def test_a_second_order_for_a_date_is_a_case_and_no_order(book):
    (first, *_), plan = orders_of(book), due(book)[0]
    second = OrderSnapshot(
        "777", None, "AWAITING_PAYMENT", "PENDING", plan.amount, plan_ref=plan.provider_ref, invested_on=plan.first_on
    )
    instalments.take_in([first, second], at=clock.now(), source="poll")
    assert MfOrder.objects.get().provider_ref == first.provider_ref
    assert Case.objects.get().kind == instalments.DOUBLE_CASE


@pytest.mark.parametrize("wrong", [{"amount": Decimal(1)}, {"isin": "INF000000000"}, {"kind": "REDEMPTION"}])
def test_an_order_that_cannot_be_the_plans_is_a_case_and_no_order(wrong, book):
    plan = due(book)[0]
    said = {"amount": plan.amount, "isin": plan.scheme.isin} | wrong
    order = OrderSnapshot("777", None, None, "PENDING", plan_ref=plan.provider_ref, invested_on=plan.first_on, **said)
    instalments.take_in([order], at=clock.now(), source="poll")
    assert not MfOrder.objects.exists()
    assert Case.objects.get().kind == "plan_news_conflict"


def test_money_debited_after_the_end_is_on_record_and_a_case(book):
    plan = due(book)[0]
    Plan.objects.filter(pk=plan.pk).update(state="CANCELLED")
    instalments.take_in(orders_of(book)[:1], at=clock.now(), source="poll")
    assert MfOrder.objects.get().plan == plan
    assert Case.objects.get().kind == instalments.AFTER_END_CASE
