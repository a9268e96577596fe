"""The clocks of cases: every kind has its own, somebody's claim moves it on, and what is late stands first."""

from __future__ import annotations

import ast
import csv
import importlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from investors import case_words
from portal import case_terms, cases, clock, roles, unknowns
from portal.management import reconciliation
from portal.models import Case, InboundEvent, WorkItem
from tests import factories
from tests.ops.test_roles import act_url

APPS = ("portal", "investors", "orders", "payments", "brokers")
LIST, CASES = "/admin/portal/workitem/", "/admin/portal/case/"


def sources() -> Iterator[Path]:
    """Every module of the program that may open a case."""
    for app in APPS:
        for path in sorted(Path(settings.BASE_DIR, app).rglob("*.py")):
            if not {"migrations", "sandbox", "bench"} & set(path.parts) and "CASE" in path.read_text():
                yield path


def named(path: Path) -> set[str]:
    """The kinds that a module has names for: `CASE` and whatever ends so."""
    module = importlib.import_module(".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts))
    return {value for name, value in vars(module).items() if name.endswith("CASE") and isinstance(value, str)}


def spelled(path: Path) -> set[str]:
    """The kinds that stand in the very call."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    words = [each for call in calls if "open_case" in ast.unparse(call.func) for each in call.keywords]
    return {each.value.value for each in words if each.arg == "kind" and isinstance(each.value, ast.Constant)}


def kinds() -> set[str]:
    """Every kind of case that any code opens, or has words for."""
    found = {f"{reconciliation.CASE}_{kind}" for kind in reconciliation.KINDS} | set(case_words.KINDS)
    found |= {model.unknown_case() for model in unknowns.models()}
    for path in sources():
        found |= named(path) | spelled(path)
    return found - {reconciliation.CASE}


def test_every_kind_of_case_has_its_clock_and_no_clock_is_for_nothing():
    assert len(kinds()) > 60
    assert set(case_terms.TERMS) == kinds()


@pytest.mark.django_db
def test_the_table_names_each_kind_once_with_a_source_and_is_looked_at_before_it_is_settled():
    with case_terms.SOURCE.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["kind"] for row in rows] == sorted({row["kind"] for row in rows})
    opened = datetime(2026, 11, 23, 10, tzinfo=clock.IST)
    for kind, term in case_terms.TERMS.items():
        look_by, settle_by = case_terms.moments(kind, opened)
        assert (kind, opened < look_by < settle_by, bool(term.source)) == (kind, True, True)


@pytest.mark.parametrize("words", ["soon", "3 days", "working day", "1 week"])
def test_another_unit_is_refused(words):
    with pytest.raises(ValueError, match=r".*"):
        case_terms.Within.read(words)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "opened", "look_by", "settle_by"),
    [
        ("money_not_moving", "2026-11-20T23:50", "2026-11-21T00:05", "2026-11-21T03:50"),
        # From a Friday, a Saturday, a Sunday and a Monday; the market is closed on Tuesday 24 November.
        ("investor_asks", "2026-11-20T10:00", "2026-11-23T18:00", "2026-11-30T18:00"),
        ("investor_asks", "2026-11-21T10:00", "2026-11-23T18:00", "2026-11-30T18:00"),
        ("investor_asks", "2026-11-22T23:59", "2026-11-23T18:00", "2026-11-30T18:00"),
        ("investor_asks", "2026-11-23T00:00", "2026-11-25T18:00", "2026-12-01T18:00"),
        ("nobody_wrote_this_down", "2026-11-20T10:00", "2026-11-20T10:15", "2026-11-20T14:00"),
    ],
)
def test_minutes_run_through_the_night_and_working_days_pass_over_weekends_and_holidays(
    kind, opened, look_by, settle_by
):
    moments = case_terms.moments(kind, datetime.fromisoformat(opened).replace(tzinfo=clock.IST))
    assert [f"{each:%Y-%m-%dT%H:%M}" for each in moments] == [look_by, settle_by]


# --- in the lists -----------------------------------------------------------------------------------------------


def opened(kind: str, ago: timedelta) -> Case:
    return cases.open_case(kind=kind, subject=factories.OrderFactory(), title=kind, detail="", at=clock.now() - ago)


def shown(client: Any, url: str, **query: str) -> list[Any]:
    return list(client.get(url, query).context["cl"].result_list)


@pytest.mark.django_db
def test_a_claim_says_that_somebody_has_looked_and_handing_back_says_that_nobody_has(as_role):
    case, maker = opened("money_not_moving", timedelta(minutes=5)), as_role(roles.MAKER)
    assert Case.objects.get().due_at == case.opened_at + timedelta(minutes=15)
    cases.claim(case=case, actor=maker.user, reason="", at=clock.now())
    assert Case.objects.get().due_at == case.opened_at + timedelta(hours=4)
    cases.hand_back(case=case, actor=maker.user, reason="", at=clock.now())
    assert Case.objects.get().due_at == case.opened_at + timedelta(minutes=15)


@pytest.mark.django_db
def test_what_is_late_first_stands_first_although_others_wait_for_longer(as_role):
    waits = opened("perhaps_the_same_person", timedelta(hours=30))
    late = opened("money_not_moving", timedelta(hours=2, minutes=20))
    soon = opened("payment_succeeded_after_all", timedelta(minutes=1))
    client = as_role(roles.VIEWER)
    assert [case.pk for case in shown(client, CASES, state__exact="OPEN")] == [late.pk, soon.pk, waits.pk]
    assert [item.subject_id for item in shown(client, LIST)] == [str(case.pk) for case in (late, soon, waits)]


@pytest.mark.django_db
@pytest.mark.parametrize("url", [LIST, CASES])
def test_a_list_says_when_each_thing_is_due_or_how_late_it_is(as_role, at, url):
    at("2026-11-20T14:00")
    opened("money_not_moving", timedelta(hours=2, minutes=20))
    opened("payment_news_conflict", timedelta(minutes=30))
    opened("investor_asks", timedelta(minutes=1))
    page = as_role(roles.VIEWER).get(url).content.decode()
    for words in ("late by 2 h 5 min", "due 14:30", "due 23 Nov 2026, 18:00"):
        assert words in page


@pytest.mark.django_db
def test_the_page_of_a_case_names_both_moments_and_the_rule(as_role, at):
    at("2026-11-20T14:00")
    case = opened("investor_asks", timedelta(minutes=1))
    page = as_role(roles.VIEWER).get(f"{CASES}{case.pk}/change/").content.decode()
    for words in ("due 23 Nov 2026, 18:00", "30 Nov 2026, 18:00", "SEBI&#x27;s circular of 20 Sep 2023"):
        assert words in page


@pytest.mark.django_db
def test_everything_in_the_inbox_has_its_moment(as_role, at):
    now = at("2026-11-20T14:00")  # a Friday
    unknown = factories.OrderFactory(state="SUBMITTING", attempt="UNKNOWN", unknown_since=now, due_at=now)
    mandate = factories.MandateFactory(state="REJECTED", state_since=now)
    plan = factories.PlanFactory(state="FAILED", state_since=now)
    kyc = factories.KycRequestFactory(state="PENDING", submitted_at=now, approved_at=None)
    event = InboundEvent.objects.create(
        provider="fp", kind="payment_return", fingerprint="x", received_at=now, state="FAILED"
    )
    due = {
        (row.subject_kind, row.subject_id): f"{row.due_at.astimezone(clock.IST):%a %H:%M}"
        for row in WorkItem.objects.all()
    }
    rows = (unknown, mandate, plan, kyc, event)
    assert [due[row._meta.label_lower, str(row.pk)] for row in rows] == [
        "Fri 14:15", "Wed 18:00", "Wed 18:00", "Mon 18:00", "Fri 15:00",
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_first_page_counts_what_is_late(as_role):
    opened("money_not_moving", timedelta(hours=2))
    opened("perhaps_the_same_person", timedelta(hours=1))
    client = as_role(roles.MAKER)
    assert "1 late · 2 nobody&#x27;s" in client.get("/admin/").content.decode()
    client.post(act_url(WorkItem.objects.order_by("due_at")[0], "claim"), {"reason": ""})
    assert "0 late · 1 nobody&#x27;s" in client.get("/admin/").content.decode()
