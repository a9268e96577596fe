"""Changes after activation, rule by rule: refused on our page before anything is asked; and what FP refuses later
stands at the field of the page on which it can be put right.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from investors import change_refusals, refusals, steps
from investors.forms.accounts import AccountForm
from investors.models import BankAccount, ChangeRequest, Investor
from investors.operations import bank_accounts, change_sending, changes, consents
from investors.views.changes import PAGES, SLUGS
from portal import clock, identifiers
from portal.models import Case, User
from tests.investors.applying import TYPED
from tests.investors.test_bank_accounts import NEW
from tests.investors.test_changes import LAKE_VIEW, NEW_EMAIL, NEW_MOBILE, PERSONAL, UPDATE, advance, at_fp
from tests.investors.test_changes import confirmed as confirmed_detail
from tests.investors.test_investor_record import RULES, Rule

pytestmark = pytest.mark.django_db
What = ChangeRequest.What


@pytest.fixture(autouse=True)
def any_code(monkeypatch):
    """Codes have tests of their own."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: otp == "123456")


# --- every rule stands before FP's ------------------------------------------------------------------------------


def form_for(what: str, data: dict[str, Any]) -> Any:
    investor = Investor(kind=Investor.Kind.RESIDENT, user=User(email="asha@portal.example"), name="Asha Rao")
    sent = {**data, "form_ref": identifiers.new_client_ref()}
    if what == What.BANK_ACCOUNT:
        return AccountForm(sent, investor=investor)
    return PAGES[SLUGS[What(what)]].form.of(investor, sent)


def kinds_of(rule: Rule) -> list[str]:
    return [what for what, step, fields in change_refusals.CHANGED
            if step == rule.step and (fields is None or rule.field in fields)]  # fmt: skip


CHANGEABLE = [(what, rule) for rule in RULES if rule.kind == Investor.Kind.RESIDENT for what in kinds_of(rule)]


@pytest.mark.parametrize(("what", "rule"), CHANGEABLE, ids=[f"{what} {rule.words}" for what, rule in CHANGEABLE])
def test_our_page_refuses_at_the_field(what: str, rule: Rule) -> None:
    usual = {**TYPED[steps.PERSONAL], **TYPED[steps.FATCA]} if what == What.PROFILE else TYPED[rule.step]
    assert rule.field in form_for(what, {**usual, **rule.typed}).errors


@pytest.mark.parametrize("what", [*SLUGS, What.BANK_ACCOUNT])
def test_every_field_of_a_change_is_one_that_fp_can_name(what: str) -> None:
    ours = {"form_ref", "number_again", "mobile_is_of", "email_is_of"}
    named = {field for step, field in (refusals.PLACES | refusals.CHANGED).values()}
    assert set(form_for(what, {}).fields) - ours <= named


# --- the refusal arrives later ----------------------------------------------------------------------------------


def to_be_sent(asha, what: str) -> ChangeRequest:
    """Confirmed, cooled off and looked at."""
    if what == What.BANK_ACCOUNT:
        ref = identifiers.new_client_ref()
        consent = bank_accounts.ask_to_add(investor=asha, **NEW, form_ref=ref, ip=None, at=clock.now())
        change = changes.confirm(investor=asha, code=consent.code, otp="123456", ip=None, at=clock.now())
    else:
        change = confirmed_detail(asha, what)
    if change.state != "SENDING":
        changes.move_to(change, "SENDING", at=clock.now(), actor=None)
    return change


def refused(asha, sandbox, what: str, field: str) -> ChangeRequest:
    change = to_be_sent(asha, what)
    sandbox.fault(f"refuse:{field}", path=UPDATE)
    change = advance(change)
    assert (change.state, change.attempt, change.due_at) == ("REFUSED", "", None)
    return change


def page_of(what: str) -> str:
    if what == What.BANK_ACCOUNT:
        return reverse("investors:bank_add")
    return reverse("investors:change", args=[SLUGS[What(what)]])


def places() -> list[tuple[str, str]]:
    """(kind of change, FP's name) of whatever a resident can change."""
    found = []
    for field in refusals.PLACES | refusals.CHANGED:
        what = change_refusals.what_of({"field": field}, "")
        if what and not field.startswith("overseas_address"):
            found.append((what, field.replace("bank_accounts.", "bank_accounts[1].")))
    return found


KEPT = {
    What.EMAIL: {"email": NEW_EMAIL},
    What.MOBILE: {"mobile": NEW_MOBILE, "isd_code": "91", "mobile_is_of": "PARENT"},
    What.ADDRESS: {"line1": LAKE_VIEW["line1"], "pincode": LAKE_VIEW["pincode"], "permanent_is_same": "yes"},
    What.NOMINEES: {"n1_name": "Ravi Rao", "n1_share": 100, "choice": "name"},
    What.PROFILE: {"occupation": PERSONAL["occupation"], "gross_annual_income": "24,00,000"},
    What.TAX: {"tax_resident_only_in_india": "no", "t1_country": "AE", "t1_tax_id_kind": "TIN", "t1_tax_id": None},
    What.BANK_ACCOUNT: {"ifsc": NEW["ifsc"], "kind": "SAVINGS", "holder_name": "Asha Rao", "number": None},
}


@pytest.mark.parametrize(("what", "field"), places())
def test_fps_words_stand_at_the_field_with_what_was_typed_and_nothing_is_changed(
    asha, sandbox, client_for, django_capture_on_commit_callbacks, what, field
) -> None:
    before = at_fp(asha)
    with django_capture_on_commit_callbacks(execute=True):
        change = refused(asha, sandbox, what, field)
    assert "What to correct stands at its field" in mail.outbox[-1].body
    assert not Case.objects.exists()
    assert at_fp(asha) == before
    assert not BankAccount.objects.filter(investor=asha, is_primary=False).exists()
    browser = client_for(asha)
    form = browser.get(page_of(what)).context["form"]
    ours = refusals.place_of(field)[1]
    assert list(form.errors) == [ours]
    assert "not accepted when we passed it on: is not acceptable." in form.errors[ours][0]
    assert {name: form[name].value() for name in KEPT[What(what)]} == KEPT[What(what)]
    for address in [reverse("investors:changes")] + [reverse("investors:banks")] * (what == What.BANK_ACCOUNT):
        page = browser.get(address).content.decode()
        assert f'href="{page_of(what)}">Correct it' in page
    assert change.investor.changerequests.count() == 1


def test_an_account_that_is_named_without_its_number_is_the_new_one(asha, sandbox, client_for) -> None:
    refused(asha, sandbox, What.BANK_ACCOUNT, "bank_accounts.ifsc_code")
    assert list(client_for(asha).get(page_of(What.BANK_ACCOUNT)).context["form"].errors) == ["ifsc"]


def test_whole_sections_stand_above_their_form(asha, sandbox, client_for) -> None:
    refused(asha, sandbox, What.NOMINEES, "nomination")
    assert list(client_for(asha).get(page_of(What.NOMINEES)).context["form"].errors) == ["__all__"]
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("what", "field", "other"),
    [
        (What.ADDRESS, "contact_detail.mobile", What.MOBILE),
        (What.ADDRESS, "contact_detail.email", What.EMAIL),
        (What.NOMINEES, "correspondence_address.pincode", What.ADDRESS),
        (What.BANK_ACCOUNT, "kyc_identity_detail.occupation", What.PROFILE),
        (What.PROFILE, "nomination.nominee1.name", What.NOMINEES),
        (What.PROFILE, "fatca_detail.first_trc_taxid_number", What.TAX),
    ],
)
def test_what_another_page_changes_leads_there(asha, sandbox, client_for, what, field, other) -> None:
    """FP is sent everything with every change, and may refuse the one because of the other."""
    refused(asha, sandbox, what, field)
    page = client_for(asha).get(page_of(what))
    assert not page.context["form"].errors
    text = page.content.decode()
    assert "Something else was not accepted with it" in text
    assert f'href="{page_of(other)}">{PAGES[SLUGS[other]].title}' in text
    assert "is not acceptable" in text
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("what", "field"),
    [
        (What.ADDRESS, "umbrella"),
        (What.ADDRESS, "kyc_identity_detail.name"),
        (What.NOMINEES, "fatca_detail.country_of_birth_ansi_code"),
        (What.ADDRESS, "bank_accounts[0].ifsc_code"),
        (What.BANK_ACCOUNT, "bank_accounts[0].ifsc_code"),
        (What.BANK_ACCOUNT, "bank_accounts.0.number"),
        (What.EMAIL, "kyc_identity_detail.umbrella"),
    ],
)
def test_what_no_page_changes_is_seen_by_ops_by_its_name_and_told_calmly(
    asha, sandbox, client_for, what, field
) -> None:
    change = refused(asha, sandbox, what, field)
    case = Case.objects.get(kind=change_sending.REFUSED_CASE)
    assert (case.subject_id, case.detail) == (str(change.pk), f"{field}: is not acceptable")
    assert "Our team has been told" in change.reason
    browser = client_for(asha)
    page = browser.get(page_of(what))
    assert not page.context["form"].errors
    assert "Our team is looking at it" in page.content.decode()
    assert "umbrella" not in page.content.decode()
    assert "Correct it" not in browser.get(reverse("investors:changes")).content.decode()


def test_a_field_of_a_section_that_nobody_types_is_for_both(asha, sandbox, client_for) -> None:
    refused(asha, sandbox, What.ADDRESS, "correspondence_address.city")
    assert Case.objects.get(kind=change_sending.REFUSED_CASE).detail == "correspondence_address.city: is not acceptable"
    assert list(client_for(asha).get(page_of(What.ADDRESS)).context["form"].errors) == ["__all__"]


def test_a_refusal_that_names_no_field_is_for_ops(asha, sandbox) -> None:
    change = to_be_sent(asha, What.ADDRESS)
    sandbox.fault("status:409", path=UPDATE)
    assert advance(change).state == "REFUSED"
    assert Case.objects.get(kind=change_sending.REFUSED_CASE).detail == "no field: simulated 409"


def test_the_main_account_that_fp_refuses_is_for_ops(asha, sandbox) -> None:
    advance(to_be_sent(asha, What.BANK_ACCOUNT))
    second = asha.bankaccounts.get(is_primary=False)
    ref = identifiers.new_client_ref()
    consent = bank_accounts.ask_to_make_primary(account=second, form_ref=ref, ip=None, at=clock.now())
    change = changes.confirm(investor=asha, code=consent.code, otp="123456", ip=None, at=clock.now())
    changes.move_to(change, "SENDING", at=clock.now(), actor=None)
    sandbox.fault("refuse:bank_accounts[1].primary_account", path=UPDATE)
    assert advance(change).state == "REFUSED"
    assert Case.objects.get(kind=change_sending.REFUSED_CASE).subject_id == str(change.pk)
    assert asha.bankaccounts.get(is_primary=True) != second


def test_what_was_corrected_goes_and_the_old_words_are_gone(asha, sandbox, client_for) -> None:
    refused(asha, sandbox, What.ADDRESS, "correspondence_address.line1")
    assert advance(confirmed_detail(asha, What.ADDRESS)).state == "DONE"
    page = client_for(asha).get(page_of(What.ADDRESS))
    assert not page.context["form"].errors
    assert "is not acceptable" not in page.content.decode()
