"""Acting for others: a minor through a guardian, switching between people, and turning eighteen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from investors import queries, rules
from investors.models import Authority, Consent, Investor
from investors.operations import consents, family
from portal import clock
from portal.fintech_primitives.client import client as fp
from portal.models import Case, User
from portal.scope import scope
from tests import factories
from tests.control import SandboxControl
from tests.investors.applying import (
    CHILDS,
    CHILDS_PAN,
    GUARDIANS_PAN,
    answered,
    fresh,
    step_url,
    type_everything,
    type_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha_login(db: None) -> User:
    return factories.UserFactory(email="asha@portal.example", mobile="9876543210")


@pytest.fixture
def browser(client_for: Callable[..., Client], asha_login: User) -> Client:
    return client_for(asha_login)


def type_childs(browser: Client, *, upto: str = "") -> None:
    for slug, typed in CHILDS.items():
        if slug == upto:
            return
        answer = answered(browser, browser.post(step_url(slug), typed))
        assert answer.status_code == 302, (slug, answer.context["form"].errors)


def child_of(user: User) -> Investor:
    return Investor.objects.get(user=user, kind="MINOR")


# --- the application --------------------------------------------------------------------------------------------------


def test_a_guardian_registers_a_child(
    browser: Client, asha_login: User, sandbox: SandboxControl, recover: Callable[..., Any]
) -> None:
    assert browser.post(reverse("investors:begin_child"))["Location"] == reverse("investors:onboarding")
    type_childs(browser)
    recover()
    recover()
    child = child_of(asha_login)
    assert child.state == "READY", child.refusal
    kept = fp().fetch_investor(child.provider_ref or "")
    who = kept.kyc_identity_detail
    assert who
    assert (who.pan_number, who.guardian_pan_number) == (CHILDS_PAN, GUARDIANS_PAN)
    assert (who.guardian_name, who.guardian_relationship) == ("Asha Rao", "Mother")
    assert kept.nomination
    assert kept.nomination.skip_nomination


def test_the_registries_are_asked_about_the_guardian(
    browser: Client, asha_login: User, sandbox: SandboxControl
) -> None:
    browser.post(reverse("investors:begin_child"))
    type_childs(browser, upto="guardian")
    child = child_of(asha_login)
    check = queries.latest_kyc(child)
    assert check
    assert check.pan_index == child.guardian_pan_index != child.pan_index
    assert check.is_compliant


def test_the_contacts_of_a_minor_are_the_guardians(browser: Client, asha_login: User, sandbox: SandboxControl) -> None:
    browser.post(reverse("investors:begin_child"))
    type_childs(browser, upto="fatca")
    child = Investor.objects.get(kind="MINOR")
    assert (child.mobile_is_of, child.email_is_of) == ("GUARDIAN", "GUARDIAN")


def test_a_minor_names_no_nominee(browser: Client, asha_login: User, sandbox: SandboxControl) -> None:
    browser.post(reverse("investors:begin_child"))
    type_childs(browser, upto="review")
    assert browser.get(step_url("nominees")).status_code == 404
    assert "nominee" in browser.get(step_url("review")).content.decode(), "and the declaration says why"


@pytest.mark.parametrize(
    ("slug", "typed", "field"),
    [
        ("pan", {"pan": GUARDIANS_PAN}, "pan"),
        ("pan", {"guardian_pan": ""}, "guardian_pan"),
        ("guardian", {"guardian_name": ""}, "guardian_name"),
        ("guardian", {"guardian_relationship": "Uncle"}, "guardian_relationship"),
        ("guardian", {"guardian_date_of_birth": "04/03/2015"}, "guardian_date_of_birth"),
        ("personal", {"date_of_birth": "04/03/1990"}, "date_of_birth"),
        ("bank", {"kind": "NRE"}, "kind"),
    ],
)
def test_what_a_childs_application_refuses(
    browser: Client, sandbox: SandboxControl, slug: str, typed: dict[str, str], field: str
) -> None:
    browser.post(reverse("investors:begin_child"))
    type_childs(browser, upto=slug)
    page = answered(browser, browser.post(step_url(slug), {**CHILDS[slug], **typed}))
    assert field in page.context["form"].errors


def test_what_is_known_of_the_guardian_stands_in_it(asha: Investor, client_for: Callable[..., Client]) -> None:
    client_for(asha).post(reverse("investors:begin_child"))
    child = child_of(asha.user)
    assert (child.guardian_name, child.guardian_pan) == (asha.name, asha.pan)


def test_a_double_click_begins_one_application(asha: Investor, client_for: Callable[..., Client]) -> None:
    browser = client_for(asha)
    for _ in range(2):
        browser.post(reverse("investors:begin_child"))
    assert Investor.objects.filter(user=asha.user, kind="MINOR").count() == 1


def test_a_childs_pan_that_somebody_has_is_answered_like_any_other(
    browser: Client, asha_login: User, sandbox: SandboxControl
) -> None:
    factories.InvestorFactory(given_pan=CHILDS_PAN)
    browser.post(reverse("investors:begin_child"))
    assert browser.post(step_url("pan"), CHILDS["pan"])["Location"] == step_url("guardian")
    assert child_of(asha_login).pan_index is None, "and its registration stops before anything is sent"


# --- switching --------------------------------------------------------------------------------------------------------


@pytest.fixture
def tara(asha: Investor) -> Investor:
    """Asha's child, ready to invest."""
    return factories.ReadyInvestorFactory(user=asha.user, **MINOR)


MINOR: dict[str, Any] = {
    "kind": "MINOR",
    "name": "Tara Rao",
    "date_of_birth": date(2015, 3, 4),
    "guardian_name": "Asha Rao",
    "guardian_date_of_birth": date(1990, 5, 17),
    "guardian_relationship": "Mother",
    "guardian_pan_index": "x" * 64,
}


def act_for(browser: Client, who: Investor) -> Any:
    return browser.post(reverse("investors:act_for", args=[who.code]))


def test_every_page_is_about_whom_one_has_chosen(
    asha: Investor, tara: Investor, client_for: Callable[..., Client]
) -> None:
    browser = client_for(asha)
    assert asha.code in browser.get(reverse("investors:profile")).content.decode()
    act_for(browser, tara)
    page = browser.get(reverse("investors:profile")).content.decode()
    assert tara.code in page
    assert asha.code not in page
    act_for(browser, asha)
    assert asha.code in browser.get(reverse("investors:profile")).content.decode()


def test_the_frame_says_for_whom_one_acts(asha: Investor, tara: Investor, client_for: Callable[..., Client]) -> None:
    browser = client_for(asha)
    act_for(browser, tara)
    for name in ("home", "orders:portfolio", "orders:list", "investors:banks", "investors:people"):
        page = browser.get(reverse(name)).content.decode()
        assert "You act for <strong>Tara Rao</strong>, as guardian" in page, name


def test_a_basket_shows_what_the_child_holds(asha: Investor, tara: Investor, client_for: Callable[..., Client]) -> None:
    version = factories.BasketVersionFactory(basket__slug="three", basket__state="PUBLISHED")
    version.published_by, version.published_at = factories.UserFactory(), clock.now()
    version.save()
    order = factories.BasketOrderFactory(investor=tara, basket=version.basket, version=version, state="HANDED_OVER")
    browser = client_for(asha)
    page = reverse("orders:basket", args=["three"])
    assert order.code not in browser.get(page).content.decode()
    act_for(browser, tara)
    assert order.code in browser.get(page).content.decode()


def test_the_address_of_a_login_changes_by_request_as_soon_as_one_of_its_people_is_ready(
    client_for: Callable[..., Client],
) -> None:
    own = factories.InvestorFactory()
    child = factories.ReadyInvestorFactory(user=own.user, **MINOR)
    browser = client_for(own)
    assert browser.get("/accounts/email/")["Location"] == reverse("investors:people")
    act_for(browser, child)
    assert browser.get("/accounts/email/")["Location"] == reverse("investors:change", args=["email"])


def test_who_acts_for_oneself_only_sees_no_switch(asha: Investor, client_for: Callable[..., Client]) -> None:
    assert "acting-for" not in client_for(asha).get(reverse("investors:profile")).content.decode()


def test_nobody_acts_for_a_strangers_child(chitra: Investor, tara: Investor, client_for: Callable[..., Client]) -> None:
    browser = client_for(chitra)
    assert act_for(browser, tara).status_code == 404
    session = browser.session
    session["acting_for"] = tara.pk
    session.save()
    page = browser.get(reverse("investors:profile")).content.decode()
    assert chitra.code in page
    assert tara.code not in page


def test_an_ended_authority_shows_nothing(asha: Investor, tara: Investor, client_for: Callable[..., Client]) -> None:
    browser = client_for(asha)
    act_for(browser, tara)
    Authority.objects.filter(investor=tara).update(ended_at=clock.now() + timedelta(seconds=1))
    assert asha.code in browser.get(reverse("investors:profile")).content.decode()
    assert act_for(browser, tara).status_code == 404


def test_the_database_shows_the_rows_of_one_person_at_a_time(asha: Investor, tara: Investor, chitra: Investor) -> None:
    def seen(name: str) -> set[int]:
        with scope(name), connection.cursor() as cursor:
            cursor.execute("SELECT investor_id FROM investors_bankaccount")
            return {row[0] for row in cursor.fetchall()}

    user = asha.user_id
    assert seen(f"user:{user}") == {asha.pk}
    assert seen(f"user:{user}:{tara.pk}") == {tara.pk}
    assert seen(f"user:{user}:{chitra.pk}") == {asha.pk}, "somebody of others counts for nothing"


def test_a_form_that_was_opened_for_one_person_is_not_taken_for_another(asha: Investor, tara: Investor) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(asha.user)
    browser.get(reverse("investors:people"))
    before = browser.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": before}
    assert browser.post(reverse("investors:act_for", args=[tara.code]), form).status_code == 302
    late = browser.post(reverse("investors:bank_add"), {**form, "ifsc": "HDFC0000001"})
    assert late.status_code == 403


def test_what_was_typed_for_one_person_is_not_shown_for_another(
    browser: Client, asha_login: User, sandbox: SandboxControl
) -> None:
    type_everything(browser, upto="personal")
    type_in(browser, "personal", mobile="12345")
    browser.post(reverse("investors:begin_child"))
    type_childs(browser, upto="personal")
    page = browser.get(step_url("personal"))
    assert not page.context["form"].errors
    assert page.context["form"]["name"].value() == ""


# --- consents and coming of age ---------------------------------------------------------------------------------------


def test_the_guardian_consents_and_the_code_says_for_whom(
    asha: Investor, tara: Investor, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        consent = ask(tara)
    assert consent.contact == asha.user.email
    assert ("For", "Tara Rao, by the guardian Asha Rao") in consent.lines


def ask(investor: Investor) -> Consent:
    return consents.ask(
        investor=investor,
        purpose=Consent.Purpose.CHANGE,
        form_ref="0123456789BCDFGHJKMN",
        shown={"Change": "something"},
        amount=None,
        isin="",
        folio_number="",
        ip=None,
        at=clock.now(),
    )


@pytest.mark.parametrize(
    ("born_on", "grown_on"),
    [(date(2008, 3, 4), date(2026, 3, 4)), (date(2008, 2, 29), date(2026, 3, 1))],
)
def test_comes_of_age_on_the_eighteenth_birthday(born_on: date, grown_on: date) -> None:
    assert rules.comes_of_age_on(born_on) == grown_on
    assert rules.is_minor(born_on, grown_on - timedelta(days=1))
    assert not rules.is_minor(born_on, grown_on)


def birthday(years: int, *, days: int = 0) -> date:
    today = clock.today()
    return today.replace(year=today.year - years, day=min(today.day, 28)) + timedelta(days=days)


def grow(child: Investor, born_on: date) -> Investor:
    Investor.objects.filter(pk=child.pk).update(date_of_birth=born_on)
    return fresh(child)


def test_nothing_is_consented_to_for_somebody_who_is_18(tara: Investor) -> None:
    with pytest.raises(family.CameOfAge):
        ask(grow(tara, birthday(18)))
    assert not Consent.objects.exists()


def test_a_code_that_was_sent_before_the_birthday_is_of_no_use_on_it(tara: Investor) -> None:
    consent = ask(tara)
    grown = grow(tara, birthday(18))
    with pytest.raises(family.CameOfAge):
        consents.give(investor=grown, code=consent.code, otp="123456", ip=None, at=clock.now())


def test_the_database_holds_it_too(tara: Investor) -> None:
    grow(tara, birthday(18))
    with pytest.raises(IntegrityError, match="guardian consents to nothing"), transaction.atomic():
        factories.ConsentFactory(investor=tara)


def test_a_grown_child_can_still_be_looked_at(
    tara: Investor, asha: Investor, client_for: Callable[..., Client]
) -> None:
    grow(tara, birthday(18))
    browser = client_for(asha)
    act_for(browser, tara)
    assert browser.get(reverse("orders:portfolio")).status_code == 200
    assert "Turned 18" in browser.get(reverse("investors:people")).content.decode()


def test_guardians_are_told_once_a_month_before_and_we_on_the_day(tara: Investor, mailoutbox: list[Any]) -> None:
    grow(tara, birthday(18, days=40))
    assert family.watch_birthdays(at=clock.now()) == 0
    grow(tara, birthday(18, days=20))
    assert family.watch_birthdays(at=clock.now()) == 1
    assert family.watch_birthdays(at=clock.now()) == 0
    assert len(mailoutbox) == 1
    grow(tara, birthday(18))
    family.watch_birthdays(at=clock.now())
    assert Case.objects.filter(kind=family.OF_AGE_CASE).count() == 1
