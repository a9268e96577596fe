"""Requests, responses and routes: as much of a web framework as the sandbox needs."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from functools import cached_property
from typing import Any

JSON_TYPE = "application/json;charset=UTF-8"
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 302: "Found", 303: "See Other", 400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


def plain(value: Any) -> Any:
    """Decimals as JSON numbers: whole ones as integers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dumps(value: Any) -> bytes:
    return json.dumps(value, default=plain, ensure_ascii=False).encode()


@dataclass
class Response:
    """`wire` names what the server does to the socket instead of answering well: see faults.WIRE_MODES."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = ""

    def header_list(self) -> list[tuple[str, str]]:
        length = ("Content-Length", str(len(self.body)))
        return [("Content-Type", self.content_type), length, *self.headers.items()]


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, dumps(value))


def redirect(to: str) -> Response:
    return Response(303, b"", "text/plain", {"Location": to})


class Problem(Exception):
    """Ends a call with an error in the provider's own envelope; the provider's module renders it."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors


@dataclass
class Upload:
    """A file of a form; `content_type` is empty where the caller named none, as many libraries do."""

    filename: str
    content_type: str
    content: bytes


@dataclass
class Request:
    """One call. `path` is decoded and without the provider's prefix; `full_path` is as it came."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    body: bytes
    base_url: str
    full_path: str = ""
    tenant: str = ""
    created: list[tuple[str, int]] = field(default_factory=list)

    @cached_property
    def query(self) -> dict[str, str]:
        """First value of each query parameter."""
        pairs = urllib.parse.parse_qsl(self.query_string, keep_blank_values=True)
        return dict(reversed(pairs))

    @cached_property
    def json(self) -> Any:
        """The body as JSON with exact decimals; raises Problem 400 with the documented words."""
        try:
            found = json.loads(self.body or b"null", parse_float=Decimal)
            if b"\\ud" in self.body.lower():
                dumps(found)  # half of a surrogate pair is no text: nobody could write it down
        except (ValueError, RecursionError):
            raise Problem(400, "JSON parse error") from None
        return found

    @cached_property
    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @cached_property
    def parts(self) -> dict[str, str | Upload]:
        """Fields of a multipart body; raises Problem 400 when it is not one."""
        content_type = self.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            raise Problem(400, "multipart/form-data expected")
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        found: dict[str, str | Upload] = {}
        for part in BytesParser(policy=HTTP).parsebytes(head + self.body).iter_parts():
            name, filename = part.get_param("name", header="content-disposition"), part.get_filename()
            content = part.get_payload(decode=True) or b""
            kind = part.get_content_type() if "content-type" in part else ""
            upload = Upload(filename or "", kind, bytes(content))
            found[str(name)] = upload if filename is not None else upload.content.decode("utf-8", "replace")
        return found


def arguments(request: Request) -> dict[str, Any]:
    """Body over query; a form's fields count as a body. Raises Problem 400.

    curl calls everything a form, so what begins like a JSON object is one.
    """
    given: dict[str, Any] = dict(request.query)
    braces = request.body.lstrip().startswith(b"{")
    if not braces and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return given | request.form
    if request.body.strip():
        body = request.json
        if not isinstance(body, dict):
            raise Problem(400, "a JSON object is expected")
        given |= body
    return given


Handler = Callable[..., Response]
PARAM = re.compile(r"\{(\w+)(?::(\w+))?\}")
KINDS = {"int": r"\d+", "path": r".+", None: r"[^/]+"}


class Router:
    """Exact paths by dictionary, patterned ones by one compiled expression each, in the order they were added."""

    def __init__(self) -> None:
        self.exact: dict[str, dict[str, Handler]] = {}
        self.patterns: list[tuple[re.Pattern[str], dict[str, Handler]]] = []
        self._by_path: dict[str, dict[str, Handler]] = {}

    def add(self, methods: str, path: str, handler: Handler) -> None:
        """`methods` like "GET" or "POST PATCH"; `path` like "/orders/{id:int}"."""
        table = self._by_path.get(path)
        if table is None:
            table = self._by_path[path] = {}
            if "{" in path:
                expression = PARAM.sub(lambda m: f"(?P<{m[1]}>{KINDS[m[2]]})", path)
                self.patterns.append((re.compile(expression), table))
            else:
                self.exact[path] = table
        for method in methods.split():
            table[method] = handler

    def add_all(self, routes: Iterable[tuple[str, str, Handler]]) -> None:
        for methods, path, handler in routes:
            self.add(methods, path, handler)

    def all(self) -> list[tuple[str, str]]:
        """(method, path as it was added) of every route."""
        return [(method, path) for path, table in self._by_path.items() for method in table]

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, Any]]:
        """The handler and its path arguments; raises Problem 404 or 405."""
        path = path.rstrip("/") or "/"
        table, args = self._match(path)
        handler = table.get(method) or (table.get("GET") if method == "HEAD" else None)
        if handler is None:
            raise Problem(405, "Method Not Allowed") if table else Problem(404, "Not Found")
        return handler, args

    def _match(self, path: str) -> tuple[dict[str, Handler], dict[str, Any]]:
        if path in self.exact:
            return self.exact[path], {}
        for expression, table in self.patterns:
            if hit := expression.fullmatch(path):
                return table, {k: urllib.parse.unquote(v) for k, v in hit.groupdict().items()}
        return {}, {}
