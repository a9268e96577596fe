"""Seeing what an investor sees: staff look at an investor's pages as they are, and can do nothing there.

    begun    by an act of the admin with a reason (`investors/admin/person.py`), for a quarter of an hour
    shown    the pages of PAGES, by the investor's own connection; every other address is refused meanwhile,
             except the admin and the account pages, where staff stay themselves
    told     the look, its reason and each page of it, in the audit log of the investor, who reads it under Privacy

Nothing can be written, by any address: only GET passes, and the view runs in a transaction that PostgreSQL holds to be
read-only and that is rolled back, so that no nudge leaves either. Inside a transaction no provider is called
(`portal/gateway/transport.py`). A page that would write all the same is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.apps import apps
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from psycopg.errors import ReadOnlySqlTransaction

from portal import audit, clock, scope
from portal.models import User

log = structlog.get_logger(__name__)
LASTS = timedelta(minutes=15)
SESSION_KEY = "look"
METHODS = ("GET", "HEAD")
# Here staff stay themselves; machines ask after our health.
OWN_PATHS = ("/admin/", "/accounts/", "/healthz", "/readyz")
# What may be looked at: address -> what it is, for the investor who reads it. No page that only its investor may have:
# papers, copies, contacts in full, one-time codes, ways to a bank or a broker.
PAGES = {
    "home": "your first page",
    "notices": "your notices",
    "orders:portfolio": "your portfolio",
    "orders:holding": "one of your holdings",
    "orders:list": "your orders",
    "orders:detail": "one of your orders",
    "orders:sips": "your SIPs",
    "orders:sip": "one of your SIPs",
    "orders:cart": "your cart",
    "orders:cases": "your cases",
    "orders:case": "one of your cases",
    "orders:approvals": "what you were asked to approve",
    "brokers:orders": "your share orders",
    "investors:banks": "your bank accounts",
    "investors:mandates": "your mandates",
    "investors:mandate": "one of your mandates",
    "investors:changes": "your changes of details",
}


@dataclass(frozen=True)
class Look:
    """At whose pages somebody looks, through which login, and until when."""

    user_id: int
    investor_id: int
    name: str
    until: datetime


def begin(request: HttpRequest, *, user_id: int, investor_id: int, name: str, at: datetime) -> Look:
    """From now on this session shows the investor's pages. Whoever calls has recorded it with its reason."""
    look = Look(user_id, investor_id, name, at + LASTS)
    request.session[SESSION_KEY] = {**vars(look), "until": look.until.isoformat(), "pages": []}
    return look


def end(request: HttpRequest) -> int | None:
    """The session is its own again. The id of the investor whose pages were looked at; None where nobody looked."""
    found = request.session.pop(SESSION_KEY, None)
    return found["investor_id"] if found else None


def of(request: HttpRequest) -> Look | None:
    """The look of this session, also one whose time is over."""
    found = request.session.get(SESSION_KEY)
    if not found or not getattr(request.user, "is_staff", False):
        return None
    until = datetime.fromisoformat(found["until"])
    return Look(found["user_id"], found["investor_id"], found["name"], until)


class LookMiddleware:
    """The innermost: everything around it (sessions, logs, headers) knows the person of ours who looks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        look = None if request.path.startswith(OWN_PATHS) else of(request)
        if look is None:
            return self.get_response(request)
        if look.until <= clock.now():
            return _over(request)
        request.look = look  # type: ignore[attr-defined]
        page = _page_of(request)
        person = User.objects.filter(pk=look.user_id).first()
        if page is None or person is None:
            return _refused(request)
        _tell(request, look, page)
        return self._shown(request, look, person)

    def _shown(self, request: HttpRequest, look: Look, person: User) -> HttpResponse:
        staff = request.user
        try:
            with scope.scope(f"user:{look.user_id}:{look.investor_id}"), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
                request.user = person
                answer = self.get_response(request)
                transaction.set_rollback(True)
        finally:
            request.user = staff
        return _refused(request) if hasattr(request, "look_met_a_write") else _kept_by_nobody(answer)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page that would write, call a provider or commit is none to look at; other trouble is trouble as usual."""
        if not hasattr(request, "look") or not _would_write(exception):
            return None
        log.warning("look_met_a_write", path=request.path, error=type(exception).__name__)
        request.look_met_a_write = True  # type: ignore[attr-defined]
        return HttpResponse(status=403)


def _would_write(error: BaseException) -> bool:
    # The two RuntimeErrors: Django's of a durable block, and the transport's, inside a transaction.
    return isinstance(error, RuntimeError) or isinstance(error.__cause__, ReadOnlySqlTransaction)


def _kept_by_nobody(answer: HttpResponse) -> HttpResponse:
    """Pages that an investor's own browser may keep for a while are not kept by ours."""
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers.pop("ETag", None)
    return answer


def _page_of(request: HttpRequest) -> str | None:
    """The name of the page, where it may be looked at."""
    try:
        name = resolve(request.path).view_name
    except Resolver404:
        return None
    return name if request.method in METHODS and name in PAGES else None


def _tell(request: HttpRequest, look: Look, page: str) -> None:
    """Each page of a look stands in the investor's log once."""
    kept: dict[str, Any] = request.session[SESSION_KEY]
    if page not in kept["pages"]:
        person: Any = request.user
        investor = apps.get_model("investors", "investor")(pk=look.investor_id)
        audit.record(investor, audit.SEEN_AS, actor=person, at=clock.now(), page=page)
        request.session[SESSION_KEY] = {**kept, "pages": [*kept["pages"], page]}


def _over(request: HttpRequest) -> HttpResponse:
    end(request)
    messages.info(request, "The look has ended by itself. A new one takes a new reason.")
    return redirect("admin:index")


def _refused(request: HttpRequest) -> HttpResponse:
    """In words; a part of a page that would be fetched into it stays out of it."""
    if request.method in METHODS and request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return render(request, "portal/not_looked_at.html", status=403)
