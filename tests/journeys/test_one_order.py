"""A person cannot buy twice by a double click, Refresh, Back, two tabs, or a form from yesterday.

The double click is a race. So it is shown first that the race is there: with the guards off, the same twenty clicks
make several orders.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from orders.models import MfOrder
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
CLICKS = 20
UNIQUE = "SELECT conname FROM pg_constraint WHERE conrelid = 'orders_mforder'::regclass AND contype = 'u'"


@pytest.fixture
def scheme(db: None) -> Any:
    """A fund that may be bought."""
    return factories.SchemeFactory()


def form_of(browser: Client, scheme: Any) -> str:
    """The reference that the server hid in a fresh amount form."""
    page = browser.get(f"/funds/{scheme.isin}/buy/").content.decode()
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if 'name="form_ref"' in tag)
    return re.search(r'value="([^"]+)"', tag).group(1)


def amount(browser: Client, scheme: Any, person: Any, form_ref: str = "", rupees: int = 5_000) -> str:
    """Submit the amount; returns the address of the confirmation."""
    fields = {
        "amount": rupees,
        "payment_method": "UPI",
        "bank_account": person.bankaccounts.get().code,
        "form_ref": form_ref or form_of(browser, scheme),
    }
    answer = browser.post(f"/funds/{scheme.isin}/buy/", fields)
    assert answer.status_code == 302, re.sub(r"<[^>]+>|\s+", " ", answer.content.decode())
    return answer["location"]


def newest_code() -> str:
    """The code of the newest message."""
    return re.search(r"\b\d{6}\b", mail.outbox[-1].body).group()


# --- the double click ---------------------------------------------------------------------------------------------


@pytest.fixture
def wide_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to create an order takes three seconds over it: a race that exists is then certain to be lost."""
    first, create = Lock(), MfOrder.objects.create

    def slowly(**columns: Any) -> MfOrder:
        if first.acquire(blocking=False):
            time.sleep(3)
        return create(**columns)

    monkeypatch.setattr(MfOrder.objects, "create", slowly)


@pytest.fixture
def guards_off(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[None]:
    """No row locks, and no constraint that lets a consent have one order only."""
    with connection.cursor() as cursor:
        cursor.execute(f"{UNIQUE} AND pg_get_constraintdef(oid) = 'UNIQUE (consent_id)'")
        ((name,),) = cursor.fetchall()
        cursor.execute(f"ALTER TABLE orders_mforder DROP CONSTRAINT {name}")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    yield
    MfOrder.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE orders_mforder ADD CONSTRAINT {name} UNIQUE (consent_id)")


def click_at_once(browser: Client, address: str, code: str) -> list[int]:
    """Twenty equal posts of one session, each in a thread with a connection of its own; returns their statuses."""
    together = Barrier(CLICKS)

    def click(_: int) -> int:
        same = Client(raise_request_exception=False)
        same.cookies = browser.cookies
        together.wait(20)
        try:
            # The tick is there, so that the guard against look-alikes helps nobody.
            return same.post(address, {"otp": code, "buy_again": "on"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(CLICKS) as threads:
        return list(threads.map(click, range(CLICKS)))


def test_twenty_clicks_at_once_are_one_order(asha, scheme, client_for, wide_window):
    browser = client_for(asha)
    address = amount(browser, scheme, asha)
    statuses = click_at_once(browser, address, newest_code())
    assert set(statuses) == {302}
    assert MfOrder.objects.count() == 1


def test_without_the_guards_the_same_clicks_are_several_orders(asha, scheme, client_for, wide_window, guards_off):
    browser = client_for(asha)
    address = amount(browser, scheme, asha)
    click_at_once(browser, address, newest_code())
    assert MfOrder.objects.count() > 1, "the race is gone, so the test above shows nothing"


# --- refresh, Back, two tabs --------------------------------------------------------------------------------------


def test_refreshing_the_posted_confirmation_shows_the_same_order(asha, scheme, client_for):
    browser = client_for(asha)
    address = amount(browser, scheme, asha)
    code = newest_code()
    first = browser.post(address, {"otp": code})
    again = browser.post(address, {"otp": code})
    assert first["location"] == again["location"]
    assert browser.get(address)["location"] == first["location"], "Back to the confirmation leads to the order"
    assert MfOrder.objects.count() == 1


def test_back_to_the_amount_and_forward_again_is_the_same_order(asha, scheme, client_for):
    browser = client_for(asha)
    form_ref = form_of(browser, scheme)
    address = amount(browser, scheme, asha, form_ref)
    order = browser.post(address, {"otp": newest_code()})["location"]
    again = amount(browser, scheme, asha, form_ref)
    assert browser.get(again)["location"] == order
    assert MfOrder.objects.count() == 1
    assert len(mail.outbox) == 1, "no second code was sent for the same form"


def test_two_tabs_with_the_same_form_are_one_confirmation(asha, scheme, client_for):
    browser = client_for(asha)
    form_ref = form_of(browser, scheme)
    one, two = amount(browser, scheme, asha, form_ref), amount(browser, scheme, asha, form_ref)
    assert one == two
    code = newest_code()
    assert browser.post(one, {"otp": code})["location"] == browser.post(two, {"otp": code})["location"]
    assert MfOrder.objects.count() == 1


def test_a_second_form_for_the_same_thing_must_say_that_it_is_a_second_purchase(asha, scheme, client_for):
    browser = client_for(asha)
    browser.post(amount(browser, scheme, asha), {"otp": newest_code()})
    address = amount(browser, scheme, asha)
    code = newest_code()
    assert browser.post(address, {"otp": code}).status_code == 303
    assert "Tick this only if you want to buy a second time" in browser.get(address).content.decode()
    assert MfOrder.objects.count() == 1
    assert browser.post(address, {"otp": code, "buy_again": "on"}).status_code == 302
    assert MfOrder.objects.count() == 2, "an explicit second purchase is a second order"


def test_a_form_that_was_already_ordered_with_cannot_carry_another_amount(asha, scheme, client_for):
    browser = client_for(asha)
    form_ref = form_of(browser, scheme)
    browser.post(amount(browser, scheme, asha, form_ref), {"otp": newest_code()})
    fields = {
        "amount": 9_000,
        "payment_method": "UPI",
        "bank_account": asha.bankaccounts.get().code,
        "form_ref": form_ref,
    }
    answer = browser.post(f"/funds/{scheme.isin}/buy/", fields)
    assert answer.status_code == 303
    assert "already confirmed" in browser.get(answer["location"]).content.decode()
    assert MfOrder.objects.count() == 1


# --- a day later --------------------------------------------------------------------------------------------------


def test_a_confirmation_from_yesterday_orders_nothing(asha, scheme, client_for, at):
    browser = client_for(asha)
    address = amount(browser, scheme, asha)
    code = newest_code()
    at(clock.now() + timedelta(days=1))
    browser = client_for(asha)
    assert browser.post(address, {"otp": code}).status_code == 303
    assert "expired" in browser.get(address).content.decode()
    assert not MfOrder.objects.exists()


def test_an_order_of_yesterday_is_found_again_and_not_repeated(asha, scheme, client_for, at):
    browser = client_for(asha)
    form_ref = form_of(browser, scheme)
    address = amount(browser, scheme, asha, form_ref)
    code = newest_code()
    order = browser.post(address, {"otp": code})["location"]
    at(clock.now() + timedelta(days=1))
    browser = client_for(asha)
    assert browser.post(address, {"otp": code})["location"] == order
    assert MfOrder.objects.count() == 1
