"""Pages that belong to no app, and what every page shares: the brand, the second-factor gate, health."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network

import structlog
from allauth.account.adapter import get_adapter
from allauth.mfa.utils import is_mfa_enabled
from csp.constants import HEADER, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django_structlog.middlewares import request as request_log

from portal import clock
from portal.access import ANYONE, access
from portal.models import Heartbeat

BEAT_IS_LATE_AFTER_S = 180


def brand(request: HttpRequest) -> dict[str, object]:
    """Context of every page: who the distributor is."""
    return {"brand": settings.BRAND}


def admin_environment(request: HttpRequest) -> list[str]:
    """The label in the admin's corner: which world this is."""
    return ["Sandbox", "info"] if settings.SANDBOX else ["Live", "danger"]


class SecondFactorForStaff:
    """The admin opens only for staff with a second factor, unless settings say that this is a demo."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_SECOND_FACTOR and request.path.startswith("/admin/"):
            user = request.user
            if user.is_authenticated and user.is_staff and not is_mfa_enabled(user):
                messages.info(
                    request,
                    "Staff sign in with a second factor. Add an authenticator app or a passkey first.",
                )
                return redirect("mfa_index")
        return self.get_response(request)


class StaffNetworks:
    """The admin answers only to the networks of `STAFF_NETWORKS`, where that is set; elsewhere it is not there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.networks = [ip_network(each, strict=False) for each in settings.STAFF_NETWORKS]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.networks and request.path.startswith("/admin/") and not self._is_inside(request):
            raise Http404
        return self.get_response(request)

    def _is_inside(self, request: HttpRequest) -> bool:
        try:
            address = ip_address(get_adapter().get_client_ip(request))
        except (ValueError, PermissionDenied):
            return False
        return any(address in network for network in self.networks)


class ContentPolicy(CSPMiddleware):
    """django-csp writes the policy of the settings anew for each answer; here only when asked for other words."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the header; the long way where a view or a nonce asks for words of its own."""
        if hasattr(request, "_csp_nonce") or any(name.startswith("_csp") for name in vars(response)):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _usual_policy())
        return response


class KeptByNobody:
    """What is shown to somebody who is signed in is kept by no cache, unless its view says how it may be."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


@cache
def _usual_policy() -> str:
    return build_policy()


class RequestLog(request_log.RequestMiddleware):
    """django-structlog, with the address that everything else here believes too (`TRUSTED_PROXY_COUNT`).

    Where nobody reads of requests that end as they should (`REQUEST_LOG_LEVEL`), nothing is prepared for that.
    """

    def prepare(self, request: HttpRequest) -> None:
        """What every line of this request carries: its id, who asks, from where."""
        if _requests_are_told():
            return super().prepare(request)
        request_id, user = str(uuid.uuid4()), getattr(request, "user", None)
        structlog.contextvars.bind_contextvars(
            request_id=request_id, user_id=getattr(user, "pk", None), ip=_address(request)
        )

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Tell of an answer that is refused or failed; one that is still being written is followed to its end."""
        is_quiet = response.status_code < 400 and not response.streaming and not hasattr(request, "_raised_exception")
        if is_quiet and not _requests_are_told():
            return structlog.contextvars.clear_contextvars()
        return super().handle_response(request, response)

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """The address that the outermost proxy of ours saw, or the one that spoke to us."""
        structlog.contextvars.bind_contextvars(ip=_address(request))


def _address(request: HttpRequest) -> str:
    count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    seen = told[-count].strip() if 0 < count <= len(told) else ""
    return seen or request.META.get("REMOTE_ADDR", "")


def _requests_are_told() -> bool:
    return logging.getLogger(request_log.__name__).isEnabledFor(logging.INFO)


class AdminContentPolicy:
    """The admin's theme evaluates expressions in attributes and sets inline styles: its pages alone may do so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}  # type: ignore[attr-defined]
        return response


@access(ANYONE)
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@access(ANYONE)
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: database, migrations, cache and beat. 503 names what is missing; without a database, only that."""
    problems = missing()
    return JsonResponse({"ready": not problems, "missing": problems}, status=503 if problems else 200)


def missing() -> list[str]:
    """What is not well of what every page needs."""
    return [name for name, check in _READY.items() if not check()] if _database() else ["database"]


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except DatabaseError:
        return False


def _migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _cache() -> bool:
    from django.core.cache import cache

    try:
        cache.set("readyz", "1", 10)
        return cache.get("readyz") == "1"
    except Exception:  # noqa: BLE001 - any trouble of any cache backend means "not ready"
        return False


def _beat() -> bool:
    try:
        heard = Heartbeat.objects.filter(name="beat").first()
    except DatabaseError:
        return False
    return heard is not None and abs((clock.now() - heard.at).total_seconds()) < BEAT_IS_LATE_AFTER_S


_READY: dict[str, Callable[[], bool]] = {
    "migrations": _migrations,
    "cache": _cache,
    "beat": _beat,
}
