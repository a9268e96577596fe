"""A partner in a real browser: from operations' first page about the firm to an order that its investor approved.

Operations make the partner and put a person down; the person makes a key, sets up a webhook and invites somebody; the
key asks an investor to approve a purchase; the investor approves with a code; the partner hears of it, and rotates the
key without a gap.
"""

from __future__ import annotations

import re
from typing import Any

import httpx2
import psycopg
import pytest

from portal.webhooks import signing
from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Visitor
from tests.patience import READ_TIMEOUT_S
from tests.webhooks.receivers import Receiver, receiver

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
FIRM, ADMIN, RAVI, NEW = "firm@journey.example", "admin@journey.example", "ravi@journey.example", "newcomer@example.com"
FUND = """
    SELECT isin, name FROM orders_scheme
     WHERE purchase_allowed AND plan = 'REGULAR' AND option = 'GROWTH' AND category = 'Flexi Cap Fund'
     ORDER BY id LIMIT 1
"""
ORDER_OF = """
    SELECT made.code FROM orders_mforder made JOIN orders_approvalline line ON line.cart_line_id = made.cart_line_id
      JOIN orders_approval approval ON approval.id = line.approval_id
     WHERE approval.code = %s
"""
DELIVERED = "SELECT id FROM portal_webhookdelivery WHERE state = 'DELIVERED'"


def sign_in(eyes: Eyes, email: str) -> None:
    """Through the login page, as nobody yet."""
    eyes.context.clear_cookies()
    eyes.go("/accounts/login/")
    eyes.write(login=email, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.page.wait_for_url(lambda url: "/accounts/" not in url)


def call(stack: LiveStack, path: str, token: str, body: dict[str, Any] | None = None) -> Any:
    """One call of the partner's machine; must be answered well."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"journey-{path}"}
    with httpx2.Client(base_url=stack.url, trust_env=False, timeout=READ_TIMEOUT_S) as http:
        answer = http.post(path, json=body, headers=headers) if body else http.get(path, headers=headers)
    assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def token_of(stack: LiveStack, client_id: str, secret: str) -> httpx2.Response:
    """What the token endpoint answers to a key."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return httpx2.post(f"{stack.url}/api/v1/token", data=form, trust_env=False, timeout=READ_TIMEOUT_S)


def ops_make_the_partner(eyes: Eyes) -> None:
    """The firm and its person, in the admin."""
    sign_in(eyes, ADMIN)
    eyes.go("/admin/portal/partner/add/")
    eyes.write(code="MERIDIAN", name="Meridian Wealth LLP", arn="ARN-123456")
    eyes.page.locator("[name=_continue], [name=_save]").first.click()
    eyes.sees("was added successfully")
    eyes.go("/admin/portal/partner/?q=MERIDIAN")
    eyes.press("MERIDIAN", inside=eyes.page.locator("#result_list, main").first)
    eyes.press("Add a person")
    eyes.write(email=FIRM, reason="Agreement of 20 November 2026")
    eyes.page.locator("form button[type=submit]").last.click()
    eyes.sees("works at Meridian Wealth LLP from now on")
    eyes.look("ops-partner", ours=False)


def prove(eyes: Eyes, then: str) -> None:
    """Whoever makes or rotates a key enters the password first, unless it was a moment ago."""
    eyes.page.wait_for_url(re.compile(f"reauthenticate|{then}"))
    if "reauthenticate" in eyes.page.url:
        eyes.write(password=factories.PASSWORD)
        eyes.press("Continue", inside=eyes.page.locator("main"))
        eyes.page.wait_for_url(re.compile(then))


def make_a_key(eyes: Eyes) -> tuple[str, str]:
    """A key that may read and ask; its id and secret, as the page shows them once."""
    eyes.go("/partner/keys/")
    eyes.press("Make a key", inside=eyes.page.locator("main"))
    prove(eyes, "/keys/add/")
    eyes.write(label="The back office")
    for scope in ("investors:read", "orders:read", "approvals:read", "approvals:write", "events:read"):
        eyes.tick(eyes.page.locator(f"[name=scopes][value='{scope}']"))
    eyes.look("new-key")
    eyes.press("Make the key")
    return shown_once(eyes, "key")


def shown_once(eyes: Eyes, name: str) -> tuple[str, str]:
    """Client id and secret of the page that shows them."""
    eyes.sees("Keep the secret now")
    eyes.look(name, dark=True)
    found = [eyes.page.locator(f"#client-{part}").inner_text() for part in ("id", "secret")]
    eyes.go("/partner/keys/secret/")
    eyes.sees("A secret is shown once")
    return found[0], found[1]


def set_up_a_webhook(eyes: Eyes, stack: LiveStack, good: Receiver) -> str:
    """An endpoint, and a test event that has arrived there; returns its secret."""
    eyes.go("/partner/webhooks/")
    eyes.press("Add an endpoint", inside=eyes.page.locator("main"))
    eyes.write(url=good.url)
    eyes.press("Add it")
    eyes.press("Send a test event")
    # What arrived is put down as delivered a moment after it was heard.
    until(lambda: stack.rows(DELIVERED), within_s=60, words="no test event arrived")
    assert good.heard
    eyes.page.reload()
    eyes.sees("webhook.test")
    eyes.sees("delivered")
    eyes.look("endpoint", dark=True)
    eyes.press("Show it")
    prove(eyes, "/secret/")
    return eyes.page.locator("code#secret").inner_text()


def invite_somebody(eyes: Eyes, stack: LiveStack) -> None:
    """A link is on its way to somebody new, in the partner's name."""
    eyes.go("/partner/invite/")
    eyes.write(email=NEW, name="Newcomer Menon", mobile="98450 11111", basis="Asked for it on the phone")
    eyes.press("Send the link")
    eyes.sees("The link is on its way")
    eyes.look("investors")
    until(lambda: "Meridian Wealth LLP" in _outbox(stack), within_s=60, words="no invitation was sent")


def _outbox(stack: LiveStack) -> str:
    return httpx2.get(f"{stack.url}/outbox/", params={"to": NEW}, trust_env=False, timeout=READ_TIMEOUT_S).text


def ravi_came_through_the_partner(stack: LiveStack) -> str:
    """Ravi accepted such a link some time ago; his code."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("SET portal.scope = 'all'")
        found = database.execute(
            "UPDATE investors_investor SET partner_id = (SELECT id FROM portal_partner WHERE code = 'MERIDIAN')"
            " WHERE user_id = (SELECT id FROM portal_user WHERE email = %s) RETURNING code",
            [RAVI],
        ).fetchone()
    assert found
    return str(found[0])


def approve(eyes: Eyes, stack: LiveStack, url: str, fund: str) -> None:
    """Ravi reads who asks for what and why, puts it into his cart, and confirms it with his code."""
    sign_in(eyes, RAVI)
    eyes.go(url.removeprefix(stack.url))
    eyes.sees("Meridian Wealth LLP asks for your approval")
    eyes.look("approval", dark=True)
    eyes.press("Put what is ticked in my cart")
    eyes.page.wait_for_url("**/cart/")
    eyes.sees(fund)
    eyes.press(re.compile("^Review"), inside=eyes.page.locator("main"))
    eyes.write(otp=Visitor(stack, RAVI).code_from_outbox("6,100.00"))
    eyes.press(re.compile("^Confirm"), inside=eyes.page.locator("main"))
    eyes.page.wait_for_url(re.compile("/orders/|/cart/"))


def test_a_partner_from_the_first_page_to_an_approved_order_and_a_new_key(eyes: Eyes, stack: LiveStack):
    ops_make_the_partner(eyes)
    sign_in(eyes, FIRM)
    eyes.page.wait_for_url("**/partner/")
    eyes.look("empty-console", dark=True)
    client_id, secret = make_a_key(eyes)
    with receiver() as good:
        signing_secret = set_up_a_webhook(eyes, stack, good)
        invite_somebody(eyes, stack)
        investor = ravi_came_through_the_partner(stack)

        token = token_of(stack, client_id, secret).json()["access_token"]
        fund = stack.rows(FUND)[0]
        lines = [{"kind": "PURCHASE", "scheme": fund["isin"], "amount": "6100.00"}]
        body = {"investor": investor, "reason": "As we spoke on the phone", "lines": lines}
        asked = call(stack, "/api/v1/approvals", token, body)
        eyes.go("/partner/approvals/")
        eyes.sees("As we spoke on the phone")
        eyes.look("approvals-waiting")

        approve(eyes, stack, asked["url"], fund["name"])
        made = until(lambda: stack.rows(ORDER_OF, asked["id"]), within_s=60, words="the approval became no order")
        line = call(stack, f"/api/v1/approvals/{asked['id']}", token)["lines"][0]
        assert (line["state"], line["order"]) == ("APPROVED", made[0]["code"])
        until(lambda: _told(good, line["order"]), within_s=60, words="the partner was not told of the order")
    for headers, sent in good.heard:
        signing.verify(
            event_id=headers["webhook-id"], timestamp=headers["webhook-timestamp"],
            signature=headers["webhook-signature"], body=sent, secret=signing_secret,
            now=int(headers["webhook-timestamp"]),
        )  # fmt: skip

    sign_in(eyes, FIRM)
    eyes.go("/partner/events/")
    eyes.sees("order.created")
    eyes.look("events")
    rotate(eyes, stack, client_id, secret)
    eyes.assert_clean()


def _told(good: Receiver, order: str) -> bool:
    return any(order.encode() in body for _, body in good.heard)


def rotate(eyes: Eyes, stack: LiveStack, client_id: str, secret: str) -> None:
    """A second key beside the first; both work, until the first is revoked."""
    eyes.go("/partner/keys/")
    eyes.press("Rotate", inside=eyes.page.locator("main"))
    prove(eyes, "/rotate/")
    eyes.press("Make the second key")
    second = shown_once(eyes, "second-key")
    assert second[0] != client_id
    for key in ((client_id, secret), second):
        assert token_of(stack, *key).status_code == 200
    eyes.go("/partner/keys/")
    eyes.sees("being replaced")
    eyes.look("two-keys")
    eyes.go(f"/partner/keys/{client_id}/revoke/")
    eyes.write(reason="replaced")
    eyes.press("Revoke it")
    eyes.sees("was revoked")
    assert token_of(stack, client_id, secret).status_code == 401
    assert token_of(stack, *second).status_code == 200
