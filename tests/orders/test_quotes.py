"""Prices from a broker's feed: asked for once for everybody, shown with their time, and never waited for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from brokers.fivepaisa.client import client as fivepaisa
from brokers.operations import codes
from brokers.operations import quotes as calls
from orders import market, personal
from orders.models import Depth, Quote, Security, SecurityCode, WatchedShare
from orders.operations import quotes, securities, watchlist
from orders.operations.securities import Coded
from portal import clock, jobs
from portal.models import Case, GatewayCall
from tests import factories

TRADING = "2026-11-20T11:00"
FAR = datetime(2026, 11, 20, 11, 0, tzinfo=clock.IST)


@pytest.fixture
def nudged(monkeypatch):
    """What workers are asked to do, instead of asking them."""
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(jobs, "nudge", lambda task, **kwargs: asked.append({"task": task, **kwargs}))
    return asked


@pytest.fixture
def listed(sandbox, at):
    """ITC and TCS with their codes, on a day on which the exchange trades."""
    at(TRADING)
    shares = [
        factories.SecurityFactory(symbol=symbol, isin=isin)
        for symbol, isin in (("ITC", "INE154A01025"), ("TCS", "INE467B01029"))
    ]
    for share, code in zip(shares, ("1660", "11536"), strict=True):
        SecurityCode.objects.create(security=share, broker="5paisa", segment="N", code=code, refreshed_at=clock.now())
    return shares


def logged_in(sandbox, investor):
    """The investor's 5paisa account with a session that the sandbox takes."""
    token = sandbox.call("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    found = fivepaisa().create_access_token(token)
    return factories.BrokerAccountFactory(
        investor=investor, account_ref=found.client_code, session=found.access_token, linked_at=clock.now()
    )


def look(ids, investor_id, depth_of=()):
    """Somebody looks, and a worker does what that asked for."""
    quotes.want(security_ids=ids, at=clock.now(), investor_id=investor_id)
    quotes.want(security_ids=depth_of, at=clock.now(), depth=True)
    calls.refresh(asked={Quote: ids, Depth: depth_of}, investor_id=investor_id, at=clock.now())


# --- one call for everybody -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_thousand_looks_at_fifty_shares_claim_one_refresh(nudged):
    ids = [factories.SecurityFactory().pk for _ in range(50)]
    for _ in range(1_000):
        quotes.want(security_ids=ids, at=FAR)
    assert [each["quotes"] for each in nudged] == [ids]


@pytest.mark.django_db
def test_a_price_that_has_grown_old_is_claimed_again_and_one_still_being_asked_for_is_not(nudged):
    share = factories.SecurityFactory()
    quotes.want(security_ids=[share.pk], at=FAR)
    quotes.want(security_ids=[share.pk], at=FAR + timedelta(seconds=6))
    assert len(nudged) == 1, "the first call has not come back"
    Quote.objects.update(settled_at=FAR + timedelta(seconds=1))
    quotes.want(security_ids=[share.pk], at=FAR + timedelta(seconds=4))
    assert len(nudged) == 1, "it is fresh"
    quotes.want(security_ids=[share.pk], at=FAR + timedelta(seconds=6))
    assert len(nudged) == 2


@pytest.mark.django_db
def test_a_refresh_that_was_lost_is_claimed_again(nudged):
    share = factories.SecurityFactory()
    quotes.want(security_ids=[share.pk], at=FAR)
    quotes.want(security_ids=[share.pk], at=FAR + timedelta(seconds=quotes.LEASE_S))
    assert len(nudged) == 2


@pytest.mark.django_db
def test_outside_the_hours_of_the_exchange_a_price_stays_fresh_for_minutes(nudged):
    share, night = factories.SecurityFactory(), FAR.replace(hour=21)
    quotes.want(security_ids=[share.pk], at=night)
    Quote.objects.update(settled_at=night)
    quotes.want(security_ids=[share.pk], at=night + timedelta(seconds=60))
    assert len(nudged) == 1


@pytest.mark.django_db
def test_only_who_wants_the_order_book_asks_for_it(nudged):
    share = factories.SecurityFactory()
    quotes.want(security_ids=[share.pk], at=FAR)
    quotes.want(security_ids=[share.pk], at=FAR, depth=True)
    assert [(each["quotes"], each["depths"]) for each in nudged] == [([share.pk], []), ([], [share.pk])]


# --- what the broker says ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_session_of_the_viewer_reads_prices_for_everybody(sandbox, asha, listed):
    logged_in(sandbox, asha)
    ids = [share.pk for share in listed]
    look(ids, asha.pk, depth_of=ids[:1])
    for share in Security.objects.select_related("quote"):
        assert share.quote.low <= share.quote.last <= share.quote.high
        assert share.quote.lower_circuit < share.quote.last < share.quote.upper_circuit
        assert (share.last_price, share.priced_at) == (share.quote.last, share.quote.quoted_at)
    assert len(Depth.objects.get().bids) == 5
    asked = GatewayCall.objects.filter(provider="5paisa", path__contains="Market").values_list("path", flat=True)
    assert sorted(path.rsplit("/", 1)[1] for path in asked) == ["MarketDepth", "MarketSnapshot"]


@pytest.mark.django_db
def test_without_any_session_nothing_is_asked_and_the_page_says_so(sandbox, asha, listed, client_for):
    Security.objects.update(last_price=Decimal("440.00"), priced_at=FAR.replace(day=19, hour=15, minute=30))
    look([listed[0].pk], asha.pk)
    assert not GatewayCall.objects.filter(provider="5paisa").exists()
    page = client_for(asha).get(f"/shares/{listed[0].isin}/").content.decode()
    assert "₹440.00" in page
    assert "NSE&#x27;s close, 19 Nov 2026" in page
    assert "Connect a 5paisa account" in page


@pytest.mark.django_db
def test_a_look_without_a_session_keeps_nobody_with_one_waiting(sandbox, asha, listed, nudged):
    look([listed[0].pk], None)
    logged_in(sandbox, asha)
    nudged.clear()
    quotes.want(security_ids=[listed[0].pk], at=clock.now())
    assert not nudged, "who could not ask rests a moment"
    quotes.want(security_ids=[listed[0].pk], at=clock.now(), investor_id=asha.pk)
    assert [each["investor_id"] for each in nudged] == [asha.pk]


@pytest.mark.django_db
def test_another_investor_s_session_is_never_used(sandbox, asha, chitra, listed):
    logged_in(sandbox, chitra)
    look([listed[0].pk], asha.pk)
    assert Quote.objects.get().trouble == Quote.Trouble.NO_SESSION


@pytest.mark.django_db
def test_the_account_of_the_house_reads_prices_for_visitors(sandbox, chitra, listed, settings):
    settings.MARKET_FEED_ACCOUNT = logged_in(sandbox, chitra).code
    look([listed[0].pk], None)
    assert Quote.objects.get().last > 0


@pytest.mark.django_db
def test_a_session_that_5paisa_no_longer_takes_is_forgotten_and_the_old_price_stays(sandbox, asha, listed):
    account = factories.BrokerAccountFactory(investor=asha, session="not-a-token", linked_at=clock.now())
    Quote.objects.create(security=listed[0], last=Decimal(440), quoted_at=FAR)
    look([listed[0].pk], asha.pk)
    account.refresh_from_db()
    quote = Quote.objects.get()
    assert (account.session, quote.last, quote.trouble) == (None, Decimal(440), Quote.Trouble.NO_ANSWER)


@pytest.mark.django_db
def test_a_share_without_a_code_is_told_apart_and_the_others_are_priced(sandbox, asha, listed):
    logged_in(sandbox, asha)
    SecurityCode.objects.filter(security=listed[1]).delete()
    look([each.pk for each in listed], asha.pk)
    troubles = dict(Quote.objects.values_list("security__symbol", "trouble"))
    assert troubles == {"ITC": "", "TCS": Quote.Trouble.NO_CODE}


@pytest.mark.django_db
def test_a_live_price_does_not_keep_the_day_s_closes_from_the_other_shares(sandbox, at):
    at("2026-11-20T21:00")
    securities.sync(at=clock.now())
    itc = Security.objects.get(symbol="ITC")
    securities.note_prices({itc.pk: (Decimal(1), clock.now())})
    assert securities.refresh_prices(at=clock.now()) == clock.now().date()
    itc.refresh_from_db()
    assert itc.last_price == 1, "what is newer than the close stays"


# --- codes ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_master_names_the_shares_for_both_brokers_and_what_is_missing_is_a_case(sandbox):
    securities.sync(at=clock.now())
    factories.SecurityFactory(symbol="NOWHERE")
    done = codes.refresh(at=clock.now())
    assert done.without_code == ("NOWHERE",)
    itc = dict(SecurityCode.objects.filter(security__symbol="ITC").values_list("broker", "code"))
    assert itc == {"5paisa": "1660", "odin": "1660"}
    assert "NOWHERE: no code" in Case.objects.get(kind=codes.MISMATCH_CASE, state="OPEN").detail
    Security.objects.filter(symbol="NOWHERE").update(is_active=False)
    codes.refresh(at=clock.now())
    assert not Case.objects.filter(kind=codes.MISMATCH_CASE, state="OPEN").exists()


@pytest.mark.django_db
def test_a_symbol_with_another_isin_is_named():
    share = factories.SecurityFactory(symbol="SPLIT", isin="INE000A01010")
    done = securities.take_codes(
        broker="5paisa", segments=["N"], codes=[Coded("N", "1", "INE000A01028", "SPLIT")], at=FAR
    )
    assert done.other_isin == ("SPLIT: INE000A01028 there",)
    assert not share.codes.exists()


# --- hours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "is_open", "title", "text"),
    [
        ("2026-11-20T09:14", False, "Pre-open session", "09:15"),
        ("2026-11-20T09:15", True, "Market open", "15:30"),
        ("2026-11-20T15:29", True, "Market open", "15:30"),
        ("2026-11-20T15:30", False, "Market closed", "Monday 23 Nov 2026"),
        ("2026-11-21T11:00", False, "Market closed", "Monday 23 Nov 2026"),
        ("2026-11-23T08:00", False, "Market closed", "today"),
        ("2026-11-23T16:00", False, "Market closed", "Wednesday 25 Nov 2026"),
    ],
)
def test_the_hours_of_the_exchange(moment, is_open, title, text):
    holidays = frozenset({datetime(2026, 11, 24).date()})
    said = market.hours(datetime.fromisoformat(moment).replace(tzinfo=clock.IST), holidays)
    assert (said.is_open, said.title) == (is_open, title)
    assert text in said.text


# --- the watchlist ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_shares_are_added_once_moved_and_removed(asha, client_for):
    browser, shares = client_for(asha), [factories.SecurityFactory() for _ in range(3)]

    def press(act, share):
        browser.post("/watchlist/", {"act": act, "isin": share.isin})

    for share in (*shares, shares[0]):
        press("add", share)
    press("up", shares[2])
    press("up", shares[0])
    press("remove", shares[1])
    assert list(WatchedShare.objects.values_list("security", "position")) == [(shares[0].pk, 1), (shares[2].pk, 2)]
    page = browser.get("/watchlist/").content.decode()
    assert page.index(shares[0].name) < page.index(shares[2].name)


@pytest.mark.django_db
def test_the_fifty_first_share_is_refused_by_the_operation_and_by_the_database(asha):
    for _ in range(50):
        watchlist.add(investor=asha, security=factories.SecurityFactory(), at=FAR)
    with pytest.raises(watchlist.ListFull):
        watchlist.add(investor=asha, security=factories.SecurityFactory(), at=FAR)
    with pytest.raises(IntegrityError), transaction.atomic():
        WatchedShare.objects.create(investor=asha, security=factories.SecurityFactory(), position=51, added_at=FAR)


@pytest.mark.django_db
def test_a_watchlist_of_fifty_costs_few_statements(asha, client_for, django_assert_max_num_queries):
    for _ in range(50):
        watchlist.add(investor=asha, security=factories.SecurityFactory(), at=clock.now())
    browser = client_for(asha)
    browser.get("/watchlist/")
    with django_assert_max_num_queries(9):
        assert browser.get("/watchlist/", headers={"HX-Request": "true"}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "budget"),
    [("/shares/?q=share", 5), ("/shares/{isin}/", 15), ("/shares/{isin}/buy/", 18), ("/portfolio/shares/", 15)],
)
def test_each_page_costs_few_statements_however_many_shares(
    asha, client_for, django_assert_max_num_queries, address, budget
):
    shares = [factories.SecurityFactory(last_price=Decimal(1), priced_at=FAR) for _ in range(30)]
    for share in shares:
        factories.StockHoldingFactory(investor=asha, security=share, account_ref="A1")
    browser, address = client_for(asha), address.format(isin=shares[0].isin)
    browser.get(address)
    with django_assert_max_num_queries(budget):
        assert browser.get(address).status_code == 200


@pytest.mark.django_db
def test_the_button_leads_back_to_our_pages_only(asha, client_for):
    share = factories.SecurityFactory()
    for wanted, to in (
        (f"/shares/{share.isin}/", f"/shares/{share.isin}/"),
        ("https://evil.example/shares/", "/watchlist/"),
        ("//evil.example/", "/watchlist/"),
    ):
        answer = client_for(asha).post("/watchlist/", {"act": "add", "isin": share.isin, "back": wanted})
        assert answer["Location"] == to


@pytest.mark.django_db
def test_a_share_is_found_by_symbol_name_and_isin(client):
    share = factories.SecurityFactory(symbol="QUIL", name="Quillfeather Works Limited")
    for text in ("quil", "feather", share.isin.lower()):
        assert share.name in client.get("/shares/", {"q": text}).content.decode(), text
    assert "No share found" in client.get("/shares/", {"q": "nothing like it"}).content.decode()
    assert "at least two letters" in client.get("/shares/", {"q": "q"}).content.decode()


@pytest.mark.django_db
def test_who_is_forgotten_is_not_known_by_what_they_watched(asha, chitra):
    for investor in (asha, chitra):
        watchlist.add(investor=investor, security=factories.SecurityFactory(), at=FAR)
    assert personal.erase(asha)["shares watched"] == 1
    assert list(WatchedShare.objects.values_list("investor", flat=True)) == [chitra.pk]
