"""What an investor writes about a case and what we answer: on both sides' pages, in order, once, told by notice."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors.models import CaseMessage, InvestorCase
from investors.models.cases import LONGEST
from investors.operations import shown_cases
from portal import audit, cases, clock, identifiers, roles
from portal.models import AuditEntry, Case, Notice
from portal.notices import writing
from portal.scope import scope
from tests import factories
from tests.database import raised_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(asha):
    return factories.OrderFactory(investor=asha, state="PAID")


@pytest.fixture
def case(order):
    case = cases.open_case(kind="money_not_moving", subject=order, title="Staff only", detail="", at=clock.now())
    audit.record(order, "order.case_opened", actor=None, at=clock.now(), case=case.code)
    return case


@pytest.fixture
def meera(db):
    """Ops maker: reads and answers."""
    user = factories.UserFactory(email="meera@portal.example", first_name="Meera")
    roles.grant(user, roles.MAKER)
    return user


def send(browser, case, text, ref=None):
    return browser.post(f"/cases/{case.code}/", {"text": text, "form_ref": ref or identifiers.new_client_ref()})


def answer(browser, case, text, ref=None):
    page = reverse("admin:portal_case_act", args=[case.pk, "answer"])
    return browser.post(page, {"reason": text, "form_ref": ref or identifiers.new_client_ref()}, follow=True)


def test_both_sides_read_what_was_written_in_order_of_time(asha, meera, order, case, client_for):
    hers, ours = client_for(asha), client_for(meera)
    assert send(hers, case, "My bank says 5,000 left on Monday.").status_code == 302
    answer(ours, case, "We have asked the clearing; we write by Thursday.")
    send(hers, case, "Thank you.")
    words = ["My bank says 5,000 left on Monday.", "We have asked the clearing; we write by Thursday.", "Thank you."]
    for browser, page in (
        (hers, f"/orders/{order.code}/"),
        (hers, f"/cases/{case.code}/"),
        (ours, reverse("admin:portal_case_change", args=[case.pk])),
    ):
        shown = browser.get(page).content.decode()
        places = [shown.index(each) for each in words]
        assert places == sorted(places), page


def test_each_side_is_told_once(asha, meera, case, client_for):
    hers = client_for(asha)
    for _ in range(2):
        send(hers, case, "Where is it?", ref="A" * 20)
    [told] = Notice.objects.filter(user=meera)
    assert told.event == "case.written"
    assert told.url == reverse("admin:portal_case_change", args=[case.pk])
    assert "Where is it" not in told.text
    writing.deliver(delivery_id=told.deliveries.get().pk, at=clock.now())
    assert {"case.told"} == {each.action for each in audit.entries_of(case) if each.action.endswith("told")}
    for _ in range(2):
        answer(client_for(meera), case, "With the clearing.", ref="B" * 20)
    [told] = Notice.objects.filter(user=asha.user, event="case.answered")
    assert told.url == f"/cases/{case.code}/"
    assert CaseMessage.objects.count() == 2


def test_the_same_words_of_another_day_are_an_answer_again(asha, meera, case, client_for):
    ours, page = client_for(meera), reverse("admin:portal_case_act", args=[case.pk, "answer"])
    for _ in range(2):
        send(client_for(asha), case, "Any news?")
        ref = ours.get(page).context["form"]["form_ref"].value()
        for _ in range(2):
            assert "they are told" in answer(ours, case, "Still with the clearing.", ref=ref).content.decode()
    assert CaseMessage.objects.filter(text="Still with the clearing.").count() == 2
    assert Notice.objects.filter(user=asha.user, event="case.answered").count() == 2
    assert InvestorCase.objects.get(case=case).waits_since is None
    answer(ours, case, "It has come.", ref=ref)
    assert CaseMessage.objects.filter(text="It has come.").exists(), "other words, though the form was shown before"


def test_whoever_holds_the_case_is_told_and_nobody_else(asha, meera, dev, case, client_for):
    cases.claim(case=case, actor=dev, reason="mine", at=clock.now())
    send(client_for(asha), case, "Where is it?")
    assert [each.user_id for each in Notice.objects.filter(event="case.written")] == [dev.pk]


def test_the_list_says_who_waits_until_somebody_answers(asha, meera, case, client_for):
    ours, waiting = client_for(meera), reverse("admin:portal_case_changelist") + "?investor=waits"
    assert case.code not in ours.get(waiting).content.decode()
    send(client_for(asha), case, "Where is it?")
    assert case.code in ours.get(waiting).content.decode()
    answer(ours, case, "With the clearing.")
    assert case.code not in ours.get(waiting).content.decode()


def test_identifiers_are_hidden_before_anything_is_kept(asha, case, client_for):
    send(client_for(asha), case, "PAN ASHPR3751C, account 123456789012345, Aadhaar 2345 6789 0124, a@b.example")
    [kept] = CaseMessage.objects.values_list("text", flat=True)
    for secret in ("ASHPR3751C", "123456789012345", "a@b.example"):
        assert secret not in kept
    assert "PAN" in kept


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Write what you want"), ("ab", "a few words more"), ("x" * (LONGEST + 1), "at most 1,000"),
     ("ASHPR3751C", "Say it in words")],
)  # fmt: skip
def test_a_message_that_cannot_be_kept_is_said_at_its_field_and_stays_typed(asha, case, client_for, text, said):
    hers = client_for(asha)
    assert send(hers, case, text).status_code == 303
    page = hers.get(f"/cases/{case.code}/").content.decode()
    assert said in page
    assert text in page
    assert not CaseMessage.objects.exists()


def test_nothing_is_written_about_a_closed_case(asha, meera, case, client_for):
    hers = client_for(asha)
    row = InvestorCase.objects.get(case=case)
    cases.close(case=case, resolution="Done", actor=meera, at=clock.now())
    page = hers.get(f"/cases/{case.code}/").content.decode()
    assert "<textarea" not in page
    send(hers, case, "One more thing")
    assert "One more thing" in hers.get(f"/cases/{case.code}/").content.decode() or not CaseMessage.objects.exists()
    with pytest.raises(shown_cases.CaseIsClosed):
        shown_cases.write(row=row, text="And this", form_ref="B" * 20, author=asha.user, at=clock.now())
    assert "not possible" in answer(client_for(meera), case, "Too late").content.decode()
    with pytest.raises(IntegrityError, match="closed case"), transaction.atomic():
        factories.CaseMessageFactory(shown=row)
    assert not CaseMessage.objects.exists()


def test_a_stranger_neither_reads_nor_writes(asha, chitra, case, client_for):
    send(client_for(asha), case, "Where is it?")
    assert send(client_for(chitra), case, "Mine now").status_code == 404
    assert CaseMessage.objects.count() == 1
    with scope(f"user:{chitra.user_id}"):
        assert not CaseMessage.objects.exists()
        assert not InvestorCase.objects.exists()
    with scope(f"user:{asha.user_id}"):
        assert CaseMessage.objects.count() == 1
        assert not Case.objects.exists()
        # What stands there, stands there: also by raw SQL of her own connection.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE investors_casemessage SET text = 'other'")
            assert cursor.rowcount == 0


def test_what_was_written_never_changes(asha, case, client_for):
    send(client_for(asha), case, "Where is it?")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        CaseMessage.objects.update(text="Nothing is wrong")


def test_a_message_is_the_investors_whose_case_it_is(chitra, case):
    row = InvestorCase.objects.get(case=case)
    with pytest.raises(IntegrityError, match="belongs_to_the_investor"), transaction.atomic():
        factories.CaseMessageFactory(shown=row, investor=chitra, author=chitra.user)
        connection.check_constraints()


def test_a_viewer_reads_and_cannot_answer(asha, case, client_for):
    viewer = factories.UserFactory(email="vik@portal.example")
    roles.grant(viewer, roles.VIEWER)
    send(client_for(asha), case, "Where is it?")
    browser = client_for(viewer)
    assert not audit.entries_of(asha).filter(action=audit.SEEN).exists()
    assert "Where is it?" in browser.get(reverse("admin:portal_case_change", args=[case.pk])).content.decode()
    assert answer(browser, case, "Let me").status_code == 403
    assert audit.entries_of(asha).filter(action=audit.SEEN, actor=f"user:{viewer.pk}").exists(), "a look is on record"


# --- a question about an order -------------------------------------------------------------------------------------


def test_a_question_about_an_order_is_a_case_with_their_message(asha, meera, order, client_for):
    hers = client_for(asha)
    assert "Ask us about this order" in hers.get(f"/orders/{order.code}/").content.decode()
    made = hers.post(f"/orders/{order.code}/ask/", {"text": "Which NAV will it be?", "form_ref": "C" * 20})
    [case] = Case.objects.filter(kind=shown_cases.QUESTION)
    assert made["Location"] == f"/cases/{case.code}/"
    assert "Which NAV" in hers.get(f"/orders/{order.code}/").content.decode()
    assert AuditEntry.objects.filter(action="case.investor_wrote").exists()
    # Asking again goes on with the same case.
    assert hers.get(f"/orders/{order.code}/ask/")["Location"] == f"/cases/{case.code}/"
    hers.post(f"/orders/{order.code}/ask/", {"text": "And when?", "form_ref": "D" * 20})
    assert Case.objects.filter(kind=shown_cases.QUESTION).count() == 1
    assert CaseMessage.objects.count() == 2
    assert not Notice.objects.filter(user=asha.user, event="case.opened").exists()


def test_a_question_of_identifiers_only_opens_no_case(asha, order, client_for):
    hers = client_for(asha)
    hers.post(f"/orders/{order.code}/ask/", {"text": "ASHPR3751C", "form_ref": "C" * 20})
    assert not Case.objects.exists()
    assert "ASHPR3751C" in hers.get(f"/orders/{order.code}/ask/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_is_one_message(asha, case):
    row, ref = InvestorCase.objects.get(case=case), "E" * 20

    def press() -> None:
        shown_cases.write(row=row, text="Where is it?", form_ref=ref, author=asha.user, at=clock.now())

    assert raised_at_once(press, 4) == []
    assert CaseMessage.objects.count() == 1
