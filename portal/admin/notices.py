"""What was told to people, by which channels it went, and how each message fared."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter, RangeDateTimeFilter
from unfold.decorators import display

from portal import redaction
from portal.admin import show
from portal.admin.acts import Act, By
from portal.admin.base import Lines, OpsAdmin
from portal.admin.finding import Finder, by_email, codes
from portal.models import User
from portal.notices import catalogue, writing
from portal.notices.models import Delivery, Notice

TONES = {
    "WAITING": "waiting", "SENDING": "waiting", "SENT": "done", "FAILED": "failed", "UNKNOWN": "checking",
    "STOPPED": "neutral",
}  # fmt: skip
_PEOPLE = "investors.investor"


def by_record(to_notice: str = "") -> Finder:
    """What was told to the investor with this code, or about the order, SIP or mandate with it."""

    def look(term: str) -> Q | None:
        model: Any = codes.get(term.upper().partition("-")[0])
        row = model._default_manager.filter(code=term.upper()).first() if model else None
        if row is None:
            return None
        if model._meta.label_lower == _PEOPLE:
            return Q(user=row.user_id)
        about = {"subject_kind": model._meta.label_lower, "subject_id": str(row.pk)}
        return Q(**{f"{to_notice}{name}": value for name, value in about.items()})

    return look


def _whom(user: User) -> str:
    """A colleague by address, everybody else by a masked one."""
    return show.change_link(user, str(user) if user.is_staff else redaction.mask_email(user.email))


class EventFilter(RadioFilter):
    """What was told, of all that can be."""

    title = "event"
    parameter_name = "event"
    column = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.key, f"{each.group}: {each.label}") for each in catalogue.everything()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if catalogue.has(self.value() or "") else queryset


class EventOfDelivery(EventFilter):
    """The same of a message."""

    column = "notice__event"


class DeliveriesOf(Lines):
    """By which channels a notice went."""

    model = Delivery
    fields = ("channel", "state", "tries", "sent_at", "error")
    verbose_name_plural = "Channels"


@admin.register(Notice)
class NoticeAdmin(OpsAdmin):
    """Everything that people were told, in their centre and beyond it."""

    list_display = ("what", "whom", "record", "by_channel", "told", "read")
    list_filter = (EventFilter, ("at", RangeDateTimeFilter))
    list_select_related = ("user",)
    ordering = ("-id",)
    finders = (by_email("user"), by_record())
    search_help_text = "Email, investor's code, or code of an order, SIP, mandate …"
    nothing = "Nobody was told anything"
    shows_timeline = False
    inlines = (DeliveriesOf,)
    fieldsets = ((None, {"fields": ("what", "text", ("whom", "record"), ("told", "read"), "event_words")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).select_related("user").prefetch_related("deliveries")

    def whose(self, obj: Any) -> Model:
        return obj.user

    @display(description="Told")
    def what(self, notice: Notice) -> str:
        return notice.title

    @display(description="Text")
    def text(self, notice: Notice) -> str:
        return notice.text

    @display(description="To")
    def whom(self, notice: Notice) -> str:
        return _whom(notice.user)

    @display(description="About")
    def record(self, notice: Notice) -> str:
        return show.subject_link(notice.subject_kind, notice.subject_id)

    @display(description="Channels")
    def by_channel(self, notice: Notice) -> str:
        sent = [f"{each.channel.lower()}: {each.get_state_display()}" for each in notice.deliveries.all()]
        return "; ".join(sent) or "centre only"

    @display(description="When", ordering="id")
    def told(self, notice: Notice) -> str:
        return show.moment(notice.at)

    @display(description="Read")
    def read(self, notice: Notice) -> str:
        return show.moment(notice.read_at)

    @display(description="Event")
    def event_words(self, notice: Notice) -> str:
        known = catalogue.event(notice.event).label if catalogue.has(notice.event) else "no longer told"
        return show.two(known, notice.event)


def _send_again(delivery: Delivery, by: By) -> str:
    writing.send_again(delivery_id=delivery.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "It is sent within seconds; this page says how it fared."


@admin.register(Delivery)
class DeliveryAdmin(OpsAdmin):
    """The log of messages: who was told what by which channel. A message whose outcome is unknown is not sent again."""

    list_display = ("what", "whom", "record", "channel", "state_badge", "tries", "told")
    list_filter = ("state", "channel", EventOfDelivery)
    list_select_related = ("notice", "user")
    ordering = ("-id",)
    finders = (by_email("user"), by_record("notice__"))
    search_help_text = NoticeAdmin.search_help_text
    quick = (("Not sent", "state__exact=FAILED"), ("Outcome unknown", "state__exact=UNKNOWN"), ("All", ""))
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "notice_page"),
                    "text",
                    ("whom", "record"),
                    ("channel", "state_badge"),
                    ("tries", "error"),
                    ("told", "sent"),
                )
            },
        ),
    )
    acts = (
        Act(
            name="send-again",
            label="Send again",
            permission="portal.act_delivery",
            explain="Sends the message once more, as it was written then. Look first whether it is still true. "
            "What may have left is never sent again.",
            run=_send_again,
            offered=lambda delivery: delivery.state == Delivery.State.FAILED,
            icon="send",
            in_bulk=True,
            no_undo="A message that has left cannot be called back.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("notice", "user")

    def whose(self, obj: Any) -> Model:
        return obj.user

    @display(description="Notice")
    def what(self, delivery: Delivery) -> str:
        return delivery.notice.title

    @display(description="In their centre")
    def notice_page(self, delivery: Delivery) -> str:
        return show.change_link(delivery.notice, "The notice, with all its channels")

    @display(description="Text")
    def text(self, delivery: Delivery) -> str:
        return delivery.notice.text

    @display(description="To")
    def whom(self, delivery: Delivery) -> str:
        return _whom(delivery.user)

    @display(description="About")
    def record(self, delivery: Delivery) -> str:
        return show.subject_link(delivery.notice.subject_kind, delivery.notice.subject_id)

    @display(description="State", ordering="state")
    def state_badge(self, delivery: Delivery) -> str:
        return show.badge(TONES[delivery.state], delivery.get_state_display())

    @display(description="Told")
    def told(self, delivery: Delivery) -> str:
        return show.moment(delivery.notice.at)

    @display(description="Sent")
    def sent(self, delivery: Delivery) -> str:
        return show.moment(delivery.sent_at)
