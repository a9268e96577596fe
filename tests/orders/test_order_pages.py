"""The pages on which an investor buys: amount, confirmation, order, list. What they say, refuse, and cost."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from investors.models import Consent
from orders import words
from orders.models import MfOrder
from orders.operations import news, purchases
from orders.queries import orders as order_queries
from portal import audit, clock, typed
from portal.audit import Told
from portal.models import Session
from tests import factories

pytestmark = pytest.mark.django_db


def form_of(page) -> dict[str, str]:
    """The hidden reference that a form carries."""
    return {"form_ref": re.search(r'name="form_ref" value="([0-9A-Z]{20})"', page.content.decode()).group(1)}


def answers(asha, **changes: object) -> dict[str, object]:
    account = asha.bankaccounts.get(is_primary=True)
    return {"amount": "5000", "bank_account": account.code, "payment_method": "UPI", **changes}


def refused_by(browser, url: str, fields: dict[str, object]):
    """The page that shows what was wrong: a refused form comes back by a redirect, so that Back asks nothing."""
    answer = browser.post(url, fields)
    assert (answer.status_code, answer["Location"]) == (303, url)
    return browser.get(url)


def newest_code() -> str:
    return re.search(r"^\s+(\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE).group(1)


@pytest.fixture
def browser(asha, client_for):
    return client_for(asha)


@pytest.fixture
def buy_url(scheme) -> str:
    return f"/funds/{scheme.isin}/buy/"


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    """Messages leave after the commit, which a test's transaction never reaches by itself."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def confirmed_by_code(browser, buy_url, asha, on_commit, **changes: object):
    page = browser.get(buy_url)
    with on_commit():
        asked = browser.post(buy_url, {**answers(asha, **changes), **form_of(page)})
    assert asked.status_code == 302, asked.content.decode()
    return asked["Location"]


def test_leads_from_the_amount_over_the_code_to_one_order(browser, asha, buy_url, on_commit):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    page = browser.get(confirm_url).content.decode()
    assert "₹5,000.00" in page
    assert "HDFC" in page
    assert MfOrder.objects.count() == 0, "nothing is ordered before the code"
    done = browser.post(confirm_url, {"otp": newest_code()})
    order = MfOrder.objects.get()
    assert done["Location"] == f"/orders/{order.code}/"
    assert order.amount == 5000
    assert escape(order.prediction) in page


def test_refresh_back_and_a_second_tab_lead_to_the_same_order(browser, asha, buy_url, on_commit):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    otp = newest_code()
    first = browser.post(confirm_url, {"otp": otp})
    again = browser.post(confirm_url, {"otp": otp})
    back = browser.get(confirm_url)
    assert first["Location"] == again["Location"] == back["Location"]
    assert MfOrder.objects.count() == 1


def test_the_same_form_sent_twice_asks_for_one_consent(browser, asha, buy_url, on_commit):
    page = browser.get(buy_url)
    sent = {**answers(asha), **form_of(page)}
    with on_commit():
        places = {browser.post(buy_url, sent)["Location"] for _ in range(2)}
    assert len(places) == 1
    assert Consent.objects.count() == 1
    assert len(mail.outbox) == 1


def test_buying_the_same_again_needs_an_explicit_yes(browser, asha, buy_url, on_commit):
    browser.post(confirmed_by_code(browser, buy_url, asha, on_commit), {"otp": newest_code()})
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    assert "You bought the same a short while ago" in browser.get(confirm_url).content.decode()
    refused_by(browser, confirm_url, {"otp": newest_code()})
    assert MfOrder.objects.count() == 1
    browser.post(confirm_url, {"otp": newest_code(), "buy_again": "on"})
    assert MfOrder.objects.count() == 2


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("", "Enter how much you want to invest."),
        ("abc", "Enter the amount in whole rupees"),
        ("5000.50", "Enter whole rupees"),
        ("0", "at least ₹1"),
        ("-5", "at least ₹1"),
        ("1", "The least you can put into this fund is"),
        ("9" * 40, "more than anybody can invest"),
        ("NaN", "Enter the amount in whole rupees"),
        ("1e400", "Enter the amount in whole rupees"),
        ("1e5", "Enter the amount in whole rupees"),
        ("५०००", "Enter the amount in whole rupees"),
        ("5000\x00", "Enter the amount in whole rupees"),
    ],
)
def test_says_at_the_field_what_is_wrong_with_an_amount(browser, asha, scheme, buy_url, amount, words):
    page = browser.get(buy_url)
    refused = refused_by(browser, buy_url, {**answers(asha, amount=amount), **form_of(page)})
    assert words in refused.content.decode()
    assert not Consent.objects.exists()


@pytest.mark.parametrize("amount", ["5000", "5,000", "₹ 5,000.00", "5000/-", " 5 000 "])
def test_takes_an_amount_as_people_write_it(browser, asha, buy_url, on_commit, amount):
    confirmed_by_code(browser, buy_url, asha, on_commit, amount=amount)
    assert Consent.objects.get().amount == 5_000


@pytest.mark.parametrize("between", ["", " ", "-"])
def test_takes_a_code_as_people_type_it(browser, asha, buy_url, on_commit, between):
    address = confirmed_by_code(browser, buy_url, asha, on_commit)
    code = newest_code()
    assert "/orders/ORD-" in browser.post(address, {"otp": f" {code[:3]}{between}{code[3:]} "})["Location"]


def test_pays_only_from_an_account_of_ones_own(browser, asha, chitra, buy_url):
    page = browser.get(buy_url)
    foreign = chitra.bankaccounts.get(is_primary=True)
    refused_by(browser, buy_url, {**answers(asha, bank_account=foreign.code), **form_of(page)})
    assert not Consent.objects.exists()


def test_a_wrong_code_orders_nothing_and_says_so_at_the_field(browser, asha, buy_url, on_commit):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    wrong = "000000" if newest_code() != "000000" else "111111"
    refused = refused_by(browser, confirm_url, {"otp": wrong})
    assert "does not match" in refused.content.decode()
    assert not MfOrder.objects.exists()


def test_a_form_reused_after_a_day_orders_nothing(browser, asha, buy_url, on_commit, at):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    otp = newest_code()
    at(clock.now() + timedelta(days=1))
    browser.post(confirm_url, {"otp": otp})
    assert not MfOrder.objects.exists()


def test_somebody_elses_confirmation_and_order_are_not_there(browser, asha, chitra, buy_url, on_commit, client_for):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    stranger = client_for(chitra)
    assert stranger.get(confirm_url).status_code == 404
    assert stranger.post(confirm_url, {"otp": newest_code()}).status_code == 404
    order = factories.OrderFactory(investor=asha)
    assert stranger.get(f"/orders/{order.code}/").status_code == 404


def test_an_investor_who_is_not_ready_is_led_to_what_is_missing(client_for, bharat, scheme, buy_url):
    assert client_for(bharat).get(buy_url)["Location"] == "/onboarding/"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("CREATED", "Your order is on record"),
        ("SUBMITTING", "Your order is being sent"),
        ("AWAITING_PAYMENT", "Your payment page is being prepared"),
        ("PAID", "Your bank has confirmed the payment"),
        ("PLACED", "The fund house has your order"),
        ("ALLOTTED", "Units allotted"),
        ("REJECTED", "The order was not accepted"),
        ("EXPIRED", "The order has expired"),
        ("CANCELLED", "The order was cancelled"),
        ("REVERSED", "The fund house took the order back"),
    ],
)
def test_says_for_each_state_what_happened_and_refreshes_itself_while_open(db, client_for, state, words):
    order = factories.OrderFactory(state=state)
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert words in page
    is_open = state in ("CREATED", "SUBMITTING", "AWAITING_PAYMENT", "PAID", "PLACED")
    assert ("hx-trigger" in page.split('id="order-status"')[1][:400]) == is_open
    assert "Pay ₹" not in page, "there is no page to pay on yet"


@pytest.mark.parametrize(
    ("happened", "words", "button"),
    [
        ([], "Your payment page is being prepared", ""),
        (["started"], "Your payment page is being prepared", ""),
        (["started", "opened"], "Your order waits for your payment", "Pay ₹5,000.00"),
        (["started", "opened", "handed_over"], "We are asking the bank", "I did not pay"),
        (["started", "opened", "handed_over", "failed"], "Your order waits for your payment", "Try to pay again"),
        (["opened", "handed_over", "failed", "started"], "Your payment page is being prepared", ""),
    ],
)
def test_says_where_the_payment_stands(db, client_for, happened, words, button):
    order = factories.OrderFactory(state="AWAITING_PAYMENT")
    for event in happened:
        news.note_payment(order_id=order.pk, event=event, at=clock.now(), payment="PAY-1")
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert words in page
    shown = [text for text in ("Pay ₹5,000.00", "I did not pay", "Try to pay again") if text in page]
    assert shown == ([button] if button else [])


def test_a_fragment_and_the_page_say_the_same(db, client_for):
    order = factories.OrderFactory(state="PLACED")
    browser = client_for(order.investor)
    fragment = browser.get(f"/orders/{order.code}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'id="order-status"' in fragment
    assert "The fund house has your order" in fragment


def test_the_list_pages_by_key_and_keeps_its_filter(db, client_for):
    investor = factories.ReadyInvestorFactory()
    scheme = factories.SchemeFactory()
    factories.OrderFactory.create_batch(23, investor=investor, scheme=scheme, state="PLACED")
    factories.OrderFactory(investor=investor, scheme=scheme, state="REJECTED")
    browser = client_for(investor)
    first = browser.get("/orders/?show=open").content.decode()
    following = re.search(r'href="(\?show=open&amp;before=\d+)"', first).group(1).replace("&amp;", "&")
    second = browser.get(f"/orders/{following}").content.decode()
    codes = [re.findall(r"ORD-[0-9A-Z]{12}", page) for page in (first, second)]
    assert [len(set(found)) for found in codes] == [20, 3]
    assert not set(codes[0]) & set(codes[1])


def test_the_order_page_costs_few_statements(db, client_for, django_assert_max_num_queries):
    order = factories.OrderFactory(state="ALLOTTED")
    browser = client_for(order.investor)
    with django_assert_max_num_queries(5):
        browser.get(f"/orders/{order.code}/")


def test_the_order_list_costs_the_same_for_one_order_and_for_twenty(db, client_for, django_assert_max_num_queries):
    investor = factories.ReadyInvestorFactory()
    factories.OrderFactory.create_batch(20, investor=investor, scheme=factories.SchemeFactory())
    browser = client_for(investor)
    with django_assert_max_num_queries(4):
        browser.get("/orders/")


def test_placing_an_order_costs_at_most_ten_statements(browser, asha, buy_url, on_commit):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    otp = newest_code()
    with CaptureQueriesContext(connection) as asked:
        browser.post(confirm_url, {"otp": otp})
    # A test runs inside a transaction, so BEGIN and COMMIT are savepoints; a web process never sets the scope back.
    artefacts = ("SAVEPOINT", "RELEASE", "SELECT set_config('portal.scope', 'all'")
    statements = [each["sql"] for each in asked if not each["sql"].startswith(artefacts)]
    assert len(statements) <= 10, "\n".join(statements)
    assert MfOrder.objects.count() == 1


def test_after_the_cut_off_the_investor_is_shown_the_new_day_and_asked_again(browser, asha, buy_url, on_commit, at):
    at("2026-11-18T14:25")
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    assert "18 Nov 2026" in browser.get(confirm_url).content.decode()
    otp = newest_code()
    at("2026-11-18T14:31")
    with on_commit():
        asked_again = browser.post(confirm_url, {"otp": otp})
    assert asked_again["Location"] == confirm_url
    assert not MfOrder.objects.exists()
    page = browser.get(confirm_url).content.decode()
    assert "has changed since we showed it to you" in page
    assert "19 Nov 2026" in page
    assert len(mail.outbox) == 2
    browser.post(confirm_url, {"otp": newest_code()})
    assert MfOrder.objects.get().predicted_nav_on.isoformat() == "2026-11-19"


def test_wrong_codes_stay_counted_although_nothing_else_is_kept(browser, asha, buy_url, on_commit):
    confirm_url = confirmed_by_code(browser, buy_url, asha, on_commit)
    wrong = "000000" if newest_code() != "000000" else "111111"
    for _ in range(5):
        browser.post(confirm_url, {"otp": wrong})
    assert Consent.objects.get().tries == 5
    assert "confirmation is closed" in refused_by(browser, confirm_url, {"otp": newest_code()}).content.decode()
    assert not MfOrder.objects.exists()


@pytest.mark.parametrize(
    ("state", "code", "label", "where"),
    [
        ("REJECTED", "", "Order again", "/funds/{isin}/buy/?amount=5000"),
        ("REJECTED", "pan_kyc_incomplete", "See your KYC", "/profile/"),
        ("REJECTED", "scheme_invalid", "Find another fund", "/funds/"),
        ("REJECTED", "amount_invalid", "Choose another amount", "/funds/{isin}/buy/?amount=5000"),
        ("REJECTED", "bank_invalid", "Write to us", "/about/"),
        ("EXPIRED", "", "Order again", "/funds/{isin}/buy/?amount=5000"),
        ("CANCELLED", "", "Order again", "/funds/{isin}/buy/?amount=5000"),
    ],
)
def test_an_order_that_ended_without_units_names_the_next_step(db, client_for, state, code, label, where):
    order = factories.OrderFactory(state=state, failure_code=code)
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    link = re.search(r'<a class="btn btn-primary[^"]*" href="([^"]+)">([^<]+)</a>', page)
    assert link, page
    assert (link.group(2), link.group(1)) == (label, where.format(isin=order.scheme.isin))
    assert "comes back to the same account" in page


def test_money_that_is_known_to_have_left_the_bank_is_not_spoken_of_with_an_if(db, client_for):
    order = factories.OrderFactory(state="REJECTED")
    audit.record(order, "order.paid", actor=None, at=clock.now())
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert "Your money comes back to the same account" in page
    assert "If money has left" not in page


@pytest.mark.parametrize("state", ["AWAITING_PAYMENT", "PLACED", "ALLOTTED", "REVERSED"])
def test_an_order_that_goes_on_or_is_followed_up_sends_nobody_away(db, client_for, state):
    order = factories.OrderFactory(state=state)
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert not [label for label, _ in words.NEXT.values() if f">{label}<" in page]


def test_nothing_is_called_paid_before_it_is(db, client_for):
    order = factories.OrderFactory(state="AWAITING_PAYMENT")
    browser = client_for(order.investor)
    assert "Paid from" not in browser.get(f"/orders/{order.code}/").content.decode()
    audit.record(order, "order.paid", actor=None, at=clock.now())
    assert "Paid from" in browser.get(f"/orders/{order.code}/").content.decode()


def test_the_money_does_not_arrive_after_the_units(db, client_for):
    order = factories.OrderFactory(state="ALLOTTED")
    for action in ("order.paid", "order.allotted", "payment.settled"):
        audit.record(order, action, actor=None, at=clock.now())
    page = client_for(order.investor).get(f"/orders/{order.code}/").content.decode()
    assert "Units allotted" in page
    assert "The money has arrived" not in page


def test_who_holds_the_fund_sees_the_bounds_of_a_further_purchase(browser, asha, scheme, buy_url):
    scheme.min_first, scheme.min_more = 5000, 1000
    scheme.save()
    assert "First purchase: from ₹5,000" in browser.get(buy_url).content.decode()
    factories.HoldingFactory(investor=asha, scheme=scheme)
    assert "Further purchase: from ₹1,000" in browser.get(buy_url).content.decode()


@pytest.mark.parametrize(("gateway", "ways"), [("RTA", ["UPI", "NETBANKING", "CARD"]), ("BSE", ["NETBANKING"])])
def test_offers_the_ways_of_paying_that_the_gateway_has(browser, buy_url, settings, gateway, ways):
    settings.FP_ORDER_GATEWAY = gateway
    page = browser.get(buy_url).content.decode()
    assert re.findall(r'name="payment_method" value="(\w+)"', page) == ways


def test_an_approved_mandate_is_offered_with_what_it_costs(browser, buy_url, asha, at):
    at("2026-11-19T11:00")
    mandate = factories.MandateFactory(bank_account=asha.bankaccounts.get())
    page = browser.get(buy_url).content.decode()
    assert f'value="NACH:{mandate.code}"' in page
    assert "NAV of 19 Nov 2026 if you pay now" in page
    assert "NAV of 23 Nov 2026: 4 days later than the quickest way" in page


def test_the_code_for_a_new_folio_covers_the_nominee_and_that_it_is_execution_only(browser, asha, buy_url, on_commit):
    address = confirmed_by_code(browser, buy_url, asha, on_commit)
    page, message = browser.get(address).content.decode(), " ".join(mail.outbox[-1].body.split())
    for text in ("Nobody, as you declared", "This order is execution only"):
        assert text in page
        assert text in message
    assert Consent.objects.get().shown["declaration"].startswith("I chose this fund myself")


def test_the_amount_survives_a_session_that_has_ended(browser, asha, buy_url):
    page = browser.get(buy_url)
    fields = {**answers(asha, amount="7000"), **form_of(page), typed.FIELD: typed.token(asha.user_id)}
    Session.objects.all().delete()
    answer = browser.post(buy_url, fields)
    browser.post(answer["Location"], {"login": asha.user.email, "password": factories.PASSWORD})
    assert 'value="7000"' in browser.get(buy_url).content.decode()
    assert not Consent.objects.exists()


@pytest.mark.parametrize("page", ["/orders/", "/stock-orders/", "/notices/"])
@pytest.mark.parametrize("before", ["\u00b2", "9" * 20, "-1", "x"])
def test_a_page_that_begins_nowhere_is_the_first(asha, client_for, page, before):
    assert client_for(asha).get(page, {"before": before}).status_code == 200


def test_that_the_investor_was_written_to_says_nothing_about_paying():
    at = clock.now()
    story = [Told("payment.started", at, {}), Told("payment.failed", at, {}), Told("payment.investor_told", at, {})]
    assert order_queries.paying(story) == order_queries.Paying.FAILED


def test_the_order_of_an_instalment_is_called_one_in_the_list(client_for):
    plan = factories.PlanFactory()
    at_hand = {"investor": plan.investor, "scheme": plan.scheme, "bank_account": plan.mandate.bank_account}
    factories.OrderFactory(
        **at_hand, plan=plan, instalment_on=plan.first_on, mandate=plan.mandate, payment_method="NACH", consent=None,
        state="AWAITING_PAYMENT",
    )  # fmt: skip
    factories.OrderFactory(investor=plan.investor, state="AWAITING_PAYMENT")
    page = client_for(plan.investor).get("/orders/").content.decode()
    assert (page.count("SIP instalment ·"), page.count("Purchase ·")) == (1, 1)


# --- the registration of the distributor ------------------------------------------------------------------------


def test_without_a_valid_arn_nothing_new_is_offered_or_taken(asha, scheme, client_for, settings, given):
    consent = given(asha)
    settings.ARN_VALID_UNTIL = clock.today() - timedelta(days=1)
    browser, words = client_for(asha), "Our registration with AMFI ended on"
    for url in (f"/funds/{scheme.isin}/", f"/funds/{scheme.isin}/buy/", f"/funds/{scheme.isin}/sip/"):
        assert words in browser.get(url).content.decode(), url
    with pytest.raises(purchases.NotForSale, match=words):
        purchases.confirm(investor=asha, code=consent.code, otp="", buy_again=False, ip=None, at=clock.now())
    assert not MfOrder.objects.exists()
