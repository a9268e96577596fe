"""What belongs to an investor: a copy of it, who looked at it, and how it is forgotten when the law lets go."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from investors import consent_words, retention
from investors.models import Consent, DataExport, Document, ErasureRequest, Investor, Invite, KycCheck, Owned
from investors.operations import bank_accounts, consents, documents, erasure, exports, privacy_log
from portal import audit, clock, identifiers, terms
from portal.encryption import EncryptedTextField
from portal.files import links, vault
from portal.models import AuditEntry, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def any_code(monkeypatch):
    """Codes have tests of their own."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: otp == "123456")


def given(asha, operation, at=None):
    """Asked, and confirmed with the right code."""
    ref, at = identifiers.new_client_ref(), at or clock.now()
    consent = operation.ask(investor=asha, form_ref=ref, ip=None, at=at)
    return operation.confirm(investor=asha, code=consent.code, otp="123456", ip="203.0.113.7", at=at)


# --- the copy ---------------------------------------------------------------------------------------------------


def made(asha) -> DataExport:
    row = given(asha, exports)
    exports.advance(export_id=row.pk, at=clock.now())
    row.refresh_from_db()
    return row


def opened(asha, row) -> zipfile.ZipFile:
    token = exports.link(export=row, user=asha.user)
    content = exports.take(token=token, user=asha.user, at=clock.now())
    assert content is not None
    return zipfile.ZipFile(io.BytesIO(content))


def test_a_copy_holds_everything_of_the_investor_and_nothing_of_others(asha, chitra):
    factories.NomineeFactory(investor=asha, name="Lata Rao")
    factories.NomineeFactory(investor=chitra, name="Kamala Nair")
    order = factories.OrderFactory(investor=asha)
    pack = opened(asha, made(asha))
    data, page = pack.read("data.json").decode(), pack.read("data.html").decode()
    assert {"about", "sections"} == set(json.loads(data))
    for text in (data, page):
        assert all(word in text for word in ("ASHPR3751C", "Lata Rao", order.code, asha.bankaccounts.get().number))
        assert not any(word in text for word in ("Kamala", "CHTPN3751E", chitra.user.email))


def test_every_kind_of_row_of_an_investor_is_in_the_copy():
    """A table that is added tomorrow is in it too; one that belongs to an investor by another way must say so here."""
    found = set(exports.owned())
    named = {
        model
        for app in ("investors", "orders", "payments", "brokers")
        for model in apps.get_app_config(app).get_models()
    }
    assert {model for model in named if issubclass(model, Owned)} == found


def test_keys_of_ours_and_of_providers_are_not_in_the_copy():
    shown = {(m.__name__, f.name) for m in exports.owned() for f in m._meta.concrete_fields if exports._is_shown(f)}
    encrypted = {
        (m.__name__, f.name) for m in exports.owned() for f in m._meta.fields if isinstance(f, EncryptedTextField)
    }
    assert ("BrokerAccount", "session") in encrypted - shown
    assert ("Payment", "token_url") in encrypted - shown
    assert not {name for _, name in shown} & {"otp_hash", "vault_name", "number_index"}


def test_documents_are_in_the_copy(asha):
    factories.DocumentFactory(investor=asha, vault_name=vault.put(b"a photo"))
    pack = opened(asha, made(asha))
    [name] = [name for name in pack.namelist() if name.startswith("documents/")]
    assert pack.read(name) == b"a photo"


def test_a_link_is_for_one_person_and_five_minutes(asha, chitra, monkeypatch):
    row = made(asha)
    token = exports.link(export=row, user=asha.user)
    assert exports.take(token=token, user=chitra.user, at=clock.now()) is None
    assert (
        exports.take(token=links.sign(user_id=chitra.user.pk, document=row.code), user=chitra.user, at=clock.now())
        is None
    )
    later = time.time() + links.LIFE_S + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert exports.take(token=token, user=asha.user, at=clock.now()) is None


def test_a_copy_is_forgotten_after_seven_days(asha, recover, django_capture_on_commit_callbacks):
    row = made(asha)
    with django_capture_on_commit_callbacks(execute=True):
        recover(clock.now() + exports.KEPT + timedelta(hours=1))
    name, row = row.vault_name, DataExport.objects.get(pk=row.pk)
    assert (row.state, row.vault_name) == ("GONE", "")
    with pytest.raises(FileNotFoundError):
        vault.get(name)


def test_the_sweep_makes_the_copy_when_the_nudge_was_lost(asha, recover):
    row = given(asha, exports)
    recover(clock.now() + timedelta(seconds=1))
    row.refresh_from_db()
    assert row.state == "MADE"


def test_one_copy_is_made_at_a_time(asha):
    given(asha, exports)
    with pytest.raises(exports.Busy):
        given(asha, exports)


# --- who looked -------------------------------------------------------------------------------------------------


def test_the_investor_reads_who_looked_by_name_and_without_their_address(asha, dev, client_for):
    factories.DocumentFactory(investor=asha)
    client_for(dev).get(reverse("admin:investors_investor_change", args=[asha.pk]))
    documents.saw(document=asha.documents.get(), actor=dev, at=clock.now())
    assert {(each.by, each.page) for each in privacy_log.views_of(asha)} == {
        ("Dev", "your record"),
        ("Dev", "your photo"),
    }
    page = client_for(asha).get(reverse("investors:privacy")).content.decode()
    assert "Dev" in page
    assert dev.email not in page


# --- consents ---------------------------------------------------------------------------------------------------


def test_every_purpose_says_what_can_be_done_about_it():
    assert set(consent_words.WAYS) == set(Consent.Purpose.values)


def test_a_consent_is_shown_with_its_proof(asha, client_for):
    consent = factories.ConsentFactory(
        investor=asha, purpose="MANDATE", given_ip="203.0.113.7", shown={"Limit": "₹25,000"}
    )
    assert consent.code in client_for(asha).get(reverse("investors:consents")).content.decode()
    page = client_for(asha).get(reverse("investors:consent", args=[consent.code])).content.decode()
    assert all(words in page for words in ("₹25,000", "203.0.113.7", "as***@portal.example", "cancel the mandate"))


def test_the_terms_agreed_to_are_named_by_their_day_as_people_write_it(asha, client_for):
    audit.record(asha.user, "user.agreed_to_terms", actor=asha.user, at=clock.now(), terms_of=terms.IN_FORCE_SINCE)
    page = client_for(asha).get(reverse("investors:privacy")).content.decode()
    assert "in force since 1 Nov 2026." in page


# --- being forgotten --------------------------------------------------------------------------------------------


def test_without_a_transaction_the_term_runs_five_years_from_the_day_it_was_asked(asha):
    now = clock.now()
    wish = given(asha, erasure, at=now)
    assert wish.held_until == retention.years_later(now, 5)


def test_the_term_begins_with_the_last_transaction(asha):
    order = factories.OrderFactory(investor=asha, state="REJECTED")
    later = clock.now() + timedelta(days=30)
    type(order).objects.filter(pk=order.pk).update(state_since=later)
    assert retention.term_of(asha, asked_at=clock.now()).until == retention.years_later(later, 5)


def test_the_term_does_not_begin_while_units_are_held(asha):
    factories.HoldingFactory(investor=asha)
    term = retention.term_of(asha, asked_at=clock.now())
    assert (term.until, "you hold units" in term.why) == (None, True)


def test_somebody_who_never_registered_is_gone_after_a_week(bharat, recover):
    wish = given(bharat, erasure)
    recover(wish.asked_at + timedelta(days=6))
    assert Investor.objects.get(pk=bharat.pk).name == "Bharat Mehta"
    recover(wish.asked_at + timedelta(days=7, minutes=1))
    assert Investor.objects.get(pk=bharat.pk).name == ""


def test_a_leap_day_ends_on_the_first_of_march():
    from datetime import datetime

    assert retention.years_later(datetime(2028, 2, 29), 5) == datetime(2033, 3, 1)


def test_nothing_is_erased_before_its_term_whoever_asks_the_database(asha):
    wish = given(asha, erasure)
    wish.state, wish.done_at = "DONE", clock.now()
    with pytest.raises(IntegrityError, match="before_its_term"), transaction.atomic():
        wish.save()


def test_an_order_that_comes_meanwhile_moves_the_term_on(asha):
    wish = given(asha, erasure)
    over = wish.held_until + timedelta(minutes=1)
    factories.HoldingFactory(investor=asha)
    erasure.advance(erasure_id=wish.pk, at=over)
    wish.refresh_from_db()
    assert (wish.state, wish.held_until) == ("HELD", None)


def test_every_column_of_a_person_is_emptied_or_said_to_be_no_personal_one():
    named = {*erasure.PERSON, *erasure.NOT_PERSONAL, *erasure.BY_RULE}
    assert {field.name for field in Investor._meta.concrete_fields} == named


def test_what_belongs_to_a_person_is_erased_or_said_to_be_kept():
    """Tables of the outer apps are their own to empty, by `erasure.register`."""
    ours = {model for model in exports.owned() if model._meta.app_label == "investors"}
    assert ours == {*erasure.DELETED, *(set(erasure.EMPTIED) - {Invite}), *erasure.KEPT_ROWS}


def everything_stored() -> str:
    """Every table as text, except what a provider's journal keeps redacted."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [f"{table}: {row[0]}" for row in cursor.fetchall()]
    return "\n".join(found)


def test_after_the_term_nothing_leads_back_to_the_person_and_the_books_stay(
    asha, chitra, django_capture_on_commit_callbacks
):
    asha.name, asha.mobile = "Asha Quillfeather", "9812398123"
    asha.save()
    factories.NomineeFactory(investor=asha, name="Lata Quillfeather")
    file = vault.put(b"her card")
    factories.DocumentFactory(investor=asha, vault_name=file)
    factories.ChangeRequestFactory(investor=asha)
    factories.KycRequestFactory(investor=asha)
    factories.OrderFactory(investor=asha, state="REJECTED")
    factories.BrokerAccountFactory(investor=asha, account_ref="quill-7", label="Quillfeather's")
    wish = given(asha, erasure)
    number, orders = asha.bankaccounts.get().number, asha.mforders.count()
    with django_capture_on_commit_callbacks(execute=True):
        erasure.advance(erasure_id=wish.pk, at=wish.held_until + timedelta(minutes=1))
    wish.refresh_from_db()
    assert (wish.state, asha.mforders.count()) == ("DONE", orders)
    left = everything_stored()
    gone = ("Quillfeather", "quill-7", "ASHPR3751C", "asha@portal.example", "9812398123", number, asha.pan_index)
    found = [line[:200] for line in left.splitlines() for word in gone if word in line]
    assert not found
    assert "Chitra Nair" in left
    with pytest.raises(FileNotFoundError):
        vault.get(file)
    user = User.objects.get(pk=asha.user_id)
    assert not user.is_active
    assert not user.has_usable_password()


def test_what_somebody_had_written_into_invitations_is_forgotten_too(asha, django_capture_on_commit_callbacks):
    taken = factories.InviteFactory(
        investor=asha, used_at=clock.now(), agreed="I agree", agreed_ip="203.0.113.9", basis="Quillfeather asked for it"
    )
    unused = factories.InviteFactory(email=asha.user.email.upper(), name="Asha Quillfeather")
    others = factories.InviteFactory(email="chitra@portal.example", name="Chitra")
    wish = given(asha, erasure)
    with django_capture_on_commit_callbacks(execute=True):
        erasure.advance(erasure_id=wish.pk, at=wish.held_until + timedelta(minutes=1))
    left = everything_stored()
    assert [word for word in ("Quillfeather", "203.0.113.9") if word in left] == []
    unused.refresh_from_db()
    others.refresh_from_db()
    assert unused.revoked_at
    assert (others.name, others.revoked_at) == ("Chitra", None)
    assert Invite.objects.get(pk=taken.pk).agreed == "I agree"


def test_whoever_works_here_keeps_the_login_of_their_work(asha, django_capture_on_commit_callbacks):
    User.objects.filter(pk=asha.user_id).update(is_staff=True)
    wish = given(asha, erasure)
    with django_capture_on_commit_callbacks(execute=True):
        erasure.advance(erasure_id=wish.pk, at=wish.held_until + timedelta(minutes=1))
    user = User.objects.get(pk=asha.user_id)
    assert (user.is_active, user.email) == (True, asha.user.email)
    assert Investor.objects.get(pk=asha.pk).name == ""


def test_registry_answers_still_never_change_otherwise(asha):
    check = KycCheck.objects.filter(investor=asha).first()
    with pytest.raises(IntegrityError), transaction.atomic():
        KycCheck.objects.filter(pk=check.pk).update(verbatim="")


def test_the_wish_is_taken_back_by_who_made_it_and_nobody_else(asha, chitra, client_for):
    wish = given(asha, erasure)
    address = reverse("investors:privacy_stay", args=[wish.code])
    assert client_for(chitra).post(address).status_code == 404
    assert client_for(asha).post(address).status_code == 302
    assert ErasureRequest.objects.get().state == "WITHDRAWN"


# --- pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "words"), [("privacy_export", "Being made"), ("privacy_erase", "You asked on")])
def test_from_the_button_by_a_code_to_the_page(name, words, asha, client_for):
    browser = client_for(asha)
    form = {"form_ref": identifiers.new_client_ref()}
    asked = browser.post(reverse(f"investors:{name}"), form, follow=True)
    assert "Type the code" in asked.content.decode()
    page = browser.post(asked.redirect_chain[-1][0], {"otp": "123456"}, follow=True).content.decode()
    assert words in page


def test_the_page_hands_out_the_copy(asha, client_for):
    made(asha)
    browser = client_for(asha)
    page = browser.get(reverse("investors:privacy"))
    [row] = page.context["copies"]
    answer = browser.get(reverse("investors:privacy_copy", args=[row["token"]]))
    assert answer["Content-Type"] == "application/zip"
    assert AuditEntry.objects.filter(action="export.taken").count() == 1
    assert browser.get(reverse("investors:privacy_copy", args=["made-up"])).status_code == 404
    vault.remove(DataExport.objects.get().vault_name)
    lost = browser.get(reverse("investors:privacy_copy", args=[row["token"]]), follow=True)
    assert "Please make another one" in lost.content.decode()


def test_the_page_costs_few_statements(asha, dev, client_for, django_assert_max_num_queries):
    audit.saw(asha, actor=dev, at=clock.now(), page="investors.investor")
    made(asha)
    given(asha, erasure)
    browser = client_for(asha)
    browser.get(reverse("investors:privacy"))
    with django_assert_max_num_queries(26):
        browser.get(reverse("investors:privacy"))


# --- proof of a bank account ------------------------------------------------------------------------------------


def test_a_payment_that_settled_proves_the_account_it_came_from_once(asha):
    account, at = asha.bankaccounts.get(), clock.now()
    bank_accounts.paid_from(account_id=account.pk, at=at)
    bank_accounts.paid_from(account_id=account.pk, at=at + timedelta(days=1))
    account.refresh_from_db()
    assert (account.verified, account.verified_at) == ("PAID_FROM", at)


def test_a_cheque_proves_an_account_when_the_desk_has_compared_it(asha, dev):
    account = asha.bankaccounts.get()
    with pytest.raises(bank_accounts.NotPossible):
        bank_accounts.cheque_fits(account_id=account.pk, actor=dev, reason="seen", at=clock.now())
    account.cancelled_cheque = factories.DocumentFactory(investor=asha, kind=Document.Kind.CANCELLED_CHEQUE)
    account.save()
    bank_accounts.cheque_fits(account_id=account.pk, actor=dev, reason="name and number are hers", at=clock.now())
    account.refresh_from_db()
    assert account.verified == "CHEQUE"
