"""Nothing secret lies in clear anywhere (reliability.md P28): planted through the pages, then every store is searched.

One story: somebody signs up, gets ready, adds a second factor, a bank account and a mandate, buys, pays, sells, wants
another address and a copy of everything, somebody follows an invitation, and somebody else sends the papers of a
fresh KYC; things break on purpose on the way. Then each table, the cache, the queue, Redis where there is one, the
files, what was logged here and by the database, what was mailed about errors, and every address that a browser saw is
searched, also inside base64, hex and gzip.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from celery.signals import before_task_publish
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors.models import Document, Investor, Mandate
from investors.operations import change_sending, documents, exports, invites, mandate_sending
from orders.models import MfOrder
from payments.models import Payment
from portal import clock, error_mail, identifiers
from portal.fintech_primitives.client import client as fp
from tests import factories, world
from tests.canaries import (
    Canaries,
    Lines,
    Watched,
    files,
    readings,
    redis,
    server_log,
    server_log_size,
    tables,
)
from tests.investors import applying, fresh_kyc

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD = "asha@canary.example", "glorious umbrella 77 canary"
PAN, FRESH_PAN = "QWEPR3751Z", "QWEPR3753Y"
ACCOUNT, SECOND_ACCOUNT = "50100077341121", "60100099981121"
PASSPORT = "K7654321"
NEW_EMAIL, INVITED, INVITED_PAN = "asha.new@canary.example", "chitra@canary.example", "QWEPR3752X"
BOOM = "planted for the canary"


class World:
    """A story in one process, and what could be read of it afterwards."""

    def __init__(self, commit: Callable[..., Any]) -> None:
        self.canaries, self.addresses, self.messages, self.log = Canaries(), [], [], Lines()
        self.began_at = server_log_size()
        self.commit = commit
        self.browser = self.new_browser()

    def new_browser(self) -> Watched:
        return Watched(self.addresses, raise_request_exception=False)

    def post(self, address: str, form: dict[str, Any] | None = None, *, commit: bool = True) -> Any:
        """A form is sent, what follows the commit is done, and the session that came of it is a canary."""
        with self.commit(execute=commit):
            answer = self.browser.post(address, form or {})
        if cookie := self.browser.cookies.get(settings.SESSION_COOKIE_NAME):
            self.canaries.plant("session", cookie.value)
        return answer

    def code(self) -> str:
        """The code in the newest mail: a canary too."""
        found = re.search(r"^\s*([A-Z0-9]{4}-?[A-Z0-9]{2,4}|\d{6})\s*$", mail.outbox[-1].body, re.MULTILINE)
        assert found, mail.outbox[-1].body
        self.canaries.plant("one-time code", found[1])
        return found[1]

    def stores(self) -> Iterator[tuple[str, bytes]]:
        """Everything that outlives a request, and everything that somebody else can read."""
        yield from tables()
        yield from redis()
        yield from files(world.FOLDER, besides=("static", "sandbox.sqlite", "sandbox.sqlite-wal", "sandbox.sqlite-shm"))
        yield from (("queue", message) for message in self.messages)
        yield from (("log", line.encode()) for line in self.log.lines)
        yield from server_log(self.began_at)
        yield from (("address", address.encode()) for address in self.addresses)
        for each in mail.outbox:
            yield f"mail to {each.to[0]}", f"{each.subject}\n{each.body}".encode()

    def leaks(self) -> set[tuple[str, str]]:
        """(store, what can be read there) without what is meant to be there."""
        found = {(where, what) for where, content in self.stores() for what in self.canaries.found_in(content)}
        return {each for each in found if each not in ALLOWED}


# A code is in the mail that brings it, and nowhere else; so is the secret of a link.
ALLOWED = {
    (f"mail to {EMAIL}", "one-time code"),
    (f"mail to {NEW_EMAIL}", "one-time code"),
    (f"mail to {INVITED}", "secret of a link"),
}


@pytest.fixture
def story(
    sandbox: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Iterator[World]:
    settings.ERROR_MAILS_TO = ["ops@canary.example"]
    told = World(django_capture_on_commit_callbacks)
    root, formatter = (
        logging.getLogger(),
        next(each.formatter for each in logging.getLogger().handlers if each.formatter),
    )
    told.log.setFormatter(formatter)

    def note(body: Any = None, headers: Any = None, **_: Any) -> None:
        told.messages.append(json.dumps([body, headers], default=str).encode())

    before_task_publish.connect(note)
    root.addHandler(told.log)
    monkeypatch.setattr(root, "level", logging.INFO)
    yield told
    root.removeHandler(told.log)
    before_task_publish.disconnect(note)


def tell(story: World, recover: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it, in the order in which it happens to people."""
    sign_up(story)
    sign_in_by_code(story)
    get_ready(story, recover)
    protect(story, monkeypatch)
    investor = Investor.objects.get(user__email=EMAIL)
    add_a_bank(story, investor)
    authorise_a_mandate(story, investor)
    buy_and_pay(story, investor, recover)
    sell(story, investor)
    change_the_address(story, investor)
    take_a_copy(story, investor)
    follow_an_invitation(story)
    break_everything(story, monkeypatch)
    reset_the_password(story)
    send_papers(story)
    story.canaries.plant("token of the provider", fp()._token)


def sign_up(story: World) -> None:
    story.canaries.plant("password", PASSWORD)
    story.post(reverse("account_signup"), {"email": EMAIL, "password1": PASSWORD})
    story.post(reverse("account_email_verification_sent"), {"code": "WRONGX"})
    story.post(reverse("account_email_verification_sent"), {"code": story.code()})
    assert EmailAddress.objects.get(email=EMAIL).verified


def sign_in_by_code(story: World) -> None:
    story.browser = story.new_browser()
    story.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD + "typo"})
    story.canaries.plant("password", PASSWORD + "typo")
    story.post(reverse("account_request_login_code"), {"email": EMAIL})
    story.post(reverse("account_confirm_login_code"), {"code": story.code()})
    assert story.browser.session["_auth_user_id"]


def get_ready(story: World, recover: Callable[..., Any]) -> None:
    story.canaries.plant("PAN", PAN)
    story.canaries.plant("account number", ACCOUNT)
    changes = {"pan": {"pan": PAN}, "bank": {"number": ACCOUNT, "number_again": ACCOUNT}}
    for slug, form in applying.TYPED.items():
        # What is refused is kept for the next page, and must be kept encrypted.
        story.post(applying.step_url(slug), {**form, **changes.get(slug, {}), "number_again": "1"})
        story.post(applying.step_url(slug), {**form, **changes.get(slug, {})})
    settle(story, recover, lambda: Investor.objects.get(user__email=EMAIL).state == "READY")


def settle(story: World, recover: Callable[..., Any], is_so: Callable[[], bool]) -> None:
    """What would be looked at again in a while is looked at now, until it is so."""
    for _ in range(20):
        for model in (Investor, MfOrder, Payment):
            model.objects.filter(due_at__isnull=False).update(due_at=clock.now())
        with story.commit(execute=True):
            recover()
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it does not settle")


def protect(story: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Half a minute may end between a code and its sending.
    step = next(totp.yield_hotp_counters_from_time())
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: [step])
    story.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = story.browser.get(reverse("mfa_activate_totp")).context["form"].secret
    story.canaries.plant("secret of the second factor", secret)
    code = totp.format_hotp_value(totp.hotp_value(secret, step))
    story.canaries.plant("one-time code", code)
    # What allauth does after this commit needs the request, which has ended by then.
    story.post(reverse("mfa_activate_totp"), {"code": code}, commit=False)
    page = story.browser.get(reverse("mfa_view_recovery_codes"))
    codes = page.context["unused_codes"]
    assert len(codes) == 10
    story.canaries.plant("recovery code", *codes)


def add_a_bank(story: World, investor: Investor) -> None:
    story.canaries.plant("account number", SECOND_ACCOUNT)
    form = {**applying.BANK, "number": SECOND_ACCOUNT, "number_again": SECOND_ACCOUNT}
    page = story.browser.get(reverse("investors:bank_add"))
    form |= {"form_ref": page.context["form"]["form_ref"].value() or identifiers.new_client_ref()}
    asked = story.post(reverse("investors:bank_add"), form)
    story.post(asked["Location"], {"otp": "000000"})
    story.post(asked["Location"], {"otp": story.code()})
    change = investor.changerequests.get()
    assert change.state == "CHECKING"
    change_sending.advance(change_id=change.pk, at=clock.now())


def authorise_a_mandate(story: World, investor: Investor) -> None:
    bank = investor.bankaccounts.get(is_primary=True)
    form = {"limit": "25,000", "kind": "E_MANDATE", "bank_account": bank.code, "form_ref": identifiers.new_client_ref()}
    asked = story.post(reverse("investors:mandate_new"), form)
    story.post(asked["Location"], {"otp": story.code()})
    mandate = Mandate.objects.get()
    for _ in range(2):
        mandate_sending.advance(mandate_id=mandate.pk, at=clock.now())
    mandate.refresh_from_db()
    story.canaries.plant("page of the bank", mandate.page_url)
    sent = story.browser.post(reverse("investors:mandate_authorise", args=[mandate.code]))
    assert sent["Location"] == mandate.page_url
    # The browser is sent there: that is the one address in which it belongs.
    story.addresses.remove(mandate.page_url)


def buy_and_pay(story: World, investor: Investor, recover: Callable[..., Any]) -> None:
    theirs = fp().fetch_scheme("INF179K01608")
    scheme = factories.SchemeFactory(
        isin=theirs.isin,
        name=theirs.name,
        min_first=theirs.min_initial_investment,
        amfi_code=int(theirs.amfi_code or 0),
    )
    url = reverse("orders:buy", args=[scheme.isin])
    ref = re.search(r'name="form_ref" value="([0-9A-Z]{20})"', story.browser.get(url).content.decode())
    assert ref
    bank = investor.bankaccounts.get(is_primary=True)
    asked = story.post(url, {"amount": "5000", "bank_account": bank.code, "payment_method": "UPI", "form_ref": ref[1]})
    story.post(asked["Location"], {"otp": "111111"})
    story.post(asked["Location"], {"otp": story.code()})
    settle(story, recover, lambda: Payment.objects.filter(state="AWAITING_INVESTOR").exists())
    payment = Payment.objects.get()
    story.canaries.plant("page of the bank", payment.token_url)
    story.post(reverse("payments:pay", args=[MfOrder.objects.get().code]))
    story.addresses = [each for each in story.addresses if each != payment.token_url]
    story.browser.addresses = story.addresses
    story.post(reverse("payments:return", args=[payment.nonce]), {"paymentId": payment.provider_ref, "otp": "999999"})


def sell(story: World, investor: Investor) -> None:
    holding = factories.HoldingFactory(investor=investor, units=Decimal("100.000"), invested=Decimal("4000.00"))
    url = reverse("orders:sell", args=[holding.scheme.isin])
    ref = re.search(r'name="form_ref" value="([0-9A-Z]{20})"', story.browser.get(url).content.decode())
    assert ref
    asked = story.post(url, {"form_ref": ref[1], "folio": holding.folio.number, "by": "units", "units": "12.5"})
    story.post(asked["Location"], {"otp": story.code()})
    assert MfOrder.objects.filter(kind="REDEMPTION").exists()


def change_the_address(story: World, investor: Investor) -> None:
    """Two codes: one to the address that is, one to the address that shall be."""
    form = {"email": NEW_EMAIL, "email_is_of": "SELF", "form_ref": identifiers.new_client_ref()}
    asked = story.post(reverse("investors:change", args=["email"]), form)
    proof = story.post(asked["Location"], {"otp": story.code()})
    story.post(proof["Location"], {"otp": story.code()})
    assert investor.changerequests.get(what="EMAIL").state == "COOLING"


def take_a_copy(story: World, investor: Investor) -> None:
    """Everything in one file, unmasked: it lies on the disk until it is taken, and afterwards."""
    asked = story.post(reverse("investors:privacy_export"), {"form_ref": identifiers.new_client_ref()})
    story.post(asked["Location"], {"otp": story.code()})
    row = investor.dataexports.get()
    exports.advance(export_id=row.pk, at=clock.now())
    [copy] = story.browser.get(reverse("investors:privacy")).context["copies"]
    taken = story.browser.get(reverse("investors:privacy_copy", args=[copy["token"]]))
    with zipfile.ZipFile(io.BytesIO(taken.content)) as pack:
        assert PAN in pack.read("data.json").decode()


def follow_an_invitation(story: World) -> None:
    """What a colleague has filled in for somebody, who looks at it and does not take it yet."""
    story.canaries.plant("PAN", INVITED_PAN)
    by = factories.UserFactory(first_name="Meera", last_name="Iyer")
    invites.invite(
        email=INVITED, name="Chitra Nair", filled={"pan": {"pan": INVITED_PAN}}, partner=None, euin="",
        basis="Asked for it on the phone", actor=by, at=clock.now(),
    )  # fmt: skip
    link = re.search(r"https?://\S+?(/invitation/\S+)", str(mail.outbox[-1].body))
    assert link
    story.canaries.plant("secret of a link", link[1].rstrip("/").rpartition("/")[2].partition(":")[0])
    somebody = story.new_browser()
    somebody.get(link[1])
    assert "Meera Iyer" in somebody.get(reverse("investors:invite")).content.decode()
    # Following it is the one address in which it belongs.
    story.addresses[:] = [each for each in story.addresses if not each.startswith(link[1])]


def break_everything(story: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each app something raises with the secret in its words and in the variables beside it."""
    typed = {"otp": "424242", "code": "424242", "number": ACCOUNT, "pan": PAN, "password": PASSWORD}
    story.canaries.plant("one-time code", typed["otp"])

    def raise_it(*args: Any, **given: Any) -> None:
        account, pan = ACCOUNT, PAN  # what a page of variables would show
        raise RuntimeError(f"{BOOM}: {pan} {account} {typed} {args} {given}")

    order = MfOrder.objects.filter(kind="REDEMPTION").get()
    for target, name, address in (
        ("investors.views.profile", "render", reverse("investors:profile")),
        ("investors.operations.kyc.gateway", "check_kyc", applying.step_url("pan")),
        ("orders.views.purchases", "render", f"/orders/{order.code}/"),
        ("payments.views.inbox", "store", reverse("payments:return", args=[Payment.objects.get().nonce])),
        ("portal.outbox", "mails", reverse("outbox")),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(f"{target}.{name}", raise_it)
            broken.setattr(error_mail, "QUIET_S", 0.0)
            story.post(address, typed)
            story.browser.get(address)


def reset_the_password(story: World) -> None:
    story.browser = story.new_browser()
    story.post(reverse("account_reset_password"), {"email": EMAIL})
    story.post(reverse("account_confirm_password_reset_code"), {"code": story.code()})


def send_papers(story: World) -> None:
    """Somebody else, whose PAN no registry knows: all papers, with names of files that tell too much."""
    story.canaries.plant("PAN", FRESH_PAN)
    story.canaries.plant("number of a proof", PASSPORT)
    story.canaries.plant("name of a file", "scan of canary 4321")
    user = factories.UserFactory(email="bharat@canary.example")
    story.browser = story.new_browser()
    story.browser.force_login(user)
    story.post(applying.step_url("pan"), {"pan": FRESH_PAN})
    story.post(reverse("investors:kyc"))
    for slug in (*fresh_kyc.TYPED, *fresh_kyc.SENT):
        form = {**fresh_kyc.TYPED.get(slug, {})}
        form |= {"proof_number": PASSPORT} if slug == "address" else {}
        for kind in fresh_kyc.SENT.get(slug, ()):
            suffix = "mp4" if kind == Document.Kind.IPV_VIDEO else "jpg"
            form[kind] = fresh_kyc.upload(kind, name=f"scan of canary 4321 {FRESH_PAN}.{suffix}")
        story.post(fresh_kyc.url(slug), form)
    fresh_kyc.confirm(story.browser)
    investor = Investor.objects.get(user=user)
    fresh_kyc.sweep(fresh_kyc.newest(investor))
    sent = list(investor.documents.filter(provider_ref__isnull=False))
    assert len(sent) == 6
    for document in sent:
        content = documents.content(document)
        story.canaries.plant("a paper", content[len(content) // 2 :][:40])


# --- the search -------------------------------------------------------------------------------------------------


def test_nothing_secret_can_be_read_in_any_store(
    story: World, recover: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(story, recover, monkeypatch)
    assert {kind for kind, secrets in story.canaries.planted.items() if secrets} == {
        "PAN", "account number", "number of a proof", "name of a file", "one-time code", "password", "session",
        "page of the bank", "secret of the second factor", "recovery code", "token of the provider",
        "secret of a link", "a paper",
    }  # fmt: skip
    searched = {where.split()[0] for where, _ in story.stores()}
    assert {"table", "file", "queue", "log", "address", "mail"} <= searched
    told = [each for each in mail.outbox if each.to == ["ops@canary.example"]]
    assert len(told) >= 4, "the mails of errors were not sent, so nothing about them was shown"
    assert all(BOOM in each.body for each in told)
    assert sorted(story.leaks()) == []


def test_a_file_of_an_investor_is_noise_on_the_disk(story: World, asha: Any) -> None:
    document = factories.DocumentFactory(investor=asha)
    assert document
    for where, content in files(world.FOLDER / "media"):
        # Only where a format has its mark: anywhere in noise, three letters come up by chance.
        assert not content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"%PDF")), where
        assert content[4:8] != b"ftyp", where


def test_the_database_writes_no_row_into_its_own_log() -> None:
    """PostgreSQL says in an error's detail which row it was; what it says is for us, not for a file beside the data.
    Of tables behind policies it says nothing at all; this is one of the others."""
    began_at, name = server_log_size(), "Quillfeather"
    Group.objects.create(name=name)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Group.objects.create(name=name)
    for where, written in server_log(began_at):
        assert b"ERROR:" in written, "the error itself is to be found there"
        assert name.encode() not in written, where


def _spellings(secret: str) -> dict[str, bytes]:
    plain = secret.encode()
    return {
        "as it is": b"x " + plain + b" y",
        "in small letters": plain.lower(),
        "hex": plain.hex().encode(),
        "base64": base64.b64encode(b"..." + plain + b"..."),
        "base64, shifted": base64.b64encode(b"a " + plain),
        "base64 for addresses": base64.urlsafe_b64encode(b"\xff\xfe?>" + plain),
        "gzip": gzip.compress(b"{'pan': '" + plain + b"'}"),
        "gzip in base64": base64.b64encode(gzip.compress(b"pan " + plain)),
        "gzip in hex, as bytes of a table are shown": b"\\x" + gzip.compress(plain).hex().encode(),
    }


@pytest.mark.parametrize("spelling", _spellings(PAN))
def test_the_search_finds_a_planted_leak(spelling: str) -> None:
    canaries = Canaries()
    canaries.plant("PAN", PAN)
    assert canaries.found_in(_spellings(PAN)[spelling]) == {"PAN"}
    assert not canaries.found_in(_spellings("QWEPR0000Z")[spelling])


def test_a_short_code_is_found_alone_and_not_inside_another_number() -> None:
    canaries = Canaries()
    canaries.plant("one-time code", "271828")
    for text in (b"otp: 271828", b"(1,271828,x)", base64.b64encode(b"code 271828 now")):
        assert canaries.found_in(text) == {"one-time code"}
    for text in (b"2718281", b"14:05:33.271828+05:30", b"a271828f"):
        assert not canaries.found_in(text)


@pytest.mark.parametrize("where", ["table", "cache", "queue", "log", "file", "address"])
def test_a_leak_in_any_store_is_noticed(where: str, story: World, asha: Any, tmp_path: Any) -> None:
    story.canaries.plant("PAN", PAN)
    assert not story.leaks()
    path = world.FOLDER / "media" / "leak"
    if where == "table":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE investors_investor SET mothers_name = %s", [PAN])
    elif where == "cache":
        cache.set("leak", {"pan": PAN}, 60)
    elif where == "queue":
        from portal.tasks import heartbeat

        heartbeat.apply_async(kwargs={"pan": PAN})
    elif where == "log":
        logging.getLogger("x").warning("%s", PAN[:5] + "\u200b" + PAN[5:])
        logging.getLogger("x").handle(
            logging.LogRecord("x", 30, "", 0, base64.b64encode(PAN.encode()).decode(), (), None)
        )
    elif where == "file":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(PAN.encode()))
    else:
        story.browser.get(f"/about/?pan={PAN}")
    found = {each.split()[0] for each, _ in story.leaks()}
    path.unlink(missing_ok=True)
    cache.clear()
    cached_in = "redis" if settings.REDIS_URL else "table"
    assert found == {cached_in if where == "cache" else where}


def test_every_reading_ends() -> None:
    nested = b"x"
    for _ in range(30):
        nested = base64.b64encode(nested + b" padding")
    assert len(list(readings(nested))) < 2_000
