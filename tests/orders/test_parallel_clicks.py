"""P7: one order, however often and from however many tabs at once a confirmation is sent.

CI lets twenty browsers send the same confirmation at the same moment, three times over; the promise's 100 trials:
`TRIALS=100 ./run test tests/orders/test_parallel_clicks.py`. The race is shown first, with the guards off.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from investors.models import Consent
from investors.operations import consents
from orders.models import MfOrder
from orders.operations import purchases
from portal import clock
from tests.database import raised_at_once
from tests.payments.test_races import _unique

pytestmark = pytest.mark.django_db(transaction=True)
TABS, TRIALS = 20, int(os.environ.get("TRIALS", "3"))


@pytest.fixture
def click(asha, given, client_for, monkeypatch) -> Callable[[int], list[str]]:
    """`click(5001)`: twenty browsers of one person post the confirmation of a purchase of so much together."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    browsers = [client_for(asha) for _ in range(TABS)]

    def run(amount: int) -> list[str]:
        consent, places, free = given(asha, amount), set(), list(browsers)
        Consent.objects.filter(pk=consent.pk).update(given_at=None)

        def post() -> None:
            answer = free.pop().post(f"/orders/confirm/{consent.code}/", {"otp": "123456"})
            places.add(answer.headers.get("Location", str(answer.status_code)))

        assert raised_at_once(post, TABS) == []
        return sorted(places)

    return run


def test_twenty_posts_at_once_are_one_order_and_lead_to_it(click):
    for trial in range(TRIALS):
        places = click(5_001 + trial)
        order = MfOrder.objects.get(amount=5_001 + trial)
        assert places == [f"/orders/{order.code}/"]
    assert MfOrder.objects.count() == TRIALS


def test_a_confirmation_that_was_used_a_day_ago_orders_nothing(click, asha, client_for, at):
    click(5_001)
    code = Consent.objects.get().code
    at(clock.now().replace(year=clock.now().year + 1))
    answer = client_for(asha).post(f"/orders/confirm/{code}/", {"otp": "123456"})
    assert answer.headers["Location"] == f"/orders/{MfOrder.objects.get().code}/"


# --- Two tabs, each with a code of its own -------------------------------------------------------------------------


@pytest.fixture
def two_tabs(asha, given, monkeypatch) -> Callable[[], list[str]]:
    """Both tabs confirm the same purchase; each has looked what was bought before it before either writes."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    free = [given(asha), given(asha)]
    Consent.objects.update(given_at=None)
    looked, both = purchases.has_changed, threading.Barrier(2)

    def meet(consent, wish) -> bool:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)
        return looked(consent, wish)

    monkeypatch.setattr(purchases, "has_changed", meet)

    def confirm() -> None:
        code = free.pop().code
        purchases.confirm(investor=asha, code=code, otp="123456", buy_again=False, ip=None, at=clock.now())

    return lambda: raised_at_once(confirm, 2)


def test_of_two_tabs_with_a_code_each_the_second_is_asked_whether_to_buy_again(two_tabs):
    assert two_tabs() == ["LooksLikeAnother"]
    assert MfOrder.objects.count() == 1


def test_two_tabs_that_do_not_wait_for_each_other_both_buy(two_tabs, monkeypatch):
    monkeypatch.setattr(purchases, "hold", lambda investor: None)
    assert two_tabs() == []
    assert MfOrder.objects.count() == 2


@pytest.fixture
def no_guards(transactional_db, monkeypatch) -> Iterator[None]:
    """Neither consent nor account is locked, and the database would take a second order. All look before one writes."""
    together, taken = threading.Barrier(TABS), consents.take

    def without_lock(*, investor, code, **about):
        return Consent.objects.select_related("investor__user").get(investor=investor, code=code)

    def take_together(**what):
        together.wait(30)
        # Counting the try would lock the row, and keep the others waiting.
        monkeypatch.setattr(Consent, "save", lambda self, **_: None)
        return taken(**what)

    monkeypatch.setattr(consents, "lock", without_lock)
    monkeypatch.setattr(purchases, "hold", lambda investor: None)
    monkeypatch.setattr(consents, "take", take_together)
    name = _unique("orders_mforder", "consent_id")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE orders_mforder DROP CONSTRAINT {name}")
        cursor.execute("ALTER TABLE orders_mforder DISABLE TRIGGER an_order_has_its_consent")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_mforder CASCADE")
        cursor.execute("ALTER TABLE orders_mforder ENABLE TRIGGER an_order_has_its_consent")
        cursor.execute(f"ALTER TABLE orders_mforder ADD CONSTRAINT {name} UNIQUE (consent_id)")


def test_without_the_guards_twenty_posts_are_many_orders(click, no_guards):
    click(5_001)
    assert MfOrder.objects.count() > 1
