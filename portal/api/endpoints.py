"""Endpoints as data: each app's `api.py` declares its own, the views and the OpenAPI document are made from them.

    @get("orders", answer=ORDER, scope="orders:read", filters={...}, expands={...})
    def orders(call): return a QuerySet, ordered; the list is paged by its key

    @post("approvals", answer=APPROVAL, scope="approvals:write", body=NewApproval)
    def ask(call): do it by an operation, return the QuerySet of the one row

A path with `<id>` answers one object: the QuerySet is narrowed by `by`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from portal import encryption
from portal.access import access
from portal.api import errors, once, usage
from portal.api.bodies import Body
from portal.api.door import PARTNER_API, Call, TokenAuthentication
from portal.api.errors import Trouble
from portal.api.shapes import Expand, Filter, Row, Shape
from portal.errors import Failure
from portal.rows import Statement

USUAL, MOST = 50, 100
# Of each process; then the questions are worked out anew.
MOST_STATEMENTS = 1_000
_statements: dict[tuple[Any, ...], Statement] = {}
Do = Callable[[Call], Any]


@dataclass(frozen=True)
class Endpoint:
    """One operation of the API."""

    method: str
    path: str
    name: str
    summary: str
    scope: str
    answer: Shape
    do: Do
    filters: Mapping[str, Filter] = field(default_factory=dict)
    expands: Mapping[str, Expand] = field(default_factory=dict)
    body: type[Body] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[type[Failure], ...] = ()
    status: int = 200
    by: str = "code"
    is_plain: bool = False
    # A page of what belongs to the object in the path (`schemes/<id>/navs`).
    is_many: bool = False
    # Are its rows the same query for the same partner and parameters at any time? Then its words are kept.
    is_steady: bool = False
    # By which column a list is ordered and paged, newest first; a day where rows have no number of their own.
    key: str = "pk"
    # For objects that are made of more than columns: a page of them as JSON has it.
    write: Callable[[list[Any], Call], list[dict[str, Any]]] | None = None
    deprecated_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def is_list(self) -> bool:
        """Does it answer a page of objects?"""
        if self.method != "GET" or self.is_plain:
            return False
        return self.is_many or "<id>" not in self.path

    @property
    def app(self) -> str:
        """The resource, for the document."""
        return self.path.split("/")[0]


REGISTRY: dict[tuple[str, str], Endpoint] = {}


def _declare(method: str, where: str, **more: Any) -> Callable[[Do], Do]:
    def keep(do: Do) -> Do:
        name = more.pop("name", do.__name__)
        summary = more.pop("summary", "") or (do.__doc__ or "").strip().split("\n")[0]
        if (method, where) in REGISTRY:
            raise ValueError(f"{method} {where} is declared twice")
        REGISTRY[(method, where)] = Endpoint(method, where, name, summary, do=do, **more)
        return do

    return keep


def get(where: str, **more: Any) -> Callable[[Do], Do]:
    """Declare what reads."""
    return _declare("GET", where, **more)


def reads(
    where: str, rows: Do, *, one: str, many: str, filters: Mapping[str, Filter] | None = None, **more: Any
) -> None:
    """Declare a list and each object in it: `rows` is the owner filter, `one` and `many` the summaries."""
    name = where.replace("-", "_")
    get(where, name=f"list_{name}", summary=many, filters=filters or {}, **more)(rows)
    get(f"{where}/<id>", name=f"get_{name.removesuffix('s')}", summary=one, **more)(rows)


def post(where: str, **more: Any) -> Callable[[Do], Do]:
    """Declare what writes: it is called in a transaction, once per Idempotency-Key."""
    return _declare("POST", where, **more)


def dumps(content: Any) -> str:
    """JSON without spaces, as it is sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


class EndpointView(APIView):
    """One path with the endpoints of its methods."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [AllowAny]  # the scope is asked for in `initial`, with our words
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser]
    http_method_names = ["get", "head", "post"]
    endpoints: Mapping[str, Endpoint] = {}
    limits: Mapping[str, str] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls, may they, and not too often. Raises Trouble."""
        self.limits = {}
        super().initial(request, *args, **kwargs)
        call = request.auth
        if not isinstance(call, Call):
            raise Trouble("not_authenticated")
        self.call = call
        try:
            self.limits = usage.count(call.partner, call.at)
        except Trouble as trouble:
            self.limits = {name: text for name, text in trouble.headers.items() if name.startswith("RateLimit")}
            raise
        endpoint = self.endpoint()
        if endpoint and endpoint.scope and endpoint.scope not in call.scopes:
            raise Trouble("scope_missing", f"This takes the scope {endpoint.scope}.")

    def endpoint(self) -> Endpoint | None:
        """The endpoint of this method."""
        return self.endpoints.get("GET" if self.request.method == "HEAD" else self.request.method or "")

    def handle_exception(self, exc: Exception) -> Any:
        """A problem for what was foreseen; everything else is the server's own trouble."""
        response = errors.answer(exc, self)
        if response is None:
            raise exc
        return response

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Limits, deprecation, and that no cache keeps it."""
        for name, value in self.limits.items():
            response[name] = value
        endpoint = self.endpoint()
        if endpoint and endpoint.deprecated_at:
            response["Deprecation"] = f"@{int(endpoint.deprecated_at.timestamp())}"
            if endpoint.ends_at:
                response["Sunset"] = f"{endpoint.ends_at.astimezone(UTC):%a, %d %b %Y %H:%M:%S GMT}"
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault("Vary", "Authorization")
        return response

    def _read(self, request: Request, **kwargs: str) -> HttpResponseBase:
        endpoint = cast(Endpoint, self.endpoint())
        self.call.id = kwargs.get("id", "")
        content = _list(endpoint, self.call, request) if endpoint.is_list else _one(endpoint, self.call, request)
        return _tagged(dumps(content), request)

    def _write(self, request: Request, **kwargs: str) -> HttpResponseBase:
        endpoint = cast(Endpoint, self.endpoint())
        self.call.id = kwargs.get("id", "")
        plain: HttpRequest = request._request
        return once.answer(
            partner=self.call.partner,
            route=f"POST {plain.path}"[:200],
            key=request.headers.get("Idempotency-Key", ""),
            body=plain.body,
            at=self.call.at,
            work=lambda: self._work(endpoint, request),
        )

    def _work(self, endpoint: Endpoint, request: Request) -> HttpResponse:
        """The write in a savepoint: a refusal leaves nothing but its answer."""
        try:
            with transaction.atomic():
                self.call.data = _checked(endpoint, request)
                content = _shaped(endpoint, endpoint.do(self.call), self.call, {})
        except Exception as error:
            response = errors.answer(error, self)
            if response is None:
                raise
            return response
        return HttpResponse(dumps(content), status=endpoint.status, content_type="application/json")


def _checked(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    if endpoint.body is None:
        if request._request.body.strip() not in (b"", b"{}"):
            raise Trouble("invalid", fields={"body": ["This takes no body."]})
        return {}
    body = endpoint.body(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


# --- reading ------------------------------------------------------------------------------------------------------


def _one(endpoint: Endpoint, call: Call, request: Request) -> Any:
    call.params = _params(endpoint, request)
    expands = _expands(endpoint, call.params)
    found = endpoint.do(call)
    if isinstance(found, QuerySet) and endpoint.by:
        found = found.filter(**{endpoint.by: call.id})
    return _shaped(endpoint, found, call, expands)


def _shaped(endpoint: Endpoint, found: Any, call: Call, expands: Mapping[str, Expand]) -> Any:
    """One object: of the QuerySet's first row, or made by the endpoint itself."""
    if not isinstance(found, QuerySet):
        return found
    rows = cast(list[Row], list(_read(endpoint, found, expands)[:1]))
    if not rows:
        raise Trouble("not_found")
    return _written(endpoint, rows, call, expands)[0]


def _list(endpoint: Endpoint, call: Call, request: Request) -> dict[str, Any]:
    params = _params(endpoint, request)
    expands, size = _expands(endpoint, params), _size(params)
    if endpoint.write:
        objects = list(_page(endpoint, call, params)[: size + 1])
        data, keys = endpoint.write(objects[:size], call), [each.pk for each in objects]
    else:
        rows = _rows(
            endpoint, call, params, lambda: _read(endpoint, _page(endpoint, call, params), expands)[: size + 1]
        )
        data, keys = _written(endpoint, rows[:size], call, expands), [row[endpoint.key] for row in rows]
    return {"data": data, "next_cursor": _sealed(keys[size - 1], endpoint) if len(keys) > size else None}


def _page(endpoint: Endpoint, call: Call, params: Mapping[str, str]) -> QuerySet[Any]:
    """The rows that may be listed, narrowed to what was asked for, from the cursor on. Raises Trouble."""
    found = _narrowed(endpoint, endpoint.do(call), params)
    if "cursor" in params:
        found = found.filter(**{f"{endpoint.key}__lt": _opened(params["cursor"], endpoint)})
    return found.order_by(f"-{endpoint.key}")


def _rows(endpoint: Endpoint, call: Call, params: Mapping[str, str], ask: Callable[[], QuerySet[Any]]) -> list[Row]:
    """A machine asks the same again and again: what it asks the database is worked out once for each of its questions.

    Only the words of a statement are kept, and never for another partner; who may see what is decided when it runs.
    """
    if not endpoint.is_steady or "cursor" in params:
        return cast(list[Row], list(ask()))
    question = (endpoint.name, call.partner.pk, *sorted(params.items()))
    if question not in _statements:
        if len(_statements) >= MOST_STATEMENTS:
            _statements.clear()
        _statements[question] = Statement.of(ask())
    return _statements[question].rows()


def _read(endpoint: Endpoint, found: QuerySet[Any], expands: Mapping[str, Expand]) -> QuerySet[Any]:
    further = [each.on for each in expands.values()]
    return endpoint.answer.read(found, *([endpoint.key] if endpoint.is_list else []), *further)


def _written(endpoint: Endpoint, rows: list[Row], call: Call, expands: Mapping[str, Expand]) -> list[dict[str, Any]]:
    written = endpoint.answer.write_all(rows)
    for name, expand in expands.items():
        expand.put(name, rows, written, call)
    return written


def _params(endpoint: Endpoint, request: Request) -> dict[str, str]:
    """The parameters, each known and given once. Raises Trouble."""
    known = {
        *endpoint.filters,
        *(["cursor", "limit"] if endpoint.is_list else []),
        *(["expand"] * bool(endpoint.expands)),
    }
    wrong: dict[str, list[str]] = {}
    for name, texts in request.query_params.lists():
        if name not in known:
            wrong[name] = ["There is no such parameter."]
        elif len(texts) > 1:
            wrong[name] = ["Given more than once."]
    if wrong:
        raise Trouble("invalid", fields=wrong)
    return {name: str(text) for name, text in request.query_params.items()}


def _expands(endpoint: Endpoint, params: Mapping[str, str]) -> dict[str, Expand]:
    if "expand" not in params:
        return {}
    wanted = params["expand"].split(",")
    if not set(wanted) <= set(endpoint.expands):
        raise Trouble("invalid", fields={"expand": [f"Any of: {', '.join(endpoint.expands)}."]})
    return {name: endpoint.expands[name] for name in wanted}


def _size(params: Mapping[str, str]) -> int:
    text = params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST):
        raise Trouble("invalid", fields={"limit": [f"A number from 1 to {MOST}."]})
    return int(text)


def _narrowed(endpoint: Endpoint, found: QuerySet[Any], params: Mapping[str, str]) -> QuerySet[Any]:
    wrong: dict[str, list[str]] = {}
    for name, narrowing in endpoint.filters.items():
        if name in params:
            try:
                found = found.filter(**{narrowing.lookup: narrowing.clean(params[name])})
            except ValueError as error:
                wrong[name] = [str(error)]
    if wrong:
        raise Trouble("invalid", fields=wrong)
    return found


def _sealed(key: int | date, endpoint: Endpoint) -> str:
    """A cursor tells nobody how many rows there are: it is encrypted, and good for this list only."""
    return encryption.encrypt(f"{endpoint.name}:{key}")


def _opened(cursor: str, endpoint: Endpoint) -> int | date:
    try:
        name, _, key = encryption.decrypt(cursor).partition(":")
        if name != endpoint.name:
            raise Trouble("cursor")
        return int(key) if endpoint.key == "pk" else date.fromisoformat(key)
    except (encryption.InvalidToken, ValueError, TypeError):
        raise Trouble("cursor") from None


def _tagged(text: str, request: Request) -> HttpResponse:
    """With its version; 304 where the caller has it already."""
    tag = f'"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"'
    known = [each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")]
    is_known = tag in known or "*" in known
    response = HttpResponse(status=304) if is_known else HttpResponse(text, content_type="application/json")
    response["ETag"] = tag
    return response


# --- addresses ----------------------------------------------------------------------------------------------------


def urlpatterns() -> list[URLPattern]:
    """A path per resource, made of what the apps have declared."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in REGISTRY.values():
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        path(where.replace("<id>", "<slug:id>"), _view(found), name=_name(where)) for where, found in by_path.items()
    ]


def _name(where: str) -> str:
    return "api_" + where.replace("/", "_").replace("<id>", "one").replace("-", "_")


def _view(found: Mapping[str, Endpoint]) -> Callable[..., HttpResponseBase]:
    handlers: dict[str, Any] = {"GET": EndpointView._read, "POST": EndpointView._write}
    members = {method.lower(): handlers[method] for method in found}
    kind = cast(type[EndpointView], type("PathView", (EndpointView,), {"endpoints": dict(found), **members}))
    return access(PARTNER_API)(kind.as_view())
