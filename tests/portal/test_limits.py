"""Who guesses is stopped after five to ten tries, whatever headers say (P31)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
HEADERS = ("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP")


@pytest.fixture(autouse=True)
def _no_earlier_tries() -> None:
    cache.clear()


def sign_in(email: str, password: str, number: int = 0, address: str = "127.0.0.1") -> bool:
    """Does a fresh browser get in, which says of itself that it comes from elsewhere each time?"""
    lies = dict.fromkeys(HEADERS, f"203.0.113.{number}")
    browser = Client(headers=lies, REMOTE_ADDR=address)
    return browser.post(LOGIN, {"login": email, "password": password}).status_code == 302


def test_an_account_is_shut_after_five_to_ten_tries_whatever_the_headers_say() -> None:
    person = factories.UserFactory()
    assert sign_in(person.email, factories.PASSWORD)
    for number in range(10):
        assert not sign_in(person.email, f"wrong {number}", number)
    assert not sign_in(person.email, factories.PASSWORD, 99), "now even the right one waits"


def test_an_account_is_shut_for_a_crowd_that_really_comes_from_everywhere() -> None:
    person = factories.UserFactory()
    for number in range(10):
        sign_in(person.email, f"wrong {number}", address=f"198.51.100.{number}")
    assert not sign_in(person.email, factories.PASSWORD, address="192.0.2.9")


def test_one_address_is_shut_for_all_accounts_however_often_it_is_forwarded() -> None:
    people = factories.UserFactory.create_batch(12)
    for number, person in enumerate(people[:11]):
        sign_in(person.email, "wrong", number)
    assert not sign_in(people[11].email, factories.PASSWORD, 77)
    assert sign_in(people[11].email, factories.PASSWORD, address="192.0.2.10"), "others are not shut out"


def test_behind_a_proxy_only_what_the_proxy_says_counts(settings: Any) -> None:
    """The last of the addresses is the proxy's own observation; those before it are the visitor's tale."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    person = factories.UserFactory.create_batch(12)
    for number in range(11):
        browser = Client(headers={"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"})
        browser.post(LOGIN, {"login": person[number].email, "password": "wrong"})
    last = Client(headers={"X-Forwarded-For": "203.0.113.99, 198.51.100.7"})
    assert last.post(LOGIN, {"login": person[11].email, "password": factories.PASSWORD}).status_code == 200


@pytest.mark.parametrize(
    ("ask", "confirm"),
    [
        ("account_request_login_code", "account_confirm_login_code"),
        ("account_reset_password", "account_confirm_password_reset_code"),
    ],
)
def test_a_code_is_void_after_a_few_wrong_ones(ask: str, confirm: str) -> None:
    person, browser = factories.UserFactory(), Client()
    browser.post(reverse(ask), {"email": person.email})
    code = re.search(r"^\s*([A-Z0-9]{4}-?[A-Z0-9]{2,4}|\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE)
    assert code
    for _ in range(5):
        browser.post(reverse(confirm), {"code": "AAAAAA"})
    browser.post(reverse(confirm), {"code": code[1]})
    assert "_auth_user_id" not in browser.session
    assert browser.get("/portfolio/").status_code == 302


def test_codes_by_mail_cannot_be_pumped() -> None:
    person = factories.UserFactory()
    for number in range(12):
        browser = Client(headers=dict.fromkeys(HEADERS, f"203.0.113.{number}"))
        browser.post(reverse("account_request_login_code"), {"email": person.email})
    assert len(mail.outbox) <= 5
