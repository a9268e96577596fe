"""Linking an account at a broker: one-time states, ways back in every spelling, and what is not one."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from brokers.models import BrokerAccount, LinkState
from brokers.operations import accounts, linking
from portal import clock
from portal.models import AuditEntry, Case
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
MAKE_BELIEVE = "0AF1C1"


@pytest.fixture
def browser(asha, client_for) -> Client:
    return client_for(asha)


def begin(browser: Client, **form: str) -> str:
    """To ODIN's login page; the two-way token that the browser takes along."""
    sent = browser.post("/broker-accounts/log-in/", {"broker": "odin", "house": MAKE_BELIEVE, **form})
    return parse_qs(urlsplit(sent["Location"]).query)["sTwoWayToken"][0]


def ask_two_way(token: str, name: str = "sTwoWayToken") -> bool:
    """ODIN's own question, from its server."""
    return Client().post("/odin/two-way-auth/", {name: token}, content_type="application/json").json()["success"]


def come_back(browser: Client, fields: dict[str, str], verb: str = "get"):
    """The browser's way back, to the page on which it ends."""
    first = getattr(browser, verb)("/odin/callback/", fields)
    assert "SESSION" not in first["Location"]
    return browser.get(first["Location"], follow=True)


def log_in(browser: Client, sandbox, user: str = "ASHA1", **form: str) -> BrokerAccount:
    token = begin(browser, **form)
    assert ask_two_way(token)
    come_back(browser, sandbox.call("POST", "/odin/session", {"user": user}))
    return BrokerAccount.objects.get(label=user)


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_login_brings_an_encrypted_session_that_lasts_its_day(sandbox, browser, asha, verb):
    token = begin(browser)
    assert ask_two_way(token)
    said = sandbox.call("POST", "/odin/session", {"user": "ASHA1"})
    page = come_back(browser, said, verb).content.decode()
    account = BrokerAccount.objects.get()
    assert (account.investor, account.account_ref, account.house) == (asha, said["sVasUserId"], MAKE_BELIEVE)
    assert account.session_at(clock.now()) == said["sSession"]
    assert account.session_at(account.session_expires_at) == ""
    assert account.session_expires_at.astimezone(clock.IST).strftime("%H:%M") == "00:00"
    assert "Make-Believe Broking, ASHA1" in page
    assert said["sSession"] not in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT session FROM brokers_brokeraccount")
        assert said["sSession"] not in cursor.fetchone()[0]


@pytest.mark.parametrize("name", ["sTwoWayToken", "twoWayToken", "token"])
def test_only_open_tokens_of_ours_are_ours(sandbox, browser, name):
    token = begin(browser)
    assert ask_two_way(token, name)
    assert not ask_two_way("somebody's", name)
    LinkState.objects.update(expires_at=clock.now())
    assert not ask_two_way(token, name)


def test_a_way_back_counts_once(sandbox, browser):
    log_in(browser, sandbox)
    other = sandbox.call("POST", "/odin/session", {"user": "THIEF"})
    come_back(browser, other)
    assert BrokerAccount.objects.get().label == "ASHA1"


@pytest.mark.parametrize("spoil", ["nothing begun", "not asked", "too late", "another browser"])
def test_a_way_back_that_is_nobodys_links_nothing(sandbox, browser, chitra, client_for, spoil):
    said = sandbox.call("POST", "/odin/session", {"user": "THIEF"})
    if spoil != "nothing begun":
        token = begin(browser)
        assert spoil == "not asked" or ask_two_way(token)
    if spoil == "too late":
        LinkState.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    come_back(client_for(chitra) if spoil == "another browser" else browser, said)
    assert not BrokerAccount.objects.exists()


@pytest.mark.parametrize("change", [{"sStatusCode": "vasprd-400-804"}, {"sSession": ""}, {"sVasUserId": ""}])
def test_a_login_that_failed_links_nothing_and_says_so(sandbox, browser, change):
    assert ask_two_way(begin(browser))
    said = sandbox.call("POST", "/odin/session", {"user": "ASHA1"})
    page = come_back(browser, {**said, **change}).content.decode()
    assert "You were not logged in at your broker" in page
    assert not BrokerAccount.objects.exists()


def test_what_was_put_away_is_read_once(sandbox, browser):
    assert ask_two_way(begin(browser))
    first = browser.get("/odin/callback/", sandbox.call("POST", "/odin/session", {"user": "ASHA1"}))
    LinkState.objects.update(used_at=None)
    browser.get(first["Location"])
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    browser.get(first["Location"])
    assert BrokerAccount.objects.get().session is None


def test_another_account_where_the_linked_one_was_expected_changes_nothing(sandbox, browser):
    account = log_in(browser, sandbox)
    before = account.session
    assert ask_two_way(begin(browser, account=account.code))
    page = come_back(browser, sandbox.call("POST", "/odin/session", {"user": "SOMEBODY"})).content.decode()
    assert "You logged in to another account than the one linked here" in page
    assert BrokerAccount.objects.get().session == before
    assert Case.objects.filter(kind="broker_login_of_another_account").count() == 1
    assert AuditEntry.objects.filter(action="broker.another_account").exists()


def test_an_account_of_another_investor_is_not_linked_twice(sandbox, browser, chitra):
    said = sandbox.call("POST", "/odin/session", {"user": "SHARED"})
    factories.BrokerAccountFactory(investor=chitra, broker="odin", account_ref=said["sVasUserId"])
    assert ask_two_way(begin(browser))
    page = come_back(browser, said).content.decode()
    assert "linked to another investor here" in page
    assert BrokerAccount.objects.get().investor == chitra
    assert Case.objects.filter(kind="broker_account_of_another").exists()


def test_unlinking_forgets_the_session(sandbox, browser):
    account = log_in(browser, sandbox)
    page = browser.post(f"/broker-accounts/{account.code}/unlink/", follow=True).content.decode()
    account.refresh_from_db()
    assert (account.session, account.unlinked_at is not None) == (None, True)
    assert "Linked accounts" not in page


def test_sessions_whose_day_is_over_are_wiped(sandbox, browser):
    account = log_in(browser, sandbox)
    assert linking.forget_old(at=account.session_expires_at - timedelta(seconds=1)) == 0
    assert linking.forget_old(at=account.session_expires_at) == 1
    assert BrokerAccount.objects.get().session is None
    assert not accounts.end_session(account=account, at=clock.now())
    page = browser.get("/broker-accounts/").content.decode()
    assert "before the next order" in page


def test_a_call_of_the_old_session_does_not_end_the_one_that_a_login_has_brought_since(sandbox, browser):
    before = log_in(browser, sandbox)
    BrokerAccount.objects.update(session="a newer one")
    assert not accounts.end_session(account=before, at=clock.now())
    assert BrokerAccount.objects.get().session == "a newer one"


def test_the_brokers_that_cannot_be_listed_are_said_so(sandbox, browser):
    cache.delete("odin-brokers")
    sandbox.fault("status:500", provider="odin", method="GET", path="*BrokerList*", times=0)
    page = browser.get("/broker-accounts/").content.decode()
    assert "list of brokers cannot be fetched" in page
