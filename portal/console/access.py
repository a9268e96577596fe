"""The door of the console: somebody who works at a partner, with a second factor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from portal import whereabouts
from portal.access import access
from portal.api import partners
from portal.api.partners import PartnerRequest
from portal.models import User


class ConsoleRequest(PartnerRequest):
    """A request of somebody who works at `partner` (for type checkers; the door sets the attributes)."""

    user: User


def console_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the console; `request.partner` is theirs. Everybody else finds nothing here."""

    @partners.partner_page
    @functools.wraps(view)
    def door(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.STAFF_SECOND_FACTOR and not is_mfa_enabled(request.user):
            messages.info(
                request, "The console opens with a second factor. Add an authenticator app or a passkey first."
            )
            return redirect("mfa_index")
        whereabouts.enters(request, console=True)
        return view(request, *args, **kwargs)

    return access(partners.OWN_FIRM)(door)
