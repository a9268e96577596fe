"""The frame around every page, the sign-in pages in it, and the pages for when something is wrong."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.template.loader import get_template
from django.test import Client

from portal import terms
from portal.models import AuditEntry, User

RISK = "Mutual Fund investments are subject to market risks, read all scheme related documents carefully."


@pytest.fixture
def page(client: Client, db: None) -> str:
    return client.get("/accounts/login/").content.decode()


def test_every_page_carries_what_the_regulator_asks(page: str) -> None:
    assert RISK in page
    assert settings.BRAND["arn"] in page
    assert settings.BRAND["euin"] in page
    assert "AMFI-registered Mutual Fund Distributor" in page
    assert "commission" in page


def test_the_sandbox_says_that_no_real_money_moves(page: str) -> None:
    assert "Sandbox: no real money moves" in page


def test_live_pages_have_no_sandbox_banner(client: Client, db: None, settings) -> None:
    settings.BRAND = {**settings.BRAND, "sandbox": False}
    assert "Sandbox" not in client.get("/accounts/login/").content.decode()


def test_the_frame_has_landmarks_and_a_skip_link(page: str) -> None:
    assert page.index('href="#main"') < page.index("<header")
    assert re.search(r'<main[^>]*id="main"', page)
    assert page.count("<h1") == 1
    assert 'id="live"' in page
    assert 'lang="en-IN"' in page


def test_htmx_sends_the_csrf_token(page: str) -> None:
    assert 'hx-headers:inherited=\'{"X-CSRFToken": "' in page


@pytest.mark.parametrize(("cookie", "written"), [("dark", True), ("light", True), ('"><script>', False), ("", False)])
def test_the_theme_is_remembered_and_nothing_else_gets_in(client: Client, db: None, cookie: str, written: bool) -> None:
    client.cookies["theme"] = cookie
    html = client.get("/accounts/login/").content.decode()
    opening = re.search(r"<html[^>]*>", html)
    assert opening is not None
    assert (f'data-theme="{cookie}"' in opening.group()) is written
    assert ("data-theme" in opening.group()) is written


def test_a_sign_up_error_stands_at_its_field(client: Client, db: None) -> None:
    html = client.post("/accounts/signup/", {"email": "asha@example.in", "password1": "12345"}).content.decode()
    assert 'id="id_password1_error"' in html
    assert re.search(r'name="password1"[^>]*aria-invalid="true"', html)
    assert 'href="#id_password1"' in html


def test_signing_up_says_what_to_enter_and_one_thing_about_passwords(client: Client, db: None) -> None:
    html = client.post("/accounts/signup/", {}).content.decode()
    assert "Enter your email address." in html
    assert "Choose a password of at least ten characters." in html
    assert html.count("at least ten characters; a few unrelated words") == 1
    assert "field is required" not in html
    assert "can’t be" not in html


@pytest.mark.parametrize(
    "email", ["asha", "<script>", "😀@x.y", "a" * 300 + "@example.in", "a" * 60 + "@" + "b." * 150 + "in"]
)
def test_an_address_that_cannot_be_one_is_refused_in_words(client: Client, db: None, email: str) -> None:
    html = client.post("/accounts/signup/", {"email": email, "password1": "calm-river-42-stone"}).content.decode()
    assert "This is no email address that we can write to" in html
    assert not User.objects.exists()


def test_a_login_that_fails_says_what_to_do(client: Client, db: None) -> None:
    html = client.post("/accounts/login/", {"login": "asha@example.in", "password": "wrong-river-42"}).content.decode()
    assert "Try again, or ask for a code" in html


@pytest.mark.parametrize("url", ["/accounts/login/", "/accounts/login/code/", "/accounts/password/reset/"])
def test_the_other_doors_say_what_to_enter_too(client: Client, db: None, url: str) -> None:
    html = client.post(url, {}).content.decode()
    assert "Enter your email address." in html
    assert "field is required" not in html


def test_signing_up_is_a_recorded_yes_to_the_terms(client: Client, db: None) -> None:
    html = client.get("/accounts/signup/").content.decode()
    assert '<a href="/terms/">terms of use</a>' in html
    assert '<a href="/about/">' in html
    client.post("/accounts/signup/", {"email": "new@example.in", "password1": "calm-river-42-stone"})
    entry = AuditEntry.objects.get(action="user.agreed_to_terms")
    assert entry.subject_id == str(User.objects.get(email="new@example.in").pk)
    assert entry.data == {"terms_of": terms.IN_FORCE_SINCE.isoformat()}


@pytest.mark.parametrize("url", ["/about/", "/terms/"])
def test_everybody_may_read_about_us_and_the_terms(client: Client, db: None, url: str) -> None:
    page = client.get(url).content.decode()
    assert settings.BRAND["legal_name"] in page
    assert f'href="{url}"' in page.split("<footer")[1], "and finds it on every page"


def test_says_how_we_are_paid_and_where_complaints_go(client: Client, db: None) -> None:
    page = client.get("/about/").content.decode()
    for text in (
        settings.BRAND["arn"],
        settings.BRAND["euin"],
        "commission (trail)",
        "scores.sebi.gov.in",
        "smartodr.in",
    ):
        assert text in page
    assert f"mailto:{settings.BRAND['grievance_email']}" in page


def test_a_sign_up_sends_a_calm_message_with_a_code(client: Client, db: None) -> None:
    client.post("/accounts/signup/", {"email": "new@example.in", "password1": "calm-river-42-stone"})
    message = mail.outbox[-1]
    assert "\n" not in message.subject
    assert re.search(r"^[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}$", str(message.body), re.M)
    assert settings.BRAND["arn"] in message.body
    assert "&" not in message.body


def test_a_code_that_did_not_arrive_is_sent_again_and_with_a_mistyped_address_one_begins_again(
    client: Client, db: None
) -> None:
    client.post("/accounts/signup/", {"email": "new@example.in", "password1": "calm-river-42-stone"})
    page = client.get("/accounts/confirm-email/").content.decode()
    assert "Send a new code" in page
    assert "Wrong address?" in page
    cache.clear()  # ten seconds have passed
    client.post("/accounts/confirm-email/", {"action": "resend"})
    first, second = (mail.outbox[n].body for n in (-2, -1))
    assert first != second, "another code"
    again = client.post("/accounts/logout/", {"next": "/accounts/signup/"})
    assert again["Location"] == "/accounts/signup/"
    client.post("/accounts/signup/", {"email": "right@example.in", "password1": "calm-river-42-stone"})
    assert mail.outbox[-1].to == ["right@example.in"]


def test_a_missing_page_is_our_page(client: Client, db: None) -> None:
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "This page is not here" in answer.content.decode()
    assert RISK in answer.content.decode()


def test_a_form_from_another_session_is_refused_in_words(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    assert answer.status_code == 403
    assert "This form has grown old" in answer.content.decode()


@pytest.mark.parametrize("name", ["500.html", "400.html"])
def test_the_last_resort_needs_nothing(name: str) -> None:
    template = get_template(name)
    html = template.render()
    assert RISK in html
    assert "/static/app.css" in html
    assert "{%" not in template.template.source


@pytest.mark.parametrize("words", ["read", "not_begun", "unclear"])
def test_the_page_without_a_database_needs_none(words: str) -> None:
    template = get_template("503.html")
    html = template.render({"words": words, "retry_after_s": 30})
    assert RISK in html
    assert "/static/app.css" in html
    assert not re.search(r"{% (?!if|elif|else|endif)", template.template.source)
