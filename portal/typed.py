"""Nothing that somebody typed is lost: what a form could not accept is kept in the session and shown by the next page.

A refused form is answered with a redirect to its own page, which shows what was typed and what is wrong. So Back and
Refresh never ask whether to send a form again. The same holds for a form that arrives after its session has ended, or
from a tab that was opened under an earlier one: its `{% typed_by %}` field says, signed, whose it is; it waits until
that person has signed in, is shown, and nothing in it is acted on before it is sent again.

Kept things may hold a PAN or an account number. They end with the session, and are encrypted as all of it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.views.csrf import csrf_failure as refused_by_django

from portal import acting, redaction

View = TypeVar("View", bound=Callable[..., Any])
Form = TypeVar("Form", bound=forms.BaseForm)

FIELD = "typed_by"
SESSION_KEY = "typed"
LONGEST = 20_000
# Fields whose numbers may look like an Aadhaar number and are none.
NUMBERS = {"number", "number_again", "mobile"}
# Why a form came back. Only a refused one shows errors.
REFUSED, UNFINISHED, INTERRUPTED = "refused", "unfinished", "interrupted"
STILL_HERE = "Your session had ended. What you typed is still here: please check it and send it again."


@dataclass(frozen=True)
class Kept:
    """What was typed into the form at an address, why it came back, and what was wrong beyond the form's own rules."""

    data: QueryDict
    why: str
    errors: Mapping[str, str] = field(default_factory=dict)

    def show_in(self, form: Form) -> Form:
        """The form, which is bound to the data, with what was wrong with it; with nothing unless it was refused."""
        if self.why != REFUSED:
            form.errors.clear()
        for name, text in self.errors.items():
            form.add_error(name or None, text)
        return form


def token(user_id: int, investor_id: int | None = None) -> str:
    """The value of a form's `typed_by`: whose form this is, and for whom."""
    return signing.dumps(acting.name(user_id, investor_id), salt=FIELD)


def again(
    request: HttpRequest, *, why: str = REFUSED, errors: Mapping[str, str] | None = None, to: str = ""
) -> HttpResponse:
    """Keep what was sent, and send the browser back to the page of the form, or elsewhere (303: a GET follows)."""
    _keep(request, acting.whose(request), why, errors or {})
    response = HttpResponseRedirect(to or request.path)
    response.status_code = 303
    return response


def kept(request: HttpRequest, *, once: bool = False) -> Kept | None:
    """What the signed-in person typed here and has not been able to save yet. `once`: it is shown a single time."""
    found = request.session.get(SESSION_KEY, {}).get(request.path)
    if request.method != "GET" or found is None or found["owner"] != acting.whose(request):
        return None
    data = QueryDict(found["text"])
    if found["why"] == INTERRUPTED and not found.get("told"):
        messages.info(request, STILL_HERE)
        _store(request, request.path, {**found, "told": True})
    if once:
        forget(request)
    return Kept(data, found["why"], found["errors"])


def forget(request: HttpRequest) -> None:
    """It has been saved, or is of no use any more."""
    if request.session.get(SESSION_KEY, {}).pop(request.path, None) is not None:
        request.session.modified = True


def survives_signing_out(view: View) -> View:
    """What is sent to this view after the session has ended is kept until its owner has signed in again."""

    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not request.user.is_authenticated and (owner := _owner(request)):
            _keep(request, owner, INTERRUPTED, {})
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return door  # type: ignore[return-value]


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of an earlier session of the same person is shown again; any other is refused. For CSRF_FAILURE_VIEW."""
    if request.user.is_authenticated and _owner(request) == acting.whose(request):
        return again(request, why=INTERRUPTED)
    return refused_by_django(request, reason=reason)


def _owner(request: HttpRequest) -> str:
    try:
        owner = str(signing.loads(request.POST.get(FIELD, ""), salt=FIELD))
    except signing.BadSignature:
        return ""
    return "" if owner == acting.name(0, None) else owner


def _keep(request: HttpRequest, owner: str, why: str, errors: Mapping[str, str]) -> None:
    typed = request.POST.copy()
    for name in ("csrfmiddlewaretoken", FIELD):
        typed.pop(name, None)
    for name in typed.keys() - NUMBERS:
        typed.setlist(name, [redaction.without_aadhaar(value) for value in typed.getlist(name)])
    text = typed.urlencode()
    if len(text) <= LONGEST:
        found = {"owner": owner, "text": text, "why": why, "errors": dict(errors)}
        _store(request, request.path, found)


def _store(request: HttpRequest, path: str, found: dict[str, Any]) -> None:
    request.session[SESSION_KEY] = {**request.session.get(SESSION_KEY, {}), path: found}
