"""Share orders and their changes as staff see them, and the settlement of one that stays unknown, on its page."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.operations import settling
from orders.models import StockOrder
from portal import clock, roles
from tests import factories
from tests.ops.test_roles import act_url, mark

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = "Contract note 4711 of that day"
FORM = {"order_number": "1100000000123", "filled": "10", "price": "441.2", "reason": NOTE}


@pytest.fixture
def line() -> StockOrder:
    """Sent yesterday; nobody has told what became of it."""
    order = factories.BasketOrderFactory(broker="5paisa", state="HANDED_OVER")
    since = clock.now() - timedelta(days=1)
    return factories.StockOrderFactory(basket_order=order, attempt="UNKNOWN", attempt_no=1, unknown_since=since)


def test_the_maker_enters_and_the_checker_approves_on_the_order_s_page(line, as_role):
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    assert checker.post(act_url(line, "settle"), FORM).status_code == 403
    assert "Which evidence" in maker.get(act_url(line, "settle")).content.decode()
    maker.post(act_url(line, "settle"), FORM)
    assert maker.post(act_url(line, "approve-settlement"), {"reason": "I agree"}).status_code == 403
    page = checker.get(f"/admin/orders/stockorder/{line.pk}/change/")
    assert NOTE in page.content.decode()
    assert "Approve how it ended" in page.content.decode()
    form = {"reason": "Compared with the note", "seen": mark(page, "approve-settlement")}
    checker.post(act_url(line, "approve-settlement"), form)
    line.refresh_from_db()
    assert (line.state, line.filled, line.exchange_ref) == ("FILLED", 10, "1100000000123")


def test_an_approval_is_about_the_evidence_that_was_looked_at(line, staff, as_role):
    checker, page = as_role(roles.CHECKER), f"/admin/orders/stockorder/{line.pk}/change/"
    seen = {"order_number": "1100000000123", "price": Decimal("441.2"), "reason": NOTE, "at": clock.now()}
    settling.ask(line_id=line.pk, filled=4, actor=staff(roles.MAKER), **seen)
    before = mark(checker.get(page), "approve-settlement")
    settling.decline(line_id=line.pk, actor=staff(roles.CHECKER), reason=NOTE, at=clock.now())
    settling.ask(line_id=line.pk, filled=10, actor=staff(roles.MAKER), **seen)
    form = {"reason": "Compared with the note", "seen": before}
    answer = checker.post(act_url(line, "approve-settlement"), form, follow=True)
    assert "has changed since you looked" in answer.content.decode()
    line.refresh_from_db()
    assert (line.state, line.filled) == ("PENDING", 0)
    checker.post(act_url(line, "approve-settlement"), form | {"seen": mark(answer, "approve-settlement")})
    line.refresh_from_db()
    assert (line.state, line.filled) == ("FILLED", 10)


def test_nobody_approves_how_an_order_of_their_own_ended(line, staff):
    asker, me = staff(roles.MAKER), line.investor.user
    settling.ask(line_id=line.pk, order_number="", filled=0, price=None, actor=asker, reason=NOTE, at=clock.now())
    for whose in (asker, me):
        with pytest.raises(settling.SecondPersonNeeded):
            settling.approve(line_id=line.pk, actor=whose, reason=NOTE, at=clock.now())
    settling.approve(line_id=line.pk, actor=staff(roles.CHECKER), reason=NOTE, at=clock.now())


def test_what_cannot_be_is_said_and_changes_nothing(line, as_role):
    answer = as_role(roles.MAKER).post(act_url(line, "settle"), FORM | {"filled": "11"}, follow=True)
    assert "The order was for 10 shares; 11 cannot have been executed." in answer.content.decode()
    assert not line.settlements.exists()


@pytest.mark.parametrize("page", ["stockorder", "stockchange"])
def test_lists_cost_the_same_however_long_and_lead_to_each_record(as_role, django_assert_max_num_queries, page):
    for _ in range(5):
        factories.StockChangeFactory()
    browser = as_role(roles.VIEWER)
    browser.get(f"/admin/orders/{page}/")
    with django_assert_max_num_queries(12):
        listed = browser.get(f"/admin/orders/{page}/")
    rows = listed.context["cl"].result_list
    assert len(rows) == 5
    assert browser.get(f"/admin/orders/{page}/{rows[0].pk}/change/").status_code == 200


def test_share_orders_are_taken_as_a_file_with_what_became_of_each(client_for, dev, line):
    answer = client_for(dev).get("/admin/orders/stockorder/export/?state__exact=PENDING")
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    said = dict(zip(head, row, strict=True))
    assert (said["Share order"], said["Route"], said["Asked"]) == (line.code, "5paisa", "10")
