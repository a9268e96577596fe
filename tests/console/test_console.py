"""The console of partners: what its people see and do, and that nobody else gets there."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from urllib.parse import unquote_plus, urljoin

import pytest
from allauth.mfa.models import Authenticator
from django.forms import Form
from django.urls import reverse

from investors.models import Invite
from orders.models import Approval
from portal import clock, identifiers
from portal.api import firms, partners
from portal.console import forms
from portal.console.urls import urlpatterns
from portal.models import AuditEntry, FirmRequest
from portal.notices.models import Notice
from portal.webhooks import feed, signing
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests import factories
from tests.element_ids import named_twice
from tests.webhooks.receivers import receiver
from tests.webhooks.test_events import commit, link

pytestmark = pytest.mark.django_db


class Firm:
    """A partner with a person, an investor who holds and orders, an invitation, an endpoint and its log."""

    def __init__(self, investor, rupees):
        self.rupees = rupees
        self.partner = factories.PartnerFactory(name=f"The firm of {investor.name}")
        self.person = factories.UserFactory()
        partners.add_member(partner=self.partner, user=self.person, actor="test", at=clock.now())
        self.investor = investor
        link(investor, self.partner)
        self.endpoint = factories.EndpointFactory(partner=self.partner)
        self.order = factories.OrderFactory(investor=investor, amount=Decimal(rupees.replace(",", "")))
        self.holding = factories.HoldingFactory(investor=investor)
        self.plan = factories.PlanFactory(investor=investor)
        self.invite = factories.InviteFactory(partner=self.partner, name="Jyoti Quillfeather")
        self.approval = factories.ApprovalFactory(investor=investor, partner=self.partner)
        factories.ApprovalLineFactory(investor=investor, approval=self.approval)
        self.transfer = factories.TransferFactory(investor=investor, from_partner=self.partner)
        earned = {"folio": self.holding.folio, "scheme": self.holding.scheme, "partner": self.partner}
        self.month = factories.CommissionMonthFactory(**earned)
        self.payout = factories.payout_of(self.partner, [factories.CommissionLineFactory(**earned)])
        self.firm_request = firms.ask(
            head=self.partner, name=f"Branch of {investor.name}", arn="ARN-7", email="branch@firm.example",
            basis="agreed", actor=self.person, at=clock.now(),
        )  # fmt: skip
        commit()
        self.delivery = self.endpoint.deliveries.first()
        self.delivery.log.create(
            partner=self.partner,
            at=clock.now(),
            took_ms=12,
            status=500,
            answer=f"oh no, {rupees}",
            error="Answered in trouble.",
        )
        self.event = feed.of_partner(self.partner.pk).first()

    def address(self, name):
        ids = {
            "investor": [self.investor.code],
            "invite_act": [self.invite.code, "withdraw"],
            "webhook": [self.endpoint.code],
            "webhook_kinds": [self.endpoint.code],
            "webhook_secret": [self.endpoint.code],
            "webhook_signature": [self.endpoint.code],
            "webhook_delivery": [self.endpoint.code, self.delivery.pk],
            "webhook_act": [self.endpoint.code, "rotate"],
            "event": [self.event.code],
            "investor_ask": [self.investor.code],
            "approval_act": [self.approval.code, "remind"],
            "transfer_object": [self.transfer.code],
            "firm_withdraw": [self.firm_request.code],
            "earnings_month": ["2026-10"],
            "earnings_file": ["2026-10"],
            "earnings_holdings": ["2026-10"],
            "earnings_holding": ["2026-10", self.month.pk],
            "payout": [self.payout.code],
            "key_rotate": ["none-such"],
            "key_revoke": ["none-such"],
        }
        return reverse(f"console:{name}", args=ids.get(name, []))

    @property
    def words(self):
        return [
            self.investor.name, self.investor.code, self.order.code, self.endpoint.code, self.endpoint.url,
            self.invite.code, self.event.code, self.partner.name, self.rupees, f"oh no, {self.rupees}",
            self.endpoint.secret, self.holding.folio.number, self.payout.code, self.payout.utr,
        ]  # fmt: skip


@pytest.fixture
def north(asha):
    return Firm(asha, "73,519")


@pytest.fixture
def south(chitra):
    return Firm(chitra, "81,917")


@pytest.fixture
def browse(client_for):
    """`browse(person)`: a browser in which they have just typed their password."""

    def make(person):
        browser = client_for(person)
        assert browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD}).status_code == 302
        return browser

    return make


NAMES = [route.name for route in urlpatterns]
# Pages without an id in their address: a month is everybody's.
OPEN = (
    "home", "investors", "invite", "approvals", "keys", "key_add", "key_secret", "webhooks", "webhook_add", "events",
    "transfers", "earnings", "earnings_month", "earnings_file", "earnings_holdings", "payouts", "firms", "firm_ask",
)  # fmt: skip
NOT_READ = (
    "firm_withdraw",
    "invite_act",
    "approval_act",
    "webhook_act",
    "webhook_kinds",
    "key_rotate",
    "key_revoke",
    "key_secret",
)
READ = [name for name in NAMES if name not in NOT_READ]


# --- whose it is ------------------------------------------------------------------------------------------------


def test_every_page_opens_for_its_people_and_shows_the_firms_own(north, browse):
    browser, seen = browse(north.person), ""
    for name in READ:
        answer = browser.get(north.address(name))
        assert answer.status_code == 200, name
        seen += (shown := answer.content.decode())
        assert named_twice(shown) == [], name
    missing = [word for word in north.words if word not in seen]
    assert not missing, "the matrix below would not notice a leak of these"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_one_partner_is_seen_or_changed_by_another(north, south, browse, name):
    browser = browse(south.person)
    before = _state(north)
    for ask in (browser.get, browser.post):
        answer = ask(north.address(name), {"kinds": "sip", "email": "x@example.com"})
        if name in OPEN:
            assert answer.status_code in (200, 302, 303, 405)
        else:
            assert answer.status_code in (404, 405), answer.status_code
        leaked = [word for word in north.words if word in answer.content.decode()]
        assert not leaked
    assert _state(north) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_views_hold_without_the_wall_below_them(north, south, browse, name, monkeypatch):
    monkeypatch.setattr(partners, "scope_of", lambda *_: "all")
    test_nothing_of_one_partner_is_seen_or_changed_by_another(north, south, browse, name)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_gets_into_the_console(north, chitra, dev, client_for, name):
    former = factories.UserFactory()
    member = partners.add_member(partner=north.partner, user=former, actor="test", at=clock.now())
    partners.end_member(member=member, actor="test", reason="left", at=clock.now())
    before = _state(north)
    for person in (None, chitra.user, north.investor.user, dev, former):
        for method in ("get", "post"):
            answer = getattr(client_for(person), method)(north.address(name))
            assert answer.status_code in ((302, 405) if person is None else (404, 405)), (person, method)
    assert _state(north) == before


def _state(firm):
    rows = [*WebhookEndpoint.objects.filter(partner=firm.partner).order_by("pk").values()]
    rows += WebhookDelivery.objects.filter(partner=firm.partner).order_by("pk").values()
    rows += Invite.objects.filter(partner=firm.partner).order_by("pk").values()
    rows += FirmRequest.objects.filter(head=firm.partner).order_by("pk").values()
    rows += firm.investor.transfers.order_by("pk").values()
    return rows


def test_orders_of_an_investor_read_as_for_somebody_who_looks_on(north, client_for):
    factories.OrderFactory(investor=north.investor, state="AWAITING_PAYMENT")
    browser = client_for(north.person)
    page = browser.get(reverse("console:investor", args=[north.investor.code])).content.decode()
    assert "Waits for payment" in page
    assert "Pay now" not in page + browser.get(reverse("console:home")).content.decode()


@pytest.mark.parametrize("name", ["webhook", "approvals"])
def test_no_two_things_of_a_page_have_one_id(north, client_for, name):
    page = client_for(north.person).get(north.address(name)).content.decode()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(set(ids)) == sorted(ids)


def test_the_foot_of_the_console_leads_to_no_page_of_investors(north, client_for):
    assert reverse("orders:cases") not in client_for(north.person).get(reverse("console:home")).content.decode()
    assert reverse("orders:cases") in client_for(north.investor.user).get(reverse("home")).content.decode()


def test_a_partner_whom_we_no_longer_work_with_is_out(north, browse):
    browser = browse(north.person)
    type(north.partner).objects.filter(pk=north.partner.pk).update(is_active=False)
    assert browser.get(reverse("console:home")).status_code == 404


def test_a_second_factor_is_asked_for_where_staff_need_one(north, browse, settings):
    settings.STAFF_SECOND_FACTOR = True
    browser = browse(north.person)
    assert browser.get(reverse("console:home")).url == reverse("mfa_index")
    Authenticator.objects.create(user=north.person, type=Authenticator.Type.TOTP, data={})
    assert browser.get(reverse("console:home")).status_code == 200


def test_the_first_page_leads_a_partners_person_to_the_console(north, client_for):
    assert client_for(north.person).get("/").url == reverse("console:home")


# --- what it shows ----------------------------------------------------------------------------------------------


def test_the_overview_adds_up_and_leaves_nobody_elses_in(north, south, client_for):
    scheme = north.holding.scheme
    type(scheme).objects.filter(pk=scheme.pk).update(nav=Decimal("10.5000"), nav_on=clock.today())
    type(north.holding).objects.filter(pk=north.holding.pk).update(units=Decimal("1000.000"))
    page = client_for(north.person).get(reverse("console:home"))
    book = page.context["book"]
    assert book.assets == Decimal("10500.00")
    assert (book.investors, book.ready, book.invited) == (1, 1, 1)
    assert [(each.state, each.orders) for _, each in page.context["orders"]] == [(north.order.state, 1)]
    assert "₹10,500.00" in page.content.decode()


def test_a_new_partner_sees_calm_empty_pages_with_the_next_step(client_for):
    member = factories.MemberFactory()
    browser = client_for(member.user)
    for name, words in {
        "home": "No order is on its way",
        "investors": "Invite somebody",
        "webhooks": "Add an endpoint",
        "events": "They begin when",
    }.items():
        assert words in browser.get(reverse(f"console:{name}")).content.decode()


def test_identifiers_are_masked(north, browse):
    browser = browse(north.person)
    for name in READ:
        text = browser.get(north.address(name)).content.decode()
        for hidden in (north.investor.pan, north.investor.mobile, north.investor.user.email, north.invite.email):
            assert hidden not in text, name


BUDGET = {"home": 18, "investors": 14, "transfers": 15, "webhooks": 13, "webhook": 15, "events": 14, "investor": 17}


@pytest.mark.parametrize("name", BUDGET)
def test_pages_ask_as_often_for_many_rows_as_for_few(north, client_for, django_assert_max_num_queries, name):
    for _ in range(3):
        factories.OrderFactory(investor=north.investor)
        link(factories.ReadyInvestorFactory(), north.partner)
        factories.EndpointFactory(partner=north.partner)
        factories.InviteFactory(partner=north.partner)
    commit()
    browser = client_for(north.person)
    with django_assert_max_num_queries(BUDGET[name]):
        assert browser.get(north.address(name)).status_code == 200


def test_lists_page_by_cursor(north, client_for, monkeypatch):
    from portal.console.views import events, investors, webhooks

    for module in (events, investors, webhooks):
        monkeypatch.setattr(module, "PAGE_SIZE", 1)
    link(factories.ReadyInvestorFactory(name="Second Rao"), north.partner)
    commit()
    browser = client_for(north.person)
    for name, lists in {"investors": "rows", "events": "rows", "webhook": "rows"}.items():
        first = browser.get(north.address(name))
        second = browser.get(urljoin(north.address(name), first.context["next_url"]))
        assert len(first.context[lists]) == len(second.context[lists]) == 1
        assert first.context[lists] != second.context[lists]


def test_investors_are_found_by_name_and_code(north, client_for):
    link(factories.ReadyInvestorFactory(name="Zubin Contractor"), north.partner)
    browser = client_for(north.person)
    for q, names in {"zubin": ["Zubin Contractor"], north.investor.code.lower(): ["Asha Rao"], "nobody": []}.items():
        rows = browser.post(reverse("console:investors"), {"q": q}, follow=True).context["rows"]
        assert [person.name for person, *_ in rows] == names


TERMS = ("Zubin Contractor", "Zubin\x00", "CONTR1234K", "zubin@example.com", "9845012345", "nobody at all", "<b>'\"&")


@pytest.mark.parametrize("method", ["post", "get"])
def test_what_is_searched_for_stands_in_no_address(north, client_for, monkeypatch, method):
    from portal.console.views import investors

    monkeypatch.setattr(investors, "PAGE_SIZE", 1)
    for _ in range(2):
        link(factories.ReadyInvestorFactory(name="Zubin Contractor"), north.partner)
    browser, list_url = client_for(north.person), reverse("console:investors")
    for term in TERMS:
        asked = getattr(browser, method)(list_url, {"q": term, "show": "ready"})
        assert asked.url.startswith(f"{list_url}?show=ready&find=")
        page = browser.get(asked.url)
        addresses = [asked.url, *(part.partition('"')[0] for part in page.content.decode().split('href="')[1:])]
        assert not [each for each in addresses if term.strip("\x00") in unquote_plus(each)]
    page = browser.get(getattr(browser, method)(list_url, {"q": "Zubin"}).url)
    older = browser.get(page.context["next_url"])
    assert [person.name for person, *_ in older.context["rows"]] == ["Zubin Contractor"], "pages keep the search"


def test_a_search_is_its_finders_own_and_never_turns_into_the_whole_list(north, client_for):
    colleague = factories.UserFactory()
    partners.add_member(partner=north.partner, user=colleague, actor="test", at=clock.now())
    browser, list_url = client_for(north.person), reverse("console:investors")
    found = browser.post(list_url, {"q": "Asha"}).url
    assert len(browser.get(found).context["rows"]) == 1
    for page in (client_for(colleague).get(found), browser.get(f"{list_url}?find=nonsense")):
        assert page.context["rows"] == []
        assert "This search has ended" in page.content.decode()
    masked = browser.get(browser.post(list_url, {"q": "9845012345"}).url).content.decode()
    assert "9845012345" not in masked


# --- what it does -----------------------------------------------------------------------------------------------

INVITE = {"email": "new@example.com", "name": "New Person", "mobile": "98450 12345", "euin": "", "basis": "asked me"}


def test_a_partner_invites_somebody_in_its_own_name(north, client_for, mailoutbox):
    answer = client_for(north.person).post(reverse("console:invite"), INVITE)
    assert answer.url == reverse("console:investors")
    row = Invite.objects.get(email="new@example.com")
    assert (row.partner, row.invited_by, row.sent) == (north.partner, north.person, Invite.Sent.YES)
    assert mailoutbox[0].to == ["new@example.com"]
    assert north.partner.name in mailoutbox[0].body


@pytest.mark.parametrize(
    ("field", "value"), [("email", "nonsense"), ("mobile", "12"), ("euin", "X1"), ("basis", ""), ("name", "<b>")]
)
def test_what_was_typed_comes_back_with_the_error_at_its_field(north, client_for, field, value):
    browser = client_for(north.person)
    typed = {**INVITE, field: value}
    assert browser.post(reverse("console:invite"), typed).status_code == 303
    page = browser.get(reverse("console:invite"))
    assert list(page.context["form"].errors) == [field]
    for name, text in typed.items():
        assert str(page.context["form"][name].value()) == text
    assert not Invite.objects.filter(email=typed["email"]).exists()


def test_an_empty_field_is_asked_for_in_our_own_words():
    found = [each for each in vars(forms).values() if isinstance(each, type) and issubclass(each, Form)]
    said = [words for form in found for errors in form({}).errors.values() for words in errors]
    assert len(said) > 10
    assert not [words for words in said if words.startswith(("This field", "Select a valid"))]


def test_a_second_invitation_to_one_address_is_said_at_the_field(north, client_for):
    browser = client_for(north.person)
    browser.post(reverse("console:invite"), INVITE)
    browser.post(reverse("console:invite"), INVITE)
    assert list(browser.get(reverse("console:invite")).context["form"].errors) == ["email"]


def test_a_colleague_sends_an_invitation_again_and_withdraws_it(north, client_for, mailoutbox):
    colleague = factories.UserFactory()
    partners.add_member(partner=north.partner, user=colleague, actor="test", at=clock.now())
    browser = client_for(colleague)
    browser.post(reverse("console:invite_act", args=[north.invite.code, "again"]))
    assert mailoutbox[0].to == [north.invite.email]
    browser.post(reverse("console:invite_act", args=[north.invite.code, "withdraw"]))
    north.invite.refresh_from_db()
    assert north.invite.revoked_at is not None


def test_an_endpoint_from_its_address_to_a_test_that_arrived(north, browse):
    browser = browse(north.person)
    with receiver() as good:
        added = browser.post(reverse("console:webhook_add"), {"url": good.url, "kinds": ["sip", "order"]})
        endpoint = WebhookEndpoint.objects.get(url=good.url)
        assert added.url == reverse("console:webhook", args=[endpoint.code])
        assert endpoint.kinds == ["order", "sip"]
        assert endpoint.secret in browser.get(reverse("console:webhook_secret", args=[endpoint.code])).content.decode()
        browser.post(reverse("console:webhook_act", args=[endpoint.code, "test"]), form_ref())
        commit()
        from portal.webhooks import deliveries

        deliveries.drain(endpoint_id=endpoint.pk, at=clock.now())
    headers, body = good.heard[0]
    form = {
        "event_id": headers["webhook-id"], "timestamp": headers["webhook-timestamp"],
        "signature": headers["webhook-signature"], "body": body.decode(),
    }  # fmt: skip
    tester = reverse("console:webhook_signature", args=[endpoint.code])
    assert browser.post(tester, form).context["verdict"][0] == "done"
    assert browser.post(tester, {**form, "body": body.decode() + " "}).context["verdict"][0] == "failed"


@pytest.mark.parametrize("url", ["http://example.com/", "https://user:x@example.com/", "nonsense", ""])
def test_an_address_that_webhooks_never_go_to_is_refused_at_its_field(north, client_for, url):
    browser = client_for(north.person)
    browser.post(reverse("console:webhook_add"), {"url": url})
    page = browser.get(reverse("console:webhook_add"))
    assert list(page.context["form"].errors) == ["url"]
    assert WebhookEndpoint.objects.filter(partner=north.partner).count() == 1


def test_the_secret_is_shown_to_somebody_who_has_just_proved_who_they_are(north, client_for):
    answer = client_for(north.person).get(reverse("console:webhook_secret", args=[north.endpoint.code]))
    assert answer.status_code == 302
    assert "reauthenticate" in answer.url


def test_acts_upon_an_endpoint(north, client_for):
    browser = client_for(north.person)

    def do(verb):
        answer = browser.post(reverse("console:webhook_act", args=[north.endpoint.code, verb]), form_ref())
        assert answer.status_code == 302
        north.endpoint.refresh_from_db()

    old = north.endpoint.secret
    do("rotate")
    assert north.endpoint.previous_secret == old != north.endpoint.secret
    do("end-old-secret")
    assert north.endpoint.previous_secret is None
    do("pause")
    assert north.endpoint.state == "PAUSED"
    assert not north.endpoint.deliveries.filter(state="WAITING").exists()
    do("test")  # refused, and said
    do("resume")
    do("missed")
    assert north.endpoint.deliveries.filter(state="WAITING").exists()
    do("delete")
    assert north.endpoint.state == "DELETED"
    assert browser.get(reverse("console:webhook", args=[north.endpoint.code])).status_code == 404
    assert browser.post(reverse("console:webhook_act", args=[north.endpoint.code, "nonsense"])).status_code == 404


def test_it_is_said_how_much_was_missed(north, client_for):
    browser = client_for(north.person)
    press = reverse("console:webhook_act", args=[north.endpoint.code, "missed"])

    def said():
        return browser.post(press, form_ref(), follow=True).content.decode()

    north.endpoint.deliveries.update(state="DELIVERED", due_at=None, ended_at=clock.now())
    assert "Nothing was missed in the last 30 days." in said()
    # One of the events does not arrive, then all of them do not.
    given_up = north.endpoint.deliveries.filter(pk=north.delivery.pk)
    given_up.update(state="FAILED")
    assert "1 event is on its way." in said()
    factories.OrderFactory(investor=north.investor)
    commit()
    count = north.endpoint.deliveries.update(state="FAILED", due_at=None, ended_at=clock.now())
    assert f"{count} events are on their way." in said()


def test_a_button_pressed_twice_makes_one_secret_and_one_reminder(north, client_for):
    browser, old = client_for(north.person), north.endpoint.secret
    shown = browser.get(reverse("console:webhook", args=[north.endpoint.code])).context["press"]["form_ref"].value()
    asked = browser.get(reverse("console:approvals")).context["form"]["form_ref"].value()
    for _ in range(2):
        browser.post(reverse("console:webhook_act", args=[north.endpoint.code, "rotate"]), {"form_ref": shown})
        browser.post(reverse("console:approval_act", args=[north.approval.code, "remind"]), {"form_ref": asked})
    north.endpoint.refresh_from_db()
    assert north.endpoint.previous_secret == old, "the one before still signs"
    assert Notice.objects.filter(event="approval.asked", user=north.investor.user).count() == 1
    browser.post(reverse("console:webhook_act", args=[north.endpoint.code, "pause"]))
    north.endpoint.refresh_from_db()
    assert north.endpoint.state == "ACTIVE", "a form without its name does nothing"


def _field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())[1]


def _said(browser, address, form=None):
    return html.unescape(browser.post(address, form or {}, follow=True).content.decode())


def test_an_invitation_is_sent_again_once_for_each_look_at_it(north, client_for, mailoutbox):
    browser = client_for(north.person)
    was = _field(browser.get(reverse("console:investors")), "was")
    again = reverse("console:invite_act", args=[north.invite.code, "again"])
    assert "The link is on its way" in _said(browser, again, {"was": was})
    assert "No further message was sent." in _said(browser, again, {"was": was})
    assert len(mailoutbox) == 1
    fresh = _field(browser.get(reverse("console:investors")), "was")
    assert "The link is on its way" in _said(browser, again, {"was": fresh})
    assert len(mailoutbox) == 2, "who looked again and asks again means it"


def test_an_invitation_that_is_withdrawn_in_two_tabs_is_withdrawn_once(north, client_for):
    browser, withdraw = client_for(north.person), reverse("console:invite_act", args=[north.invite.code, "withdraw"])
    assert "Withdrawn: the link no longer works." in _said(browser, withdraw)
    assert "It was withdrawn before" in _said(browser, withdraw)
    assert AuditEntry.objects.filter(action="invite.revoked").count() == 1


def test_a_delivery_is_sent_once_more_for_each_look_at_it(north, client_for):
    def arrives():
        WebhookDelivery.objects.filter(pk=north.delivery.pk).update(
            state="DELIVERED", tries=1, due_at=None, ended_at=clock.now()
        )

    arrives()
    browser, page = client_for(north.person), north.address("webhook_delivery")
    was = _field(browser.get(page), "was")
    assert "on its way again" in _said(browser, page, {"was": was})
    arrives()
    assert "Nothing more was sent." in _said(browser, page, {"was": was})
    north.delivery.refresh_from_db()
    assert north.delivery.state == "DELIVERED"
    assert AuditEntry.objects.filter(action="webhook.sent_again").count() == 1


def test_what_is_pressed_on_a_deleted_endpoint_is_said_calmly(north, south, client_for):
    browser, shown = client_for(north.person), north.address("webhook")
    ref, code = browser.get(shown).context["press"]["form_ref"].value(), north.endpoint.code
    delete = reverse("console:webhook_act", args=[code, "delete"])
    assert "Deleted. Nothing more is sent there." in _said(browser, delete, {"form_ref": ref})
    others = [reverse("console:webhook_act", args=[code, verb]) for verb in ("delete", "test", "rotate", "pause")]
    for press in (*others, north.address("webhook_kinds"), north.address("webhook_delivery")):
        assert "This endpoint was deleted before." in _said(browser, press, {"form_ref": ref}), press
    assert AuditEntry.objects.filter(action="webhook.deleted").count() == 1
    assert client_for(south.person).post(delete, {"form_ref": "another"}).status_code == 404


def test_a_delivery_is_sent_again_from_its_page(north, client_for):
    WebhookDelivery.objects.filter(pk=north.delivery.pk).update(state="FAILED", due_at=None, ended_at=clock.now())
    assert client_for(north.person).post(north.address("webhook_delivery")).status_code == 302
    north.delivery.refresh_from_db()
    assert north.delivery.state == "WAITING"


def test_the_signature_tester_forgives_what_a_form_does_to_lines(north, client_for):
    body = b'{\n"a": 1}'
    made = signing.headers(
        event_id="evt_1", body=body, sent_at=int(signing.wall_clock()), secrets_=[north.endpoint.secret]
    )
    form = {
        "event_id": "evt_1", "timestamp": made["webhook-timestamp"], "signature": made["webhook-signature"],
        "body": body.decode().replace("\n", "\r\n"),
    }  # fmt: skip
    answer = client_for(north.person).post(north.address("webhook_signature"), form)
    assert answer.context["verdict"][0] == "done"


# --- keys -------------------------------------------------------------------------------------------------------


def form_ref():
    return {"form_ref": identifiers.new_client_ref()}


def make_key(browser, **more):
    form = {"label": "The back office", "scopes": ["orders:read", "events:read"], **form_ref(), **more}
    return browser.post(reverse("console:key_add"), form)


def test_a_key_is_made_and_its_secret_is_shown_once(north, browse):
    browser = browse(north.person)
    assert make_key(browser).url == reverse("console:key_secret")
    key = north.partner.api_keys.get()
    page = browser.get(reverse("console:key_secret"))
    assert key.client.check_secret(page.context["secret"])
    assert page["Cache-Control"].count("no-store") == 1
    assert browser.get(reverse("console:key_secret")).url == reverse("console:keys")
    assert page.context["secret"] not in browser.get(reverse("console:keys")).content.decode()
    assert (key.label, key.client.get_scopes()) == ("The back office", ["events:read", "orders:read"])


def test_a_key_without_a_scope_or_a_name_is_refused_at_the_field(north, browse):
    browser = browse(north.person)
    for wrong in ("label", "scopes"):
        assert make_key(browser, **{wrong: ""}).status_code == 303
        assert list(browser.get(reverse("console:key_add")).context["form"].errors) == [wrong]
    assert not north.partner.api_keys.exists()


def test_whoever_makes_or_rotates_a_key_has_just_proved_who_they_are(north, browse, client_for):
    make_key(browse(north.person))
    key = north.partner.api_keys.get()
    stale = client_for(north.person)
    for address in (reverse("console:key_add"), reverse("console:key_rotate", args=[key.pk])):
        for method in ("get", "post"):
            answer = getattr(stale, method)(address)
            assert "reauthenticate" in answer.url
    assert north.partner.api_keys.count() == 1


def test_rotation_makes_a_second_key_beside_the_first_and_revoking_ends_one(north, browse):
    browser = browse(north.person)
    make_key(browser)
    first = north.partner.api_keys.get()
    browser.post(reverse("console:key_rotate", args=[first.pk]), form_ref())
    second = north.partner.api_keys.exclude(pk=first.pk).get()
    assert second.follows == first
    page = browser.get(reverse("console:keys"))
    assert [words for _, words, _ in page.context["live"]] == [("done", "works"), ("needs", "being replaced")]
    # Both have one label, so each section is named by its client id too.
    assert f'aria-labelledby="key-{second.pk} id-{second.pk}"' in page.content.decode()
    assert browser.post(reverse("console:key_revoke", args=[first.pk]), {"reason": ""}).status_code == 200
    browser.post(reverse("console:key_revoke", args=[first.pk]), {"reason": "replaced"})
    first.refresh_from_db()
    assert first.revoked_at is not None
    assert [key for key, *_ in browser.get(reverse("console:keys")).context["over"]] == [first]


def test_a_form_that_is_sent_twice_makes_one_key_and_its_secret_is_not_lost(north, browse):
    browser = browse(north.person)
    showing = {"form_ref": str(browser.get(reverse("console:key_add")).context["form"]["form_ref"].value())}
    assert [make_key(browser, **showing)["Location"] for _ in range(2)] == [reverse("console:key_secret")] * 2
    first = north.partner.api_keys.get()
    assert first.client.check_secret(browser.get(reverse("console:key_secret")).context["secret"])
    showing = form_ref()
    for _ in range(2):
        again = browser.post(reverse("console:key_rotate", args=[first.pk]), showing)
        assert again["Location"] == reverse("console:key_secret")
    second = north.partner.api_keys.exclude(pk=first.pk).get()
    assert second.client.check_secret(browser.get(reverse("console:key_secret")).context["secret"])
    assert make_key(browser, form_ref="").url == reverse("console:key_add"), "a form without its name makes nothing"
    assert north.partner.api_keys.count() == 2


def test_a_key_of_another_partner_is_not_there(north, south, browse):
    make_key(browse(north.person))
    key = north.partner.api_keys.get()
    browser = browse(south.person)
    for name in ("key_rotate", "key_revoke"):
        for method in ("get", "post"):
            answer = getattr(browser, method)(reverse(f"console:{name}", args=[key.pk]), {"reason": "mine now"})
            assert answer.status_code == 404
    assert key.pk not in browser.get(reverse("console:keys")).content.decode()
    key.refresh_from_db()
    assert (key.revoked_at, key.retires_at) == (None, None)


# --- approvals --------------------------------------------------------------------------------------------------


def test_what_waits_for_investors_is_counted_and_listed_with_each_line(north, south, client_for):
    def asked(**more):
        approval = factories.ApprovalFactory(investor=north.investor, partner=north.partner)
        return factories.ApprovalLineFactory(investor=north.investor, approval=approval, **more)

    line, over = asked(), asked(declined_at=clock.now())
    browser = client_for(north.person)
    assert "2 approvals waiting" in browser.get(reverse("console:home")).content.decode()
    rows = browser.get(reverse("console:approvals")).context["rows"]
    assert {(approval.code, state[1]) for approval, state, _ in rows} == {
        (north.approval.code, "Waiting for the investor"),
        (line.approval.code, "Waiting for the investor"),
        (over.approval.code, "Decided"),
    }
    only = browser.get(reverse("console:approvals"), {"show": "open"}).context["rows"]
    assert [approval for approval, *_ in only] == [line.approval, north.approval]
    theirs = client_for(south.person).get(reverse("console:approvals")).context["rows"]
    assert [approval for approval, *_ in theirs] == [south.approval]


def test_notices_and_the_account_keep_the_menu_that_somebody_comes_from(north, client_for):
    def console_menu(path):
        return 'href="/partner/keys/"' in browser.get(path).content.decode()

    browser = client_for(north.person)
    assert not console_menu("/notices/"), "nobody has opened the console yet"
    browser.get("/partner/")
    assert console_menu("/notices/")
    assert console_menu("/accounts/email/")
    assert "Search funds" not in browser.get("/notices/").content.decode()


def test_somebody_who_invests_too_gets_their_own_menu_back(north, client_for):
    factories.InvestorFactory(user=north.person)
    browser = client_for(north.person)
    browser.get("/partner/")
    assert 'href="/partner/keys/"' in browser.get("/notices/").content.decode()
    browser.get("/")
    assert 'href="/partner/keys/"' not in browser.get("/notices/").content.decode()


# --- asking an investor -----------------------------------------------------------------------------------------


def ask(browser, north, scheme, **changed):
    form = {"fund": scheme.isin, "amount": "5000", "reason": "As we said", "hours": "72", **form_ref(), **changed}
    return browser.post(reverse("console:investor_ask", args=[north.investor.code]), form)


def test_a_purchase_is_checked_before_anybody_is_told_and_then_asked_for(north, client_for):
    scheme, browser = factories.SchemeFactory(purchase_allowed=True), client_for(north.person)
    checked = ask(browser, north, scheme, check="yes")
    assert "fits today's rules" in checked.content.decode().replace("&#x27;", "'")
    assert Approval.objects.count() == 1
    assert ask(browser, north, scheme).url == reverse("console:approvals")
    made = Approval.objects.exclude(pk=north.approval.pk).get()
    assert (made.investor, made.partner, made.reason) == (north.investor, north.partner, "As we said")
    assert AuditEntry.objects.get(action="approval.asked").actor == f"user:{north.person.pk}"
    assert "As we said" in browser.get(reverse("console:approvals")).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "1"}, "amount"),
        ({"fund": "no such fund"}, "fund"),
        ({"reason": ""}, "reason"),
        ({"amount": "x"}, "amount"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field_and_nothing_typed_is_lost(north, client_for, change, field):
    scheme, browser = factories.SchemeFactory(purchase_allowed=True, min_first=Decimal(500)), client_for(north.person)
    ask(browser, north, scheme, **change)
    form = browser.get(reverse("console:investor_ask", args=[north.investor.code])).context["form"]
    assert list(form.errors) == [field]
    assert form["hours"].value() == "72"
    assert Approval.objects.get() == north.approval


def test_an_investor_is_asked_once_by_a_form_that_is_sent_twice(north, client_for):
    scheme, browser, showing = factories.SchemeFactory(purchase_allowed=True), client_for(north.person), form_ref()
    for _ in range(2):
        assert ask(browser, north, scheme, **showing)["Location"] == reverse("console:approvals")
    assert Approval.objects.exclude(pk=north.approval.pk).count() == 1
    other = ask(browser, north, scheme, amount="6000", **showing)
    page = browser.get(other.url)
    assert "was sent already" in page.content.decode()
    shown = page.context["form"]
    assert shown["amount"].value() == "6000", "nothing typed is lost"
    assert shown["form_ref"].value() != showing["form_ref"]
    assert Approval.objects.exclude(pk=north.approval.pk).count() == 1


def test_a_fund_is_found_by_its_name_when_only_one_fits(north, client_for):
    scheme = factories.SchemeFactory(purchase_allowed=True, name="Quillfeather Flexi Cap Fund")
    assert ask(client_for(north.person), north, scheme, fund="quillfeather").status_code == 302
    assert Approval.objects.exclude(pk=north.approval.pk).get().lines.get().scheme == scheme


def test_an_investor_is_reminded_and_a_request_is_withdrawn(north, south, client_for):
    browser = client_for(north.person)

    def do(verb, approval=north.approval):
        return browser.post(reverse("console:approval_act", args=[approval.code, verb]), form_ref()).status_code

    assert do("remind") == 302
    assert Notice.objects.filter(event="approval.asked", user=north.investor.user).count() == 1
    assert do("withdraw") == 302
    north.approval.refresh_from_db()
    assert north.approval.withdrawn_at
    assert do("nonsense") == 404
    assert do("withdraw", south.approval) == 404
    south.approval.refresh_from_db()
    assert south.approval.withdrawn_at is None
    assert "Remind" not in browser.get(reverse("console:approvals")).content.decode()
