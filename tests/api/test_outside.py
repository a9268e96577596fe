"""The API as programs see it that know nothing but its document: schemathesis, a generated client, the docs' own lines.

They run as programs of their own (`.venv/fuzz`, `./run fuzz`) against a server on a real socket.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from investors.models import Investor, Invite
from investors.operations import invites
from orders.models import Basket, CartLine, MfOrder, Payout
from portal import clock
from portal.api.endpoints import REGISTRY
from portal.models import IdempotentCall, Partner
from tests import factories
from tests.api.conftest import Caller, caller_of

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(settings.BASE_DIR)
HERE = Path(__file__).parent
# So many generated requests to each operation by each role; `./run fuzz` makes 200.
EXAMPLES = int(os.environ.get("API_EXAMPLES", "3"))
PHASES = "examples,fuzzing" if EXAMPLES < 20 else "examples,coverage,fuzzing"
COMMITTED = ROOT / "docs" / "openapi.json"
ROLES = ("partner", "another partner", "no scope", "nobody")


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the programs; installed once, as `./run test` does."""
    made = subprocess.run([sys.executable, str(ROOT / "run"), "tools"], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return ROOT / ".venv" / "fuzz" / "bin"


def ran(words: list[Any], **more: Any) -> str:
    """What the program wrote. It must end well."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20_000:]
    return done.stdout


@pytest.fixture
def tokens(north: Caller, south: Caller) -> dict[str, str]:
    """The token of each role."""
    Partner.objects.update(calls_per_minute=10**6, calls_per_day=10**6)
    bare = caller_of(factories.PartnerFactory(calls_per_minute=10**6, calls_per_day=10**6), ["events:read"])
    return dict(zip(ROLES, (north.token, south.token, bare.token, ""), strict=True))


@pytest.fixture
def ids(north: Caller, asha: Any) -> dict[str, str]:
    """What the first role finds, and nobody else: by the first word of an address."""
    account, order = asha.bankaccounts.get(), factories.OrderFactory(investor=asha)
    return {
        "investors": asha.code,
        "invites": factories.InviteFactory(partner=north.partner).code,
        "bank-accounts": account.code,
        "mandates": factories.MandateFactory(bank_account=account).code,
        "files": factories.DocumentFactory(investor=asha).code,
        "orders": order.code,
        "sips": factories.PlanFactory(investor=asha).code,
        "payments": factories.PaymentFactory(order=order).code,
        "approvals": factories.ApprovalLineFactory(investor=asha).approval.code,
        "basket-orders": factories.BasketOrderFactory(investor=asha).code,
        "webhook-endpoints": factories.EndpointFactory(partner=north.partner).code,
        "payouts": _payout(asha).code,
    }


def _payout(investor: Any) -> Payout:
    scheme = factories.SchemeFactory()
    earned = {"scheme": scheme, "folio": factories.FolioFactory(investor=investor, fund_house=scheme.fund_house)}
    factories.CommissionMonthFactory(**earned)
    return factories.payout_of(investor.partner, [factories.CommissionLineFactory(**earned)])


def settings_of(ids: dict[str, str]) -> str:
    """What schemathesis is told: which refusals are no mistake, and ids that exist."""
    asked = [each for each in REGISTRY.values() if "<id>" in each.path and each.app in ids]
    places = [
        f'[[operations]]\ninclude-operation-id = "{each.name}"\nparameters = {{ "path.id" = "{ids[each.app]}" }}\n'
        for each in asked
    ]
    return "\n".join([(HERE / "schemathesis.toml").read_text(), *places])


@pytest.mark.parametrize("role", ROLES)
def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(live_server, tools, tokens, ids, tmp_path, role):
    (tmp_path / "schemathesis.toml").write_text(settings_of(ids))
    header = ["-H", f"Authorization: Bearer {tokens[role]}"] if tokens[role] else []
    said = ran(
        [
            tools / "schemathesis", "run", COMMITTED, "--url", f"{live_server.url}/api/v1", "--checks", "all",
            "--phases", PHASES, "--max-examples", EXAMPLES, "--generation-deterministic", "--no-color", *header,
        ],
        cwd=tmp_path,
    )  # fmt: skip
    passed = [int(count) for count in re.findall(r"✅ (\d+) passed", said)]
    assert max(passed) == len(REGISTRY) + 1, said[-20_000:]  # every endpoint, and the token's
    assert not re.search(r"❌|🚫", said), said[-20_000:]


# --- a client that nobody wrote ------------------------------------------------------------------------------------


@pytest.fixture
def program(tools: Path, tmp_path: Path, live_server: Any, north: Caller) -> Callable[..., Any]:
    """`program("invite", email=...)`: one step of `outside_story.py`, by the client generated from the document."""
    package = tmp_path / "partner_client"
    paths = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    ran(
        [
            tools / "openapi-python-client", "generate", "--path", COMMITTED, "--output-path", package, "--meta",
            "none", "--overwrite", "--fail-on-warning",
        ],
        env=paths,
    )  # fmt: skip
    key = {"CLIENT_ID": north.key.client_id, "CLIENT_SECRET": north.secret, "API": f"{live_server.url}/api/v1"}

    def run(step: str, **words: str) -> Any:
        environment = {**paths, **key, "PYTHONPATH": str(tmp_path)}
        return json.loads(ran([tools / "python", HERE / "outside_story.py", step, json.dumps(words)], env=environment))

    return run


def test_a_generated_client_goes_from_an_investor_to_an_order_and_its_event(program, north, client_for):
    scheme = factories.SchemeFactory(purchase_allowed=True)
    invited = program("invite", email="hema@example.org")
    investor = _accepts(Invite.objects.get(code=invited["id"]))
    assert program("invite_of", id=invited["id"])["investor"] == investor.code
    asked = program("ask", investor=investor.code, scheme=scheme.isin, amount="6100.00")
    assert asked["state"] == "OPEN"
    browser = client_for(investor)
    browser.post(f"/approvals/{asked['id']}/", {"buy": "yes", "line": "0"})
    _confirms_the_cart(browser)
    line = program("approval", id=asked["id"])["lines"][0]
    order = MfOrder.objects.get(investor=investor)
    assert (line["state"], line["order"]) == ("APPROVED", order.code)
    told = [(each["type"], each["data"]["id"]) for each in program("events")]
    assert ("investor.linked", investor.code) in told
    assert ("order.created", order.code) in told


def _accepts(invite: Invite) -> Investor:
    """The person follows the link, and is ready to invest a while later."""
    user = factories.UserFactory(email=invite.email)
    investor = invites.accept(secret_hash=invite.secret_hash, user=user, agreed="yes", ip="127.0.0.1", at=clock.now())
    investor.name, investor.state, investor.provider_ref = "Hema Menon", Investor.State.READY, "900999"
    investor.set_pan("HMAPM3751G")
    investor.save()
    for factory in (
        factories.KycCheckFactory, factories.AddressFactory, factories.BankAccountFactory,
        factories.InvestmentAccountFactory,
    ):  # fmt: skip
        factory(investor=investor)
    return investor


def _confirms_the_cart(browser: Client) -> None:
    page = browser.get("/cart/").content.decode()
    assert "6,100" in page, page[-3000:]
    line = CartLine.objects.get()
    form = {f"amount_{line.pk}": "6100", "payment_method": "UPI", "form_ref": "0" * 20, "review": "yes"}
    led = browser.post("/cart/", {**form, "bank_account": line.cart.investor.bankaccounts.get().code})
    assert "/cart/confirm/" in led.headers.get("Location", ""), led.content.decode()[-3000:]
    code = re.search(r"\b\d{6}\b", mail.outbox[-1].body)
    assert code
    done = browser.post(led.url, {"otp": code.group()})
    assert done.status_code == 302, done.content.decode()[-3000:]


# --- the docs' own lines -------------------------------------------------------------------------------------------


class Page:
    """The lines of the docs page: those that come first, and each call."""

    def __init__(self, caller: Caller) -> None:
        blocks = re.findall(r'<pre class="code"[^>]*><code>(.*?)</code></pre>', _docs(Client()), re.S)
        begin, *self.calls = [unescape(text) for text in blocks]
        self.begin = begin.replace("KEY=... SECRET=...", f"KEY={caller.key.client_id} SECRET={caller.secret}")

    def typed(self, lines: list[str]) -> str:
        """What a shell writes that has done what comes first."""
        return ran(["bash", "-euc", "\n".join([self.begin, *lines])])

    def answers(self, calls: list[str]) -> list[Any]:
        """Of these calls, one after the other."""
        said = self.typed([f"echo ==; {text}" for text in calls])
        return [json.loads(answer) for answer in said.split("==\n")[1:]]


def _docs(client: Client) -> str:
    return client.get("/api/v1/docs/").content.decode()


@pytest.fixture
def page(live_server: Any, north: Caller, tokens: Any, ids: Any, settings: Any) -> Page:
    """The page of a server that answers."""
    settings.PUBLIC_URL = live_server.url
    return Page(north)


def test_every_read_of_the_docs_page_runs_as_it_stands(page):
    reads = [line for line in page.calls if line.startswith("call ")]
    assert len(reads) > 30
    for line, found in zip(reads, page.answers(reads), strict=True):
        # A list that is empty here has no first id, so there is no such thing; anything else is an answer.
        assert not str(found.get("type", "")).startswith("http") or found["code"] == "not_found", (line, found)
        assert found.get("code") != "not_found" or "$(first" in line, (line, found)


@pytest.fixture
def twin(page: Page, asha: Any, basket: Basket) -> Page:
    """With what each write finds there: something to buy, a mandate and an order that wait for the investor."""
    factories.SchemeFactory(purchase_allowed=True)
    factories.MandateFactory(bank_account=asha.bankaccounts.get(), state="AWAITING_INVESTOR")
    factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    return page


# What is refused because of how the twin stands: the KYC of this investor is done, and was asked about just now.
REFUSED = {"kyc-requests": "kyc_not_needed", "kyc-checks": "kyc_checked_lately"}
# What takes away what others need.
LAST = ("/withdraw", "/delete")


def test_every_write_of_the_docs_page_runs_as_it_stands(twin):
    writes = [line for line in twin.calls if line.startswith("once ")]
    assert len(writes) == sum(endpoint.method == "POST" for endpoint in REGISTRY.values())
    writes.sort(key=lambda line: any(act in line for act in LAST))
    for line, found in zip(writes, twin.answers(writes), strict=True):
        act = line.partition("\n")[0].rpartition("/")[2].partition('"')[0]
        assert found.get("code") == REFUSED.get(act), (line, found)


def test_a_write_shows_its_key_and_each_has_one_of_its_own(twin):
    [ask] = [line for line in twin.calls if line.startswith('once "$API/approvals" ')]
    shown = re.findall(r"^Idempotency-Key: (\S+)$", twin.typed(["exec 2>&1", ask, ask]), re.M)
    assert len(shown) == 2
    assert set(shown) == set(IdempotentCall.objects.values_list("key", flat=True))


def test_in_live_mode_the_page_names_no_installation_in_which_a_write_reaches_a_person(client, settings):
    settings.SANDBOX = False
    begin = unescape(_docs(client)).partition("<code>export")[2].partition("</code>")[0]
    assert "API=... HOOK=..." in begin
    assert settings.PUBLIC_URL not in begin
