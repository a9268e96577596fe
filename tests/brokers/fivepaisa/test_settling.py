"""A share order that stays unknown: staff look again, or settle it by evidence, two of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from brokers.fivepaisa.client import FivePaisa
from brokers.models import BrokerAccount, ShareSettlement
from brokers.native import NoSession
from brokers.operations import settling
from orders.models import StockOrder
from portal import clock
from portal.models import AuditEntry, Case
from portal.notices.models import Notice
from portal.sandbox import market
from tests import factories
from tests.brokers.fivepaisa.trading import follow, fresh, journey, log_in, place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("trading_hours")]
PLACE, NOTE = "*PlaceOrderRequest", "Contract note 4711 of that day"


@pytest.fixture
def line(sandbox, asha, recover, monkeypatch) -> StockOrder:
    """5paisa executed it, its answer was lost, its status says nothing, and it is the next day."""
    monkeypatch.setattr(FivePaisa, "fetch_order_statuses", lambda *args, **kwargs: [])
    log_in(sandbox, asha)
    sandbox.fault("reset", path=PLACE, when="after", provider="5paisa")
    order = place(journey(asha, symbols=("ITC", "TCS")))
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    sandbox.set_clock(datetime.fromtimestamp(market.next_open(clock.now().timestamp()), clock.IST) + timedelta(hours=2))
    follow(order, recover, after=timedelta(minutes=6))
    return order.lines.select_related("security", "basket_order").order_by("id")[0]


def shown(line: StockOrder, **changes: object) -> dict[str, object]:
    """What the contract note says."""
    said = {"order_number": "1100000000123", "filled": 1, "price": Decimal("441.20"), "reason": NOTE}
    return {"line_id": line.pk, "at": clock.now(), **said, **changes}


def test_a_share_that_stays_unknown_ends_as_the_note_shows_once_a_second_person_agrees(line, asha):
    maker, checker = factories.UserFactory(), factories.UserFactory()
    settling.ask(actor=maker, **shown(line))
    line.refresh_from_db()
    assert (line.state, line.attempt) == ("PENDING", "UNKNOWN"), "asking alone moves nothing"
    with pytest.raises(settling.SecondPersonNeeded):
        settling.approve(line_id=line.pk, actor=maker, reason=NOTE, at=clock.now())
    done = settling.approve(line_id=line.pk, actor=checker, reason="Compared", at=clock.now())
    assert (done.state, done.filled, done.average_price) == ("FILLED", 1, Decimal("441.2000"))
    assert (done.exchange_ref, done.attempt, done.due_at) == ("1100000000123", "", None)
    assert not Case.objects.filter(subject_id=str(line.pk), state="OPEN").exists()
    actions = AuditEntry.objects.filter(subject_id=str(line.pk), action__startswith="stock.settlement")
    assert sorted(actions.values_list("action", "actor")) == [
        ("stock.settlement_approved", f"user:{checker.pk}"),
        ("stock.settlement_asked", f"user:{maker.pk}"),
    ]


def test_a_share_that_the_broker_never_had_ends_as_not_received_and_the_investor_is_told(sandbox, line, asha, recover):
    settling.ask(actor=factories.UserFactory(), **shown(line, order_number="", filled=0, price=None))
    done = settling.approve(line_id=line.pk, actor=factories.UserFactory(), reason="Compared", at=clock.now())
    assert (done.state, done.filled, done.failure_code) == ("CANCELLED", 0, "not_received")
    other = StockOrder.objects.exclude(pk=line.pk).get()
    settling.ask(actor=factories.UserFactory(), **shown(other))
    settling.approve(line_id=other.pk, actor=factories.UserFactory(), reason="Compared", at=clock.now())
    assert fresh(line.basket_order).state == "COMPLETE"
    assert Notice.objects.get(event="basket.done").user == asha.user


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"filled": 2}, "The order was for 1 shares"),
        ({"order_number": ""}, "give its number"),
        ({"price": None}, "average price"),
        ({"filled": 0}, "no price where nothing was"),
    ],
)
def test_evidence_that_cannot_be_about_the_order_is_refused(line, changes, words):
    with pytest.raises(settling.Impossible, match=words):
        settling.ask(actor=factories.UserFactory(), **shown(line, **changes))
    assert not ShareSettlement.objects.exists()


def test_a_second_entry_waits_for_the_first_and_a_declined_one_makes_room(line):
    settling.ask(actor=factories.UserFactory(), **shown(line))
    with pytest.raises(settling.Impossible, match="waits already"):
        settling.ask(actor=factories.UserFactory(), **shown(line, filled=0, price=None))
    settling.decline(line_id=line.pk, actor=factories.UserFactory(), reason="Another day's note", at=clock.now())
    with pytest.raises(settling.NothingWaits):
        settling.approve(line_id=line.pk, actor=factories.UserFactory(), reason="Compared", at=clock.now())
    settling.ask(actor=factories.UserFactory(), **shown(line))


def test_nothing_is_settled_by_hand_while_the_background_work_still_looks(sandbox, asha, monkeypatch):
    log_in(sandbox, asha)
    sandbox.fault("reset", path=PLACE, when="before", provider="5paisa")
    young = place(journey(asha, symbols=("ITC",))).lines.get()
    assert young.is_unknown
    with pytest.raises(settling.NotStuck):
        settling.ask(actor=factories.UserFactory(), **shown(young))


def test_the_database_wants_a_second_person_too(line):
    asked = settling.ask(actor=(maker := factories.UserFactory()), **shown(line))
    with pytest.raises(IntegrityError, match="a_settlement_is_approved_by_a_second_person"):
        ShareSettlement.objects.filter(pk=asked.pk).update(state="APPROVED", decided_by=maker, decided_at=clock.now())


def test_looking_again_takes_a_login_and_takes_in_what_the_book_says(sandbox, asha, recover):
    account = log_in(sandbox, asha)
    sandbox.fault("reset", path=PLACE, when="after", provider="5paisa")
    sent = place(journey(asha, symbols=("ITC",))).lines.get()
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    with pytest.raises(NoSession):
        settling.look(line_id=sent.pk, actor=factories.UserFactory(), reason="", at=clock.now())
    log_in(sandbox, asha, account.account_ref)
    now = settling.look(line_id=sent.pk, actor=factories.UserFactory(), reason="", at=clock.now())
    assert (now.state, now.attempt) in {("FILLED", ""), ("PLACED", "")}
