"""An ops day in a real browser: claim a case, settle an unknown order, approve a bank change, link again in bulk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
USHA = "usha@journey.example"
ISIN = "INF179K01608"
CHANGE_OF = """
    SELECT change.id FROM investors_changerequest change
      JOIN investors_investor investor ON investor.id = change.investor_id
      JOIN portal_user person ON person.id = investor.user_id
     WHERE person.email = %s AND change.state = 'CHECKING'
"""


@pytest.fixture
def checker(chromium: Browser, stack: LiveStack) -> Iterator[Eyes]:
    """The second person, at a browser of their own."""
    seeing = Eyes(chromium, stack.url, "ops-day-checker")
    yield seeing
    seeing.close()


def sign_in(eyes: Eyes, role: str) -> None:
    eyes.go("/accounts/login/")
    eyes.write(login=f"{role}@journey.example", password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.page.wait_for_url(re.compile(r"(?<!login)/$"))
    eyes.go("/admin/")
    eyes.sees("Needs a person")


def act(eyes: Eyes, label: str, reason: str = "") -> None:
    """Press the button of an act on a record's page, and confirm it."""
    eyes.page.get_by_role("link", name=button(label)).first.click()
    if reason:
        eyes.write(reason=reason)
    eyes.page.locator(".ops-act").get_by_role("button", name=label, exact=True).click()


def button(label: str) -> re.Pattern[str]:
    """The name of an act's button: an icon may stand before its words, as other words may before those in the menu."""
    return re.compile(rf"(^|\s){label}$")


def open_item(eyes: Eyes, words: str) -> None:
    """From the inbox to the page of one thing."""
    eyes.go("/admin/portal/workitem/")
    row = eyes.page.locator("#result_list tr").filter(has_text=words)
    row.locator("th a, td a").first.click()


def test_an_ops_day(eyes, checker, stack):
    placed = [Visitor(stack, USHA).log_in().order(ISIN, amount).code for amount in (5_301, 5_302)]
    for code in placed:
        until(lambda code=code: stack.operation(code)["provider_id"], within_s=60, words=f"{code} did not reach FP")
    stack.sandbox.fault("hang+invisible:40", path="/orders/purchase/", when="after", delay_s=3)
    lost = Visitor(stack, USHA).log_in().order(ISIN, 5_303).code
    until(lambda: stack.operation(lost)["state"] == "unknown", within_s=60, words="the outcome was clear")
    stack.finish(stack.start("desk-day", "-m", "tests.journeys.desk_day", USHA, *placed))

    # The inbox: an unknown order is claimed, and settled by asking the provider.
    sign_in(eyes, "maker")
    eyes.sees("Unknown outcomes")
    eyes.look("first-page", ours=False)
    open_item(eyes, lost)
    act(eyes, "Claim")
    eyes.sees("is yours.")
    eyes.go("/admin/portal/workitem/?whose=mine")
    eyes.sees(lost)
    eyes.look("mine", ours=False)
    order = stack.rows("SELECT id FROM orders_mforder WHERE code = %s", lost)[0]["id"]
    until(lambda: settled(eyes, stack, order, lost), within_s=120, words="the order stayed unknown")
    assert len(stack.at_fp(lost)) == 1

    # A case is claimed; both are looked up again in one act, after a dry run.
    case = stack.rows("SELECT id, code FROM portal_case WHERE state = 'OPEN' AND title LIKE %s", f"%{placed[0]}%")[0]
    eyes.go(f"/admin/portal/case/{case['id']}/change/")
    act(eyes, "Claim", "Working through the outage")
    eyes.sees(f"{case['code']} is yours.")
    eyes.go("/admin/portal/case/?state__exact=OPEN")
    for code in placed:
        eyes.page.locator("#result_list tr").filter(has_text=code).locator("input.action-select").check()
    eyes.page.locator("select[name=action]").select_option(label="Look up and link again (dry run first)")
    eyes.page.get_by_role("button", name=re.compile("^(Run|Go)")).first.click()
    eyes.sees("2 to be done")
    eyes.look("dry-run", ours=False)
    act(eyes, "Do it", "After the outage of this morning")
    expect(eyes.page.get_by_text("2 done").first).to_be_visible()
    eyes.look("finished", ours=False)
    with eyes.page.expect_download() as report:
        eyes.page.get_by_role("link", name="All lines as XLSX").click()
    assert report.value.suggested_filename.endswith(".xlsx")
    asked = "SELECT id FROM portal_auditentry WHERE action = 'order.refresh_asked' AND reason = %s"
    assert len(stack.rows(asked, "After the outage of this morning")) == 2

    # The bank change needs somebody else than whoever works the desk.
    sign_in(checker, "checker")
    checker.go("/admin/portal/workitem/?source__exact=approval")
    checker.sees("bank account")
    checker.look("to-approve", ours=False)
    change = stack.rows(CHANGE_OF, USHA)[0]
    eyes.go(f"/admin/investors/changerequest/{change['id']}/change/")
    assert not eyes.page.get_by_role("link", name=button("Approve")).count()
    checker.go(f"/admin/investors/changerequest/{change['id']}/change/")
    checker.look("bank-change", ours=False)
    act(checker, "Approve", "Compared the cheque with the account")
    checker.sees("Approved; it is being passed on.")
    done = "SELECT state FROM investors_changerequest WHERE id = %s"
    until(lambda: stack.rows(done, change["id"])[0]["state"] == "DONE", within_s=60, words="FP did not take it")
    checker.assert_clean()
    eyes.assert_clean()


def settled(eyes: Eyes, stack: LiveStack, order: int, code: str) -> bool:
    """Ask the provider about the order on its page; true once its outcome is known."""
    if stack.operation(code)["state"] != "unknown":
        return True
    eyes.go(f"/admin/orders/mforder/{order}/change/")
    if eyes.page.get_by_role("link", name="Refresh from provider").count():
        act(eyes, "Refresh from provider", "Is it there by now?")
        eyes.page.wait_for_load_state("load")
    return False
