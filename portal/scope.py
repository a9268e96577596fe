"""Whose rows a database connection may see: the wall below the views.

Tables that belong to an investor carry row-level security (FORCEd, so it holds for the owning role too). Their policy
compares with the session setting `portal.scope`:

    all          workers, commands, staff
    user:<id>    an investor: own rows only
    user:<id>:<investor>    the same of somebody who has chosen for whom to act (`portal/acting.py`)
    partner:<id>            a partner's machine: reads the rows of investors that the partner brought
    partner:<id>:<user>     the same of somebody who works at the partner
    none         nobody is signed in
    door, door:<id>...    none and user:<id> on the pages where one signs in: people may be looked up as well

Web processes start at `none` (`portal/wsgi.py`) and the middleware opens the scope for each request, before any view
runs. The owner filter in each app's `queries.py` stays the first wall; this is the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse

from portal import acting, audit, sessions
from portal.rows import opening

ALL = "all"
NONE = "none"
DOOR = "door"
_SET = "SELECT set_config('portal.scope', %s, false)"
# Where one signs in, signs up and keeps one's account: these pages look people up by what they typed.
DOOR_PATHS = ("/accounts/", "/admin/login/")
# These tell machines how this process is: they are asked by nobody in particular, and answer without a database.
HEALTH_PATHS = ("/healthz", "/readyz")
# Machines of providers ring here: nobody is signed in, and most of what comes is one statement.
BELL_PATHS = ("/webhooks/",)
# Who opens a request that comes without a session: answers whether it did, by narrowing the connection.
_openers: list[Callable[[HttpRequest], bool]] = []


def register_opener(opener: Callable[[HttpRequest], bool]) -> Callable[[HttpRequest], bool]:
    """From now on this is asked as well whether it knows who comes. It leaves the scope of those, or `NONE`."""
    _openers.append(opener)
    return opener


def set_scope(scope: str) -> None:
    """Let this connection see `scope` from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_SET, [scope])


@contextmanager
def scope(name: str) -> Iterator[None]:
    """See `name` inside the block and what was seen before after it. For edges that act for nobody in particular."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT before, set_config('portal.scope', %s, false)"
            " FROM (SELECT current_setting('portal.scope', true) AS before OFFSET 0) AS now",
            [name],
        )
        before = cursor.fetchone()[0] or NONE
    try:
        yield
    finally:
        if before != name:
            set_scope(before)


class OwnScope(str):
    """A statement that opens by itself what it needs. After `closing`, its longer form, nobody's rows are seen."""

    closing: str

    def __new__(cls, columns: str, source: str) -> Self:
        """`SELECT columns FROM source`; PostgreSQL reads the source before it works out the columns."""
        made = super().__new__(cls, f"SELECT {columns} FROM {source}")  # noqa: S608 - our own names
        made.closing = f"SELECT {columns}, set_config('portal.scope', '{NONE}', false) FROM {source}"  # noqa: S608
        return made


class _Closing:
    """Closes what the request before left open: together with the first statement where that can do it, else before it.

    A transaction that is rolled back would open it again, so the first statement stands in none.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self.outside = len(connection.atomic_blocks)

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self.is_closed:
            return execute(sql, *rest)
        if len(connection.atomic_blocks) > self.outside:
            raise RuntimeError("the first statement of a doorbell stands in a transaction")
        if isinstance(sql, OwnScope):
            sql = sql.closing
        elif sql is not _SET:
            set_scope(NONE)
        answer = execute(sql, *rest)
        self.is_closed = True
        return answer


def scope_of(user: object) -> str:
    """The scope of a signed-in person."""
    if not getattr(user, "is_authenticated", False):
        return NONE
    return ALL if getattr(user, "is_staff", False) else f"user:{getattr(user, 'pk', 0)}"


def on_page(path: str, scope: str) -> str:
    """The scope of a page: on the pages where one signs in, people may be looked up as well."""
    if scope == ALL or not path.startswith(DOOR_PATHS):
        return scope
    return DOOR if scope == NONE else scope.replace("user:", f"{DOOR}:")


class ScopeMiddleware:
    """Opens the database for whoever is signed in, and closes it again where connections outlive requests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in HEALTH_PATHS:
            request.user = AnonymousUser()
            return self.get_response(request)
        opened = sessions.open_for(request)
        scope = on_page(request.path, acting.narrowed(scope_of(request.user), request))
        if opened is None and scope == NONE and request.path.startswith(BELL_PATHS):
            with connection.execute_wrapper(_Closing()):
                return self._answer(request)
        is_opened = opened is None and scope == NONE and any(opener(request) for opener in _openers)
        if scope != opened and not is_opened:
            opening(_SET, [scope])
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # From here on a database that goes away may have kept something of it (`portal/unavailable.py`).
        request.is_open = True  # type: ignore[attr-defined]
        audit.DOOR.set(audit.door_of(request.path))
        try:
            return self.get_response(request)
        finally:
            # A web process begins every request by setting the scope, so only other processes (tests) go back.
            if settings.DB_SCOPE != NONE:
                set_scope(settings.DB_SCOPE)


def owner_policy_sql(table: str, owner_column: str = "investor_id") -> str:
    """SQL that lets `table` be seen by its investor and by scope `all` only. For migrations (RunSQL)."""
    mine = "portal_scope_user()" if owner_column == "user_id" else "(SELECT portal_scope_investor())"
    return f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY {table}_owner ON {table}
            USING (current_setting('portal.scope', true) = 'all' OR {owner_column} = {mine});
    """


def drop_owner_policy_sql(table: str) -> str:
    """The reverse of `owner_policy_sql`."""
    return f"""
        DROP POLICY {table}_owner ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
    """


def partner_policy_sql(table: str) -> str:
    """SQL that lets a partner read the rows of its investors in `table`. For migrations, where an owner policy stands.

    PostgreSQL asks the policy first whose name sorts last: after `_owner`, so investors' own rows never come to this.
    """
    return f"CREATE POLICY {table}_by_partner ON {table} FOR SELECT USING (portal_partner_sees(investor_id));"


def drop_partner_policy_sql(table: str) -> str:
    """The reverse of `partner_policy_sql`."""
    return f"DROP POLICY {table}_by_partner ON {table};"


def policies_sql(table: str, policies: Mapping[str, str]) -> str:
    """SQL that lets each command (`ALL`, `SELECT`, ...) touch the rows of its condition only. For migrations."""
    made = [
        f"CREATE POLICY {table}_{command.lower()} ON {table} FOR {command}"
        f" {'WITH CHECK' if command == 'INSERT' else 'USING'} ({condition});"
        for command, condition in policies.items()
    ]
    return "\n".join(
        [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;", f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;", *made]
    )


def without_policies_sql(table: str, policies: Mapping[str, str]) -> str:
    """The reverse of `policies_sql`."""
    dropped = [f"DROP POLICY {table}_{command.lower()} ON {table};" for command in policies]
    return "\n".join(
        [
            *dropped,
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
        ]
    )
