"""Acts on many rows: nothing before the dry run is started, a line each, the background, the report."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from orders.models import Holiday
from portal import cases, clock, roles
from portal.admin import workbook
from portal.admin.acts import By
from portal.desk import bulk, worklist
from portal.desk.models import WorkItem
from portal.models import AuditEntry, BulkLine, BulkRun, Case, Proposal
from tests import factories
from tests.ops.test_roles import act_url

pytestmark = pytest.mark.django_db
START = {"reason": "Asked after the outage"}


@pytest.fixture
def three(db: None) -> list[Case]:
    """Three cases, one of them closed."""
    found = []
    for _ in range(3):
        order = factories.OrderFactory(state="PLACED")
        found.append(cases.open_case(kind="order_outcome_unknown", subject=order, title="?", detail="", at=clock.now()))
    cases.close(case=found[2], resolution="Found", actor=None, at=clock.now())
    return found


def choose(client: Any, rows: list[Any], act: str = "claim") -> BulkRun:
    page = reverse(f"admin:{rows[0]._meta.app_label}_{rows[0]._meta.model_name}_changelist")
    answer = client.post(page, {"action": act, "_selected_action": [row.pk for row in rows]})
    assert answer.status_code == 302, answer.content.decode()[:500]
    return BulkRun.objects.latest("id")


def words(run: BulkRun) -> list[tuple[str, str]]:
    return list(run.lines.order_by("id").values_list("state", "words"))


def test_the_dry_run_says_what_would_happen_to_each_and_does_nothing(as_role, three):
    maker = as_role(roles.MAKER)
    run = choose(maker, three)
    found = dict(run.lines.values_list("subject_id", "state"))
    assert found == {str(three[0].pk): "WAITING", str(three[1].pk): "WAITING", str(three[2].pk): "SKIPPED"}
    assert not Case.objects.exclude(owner=None).exists()
    page = maker.get(reverse("admin:portal_bulkrun_change", args=[run.pk]))
    assert "2 to be done, 1 left out" in page.content.decode()
    bulk.work(run.pk, clock.now())
    assert not Case.objects.exclude(owner=None).exists()


def test_started_with_a_reason_it_is_done_under_the_name_of_whoever_started_it(as_role, three):
    maker = as_role(roles.MAKER)
    run = choose(maker, three)
    maker.post(act_url(run, "start"), START)
    bulk.work(run.pk, clock.now())
    run.refresh_from_db()
    assert (run.state, run.due_at) == ("DONE", None)
    assert [case.owner for case in Case.objects.order_by("id")] == [maker.user, maker.user, None]
    assert sorted(state for state, _ in words(run)) == ["DONE", "DONE", "SKIPPED"]
    claimed = AuditEntry.objects.filter(action="case.claimed")
    assert {entry.reason for entry in claimed} == {START["reason"]}
    assert AuditEntry.objects.get(action="bulk.ended").data == {"DONE": 2, "SKIPPED": 1}


def test_a_row_that_changed_after_the_dry_run_is_left_out(as_role, three):
    maker = as_role(roles.MAKER)
    run = choose(maker, three[:2])
    maker.post(act_url(run, "start"), START)
    cases.close(case=three[0], resolution="Found", actor=None, at=clock.now())
    bulk.work(run.pk, clock.now())
    assert run.lines.get(subject_id=str(three[0].pk)).state == "SKIPPED"
    assert run.lines.get(subject_id=str(three[1].pk)).state == "DONE"


def test_a_line_whose_worker_died_is_unknown_and_not_done_again(as_role, three):
    maker = as_role(roles.MAKER)
    run = choose(maker, three[:2])
    maker.post(act_url(run, "start"), START)
    line = run.lines.get(subject_id=str(three[0].pk))
    BulkLine.objects.filter(pk=line.pk).update(state="RUNNING", at=clock.now() - timedelta(minutes=3))
    assert bulk.find_due(clock.now()) == [run.pk]
    bulk.work(run.pk, clock.now())
    line.refresh_from_db()
    assert line.state == "UNKNOWN"
    assert Case.objects.get(pk=three[0].pk).owner is None
    run.refresh_from_db()
    assert run.state == "DONE"


def test_trouble_with_one_line_stops_no_other(as_role, three, monkeypatch):
    maker = as_role(roles.MAKER)
    run = choose(maker, three[:2])
    maker.post(act_url(run, "start"), START)
    first = str(three[0].pk)

    def breaks(*, case: Case, **_: Any) -> None:
        if str(case.pk) == first:
            raise RuntimeError("odd")

    monkeypatch.setattr(cases, "claim", breaks)
    bulk.work(run.pk, clock.now())
    assert run.lines.get(subject_id=first).state == "UNKNOWN"
    assert run.lines.get(subject_id=str(three[1].pk)).state == "DONE"


def test_nobody_starts_what_somebody_else_chose_and_a_stopped_one_goes_no_further(as_role, three):
    maker, other = as_role(roles.MAKER), as_role(roles.MAKER)
    run = choose(maker, three)
    assert other.post(act_url(run, "start"), START).status_code == 403
    maker.post(act_url(run, "start"), START)
    maker.post(act_url(run, "stop"), {"reason": "The wrong ones"})
    bulk.work(run.pk, clock.now())
    assert not Case.objects.exclude(owner=None).exists()
    with pytest.raises(bulk.NotADraft):
        bulk.start(run=run, actor=maker.user, reason="Once more", at=clock.now())


def test_a_dry_run_is_stopped_with_the_reason_and_what_was_started_keeps_its_own(as_role, three):
    maker = as_role(roles.MAKER)
    dry, started = choose(maker, three), choose(maker, three)
    maker.post(act_url(started, "start"), START)
    for run in (dry, started):
        assert maker.post(act_url(run, "stop"), {"reason": "The wrong ones"}).status_code == 302
        run.refresh_from_db()
    assert (dry.state, dry.reason) == ("STOPPED", "The wrong ones")
    assert (started.state, started.reason) == ("STOPPED", START["reason"])
    with pytest.raises(bulk.NotADraft):
        bulk.stop(run=dry, actor=maker.user, reason="Once more", at=clock.now())


def test_more_rows_than_one_act_takes_are_left_for_the_next_and_that_is_said(as_role, three, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = as_role(roles.MAKER).post(
        reverse("admin:portal_case_changelist"),
        {"action": "claim", "select_across": "1", "_selected_action": [three[0].pk]},
        follow=True,
    )
    assert BulkRun.objects.get().lines.count() == 2
    assert "Only the first 2 rows are in it" in answer.content.decode()


def test_choosing_all_rows_of_a_list_names_no_number_that_nobody_counted(as_role, three, monkeypatch):
    monkeypatch.setattr("portal.admin.base.OpsAdmin.list_per_page", 2)
    page = reverse("admin:portal_case_changelist")
    text = as_role(roles.MAKER).get(page).content.decode()
    assert "Choose all rows of this list" in text
    assert not re.search(r"Select all \d", text)
    assert "Choose all rows" not in as_role(roles.MAKER).get(page, {"state__exact": "CLOSED"}).content.decode()


def test_looking_up_again_from_a_case_takes_the_right_to_ask_about_its_record(staff, three):
    act = bulk.act_of(BulkRun(subject_kind="portal.case", act="look-again"))
    assert "Nothing was done" in act.run(three[0], By(actor=staff(roles.VIEWER), reason="Curious", at=clock.now()))
    assert not AuditEntry.objects.filter(action="order.refresh_asked").exists()


def test_whoever_may_not_do_it_to_one_is_not_offered_it_for_many(as_role, three):
    answer = as_role(roles.VIEWER).get(reverse("admin:portal_case_changelist"))
    assert "dry run first" not in answer.content.decode()
    client = as_role(roles.VIEWER)
    client.post(
        reverse("admin:portal_case_changelist"), {"action": "claim", "_selected_action": [three[0].pk]}, follow=True
    )
    assert not BulkRun.objects.exists()


def test_the_report_has_every_line_as_csv_and_xlsx(as_role, three):
    maker = as_role(roles.MAKER)
    run = choose(maker, three)
    report = reverse("admin:portal_bulkrun_report", args=[run.pk])
    assert maker.get(report).content.decode().count("\n") == 4
    with zipfile.ZipFile(io.BytesIO(maker.get(f"{report}?as=xlsx").content)) as book:
        assert book.read("xl/worksheets/sheet1.xml").decode().count("<row>") == 4
    taken = AuditEntry.objects.filter(action="list.exported", subject_id=str(run.pk)).order_by("id")
    assert [entry.actor for entry in taken] == [f"user:{maker.user.pk}"] * 2
    assert [(entry.data["form"], entry.data["rows"]) for entry in taken] == [("csv", 3), ("xlsx", 3)]
    assert taken[0].data["what"] == "report of portal.case claim"


def test_proposals_are_decided_in_bulk_and_ones_own_is_left_out(as_role):
    maker, boss = as_role(roles.MAKER), Client()
    boss.user = factories.UserFactory(is_staff=True, is_superuser=True)  # type: ignore[attr-defined]
    boss.force_login(boss.user)  # type: ignore[attr-defined]
    for client, day in ((maker, "2027-01-15"), (maker, "2027-01-18"), (boss, "2027-01-19")):
        client.post(reverse("admin:orders_holiday_add"), {"on": day, "name": f"Polls {day}", "why": "Circular"})
    run = choose(boss, list(Proposal.objects.order_by("id")), "approve")
    assert [state for state, _ in words(run)] == ["SKIPPED", "WAITING", "WAITING"]
    made = Holiday.objects.filter(name__startswith="Polls")
    assert not made.exists()
    boss.post(act_url(run, "start"), START)
    bulk.work(run.pk, clock.now())
    assert [state for state, _ in words(run)] == ["SKIPPED", "DONE", "DONE"]
    assert sorted(str(each.on) for each in made.all()) == ["2027-01-15", "2027-01-18"]
    assert Proposal.objects.get(state="ASKED").asked_by == boss.user  # type: ignore[attr-defined]


@pytest.mark.parametrize("live", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "=HYPERLINK(1)"])
def test_no_cell_of_a_workbook_is_a_formula(live):
    cell = workbook.cell(live)
    assert cell.startswith('<c t="inlineStr">')
    assert "<f>" not in workbook.write([[live]]).decode("latin-1")


@pytest.mark.parametrize(("value", "shown"), [(Decimal("-5.00"), "<c><v>-5.00</v></c>"), (7, "<c><v>7</v></c>")])
def test_numbers_of_a_workbook_stay_numbers(value, shown):
    assert workbook.cell(value) == shown


def test_a_long_number_keeps_its_digits_and_odd_characters_break_nothing():
    assert "50100123456789012" in workbook.cell(50100123456789012)
    assert "inlineStr" in workbook.cell(50100123456789012)
    assert workbook.cell("a\0b<c>\x1f") == '<c t="inlineStr"><is><t xml:space="preserve">ab&lt;c&gt;</t></is></c>'


# --- Taking back ------------------------------------------------------------------------------------------------


def done(client: Any, rows: list[Any], act: str) -> BulkRun:
    run = choose(client, rows, act)
    client.post(act_url(run, "start"), START)
    bulk.work(run.pk, clock.now())
    run.refresh_from_db()
    return run


def undone(client: Any, run: BulkRun) -> BulkRun:
    assert client.post(act_url(run, "undo"), {}).status_code == 302
    return run.undone_by.get()


def test_claims_go_back_to_whoever_held_them_and_what_changed_since_stays(as_role, three):
    maker, other, third = as_role(roles.MAKER), as_role(roles.MAKER), as_role(roles.MAKER)
    more = cases.open_case(kind="odd", subject=factories.OrderFactory(), title="?", detail="", at=clock.now())
    cases.claim(case=three[1], actor=other.user, reason="Mine", at=clock.now())
    run = done(maker, [*three, more], "claim")
    cases.claim(case=more, actor=third.user, reason="Mine now", at=clock.now())
    back = undone(maker, run)
    assert sorted(state for state, _ in words(back)) == ["SKIPPED", "WAITING", "WAITING"]
    assert Case.objects.get(pk=three[0].pk).owner == maker.user, "a dry run changes nothing"
    maker.post(act_url(back, "start"), {"reason": "The wrong list"})
    bulk.work(back.pk, clock.now())
    assert [Case.objects.get(pk=case.pk).owner for case in (*three, more)] == [None, other.user, None, third.user]
    given = AuditEntry.objects.filter(action="case.handed_back")
    assert {(entry.subject_id, entry.reason, entry.data.get("to")) for entry in given} == {
        (str(three[0].pk), "The wrong list", None),
        (str(three[1].pk), "The wrong list", f"user:{other.user.pk}"),
    }


def test_what_changes_between_the_dry_run_and_its_start_stays(as_role, three):
    maker, other = as_role(roles.MAKER), as_role(roles.MAKER)
    run = done(maker, three[:2], "claim")
    back = undone(maker, run)
    cases.claim(case=three[0], actor=other.user, reason="Mine now", at=clock.now())
    cases.close(case=three[1], resolution="Found", actor=None, at=clock.now())
    maker.post(act_url(back, "start"), START)
    bulk.work(back.pk, clock.now())
    assert {said for _, said in words(back)} == {
        "left out: somebody else holds it now, or nobody", "left out: it is closed",
    }  # fmt: skip
    assert Case.objects.get(pk=three[1].pk).owner == maker.user
    assert Case.objects.get(pk=three[0].pk).owner == other.user


def test_things_handed_back_and_set_aside_come_back(as_role, staff):
    maker = as_role(roles.MAKER)
    mandate = factories.MandateFactory(state="REJECTED")
    item = WorkItem.objects.get(subject_kind="investors.mandate", subject_id=str(mandate.pk))
    worklist.claim(item=item, actor=maker.user, reason="Mine", at=clock.now())
    for act, expected in (("hand_back", (None, True)), ("set_aside", (maker.user, False))):
        run = done(maker, [WorkItem.objects.get(pk=item.pk)], act)
        now = WorkItem.objects.get(pk=item.pk)
        assert (now.owner, now.set_aside_at is None) == expected
        back = undone(maker, run)
        maker.post(act_url(back, "start"), START)
        bulk.work(back.pk, clock.now())
        now = WorkItem.objects.get(pk=item.pk)
        assert (now.owner, now.set_aside_at) == (maker.user, None), act
    assert AuditEntry.objects.filter(action="work.brought_back").count() == 1


def test_an_act_is_undone_once_and_an_undoing_never(as_role, three):
    maker = as_role(roles.MAKER)
    run = done(maker, three[:1], "claim")
    back = undone(maker, run)
    with pytest.raises(bulk.NotToBeUndone):
        bulk.undo(run=run, actor=maker.user, at=clock.now())
    with pytest.raises(IntegrityError, match="a_bulk_act_is_undone_by_one_at_a_time"), transaction.atomic():
        BulkRun.objects.create(
            subject_kind=run.subject_kind, act=run.act, asked_by=maker.user, asked_at=clock.now(), undoes=run
        )
    bulk.stop(run=back, actor=maker.user, reason="Not now", at=clock.now())
    again = bulk.undo(run=run, actor=maker.user, at=clock.now())
    maker.post(act_url(again, "start"), START)
    bulk.work(again.pk, clock.now())
    again.refresh_from_db()
    with pytest.raises(bulk.NotToBeUndone):
        bulk.undo(run=again, actor=maker.user, at=clock.now())


def test_a_line_of_which_nobody_knows_is_left_out_of_the_undoing(as_role, three):
    maker = as_role(roles.MAKER)
    run = done(maker, three[:2], "claim")
    run.lines.filter(subject_id=str(three[0].pk)).update(state="UNKNOWN", before=None)
    back = undone(maker, run)
    assert sorted(state for state, _ in words(back)) == ["SKIPPED", "WAITING"]
    assert "look at the record" in back.lines.get(state="SKIPPED").words


def test_every_act_on_many_rows_is_undone_or_says_why_not():
    acts = [act for page in admin.site._registry.values() for act in getattr(page, "acts", ()) if act.in_bulk]
    assert len(acts) > 10
    assert not [act.name for act in acts if (act.undo is None) == (act.no_undo == "")]


def test_the_page_says_whether_it_can_be_undone_and_who_may(as_role, three):
    maker = as_role(roles.MAKER)
    page = reverse("admin:portal_bulkrun_change", args=[done(maker, three[:1], "close").pk])
    text = maker.get(page).content.decode()
    assert "Reported again, it opens as a new one." in text
    assert "act/undo/" not in text
    run = done(maker, three[1:2], "claim")
    page = reverse("admin:portal_bulkrun_change", args=[run.pk])
    assert "act/undo/" in maker.get(page).content.decode()
    viewer = as_role(roles.VIEWER)
    assert "act/undo/" not in viewer.get(page).content.decode()
    assert viewer.post(act_url(run, "undo"), {}).status_code == 403
    back = undone(maker, run)
    assert f"{back.code}</a> takes it back" in maker.get(page).content.decode()
    assert "This takes back <a" in maker.get(reverse("admin:portal_bulkrun_change", args=[back.pk])).content.decode()
