"""Of an Aadhaar number nobody here keeps more than four digits, wherever somebody writes one (reliability.md P28)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from investors.forms.fields import NO_AADHAAR
from investors.models import Address
from portal import audit, cases, clock, redaction
from portal.models import AuditEntry, Case
from tests import factories
from tests.investors.applying import ADDRESS, BANK, step_url, type_everything, type_in

# Made up; the last digit is the check digit.
NUMBER = "234123412346"
SPELLED = [NUMBER, "2341 2341 2346", "2341-2341-2346"]


@pytest.mark.parametrize("number", SPELLED)
def test_a_whole_number_in_a_text_keeps_its_last_four_digits(number: str) -> None:
    assert redaction.has_aadhaar(f"his card: {number}.") is True
    assert redaction.without_aadhaar(f"his card: {number}, ok") == "his card: XXXX XXXX 2346, ok"


@pytest.mark.parametrize(
    "text", ["234123412347", "134123412346", "9876543210", "5010001234112100", "order 2341234123460", "2341 2341 23 46"]
)
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert redaction.without_aadhaar(text) == text


@given(st.from_regex(r"[2-9][0-9]{10}", fullmatch=True))
def test_of_ten_numbers_that_differ_in_the_last_digit_one_is_an_aadhaar(eleven: str) -> None:
    assert sum(redaction.has_aadhaar(f"{eleven}{digit}") for digit in range(10)) == 1


@pytest.mark.django_db
def test_what_staff_write_is_kept_without_it() -> None:
    partner = factories.PartnerFactory()
    audit.record(partner, "test", actor=None, at=clock.now(), reason=f"has {NUMBER}", note=f"card {NUMBER}")
    case = cases.open_case(kind="x", subject=partner, title=f"on {NUMBER}", detail=SPELLED[1], at=clock.now())
    cases.close(case=case, resolution=f"it is {SPELLED[2]}", actor=None, at=clock.now())
    rows = [str(vars(each)) for each in (*AuditEntry.objects.all(), *Case.objects.all())]
    assert any("XXXX XXXX 2346" in row for row in rows)
    assert not any(number in row for row in rows for number in SPELLED)


@pytest.fixture
def browser(client_for: Any, sandbox: Any) -> Client:
    made: Client = client_for(factories.UserFactory(mobile=""))
    return made


@pytest.mark.django_db
@pytest.mark.parametrize("number", SPELLED)
def test_a_form_refuses_it_at_its_field_and_keeps_four_digits_of_what_was_typed(browser: Client, number: str) -> None:
    type_everything(browser, upto="address")
    page = type_in(browser, "address", line2=f"Aadhaar {number}")
    assert page.context["form"].errors["line2"] == [NO_AADHAAR]
    assert number not in page.content.decode()
    assert "XXXX XXXX 2346" in page.content.decode()
    assert not Address.objects.exists()
    assert number not in str(dict(browser.session))


@pytest.mark.django_db
def test_an_account_number_that_looks_like_one_is_welcome(browser: Client) -> None:
    type_everything(browser, upto="bank", address=ADDRESS)
    answer = browser.post(step_url("bank"), {**BANK, "number": NUMBER, "number_again": NUMBER})
    assert answer.status_code == 302, "no form refuses it"
