"""Other words or another logo for a basket: directly while it is a draft, by a second person once it is published."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction

from orders import lifecycle
from orders.models import Basket, BasketChange, BasketLogo
from portal import audit
from portal.errors import Failure
from portal.files import quarantine
from portal.models import User

FIELDS = ("name", "rationale", "risk", "benchmark", "logo_id")
# A logo is shown small; what is larger than this was not made for it.
LARGEST_LOGO = 200 * 1024


class SecondPerson(Failure):
    """Raised when somebody decides what they asked for themselves."""

    code = "second_person"
    message = "Somebody else must approve the words that you asked for."


class LogoTooLarge(Failure):
    """Raised for a picture that is no logo."""

    code = "logo_too_large"
    message = "A logo has at most 200 kB. Please save it smaller, for example 256 by 256 pixels."


def keep_logo(*, name: str, data: bytes, at: datetime) -> BasketLogo:
    """The harmless copy of an uploaded picture, once. Raises InvalidInput("logo", ...) and LogoTooLarge."""
    clean = quarantine.clean(field="logo_file", name=name, data=data, accepts=("png",))
    if len(clean.content) > LARGEST_LOGO:
        raise LogoTooLarge
    digest = hashlib.sha256(clean.content).hexdigest()
    logo, _ = BasketLogo.objects.get_or_create(digest=digest, defaults={"content": clean.content, "added_at": at})
    return logo


def ask(*, change: BasketChange, actor: User, at: datetime) -> BasketChange:
    """The change is on record and waits for a second person."""
    with transaction.atomic():
        change.asked_by, change.asked_at, change.state = actor, at, BasketChange.State.WAITING
        change.save()
        audit.record(change.basket, "basket.change_asked", actor=actor, at=at, reason=change.why)
    return change


def decide(*, change_id: int, approved: bool, actor: User, reason: str, at: datetime) -> BasketChange:
    """The basket has the words of the change, or the change is declined. Raises SecondPerson."""
    with transaction.atomic():
        change = BasketChange.objects.select_for_update(of=("self",)).get(pk=change_id)
        if change.state != BasketChange.State.WAITING:
            return change
        if approved and change.asked_by_id == actor.pk:
            raise SecondPerson
        change.state = BasketChange.State.APPROVED if approved else BasketChange.State.DECLINED
        change.decided_by, change.decided_at = actor, at
        change.save(update_fields=["state", "decided_by", "decided_at"])
        basket = Basket.objects.select_for_update().get(pk=change.basket_id)
        if approved:
            _write(basket, change)
        action = "basket.changed" if approved else "basket.change_declined"
        audit.record(basket, action, actor=actor, at=at, reason=reason, data=_words(change))
    return change


def _write(basket: Basket, change: BasketChange) -> None:
    for name in FIELDS:
        setattr(basket, name, getattr(change, name))
    basket.save(update_fields=list(FIELDS))


def _words(change: BasketChange) -> dict[str, str]:
    return {name: str(getattr(change, name)) for name in FIELDS}


def may_be_edited(basket: Basket) -> bool:
    """Directly, by one person: before investors have seen it."""
    return basket.state == lifecycle.DRAFT
