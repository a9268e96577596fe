"""The paper mandate: filled for the bank, kept nowhere, signed and sent back; and what operations do about mandates."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
from django.conf import settings as live
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from investors import mandate_words, nach_form
from investors.models import Document, Mandate
from investors.operations import mandate_sending, mandates, ops_mandates, paper_mandates
from portal import clock
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def paper(asha) -> Mandate:
    """A paper mandate that waits for the signature."""
    bank = asha.bankaccounts.get()
    return factories.MandateFactory(bank_account=bank, kind="NACH", state="AWAITING_INVESTOR", limit=Decimal(125_000))


def scan() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("rupees", "words"),
    [
        (1, "one"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (25_000, "twenty-five thousand"),
        (1_25_310, "one lakh twenty-five thousand three hundred ten"),
        (1_00_00_000, "one crore"),
    ],
)
def test_the_amount_in_words_counts_the_indian_way(rupees, words):
    assert nach_form.in_words(rupees) == words


def test_the_form_carries_what_the_bank_compares(paper):
    data = nach_form.data(paper)
    assert data["number"] == paper.bank_account.number
    assert data["words"] == "Rupees one lakh twenty-five thousand only"
    assert data["figures"] == "₹1,25,000.00"
    assert [box for box, on in data["account_boxes"] if on] == ["SB"]
    assert (data["until_cancelled"], data["reference"]) == (True, paper.code)


def test_the_form_is_one_page_of_pdf_whatever_people_are_called(paper):
    account = paper.bank_account
    account.holder_name = "#panic() Asha *Rao* [x]"
    assert len(pypdfium2.PdfDocument(nach_form.pdf(paper))) == 1


def test_the_form_is_not_kept_by_anybody_on_the_way_and_not_by_us(paper, asha, client_for):
    before = sorted(Path(live.MEDIA_ROOT).rglob("*"))
    answer = client_for(asha).get(reverse("investors:mandate_form", args=[paper.code]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert "no-store" in answer["Cache-Control"]
    assert sorted(Path(live.MEDIA_ROOT).rglob("*")) == before
    assert not Document.objects.exists()


def test_there_is_no_form_for_an_e_mandate_or_after_the_bank_has_it(asha, client_for):
    bank = asha.bankaccounts.get()
    for changed in ({"kind": "E_MANDATE", "state": "AWAITING_INVESTOR"}, {"kind": "NACH", "state": "SUBMITTED"}):
        mandate = factories.MandateFactory(bank_account=bank, **changed)
        assert client_for(asha).get(reverse("investors:mandate_form", args=[mandate.code])).status_code == 404


def test_the_signed_scan_goes_to_operations_and_a_bad_one_comes_back_with_the_reason(paper, asha, client_for, dev):
    browser, address = client_for(asha), reverse("investors:mandate_upload", args=[paper.code])
    page = browser.post(address, {"form": SimpleUploadedFile("form.jpg", scan())}, follow=True).content.decode()
    assert "We have your form" in page
    paper.refresh_from_db()
    assert paper.signed_form.kind == "MANDATE_FORM"
    assert Case.objects.get().kind == paper_mandates.FORM_CASE
    reason = "The signature is outside of its box."
    paper_mandates.refuse_form(mandate_id=paper.pk, actor=dev, reason=reason, at=clock.now())
    page = browser.get(reverse("investors:mandate", args=[paper.code])).content.decode()
    assert reason in page
    assert Case.objects.get().state == "CLOSED"


def test_a_file_that_is_no_scan_is_refused_and_nothing_is_kept(paper, asha, client_for):
    address = reverse("investors:mandate_upload", args=[paper.code])
    page = client_for(asha).post(address, {"form": SimpleUploadedFile("f.pdf", b"MZ not a pdf")}, follow=True)
    assert "accepted" in page.content.decode() or "cannot be read" in page.content.decode()
    paper.refresh_from_db()
    assert (paper.signed_form, Document.objects.count()) == (None, 0)


def test_paper_goes_its_way_at_the_provider(asha, sandbox):
    bank = asha.bankaccounts.get()
    wish = mandates.prepare(investor=asha, bank_account=bank, kind="NACH", limit=Decimal(5_000), at=clock.now())
    consent = factories.ConsentFactory(
        investor=asha,
        purpose="MANDATE",
        amount=Decimal(5_000),
        isin="",
        shown=mandates.shown(wish),
        asked_at=clock.now(),
    )
    mandate = mandates._create(consent, asha, clock.now())

    def advance() -> str:
        mandate_sending.advance(mandate_id=mandate.pk, at=clock.now())
        mandate.refresh_from_db()
        return mandate.state

    assert advance() == "AWAITING_INVESTOR"
    assert mandate_words.of(mandate).badge == "Sign the form"
    sandbox.advance("P5D")
    assert advance() == "SUBMITTED"
    sandbox.advance("P20D")
    assert advance() == "APPROVED"


# --- operations -------------------------------------------------------------------------------------------------


def test_cancelling_takes_two_people_in_the_admin_too(asha, client_for):
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    maker, checker = (factories.UserFactory(is_staff=True, is_superuser=True) for _ in range(2))
    address = f"/admin/investors/mandate/{mandate.pk}/act/"

    def act(person, name):
        client_for(person).post(f"{address}{name}/", {"reason": "asked for by letter"})
        mandate.refresh_from_db()
        return mandate.cancel_asked_at

    assert act(maker, "approve-cancel") is None
    assert act(maker, "cancel") is None
    assert ops_mandates.who_wants_it_cancelled(mandate) == maker
    assert act(maker, "approve-cancel") is None
    assert act(checker, "approve-cancel") is not None


def test_the_lists_show_reason_limit_and_bank_and_no_account_number(asha, dev, client_for):
    account = asha.bankaccounts.get()
    factories.MandateFactory(bank_account=account, state="REJECTED", reason="Signature mismatch")
    page = client_for(dev).get("/admin/investors/mandate/").content.decode()
    assert "Signature mismatch" in page
    assert "25,000" in page
    assert account.number not in page
