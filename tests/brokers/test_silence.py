"""Where no news ever comes: handed over, one question, a paper, and a person; nothing fails without evidence."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from brokers.models import OrderProof
from brokers.operations import silence
from orders.models import BasketOrder
from orders.queries import baskets as queries
from portal import clock, roles
from portal.models import AuditEntry, Case
from tests import factories
from tests.brokers.odin_trading import account, basket, browser, confirm, go, handed_over, look, page_of, ref_of, states

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["account", "basket", "browser"]
QUESTION = "Did you confirm the order at your broker?"


@pytest.fixture
def silent(basket, browser, account) -> BasketOrder:
    """Taken to the broker a minute ago; nobody has told anything since."""
    order = handed_over(browser)
    order.handed_over_at = clock.now() - timedelta(minutes=1)
    order.save(update_fields=["handed_over_at"])
    return order


def paper() -> SimpleUploadedFile:
    image = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(image, "PNG")
    return SimpleUploadedFile("note.png", image.getvalue(), "image/png")


def send_paper(browser, order: BasketOrder):
    return browser.post(f"/stock-orders/{order.code}/proof/", {"proof": paper()}, follow=True).content.decode()


def every_line(order: BasketOrder, price: str = "100") -> str:
    return "\n".join(
        f"{line.security.symbol} {line.quantity} {price}" for line in order.lines.select_related("security")
    )


def test_the_investor_is_asked_once_and_their_word_moves_nothing(browser, silent, recover):
    page = page_of(browser, silent)
    assert QUESTION in page
    assert "not placed yet" not in page, "nobody knows that"
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "yes"})
    page = page_of(browser, silent)
    assert QUESTION not in page
    assert "Send its confirmation" in page
    look(silent, recover)
    assert (silent.state, silent.investor_says) == ("HANDED_OVER", "yes")


def test_a_no_leaves_the_order_open_and_the_page_can_be_opened_again(browser, silent, recover):
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "no"})
    look(silent, recover)
    page = page_of(browser, silent)
    assert silent.state == "HANDED_OVER"
    assert "I have not confirmed yet: open it again" in page
    assert "so that nothing is bought twice" in page


def test_nobody_is_asked_at_once_or_when_the_broker_has_told(sandbox, browser, silent, recover):
    assert not silence.should_ask(silent, silent.handed_over_at + timedelta(seconds=29))
    confirm(sandbox, silent, "pending")
    look(silent, recover)
    assert QUESTION not in page_of(browser, silent)


def test_hours_without_a_word_are_one_case_that_news_makes_needless(sandbox, browser, silent, recover):
    look(silent, recover)
    assert not Case.objects.filter(kind="broker_says_nothing").exists()
    BasketOrder.objects.update(handed_over_at=clock.now() - silence.PATIENCE)
    look(silent, recover)
    look(silent, recover)
    assert Case.objects.get(kind="broker_says_nothing").state == "OPEN"
    confirm(sandbox, silent, "filled")
    look(silent, recover)
    assert silent.state == "COMPLETE"
    assert Case.objects.get(kind="broker_says_nothing").state != "OPEN"


def test_a_paper_goes_to_a_person_and_moves_nothing(browser, silent):
    assert "Somebody here looks at it" in send_paper(browser, silent)
    silent.refresh_from_db()
    assert silent.state == "HANDED_OVER"
    assert OrderProof.objects.get().document.kind == "BROKER_PROOF"
    assert OrderProof.objects.get().document.code in Case.objects.get(kind="broker_says_nothing").detail


def test_the_order_remembers_that_a_paper_was_sent(browser, silent):
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "yes"})
    assert "You sent its confirmation" not in page_of(browser, silent)
    send_paper(browser, silent)
    assert "You sent its confirmation" in page_of(browser, silent)


def test_what_is_no_paper_is_said_at_its_field(browser, silent):
    address = f"/stock-orders/{silent.code}/proof/"
    assert "Choose the photo, scan or PDF first" in browser.post(address, {}, follow=True).content.decode()
    script = SimpleUploadedFile("note.png", b"<script>alert(1)</script>", "image/png")
    browser.post(address, {"proof": script}, follow=True)
    assert not OrderProof.objects.exists()


def test_enough_papers_are_enough(browser, silent, monkeypatch):
    monkeypatch.setattr(silence, "MOST_PROOFS", 1)
    send_paper(browser, silent)
    assert "Somebody here is looking at them" in send_paper(browser, silent)
    assert OrderProof.objects.count() == 1


def test_a_person_settles_the_order_by_its_paper(browser, silent, asha):
    send_paper(browser, silent)
    rows = every_line(silent).splitlines()
    rows[0] = f"{rows[0].split()[0]} 0"
    done = silence.settle(
        order_id=silent.pk, entries=silence.read_entries("\n".join(rows)), actor=factories.UserFactory(),
        reason="Contract note of today", at=clock.now(),
    )  # fmt: skip
    assert done.state == "COMPLETE"
    assert sorted({state for state, _ in states(done).values()}) == ["CANCELLED", "FILLED"]
    assert queries.held(investor=asha, basket=done.basket)
    assert AuditEntry.objects.filter(action="basket.settled_by_paper", reason="Contract note of today").exists()
    assert Case.objects.get(kind="broker_says_nothing").state != "OPEN"


@pytest.mark.parametrize("text", ["ITC", "ITC ten 5", "ITC 10", "ITC 0 4.5", "ITC 10 x", "ITC -1 4"])
def test_an_entry_that_is_no_line_is_refused(text):
    with pytest.raises(silence.Unreadable):
        silence.read_entries(text)


@pytest.mark.parametrize("spoil", ["without a paper", "a share left out", "more than was asked for", "already told"])
def test_an_order_is_not_settled_by_less_than_its_paper(sandbox, browser, silent, recover, spoil):
    if spoil != "without a paper":
        send_paper(browser, silent)
    if spoil == "already told":
        confirm(sandbox, silent, "pending")
        look(silent, recover)
    rows = every_line(silent).splitlines()
    if spoil == "a share left out":
        rows = rows[1:]
    if spoil == "more than was asked for":
        symbol, quantity, price = rows[0].split()
        rows[0] = f"{symbol} {int(quantity) + 1} {price}"
    before = states(silent)
    with pytest.raises((silence.NotSilent, silence.Unreadable)):
        silence.settle(
            order_id=silent.pk, entries=silence.read_entries("\n".join(rows)), actor=factories.UserFactory(),
            reason="Contract note", at=clock.now(),
        )  # fmt: skip
    assert states(silent) == before


def test_staff_close_what_the_broker_says_was_never_placed(browser, silent):
    silence.close(order_id=silent.pk, actor=factories.UserFactory(), reason="Broker's desk, Mr Rao", at=clock.now())
    page = page_of(browser, silent)
    silent.refresh_from_db()
    assert silent.state == "CANCELLED"
    assert "Nothing was ordered" in page
    assert "Your broker says that nothing was placed" in page


def test_what_was_never_confirmed_is_shown_closed_by_a_person_and_ordered_anew(browser, silent, recover):
    """One basket has one reference for ever: the fresh order is another journey with a reference of its own."""
    old = ref_of(silent)
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "no"})
    assert "order book" in page_of(browser, silent)
    proof = f"/stock-orders/{silent.code}/proof/"
    for page in (browser.get(proof), browser.post(proof, {}, follow=True)):
        assert "shows no such order" in page.content.decode(), "with an error as well"
    assert "if it shows that nothing was placed" in send_paper(browser, silent)
    assert OrderProof.objects.get().shows == "NOTHING"
    assert "which shows that nothing was placed" in Case.objects.get(kind="broker_says_nothing").detail
    page = page_of(browser, silent)
    assert "somebody here looks at it" in page
    assert "Order again" not in page, "the paper alone moves nothing"
    reason = "Order book of today has no such order"
    silence.close(order_id=silent.pk, actor=factories.UserFactory(), reason=reason, at=clock.now())
    assert "Order again" in page_of(browser, silent)
    browser.post(f"/stock-orders/{silent.code}/again/")
    fresh = BasketOrder.objects.exclude(pk=silent.pk).get()
    go(browser, fresh)
    assert fresh.state == "HANDED_OVER"
    assert ref_of(fresh) != ref_of(silent) == old


def test_an_answer_can_be_corrected(browser, silent):
    for answer, words in (("no", "I confirmed after all"), ("yes", "I did not confirm after all")):
        browser.post(f"/stock-orders/{silent.code}/says/", {"answer": answer})
        silent.refresh_from_db()
        assert silent.investor_says == answer
        assert words in page_of(browser, silent)
    assert AuditEntry.objects.filter(action="basket.investor_says").count() == 2


def test_a_paper_that_shows_the_other_thing_is_no_paper_for_the_answer_of_now(browser, silent):
    """What was sent as a confirmation does not show that nothing was placed."""
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "yes"})
    send_paper(browser, silent)
    browser.post(f"/stock-orders/{silent.code}/says/", {"answer": "no"})
    assert "send a picture of your broker" in page_of(browser, silent)


def test_nobody_closes_by_hand_what_the_broker_has_told_about(sandbox, silent, recover):
    confirm(sandbox, silent, "pending")
    look(silent, recover)
    with pytest.raises(silence.NotSilent):
        silence.close(order_id=silent.pk, actor=factories.UserFactory(), reason="Too late", at=clock.now())


@pytest.mark.parametrize(("role", "may"), [(roles.CHECKER, True), (roles.MAKER, False)])
def test_the_desk_settles_through_the_admin(browser, silent, client_for, role, may):
    send_paper(browser, silent)
    staff = factories.UserFactory(is_staff=True)
    roles.grant(staff, role)
    desk = client_for(staff)
    page = desk.get(f"/admin/orders/basketorder/{silent.pk}/change/").content.decode()
    assert ("Enter what the broker" in page) is may
    assert "papers of the broker" in page.lower()
    address = f"/admin/orders/basketorder/{silent.pk}/act/settle_by_paper/"
    answer = desk.post(address, {"entries": every_line(silent), "reason": "Contract note of today"})
    silent.refresh_from_db()
    assert silent.state == ("COMPLETE" if may else "HANDED_OVER"), answer
