"""A minor through a guardian, and a non-resident, at 360 pixels with the keyboard alone."""

from __future__ import annotations

import re

import pytest

from tests.journeys.keys import Keys
from tests.journeys.stack import LiveStack
from tests.journeys.test_browser_fresh_kyc import sign_up
from tests.journeys.test_browser_mandate import sign_in
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
GUARDIAN = "gita@journey.example"


def tick(keys: Keys, **answers: str) -> None:
    """Answers of several, by name and value."""
    for name, value in answers.items():
        keys.tick(keys.page.locator(f"[name={name}][value='{value}']"))


def income(keys: Keys, source: str) -> None:
    keys.choose("source_of_wealth", source)
    keys.write(gross_annual_income="12,00,000")
    tick(keys, is_politically_exposed="no", is_related_to_politically_exposed="no")
    keys.press("Save and continue")


def bank(keys: Keys, number: str, kind: str = "") -> None:
    keys.spell(ifsc="HDFC0000001")
    keys.sees(re.compile("HDFC Bank", re.I))
    keys.write(number=number, number_again=number)
    if kind:
        tick(keys, kind=kind)
    keys.look("bank", dark=True)
    keys.press("Save and continue")


def confirm_everything(keys: Keys) -> None:
    keys.look("review", dark=True)
    for box in keys.page.locator("main form [type=checkbox]").all():
        keys.tick(box)
    keys.press("Confirm and register me")
    keys.sees("You are ready to invest", within_s=90)
    keys.look("ready")


def test_a_guardian_invests_for_a_child(keys: Keys, stack: LiveStack):
    page = keys.page
    sign_in(keys, GUARDIAN)
    keys.go("/people/")
    keys.press("Begin an application for a child")
    keys.sees("Getting a child ready to invest")
    keys.look("begun", dark=True)
    keys.press("Start with both PANs")
    keys.write(pan="TRAPR1234C", guardian_pan="JRNPY2004K")
    keys.look("both-pans")
    keys.press("Save and check")
    keys.sees("you may act for the child")
    keys.write(guardian_name="Gita Kulkarni", guardian_date_of_birth="1988-02-14")
    tick(keys, guardian_relationship="Mother")
    keys.look("guardian", dark=True)
    keys.press("Save and continue")
    keys.write(name="Tara Kulkarni", date_of_birth="1990-03-04", mobile="9812345678")
    tick(keys, gender="FEMALE")
    keys.choose("occupation", "STUDENT")
    keys.press("Save and continue")
    keys.sees("Somebody who is 18 invests in their own name")
    keys.look("not-a-child")
    keys.write(date_of_birth="2015-03-04")
    keys.press("Save and continue")
    tick(keys, tax_resident_only_in_india="yes")
    income(keys, "GIFT")
    keys.write(line1="12 Residency Road")
    keys.spell(pincode="560025")
    keys.sees(re.compile("Karnataka", re.I))
    keys.press("Save and continue")
    bank(keys, "50100123459121")
    confirm_everything(keys)
    keys.go("/")
    keys.sees("as guardian")
    keys.look("home-of-the-child", dark=True)
    keys.go("/funds/INF179K01608/buy/")
    keys.write(amount="5300")
    keys.press("Review")
    page.wait_for_url("**/orders/confirm/**")
    keys.sees("Tara Kulkarni, by the guardian Gita Kulkarni")
    keys.look("confirm-for-the-child")
    keys.write(otp=Visitor(stack, GUARDIAN).code_from_outbox("5,300.00"))
    keys.press("Confirm and order")
    page.wait_for_url("**/orders/ORD-**")
    keys.go("/people/")
    keys.look("people-of-the-family", dark=True)
    keys.press(re.compile("^Act for"))
    keys.sees("You now act for Gita")
    keys.assert_clean()


def test_a_non_resident_gets_ready(keys: Keys, stack: LiveStack):
    sign_up(keys, stack, "zoya@journey.example")
    keys.go("/onboarding/pan/")
    keys.write(pan="ZYAPS3751Z")
    keys.press("Check this PAN")
    keys.sees("The KYC registries know your PAN")
    tick(keys, kind="NRI", gender="FEMALE", marital_status="MARRIED")
    keys.write(name="Zoya Shaikh", date_of_birth="1988-02-14", mobile="501234567", isd_code="971")
    keys.choose("occupation", "PROFESSIONAL")
    keys.look("about-you", dark=True)
    keys.press("Save and continue")
    tick(keys, tax_resident_only_in_india="no")
    keys.press("Save and continue")
    keys.sees("Choose the country where you pay tax.")
    keys.look("tax-refused", dark=True)
    keys.choose("t1_country", "AE")
    keys.choose("t1_tax_id_kind", "TIN")
    keys.write(t1_tax_id="784-1988-1234567-1")
    income(keys, "SALARY")
    keys.write(o_line1="Flat 4, Al Wasl Road", o_city="Dubai", o_state="Dubai", o_zipcode="00000")
    keys.choose("o_country", "AE")
    tick(keys, write_to="OVERSEAS", permanent_is_same="no")
    keys.write(p_line1="12 Residency Road", p_pincode="560025")
    keys.look("addresses", dark=True)
    keys.press("Save and continue")
    tick(keys, choice="name")
    keys.write(n1_name="Imran Shaikh", n1_date_of_birth="1985-03-04", n1_share="100")
    keys.choose("n1_relationship", "Spouse")
    keys.press("Save and continue")
    bank(keys, "50100123458121", kind="NRO")
    confirm_everything(keys)
    keys.go("/profile/")
    keys.sees("Address abroad")
    keys.look("profile")
    keys.assert_clean()
