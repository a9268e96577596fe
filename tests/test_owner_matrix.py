"""Nobody reads or changes what is somebody else's, by any address: reliability.md P25, and P26 for the wall below.

The table says for every route whose it is and which of Asha's ids fill it. A route that is not in the table fails the
build, and so does one without a rule. Requests are made as nobody, as another investor, as a partner's person and as
each staff role without the right; what comes back must be a refusal, and nothing of Asha's may stand in it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.urls import reverse

from orders.models import MfOrder
from orders.operations import baskets
from portal import audit, cases, clock, inbox, roles, scope
from portal.access import ANYONE, DOORBELL, OWN_ROWS, STAFF
from portal.files import links
from portal.management.commands.show_routes import Route, routes
from portal.models import GatewayCall, Heartbeat
from portal.notices import writing
from tests import factories

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST")
# Refusals: to the login page or to getting ready, forbidden, not there, wrong method.
REFUSALS = {302, 403, 404, 405}


# --- whose each route is ----------------------------------------------------------------------------------------

PUBLIC = "public"  # shows nothing of anybody
OWN = "own"  # shows the signed-in person's own things; no id in it
HERS = "hers"  # names an object of Asha's
BELL = "bell"  # rings, and changes nothing by itself


@dataclass(frozen=True)
class Line:
    """How a route is filled: `ids` picks from Asha's objects, `form` is what a POST carries."""

    whose: str
    ids: tuple[str, ...] = ()
    form: tuple[tuple[str, str], ...] = ()


TABLE: dict[str, Line] = {
    "home": Line(OWN),
    "about": Line(PUBLIC),
    "terms": Line(PUBLIC),
    "healthz": Line(PUBLIC),
    "readyz": Line(PUBLIC),
    "outbox": Line(PUBLIC),
    "notices": Line(OWN),
    "notices_read": Line(OWN),
    "notice_choices": Line(OWN),
    "notice": Line(HERS, ("notice",)),
    "orders:explore": Line(PUBLIC),
    "orders:scheme": Line(PUBLIC, ("isin",)),
    "orders:buy": Line(
        OWN,
        ("isin",),
        (("amount", "5000"), ("payment_method", "UPI"), ("form_ref", "form_ref"), ("bank_account", "bank")),
    ),
    "orders:confirm": Line(HERS, ("consent",), (("otp", "123456"),)),
    "orders:cart": Line(OWN, form=(("remove", "cart_line"),)),
    "orders:confirm_cart": Line(HERS, ("cart_consent",), (("otp", "123456"),)),
    "orders:cart_done": Line(HERS, ("cart",)),
    "orders:confirm_sale": Line(HERS, ("sale_consent",), (("otp", "123456"),)),
    "orders:sell": Line(HERS, ("isin",), (("by", "all"), ("folio", "folio"), ("form_ref", "form_ref"))),
    "orders:sell_instantly": Line(HERS, ("isin",), (("amount", "5000"), ("bank_account", "bank"))),
    "orders:start_sip": Line(
        OWN,
        ("isin",),
        (
            ("amount", "5000"),
            ("start_day", "5"),
            ("instalments", "12"),
            ("mandate", "mandate"),
            ("form_ref", "form_ref"),
        ),
    ),
    "orders:sips": Line(OWN),
    "orders:sip_mandates": Line(OWN, form=(("plans", "sip"), ("mandate", "mandate"), ("form_ref", "form_ref"))),
    "orders:confirm_sip": Line(HERS, ("sip_consent",), (("otp", "123456"),)),
    "orders:sip": Line(HERS, ("sip",)),
    "orders:skip_sip": Line(HERS, ("sip",), (("on", "sip_on"),)),
    "orders:cancel_sip": Line(HERS, ("sip",)),
    "orders:list": Line(OWN),
    "orders:detail": Line(HERS, ("order",)),
    "orders:ask": Line(HERS, ("order",), (("text", "Where is it?"), ("form_ref", "form_ref"))),
    "orders:cases": Line(OWN),
    "orders:case": Line(HERS, ("case",), (("text", "Where is it?"), ("form_ref", "form_ref"))),
    "orders:portfolio": Line(OWN),
    "orders:held_shares": Line(OWN),
    "orders:holding": Line(HERS, ("isin",)),
    "payments:pay": Line(HERS, ("order",)),
    "payments:bank_page": Line(HERS, ("bse_payment",)),
    "payments:bank_frame": Line(HERS, ("bse_payment",)),
    "payments:return": Line(BELL, ("nonce",), (("paymentId", "payment_ref"), ("status", "success"))),
    "orders:shares": Line(PUBLIC),
    "orders:share": Line(PUBLIC, ("share",)),
    "orders:watchlist": Line(OWN, form=(("act", "add"), ("isin", "share"))),
    "orders:approvals": Line(OWN),
    "orders:approval": Line(HERS, ("approval",), (("buy", "yes"), ("line", "0"))),
    "orders:baskets": Line(PUBLIC),
    "orders:basket": Line(PUBLIC, ("basket",)),
    "orders:basket_logo": Line(PUBLIC, ("form_ref",)),
    **{
        f"brokers:{name}": Line(
            OWN, ("basket",), (("amount", "5000"), ("broker", "smallcase"), ("form_ref", "form_ref"))
        )
        for name in ("invest", "rebalance", "leave")
    },
    **{
        f"brokers:{name}": Line(OWN, ("share",), (("quantity", "3"), ("broker", "smallcase"), ("form_ref", "form_ref")))
        for name in ("buy", "sell")
    },
    "brokers:orders": Line(OWN),
    "brokers:repair": Line(HERS, ("basket_order",), (("broker", "smallcase"), ("form_ref", "form_ref"))),
    "brokers:leave_it": Line(HERS, ("basket_order",), (("why", "PRICE"),)),
    "brokers:says": Line(HERS, ("basket_order",), (("answer", "yes"),)),
    "brokers:back": Line(HERS, ("basket_order",), (("code", "user_cancelled"),)),
    **{f"brokers:{name}": Line(HERS, ("basket_order",)) for name in ("order", "go", "window", "again", "proof")},
    "doorbells:smallcase": Line(BELL),
    "brokers:accounts": Line(OWN),
    "brokers:log_in": Line(OWN, form=(("broker", "odin"), ("house", "0AF1C1"), ("account", "broker_account"))),
    "brokers:unlink": Line(HERS, ("broker_account",)),
    **{f"brokers:{name}": Line(HERS, ("broker_account",)) for name in ("holdings", "positions", "order_book")},
    "brokers:change": Line(HERS, ("native_line",), (("act", "cancel"), ("form_ref", "form_ref"))),
    "brokers:ticket": Line(OWN, ("share",), (("account", "broker_account"), ("form_ref", "form_ref"))),
    "brokers:landed": Line(OWN, ("broker", "form_ref")),
    "brokers:callback": Line(BELL, ("broker",)),
    "brokers:odin_two_way": Line(BELL),
    **{f"brokers:{name}": Line(PUBLIC) for name in ("embed_script", "embed_frame", "go_embedded")},
    "doorbells:odin": Line(BELL),
    # Partners among each other: tests/console/test_console.py.
    **{
        f"console:{name}": Line(OWN)
        for name in (
            "home",
            "investors",
            "invite",
            "webhooks",
            "webhook_add",
            "events",
            "approvals",
            "transfers",
            "firms",
            "firm_ask",
        )
    },
    "console:earnings": Line(OWN),
    **{f"console:earnings_{what}": Line(OWN, ("form_ref",)) for what in ("month", "file", "holdings")},
    "console:earnings_holding": Line(OWN, ("form_ref", "notice")),
    "console:payouts": Line(OWN),
    "console:payout": Line(OWN, ("form_ref",)),
    **{f"console:key{what}": Line(OWN) for what in ("s", "_add", "_secret")},
    **{f"console:key{what}": Line(OWN, ("form_ref",)) for what in ("_rotate", "_revoke")},
    **{f"console:webhook{what}": Line(OWN, ("form_ref",)) for what in ("", "_kinds", "_secret", "_signature")},
    "console:investor": Line(OWN, ("investor",)),
    "console:investor_ask": Line(OWN, ("investor",)),
    "console:approval_act": Line(OWN, ("approval", "kind")),
    "console:transfer_object": Line(OWN, ("form_ref",)),
    "console:firm_withdraw": Line(OWN, ("form_ref",)),
    "investors:transfer": Line(HERS, ("transfer",)),
    "console:event": Line(OWN, ("form_ref",)),
    "console:invite_act": Line(OWN, ("form_ref", "kind")),
    "console:webhook_act": Line(OWN, ("form_ref", "kind")),
    "console:webhook_delivery": Line(OWN, ("form_ref", "notice")),
    "investors:profile": Line(OWN),
    "investors:onboarding": Line(OWN),
    "investors:people": Line(OWN),
    "investors:begin_child": Line(OWN),
    "investors:act_for": Line(HERS, ("investor",)),
    "investors:kyc": Line(OWN),
    "investors:kyc_step": Line(OWN, ("kyc_step",), (("name", "mine now"),)),
    "investors:document": Line(HERS, ("document",)),
    "investors:invite": Line(PUBLIC, form=(("agreed", "yes"),)),
    "investors:invite_link": Line(PUBLIC, ("form_ref",)),
    "investors:look_up": Line(OWN, ("kind",)),
    "investors:step": Line(OWN, ("step",), (("pan", "pan"),)),
    "investors:banks": Line(OWN),
    "investors:bank_add": Line(OWN, form=(("ifsc", "HDFC0000001"), ("number", "50100012341121"))),
    "investors:bank_confirm": Line(HERS, ("change_consent",), (("otp", "123456"),)),
    "investors:bank_primary": Line(HERS, ("bank",)),
    "investors:bank_close": Line(HERS, ("bank",)),
    "investors:bank_withdraw": Line(HERS, ("change",)),
    "investors:change": Line(OWN, ("change_slug",), (("email", "thief@example.com"), ("form_ref", "form_ref"))),
    "investors:changes": Line(OWN),
    "investors:change_confirm": Line(HERS, ("detail_consent",), (("otp", "123456"),)),
    "investors:change_withdraw": Line(HERS, ("change",)),
    "investors:bank_cheque": Line(HERS, ("bank",)),
    "investors:privacy": Line(OWN),
    "investors:privacy_export": Line(OWN),
    "investors:privacy_erase": Line(OWN),
    "investors:privacy_copy": Line(HERS, ("copy",)),
    "investors:privacy_stay": Line(HERS, ("erasure",)),
    "investors:privacy_confirm": Line(HERS, ("export_consent",), (("otp", "123456"),)),
    "investors:consents": Line(OWN),
    "investors:consent": Line(HERS, ("given_consent",)),
    "investors:mandates": Line(OWN),
    "investors:mandate_new": Line(OWN, form=(("limit", "5000"), ("kind", "E_MANDATE"), ("bank_account", "bank"))),
    "investors:mandate_confirm": Line(HERS, ("mandate_consent",), (("otp", "123456"),)),
    "investors:mandate_return": Line(BELL, ("mandate_ref",), (("paymentId", "1"), ("status", "success"))),
    "investors:mandate": Line(HERS, ("mandate",)),
    "investors:mandate_authorise": Line(HERS, ("mandate",)),
    "investors:mandate_cancel": Line(HERS, ("mandate",)),
    "investors:mandate_form": Line(HERS, ("mandate",)),
    "investors:mandate_upload": Line(HERS, ("mandate",)),
    "investors:mandate_retry": Line(HERS, ("mandate",), (("limit", "5000"), ("bank_account", "bank"))),
    "mfa_remove_webauthn": Line(HERS, ("key",)),
    "mfa_edit_webauthn": Line(HERS, ("key",), (("name", "mine now"),)),
    **{
        name: Line(OWN)
        for name in """
            account_logout account_reauthenticate account_email account_change_password account_set_password mfa_index
            mfa_reauthenticate mfa_activate_totp mfa_deactivate_totp mfa_view_recovery_codes
            mfa_generate_recovery_codes mfa_download_recovery_codes mfa_list_webauthn mfa_add_webauthn
            mfa_reauthenticate_webauthn usersessions_list
        """.split()
    },
    **{
        name: Line(PUBLIC, form=(("login", "email"), ("email", "email"), ("password", "wrong"), ("code", "123456")))
        for name in """
            account_login account_inactive account_signup account_email_verification_sent account_reset_password
            account_confirm_login_code account_confirm_password_reset_code account_complete_password_reset
            account_password_reset_completed account_request_login_code mfa_authenticate mfa_login_webauthn
        """.split()
    },
}


def of_admin(route: Route) -> bool:
    """The admin's own addresses are many and alike: one rule covers them."""
    return route.path.startswith("/admin/")


def of_partners(route: Route) -> bool:
    """The partner API has a matrix of its own: tests/api/test_matrix.py."""
    return route.path.startswith("/api/v1/")


def test_every_route_says_who_may_open_it():
    assert not [route.path for route in routes() if not route.rule]


def test_every_route_stands_in_the_table():
    found = {route.name for route in routes() if not of_admin(route) and not of_partners(route)}
    assert found == set(TABLE)


def test_the_table_and_the_rules_agree():
    for route in routes():
        if of_admin(route) or of_partners(route):
            continue
        line = TABLE[route.name]
        if line.whose == HERS:
            assert route.rule == OWN_ROWS or "own account" in route.rule, route
        if line.whose == BELL:
            assert route.rule == DOORBELL, route
        if route.rule in (ANYONE, STAFF):
            assert line.whose == PUBLIC, route


# --- Asha's world, and what must never be seen of it ------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Asha's objects by the names of TABLE, and words that only her pages may show."""

    asha: Any
    ids: dict[str, str]
    words: tuple[str, ...]


@pytest.fixture
def world(asha: Any) -> World:
    """One of everything that can be Asha's, with words and amounts that nobody else has."""
    asha.name = "Asha Quillfeather"
    asha.save(update_fields=["name"])
    scheme = factories.SchemeFactory(name="Unmistakable Flexi Cap Fund")
    when = {"investor": asha, "scheme": scheme, "amount": Decimal("73519.00")}
    allotted = factories.OrderFactory(**when, state="ALLOTTED")
    factories.HoldingFactory(investor=asha, scheme=scheme, folio=allotted.folio, units=Decimal("731.319"))
    order = factories.OrderFactory(**when, state="AWAITING_PAYMENT")
    payment = factories.PaymentFactory(order=order, token_url="https://pay.example/secret-page")
    asked = factories.ConsentFactory(investor=asha, amount=Decimal("73519.00"), isin=scheme.isin, given_at=None)
    to_sell = {"purpose": "REDEMPTION", "folio_number": allotted.folio.number, "given_at": None}
    sale_asked = factories.ConsentFactory(investor=asha, amount=Decimal("73519.00"), isin=scheme.isin, **to_sell)
    factories.NomineeFactory(investor=asha, name="Lata Quillfeather")
    _life(asha)
    key = Authenticator.objects.create(user=asha.user, type=Authenticator.Type.WEBAUTHN, data={"name": "Asha's key"})
    _evidence(asha, order, payment)
    bank = asha.bankaccounts.get()
    notice = writing.tell(
        user_id=asha.user_id,
        event="order.paid",
        subject=order,
        url="/orders/",
        at=clock.now(),
        scheme=f"{scheme.name} of {asha.user.email}",
        asked="₹1",
    )
    assert notice
    ids = {
        "isin": scheme.isin,
        "consent": asked.code,
        "sale_consent": sale_asked.code,
        "folio": allotted.folio.number,
        "order": order.code,
        "notice": notice.pk,
        "nonce": payment.nonce,
        "cart_line": str(asha.carts.get(confirmed_at=None).lines.get().pk),
        "cart_consent": _cart_consent(asha).code,
        "cart": _confirmed_cart(asha, scheme).code,
        "bse_payment": _bse_payment(when).code,
        "payment_ref": payment.provider_ref,
        "bank": bank.code,
        "change": asha.changerequests.get().code,
        "change_slug": "email",
        "given_consent": factories.ConsentFactory(investor=asha, purpose="MANDATE").code,
        "export_consent": factories.ConsentFactory(
            investor=asha, purpose="CHANGE", given_at=None, shown={"act": "export"}
        ).code,
        "copy": links.sign(user_id=asha.user.pk, document=asha.dataexports.get().code),
        "erasure": asha.erasurerequests.get().code,
        "detail_consent": factories.ConsentFactory(
            investor=asha,
            purpose="CHANGE",
            given_at=None,
            shown={"act": "change", "change": asha.changerequests.get().code},
        ).code,
        "change_consent": factories.ConsentFactory(investor=asha, purpose="CHANGE", given_at=None).code,
        "mandate": asha.mandates.get(limit=91731).code,
        "mandate_ref": asha.mandates.get(limit=91731).form_ref,
        "mandate_consent": factories.ConsentFactory(investor=asha, purpose="MANDATE", given_at=None).code,
        "sip": asha.plans.get().code,
        "sip_on": asha.plans.get().first_on.isoformat(),
        "sip_consent": _sip_asked(asha, scheme).code,
        "key": str(key.pk),
        "approval": _approval(asha, scheme).code,
        "case": factories.CaseMessageFactory(shown__investor=asha).shown.code,
        "basket": _basket(asha),
        "share": factories.SecurityFactory(isin="INE731A01019").isin,
        "basket_order": asha.basketorders.filter(broker="smallcase")[0].code,
        "broker": "odin",
        "broker_account": asha.brokeraccounts.get().code,
        "native_line": asha.stockchanges.get().stock_order.code,
        "form_ref": asked.form_ref,
        "kind": "pincode",
        "step": "pan",
        "kyc_step": "about",
        "document": links.sign(user_id=asha.user.pk, document=asha.documents.exclude(kind="BROKER_PROOF").get().code),
        "transfer": asha.transfers.get().code,
        "investor": asha.code,
        "pan": asha.pan,
        "email": asha.user.email,
    }
    words = ("Quillfeather", "73,519", "731.319", allotted.folio.number, "secret-page", payment.code, asha.code)
    words = (*words, "91,731", "73191")
    return World(asha, ids, words)


def _approval(asha: Any, scheme: Any) -> Any:
    asha.partner = factories.PartnerFactory()
    asha.save(update_fields=["partner"])
    return factories.ApprovalLineFactory(investor=asha, scheme=scheme, amount=Decimal("73519.00")).approval


def _cart_consent(asha: Any) -> Any:
    shown = {"Fund 1": "Unmistakable Flexi Cap Fund: ₹73,519.00", "lines": "1"}
    return factories.ConsentFactory(investor=asha, purpose="CART", shown=shown, given_at=None)


def _confirmed_cart(asha: Any, scheme: Any) -> Any:
    consent = factories.ConsentFactory(investor=asha, purpose="CART", amount=Decimal("73519.00"))
    cart = factories.CartFactory(investor=asha, consent=consent, confirmed_at=clock.now())
    line = factories.CartLineFactory(cart=cart, scheme=scheme, amount=Decimal("73519.00"))
    factories.OrderFactory(investor=asha, scheme=scheme, amount=line.amount, consent=None, cart=cart, cart_line=line)
    return cart


def _bse_payment(when: dict[str, Any]) -> Any:
    """A payment whose page, somebody else's, was handed out and is still good."""
    at = clock.now()
    return factories.PaymentFactory(
        order=factories.OrderFactory(**when, gateway="BSE", state="AWAITING_PAYMENT"),
        gateway="BSE",
        page_html="<form method='post' action='https://bank.example/'>secret-page</form>",
        handed_over_at=at,
        token_expires_at=at + timedelta(minutes=15),
    )


def _sip_asked(asha: Any, scheme: Any) -> Any:
    shown = {"Amount": "73,519.00", "act": "start", "start_day": "5", "instalments": "12", "mandate": "-"}
    asked = {"purpose": "SIP", "amount": Decimal("73519.00"), "isin": scheme.isin, "shown": shown}
    return factories.ConsentFactory(investor=asha, given_at=None, **asked)


def _basket(asha: Any) -> str:
    """A published basket of which she holds 731 shares; the page is public, what she holds is not."""
    share = factories.SecurityFactory(last_price=Decimal(100), priced_at=clock.now())
    draft = factories.BasketVersionFactory(number=1)
    factories.BasketConstituentFactory(version=draft, security=share, weight_bp=10_000)
    baskets.publish(version_id=draft.pk, actor=factories.UserFactory(), at=clock.now())
    held = factories.BasketOrderFactory(investor=asha, basket=draft.basket, version=draft, state="COMPLETE")
    bought = {"quantity": 73_191, "filled": 73_191, "average_price": Decimal(100), "state": "FILLED"}
    factories.StockOrderFactory(basket_order=held, security=share, **bought)
    return draft.basket.slug


def _life(asha: Any) -> None:
    """A row in every table of who she is and what she has authorised."""
    factories.MandateFactory(bank_account=asha.bankaccounts.get(), limit=Decimal("91731.00"))
    factories.InviteFactory(investor=asha)
    factories.CartLineFactory(cart=factories.CartFactory(investor=asha))
    plan = factories.PlanFactory(investor=asha)
    factories.InstalmentFactory(plan=plan)
    factories.PlanChangeFactory(plan=plan)
    factories.StockOrderFactory(basket_order=factories.BasketOrderFactory(investor=asha))
    factories.StockChangeFactory(
        stock_order__basket_order=factories.BasketOrderFactory(investor=asha, broker="5paisa", state="PLACED"),
    )
    factories.BrokerOrderRefFactory(basket_order=factories.BasketOrderFactory(investor=asha, broker="odin"))
    for made in (
        factories.KycRequestFactory,
        factories.DocumentFactory,
        factories.ChangeRequestFactory,
        factories.DataExportFactory,
        factories.ErasureRequestFactory,
        factories.TransferFactory,
        factories.TaxResidenceFactory,
        factories.FieldSourceFactory,
        factories.BasketSubscriptionFactory,
        factories.StockHoldingFactory,
        factories.WatchedShareFactory,
        factories.BrokerAccountFactory,
        factories.LinkStateFactory,
        factories.OmexEventFactory,
        factories.OrderProofFactory,
        factories.ShareSettlementFactory,
    ):
        made(investor=asha)


def _evidence(asha: Any, order: MfOrder, payment: Any) -> None:
    at = clock.now()
    audit.record(order, "order.created", actor=asha.user, at=at, name=asha.name)
    cases.open_case(kind="order_outcome_unknown", subject=order, title=f"{asha.name} waits", detail="", at=at)
    inbox.store(provider="fp", kind="payment_return", body={"payment": payment.code}, subject=("x", "1"), at=at)
    GatewayCall.objects.create(
        provider="fp", method="GET", path="/x", outcome="OK", started_at=at, response_body={"name": asha.name}
    )
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": at})


Ask = Callable[[Any, str, str, dict[str, str]], Any]


@pytest.fixture
def ask() -> Ask:
    """One request of somebody, who has just typed their password: that question must not be what refuses."""
    sessions: dict[Any, Client] = {}

    def signed_in(person: Any) -> Client:
        browser = Client(raise_request_exception=False)
        browser.force_login(person)
        assert browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD}).status_code == 302
        return browser

    def run(person: Any, method: str, address: str, form: dict[str, str]) -> Any:
        if person is None:
            browser = Client(raise_request_exception=False)
        else:
            browser = sessions.pop(person.pk, None) or signed_in(person)
        answer = browser.post(address, form) if method == "POST" else browser.get(address)
        if person is not None and "logout" not in address:
            sessions[person.pk] = browser
        return answer

    return run


def _address(name: str, world: World) -> str:
    return reverse(name, args=[world.ids[each] for each in TABLE[name].ids])


def _form(name: str, world: World) -> dict[str, str]:
    return {field: world.ids.get(value, value) for field, value in TABLE[name].form}


def _leaks(answer: Any, world: World) -> list[str]:
    body = answer.content.decode("utf-8", "replace") if not answer.streaming else ""
    return [word for word in world.words if word in body]


def _wrong(world: World, ask: Ask, person: Any, names: list[str], allowed: set[int]) -> Iterator[str]:
    """What is wrong with the answers that this person gets on these routes."""
    for name in names:
        for method in METHODS:
            answer = ask(person, method, _address(name, world), _form(name, world))
            where = f"{method} {name} as {person or 'nobody'}: {answer.status_code}"
            if answer.status_code not in allowed:
                yield where
            if leaked := _leaks(answer, world):
                yield f"{where} shows {leaked}"


def _state(world: World) -> list[Any]:
    """Everything of Asha's, as the database holds it: no request of somebody else may change a byte of it."""
    found: list[Any] = []
    for table in owned_tables():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT t::text FROM {table} t WHERE investor_id = %s ORDER BY 1", [world.asha.pk])
            found += cursor.fetchall()
    return found


HER_ROUTES = [name for name, line in TABLE.items() if line.whose == HERS]
OTHER_ROUTES = [name for name, line in TABLE.items() if line.whose in (OWN, PUBLIC)]


def test_asha_herself_sees_her_words(world, ask):
    seen = {
        word
        for name in OTHER_ROUTES + HER_ROUTES
        for word in _leaks(ask(world.asha.user, "GET", _address(name, world), {}), world)
    }
    missing = set(world.words) - seen - {"secret-page", "PAY-"}
    assert {"Quillfeather", "73,519", "731.319"} <= seen, f"the test would not notice a leak of {missing}"


def test_nobody_gets_to_anything_of_hers(world, ask):
    before = _state(world)
    assert not list(_wrong(world, ask, None, HER_ROUTES, REFUSALS))
    assert _state(world) == before


def test_another_investor_is_told_that_it_is_not_there(world, chitra, ask):
    before = _state(world)
    assert not list(_wrong(world, ask, chitra.user, HER_ROUTES, {404, 405}))
    assert _state(world) == before


def test_the_views_alone_hold_without_the_wall_below_them(world, chitra, ask, monkeypatch):
    """Two walls, and each of them whole: here every connection sees everybody's rows."""
    monkeypatch.setattr(scope, "scope_of", lambda user: scope.ALL)
    before = _state(world)
    assert not list(_wrong(world, ask, chitra.user, HER_ROUTES, {404, 405}))
    assert not list(_wrong(world, ask, chitra.user, OTHER_ROUTES, {200, 302, 303, 400, 404, 405, 422, 429, 503}))
    assert _state(world) == before


def test_no_page_of_somebody_else_shows_or_changes_anything_of_hers(world, chitra, ask):
    before = _state(world)
    for person in (None, chitra.user):
        assert not list(_wrong(world, ask, person, OTHER_ROUTES, {200, 302, 303, 400, 401, 404, 405, 422, 429, 503}))
    assert _state(world) == before


@pytest.mark.parametrize("role", [*roles.STAFF_ROLES, roles.PARTNER])
def test_staff_and_partners_are_no_investors(world, ask, role):
    """Whoever may read everything in the admin still has no business on the pages of an investor."""
    person = factories.UserFactory()
    roles.grant(person, role)
    before = _state(world)
    assert not list(_wrong(world, ask, person, HER_ROUTES, REFUSALS))
    assert _state(world) == before


def test_her_bank_account_cannot_be_bought_from(world, chitra, ask):
    answer = ask(chitra.user, "POST", _address("orders:buy", world), _form("orders:buy", world))
    assert (answer.status_code, answer.url) == (303, _address("orders:buy", world))  # back to the form
    assert not chitra.consents.exists()


@pytest.mark.parametrize("method", METHODS)
def test_ringing_the_doorbell_for_her_payment_changes_nothing(world, chitra, ask, method):
    before = _state(world)
    answer = ask(chitra.user, method, _address("payments:return", world), _form("payments:return", world))
    assert answer.status_code == 303
    assert not _leaks(answer, world)
    assert _state(world) == before


def test_a_doorbell_that_nobody_has_is_not_there(world, ask):
    assert ask(None, "POST", reverse("payments:return", args=["0" * 20]), {}).status_code == 404


# --- the admin --------------------------------------------------------------------------------------------------

# What a route of the admin needs beside being staff, by the end of its address: for reading, for changing.
NEEDS = {"/add/": ("add", "add"), "/delete/": ("delete", "delete"), "/change/": ("view", "change")}


def _admin_address(route: Route) -> tuple[str, Any]:
    """The address of an admin route with the id of a real row in it, and the model it is about."""
    parts = route.path.strip("/").split("/")
    labels = {(model._meta.app_label, model._meta.model_name): model for model in admin.site._registry}
    model = labels.get((parts[1], parts[2])) if len(parts) > 2 else None
    if model is None:
        return route.path, None
    row = model._default_manager.first()
    acts = getattr(admin.site._registry[model], "acts", ())
    act = acts[0].name if acts else "nothing"
    filled = route.path.replace("<path:object_id>", str(row.pk if row else 1)).replace("<slug:act_name>", act)
    return filled, model


ADMIN = [
    route
    for route in routes()
    if of_admin(route) and "<path:content_type_id>" not in route.path and "(" not in route.path
]


def test_the_admin_is_closed_to_everybody_who_is_no_staff(world, chitra, ask):
    partner = factories.UserFactory()
    roles.grant(partner, roles.PARTNER)
    wrong = []
    for route in ADMIN:
        address, _ = _admin_address(route)
        for person in (None, chitra.user, partner):
            for method in METHODS:
                answer = ask(person, method, address, {})
                open_to_all = route.path in ("/admin/login/", "/admin/logout/")
                if answer.status_code not in (REFUSALS | ({200} if open_to_all else set())) or _leaks(answer, world):
                    wrong.append(f"{method} {address} as {person or 'nobody'}: {answer.status_code}")
    assert not wrong


@pytest.mark.parametrize("role", roles.STAFF_ROLES)
def test_a_role_opens_in_the_admin_only_what_it_was_given(world, ask, role):
    person = factories.UserFactory()
    roles.grant(person, role)
    wrong, before = [], _state(world)
    for route in ADMIN:
        address, model = _admin_address(route)
        if model is None:
            continue
        app, name = model._meta.app_label, model._meta.model_name
        reading, changing = next((need for end, need in NEEDS.items() if route.path.endswith(end)), ("view", "act"))
        for method, right in zip(METHODS, (reading, changing), strict=True):
            acts = getattr(admin.site._registry[model], "acts", ())
            needed = (
                acts[0].permission if "/act/" in route.path and acts and right == "act" else f"{app}.{right}_{name}"
            )
            if needed in roles.GRANTS[role]:
                continue
            answer = ask(person, method, address, {"reason": "because I want to", "_save": "1"})
            # A list and a page may be asked for by POST (filters, searches): then seeing is the right it needs.
            looks = right == "act" and f"{app}.view_{name}" in roles.GRANTS[role] and "/act/" not in route.path
            if answer.status_code not in (REFUSALS | ({200} if looks else set())):
                wrong.append(f"{method} {address} as {role}: {answer.status_code}")
    assert not wrong
    assert _state(world) == before


# --- the wall below the views -----------------------------------------------------------------------------------


def owned_tables() -> list[str]:
    """Every table that says whose a row is, as the database tells: a new one cannot be forgotten here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE a.attname = 'investor_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') "
            "AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def _count(table: str, asha: Any) -> int:
    owner = {"investors_investor": "id", "investors_investorevent": "id"}.get(table, "investor_id")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {owner} = %s", [asha.pk])
        return int(cursor.fetchone()[0])


def _tables() -> list[str]:
    return [*owned_tables(), "investors_investor", "investors_investorevent"]


# Tables that their investor does not read: what is told of a row stands in a view.
TOLD_BY = {"investors_transfer": "v_investor_transfers"}


def test_the_role_of_the_application_cannot_climb_over_the_wall():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_every_owned_table_has_the_wall_and_it_holds_for_the_owner_too(world):
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table])
            assert cursor.fetchone() == (True, True), table


def test_another_investor_and_nobody_see_no_row_of_hers_in_any_table(world, chitra):
    for table in _tables():
        assert _count(table, world.asha) > 0, f"the test shows nothing about {table}: give Asha a row there"
        shown = TOLD_BY.get(table, table)
        for whose in (f"user:{chitra.user_id}", scope.NONE, "", "user:", f"user:{chitra.user_id} OR true"):
            with scope.scope(whose):
                assert _count(table, world.asha) == _count(shown, world.asha) == 0, (table, whose)
        with scope.scope(f"user:{world.asha.user_id}"):
            assert _count(shown, world.asha) > 0, table
            assert shown == table or _count(table, world.asha) == 0, table


def test_the_view_of_all_money_is_behind_the_wall_too(world, chitra):
    def seen() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM v_money_ops WHERE owner = %s", [world.asha.code])
            return int(cursor.fetchone()[0])

    assert seen() == 6
    for whose in (f"user:{chitra.user_id}", scope.NONE):
        with scope.scope(whose):
            assert seen() == 0


def test_another_investor_can_neither_change_nor_plant_a_row_of_hers(world, chitra):
    with scope.scope(f"user:{chitra.user_id}"), connection.cursor() as cursor:
        cursor.execute("UPDATE orders_mforder SET placed_at = now() WHERE investor_id = %s", [world.asha.pk])
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM investors_address WHERE investor_id = %s", [world.asha.pk])
        assert cursor.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            factories.AddressFactory(investor=world.asha)


def test_workers_and_commands_see_everybody_and_web_processes_nobody_until_they_are_told():
    options = settings.DATABASES["default"]["OPTIONS"]["options"]
    assert "portal.scope=all" in options
    code = "import portal.wsgi; from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "portal.scope=none" in told.stdout
    for words, expected in ((options, "all"), (options.replace("scope=all", "scope=none"), "none")):
        with psycopg.connect(settings.DATABASE_URL, options=words) as fresh:
            assert fresh.execute("SELECT current_setting('portal.scope')").fetchone() == (expected,)


def test_a_request_leaves_nothing_open_for_the_next_one(world, chitra, client_for):
    client_for(chitra).get("/portfolio/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.scope')")
        assert cursor.fetchone() == (settings.DB_SCOPE,)
