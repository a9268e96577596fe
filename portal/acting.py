"""For whom a login acts just now: chosen once, kept in the session, part of the scope of the database.

A page is made for one person. Choosing another one rotates the CSRF token, so that a form which was opened for the
first cannot be sent for the second, in whichever tab it stands. Which people a login may act for is no question of the
kernel: an id in the session that the database does not know as one of theirs counts for nothing.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.csrf import rotate_token

SESSION_KEY = "acting_for"


def chosen(request: HttpRequest) -> int | None:
    """The id of the investor that was chosen; None when nobody was. Of staff who look: whose pages they see."""
    look = getattr(request, "look", None)
    if look is not None:
        return int(look.investor_id)
    found = request.session.get(SESSION_KEY)
    return found if isinstance(found, int) else None


def choose(request: HttpRequest, investor_id: int | None) -> None:
    """From now on this login acts for this investor; forms that are open for another one are void."""
    if investor_id is None:
        request.session.pop(SESSION_KEY, None)
    else:
        request.session[SESSION_KEY] = investor_id
    rotate_token(request)


def narrowed(scope: str, request: HttpRequest) -> str:
    """The scope of a person, narrowed to whom they act for."""
    investor_id = chosen(request) if scope.startswith("user:") else None
    return f"{scope}:{investor_id}" if investor_id else scope


def whose(request: HttpRequest) -> str:
    """The signed-in person and whom they act for: what was typed belongs to both."""
    return name(request.user.pk or 0, chosen(request))


def name(user_id: int, investor_id: int | None) -> str:
    """`5`, or `5:17` for somebody who acts for another."""
    return f"{user_id}:{investor_id}" if investor_id else str(user_id)
