"""The investor on one page, found from one box: what it shows, what stays masked, what it costs (screens.md O-2)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from investors.admin import finding
from investors.models import Investor
from orders.models import Folio
from portal import audit, cases, clock, roles
from portal.models import AuditEntry
from tests import factories
from tests.ops.conftest import ACCOUNT_NUMBER, PAN
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
REASON = "Compares the address with the letter"
FIND = "admin:investors_investor_find"


def page_of(investor: Investor) -> str:
    return reverse("admin:investors_investor_change", args=[investor.pk])


def test_one_page_shows_who_what_and_where_the_money_is(as_role, desk):
    factories.MandateFactory(bank_account=desk.account)
    factories.ChangeRequestFactory(investor=desk.investor)
    answer = as_role(roles.VIEWER).get(page_of(desk.investor))
    titles = [panel.title for panel in answer.context["panels"]]
    assert titles == [
        "Holdings", "Orders on their way", "Money on its way", "KYC", "Banks and mandates", "Changes of details",
        "Consents", "Papers", "Address and nominees", "Invited, filled in by others",
        "Perhaps the same person",
    ]  # fmt: skip
    text = answer.content.decode()
    for expected in (desk.order.code, desk.payment.code, desk.case.code, desk.consent.code, desk.holding.scheme.name):
        assert expected in text, expected
    assert "You are ready to invest" in text
    assert "&lt;" not in text, "a badge that lost its way shows its own markup"


def test_the_person_stays_masked(as_role, desk):
    investor = desk.investor
    text = as_role(roles.VIEWER).get(page_of(investor)).content.decode()
    address = investor.addresss.get()
    for secret in (PAN, ACCOUNT_NUMBER, investor.mobile, investor.user.email, address.line1, "17 May 1990"):
        assert secret not in text, secret
    assert investor.masked_pan in text


def test_sections_are_those_that_the_person_may_see(as_role, desk):
    answer = as_role(roles.ADMIN).get(page_of(desk.investor))
    assert len(answer.context["panels"]) == 11
    client = as_role(roles.VIEWER)
    client.user.groups.first().permissions.remove(
        *client.user.groups.first().permissions.filter(codename__in=["view_holding", "view_payment"])
    )
    titles = [panel.title for panel in client.get(page_of(desk.investor)).context["panels"]]
    assert "Holdings" not in titles
    assert "Money on its way" not in titles


def test_a_case_about_an_order_that_is_on_its_way_stands_on_the_investors_page(as_role, desk):
    other = factories.OrderFactory(state="AWAITING_PAYMENT")
    cases.open_case(kind="x", subject=other, title="About somebody else", detail="", at=clock.now())
    answer = as_role(roles.VIEWER).get(page_of(desk.investor))
    assert [case.pk for case in answer.context["open_cases"]] == [desk.case.pk]


BUDGET = 38


def test_the_page_costs_the_same_however_much_the_investor_has(as_role, desk):
    client, address = as_role(roles.VIEWER), page_of(desk.investor)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    client.get(address)
    few = statements()
    for _ in range(5):
        order = factories.OrderFactory(investor=desk.investor, state="AWAITING_PAYMENT", bank_account=desk.account)
        factories.PaymentFactory(order=order)
        factories.HoldingFactory(investor=desk.investor)
        factories.MandateFactory(bank_account=desk.account)
        factories.ConsentFactory(investor=desk.investor)
        factories.KycCheckFactory(investor=desk.investor)
    assert statements() == few
    assert few <= BUDGET


# --- shown in full -----------------------------------------------------------------------------------------------


def test_shown_in_full_once_for_a_reason_that_stands_in_the_log(as_role, desk):
    client, url = as_role(roles.MAKER), act_url(desk.investor, "unmask")
    assert PAN not in client.get(url).content.decode(), "the question shows nothing yet"
    assert client.post(url, {"reason": ""}).status_code == 422
    assert not AuditEntry.objects.filter(action=audit.UNMASKED).exists()
    answer = client.post(url, {"reason": REASON})
    text = answer.content.decode()
    assert PAN in text
    assert desk.investor.mobile in text
    assert "no-store" in answer["Cache-Control"]
    entry = AuditEntry.objects.get(action=audit.UNMASKED)
    assert (entry.actor, entry.reason) == (f"user:{client.user.pk}", REASON)
    assert PAN not in str(entry.data)
    visits = client.get(page_of(desk.investor)).context["visits"]
    assert REASON in [visit.reason for visit in visits]


def test_who_only_reads_may_not_see_it_in_full(as_role, desk):
    for role in (roles.VIEWER, roles.ADMIN):
        client = as_role(role)
        assert act_url(desk.investor, "unmask") not in client.get(page_of(desk.investor)).content.decode()
        answer = client.post(act_url(desk.investor, "unmask"), {"reason": REASON})
        assert answer.status_code == 403
        assert PAN not in answer.content.decode()


# --- one box -----------------------------------------------------------------------------------------------------


def find(client, term: str):
    return client.post(reverse(FIND), {"q": term})


@pytest.mark.parametrize(
    "name", ["PAN", "pan in small letters", "mobile", "mobile with +91", "email", "folio", "code", "name"]
)
def test_each_name_of_a_person_opens_their_page(as_role, desk, name):
    factories.ReadyInvestorFactory(name="Somebody Else")
    investor = desk.investor
    term = {
        "PAN": PAN,
        "pan in small letters": PAN.lower(),
        "mobile": investor.mobile,
        "mobile with +91": f"+91 {investor.mobile[:5]} {investor.mobile[5:]}",
        "email": investor.user.email.upper(),
        "folio": desk.holding.folio.number,
        "code": investor.code,
        "name": "asha r",
    }[name]
    answer = find(as_role(roles.VIEWER), f" {term} ")
    assert (answer.status_code, answer["Location"]) == (302, page_of(investor))


def test_several_matches_are_a_list_and_nothing_personal_stands_in_its_address(as_role):
    for name in ("Asha Rao", "Ashadevi Rao", "Rao Asha Menon", "Bharat Rao"):
        factories.InvestorFactory(name=name, mobile="9812345678")
    client = as_role(roles.VIEWER)
    answer = find(client, "rao ash")
    names = {row.name for row in client.get(answer["Location"]).context["cl"].result_list}
    assert names == {"Asha Rao", "Ashadevi Rao", "Rao Asha Menon"}
    by_mobile = find(client, "9812345678")
    assert "9812345678" not in by_mobile["Location"]
    assert len(client.get(by_mobile["Location"]).context["cl"].result_list) == 4


@pytest.mark.parametrize("term", ["ASHPR3751C", "9800000000", "nobody@portal.example", "99/12345678", "zzz", "%"])
def test_who_is_not_there_is_not_found(as_role, term):
    factories.InvestorFactory(name="Asha Rao")
    client = as_role(roles.VIEWER)
    answer = client.get(find(client, term)["Location"])
    assert answer.status_code == 200
    assert answer.context["cl"].result_list == []


def test_a_name_that_was_corrected_is_found_by_its_new_words_only(as_role):
    investor = factories.InvestorFactory(name="Asha Rao")
    investor.name = "Usha D'Souza"
    investor.save()
    assert list(finding.named("souza usha")) == [investor]
    assert list(finding.named("asha")) == []


def test_the_first_page_has_the_box(as_role):
    assert reverse(FIND) in as_role(roles.VIEWER).get(reverse("admin:index")).content.decode()


# --- big tables --------------------------------------------------------------------------------------------------

MANY = """
    INSERT INTO portal_user (email, password, first_name, last_name, is_staff, is_active, is_superuser, mobile,
                             date_joined)
    SELECT 'many' || n || '@portal.example', '', '', '', false, true, false, '', now() FROM generate_series(1, 6000) n;
    INSERT INTO investors_investor (code, user_id, kind, state, state_since, pan, pan_index, name, mobile, isd_code)
    SELECT 'MANY' || u.id, u.id, 'RESIDENT', 'DRAFT', now(), '', md5(u.email), 'Person ' || chr(97 + (u.id %% 26)::int)
           || md5(u.email), '9' || lpad(u.id::text, 9, '0'), '91'
      FROM portal_user u WHERE u.email LIKE 'many%%';
    ANALYZE portal_user; ANALYZE investors_investor; ANALYZE investors_nameword;
"""


@pytest.fixture
def many(db: None) -> None:
    """Six thousand investors: enough that a plan that reads them all would not be chosen by chance."""
    with connection.cursor() as cursor:
        cursor.execute(_insert_of_many())


def _insert_of_many() -> str:
    """The statement, with an empty text or a default for every column that must have one."""
    given = MANY.replace("%%", "%")
    asked = "code, user_id, kind, state, state_since, pan, pan_index, name, mobile, isd_code"
    missing = [
        field for field in Investor._meta.concrete_fields
        if not field.null and not field.primary_key and field.column not in asked.split(", ")
    ]  # fmt: skip
    names = ", ".join(field.column for field in missing)
    values = ", ".join(_literal(field) for field in missing)
    return given.replace(asked, f"{asked}, {names}").replace(
        "lpad(u.id::text, 9, '0'), '91'", f"lpad(u.id::text, 9, '0'), '91', {values}"
    )


def _literal(field) -> str:
    kind = field.get_internal_type()
    if kind == "DateTimeField":
        return "now()"
    if kind == "JSONField":
        return "'[]'::jsonb"
    if kind in ("PositiveIntegerField", "PositiveSmallIntegerField", "IntegerField"):
        return "0"
    if kind == "BooleanField":
        return "false"
    return "''"


@pytest.mark.parametrize(
    ("term", "index"),
    [
        ("ASHPR3751C", "one_investor_per_pan"),
        ("9000000123", "investor_by_mobile"),
        ("personality", "a_word_of_a_name_stands_once"),
        ("many17@portal.example", "user_by_email"),
        ("99/12345678", "a_folio_exists_once_per_fund_house"),
    ],
)
def test_each_look_up_goes_through_an_index(as_role, many, term, index):
    folio = factories.FolioFactory()
    same = {"investor": folio.investor, "fund_house": folio.fund_house}
    Folio.objects.bulk_create(Folio(number=f"77/{number}", **same) for number in range(3_000))
    client = as_role(roles.VIEWER)
    with CaptureQueriesContext(connection) as captured:
        find(client, term)
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT") and "investor" in query["sql"]]
    asked += [query["sql"] for query in captured if "portal_user" in query["sql"] and "many17" in query["sql"]]
    asked += [query["sql"] for query in captured if "orders_folio" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_folio")
        plans = []
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert any(index in plan for plan in plans), "\n\n".join(plans)
    assert not any("Seq Scan on investors_" in plan for plan in plans), "\n\n".join(plans)


def test_staff_read_whose_a_contact_is_and_who_shares_it(as_role, desk):
    spouse = factories.InvestorFactory(mobile=desk.investor.mobile, mobile_is_of="SPOUSE")
    text = as_role(roles.VIEWER).get(page_of(desk.investor)).content.decode()
    assert "whose it is was never asked; the same number" in text
    assert spouse.code in text
    assert "My spouse" in as_role(roles.VIEWER).get(page_of(spouse)).content.decode()


def test_accounts_whose_ifsc_has_ended_are_found(as_role, desk):
    account = desk.investor.bankaccounts.first()
    ended = factories.BankAccountFactory(investor=desk.investor, ifsc="SYNB0000047", is_primary=False)
    listed = as_role(roles.VIEWER).get(reverse("admin:investors_bankaccount_changelist"), {"ifsc": "ended"})
    assert ended.code in listed.content.decode()
    assert account.code not in listed.content.decode()
    page = as_role(roles.VIEWER).get(reverse("admin:investors_bankaccount_change", args=[ended.pk]))
    assert "part of Canara Bank" in page.content.decode()
