"""Mistakes, Back, Refresh, a session that ends, a login in another tab: what was typed is there again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from investors.models import BankAccount, Investor
from portal import typed
from portal.models import Session, User
from tests import factories
from tests.canaries import Canaries
from tests.control import SandboxControl
from tests.investors.applying import BANK, PAN, PERSONAL, step_url, type_everything, type_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> User:
    return factories.UserFactory(email="asha@portal.example", mobile="")


@pytest.fixture
def browser(client_for: Callable[..., Client], person: User) -> Client:
    return client_for(person)


def signed(person: User, values: dict[str, str]) -> dict[str, str]:
    """What the browser sends: the fields, and whose form it is."""
    return {**values, typed.FIELD: typed.token(person.pk)}


def values_of(page: Any) -> dict[str, Any]:
    return {name: page.context["form"][name].value() for name in page.context["form"].fields}


def test_a_refused_form_comes_back_by_a_redirect_so_that_back_and_refresh_ask_nothing(
    browser: Client, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    answer = browser.post(step_url("personal"), {**PERSONAL, "mobile": "12345"})
    assert (answer.status_code, answer["Location"]) == (303, step_url("personal"))
    for _ in range(2):
        page = browser.get(step_url("personal"))
        assert values_of(page).items() >= {**PERSONAL, "mobile": "12345"}.items()
        assert set(page.context["form"].errors) == {"mobile"}


def test_it_waits_while_somebody_looks_elsewhere_and_is_gone_once_it_is_saved(
    browser: Client, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    type_in(browser, "personal", mobile="12345")
    browser.get(reverse("investors:onboarding"))
    assert values_of(browser.get(step_url("personal")))["mobile"] == "12345"
    assert type_in(browser, "personal")["Location"] == step_url("fatca")
    page = browser.get(step_url("personal"))
    assert values_of(page)["mobile"] == "9876543210"
    assert not page.context["form"].errors


def test_finishing_later_keeps_what_is_half_done_without_blaming_it(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="personal")
    half = {"name": "Asha Rao", "mobile": "123", "later": "1"}
    assert browser.post(step_url("personal"), half)["Location"] == reverse("investors:onboarding")
    page = browser.get(step_url("personal"))
    assert (values_of(page)["name"], values_of(page)["mobile"]) == ("Asha Rao", "123")
    assert not page.context["form"].errors


def test_finishing_later_saves_what_is_complete(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="personal")
    answer = browser.post(step_url("personal"), {**PERSONAL, "later": "1"})
    assert answer["Location"] == reverse("investors:onboarding")
    assert Investor.objects.get().name == PERSONAL["name"]


def test_what_an_operation_refused_stands_at_its_field_after_a_refresh_too(
    browser: Client, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="bank")
    type_in(browser, "bank", ifsc="ZZZZ0000000")
    for _ in range(2):
        page = browser.get(step_url("bank"))
        assert set(page.context["form"].errors) == {"ifsc"}
        assert values_of(page)["holder_name"] == BANK["holder_name"]
    assert not BankAccount.objects.exists()


def test_what_is_sent_after_the_session_has_ended_is_there_after_signing_in_again(
    browser: Client, person: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    Session.objects.all().delete()
    answer = browser.post(step_url("personal"), signed(person, PERSONAL))
    assert answer["Location"].startswith(reverse("account_login"))
    assert Investor.objects.get().name == "", "nothing is done before it is sent again"

    login = {"login": person.email, "password": factories.PASSWORD}
    assert browser.post(answer["Location"], login)["Location"] == step_url("personal")
    page = browser.get(step_url("personal"))
    assert values_of(page).items() >= PERSONAL.items()
    assert not page.context["form"].errors
    assert typed.STILL_HERE in page.content.decode()
    assert typed.STILL_HERE not in browser.get(step_url("personal")).content.decode(), "said once"


def test_it_is_shown_to_nobody_else_who_signs_in_on_this_device(
    browser: Client, person: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    Session.objects.all().delete()
    answer = browser.post(step_url("personal"), signed(person, PERSONAL))
    other = factories.UserFactory(email="other@portal.example")
    browser.post(answer["Location"], {"login": other.email, "password": factories.PASSWORD})
    browser.post(step_url("pan"), {"pan": "BHRPM1234D"})
    assert "Asha Rao" not in browser.get(step_url("personal")).content.decode()


@pytest.mark.parametrize("owner", ["", "1", "forged:token", typed.token(0)], ids=["none", "id", "forged", "nobody"])
def test_nobody_can_put_words_into_somebody_elses_form(
    client: Client, person: User, sandbox: SandboxControl, owner: str
) -> None:
    answer = client.post(step_url("personal"), {**PERSONAL, typed.FIELD: owner})
    client.post(answer["Location"], {"login": person.email, "password": factories.PASSWORD})
    client.post(step_url("pan"), {"pan": PAN})
    assert values_of(client.get(step_url("personal")))["name"] == ""


def test_a_tab_from_before_a_new_login_loses_nothing(person: User, sandbox: SandboxControl) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    answer = browser.post(step_url("pan"), signed(person, {"pan": PAN}))
    assert (answer.status_code, answer["Location"]) == (303, step_url("pan"))
    page = browser.get(step_url("pan"))
    assert values_of(page) == {"pan": PAN}
    assert typed.STILL_HERE in page.content.decode()
    assert not Investor.objects.exists()


def test_a_forged_form_is_refused_as_before(person: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    stranger = factories.UserFactory()
    for owner in ("", typed.token(stranger.pk)):
        answer = browser.post(step_url("pan"), {"pan": PAN, typed.FIELD: owner})
        assert answer.status_code == 403
        assert "This form has grown old" in answer.content.decode()


def test_no_pan_and_no_account_number_lie_in_the_session_in_clear(browser: Client, sandbox: SandboxControl) -> None:
    browser.post(step_url("pan"), {"pan": "ABCCE1234F"})
    type_everything(browser, upto="bank")
    type_in(browser, "bank", number_again="1")
    assert BANK["number"] in str(browser.session[typed.SESSION_KEY])
    row = str(vars(Session.objects.get()))
    assert not Canaries({"PAN": {b"ABCCE1234F"}, "account": {BANK["number"].encode()}}).found_in(row.encode())


def test_an_endless_text_is_not_kept(browser: Client, sandbox: SandboxControl) -> None:
    type_everything(browser, upto="personal")
    type_in(browser, "personal", name="x" * typed.LONGEST)
    assert typed.SESSION_KEY not in browser.session
