"""What fund houses pay, by two persons: mistakes at their field, what is touched in words, months computed anew."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from orders import commission_tasks
from orders.models import CommissionRate
from orders.operations import commission_months
from portal import clock, roles
from portal.models import AuditEntry, Proposal
from tests import factories
from tests.ops.test_role_changes import console
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:orders_commissionrate_add", "admin:orders_commissionrate_changelist"
YES = {"reason": "Compared with the rate card"}
NOW = "2026-11-22T10:00"


@pytest.fixture
def scheme(db, at):
    at(NOW)
    house = factories.FundHouseFactory(name="Axis Mutual Fund")
    return factories.SchemeFactory(name="Axis Liquid Fund", fund_house=house, category="Liquid Fund")


def form(about, **other):
    asked = {
        "fund_house": about.fund_house_id,
        "scheme": "",
        "category": "",
        "valid_from": "2026-10-01",
        "percent": "0.75",
        "source": "Rate card of October 2026",
        "why": "The fund house pays so from October on",
        **other,
    }
    return {name: str(value) for name, value in asked.items()}


def test_a_rate_holds_once_a_second_person_has_approved(as_role, scheme, django_capture_on_commit_callbacks):
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    with console("off"), django_capture_on_commit_callbacks(execute=True):
        told = maker.post(reverse(ADD), form(scheme), follow=True).content.decode()
        assert "waits for a second person. Nothing has changed yet." in told
        assert not CommissionRate.objects.exists()
        checker.post(act_url(Proposal.objects.get(), "approve"), YES)
    rate = CommissionRate.objects.get()
    assert (rate.fund_house, rate.scheme, rate.category) == (scheme.fund_house, None, "")
    assert (rate.percent, rate.valid_from) == (Decimal("0.7500"), date(2026, 10, 1))
    assert AuditEntry.objects.get(action="commissionrate.added").reason == form(scheme)["why"]


def test_the_second_person_reads_names_and_not_numbers_of_rows(as_role, scheme):
    as_role(roles.MAKER).post(reverse(ADD), form(scheme, scheme=scheme.pk))
    page = as_role(roles.CHECKER).get(reverse("admin:portal_proposal_change", args=[Proposal.objects.get().pk]))
    compared = page.content.decode().partition('<table class="ops-table">')[2].partition("</table>")[0]
    assert "Axis Mutual Fund" in compared
    assert "Axis Liquid Fund" in compared


def test_the_second_person_reads_what_is_touched_in_rupees(as_role, scheme):
    gilt = factories.SchemeFactory(fund_house=scheme.fund_house, category="Gilt Fund")
    factories.CommissionRateFactory(fund_house=scheme.fund_house, category="Gilt Fund")
    for each in (scheme, scheme, gilt):
        # ₹1,00,000 on 31 days
        factories.CommissionMonthFactory(scheme=each, expected=Decimal("10.00"))
    as_role(roles.MAKER).post(reverse(ADD), form(scheme, percent="0.73"))
    assert Proposal.objects.get().affects == (
        "It is the rate of 2 holdings of October 2026: a whole month like that brings ₹124.00; ₹20.00 is expected as"
        " rates stand. Months from October 2026 on are computed anew."
    )


@pytest.mark.parametrize(("about", "count"), [("scheme", 1), ("category", 2), ("", 3)])
def test_what_is_touched_is_what_has_no_rate_more_particular(scheme, about, count):
    from orders.queries import commission_previews

    same = factories.SchemeFactory(fund_house=scheme.fund_house, category="Liquid Fund")
    gilt = factories.SchemeFactory(fund_house=scheme.fund_house, category="Gilt Fund")
    for each in (scheme, same, gilt, factories.SchemeFactory()):
        factories.CommissionMonthFactory(scheme=each)
    own = {"scheme": scheme.pk, "category": ""} if about == "scheme" else {"scheme": None, "category": ""}
    own |= {"category": "Liquid Fund"} if about == "category" else {}
    values = {**own, "fund_house": scheme.fund_house_id, "valid_from": "2026-10-01", "percent": "1"}
    told = commission_previews.touched(values, month=date(2026, 10, 1))
    assert told.startswith(f"It is the rate of {count} holding")


def test_a_rate_that_begins_later_says_nothing_of_months_before(as_role, scheme):
    as_role(roles.MAKER).post(reverse(ADD), form(scheme, valid_from="2026-12-01"))
    assert Proposal.objects.get().affects == "No holding of October 2026 is touched."


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"fund_house": ""}, "fund_house", "required"),
        ({"percent": "5.01"}, "percent", "from 0 to 5"),
        ({"percent": "-0.1"}, "percent", "from 0 to 5"),
        ({"percent": "0.12345"}, "percent", "4 decimal places"),
        ({"percent": ""}, "percent", "required"),
        ({"source": ""}, "source", "required"),
        ({"valid_from": ""}, "valid_from", "required"),
        ({"valid_from": "2026-09-01"}, "valid_from", "1 % of the same holds from this day on"),
        ({"category": "Gilt Fund"}, "category", "Axis Mutual Fund has no scheme of this category"),
        ({"category": "Moon Fund"}, "category", "Select a valid choice"),
        ({"why": ""}, "why", "required"),
    ],
)
def test_each_mistake_is_told_at_its_field(as_role, scheme, typed, field, words):
    factories.SchemeFactory(category="Gilt Fund")
    factories.CommissionRateFactory(fund_house=scheme.fund_house, valid_from=date(2026, 9, 1))
    answer = as_role(roles.MAKER).post(reverse(ADD), form(scheme, **typed))
    errors = answer.context["adminform"].form.errors
    assert (list(errors), words in str(errors[field])) == ([field], True), errors
    assert not Proposal.objects.exists()


def test_a_scheme_is_of_the_house_and_stands_without_a_category(as_role, scheme):
    maker, stranger = as_role(roles.MAKER), factories.SchemeFactory()
    errors = maker.post(reverse(ADD), form(scheme, scheme=stranger.pk)).context["adminform"].form.errors
    assert f"This scheme is of {stranger.fund_house}, not of Axis Mutual Fund." in str(errors["scheme"])
    both = form(scheme, scheme=scheme.pk, category="Liquid Fund")
    errors = maker.post(reverse(ADD), both).context["adminform"].form.errors
    assert "of a scheme or of a category" in str(errors["category"])
    assert not Proposal.objects.exists()


def test_a_wrong_rate_is_removed_by_two_persons_and_none_is_changed(as_role, scheme):
    rate = factories.CommissionRateFactory(fund_house=scheme.fund_house)
    maker, checker = as_role(roles.MAKER), as_role(roles.CHECKER)
    page = reverse("admin:orders_commissionrate_change", args=[rate.pk])
    assert maker.post(page, form(scheme)).status_code == 403
    with console("off"):
        maker.post(reverse("admin:orders_commissionrate_delete", args=[rate.pk]), {"post": "yes"})
        assert CommissionRate.objects.exists()
        checker.post(act_url(Proposal.objects.get(), "approve"), YES)
    assert not CommissionRate.objects.exists()


def test_a_rate_of_the_past_makes_its_months_due_and_tells_a_worker(
    as_role, scheme, monkeypatch, django_capture_on_commit_callbacks
):
    factories.CommissionRateFactory(valid_from=date(2026, 1, 1))
    before = clock.now() - timedelta(hours=1)
    for month in commission_months.due(at=before):
        commission_months.compute(month, at=before)
    assert commission_months.due(at=clock.now()) == []
    nudged = []
    monkeypatch.setattr("orders.admin.commission_rates.jobs.nudge", nudged.append)
    as_role(roles.MAKER).post(reverse(ADD), form(scheme, valid_from="2026-08-15"))
    with django_capture_on_commit_callbacks(execute=True):
        as_role(roles.CHECKER).post(act_url(Proposal.objects.get(), "approve"), YES)
    assert nudged == [commission_tasks.EXPECT]
    assert [f"{month:%m}" for month in commission_months.due(at=clock.now())] == ["11", "10", "09", "08"]


def test_the_list_says_what_holds_what_comes_and_what_has_passed(as_role, scheme):
    house = scheme.fund_house
    for percent, since, more in (
        ("1", "2026-01-01", {}),
        ("0.9", "2026-06-01", {}),
        ("0.8", "2027-01-01", {}),
        ("0.2", "2026-02-01", {"category": "Liquid Fund"}),
        ("0.3", "2026-02-01", {"scheme": scheme}),
    ):
        factories.CommissionRateFactory(
            fund_house=house, percent=Decimal(percent), valid_from=date.fromisoformat(since), **more
        )
    factories.CommissionRateFactory(percent=Decimal("0.5"))
    client = as_role(roles.MAKER)

    def shown(**query):
        rows = client.get(reverse(LIST), {"house": house.pk, **query}).context["cl"].result_list
        return sorted(f"{row.percent.normalize():f}" for row in rows)

    assert shown(holds="now") == ["0.2", "0.3", "0.9"]
    assert (shown(holds="coming"), shown(holds="past")) == (["0.8"], ["1"])
    assert shown(q="Liquid") == ["0.2", "0.3"]
    page = client.get(reverse(LIST), {"house": "x"}).content.decode()
    assert [words in page for words in ("in force", "to come", "past", "Rate card", "0.9 %")] == [True] * 5
    follow = f"{reverse(ADD)}?fund_house={house.pk}&amp;scheme={scheme.pk}"
    assert follow in page


def test_a_list_of_proposed_rates_reads_the_names_of_all_at_once(as_role, django_assert_num_queries):
    from portal.admin import proposed

    maker = as_role(roles.MAKER)
    for scheme in (factories.SchemeFactory() for _ in range(4)):
        maker.post(reverse(ADD), form(scheme, scheme=scheme.pk))
    ids = [str(pk) for pk in Proposal.objects.values_list("pk", flat=True)]
    assert len(ids) == 4
    with django_assert_num_queries(3):
        words = proposed.differences(ids)
    assert all("Mutual Fund" in each and "Flexi Cap Fund" in each for each in words.values())


def test_a_direct_plan_has_no_rate(as_role, scheme):
    direct = factories.SchemeFactory(fund_house=scheme.fund_house, plan="DIRECT")
    told = as_role(roles.MAKER).post(reverse(ADD), form(scheme, scheme=direct.pk)).content.decode()
    assert "No commission is paid from direct plans." in told
    assert not Proposal.objects.exists()
