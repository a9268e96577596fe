"""What was told to people, and how each message fared."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.notices.models import Delivery

TONES = {"WAITING": "waiting", "SENDING": "waiting", "SENT": "done", "FAILED": "failed", "UNKNOWN": "checking"}


@admin.register(Delivery)
class DeliveryAdmin(OpsAdmin):
    """The log of messages: who was told what by which channel. A message whose outcome is unknown is not sent again."""

    list_display = ("what", "whom", "channel", "state_badge", "tries", "told")
    list_filter = ("state", "channel")
    list_select_related = ("notice", "user")
    ordering = ("-id",)
    quick = (("Not sent", "state__exact=FAILED"), ("Outcome unknown", "state__exact=UNKNOWN"))
    fieldsets = (
        (
            None,
            {"fields": ("what", "text", "whom", "channel", "state_badge", "tries", "told", "sent", "error", "about")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("notice", "user")

    @display(description="Notice")
    def what(self, delivery: Delivery) -> str:
        return delivery.notice.title

    @display(description="Text")
    def text(self, delivery: Delivery) -> str:
        return delivery.notice.text

    @display(description="To")
    def whom(self, delivery: Delivery) -> str:
        return str(delivery.user)

    @display(description="State", ordering="state")
    def state_badge(self, delivery: Delivery) -> str:
        return show.badge(TONES[delivery.state], delivery.get_state_display())

    @display(description="Told")
    def told(self, delivery: Delivery) -> str:
        return show.moment(delivery.notice.at)

    @display(description="Sent")
    def sent(self, delivery: Delivery) -> str:
        return show.moment(delivery.sent_at)

    @display(description="About")
    def about(self, delivery: Delivery) -> str:
        return f"{delivery.notice.event}, {delivery.notice.subject_kind} {delivery.notice.subject_id}"
