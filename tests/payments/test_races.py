"""Two clicks at once. Each race is shown with its guards off first; then the guards hold it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from orders.models import Cart, MfOrder
from orders.operations import carts
from orders.operations.purchases import TermsChanged
from payments import operations
from payments.gateway import PaymentSnapshot
from payments.models import Payment
from payments.operations import attempts, late, rows
from portal import clock
from portal.models import Case
from tests import factories
from tests.database import raised_at_once
from tests.orders.carting import asked, confirm, fill, sold_schemes

pytestmark = pytest.mark.django_db(transaction=True)


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def meeting(times: int) -> Callable[[], None]:
    """Everybody arrives before anybody goes on; where a guard keeps the others away, nobody waits for long."""
    barrier = threading.Barrier(times)

    def meet() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(2)

    return meet


# --- another payment for the same order ---------------------------------------------------------------------------


@pytest.fixture
def retry(asha, monkeypatch) -> Callable[[], list[str]]:
    """Three clicks on "Try to pay again", which all have seen that no payment is live before one of them writes."""
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    factories.PaymentFactory(order=order, state="FAILED")
    meet, checked = meeting(3), attempts._may_pay

    def after_looking(order: MfOrder, again: bool) -> bool:
        # The last look before the row is written.
        answer = checked(order, again)
        if answer and again:
            meet()
        return answer

    monkeypatch.setattr(attempts, "_may_pay", after_looking)
    return lambda: raised_at_once(lambda: operations.start(order_id=order.pk, at=clock.now(), again=True), 3)


@pytest.fixture
def no_order_lock(monkeypatch) -> None:
    monkeypatch.setattr(attempts, "_locked_together", lambda order_id: [MfOrder.objects.get(pk=order_id)])


@pytest.fixture
def no_live_index(transactional_db) -> Iterator[None]:
    _run("DROP INDEX an_order_has_one_live_payment")
    yield
    _run(
        "TRUNCATE payments_paymentline, payments_payment CASCADE",
        "CREATE UNIQUE INDEX an_order_has_one_live_payment ON payments_paymentline (order_id) WHERE is_live",
    )


def live() -> int:
    return Payment.objects.filter(lines__is_live=True).count()


def test_without_a_guard_an_order_has_three_payments_at_once(retry, no_order_lock, no_live_index):
    assert retry() == []
    assert live() == 3


def test_the_database_alone_lets_one_of_three_retries_through(retry, no_order_lock):
    assert retry() == ["IntegrityError", "IntegrityError"]
    assert live() == 1


def test_three_clicks_are_one_new_payment(retry):
    assert retry() == []
    assert live() == 1


# --- a cart that is confirmed twice -------------------------------------------------------------------------------


def _unique(table: str, column: str) -> str:
    """The name of the unique constraint that Django gave to a column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'u'"
            " AND conkey = ARRAY[(SELECT attnum FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s)]",
            [table, table, column],
        )
        return str(cursor.fetchone()[0])


@pytest.fixture
def two_clicks(asha, monkeypatch) -> Callable[[], list[str]]:
    """The same code sent twice at the same moment; both have checked everything before either writes."""
    fill(asha, sold_schemes())
    consent, otp = asked(asha)
    # The first try at the code writes to the consent, which alone would keep the second out: leave that behind us.
    type(consent).objects.filter(pk=consent.pk).update(given_at=clock.now())
    meet, checked = meeting(2), carts._still_the_same

    def after_checking(*args: object):
        found = checked(*args)
        meet()
        return found

    monkeypatch.setattr(carts, "_still_the_same", after_checking)
    return lambda: raised_at_once(lambda: confirm(asha, consent, otp), 2)


@pytest.fixture
def no_locks(monkeypatch) -> None:
    """Neither the consent, the account, nor the open cart is locked."""
    from investors.models import Consent

    def without_lock(*, investor, code, **about):
        return Consent.objects.select_related("investor__user").get(investor=investor, code=code)

    monkeypatch.setattr(carts.consents, "lock", without_lock)
    monkeypatch.setattr(carts.purchases, "hold", lambda investor: None)
    monkeypatch.setattr(
        carts,
        "_locked_lines",
        lambda investor: list(carts.lines_of(Cart.objects.get(investor=investor, confirmed_at=None))),
    )


@pytest.fixture
def no_constraints(transactional_db) -> Iterator[None]:
    """What the database itself says about carts is switched off."""
    names = [(table, column, _unique(table, column)) for table, column in _COLUMNS]
    triggers = [
        ("orders_cartline", "a_confirmed_cart_line_never_changes"),
        ("orders_mforder", "an_order_is_its_cart_line"),
        ("orders_mforder", "an_order_has_its_consent"),
        ("orders_cartline", "cart_lines_add_up"),
        ("orders_cart", "a_confirmed_cart_is_its_consent"),
    ]
    _run(*(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, _, name in names))
    _run(*(f"ALTER TABLE {table} DISABLE TRIGGER {name}" for table, name in triggers))
    yield
    _run("TRUNCATE orders_mforder, orders_cartline, orders_cart CASCADE")
    _run(*(f"ALTER TABLE {table} ENABLE TRIGGER {name}" for table, name in triggers))
    _run(*(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({column})" for table, column, name in names))


_COLUMNS = (("orders_cart", "consent_id"), ("orders_mforder", "cart_line_id"))


def test_without_a_guard_a_cart_is_ordered_twice(two_clicks, no_locks, no_constraints):
    assert two_clicks() == []
    assert MfOrder.objects.count() == 6


def test_the_database_alone_orders_a_cart_once(two_clicks, no_locks):
    assert two_clicks() == ["IntegrityError"]
    assert MfOrder.objects.count() == 3


def test_two_clicks_order_a_cart_once(two_clicks):
    assert two_clicks() == []
    assert (MfOrder.objects.count(), Cart.objects.filter(confirmed_at__isnull=False).count()) == (3, 1)


def test_two_codes_for_the_same_cart_order_it_once(asha):
    fill(asha, sold_schemes())
    first, second = asked(asha), asked(asha)
    waiting = [first, second]
    refused = raised_at_once(lambda: confirm(asha, *waiting.pop()), 2)
    assert refused == [TermsChanged.__name__]
    assert MfOrder.objects.count() == 3


# --- two payments for one order succeed at the same moment --------------------------------------------------------


@pytest.fixture
def two_successes(asha, monkeypatch) -> Callable[[], list[str]]:
    """One that had failed and one that is open; both have looked for another collection before either is paid."""
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    first = factories.PaymentFactory(order=order, state="FAILED")
    second = factories.PaymentFactory(order=order, handed_over_at=clock.now())
    meet, looked = meeting(2), late.look_for_a_second

    def after_looking(*args: object, **more: object) -> None:
        looked(*args, **more)
        meet()

    monkeypatch.setattr(late, "look_for_a_second", after_looking)
    waiting = [first, second]

    def absorb() -> None:
        payment = waiting.pop()
        said = PaymentSnapshot(payment.provider_ref, "DEBITED", "SUCCESS")
        operations.absorb(payment_id=payment.pk, snapshot=said, at=clock.now())

    return lambda: raised_at_once(absorb, 2)


def paid_twice() -> int:
    return Case.objects.filter(kind=operations.PAID_TWICE_CASE).count()


def test_without_a_guard_nobody_hears_that_an_order_was_paid_twice(two_successes, monkeypatch):
    monkeypatch.setattr(rows, "locked_orders", lambda row: list(MfOrder.objects.filter(payment_lines__payment=row)))
    assert two_successes() == []
    assert paid_twice() == 0


def test_of_two_successes_at_once_one_sees_the_other(two_successes):
    assert two_successes() == []
    assert paid_twice() == 1
