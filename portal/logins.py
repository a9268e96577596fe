"""The address of a login: whose it is, and changing it together with what allauth knows of it."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db.models import Q
from django.db.models.functions import Lower

from portal import audit, scope
from portal.errors import Failure
from portal.models import User


class AddressTaken(Failure):
    """Another login has this address."""

    code = "address_taken"
    message = "This address cannot be used for your login. Please give another one, or write to us."


def is_taken(email: str, *, by_other_than: int) -> bool:
    """Does another login have this address, or has anybody else proved that it is theirs?

    Sees everybody, so its answer goes to the owner of the address and to the worker only, never to a page.
    """
    with scope.scope(scope.ALL):
        theirs = ~Q(pk=by_other_than)
        if User.objects.filter(theirs, email=email.lower()).exists():
            return True
        proved = EmailAddress.objects.annotate(plain=Lower("email")).filter(plain=email.lower(), verified=True)
        return proved.exclude(user=by_other_than).exists()


def change_email(*, user: User, email: str, at: datetime) -> None:
    """The login has this address and no other, proved. In the caller's transaction. Raises AddressTaken."""
    if is_taken(email, by_other_than=user.pk):
        raise AddressTaken
    user.email = email
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    audit.record(user, "user.email_changed", actor=None, at=at)
