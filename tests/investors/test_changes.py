"""Changes of contact, address, nominees and personal details: what they go through, and that FP hears of each once."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from investors import lifecycle
from investors.models import ChangeRequest, Consent, Investor
from investors.operations import change_kinds, change_sending, changes, consents, detail_changes
from portal import clock, identifiers
from portal.errors import InvalidInput
from portal.models import Case, User
from portal.scope import scope
from tests import factories
from tests.ops.test_roles import mark
from tests.sleeping import GUARDS, put_to_sleep, while_asleep

pytestmark = pytest.mark.django_db
UPDATE = "*/investors/*"
NEW_EMAIL, NEW_MOBILE = "asha.new@portal.example", "9000000077"
LAKE_VIEW = {"line1": "7, Lake View", "line2": "", "line3": "", "pincode": "400001"}
ADDRESS = {"CORRESPONDENCE": LAKE_VIEW, "PERMANENT": None, "OVERSEAS": None}
NOMINEES = {
    "opted_out": False,
    "nominees": [
        {
            "name": "Ravi Rao",
            "relationship": "Brother",
            "date_of_birth": "1988-02-03",
            "share": 100,
            "guardian_name": "",
            "guardian_relationship": "",
        }
    ],
}
PERSONAL = {
    "marital_status": "MARRIED",
    "occupation": "PROFESSIONAL",
    "source_of_wealth": "BUSINESS",
    "gross_annual_income": 2_400_000,
    "mobile_is_of": "SELF",
    "email_is_of": "SPOUSE",
}
DUBAI = {"country": "AE", "tax_id_kind": "TIN", "tax_id": "784-1990-1234"}
TAX = {"tax_resident_only_in_india": False, "residences": [DUBAI]}
WANTED = {
    "EMAIL": {"email": NEW_EMAIL, "email_is_of": "SELF"},
    "MOBILE": {"isd_code": "91", "mobile": NEW_MOBILE, "mobile_is_of": "PARENT"},
    "ADDRESS": ADDRESS,
    "NOMINEES": NOMINEES,
    "PROFILE": PERSONAL,
    "TAX": TAX,
}
TEN_DAYS_S = 10 * 86_400 + 60


@pytest.fixture(autouse=True)
def any_code(monkeypatch):
    """Codes have tests of their own."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: otp == "123456")


def fresh(asha) -> Investor:
    return Investor.objects.select_related("user").get(pk=asha.pk)


def ask(asha, what: str, **changed) -> Consent:
    ref = identifiers.new_client_ref()
    values = {**WANTED[what], **changed}
    return detail_changes.ask(investor=fresh(asha), what=what, values=values, form_ref=ref, ip=None, at=clock.now())


def yes(asha, consent: Consent) -> ChangeRequest:
    return changes.confirm(investor=fresh(asha), code=consent.code, otp="123456", ip=None, at=clock.now())


def confirmed(asha, what: str, **changed) -> ChangeRequest:
    change = yes(asha, ask(asha, what, **changed))
    if changes.waits_for_proof(change):
        to = changed.get("email", NEW_EMAIL)
        change = yes(asha, changes.ask_proof(change=change, to=to, ip=None, at=clock.now()))
    return change


def advance(change: ChangeRequest, *, after_s: float = 0) -> ChangeRequest:
    change_sending.advance(change_id=change.pk, at=clock.now() + timedelta(seconds=after_s))
    change.refresh_from_db()
    return change


def approve(change: ChangeRequest, dev: User) -> None:
    changes.approve(change_id=change.pk, actor=dev, reason="called both numbers", at=clock.now())


def at_fp(asha):
    from portal.fintech_primitives import client as fp

    return fp.client().fetch_investor(asha.provider_ref)


# --- each kind, from the form to FP -----------------------------------------------------------------------------


def test_an_address_is_at_fp_and_here_as_soon_as_its_code_was_typed(asha, sandbox):
    assert advance(confirmed(asha, "ADDRESS")).state == "DONE"
    ours = asha.addresss.get(kind="CORRESPONDENCE")
    theirs = at_fp(asha).correspondence_address
    assert (ours.line1, ours.line2, ours.pincode, ours.city) == ("7, Lake View", "", "400001", "Mumbai")
    assert (theirs.line1, theirs.zipcode) == ("7, Lake View", "400001")


def test_a_permanent_address_of_its_own_comes_and_goes(asha, sandbox):
    permanent = {**LAKE_VIEW, "line1": "12, Temple Road", "pincode": "560025"}
    assert advance(confirmed(asha, "ADDRESS", PERMANENT=permanent)).state == "DONE"
    assert at_fp(asha).permanent_address.line1 == "12, Temple Road"
    assert fresh(asha).addresss.get(kind="PERMANENT").city
    assert advance(confirmed(asha, "ADDRESS")).state == "DONE"
    assert at_fp(asha).perm_addr_is_corres_addr is True
    assert not fresh(asha).addresss.filter(kind="PERMANENT").exists()


ABROAD = {
    "line1": "Flat 4, Al Wasl Road", "line2": "", "line3": "", "pincode": "00000", "city": "Dubai", "state": "Dubai",
    "country": "AE",
}  # fmt: skip


@pytest.fixture
def zoya(sandbox) -> Investor:
    """Lives in Dubai, is written to there, and FP knows her."""
    known = factories.ReadyInvestorFactory(kind="NRI", name="Zoya Shaikh", mobile="501234567", isd_code="971")
    factories.register_at_fp(known)
    known.bankaccounts.update(kind="NRO")
    for kind in ("CORRESPONDENCE", "OVERSEAS"):
        known.addresss.update_or_create(kind=kind, defaults=ABROAD)
    return known


def test_a_non_resident_moves_to_another_place_abroad(zoya, sandbox, client_for):
    browser = client_for(zoya)
    page = browser.get(reverse("investors:change", args=["address"]))
    assert page.context["form"]["o_city"].value() == "Dubai"
    moved = {**ABROAD, "line1": "9 Orchard Road", "city": "Singapore", "state": "Singapore", "country": "SG"}
    typed = {f"o_{name.replace('pincode', 'zipcode')}": text for name, text in moved.items()}
    typed |= {"write_to": "OVERSEAS", "permanent_is_same": "yes", "form_ref": identifiers.new_client_ref()}
    page = browser.post(reverse("investors:change", args=["address"]), typed, follow=True)
    assert "9 Orchard Road, Singapore 00000, Singapore, Singapore" in page.content.decode()
    change = yes(zoya, Consent.objects.get(investor=zoya, given_at=None))
    assert advance(change).state == "DONE"
    theirs = at_fp(zoya)
    assert (theirs.overseas_address.city, theirs.correspondence_address.country_ansi_code) == ("Singapore", "SG")
    assert set(zoya.addresss.values_list("kind", "city")) == {
        ("CORRESPONDENCE", "Singapore"),
        ("OVERSEAS", "Singapore"),
    }


def test_a_non_resident_changes_to_another_number_abroad(zoya, dev, sandbox):
    change = advance(confirmed(zoya, "MOBILE", isd_code="65", mobile="81234567"), after_s=TEN_DAYS_S)
    approve(change, dev)
    assert advance(change, after_s=TEN_DAYS_S).state == "DONE"
    assert (at_fp(zoya).contact_detail.isd_code, at_fp(zoya).contact_detail.mobile) == ("65", "81234567")
    assert (fresh(zoya).isd_code, fresh(zoya).mobile) == ("65", "81234567")


def test_nominees_are_replaced_as_a_whole(asha, sandbox):
    assert advance(confirmed(asha, "NOMINEES")).state == "DONE"
    assert [(each.name, each.share) for each in asha.nominees.all()] == [("Ravi Rao", 100)]
    assert at_fp(asha).nomination.nominee1.name == "Ravi Rao"


def test_opting_out_keeps_the_declaration_with_the_consent(asha, sandbox):
    advance(confirmed(asha, "NOMINEES"))
    change = confirmed(asha, "NOMINEES", opted_out=True, nominees=[])
    assert "do not wish to appoint any nominee" in change.consent.shown["declaration"]
    assert change.consent.shown["worded_on"]
    assert advance(change).state == "DONE"
    assert fresh(asha).nomination_opted_out
    assert not asha.nominees.exists()
    assert at_fp(asha).nomination.skip_nomination


def test_personal_details_change_in_both_of_their_sections(asha, sandbox):
    assert advance(confirmed(asha, "PROFILE")).state == "DONE"
    assert (fresh(asha).occupation, fresh(asha).gross_annual_income) == ("PROFESSIONAL", 2_400_000)
    theirs = at_fp(asha)
    assert (theirs.kyc_identity_detail.occupation, theirs.fatca_detail.source_of_wealth) == ("PROFESSIONAL", "BUSINESS")


def test_countries_of_tax_come_at_fp_and_here_and_go_again(asha, sandbox):
    london = {"country": "GB", "tax_id_kind": "NIN", "tax_id": "QQ123456C"}
    change = confirmed(asha, "TAX", residences=[DUBAI, london])
    assert "resident for tax purposes of the countries shown above" in change.consent.shown["declaration"]
    assert DUBAI["tax_id"] not in str(change.consent.shown), "the numbers are kept once, encrypted"
    income = at_fp(asha).fatca_detail.gross_annual_income
    assert advance(change).state == "DONE"
    theirs = at_fp(asha).fatca_detail
    assert (theirs.no_other_tax_residences, theirs.gross_annual_income) == (False, income)
    assert (theirs.first_trc_taxid_number, theirs.second_trc_ansi_code) == (DUBAI["tax_id"], "GB")
    assert list(asha.taxresidences.values_list("position", "country")) == [(1, "AE"), (2, "GB")]
    assert fresh(asha).tax_resident_only_in_india is False
    assert advance(confirmed(asha, "TAX", tax_resident_only_in_india=True, residences=[])).state == "DONE"
    assert (at_fp(asha).fatca_detail.no_other_tax_residences, at_fp(asha).fatca_detail.first_trc_ansi_code) == (
        True,
        None,
    )
    assert not asha.taxresidences.exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_about_tax_is_looked_for_in_every_country(asha, sandbox, when):
    advance(confirmed(asha, "TAX"))
    change = confirmed(asha, "TAX", residences=[{**DUBAI, "tax_id": "784-1990-9999"}])
    sandbox.fault("status:500", path=UPDATE, when=when)
    assert advance(change).is_unknown
    assert advance(change, after_s=3).state == ("DONE" if when == "after" else "SENDING")


def test_a_tax_number_that_stands_may_stay_and_is_never_shown_whole(asha, sandbox, client_for):
    advance(confirmed(asha, "TAX"))
    browser, page = client_for(asha), reverse("investors:change", args=["tax"])
    shown = browser.get(page)
    assert DUBAI["tax_id"] not in shown.content.decode()
    assert shown.context["form"]["t1_country"].value() == "AE"
    typed = {"tax_resident_only_in_india": "no", "t1_country": "AE", "t1_tax_id_kind": "OTHER", "t1_tax_id": ""}
    done = browser.post(page, {**typed, "form_ref": identifiers.new_client_ref()}, follow=True).content.decode()
    assert "United Arab Emirates, Another tax number XXXXXXXXX1234" in done
    assert DUBAI["tax_id"] not in done
    assert advance(yes(asha, Consent.objects.get(investor=asha, given_at=None))).state == "DONE"
    assert (asha.taxresidences.get().tax_id, asha.taxresidences.get().tax_id_kind) == (DUBAI["tax_id"], "OTHER")
    profile = browser.get(reverse("investors:profile")).content.decode()
    assert f'href="{page}">Change<span class="sr-only"> where tax is paid' in profile


def test_the_same_countries_again_are_no_change(asha, sandbox):
    advance(confirmed(asha, "TAX"))
    with pytest.raises(InvalidInput, match="what we have already"):
        ask(asha, "TAX")


def test_a_mobile_cools_off_ten_days_and_is_then_seen_by_a_second_person(asha, dev, sandbox):
    change = confirmed(asha, "MOBILE")
    assert change.state == "COOLING"
    assert advance(change, after_s=9 * 86_400).state == "COOLING"
    assert advance(change, after_s=TEN_DAYS_S).state == "CHECKING"
    approve(change, dev)
    assert advance(change, after_s=TEN_DAYS_S).state == "DONE"
    assert (fresh(asha).mobile, fresh(asha).user.mobile, at_fp(asha).contact_detail.mobile) == (NEW_MOBILE,) * 3
    assert fresh(asha).mobile_is_of == "PARENT"


def test_an_email_address_changes_at_fp_and_in_the_login_together(asha, sandbox):
    change = confirmed(asha, "EMAIL")
    assert (change.state, fresh(asha).user.email) == ("COOLING", "asha@portal.example")
    assert advance(change, after_s=TEN_DAYS_S).state == "DONE"
    assert fresh(asha).user.email == at_fp(asha).contact_detail.email == NEW_EMAIL
    known = EmailAddress.objects.filter(user=asha.user).values_list("email", "verified", "primary")
    assert list(known) == [(NEW_EMAIL, True, True)]


# --- who is told, who proves what -------------------------------------------------------------------------------


def test_the_other_people_of_the_login_become_cases_because_fp_has_their_old_address(asha, sandbox):
    child = child_of(asha)
    assert advance(confirmed(asha, "EMAIL"), after_s=TEN_DAYS_S).state == "DONE"
    case = Case.objects.get(kind=change_kinds.CONTACT_CASE)
    assert (case.subject_id, case.state) == (str(child.pk), "OPEN")


def test_the_old_address_gives_the_code_and_the_new_one_proves_itself(
    asha, sandbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        first = ask(asha, "EMAIL")
        change = yes(asha, first)
    assert changes.waits_for_proof(change)
    assert advance(change, after_s=TEN_DAYS_S).state == "ASKED"
    with django_capture_on_commit_callbacks(execute=True):
        changes.ask_proof(change=change, to=NEW_EMAIL, ip=None, at=clock.now())
    assert [each.to for each in mail.outbox] == [["asha@portal.example"], [NEW_EMAIL]]


def test_both_addresses_are_told_when_it_begins_and_when_it_is_done(asha, sandbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        change = confirmed(asha, "EMAIL")
    with django_capture_on_commit_callbacks(execute=True):
        advance(change, after_s=TEN_DAYS_S)
    told = [each.to for each in mail.outbox if each.subject.startswith("Your account")]
    assert told == [sorted(["asha@portal.example", NEW_EMAIL])] * 2


def test_an_address_of_somebody_else_gets_no_code_and_the_page_does_not_tell(
    asha, chitra, sandbox, django_capture_on_commit_callbacks
):
    change = yes(asha, ask(asha, "EMAIL", email=chitra.user.email))
    with django_capture_on_commit_callbacks(execute=True):
        changes.ask_proof(change=change, to=chitra.user.email, ip=None, at=clock.now())
    [message] = [each for each in mail.outbox if each.to == [chitra.user.email]]
    assert "was not accepted" in message.body
    assert not re.search(r"^\s+\d{6}$", message.body, re.MULTILINE)


def test_an_address_that_was_taken_meanwhile_is_refused_before_fp_hears_of_it(asha, sandbox):
    change = confirmed(asha, "EMAIL")
    factories.UserFactory(email=NEW_EMAIL)
    assert advance(change, after_s=TEN_DAYS_S).state == "REFUSED"
    assert at_fp(asha).contact_detail.email == "asha@portal.example"


def test_an_address_that_was_taken_while_fp_was_told_stays_the_other_logins(asha, sandbox, monkeypatch):
    change = confirmed(asha, "EMAIL")
    told = change_sending.fp.FintechPrimitives.update_investor

    def taken_meanwhile(*given):
        factories.UserFactory(email=NEW_EMAIL)
        return told(*given)

    monkeypatch.setattr(change_sending.fp.FintechPrimitives, "update_investor", taken_meanwhile)
    ended = advance(change, after_s=TEN_DAYS_S)
    assert (ended.state, ended.attempt, ended.done_at) == ("REFUSED", "", None)
    assert "cannot be used" in ended.reason
    assert User.objects.get(pk=asha.user_id).email == "asha@portal.example"
    assert Case.objects.filter(kind=change_kinds.CONTACT_CASE, subject_id=str(change.pk), state="OPEN").exists()


@pytest.mark.parametrize("what", list(WANTED))
def test_what_is_there_already_is_not_asked_for(what, asha, sandbox):
    same = detail_changes.current(fresh(asha), what)
    with pytest.raises(InvalidInput, match="already"):
        ask(asha, what, **same)
    assert not ChangeRequest.objects.exists()


def test_a_form_that_was_confirmed_is_never_exchanged(asha, sandbox):
    ref, at = identifiers.new_client_ref(), clock.now()
    form = {"investor": asha, "what": "EMAIL", "form_ref": ref, "ip": None, "at": at}
    change = yes(asha, detail_changes.ask(**form, values={"email": NEW_EMAIL}))
    before = change.after
    with pytest.raises(consents.AlreadyGiven):
        detail_changes.ask(**form, values={"email": "thief@portal.example"})
    change.refresh_from_db()
    assert change.after == before


def test_a_code_is_good_for_what_it_was_asked_for_and_for_nothing_else(asha, sandbox, monkeypatch):
    """The form comes again with other contents, and no further code may be sent: the first one must not do for them."""
    form = {"investor": asha, "what": "EMAIL", "form_ref": identifiers.new_client_ref(), "ip": None, "at": clock.now()}
    consent = detail_changes.ask(**form, values={"email": NEW_EMAIL})
    monkeypatch.setattr(consents, "MESSAGES_PER_CONSENT", 1)
    with pytest.raises(consents.TooManyMessages):
        detail_changes.ask(**form, values={"email": "thief@portal.example"})
    with pytest.raises(changes.Exchanged):
        yes(asha, consent)
    assert ChangeRequest.objects.get().state == "ASKED"
    assert Consent.objects.get().given_at is None


# --- email and mobile apart -------------------------------------------------------------------------------------


def test_the_other_contact_waits_while_one_is_being_changed(asha, sandbox):
    confirmed(asha, "EMAIL")
    with pytest.raises(changes.TooSoon):
        ask(asha, "MOBILE")


def child_of(asha) -> Investor:
    return factories.ReadyInvestorFactory(
        user=asha.user, kind="MINOR", name="Tara Rao", date_of_birth=date(2015, 3, 4), guardian_name="Asha Rao",
        guardian_relationship="Mother", guardian_pan_index="x" * 64, guardian_date_of_birth=date(1990, 5, 17),
    )  # fmt: skip


def contact_change(investor: Investor, what: str, state: str, **given) -> ChangeRequest:
    consent = factories.ConsentFactory(investor=investor, purpose="CHANGE")
    made = {"investor": investor, "consent": consent, "proof": consent, "asked_by": investor.user}
    return factories.ChangeRequestFactory(**made, what=what, state=state, **given)


def test_the_other_contact_waits_too_when_one_was_changed_while_acting_for_a_child(asha, sandbox):
    contact_change(child_of(asha), "EMAIL", "DONE", done_at=clock.now())
    with scope(f"user:{asha.user_id}:{asha.pk}"), pytest.raises(changes.TooSoon, match="after"):
        ask(asha, "MOBILE")


@pytest.mark.parametrize("what", ["EMAIL", "MOBILE"])
def test_a_contact_waits_too_while_one_is_being_changed_for_a_child(what, asha, sandbox):
    contact_change(child_of(asha), "EMAIL", "COOLING")
    with scope(f"user:{asha.user_id}:{asha.pk}"), pytest.raises(changes.TooSoon, match="now"):
        ask(asha, what)


def test_the_other_contact_waits_ten_days_after_one_was_changed(asha, sandbox, at):
    change = confirmed(asha, "EMAIL")
    advance(change, after_s=TEN_DAYS_S)
    at(change.done_at + timedelta(days=9))
    with pytest.raises(changes.TooSoon, match="after"):
        ask(asha, "MOBILE")
    at(change.done_at + timedelta(days=10, minutes=1))
    assert ask(asha, "MOBILE")


def test_of_two_contacts_asked_at_once_only_one_begins(asha, sandbox):
    mobile = ask(asha, "MOBILE")
    confirmed(asha, "EMAIL")
    with pytest.raises(changes.TooSoon):
        yes(asha, mobile)


def test_the_database_keeps_contacts_apart_by_itself(asha):
    contact_change(asha, "EMAIL", "DONE", done_at=clock.now())
    mobile = contact_change(asha, "MOBILE", "CHECKING")
    mobile.state = "SENDING"
    with pytest.raises(IntegrityError, match="ten days apart"), transaction.atomic():
        mobile.save()


def test_the_database_keeps_contacts_apart_for_all_people_of_a_login(asha):
    child = child_of(asha)
    contact_change(child, "EMAIL", "DONE", done_at=clock.now())
    mobile = contact_change(asha, "MOBILE", "CHECKING")
    mobile.state = "SENDING"
    with scope(f"user:{asha.user_id}:{asha.pk}"):
        with pytest.raises(IntegrityError, match="ten days apart"), transaction.atomic():
            mobile.save()
        asked = contact_change(asha, "EMAIL", "ASKED")
    contact_change(child, "MOBILE", "COOLING")
    asked.state = "COOLING"
    own = scope(f"user:{asha.user_id}:{asha.pk}")
    with own, pytest.raises(IntegrityError, match="one contact of a login"), transaction.atomic():
        asked.save()


# --- the login follows nothing else -----------------------------------------------------------------------------


def test_the_login_of_a_ready_investor_changes_by_no_other_way(asha):
    user = asha.user
    user.email = NEW_EMAIL
    with pytest.raises(IntegrityError, match="by a change request"), transaction.atomic():
        user.save()
    with pytest.raises(IntegrityError, match="one address"), transaction.atomic():
        EmailAddress.objects.create(user=user, email=NEW_EMAIL, verified=True)


def test_somebody_who_is_not_registered_yet_may_still_correct_the_address(bharat):
    bharat.user.email = "bharat.m@portal.example"
    bharat.user.save()
    bharat.user.refresh_from_db()
    assert bharat.user.email == "bharat.m@portal.example"


def test_the_page_of_the_login_leads_to_the_request(asha, bharat, client_for):
    assert client_for(asha).get("/accounts/email/")["Location"] == reverse("investors:change", args=["email"])
    browser = client_for(bharat)
    browser.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    assert browser.get("/accounts/email/").status_code == 200


# --- one after the other, and lost answers ----------------------------------------------------------------------


def test_two_changes_of_one_investor_do_not_undo_each_other(asha, sandbox):
    address, personal = confirmed(asha, "ADDRESS"), confirmed(asha, "PROFILE")
    sandbox.fault("reset", path=UPDATE, when="after")
    assert advance(address).is_unknown
    assert (advance(personal).state, personal.attempt) == ("SENDING", "")
    assert advance(address, after_s=3).state == "DONE"
    assert advance(personal, after_s=20).state == "DONE"
    theirs = at_fp(asha)
    assert theirs.correspondence_address.line1 == "7, Lake View"
    assert theirs.kyc_identity_detail.occupation == "PROFESSIONAL"


def test_the_database_lets_one_change_of_an_investor_be_sent_at_a_time(asha):
    given = factories.ConsentFactory(investor=asha, purpose="CHANGE")
    for what in ("ADDRESS", "NOMINEES"):
        change = factories.ChangeRequestFactory(investor=asha, consent=given, what=what, state="SENDING")
        change.open_attempt(clock.now())
        if what == "ADDRESS":
            change.save()
    with pytest.raises(IntegrityError, match="sent_at_a_time"), transaction.atomic():
        change.save()


@pytest.mark.parametrize("mode", ["reset", "status:500"])
def test_a_change_whose_answer_was_lost_is_found_and_not_sent_again(mode, asha, sandbox):
    change = confirmed(asha, "ADDRESS")
    sandbox.fault(mode, path=UPDATE, when="after")
    assert advance(change).is_unknown
    assert advance(change, after_s=3).state == "DONE"
    assert change.attempt_no == 1


def test_what_fp_refuses_stands_at_its_field_when_the_form_is_opened_again(asha, sandbox, client_for, monkeypatch):
    """The sandbox knows no PIN code 400999, so the rule before it is bypassed."""
    from investors import gateway

    monkeypatch.setattr(gateway, "find_place", lambda pincode: gateway.Place(pincode, "Mumbai", "Maharashtra"))
    change = advance(confirmed(asha, "ADDRESS", CORRESPONDENCE={**LAKE_VIEW, "pincode": "999999"}))
    assert change.state == "REFUSED"
    page = client_for(asha).get(reverse("investors:change", args=["address"]))
    assert "not accepted" in str(page.context["form"].errors["pincode"])
    assert page.context["form"]["line1"].value() == "7, Lake View"


# --- pages ------------------------------------------------------------------------------------------------------


def test_from_the_profile_to_two_codes_and_back(asha, sandbox, client_for, django_capture_on_commit_callbacks):
    browser = client_for(asha)
    profile = browser.get(reverse("investors:profile")).content.decode()
    assert reverse("investors:change", args=["email"]) in profile
    form = {"email": NEW_EMAIL, "email_is_of": "SELF", "form_ref": identifiers.new_client_ref()}
    first = browser.post(reverse("investors:change", args=["email"]), form, follow=True)
    assert "Type the code" in first.content.decode()
    assert "The KYC registries keep" in browser.get(reverse("investors:change", args=["email"])).content.decode()
    second = browser.post(first.redirect_chain[-1][0], {"otp": "123456"}, follow=True)
    assert "prove itself" in second.content.decode()
    profile = browser.post(second.redirect_chain[-1][0], {"otp": "123456"}, follow=True).content.decode()
    assert "waiting out its cooling-off" in profile
    assert NEW_EMAIL in profile
    change = ChangeRequest.objects.get()
    page = browser.post(reverse("investors:change_withdraw", args=[change.code]), follow=True).content.decode()
    assert "Nothing was changed" in page
    assert "withdrawn" in browser.get(reverse("investors:changes")).content.decode()


@pytest.mark.parametrize(
    ("slug", "typed", "field"),
    [
        ("email", {"email": "no address"}, "email"),
        ("email", {"email": "asha@portal.example", "email_is_of": "SELF"}, "email"),
        ("email", {"email": NEW_EMAIL}, "email_is_of"),
        ("mobile", {"mobile": "12345"}, "mobile"),
        ("mobile", {"isd_code": "971", "mobile": "12"}, "mobile"),
        ("mobile", {"mobile": NEW_MOBILE, "mobile_is_of": "GUARDIAN"}, "mobile_is_of"),
        ("address", {**LAKE_VIEW, "pincode": "999999", "permanent_is_same": "yes"}, "pincode"),
        ("address", {**LAKE_VIEW, "line1": "", "permanent_is_same": "yes"}, "line1"),
        ("address", {**LAKE_VIEW, "permanent_is_same": "no", "p_pincode": "400001"}, "p_line1"),
        ("nominees", {"choice": "name", "n1_name": "Ravi", "n1_share": "90"}, "n1_relationship"),
        ("personal", {"gross_annual_income": "much"}, "gross_annual_income"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(slug, typed, field, asha, sandbox, client_for):
    browser = client_for(asha)
    form = {**typed, "form_ref": identifiers.new_client_ref()}
    page = browser.post(reverse("investors:change", args=[slug]), form, follow=True)
    assert len(page.context["form"].errors[field]) == 1
    for name, text in typed.items():
        assert page.context["form"][name].value() == text
    assert not ChangeRequest.objects.exclude(state=lifecycle.WITHDRAWN).exists()


def test_numbers_are_shown_by_their_ends_only(asha, sandbox, client_for):
    confirmed(asha, "MOBILE")
    browser = client_for(asha)
    for address in (reverse("investors:profile"), reverse("investors:changes")):
        page = browser.get(address).content.decode()
        assert "XXXXXX0077" in page
        assert NEW_MOBILE not in page


def test_the_form_is_not_offered_while_a_change_of_its_kind_is_on_its_way(asha, sandbox, client_for):
    confirmed(asha, "MOBILE")
    page = client_for(asha).get(reverse("investors:change", args=["mobile"])).content.decode()
    assert 'name="mobile"' not in page
    assert "A change is on its way" in page


def test_the_profile_costs_few_statements(asha, sandbox, client_for, django_assert_max_num_queries):
    confirmed(asha, "EMAIL")
    confirmed(asha, "ADDRESS")
    browser = client_for(asha)
    browser.get(reverse("investors:profile"))
    with django_assert_max_num_queries(16):
        browser.get(reverse("investors:profile"))


def test_the_desk_sees_both_sides_masked_and_decides_there(asha, dev, sandbox, client_for):
    change = advance(confirmed(asha, "MOBILE"), after_s=TEN_DAYS_S)
    desk = client_for(dev)
    answer = desk.get(reverse("admin:investors_changerequest_change", args=[change.pk]))
    assert "XXXXXX0077" in answer.content.decode()
    assert NEW_MOBILE not in answer.content.decode()
    act = reverse("admin:investors_changerequest_act", args=[change.pk, "approve"])
    form = {"reason": "both numbers answered", "seen": mark(answer, "approve")}
    assert desk.post(act, form).status_code == 302
    change.refresh_from_db()
    assert (change.state, change.decided_by) == ("SENDING", dev)


# --- a worker that slept past its lease -------------------------------------------------------------------------


@GUARDS
def test_what_was_changed_since_is_not_undone_by_who_slept(fence, asha, sandbox, monkeypatch):
    """FP takes the whole application: who wakes with an old one in its hands would bring all of it back."""
    moved = confirmed(asha, "ADDRESS")
    sweep = while_asleep(lambda at: change_sending.advance(change_id=moved.pk, at=at))

    def meanwhile() -> None:
        sweep()
        assert advance(confirmed(asha, "PROFILE"), after_s=200).state == "DONE"

    awake = put_to_sleep(monkeypatch, "update_investor", meanwhile, fence=fence)
    assert advance(moved).state == "DONE"
    assert awake == [1, 2, 1], "somebody else took over, and sent another change"
    assert fresh(asha).occupation == "PROFESSIONAL"
    assert (at_fp(asha).kyc_identity_detail.occupation == "PROFESSIONAL") is fence
