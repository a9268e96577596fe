"""A non-resident gets ready, in a real browser."""

from __future__ import annotations

import pytest

from tests.journeys.eyes import Eyes
from tests.journeys.hands import Hands
from tests.journeys.stack import LiveStack
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
PASSWORD = "a-long-monsoon-evening"


def confirm_everything(eyes: Eyes, hands: Hands) -> None:
    hands.look("review", dark=True)
    hands.agree()
    hands.press("Confirm and register me")
    eyes.sees("You are ready to invest", within_s=90)
    hands.look("ready")


def test_a_non_resident_gets_ready(eyes: Eyes, stack: LiveStack):
    email, pan = "zoya@journey.example", "ZYAPS3751Z"
    page, hands = eyes.page, Hands(eyes)
    eyes.go("/accounts/signup/")
    hands.write(email=email, password1=PASSWORD)
    hands.press("Sign up")
    hands.write(code=Visitor(stack, email).code_from_outbox(""))
    hands.press("Continue")
    page.wait_for_url("**/")
    eyes.go("/onboarding/pan/")
    hands.write(pan=pan)
    hands.press("Check this PAN")
    eyes.sees("The KYC registries know your PAN")
    hands.tick(kind="NRI")
    hands.write(name="Zoya Shaikh", date_of_birth="1988-02-14")
    hands.tick(gender="FEMALE", marital_status="MARRIED")
    hands.pick(occupation="Professional")
    hands.write(mobile="501234567", isd_code="971")
    hands.look("about-you", dark=True)
    hands.press("Save and continue")
    hands.tick(tax_resident_only_in_india="no")
    hands.press("Save and continue")
    eyes.sees("Choose the country where you pay tax.")
    hands.look("tax-refused", dark=True)
    hands.pick(t1_country="United Arab Emirates", t1_tax_id_kind="Tax identification number (TIN)")
    hands.write(t1_tax_id="784-1988-1234567-1")
    hands.pick(source_of_wealth="Salary")
    hands.write(gross_annual_income="24,00,000")
    hands.tick(is_politically_exposed="no", is_related_to_politically_exposed="no")
    hands.press("Save and continue")
    hands.write(o_line1="Flat 4, Al Wasl Road", o_city="Dubai", o_state="Dubai", o_zipcode="00000")
    hands.pick(o_country="United Arab Emirates")
    hands.tick(write_to="OVERSEAS", permanent_is_same="no")
    hands.write(p_line1="12 Residency Road", p_pincode="560025")
    hands.look("addresses", dark=True)
    hands.press("Save and continue")
    hands.tick(choice="name")
    hands.write(n1_name="Imran Shaikh")
    hands.pick(n1_relationship="Spouse")
    hands.write(n1_date_of_birth="1985-03-04", n1_share="100")
    hands.press("Save and continue")
    hands.write(ifsc="HDFC0000001", number="50100123458121", number_again="50100123458121")
    hands.tick(kind="NRO")
    hands.look("bank", dark=True)
    hands.press("Save and continue")
    confirm_everything(eyes, hands)
    eyes.go("/profile/")
    eyes.sees("Address abroad")
    hands.look("profile")
    eyes.assert_clean()
