"""A form of the console that makes something does it once, however often it arrives: without scripts, twice pressed is
twice sent. The second press gets the answer of the first, by the same table as calls of the API (`portal/api/once.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from portal import clock, identifiers, typed
from portal.api import once
from portal.api.errors import Trouble
from portal.console.access import ConsoleRequest

FIELD = "form_ref"
_WORDS = {
    "idempotency_key_reused": "This form was sent already, with something else in it. Look at what came of it first.",
    "still_running": "This form was sent a moment ago and is still being worked on. Look again in a few seconds.",
}
_NOT_WHOLE = "The form did not arrive whole. Nothing was done; please send it again."


class FormRef(forms.Form):
    """The name of one showing of a form. Where several buttons of a page carry it, it has no id (`auto_id=False`)."""

    form_ref = forms.CharField(widget=forms.HiddenInput, required=False, initial=identifiers.new_client_ref)


def anew(data: QueryDict) -> QueryDict:
    """What was typed, in a further showing of the form."""
    shown = data.copy()
    shown[FIELD] = identifiers.new_client_ref()
    return shown


def once_only(request: ConsoleRequest, work: Callable[[], HttpResponse], *, page: str = "") -> HttpResponse:
    """What `work` answers, now or when this showing of the form was sent first.

    Of the same showing with something else in it what was typed comes back, in a further showing. `page` is where a
    button stands whose form has no page of its own.
    """
    sent = {name: texts for name, texts in request.POST.lists() if name != "csrfmiddlewaretoken"}
    try:
        return once.answer(
            partner=request.partner, route=f"POST {request.path}"[:200], key=request.POST.get(FIELD, ""),
            body=json.dumps(sent, sort_keys=True).encode(), at=clock.now(), work=lambda: _with_session(request, work()),
        )  # fmt: skip
    except Trouble as trouble:
        messages.error(request, _WORDS.get(trouble.code, _NOT_WHOLE))
        # What is still being worked on was taken: in a further showing it would be asked for twice.
        if page or trouble.code == "still_running":
            return redirect(page or request.path)
        return typed.again(request)


def _with_session(request: ConsoleRequest, response: HttpResponse) -> HttpResponse:
    """What the next page shows commits with the answer, so that whoever hears the answer a second time finds it."""
    if request.session.modified:
        request.session.save()
    return response
