"""A registration that FP refuses field by field, in the background: each complaint on the page where it can be put
right, and what nobody can put right there with our team. The rules themselves: test_investor_record.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from investors import applications, refusals, steps
from investors.models import Document, Investor
from investors.operations import documents, onboarding, registration
from portal import clock
from portal.models import Case
from portal.notices.models import Notice
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import step_url
from tests.investors.fresh_kyc import clean, upload
from tests.investors.test_investor_record import RESIDENT, somebody
from tests.investors.test_registration import ACCOUNTS, INVESTORS, advance, at_fp, confirm, settle

pytestmark = pytest.mark.django_db
FILES = "*/files"
Browser = Callable[..., Client]


@pytest.fixture
def applicant(db: None, sandbox: SandboxControl) -> Investor:
    """Somebody whose application is complete and confirmed; nothing has been sent."""
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    return confirm(investor)


def resident() -> list[str]:
    """Whatever FP may name of the application of a grown-up who lives in India, papers aside."""
    others = (steps.GUARDIAN, steps.PAPERS)
    return [
        field
        for field, (step, ours) in refusals.PLACES.items()
        if step not in others and ours != "guardian_pan" and not field.startswith("overseas_address")
    ]


@pytest.mark.parametrize("field", resident())
def test_fps_words_stand_at_the_field_with_what_was_typed(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser, field: str
) -> None:
    sandbox.fault(f"refuse:{field.replace('bank_accounts.', 'bank_accounts[0].')}", path=INVESTORS)
    row = advance(applicant)
    assert (row.state, row.attempt, row.due_at, row.provider_ref) == ("REGISTERING", "", None, None)
    assert applications.of(row).why == "registration_refused"  # type: ignore[union-attr]
    assert not Case.objects.exists()
    told = Notice.objects.get(user=row.user)
    assert (told.event, told.url) == ("registration.refused", reverse("investors:onboarding"))
    browser, (step, ours) = client_for(row), refusals.PLACES[field]
    (failed,) = [item for item in browser.get(told.url).context["items"] if item.status == "failed"]
    assert failed.url == step_url(step)
    form = browser.get(failed.url).context["form"]
    assert list(form.errors) == [ours]
    assert "not accepted when we registered you: is not acceptable." in form.errors[ours][0]
    if step == steps.ADDRESS:
        assert form["line1"].value() == "12 Residency Road"
    if step == steps.PERSONAL:
        assert form["name"].value() == "Asha Rao"
    assert advance(row).refusal == row.refusal, "nothing is sent again by itself"
    assert at_fp() == []


@pytest.mark.parametrize(
    "field",
    [
        "umbrella",
        "display_name",
        # Of another kind of application than this one.
        "kyc_identity_detail.guardian_name",
        # The address of the login, which rests while somebody is being registered.
        "contact_detail.email",
    ],
)
def test_what_the_investor_cannot_mend_is_seen_by_ops_by_its_name_and_told_calmly(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser, field: str
) -> None:
    sandbox.fault(f"refuse:{field}", path=INVESTORS)
    row = advance(applicant)
    case = Case.objects.get(kind=registration.REFUSED_CASE)
    assert (case.subject_id, case.detail) == (str(row.pk), f"{field}: is not acceptable")
    assert applications.of(row).why == "registration_stopped"  # type: ignore[union-attr]
    assert not onboarding.may_confirm(row)
    assert not Notice.objects.exists(), "our team writes"
    page = client_for(row).get(reverse("investors:onboarding")).content.decode()
    assert "Our team is looking at your registration" in page
    assert "umbrella" not in page
    registration.register_again(investor_id=row.pk, actor=row.user, reason="FP put it right", at=clock.now())
    assert settle(row).state == "READY"
    assert Case.objects.get(pk=case.pk).state == "CLOSED"


@pytest.mark.parametrize("field", ["kyc_identity_detail.umbrella", "correspondence_address.city"])
def test_what_nobody_types_in_a_step_that_there_is_is_for_both(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser, field: str
) -> None:
    sandbox.fault(f"refuse:{field}", path=INVESTORS)
    row = advance(applicant)
    assert Case.objects.get(kind=registration.REFUSED_CASE).detail == f"{field}: is not acceptable"
    step = refusals.place_of(field)[0]
    assert list(client_for(row).get(step_url(step)).context["form"].errors) == ["__all__"]


def test_the_accounts_own_refusal_names_its_field_for_ops(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser
) -> None:
    row = advance(applicant)
    sandbox.fault("refuse:kyc_identity_detail.signature", path=ACCOUNTS)
    row = advance(row)
    assert Case.objects.get(kind=registration.REFUSED_CASE).detail == "kyc_identity_detail.signature: is not acceptable"
    assert applications.of(row).why == "registration_stopped"  # type: ignore[union-attr]
    assert "Our team is looking" in client_for(row).get(reverse("investors:onboarding")).content.decode()


@pytest.mark.parametrize("kind", registration.PAPER_FIELDS)
def test_a_paper_that_fp_does_not_take_comes_back_with_its_reason(
    db: None, sandbox: SandboxControl, client_for: Browser, kind: str
) -> None:
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    paper = documents.keep(investor=investor, kind=kind, file=clean(kind), actor=investor.user, at=clock.now())
    if kind == Document.Kind.CANCELLED_CHEQUE:
        investor.bankaccounts.update(cancelled_cheque=paper)
    sandbox.fault("refuse:file", path=FILES)
    row = advance(confirm(investor))
    assert [each["field"] for each in row.refusal] == [registration.PAPER_FIELDS[kind]]
    form = client_for(row).get(step_url(steps.PAPERS)).context["form"]
    assert list(form.errors) == [kind]
    assert "is not acceptable" in form.errors[kind][0]
    # The same file is not sent again; a better one is.
    browser, page = client_for(row), step_url(steps.PAPERS)
    assert browser.post(page, {}).status_code == 303
    assert browser.post(page, {kind: upload(kind)})["Location"] == step_url(steps.REVIEW)
    assert settle(confirm(row)).state == "READY"


# --- the exchange opens no account without a signature and a cheque ---------------------------------------------


def test_with_the_exchange_nobody_confirms_without_the_papers(
    applicant: Investor, client_for: Browser, settings: Any
) -> None:
    settings.FP_ORDER_GATEWAY = "BSE"
    Investor.objects.filter(pk=applicant.pk).update(state="DRAFT", due_at=None)
    browser, page = client_for(applicant), step_url(steps.PAPERS)
    with pytest.raises(onboarding.Incomplete):
        confirm(applicant)
    assert "Go on without" not in browser.get(page).content.decode()
    signature, cheque = Document.Kind.SIGNATURE, Document.Kind.CANCELLED_CHEQUE
    assert browser.post(page, {signature: upload(signature)}).status_code == 303
    # No browser gives a file back, so both are asked for again.
    assert set(browser.get(page).context["form"].errors) == {signature, cheque}
    assert not Document.objects.exists(), "nothing is kept of a form that was not whole"
    both = {signature: upload(signature), cheque: upload(cheque)}
    assert browser.post(page, both)["Location"] == step_url(steps.REVIEW)
    assert browser.post(page, {}).status_code == 302, "what is there may stay"
    assert confirm(applicant).state == "REGISTERING"
