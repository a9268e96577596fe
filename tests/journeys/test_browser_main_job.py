"""The main job in a real browser: from an e-mail address to units in the portfolio, and what ops see of it."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
NEWCOMER, PASSWORD = "rhea@journey.example", "a-long-monsoon-evening"


def outbox(stack: LiveStack, email: str, subject: str) -> str:
    """The newest code that somebody got."""
    return Visitor(stack, email).code_from_outbox(subject)


def get_ready(eyes: Eyes, stack: LiveStack, pan: str = "RHEPS3751K") -> None:
    """Every step of onboarding, each looked at."""
    eyes.look("getting-ready")
    eyes.press("Start with your PAN")
    eyes.look("pan")
    eyes.write(pan=pan)
    eyes.press("Check this PAN")
    eyes.sees("The KYC registries know your PAN")
    after_the_pan(eyes)


def after_the_pan(eyes: Eyes) -> None:
    """The other steps, as far as ready to invest."""
    page = eyes.page
    eyes.look("about-you", dark=True)
    eyes.press("Save and continue")
    eyes.sees("Please")
    eyes.look("about-you-errors")
    eyes.write(name="Rhea Kulkarni", date_of_birth="1991-02-14", mobile="9812345678")
    eyes.tick(page.get_by_label("Female", exact=True))
    eyes.tick(page.get_by_label("Single"))
    eyes.choose("occupation", "DOCTOR")
    eyes.press("Save and continue")
    eyes.look("tax-and-income")
    eyes.tick(page.locator("[name=tax_resident_only_in_india][value=yes]"))
    eyes.choose("source_of_wealth", "SALARY")
    eyes.write(gross_annual_income="12,00,000")
    eyes.tick(page.locator("[name=is_politically_exposed][value=no]"))
    eyes.tick(page.locator("[name=is_related_to_politically_exposed][value=no]"))
    eyes.press("Save and continue")
    eyes.write(line1="12 Residency Road", line2="Shanthala Nagar")
    eyes.spell(pincode="560025")
    eyes.sees(re.compile("Karnataka", re.I))
    eyes.look("address")
    eyes.press("Save and continue")
    eyes.look("nominee")
    eyes.tick(page.locator("[name=choice][value=name]"))
    eyes.write(n1_name="Lata Kulkarni", n1_date_of_birth="1962-03-04", n1_share="100")
    eyes.choose("n1_relationship", "Mother")
    eyes.press("Save and continue")
    eyes.spell(ifsc="HDFC0000001")
    eyes.sees(re.compile("HDFC Bank", re.I))
    eyes.write(number="50100123451121", number_again="50100123451121")
    eyes.look("bank")
    eyes.press("Save and continue")
    eyes.look("review", dark=True)
    for box in page.locator("main form [type=checkbox]").all():
        eyes.tick(box)
    eyes.press("Confirm and register me")
    eyes.look("being-registered")
    eyes.sees("You are ready to invest", within_s=60)
    eyes.look("ready")


def buy(eyes: Eyes, stack: LiveStack) -> str:
    """From a search with a slip of the finger to a paid order; returns the order's code."""
    page = eyes.page
    page.get_by_role("search").first.get_by_role("searchbox").fill("hdfc flexi cap fnd")
    page.keyboard.press("Enter")
    eyes.sees("HDFC Flexi Cap Fund")
    eyes.look("explore", dark=True)
    page.get_by_role("link", name=re.compile("HDFC Flexi Cap Fund")).first.click()
    page.locator("canvas, svg[role=img], [data-chart]").first.wait_for()
    eyes.look("scheme", charts=True, dark=True)
    page.get_by_role("main").get_by_role("link", name="Invest").click()
    eyes.look("amount")
    eyes.write(amount="50")
    eyes.press("Review")
    eyes.look("amount-refused")
    eyes.write(amount="5000")
    eyes.press("Review")
    page.wait_for_url("**/orders/confirm/**")
    eyes.look("confirm", dark=True)
    eyes.write(otp="000000")
    eyes.press("Confirm and order")
    eyes.sees("does not match")
    eyes.look("wrong-code")
    page.go_back()
    eyes.sees("You are about to buy")  # Back shows a page, and never asks to send a form again
    page.go_forward()
    eyes.write(otp=outbox(stack, NEWCOMER, "5,000.00"))
    eyes.press("Confirm and order")
    page.wait_for_url(re.compile("/orders/ORD-"))
    code = page.url.strip("/").rsplit("/", 1)[-1]
    page.get_by_role("button", name=re.compile("^Pay")).wait_for()
    eyes.look("order-to-be-paid", dark=True)
    return code


def pay(eyes: Eyes) -> None:
    """At the bank, and back again by the bank's own form."""
    page = eyes.page
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.get_by_role("button", name=re.compile("^(Approve|Pay) ₹")).wait_for()
    eyes.look("bank", ours=False)
    page.get_by_role("button", name=re.compile("^(Approve|Pay) ₹")).click()
    page.wait_for_url(re.compile("/orders/ORD-"))
    eyes.look("back-from-the-bank")


def test_from_an_email_address_to_units_in_the_portfolio(eyes, stack):
    page = eyes.page
    eyes.go("/")
    eyes.look("landing", dark=True)
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    eyes.write(email=NEWCOMER, password1=PASSWORD)
    eyes.look("sign-up")
    page.locator("main").get_by_role("button", name="Sign up").click()
    eyes.look("code")
    eyes.write(code=outbox(stack, NEWCOMER, ""))
    eyes.press("Continue")
    page.wait_for_url("**/")
    eyes.look("home-new")
    eyes.press("Get ready to invest")
    get_ready(eyes, stack)
    code = buy(eyes, stack)
    pay(eyes)
    page.get_by_role("heading", name="Units allotted").first.wait_for()
    eyes.look("allotted", dark=True)
    eyes.press("See it in your portfolio")
    eyes.sees("HDFC Flexi Cap Fund")
    eyes.look("portfolio", charts=True, dark=True)
    page.get_by_role("link", name=re.compile("HDFC Flexi Cap Fund")).first.click()
    eyes.look("holding", charts=True)
    for path, name in (
        ("/", "home"),
        ("/orders/", "orders"),
        ("/profile/", "profile"),
        ("/accounts/sessions/", "sessions"),
    ):
        eyes.go(path)
        eyes.look(name)
    eyes.go(f"/outbox/?to={NEWCOMER}")
    eyes.sees("Units allotted")
    eyes.look("outbox")
    eyes.assert_clean()
    assert [each["received"] for each in stack.at_fp(code)] == [1]


def test_operations_see_the_order_its_timeline_and_the_conversation(eyes, stack):
    nila = Visitor(stack, "nila@journey.example").log_in()
    order = nila.order("INF179K01608", 5_200)
    order.pay()
    order.watch_until("allotted", within_s=60)
    page = eyes.page
    eyes.go("/admin/")
    eyes.write(login="maker@journey.example", password=factories.PASSWORD)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/admin/")
    eyes.look("desk", ours=False)
    eyes.go("/admin/orders/mforder/")
    eyes.sees(order.code)
    eyes.look("orders", ours=False)
    page.get_by_role("link", name=order.code).first.click()
    eyes.sees(stack.operation(order.code)["client_ref"])
    eyes.sees("/orders/purchase/")
    eyes.look("order", ours=False)
    for path in ("payments/payment", "investors/investor", "portal/case", "portal/inboundevent", "portal/gatewaycall"):
        eyes.go(f"/admin/{path}/")
        eyes.look(path.rsplit("/", 1)[-1], ours=False)
    eyes.assert_clean()
