"""An investor's open cases: on their first page and at what they are about, in our words, theirs only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from investors import case_queries
from investors.case_words import ABOUT, KINDS
from investors.models import InvestorCase
from orders.operations import instalments, notices, plan_news, stock_news
from orders.operations import news as order_news
from orders.queries import investor_cases
from payments.models import PaymentLine
from payments.operations import chasing, late, watching
from payments.operations import rows as payment_rows
from portal import audit, cases, clock
from portal.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db
STAFFS = "Ring Meera at the bank, she knows"
# What whoever opens the case writes into the order's story.
STORY = {
    watching.CASE: "order.case_opened",
    late.LATE_SUCCESS_CASE: "payment.late",
    late.PAID_TWICE_CASE: "payment.paid_twice",
    order_news.REVERSED_CASE: "order.reversed",
}


def open_about(order, kind: str = watching.CASE, *, subject=None, at=None):
    at = at or clock.now()
    case = cases.open_case(kind=kind, subject=subject or order, title=STAFFS, detail=STAFFS, at=at)
    audit.record(order, STORY[kind], actor=None, at=at, case=case.code)
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
    assert f'href="/cases/{case.code}/"' in first


def test_after_the_day_it_leads_to_the_complaints_desk(browser, order):
    open_about(order, at=clock.now() - timedelta(days=30))
    page = browser.get(f"/orders/{order.code}/").content.decode()
    assert "which has passed" in page
    assert 'href="/about/#complaints"' in page


def test_a_closed_case_is_gone_from_there_and_stays_in_the_list(browser, order):
    case = open_about(order)
    cases.close(case=case, resolution=STAFFS, actor=None, at=clock.now())
    for page in pages(browser, order):
        assert "We look into a delay" not in page
    listed = browser.get("/cases/").content.decode()
    assert case.code in listed
    assert "Closed" in listed
    assert "Meera" not in listed + browser.get(f"/cases/{case.code}/").content.decode()


def test_a_case_about_a_payment_stands_at_its_order(browser, order):
    payment = factories.PaymentFactory(order=order)
    assert PaymentLine.objects.filter(order=order, payment=payment).exists()
    case = open_about(order, late.PAID_TWICE_CASE, subject=payment)
    for page in pages(browser, order):
        assert page.count("This order was paid twice") == 1
        assert case.code in page
        assert "get one of them back" in page


def test_a_late_payment_that_was_the_second_one_is_one_case_to_the_investor(browser, order):
    payment = factories.PaymentFactory(order=order)
    after_all = open_about(order, late.LATE_SUCCESS_CASE, subject=payment)
    twice = open_about(order, late.PAID_TWICE_CASE, subject=payment)
    for page in pages(browser, order):
        assert page.count('state-checking">') >= 1
        assert twice.code in page
        assert after_all.code not in page


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
    assert stranger.get(f"/cases/{case.code}/").status_code == 404


def test_the_kinds_are_those_that_are_opened():
    assert {*STORY, payment_rows.REVERSED_CASE, chasing.CASE} <= set(KINDS)
    assert {
        instalments.DOUBLE_CASE, instalments.AFTER_END_CASE, plan_news.NOT_ENDED_CASE, plan_news.MANDATE_CASE,
        plan_news.UNKNOWN_CASE, plan_news.CONFLICT_CASE, stock_news.CONFLICT_CASE,
    } <= set(KINDS)  # fmt: skip
    assert set(ABOUT) == {
        "orders.mforder", "orders.plan", "orders.basketorder", "orders.stockorder", "payments.payment",
        "investors.mandate", "investors.kycrequest", "investors.investor",
    }  # fmt: skip


def test_an_order_whose_story_tells_of_no_case_costs_nothing(order, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert investor_cases.of_order(order, []) == []


def test_cases_cost_a_few_statements_however_many(asha, browser, django_assert_max_num_queries):
    for _ in range(4):
        order = factories.OrderFactory(investor=asha, state="ALLOTTED")
        factories.CaseMessageFactory(shown=InvestorCase.objects.get(case=open_about(order)))
    with django_assert_max_num_queries(5 + 4):
        browser.get(f"/orders/{order.code}/")
    with django_assert_max_num_queries(6 + 6):
        browser.get("/")
    with django_assert_max_num_queries(6):
        browser.get("/cases/")


# --- cases about other things than orders -------------------------------------------------------------------------


def a_plan(asha):
    plan = factories.PlanFactory(investor=asha)
    return plan, plan_news.NOT_ENDED_CASE, f"/sips/{plan.code}/"


def a_mandate(asha):
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    return mandate, "mandate_not_cancelled", f"/mandates/{mandate.code}/"


def a_journey(asha):
    order = factories.BasketOrderFactory(investor=asha, state="PLACED")
    factories.StockOrderFactory(basket_order=order)
    return order, "broker_says_nothing", f"/stock-orders/{order.code}/"


def a_share(asha):
    line = factories.StockOrderFactory(basket_order=factories.BasketOrderFactory(investor=asha, state="PLACED"))
    return line, "stock_order_placed_twice", f"/stock-orders/{line.basket_order.code}/"


def a_person(asha):
    return asha, "kyc_no_longer_compliant", "/profile/"


@pytest.mark.parametrize("made", [a_plan, a_mandate, a_journey, a_share, a_person])
def test_a_case_about_anything_of_theirs_is_told_and_stands_on_its_page(made, asha, browser):
    subject, kind, address = made(asha)
    case = cases.open_case(kind=kind, subject=subject, title=STAFFS, detail=STAFFS, at=clock.now())
    words = KINDS[kind]
    [told] = Notice.objects.filter(user=asha.user, event="case.opened")
    assert told.title == words.title
    assert told.url == f"/cases/{case.code}/"
    for page in (address, "/", f"/cases/{case.code}/"):
        shown = browser.get(page).content.decode()
        assert case.code in shown, page
        assert words.title.replace("'", "&#x27;") in shown
        assert "Meera" not in shown


def test_a_kyc_that_the_registries_do_not_follow_is_shown_at_the_kyc(bharat, client_for):
    request = factories.KycRequestFactory(
        investor=bharat, state="SUCCESSFUL", submitted_at=clock.now(), approved_at=clock.now(), decided_at=clock.now(),
        due_at=clock.now(),
    )  # fmt: skip
    case = cases.open_case(
        kind="kyc_done_and_registries_disagree", subject=request, title=STAFFS, detail=STAFFS, at=clock.now()
    )
    assert case.code in client_for(bharat).get("/kyc/").content.decode()


def test_a_second_report_of_a_case_tells_nobody_again(asha):
    plan, kind, _ = a_plan(asha)
    for _ in range(2):
        cases.open_case(kind=kind, subject=plan, title=STAFFS, detail=STAFFS, at=clock.now())
    assert Notice.objects.filter(event="case.opened").count() == 1
    assert len(case_queries.open_of(asha)) == 1


def test_a_case_that_is_told_by_an_event_of_its_own_is_told_once(order, asha):
    notices.tell(order, "order.case_opened", at=clock.now(), why="It stands.")
    open_about(order)
    assert not Notice.objects.filter(event="case.opened").exists()


def test_its_end_is_told_once_whoever_closes_it(order, asha, dev):
    case = open_about(order)
    cases.close(case=case, resolution=STAFFS, actor=dev, at=clock.now())
    cases.close(case=case, resolution=STAFFS, actor=dev, at=clock.now())
    [told] = Notice.objects.filter(user=asha.user, event="case.closed")
    assert case.code in told.title
    assert "Meera" not in told.text
    assert mail.outbox == []
