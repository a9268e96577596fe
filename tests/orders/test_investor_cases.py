"""An investor's open cases: on their first page and at the order, in our words, theirs only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.case_words import KINDS, TOLD
from orders.operations import news as order_news
from orders.operations import notices
from orders.queries import investor_cases
from payments.models import PaymentLine
from payments.operations import late, watching
from portal import audit, cases, clock
from portal.notices import catalogue
from tests import factories

pytestmark = pytest.mark.django_db
STAFFS = "Ring Meera at the bank, she knows"


def open_about(order, kind: str = "money_not_moving", *, subject=None, told: str | None = None, at=None):
    at, event = at or clock.now(), told or KINDS[kind].told
    case = cases.open_case(kind=kind, subject=subject or order, title=STAFFS, detail=STAFFS, at=at)
    audit.record(order, event, actor=None, at=at, case=case.code)
    notices.tell(order, event, at=at, about=case.code, why="")
    return case


@pytest.fixture
def order(asha):
    return factories.OrderFactory(investor=asha, state="PAID")


@pytest.fixture
def browser(asha, client_for):
    return client_for(asha)


def pages(browser, order) -> tuple[str, str]:
    return browser.get("/").content.decode(), browser.get(f"/orders/{order.code}/").content.decode()


def test_a_case_stands_on_the_first_page_and_at_the_order_without_staffs_words(browser, order):
    case = open_about(order)
    first, at_order = pages(browser, order)
    for page in (first, at_order):
        assert case.code in page
        assert "We ask where the money is" in page
        assert "Meera" not in page
    assert "Your bank was debited, and the order has not moved" in at_order
    assert "today is day 0 of 7" in at_order
    assert f'href="/orders/{order.code}/"' in first


def test_after_the_day_it_leads_to_the_complaints_desk(browser, order):
    open_about(order, at=clock.now() - timedelta(days=30))
    page = browser.get(f"/orders/{order.code}/").content.decode()
    assert "which has passed" in page
    assert 'href="/about/#complaints"' in page


def test_a_closed_case_is_gone(browser, order):
    cases.close(case=open_about(order), resolution=STAFFS, actor=None, at=clock.now())
    for page in pages(browser, order):
        assert "We look into a delay" not in page


def test_a_case_about_a_payment_stands_at_its_order(browser, order):
    payment = factories.PaymentFactory(order=order)
    assert PaymentLine.objects.filter(order=order, payment=payment).exists()
    case = open_about(order, "order_paid_twice", subject=payment)
    for page in pages(browser, order):
        assert case.code in page
        assert "get one of them back" in page


def test_what_operations_alone_look_into_is_not_shown(browser, order):
    open_about(order)
    case = cases.open_case(kind="order_news_conflict", subject=order, title=STAFFS, detail=STAFFS, at=clock.now())
    for page in pages(browser, order):
        assert case.code not in page


def test_nobody_sees_another_persons_case(chitra, client_for, order):
    case = open_about(order)
    hers = factories.OrderFactory(investor=chitra, state="PAID")
    open_about(hers)
    stranger = client_for(chitra)
    assert case.code not in stranger.get("/").content.decode()
    assert stranger.get(f"/orders/{order.code}/").status_code == 404


def test_the_kinds_are_those_that_are_opened_and_told():
    assert set(KINDS) == {
        watching.CASE, late.LATE_SUCCESS_CASE, late.PAID_TWICE_CASE, order_news.REVERSED_CASE,
    }  # fmt: skip
    assert all(catalogue.has(event) for event in TOLD)
    assert len(TOLD) == len(KINDS)


def test_an_order_whose_story_tells_of_no_case_costs_nothing(order, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert investor_cases.of_order(order, []) == []


def test_cases_cost_a_few_statements_however_many(asha, browser, django_assert_max_num_queries):
    for _ in range(4):
        order = factories.OrderFactory(investor=asha, state="ALLOTTED")
        open_about(order)
    with django_assert_max_num_queries(5 + 4):
        browser.get(f"/orders/{order.code}/")
    with django_assert_max_num_queries(6 + 6):
        browser.get("/")
