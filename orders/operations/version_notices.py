"""Telling those who follow a basket of its new version, and of its end: once each, in batches, whatever was lost.

The row is the queue: a subscription that was told of an older version than the basket's newest is still to be told; so
is one of a basket that is no longer offered, until its notice is there.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import CharField, Exists, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast
from django.urls import reverse

from orders import lifecycle
from orders.models import BasketSubscription, BasketVersion
from portal import audit
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register
from portal.notices.models import Notice

BATCH = 200
NEW_VERSION, ARCHIVED = "basket.new_version", "basket.archived"
register(
    Event(
        NEW_VERSION,
        "Shares",
        "A basket that you hold has a new version",
        "New version of {name}",
        "What changed and why: {note} You need not do anything. On the basket's page you see what would bring your "
        "shares to version {number}.",
        (EMAIL,),
    )
)
register(
    Event(
        ARCHIVED,
        "Shares",
        "A basket that you hold is no longer offered",
        "No longer offered: {name}",
        "{name} gets no new versions and cannot be bought here any more. Your shares are yours as before: you may keep "
        "them, or sell them on the basket's page.",
        (EMAIL,),
    )
)
# A notice holds 600 characters; the whole note stands on the basket's page.
LONGEST_NOTE = 380


def tell(*, at: datetime) -> int:
    """Everybody who follows a published basket knows of its newest version. Returns how many were told now."""
    told = 0
    while batch := _tell_some(at):
        told += batch
    return told


def _waiting() -> QuerySet[BasketSubscription]:
    published = BasketVersion.objects.filter(basket=OuterRef("basket"), published_at__isnull=False)
    newest = published.order_by().values("basket").annotate(newest=Max("number")).values("newest")
    live = BasketSubscription.objects.filter(ended_at__isnull=True, basket__state=lifecycle.PUBLISHED)
    return live.annotate(newest=Subquery(newest)).filter(told_of__lt=F("newest"))


def _tell_some(at: datetime) -> int:
    with transaction.atomic():
        rows = list(
            _waiting().select_for_update(skip_locked=True, of=("self",)).select_related("investor", "basket")[:BATCH]
        )
        versions = {
            (each.basket_id, each.number): each
            for each in BasketVersion.objects.filter(basket__in={row.basket_id for row in rows})
        }
        for row in rows:
            _tell(row, versions[row.basket_id, row.newest], at)  # type: ignore[attr-defined]
        BasketSubscription.objects.bulk_update(rows, ["told_of"])
    return len(rows)


def _tell(row: BasketSubscription, version: BasketVersion, at: datetime) -> None:
    note = version.change_note
    writing.tell(
        user_id=row.investor.user_id,
        event=NEW_VERSION,
        subject=row,
        about=f"version {version.number}",
        url=reverse("orders:basket", args=[row.basket.slug]),
        at=at,
        name=row.basket.name,
        note=note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE].rstrip()} …",
        number=version.number,
    )
    row.told_of = version.number


# --- A basket that is no longer offered -------------------------------------------------------------------------------


def tell_of_ends(*, at: datetime) -> int:
    """Everybody who follows a basket that is no longer offered knows it. Returns how many were told now."""
    told = 0
    while batch := _tell_some_of_ends(at):
        told += batch
    return told


def _tell_some_of_ends(at: datetime) -> int:
    notices = Notice.objects.filter(
        event=ARCHIVED, subject_kind=audit.kind_of(BasketSubscription()), subject_id=Cast(OuterRef("pk"), CharField())
    )
    live = BasketSubscription.objects.filter(ended_at__isnull=True, basket__state=lifecycle.ARCHIVED)
    with transaction.atomic():
        rows = live.filter(~Exists(notices)).select_for_update(skip_locked=True, of=("self",))
        found = list(rows.select_related("investor", "basket")[:BATCH])
        for row in found:
            url = reverse("orders:basket", args=[row.basket.slug])
            user_id, name = row.investor.user_id, row.basket.name
            writing.tell(user_id=user_id, event=ARCHIVED, subject=row, url=url, at=at, name=name)
    return len(found)
