"""A fresh KYC at 360 pixels with the keyboard alone: a PAN that no registry knows, a rejection, better papers.

One signature is drawn with a finger, which no key can do; the other one is a file.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests import factories
from tests.factories import files
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack, until
from tests.journeys.test_browser_main_job import after_the_pan, outbox

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
EMAIL, PASSWORD, PAN = "tara@journey.example", "a-long-monsoon-evening", "TARPS3753K"
LATEST = """SELECT r.provider_ref, r.state FROM investors_kycrequest r JOIN investors_investor i ON i.id = r.investor_id
    JOIN portal_user u ON u.id = i.user_id WHERE u.email = %s ORDER BY r.id DESC LIMIT 1"""


@pytest.fixture
def patient_world(stack: LiveStack) -> Iterator[None]:
    """KYC requests are decided by hand: at pace `fast` the sandbox would accept them by itself."""
    stack.sandbox.call("POST", "/pace", {"mode": "market"})
    yield
    stack.sandbox.call("POST", "/pace", {"mode": "fast"})


def sign_up(eyes: Eyes, stack: LiveStack, email: str = EMAIL) -> None:
    """With the code from the outbox."""
    eyes.go("/accounts/signup/")
    eyes.write(email=email, password1=PASSWORD)
    eyes.press("Sign up", inside=eyes.page.locator("main"))
    eyes.page.locator("[name=code]").wait_for()
    eyes.write(code=outbox(stack, email, ""))
    eyes.press("Continue")
    eyes.page.wait_for_url(lambda url: "/accounts/" not in url)


def state(stack: LiveStack, *wanted: str) -> str:
    """FP's number of the newest request, once it is in one of these states."""
    found = until(
        lambda: next((row for row in stack.rows(LATEST, EMAIL) if row["state"] in wanted), None),
        within_s=60,
        words=f"no KYC request is {wanted}",
    )
    return str(found["provider_ref"])


def decide(stack: LiveStack, to: str) -> None:
    """Somebody at the fund house decides: here at the sandbox's control room."""
    ref = state(stack, "SUBMITTED")
    answer = httpx2.post(f"{stack.sandbox.url}/_control/act", data={"act": "kyc", "id": ref, "to": to}, trust_env=False)
    assert answer.status_code in (200, 303), answer.text[:500]


def hand_in(eyes: Eyes, kind: str) -> None:
    """Choose a file and save."""
    video = kind == "IPV_VIDEO"
    name, media = ("me.mp4", "video/mp4") if video else ("card.jpg", "image/jpeg")
    content = files.video() if video else files.picture()
    eyes.attach(kind, {"name": name, "mimeType": media, "buffer": content})


def sign(eyes: Eyes) -> None:
    """Draw a line on the screen, as a finger would: the other way to sign, beside a file that was chosen by key."""
    paper = eyes.page.locator("canvas")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    assert box is not None
    mouse, step_px = eyes.page.mouse, box["width"] / 10
    mouse.move(box["x"] + step_px, box["y"] + box["height"] * 0.7)
    mouse.down()
    for step in range(2, 10):
        mouse.move(box["x"] + step * step_px, box["y"] + box["height"] * (0.3 if step % 2 else 0.7), steps=4)
    mouse.up()
    eyes.sees("Signed.")


def about_and_address(eyes: Eyes) -> None:
    page = eyes.page
    eyes.look("about")
    eyes.press("Save and continue")
    eyes.sees("Enter your father's or your spouse's name")
    eyes.look("about-errors")
    eyes.write(name="Tara Sen", date_of_birth="1993-08-21", father_name="Arun Sen", aadhaar_number="1210")
    eyes.write(mobile="9812345671")
    eyes.tick(page.get_by_label("Female", exact=True))
    eyes.tick(page.get_by_label("Not married"))
    eyes.choose("occupation_type", "private_sector")
    eyes.press("Save and continue")
    eyes.write(line1="4 Lake Road", pincode="560025")
    eyes.tick(page.locator("[name=proof_type][value=passport]"))
    eyes.write(proof_number="J1234567", proof_issue_date="2019-10-20", proof_expiry_date="2039-10-19")
    eyes.tick(page.locator("[name=permanent_is_same][value=yes]"))
    eyes.look("address")
    eyes.press("Save and continue")


def papers(eyes: Eyes) -> None:
    eyes.sees("Both sides")
    hostile = files.pdf_with_packed_script()
    eyes.attach("ADDRESS_FRONT", {"name": "proof.pdf", "mimeType": "application/pdf", "buffer": hostile})
    hand_in(eyes, "ADDRESS_BACK")
    eyes.press("Save and continue")
    eyes.sees("This PDF holds a script")
    eyes.look("hostile-file")
    for kinds, name in ((("ADDRESS_FRONT", "ADDRESS_BACK"), "PAN card"), (("IDENTITY_PROOF",), "Photo")):
        for kind in kinds:
            hand_in(eyes, kind)
        eyes.press("Save and continue")
        eyes.page.get_by_role("heading", name=name, level=1).wait_for()
    eyes.look("photo")
    hand_in(eyes, "PHOTO")
    eyes.press("Save and continue")
    hand_in(eyes, "SIGNATURE")
    eyes.look("signature", dark=True)
    eyes.press("Save and continue")
    eyes.look("video")
    hand_in(eyes, "IPV_VIDEO")
    eyes.press("Save and continue")


def send(eyes: Eyes, name: str) -> None:
    eyes.sees("Is everything right?")
    eyes.look(name, dark=True)
    eyes.tick(eyes.page.locator("[name=declared]"))
    eyes.press("Confirm and send my KYC")
    eyes.sees("checking your papers", within_s=60)


def the_desk_sees_data_and_papers_side_by_side(eyes: Eyes) -> None:
    eyes.page.context.clear_cookies()
    eyes.go("/admin/")
    eyes.write(login="maker@journey.example", password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.page.wait_for_url("**/admin/")
    eyes.go("/admin/investors/kycrequest/")
    eyes.look("kyc-desk", ours=False)
    eyes.page.locator("#result_list a[href*='/kycrequest/']").first.click()
    eyes.sees("Entered, and the papers that show it")
    eyes.page.wait_for_timeout(1_000)  # until the papers have come
    eyes.look("data-beside-papers", ours=False)
    eyes.go("/admin/investors/document/")
    eyes.look("papers", ours=False)


def test_a_fresh_kyc_with_a_rejection_ends_ready_to_invest(keys, stack, patient_world):
    eyes, page = keys, keys.page
    sign_up(eyes, stack)
    eyes.go("/onboarding/pan/")
    eyes.write(pan=PAN)
    eyes.press("Check this PAN")
    eyes.sees("No KYC registry knows this PAN yet")
    eyes.look("no-registry-knows", dark=True)
    eyes.press("Do your KYC here")
    eyes.look("begin")
    eyes.press("Begin")
    about_and_address(eyes)
    papers(eyes)
    eyes.sees("Is everything right?")
    eyes.settle()
    eyes.go("/kyc/")
    eyes.sees("7 of 7 steps done")
    eyes.look("all-steps", dark=True)
    eyes.press("Look over everything and send")
    send(eyes, "review")
    eyes.look("being-checked")
    decide(stack, "rejected")
    eyes.sees("Your papers were not accepted as they are", within_s=60)
    eyes.look("rejected", dark=True)
    eyes.press("Correct it and send again")
    eyes.sees("cannot be read")
    eyes.look("proof-again")
    hand_in(eyes, "ADDRESS_FRONT")
    eyes.press("Save and continue")
    hand_in(eyes, "IDENTITY_PROOF")
    eyes.press("Save and continue")
    sign(eyes)
    eyes.press("Save and continue")
    if page.get_by_role("heading", name="About you", level=1).is_visible():
        eyes.press("Save and continue")
    send(eyes, "review-again")
    decide(stack, "successful")
    eyes.sees("Your KYC is done", within_s=60)
    eyes.look("kyc-done")
    stack.sandbox.call("POST", "/pace", {"mode": "fast"})
    eyes.go("/onboarding/personal/")
    after_the_pan(eyes)
    assert len(stack.rows("SELECT 1 FROM investors_kycrequest WHERE provider_ref IS NOT NULL")) == 2
    the_desk_sees_data_and_papers_side_by_side(eyes)
    eyes.assert_clean()
