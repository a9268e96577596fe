"""The pages of mandates: what is shown before the redirect, the code, the hand-over, failed ones that stay."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from investors.models import Mandate
from investors.operations import mandate_sending
from portal import clock, identifiers
from tests import factories

pytestmark = pytest.mark.django_db


def fill(asha, **changes) -> dict[str, str]:
    bank = asha.bankaccounts.get()
    form = {"limit": "25,000", "kind": "E_MANDATE", "bank_account": bank.code, "form_ref": identifiers.new_client_ref()}
    return {**form, **changes}


def code_in_mail() -> str:
    return re.search(r"\b\d{6}\b", mail.outbox[-1].body)[0]


def test_limits_and_methods_are_shown_before_anything_is_asked(asha, client_for):
    page = client_for(asha).get(reverse("investors:mandate_new")).content.decode()
    for words in ("₹1,00,00,000", "Net banking, debit card or Aadhaar", "15 minutes", "ten to twenty-one days"):
        assert words in page


def test_from_the_form_to_the_banks_page(asha, client_for, sandbox, django_capture_on_commit_callbacks):
    browser = client_for(asha)
    with django_capture_on_commit_callbacks(execute=True):
        asked = browser.post(reverse("investors:mandate_new"), fill(asha))
    assert "₹25,000.00" in browser.get(asked.url).content.decode()
    given = browser.post(asked.url, {"otp": code_in_mail()})
    mandate = Mandate.objects.get()
    assert given.url == reverse("investors:mandate", args=[mandate.code])
    for _ in range(2):
        mandate_sending.advance(mandate_id=mandate.pk, at=clock.now())
    page = browser.get(given.url).content.decode()
    assert "Authorise at your bank" in page
    mandate.refresh_from_db()
    assert mandate.page_url not in page
    sent = browser.post(reverse("investors:mandate_authorise", args=[mandate.code]))
    assert sent.url.startswith(sandbox.url)
    assert sent["Referrer-Policy"] == "no-referrer"
    assert "no-store" in sent["Cache-Control"]


def test_the_confirmation_again_leads_to_the_same_mandate(asha, client_for, django_capture_on_commit_callbacks):
    browser = client_for(asha)
    with django_capture_on_commit_callbacks(execute=True):
        asked = browser.post(reverse("investors:mandate_new"), fill(asha))
    given = [browser.post(asked.url, {"otp": code_in_mail()}).url for _ in range(2)]
    assert given == [reverse("investors:mandate", args=[Mandate.objects.get().code])] * 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"limit": "0"}, "₹1 to"), ({"limit": "2,50,00,000"}, "₹1 to"), ({"limit": "abc"}, "whole rupees")],
)
def test_what_cannot_be_is_said_at_the_field(asha, client_for, wrong, words):
    browser = client_for(asha)
    address = reverse("investors:mandate_new")
    assert words in browser.post(address, fill(asha, **wrong), follow=True).content.decode()
    assert not Mandate.objects.exists()


def test_a_rejected_mandate_stays_with_its_reason_and_a_retry(asha, client_for):
    reason = "Signature mismatch as per bank records"
    old = factories.MandateFactory(bank_account=asha.bankaccounts.get(), state="REJECTED", reason=reason)
    browser = client_for(asha)
    for address in (reverse("investors:mandates"), reverse("investors:mandate", args=[old.code])):
        assert reason in browser.get(address).content.decode()
    again = browser.get(reverse("investors:mandate_retry", args=[old.code])).content.decode()
    assert f"{old.code} stays on record" in again
    assert 'value="25000"' in again


def test_with_bse_no_paper_is_offered_and_the_page_says_why(asha, client_for, settings):
    settings.FP_ORDER_GATEWAY = "BSE"
    page = client_for(asha).get(reverse("investors:mandate_new")).content.decode()
    assert 'value="NACH"' not in page
    assert "takes no paper mandates" in page


def test_cancelling_asks_for_a_code_once(asha, client_for):
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    browser = client_for(asha)
    address = reverse("investors:mandate_cancel", args=[mandate.code])
    first, second = (browser.post(address).url for _ in range(2))
    assert first == second
    assert "You are about to cancel" in browser.get(first).content.decode()
    mandate.refresh_from_db()
    assert mandate.cancel_asked_at is None


def test_the_page_asks_again_while_it_moves_and_loads_whole_once_when_it_has_settled(asha, client_for):
    bank, browser = asha.bankaccounts.get(), client_for(asha)
    for state, moves in (("SUBMITTED", True), ("APPROVED", False)):
        mandate = factories.MandateFactory(bank_account=bank, state=state)
        answer = browser.get(reverse("investors:mandate", args=[mandate.code]), headers={"HX-Request": "true"})
        assert ("data-refreshes" in answer.content.decode(), "HX-Refresh" in answer) == (moves, not moves)
