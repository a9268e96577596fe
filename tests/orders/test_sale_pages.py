"""The pages on which an investor sells: how much, confirmation, order, list. What they say and refuse."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from orders.models import MfOrder
from orders.operations import news
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(asha, client_for):
    return client_for(asha)


@pytest.fixture
def holding(asha):
    return factories.HoldingFactory(investor=asha, units=Decimal("100.000"), invested=Decimal("4000.00"))


@pytest.fixture
def url(holding) -> str:
    return f"/portfolio/{holding.scheme.isin}/sell/"


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def answers(page, holding, **changes: object) -> dict[str, object]:
    form_ref = re.search(r'name="form_ref" value="([0-9A-Z]{20})"', page.content.decode()).group(1)
    return {"form_ref": form_ref, "folio": holding.folio.number, "by": "units", "units": "12.5", **changes}


def code() -> str:
    return re.search(r"^\s+(\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE).group(1)


def to_confirm(browser, url, holding, on_commit, **changes: object):
    with on_commit():
        answer = browser.post(url, answers(browser.get(url), holding, **changes))
    assert answer.status_code == 302, answer["Location"]
    return answer["Location"]


def test_the_holding_page_leads_to_the_sale(browser, holding, url):
    assert f'href="{url}"' in browser.get(f"/portfolio/{holding.scheme.isin}/").content.decode()


def test_says_what_is_free_and_by_when_the_money_comes(browser, holding, url):
    page = browser.get(url).content.decode()
    assert "100.000" in page
    assert "about ₹5,000.00" in page
    assert str(holding.investor.bankaccounts.get()) in page
    assert "business days" in page


def test_says_that_one_of_amount_and_units_is_needed(browser, url):
    page = browser.get(url).content.decode()
    assert page.count("(one of the two, unless you sell all)") == 2
    assert "(optional)" not in page


@pytest.mark.parametrize(
    ("asked", "words", "heading"),
    [
        ({"by": "units", "units": "12.5"}, "12.500 units", "Sale of 12.500 units"),
        ({"by": "amount", "amount": "₹ 1,000"}, "₹1,000.00", "Sale of ₹1,000.00"),
        ({"by": "all", "units": "rubbish"}, "All units", "Sale of all units"),
    ],
)
def test_a_sale_is_confirmed_by_a_code_that_names_it(asked, words, heading, browser, holding, url, on_commit):
    place = to_confirm(browser, url, holding, on_commit, **asked)
    page = browser.get(place).content.decode()
    assert words in page
    assert holding.folio.number in page
    assert f"Sell: {words}" in mail.outbox[-1].body
    done = browser.post(place, {"otp": code()})
    order = MfOrder.objects.get(kind="REDEMPTION")
    assert done["Location"] == f"/orders/{order.code}/"
    shown = browser.get(done["Location"]).content.decode()
    assert heading in shown
    assert "No units have been sold" in shown
    listed = browser.get("/orders/").content.decode()
    assert "Sale ·" in listed
    assert words in listed
    assert browser.get("/").status_code == browser.get("/portfolio/").status_code == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"units": "100.001"}, "100.000 units are free to sell"),
        ({"units": ""}, "Enter how many units you want to sell"),
        ({"units": "1.2345"}, "three decimals"),
        ({"by": "amount", "amount": "5001"}, "worth ₹5,000.00"),
        ({"by": "amount", "amount": "10.50"}, "whole rupees"),
        ({"by": "nothing"}, "Choose how much you want to sell"),
        ({"folio": "1/99"}, "folio"),
    ],
)
def test_refuses_at_its_field_and_keeps_what_was_typed(asked, words, browser, holding, url):
    answer = browser.post(url, answers(browser.get(url), holding, **asked))
    assert (answer.status_code, answer["Location"]) == (303, url)
    assert words in browser.get(url).content.decode()
    assert not MfOrder.objects.exists()


def test_the_code_of_a_sale_buys_nothing(browser, holding, url, on_commit):
    place = to_confirm(browser, url, holding, on_commit)
    elsewhere = place.replace("confirm-sale", "confirm")
    assert browser.get(elsewhere).status_code == 404
    assert browser.post(elsewhere, {"otp": code()}).status_code == 404
    assert not MfOrder.objects.exists()


def test_asks_before_selling_the_same_again(browser, holding, url, on_commit):
    for again in ({}, {"buy_again": "on"}):
        place = to_confirm(browser, url, holding, on_commit)
        browser.post(place, {"otp": code(), **again})
    assert MfOrder.objects.count() == 2
    place = to_confirm(browser, url, holding, on_commit)
    assert "You sold the same a short while ago" in browser.get(place).content.decode()
    browser.post(place, {"otp": code()})
    assert MfOrder.objects.count() == 2


def test_units_in_a_sale_on_its_way_are_not_free(browser, holding, url, on_commit):
    browser.post(to_confirm(browser, url, holding, on_commit, by="all"), {"otp": code()})
    page = browser.get(url).content.decode()
    assert "Nothing is free to sell now" in page


def test_locked_units_say_until_when(browser, asha, url, holding):
    holding.scheme.lock_in_years = 3
    holding.scheme.save()
    page = browser.get(url).content.decode()
    assert "Nothing is free to sell now" in page
    until = clock.today().replace(year=clock.today().year + 3)
    assert f"100.000 until {until.day}" in page


@pytest.mark.parametrize("state", ["PLACED", "REDEEMED", "REJECTED", "REVERSED"])
def test_an_order_page_speaks_of_a_sale(state, browser, holding, url, on_commit):
    browser.post(to_confirm(browser, url, holding, on_commit), {"otp": code()})
    order = MfOrder.objects.get()
    done = {"allotted_units": order.units, "allotted_nav": 50, "allotted_amount": 625, "allotted_on": clock.today()}
    MfOrder.objects.filter(pk=order.pk).update(
        state=state, provider_ref="1", **(done if state in ("REDEEMED", "REVERSED") else {})
    )
    page = browser.get(f"/orders/{order.code}/").content.decode()
    assert {
        "PLACED": "Your sale is registered",
        "REDEEMED": "You get",
        "REJECTED": "No units were sold",
        "REVERSED": "The units are in your folio again",
    }[state] in page
    assert "were bought" not in page
    assert "No money has moved" not in page


def test_a_new_bank_account_is_not_paid_into_for_a_while(browser, asha, holding, url):
    asha.bankaccounts.update(payout_from=clock.now() + timedelta(days=5))
    browser.post(url, answers(browser.get(url), holding))
    assert "For your safety nothing is paid into it before" in browser.get(url).content.decode()


def test_an_unknown_sale_is_never_called_a_purchase(browser, holding, url, on_commit):
    browser.post(to_confirm(browser, url, holding, on_commit), {"otp": code()})
    order = MfOrder.objects.get()
    news.move_to(order, "SUBMITTING", at=clock.now(), actor=None)
    order.open_attempt(clock.now())
    order.mark_unknown(clock.now())
    order.save()
    for place in (f"/orders/{order.code}/", "/"):
        page = browser.get(place).content.decode()
        assert "do not sell again" in page
        assert "do not buy again" not in page
