"""Firms that work through other firms: a tree, sums of books, and never an investor of somebody else."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from portal import clock, roles
from portal.api import firms, partners
from portal.console import queries
from portal.models import Case, FirmRequest, Partner
from portal.scope import scope
from tests import factories
from tests.ops.test_roles import act_url
from tests.sandbox.api import wait_for
from tests.webhooks.test_events import link

pytestmark = pytest.mark.django_db
TYPED = {
    "name": "Hilltop  Advisers",
    "arn": " arn-70112 ",
    "email": "desk@hilltop.example",
    "basis": "agreement of 20 November",
}


@pytest.fixture
def head(db):
    return factories.PartnerFactory(name="Head Office Funds", arn="ARN-70001")


@pytest.fixture
def below(head):
    return factories.PartnerFactory(name="Branch Street Funds", arn="ARN-70002", head=head)


@pytest.fixture
def browser(head, client_for):
    return client_for(works_at(head))


def works_at(partner):
    person = factories.UserFactory()
    partners.add_member(partner=partner, user=person, actor="test", at=clock.now())
    return person


def beneath(partner):
    with scope(partners.scope_of(partner, factories.UserFactory())):
        return queries.books_beneath()


def asked(head, **changed):
    words = {"name": "Hilltop Advisers", "arn": "ARN-70112", "email": "desk@hilltop.example", "basis": "agreed"}
    person = factories.UserFactory()
    return firms.ask(head=head, **{**words, **changed}, actor=person, at=clock.now())


# --- who sees what ------------------------------------------------------------------------------------------------


def test_a_firm_sees_sums_of_the_firms_beneath_it(head, below, asha, chitra):
    link(asha, below)
    held = factories.HoldingFactory(investor=asha, units=Decimal("10.000"), scheme__nav=Decimal("12.3456"))
    factories.HoldingFactory(investor=asha, scheme__nav=None, scheme__nav_on=None)
    factories.HoldingFactory(investor=chitra)
    factories.PlanFactory(investor=asha, state="ACTIVE", amount=Decimal(2500))
    factories.OrderFactory(investor=asha, state="PLACED")
    factories.OrderFactory(investor=asha, state="REJECTED")
    [book] = beneath(head)
    assert (book.key, book.level, book.ready, book.on_the_way) == (below.pk, 1, 1, 0)
    assert (book.assets, book.unvalued, book.nav_to) == (Decimal("123.46"), 1, held.scheme.nav_on)
    assert (book.sips, book.sips_monthly, book.open_orders) == (1, Decimal(2500), 1)


def test_it_sees_those_that_work_through_them_too_each_behind_its_own_head(head, below):
    other = factories.PartnerFactory(name="Another Branch", head=head)
    deep = factories.PartnerFactory(name="Aunt's Office", head=below)
    assert [(each.key, each.through) for each in beneath(head)] == [
        (other.pk, ""),
        (below.pk, ""),
        (deep.pk, below.name),
    ]
    assert [each.key for each in beneath(below)] == [deep.pk]
    assert beneath(deep) == beneath(factories.PartnerFactory()) == []


def test_nobody_else_is_told_sums(head, below):
    for name in ("none", "all", f"user:{factories.UserFactory().pk}"):
        with scope(name), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_books_beneath()")
            assert cursor.fetchone() == (0,)


def test_the_wall_is_up_again_after_the_sums(head, below, asha):
    link(asha, below)
    with scope(partners.scope_of(head, factories.UserFactory())), connection.cursor() as cursor:
        assert len(queries.books_beneath()) == 1
        cursor.execute("SELECT current_setting('portal.scope'), (SELECT count(*) FROM investors_investor)")
        now, seen = cursor.fetchone()
    assert now.startswith(f"partner:{head.pk}:")
    assert seen == 0


def test_the_page_names_firms_and_no_investor(browser, below, asha):
    link(asha, below)
    factories.HoldingFactory(investor=asha)
    shown = browser.get(reverse("console:firms")).content.decode()
    assert "Branch Street Funds" in shown
    assert asha.name not in shown
    assert asha.code not in shown
    assert browser.get(reverse("console:investor", args=[asha.code])).status_code == 404


def test_any_number_of_firms_takes_the_same_statements(browser, head, below, django_assert_max_num_queries):
    browser.get(reverse("console:firms"))
    for _ in range(12):
        factories.PartnerFactory(head=head)
    with django_assert_max_num_queries(8):
        assert browser.get(reverse("console:firms")).status_code == 200


# --- asking for one -------------------------------------------------------------------------------------------------


def test_a_firm_is_asked_for_and_waits_for_staff(browser, head):
    answer = browser.post(reverse("console:firm_ask"), TYPED, follow=True)
    row = FirmRequest.objects.get()
    assert (row.head, row.name, row.arn, row.state) == (head, "Hilltop Advisers", "ARN-70112", "ASKED")
    assert "being looked at" in answer.content.decode()
    case = Case.objects.get(kind=firms.CASE, state="OPEN")
    assert (case.subject_kind, case.subject_id) == ("portal.firmrequest", str(row.pk))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("arn", "70112", "as AMFI writes it"),
        ("arn", "ARN-٧٠", "as AMFI writes it"),
        ("arn", "ARN-1234567", "as AMFI writes it"),
        ("email", "desk", "no email address"),
        ("name", " ", "Enter the name"),
        ("name", "x" * 121, "121"),
        ("basis", "", "Say when and how"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(browser, field, typed, said):
    answer = browser.post(reverse("console:firm_ask"), {**TYPED, field: typed}, follow=True)
    shown = answer.content.decode()
    assert said in shown
    assert "desk@hilltop.example" in shown or field == "email"
    assert not FirmRequest.objects.exists()


def test_the_same_arn_waits_once_and_ten_wait_at_most(head):
    asked(head)
    with pytest.raises(firms.AskedAlready):
        asked(head, name="Hilltop again")
    for number in range(firms.MOST_OPEN - 1):
        asked(head, arn=f"ARN-{number}")
    with pytest.raises(firms.TooManyOpen):
        asked(head, arn="ARN-999")
    asked(factories.PartnerFactory())


def test_it_can_be_withdrawn_by_the_firm_that_asked_until_it_is_decided(browser, head, client_for):
    row = asked(head)
    address = reverse("console:firm_withdraw", args=[row.code])
    assert client_for(works_at(factories.PartnerFactory())).post(address).status_code == 404
    browser.post(address)
    row.refresh_from_db()
    assert row.state == "WITHDRAWN"
    assert not Case.objects.filter(kind=firms.CASE, state="OPEN").exists()
    assert "decided already" in browser.post(address, follow=True).content.decode()


def test_another_firm_reads_no_request(head):
    asked(head)
    with scope(partners.scope_of(factories.PartnerFactory(), factories.UserFactory())):
        assert not FirmRequest.objects.exists()
    with scope("none"):
        assert not FirmRequest.objects.exists()


# --- deciding -------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin_of(client_for):
    def make(role):
        user = factories.UserFactory()
        roles.grant(user, role)
        return client_for(type(user).objects.get(pk=user.pk))

    return make


def test_staff_take_it_in_beneath_the_firm_that_asked(head, admin_of):
    row = asked(head)
    answer = admin_of(roles.ADMIN).post(act_url(row, "take"), {"code": "hilltop", "reason": "looked up with AMFI"})
    assert answer.status_code == 302
    firm = Partner.objects.get(code="hilltop")
    assert (firm.name, firm.arn, firm.head) == ("Hilltop Advisers", "ARN-70112", head)
    row.refresh_from_db()
    assert (row.state, row.firm) == ("TAKEN", firm)
    assert [each.key for each in beneath(head)] == [firm.pk]
    assert not Case.objects.filter(kind=firms.CASE, state="OPEN").exists()


def test_a_reason_for_not_taking_it_is_read_by_the_firm_that_asked(head, browser, admin_of):
    row = asked(head)
    admin_of(roles.ADMIN).post(act_url(row, "refuse"), {"reason": "AMFI knows no such ARN"})
    assert "AMFI knows no such ARN" in browser.get(reverse("console:firms")).content.decode()
    with pytest.raises(firms.DecidedAlready):
        firms.take(request=row, code="late", actor=factories.UserFactory(), reason="late", at=clock.now())


def test_only_who_may_add_partners_decides(head, admin_of):
    row = asked(head)
    for role in (roles.VIEWER, roles.MAKER, roles.CHECKER):
        admin_of(role).post(act_url(row, "take"), {"code": "hilltop", "reason": "looked up with AMFI"})
    row.refresh_from_db()
    assert row.state == "ASKED"


def test_an_arn_that_is_here_already_and_a_code_that_is_taken_are_said(head):
    by = {"actor": factories.UserFactory(), "reason": "looked up", "at": clock.now()}
    row = asked(head, arn=head.arn)
    with pytest.raises(firms.Exists):
        firms.take(request=row, code="again", **by)
    with pytest.raises(firms.CodeTaken):
        firms.take(request=asked(head), code=head.code, **by)
    assert FirmRequest.objects.filter(state="ASKED").count() == 2


# --- a tree, below the admin too ----------------------------------------------------------------------------------


def test_no_firm_works_through_itself_and_three_levels_are_most(head, below):
    deep = factories.PartnerFactory(head=below)
    assert "already" in firms.why_not(head, deep)
    assert "three levels" in firms.why_not(factories.PartnerFactory(), deep)
    assert "three levels" in firms.why_not(head, factories.PartnerFactory())
    assert firms.why_not(deep, head) == ""
    for partner, above in ((head, deep), (factories.PartnerFactory(), deep), (head, factories.PartnerFactory())):
        with pytest.raises(IntegrityError), transaction.atomic():
            Partner.objects.filter(pk=partner.pk).update(head=above)
    with pytest.raises(IntegrityError, match="no firm works through itself"), transaction.atomic():
        Partner.objects.filter(pk=head.pk).update(head=head)


def test_the_admin_says_why_a_firm_cannot_work_through_another(head, below, admin_of):
    page = reverse("admin:portal_partner_change", args=[head.pk])
    browser = admin_of(roles.ADMIN)
    shown = browser.post(page, {"code": head.code, "name": head.name, "head": below.pk}).content.decode()
    assert "works through this one already" in shown
    assert Partner.objects.get(pk=head.pk).head is None


def test_a_request_is_decided_once_and_stays_as_it_was_written(head):
    row = asked(head)
    for change in ({"name": "Other"}, {"state": "TAKEN"}, {"arn": "ARN-1"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FirmRequest.objects.filter(pk=row.pk).update(**change)
    firms.refuse(request=row, actor=factories.UserFactory(), reason="no", at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        FirmRequest.objects.filter(pk=row.pk).update(answer="yes")
    with pytest.raises(IntegrityError), transaction.atomic():
        row.delete()


LOCK = "PERFORM pg_advisory_xact_lock(hashtext('portal_firm_tree'));"


@contextmanager
def without_the_lock():
    """The trigger as it would be without its guard against two at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('portal_firm_tree'::regproc)")
        whole = cursor.fetchone()[0]
        assert LOCK in whole
        cursor.execute(whole.replace(LOCK, ""))
        try:
            yield
        finally:
            cursor.execute(whole)


def at_once(one, other):
    """`one` comes beneath `other` while `other` comes beneath `one`; answers what the second was told."""
    told = []

    def second():
        try:
            Partner.objects.filter(pk=other.pk).update(head=one)
        except IntegrityError as error:
            told.append(str(error))
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        Partner.objects.filter(pk=one.pk).update(head=other)
        thread.start()
        # Until the second is through, or waits for us.
        wait_for(lambda: not thread.is_alive() or _waits())
    thread.join()
    return told


def _waits():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()"
        )
        return cursor.fetchone()[0] == 1


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_make_no_circle():
    """With the lock taken out of the trigger both go through, and each firm works through the other."""
    with without_the_lock():
        one, other = factories.PartnerFactory(), factories.PartnerFactory()
        assert at_once(one, other) == []
        assert {each.head_id for each in Partner.objects.filter(pk__in=[one.pk, other.pk])} == {one.pk, other.pk}
        Partner.objects.update(head=None)
    [told] = at_once(one, other)
    assert "no firm works through itself" in told
    assert list(Partner.objects.filter(head__isnull=False)) == [one]
