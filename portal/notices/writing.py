"""Named writes of notices: tell one, tell many, read, choose, deliver."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta

import structlog
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from portal import audit, gates, jobs
from portal.attempts import claim_due
from portal.clock import IST
from portal.desk import wordings
from portal.desk.models import Broadcast
from portal.errors import Failure
from portal.models import User
from portal.notices import catalogue, senders
from portal.notices.catalogue import Event
from portal.notices.models import Delivery, Notice, NoticeChoice

log = structlog.get_logger(__name__)
Facts = Sequence[tuple[str, str]]
# How long after a try that reached nobody the next one comes; then it is given up, and operations see it. Together
# nearly two days: the notice before a debit is written three days ahead, and a mail server may be down that long.
AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=10), *(timedelta(hours=each) for each in (1, 6, 12, 24)))
# A sender that died keeps its row SENDING; after this nobody is sending it any more.
SENDS_WITHIN = timedelta(minutes=5)
# A message to many whose gate is closed is looked at again so much later.
HELD_FOR = timedelta(minutes=1)
# Nobody's phone rings at night for what can wait (F60).
QUIET_FROM, QUIET_UNTIL = time(21, 0), time(8, 0)


def tell(
    *,
    user_id: int,
    event: str,
    subject: models.Model,
    url: str,
    at: datetime,
    about: str = "",
    facts: Facts = (),
    **words: object,
) -> Notice | None:
    """The person is told, once: None when they were already. Call it inside the transaction that makes it true.

    `words` fill the event's title and text. Raises KeyError for an event that nobody registered.
    """
    its = wordings.spoken("notice", event, catalogue.event(event), at=at)
    notice = Notice(
        user_id=user_id,
        event=event,
        subject_kind=audit.kind_of(subject),
        subject_id=str(subject.pk),
        about=about[:40],
        title=its.title.format(**words)[:150],
        text=its.text.format(**words)[:600],
        facts=[[label, value] for label, value in facts if value],
        url=url,
        at=at,
    )
    if not _put_down(notice):
        return None
    due = {channel: _due(its, channel, at) for channel in _channels(its, user_id)}
    sent = Delivery.objects.bulk_create(
        Delivery(notice=notice, user_id=user_id, channel=channel, due_at=when) for channel, when in due.items()
    )
    for delivery in sent:
        if delivery.due_at == at:
            jobs.nudge("portal.deliver", row_id=delivery.pk)
    return notice


# A notice that is there already, or is being written at this moment, is not written again.
_NEW = [field for field in Notice._meta.concrete_fields if not field.primary_key]
_INSERT = (
    f"INSERT INTO portal_notice ({', '.join(str(field.column) for field in _NEW)})"  # noqa: S608 - our own column names
    f" VALUES ({', '.join(['%s'] * len(_NEW))})"
    " ON CONFLICT ON CONSTRAINT a_person_is_told_a_thing_once DO NOTHING RETURNING id"
)


def _put_down(notice: Notice) -> bool:
    """Is it new?"""
    values = [field.get_db_prep_save(getattr(notice, field.attname), connection) for field in _NEW]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        row = cursor.fetchone()
    if row is None:
        return False
    [notice.pk], notice._state.adding, notice._state.db = row, False, DEFAULT_DB_ALIAS
    return True


_CHOSEN = "SELECT channel, wanted FROM portal_noticechoice WHERE user_id = %s AND event = %s"


def _channels(its: Event, user_id: int) -> list[str]:
    """What must be sent, and what the person wants, by channels that exist here."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, [user_id, its.key])
        chosen = dict(cursor.fetchall())
    return [
        channel
        for channel in catalogue.CHANNELS
        if senders.has(channel) and (channel in its.must or chosen.get(channel, channel in its.channels))
    ]


# --- Many at once -----------------------------------------------------------------------------------------------


def to_be_told(its: Event) -> Q:
    """Of people: those who get this by some channel. What must be sent is for everybody."""
    wanted = Q(pk__in=[])
    for channel in filter(senders.has, catalogue.CHANNELS):
        wanted |= _wants(its, channel)
    return wanted


def _wants(its: Event, channel: str) -> Q:
    """The same as `_channels`, asked of many."""
    chosen = NoticeChoice.objects.filter(user=OuterRef("pk"), event=its.key, channel=channel)
    if channel in its.must:
        return Q(pk__isnull=False)
    return Q(~Exists(chosen.filter(wanted=False)) if channel in its.channels else Exists(chosen.filter(wanted=True)))


def composed(*, event: str, subject: models.Model, title: str, text: str, url: str, at: datetime) -> Notice:
    """A notice in words of staff, as everybody gets it; whose it is is not said yet, and nothing is kept."""
    kind, pk = audit.kind_of(subject), str(subject.pk)
    return Notice(event=event, subject_kind=kind, subject_id=pk, title=title, text=text, url=url, at=at)


def tell_many(notice: Notice, people: Collection[int]) -> int:
    """These people are told, in the words of `notice`, whoever was not already. Returns how many that were.

    Call it inside the transaction that remembers how far one has come. Two statements, and one for each channel.
    """
    its = catalogue.event(notice.event)
    new = _put_down_for(notice, people)
    for channel in filter(senders.has, catalogue.CHANNELS):
        wanting = User.objects.filter(_wants(its, channel), pk__in=new).values_list("pk", flat=True)
        due = _due(its, channel, notice.at)
        sent = Delivery.objects.bulk_create(
            Delivery(notice_id=new[pk], user_id=pk, channel=channel, due_at=due) for pk in wanting
        )
        for delivery in sent if due == notice.at else ():
            jobs.nudge("portal.deliver", row_id=delivery.pk)
    return len(new)


_SAME = [field for field in _NEW if field.column != "user_id"]
_INSERT_MANY = (
    f"INSERT INTO portal_notice (user_id, {', '.join(str(field.column) for field in _SAME)})"
    f" SELECT unnest(%s::bigint[]), {', '.join(['%s'] * len(_SAME))}"
    " ON CONFLICT ON CONSTRAINT a_person_is_told_a_thing_once DO NOTHING RETURNING user_id, id"
)


def _put_down_for(notice: Notice, people: Collection[int]) -> dict[int, int]:
    """Person -> notice, of those to whom it is new."""
    values = [field.get_db_prep_save(getattr(notice, field.attname), connection) for field in _SAME]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_MANY, [list(people), *values])
        return dict(cursor.fetchall())


def stop(subject: models.Model) -> int:
    """What was told about it and waits for its sender is not sent any more. Returns how many messages that were."""
    about = {"notice__subject_kind": audit.kind_of(subject), "notice__subject_id": str(subject.pk)}
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING, **about)
    return waiting.update(state=Delivery.State.STOPPED, due_at=None)


def is_busy(at: datetime, most: int) -> bool:
    """Do so many messages wait for a sender that whatever can wait should?"""
    return Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=at)[:most].count() >= most


def _due(its: Event, channel: str, at: datetime) -> datetime:
    local = at.astimezone(IST)
    if channel != catalogue.SMS or channel in its.must or QUIET_UNTIL <= local.time() < QUIET_FROM:
        return at
    day = local.date() + timedelta(days=1) if local.time() >= QUIET_FROM else local.date()
    return datetime.combine(day, QUIET_UNTIL, tzinfo=IST)


# --- The reader -------------------------------------------------------------------------------------------------


def read(*, user_id: int, at: datetime, notice_id: int | None = None) -> int:
    """The person has seen one notice, or all of them. Returns how many were new to them."""
    unread = Notice.objects.filter(user_id=user_id, read_at=None)
    return (unread.filter(pk=notice_id) if notice_id else unread).update(read_at=at)


def choose(*, user: User, wanted: Mapping[tuple[str, str], bool], at: datetime) -> None:
    """From now on the person gets what they chose by event and channel; what must be sent cannot be chosen away."""
    with transaction.atomic():
        for (key, channel), is_wanted in wanted.items():
            if channel in catalogue.event(key).must:
                continue
            NoticeChoice.objects.update_or_create(user=user, event=key, channel=channel, defaults={"wanted": is_wanted})
        audit.record(user, "user.notices_chosen", actor=user, at=at)


# --- Delivery ---------------------------------------------------------------------------------------------------


def find_due(at: datetime) -> list[int]:
    """Deliveries that somebody must look at now: for the sweep."""
    return claim_due(Delivery, at=at, pace={Delivery.State.SENDING: 0.0})


def deliver(*, delivery_id: int, at: datetime) -> None:
    """The message is sent, or the row says what became of it. At most once; safe to call at any time."""
    delivery = _claim(delivery_id, at)
    if delivery is None:
        return
    try:
        senders.of(delivery.channel).send(delivery.notice)
    except senders.NotSent as error:
        _not_sent(delivery, str(error), at)
    except Exception as error:  # noqa: BLE001 - whatever it was, the message may have gone out
        log.warning("notice_outcome_unknown", delivery=delivery.pk, error=type(error).__name__)
        _end(delivery, Delivery.State.UNKNOWN, error=type(error).__name__)
    else:
        with transaction.atomic():
            _end(delivery, Delivery.State.SENT, sent_at=at)
            subject = apps.get_model(delivery.notice.subject_kind)(pk=delivery.notice.subject_id)
            event = delivery.notice.event
            if _is_composed(event):
                # Thousands of entries about one message would hide its story; each stands at whoever was told.
                subject = delivery.user
            # What stands on nobody's page of choices is told to staff or to a partner's people.
            told = "investor_told" if not catalogue.has(event) or catalogue.event(event).listed else "told"
            action = f"{event.partition('.')[0]}.{told}"
            audit.record(subject, action, actor=None, at=at, title=delivery.notice.title, by=delivery.channel)


class NotToBeSent(Failure):
    """Only a message that certainly did not leave is sent again."""

    code = "not_to_be_sent"
    message = "This message was sent, is being sent, or may have left. It is not sent again."


def send_again(*, delivery_id: int, actor: User, reason: str, at: datetime) -> None:
    """A message that certainly did not leave waits for its sender once more. Raises NotToBeSent for any other."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.state != Delivery.State.FAILED:
            raise NotToBeSent
        delivery.state, delivery.due_at = Delivery.State.WAITING, at
        delivery.save(update_fields=["state", "due_at"])
        audit.record(delivery, "delivery.asked_again", actor=actor, at=at, reason=reason)
        jobs.nudge("portal.deliver", row_id=delivery.pk)


def _claim(delivery_id: int, at: datetime) -> Delivery | None:
    """SENDING is committed before a byte leaves. One that somebody died over is not sent again."""
    with transaction.atomic():
        rows = Delivery.objects.select_for_update(of=("self",)).select_related("notice__user")
        delivery = rows.get(pk=delivery_id)
        if delivery.state == Delivery.State.SENDING and delivery.due_at and delivery.due_at <= at:
            _end(delivery, Delivery.State.UNKNOWN, error="the sender stopped")
            return None
        if delivery.state != Delivery.State.WAITING:
            return None
        if _is_composed(delivery.notice.event) and _is_stopped_or_held(delivery, at):
            return None
        delivery.state, delivery.tries = Delivery.State.SENDING, delivery.tries + 1
        delivery.due_at = at + SENDS_WITHIN
        delivery.save(update_fields=["state", "tries", "due_at"])
    return delivery


def _is_stopped_or_held(delivery: Delivery, at: datetime) -> bool:
    """Of a message to many that was cancelled while this was on its way nothing is tried again; a closed gate holds."""
    if Broadcast.objects.filter(pk=delivery.notice.subject_id, state=Broadcast.State.CANCELLED).exists():
        _end(delivery, Delivery.State.STOPPED)
        return True
    if gates.may_tell_many():
        return False
    delivery.due_at = at + HELD_FOR
    delivery.save(update_fields=["due_at"])
    return True


def _is_composed(event: str) -> bool:
    return catalogue.has(event) and catalogue.event(event).composed


def _not_sent(delivery: Delivery, why: str, at: datetime) -> None:
    if delivery.tries > len(AGAIN_AFTER):
        _end(delivery, Delivery.State.FAILED, error=why)
        return
    delivery.state, delivery.error = Delivery.State.WAITING, why[:200]
    delivery.due_at = at + AGAIN_AFTER[delivery.tries - 1]
    delivery.save(update_fields=["state", "error", "due_at"])


def _end(delivery: Delivery, state: str, *, sent_at: datetime | None = None, error: str = "") -> None:
    delivery.state, delivery.sent_at, delivery.error, delivery.due_at = state, sent_at, error[:200], None
    delivery.save(update_fields=["state", "sent_at", "error", "due_at"])
