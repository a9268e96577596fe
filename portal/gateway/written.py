"""A request, and its bytes as they are sent."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

# What would end a line of the head, or make two of one.
_SPLITS = re.compile(r"[\x00\r\n]")
_NO_TARGET = re.compile(r"[^\x21-\x7e]")
_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class File:
    """A file of a multipart body."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Request:
    """What is sent. `path` begins with a slash and is joined to the provider's base URL.

    The body is `json`, or `content`, or multipart: `files` with `fields` beside them.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] | None = None
    fields: Mapping[str, str] | None = None


def written(request: Request, base_url: str) -> bytes:
    """The bytes of a request. Raises ValueError for what HTTP cannot carry: then nothing is sent."""
    base = urlsplit(base_url)
    kind, body = _body(request)
    ours = {"Host": base.netloc.rpartition("@")[2], "Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "portal"}
    if kind:
        ours["Content-Type"] = kind
    if body or request.method in _HAVE_A_BODY:
        ours["Content-Length"] = str(len(body))
    given = {name.lower() for name in request.headers}
    headers = {name: value for name, value in ours.items() if name.lower() not in given} | dict(request.headers)
    target = base.path + request.path
    if request.params:
        target += "?" + urlencode(request.params, quote_via=quote, safe=",:")
    if _NO_TARGET.search(target) or _SPLITS.search("".join([*headers, *headers.values()])):
        raise ValueError("what HTTP cannot carry")
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _body(request: Request) -> tuple[str, bytes]:
    """(content type, bytes) of what is sent."""
    if request.files:
        return _multipart(request)
    if request.json is not None:
        text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return "application/json", text.encode()
    return "", request.content or b""


def _multipart(request: Request) -> tuple[str, bytes]:
    """A form with files (RFC 7578), under a boundary that no file contains."""
    boundary = secrets.token_hex(16)
    parts = [(f'name="{_quoted(name)}"', "", value.encode()) for name, value in (request.fields or {}).items()]
    for name, file in (request.files or {}).items():
        words = f'name="{_quoted(name)}"; filename="{_quoted(file.filename)}"'
        parts.append((words, f"Content-Type: {_SPLITS.sub('', file.content_type)}\r\n", file.content))
    whole = [
        f"--{boundary}\r\nContent-Disposition: form-data; {words}\r\n{kind}\r\n".encode() + content + b"\r\n"
        for words, kind, content in parts
    ]
    return f"multipart/form-data; boundary={boundary}", b"".join([*whole, f"--{boundary}--\r\n".encode()])


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
