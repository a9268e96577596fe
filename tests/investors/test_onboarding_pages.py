"""Getting ready, page by page, against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from investors import queries
from investors.models import Address, BankAccount, Investor, KycCheck, Nominee
from portal import audit, clock
from portal.models import User
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import (
    ADDRESS,
    BANK,
    NOMINEE,
    OPT_OUT,
    PAN,
    PERSONAL,
    TYPED,
    answered,
    fresh,
    step_url,
    type_everything,
    type_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> User:
    return factories.UserFactory(email="asha@portal.example", mobile="")


@pytest.fixture
def browser(client_for: Callable[..., Client], person: User) -> Client:
    return client_for(person)


def mine(person: User) -> Investor:
    return Investor.objects.get(user=person)


def test_goes_from_pan_to_ready(browser: Client, person: User, sandbox: SandboxControl, recover: Any) -> None:
    type_everything(browser)
    investor = mine(person)
    assert investor.state == "REGISTERING"
    recover()
    recover()
    investor = fresh(investor)
    assert investor.state == "READY"
    assert investor.provider_ref
    assert investor.investmentaccounts.get().provider_ref
    assert investor.bankaccounts.get().provider_ref
    assert browser.get(reverse("investors:profile")).status_code == 200


# --- the way through ------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_log_in(client: Client) -> None:
    for url in [reverse("investors:onboarding"), reverse("investors:profile"), step_url("pan"), look("pincode", "5")]:
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def look(kind: str, text: str) -> str:
    return reverse("investors:look_up", args=[kind]) + f"?{kind}={text}"


def test_looking_writes_nothing(browser: Client) -> None:
    for url in [reverse("investors:onboarding"), step_url("pan")]:
        assert browser.get(url).status_code == 200
    assert not Investor.objects.exists()


def test_staff_go_to_the_admin(client_for: Callable[..., Client], dev: User) -> None:
    assert client_for(dev).get(reverse("investors:onboarding"))["Location"] == reverse("admin:index")


def test_the_pan_comes_first(browser: Client) -> None:
    for slug in ("personal", "bank"):
        assert browser.get(step_url(slug))["Location"] == step_url("pan")
        assert type_in(browser, slug)["Location"] == step_url("pan")
    assert browser.get(step_url("review"))["Location"] == reverse("investors:onboarding")
    assert not Investor.objects.exists()


def test_an_unknown_step_is_404(browser: Client) -> None:
    assert browser.get(step_url("secret")).status_code == 404
    assert browser.get(reverse("investors:look_up", args=["pan"])).status_code == 404


def test_goes_on_where_it_stopped_on_another_device(
    browser: Client, person: User, sandbox: SandboxControl, client_for: Callable[..., Client]
) -> None:
    type_everything(browser, upto="address")
    other = client_for(person)
    items = other.get(reverse("investors:onboarding")).context["items"]
    assert [item.status for item in items] == ["done", "done", "done", "current", "todo", "todo", "todo"]
    assert other.get(step_url("personal")).context["form"]["name"].value() == "Asha Rao"
    assert type_in(other, "address")["Location"] == step_url("nominees")


@pytest.mark.parametrize(
    ("slug", "field", "value"),
    [
        ("personal", "name", "राव 🏠"),
        ("personal", "name", "x" * 300),
        ("personal", "mobile", "12345"),
        ("personal", "date_of_birth", "31/02/1990"),
        ("personal", "gender", "<script>"),
        ("fatca", "gross_annual_income", "-1"),
        ("fatca", "tax_resident_only_in_india", "perhaps"),
        ("address", "line1", "12 \u202e Road"),
        ("address", "pincode", "012345"),
        ("address", "pincode", "999999"),
        ("nominees", "n1_share", "50"),
        ("bank", "ifsc", "ZZZZ0000000"),
        ("bank", "number_again", "50100012341122"),
        ("bank", "holder_name", ""),
    ],
)
def test_an_error_stands_at_its_field_and_loses_nothing(
    browser: Client, person: User, sandbox: SandboxControl, slug: str, field: str, value: str
) -> None:
    type_everything(browser, upto=slug)
    answer = type_in(browser, slug, **{field: value})
    form = answer.context["form"]
    assert field in form.errors
    for name, typed in TYPED[slug].items():
        if name != field:
            assert form[name].value() == typed, name
    assert f'id="id_{field}_error"' in answer.content.decode()
    item = next(item for item in queries.checklist(mine(person)) if item.slug == slug)
    assert not item.is_done


def test_a_null_character_is_refused_calmly(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="personal")
    assert type_in(browser, "personal", name="Asha\x00Rao").context["form"].errors["name"]


def test_protected_columns_cannot_be_written_through_a_form(
    browser: Client, person: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    extra = {"state": "READY", "provider_ref": "1", "partner": "1", "code": "INV-X", "user": "99", "pan": "BSHPR3751C"}
    type_in(browser, "personal", **extra)
    investor = mine(person)
    assert (investor.state, investor.provider_ref, investor.partner_id) == ("DRAFT", None, None)
    assert (investor.pan, investor.code == "INV-X") == (PAN, False)


def test_city_and_state_come_from_the_pin_code_not_from_the_form(
    browser: Client, person: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="address")
    type_in(browser, "address", city="Atlantis", state="Sea")
    home = Address.objects.get(investor__user=person)
    assert home.state.upper() == "KARNATAKA"
    assert home.city != "Atlantis"


def test_shows_place_and_branch_while_typing(browser: Client, sandbox: SandboxControl) -> None:
    assert "Karnataka" in browser.get(look("pincode", "560025")).content.decode()
    assert "no such PIN code" in browser.get(look("pincode", "999999")).content.decode()
    assert "Karnataka" not in browser.get(look("pincode", "5600")).content.decode()
    assert "HDFC" in browser.get(look("ifsc", "hdfc0000001")).content.decode()
    sandbox.fault("status:500", method="GET", path="*/pincodes/*", times=10)
    assert "could not look this up" in browser.get(look("pincode", "110001")).content.decode()


def test_looks_up_without_javascript_too(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="address")
    answer = type_in(browser, "address", look_up="pincode", line1="")
    assert "Karnataka" in answer.content.decode()
    assert not answer.context["form"].errors
    assert not Address.objects.exists()


def test_a_script_that_walks_the_directory_is_stopped(
    browser: Client, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("investors.views.onboarding.LOOK_UPS_AN_HOUR", 2)
    pages = [browser.get(look("pincode", "560025")).content.decode() for _ in range(3)]
    assert ["Karnataka" in page for page in pages] == [True, True, False]


def test_fp_down_keeps_what_was_typed(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="bank")
    sandbox.fault("status:500", method="GET", path="*/ifsc_codes/*", times=10)
    answer = type_in(browser, "bank")
    assert "could not look this up" in str(answer.context["form"].errors)
    assert answer.context["form"]["holder_name"].value() == "Asha Rao"
    assert not BankAccount.objects.exists()


def test_the_bank_step_keeps_a_saved_number_and_never_shows_it(
    browser: Client, person: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="review")
    for url in [step_url("bank"), step_url("review"), reverse("investors:profile")]:
        page = browser.get(url).content.decode()
        assert BANK["number"] not in page
        assert PAN not in page
        assert "9876543210" not in page or url == step_url("personal")
    type_in(browser, "bank", number="", number_again="", kind="CURRENT")
    account = BankAccount.objects.get(investor__user=person)
    assert (account.number, account.kind) == (BANK["number"], "CURRENT")


def test_nominees_can_be_replaced_by_nobody_and_back(browser: Client, person: User, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="bank")
    browser.post(step_url("nominees"), OPT_OUT)
    assert not Nominee.objects.exists()
    assert mine(person).nomination_opted_out is True
    browser.post(step_url("nominees"), NOMINEE)
    assert Nominee.objects.get().name == "Lata Rao"


# --- KYC ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pan", "words"), [("ASHPR3753C", "No KYC registry"), ("ASHPA3751C", "not validated")])
def test_a_pan_that_is_not_compliant_gets_an_honest_page(
    browser: Client, person: User, sandbox: SandboxControl, pan: str, words: str
) -> None:
    page = browser.post(step_url("pan"), {"pan": pan}, follow=True)
    text = page.content.decode()
    assert words in text
    assert "What to do" in text
    assert "Who must act" in text
    assert pan not in text
    browser.post(step_url("pan"), {"again": "1"})
    assert KycCheck.objects.count() == 2
    assert browser.get(step_url("personal"))["Location"] == step_url("pan")


def test_a_registry_that_is_silent_offers_to_try_again(browser: Client, sandbox: SandboxControl) -> None:
    sandbox.fault("status:500", path="*/kyc/check", times=10)
    page = browser.post(step_url("pan"), {"pan": PAN}, follow=True).content.decode()
    assert "could not ask" in page
    assert "Try again" in page
    assert "ASXXXXXX1C" in page
    sandbox.no_faults()
    assert browser.post(step_url("pan"), {"again": "1"})["Location"] == step_url("personal")


def test_a_pan_in_use_is_answered_like_any_other(browser: Client, sandbox: SandboxControl) -> None:
    factories.ReadyInvestorFactory(given_pan=PAN)
    assert browser.post(step_url("pan"), {"pan": PAN})["Location"] == step_url("personal")


@pytest.mark.parametrize("whose", ["SELF", "PARENT"])
def test_a_mobile_of_somebody_else_here_is_taken_like_any_other_and_everybody_says_whose_it_is(
    whose: str, browser: Client, person: User, sandbox: SandboxControl
) -> None:
    """The question comes before anything is typed, so it says nothing about who else has the number."""
    factories.ReadyInvestorFactory(mobile="9876543210")
    type_everything(browser, upto="personal")
    assert "Whose mobile number is it?" in browser.get(step_url("personal")).content.decode()
    left_out = type_in(browser, "personal", mobile_is_of="").context["form"].errors
    assert left_out == {"mobile_is_of": ["Choose whose mobile number it is."]}
    assert type_in(browser, "personal", mobile_is_of=whose)["Location"] == step_url("fatca")
    assert (mine(person).mobile_is_of, mine(person).email_is_of) == (whose, "SELF")


def test_nobody_of_age_has_a_guardians_number() -> None:
    for given in ({"mobile_is_of": "GUARDIAN"}, {"email_is_of": "GUARDIAN"}, {"kind": "MINOR", "mobile_is_of": "SELF"}):
        with pytest.raises(IntegrityError, match="the_contacts_of_a_minor_are_the_guardians"), transaction.atomic():
            factories.InvestorFactory(**given)


# --- confirming -----------------------------------------------------------------------------------------------


def test_every_declaration_must_be_ticked(browser: Client, person: User, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="review")
    answer = answered(browser, browser.post(step_url("review"), {"fatca": "on"}))
    assert set(answer.context["form"].errors) == {"execution", "nomination", "terms"}
    assert mine(person).state == "DRAFT"


def test_keeps_the_words_that_were_declared(browser: Client, person: User, sandbox: SandboxControl) -> None:
    type_everything(browser, nominees=OPT_OUT)
    entry = audit.entries_of(mine(person)).get(action="investor.confirmed")
    assert "do not wish to appoint any nominee" in entry.data["declarations"]["nomination"]
    assert entry.data["ip"]


def test_a_double_click_registers_once(browser: Client, person: User, sandbox: SandboxControl, recover: Any) -> None:
    type_everything(browser)
    first = mine(person)
    assert type_in(browser, "review")["Location"] == reverse("investors:onboarding")
    assert fresh(first).attempt_no == first.attempt_no
    recover()
    recover()
    type_in(browser, "review")
    assert fresh(first).state == "READY"


def test_nothing_can_be_changed_after_confirming(browser: Client, person: User, sandbox: SandboxControl) -> None:
    type_everything(browser)
    for slug in ("pan", "personal", "bank", "nominees"):
        assert type_in(browser, slug, name="Somebody Else")["Location"] == reverse("investors:onboarding")
    assert mine(person).name == "Asha Rao"


def test_the_page_says_honestly_how_far_the_registration_is(
    browser: Client, person: User, sandbox: SandboxControl, recover: Any
) -> None:
    type_everything(browser)
    home = reverse("investors:onboarding")
    page = browser.get(home).content.decode()
    assert "We are registering you" in page
    assert "data-refreshes" in page
    assert f'href="{home}"' in page, "a link for people without JavaScript"
    Investor.objects.update(attempt="UNKNOWN", unknown_since=clock.now())
    fragment = browser.get(home, headers={"HX-Request": "true"}).content.decode()
    assert "We are checking" in fragment
    assert "<html" not in fragment
    Investor.objects.update(attempt="", unknown_since=None)
    recover()
    recover()
    done = browser.get(home, headers={"HX-Request": "true"}).content.decode()
    assert "ready to invest" in done
    assert "data-refreshes" not in done
    assert browser.get(home)["Location"] == reverse("investors:profile")


def test_fps_field_errors_stand_at_our_fields_until_corrected(
    browser: Client, person: User, sandbox: SandboxControl, recover: Any
) -> None:
    type_everything(browser, upto="review")
    Investor.objects.filter(user=person).update(country_of_birth="BR")
    type_in(browser, "review")
    recover()
    assert mine(person).refusal
    items = {item.slug: item for item in browser.get(reverse("investors:onboarding")).context["items"]}
    assert (items["fatca"].status, items["personal"].status) == ("failed", "done")
    page = browser.get(step_url("fatca"))
    assert "country_of_birth" in page.context["form"].errors
    assert 'id="id_country_of_birth_error"' in page.content.decode()
    assert type_in(browser, "personal")["Location"] == reverse("investors:onboarding"), "only what was refused"
    assert type_in(browser, "fatca")["Location"] == step_url("review")
    assert "confirm" in browser.get(reverse("investors:onboarding")).content.decode()
    type_in(browser, "review")
    recover()
    recover()
    assert mine(person).state == "READY"


def test_somebody_else_sees_nothing_of_it(
    browser: Client, person: User, sandbox: SandboxControl, client_for: Callable[..., Client]
) -> None:
    type_everything(browser, upto="review")
    other = client_for(factories.UserFactory())
    for url in [reverse("investors:onboarding"), step_url("pan")]:
        assert PERSONAL["name"] not in other.get(url).content.decode()
    assert PERSONAL["name"] not in other.get(reverse("investors:profile")).content.decode()
    assert other.get(step_url("address"))["Location"] == step_url("pan")
    assert ADDRESS["line1"] not in other.get(step_url("pan")).content.decode()


# --- budgets --------------------------------------------------------------------------------------------------

BUDGETS = {"onboarding": 12, "profile": 14}


@pytest.mark.parametrize(("name", "most"), BUDGETS.items())
def test_stays_within_its_query_budget(
    client_for: Callable[..., Client], asha: Investor, name: str, most: int, django_assert_max_num_queries: Any
) -> None:
    browser = client_for(asha)
    if name == "onboarding":
        Investor.objects.filter(pk=asha.pk).update(state="DRAFT")
    browser.get(reverse(f"investors:{name}"))
    with django_assert_max_num_queries(most):
        assert browser.get(reverse(f"investors:{name}")).status_code == 200


@pytest.mark.parametrize("slug", ["pan", "personal", "fatca", "address", "nominees", "bank", "papers", "review"])
def test_each_step_stays_within_its_query_budget(
    client_for: Callable[..., Client], asha: Investor, slug: str, django_assert_max_num_queries: Any
) -> None:
    Investor.objects.filter(pk=asha.pk).update(state="DRAFT")
    browser = client_for(asha)
    browser.get(step_url(slug))
    with django_assert_max_num_queries(13):
        assert browser.get(step_url(slug)).status_code == 200


def test_names_each_nominee_with_share_and_the_guardian_of_a_minor(asha: Investor) -> None:
    assert queries.nomination_in_words(asha) == "Nobody, as you declared"
    assert "no nominee" in queries.nomination_in_words(factories.InvestorFactory(kind="MINOR"))
    lata = {"name": "Lata Rao", "relationship": "Mother", "date_of_birth": date(1962, 3, 4), "share": 60}
    ravi = {"name": "Ravi Rao", "relationship": "Son", "date_of_birth": date(2015, 3, 4), "share": 40}
    guardian = {"guardian_name": "Meera Rao", "guardian_relationship": "Mother"}
    Nominee.objects.create(investor=asha, position=1, **lata)
    Nominee.objects.create(investor=asha, position=2, **ravi, **guardian)
    assert queries.nomination_in_words(asha) == (
        "Lata Rao (mother), 60%; Ravi Rao (son, born 4 Mar 2015, guardian Meera Rao (mother)), 40%"
    )


def test_who_has_just_signed_up_reaches_the_profile_and_is_told_why_other_pages_are_not_there_yet(
    browser: Client,
) -> None:
    page = browser.get(reverse("investors:profile")).content.decode()
    assert reverse("account_change_password") in page
    assert "You are not ready to invest yet" in page
    for name in ("orders:portfolio", "orders:list"):
        answer = browser.get(reverse(name), follow=True)
        assert answer.redirect_chain == [(reverse("investors:onboarding"), 302)]
        assert "fills once you invest" in answer.content.decode()
    assert not Investor.objects.exists()


def test_the_step_that_is_open_is_the_current_one(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="personal")
    items = browser.get(step_url("address")).context["items"]
    assert [item.slug for item in items if item.status == "current"] == ["address"]
