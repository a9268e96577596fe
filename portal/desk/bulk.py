"""One act on many rows: a dry run with a line each, then the background, then a report.

    plan     DRAFT: a line per row says what would happen, or why it is left out; nothing is done
    start    RUNNING, with a reason; whoever made the dry run starts it, and may stop it
    work     a worker takes line after line; each is RUNNING and committed before its act begins, so that
             a line whose worker died is UNKNOWN and never done twice by itself

    undo     another DRAFT, of the lines that were done: each goes back to what it was before, unless somebody has
             changed it since; only for acts that say how (`Act.undo`)

The acts are those of the record's own page (`portal/admin/acts.py`, `in_bulk`), with the same permission and the same
question whether they are possible, asked for every row when its turn comes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.apps import apps
from django.contrib import admin
from django.db import IntegrityError, models, transaction
from django.db.models import Count

from portal import audit, clock, jobs
from portal.attempts import claim_due
from portal.desk.models import BulkLine, BulkRun
from portal.errors import Failure
from portal.late import read_pages
from portal.models import User

if TYPE_CHECKING:
    from portal.admin.acts import Act

log = structlog.get_logger(__name__)
MOST = 1_000
# A worker hands over after this, so that a deploy waits for nobody.
TURN_S = 20.0
# A line that has been under way for longer than any call takes: its worker is gone.
LOST_AFTER = timedelta(minutes=2)
LATER_S = 30.0
SWEEP = "bulk"
# Lines that an undoing looks at.
TOUCHED = (BulkLine.State.DONE, BulkLine.State.UNKNOWN)
GONE = "left out: it is gone, or needs nobody any more"


class NotADraft(Failure):
    """It was started or stopped already."""

    code = "not_a_draft"
    message = "This was started or stopped already."


class NotToBeUndone(Failure):
    """Its act cannot be taken back, nothing of it was done, or it is being undone."""

    code = "not_to_be_undone"
    message = "Nothing of this can be undone, or it is being undone already."


def act_of(run: BulkRun) -> Act:
    """The act that a run does. Raises LookupError for one that the page no longer has."""
    read_pages()
    page: Any = admin.site._registry[apps.get_model(run.subject_kind)]
    found = next((act for act in page.acts if act.name == run.act and act.in_bulk), None)
    if found is None:
        raise LookupError(f"{run.subject_kind} has no {run.act}")
    return found


def plan(*, act: Act, model: type[models.Model], rows: Iterable[models.Model], actor: User, at: datetime) -> BulkRun:
    """The dry run: a line per row, at most `MOST`, and nothing done."""
    with transaction.atomic():
        run = BulkRun.objects.create(
            subject_kind=model._meta.label_lower, act=act.name, label=act.label, asked_by=actor, asked_at=at
        )
        lines = []
        for row in rows:
            why_not = _why_not(act, row, actor)
            state = BulkLine.State.SKIPPED if why_not else BulkLine.State.WAITING
            words = why_not or f"{act.label}; now {_standing(row)}"
            lines.append(
                BulkLine(run=run, subject_id=str(row.pk), title=str(row)[:200], state=state, words=words[:300])
            )
        BulkLine.objects.bulk_create(lines, batch_size=500)
    return run


def undo(*, run: BulkRun, actor: User, at: datetime) -> BulkRun:
    """The dry run of taking back what was done, with a line for each. Raises NotToBeUndone."""
    act, lines = act_of(run), list(run.lines.filter(state__in=TOUCHED).order_by("id"))
    if not lines or not can_be_undone(run, undone_by(run)):
        raise NotToBeUndone
    rows = apps.get_model(run.subject_kind)._default_manager.in_bulk([line.subject_id for line in lines])
    by_id = {str(pk): row for pk, row in rows.items()}
    try:
        with transaction.atomic():
            back = BulkRun.objects.create(
                subject_kind=run.subject_kind,
                act=run.act,
                label=f"Undo: {run.label}"[:80],
                asked_by=actor,
                asked_at=at,
                undoes=run,
            )
            BulkLine.objects.bulk_create(_line_back(back, act, line, by_id, actor) for line in lines)
    except IntegrityError as error:
        if "a_bulk_act_is_undone_by_one_at_a_time" not in str(error):
            raise
        raise NotToBeUndone from error
    return back


def can_be_undone(run: BulkRun, by: BulkRun | None) -> bool:
    """Has it ended, is it no undoing itself, does its act say how, and is it undone `by` none? Raises LookupError."""
    is_over = run.state in (BulkRun.State.DONE, BulkRun.State.STOPPED) and run.started_at is not None
    return is_over and run.undoes_id is None and by is None and act_of(run).undo is not None


def undone_by(run: BulkRun) -> BulkRun | None:
    """The run that takes this one back, drafted, running or done."""
    return run.undone_by.exclude(state=BulkRun.State.STOPPED).first()


def _line_back(back: BulkRun, act: Act, line: BulkLine, rows: dict[str, Any], actor: User) -> BulkLine:
    why_not = GONE if line.subject_id not in rows else _why_not_back(act, rows[line.subject_id], line, actor)
    return BulkLine(
        run=back,
        subject_id=line.subject_id,
        title=line.title,
        state=BulkLine.State.SKIPPED if why_not else BulkLine.State.WAITING,
        words=(why_not or (act.undo.would if act.undo else ""))[:300],
    )


def _why_not_back(act: Act, row: models.Model, line: BulkLine, actor: User) -> str:
    """Why a line that was done stays as it is; an empty text when it goes back."""
    if not act.allowed(actor, row):
        return "left out: your role, or your part in it, does not allow this here"
    if line.state == BulkLine.State.UNKNOWN or line.before is None or act.undo is None:
        return "left out: nobody knows how far it came; look at the record"
    changed = act.undo.why_not(row, line.before, line.run.asked_by)
    return f"left out: {changed}" if changed else ""


def _standing(row: Any) -> str:
    if getattr(row, "is_unknown", False):
        return "unknown"
    return str(row.get_state_display()) if hasattr(row, "get_state_display") else "waiting"


def _why_not(act: Act, row: models.Model, actor: User) -> str:
    if not act.allowed(actor, row):
        return "left out: your role, or your part in it, does not allow this here"
    return "" if act.offered(row) else "left out: not possible in its present state"


def start(*, run: BulkRun, actor: User, reason: str, at: datetime) -> None:
    """The background does it from now on. Raises NotADraft."""
    with transaction.atomic():
        values = {"state": BulkRun.State.RUNNING, "reason": reason[:300], "started_at": at, "due_at": at}
        if not BulkRun.objects.filter(pk=run.pk, state=BulkRun.State.DRAFT).update(**values):
            raise NotADraft
        lines = run.lines.filter(state=BulkLine.State.WAITING).count()
        audit.record(run, "bulk.started", actor=actor, at=at, reason=reason, act=run.act, rows=lines)
        jobs.nudge("portal.bulk", row_id=run.pk)


def stop(*, run: BulkRun, actor: User, reason: str, at: datetime) -> None:
    """No further line is begun. Raises NotADraft for one that has ended."""
    with transaction.atomic():
        row = BulkRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if row.state not in (BulkRun.State.DRAFT, BulkRun.State.RUNNING):
            raise NotADraft
        row.state, row.ended_at, row.due_at = BulkRun.State.STOPPED, at, None
        # A dry run has no reason yet; what was started keeps the one it was started with.
        row.reason = row.reason or reason[:300]
        row.save(update_fields=["state", "ended_at", "due_at", "reason"])
        audit.record(run, "bulk.stopped", actor=actor, at=at, reason=reason)


def counts(run: BulkRun) -> dict[str, int]:
    """How many lines stand where."""
    found = run.lines.order_by().values_list("state").annotate(n=Count("pk"))
    return dict(found)


# --- the background ---------------------------------------------------------------------------------------------


def find_due(at: datetime) -> list[int]:
    """Runs that go on now: for the sweep."""
    return claim_due(BulkRun, at=at, pace={BulkRun.State.RUNNING: LATER_S})


def work(run_id: int, at: datetime) -> None:
    """Do lines for some seconds; the run ends with its last line. Several workers may share one run."""
    run = BulkRun.objects.select_related("asked_by").get(pk=run_id)
    act, until = act_of(run), time.monotonic() + TURN_S
    _give_up_lost(run, at)
    while time.monotonic() < until:
        line = _take(run)
        if line is None:
            _end(run)
            return
        _do(run, act, line)
    jobs.nudge("portal.bulk", row_id=run_id)


def _take(run: BulkRun) -> BulkLine | None:
    """The next line is under way, and committed as such before its act begins."""
    with transaction.atomic():
        if not BulkRun.objects.filter(pk=run.pk, state=BulkRun.State.RUNNING).exists():
            return None
        waiting = run.lines.select_for_update(skip_locked=True).filter(state=BulkLine.State.WAITING)
        line = waiting.order_by("id").first()
        if line:
            line.state, line.at = BulkLine.State.RUNNING, clock.now()
            line.save(update_fields=["state", "at"])
    return line


def _do(run: BulkRun, act: Act, line: BulkLine) -> None:
    # Not before: a worker reads the pages of the admin only where an act asks for them (`portal/late.py`).
    from portal.admin.acts import By, perform, take_back

    row: Any = apps.get_model(run.subject_kind)._default_manager.filter(pk=line.subject_id).first()
    actor = User.objects.get(pk=run.asked_by_id)
    if row is None:
        _close(line, BulkLine.State.SKIPPED, GONE)
        return
    done_before = _done_before(run, line)
    why_not = _why_not_back(act, row, done_before, actor) if done_before else _why_not(act, row, actor)
    if why_not := why_not or ("" if actor.is_active else "left out: you may no longer sign in"):
        _close(line, BulkLine.State.SKIPPED, why_not)
        return
    by = By(actor=actor, reason=run.reason, at=clock.now())
    try:
        if done_before:
            done, words = take_back(act, row, done_before.before or {}, by)
        else:
            _keep_before(act, row, line)
            done, words = perform(act, row, by)
    except Exception as error:
        # Nobody can say how far it came: the record's own page tells.
        log.exception("bulk_line_broke", run=run.code, subject=line.subject_id)
        _close(line, BulkLine.State.UNKNOWN, f"broke with {type(error).__name__}: look at the record")
        return
    _close(line, BulkLine.State.DONE if done else BulkLine.State.FAILED, words)


def _done_before(run: BulkRun, line: BulkLine) -> BulkLine | None:
    """The line that this one takes back; None in a run that does something for the first time."""
    if run.undoes_id is None:
        return None
    rows = BulkLine.objects.select_related("run__asked_by")
    return rows.get(run_id=run.undoes_id, subject_id=line.subject_id)


def _keep_before(act: Act, row: models.Model, line: BulkLine) -> None:
    if act.undo:
        line.before = act.undo.before(row)
        line.save(update_fields=["before"])


def _close(line: BulkLine, state: str, words: str) -> None:
    line.state, line.words, line.at = state, words[:300], clock.now()
    line.save(update_fields=["state", "words", "at"])


def _give_up_lost(run: BulkRun, at: datetime) -> None:
    lost = run.lines.filter(state=BulkLine.State.RUNNING, at__lte=at - LOST_AFTER)
    lost.update(state=BulkLine.State.UNKNOWN, words="the worker stopped meanwhile: look at the record")


def _end(run: BulkRun) -> None:
    """The run is over once no line is waiting or under way."""
    with transaction.atomic():
        row = BulkRun.objects.select_for_update().get(pk=run.pk)
        found = counts(run)
        if row.state != BulkRun.State.RUNNING or found.get("WAITING") or found.get("RUNNING"):
            return
        at = clock.now()
        BulkRun.objects.filter(pk=run.pk).update(state=BulkRun.State.DONE, ended_at=at, due_at=None)
        audit.record(run, "bulk.ended", actor=None, at=at, data=found)


jobs.register_sweep(SWEEP, jobs.Sweep(find=find_due, advance=work, task="portal.bulk"))
