"""A registration that FP refuses field by field, in the background: each complaint on the page where it can be put
right, and what nobody can put right there with our team. The rules themselves: test_investor_record.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from investors import applications, gateway, queries, refusals, steps
from investors.forms.changes import EmailChange
from investors.models import Document, Investor
from investors.operations import documents, onboarding, registration
from portal import audit, clock, identifiers, logins
from portal.fintech_primitives.client import client
from portal.models import Case, GatewayCall, User
from portal.notices.models import Notice
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import fresh, step_url, type_in
from tests.investors.fresh_kyc import clean, upload
from tests.investors.test_investor_record import MINOR, RESIDENT, opened, somebody
from tests.investors.test_registration import ACCOUNTS, INVESTORS, advance, at_fp, confirm, settle

pytestmark = pytest.mark.django_db
FILES = "*/files"
ONE_INVESTOR = "*/onb/investors/*"
Browser = Callable[..., Client]


@pytest.fixture
def applicant(db: None, sandbox: SandboxControl) -> Investor:
    """Somebody whose application is complete and confirmed; nothing has been sent."""
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    return confirm(investor)


def give(investor: Investor, *kinds: str) -> None:
    """These papers are there."""
    for kind in kinds:
        paper = documents.keep(investor=investor, kind=kind, file=clean(kind), actor=investor.user, at=clock.now())
        if kind == Document.Kind.CANCELLED_CHEQUE:
            investor.bankaccounts.update(cancelled_cheque=paper)


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


# --- the account is refused, the investor is there ----------------------------------------------------------------


@pytest.fixture
def without_account(applicant: Investor, sandbox: SandboxControl) -> Investor:
    """FP has taken the investor and refuses the account: this exchange keeps no such name."""
    sandbox.fault("refuse:kyc_identity_detail.name", path=ACCOUNTS)
    row = advance(advance(applicant))
    assert row.provider_ref
    assert applications.of(row).why == "registration_refused"  # type: ignore[union-attr]
    return row


def corrected(row: Investor, browser: Client, **typed: str) -> Investor:
    """The step of the name was sent again, and all of it confirmed."""
    assert type_in(browser, steps.PERSONAL, **typed).status_code == 302
    assert fresh(row).provider_is_behind
    return confirm(row)


def posts(path: str) -> int:
    return GatewayCall.objects.filter(method="POST", path=path).count()


def test_what_the_account_was_refused_for_is_corrected_at_fp_first_and_the_account_asked_for_again(
    without_account: Investor, client_for: Browser
) -> None:
    row, browser = without_account, client_for(without_account)
    page = browser.get(step_url(steps.PERSONAL))
    assert list(page.context["form"].errors) == ["name"]
    row = settle(corrected(row, browser, name="Asha Ravi Rao"))
    assert (row.state, row.provider_is_behind, len(at_fp())) == ("READY", False, 1)
    theirs = client().fetch_investor(row.provider_ref or "")
    assert theirs.kyc_identity_detail.name == "Asha Ravi Rao"  # type: ignore[union-attr]
    assert len(theirs.bank_accounts) == 1
    assert len(client().list_investment_accounts(row.provider_ref or "")) == 1
    assert "registration.investor_corrected" in [entry.action for entry in audit.entries_of(row)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_correction_whose_answer_is_lost_is_looked_for_before_it_goes_again(
    without_account: Investor, sandbox: SandboxControl, client_for: Browser, when: str
) -> None:
    row = corrected(without_account, client_for(without_account), name="Asha Ravi Rao")
    sandbox.fault("status:500", path=ONE_INVESTOR, when=when)
    row = advance(row)
    assert row.is_unknown
    row = settle(row)
    assert row.state == "READY"
    path = f"{gateway.INVESTOR_PATH}/{row.provider_ref}"
    assert posts(path) == (1 if when == "after" else 2)
    theirs = client().fetch_investor(row.provider_ref or "")
    assert (theirs.kyc_identity_detail.name, len(theirs.bank_accounts)) == ("Asha Ravi Rao", 1)  # type: ignore[union-attr]


def test_a_worker_that_dies_after_the_correction_is_followed_by_a_look(
    without_account: Investor, client_for: Browser
) -> None:
    row = corrected(without_account, client_for(without_account), name="Asha Ravi Rao")
    taken = registration._take(row.pk, clock.now())
    assert taken
    gateway.correct_investor(queries.profile(taken))
    row = advance(row, clock.now() + timedelta(minutes=1))
    assert (row.provider_is_behind, row.attempt) == (False, "")
    assert posts(f"{gateway.INVESTOR_PATH}/{row.provider_ref}") == 1


def test_a_correction_that_fp_refuses_comes_back_to_its_field(
    without_account: Investor, sandbox: SandboxControl, client_for: Browser
) -> None:
    browser = client_for(without_account)
    row = corrected(without_account, browser, name="Asha Ravi Rao")
    sandbox.fault("refuse:kyc_identity_detail.occupation", path=ONE_INVESTOR)
    row = advance(row)
    assert [each["field"] for each in row.refusal] == ["kyc_identity_detail.occupation"]
    assert list(browser.get(step_url(steps.PERSONAL)).context["form"].errors) == ["occupation"]
    assert settle(corrected(row, browser, name="Asha Ravi Rao")).state == "READY"


def test_with_the_exchange_papers_that_were_missing_go_and_then_the_account(
    bse: None, sandbox: SandboxControl, client_for: Browser, settings: Any
) -> None:
    """FP's own rule, no fault: the firm's orders go to the exchange, and our setting did not say so yet."""
    settings.FP_ORDER_GATEWAY = "RTA"
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    row = advance(advance(confirm(investor)))
    settings.FP_ORDER_GATEWAY = "BSE"
    assert {each["field"] for each in row.refusal} == set(registration.PAPER_FIELDS.values())
    files = {kind: upload(kind) for kind in registration.PAPER_FIELDS}
    assert client_for(row).post(step_url(steps.PAPERS), files)["Location"] == step_url(steps.REVIEW)
    row = settle(confirm(row))
    assert row.refusal == []
    assert row.state == "READY"


def test_another_pan_is_another_person_so_that_one_is_for_ops(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser
) -> None:
    row = advance(applicant)
    sandbox.fault("refuse:kyc_identity_detail.pan_number", path=ACCOUNTS)
    row = advance(row)
    assert Case.objects.get(kind=registration.REFUSED_CASE).detail.startswith("kyc_identity_detail.pan_number")
    assert applications.of(row).why == "registration_stopped"  # type: ignore[union-attr]
    assert "Our team is looking" in client_for(row).get(reverse("investors:onboarding")).content.decode()
    registration.register_again(investor_id=row.pk, actor=row.user, reason="FP put it right", at=clock.now())
    assert settle(row).state == "READY"


@pytest.mark.parametrize("changes", [{"provider_ref": None}, {"state": "READY"}])
def test_fp_is_behind_only_between_the_two(without_account: Investor, changes: dict[str, Any]) -> None:
    row = Investor.objects.filter(pk=without_account.pk)
    with pytest.raises(IntegrityError, match="fp_is_behind_only_while"), transaction.atomic():
        row.update(provider_is_behind=True, **changes)


# --- the address of the login -------------------------------------------------------------------------------------

LONG = f"{'a' * 30}@{'b' * 20}.example"


def test_an_address_that_fp_refuses_stands_where_it_is_said_whose_it_is_and_can_be_exchanged(
    applicant: Investor, sandbox: SandboxControl, client_for: Browser
) -> None:
    browser, login = client_for(applicant), reverse("account_email")
    assert browser.get(login).status_code == 302, "it is on its way"
    sandbox.fault("refuse:contact_detail.email", path=INVESTORS)
    row = advance(applicant)
    assert not Case.objects.exists()
    page = browser.get(step_url(steps.PERSONAL))
    assert list(page.context["form"].errors) == ["email_is_of"]
    assert f'href="{login}"' in page.content.decode()
    assert browser.get(login).status_code == 200
    logins.change_email(user=row.user, email="asha@short.example", at=clock.now())
    assert type_in(browser, steps.PERSONAL).status_code == 302
    assert settle(confirm(row)).state == "READY"
    assert client().fetch_investor(fresh(row).provider_ref or "").contact_detail.email == "asha@short.example"  # type: ignore[union-attr]


def test_a_child_has_no_such_field_so_it_stands_above_the_form(db: None) -> None:
    form = opened(steps.PERSONAL, MINOR)
    form.show_refused({"email": ["This was not accepted."]})
    assert form.errors == {"__all__": ["About the email address that you sign in with: This was not accepted."]}


def test_with_the_exchange_a_long_address_is_said_to_be_one_before_anything_is_sent(
    client_for: Browser, bse: None
) -> None:
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    give(investor, *registration.PAPER_FIELDS)
    User.objects.filter(pk=investor.user_id).update(email=LONG)
    with pytest.raises(onboarding.Incomplete):
        confirm(fresh(investor))
    browser = client_for(fresh(investor))
    items = browser.get(reverse("investors:onboarding")).context["items"]
    (problem,) = [item.problem for item in items if item.problem]
    assert "at most 50 characters. This one has 59" in problem
    assert problem in type_in(browser, steps.PERSONAL).context["form"].errors["email_is_of"]
    logins.change_email(user=investor.user, email=LONG[-50:], at=clock.now())
    assert type_in(browser, steps.PERSONAL).status_code == 302


def test_fps_own_word_about_a_long_address_lands_at_the_same_field(bse: None, sandbox: SandboxControl) -> None:
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    give(investor, *registration.PAPER_FIELDS)
    confirm(investor)
    User.objects.filter(pk=investor.user_id).update(email=LONG)
    row = settle(investor)
    assert refusals.by_field(row.refusal, steps.PERSONAL).keys() == {"email"}


@pytest.mark.parametrize(("gateway_name", "is_refused"), [("BSE", True), ("RTA", False)])
def test_a_change_to_a_long_address_is_refused_at_its_field(
    asha: Investor, settings: Any, gateway_name: str, is_refused: bool
) -> None:
    settings.FP_ORDER_GATEWAY = gateway_name
    ref = identifiers.new_client_ref()
    form = EmailChange.of(asha, {"email": LONG, "email_is_of": "SELF", "form_ref": ref})
    assert ("email" in form.errors) == is_refused
    assert "email" not in EmailChange.of(asha, {"email": LONG[-50:], "email_is_of": "SELF", "form_ref": ref}).errors


# --- papers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", registration.PAPER_FIELDS)
def test_a_paper_that_fp_does_not_take_comes_back_with_its_reason(
    db: None, sandbox: SandboxControl, client_for: Browser, kind: str
) -> None:
    investor = somebody(RESIDENT)
    factories.KycCheckFactory(investor=investor)
    give(investor, kind)
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
